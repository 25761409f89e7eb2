"""Has a model seen the test? Questions and answers of a benchmark that stand in training data too, item by item."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from forge_lib.data.items import Item, normalize, only_words
from forge_lib.evaluation.intervals import cluster_interval
from forge_lib.evaluation.statistics import contexts, interval_note

_NEAR = (
    90.0  # percent of similarity, from which two questions are called near-duplicates; the course's gate has the like
)
_LONG = 13  # words in a row: one such run in common is no accident (Brown et al. 2020, appendix C: GPT-3)
_SHORT = 5  # of questions with fewer than 13 words: what share of their runs of 5 words stands in training
_SHARE = 0.7  # of those; PaLM's bound, on runs of 8 words (Chowdhery et al. 2022, https://arxiv.org/abs/2204.02311, section 8)


@dataclass(frozen=True)
class Overlap:
    """What one item of a benchmark has in common with training."""

    id: str
    same_question: bool  # the same words in the same order, in whatever context
    similarity: float  # of the most similar training question, 0 to 100 (Levenshtein's ratio of the words)
    nearest: str  # id of that training item
    runs: float  # share of the question's runs of 13 (short questions: 5) words that stand in training, 0 to 1
    words: int  # of the question: which of the two runs was counted
    same_answer: (
        bool  # the answer stands in training: of this context, or of one other alone (not "SELECT NULL" of many)
    )
    same_skeleton: bool | None  # an answer of the same shape does; None where the task gave no function for it

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the item is suspicious; none where it is clean. A shape alone is no reason: learning shapes is the task."""
        near = not self.same_question and self.similarity >= _NEAR
        said = {"same question": self.same_question, "near-duplicate": near,
                "runs of words": self.runs > 0 if self.words >= _LONG else self.runs >= _SHARE, "same answer": self.same_answer}  # fmt: skip
        return tuple(reason for reason, holds in said.items() if holds)


def overlaps(
    items: Sequence[Item], training: Sequence[Item], skeleton: Callable[[str], str] | None = None
) -> list[Overlap]:
    """What each item of `items` shares with `training`, in the order of `items`.

    skeleton: answer -> its shape, names and values blanked (for SQL `forge_lib.tasks.sql.augment.skeleton`).
    It looks at words. A question that says the same in others (Spider's paraphrases, translations) is not found: see Yang
    et al. 2023, https://arxiv.org/abs/2311.04850. Time grows with items times training; 363 × 8,000 take seconds, and the
    skeletons of 8,000 queries half a minute.
    Raises ValueError where there is no training to compare with.

    >>> from forge_lib.tasks.sql.pairs import Pair
    >>> test, train = Pair("t", "zoo", "How many animals?", "SELECT 1"), Pair("1", "shop", "How many  animals", "SELECT 2")
    >>> overlaps([test], [train])[0].reasons
    ('same question', 'runs of words')
    """
    from rapidfuzz import fuzz, process

    if not training:
        raise ValueError("There is no training data to compare with; give the items that the model was trained on.")
    questions = [only_words(t.question) for t in training]
    known, runs = set(questions), {n: set(_runs(questions, n)) for n in (_SHORT, _LONG)}
    where = defaultdict(set)
    for t in training:
        where[normalize(t.answer)].add(t.context)
    shapes = {skeleton(t.answer) for t in training} if skeleton else set()
    found = []
    for item in items:
        asked = only_words(item.question)
        words = len(asked.split())
        own = list(_runs([asked], _LONG if words >= _LONG else _SHORT))
        common = sum(run in runs[_LONG if words >= _LONG else _SHORT] for run in own)
        _, similarity, at = process.extractOne(asked, questions, scorer=fuzz.ratio)
        found.append(
            Overlap(item.id, asked in known, similarity, training[at].id, common / len(own) if own else float(asked in known), words,
                    _stands(item, where.get(normalize(item.answer), set())), skeleton(item.answer) in shapes if skeleton else None)
        )  # fmt: skip
    return found


def overlap_table(found: Sequence[Overlap]) -> pd.DataFrame:
    """Items by reason (an item may have several), then all suspicious ones, and those that share a shape alone.

    >>> overlap_table([Overlap("1", True, 100.0, "7", 1.0, 8, False, None)]).loc["suspicious", "items"].item()
    1
    """
    reasons = ("same question", "near-duplicate", "runs of words", "same answer")
    counts = {reason: sum(reason in f.reasons for f in found) for reason in reasons}
    counts["suspicious"] = sum(bool(f.reasons) for f in found)
    if any(f.same_skeleton is not None for f in found):
        counts["same shape, nothing else"] = sum(bool(f.same_skeleton) and not f.reasons for f in found)
    table = pd.DataFrame({"items": counts})
    return table.assign(share=(100 * table["items"] / max(1, len(found))).round(1))


def clean_against_suspicious(records: Sequence[dict], found: Sequence[Overlap]) -> pd.DataFrame:
    """Accuracy (percent, 95% interval) of a contender's records on the clean and on the suspicious items.

    A model that has seen the test is better on the suspicious ones; that these may be easier, too, the table cannot rule
    out. Raises ValueError for a record whose item was not looked at.
    """
    reasons = {f.id: bool(f.reasons) for f in found}
    missing = [r["id"] for r in records if r["id"] not in reasons]
    if missing:
        raise ValueError(
            f"{len(missing)} records are of items that were not compared with training, such as {missing[0]}."
        )
    rows = {}
    for name, wanted in (("clean", False), ("suspicious", True)):
        chosen = [r for r in records if reasons[r["id"]] is wanted]
        row: dict = {"items": len(chosen), "right": sum(bool(r["correct"]) for r in chosen), "accuracy": None}
        if chosen:
            values = [float(r["correct"]) for r in chosen]
            low, high = cluster_interval(values, contexts(chosen))
            row |= {"accuracy": 100 * sum(values) / len(values), "low": 100 * low, "high": 100 * high,
                    "note": interval_note(contexts(chosen), values)}  # fmt: skip
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def _stands(item: Item, contexts_of_answer: set[str]) -> bool:
    return item.context in contexts_of_answer or len(contexts_of_answer) == 1


def _runs(texts: Iterable[str], length: int) -> Iterable[tuple[str, ...]]:
    """The runs of `length` words of normalized texts."""
    for text in texts:
        words = text.split()
        yield from zip(*(words[n:] for n in range(length)), strict=False)
