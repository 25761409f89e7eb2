"""The grammar of synthesis, over one table: shapes of queries that people ask, each with a plain question."""

from __future__ import annotations

from forge_lib.tasks.sql.schema import quote_name
from forge_lib.tasks.sql.synthesis.profiling import Column
from forge_lib.tasks.sql.synthesis.sampler import (
    AGGREGATES,
    Draft,
    Missing,
    Sampler,
    aggregated,
    extremal,
    not_null,
    several,
)
from forge_lib.tasks.sql.synthesis.wording import be, counted, many, one


def _list_columns(s: Sampler) -> Draft:
    """Some columns of all rows."""
    t = s.table()
    chosen = s.rng.sample(
        s.profile.of_kind(t, "label", "category", "number", "date", "year"), s.rng.choice([1, 2, 2, 3])
    )
    said = " and ".join([", ".join(map(several, chosen[:-1])), several(chosen[-1])][len(chosen) == 1 :])
    return Draft(
        f"SELECT {', '.join(quote_name(c.name) for c in chosen)} FROM {quote_name(t)}",
        f"{s.open()} the {said} of all {many(t)}.",
    )


def _filtered(s: Sampler) -> Draft:
    """One column where one condition holds."""
    t = s.table()
    shown = s.rng.choice([s.label(t), s.shown(t)])
    c = s.condition(t, but=shown)
    return Draft(f"SELECT {quote_name(shown.name)} FROM {quote_name(t)} WHERE {c.sql}",
                 s.rng.choice([f"What {be(shown.words)} the {shown.words} of each of the {many(t)} {c.many}?",
                               f"{s.open()} the {shown.words} of every {one(t)} {c.one}."]))  # fmt: skip


def _filtered_twice(s: Sampler) -> Draft:
    """The label where two conditions hold, or one of two."""
    t = s.table()
    shown = s.label(t)
    a, b = s.condition(t, but=shown), s.condition(t, but=shown)
    if a.sql.split()[0] == b.sql.split()[0]:
        raise Missing
    word = s.rng.choice(["and", "and", "or"])
    return Draft(f"SELECT {quote_name(shown.name)} FROM {quote_name(t)} WHERE {a.sql} {word.upper()} {b.sql}",
                 f"{s.open()} the {several(shown)} of {many(t)} {a.many} {word} {b.many}.")  # fmt: skip


def _count_rows(s: Sampler) -> Draft:
    """How many rows, of all or under a condition."""
    t = s.table()
    if s.rng.random() < 0.2:
        return Draft(
            f"SELECT COUNT(*) FROM {quote_name(t)}",
            s.rng.choice([f"How many {many(t)} are there?", f"Count the {many(t)}."]),
        )
    c = s.condition(t)
    return Draft(f"SELECT COUNT(*) FROM {quote_name(t)} WHERE {c.sql}",
                 s.rng.choice([f"How many {many(t)} are there {c.many}?", f"Number of {many(t)} {c.many}"]))  # fmt: skip


def _aggregate(s: Sampler) -> Draft:
    """One number about a column of numbers."""
    t = s.table()
    number, function = s.pick(t, "number"), s.rng.choice(list(AGGREGATES))
    said = f"the {aggregated(function, number.words)}"
    if s.rng.random() < 0.4:
        return Draft(
            f"SELECT {function}({quote_name(number.name)}) FROM {quote_name(t)}", f"What is {said} of all {many(t)}?"
        )
    c = s.condition(t, but=number)
    return Draft(
        f"SELECT {function}({quote_name(number.name)}) FROM {quote_name(t)} WHERE {c.sql}",
        f"What is {said} of {many(t)} {c.many}?",
    )


def _two_aggregates(s: Sampler) -> Draft:
    """Two numbers about a column of numbers."""
    t = s.table()
    number = s.pick(t, "number")
    a, b = s.rng.sample(list(AGGREGATES), 2)
    n = quote_name(number.name)
    return Draft(f"SELECT {a}({n}), {b}({n}) FROM {quote_name(t)}",
                 f"{s.open()} the {AGGREGATES[a]} and the {aggregated(b, number.words)} of all {many(t)}.")  # fmt: skip


def _distinct_values(s: Sampler) -> Draft:
    """The different values of a column, or how many."""
    t = s.table()
    c = s.pick(t, "category", "text")
    if s.rng.random() < 0.5:
        return Draft(
            f"SELECT COUNT(DISTINCT {quote_name(c.name)}) FROM {quote_name(t)}",
            f"How many different {several(c)} do the {many(t)} have?",
        )
    return Draft(
        f"SELECT DISTINCT {quote_name(c.name)} FROM {quote_name(t)}",
        f"{s.open()} the different {several(c)} of the {many(t)}.",
    )


def _ordered(s: Sampler) -> Draft:
    """All labels in the order of another column."""
    t = s.table()
    shown, by = s.label(t), s.pick(t, "number", "date", "year")
    down = s.rng.random() < 0.5
    return Draft(f"SELECT {quote_name(shown.name)} FROM {quote_name(t)} ORDER BY {quote_name(by.name)}{' DESC' * down}",
                 f"{s.open()} the {several(shown)} of all {many(t)}, ordered by {by.words} from {_ends(by, down)}.")  # fmt: skip


