"""What further states of a database are made from: its statements, its rows, and the values at the golds' constants."""

from __future__ import annotations

import contextlib
import itertools
import math
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from forge_lib.tasks.sql.constants import AskedColumns
from forge_lib.tasks.sql.sandbox import Sandbox
from forge_lib.tasks.sql.schema import connect_readonly, fold, in_quotes
from forge_lib.tasks.sql.synthesis.clocks import is_written_day

STATE_ROWS = 300  # of a table, read and made
FEW_VALUES = 12  # values up to which a column is a list to choose from
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


class NoState(ValueError):
    """Why a database can have no further state, as a sentence."""


@dataclass(frozen=True)
class Link:
    """Columns of a table that hold values of `targets` of `table`."""

    columns: tuple[str, ...]
    table: str
    targets: tuple[str, ...]


@dataclass
class SourceColumn:
    """A column that can be written. boundaries: values at, just above and just below the constants of the golds."""

    name: str
    kind: str  # "integer", "real", "date", "day" (20240305), "other"
    nullable: bool
    unique: bool
    values: list
    boundaries: list = field(default_factory=list)


@dataclass
class SourceTable:
    """A table with what is to be known for making rows of it."""

    name: str
    columns: list[SourceColumn]
    rows: list[tuple]
    key: tuple[str, ...]
    links: list[Link]
    pairs: list[tuple[int, int]] = field(default_factory=list)  # places of two dates that stand in order in every row


@dataclass
class Source:
    """What states are made from: the statements that make the schema, and its tables, parents first."""

    tables_sql: list[str]
    views_sql: list[str]
    tables: list[SourceTable]


def read_source(database: Path, asked: AskedColumns, sandbox: Sandbox) -> Source:
    """What further states of `database` are made from. Raises NoState where it can have none.

    sandbox: one that cuts, through which rows are read
    """
    try:
        with contextlib.closing(connect_readonly(database)) as connection:
            listed = connection.execute(
                "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
                "ORDER BY type != 'table', rowid"
            ).fetchall()
            if virtual := [name for _, name, sql in listed if re.match(r"CREATE\s+VIRTUAL", sql, re.I)]:
                raise NoState(f"'{virtual[0]}' is a virtual table, of which no further state is made.")
            strict = any(re.search(r"\bNOT\s+NULL\b", sql, re.I) for kind, _, sql in listed if kind == "table")
            tables = [_read_table(connection, database, name, asked, strict, sandbox)
                      for kind, name, _ in listed if kind == "table"]  # fmt: skip
    except (sqlite3.Error, OSError, ValueError) as error:
        raise error if isinstance(error, NoState) else NoState(f"It cannot be read ({error}).") from error
    if not any(table.rows for table in tables):
        raise NoState("It holds no rows.")
    for table in tables:
        table.links += _undeclared(table, tables, asked)
    views = [sql for kind, _, sql in listed if kind == "view"]
    return Source([sql for kind, _, sql in listed if kind in ("table", "index")], views, _parents_first(tables))


def _read_table(
    connection: sqlite3.Connection, database: Path, name: str, asked: AskedColumns, strict: bool, sandbox: Sandbox
) -> SourceTable:  # fmt: skip
    infos = connection.execute('SELECT name, "notnull", pk, hidden FROM pragma_table_xinfo(?)', (name,)).fetchall()
    infos = [info for info in infos if info[3] == 0]  # the others are computed
    listed = ", ".join(in_quotes(column) for column, *_ in infos)
    found = sandbox.run(database, f"SELECT {listed} FROM {in_quotes(name)} LIMIT {STATE_ROWS}")
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
        columns.append(SourceColumn(column, _kind(values), nullable, unique, values))
        compared = asked.compared.get((fold(name), fold(column)), [])
        columns[-1].boundaries = list(dict.fromkeys(b for c in compared for b in _boundaries(columns[-1], *c)))
    table = SourceTable(name, columns, rows, key, _links(connection, name))
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


