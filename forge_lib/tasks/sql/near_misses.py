"""Queries that are almost a gold: what a model writes that has nearly understood, made by small edits of the parsed gold.

The neighbours of test-suite evaluation (Zhong et al. 2020, https://arxiv.org/abs/2010.02840): a state of a database is
worth what it tells apart of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from sqlglot import exp
from sqlglot.errors import SqlglotError

from forge_lib.tasks.sql.parsing import parse_query, with_strings
from forge_lib.tasks.sql.schema import Schema, fold, quote_name

_EDGES = {exp.GT: exp.GTE, exp.GTE: exp.GT, exp.LT: exp.LTE, exp.LTE: exp.LT}
_OPPOSITES = {exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE, exp.EQ: exp.NEQ, exp.NEQ: exp.EQ}
_AGGREGATES = {exp.Min: exp.Max, exp.Max: exp.Min, exp.Sum: exp.Avg, exp.Avg: exp.Sum}
_SETS = {exp.Except: exp.Intersect, exp.Intersect: exp.Union, exp.Union: exp.Intersect}
_Edit = Callable[[exp.Expression], Iterator[exp.Expression]]  # what may stand in a node's place; each a new tree


def near_misses(gold: str, schema: Schema, most: int = 24) -> list[str]:
    """Up to `most` different queries, each one edit away from `gold`; the same ones each time, all kinds of edit in turn.

    Some mean the same as the gold on every state that the keys allow, which nobody can know beforehand. None for a gold
    that sqlglot cannot parse.

    >>> near_misses("SELECT a FROM t WHERE b > 1", Schema("d", ()), most=4)
    ['SELECT DISTINCT a FROM t WHERE b > 1', 'SELECT a FROM t WHERE b >= 1', 'SELECT a FROM t WHERE b < 1', 'SELECT a FROM t']
    """
    try:
        tree = with_strings(parse_query(gold), schema.names)
        kinds = [_distinct, _edges, _opposite, _joins, _count, _aggregate, _logic, _filters, _order, _limit, _sets,
                 _negation, _grouping, _pattern, _constants, _other_columns(tree, schema)]  # fmt: skip
        rounds = itertools.zip_longest(*(_edited(tree, edit) for edit in kinds))
        own, found = tree.sql(dialect="sqlite"), {}
        for sql in filter(
            None, itertools.chain.from_iterable(rounds)
        ):  # made when asked for: a long gold has thousands
            found |= {sql: None} if sql != own else {}
            if len(found) == most:
                break
    except (SqlglotError, RecursionError):
        return []
    return list(found)


def _edited(tree: exp.Expression, edit: _Edit) -> Iterator[str]:
    """The query with one node edited, for each node and each edit of it.

    A comparison is edited wherever it stands: who errs in a CASE errs in the GROUP BY that repeats it.
    """
    done: list[exp.Expression] = []
    for place, node in enumerate(tree.walk()):
        everywhere = edit in (_edges, _constants) and isinstance(node, exp.Binary | exp.Between | exp.In)
        if everywhere and node in done:
            continue
        done.append(node)
        for number, new in enumerate(list(edit(node))):
            other = tree.copy()
            nodes = list(other.walk())
            for target in [n for n in nodes if n == node] if everywhere else nodes[place : place + 1]:
                if target is other:
                    other = new
                else:
                    target.replace(list(edit(target))[number])
            yield other.sql(dialect="sqlite")


def _with(node: exp.Expression, **parts) -> exp.Expression:
    other = node.copy()
    for name, value in parts.items():
        other.set(name, value)
    return other


def _as(node: exp.Expression, kind: type) -> exp.Expression:
    return kind(
        **{name: value.copy() if isinstance(value, exp.Expression) else value for name, value in node.args.items()}
    )


def _distinct(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Select) and not _is_a_set(node):
        yield _with(node, distinct=None if node.args.get("distinct") else exp.Distinct())
    elif isinstance(node, exp.Count) and isinstance(node.this, exp.Distinct):
        yield exp.Count(this=node.this.expressions[0].copy())
    elif isinstance(node, exp.Count) and not isinstance(node.this, exp.Star):
        yield exp.Count(this=exp.Distinct(expressions=[node.this.copy()]))


def _is_a_set(select: exp.Select) -> bool:
    """Whether DISTINCT changes nothing: one row, or rows that only are looked for, or put together without repetition."""
    aggregated = not select.args.get("group") and any(e.find(exp.AggFunc) for e in select.selects)
    above = select.parent.parent if isinstance(select.parent, exp.Subquery) else select.parent
    looked_for = isinstance(above, exp.In | exp.Exists)
    put_together = isinstance(select.parent, exp.SetOperation) and select.parent.args.get("distinct")
    return not select.args.get("from_") or aggregated or looked_for or bool(put_together)


def _edges(node: exp.Expression) -> Iterator[exp.Expression]:
    if type(node) in _EDGES:
        yield _as(node, _EDGES[type(node)])
    elif isinstance(node, exp.Between):
        low, high = node.args["low"], node.args["high"]
        for above, below in ((exp.GT, exp.LTE), (exp.GTE, exp.LT)):
            sides = (
                above(this=node.this.copy(), expression=low.copy()),
                below(this=node.this.copy(), expression=high.copy()),
            )
            yield exp.paren(exp.And(this=sides[0], expression=sides[1]))


def _opposite(node: exp.Expression) -> Iterator[exp.Expression]:
    in_join = node.find_ancestor(exp.Join, exp.Select)
    if type(node) in _OPPOSITES and not isinstance(in_join, exp.Join):
        yield _as(node, _OPPOSITES[type(node)])


def _joins(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Join) and node.args.get("on") and not node.args.get("kind"):
        yield _with(node, side=None if node.side else "LEFT")


def _count(node: exp.Expression) -> Iterator[exp.Expression]:
    select = node.find_ancestor(exp.Select)
    if isinstance(node, exp.Count) and select is not None:
        if not isinstance(node.this, exp.Star):
            yield exp.Count(this=exp.Star())
        else:
            columns = [c for c in select.find_all(exp.Column) if c.name and not isinstance(c.this, exp.Star)]
            for column in list(dict.fromkeys(c.sql(dialect="sqlite") for c in columns))[:3]:
                yield exp.Count(this=exp.maybe_parse(column, dialect="sqlite"))


def _aggregate(node: exp.Expression) -> Iterator[exp.Expression]:
    if type(node) in _AGGREGATES:
        yield _AGGREGATES[type(node)](this=node.this.copy())


def _logic(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.And | exp.Or):
        yield _as(node, exp.Or if isinstance(node, exp.And) else exp.And)


def _filters(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Select):
        for clause in ("where", "having"):
            if node.args.get(clause):
                yield _with(node, **{clause: None})
    elif isinstance(node, exp.And):
        yield node.this.copy()
        yield node.expression.copy()


def _order(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Ordered):
        down = bool(node.args.get("desc"))
        yield _with(node, desc=not down, nulls_first=down)
    elif isinstance(node, exp.Query) and node.args.get("order"):
        yield _with(node, order=None)


def _limit(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Query) and node.args.get("limit"):
        yield _with(node, limit=None)
        if node.args["limit"].expression and node.args["limit"].expression.is_int:
            yield _with(
                node, limit=exp.Limit(expression=exp.Literal.number(int(node.args["limit"].expression.name) + 1))
            )


def _sets(node: exp.Expression) -> Iterator[exp.Expression]:
    if type(node) in _SETS:
        yield _as(node, _SETS[type(node)])
        if isinstance(node, exp.Union):
            yield _with(node, distinct=not node.args.get("distinct"))


def _negation(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Not):
        yield node.this.copy()
    elif isinstance(node, exp.In | exp.Exists | exp.Like) and not isinstance(node.parent, exp.Not):
        yield exp.not_(node.copy())


def _grouping(node: exp.Expression) -> Iterator[exp.Expression]:
    """Another key: the one that shows in the place of the one that identifies, or one key fewer."""
    if not isinstance(node, exp.Select) or not node.args.get("group"):
        return
    keys = node.args["group"].expressions
    shown = [e.unalias() for e in node.selects if isinstance(e.unalias(), exp.Column)]
    for column in shown:
        if column not in keys:
            yield _with(node, group=exp.Group(expressions=[column.copy()]))
    if len(keys) > 1:
        for n in range(len(keys)):
            yield _with(node, group=exp.Group(expressions=[k.copy() for k in keys[:n] + keys[n + 1 :]]))


def _pattern(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Like) and isinstance(node.expression, exp.Literal):
        text = node.expression.name
        bare = text.strip("%")
        for other in (f"{bare}%", f"%{bare}", f"%{bare}%"):
            if other != text:
                yield _with(node, expression=exp.Literal.string(other))
        yield exp.EQ(this=node.this.copy(), expression=exp.Literal.string(bare))


def _constants(node: exp.Expression) -> Iterator[exp.Expression]:
    """A whole number that is compared with, one more; a list of IN without one of its values."""
    for part in ("this", "expression", "low", "high") if isinstance(node, (exp.Between, *_OPPOSITES)) else ():
        literal = node.args.get(part)
        if isinstance(literal, exp.Literal) and literal.is_int and not literal.is_string:
            yield _with(node, **{part: exp.Literal.number(int(literal.this) + 1)})
    if isinstance(node, exp.In) and len(node.expressions) > 1:
        for n in range(len(node.expressions)):
            yield _with(node, expressions=[e.copy() for e in node.expressions[:n] + node.expressions[n + 1 :]])


def _other_columns(tree: exp.Expression, schema: Schema) -> _Edit:
    """Another column of the same table and type, wherever a column stands outside the condition of a join."""
    tables = {fold(t.name): t for t in schema.tables}
    meant = aliases(tree)

    def edit(node: exp.Expression) -> Iterator[exp.Expression]:
        if not isinstance(node, exp.Column) or isinstance(node.find_ancestor(exp.Join, exp.Select), exp.Join):
            return
        found = home(node, meant, schema)
        if not found:
            return
        table = tables[found[0]]
        types = dict(zip(map(fold, table.columns), table.types, strict=True))
        alike = [c for c in table.columns if fold(c) != found[1] and types[fold(c)] == types[found[1]]]
        near = sorted(alike, key=lambda c: abs(table.columns.index(c) - list(types).index(found[1])))[:2]
        for name in near:
            yield exp.column(exp.to_identifier(name, quoted=quote_name(name) != name), table=node.args.get("table"))

    return edit


def aliases(tree: exp.Expression) -> dict[str, str]:
    """The table, folded, that each name stands for in the query, wherever in it."""
    return {fold(t.alias_or_name): fold(t.name) for t in tree.find_all(exp.Table)}


def home(column: exp.Column, meant: dict[str, str], schema: Schema) -> tuple[str, str] | None:
    """Table and column, folded, that a column of a query names; None where that is not plain to see.

    meant: what `aliases` says of the query
    """
    name, qualifier = fold(column.name), fold(column.table)
    wanted: Sequence[str] = (
        [meant[qualifier]] if qualifier in meant else [] if qualifier else sorted(set(meant.values()))
    )
    having = [fold(t.name) for t in schema.tables if fold(t.name) in wanted and name in map(fold, t.columns)]
    return (having[0], name) if len(having) == 1 else None