def _top(s: Sampler) -> Draft:
    """The first one or few by a column."""
    t = s.table()
    shown, by = s.label(t), s.pick(t, "number", "date", "year")
    down, k = s.rng.random() < 0.6, s.rng.choice([1, 1, 1, 3, 5])
    where, among = "", ""
    if s.rng.random() < 0.5:
        c = s.condition(t, but=by)
        where, among = c.sql, f" among those {c.many}"
    extreme = (
        f"{'latest' if down else 'earliest'} {by.words}"
        if by.kind in ("date", "year")
        else extremal("MAX" if down else "MIN", by.words)
    )
    what = f"the {one(t)} with the {extreme}" if k == 1 else f"each of the {k} {many(t)} with the {extreme}"
    # NULL is SQLite's lowest; downwards it comes first only where nothing else is left.
    cut = not_null(by, quote_name(by.name), where) if where or k > 1 or not down else ""
    return Draft(f"SELECT {quote_name(shown.name)} FROM {quote_name(t)}{cut} ORDER BY {quote_name(by.name)}{' DESC' * down} LIMIT {k}",
                 f"What {be(shown.words)} the {shown.words} of {what}{among}?")  # fmt: skip


def _grouped(s: Sampler) -> Draft:
    """A count or an aggregate for each value of a category."""
    t = s.table()
    by = s.pick(t, "category")
    if s.rng.random() < 0.5:
        return Draft(f"SELECT {quote_name(by.name)}, COUNT(*) FROM {quote_name(t)} GROUP BY {quote_name(by.name)}",
                     s.rng.choice([f"How many {many(t)} are there for each {by.words}?", f"{s.open()} each {by.words} and its number of {many(t)}."]))  # fmt: skip
    number, function = s.pick(t, "number"), s.rng.choice(list(AGGREGATES))
    return Draft(f"SELECT {quote_name(by.name)}, {function}({quote_name(number.name)}) FROM {quote_name(t)} GROUP BY {quote_name(by.name)}",
                 f"For each {by.words}, what is the {aggregated(function, number.words)} of the {many(t)}?")  # fmt: skip


def _largest_group(s: Sampler) -> Draft:
    """The value of a category with most or fewest rows."""
    t = s.table()
    by = s.pick(t, "category")
    down = s.rng.random() < 0.7
    return Draft(f"SELECT {quote_name(by.name)} FROM {quote_name(t)}{not_null(by, quote_name(by.name))} GROUP BY {quote_name(by.name)} ORDER BY COUNT(*){' DESC' * down} LIMIT 1",
                 f"Which {by.words} do the {'most' if down else 'fewest'} {many(t)} have?")  # fmt: skip


def _big_groups(s: Sampler) -> Draft:
    """The values of a category with more than k rows."""
    t = s.table()
    by, k = s.pick(t, "category"), s.rng.choice([1, 2, 3, 5])
    return Draft(f"SELECT {quote_name(by.name)} FROM {quote_name(t)}{not_null(by, quote_name(by.name))} GROUP BY {quote_name(by.name)} HAVING COUNT(*) > {k}",
                 f"Which values of {by.words} are shared by more than {counted(k, t)}?")  # fmt: skip


def _beyond_average(s: Sampler) -> Draft:
    """The labels above or below the average."""
    t = s.table()
    shown, number = s.label(t), s.pick(t, "number")
    sign, word = s.rng.choice([(">", "above"), ("<", "below")])
    n = quote_name(number.name)
    return Draft(f"SELECT {quote_name(shown.name)} FROM {quote_name(t)} WHERE {n} {sign} (SELECT AVG({n}) FROM {quote_name(t)})",
                 f"{s.open()} the {several(shown)} of {many(t)} whose {number.words} {be(number.words)} {word} the average of all {many(t)}.")  # fmt: skip


def _extreme(s: Sampler) -> Draft:
    """What the rows with the extreme of a number have."""
    t = s.table()
    shown, number = s.shown(t), s.pick(t, "number", "year")
    function = s.rng.choice(["MAX", "MIN"])
    n = quote_name(number.name)
    return Draft(f"SELECT {quote_name(shown.name)} FROM {quote_name(t)} WHERE {n} = (SELECT {function}({n}) FROM {quote_name(t)})",
                 f"What {be(shown.words)} the {shown.words} of the {many(t)} that have the {extremal(function, number.words)} of all?")  # fmt: skip


def _both_groups(s: Sampler) -> Draft:
    """Values that two groups have in common, or only one, or either."""
    t = s.table()
    shown = s.pick(t, "category", "text")
    a, b = s.condition(t, but=shown), s.condition(t, but=shown)
    if a.sql.split()[0] != b.sql.split()[0]:
        raise Missing
    word, said = s.rng.choice([("INTERSECT", "and also by some"), ("EXCEPT", "but by no"), ("UNION", "or by some")])
    if a == b:
        raise Missing
    f = f"SELECT {quote_name(shown.name)} FROM {quote_name(t)} WHERE"
    return Draft(f"{f} {a.sql} {word} {f} {b.sql}",
                 f"Which values of {shown.words} are held by some {one(t)} {a.one} {said} {one(t)} {b.one}?")  # fmt: skip


def _share(s: Sampler) -> Draft:
    """The percentage of rows under a condition."""
    t = s.table()
    c = s.condition(t)
    return Draft(f"SELECT 100.0 * SUM(CASE WHEN {c.sql} THEN 1 ELSE 0 END) / COUNT(*) FROM {quote_name(t)}",
                 f"What percentage of all {many(t)} are those {c.many}?")  # fmt: skip


def _ends(column: Column, down: bool) -> str:
    ends = ("earliest", "latest") if column.kind in ("date", "year") else ("lowest", "highest")
    return " to ".join(reversed(ends) if down else ends)


# A shape that is asked more often stands here more than once.
SINGLE = [
    _list_columns, _filtered, _filtered, _filtered_twice, _count_rows, _aggregate, _two_aggregates, _distinct_values, _ordered, _top, _top,
    _grouped, _grouped, _largest_group, _big_groups, _beyond_average, _extreme, _both_groups, _share,
]  # fmt: skip
