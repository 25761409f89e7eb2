"""The grammar of synthesis, over two and three tables that keys connect."""

from __future__ import annotations

from forge_lib.data.profiling import quoted
from forge_lib.data.sampler import AGGREGATES, Draft, Sampler, full, many, need, on, one


def filtered_by_parent(s: Sampler) -> Draft:
    """A column of children whose parent fulfils a condition."""
    j = s.join()
    shown, c = s.shown(j.child), s.condition(j.parent, prefix=quoted(j.parent) + ".")
    return Draft(f"SELECT {full(shown)} FROM {on(j)} WHERE {c.sql}",
                 f"{s.open()} the {shown.words} of {many(j.child)} that belong to {_a(j.parent)} whose {c.words}.")  # fmt: skip


def parents_by_child(s: Sampler) -> Draft:
    """Parents that have a child under a condition, once each."""
    j = s.join()
    shown, c = s.label(j.parent), s.condition(j.child, prefix=quoted(j.child) + ".")
    return Draft(f"SELECT DISTINCT {full(shown)} FROM {on(j)} WHERE {c.sql}",
                 f"Which different {shown.words} values do {many(j.parent)} have that have {_a(j.child)} whose {c.words}?")  # fmt: skip


def side_by_side(s: Sampler) -> Draft:
    """A child's column beside its parent's label."""
    j = s.join()
    a, b = s.shown(j.child), s.label(j.parent)
    return Draft(f"SELECT {full(a)}, {full(b)} FROM {on(j)}",
                 f"{s.open()} the {a.words} of each {one(j.child)} together with the {b.words} of its {one(j.parent)}.")  # fmt: skip


def count_of_parent(s: Sampler) -> Draft:
    """How many children the parents under a condition have."""
    j = s.join()
    c = s.condition(j.parent, prefix=quoted(j.parent) + ".")
    return Draft(
        f"SELECT COUNT(*) FROM {on(j)} WHERE {c.sql}",
        f"How many {many(j.child)} belong to {_a(j.parent)} whose {c.words}?",
    )


def aggregate_of_parent(s: Sampler) -> Draft:
    """One number about the children of parents under a condition."""
    j = s.join()
    number, function, c = (
        s.pick(j.child, "number"),
        s.rng.choice(list(AGGREGATES)),
        s.condition(j.parent, prefix=quoted(j.parent) + "."),
    )
    return Draft(f"SELECT {function}({full(number)}) FROM {on(j)} WHERE {c.sql}",
                 f"What is the {AGGREGATES[function]} {number.words} of {many(j.child)} that belong to {_a(j.parent)} whose {c.words}?")  # fmt: skip


def children_per_parent(s: Sampler) -> Draft:
    """How many children each parent has, with or without those that have none."""
    j = s.join()
    shown, key = s.label(j.parent), need(s.profile.keys.get(j.parent))
    p, c = quoted(j.parent), quoted(j.child)
    if s.rng.random() < 0.4:
        child_key = need(s.profile.keys.get(j.child))
        left = f"{p} LEFT JOIN {c} ON {c}.{quoted(j.column)} = {p}.{quoted(j.target)}"
        return Draft(f"SELECT {full(shown)}, COUNT({c}.{quoted(child_key)}) FROM {left} GROUP BY {p}.{quoted(key)}",
                     f"For every {one(j.parent)}, also those without any, {s.open().lower()} its {shown.words} and its number of {many(j.child)}.")  # fmt: skip
    return Draft(f"SELECT {full(shown)}, COUNT(*) FROM {on(j)} GROUP BY {p}.{quoted(key)}",
                 f"For each {one(j.parent)} that has {many(j.child)}, give its {shown.words} and how many {many(j.child)} it has.")  # fmt: skip


def number_per_parent(s: Sampler) -> Draft:
    """An aggregate of its children for each parent."""
    j = s.join()
    shown, key, number, function = (
        s.label(j.parent),
        need(s.profile.keys.get(j.parent)),
        s.pick(j.child, "number"),
        s.rng.choice(list(AGGREGATES)),
    )
    return Draft(f"SELECT {full(shown)}, {function}({full(number)}) FROM {on(j)} GROUP BY {quoted(j.parent)}.{quoted(key)}",
                 f"For each {one(j.parent)} that has {many(j.child)}, give its {shown.words} and the {AGGREGATES[function]} {number.words} of its {many(j.child)}.")  # fmt: skip


def busiest_parent(s: Sampler) -> Draft:
    """The parent with most or fewest children, or the largest sum."""
    j = s.join()
    shown, key, down = s.label(j.parent), need(s.profile.keys.get(j.parent)), s.rng.random() < 0.8
    number = s.rng.choice([None, *s.profile.of_kind(j.child, "number")])
    by, said = (
        ("COUNT(*)", many(j.child))
        if number is None
        else (f"SUM({full(number)})", f"total {number.words} of {many(j.child)}")
    )
    word = {True: "most", False: "fewest"}[down] if number is None else {True: "highest", False: "lowest"}[down]
    return Draft(f"SELECT {full(shown)} FROM {on(j)} GROUP BY {quoted(j.parent)}.{quoted(key)} ORDER BY {by}{' DESC' * down} LIMIT 1",
                 f"What is the {shown.words} of the {one(j.parent)} with the {word} {said}?")  # fmt: skip


