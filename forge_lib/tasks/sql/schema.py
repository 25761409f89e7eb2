"""A database's schema, read from SQLite, and the one-line-a-table text that a model sees."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import re
import sqlite3
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.dialects.sqlite import SQLite
from sqlglot.tokens import TokenType

from forge_lib.lab.files import beside
from forge_lib.tasks.sql.opening import SIDE_FILES, reading_uri

_SHORTHAND = {
    "qty": "quantity", "amt": "amount", "dob": "date of birth", "dt": "date", "cd": "code", "no": "number", "yr": "year",
    "num": "number", "desc": "description", "dept": "department", "emp": "employee", "cust": "customer", "nm": "name",
    "addr": "address", "acct": "account", "avg": "average", "pct": "percentage",
}  # fmt: skip

# Virtual tables keep their content in tables named after them; by module, as a module may not be there to ask.
_FULL_TEXT, _RTREE = "content|segments|segdir|docsize|stat", "node|rowid|parent"
_SHADOWS = {
    "fts3": _FULL_TEXT, "fts4": _FULL_TEXT, "fts5": "data|idx|content|docsize|config",
    "rtree": _RTREE, "rtree_i32": _RTREE, "geopoly": _RTREE,
    "vec0": r"info|chunks|rowids|auxiliary|(vector_chunks|metadatachunks|metadatatext)\d+", "vss0": "data|index",
}  # fmt: skip
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_FIRST_ROW_STEPS = 1_000_000  # of SQLite's virtual machine, about 50 ms

# A name may stand bare if it means the same as in quotes wherever a query has a table or a column.
_PROBES = (
    "WITH {quoted}({quoted}) AS (SELECT 1) SELECT {name}, {name}.{name}, MAX({name}), {name} + 0, "
    "CASE WHEN {name} > 0 THEN {name} ELSE {name} END FROM {name} WHERE {name} = 1 AND NOT {name} < 1 "
    "AND NOT {name} IN (2) AND {name} BETWEEN 1 AND 1 AND {name} LIKE '1' AND {name} IS NOT NULL AND abs({name}) = {name} "
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
    """One table or view: its columns in order, their declared types, its keys."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]


@dataclass(frozen=True)
class Schema:
    """All tables and views of one database, in the order they were created."""

    db_id: str
    tables: tuple[Table, ...]

    @property
    def names(self) -> set[str]:
        """Every table and column name, lower-case."""
        return {t.name.lower() for t in self.tables} | {c.lower() for t in self.tables for c in t.columns}


def connect_readonly(path: Path | str) -> sqlite3.Connection:
    """Open a SQLite file for reading, as it is at this moment; bytes that are no UTF-8 are read as U+FFFD.

    Raises FileNotFoundError rather than making an empty one.
    """
    connection = sqlite3.connect(reading_uri(path), uri=True)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return connection


