"""Drawing splits that do not leak: whole databases for unseen schemas, whole queries for seen ones."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from forge_lib.data.pairs import Pair
from forge_lib.data.quality import normalize
from forge_lib.tasks.sql.score import difficulty


def split_pairs(
    pairs: Sequence[Pair],
    unseen: dict[str, set[str]],
    per_database: dict[str, int],
    seed: int,
) -> dict[str, list[Pair]]:
    """Train, validation and test from reviewed pairs.

    unseen: databases that go whole to "validation" or "test" (part "unseen")
    per_database: pairs of every other database that go to "validation" and "test" (part "seen"), spread over
        difficulties; two wordings of one query always land on the same side.
    """
    splits: dict[str, list[Pair]] = {"train": [], "validation": [], "test": []}
    by_database: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_database[pair.db_id].append(replace(pair, difficulty=difficulty(pair.sql)))
    for db_id in sorted(by_database):
        whole = next((name for name, ids in unseen.items() if db_id in ids), None)
        if whole:
            splits[whole] += [replace(p, part="unseen") for p in by_database[db_id]]
        else:
            for name, part in _split_seen(by_database[db_id], per_database, random.Random(f"{seed}-{db_id}")).items():
                splits[name] += part
    return splits


def _split_seen(pairs: list[Pair], wanted: dict[str, int], rng: random.Random) -> dict[str, list[Pair]]:
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[normalize(pair.sql)].append(pair)
    order = list(groups.values())
    rng.shuffle(order)
    order.sort(key=lambda group: group[0].difficulty)  # stable: shuffled within a level
    singles = [group[0] for group in order if len(group) == 1]
    total = sum(wanted.values())
    step = len(singles) / total  # every step-th of the list sorted by level: the same mix as the whole
    drawn = [singles[int((n + rng.random()) * step)] for n in range(total)]
    rng.shuffle(drawn)
    parts: dict[str, list[Pair]] = {}
    for name, count in wanted.items():
        parts[name], drawn = [replace(p, part="seen") for p in drawn[:count]], drawn[count:]
    taken = {p.id for part in parts.values() for p in part}
    parts["train"] = [p for p in pairs if p.id not in taken]
    return parts
