"""A further state of a database: the same schema, other rows, by seed.

Every row begins as a copy of one that is there, so that what belongs together stays together, and is then changed column
by column. Keys, foreign keys (declared, or read off the names and values), UNIQUE, NOT NULL and CHECK hold: SQLite itself
refuses the rows that break them. So do the habits of the data that no constraint states: the kind and range of a
column's values, dates of one row in their order, and uniqueness where a question relies on it.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import math
import random
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from forge_lib.tasks.sql.schema import fold, in_quotes, limited_steps
from forge_lib.tasks.sql.state_source import (
    FEW_VALUES,
    STATE_ROWS,
    Link,
    NoState,
    Source,
    SourceColumn,
    SourceTable,
    day_of_number,
    day_of_text,
    with_day,
)

_TRIES = 8  # of a row, ever nearer to the one it was copied from
_STAYS = 0.7  # probability that a value which a gold names is not changed: a gold that finds nothing tells nothing
_STEPS = 50_000_000  # of SQLite's virtual machine for one statement: a CHECK is somebody else's code


@dataclass(frozen=True)
class Mode:
    """How far a state goes: shares (0 to 1) of values changed, of those at a boundary, NULL; size: rows for one there."""

    changed: float
    boundary: float
    null: float
    size: float
    ties: bool  # few different values in a column; otherwise many
    parents: float  # share of the parents that have children
    skew: float  # 1: they have about equally many; more: some have many


def mode(number: int, rng: random.Random) -> Mode:
    """The mode of the candidate with this number: near the data and far from it, with ties and without, in turn."""
    return Mode(rng.choice((0.25, 0.5, 0.8)), rng.uniform(0.15, 0.5), rng.uniform(0.05, 0.2), rng.uniform(1.0, 1.6),
                number % 3 == 2, rng.uniform(0.5, 0.9), rng.choice((1.0, 1.7, 3.0)))  # fmt: skip


def make_state(source: Source, target: Path, how: Mode, rng: random.Random) -> None:
    """A new SQLite file at `target` with other rows. Raises NoState where SQLite cannot make it."""
    connection = sqlite3.connect(target, isolation_level=None)
    try:
        with contextlib.closing(connection), limited_steps(connection, _STEPS, 10_000):
            connection.execute("PRAGMA synchronous = OFF")  # a file that is not finished is thrown away
            connection.execute("PRAGMA journal_mode = MEMORY")
            connection.execute("BEGIN")
            for statement in source.tables_sql:
                connection.execute(statement)
            made: dict[str, list[dict]] = {}
            for table in source.tables:
                made[fold(table.name)] = []
                _fill(connection, table, made, how, rng)
            for statement in source.views_sql:
                connection.execute(statement)
            _without_orphans(connection, source.tables)
            connection.execute("COMMIT")
            fault = connection.execute("PRAGMA integrity_check").fetchone()[0]
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        if "disk is full" in str(error):  # no fault of the database
            raise OSError(errno.ENOSPC, str(error)) from error
        raise NoState(f"SQLite cannot make another state of it ({error}).") from error
    if fault != "ok":
        raise NoState(f"Another state of it breaks a constraint ({fault}).")


def _fill(
    connection: sqlite3.Connection, table: SourceTable, made: dict[str, list[dict]], how: Mode, rng: random.Random
) -> None:
    if not table.rows:
        return
    names = [c.name for c in table.columns]
    statement = f"INSERT INTO {in_quotes(table.name)} ({', '.join(map(in_quotes, names))}) VALUES ({', '.join('?' * len(names))})"
    draw = _Draw(table, made, how, rng)
    count = min(STATE_ROWS, max(3, round(len(table.rows) * how.size)))
    templates = rng.sample(table.rows, len(table.rows))
    for number, key in zip(range(count), draw.keys(), strict=False):
        for attempt in range(_TRIES):
            row = draw.row(templates[number % len(templates)], key, how.changed * (1 - attempt / (_TRIES - 1)))
            if draw.breaks_habit(row):
                continue
            with contextlib.suppress(sqlite3.IntegrityError):
                connection.execute(statement, row)
                draw.keep(row)
                made[fold(table.name)].append(dict(zip(map(fold, names), row, strict=True)))
                break


class _Draw:
    """Rows of one table in one state."""

    def __init__(self, table: SourceTable, made: dict[str, list[dict]], how: Mode, rng: random.Random):
        self.table, self.made, self.how, self.rng = table, made, how, rng
        self.places = {fold(c.name): n for n, c in enumerate(table.columns)}
        self.linked = {fold(c) for link in table.links for c in link.columns}
        self.few = {c.name: rng.sample(c.values, min(len(c.values), 4)) for c in table.columns}
        self.used: dict[str, set] = {c.name: set() for c in table.columns if c.unique}
        self.fertile: dict[Link, list[dict]] = {}
        alone = len(table.key) == 1 and fold(table.key[0]) not in self.linked
        self.key = self.places.get(fold(table.key[0])) if alone else None

    def keys(self) -> Iterator:
        """Key values in a new order: those that are there, then new ones where they are numbers; None where keys are no
        one column, or refer to another table."""
        if self.key is None:
            return itertools.repeat(None)
        column = self.table.columns[self.key]
        known = self.rng.sample(column.values, len(column.values))
        numbers = column.kind == "integer"
        return itertools.chain(known, itertools.count(max(column.values) + 1) if numbers else ())

    def row(self, template: tuple, key: object, changed: float) -> list:
        """A row like `template` under another key, each value changed with this probability."""
        row = list(template)
        for place, column in enumerate(self.table.columns):
            named = row[place] in column.boundaries and self.rng.random() < _STAYS
            if fold(column.name) not in self.linked and not named and self.rng.random() < changed:
                row[place] = _drawn(column, self.how, self.rng, self.few[column.name])
        for link in self.table.links:
            self._set_link(link, row)
        if self.key is not None:
            row[self.key] = key
        return row

    def _set_link(self, link: Link, row: list) -> None:
        places = [self.places.get(fold(c)) for c in link.columns]
        if None in places:  # a computed column
            return
        parents = self._parents(link)
        columns = [self.table.columns[p] for p in places]
        empty = all(c.nullable for c in columns) and self.rng.random() < self.how.null
        if empty or (not parents and fold(link.table) == fold(self.table.name)):
            values: Sequence = [None] * len(places) if all(c.nullable for c in columns) else [row[p] for p in places]
        elif not parents:
            return  # made later: what dangles then is taken out
        else:
            chosen = parents[int(len(parents) * self.rng.random() ** self.how.skew)]
            values = [chosen.get(fold(t)) for t in link.targets]
        for place, value in zip(places, values, strict=True):
            row[place] = value

    def _parents(self, link: Link) -> list[dict]:
        if fold(link.table) == fold(self.table.name):
            return self.made[fold(link.table)]
        if link not in self.fertile:
            every = self.made.get(fold(link.table), [])
            whole = self.table.key and {fold(c) for c in link.columns} == {fold(k) for k in self.table.key}
            share = len(every) if whole else math.ceil(len(every) * self.how.parents)
            self.fertile[link] = self.rng.sample(every, share)
        return self.fertile[link]

    def breaks_habit(self, row: Sequence) -> bool:
        """Whether a row does what the data never does and a question may rely on."""
        for a, b in self.table.pairs:
            if row[a] is not None and row[b] is not None and row[a] > row[b]:
                return True
        return any(row[self.places[fold(name)]] in used for name, used in self.used.items())

    def keep(self, row: Sequence) -> None:
        """Remember what may not come twice."""
        for name, used in self.used.items():
            if row[self.places[fold(name)]] is not None:
                used.add(row[self.places[fold(name)]])


def _without_orphans(connection: sqlite3.Connection, tables: Sequence[SourceTable]) -> None:
    """Take out rows that refer to none, until there are none."""
    changed = True
    while changed:
        changed = False
        for table in tables:
            for link in table.links:
                filled = " AND ".join(f"c.{in_quotes(c)} IS NOT NULL" for c in link.columns)
                same = " AND ".join(
                    f"p.{in_quotes(t)} = c.{in_quotes(c)}" for c, t in zip(link.columns, link.targets, strict=True)
                )
                with contextlib.suppress(sqlite3.OperationalError):  # a key that names what is not there
                    done = connection.execute(
                        f"DELETE FROM {in_quotes(table.name)} AS c WHERE {filled} AND NOT EXISTS "
                        f"(SELECT 1 FROM {in_quotes(link.table)} AS p WHERE {same})"
                    )
                    changed |= done.rowcount > 0


def _drawn(column: SourceColumn, how: Mode, rng: random.Random, few: list):
    """A value for a column: at a boundary, NULL, one that is there, or one between two that are."""
    luck = rng.random()
    if column.nullable and luck < how.null:
        return None
    if column.boundaries and luck < how.null + how.boundary:
        return rng.choice(column.boundaries)
    if not column.values:
        return None
    if how.ties or len(column.values) <= FEW_VALUES or column.kind == "other" or rng.random() < 0.3:
        return rng.choice(few if how.ties else column.values)
    one, other = sorted((rng.choice(column.values), rng.choice(column.values)))
    if column.kind == "integer":
        return rng.randint(one, other)
    if column.kind == "real":
        decimals = max((len(str(v).partition(".")[2]) for v in (one, other) if isinstance(v, float)), default=0)
        return round(rng.uniform(one, other), min(decimals, 6))
    days = (
        (day_of_text(one), day_of_text(other)) if column.kind == "date" else (day_of_number(one), day_of_number(other))
    )
    between = days[0] + timedelta(rng.randint(0, max(0, (days[1] - days[0]).days)))
    return with_day(one, between) if column.kind == "date" else int(between.strftime("%Y%m%d"))
