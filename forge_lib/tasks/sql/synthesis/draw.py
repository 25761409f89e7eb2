"""From any SQLite file to draft pairs: queries sampled from the schema graph, each with a plain question.

A sampled query names what is in the file, so it runs; what returns nothing or is decided by luck the gate throws out
(`forge_lib.tasks.sql.gate`). The plain question is exact and stiff: `forge_lib.tasks.sql.synthesis.teacher` has a language model say it
as people would.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.score import LEVELS, difficulty
from forge_lib.tasks.sql.synthesis.profiling import DatabaseProfile, profile_database
from forge_lib.tasks.sql.synthesis.sampler import Draft, Missing, Sampler
from forge_lib.tasks.sql.synthesis.shapes import SINGLE
from forge_lib.tasks.sql.synthesis.shapes_joined import JOINED

# Shares of the four levels aimed at: hard questions are asked less often than easy ones, but must be learnt too.
MIX = {"easy": 0.30, "medium": 0.35, "hard": 0.22, "extra": 0.13}
_JOINED_SHARE = 0.6  # of draws over two or three tables, where the database has joins
_TRIES = 60  # draws for one pair of a wanted level before the next level is tried
_PROVENANCE = "sampled query, template question"


def synthesize(path: Path | str, count: int, seed: int = 17, mix: dict[str, float] = MIX) -> list[Pair]:
    """Up to `count` distinct draft pairs over the SQLite file at `path`, spread over difficulties as `mix` says.

    Every query has been parsed for its level; nothing has been executed: pass the result through the gate
    (`forge_lib.tasks.sql.gate.keep`). Fewer come back where the schema has no more to ask.
    """
    return list(_iterate(profile_database(path), count, seed, mix))


def _iterate(profile: DatabaseProfile, count: int, seed: int = 17, mix: dict[str, float] = MIX) -> Iterator[Pair]:
    """`synthesize` over a profile that is at hand, pair by pair."""
    sampler = Sampler(profile, random.Random(f"{seed}-{profile.schema.db_id}"))
    wanted = {level: round(count * mix[level]) for level in LEVELS}
    wanted["medium"] += count - sum(wanted.values())
    seen: set[str] = set()
    for level in LEVELS:
        for _ in range(_TRIES * max(1, wanted[level])):
            if not wanted[level]:
                break
            draft = draw(sampler)
            if draft is None or draft.sql in seen or difficulty(draft.sql) != level:
                continue
            seen.add(draft.sql)
            wanted[level] -= 1
            db_id = profile.schema.db_id
            ident = f"{db_id}-{crc32(draft.sql.encode()):08x}"  # of the query, so that a review stays with what it read
            yield Pair(ident, db_id, draft.question, draft.sql, difficulty=level, provenance=_PROVENANCE)


def draw(sampler: Sampler) -> Draft | None:
    """One draft of a shape chosen at random; None where the drawn table has no column or value that the shape needs."""
    shape = sampler.rng.choice(JOINED if sampler.joins and sampler.rng.random() < _JOINED_SHARE else SINGLE)
    try:
        draft = shape(sampler)
    except (IndexError, ValueError, Missing):
        return None
    return Draft(draft.sql, draft.question.removesuffix(".") if draft.question.endswith("..") else draft.question)
