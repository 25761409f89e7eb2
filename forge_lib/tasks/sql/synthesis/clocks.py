"""How a column keeps its dates: as text, as seconds, as a Julian day, as a number like 20240305."""

from __future__ import annotations

import contextlib
import re
from datetime import date, datetime, timedelta, timezone
from typing import Any

MOMENT = re.compile(r"date|time|stamp|created|updated|modified|expires|_at$|At$|julian", re.I)
# How a column keeps its dates -> what SQLite's date functions need to read it.
CLOCKS = {"day": "{}", "text": "{}", "unix": "{}, 'unixepoch'", "unix ms": "{} / 1000, 'unixepoch'", "julian": "{}"}


def clock_of(name: str, values: tuple) -> str:
    """How dates are kept in a column, one of CLOCKS; "" where it holds none.

    >>> clock_of("day", ("2024-03-05",)), clock_of("created_at", (1.7e9,)), clock_of("price", (1.7e9,))
    ('day', 'unix', '')
    """
    if values and all(isinstance(v, str) and re.match(r"\d{4}-\d\d-\d\d([T ]|$)", v) for v in values):
        return "day" if all(len(v) == 10 for v in values) else "text"
    if not (MOMENT.search(name) and values and all(isinstance(v, (int, float)) for v in values)):
        return ""
    low, high = min(values), max(values)
    ranges = {"unix": (5e8, 5e9), "unix ms": (5e11, 5e12), "julian": (2.3e6, 2.6e6)}
    return next((clock for clock, (first, last) in ranges.items() if first < low and high < last), "")


def day_of(value: Any, clock: str) -> str:
    """The day of a value as SQLite's date() gives it; "" where there is no such day.

    >>> day_of(0, "unix"), day_of("2024-02-31", "day")
    ('1970-01-01', '')
    """
    with contextlib.suppress(ValueError, OverflowError):
        if clock in ("day", "text"):
            return date.fromisoformat(value[:10]).isoformat()
        if clock == "julian":
            return (datetime(2000, 1, 1, 12) + timedelta(days=value - 2451545)).date().isoformat()
        return datetime.fromtimestamp(value / (1000 if clock == "unix ms" else 1), timezone.utc).date().isoformat()
    return ""


def is_written_day(value: int | float) -> bool:
    """Whether a number is a day as 20240305.

    >>> is_written_day(20240305), is_written_day(20240305.0), is_written_day(20241305)
    (True, True, False)
    """
    with contextlib.suppress(ValueError, OverflowError):  # the latter: of infinity
        text = str(int(value)) if value == int(value) else ""
        return 1500 <= datetime.strptime(text, "%Y%m%d").year <= 2100 and len(text) == 8
    return False
