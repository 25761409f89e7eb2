"""One question/SQL pair, and a data set of them with frozen splits."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from forge_lib.data.databases import why_unreadable
from forge_lib.tasks.sql.linking import Trimmed
from forge_lib.tasks.sql.opening import FileState, file_state
from forge_lib.tasks.sql.schema import Schema, read_schema

WORDINGS = ("synonyms", "typos", "values", "unanswerable")


class DataError(ValueError):
    """Data that is malformed, changed or missing; the message names file, row and mend."""


@dataclass(frozen=True)
class Pair:
    """One item.

    part: set in evaluation splits: "seen" or "unseen" (schemas that occur nowhere in train)
    wording: "" for a plain question, or what makes it hard: one of WORDINGS
    provenance: how the pair came to be, where not by an author; evidence: what BIRD tells beside the question
    """

    id: str
    db_id: str
    question: str
    sql: str
    difficulty: str = ""
    part: str = ""
    wording: str = ""
    provenance: str = ""
    evidence: str = ""

    @property
    def asked(self) -> str:
        """What stands in the prompt: the question, with BIRD's evidence after it where there is some."""
        return f"{self.question} ({self.evidence})" if self.evidence else self.question

    @property
    def group(self) -> str:
        """Where its result is counted: "hard" for a hard wording, otherwise its part, "seen" or "unseen"."""
        return group(self.as_record())

    def as_record(self) -> dict:
        return {key: value for key, value in asdict(self).items() if value}


def group(record: dict) -> str:
    """The group of a pair's or a result's record: "hard", "seen" or "unseen" ("" in training)."""
    return "hard" if record.get("wording") else record.get("part", "")


GROUPS = ("seen", "unseen", "hard")


@dataclass
class DataSet:
    """Splits of pairs over a folder of databases in Spider's layout: `<databases>/<db_id>/<db_id>.sqlite`.

    elsewhere: files of databases that lie outside that folder (BIRD has two folders, yours may be loose files)
    left_out: pairs that are in no part, each with the reason: no model can be right on them (see `golds.py`)
    without_rows: pairs of the parts whose query finds nothing
    notes: sentences on how the parts came to be, for the one who brought the data
    """

    name: str
    databases: Path
    train: list[Pair] = field(default_factory=list)
    validation: list[Pair] = field(default_factory=list)
    test: list[Pair] = field(default_factory=list)
    elsewhere: dict[str, Path] = field(default_factory=dict, repr=False)
    source: str = "course"
    left_out: list[tuple[Pair, str]] = field(default_factory=list, repr=False)
    without_rows: list[Pair] = field(default_factory=list, repr=False)
    notes: list[str] = field(default_factory=list, repr=False)
    fit: Callable[..., Trimmed] | None = field(default=None, repr=False)
    trimmed: dict[tuple[str, tuple[str, ...]], Trimmed] = field(default_factory=dict, repr=False)
    _schemas: dict[str, tuple[FileState | None, Schema]] = field(default_factory=dict, repr=False)

    def database(self, db_id: str) -> Path:
        """Path of one SQLite file (not necessarily there)."""
        return self.elsewhere.get(db_id, self.databases / db_id / f"{db_id}.sqlite")

    def schema(self, db_id: str) -> Schema:
        """Schema of one database, read again once its file changed; DataError naming the file where it cannot be read."""
        path, state = self.database(db_id), None
        with contextlib.suppress(OSError):  # what is the matter, `_schema` says
            state = file_state(path)
        before, known = self._schemas.get(db_id, (None, None))
        if known is None or state != before:
            self._schemas[db_id] = state, _schema(path)
            if known is not None and known != self._schemas[db_id][1]:
                for key in [k for k in self.trimmed if k[0] == db_id]:
                    del self.trimmed[key]
        return self._schemas[db_id][1]

    def view(self, db_id: str, questions: Sequence[str], keep: Collection[str] = ()) -> Schema:
        """The schema as a prompt shows it for these questions: whole, or trimmed by `fit` where it is too long.

        keep: lower-case identifiers that stay in any case (training: those of the gold). What was left out of prompts
        without them stands in `trimmed`, by database and questions.
        """
        schema, key = self.schema(db_id), (db_id, tuple(questions))
        if self.fit is None:
            return schema
        if keep:  # never remembered: a prompt in use must not hold what only the gold could tell
            return self.fit(schema, questions, keep=keep, path=self.database(db_id)).schema
        if key not in self.trimmed:
            found = self.fit(schema, questions, path=self.database(db_id))
            if found.schema == schema:
                return schema
            self.trimmed[key] = found
        return self.trimmed[key].schema

    def require(self, pairs: Sequence[Pair], source: str, mend: str) -> None:
        """Raise DataError where there are no `pairs`, or one's database is missing or cannot be read.

        source: the file they were read from; mend: the sentence that says what to do about a missing database.
        """
        if not pairs:
            raise DataError(f"{source} holds no pairs. Put some in, or delete the file.")
        for number, pair in enumerate(pairs):
            path = self.database(pair.db_id)
            if not path.exists():
                near = path.is_relative_to(self.databases.parent)
                where = path.relative_to(self.databases.parent) if near else Path(*path.parts[-3:])
                raise DataError(f"{source}, item {number}: {where.as_posix()} is missing. {mend}")
            self.schema(pair.db_id)

    def splits(self) -> Iterator[tuple[str, list[Pair]]]:
        yield from (("train", self.train), ("validation", self.validation), ("test", self.test))


def _schema(path: Path) -> Schema:
    fault, schema = why_unreadable(path), None
    if not fault:
        try:
            schema = read_schema(path)
        except (sqlite3.Error, OSError, ValueError) as error:  # UnicodeError is a ValueError: a name that is not UTF-8
            fault = f"cannot be read as a SQLite database ({error})"
    if fault or not schema.tables:
        raise DataError(f"{path.name} {fault or 'holds no table'}.")
    return schema


def training_part(pairs: Sequence[Pair], written: int | None, sampled: int | None, seed: int) -> list[Pair]:
    """What a profile trains on: `written` pairs (question and query together) and `sampled` ones (queries drawn by a program); None = all."""
    own = [p for p in pairs if not p.provenance.startswith("sampled")]
    return spread(own, written, seed) + spread([p for p in pairs if p.provenance.startswith("sampled")], sampled, seed)


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
