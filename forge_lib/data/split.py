"""Drawing splits that do not leak: whole contexts for the unseen part, whole answers for the seen one."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from forge_lib.data.items import DataError, Item

_VALIDATION, TEST = 150, 300  # items held out of data that come in one part
SIZES = {"validation": _VALIDATION, "test": TEST}


def hold_out(
    train: Sequence[Item], seed: int, validation: int = _VALIDATION, test: int = TEST
) -> dict[str, list[Item]]:
    """Train, validation and test from the one part there is (0: leave that split empty).

    validation, test: items to hold out; of small data a tenth and a fifth at most. About half of each are whole
        contexts (part "unseen", nothing of them stays in train), the others single answers of the contexts that
        stay (part "seen"), of all difficulties. All wordings of one answer go to one side. Where there is one
        context only, or each is too large to give away, everything held out is "seen".

    The draw depends on the seed and on what the items are, not on their order. Each part gets one answer at least; raises
    DataError where there are too few.
    """
    wanted = {"test": min(test, -(-len(train) // 5)), "validation": min(validation, -(-len(train) // 10))}
    answers: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in train:
        answers[item.split_key].append(item)
    sizes = Counter(p.context for p in train)
    whole = {name: _whole_contexts(sizes, count, f"{seed}-{name}") for name, count in wanted.items()}
    side = {key: (name, "unseen") for name, ids in whole.items() for key in answers if key[0] in ids}
    order = _mixed({key: group for key, group in answers.items() if key not in side}, seed)
    left = Counter(context for context, _ in order)  # answers that a context still has in train
    for name, count in wanted.items():
        room = max(count - sum(len(answers[k]) for k, s in side.items() if s[0] == name), count // 4)
        for key in order:
            if key not in side and len(answers[key]) <= room and left[key[0]] > 1:
                side[key] = name, "seen"
                room -= len(answers[key])
                left[key[0]] -= 1
    for name, count in wanted.items():
        if count and name not in {s[0] for s in side.values()}:
            side |= _smallest({key: group for key, group in answers.items() if key not in side}, name)
    splits: dict[str, list[Item]] = {"train": [], "validation": [], "test": []}
    for item in train:
        name, part = side.get(item.split_key, ("train", ""))
        splits[name].append(replace(item, part=part))
    empty = [name for name, count in wanted.items() if count and not splits[name]]
    if empty:
        raise DataError(f"{len(train)} items are too few to hold out a {empty[0]} part. Write ten or more, with "
                        f"different answers (they have {len(answers)}).")  # fmt: skip
    return splits


def _smallest(answers: dict[tuple[str, str], list[Item]], name: str) -> dict[tuple[str, str], tuple[str, str]]:
    """The smallest answer that its context can spare, or else the smallest context, as (part `name`, seen or unseen)."""
    of_context = Counter(context for context, _ in answers)
    spare = [key for key in answers if of_context[key[0]] > 1]
    if spare:
        return {min(spare, key=lambda key: (len(answers[key]), key)): (name, "seen")}
    if len(answers) > 1:
        return {min(answers, key=lambda key: (len(answers[key]), key)): (name, "unseen")}
    return {}


def without_leaks(splits: dict[str, list[Item]]) -> tuple[dict[str, list[Item]], dict[str, list[Item]]]:
    """(parts, what was taken out of each): no part asks a question of its context that a later one asks too.

    The test keeps its questions; validation loses those that the test asks, train those that either asks.

    >>> from forge_lib.tasks.sql.pairs import Pair
    >>> pair = Pair("1", "shop", "How many?", "SELECT 1")
    >>> kept, out = without_leaks({"train": [pair], "validation": [], "test": [pair]})
    >>> len(kept["train"]), len(out["train"]), len(kept["test"])
    (0, 1, 1)
    """
    asked: set[tuple[str, str]] = set()
    kept, out = {}, {}
    for name in ("test", "validation", "train"):
        words = [(p.context, " ".join(p.asked.casefold().split())) for p in splits[name]]
        kept[name] = [p for p, key in zip(splits[name], words, strict=True) if key not in asked]
        out[name] = [p for p, key in zip(splits[name], words, strict=True) if key in asked]
        asked |= set(words)
    return kept, out


def settled(splits: dict[str, list[Item]]) -> tuple[dict[str, list[Item]], dict[str, list[Item]]]:
    """`without_leaks`, and items of validation and test are "seen" where train has their context, else "unseen".

    What parts need that others made, or that lost pairs.

    >>> from forge_lib.tasks.sql.pairs import Pair
    >>> pair = Pair("1", "shop", "How many?", "SELECT 1", part="seen")
    >>> settled({"train": [], "validation": [], "test": [pair]})[0]["test"][0].part
    'unseen'
    """
    kept, out = without_leaks(splits)
    trained = {p.context for p in kept["train"]}
    for name in ("validation", "test"):
        kept[name] = [replace(p, part="seen" if p.context in trained else "unseen") for p in kept[name]]
    return kept, out


def leak_notes(kept: dict[str, list[Item]], out: dict[str, list[Item]]) -> list[str]:
    """What `settled` took out, a sentence a part; DataError where a part has nothing left."""
    empty = [name for name, items in out.items() if items and not kept[name]]
    if empty:
        raise DataError(
            f"Every question of the {empty[0]} part is asked in a later part too: a test on what was trained on measures "
            "nothing. Give each part questions of its own, or leave a part away: it is then held out."
        )
    return [
        f"Taken out of {name}, because a later part asks the same: {len(items)} of its items, such as {items[0].id}."
        for name, items in out.items() if items
    ]  # fmt: skip


def _whole_contexts(sizes: Counter, wanted: int, seed: str) -> set[str]:
    """Contexts for the unseen half of `wanted` items, taken out of `sizes`; several small ones rather than one."""
    taken: set[str] = set()
    room = wanted // 2
    for largest in (room // 3, room):
        for context in sorted(sizes, key=lambda context: _luck(seed, context)):
            if sizes[context] <= min(largest, room) and len(sizes) > 1:
                taken.add(context)
                room -= sizes.pop(context)
    smallest = min(sizes, key=lambda context: (sizes[context], context), default="")
    if not taken and len(sizes) > 1 and sizes[smallest] <= wanted:
        taken.add(smallest)
        del sizes[smallest]
    return taken


def _mixed(answers: dict[tuple[str, str], list[Item]], seed: int) -> list[tuple[str, str]]:
    """The answers in an order of which every beginning has the difficulties of the whole."""
    levels: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for key in sorted(answers, key=lambda key: _luck(seed, *key)):
        levels[answers[key][0].difficulty].append(key)
    place = {key: (n + 0.5) / len(keys) for keys in levels.values() for n, key in enumerate(keys)}
    return sorted(place, key=lambda key: (place[key], key))


def _luck(*what: object) -> float:
    return random.Random("-".join(map(str, what))).random()
