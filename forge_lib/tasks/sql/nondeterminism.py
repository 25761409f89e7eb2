"""Whether a query's result is decided by luck: by the order in which SQLite happens to read rows, the hour, or chance.

Some of it shows in the query (a clock, RANDOM). The rest is found by asking the database: a LIMIT that cuts through rows
that are equal in the ORDER BY, a column beside GROUP BY that has several values within a group, and whatever else comes
out differently when the tables are read from their end or ties are broken otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from forge_lib.tasks.sql.ordering import Execute, Ranked, limits, rank_rows
from forge_lib.tasks.sql.parsing import parse_query
from forge_lib.tasks.sql.rows import same_rows

_CHANCE = {"random", "randomblob", "changes", "total_changes", "last_insert_rowid"}
_CLOCKS = {"date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff"}

_ROWS_WANTED = (exp.From, exp.Join, exp.Exists, exp.In, exp.CTE, exp.SetOperation, exp.Subquery)  # around a subquery
_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank)
_LISTS = (exp.GroupConcat, exp.JSONArrayAgg, exp.JSONObjectAgg)  # aggregates that keep the order of reading
_AGGREGATES = (exp.AggFunc, *_LISTS)  # to sqlglot, those that make JSON are no AggFunc,
_UNKNOWN_AGGREGATES = {"total", "jsonb_group_array", "jsonb_group_object"}  # and these are Anonymous
_CHANGING = re.compile(rf"\b(?:{'|'.join([*_CHANCE, *_CLOCKS])}|current_\w+)\b", re.I)


def nondeterminism(sql: str | exp.Query, run: Execute) -> str:
    """Why the rows of `sql` (text, or parsed) depend on luck, as a phrase; "" when they do not.

    run: executes a query and returns its rows, or None where it cannot run (a subquery that needs the outer query
    cannot alone). Rows in another order, where the query leaves that open, are no luck.

    >>> nondeterminism("SELECT a FROM t ORDER BY RANDOM() LIMIT 1", lambda sql: None)
    'RANDOM() is another at every run'
    """
    try:
        tree = parse_query(sql) if isinstance(sql, str) else sql
        by_chance = _clock_or_chance(tree)
        if by_chance:
            return f"{by_chance} is another at every run"
        for query in _queries(tree):
            why = _cut_through_a_tie(query, run) or _bare_column(query, run)
            if why:
                return why
        return _otherwise_read(tree, run) or _several_for_one(tree, run)
    except (SqlglotError, RecursionError):
        return ""  # what cannot be parsed is refused by another rule


def empty_first(sql: str, run: Execute) -> str:
    """Where a query takes "the lowest" or "the highest" and gets a row without a value; "" where it does not.

    SQLite sorts NULL first, and last downwards. A query that says NULLS FIRST means it.

    >>> rows = lambda sql: (("ink", None, 1), ("pen", 2, 2)) if "RANK" in sql else (("ink",),)
    >>> empty_first("SELECT name FROM t ORDER BY price LIMIT 1", rows)
    'LIMIT 1 takes rows without a value of price as the lowest'
    """
    if not re.search(r"\bLIMIT\b|\bOVER\b", sql, re.I) or re.search(r"\bNULLS\s+FIRST\b", sql, re.I):
        return ""
    try:
        tree = parse_query(sql)
        for query in _queries(tree):
            first = query.args["order"].expressions[0] if query.args.get("order") else None
            downwards = first is not None and first.args.get("desc")
            if first is None or not (downwards or first.args.get("nulls_first")):
                continue
            ranked, cut = _standing(query, run)
            ranked = [r for r, _ in _once_each(query, ranked or [])]
            taken = ranked[cut[0] : cut[0] + cut[1]] if ranked and cut and cut[1] is not None else []
            if any(r.keys[0] is None for r in taken) and any(r.keys[0] is not None for r in ranked):
                named, end = first.this.sql(dialect="sqlite"), "highest" if downwards else "lowest"
                return f"LIMIT {cut[1]} takes rows without a value of {named} as the {end}"
        return _ranked_first(tree, run)
    except (SqlglotError, RecursionError):
        return ""


def _ranked_first(tree: exp.Query, run: Execute) -> str:
    """Where a query chooses by a rank that is 1 for rows without a value."""
    last = tree.copy()
    for window in last.find_all(exp.Window):
        terms = window.args["order"].expressions if window.args.get("order") else []
        inside = window.find_ancestor(exp.Subquery, exp.CTE) is not None
        if inside and isinstance(window.this, _RANKS) and terms and terms[0].args.get("nulls_first"):
            terms[0].set("nulls_first", False)
            named = f"{window.this.sql(dialect='sqlite')} puts rows without a value of {terms[0].this.sql(dialect='sqlite')} first"
            rows, others = run(tree.sql(dialect="sqlite")), run(last.sql(dialect="sqlite"))
            if rows is not None and others is not None and not same_rows(others, rows, ordered=False):
                return named
    return ""


def _clock_or_chance(tree: exp.Expression) -> str:
    """The first call in a query whose value changes by itself, as text; "" when there is none."""
    if not _CHANGING.search(tree.sql(dialect="sqlite")):
        return ""
    for call in tree.find_all(exp.Func):
        text = call.sql(dialect="sqlite")
        name = text.partition("(")[0].lower()
        given = [a.this if isinstance(a, exp.TsOrDsToTimestamp) else a for a in call.iter_expressions()]
        now = any(isinstance(a, exp.Literal) and a.this.lower() == "now" for a in given)
        if name in _CHANCE or name.startswith("current_") or (name in _CLOCKS and (now or not given)):
            return text
    return ""


def _queries(tree: exp.Query) -> Iterator[exp.Query]:
    """The query and every query in it that cuts or groups, each a copy with the CTEs that it can see."""
    for query in tree.find_all(exp.Select, exp.SetOperation):
        if query.args.get("limit") is None and query.args.get("group") is None:
            continue
        seen: list[exp.CTE] = []
        above = query.parent
        while above is not None:
            clause = above.args.get("with_")
            seen += [c for c in (clause.expressions if clause else []) if not any(n is query for n in c.walk())]
            above = above.parent
        alone = query.copy()
        if seen:
            own = alone.args["with_"].expressions if alone.args.get("with_") else []
            alone.set("with_", exp.With(expressions=[c.copy() for c in [*seen, *own]]))
        yield alone


def _standing(query: exp.Query, run: Execute) -> tuple[list[Ranked] | None, tuple[int, int | None] | None]:
    """All rows of a query with their ranks, and what its LIMIT lets through."""
    rows, cut = run(query.sql(dialect="sqlite")), limits(query, run)
    if not rows or cut is None:
        return None, cut
    return rank_rows(query, len(rows[0]), run), cut


def _cut_through_a_tie(query: exp.Query, run: Execute) -> str:
    ranked, cut = _standing(query, run)
    if ranked is None or cut is None or cut[1] is None:
        return ""
    first, count = cut
    rows = _once_each(query, ranked)
    for edge in (first, first + count):  # where what is let through begins and ends
        if not 0 < edge < len(rows):
            continue
        behind = rows[edge][0].rank
        tied = {r.row for r, last in rows if r.rank <= behind <= last}
        if max(last for _, last in rows[:edge]) >= behind and len(tied) > 1:
            return f"LIMIT {count} cuts through rows that are equal in the order"
    return ""


def _once_each(query: exp.Query, ranked: list[Ranked]) -> list[tuple[Ranked, int]]:
    """The rows of a query, each with the last rank it may have: of the values by which a DISTINCT row that does not show
    them is ordered, SQLite takes the first it reads."""
    if not query.args.get("distinct"):
        return [(r, r.rank) for r in ranked]
    first = {r.row: r for r in reversed(ranked)}
    last = {r.row: r.rank for r in ranked}
    return [(r, last[row]) for row, r in sorted(first.items(), key=lambda item: item[1].rank)]


def _bare_column(query: exp.Query, run: Execute) -> str:
    """The column that a grouped query shows, orders or chooses by, and of which one group has several values."""
    group = query.args.get("group")
    if group is None or not isinstance(query, exp.Select):
        return ""
    if sum(isinstance(a, (exp.Max, exp.Min)) for e in query.expressions for a in e.find_all(exp.AggFunc)) == 1:
        return ""  # SQLite then takes the row of the extreme, as its documentation says
    grouped = {e.sql(dialect="sqlite").lower() for e in group.expressions}
    aliases = {e.alias.lower() for e in query.expressions if isinstance(e, exp.Alias)}
    shown = [e.unalias() for n, e in enumerate(query.expressions, 1) if not {str(n), e.alias_or_name.lower()} & grouped]
    others = [query.args[clause] for clause in ("having", "order") if query.args.get(clause)]
    for part in [*shown, *others]:
        for column in _outside_aggregates(part, grouped):
            named = column.sql(dialect="sqlite")
            if part in others and not column.table and column.name.lower() in aliases:
                continue
            probe = query.copy()
            for clause in ("order", "limit", "offset", "having", "distinct"):
                probe.set(clause, None)
            one = column.sql(dialect="sqlite")  # NULL, which DISTINCT does not count, is a value like another here
            probe.append("expressions", parse_one(f"COUNT(DISTINCT {one}) + (COUNT({one}) < COUNT(*))", read="sqlite"))
            rows = run(probe.sql(dialect="sqlite"))
            if rows and max(r[-1] for r in rows) > 1:
                return f"{named} has several values in one group"
    return ""


def _outside_aggregates(part: exp.Expression, grouped: set[str]) -> Iterator[exp.Column]:
    """The columns of an expression of a grouped query that stand in no aggregate, subquery or grouped expression."""

    def closed(node: exp.Expression) -> bool:
        unknown = isinstance(node, exp.Anonymous) and node.name.lower() in _UNKNOWN_AGGREGATES
        known = isinstance(node, (*_AGGREGATES, exp.Query, exp.Window, exp.Filter))
        return known or unknown or node.sql(dialect="sqlite").lower() in grouped

    for node in part.walk(prune=closed):
        if isinstance(node, exp.Column) and not closed(node):
            yield node


def _several_for_one(tree: exp.Query, run: Execute) -> str:
    """Where a subquery that stands for one value has several, of which SQLite takes the first it reads."""
    for subquery in tree.find_all(exp.Subquery):
        if subquery.parent is None or isinstance(subquery.parent, _ROWS_WANTED):
            continue
        query = subquery.unnest()
        if isinstance(query, exp.Query) and query.args.get("order") is None and query.args.get("limit") is None:
            rows = run(query.sql(dialect="sqlite"))
            if rows and len(set(rows)) > 1:
                return "a subquery in the place of one value has several"
    return ""


def _otherwise_read(tree: exp.Query, run: Execute) -> str:
    rows = run(tree.sql(dialect="sqlite")) if _reading_may_matter(tree) else None
    if rows is None:
        return ""
    variants = [("its tables are read from their end", _from_the_end(tree))]
    if tree.find(exp.Limit) is not None:
        variants += [
            (f"ties are broken {way}", _ties_broken(tree, way == "downwards")) for way in ("upwards", "downwards")
        ]
    for how, variant in variants:
        found = run(variant.sql(dialect="sqlite"))
        if found is not None and not same_rows(found, rows, ordered=False):
            return f"the rows change when {how}"
    return ""


def _reading_may_matter(tree: exp.Query) -> bool:
    """Whether the order of reading may show in more than what the other checks see, a tie at a LIMIT for one."""
    if tree.find(exp.Window, *_LISTS, exp.Anonymous) is not None:
        return True
    if any(not isinstance(s.parent, (exp.From, exp.Join, exp.Exists)) for s in tree.find_all(exp.Subquery)):
        return True  # of a scalar subquery SQLite takes the first row
    limits = [limit.parent for limit in tree.find_all(exp.Limit)]
    if any(query is not tree or query.find(exp.AggFunc) for query in limits):
        return True  # one that another query encloses, or one over sums, whose last digits hang on the order of adding
    selects = list(tree.find_all(exp.Select))
    return any(_shows_bare_columns(s) or (s.is_star and s.args.get("group")) for s in selects)


def _shows_bare_columns(select: exp.Select) -> bool:
    """Whether a SELECT with aggregates shows, or chooses by, a column that is neither aggregated nor grouped by."""
    group, having = select.args.get("group"), select.args.get("having")
    shown = [e.unalias() for e in select.selects if not (group and e.unalias() in group.expressions)]
    grouped = {e.sql(dialect="sqlite").lower() for e in group.expressions} if group else set()
    chosen = having is not None and any(_outside_aggregates(having, grouped))
    return any(e.find(*_AGGREGATES) for e in select.selects) and (
        chosen or not all(e.find(*_AGGREGATES) for e in shown)
    )


def _ties_broken(tree: exp.Query, descending: bool) -> exp.Query:
    """The same query with every LIMIT's order continued by the columns shown."""
    broken = tree.copy()
    for query in broken.find_all(exp.Select, exp.SetOperation):
        if query.args.get("limit") is not None:
            terms = query.args["order"].expressions if query.args.get("order") else []
            more = [exp.Ordered(this=exp.Literal.number(n + 1), desc=descending, nulls_first=not descending)
                    for n in range(len(query.selects))]  # fmt: skip
            query.set("order", exp.Order(expressions=[*terms, *more]))
    return broken


def _from_the_end(tree: exp.Query) -> exp.Query:
    """The same query over `(SELECT * FROM t ORDER BY rowid DESC LIMIT -1)` in the place of each table."""
    turned = tree.copy()
    known = {cte.alias.lower() for cte in turned.find_all(exp.CTE)}
    for table in list(turned.find_all(exp.Table)):
        if table.name.lower() in known and not table.db:
            continue
        bare = table.copy()
        bare.set("alias", None)
        bare.set("joins", None)
        back = exp.select("*").from_(bare).order_by("rowid DESC").limit(-1)
        named = exp.Subquery(this=back, alias=exp.TableAlias(this=exp.to_identifier(table.alias_or_name, quoted=True)))
        named.set("joins", table.args.get("joins"))
        table.replace(named)
    return turned
