"""What golds say of the columns they ask about: which constants they compare them with, and which they take as identifying."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.errors import SqlglotError

from forge_lib.tasks.sql.near_misses import aliases, home
from forge_lib.tasks.sql.parsing import parse_query, with_strings
from forge_lib.tasks.sql.schema import Schema

_ColumnKey = tuple[str, str]  # table and column, as `schema.fold` writes them
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.Between, exp.In)
_RANGES = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)


@dataclass
class AskedColumns:
    """What some golds ask, by column.

    compared: constants, as (value, whether a range ends there, whether it is a pattern of LIKE)
    identifying: columns that a gold groups by, joins or intersects on, or fixes to one constant: where they are unique,
        the question takes it for granted
    joined: pairs of columns that are compared with each other
    """

    compared: dict[_ColumnKey, list[tuple[int | float | str, bool, bool]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    identifying: set[_ColumnKey] = field(default_factory=set)
    joined: set[frozenset[_ColumnKey]] = field(default_factory=set)


def asked_of(golds: Sequence[str], schema: Schema) -> AskedColumns:
    """What `golds` say of the columns of `schema`; those that sqlglot cannot parse say nothing.

    >>> from forge_lib.tasks.sql.schema import Table
    >>> schema = Schema("d", (Table("t", ("a", "b"), ("TEXT", "INTEGER"), (), ()),))
    >>> found = asked_of(["SELECT a FROM t WHERE b >= 5 GROUP BY a"], schema)
    >>> dict(found.compared), found.identifying
    ({('t', 'b'): [(5, True, False)]}, {('t', 'a')})
    """
    found = AskedColumns()
    for gold in golds:
        with contextlib.suppress(SqlglotError, RecursionError):
            tree = with_strings(parse_query(gold), schema.names)
            meant = aliases(tree)
            for node in tree.find_all(*_COMPARISONS):
                values = list(_literals(node))
                for key in filter(None, (home(c, meant, schema) for c in _columns(node))):
                    pattern, ends = isinstance(node, exp.Like), isinstance(node, _RANGES)
                    found.compared[key] += [
                        v for value in values if (v := (value, ends, pattern)) not in found.compared[key]
                    ]
            for equal in tree.find_all(exp.EQ):
                sides = {
                    k for c in equal.iter_expressions() if isinstance(c, exp.Column) and (k := home(c, meant, schema))
                }
                found.joined |= {frozenset(sides)} if len(sides) == 2 else set()
            found.identifying |= {k for c in _identifying(tree) if (k := home(c, meant, schema))}
    return found


def _columns(node: exp.Expression) -> list[exp.Column]:
    """The columns on either side of a comparison, those of a subquery in it excepted."""
    return [n for n in node.walk(prune=lambda n: isinstance(n, exp.Query)) if isinstance(n, exp.Column)]


def _literals(node: exp.Expression) -> Iterator[int | float | str]:
    """The constants that are compared with: they stand in the comparison itself, not within a function."""
    sides = [node.args.get(part) for part in ("this", "expression", "low", "high")] + list(
        node.args.get("expressions") or []
    )
    for side in filter(None, sides):
        sign = -1 if isinstance(side, exp.Neg) else 1
        literal = side.this if isinstance(side, exp.Neg) else side
        if isinstance(literal, exp.Literal):
            yield literal.this if literal.is_string else sign * _number(literal.this)


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _identifying(tree: exp.Expression) -> Iterator[exp.Column]:
    for group in tree.find_all(exp.Group):
        yield from (key for key in group.expressions if isinstance(key, exp.Column))
    for both in tree.find_all(exp.Except, exp.Intersect):
        for select in both.find_all(exp.Select):
            yield from (e.unalias() for e in select.selects if isinstance(e.unalias(), exp.Column))
    for equal in tree.find_all(exp.EQ, exp.In):
        sides = [s for s in (equal.this, equal.args.get("expression")) if isinstance(s, exp.Column)]
        yield from sides
