"""What a SQLite file holds, column by column: the ground on which queries are sampled and questions worded.

Nothing here needs labels, or declared keys: joins that the schema does not declare are inferred from names and values.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from forge_lib.tasks.sql.databases import why_unread
from forge_lib.tasks.sql.schema import Schema, Table, connect_readonly, limited_steps, quote_name, read_schema, words
from forge_lib.tasks.sql.synthesis.clocks import MOMENT, clock_of, day_of, is_written_day
from forge_lib.tasks.sql.synthesis.wording import flag_values, is_machine_text, is_quotable, nouns

# flag: yes or no; prose: sentences, shown and never filtered by; opaque (paths, JSON, hashes) and private: never asked about
_KINDS = ("key", "category", "flag", "label", "number", "year", "date", "text", "prose", "opaque", "private", "empty")
_PRIVATE = re.compile(
    r"e?mail|phone|fax|passw|token|street|address|ssn|iban|vin(_|$)|licen[cs]e_(no|number)|url|website|homepage", re.I
)
# What people write sentences into, whatever its length.
_FREE_TEXT = re.compile(r"(^| )(notes?|comments?|remarks?|descriptions?|biography|bio|summary|abstract|feedback)$")
_EXAMPLES = 200  # values of a column that are read; enough for quantiles and for a draw
_SHORT = 40  # characters; longer texts are no labels that a question could quote
MOST_ROWS = 100_000  # of a table that are looked at
STEPS = 200_000_000  # of SQLite's virtual machine for one column, about ten seconds


@dataclass(frozen=True)
class Column:
    """One column. kind: one of KINDS; values: of its `distinct` non-null values the EXAMPLES most frequent.

    clock: how a date is kept, one of `clocks.CLOCKS`; flag: what it holds for yes and for no; said: how questions call it
    where that is shorter than its name
    """

    table: str
    name: str
    kind: str
    rows: int
    nulls: int
    distinct: int
    values: tuple[Any, ...]
    clock: str = ""
    flag: tuple[Any, Any] | None = None
    said: str = ""

    @property
    def words(self) -> str:
        return self.said or words(self.name)

    @cached_property
    def askable(self) -> tuple[Any, ...]:
        """Those of its values that a question may name; of dates the days, "2024-03-05"."""
        if self.kind == "date":
            return tuple(dict.fromkeys(day for v in self.values if (day := day_of(v, self.clock))))
        return self.values if self.kind == "prose" else tuple(v for v in self.values if is_quotable(v))


@dataclass(frozen=True)
class Join:
    """`child.column` holds values of `parent.target`. declared: the schema says so; otherwise it was inferred."""

    child: str
    column: str
    parent: str
    target: str
    declared: bool


@dataclass(frozen=True)
class DatabaseProfile:
    """A database as the sampler sees it."""

    schema: Schema
    columns: dict[str, tuple[Column, ...]]
    keys: dict[str, str]  # table -> the one column that identifies its rows; tables without one are absent
    joins: tuple[Join, ...]
    left_out: dict[str, str] = field(default_factory=dict)  # table, view or column that could not be read -> why
    views: frozenset[str] = frozenset()

    def of_kind(self, table: str, *kinds: str) -> list[Column]:
        return [c for c in self.columns[table] if c.kind in kinds]

    def label(self, table: str) -> Column | None:
        """The column people call the table's rows by: a name or title if there is one."""
        labels = self.of_kind(table, "label")
        named = [c for c in labels if re.search(r"name|title|label", c.name, re.I)]
        return (named or labels or [None])[0]


