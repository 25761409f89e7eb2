"""A query as a template, and a template filled with another schema's names: SQL without a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.errors import SqlglotError

from forge_lib.tasks.sql.mentions import Mentions, Slot, alike
from forge_lib.tasks.sql.parsing import parse_query, with_strings
from forge_lib.tasks.sql.schema import fold, quote_name
from forge_lib.tasks.sql.synthesis.profiling import Column, DatabaseProfile

_TABLES, _COLUMNS, _FILLINGS = 5, 5, 2  # most sets of tables, of columns for one of them, and fillings of a template
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.In, exp.Between)
_MISFIT = 0.7  # what a column of another kind than the template's loses
_UNUSED = (
    0.3  # what a filling loses for a value or number of the question that it has no place for, or the other way round
)


@dataclass(frozen=True)
class Template:
    """A query whose names and values are places to be filled.

    tables, columns: those it uses; links: pairs of its columns that join; said: its literals that its question names, in
    the order of their mention, each with the column it is compared with; match: how well its question names each column
    """

    tree: exp.Query
    mentions: Mentions
    tables: tuple[str, ...]
    columns: tuple[Slot, ...]
    links: tuple[tuple[Slot, Slot], ...]
    said: tuple[tuple[exp.Literal, Slot | None], ...] = field(repr=False)


@dataclass(frozen=True)
class Filling:
    """SQL for a question, and how well (0 to about 1) its names and values are those that the question says."""

    sql: str
    match: float


def template_of(sql: str, mentions: Mentions) -> Template | None:
    """The template in the query that answers a question; None where a name cannot be told (a derived table, a CTE).

    mentions: what that question says of its own database
    """
    known = {fold(t): t for t in mentions.profile.columns}
    try:
        tree = with_strings(parse_query(sql), mentions.profile.schema.names)
    except (SqlglotError, RecursionError):
        return None
    tables = {t.alias_or_name: known.get(fold(t.name)) for t in tree.find_all(exp.Table)}
    if (
        None in tables.values()
        or tree.find(exp.CTE)
        or any(s.find_ancestor(exp.From) for s in tree.find_all(exp.Subquery))
    ):
        return None
    columns: dict[Slot, None] = {}
    for node in tree.find_all(exp.Column):
        slot = _slot(node, tables, mentions.profile)
        if slot is None:
            return None
        node.meta["slot"] = slot
        columns[slot] = None
    return Template(tree, mentions, tuple(dict.fromkeys(tables.values())), tuple(columns), tuple(_links(tree)),
                    tuple(_said(tree, mentions)))  # fmt: skip


def _slot(node: exp.Column, tables: dict[str, str], profile: DatabaseProfile) -> Slot | None:
    """Which table's column a name in a query means."""
    if node.table:
        owners = [t for alias, t in tables.items() if fold(alias) == fold(node.table)]
    else:
        select = node.find_ancestor(exp.Select) or node.root()  # of the order of a UNION
        inner = [tables[t.alias_or_name] for t in select.find_all(exp.Table) if t.find_ancestor(exp.Select) is select]
        owners = [*inner, *tables.values()]
    return next(((t, c.name) for t in owners for c in profile.columns[t] if fold(c.name) == fold(node.name)), None)


def _links(tree: exp.Query) -> Iterator[tuple[Slot, Slot]]:
    """Columns of two tables that are equal in a join, or where one must be among the other."""
    for node in tree.find_all(exp.EQ, exp.In):
        query = node.args.get("query")
        right = query.this.selects[0] if query and isinstance(query.this, exp.Select) else node.args.get("expression")
        if not (isinstance(node.this, exp.Column) and isinstance(right, exp.Column)):
            continue
        one, other = node.this.meta["slot"], right.meta["slot"]
        if one[0] != other[0]:
            yield one, other


def _said(tree: exp.Query, mentions: Mentions) -> Iterator[tuple[exp.Literal, Slot | None]]:
    places = ((mentions.place(node.this), node) for node in tree.find_all(exp.Literal))
    for _, node in sorted(((at, n) for at, n in places if at is not None), key=lambda pair: pair[0]):
        comparison = node.find_ancestor(*_COMPARISONS)
        column = comparison.find(exp.Column) if comparison else None
        yield node, column.meta["slot"] if column else None


def fill(template: Template, asked: Mentions) -> list[Filling]:
    """The FILLINGS best fillings of a template for what a question says of its own database; none where no joins fit."""
    ways = [(_match(template, asked, tables, columns), tables, columns) for tables in _table_sets(template, asked)
            for columns in _column_sets(template, asked, tables)]  # fmt: skip
    ways = sorted(ways, key=lambda way: -way[0])[:_FILLINGS]
    return [Filling(_written(template, asked, tables, columns), match) for match, tables, columns in ways]


def _match(template: Template, asked: Mentions, tables: dict[str, str], columns: dict[Slot, Slot]) -> float:
    """How well the question says these names, and no other names, values and numbers."""
    linked = {slot for link in template.links for slot in link}
    fits = [
        min(1.0, _column_fit(template, asked, s, asked.profiled(columns[s]), False)) for s in columns if s not in linked
    ]
    fits += [asked.table(new) for new in tables.values()]
    covered = asked.covered(tables.values(), columns.values())
    return (sum(fits) / max(1, len(fits)) + covered) / 2 - _UNUSED * _values(template, asked, columns)[1]


