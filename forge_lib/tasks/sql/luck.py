"""Whether a query's result is decided by luck: by the order in which SQLite happens to read rows.

Two ways lead there: a LIMIT that cuts through rows that are equal in the ORDER BY, and a column beside GROUP BY that
has several values within a group. Both are found by asking the database, not by reading the query alone.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlglot
from sqlglot import exp

Rows = tuple[tuple, ...]
KEY = "_key"


def decided_by_luck(sql: str | exp.Query, run: Callable[[str], Rows | None]) -> str:
    """Why the rows of `sql` (text, or parsed) depend on luck, as a phrase; "" when they do not.

    run: executes a query and returns its rows, or None where it cannot run (a subquery that needs the outer query is
    so left out).

    >>> rows = {"SELECT a, b AS _key0 FROM t ORDER BY b": ((1, 9), (2, 9))}
    >>> decided_by_luck("SELECT a FROM t ORDER BY b LIMIT 1", rows.get)
    'LIMIT 1 cuts through rows that are equal in the order'
    """
    tree = sqlglot.parse_one(sql, read="sqlite") if isinstance(sql, str) else sql
    for query in tree.find_all(exp.Query):
        if isinstance(query, exp.Subquery):
            continue
        why = _cut_through_a_tie(query, run) or _bare_column(query, run)
        if why:
            return why
    return ""


def _cut_through_a_tie(query: exp.Query, run: Callable) -> str:
    limit = query.args.get("limit")
    if limit is None or not limit.expression.is_int:
        return ""
    count, offset = int(limit.expression.name), query.args.get("offset")
    first = int(offset.expression.name) if offset is not None and offset.expression.is_int else 0
    probe = query.copy()
    probe.set("limit", None)
    probe.set("offset", None)
    keys = [ordered.this.copy() for ordered in (query.args["order"].expressions if query.args.get("order") else [])]
    if isinstance(probe, exp.Select):
        for number, key in enumerate(keys):
            probe.append("expressions", exp.alias_(key, f"{KEY}{number}"))
    rows = run(probe.sql(dialect="sqlite"))
    if not rows:
        return ""
    width = len(keys) if isinstance(probe, exp.Select) else 0
    split = len(rows[0]) - width
    for edge in {first, first + count}:  # where the window begins and where it ends
        if 0 < edge < len(rows):
            before, after = rows[edge - 1], rows[edge]
            tied = [r for r in rows if r[split:] == before[split:]]
            if before[split:] == after[split:] and len({r[:split] for r in tied}) > 1 and width == len(keys):
                return f"LIMIT {count} cuts through rows that are equal in the order"
    return ""


def _bare_column(query: exp.Query, run: Callable) -> str:
    group = query.args.get("group")
    if group is None or not isinstance(query, exp.Select):
        return ""
    grouped = {e.sql(dialect="sqlite").lower() for e in group.expressions}
    if any(isinstance(a, (exp.Max, exp.Min)) for e in query.expressions for a in e.find_all(exp.AggFunc)):
        return ""  # SQLite then takes the row of the extreme, as its documentation says
    for shown in query.expressions:
        column = shown.unalias()
        if isinstance(column, exp.Column) and column.sql(dialect="sqlite").lower() not in grouped:
            probe = query.copy()
            for clause in ("order", "limit", "offset", "having", "distinct"):
                probe.set(clause, None)
            probe.set("expressions", [exp.Count(this=exp.Distinct(expressions=[column.copy()]))])
            rows = run(probe.sql(dialect="sqlite"))
            if rows and max(r[0] for r in rows) > 1:
                return f"{column.sql(dialect='sqlite')} has several values in one group"
    return ""
