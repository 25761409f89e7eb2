"""Schema augmentation: the same question over a schema that looks different each time it is seen.

A small model that meets the same twenty-odd schemas at every pass learns them by heart instead of learning to
read one. So tables and columns are put in another order, those that no question of the pack needs are dropped
at random, and identifiers are written in another style, in schema and SQL alike. Training only.
"""

from __future__ import annotations

import contextlib
import random
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sqlglot import exp
from sqlglot.errors import SqlglotError

from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.parsing import parse_query
from forge_lib.tasks.sql.schema import Schema, Table, fold, in_quotes, quote_name

STYLES = {
    "as it is": lambda name: name,
    "UPPER": lambda name: name.upper(),
    "Title_Case": lambda name: "_".join(w.capitalize() for w in name.split("_")),
    "camelCase": lambda name: name.split("_")[0] + "".join(w.capitalize() for w in name.split("_")[1:]),
    "PascalCase": lambda name: "".join(w.capitalize() for w in name.split("_")),
}
_STYLE_WEIGHTS = (12, 1, 1, 1, 1)  # plain snake_case stays the commonest, as in the wild


# SQLite's own rules (https://sqlite.org/src/file/src/tokenize.c): every character beyond ASCII may stand in a name, and
# "..." is a string where no such name is in scope. sqlglot reads both otherwise.
_TOKEN = re.compile(
    r"""(?P<string>[xX]?'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    |(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<bare>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
    |(?P<number>[0-9][\w.]*)""",
    re.DOTALL | re.VERBOSE | re.ASCII,
)
_Reads = frozenset[tuple[str, str]]  # (table, column), both as `fold` gives them; column "" for the table itself


def augment(schema: Schema, pairs: Sequence[Pair], rng: random.Random, drop: float = 0.2) -> tuple[Schema, list[Pair]]:
    """A view of `schema` on which every pair's SQL still means the same, and the pairs rewritten for it.

    `drop`: probability that a table or column which no pair uses is left out of the view. Schema and pairs come back
    as they are where SQLite cannot tell what a query reads, or the draw would change what it means.
    """
    reads = _reads(schema, [p.sql for p in pairs])
    if None in reads:
        return schema, list(pairs)
    used = {name for pair in reads for read in pair for name in read}.union(*(identifiers(p.sql) for p in pairs))
    tables = [t for t in schema.tables if fold(t.name) in used or rng.random() >= drop]
    rng.shuffle(tables)
    kept = {t.name for t in tables}
    starred = {table for p, pair in zip(pairs, reads, strict=True) if _has_star(p.sql) for table, _ in pair}
    tables = [_thin(t, used, kept, rng, drop, fold(t.name) in starred) for t in tables]
    columns = {(t.name, fold(c)) for t in tables for c in t.columns}
    tables = [replace(t, foreign_keys=tuple(k for k in t.foreign_keys if (k.table, fold(k.target)) in columns)) for t in tables]  # fmt: skip
    view = replace(schema, tables=tuple(tables))
    style = rng.choices(list(STYLES), _STYLE_WEIGHTS)[0]
    names = {n: STYLES[style](n) or n for t in schema.tables for n in (t.name, *t.columns)}
    if style != "as it is" and _stay_apart(names, used):
        styled = replace(view, tables=tuple(_rename(t, names) for t in tables))
        rewritten = [replace(p, sql=rename_identifiers(p.sql, names, schema)) for p in pairs]
        new = {fold(old): fold(name) for old, name in names.items()}
        wanted = [frozenset((new[table], new.get(column, column)) for table, column in pair) for pair in reads]
        if _reads(styled, [p.sql for p in rewritten]) == wanted:
            return styled, rewritten
    same = _reads(view, [p.sql for p in pairs]) == reads
    return view if same else schema, list(pairs)


def identifiers(sql: str) -> set[str]:
    """Every name that the query may use, whole and lower-case: its words that are no function's, and what it quotes.

    A superset: keywords and aliases are among them, and strings in double quotes, which only a schema tells from names.

    >>> sorted(identifiers("SELECT ROUND(цена), `unit price` FROM [Order Details] WHERE kind = 'a b'"))
    ['from', 'kind', 'order details', 'select', 'unit price', 'where', 'цена']
    """
    return {name.lower() for _, name in _names(sql)}


def rename_identifiers(sql: str, names: Mapping[str, str], schema: Schema | None = None) -> str:
    """`sql` with tables and columns written as `names` says; keywords, functions and strings untouched.

    schema: what the query is about; it tells names in double quotes from strings, which without it are left alone.

    >>> rename_identifiers("SELECT date(name) FROM t WHERE note = 'name'", {"name": "NAME", "date": "DATE"})
    "SELECT date(NAME) FROM t WHERE note = 'name'"
    """
    folded = {fold(old): new for old, new in names.items()}
    pieces, end = [], 0
    for match, name in _names(sql):
        new = folded.get(fold(name))
        if new is None or (match.group()[0] == '"' and not _is_name(schema, sql, match, name)):
            continue
        pieces += [sql[end : match.start()], _written(match.group(), new)]
        end = match.end()
    return "".join([*pieces, sql[end:]])


def canonical_sql(sql: str) -> str:
    """One style of SQL for training: sqlglot's printing on one line, functions upper-case.

    Raises SqlglotError for what is not one query.

    >>> canonical_sql("select count(*) from  t where a<>1")
    'SELECT COUNT(*) FROM t WHERE a <> 1'
    """
    return parse_query(sql).sql(dialect="sqlite", normalize_functions="upper")


