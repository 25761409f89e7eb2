"""What sampled queries are made of: tables, joins, columns and conditions drawn from a profiled database."""

from __future__ import annotations

import random
from dataclasses import dataclass

from forge_lib.data.profiling import Column, Join, Profile, nouns, quoted

OPENERS = ("List", "Show", "Give me", "Find", "Return", "I need", "Show me", "What are", "Please list", "Tell me")
AGGREGATES = {"AVG": "average", "MAX": "highest", "MIN": "lowest", "SUM": "total"}


@dataclass(frozen=True)
class Draft:
    """A sampled query and the plain question it answers."""

    sql: str
    question: str


@dataclass(frozen=True)
class Condition:
    """A filter as SQL and as words that follow "whose"."""

    sql: str
    words: str  # after "whose": "price is over 20"


class Sampler:
    """Draws queries over one profiled database. Methods that find nothing to say return None."""

    def __init__(self, profile: Profile, rng: random.Random):
        self.profile, self.rng = profile, rng
        self.tables = [t for t, columns in profile.columns.items() if any(c.rows for c in columns)]
        pairs = [frozenset((j.child, j.parent)) for j in profile.joins]
        # Two keys to one table need roles ("home team") that a plain question cannot word safely.
        self.joins = [j for j in profile.joins if pairs.count(frozenset((j.child, j.parent))) == 1
                      and j.child in self.tables and j.parent in self.tables]  # fmt: skip

    def table(self) -> str:
        return self.rng.choice(self.tables)

    def join(self) -> Join:
        return self.rng.choice(self.joins)

    def label(self, table: str) -> Column:
        """What rows of `table` are called in an answer."""
        return need(self.profile.label(table))

    def shown(self, table: str) -> Column:
        return self.rng.choice(self.profile.of_kind(table, "label", "category", "number", "date", "year", "text"))

    def pick(self, table: str, *kinds: str) -> Column:
        return self.rng.choice(self.profile.of_kind(table, *kinds))

    def open(self) -> str:
        return self.rng.choice(OPENERS)

    def condition(self, table: str, prefix: str = "", but: Column | None = None) -> Condition:
        """A filter on one column of `table` that some of its rows pass."""
        column = self.rng.choice(
            [c for c in self.profile.of_kind(table, "category", "number", "date", "year", "text", "label") if c != but]
        )
        name, said = prefix + quoted(column.name), column.words
        if column.nulls and self.rng.random() < 0.15:
            return self.rng.choice(
                [
                    Condition(f"{name} IS NULL", f"{said} is not recorded"),
                    Condition(f"{name} IS NOT NULL", f"{said} is recorded"),
                ]
            )
        value = self.rng.choice(column.values)
        if column.kind == "date":
            return self._on_date(name, said, str(value))
        if column.kind in ("number", "year"):
            return self._on_number(name, said, sorted(column.values), column.kind == "year")
        if column.kind == "category" and self.rng.random() < 0.15 and len(column.values) > 1:
            return Condition(f"{name} != {literal(value)}", f"{said} is not {value}")
        if column.kind == "category" and self.rng.random() < 0.15 and len(column.values) > 2:
            a, b = self.rng.sample(column.values, 2)
            return Condition(f"{name} IN ({literal(a)}, {literal(b)})", f"{said} is {a} or {b}")
        if column.kind in ("label", "text") and self.rng.random() < 0.5:
            word = self.rng.choice([w for w in str(value).split() if w.isalpha() and len(w) > 3])
            return Condition(f"{name} LIKE '%{word}%'", f"{said} contains {word}")
        return Condition(f"{name} = {literal(value)}", f"{said} is {value}")

    def _on_number(self, name: str, said: str, values: list, year: bool) -> Condition:
        low, value, high = (
            sorted(self.rng.sample(values[len(values) // 10 :], 3)) if len(values) > 4 else [need(None)] * 3
        )
        over, under = (
            ("after", "before")
            if year
            else self.rng.choice([("over", "under"), ("greater than", "less than"), ("above", "below")])
        )
        return self.rng.choice([
            Condition(f"{name} > {value}", f"{said} is {over} {value}"), Condition(f"{name} < {value}", f"{said} is {under} {value}"),
            Condition(f"{name} >= {value}", f"{said} is {value} or later" if year else f"{said} is at least {value}"),
            Condition(f"{name} BETWEEN {low} AND {high}", f"{said} is between {low} and {high}"),
        ] + [Condition(f"{name} = {value}", f"{said} is {value}")] * (2 if year else isinstance(value, int)))  # fmt: skip

    def _on_date(self, name: str, said: str, value: str) -> Condition:
        day = value[:10]
        return self.rng.choice([
            Condition(f"strftime('%Y', {name}) = '{day[:4]}'", f"{said} is in {day[:4]}"),
            Condition(f"strftime('%Y-%m', {name}) = '{day[:7]}'", f"{said} is in {day[:7]}"),
            Condition(f"{name} > '{day}'", f"{said} is after {day}"),
            Condition(f"{name} < '{day}'", f"{said} is before {day}"),
        ])  # fmt: skip


class Missing(LookupError):
    """The database lacks what a shape needs."""


def need(found):
    """`found`, or Missing where there is none."""
    if found is None:
        raise Missing
    return found


def literal(value) -> str:
    """A value as SQL writes it.

    >>> literal("O'Hara"), literal(3)
    ("'O''Hara'", '3')
    """
    return str(value) if isinstance(value, (int, float)) else "'" + str(value).replace("'", "''") + "'"


def many(table: str) -> str:
    """What several rows of a table are called."""
    return nouns(table)[1]


def one(table: str) -> str:
    """What one row of a table is called."""
    return nouns(table)[0]


def full(column: Column) -> str:
    """A column as queries with joins write it."""
    return f"{quoted(column.table)}.{quoted(column.name)}"


def on(join: Join) -> str:
    """child JOIN parent ON key = key."""
    c, p = quoted(join.child), quoted(join.parent)
    return f"{c} JOIN {p} ON {c}.{quoted(join.column)} = {p}.{quoted(join.target)}"
