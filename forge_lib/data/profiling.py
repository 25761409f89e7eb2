"""What a SQLite file holds, column by column: the ground on which queries are sampled and questions worded.

Nothing here needs labels, or declared keys: joins that the schema does not declare are inferred from names and values.
"""

from __future__ import annotations

import contextlib
import functools
import re
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forge_lib.tasks.sql.schema import Schema, connect_readonly, read_schema, words

KINDS = ("key", "category", "label", "number", "year", "date", "text", "private", "empty")
PRIVATE = re.compile(
    r"e?mail|phone|fax|passw|token|street|address|ssn|iban|vin(_|$)|licen[cs]e_(no|number)|url|website|homepage", re.I
)
EXAMPLES = 200  # values of a column that are read; enough for quantiles and for a draw
SHORT = 40  # characters; longer texts are no labels that a question could quote


@dataclass(frozen=True)
class Column:
    """One column. kind: one of KINDS; values: of its `distinct` non-null values the EXAMPLES most frequent."""

    table: str
    name: str
    kind: str
    rows: int
    nulls: int
    distinct: int
    values: tuple[Any, ...]

    @property
    def words(self) -> str:
        return words(self.name)


@dataclass(frozen=True)
class Join:
    """`child.column` holds values of `parent.target`. declared: the schema says so; otherwise it was inferred."""

    child: str
    column: str
    parent: str
    target: str
    declared: bool


@dataclass(frozen=True)
class Profile:
    """A database as the sampler sees it."""

    schema: Schema
    columns: dict[str, tuple[Column, ...]]
    keys: dict[str, str]  # table -> the one column that identifies its rows; tables without one are absent
    joins: tuple[Join, ...]

    def of_kind(self, table: str, *kinds: str) -> list[Column]:
        return [c for c in self.columns[table] if c.kind in kinds]

    def label(self, table: str) -> Column | None:
        """The column people call the table's rows by: a name or title if there is one."""
        labels = self.of_kind(table, "label")
        named = [c for c in labels if re.search(r"name|title|label", c.name, re.I)]
        return (named or labels or [None])[0]


def profile_database(path: Path | str) -> Profile:
    """Read the SQLite file at `path`: kinds and values of its columns, keys and joins.

    Raises FileNotFoundError when there is no file, ValueError when it is not a database or holds no rows.

    >>> import sqlite3, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "shop.sqlite"
    >>> with sqlite3.connect(path) as db:
    ...     _ = db.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    >>> [c.kind for c in profile_database(path).columns["t"]]
    ['key', 'label']
    """
    try:
        schema = read_schema(path)
    except sqlite3.DatabaseError as error:
        raise ValueError(f"{Path(path).name} is not a SQLite database ({error}).") from error
    connection = connect_readonly(path)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        columns, keys = {}, {}
        for table in schema.tables:
            rows = connection.execute(f"SELECT COUNT(*) FROM {quoted(table.name)}").fetchone()[0]
            found = [_read_column(connection, table.name, name, rows) for name in table.columns]
            key = _key_of(table.primary_key, found)
            if key:
                keys[table.name] = key
            columns[table.name] = tuple(found)
        joins = _joins(connection, schema, columns, keys)
    finally:
        connection.close()
    if not any(c.rows for table in columns.values() for c in table):
        raise ValueError(f"{Path(path).name} holds no rows, so there is nothing to ask about. Fill it first.")
    linked = {(j.child, j.column) for j in joins} | {
        (j.parent, j.target) for j in joins if j.target == keys.get(j.parent)
    }
    columns = {
        t: tuple(
            replace(c, kind="key") if (t, c.name) in linked and c.kind not in ("label", "category") else c for c in cs
        )
        for t, cs in columns.items()
    }
    return Profile(schema, columns, keys, joins)


@functools.cache
def quoted(name: str) -> str:
    """A name as SQL needs it: quoted only where SQLite does not take it bare.

    >>> quoted("title"), quoted("order"), quoted("unit price")
    ('title', '"order"', '"unit price"')
    """
    if re.fullmatch(r"[A-Za-z_]\w*", name):
        with contextlib.closing(sqlite3.connect(":memory:")) as asked, contextlib.suppress(sqlite3.Error):
            asked.execute(f"CREATE TABLE {name} ({name})")
            asked.execute(f"SELECT {name}.{name} FROM {name} WHERE {name} > 1")
            return name
    return '"' + name.replace('"', '""') + '"'


@functools.cache
def nouns(table: str) -> tuple[str, str]:
    """(one, many) of what a table holds.

    >>> nouns("loan_requests"), nouns("Person")
    (('loan request', 'loan requests'), ('person', 'people'))
    """
    import inflect

    engine = inflect.engine()
    *front, last = words(table).split(" ")
    one = engine.singular_noun(last) or last
    many = last if engine.singular_noun(last) else engine.plural_noun(last)
    return " ".join([*front, one]), " ".join([*front, many])


