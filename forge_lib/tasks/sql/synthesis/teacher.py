"""A teacher words the questions of sampled queries: a language model behind any OpenAI-compatible endpoint.

Without one the plain template question of the sampler stays. Whole answers are saved as they come, so a stopped run goes
on where it stopped and no answer is paid for twice.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from forge_lib.data.items import DataError
from forge_lib.lab.jsonl import append_jsonl, cut_torn_tail, read_jsonl
from forge_lib.models.chat import Message
from forge_lib.models.endpoint import Ask
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.sandbox import shared_sandbox
from forge_lib.tasks.sql.schema import render_schema

_INSTRUCTION = """You word questions for a text-to-SQL data set. You get a schema, a SQLite query, a stiff question and the \
first rows of the result. Write the one question that a user of this database would ask and that exactly this query answers.
- The same filters, the same columns in the same order and nothing more; order and number of rows where the query has them.
- Natural words for tables and columns, but unambiguous. Every value of the query stands in the question as it is in the \
query; dates may be worded.
- > is "more than", >= is "at least", BETWEEN includes both ends.
Answer with the question alone. If no sensible person would ask for this, answer DROP."""
_ANSWER_TOKENS = 60  # a question is about 20; the rest is for models that think aloud a little
_MAX_TOKENS = 1024
_ROWS = 3  # of a query's result that the teacher sees


@dataclass(frozen=True)
class Estimate:
    """What asking the teacher will cost: requests still to be sent, tokens, and money in the currency of the prices."""

    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: float

    def __str__(self) -> str:
        return (f"{self.requests} requests, about {self.prompt_tokens:,} tokens in and {self.completion_tokens:,} out: "
                f"about {self.cost:.2f} at the prices given.")  # fmt: skip


def teacher_messages(data: DataSet, pair: Pair) -> list[Message]:
    """What the teacher is told about one draft, which is all that leaves the machine: the whole schema of its database,
    the query, the plain question, and up to three rows of the query's result, 300 characters at most.
    """
    rows = shared_sandbox().run(data.database(pair.db_id), pair.sql).rows[:_ROWS]
    schema = render_schema(data.schema(pair.db_id))
    asked = f"Tables:\n{schema}\n\nSQL: {pair.sql}\nStiff question: {pair.question}\nFirst rows: {str(rows)[:300]}"
    return [{"role": "system", "content": _INSTRUCTION}, {"role": "user", "content": asked}]


def what_is_sent(data: DataSet, drafts: Sequence[Pair]) -> str:
    """One sentence for whoever decides whether these drafts may go to a teacher: what it is told of whose data."""
    databases = sorted({d.db_id for d in drafts})
    tables = sum(len(data.schema(db_id).tables) for db_id in databases)
    return (
        f"For each of {len(drafts)} drafts: the schema of its database ({tables} tables of {', '.join(databases) or 'none'}), the "
        f"query, the plain question, and up to {_ROWS} rows of the query's result."
    )


def estimate(
    data: DataSet, drafts: Sequence[Pair], folder: Path, prices: tuple[float, float], count: Callable[[str], int]
) -> Estimate:
    """The cost of the drafts not yet worded in `folder`. prices: per million tokens in and out; count: tokens of a text."""
    known = _answers(folder)
    left = [d for d in drafts if d.id not in known]
    tokens = sum(count(m["content"]) for d in left for m in teacher_messages(data, d))
    out = _ANSWER_TOKENS * len(left)
    return Estimate(len(left), tokens, out, (tokens * prices[0] + out * prices[1]) / 1e6)


def word_questions(
    data: DataSet, drafts: Sequence[Pair], folder: Path, ask: Ask | None, progress: bool = True
) -> list[Pair]:
    """The drafts with the teacher's questions, those it dropped left out; the drafts themselves when `ask` is None.

    Nothing is sent unless the caller passes an `ask`, whatever keys the environment holds; `what_is_sent` says what is.
    Every whole answer is appended to `folder`/teacher.jsonl at once; drafts answered there are not asked again. An answer
    that is empty or was cut off is none: its draft is left out with a warning, and asked again the next time.
    """
    if ask is None:
        return list(drafts)
    from tqdm import tqdm  # text: GitHub shows it, and a widget would be lost

    known = _answers(folder)
    for draft in tqdm([d for d in drafts if d.id not in known], "teacher", disable=not progress):
        reply = ask(teacher_messages(data, draft), _MAX_TOKENS)
        said = reply.text.strip().strip('"')
        if not (said and reply.finished):
            continue
        known[draft.id] = "" if said == "DROP" else said
        append_jsonl(folder / "teacher.jsonl", {"id": draft.id, "question": known[draft.id]})
    unanswered = sum(d.id not in known for d in drafts)
    if unanswered:
        warnings.warn(
            f"The teacher's answer on {unanswered} of {len(drafts)} drafts was empty or cut off (after {_MAX_TOKENS} tokens at "
            "most), so they are left out. Call again to ask for these alone.",
            stacklevel=2,
        )
    return [
        replace(d, question=known[d.id], provenance="sampled query, question by a language model")
        for d in drafts if known.get(d.id)
    ]  # fmt: skip


def _answers(folder: Path) -> dict[str, str]:
    path = folder / "teacher.jsonl"
    if not path.exists():
        return {}
    cut_torn_tail(path)  # that one is asked again
    answers = {}
    for number, record in enumerate(read_jsonl(path, "Delete the line.", DataError), 1):
        try:
            answers[str(record["id"])] = str(record["question"])
        except KeyError as error:
            raise DataError(
                f"teacher.jsonl, answer {number}, is no answer of the teacher ({error} is missing). Delete the line."
            ) from error
    return answers
