"""Schema augmentation: the same question over a schema that looks different each time it is seen.

A small model that meets the same twenty-odd schemas at every pass learns them by heart instead of learning to
read one. So tables and columns are put in another order, those that no question of the pack needs are dropped
at random, and identifiers are written in another style, in schema and SQL alike. Training only.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace

import sqlglot
from sqlglot import exp

from forge_lib.data.pairs import Pair
from forge_lib.tasks.sql.schema import ForeignKey, Schema, Table

STYLES = {
    "as it is": lambda name: name,
    "UPPER": lambda name: name.upper(),
    "Title_Case": lambda name: "_".join(w.capitalize() for w in name.split("_")),
    "camelCase": lambda name: name.split("_")[0] + "".join(w.capitalize() for w in name.split("_")[1:]),
    "PascalCase": lambda name: "".join(w.capitalize() for w in name.split("_")),
}
STYLE_WEIGHTS = (12, 1, 1, 1, 1)  # plain snake_case stays the commonest, as in the wild


def augment(schema: Schema, pairs: Sequence[Pair], rng: random.Random, drop: float = 0.2) -> tuple[Schema, list[Pair]]:
    """A view of `schema` on which every pair's SQL still means the same, and the pairs rewritten for it.

    `drop`: probability that a table or column which no pair uses is left out of the view.
    """
    used = set().union(*(identifiers(p.sql) for p in pairs))
    tables = [t for t in schema.tables if _is_used(t.name, used) or rng.random() >= drop]
    rng.shuffle(tables)
    kept = {t.name for t in tables}
    tables = [_thin(t, used, kept, rng, drop) for t in tables]
    style = rng.choices(list(STYLES), STYLE_WEIGHTS)[0]
    if style == "as it is":
        return Schema(schema.db_id, tuple(tables)), list(pairs)
    write = STYLES[style]
    names = {n: write(n) for t in schema.tables for n in (t.name, *t.columns)}
    return (
        Schema(schema.db_id, tuple(_rename(t, names) for t in tables)),
        [replace(p, sql=rename_identifiers(p.sql, names)) for p in pairs],
    )


def identifiers(sql: str) -> set[str]:
    """Every word of the query outside its strings that is no function's, lower-case: a superset of the names it uses.

    >>> "round" in identifiers("SELECT ROUND(price) FROM games")
    False
    """
    return {w.lower() for w in re.findall(r"[A-Za-z_]\w*(?!\w|\()", re.sub(r"'(?:[^']|'')*'", " ", sql))}


def rename_identifiers(sql: str, names: dict[str, str]) -> str:
    """`sql` with tables and columns written as `names` says; keywords, functions and strings untouched."""
    pieces = re.split(r"('(?:[^']|'')*')", sql)
    lower = {old.lower(): new for old, new in names.items()}

    def swap(match: re.Match) -> str:
        return lower.get(match.group().lower(), match.group())

    # A name directly before "(" is a function, even where a column has the same name.
    return "".join(p if p.startswith("'") else re.sub(r"[A-Za-z_]\w*(?!\w|\()", swap, p) for p in pieces)


def canonical_sql(sql: str) -> str:
    """One style of SQL for training: sqlglot's printing on one line, functions upper-case.

    >>> canonical_sql("select count(*) from  t where a<>1")
    'SELECT COUNT(*) FROM t WHERE a <> 1'
    """
    return sqlglot.parse_one(sql, read="sqlite").sql(dialect="sqlite", normalize_functions="upper")


def skeleton(sql: str) -> str:
    """The query with names, literals and aliases blanked: two queries of one skeleton differ only in what they name.

    >>> skeleton("SELECT a FROM t WHERE b = 3") == skeleton("SELECT x FROM u WHERE y = 'z'")
    True
    """
    tree = sqlglot.parse_one(sql, read="sqlite")
    for node in list(tree.walk()):
        if isinstance(node, exp.Identifier):
            node.set("this", "_")
        elif isinstance(node, exp.Literal):
            node.replace(exp.Literal.number(0))
    return tree.sql(dialect="sqlite")


def _thin(table: Table, used: set[str], tables: set[str], rng: random.Random, drop: float) -> Table:
    keys = tuple(k for k in table.foreign_keys if k.table in tables)
    needed = used | {k.column.lower() for k in keys} | {c.lower() for c in table.primary_key}
    pairs = [
        (c, t) for c, t in zip(table.columns, table.types, strict=True) if _is_used(c, needed) or rng.random() >= drop
    ]
    rng.shuffle(pairs)
    return replace(table, columns=tuple(c for c, _ in pairs), types=tuple(t for _, t in pairs), foreign_keys=keys)


def _is_used(name: str, used: set[str]) -> bool:
    """Whether `identifiers` saw the name; one that SQL must quote ("unit price") it sees word by word."""
    return name.lower() in used or (not name.isidentifier() and set(re.findall(r"[a-z_]\w*", name.lower())) <= used)


def _rename(table: Table, names: dict[str, str]) -> Table:
    return Table(
        names[table.name],
        tuple(names[c] for c in table.columns),
        table.types,
        tuple(names[c] for c in table.primary_key),
        tuple(ForeignKey(names[k.column], names[k.table], names.get(k.target, k.target)) for k in table.foreign_keys),
    )