def skeleton(sql: str) -> str:
    """The query with names, literals and aliases blanked: two queries of one skeleton differ only in what they name.

    What sqlglot cannot parse has its own words for a skeleton, so that SQL which only SQLite takes can be counted too.

    >>> skeleton("SELECT a FROM t WHERE b = 3") == skeleton("SELECT x FROM u WHERE y = 'z'")
    True
    """
    try:
        tree = parse_query(sql)
    except SqlglotError:
        return " ".join(sql.split())
    for node in list(tree.walk()):
        if isinstance(node, exp.Identifier):
            node.set("this", "_")
        elif isinstance(node, exp.Literal):
            node.replace(exp.Literal.number(0))
    return tree.sql(dialect="sqlite")


def _names(sql: str) -> Iterator[tuple[re.Match, str]]:
    """Where a name may stand in the query, and the name without its quotes."""
    for match in _TOKEN.finditer(sql):
        text = match.group()
        if match["quoted"]:
            yield match, text[1:-1].replace(text[-1] * 2, text[-1]) if text[0] != "[" else text[1:-1]
        # A name directly before "(" is a function, even where a column has the same name.
        elif match["bare"] and sql[match.end() : match.end() + 1] != "(":
            yield match, text


def _has_star(sql: str) -> bool:
    """Whether the query returns all columns of a table, in the table's order."""
    bare = _TOKEN.sub(lambda match: " " if match["string"] or match["comment"] else match.group(), sql)
    return bool(re.search(r"(\b(select|distinct|all)|[.,])\s*\*", bare, re.IGNORECASE))


def _written(old: str, new: str) -> str:
    """`new` in the quotes of `old`; in those it needs where `old` stood bare and could."""
    if old[0] in '"`':
        return old[0] + new.replace(old[0], old[0] * 2) + old[0]
    if old[0] == "[":
        return f"[{new}]"
    return quote_name(new) if quote_name(old) == old else new


def _is_name(schema: Schema | None, sql: str, match: re.Match, name: str) -> bool:
    """Whether SQLite takes a word in double quotes for a name: then it stands as well in brackets, which no string may."""
    bracketed = f"{sql[: match.start()]}[{name}]{sql[match.end() :]}"
    return schema is not None and "]" not in name and _reads(schema, [bracketed]) != [None]


def _reads(schema: Schema, queries: Sequence[str]) -> list[_Reads | None]:
    """What each query reads, as SQLite tells its authorizer; None where SQLite does not take it on this schema."""
    # No cache: a statement that is prepared already tells its authorizer nothing.
    with contextlib.closing(sqlite3.connect(":memory:", cached_statements=0)) as connection:
        try:
            for table in schema.tables:
                columns = ", ".join(in_quotes(c) for c in table.columns)
                connection.execute(f"CREATE TABLE {in_quotes(table.name)} ({columns})")
        except sqlite3.Error:
            return [None] * len(queries)
        return [_reads_of(connection, schema, sql) for sql in queries]


def _reads_of(connection: sqlite3.Connection, schema: Schema, sql: str) -> _Reads | None:
    found: set[tuple[str, str]] = set()
    columns = {fold(t.name): {fold(c) for c in t.columns} for t in schema.tables}

    def note(action: int, table: str | None, column: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ and fold(table or "") in columns:  # not so where a WITH names it
            found.add((fold(table), fold(column or "")))
        return sqlite3.SQLITE_OK

    connection.set_authorizer(note)
    try:
        connection.execute(f"EXPLAIN {sql}")
    except (sqlite3.Error, sqlite3.Warning):
        return None
    if any(fold(name) == "natural" for _, name in _names(sql)):  # SQLite does not tell which columns it joins on
        found |= {(table, column) for table, _ in set(found) for column in columns[table]}
    return frozenset(found)


def _stay_apart(names: Mapping[str, str], used: set[str]) -> bool:
    """Whether what the queries say in different words is still in different words when `names` are rewritten."""
    new = {fold(old): fold(name) for old, name in names.items()}
    return len({new.get(word, word) for word in used}) == len(used)


def _thin(table: Table, used: set[str], tables: set[str], rng: random.Random, drop: float, in_order: bool) -> Table:
    keys = tuple(k for k in table.foreign_keys if k.table in tables)
    needed = used | {fold(k.column) for k in keys} | {fold(c) for c in table.primary_key}
    pairs = [
        (c, t) for c, t in zip(table.columns, table.types, strict=True) if fold(c) in needed or rng.random() >= drop
    ]
    pairs = pairs or list(zip(table.columns[:1], table.types[:1], strict=True))
    rng.shuffle(pairs)
    if in_order:
        pairs.sort(key=lambda pair: table.columns.index(pair[0]))
    return replace(table, columns=tuple(c for c, _ in pairs), types=tuple(t for _, t in pairs), foreign_keys=keys)


def _rename(table: Table, names: Mapping[str, str]) -> Table:
    folded = {fold(old): new for old, new in names.items()}
    return replace(
        table,
        name=names[table.name],
        columns=tuple(names[c] for c in table.columns),
        primary_key=tuple(folded[fold(c)] for c in table.primary_key),
        foreign_keys=tuple(
            replace(k, column=folded[fold(k.column)], table=folded[fold(k.table)], target=folded[fold(k.target)])
            for k in table.foreign_keys
        ),
    )