def busy_parents(s: Sampler) -> Draft:
    """Parents with more than k children, under a condition or not."""
    j = s.join()
    shown, key, k = s.label(j.parent), need(s.profile.keys.get(j.parent)), s.rng.choice([1, 1, 2, 3])
    where, whose = "", ""
    if s.rng.random() < 0.4:
        c = s.condition(j.child, prefix=quoted(j.child) + ".")
        where, whose = f" WHERE {c.sql}", f" whose {c.words}"
    order, said = s.rng.choice([("", ""), (" ORDER BY COUNT(*) DESC", ", those with the most first")])
    return Draft(f"SELECT {full(shown)} FROM {on(j)}{where} GROUP BY {quoted(j.parent)}.{quoted(key)} HAVING COUNT(*) > {k}{order}",
                 f"{s.open()} the {shown.words} of {many(j.parent)} with more than {k} {many(j.child)}{whose}{said}.")  # fmt: skip


def childless(s: Sampler) -> Draft:
    """Parents that no child refers to."""
    j = s.join()
    shown, c, k = s.label(j.parent), quoted(j.child), quoted(j.column)
    filled = (
        f" WHERE {k} IS NOT NULL" if any(x.name == j.column and x.nulls for x in s.profile.columns[j.child]) else ""
    )
    return Draft(f"SELECT {quoted(shown.name)} FROM {quoted(j.parent)} WHERE {quoted(j.target)} NOT IN (SELECT {k} FROM {c}{filled})",
                 s.rng.choice([f"{s.open()} the {shown.words} of {many(j.parent)} that have no {one(j.child)}.",
                               f"Which {many(j.parent)} have no {many(j.child)}? Give their {shown.words}."]))  # fmt: skip


def top_with_parent(s: Sampler) -> Draft:
    """The parent of the child with the largest number or latest date."""
    j = s.join()
    shown, by = s.label(j.parent), s.pick(j.child, "number", "date", "year")
    return Draft(f"SELECT {full(shown)} FROM {on(j)} ORDER BY {full(by)} DESC LIMIT 1",
                 f"What is the {shown.words} of the {one(j.parent)} to which the {one(j.child)} with the {'latest' if by.kind != 'number' else 'highest'} {by.words} belongs?")  # fmt: skip


def chain(s: Sampler) -> Draft:
    """Over three tables: children, parents and grandparents, or two parents of one child."""
    j = s.join()
    k = s.rng.choice(
        [x for x in s.joins if x != j and x.child in (j.parent, j.child) and x.parent not in (j.parent, j.child)]
    )
    path = f"{on(j)} JOIN {quoted(k.parent)} ON {quoted(k.child)}.{quoted(k.column)} = {quoted(k.parent)}.{quoted(k.target)}"
    c = s.condition(k.parent, prefix=quoted(k.parent) + ".")
    through = (
        f"that belong to {_a(j.parent)} of {_a(k.parent)}" if k.child == j.parent else f"that belong to {_a(k.parent)}"
    )
    if k.child == j.parent:
        shown = s.shown(j.child)
        if s.rng.random() < 0.4:
            return Draft(
                f"SELECT COUNT(*) FROM {path} WHERE {c.sql}",
                f"How many {many(j.child)} are there {through} whose {c.words}?",
            )
        return Draft(
            f"SELECT {full(shown)} FROM {path} WHERE {c.sql}",
            f"{s.open()} the {shown.words} of {many(j.child)} {through} whose {c.words}.",
        )
    shown = s.label(j.parent)
    if s.rng.random() < 0.4:
        key = need(s.profile.keys.get(j.parent))
        return Draft(f"SELECT {full(shown)}, COUNT(*) FROM {path} WHERE {c.sql} GROUP BY {quoted(j.parent)}.{quoted(key)}",
                     f"Counting only {many(j.child)} {through} whose {c.words}, give the {shown.words} of each {one(j.parent)} and its number of {many(j.child)}.")  # fmt: skip
    return Draft(f"SELECT DISTINCT {full(shown)} FROM {path} WHERE {c.sql}",
                 f"Which different {shown.words} values do {many(j.parent)} have with {many(j.child)} {through} whose {c.words}?")  # fmt: skip


