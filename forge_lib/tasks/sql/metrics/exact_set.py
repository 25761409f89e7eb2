"""Spider's exact set match: two queries are one where their clauses hold the same parts, values and their order aside."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlglot import exp
from sqlglot.errors import SqlglotError

from forge_lib.tasks import GoldError
from forge_lib.tasks.sql.opening import file_state
from forge_lib.tasks.sql.parsing import parse_query
from forge_lib.tasks.sql.schema import Schema, read_schema

_SET_OPERATIONS = {exp.Union: "union", exp.Except: "except", exp.Intersect: "intersect"}


@dataclass(frozen=True)
class _Condition:
    """`unit` compared by `operator`, perhaps negated; `inner` are the queries compared with, other values are left out."""

    negated: bool
    operator: str
    unit: tuple
    inner: tuple[_Parts, ...] = ()


@dataclass(frozen=True)
class _Parts:
    """What one SELECT holds, clause by clause, and the query that a set operation joins to it.

    distinct, and the order within a clause, count in a query compared with only, as in the official script
    words: keywords that are there; connectives: "and" and "or" as they stand in WHERE
    """

    distinct: bool
    select: tuple
    tables: tuple
    where: tuple[_Condition, ...] = ()
    connectives: tuple[str, ...] = ()
    group: tuple = ()
    having: tuple = ()
    order: tuple = ()
    direction: str = ""
    limited: bool = False
    words: frozenset[str] = frozenset()
    operation: str = ""
    other: _Parts | None = None


def spider_exact_set(sql: str, gold: str, database: Path | str, sandbox: object = None) -> float:
    """1 or 0 by exact set match without values (Yu et al. 2018, https://arxiv.org/abs/1809.08887); nothing is executed.

    Compared are the SELECT list, tables, conditions, groups, order and keywords of each SELECT, columns by the table they
    are of, columns that a foreign key joins as one; not compared are values, DISTINCT, what JOIN is ON, and aliases.
    Raises GoldError where the gold cannot be read.
    """
    schema = _schema(str(database), file_state(database))
    try:
        wanted = _parts(parse_query(gold), schema)
    except SqlglotError as error:
        raise GoldError(f"The gold query cannot be taken apart ({error}): {gold}. Mend the pair.") from None
    try:
        got = _parts(parse_query(sql), schema)
    except SqlglotError:
        return 0.0
    keys = _linked(schema)
    return float(_same(_merged(got, keys), _merged(wanted, keys)))


def _same(got: _Parts, wanted: _Parts) -> bool:
    """Whether two queries match, clause by clause."""
    if got.operation != wanted.operation or bool(got.other) != bool(wanted.other):
        return False
    return (
        _bag(got.select) == _bag(wanted.select)
        and _bag(got.where) == _bag(wanted.where)
        and set(got.connectives) == set(wanted.connectives)
        and (got.group, got.having) == (wanted.group, wanted.having)
        and (got.order, got.direction, got.limited) == (wanted.order, wanted.direction, wanted.limited)
        and got.words == wanted.words
        and _bag(got.tables) == _bag(wanted.tables)
        and (got.other is None or _same(got.other, wanted.other))
    )


def _parts(query: exp.Expression, schema: Schema) -> _Parts:
    """The parts of a parsed query. Raises SqlglotError for what is no SELECT (VALUES, for one)."""
    query = query.unnest()
    if isinstance(query, exp.SetOperation):
        return _joined(query, schema)
    if not isinstance(query, exp.Select):
        raise SqlglotError("it is no SELECT")
    names, tables = _scope(query, schema)
    unit = functools.partial(_unit, names=names, schema=schema)
    clauses = [query.args.get(name) and query.args[name].this for name in ("where", "having")]
    clauses += [join.args.get("on") for join in query.args.get("joins") or ()]
    where, having, *joined = (_conditions(clause, unit) for clause in clauses)
    connectives = [tuple(_connectives(clause)) for clause in clauses]
    order = query.args["order"].expressions if query.args.get("order") else ()
    # The official script keeps one direction for all keys: the last one written.
    direction = next(("desc" for key in reversed(order) if key.args.get("desc")), "asc") if order else ""
    group = query.args["group"].expressions if query.args.get("group") else ()
    found = _Parts(
        bool(query.args.get("distinct")), tuple(unit(e) for e in query.expressions), tables, where,
        connectives[0], tuple(unit(e) for e in group), having, tuple(unit(key.this) for key in order), direction,
        bool(query.args.get("limit")),
    )  # fmt: skip
    return replace(found, words=_words(found, sum(joined, ()), "or" in itertools.chain(*connectives)))


def _linked(schema: Schema) -> dict[tuple[str, str], tuple[str, str]]:
    """For each column that a foreign key joins to another, the one that stands for both."""
    groups: list[set[tuple[str, str]]] = []
    for table in schema.tables:
        for key in table.foreign_keys:
            pair = {(table.name.lower(), key.column.lower()), (key.table.lower(), key.target.lower())}
            known = next((g for g in groups if g & pair), None)
            groups.append(pair) if known is None else known.update(pair)
    return {column: min(group) for group in groups for column in group}


@functools.lru_cache(maxsize=256)
def _schema(database: str, state: tuple) -> Schema:
    return read_schema(database)


def _joined(query: exp.SetOperation, schema: Schema) -> _Parts:
    """A chain of set operations: each part holds the next, ORDER BY and LIMIT belong to the last, as they are read."""
    sides, operations, node = [], [], query
    while isinstance(node, exp.SetOperation):
        sides.append(node.expression)
        operations.append(_SET_OPERATIONS[type(node)])
        node = node.this.unnest()
    sides.append(node)
    last = sides[0].unnest().copy()
    for clause in ("order", "limit"):
        if query.args.get(clause):
            last.set(clause, query.args[clause].copy())
    found = _parts(last, schema)
    for side, operation in zip(sides[1:], operations, strict=True):
        before = _parts(side, schema)
        found = replace(before, operation=operation, other=found, words=before.words | {operation})
    return found


def _scope(query: exp.Select, schema: Schema) -> tuple[dict[str, str], tuple]:
    """Tables by the names they have in a SELECT, in order, and what stands in FROM."""
    names: dict[str, str] = {}
    tables = []
    sources = [query.args["from_"].this] if query.args.get("from_") else []
    for source in (*sources, *(join.this for join in query.args.get("joins") or ())):
        if isinstance(source, exp.Table):
            names[source.alias_or_name.lower()] = source.name.lower()
            tables.append(source.name.lower())
        elif isinstance(source, exp.Subquery):
            tables.append(_parts(source, schema))
    return names, tuple(tables)


def _unit(node: exp.Expression, names: dict[str, str], schema: Schema) -> tuple:
    """An expression as nested tuples: aliases taken off, columns with their table, DISTINCT left out."""
    node = node.unalias().unnest()
    if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
        return ("*",)
    if isinstance(node, exp.Column):
        return ("column", _table_of(node, names, schema), node.name.lower())
    if isinstance(node, exp.Distinct):
        return tuple(itertools.chain(*(_unit(e, names, schema) for e in node.expressions)))
    if isinstance(node, exp.Query):
        return ("query", _parts(node, schema))
    if isinstance(node, exp.Literal):
        return ("value", node.name)
    inner = tuple(_unit(child, names, schema) for child in node.iter_expressions())
    return (node.key, *inner)


def _table_of(column: exp.Column, names: dict[str, str], schema: Schema) -> str:
    """The table of a column; of a bare one the first in FROM that has it. "" where none has it."""
    if column.table:
        return names.get(column.table.lower(), column.table.lower())
    having = {t.name.lower() for t in schema.tables if column.name.lower() in (c.lower() for c in t.columns)}
    return next((table for table in names.values() if table in having), "")


def _conditions(node: exp.Expression | None, unit: Callable[[exp.Expression], tuple]) -> tuple[_Condition, ...]:
    return tuple(_condition(leaf, unit) for leaf in _leaves(node))


def _leaves(node: exp.Expression | None) -> Iterator[exp.Expression]:
    """What AND and OR connect, in the order in which it is written."""
    node = node.unnest() if node is not None else None
    if isinstance(node, exp.Connector):
        yield from _leaves(node.left)
        yield from _leaves(node.right)
    elif node is not None:
        yield node


def _connectives(node: exp.Expression | None) -> Iterator[str]:
    node = node.unnest() if node is not None else None
    if isinstance(node, exp.Connector):
        yield node.key
        yield from _connectives(node.left)
        yield from _connectives(node.right)


def _condition(leaf: exp.Expression, unit: Callable[[exp.Expression], tuple]) -> _Condition:
    negated = isinstance(leaf, exp.Not)
    leaf = leaf.this.unnest() if negated else leaf
    negated |= bool(leaf.args.get("negate"))
    left = unit(leaf.this) if isinstance(leaf.this, exp.Expression) else ()
    compared = [unit(child) for child in leaf.iter_expressions() if child is not leaf.this]
    inner = tuple(other[1] for other in compared if other[:1] == ("query",))
    return _Condition(negated, leaf.key, left, inner)


def _words(found: _Parts, on: Sequence[_Condition], has_or: bool) -> frozenset[str]:
    conditions = [*found.where, *found.having, *on]
    clauses = {"where": found.where, "group": found.group, "having": found.having, "order": found.order}
    there = {name for name, content in clauses.items() if content} | ({"limit"} if found.limited else set())
    there |= {c.operator for c in conditions if c.operator in ("in", "like")}
    return frozenset(there | ({"or"} if has_or else set()) | ({"not"} if any(c.negated for c in conditions) else set()))


def _merged(found: _Parts, same: dict[tuple[str, str], tuple[str, str]], tables: Sequence = ()) -> _Parts:
    """The parts with linked columns named as one; the official script does not look into queries compared with."""
    tables = tables or [t for t in found.tables if isinstance(t, str)]

    def named(unit):
        if not isinstance(unit, tuple):
            return unit
        if unit[:1] == ("column",):
            return ("column", *same.get(unit[1:], unit[1:])) if unit[1] in tables else unit
        return tuple(named(part) for part in unit)

    def conditions(those):
        return tuple(replace(c, unit=named(c.unit)) for c in those)

    other = found.other and _merged(found.other, same, tables)
    return replace(
        found, select=named(found.select), where=conditions(found.where), group=named(found.group),
        having=conditions(found.having), order=named(found.order), other=other,
    )  # fmt: skip


def _bag(those: Sequence) -> Counter:
    return Counter(those)
