"""What a question says of a database: which tables and columns it names, which stored values, which numbers."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from rapidfuzz.distance import JaroWinkler

from forge_lib.tasks.sql.ranking import SAME_WORD, named_values
from forge_lib.tasks.sql.schema import words
from forge_lib.tasks.sql.synthesis.profiling import Column, DatabaseProfile

Slot = tuple[str, str]  # table and column, as the schema writes them
_NUMBERS = dict(
    zip(
        ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"],
        range(2, 13),
        strict=True,
    )
)
_LONGEST = 5  # words of a stored value that is looked for
_WORD = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+")


@functools.lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    """An English word without the endings that questions add to a name.

    >>> _stem("Cities"), _stem("shipped"), _stem("suffixes"), _stem("bus")
    ('city', 'ship', 'suffix', 'bus')
    """
    word = word.lower()
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ing", ""), ("ed", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)] + instead
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "sle" else word


@functools.lru_cache(maxsize=200_000)
def _same(one: str, other: str) -> bool:
    """Whether two stems are one word, misspelt perhaps; short ones only when equal."""
    return one == other or (
        min(len(one), len(other)) > 3 and JaroWinkler.normalized_similarity(one, other) >= SAME_WORD + 0.05
    )


@functools.lru_cache(maxsize=50_000)
def _stems(name: str) -> tuple[str, ...]:
    """The stems of a table's or column's name.

    >>> _stems("hire_dt")
    ('hire', 'date')
    """
    return tuple(_stem(w) for w in _WORD.findall(words(name)))


@functools.lru_cache(maxsize=200_000)
def alike(one: str, other: str) -> float:
    """Share of words (0 to 1) that two names have in common."""
    a, b = set(_stems(one)), set(_stems(other))
    return len(a & b) / max(1, len(a | b))


class Lexicon:
    """What a question can name of a database: its names, its joins both ways, and its stored texts by their words."""

    def __init__(self, profile: DatabaseProfile):
        self.profile = profile
        self.columns = {(c.table, c.name): c for its in profile.columns.values() for c in its}
        self.stems = {s for name in [*profile.columns, *(c for _, c in self.columns)] for s in _stems(name)}
        self.joins: dict[tuple[str, str], tuple[str, str]] = {}
        for j in sorted(profile.joins, key=lambda j: j.declared):  # a declared one is written over an inferred one
            self.joins[j.child, j.parent] = j.column, j.target
            self.joins[j.parent, j.child] = j.target, j.column
        self.stored: dict[tuple[str, ...], list[tuple[str, str, str]]] = {}
        for (table, name), column in self.columns.items():
            for value in column.values if column.kind not in ("number", "year", "date", "key") else ():
                said = tuple(w.lower() for w in _WORD.findall(str(value)))
                if isinstance(value, str) and 0 < len(said) <= _LONGEST and len("".join(said)) > 2:
                    self.stored.setdefault(said, []).append((table, name, value))


class Mentions:
    """A question read against a database.

    values: (place, table, column, value) of stored values that it says; numbers: those it says beside them, in order;
    named: what may be a value that is not stored
    """

    def __init__(self, lexicon: Lexicon, question: str):
        self.lexicon, self.profile, self.joins = lexicon, lexicon.profile, lexicon.joins
        self.words = _WORD.findall(question)
        self.stems = [_stem(w) for w in self.words]
        self.values = self._values()
        self._valued = {n for at, _, _, v in self.values for n in range(at, at + len(_WORD.findall(v)))}
        spelt = [str(_NUMBERS.get(w.lower(), w)) for n, w in enumerate(self.words) if n not in self._valued]
        self.numbers = [w for w in spelt if w[0].isdigit()]
        held = {v.lower() for *_, v in self.values}
        self.named = [v for v in named_values(question) if v.lower() not in held]

    @functools.cached_property
    def _said(self) -> set[str]:
        """Those words of the schema that the question says."""
        return {w for w in self.lexicon.stems if any(_same(w, s) for s in self.stems)}

    def _values(self) -> list[tuple[int, str, str, str]]:
        stored, found, at = self.lexicon.stored, [], 0
        lower = [w.lower() for w in self.words]
        while at < len(lower):
            for length in range(_LONGEST, 0, -1):
                hits = stored.get(tuple(lower[at : at + length])) or (length == 1 and stored.get((self.stems[at],)))
                if hits:
                    found += [(at, *hit) for hit in hits]
                    at += length - 1
                    break
            at += 1
        return found

    def place(self, literal: str) -> int | None:
        """Where (which word) the question says a literal of its query; None where it does not."""
        wanted = [w.lower() for w in _WORD.findall(literal)]
        said = [str(_NUMBERS.get(w.lower(), w.lower())) for w in self.words]
        spots = (n for n in range(len(said)) if wanted and said[n : n + len(wanted)] == wanted)
        return next(spots, next((n for n, s in enumerate(self.stems) if [s] == wanted), None))

    def table(self, name: str) -> float:
        """Share (0 to 1) of a table's name that the question says."""
        return self._share(_stems(name))

    def column(self, slot: Slot) -> float:
        """Share (0 to 1) of a column's name that the question says; words of its table's name count half."""
        own = [s for s in _stems(slot[1]) if s not in _stems(slot[0])] or _stems(slot[1])
        return self._share(own)

    def _share(self, wanted: Iterable[str]) -> float:
        wanted = list(wanted)
        return sum(w in self._said for w in wanted) / max(1, len(wanted))

    def profiled(self, slot: Slot) -> Column:
        """What is known of a column."""
        return self.lexicon.columns[slot]

    def covered(self, tables: Iterable[str], columns: Iterable[Slot]) -> float:
        """Share (0 to 1) of the words which the question takes from the schema that these names hold."""
        names = {s for t in tables for s in _stems(t)} | {s for _, c in columns for s in _stems(c)}
        return len(self._said & names) / max(1, len(self._said))

    def masked(self) -> str:
        """The question with what is this database's own blanked: names, values, numbers.

        What is left is how it is asked, by which questions about other databases can be compared.
        """
        names = {n for n, s in enumerate(self.stems) if s in self.lexicon.stems}
        kinds = (
            "valueword" if n in self._valued else "numberword" if w[0].isdigit() or w.lower() in _NUMBERS
            else "nameword" if n in names else w.lower() for n, w in enumerate(self.words)
        )  # fmt: skip
        return " ".join(kinds)
