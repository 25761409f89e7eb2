"""What sampled queries are made of: tables, joins, columns and conditions drawn from a profiled database."""

from __future__ import annotations

import random
from dataclasses import dataclass

from forge_lib.tasks.sql.schema import quote_name
from forge_lib.tasks.sql.synthesis.clocks import CLOCKS
from forge_lib.tasks.sql.synthesis.profiling import Column, DatabaseProfile, Join
from forge_lib.tasks.sql.synthesis.wording import be, counts, flag_words, is_of_rows, many, rounded, said_number

_OPENERS = ("List", "Show", "Give me", "Find", "Return", "I need", "Show me", "I want to see", "Please list", "Tell me")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
_SMALL = 10_000  # from here on numbers are compared, and not named to the last digit
_LONGEST_WORD = 20  # characters; what is longer is a text without spaces
_GLUE = {"about", "also", "been", "from", "have", "into", "over", "that", "their", "them", "they", "this", "were", "when", "will",
        "with", "your"}  # fmt: skip
AGGREGATES = {"AVG": "average", "MAX": "highest", "MIN": "lowest", "SUM": "total"}
_OTHERWISE = {
    "AVG": "mean",
    "MAX": "largest",
    "MIN": "smallest",
    "SUM": "summed",
}  # of a column that bears the word itself


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
        self.tables = [t for t, columns in profile.columns.items()
                       if any(c.rows for c in columns) and (t not in profile.views or is_of_rows(t))]  # fmt: skip
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
        return self.rng.choice(_OPENERS)

    def condition(self, table: str, prefix: str = "", but: Column | None = None) -> Condition:
        """A filter on one column of `table` that some of its rows pass."""
        kinds = ("category", "flag", "number", "date", "year", "text", "label")
        column = self.rng.choice([c for c in self.profile.of_kind(table, *kinds) if c != but and c.distinct > 1])
        name, said = prefix + quote_name(column.name), f"{column.words} {be(column.words)}"
        if column.nulls and self.rng.random() < 0.15:
            return self.rng.choice(
                [
                    _whose(f"{name} IS NULL", f"{said} not recorded"),
                    _whose(f"{name} IS NOT NULL", f"{said} recorded"),
                ]
            )
        value = self.rng.choice(column.askable)
        if column.kind == "flag":
            singular, plural = flag_words(column.name, value == column.flag[0])
            return Condition(f"{name} = {_literal(value)}", plural, singular)
        if column.kind == "date":
            return self._on_date(name, said, value, column.clock)
        if column.kind in ("number", "year"):
            return self._on_number(name, said, sorted(column.askable), column.kind == "year")
        return self._on_text(column, name, said, value)

    def _on_text(self, column: Column, name: str, said: str, value) -> Condition:
        if isinstance(value, float) and value != rounded(value):
            raise Missing  # nobody asks for 0.15000000596
        if column.kind == "category" and self.rng.random() < 0.15 and len(column.askable) > 1:
            return _whose(f"{name} != {_literal(value)}", f"{said} not {_in_words(value)}")
        if column.kind == "category" and self.rng.random() < 0.15 and len(column.askable) > 2:
            a, b = self.rng.sample(column.askable, 2)
            return _whose(f"{name} IN ({_literal(a)}, {_literal(b)})", f"{said} {_in_words(a)} or {_in_words(b)}")
        if column.kind in ("label", "text") and self.rng.random() < 0.5:
            known = [w for w in str(value).split() if w.isalpha() and len(w) > 3 and w.lower() not in _GLUE]
            word = self.rng.choice([w for w in known if len(w) <= _LONGEST_WORD])
            return _whose(
                f"{name} LIKE '%{word}%'",
                f"{column.words} {'contains' if be(column.words) == 'is' else 'contain'} {word}",
            )
        return _whose(f"{name} = {_literal(value)}", f"{said} {_in_words(value)}")

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
        exact = 2 if year else isinstance(value, int) and abs(value) < _SMALL
        v = said_number(value)
        return self.rng.choice([
            _whose(f"{name} > {value}", f"{said} {over} {v}"), _whose(f"{name} < {value}", f"{said} {under} {v}"),
            _whose(f"{name} >= {value}", f"{said} {v} or later" if year else f"{said} at least {v}"),
            _whose(f"{name} BETWEEN {low} AND {high}", f"{said} between {said_number(low)} and {said_number(high)}"),
        ] + [_whose(f"{name} = {value}", f"{said} {v}")] * exact)  # fmt: skip

    def _on_date(self, name: str, said: str, day: str, clock: str) -> Condition:
        moment = CLOCKS[clock].format(name)
        its_day = name if clock == "day" else f"date({moment})"  # a moment of a day is after its midnight
        month = f"{_MONTHS[int(day[5:7]) - 1]} {day[:4]}"
        return self.rng.choice([
            _whose(f"strftime('%Y', {moment}) = '{day[:4]}'", f"{said} in {day[:4]}"),
            _whose(f"strftime('%Y-%m', {moment}) = '{day[:7]}'", f"{said} in {month}"),
            _whose(f"{its_day} > '{day}'", f"{said} after {day}"),
            _whose(f"{its_day} < '{day}'", f"{said} before {day}"),
        ] + [_whose(f"{its_day} = '{day}'", f"{said} on {day}")] * (clock != "day"))  # fmt: skip


class Missing(LookupError):
    """The database lacks what a shape needs."""


def need(found):
    """`found`, or Missing where there is none."""
    if found is None:
        raise Missing
    return found


def _literal(value) -> str:
    """A value as SQL writes it.

    >>> _literal("O'Hara"), _literal(3)
    ("'O''Hara'", '3')
    """
    return str(value) if isinstance(value, (int, float)) else "'" + str(value).replace("'", "''") + "'"


def _in_words(value) -> str:
    """A value as a question says it."""
    return said_number(value) if isinstance(value, (int, float)) else str(value)


def aggregated(function: str, words: str) -> str:
    """An aggregate of a column in words; of what is counted the highest is a number, and the total is one anyway.

    >>> aggregated("SUM", "unit price"), aggregated("SUM", "total"), aggregated("SUM", "units in stock")
    ('total unit price', 'summed total', 'total units in stock')
    >>> aggregated("MAX", "units in stock")
    'highest number of units in stock'
    """
    said = AGGREGATES[function]
    number = "number of " if function in ("MAX", "MIN") and counts(words) else ""
    return f"{_OTHERWISE[function] if said in words.split() else said} {number}{words}"


def extremal(function: str, words: str) -> str:
    """What a row with the MAX or MIN of a column has.

    >>> extremal("MAX", "unit price"), extremal("MIN", "units in stock")
    ('highest unit price', 'fewest units in stock')
    """
    return f"{'most' if function == 'MAX' else 'fewest'} {words}" if counts(words) else aggregated(function, words)


def several(column: Column) -> str:
    """A column in words, as that of several rows; what is no noun ("founded", "sent at") stays."""
    noun = column.kind not in ("date", "year") or column.words.endswith(("date", "day", "year"))
    return many(column.words) if noun else column.words


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