def _undeclared(table: SourceTable, tables: Sequence[SourceTable], asked: AskedColumns) -> Iterator[Link]:
    """Links that no key declares: a column holds nothing but keys of another table, and bears its name or is joined to it.

    `author_id` may mean `authors.author_id` or `authors.id`. (What `profiling` infers takes seconds of imports.)
    """
    declared = {fold(c) for link in table.links for c in link.columns} | {
        fold(k) for k in table.key if len(table.key) == 1
    }
    for column in table.columns:
        name = fold(column.name)
        for parent in tables:
            if name in declared or parent is table or len(parent.key) != 1 or not column.values:
                continue
            key = fold(parent.key[0])
            stem = name.removesuffix(key).strip("_")
            named = name == key != "id" or (name.endswith(key) and len(stem) > 2 and fold(parent.name).startswith(stem))
            joined = frozenset({(fold(table.name), name), (fold(parent.name), key)}) in asked.joined
            keys = next(c.values for c in parent.columns if fold(c.name) == key)
            if (named or joined) and set(column.values) <= set(keys):
                declared.add(name)
                yield Link((column.name,), parent.name, (parent.key[0],))


def _kind(values: Sequence) -> str:
    if values and all(isinstance(v, str) and _DAY.match(v) and day_of_text(v) for v in values):
        return "date"
    if values and all(isinstance(v, int) for v in values):
        return "day" if all(is_written_day(v) for v in values) else "integer"
    return "real" if values and all(isinstance(v, int | float) and math.isfinite(v) for v in values) else "other"


def _are_years(values: Sequence) -> bool:
    return bool(values) and all(isinstance(v, int) and 1000 <= v <= 2100 for v in values)


def day_of_text(text: str) -> date | None:
    """The day that a text begins with, None for one that is not in the calendar."""
    with contextlib.suppress(ValueError):
        return date(*map(int, _DAY.match(text).groups()))
    return None


def _in_order(rows: Sequence[tuple], a: int, b: int) -> bool:
    """Whether one date of a row never comes after another, in more than a few rows."""
    both = [(row[a], row[b]) for row in rows if row[a] is not None and row[b] is not None]
    return len(both) > 4 and all(type(one) is type(other) and one <= other for one, other in both)


def _parents_first(tables: list[SourceTable]) -> list[SourceTable]:
    done: list[SourceTable] = []
    left = list(tables)
    while left:
        names = {fold(t.name) for t in left}
        ready = [t for t in left if not any(fold(k.table) in names - {fold(t.name)} for k in t.links)] or left[:1]
        done += ready
        left = [t for t in left if t not in ready]
    return done


def _boundaries(column: SourceColumn, value: int | float | str, ends: bool, pattern: bool) -> Iterator:
    """The values of a column at a constant, just above and just below it, as the column writes its values."""
    if column.kind in ("integer", "real") and not pattern:
        with contextlib.suppress(ValueError):
            yield from _near(column, float(value) if column.kind == "real" else int(value), ends)
    elif column.kind == "day" and not pattern and not isinstance(value, str) and is_written_day(value):
        yield from (int(day.strftime("%Y%m%d")) for day in _days_near(day_of_number(value)))
    elif column.kind == "date" and isinstance(value, str):
        yield from (with_day(column.values[0], day) for day in _days_of(value.strip("%"), column.values))
        if len(value) > 10 and day_of_text(value) and not pattern:
            yield value
    elif column.kind == "other" and isinstance(value, str):
        if not pattern:
            yield value
        elif core := value.strip("%").replace("_", "x").replace("%", " "):
            words = [v for v in column.values if isinstance(v, str)][:2] or ["x"]
            yield from (core, f"{core} {words[0]}", f"{words[-1]} {core}")  # not all of which match


def _near(column: SourceColumn, value: int | float, ends: bool) -> Iterator[int | float]:
    decimals = max((len(str(v).partition(".")[2]) for v in column.values if isinstance(v, float)), default=0)
    step = 1 if column.kind == "integer" else round(10 ** -min(decimals, 4), 4)
    low, high = min(column.values), max(column.values)
    for near in (value, value - step, value + step):
        near = round(near, 6) if column.kind == "real" else near
        if low <= near <= high or (ends and len(column.values) > FEW_VALUES and (near >= 0 or low < 0)):
            yield near


def _days_of(text: str, values: Sequence[str]) -> Iterator[date]:
    """Days at the ends of what a constant compared with a date means: a day, a month, a year, or a month of any year."""
    years = sorted({int(v[:4]) for v in values})
    with contextlib.suppress(ValueError, OverflowError):
        if _DAY.match(text):
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


def day_of_number(value: int | float) -> date:
    """The day of a number like 20240305."""
    text = str(int(value))
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def with_day(text: str, day: date) -> str:
    """A date as a column writes it, with what stands behind its day (a time), on another day."""
    return day.isoformat() + text[10:]
