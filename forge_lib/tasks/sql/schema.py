"""A database's schema, read from SQLite, and the one-line-a-table text that a model sees."""

from __future__ import annotations

import functools
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

SHORTHAND = {
    "qty": "quantity", "amt": "amount", "dob": "date of birth", "dt": "date", "cd": "code", "no": "number", "yr": "year",
    "num": "number", "desc": "description", "dept": "department", "emp": "employee", "cust": "customer", "nm": "name",
    "addr": "address", "acct": "account", "avg": "average", "pct": "percentage",
}  # fmt: skip


@dataclass(frozen=True)
class ForeignKey:
    """`column` refers to `table.target`."""

    column: str
    table: str
    target: str


@dataclass(frozen=True)
class Table:
    """One table: its columns in order, their declared types, its keys."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]


@dataclass(frozen=True)
class Schema:
    """All tables of one database, in the order they were created."""

    db_id: str
    tables: tuple[Table, ...]

    @property
    def names(self) -> set[str]:
        """Every table and column name, lower-case."""
        return {t.name.lower() for t in self.tables} | {c.lower() for t in self.tables for c in t.columns}


def connect_readonly(path: Path | str) -> sqlite3.Connection:
    """Open a SQLite file for reading; raises FileNotFoundError rather than making an empty one."""
    if not Path(path).exists():
        raise FileNotFoundError(f"There is no SQLite database at {path}.")
    return sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True)


def read_schema(path: Path | str) -> Schema:
    """Read tables, columns and keys of the SQLite file at `path`."""
    connection = connect_readonly(path)
    try:
        return _read(connection, Path(path).stem)
    finally:
        connection.close()


def _read(connection: sqlite3.Connection, db_id: str) -> Schema:
    listing = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    )
    names = [row[0] for row in listing]
    keys: dict[str, tuple[str, ...]] = {}
    infos = {}
    for name in names:
        infos[name] = connection.execute("SELECT name, type, pk FROM pragma_table_info(?)", (name,)).fetchall()
        keys[name] = tuple(c for c, _, pk in sorted(infos[name], key=lambda row: row[2]) if pk)
    tables = []
    for name in names:
        listing = connection.execute(
            'SELECT "from", "table", "to", seq FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq', (name,)
        ).fetchall()
        known = {n.lower(): n for n in names}
        foreign = []
        for column, table, target, position in listing:
            table = known.get(table.lower(), table)
            # A key that names no target column means the other table's primary key.
            target = target or (keys.get(table) or (column,))[min(position, len(keys.get(table) or "x") - 1)]
            foreign.append(ForeignKey(column, table, target))
        columns, types = tuple(c for c, _, _ in infos[name]), tuple(t for _, t, _ in infos[name])
        tables.append(Table(name, columns, types, keys[name], tuple(foreign)))
    return Schema(db_id, tuple(tables))


def render_schema(schema: Schema) -> str:
    """One line a table: `loans(loan_id, book_id) [book_id->books.book_id]`.

    No types: at this model size they cost tokens and gained nothing.

    >>> books = Table("books", ("id", "title"), ("INTEGER", "TEXT"), ("id",), ())
    >>> loans = Table("loans", ("id", "book_id"), ("INTEGER",) * 2, ("id",), (ForeignKey("book_id", "books", "id"),))
    >>> print(render_schema(Schema("library", (books, loans))))
    books(id, title)
    loans(id, book_id) [book_id->books.id]
    """
    return "\n".join(_line(table) for table in schema.tables)


def _line(table: Table) -> str:
    keys = ", ".join(f"{k.column}->{k.table}.{k.target}" for k in table.foreign_keys)
    return f"{table.name}({', '.join(table.columns)})" + (f" [{keys}]" if keys else "")


@functools.cache
def words(name: str) -> str:
    """A name as people say it.

    >>> words("monthly_salary"), words("FirstName"), words("hire_dt"), words("song_id")
    ('monthly salary', 'first name', 'hire date', 'song id')
    """
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")
    return " ".join(SHORTHAND.get(p, p) for p in parts if p).strip() or name
