"""Rejection sampling: answers that somebody gave to training questions, those kept that execution finds right.

Who answers is the model itself (rejection-sampling fine-tuning, Yuan et al. 2023, https://arxiv.org/abs/2308.01825; STaR,
Zelikman et al. 2022, https://arxiv.org/abs/2203.14465), a larger local one, or one behind an endpoint (sequence-level
distillation, Kim & Rush 2016, https://arxiv.org/abs/1606.07947). What is kept is training items like any others.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from forge_lib.data.items import DataError, Item, fingerprint
from forge_lib.lab.jsonl import append_jsonl, cut_torn_tail, read_jsonl
from forge_lib.models.chat import encode_prompt
from forge_lib.models.endpoint import Ask
from forge_lib.models.generate import Completion, generate
from forge_lib.models.grammar import GrammarConstraint
from forge_lib.tasks import GoldError, TaskData
from forge_lib.training import TrainingError

_Answers = Callable[[Sequence[Item], int], list[list[Completion]]]  # (items, samples) -> the samples of each item
TOGETHER = 32  # items answered, graded and written at a time: what a kill may cost


@dataclass(frozen=True)
class Round:
    """What one round is: it stands first in the round's file, and another one cannot go on from that file.

    number: from 1; by: who answers, as provenance tells it; samples: answers a prompt (k); seed: of the sampling
    states: whether a right answer must be right on several states of what it asks about too (`data.score_suite`)
    """

    number: int
    by: str
    samples: int = 8
    seed: int = 17
    states: bool = False


def model_answers(
    model, tokenizer, data: TaskData, max_new_tokens: int, batch_size: int, temperature: float = 0.7, grammar: bool = False
) -> _Answers:  # fmt: skip
    """Answers of a model in this process; a prompt is read once for all its samples.

    grammar: only what `data.grammar` allows is sampled, which leaves fewer answers to reject
    """

    def answer(items: Sequence[Item], samples: int) -> list[list[Completion]]:
        prompts = [encode_prompt(tokenizer, data.messages(item)) for item in items]
        texts = [data.grammar(item) if grammar else None for item in items]
        made = {text: GrammarConstraint(text, tokenizer) for text in {*texts} - {None}}
        bounds = [made.get(text) for text in texts for _ in range(samples)] if made else None
        asked = [p for p in prompts for _ in range(samples)]
        done = generate(model, tokenizer, asked, max_new_tokens, batch_size, False, temperature, bounds)
        return [done[at : at + samples] for at in range(0, len(done), samples)]

    return answer


def teacher_answers(ask: Ask, data: TaskData, max_tokens: int = 1024, parallel: int = 4) -> _Answers:
    """One answer a question from an endpoint; wrap `ask` in `models.replies.remember`, and none is ever paid twice.

    The prompt is the student's, and the questions, schemas and values in it are sent. Where a question fails, those under
    way are waited for. Raises TrainingError for more samples than one: the same request has the same remembered reply.
    """

    def one(item: Item) -> list[Completion]:
        reply = ask(data.messages(item), max_tokens)
        return [Completion(reply.text, reply.prompt_tokens, reply.completion_tokens, reply.seconds, reply.finished)]

    def answer(items: Sequence[Item], samples: int) -> list[list[Completion]]:
        if samples != 1:
            raise TrainingError(f"A teacher gives one answer a question, not {samples}: give the round samples=1.")
        pool = ThreadPoolExecutor(parallel, "teacher")
        try:
            return list(pool.map(one, items))
        finally:
            pool.shutdown(cancel_futures=True)

    return answer


def sample_round(
    answers: _Answers, data: TaskData, items: Sequence[Item], folder: Path, about: Round, progress: bool = True
) -> list[dict]:
    """Let every item of the training part be answered `about.samples` times and graded; a record an item, in order.

    Records go to `folder`/round-<number>.jsonl as they come, and a killed round goes on from there to the same samples.
    A record holds id and context, samples, right, unfinished, tokens, and "answers": each different one (by
    `data.canonical`) with its count and verdict, likeliest first. An answer that was cut off is never right, nor is one
    that proves nothing (full reward is asked for). An item whose own answer fails has a "fault" instead of answers.
    Raises DataError for items that are not of the training part, TrainingError where the file belongs to another round.
    """
    from tqdm import tqdm  # text: GitHub shows it, and a widget would be lost

    check_training(data, items)
    path = folder / f"round-{about.number}.jsonl"
    done = {r["id"]: r for r in _begin(path, about, items)}
    with tqdm(total=len(items), initial=len(done), desc=path.stem, disable=not progress) as bar:
        for at in range(0, len(items), TOGETHER):
            part = items[at : at + TOGETHER]
            if all(item.id in done for item in part):
                continue
            with torch.random.fork_rng():
                torch.manual_seed(random.Random(f"{about.seed} {about.number} {at}").getrandbits(63))
                drawn = answers(part, about.samples)
            for record in _graded(data, part, drawn, about.states):
                if record["id"] not in done:
                    append_jsonl(path, record)
                    done[record["id"]] = record
                    bar.update()
    return [done[item.id] for item in items]


def read_round(folder: Path, number: int) -> list[dict]:
    """The records of a round. Raises RunError where it is not there or damaged."""
    return read_jsonl(folder / f"round-{number}.jsonl", "Sample that round first, or again.")[1:]


def check_training(data: TaskData, items: Sequence[Item]) -> None:
    """Raise DataError unless all `items` are of the training part, and none is asked in validation or test as well."""
    if not items:
        raise DataError("There is nothing to answer: no items. Choose at least one of the training part.")
    own = {i.id: i.split_key for i in data.train}
    held_out = {key for i in [*data.validation, *data.test] for key in ((i.id,), i.split_key)}
    for item in items:
        if item.id not in own or own[item.id] != item.split_key or {(item.id,), item.split_key} & held_out:
            raise DataError(
                f"Item {item.id} is not of the training part alone. A model that learns from answers to validation or test "
                "has seen what it is measured on: pass items of data.train."
            )


def round_row(rounds: Sequence[Sequence[dict]]) -> dict:
    """The bookkeeping of the newest of `rounds` (records of rounds 1, 2, …): counts, and shares of 0 to 1.

    pass_rate: share of its samples that are right; solved: prompts it has a right answer to; unsolved: prompts that no round
    has one to; distinct: different right answers; new: of them, those that no earlier round and no gold has.

    >>> record = {"id": "a", "samples": 2, "right": 1, "unfinished": 0, "tokens": 9,
    ...           "answers": [{"answer": "SELECT 1", "count": 1, "verdict": "correct", "gold": False}]}
    >>> {k: v for k, v in round_row([[record]]).items() if k in ("pass_rate", "new", "unsolved")}
    {'pass_rate': 0.5, 'unsolved': 0, 'new': 1}
    """
    *earlier, newest = rounds
    known = {(r["id"], a["answer"]) for records in earlier for r in records for a in _right(r)}
    found = [(r["id"], a) for r in newest for a in _right(r)]
    solved = {r["id"] for records in rounds for r in records if r["right"]}
    return {
        "round": len(rounds), "prompts": len(newest), "samples": sum(r["samples"] for r in newest),
        "pass_rate": sum(r["right"] for r in newest) / max(1, sum(r["samples"] for r in newest)),
        "unfinished": sum(r["unfinished"] for r in newest), "tokens": sum(r["tokens"] for r in newest),
        "solved": sum(r["right"] > 0 for r in newest), "unsolved": len({r["id"] for r in newest} - solved),
        "distinct": len(found), "new": sum(not a["gold"] and (i, a["answer"]) not in known for i, a in found),
        "faults": sum("fault" in r for r in newest),
    }  # fmt: skip


def kept_items(
    items: Sequence[Item], rounds: Sequence[Sequence[dict]], by: str, most: int = 4, with_golds: bool = False
) -> list[Item]:
    """Items with the right answers of `rounds`, at most `most` an item over all rounds, to be packed as any others.

    Of more, those that differ most from one another and from the gold, by edits (Levenshtein): variety is what the
    paper's gain comes from. An id tells item, round and place; provenance tells who answered (`by`) and the round.
    with_golds: an answer that equals the gold counts too; by default it does not, since the gold stands in training already
    Raises TrainingError for `most` below 1.
    """
    if most < 1:
        raise TrainingError(f"At most {most} answers an item leave nothing to learn. Give 1 or more.")
    found: dict[str, dict[str, int]] = {}  # by item, each answer and the first round that had it
    for number, records in enumerate(rounds, 1):
        for record in records:
            for each in _right(record):
                if with_golds or not each["gold"]:
                    found.setdefault(record["id"], {}).setdefault(each["answer"], number)
    kept = []
    for item in items:
        numbers = found.get(item.id, {})
        for place, answer in enumerate(_most_different(item.answer, list(numbers), most), 1):
            told = "; ".join(filter(None, [item.provenance, f"{by}, round {numbers[answer]}"]))
            kept.append(item.with_answer(answer, told, f"{item.id}/r{numbers[answer]}.{place}"))
    return kept


def _right(record: dict) -> list[dict]:
    return [a for a in record["answers"] if a["verdict"] == "correct"]


def _begin(path: Path, about: Round, items: Sequence[Item]) -> list[dict]:
    """What the file of this round holds already; its first line is written where there is none."""
    first = {"about": asdict(about) | {"items": fingerprint(items)}}
    if path.exists():
        cut_torn_tail(path)
    lines = read_jsonl(path, "Delete the line; its item is sampled again.") if path.exists() else []
    if not lines:
        append_jsonl(path, first)
    elif lines[0] != first:
        raise TrainingError(
            f"{path.name} belongs to another round (other items, answers or settings), so this one cannot go on from it. "
            "Delete it, or use another folder."
        )
    return lines[1:]


def _graded(
    data: TaskData, items: Sequence[Item], drawn: Sequence[Sequence[Completion]], states: bool
) -> Iterator[dict]:
    """A record an item. Each different answer is executed once, however often it was given."""
    records = [_record(data, item, samples) for item, samples in zip(items, drawn, strict=True)]
    by_id = {item.id: item for item in items}
    right = [(r, a) for r in records for a in _right(r)] if states else []
    suites = data.score_suite([by_id[r["id"]] for r, _ in right], [a["answer"] for _, a in right]) if right else []
    for (record, answer), suite in zip(right, suites, strict=True):
        if suite is not None and not suite.correct:
            answer["verdict"] = "right on one state"
            record["right"] -= answer["count"]
    yield from records


def _record(data: TaskData, item: Item, samples: Sequence[Completion]) -> dict:
    record = {"id": item.id, "context": item.context, "samples": len(samples), "right": 0,
              "unfinished": sum(not c.finished for c in samples), "tokens": sum(c.completion_tokens for c in samples),
              "answers": []}  # fmt: skip
    whole = Counter(data.canonical(c.text) or c.text.strip() for c in samples if c.finished)
    gold = data.canonical(item.answer)
    try:
        for answer, count in whole.most_common():
            found = data.score(item, answer)
            # Less than the full reward for a correct answer: emptiness that equals an empty gold proves nothing.
            verdict = "proves nothing" if found.correct and found.reward < 1 else found.verdict
            record["right"] += count * (verdict == "correct")
            record["answers"].append(
                {"answer": answer, "count": count, "verdict": verdict, "gold": answer in (gold, item.answer)}
            )
    except GoldError as error:
        return record | {"right": 0, "answers": [], "fault": str(error)}
    return record


def _most_different(gold: str, answers: list[str], most: int) -> list[str]:
    """Up to `most` answers, each the farthest from the gold and those before it; the first of equals."""
    from rapidfuzz.distance import Levenshtein

    chosen: list[str] = []
    while answers and len(chosen) < most:
        best = max(answers, key=lambda a: min(Levenshtein.normalized_distance(a, b) for b in [gold, *chosen]))
        chosen.append(best)
        answers = [a for a in answers if a != best]
    return chosen
