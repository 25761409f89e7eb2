"""What sampled queries are made of: tables, joins, columns and conditions drawn from a profiled database."""

from __future__ import annotations

import random
from dataclasses import dataclass

from forge_lib.tasks.sql.schema import quote_name
from forge_lib.tasks.sql.synthesis.clocks import CLOCKS
from forge_lib.tasks.sql.synthesis.profiling import Column, DatabaseProfile, Join
from forge_lib.tasks.sql.synthesis.wording import flag_words, rounded, said_number

OPENERS = ("List", "Show", "Give me", "Find", "Return", "I need", "Show me", "I want to see", "Please list", "Tell me")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
SMALL = 10_000  # from here on numbers are compared, and not named to the last digit
LONGEST_WORD = 20  # characters; what is longer is a text without spaces
GLUE = {"about", "also", "been", "from", "have", "into", "over", "that", "their", "them", "they", "this", "were", "when", "will",
        "with", "your"}  # fmt: skip
AGGREGATES = {"AVG": "average", "MAX": "highest", "MIN": "lowest", "SUM": "total"}


@dataclass(frozen=True)
class Draft:
    """A sampled query and the plain question it answers."""

    sql: str
    question: str


@dataclass(frozen=True)
class Condition:
    """A filter as SQL, and as the words that follow several things it picks, or one: "whose price is over 20"."""

    sql: str
    many: str
    one: str


def _whose(sql: str, words: str) -> Condition:
    """A filter that is worded alike for one and for several: "price is over 20"."""
    return Condition(sql, f"whose {words}", f"whose {words}")


class Sampler:
    """Draws queries over one profiled database. Methods that find nothing to say raise Missing, or
    the IndexError or ValueError of a draw from nothing."""

    def __init__(self, profile: DatabaseProfile, rng: random.Random):
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
        return self.rng.choice(
            self.profile.of_kind(table, "label", "category", "number", "date", "year", "text", "prose")
        )

    def pick(self, table: str, *kinds: str) -> Column:
        return self.rng.choice(self.profile.of_kind(table, *kinds))

    def open(self) -> str:
        return self.rng.choice(OPENERS)

    def condition(self, table: str, prefix: str = "", but: Column | None = None) -> Condition:
        """A filter on one column of `table` that some of its rows pass."""
        kinds = ("category", "flag", "number", "date", "year", "text", "label", "prose")
        column = self.rng.choice([c for c in self.profile.of_kind(table, *kinds) if c != but and c.distinct > 1])
        name, said = prefix + quote_name(column.name), column.words
        if column.nulls and self.rng.random() < 0.15:
            return self.rng.choice(
                [
                    _whose(f"{name} IS NULL", f"{said} is not recorded"),
                    _whose(f"{name} IS NOT NULL", f"{said} is recorded"),
                ]
            )
        value = self.rng.choice(column.askable)
        if column.kind == "flag":
            singular, plural = flag_words(column.name, value == column.flag[0])
            return Condition(f"{name} = {literal(value)}", plural, singular)
        if column.kind == "date":
            return self._on_date(name, said, value, column.clock)
        if column.kind in ("number", "year"):
            return self._on_number(name, said, sorted(column.askable), column.kind == "year")
        return self._on_text(column, name, said, value)

    def _on_text(self, column: Column, name: str, said: str, value) -> Condition:
        if isinstance(value, float) and value != rounded(value):
            raise Missing  # nobody asks for 0.15000000596
        if column.kind == "category" and self.rng.random() < 0.15 and len(column.askable) > 1:
            return _whose(f"{name} != {literal(value)}", f"{said} is not {_in_words(value)}")
        if column.kind == "category" and self.rng.random() < 0.15 and len(column.askable) > 2:
            a, b = self.rng.sample(column.askable, 2)
            return _whose(f"{name} IN ({literal(a)}, {literal(b)})", f"{said} is {_in_words(a)} or {_in_words(b)}")
        if column.kind == "prose" or (column.kind in ("label", "text") and self.rng.random() < 0.5):
            known = [w for w in str(value).split() if w.isalpha() and len(w) > 3 and w.lower() not in GLUE]
            word = self.rng.choice([w for w in known if len(w) <= LONGEST_WORD])
            return _whose(f"{name} LIKE '%{word}%'", f"{said} contains {word}")
        return _whose(f"{name} = {literal(value)}", f"{said} is {_in_words(value)}")

    def _on_number(self, name: str, said: str, values: list, year: bool) -> Condition:
        drawn = sorted(self.rng.sample(values[len(values) // 10 :], 3)) if len(values) > 4 else [need(None)] * 3
        low, value, high = drawn if year else map(rounded, drawn)
        over, under = (
            ("after", "before")
            if year
            else self.rng.choice([("over", "under"), ("greater than", "less than"), ("above", "below")])
        )
        if low == high:
            raise Missing
        exact = 2 if year else isinstance(value, int) and abs(value) < SMALL
        v = said_number(value)
        return self.rng.choice([
            _whose(f"{name} > {value}", f"{said} is {over} {v}"), _whose(f"{name} < {value}", f"{said} is {under} {v}"),
            _whose(f"{name} >= {value}", f"{said} is {v} or later" if year else f"{said} is at least {v}"),
            _whose(f"{name} BETWEEN {low} AND {high}", f"{said} is between {said_number(low)} and {said_number(high)}"),
        ] + [_whose(f"{name} = {value}", f"{said} is {v}")] * exact)  # fmt: skip

    def _on_date(self, name: str, said: str, day: str, clock: str) -> Condition:
        moment = CLOCKS[clock].format(name)
        its_day = name if clock == "day" else f"date({moment})"  # a moment of a day is after its midnight
        month = f"{MONTHS[int(day[5:7]) - 1]} {day[:4]}"
        return self.rng.choice([
            _whose(f"strftime('%Y', {moment}) = '{day[:4]}'", f"{said} is in {day[:4]}"),
            _whose(f"strftime('%Y-%m', {moment}) = '{day[:7]}'", f"{said} is in {month}"),
            _whose(f"{its_day} > '{day}'", f"{said} is after {day}"),
            _whose(f"{its_day} < '{day}'", f"{said} is before {day}"),
        ] + [_whose(f"{its_day} = '{day}'", f"{said} is on {day}")] * (clock != "day"))  # fmt: skip


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


def _in_words(value) -> str:
    """A value as a question says it."""
    return said_number(value) if isinstance(value, (int, float)) else str(value)


def not_null(column: Column, name: str, where: str = "") -> str:
    """The WHERE of a query that takes the first few by `column`: a row without a value is neither first nor last.

    name: the column as the query writes it; where: the query's other condition
    """
    conditions = [where] * bool(where) + [f"{name} IS NOT NULL"] * bool(column.nulls)
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def full(column: Column) -> str:
    """A column as queries with joins write it."""
    return f"{quote_name(column.table)}.{quote_name(column.name)}"


def on(join: Join) -> str:
    """child JOIN parent ON key = key."""
    c, p = quote_name(join.child), quote_name(join.parent)
    return f"{c} JOIN {p} ON {c}.{quote_name(join.column)} = {p}.{quote_name(join.target)}"
