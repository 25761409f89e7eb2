"""What an ORDER BY decides and what it leaves open: every row of a query with its rank, found by asking the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

Execute = Callable[[str], "tuple[tuple, ...] | None"]  # executes a query; None where it cannot run


@dataclass(frozen=True)
class Ranked:
    """A row of a query; its rank, equal for rows that are equal in the order; and the values it is ordered by."""

    row: tuple
    rank: int
    keys: tuple


def rank_rows(query: exp.Query, width: int, run: Execute, reach: int | None = None) -> list[Ranked] | None:
    """The rows of `query` (of `width` columns) without its LIMIT, by rank; None where the database cannot tell.

    reach: only rows with a rank up to this. SQLite's own RANK() compares, so collations, NULLS LAST and the like count
    as they do in the query. Without an ORDER BY all rows have rank 1.
    """
    for inside in (False, True):  # SQLite prefers a column of the tables to an alias within an expression
        probe = _probe(query, width, inside, reach)
        rows = run(probe) if probe else None
        if rows is not None:
            return [Ranked(r[:width], r[-1], r[width:-1]) for r in rows]
    return None


def limits(query: exp.Query, run: Execute) -> tuple[int, int | None] | None:
    """First row and number of rows (None: all) that LIMIT and OFFSET let through; None where they cannot be known.

    run: computes what is no plain number, LIMIT (SELECT COUNT(*) / 10 FROM t) for one

    >>> from forge_lib.tasks.sql.parsing import parse_query
    >>> queries = (parse_query(f"SELECT a FROM t {cut}") for cut in ("LIMIT 5 OFFSET 2", "", "LIMIT 1 + 1"))
    >>> [limits(query, run=lambda sql: ((2,),)) for query in queries]
    [(2, 5), (0, None), (0, 2)]
    """
    found = [_number(query.args.get(clause), run) for clause in ("offset", "limit")]
    if None in found:
        return None
    first, count = found
    return max(0, first), None if count < 0 else count


def _number(clause: exp.Offset | exp.Limit | None, run: Execute) -> int | None:
    """What a LIMIT or OFFSET says, -1 where there is none; None where it cannot be known."""
    if clause is None:
        return -1
    if not isinstance(clause.expression, exp.Expression):
        return None
    if isinstance(clause.expression, exp.Literal) and clause.expression.is_int:
        return int(clause.expression.this)
    rows = run(f"SELECT {clause.expression.sql(dialect='sqlite')}")
    return rows[0][0] if rows and isinstance(rows[0][0], int) else None


def _probe(query: exp.Query, width: int, inside: bool, reach: int | None) -> str:
    inner = query.copy()
    for clause in ("order", "limit", "offset"):
        inner.set(clause, None)
    terms, shown = [], []
    for number, term in enumerate(query.args["order"].expressions if query.args.get("order") else []):
        key, collation = _without_collation(term.this)
        place = _place(key, query, width)
        if place is None and not isinstance(inner, exp.Select):
            return ""
        name = f"_k{number}" if place is None else f"_c{place}"
        if place is None:
            inner.append("expressions", exp.alias_(_resolved(term.this, query, inside), name))
        term = term.copy()
        term.set("this", exp.column(name))
        if collation is not None and place is not None:
            term.set("this", exp.Collate(this=term.this, expression=collation.copy()))
        terms.append(term.sql(dialect="sqlite"))
        shown.append((name, place))
    columns = [f"_c{n}" for n in range(width)]
    names = ", ".join([*columns, *(n for n, place in shown if place is None)])
    listed = ", ".join([*columns, *(f"{n} AS _o{i}" for i, (n, _) in enumerate(shown))])
    order = f"ORDER BY {', '.join(terms)}" if terms else ""
    upto = "" if reach is None else f" WHERE _rank <= {reach}"
    return (
        f"WITH _query({names}) AS ({inner.sql(dialect='sqlite')}) SELECT * FROM "
        f"(SELECT {listed}, RANK() OVER ({order}) AS _rank FROM _query){upto} ORDER BY _rank"
    )


def _without_collation(key: exp.Expression) -> tuple[exp.Expression, exp.Expression | None]:
    return (key.this, key.expression) if isinstance(key, exp.Collate) else (key, None)


def _place(key: exp.Expression, query: exp.Query, width: int) -> int | None:
    """The column of the result that a key names by its number or, in a set operation, by its name or expression."""
    if isinstance(key, exp.Literal) and key.is_int:
        number = int(key.this) - 1
        return number if 0 <= number < width else None
    if isinstance(query, exp.Select):
        return None
    for select in (s for s in query.find_all(exp.Select) if len(s.expressions) == width and not s.is_star):
        for number, shown in enumerate(select.expressions):
            if key.name and key.name.lower() == shown.alias_or_name.lower() or key == shown.unalias():
                return number
    return None


def _resolved(key: exp.Expression, query: exp.Select, inside: bool) -> exp.Expression:
    """A copy of `key` in which an alias of the SELECT list is replaced by what it stands for."""
    aliases = {e.alias.lower(): e.this for e in query.expressions if isinstance(e, exp.Alias)}

    def meant(node: exp.Expression) -> exp.Expression:
        named = isinstance(node, exp.Column) and not node.table and aliases.get(node.name.lower())
        return exp.paren(named.copy()) if named else node

    bare, collation = _without_collation(key)
    if inside:
        return key.copy().transform(meant)
    found = meant(bare.copy())
    return found if collation is None else exp.Collate(this=found, expression=collation.copy())