def profile_database(path: Path | str) -> DatabaseProfile:
    """Read the SQLite file at `path`: kinds and values of its columns, keys and joins.

    Raises FileNotFoundError when there is no file, ValueError when it cannot be opened, is not a database or holds no
    rows.

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
        raise ValueError(f"{Path(path).name} {why_unread(error)}.") from error
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(
            f"{Path(path).name} cannot be opened ({error.strerror}). See that it is a file you may read."
        ) from error
    columns: dict[str, tuple[Column, ...]] = {}
    left_out: dict[str, str] = {}
    with contextlib.closing(connect_readonly(path)) as connection:
        for table in schema.tables:
            try:
                columns[table.name] = _read_table(connection, table, left_out)
            except sqlite3.Error as error:
                left_out[table.name] = str(error)
        listing = connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'")
        views = {name for (name,) in listing}
        primary = {t.name: t.primary_key for t in schema.tables}
        found = {t: _key_of(primary[t], its) for t, its in columns.items() if t not in views}
        keys = {t: key for t, key in found.items() if key}
        joins = _joins(connection, schema, columns, keys)
    if not any(c.rows for table in columns.values() for c in table):
        why = "".join(f" {name} could not be read ({reason})." for name, reason in list(left_out.items())[:3])
        if any("malformed" in reason for reason in left_out.values()):
            raise ValueError(
                f"{Path(path).name} is damaged.{why} Save what is left: sqlite3 FILE .recover | sqlite3 NEW.sqlite"
            )
        raise ValueError(f"{Path(path).name} holds no rows, so there is nothing to ask about. Fill it first.{why}")
    linked = {(t.name, k.column) for t in schema.tables for k in t.foreign_keys}
    linked |= {(j.child, j.column) for j in joins} | {
        (j.parent, j.target) for j in joins if j.target == keys.get(j.parent)
    }
    columns = {
        t: tuple(replace(c, kind="key") if _is_key(c, (t, c.name) in linked, primary[t]) else c for c in its)
        for t, its in columns.items()
    }
    columns = {t: tuple(replace(c, said=_short(c, its)) for c in its) for t, its in columns.items()}
    return DatabaseProfile(schema, columns, keys, joins, left_out, frozenset(views))


def _short(column: Column, its: tuple[Column, ...]) -> str:
    """The words of a column without the name of its table, "" where another column of the table ends in what is left.

    A product's product name is its name; an order's order date is not its date, as it may have a date of shipping too.
    """
    own = nouns(column.table)[0] + " "
    rest = column.words.removeprefix(own)
    alone = not any(c != column and c.words.endswith(rest) for c in its)
    return rest if column.words.startswith(own) and alone and column.kind != "key" else ""


def _read_table(connection: sqlite3.Connection, table: Table, left_out: dict[str, str]) -> tuple[Column, ...]:
    """The columns of a table; one that needs a collation which is not here is noted in `left_out` and counts as empty."""
    name = quote_name(table.name)
    with limited_steps(connection, STEPS, 100_000):
        rows = connection.execute(f"SELECT COUNT(*) FROM (SELECT 1 FROM {name} LIMIT {MOST_ROWS})").fetchone()[0]
    found = []
    for column, declared in zip(table.columns, table.types, strict=True):
        some = f"(SELECT {quote_name(column)} FROM {name} LIMIT {MOST_ROWS})"
        try:
            source = name if rows < MOST_ROWS else some
            found.append(_read_column(connection, table.name, source, column, declared, rows))
        except sqlite3.OperationalError as error:
            if "collation" not in str(error):
                raise
            left_out[f"{table.name}.{column}"] = str(error)
            found.append(Column(table.name, column, "empty", rows, rows, 0, ()))
    return tuple(found)


def _read_column(
    connection: sqlite3.Connection, table: str, source: str, name: str, declared: str, rows: int
) -> Column:
    c = quote_name(name)
    with limited_steps(connection, STEPS, 100_000):
        filled, distinct = connection.execute(f"SELECT COUNT({c}), COUNT(DISTINCT {c}) FROM {source}").fetchone()
        listing = connection.execute(
            f"SELECT {c} FROM {source} WHERE {c} IS NOT NULL GROUP BY {c} ORDER BY COUNT(*) DESC, {c} LIMIT {_EXAMPLES}"
        )
        values = tuple(row[0] for row in listing)
    clock, flag = clock_of(name, values), flag_values(name, values, declared)
    kind = _kind(name, values, filled, distinct, clock, flag)
    return Column(table, name, kind, rows, rows - filled, distinct, values, clock, flag)


def _kind(name: str, values: tuple, filled: int, distinct: int, clock: str, flag: tuple[Any, Any] | None) -> str:
    if not filled or any(isinstance(v, bytes) for v in values):
        return "empty"
    if _PRIVATE.search(name):
        return "private"
    said = words(name)
    is_id = bool(re.search(r"(^|_)(id|no|nr|number|code|key|uuid)$|^\w{1,3}id$|\wid$", said.replace(" ", "_")))
    if flag:
        return "flag"
    if clock:
        return "date"
    if all(isinstance(v, (int, float)) for v in values):
        if MOMENT.search(name) and all(is_written_day(v) for v in values):
            return "year"  # ordered like a year and never added up
        if re.search(r"(^| )(id|key)$", said) or (is_id and distinct == filled) or re.search(r"[a-z]id$", name):
            return "key"
        if all(float(v).is_integer() and 1500 <= v <= 2100 for v in values) and re.search(
            r"year|yr|founded|built", name, re.I
        ):
            return "year"
        if re.search(r"(^| )(code|zip|postcode)$", said):
            return "category" if distinct <= 30 and distinct < filled else "key"
        return "category" if distinct <= 2 and filled > 4 else "number"
    texts = [str(v) for v in values]
    if sum(map(is_machine_text, texts)) > len(texts) / 2:
        return "opaque"
    if max(map(len, texts)) > 3 * _SHORT or sum(map(len, texts)) / len(texts) > _SHORT:
        return "prose"
    if _FREE_TEXT.search(said) and sum(len(t.split()) for t in texts) >= 3 * len(texts):
        return "prose"
    if re.search(r"(^| )(id|key|uuid|guid)$", said) or (said.endswith("extension") and all(t.isdigit() for t in texts)):
        return "key"
    if distinct <= max(3, min(30, filled // 2)) and distinct < filled:
        return "category"
    if is_id:
        return "key"
    return "label" if distinct >= 0.8 * filled else "text"


def _is_key(column: Column, linked: bool, primary: tuple[str, ...]) -> bool:
    """Whether a column that does not look like a key is one: by a foreign key, or as the number of a row."""
    if linked:
        numbers = all(isinstance(v, (int, float)) for v in column.values)
        return column.kind in ("number", "year", "date", "flag", "text", "prose") or (
            column.kind == "category" and numbers
        )
    numbered = len(primary) == 1 or re.search(r"(^| )(number|no|nr|id|line|position|seq|sequence)$", column.words)
    return column.name in primary and column.kind == "number" and bool(numbered)


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
        for t in schema.tables if t.name in columns for k in t.foreign_keys if k.table in columns and k.table != t.name
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
    """Whether nearly all values of a column, of the rows that were counted, are among the keys of `parent`."""
    if not column.values:
        return False
    own, table, other = quote_name(column.name), quote_name(column.table), quote_name(key)
    try:
        with limited_steps(connection, STEPS, 100_000):
            orphans = connection.execute(
                f"SELECT COUNT(*) FROM (SELECT {own} FROM {table} LIMIT {MOST_ROWS}) WHERE {own} IS NOT NULL AND {own} "
                f"NOT IN (SELECT {other} FROM {quote_name(parent)} WHERE {other} IS NOT NULL)"
            ).fetchone()[0]
    except sqlite3.Error:  # too long: not known to be one
        return False
    return orphans <= 0.05 * (column.rows - column.nulls)