def _table_sets(template: Template, asked: Mentions) -> list[dict[str, str]]:
    """The template's tables -> tables of the other schema that are joined likewise; the TABLES best."""
    sets: list[dict[str, str]] = [{}]
    for table in template.tables:
        near = {b[0] if a[0] == table else a[0] for a, b in template.links if table in (a[0], b[0])}
        sets = [
            chosen | {table: other} for chosen in sets for other in asked.profile.columns
            if other not in chosen.values() and all((chosen[n], other) in asked.joins for n in near if n in chosen)
        ]  # fmt: skip
        sets = sorted(sets, key=lambda s: -sum(_table_fit(template, asked, a, b) for a, b in s.items()))[: 5 * _TABLES]
    return sets[:_TABLES]


def _table_fit(template: Template, asked: Mentions, old: str, new: str) -> float:
    best = max((asked.column((new, c.name)) for c in asked.profile.columns[new]), default=0.0)
    held = any(t == new for _, t, _, _ in asked.values)
    return asked.table(new) + best / 2 + held / 2 + alike(old, new) / 4


def _column_sets(template: Template, asked: Mentions, tables: dict[str, str]) -> list[dict[Slot, Slot]]:
    """The template's columns -> columns of the chosen tables: those that join as the keys say, others by fit."""
    fixed: dict[Slot, Slot] = {}
    for one, other in template.links:
        mine, theirs = asked.joins.get((tables[one[0]], tables[other[0]]), (None, None))
        if mine is None or fixed.get(one, (tables[one[0]], mine))[1] != mine:
            return []
        fixed |= {one: (tables[one[0]], mine), other: (tables[other[0]], theirs)}
    sets = [(0.0, fixed)]
    bound = {slot for node, slot in template.said if node.is_string and not node.this.isdigit()}
    for slot in (s for s in template.columns if s not in fixed):
        new = tables[slot[0]]
        fits = sorted(((_column_fit(template, asked, slot, c, slot in bound), (new, c.name))
                       for c in asked.profile.columns[new]), reverse=True)  # fmt: skip
        sets = [(total + fit, chosen | {slot: column}) for total, chosen in sets for fit, column in fits[:_COLUMNS]
                if column not in chosen.values()]  # fmt: skip
        sets = sorted(sets, key=lambda s: -s[0])[:_COLUMNS]
    return [chosen for _, chosen in sets]


def _column_fit(template: Template, asked: Mentions, slot: Slot, column: Column, bound: bool) -> float:
    """How well a column takes the place of another: as well as the question names it, if the other's question named that."""
    old = template.mentions.profiled(slot)
    new = (column.table, column.name)
    named = template.mentions.column(slot)
    usual = alike(slot[1], column.name)
    if old.kind == "label" and asked.profile.label(column.table) is column:
        usual = max(usual, 0.6)
    fit = named * asked.column(new) + (1 - named) * max(usual, asked.column(new) / 2)
    if bound and any((t, c) == new for _, t, c, _ in asked.values):
        fit += 1.0
    return fit - _MISFIT * (_family(old) != _family(column))


def _family(column: Column) -> str:
    return {"year": "number", "number": "number", "date": "date", "key": "key"}.get(column.kind, "text")


def _written(template: Template, asked: Mentions, tables: dict[str, str], columns: dict[Slot, Slot]) -> str:
    """The template with these names, and with the question's values and numbers in the order in which it says them."""
    values, tree = _values(template, asked, columns)[0], template.tree.copy()
    for node, twin in zip(template.tree.find_all(exp.Literal), list(tree.find_all(exp.Literal)), strict=True):
        if node.this in values:
            new = values[node.this]
            twin.replace(exp.Literal.string(new) if node.is_string else exp.Literal.number(new))
    aliased = {t.alias for t in tree.find_all(exp.Table) if t.alias}
    for node in tree.find_all(exp.Column):
        table, column = columns[node.meta["slot"]]
        node.set("this", _identifier(column))
        if node.table not in aliased:
            node.set("table", _identifier(table) if node.table or len(tables) > 1 else None)
    known = {fold(old): new for old, new in tables.items()}
    for node in tree.find_all(exp.Table):
        node.set("this", _identifier(known[fold(node.name)]))
    return tree.sql(dialect="sqlite")


def _identifier(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=quote_name(name) != name)


def _values(template: Template, asked: Mentions, columns: dict[Slot, Slot]) -> tuple[dict[str, str], int]:
    """New values of the template's literals, and how many have no partner, in the query or in the question."""
    held, numbers, named, new, lost = list(asked.values), list(asked.numbers), list(asked.named), {}, 0
    for node, slot in template.said:
        if node.this in new:  # said once, and written twice
            continue
        own = next((v for v in held if slot and (v[1], v[2]) == columns[slot]), None)
        text = node.is_string and not node.this.isdigit()
        if text and own:
            new[node.this] = own[3]
            held = [v for v in held if v[0] != own[0]]  # one word may stand in several columns
        elif text and named:
            new[node.this] = named.pop(0)
        elif not text and numbers:
            new[node.this] = numbers.pop(0)
        else:
            lost += 1
    return new, lost + len(numbers) + len({v[0] for v in held})
