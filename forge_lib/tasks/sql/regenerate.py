"""A further state of a database: the same schema, other rows, by seed.

Every row begins as a copy of one that is there, so that what belongs together stays together, and is then changed column
by column. Keys, foreign keys (declared, or read off the names and values), UNIQUE, NOT NULL and CHECK hold: SQLite itself
refuses the rows that break them. So do the habits of the data that no constraint states: the kind and range of a
column's values, dates of one row in their order, and uniqueness where a question relies on it.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import random
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from forge_lib.tasks.sql.constants import Asked
from forge_lib.tasks.sql.sandbox import Sandbox
from forge_lib.tasks.sql.schema import connect_readonly, fold, in_quotes
from forge_lib.tasks.sql.synthesis.clocks import is_written_day
from forge_lib.tasks.sql.synthesis.profiling import profile_database

MOST_ROWS = 300  # of a table, read and made
TRIES = 8  # of a row, ever nearer to the one it was copied from
FEW = 12  # values up to which a column is a list to choose from
STAYS = 0.7  # probability that a value which a gold names is not changed: a gold that finds nothing tells nothing
STEPS = 50_000_000  # of SQLite's virtual machine for one statement: a CHECK is somebody else's code
DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


class NoState(ValueError):
    """Why a database can have no further state, as a sentence."""


@dataclass(frozen=True)
class Link:
    """Columns of a table that hold values of `targets` of `table`."""

    columns: tuple[str, ...]
    table: str
    targets: tuple[str, ...]


@dataclass
class Column:
    """A column that can be written. boundaries: values at, just above and just below the constants of the golds."""

    name: str
    kind: str  # "integer", "real", "date", "day" (20240305), "other"
    nullable: bool
    unique: bool
    values: list
    boundaries: list = field(default_factory=list)


@dataclass
class Rows:
    """A table with what is to be known for making rows of it."""

    name: str
    columns: list[Column]
    rows: list[tuple]
    key: tuple[str, ...]
    links: list[Link]
    pairs: list[tuple[int, int]] = field(default_factory=list)  # places of two dates that stand in order in every row


@dataclass
class Source:
    """What states are made from: the statements that make the schema, and its tables, parents first."""

    tables_sql: list[str]
    views_sql: list[str]
    tables: list[Rows]


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


# --- reading ---------------------------------------------------------------------------------------------------------


def read_source(database: Path, asked: Asked, sandbox: Sandbox) -> Source:
    """What further states of `database` are made from. Raises NoState where it can have none.

    sandbox: one that cuts, through which rows are read
    """
    try:
        profile = profile_database(database)
        with contextlib.closing(connect_readonly(database)) as connection:
            listed = connection.execute(
                "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
                "ORDER BY type != 'table', rowid"
            ).fetchall()
            if virtual := [name for _, name, sql in listed if re.match(r"CREATE\s+VIRTUAL", sql, re.I)]:
                raise NoState(f"'{virtual[0]}' is a virtual table, of which no further state is made.")
            strict = any(re.search(r"\bNOT\s+NULL\b", sql, re.I) for kind, _, sql in listed if kind == "table")
            inferred = defaultdict(list)
            for join in profile.joins:
                if not join.declared:
                    inferred[join.child].append(Link((join.column,), join.parent, (join.target,)))
            tables = [_read_table(connection, database, name, asked, strict, inferred[name], sandbox)
                      for kind, name, _ in listed if kind == "table"]  # fmt: skip
    except (sqlite3.Error, OSError, ValueError) as error:
        raise error if isinstance(error, NoState) else NoState(f"It cannot be read ({error}).") from error
    views = [sql for kind, _, sql in listed if kind == "view"]
    return Source([sql for kind, _, sql in listed if kind in ("table", "index")], views, _parents_first(tables))


def _read_table(
    connection: sqlite3.Connection, database: Path, name: str, asked: Asked, strict: bool, inferred: list[Link],
    sandbox: Sandbox,
) -> Rows:  # fmt: skip
    infos = connection.execute('SELECT name, "notnull", pk, hidden FROM pragma_table_xinfo(?)', (name,)).fetchall()
    infos = [info for info in infos if info[3] == 0]  # the others are computed
    listed = ", ".join(in_quotes(column) for column, *_ in infos)
    found = sandbox.run(database, f"SELECT {listed} FROM {in_quotes(name)} LIMIT {MOST_ROWS}")
    if found.status != "ok":
        raise NoState(f"The rows of '{name}' cannot be read ({found.error}).")
    rows, key = list(found.rows), tuple(c for c, _, pk, _ in sorted(infos, key=lambda i: i[2]) if pk)
    columns = []
    for place, (column, not_null, pk, _) in enumerate(infos):
        given = [row[place] for row in rows]
        values = list(dict.fromkeys(v for v in given if v is not None))
        unique = len(values) == len(given) > 3 and (fold(name), fold(column)) in asked.identifying
        # Where nothing in the file is NOT NULL, its absence says nothing.
        nullable = not not_null and not pk and (strict or len([v for v in given if v is None]) > 0)
        columns.append(Column(column, _kind(values), nullable, unique, values))
        compared = asked.compared.get((fold(name), fold(column)), [])
        columns[-1].boundaries = list(dict.fromkeys(b for c in compared for b in _boundaries(columns[-1], *c)))
    table = Rows(name, columns, rows, key, [*_links(connection, name), *inferred])
    dates = [n for n, c in enumerate(columns) if c.kind in ("date", "day") or _are_years(c.values)]
    table.pairs = [(a, b) for a, b in itertools.permutations(dates, 2) if _in_order(rows, a, b)]
    return table


def _links(connection: sqlite3.Connection, name: str) -> list[Link]:
    listing = connection.execute(
        'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq', (name,)
    ).fetchall()
    found = []
    for _, part in itertools.groupby(listing, key=lambda row: row[0]):
        part = list(part)
        parent = part[0][1]
        keys = [
            c for (c,) in connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", (parent,))
        ]
        targets = [to or keys[min(n, len(keys) - 1)] for n, (*_, to) in enumerate(part) if to or keys]
        if len(targets) == len(part):
            found.append(Link(tuple(column for _, _, column, _ in part), parent, tuple(targets)))
    return found


def _kind(values: Sequence) -> str:
    if values and all(isinstance(v, str) and DAY.match(v) and _day(v) for v in values):
        return "date"
    if values and all(isinstance(v, int) for v in values):
        return "day" if all(is_written_day(v) for v in values) else "integer"
    return "real" if values and all(isinstance(v, int | float) and math.isfinite(v) for v in values) else "other"


def _are_years(values: Sequence) -> bool:
    return bool(values) and all(isinstance(v, int) and 1000 <= v <= 2100 for v in values)


def _day(text: str) -> date | None:
    with contextlib.suppress(ValueError):
        return date(*map(int, DAY.match(text).groups()))
    return None


def _in_order(rows: Sequence[tuple], a: int, b: int) -> bool:
    """Whether one date of a row never comes after another, in more than a few rows."""
    both = [(row[a], row[b]) for row in rows if row[a] is not None and row[b] is not None]
    return len(both) > 4 and all(type(one) is type(other) and one <= other for one, other in both)


def _parents_first(tables: list[Rows]) -> list[Rows]:
    done: list[Rows] = []
    left = list(tables)
    while left:
        names = {fold(t.name) for t in left}
        ready = [t for t in left if not any(fold(k.table) in names - {fold(t.name)} for k in t.links)] or left[:1]
        done += ready
        left = [t for t in left if t not in ready]
    return done


# --- values ----------------------------------------------------------------------------------------------------------


def _boundaries(column: Column, value: int | float | str, ends: bool, pattern: bool) -> Iterator:
    """The values of a column at a constant, just above and just below it, as the column writes its values."""
    if column.kind in ("integer", "real") and not pattern:
        with contextlib.suppress(ValueError):
            yield from _near(column, float(value) if column.kind == "real" else int(value), ends)
    elif column.kind == "day" and not pattern and not isinstance(value, str) and is_written_day(value):
        yield from (int(day.strftime("%Y%m%d")) for day in _days_near(_written(value)))
    elif column.kind == "date" and isinstance(value, str):
        yield from (_moved(column.values[0], day) for day in _days_of(value.strip("%"), column.values))
        if len(value) > 10 and _day(value) and not pattern:
            yield value
    elif column.kind == "other" and isinstance(value, str):
        if not pattern:
            yield value
        elif core := value.strip("%").replace("_", "x").replace("%", " "):
            words = [v for v in column.values if isinstance(v, str)][:2] or ["x"]
            yield from (core, f"{core} {words[0]}", f"{words[-1]} {core}")  # not all of which match


def _near(column: Column, value: int | float, ends: bool) -> Iterator[int | float]:
    decimals = max((len(str(v).partition(".")[2]) for v in column.values if isinstance(v, float)), default=0)
    step = 1 if column.kind == "integer" else round(10 ** -min(decimals, 4), 4)
    low, high = min(column.values), max(column.values)
    for near in (value, value - step, value + step):
        near = round(near, 6) if column.kind == "real" else near
        if low <= near <= high or (ends and len(column.values) > FEW and (near >= 0 or low < 0)):
            yield near


def _days_of(text: str, values: Sequence[str]) -> Iterator[date]:
    """Days at the ends of what a constant compared with a date means: a day, a month, a year, or a month of any year."""
    years = sorted({int(v[:4]) for v in values})
    with contextlib.suppress(ValueError, OverflowError):
        if DAY.match(text):
            yield from _days_near(date.fromisoformat(text[:10]))
        elif re.fullmatch(r"\d{4}-\d\d-?", text):
            yield from _ends(date(int(text[:4]), int(text[5:7]), 1), 31)
        elif re.fullmatch(r"\d{4}-?", text) and years[0] - 1 <= int(text[:4]) <= years[-1] + 1:
            yield from _ends(date(int(text[:4]), 1, 1), 366)
        elif re.fullmatch(r"-?\d\d-?", text) and 1 <= int(text.strip("-")) <= 12:
            for year in (years[0], years[-1]):
                yield from _ends(date(year, int(text.strip("-")), 1), 31)


def _days_near(day: date) -> list[date]:
    return [day, day - timedelta(1), day + timedelta(1)]


def _ends(first: date, days: int) -> list[date]:
    last = first + timedelta(days)
    last = last.replace(day=1) - timedelta(1) if days < 40 else date(first.year, 12, 31)
    return [first, first - timedelta(1), last, last + timedelta(1)]


def _written(value: int | float) -> date:
    text = str(int(value))
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def _moved(text: str, day: date) -> str:
    return day.isoformat() + text[10:]


def _drawn(column: Column, how: Mode, rng: random.Random, few: list):
    """A value for a column: at a boundary, NULL, one that is there, or one between two that are."""
    luck = rng.random()
    if column.nullable and luck < how.null:
        return None
    if column.boundaries and luck < how.null + how.boundary:
        return rng.choice(column.boundaries)
    if not column.values:
        return None
    if how.ties or len(column.values) <= FEW or column.kind == "other" or rng.random() < 0.3:
        return rng.choice(few if how.ties else column.values)
    one, other = sorted((rng.choice(column.values), rng.choice(column.values)))
    if column.kind == "integer":
        return rng.randint(one, other)
    if column.kind == "real":
        decimals = max((len(str(v).partition(".")[2]) for v in (one, other) if isinstance(v, float)), default=0)
        return round(rng.uniform(one, other), min(decimals, 6))
    days = (_day(one), _day(other)) if column.kind == "date" else (_written(one), _written(other))
    between = days[0] + timedelta(rng.randint(0, max(0, (days[1] - days[0]).days)))
    return _moved(one, between) if column.kind == "date" else int(between.strftime("%Y%m%d"))


# --- making ----------------------------------------------------------------------------------------------------------


def make_state(source: Source, target: Path, how: Mode, rng: random.Random) -> None:
    """A new SQLite file at `target` with other rows. Raises NoState where SQLite cannot make it."""
    steps = itertools.count()
    connection = sqlite3.connect(target, isolation_level=None)
    connection.set_progress_handler(lambda: next(steps) > STEPS // 10_000, 10_000)
    try:
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
        raise NoState(f"SQLite cannot make another state of it ({error}).") from error
    finally:
        connection.close()
    if fault != "ok":
        raise NoState(f"Another state of it breaks a constraint ({fault}).")


def _fill(
    connection: sqlite3.Connection, table: Rows, made: dict[str, list[dict]], how: Mode, rng: random.Random
) -> None:
    if not table.rows:
        return
    names = [c.name for c in table.columns]
    statement = f"INSERT INTO {in_quotes(table.name)} ({', '.join(map(in_quotes, names))}) VALUES ({', '.join('?' * len(names))})"
    draw = _Draw(table, made, how, rng)
    count = min(MOST_ROWS, max(3, round(len(table.rows) * how.size)))
    templates = rng.sample(table.rows, len(table.rows))
    for number, key in zip(range(count), draw.keys(), strict=False):
        for attempt in range(TRIES):
            row = draw.row(templates[number % len(templates)], key, how.changed * (1 - attempt / (TRIES - 1)))
            if draw.breaks_habit(row):
                continue
            with contextlib.suppress(sqlite3.IntegrityError):
                connection.execute(statement, row)
                draw.keep(row)
                made[fold(table.name)].append(dict(zip(map(fold, names), row, strict=True)))
                break


class _Draw:
    """Rows of one table in one state."""

    def __init__(self, table: Rows, made: dict[str, list[dict]], how: Mode, rng: random.Random):
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
            named = row[place] in column.boundaries and self.rng.random() < STAYS
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


def _without_orphans(connection: sqlite3.Connection, tables: Sequence[Rows]) -> None:
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