def above_average_in_group(s: Sampler) -> Draft:
    """Children of some parents, above the average of all children."""
    j = s.join()
    shown, number, c = s.label(j.child), s.pick(j.child, "number"), s.condition(j.parent, prefix=quoted(j.parent) + ".")
    n = quoted(number.name)
    return Draft(f"SELECT {full(shown)} FROM {on(j)} WHERE {c.sql} AND {full(number)} > (SELECT AVG({n}) FROM {quoted(j.child)})",
                 f"{s.open()} the {shown.words} of {many(j.child)} that belong to {_a(j.parent)} whose {c.words} and whose own {number.words} is above the average of all {many(j.child)}.")  # fmt: skip


def ranked_categories(s: Sampler) -> Draft:
    """An aggregate of the children for each category of parents, ranked."""
    j = s.join()
    by, number, k = s.pick(j.parent, "category"), s.pick(j.child, "number"), s.rng.choice([1, 2])
    function = s.rng.choice(["AVG", "SUM"])
    return Draft(f"SELECT {full(by)}, {function}({full(number)}) FROM {on(j)} GROUP BY {full(by)} HAVING COUNT(*) > {k} ORDER BY {function}({full(number)}) DESC",
                 f"For each {by.words} of {many(j.parent)} with more than {k} {many(j.child)}, give the {AGGREGATES[function]} {number.words} of the {many(j.child)}, highest first.")  # fmt: skip


def share_of_parent(s: Sampler) -> Draft:
    """The percentage under a condition among the children of some parents."""
    j = s.join()
    c, d = s.condition(j.child, prefix=quoted(j.child) + "."), s.condition(j.parent, prefix=quoted(j.parent) + ".")
    return Draft(f"SELECT 100.0 * SUM(CASE WHEN {c.sql} THEN 1 ELSE 0 END) / COUNT(*) FROM {on(j)} WHERE {d.sql}",
                 f"Of the {many(j.child)} that belong to {_a(j.parent)} whose {d.words}, what percentage are those whose {c.words}?")  # fmt: skip


def strong_parents(s: Sampler) -> Draft:
    """Parents whose children's average is above that of all."""
    j = s.join()
    shown, key, number = s.label(j.parent), need(s.profile.keys.get(j.parent)), s.pick(j.child, "number")
    return Draft(f"SELECT {full(shown)} FROM {on(j)} GROUP BY {quoted(j.parent)}.{quoted(key)} HAVING AVG({full(number)}) > (SELECT AVG({quoted(number.name)}) FROM {quoted(j.child)})",
                 f"{s.open()} the {shown.words} of {many(j.parent)} whose {many(j.child)} have on average a higher {number.words} than all {many(j.child)} do on average.")  # fmt: skip


def ranked_parents_over_chain(s: Sampler) -> Draft:
    """Parents ranked by how many children they share with another parent."""
    j = s.join()
    k = s.rng.choice([x for x in s.joins if x != j and x.child == j.child and x.parent != j.parent])
    path = f"{on(j)} JOIN {quoted(k.parent)} ON {quoted(k.child)}.{quoted(k.column)} = {quoted(k.parent)}.{quoted(k.target)}"
    shown, key, c = (
        s.label(j.parent),
        need(s.profile.keys.get(j.parent)),
        s.condition(k.parent, prefix=quoted(k.parent) + "."),
    )
    least = s.rng.choice([0, 1, 2])
    having, said = (f" HAVING COUNT(*) > {least}", f" with more than {least} of them") if least else ("", "")
    return Draft(f"SELECT {full(shown)}, COUNT(*) FROM {path} WHERE {c.sql} GROUP BY {quoted(j.parent)}.{quoted(key)}{having} ORDER BY COUNT(*) DESC",
                 f"Counting only {many(j.child)} that belong to {_a(k.parent)} whose {c.words}, give the {shown.words} of each {one(j.parent)}{said} and its number of {many(j.child)}, highest number first.")  # fmt: skip


def top_of_group(s: Sampler) -> Draft:
    """Within the children of some parents, the one with the extreme."""
    j = s.join()
    shown, number, c = s.label(j.child), s.pick(j.child, "number"), s.condition(j.parent, prefix=quoted(j.parent) + ".")
    function = s.rng.choice(["MAX", "MIN"])
    return Draft(f"SELECT {full(shown)} FROM {on(j)} WHERE {c.sql} AND {full(number)} = (SELECT {function}({full(number)}) FROM {on(j)} WHERE {c.sql})",
                 f"Among the {many(j.child)} that belong to {_a(j.parent)} whose {c.words}, what is the {shown.words} of those with the {AGGREGATES[function]} {number.words}?")  # fmt: skip


def _a(table: str) -> str:
    return f"{'an' if one(table)[0] in 'aeiou' else 'a'} {one(table)}"


JOINED = [
    filtered_by_parent, parents_by_child, side_by_side, count_of_parent, aggregate_of_parent, children_per_parent,
    number_per_parent, busiest_parent, busy_parents, childless, top_with_parent, chain, chain, above_average_in_group,
    ranked_categories, share_of_parent, strong_parents, ranked_parents_over_chain, top_of_group,
]  # fmt: skip
