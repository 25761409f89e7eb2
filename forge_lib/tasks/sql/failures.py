"""Why an answer is wrong, in classes that suggest a mend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd
from sqlglot import exp
from sqlglot.errors import SqlglotError

from forge_lib.tasks.sql.differences import differences
from forge_lib.tasks.sql.parsing import parse_query
from forge_lib.tasks.sql.score import RAN

CLASSES = (
    "correct", "no SQL", "syntax", "invented name", "other error", "wrong shape",
    "wrong tables", "wrong columns", "wrong value or filter", "wrong logic",
)  # fmt: skip
PARTS = {
    "wrong tables": (
        "needless answer",
        "missing answer",
        "wrong table",
        "missing join",
        "needless join",
        "wrong join key",
        "wrong kind of join",
    ),
    "wrong columns": ("wrong column", "wrong aggregate", "missing column", "needless column"),
    "wrong value or filter": ("wrong value", "wrong filter", "missing filter", "needless filter"),
}  # of `differences.DIFFERENCES`; all else is logic
_SYNTAX = ("syntax error", "unrecognized token", "incomplete input")  # SQLite's words


def classify(record: dict) -> str:
    """One of CLASSES for an evaluation record.

    Errors are told apart by SQLite's message; wrong results by the first of `differing`: tables and joins, then columns
    and aggregates, then filters and their values, else the logic (nesting, operators, grouping, order, DISTINCT).
    """
    if record["correct"]:
        return "correct"
    if not record["predicted"]:
        return "no SQL"
    if record["verdict"] in ("error", "timeout", "refused"):
        message = record["error"] or ""
        if message.startswith(("no such column", "no such table")):
            return "invented name"
        return "syntax" if any(sign in message for sign in _SYNTAX) else "other error"
    if record["verdict"] == "wrong shape":
        return "wrong shape"
    return next(
        (name for name, parts in PARTS.items() if any(d in parts for d in differing(record)[:1])), "wrong logic"
    )


def differing(record: dict) -> tuple[str, ...]:
    """In what an answer that ran differs from the gold, see `differences`; () where it is right, or was not parsed."""
    if record["correct"] or record["verdict"] not in RAN:
        return ()
    try:
        return differences(record["predicted"], record["sql"])
    except SqlglotError:
        return ()


def error_table(records_by_name: dict[str, Sequence[dict]]) -> pd.DataFrame:
    """Share (percent) of each class, one column a contender."""
    table = {}
    for name, records in records_by_name.items():
        counts = Counter(classify(r) for r in records)
        table[name] = {c: 100 * counts[c] / max(1, len(records)) for c in CLASSES}
    return pd.DataFrame(table).round(1)


def tables_in_gold(record: dict) -> str:
    """How many tables the right query of a record reads: "1", "2" or "3 and more"; "not counted" where it is not parsed."""
    try:
        count = len(_tables(parse_query(record["sql"])))
    except SqlglotError:
        return "not counted"
    return "3 and more" if count > 2 else str(count)


def _tables(tree: exp.Expression) -> set[str]:
    """Tables read, without the names that the query itself gives to parts of it (WITH)."""
    own = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    return {table.name.lower() for table in tree.find_all(exp.Table)} - own
