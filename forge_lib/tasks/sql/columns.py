"""What a column holds, as far as the grammar asks: numbers, texts or dates, and which texts where they are few."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from forge_lib.tasks.sql.schema import Schema, connect_readonly, in_quotes, limited_steps

_FEW = 200  # different texts: a column with more holds free text, or names
_LONG = 60  # characters of such a text
_SEEN = 20_000  # rows that are looked at
_STEPS = 5_000_000  # of SQLite's virtual machine for one column, some tenths of a second
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_CODE = re.compile(r"0\d+")  # as a number, 01067 loses its zero
_DATE = re.compile(r"\d{4}-\d\d(-\d\d([ T]\d\d:\d\d(:\d\d)?(\.\d+)?)?)?Z?|\d\d:\d\d(:\d\d)?")


@dataclass(frozen=True)
class Kind:
    """kind: "number", "text" or "date"; values: all texts of the column where they are few and short, else none."""

    kind: str
    values: tuple[str, ...] = ()


def column_kinds(schema: Schema, database: Path) -> dict[tuple[str, str], Kind]:
    """The Kind of each (table, column) of `schema`, from the first rows of `database`."""
    with contextlib.closing(connect_readonly(database)) as connection:
        return {
            (t.name, c): _kind(connection, t.name, c, declared)
            for t in schema.tables
            for c, declared in zip(t.columns, t.types, strict=True)
        }


def _kind(connection, table: str, column: str, declared: str) -> Kind:
    name, values = in_quotes(column), []
    # a view that takes too long, or fails on a row: as declared
    with contextlib.suppress(sqlite3.Error), limited_steps(connection, _STEPS):
        first = f"SELECT {name} FROM {in_quotes(table)} LIMIT {_SEEN}"
        found = connection.execute(f"SELECT DISTINCT {name} FROM ({first}) WHERE {name} IS NOT NULL")
        values = [value for (value,) in found]
    if not values:
        return Kind("number" if re.search("INT|REAL|NUM|DEC|FLOA|DOUB", declared.upper()) else "text")
    texts = [v for v in values if isinstance(v, str)]
    numbers = sum(isinstance(v, (int, float)) or bool(_NUMBER.fullmatch(str(v))) for v in values)
    if 2 * numbers >= len(values) and not any(_CODE.fullmatch(t) for t in texts):
        return Kind("number")  # kept as texts too, as an import from CSV leaves them
    if texts and all(_DATE.fullmatch(t) for t in texts):
        return Kind("date")
    short = len(texts) == len(values) <= _FEW and all(len(t) <= _LONG and t.isprintable() for t in texts)
    return Kind("text", tuple(sorted(texts)) if short else ())