def copy_database(source: Path | str, target: Path | str) -> None:
    """Copy the SQLite file at `source` to `target` as it is at this moment, with what its -wal file still holds.

    Whole or not at all: an interrupted copy leaves `target` as it was. Raises FileNotFoundError when there is no
    file at `source`, sqlite3.DatabaseError when it is no database.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with sqlite3.connect(folder / "a.sqlite") as db: _ = db.execute("CREATE TABLE t (x)")
    >>> copy_database(folder / "a.sqlite", folder / "b.sqlite"); [t.name for t in read_schema(folder / "b.sqlite").tables]
    ['t']
    """
    target = Path(target)
    partial = beside(target)
    try:
        with (
            contextlib.closing(connect_readonly(source)) as read,
            contextlib.closing(sqlite3.connect(partial)) as write,
        ):
            read.backup(write)
            write.execute("PRAGMA journal_mode = DELETE")  # one file: the copy of a WAL file is in WAL mode too
        side_files = [target.with_name(target.name + suffix) for suffix in SIDE_FILES]
        if target.exists() and any(path.exists() for path in side_files):
            # What they hold goes into the file that was there: stopped from here on, it has lost no row.
            with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(target)) as old:
                old.execute("PRAGMA journal_mode = DELETE")
        for path in side_files:  # of a file that SQLite cannot mend: it would take them for the new one's
            path.unlink(missing_ok=True)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def read_schema(path: Path | str) -> Schema:
    """Read tables, views, columns and keys of the SQLite file at `path`.

    What a query could not use is left out: tables that SQLite or one of its modules keeps for itself, and with a
    warning what this SQLite cannot read. A foreign key counts only where both of its ends are there. Raises
    sqlite3.DatabaseError where nothing of it can be read, as in a damaged file.
    """
    with contextlib.closing(connect_readonly(path)) as connection:
        connection.execute("BEGIN")
        faults = {name: _why_unreadable(connection, name) for name in _listed(connection)}
        names = [name for name, fault in faults.items() if not fault]
        if faults and not names:
            raise sqlite3.DatabaseError(f"none of its tables can be read: {next(iter(faults.values()))}")
        for name, fault in faults.items():
            if fault:
                warnings.warn(f"{name!r} is left out: this SQLite cannot read it ({fault}).", stacklevel=2)
        infos = {name: _columns(connection, name) for name in names}
        tables = [
            _table(connection, name, {n: info for n, info in infos.items() if info}) for name in names if infos[name]
        ]
    return Schema(Path(path).stem, tuple(tables))


def _listed(connection: sqlite3.Connection) -> list[str]:
    """Tables and views in the order they were made, without those of SQLite itself and of modules."""
    rows = connection.execute(
        "SELECT name, CASE WHEN rootpage THEN '' ELSE sql END FROM sqlite_master "
        "WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
    ).fetchall()
    internal = [
        re.escape(name) + "_" + _suffixes(sql) for name, sql in rows if re.match(r"CREATE\s+VIRTUAL", sql, re.I)
    ]
    return [name for name, _ in rows if not any(re.fullmatch(i, name, re.I) for i in internal)]


def _suffixes(sql: str) -> str:
    """What the names of tables end in that belong to the virtual table which `sql` makes."""
    modules = {m.lower() for m in re.findall(r"USING\s+\W?(\w+)", sql, re.I)} & set(_SHADOWS)
    return "(" + "|".join(_SHADOWS[m] for m in modules or _SHADOWS) + ")"


