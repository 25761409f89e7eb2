"""In what two queries differ, part by part: tables, joins, columns, filters, groups, order.

Parts and not the edits of `sqlglot.diff`, which knows no aliases and counts a moved condition as removed and inserted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from forge_lib.tasks.sql.parsing import parse_query

# In the order in which `differences` names them: what comes first usually brings the others about.
DIFFERENCES = (
    "needless answer", "missing answer", "wrong table", "missing join", "wrong nesting", "wrong join key", "wrong kind of join",
    "missing column", "needless column", "wrong aggregate", "wrong column", "wrong expression",
    "wrong filter", "missing filter", "needless filter", "wrong value", "wrong operator", "wrong AND or OR",
    "wrong grouping", "wrong order", "wrong limit", "missing DISTINCT", "needless DISTINCT", "needless join",
)  # fmt: skip


@dataclass
class _Content:
    """What a query holds, of all its SELECTs together; expressions as nested tuples.

    shown, inner: what the outermost SELECTs show, and what those within them do
    bare: names of columns that stand without a table where there are several
    """

    tables: set[str] = field(default_factory=set)
    nesting: Counter = field(default_factory=Counter)
    keys: set[frozenset] = field(default_factory=set)
    sides: Counter = field(default_factory=Counter)
    shown: Counter = field(default_factory=Counter)
    inner: Counter = field(default_factory=Counter)
    filters: list[tuple] = field(default_factory=list)
    connectives: set[str] = field(default_factory=set)
    groups: set[tuple] = field(default_factory=set)
    order: list[tuple] = field(default_factory=list)
    limits: list[tuple] = field(default_factory=list)
    distinct: bool = False
    bare: set[str] = field(default_factory=set)


def differences(sql: str, gold: str) -> tuple[str, ...]:
    """Those of DIFFERENCES that tell `sql` from `gold`, the most telling first; () where none does.

    Aliases, the case of names, the order of what has none and ways to write a number make no difference. A column without
    its table is taken for any of its name. Raises SqlglotError where one of them cannot be parsed.

    >>> differences("SELECT name FROM ships WHERE tons > 10", "SELECT name FROM ships WHERE tons >= 20 ORDER BY tons")
    ('wrong operator', 'wrong order')
    """
    got, wanted = (_content(parse_query(text)) for text in (sql, gold))
    bare = got.bare | wanted.bare
    found = {
        *_tables(got, wanted), *_joins(got, wanted, bare), *_shown(got, wanted, bare), *_filters(got, wanted, bare),
        *_rest(got, wanted, bare),
    }  # fmt: skip
    return tuple(name for name in DIFFERENCES if name in found)


def _content(query: exp.Query) -> _Content:
    found = _Content()
    own = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
    found.tables = {table.name.lower() for table in query.find_all(exp.Table)} - own
    found.nesting = Counter(type(node).__name__ for node in query.find_all(exp.SetOperation))
    found.nesting["SELECT"] = len(list(query.find_all(exp.Select)))
    names = {t.alias.lower(): t.name.lower() for t in query.find_all(exp.Table) if t.alias}
    for select in query.find_all(exp.Select):
        _add(found, select, _Units(select, names, found))
    for node in query.find_all(exp.SetOperation):  # what stands after it is of the last SELECT's columns
        _add_order(found, node, _Units(next(node.find_all(exp.Select)), names, found))
    return found


def _add(found: _Content, select: exp.Select, unit: _Units) -> None:
    outermost = select.find_ancestor(exp.Select, exp.CTE) is None
    (found.shown if outermost else found.inner).update(unit(e) for e in select.expressions)
    found.distinct |= bool(select.args.get("distinct"))
    for join in select.args.get("joins") or ():
        found.sides["LEFT" if join.side else "INNER"] += 1
        _add_conditions(found, join.args.get("on"), unit)
    for clause in ("where", "having"):
        if select.args.get(clause):
            _add_conditions(found, select.args[clause].this, unit)
    if select.args.get("group"):
        found.groups |= {unit(e) for e in select.args["group"].expressions}
    _add_order(found, select, unit)


def _add_order(found: _Content, query: exp.Query, unit: _Units) -> None:
    if query.args.get("order"):
        found.order += [(unit(key.this), bool(key.args.get("desc"))) for key in query.args["order"].expressions]
    found.limits += [(clause, unit(query.args[clause].expression)) for clause in ("limit", "offset") if query.args.get(clause)]  # fmt: skip


def _add_conditions(found: _Content, condition: exp.Expression | None, unit: _Units) -> None:
    for leaf in _leaves(condition, found.connectives):
        negated = isinstance(leaf, exp.Not)
        inner = leaf.this.unnest() if negated else leaf
        sides = [unit(child) for child in inner.iter_expressions()]
        if isinstance(inner, exp.EQ) and not negated and all(side[0] == "column" for side in sides):
            found.keys.add(frozenset(sides))
        else:
            operator = f"{'not ' if negated or inner.args.get('negate') else ''}{inner.key}"
            found.filters.append((sides[0] if sides else (), operator, tuple(sides[1:])))


def _leaves(node: exp.Expression | None, connectives: set[str]) -> Iterator[exp.Expression]:
    node = node.unnest() if node is not None else None
    if isinstance(node, exp.Connector):
        connectives.add(node.key)
        yield from _leaves(node.left, connectives)
        yield from _leaves(node.right, connectives)
    elif node is not None:
        yield node


class _Units:
    """Expressions of one SELECT as nested tuples, in which names and numbers that mean the same are the same."""

    def __init__(self, select: exp.Select, names: dict[str, str], found: _Content):
        self.names, self.found, self.select = names, found, select
        sources = [f.this for f in (select.args.get("from_"),) if f] + [j.this for j in select.args.get("joins") or ()]
        self.only = sources[0].name.lower() if len(sources) == 1 and isinstance(sources[0], exp.Table) else ""
        self.aliases = {e.alias.lower(): e.this for e in select.expressions if isinstance(e, exp.Alias)}

    def __call__(self, node: exp.Expression) -> tuple:
        node = node.unalias().unnest()
        if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
            return ("*",)
        if isinstance(node, exp.Column):
            return self._column(node)
        if isinstance(node, exp.Query):
            return ("query",)
        if isinstance(node, exp.Literal):
            return ("value", _literal_value(node))
        return (node.key, *(self(child) for child in node.iter_expressions()))

    def _column(self, column: exp.Column) -> tuple:
        name, table = column.name.lower(), column.table.lower()
        aliased = self.aliases.pop(name, None) if not table else None  # popped: `MAX(price) AS price` refers to itself
        if aliased is not None:
            unit = self(aliased)
            self.aliases[name] = aliased
            return unit
        table = self.names.get(table, table) if table else self.only
        if not table:
            self.found.bare.add(name)
        return ("column", table, name)


def _tables(got: _Content, wanted: _Content) -> Iterator[str]:
    missing, extra = wanted.tables - got.tables, got.tables - wanted.tables
    if not wanted.tables or not got.tables:  # SELECT 'no answer' reads none
        if missing or extra:
            yield "missing answer" if missing else "needless answer"
    elif missing or extra:
        yield "wrong table" if missing and extra else "missing join" if missing else "needless join"
    if got.nesting != wanted.nesting:
        yield "wrong nesting"


def _joins(got: _Content, wanted: _Content, bare: set[str]) -> Iterator[str]:
    if got.tables == wanted.tables and got.nesting == wanted.nesting:
        keys, right = ({frozenset(_without(side, bare) for side in key) for key in c.keys} for c in (got, wanted))
        if keys != right:
            yield "wrong join key"
        if got.sides != wanted.sides:
            yield "wrong kind of join"


def _shown(got: _Content, wanted: _Content, bare: set[str]) -> Iterator[str]:
    extra, missing = _apart(_bag(got.shown.elements(), bare), _bag(wanted.shown.elements(), bare))
    if extra and missing:
        plain = [Counter(map(_argument, side.elements())) for side in (extra, missing)]
        columns = [set().union(*map(_columns, side)) for side in (extra, missing)]
        same_columns = "wrong expression" if columns[0] == columns[1] else "wrong column"
        yield "wrong aggregate" if plain[0] == plain[1] else same_columns
        wider = extra.total() - missing.total()
        if wider:
            yield "needless column" if wider > 0 else "missing column"
    elif extra or missing:
        yield "needless column" if extra else "missing column"
    if got.nesting == wanted.nesting and any(_apart(_bag(got.inner, bare), _bag(wanted.inner, bare))):
        yield "wrong column"


def _filters(got: _Content, wanted: _Content, bare: set[str]) -> Iterator[str]:
    extra, missing = _apart(_bag(got.filters, bare), _bag(wanted.filters, bare))
    for name, alike in (("wrong value", slice(0, 2)), ("wrong operator", slice(0, 1))):
        for mine in list(extra):
            near = next((other for other in missing if other[alike] == mine[alike]), None)
            if near is not None and mine in extra:
                extra, missing = extra - Counter([mine]), missing - Counter([near])
                yield name
    if extra or missing:
        yield "wrong filter" if extra and missing else "needless filter" if extra else "missing filter"
    elif got.connectives != wanted.connectives and len(got.filters) == len(wanted.filters):
        yield "wrong AND or OR"


def _rest(got: _Content, wanted: _Content, bare: set[str]) -> Iterator[str]:
    if _bag(got.groups, bare) != _bag(wanted.groups, bare):
        yield "wrong grouping"
    if [_without(key, bare) for key in got.order] != [_without(key, bare) for key in wanted.order]:
        yield "wrong order"
    if got.limits != wanted.limits:
        yield "wrong limit"
    if got.distinct != wanted.distinct:
        yield "needless DISTINCT" if got.distinct else "missing DISTINCT"


def _apart(one: Counter, other: Counter) -> tuple[Counter, Counter]:
    return one - other, other - one


def _bag(units: Iterable[tuple], bare: set[str]) -> Counter:
    return Counter(_without(unit, bare) for unit in units)


def _without(unit, bare: set[str]):
    """The unit without the tables of columns that either query names bare."""
    if not isinstance(unit, tuple):
        return unit
    if unit[:1] == ("column",) and unit[2] in bare:
        return ("column", "", unit[2])
    return tuple(_without(part, bare) for part in unit)


_AGGREGATES = {kind.key for kind in (exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max)}


def _argument(unit: tuple) -> tuple:
    """What an aggregate is of; COUNT of whatever is of nothing."""
    while unit[0] in _AGGREGATES or unit[0] == "distinct":
        unit = unit[1] if len(unit) > 1 else ("*",)
    return unit


def _columns(unit: tuple) -> set[tuple]:
    """The columns that an expression names."""
    if unit[:1] == ("column",):
        return {unit}
    return set().union(*(_columns(part) for part in unit if isinstance(part, tuple)))


def _literal_value(literal: exp.Literal) -> float | str:
    """A literal's value; numbers as numbers, so that 10 is 10.0, and strings in lower case."""
    try:
        return literal.name.lower() if literal.is_string else float(literal.name)
    except ValueError:  # such as 0x1F
        return literal.name.lower()
