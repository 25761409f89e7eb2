"""The grammar of synthesis, over two and three tables that keys connect."""

from __future__ import annotations

from forge_lib.tasks.sql.schema import quote_name
from forge_lib.tasks.sql.synthesis.sampler import (
    AGGREGATES,
    Condition,
    Draft,
    Sampler,
    aggregated,
    extremal,
    full,
    need,
    not_null,
    on,
    several,
)
from forge_lib.tasks.sql.synthesis.wording import a, be, counted, counts, many, one


def _filter(s: Sampler, table: str) -> Condition:
    """A condition on a column of `table`, written behind the table's name."""
    return s.condition(table, prefix=quote_name(table) + ".")


def _filtered_by_parent(s: Sampler) -> Draft:
    """A column of children whose parent fulfils a condition."""
    j = s.join()
    shown, c = s.shown(j.child), _filter(s, j.parent)
    return Draft(f"SELECT {full(shown)} FROM {on(j)} WHERE {c.sql}",
                 f"{s.open()} the {several(shown)} of {many(j.child)} that belong to {a(j.parent)} {c.one}.")  # fmt: skip


def _parents_by_child(s: Sampler) -> Draft:
    """Parents that have a child under a condition, once each."""
    j = s.join()
    shown, c = s.label(j.parent), _filter(s, j.child)
    return Draft(f"SELECT DISTINCT {full(shown)} FROM {on(j)} WHERE {c.sql}",
                 f"What are the different {several(shown)} of {many(j.parent)} that have {a(j.child)} {c.one}?")  # fmt: skip


def _side_by_side(s: Sampler) -> Draft:
    """A child's column beside its parent's label."""
    j = s.join()
    a, b = s.shown(j.child), s.label(j.parent)
    return Draft(f"SELECT {full(a)}, {full(b)} FROM {on(j)}",
                 f"{s.open()} the {a.words} of each {one(j.child)} together with the {b.words} of its {one(j.parent)}.")  # fmt: skip


def _count_of_parent(s: Sampler) -> Draft:
    """How many children the parents under a condition have."""
    j = s.join()
    c = _filter(s, j.parent)
    return Draft(
        f"SELECT COUNT(*) FROM {on(j)} WHERE {c.sql}",
        f"How many {many(j.child)} belong to {a(j.parent)} {c.one}?",
    )


def _aggregate_of_parent(s: Sampler) -> Draft:
    """One number about the children of parents under a condition."""
    j = s.join()
    number, function, c = (
        s.pick(j.child, "number"),
        s.rng.choice(list(AGGREGATES)),
        _filter(s, j.parent),
    )
    return Draft(f"SELECT {function}({full(number)}) FROM {on(j)} WHERE {c.sql}",
                 f"What is the {aggregated(function, number.words)} of {many(j.child)} that belong to {a(j.parent)} {c.one}?")  # fmt: skip


def _children_per_parent(s: Sampler) -> Draft:
    """How many children each parent has, with or without those that have none."""
    j = s.join()
    shown, key = s.label(j.parent), need(s.profile.keys.get(j.parent))
    p, c = quote_name(j.parent), quote_name(j.child)
    if s.rng.random() < 0.4:
        child_key = need(s.profile.keys.get(j.child))
        opening = s.open()
        opening = opening if opening.startswith("I ") else opening.lower()
        left = f"{p} LEFT JOIN {c} ON {c}.{quote_name(j.column)} = {p}.{quote_name(j.target)}"
        return Draft(f"SELECT {full(shown)}, COUNT({c}.{quote_name(child_key)}) FROM {left} GROUP BY {p}.{quote_name(key)}",
                     f"For every {one(j.parent)}, also those without any, {opening} its {shown.words} and its number of {many(j.child)}.")  # fmt: skip
    return Draft(f"SELECT {full(shown)}, COUNT(*) FROM {on(j)} GROUP BY {p}.{quote_name(key)}",
                 f"For each {one(j.parent)} that has {many(j.child)}, give its {shown.words} and how many {many(j.child)} it has.")  # fmt: skip


def _number_per_parent(s: Sampler) -> Draft:
    """An aggregate of its children for each parent."""
    j = s.join()
    shown, key, number, function = (
        s.label(j.parent),
        need(s.profile.keys.get(j.parent)),
        s.pick(j.child, "number"),
        s.rng.choice(list(AGGREGATES)),
    )
    return Draft(f"SELECT {full(shown)}, {function}({full(number)}) FROM {on(j)} GROUP BY {quote_name(j.parent)}.{quote_name(key)}",
                 f"For each {one(j.parent)} that has {many(j.child)}, give its {shown.words} and the {aggregated(function, number.words)} of its {many(j.child)}.")  # fmt: skip


