"""A database's schema, read from SQLite, and the one-line-a-table text that a model sees."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.dialects.sqlite import SQLite
from sqlglot.tokens import TokenType

SHORTHAND = {
    "qty": "quantity", "amt": "amount", "dob": "date of birth", "dt": "date", "cd": "code", "no": "number", "yr": "year",
    "num": "number", "desc": "description", "dept": "department", "emp": "employee", "cust": "customer", "nm": "name",
    "addr": "address", "acct": "account", "avg": "average", "pct": "percentage",
}  # fmt: skip

# A name may stand bare if it means the same as in quotes wherever a query has a table or a column.
PROBES = (
    "WITH {quoted}({quoted}) AS (SELECT 1) SELECT {name}, {name}.{name}, MAX({name}), {name} + 0, "
    "CASE WHEN {name} > 0 THEN {name} ELSE {name} END FROM {name} WHERE {name} = 1 AND NOT {name} IN (2) "
    "GROUP BY {name} HAVING {name} > 0 ORDER BY {name} DESC, {name}.{name}",
    "WITH {quoted}({quoted}) AS (SELECT 1) SELECT 1, 1, 1, {name}.{name}, {name}.{name} "
    'FROM {name} AS "a copy" JOIN {name} ON "a copy".{name} = {name}.{name}, {name} AS "a third"',
)


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


def copy_database(source: Path | str, target: Path | str) -> None:
    """Copy the SQLite file at `source` to `target` as it is at this moment, with what its -wal file still holds.

    Whole or not at all: an interrupted copy leaves nothing at `target`. Raises FileNotFoundError when there is no
    file at `source`, sqlite3.DatabaseError when it is no database.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with sqlite3.connect(folder / "a.sqlite") as db: _ = db.execute("CREATE TABLE t (x)")
    >>> copy_database(folder / "a.sqlite", folder / "b.sqlite"); [t.name for t in read_schema(folder / "b.sqlite").tables]
    ['t']
    """
    target = Path(target)
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        with (
            contextlib.closing(connect_readonly(source)) as read,
            contextlib.closing(sqlite3.connect(partial)) as write,
        ):
            read.backup(write)
            write.execute("PRAGMA journal_mode = DELETE")  # one file: the copy of a WAL file is in WAL mode too
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


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


@functools.lru_cache(maxsize=100_000)
def quote_name(name: str) -> str:
    """A table's or column's name as SQL needs it: bare where SQLite and sqlglot take it so, else in double quotes.

    >>> [quote_name(n) for n in ("price", "Цена", "unit price", "select")]
    ['price', 'Цена', '"unit price"', '"select"']
    """
    quoted = '"' + name.replace('"', '""') + '"'
    return name if name.isprintable() and _sqlite_takes(name, quoted) and _sqlglot_takes(name, quoted) else quoted


def _sqlite_takes(name: str, quoted: str) -> bool:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection, contextlib.suppress(sqlite3.Error):
        return all(
            connection.execute(probe.format(name=name, quoted=quoted)).fetchall() == [(1,) * 5] for probe in PROBES
        )
    return False


def _sqlglot_takes(name: str, quoted: str) -> bool:
    def parsed(written: str) -> list[exp.Expression]:
        trees = [sqlglot.parse_one(probe.format(name=written, quoted=quoted), read="sqlite") for probe in PROBES]
        for identifier in (i for tree in trees for i in tree.find_all(exp.Identifier)):
            identifier.set("quoted", True)
        return trees

    with contextlib.suppress(sqlglot.errors.SqlglotError):
        tokens = SQLite().tokenize(name)
        is_word = [(t.token_type, t.text) for t in tokens] == [(TokenType.VAR, name)]
        if is_word and name.upper() not in SQLite.Parser.NO_PAREN_FUNCTION_PARSERS:
            return True  # no keyword: parsing would take 30 times as long
        return parsed(name) == parsed(quoted)
    return False


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
