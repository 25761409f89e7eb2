"""Drawing splits that do not leak: whole databases for unseen schemas, whole queries for seen ones."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from sqlglot.errors import SqlglotError

from forge_lib.data.pairs import DataError, Pair
from forge_lib.data.quality import normalize
from forge_lib.tasks.sql.score import difficulty

VALIDATION, TEST = 150, 300  # pairs held out of data that come in one part
SIZES = {"validation": VALIDATION, "test": TEST}


def with_difficulty(pair: Pair) -> Pair:
    """The pair with its level of `score.difficulty`; "extra" where sqlglot cannot parse what SQLite executes."""
    try:
        return replace(pair, difficulty=difficulty(pair.sql))
    except SqlglotError:
        return replace(pair, difficulty="extra")


def hold_out(train: Sequence[Pair], seed: int, validation: int = VALIDATION, test: int = TEST) -> dict[str, list[Pair]]:
    """Train, validation and test from the one part there is (0: leave that split empty).

    validation, test: pairs to hold out; of small data a tenth and a fifth at most. About half of each are whole
        databases (part "unseen", nothing of them stays in train), the others single queries of the databases that
        stay (part "seen"), of all difficulties. All wordings of one query go to one side. Where there is one
        database only, or each is too large to give away, everything held out is "seen".

    The draw depends on the seed and on what the pairs are, not on their order. Each part gets one query at least; raises
    DataError where there are too few.
    """
    wanted = {"test": min(test, -(-len(train) // 5)), "validation": min(validation, -(-len(train) // 10))}
    queries: dict[tuple[str, str], list[Pair]] = defaultdict(list)
    for pair in train:
        queries[_query(pair)].append(pair)
    sizes = Counter(p.db_id for p in train)
    whole = {name: _whole_databases(sizes, count, f"{seed}-{name}") for name, count in wanted.items()}
    side = {key: (name, "unseen") for name, ids in whole.items() for key in queries if key[0] in ids}
    order = _mixed({key: group for key, group in queries.items() if key not in side}, seed)
    left = Counter(db_id for db_id, _ in order)  # queries that a database still has in train
    for name, count in wanted.items():
        room = max(count - sum(len(queries[k]) for k, s in side.items() if s[0] == name), count // 4)
        for key in order:
            if key not in side and len(queries[key]) <= room and left[key[0]] > 1:
                side[key] = name, "seen"
                room -= len(queries[key])
                left[key[0]] -= 1
    for name, count in wanted.items():
        if count and name not in {s[0] for s in side.values()}:
            side |= _smallest({key: group for key, group in queries.items() if key not in side}, name)
    splits: dict[str, list[Pair]] = {"train": [], "validation": [], "test": []}
    for pair in train:
        name, part = side.get(_query(pair), ("train", ""))
        splits[name].append(replace(pair, part=part))
    empty = [name for name, count in wanted.items() if count and not splits[name]]
    if empty:
        raise DataError(f"{len(train)} pairs are too few to hold out a {empty[0]} part. Write ten or more, with "
                        f"different queries (they have {len(queries)}).")  # fmt: skip
    return splits


def _smallest(queries: dict[tuple[str, str], list[Pair]], name: str) -> dict[tuple[str, str], tuple[str, str]]:
    """The smallest query that its database can spare, or else the smallest database, as (part `name`, seen or unseen)."""
    of_database = Counter(db_id for db_id, _ in queries)
    spare = [key for key in queries if of_database[key[0]] > 1]
    if spare:
        return {min(spare, key=lambda key: (len(queries[key]), key)): (name, "seen")}
    if len(queries) > 1:
        return {min(queries, key=lambda key: (len(queries[key]), key)): (name, "unseen")}
    return {}


def without_leaks(splits: dict[str, list[Pair]]) -> tuple[dict[str, list[Pair]], dict[str, list[Pair]]]:
    """(parts, what was taken out of each): no part asks a question of its database that a later one asks too.

    The test keeps its questions; validation loses those that the test asks, train those that either asks.

    >>> pair = Pair("1", "shop", "How many?", "SELECT 1")
    >>> kept, out = without_leaks({"train": [pair], "validation": [], "test": [pair]})
    >>> len(kept["train"]), len(out["train"]), len(kept["test"])
    (0, 1, 1)
    """
    asked: set[tuple[str, str]] = set()
    kept, out = {}, {}
    for name in ("test", "validation", "train"):
        words = [(p.db_id, " ".join(p.asked.casefold().split())) for p in splits[name]]
        kept[name] = [p for p, key in zip(splits[name], words, strict=True) if key not in asked]
        out[name] = [p for p, key in zip(splits[name], words, strict=True) if key in asked]
        asked |= set(words)
    return kept, out


def settled(splits: dict[str, list[Pair]]) -> tuple[dict[str, list[Pair]], dict[str, list[Pair]]]:
    """`without_leaks`, and pairs of validation and test are "seen" where train has their database, else "unseen".

    What parts need that others made, or that lost pairs.

    >>> pair = Pair("1", "shop", "How many?", "SELECT 1", part="seen")
    >>> settled({"train": [], "validation": [], "test": [pair]})[0]["test"][0].part
    'unseen'
    """
    kept, out = without_leaks(splits)
    trained = {p.db_id for p in kept["train"]}
    for name in ("validation", "test"):
        kept[name] = [replace(p, part="seen" if p.db_id in trained else "unseen") for p in kept[name]]
    return kept, out


def leak_notes(kept: dict[str, list[Pair]], out: dict[str, list[Pair]]) -> list[str]:
    """What `settled` took out, a sentence a part; DataError where a part has nothing left."""
    empty = [name for name, pairs in out.items() if pairs and not kept[name]]
    if empty:
        raise DataError(
            f"Every question of the {empty[0]} part is asked in a later part too: a test on what was trained on measures "
            "nothing. Give each part questions of its own, or leave a part away: it is then held out."
        )
    return [
        f"Taken out of {name}, because a later part asks the same: {len(pairs)} of its pairs, such as {pairs[0].id}."
        for name, pairs in out.items() if pairs
    ]  # fmt: skip


def _whole_databases(sizes: Counter, wanted: int, seed: str) -> set[str]:
    """Databases for the unseen half of `wanted` pairs, taken out of `sizes`; several small ones rather than one."""
    taken: set[str] = set()
    room = wanted // 2
    for largest in (room // 3, room):
        for db_id in sorted(sizes, key=lambda db_id: _luck(seed, db_id)):
            if sizes[db_id] <= min(largest, room) and len(sizes) > 1:
                taken.add(db_id)
                room -= sizes.pop(db_id)
    smallest = min(sizes, key=lambda db_id: (sizes[db_id], db_id), default="")
    if not taken and len(sizes) > 1 and sizes[smallest] <= wanted:
        taken.add(smallest)
        del sizes[smallest]
    return taken


def _mixed(queries: dict[tuple[str, str], list[Pair]], seed: int) -> list[tuple[str, str]]:
    """The queries in an order of which every beginning has the difficulties of the whole."""
    levels: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for key in sorted(queries, key=lambda key: _luck(seed, *key)):
        levels[queries[key][0].difficulty].append(key)
    place = {key: (n + 0.5) / len(keys) for keys in levels.values() for n, key in enumerate(keys)}
    return sorted(place, key=lambda key: (place[key], key))


def _query(pair: Pair) -> tuple[str, str]:
    """What two wordings share; unanswerable questions all have the same SQL and are told apart by their words."""
    return pair.db_id, normalize(pair.question if pair.wording == "unanswerable" else pair.sql)


def _luck(*what: object) -> float:
    return random.Random("-".join(map(str, what))).random()