def _busiest_parent(s: Sampler) -> Draft:
    """The parent with most or fewest children, or the largest sum."""
    j = s.join()
    shown, key, down = s.label(j.parent), need(s.profile.keys.get(j.parent)), s.rng.random() < 0.8
    number = s.rng.choice([None, *s.profile.of_kind(j.child, "number")])
    by, said = (
        ("COUNT(*)", many(j.child))
        if number is None
        else (f"SUM({full(number)})", f"{aggregated('SUM', number.words)} of {many(j.child)}")
    )
    where = "" if number is None or down else not_null(number, full(number))
    word = {True: "most", False: "fewest"}[down] if number is None else {True: "highest", False: "lowest"}[down]
    return Draft(f"SELECT {full(shown)} FROM {on(j)}{where} GROUP BY {quote_name(j.parent)}.{quote_name(key)} ORDER BY {by}{' DESC' * down} LIMIT 1",
                 f"What {be(shown.words)} the {shown.words} of the {one(j.parent)} with the {word} {said}?")  # fmt: skip


def _busy_parents(s: Sampler) -> Draft:
    """Parents with more than k children, under a condition or not."""
    j = s.join()
    shown, key, k = s.label(j.parent), need(s.profile.keys.get(j.parent)), s.rng.choice([1, 1, 2, 3])
    where, whose = "", ""
    if s.rng.random() < 0.4:
        c = _filter(s, j.child)
        where, whose = f" WHERE {c.sql}", f" {c.many}"
    order, said = s.rng.choice([("", ""), (" ORDER BY COUNT(*) DESC", ", those with the most first")])
    return Draft(f"SELECT {full(shown)} FROM {on(j)}{where} GROUP BY {quote_name(j.parent)}.{quote_name(key)} HAVING COUNT(*) > {k}{order}",
                 f"{s.open()} the {several(shown)} of {many(j.parent)} with more than {counted(k, j.child)}{whose}{said}.")  # fmt: skip


def _childless(s: Sampler) -> Draft:
    """Parents that no child refers to."""
    j = s.join()
    shown, c, k = s.label(j.parent), quote_name(j.child), quote_name(j.column)
    filled = (
        f" WHERE {k} IS NOT NULL" if any(x.name == j.column and x.nulls for x in s.profile.columns[j.child]) else ""
    )
    return Draft(f"SELECT {quote_name(shown.name)} FROM {quote_name(j.parent)} WHERE {quote_name(j.target)} NOT IN (SELECT {k} FROM {c}{filled})",
                 s.rng.choice([f"{s.open()} the {several(shown)} of {many(j.parent)} that have no {one(j.child)}.",
                               f"Which {many(j.parent)} have no {many(j.child)}? Give their {several(shown)}."]))  # fmt: skip


def _top_with_parent(s: Sampler) -> Draft:
    """The parent of the child with the largest number or latest date."""
    j = s.join()
    shown, by = s.label(j.parent), s.pick(j.child, "number", "date", "year")
    last = extremal("MAX", by.words) if by.kind == "number" else f"latest {by.words}"
    return Draft(f"SELECT {full(shown)} FROM {on(j)} ORDER BY {full(by)} DESC LIMIT 1",
                 f"What {be(shown.words)} the {shown.words} of the {one(j.parent)} to which the {one(j.child)} with the {last} belongs?")  # fmt: skip


def _chain(s: Sampler) -> Draft:
    """Over three tables: children, parents and grandparents, or two parents of one child."""
    j = s.join()
    k = s.rng.choice(
        [x for x in s.joins if x != j and x.child in (j.parent, j.child) and x.parent not in (j.parent, j.child)]
    )
    path = f"{on(j)} JOIN {quote_name(k.parent)} ON {quote_name(k.child)}.{quote_name(k.column)} = {quote_name(k.parent)}.{quote_name(k.target)}"
    c = _filter(s, k.parent)
    through = (
        f"that belong to {a(j.parent)} of {a(k.parent)}" if k.child == j.parent else f"that belong to {a(k.parent)}"
    )
    if k.child == j.parent:
        shown = s.shown(j.child)
        if s.rng.random() < 0.4:
            return Draft(
                f"SELECT COUNT(*) FROM {path} WHERE {c.sql}",
                f"How many {many(j.child)} are there {through} {c.one}?",
            )
        return Draft(
            f"SELECT {full(shown)} FROM {path} WHERE {c.sql}",
            f"{s.open()} the {several(shown)} of {many(j.child)} {through} {c.one}.",
        )
    shown = s.label(j.parent)
    if s.rng.random() < 0.4:
        key = need(s.profile.keys.get(j.parent))
        return Draft(f"SELECT {full(shown)}, COUNT(*) FROM {path} WHERE {c.sql} GROUP BY {quote_name(j.parent)}.{quote_name(key)}",
                     f"Counting only {many(j.child)} {through} {c.one}, give the {shown.words} of each {one(j.parent)} and its number of {many(j.child)}.")  # fmt: skip
    return Draft(f"SELECT DISTINCT {full(shown)} FROM {path} WHERE {c.sql}",
                 f"What are the different {several(shown)} of {many(j.parent)} with {many(j.child)} {through} {c.one}?")  # fmt: skip


