"""What a column holds, as far as the grammar asks: numbers, texts or dates, and which texts where they are few."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz.distance import JaroWinkler

from forge_lib.tasks.sql.opening import FileState, file_state
from forge_lib.tasks.sql.schema import Schema, connect_readonly, in_quotes

FLAGS = 12  # different texts: a column with no more is a choice among them, whichever words a question has for it
FEW = 200  # different texts: a column with more holds free text, or names
MOST = 5_000  # different texts that are searched for what a question mentions
LONG = 60  # characters of such a text
SEEN = 20_000  # rows that are looked at
DATE = re.compile(r"\d{4}-\d\d(-\d\d([ T]\d\d:\d\d(:\d\d)?(\.\d+)?)?)?Z?|\d\d:\d\d(:\d\d)?")


STOP = frozenset(
    [
        "the",
        "of",
        "and",
        "for",
        "with",
        "from",
        "all",
        "any",
        "are",
        "has",
        "have",
        "not",
        "its",
        "was",
        "who",
        "how",
        "many",
        "which",
        "what",
    ]
)
NUMBER_WORDS = {
    **{w: float(n) for n, w in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"])},
    "fifteen": 15.0, "twenty": 20.0, "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "hundred": 100.0, "thousand": 1000.0,
    "million": 1e6, "dozen": 12.0, "half": 0.5, "quarter": 0.25, "twice": 2.0, "double": 2.0, "once": 1.0, "pair": 2.0,
    "first": 1.0, "second": 2.0, "third": 3.0, "fourth": 4.0, "fifth": 5.0,
}  # fmt: skip
# Shares in percent, units of time and of size: written by queries whose questions do not say them.
CONSTANTS = ("0", "0.0", "1", "1.0", "2", "2.0", "7", "7.0", "12", "12.0", "24", "24.0", "60", "60.0", "100", "100.0", "365",
             "365.0", "365.25", "1000", "1000.0", "1440", "86400")  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """kind: "number", "text" or "date"; values: all texts of the column where they are short and no more than MOST."""

    kind: str
    values: tuple[str, ...] = ()

    def compared(self, question: str | None = None) -> tuple[str, ...] | None:
        """The texts that a query compares the column with; None where it may be any.

        Without a question all, where they are FEW. With one those that it mentions; all where it mentions none and they
        are but FLAGS, and none where they are FEW.
        """
        if question is None or not self.values:
            return self.values if 0 < len(self.values) <= FEW else None
        said = mentioned(self.values, question)
        if said or len(self.values) <= FLAGS:
            return said or self.values
        return () if len(self.values) <= FEW else None


def mentioned(values: Sequence[str], question: str) -> tuple[str, ...]:
    """Those of `values` of which the question has a word, misspelt perhaps.

    >>> mentioned(("honey", "washed", "Addis Ababa"), "Which hony lots went to addis?")
    ('honey', 'Addis Ababa')
    """
    asked = _words(question)
    return tuple(v for v in values if any(_said(w, asked) for w in _words(v)) or v.lower() in question.lower())


def _words(text: str) -> tuple[str, ...]:
    return tuple(w for w in re.findall(r"[^\W_]+", text.lower()) if w not in STOP)


@functools.lru_cache(maxsize=200_000)
def _said(word: str, asked: tuple[str, ...]) -> bool:
    if len(word) < 4:
        return word in asked
    return any(
        len(a) > 3 and (a.startswith(word[:-1]) or JaroWinkler.normalized_similarity(a, word) >= 0.9) for a in asked
    )


def numbers_in(question: str) -> list[str]:
    """Numbers as a query may write them: those that the question says in digits or words, and the usual constants.

    >>> [n for n in numbers_in("At least three of 1,200, or 5%?") if n not in CONSTANTS]
    ['3', '3.0', '1200', '1200.0', '5', '5.0', '0.05']
    """
    text = question.lower()
    found = []
    for digits, unit in re.findall(r"(\d[\d,]*(?:\.\d+)?)\s*(%|per ?cent|k\b|thousand|million|st|nd|rd|th)?", text):
        value = float(digits.replace(",", ""))
        found += [value * {"k": 1e3, "thousand": 1e3, "million": 1e6}.get(unit, 1)]
        found += [value / 100] if unit in ("%", "percent", "per cent") else []
    found += [NUMBER_WORDS[w] for w in re.findall(r"[a-z]+", text) if w in NUMBER_WORDS]
    written = [form for n in found for form in ([f"{n:.0f}", f"{n:.0f}.0"] if n == int(n) else [f"{n:.6g}"])]
    return list(dict.fromkeys([*written, *CONSTANTS]))


def column_kinds(schema: Schema, database: Path) -> dict[tuple[str, str], Kind]:
    """The Kind of each (table, column) of `schema`, from the first rows of `database`."""
    return _kinds(schema, database, file_state(database))


@functools.lru_cache(maxsize=256)
def _kinds(schema: Schema, database: Path, state: FileState) -> dict[tuple[str, str], Kind]:
    with contextlib.closing(connect_readonly(database)) as connection:
        return {
            (t.name, c): _kind(connection, t.name, c, declared)
            for t in schema.tables
            for c, declared in zip(t.columns, t.types, strict=True)
        }


def _kind(connection, table: str, column: str, declared: str) -> Kind:
    name = in_quotes(column)
    rows = connection.execute(
        f"SELECT DISTINCT {name} FROM (SELECT {name} FROM {in_quotes(table)} LIMIT {SEEN}) WHERE {name} IS NOT NULL"
    ).fetchall()
    values = [v for (v,) in rows]
    if not values:
        return Kind("number" if re.search("INT|REAL|NUM|DEC|FLOA|DOUB", declared.upper()) else "text")
    if any(isinstance(v, (int, float)) for v in values):
        return Kind("number")
    texts = [v for v in values if isinstance(v, str)]
    if texts and all(DATE.fullmatch(t) for t in texts):
        return Kind("date")
    short = len(texts) == len(values) <= MOST and all(len(t) <= LONG and t.isprintable() for t in texts)
    return Kind("text", tuple(sorted(texts)) if short else ())