def _read_column(connection: sqlite3.Connection, table: str, name: str, rows: int) -> Column:
    t, c = quoted(table), quoted(name)
    filled, distinct = connection.execute(f"SELECT COUNT({c}), COUNT(DISTINCT {c}) FROM {t}").fetchone()
    listing = connection.execute(
        f"SELECT {c} FROM {t} WHERE {c} IS NOT NULL GROUP BY {c} ORDER BY COUNT(*) DESC, {c} LIMIT {EXAMPLES}"
    )
    values = tuple(row[0] for row in listing)
    return Column(table, name, _kind(name, values, filled, distinct), rows, rows - filled, distinct, values)


def _kind(name: str, values: tuple, filled: int, distinct: int) -> str:
    if not filled or any(isinstance(v, bytes) for v in values):
        return "empty"
    if PRIVATE.search(name):
        return "private"
    is_id = bool(re.search(r"(^|_)(id|no|nr|number|code|key|uuid)$|^\w{1,3}id$|\wid$", words(name).replace(" ", "_")))
    if all(isinstance(v, (int, float)) for v in values):
        if re.search(r"(^| )(id|key)$", words(name)) or (is_id and distinct == filled) or re.search(r"[a-z]id$", name):
            return "key"
        if all(float(v).is_integer() and 1500 <= v <= 2100 for v in values) and re.search(
            r"year|yr|founded|built", name, re.I
        ):
            return "year"
        return "category" if distinct <= 2 and filled > 4 else "number"
    texts = [str(v) for v in values]
    if all(re.match(r"\d{4}-\d\d-\d\d", v) for v in texts):
        return "date"
    if max(map(len, texts)) > 3 * SHORT or sum(map(len, texts)) / len(texts) > SHORT:
        return "text"
    if distinct <= max(3, min(30, filled // 2)) and distinct < filled:
        return "category"
    if is_id:
        return "key"
    return "label" if distinct >= 0.8 * filled else "text"


def _key_of(primary: tuple[str, ...], columns: list[Column]) -> str | None:
    if len(primary) == 1:
        return primary[0]
    if primary:
        return None
    unique = [c for c in columns if c.rows and not c.nulls and c.distinct == c.rows and c.kind in ("key", "label")]
    unique.sort(key=lambda c: c.kind != "key")  # stable: an id before a name
    return unique[0].name if unique else None


def _joins(
    connection, schema: Schema, columns: dict[str, tuple[Column, ...]], keys: dict[str, str]
) -> tuple[Join, ...]:
    declared = [
        Join(t.name, k.column, k.table, k.target, True)
        for t in schema.tables for k in t.foreign_keys if k.table in columns and k.table != t.name
    ]  # fmt: skip
    known = {(j.child, j.column) for j in declared}
    inferred = []
    for child, its in columns.items():
        for column in its:
            if (
                (child, column.name) in known
                or column.name == keys.get(child)
                or column.kind not in ("key", "label", "category", "text")
            ):
                continue
            # Of two tables with that key the one whose name the column bears: course_id belongs to course, not to area.
            for parent, key in sorted(keys.items(), key=lambda k: not _bears(column.name, k[0])):
                if (
                    parent != child
                    and _same_name(column.name, parent, key)
                    and _contained(connection, column, parent, key)
                ):
                    inferred.append(Join(child, column.name, parent, key, False))
                    break
    return tuple(declared + inferred)


def _same_name(column: str, parent: str, key: str) -> bool:
    """`author_id` or `authorid` refers to `authors.author_id` or to `authors.id`; a bare `id` or `name` to nothing."""
    bare = column.lower().replace("_", "")
    if bare in ("id", "name", "code", "key", "title"):
        return False
    one = nouns(parent)[0].replace(" ", "")
    return bare in (key.lower().replace("_", ""), one + key.lower().replace("_", ""))


def _bears(column: str, parent: str) -> bool:
    return column.lower().replace("_", "").startswith(nouns(parent)[0].replace(" ", ""))


def _contained(connection, column: Column, parent: str, key: str) -> bool:
    if not column.values:
        return False
    orphans = connection.execute(
        f"SELECT COUNT(*) FROM {quoted(column.table)} WHERE {quoted(column.name)} IS NOT NULL AND {quoted(column.name)} "
        f"NOT IN (SELECT {quoted(key)} FROM {quoted(parent)} WHERE {quoted(key)} IS NOT NULL)"
    ).fetchone()[0]
    return orphans <= 0.05 * (column.rows - column.nulls)