def _above_average_in_group(s: Sampler) -> Draft:
    """Children of some parents, above the average of all children."""
    j = s.join()
    shown, number, c = s.label(j.child), s.pick(j.child, "number"), _filter(s, j.parent)
    n = quote_name(number.name)
    return Draft(f"SELECT {full(shown)} FROM {on(j)} WHERE {c.sql} AND {full(number)} > (SELECT AVG({n}) FROM {quote_name(j.child)})",
                 f"{s.open()} the {several(shown)} of {many(j.child)} that belong to {a(j.parent)} {c.one} and whose own {number.words} {be(number.words)} above the average of all {many(j.child)}.")  # fmt: skip


def _ranked_categories(s: Sampler) -> Draft:
    """An aggregate of the children for each category of parents, ranked."""
    j = s.join()
    by, number, k = s.pick(j.parent, "category"), s.pick(j.child, "number"), s.rng.choice([1, 2])
    function = s.rng.choice(["AVG", "SUM"])
    return Draft(f"SELECT {full(by)}, {function}({full(number)}) FROM {on(j)} GROUP BY {full(by)} HAVING COUNT(*) > {k} ORDER BY {function}({full(number)}) DESC",
                 f"For each {by.words} of {many(j.parent)} with more than {counted(k, j.child)}, give the {aggregated(function, number.words)} of the {many(j.child)}, highest first.")  # fmt: skip


def _share_of_parent(s: Sampler) -> Draft:
    """The percentage under a condition among the children of some parents."""
    j = s.join()
    c, d = _filter(s, j.child), _filter(s, j.parent)
    return Draft(f"SELECT 100.0 * SUM(CASE WHEN {c.sql} THEN 1 ELSE 0 END) / COUNT(*) FROM {on(j)} WHERE {d.sql}",
                 f"Of the {many(j.child)} that belong to {a(j.parent)} {d.one}, what percentage are those {c.many}?")  # fmt: skip


def _strong_parents(s: Sampler) -> Draft:
    """Parents whose children's average is above that of all."""
    j = s.join()
    shown, key, number = s.label(j.parent), need(s.profile.keys.get(j.parent)), s.pick(j.child, "number")
    more = "more" if counts(number.words) else "a higher"
    return Draft(f"SELECT {full(shown)} FROM {on(j)} GROUP BY {quote_name(j.parent)}.{quote_name(key)} HAVING AVG({full(number)}) > (SELECT AVG({quote_name(number.name)}) FROM {quote_name(j.child)})",
                 f"{s.open()} the {several(shown)} of {many(j.parent)} whose {many(j.child)} have on average {more} {number.words} than all {many(j.child)} do on average.")  # fmt: skip


def _ranked_parents_over_chain(s: Sampler) -> Draft:
    """Parents ranked by how many children they share with another parent."""
    j = s.join()
    k = s.rng.choice([x for x in s.joins if x != j and x.child == j.child and x.parent != j.parent])
    path = f"{on(j)} JOIN {quote_name(k.parent)} ON {quote_name(k.child)}.{quote_name(k.column)} = {quote_name(k.parent)}.{quote_name(k.target)}"
    shown, key, c = s.label(j.parent), need(s.profile.keys.get(j.parent)), _filter(s, k.parent)
    least = s.rng.choice([0, 1, 2])
    having, said = (f" HAVING COUNT(*) > {least}", f" with more than {least} of them") if least else ("", "")
    return Draft(f"SELECT {full(shown)}, COUNT(*) FROM {path} WHERE {c.sql} GROUP BY {quote_name(j.parent)}.{quote_name(key)}{having} ORDER BY COUNT(*) DESC",
                 f"Counting only {many(j.child)} that belong to {a(k.parent)} {c.one}, give the {shown.words} of each {one(j.parent)}{said} and its number of {many(j.child)}, highest number first.")  # fmt: skip


def _top_of_group(s: Sampler) -> Draft:
    """Within the children of some parents, the one with the extreme."""
    j = s.join()
    shown, number, c = s.label(j.child), s.pick(j.child, "number"), _filter(s, j.parent)
    function = s.rng.choice(["MAX", "MIN"])
    return Draft(f"SELECT {full(shown)} FROM {on(j)} WHERE {c.sql} AND {full(number)} = (SELECT {function}({full(number)}) FROM {on(j)} WHERE {c.sql})",
                 f"Among the {many(j.child)} that belong to {a(j.parent)} {c.one}, what are the {several(shown)} of those with the {extremal(function, number.words)}?")  # fmt: skip


JOINED = [
    _filtered_by_parent, _parents_by_child, _side_by_side, _count_of_parent, _aggregate_of_parent, _children_per_parent,
    _number_per_parent, _busiest_parent, _busy_parents, _childless, _top_with_parent, _chain, _chain, _above_average_in_group,
    _ranked_categories, _share_of_parent, _strong_parents, _ranked_parents_over_chain, _top_of_group,
]  # fmt: skip
