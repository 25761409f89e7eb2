"""One question/SQL pair, and a data set of them with frozen splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from forge_lib.tasks.sql.schema import Schema, read_schema


class DataError(ValueError):
    """Data that is malformed, changed or missing; the message names file, row and mend."""


@dataclass(frozen=True)
class Pair:
    """One item. `part` is set in evaluation splits: "seen" or "unseen" (schemas that occur nowhere in train)."""

    id: str
    db_id: str
    question: str
    sql: str
    difficulty: str = ""
    part: str = ""

    def as_record(self) -> dict:
        return {key: value for key, value in asdict(self).items() if value}


@dataclass
class DataSet:
    """Splits of pairs over one folder of databases in Spider's layout: `<databases>/<db_id>/<db_id>.sqlite`."""

    name: str
    databases: Path
    train: list[Pair] = field(default_factory=list)
    validation: list[Pair] = field(default_factory=list)
    test: list[Pair] = field(default_factory=list)
    _schemas: dict[str, Schema] = field(default_factory=dict, repr=False)

    def database(self, db_id: str) -> Path:
        """Path of one SQLite file."""
        return self.databases / db_id / f"{db_id}.sqlite"

    def schema(self, db_id: str) -> Schema:
        """Schema of one database, read once."""
        if db_id not in self._schemas:
            self._schemas[db_id] = read_schema(self.database(db_id))
        return self._schemas[db_id]

    def splits(self) -> Iterator[tuple[str, list[Pair]]]:
        yield from (("train", self.train), ("validation", self.validation), ("test", self.test))


def spread(pairs: Sequence[Pair], count: int | None, seed: int) -> list[Pair]:
    """`count` pairs drawn evenly over parts and databases, the same for the same seed; all when `count` is None.

    Smaller profiles score such a subset; the draw never looks at a model's answers.
    """
    import random

    if count is None or count >= len(pairs):
        return list(pairs)
    shuffled = sorted(pairs, key=lambda p: p.id)
    random.Random(seed).shuffle(shuffled)
    rank: dict[tuple[str, str], int] = {}
    keyed = []
    for pair in shuffled:
        group = (pair.part, pair.db_id)
        rank[group] = rank.get(group, -1) + 1
        keyed.append((rank[group], pair))
    return [pair for _, pair in sorted(keyed, key=lambda item: item[0])[:count]]