@contextlib.contextmanager
def limited_steps(connection: sqlite3.Connection, steps: int, every: int = 1000) -> Iterator[None]:
    """Interrupts what takes more than `steps` of SQLite's virtual machine, looked at each `every`: OperationalError.

    Steps, not seconds: they are the same on a busy machine.

    >>> endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n"
    >>> with contextlib.closing(sqlite3.connect(":memory:")) as connection, limited_steps(connection, 10_000):
    ...     connection.execute(endless)
    Traceback (most recent call last):
    sqlite3.OperationalError: interrupted
    """
    looks = itertools.count()
    connection.set_progress_handler(lambda: next(looks) > steps // every, every)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def _why_unreadable(connection: sqlite3.Connection, name: str) -> str:
    """Why no first row can be had from it, "" where one can; what takes too long for that is taken to be readable."""
    try:
        # of a column's name, which `_columns` leaves out
        with limited_steps(connection, _FIRST_ROW_STEPS), contextlib.suppress(UnicodeDecodeError):
            connection.execute(f"SELECT * FROM {quote_name(name)} LIMIT 1").fetchone()
    except sqlite3.Error as error:
        if str(error) != "interrupted":
            return str(error)
    return ""


def _columns(connection: sqlite3.Connection, name: str) -> list[tuple[str, str, int]]:
    """Name, declared type and place in the primary key of each column, generated ones among them."""
    rows = connection.execute("SELECT name, type, pk, hidden FROM pragma_table_xinfo(?)", (name,))
    # 1: a parameter of a virtual table. A name that is no UTF-8 can stand in no query.
    return [(column, kind, pk) for column, kind, pk, hidden in rows if hidden != 1 and "\ufffd" not in column]


def _table(connection: sqlite3.Connection, name: str, infos: dict[str, list[tuple[str, str, int]]]) -> Table:
    columns, types, places = zip(*infos[name], strict=True)
    key = tuple(c for pk, c in sorted(zip(places, columns, strict=True), key=lambda row: row[0]) if pk)
    return Table(name, columns, types, key, _foreign_keys(connection, name, infos))


def _foreign_keys(connection: sqlite3.Connection, name: str, infos: dict[str, list]) -> tuple[ForeignKey, ...]:
    known = {fold(n): n for n in infos}
    spelt = {n: {fold(c): c for c, _, _ in info} for n, info in infos.items()}
    listing = connection.execute(
        'SELECT id, "from", "table", "to", seq FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq', (name,)
    )
    found: dict[int, list[ForeignKey | None]] = {}
    for number, column, table, target, position in listing:
        other = known.get(fold(table))
        if target is None and other:  # the other table's primary key
            keys = [c for c, _, pk in sorted(infos[other], key=lambda row: row[2]) if pk] or [column]
            target = keys[min(position, len(keys) - 1)]
        ends = spelt[name].get(fold(column)), spelt.get(other, {}).get(fold(target or ""))
        found.setdefault(number, []).append(ForeignKey(ends[0], other, ends[1]) if all(ends) else None)
    return tuple(key for keys in found.values() if None not in keys for key in keys)


def fold(name: str) -> str:
    """Equal for names that are one to SQLite, which ignores the case of A to Z alone.

    >>> fold("Name") == fold("NAME"), fold("Ähre") == fold("ähre")
    (True, False)
    """
    return name.translate(_ASCII_LOWER)


def in_quotes(name: str) -> str:
    """A name in double quotes, which SQLite takes whatever the name."""
    return '"' + name.replace('"', '""') + '"'


@functools.lru_cache(maxsize=100_000)
def quote_name(name: str) -> str:
    """A table's or column's name as SQL needs it: bare where SQLite and sqlglot take it so, else in double quotes.

    >>> [quote_name(n) for n in ("price", "Цена", "unit price", "select")]
    ['price', 'Цена', '"unit price"', '"select"']
    """
    quoted = in_quotes(name)
    return name if name.isprintable() and _sqlite_takes(name, quoted) and _sqlglot_takes(name, quoted) else quoted


def _sqlite_takes(name: str, quoted: str) -> bool:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection, contextlib.suppress(sqlite3.Error):
        return all(
            connection.execute(probe.format(name=name, quoted=quoted)).fetchall() == [(1,) * 5] for probe in _PROBES
        )
    return False


def _sqlglot_takes(name: str, quoted: str) -> bool:
    def parsed(written: str) -> list[exp.Expression]:
        trees = [sqlglot.parse_one(probe.format(name=written, quoted=quoted), read="sqlite") for probe in _PROBES]
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
    """One line a table or view: `loans(loan_id, book_id) [book_id->books.book_id]`, names as SQL needs them.

    No types: at this model size they cost tokens and gained nothing.

    >>> books = Table("books", ("id", "title"), ("INTEGER", "TEXT"), ("id",), ())
    >>> loans = Table("loans", ("id", "book_id"), ("INTEGER",) * 2, ("id",), (ForeignKey("book_id", "books", "id"),))
    >>> print(render_schema(Schema("library", (books, loans))))
    books(id, title)
    loans(id, book_id) [book_id->books.id]
    """
    return "\n".join(_line(table) for table in schema.tables)


def _line(table: Table) -> str:
    links = ((quote_name(name) for name in (k.column, k.table, k.target)) for k in table.foreign_keys)
    keys = ", ".join(f"{column}->{other}.{target}" for column, other, target in links)
    return f"{quote_name(table.name)}({', '.join(map(quote_name, table.columns))})" + (f" [{keys}]" if keys else "")


@functools.cache
def words(name: str) -> str:
    """A name as people say it.

    >>> words("monthly_salary"), words("FirstName"), words("hire_dt"), words("song_id")
    ('monthly salary', 'first name', 'hire date', 'song id')
    """
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")
    return " ".join(_SHORTHAND.get(p, p) for p in parts if p).strip() or name
