"""Which results are worth a chart, and which chart that is."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

_MIN_ROWS = 2
_MAX_BARS = 20  # more labels than this nobody reads, least of all on a phone
_MAX_COLUMNS = 3  # a wider result is a list of records
_KEY = re.compile(r"(?i)(.*[ _])?(id|key|code|no|zip|rowid)|.*[a-z]I[dD]")  # numbers that count nothing
_YEAR = re.compile(r"(?i)(.*[^a-z])?year([^a-z].*)?|.*Year")
_DATE = re.compile(r"\d{4}-\d\d(-\d\d([ T]\d\d:\d\d.*)?)?")


@dataclass(frozen=True)
class Chart:
    """A chart of one measure.

    kind: "bar" (labels or dates), "line" (years) or "point" (two measures); x, y: the names of the two columns
    points: (x, y), in the order in which they are drawn
    """

    kind: str
    x: str
    y: str
    points: tuple[tuple[str | float, float], ...]


def chart_of(columns: Sequence[str], rows: Sequence[Sequence], more: bool = False) -> Chart | None:
    """The chart of a result, or None where a chart would say less than the table, or something else.

    A chart wants 2 rows or more, all that there are (`more`: there are others), and two or three columns. Its measure is
    the last column of numbers that is no key, not all of them zero. Against it stands the first other column: dates as bars in their order,
    labels as up to 20 bars in the order of the rows, years as a line, another measure as points. Labels, dates and years
    that come twice give none: what belongs together is not told.

    >>> chart_of(["city", "shops"], [("Łódź", 3), ("Lund", 5)]).kind
    'bar'
    >>> chart_of(["city", "shop_id"], [("Łódź", 3), ("Lund", 5)])
    """
    if more or len(rows) < _MIN_ROWS or not 2 <= len(columns) <= _MAX_COLUMNS:
        return None
    values = list(zip(*rows, strict=True))
    measures = [n for n in range(len(columns)) if _is_measure(columns[n], values[n])]
    if not measures:
        return None
    y = measures[-1]
    if not any(values[y]):
        return None
    for x in (n for n in range(len(columns)) if n != y):
        kind, order = _axis(columns[x], values[x])
        if kind:
            points = [(values[x][n], values[y][n]) for n in order]
            return Chart(kind, columns[x], columns[y], tuple(points))
    return None


def _is_measure(name: str, values: Sequence) -> bool:
    return all(map(_is_number, values)) and not _KEY.fullmatch(name) and not _YEAR.fullmatch(name)


def _axis(name: str, values: Sequence) -> tuple[str, list[int]]:
    """The kind of chart that these values make as its x axis, and their order; "" where they make none."""
    rows = list(range(len(values)))
    in_order = sorted(rows, key=lambda n: values[n]) if len({type(v) for v in values}) == 1 else rows
    distinct = len(set(values)) == len(values)
    if all(isinstance(v, int) for v in values) and _YEAR.fullmatch(name):
        return ("line" if distinct else ""), in_order
    if all(isinstance(v, str) and v.strip() for v in values):
        dates = all(_DATE.fullmatch(v) for v in values)
        return ("bar" if distinct and len(values) <= _MAX_BARS else ""), in_order if dates else rows
    return ("point" if _is_measure(name, values) and len(values) > _MIN_ROWS else ""), rows


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
