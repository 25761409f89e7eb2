"""Wrong answers put into training pairs on purpose: what the answers' quality is worth, as an experiment."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from forge_lib.data.items import DataError, Item
from forge_lib.tasks import GoldError, TaskData

_NEAR, _OTHER = "near miss", "another question's answer"


def with_wrong_answers(
    data: TaskData, items: Sequence[Item], share: float, seed: int = 17
) -> tuple[list[Item], list[dict]]:
    """`items` in their order and under their ids, a share (0 to 1) of them with a wrong answer, and what was done to those.

    A wrong answer is one that a careless annotator might leave: a near miss of the right one or, for every second item,
    the right answer to another question of the same context. Each is of the wanted form (a query that runs) and is proven
    wrong by the task's own scorer. The draw is nested: the wrong items of a share are wrong in the same way in any larger
    share of the same seed. Noise in training labels: Rolnick et al. 2017, https://arxiv.org/abs/1705.10694.
    Returns the items, and a record of each wrong one: id, kind, right, wrong.
    Raises DataError for another share, and where too few items have a wrong answer.

    >>> from forge_lib.tasks.sql.sources.course import load_course
    >>> data = load_course()
    >>> noisy, changed = with_wrong_answers(data, data.train[:20], 0.2)
    >>> len(changed), sum(a != b for a, b in zip(noisy, data.train, strict=False))
    (4, 4)
    """
    if not 0 <= share <= 1:
        raise DataError(f"The share of wrong answers is 0 to 1; {share} is not.")
    wanted, places = round(share * len(items)), list(range(len(items)))
    places.sort(key=lambda n: items[n].id)  # by id, not by where an item stands
    random.Random(seed).shuffle(places)
    others: dict[str, list[str]] = {}
    for item in sorted(items, key=lambda i: i.id):
        others.setdefault(item.context, []).append(item.answer)
    noisy, changed = list(items), []
    for place in places:
        if len(changed) == wanted:
            break
        item = items[place]
        found = _wrong(data, item, others[item.context], random.Random(f"{seed} {item.id}"))
        if found:
            kind, answer = found
            told = "; ".join(filter(None, [item.provenance, f"wrong on purpose: {kind}"]))
            noisy[place] = item.with_answer(answer, told)
            changed.append({"id": item.id, "kind": kind, "right": item.answer, "wrong": answer})
    if len(changed) < wanted:
        raise DataError(
            f"Only {len(changed)} of {len(items)} items have an answer that is proven wrong, and {wanted} are asked for. "
            "Give a smaller share, or more items of each context."
        )
    return noisy, changed


def _wrong(data: TaskData, item: Item, others: Sequence[str], rng: random.Random) -> tuple[str, str] | None:
    """Kind and text of an answer that runs and is wrong; None where none was found."""
    for kind, answer in _candidates(data, item, others, rng):
        try:
            found = data.score(item, answer)
        except GoldError:
            return None
        if found.valid and not found.correct:
            return kind, answer
    return None


def _candidates(data: TaskData, item: Item, others: Sequence[str], rng: random.Random) -> Iterator[tuple[str, str]]:
    """Near misses and others' answers, the kind that comes first by lot; the other kind where it runs out."""
    kinds = [(_NEAR, lambda: data.near_misses(item)), (_OTHER, lambda: [a for a in others if a != item.answer])]
    rng.shuffle(kinds)
    for kind, of_kind in kinds:
        found = list(dict.fromkeys(of_kind()))
        yield from ((kind, answer) for answer in rng.sample(found, len(found)))
