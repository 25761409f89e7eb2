"""Which columns hold a value that a question names: "Which clubs are in Ghent?" needs `clubs.city`."""

from __future__ import annotations

import contextlib
import functools
import re
import sqlite3
import time
from pathlib import Path

from forge_lib.tasks.sql.schema import Schema, connect_readonly

SEARCHED_ROWS, SEARCH_SECONDS = 2000, 0.3  # of each table, and for all tables together; the first alone should bind
OPENERS = {
    "what",
    "which",
    "who",
    "whose",
    "where",
    "when",
    "how",
    "list",
    "show",
    "find",
    "give",
    "return",
    "count",
    "the",
}

Item = tuple[str, str]  # lower-case table and column


def named_values(question: str) -> tuple[str, ...]:
    """What may be a stored value: quoted text, runs of capitalised words, and each word of these runs.

    >>> named_values("Which clubs in New York won the 'Silver cup'?")
    ('Silver cup', 'New York', 'New', 'York')
    """
    quoted = [a or b for a, b in re.findall(r"\"([^\"]+)\"|(?<!\w)'([^']+)'(?!\w)", question)]
    runs = re.findall(r"[A-Z][\w.&-]*(?: [A-Z][\w.&-]*)*", question)
    found = (v.strip(" .") for v in [*quoted, *runs, *" ".join(runs).split()])
    return tuple(dict.fromkeys(v for v in found if v.lower() not in OPENERS))[:30]


@functools.lru_cache(maxsize=1024)
def columns_holding(path: Path | str, schema: Schema, values: tuple[str, ...]) -> frozenset[Item]:
    """The text columns in which one of `values` stands, in whatever case, as (table, column) in lower case.

    Only the first SEARCHED_ROWS rows of a table are read; tables that no time is left for hold nothing.
    Raises FileNotFoundError when there is no file at `path`.
    """
    if not values:
        return frozenset()
    found, ends = set(), time.monotonic() + SEARCH_SECONDS
    marks = ", ".join(f"?{n + 1}" for n in range(len(values)))
    with contextlib.closing(connect_readonly(path)) as connection:
        connection.set_progress_handler(lambda: time.monotonic() > ends, 1000)
        for table in schema.tables:
            text = [
                c
                for c, kind in zip(table.columns, table.types, strict=True)
                if re.search("char|text|clob|^$", kind, re.I)
            ]
            name, *columns = ('"' + n.replace('"', '""') + '"' for n in (table.name, *text))
            hits = ", ".join(f"MAX({c} COLLATE NOCASE IN ({marks}))" for c in columns) or "NULL"
            query = f"SELECT {hits} FROM (SELECT * FROM {name} LIMIT {SEARCHED_ROWS})"
            with contextlib.suppress(sqlite3.Error):  # out of time, or a table that this SQLite cannot read
                row = connection.execute(query, values).fetchone()
                found |= {(table.name.lower(), c.lower()) for c, hit in zip(text, row, strict=False) if hit}
    return frozenset(found)
