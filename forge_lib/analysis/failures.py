"""Why an answer is wrong, in classes that suggest a mend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd
from sqlglot import exp
from sqlglot.errors import SqlglotError

from forge_lib.tasks.sql.parsing import parse_query

CLASSES = (
    "correct", "no SQL", "syntax", "invented name", "other error", "wrong shape",
    "wrong tables", "wrong columns", "wrong value or filter", "wrong logic",
)  # fmt: skip


def classify(record: dict) -> str:
    """One of CLASSES for an evaluation record.

    Errors are told apart by SQLite's message; wrong results by the first thing that differs from the gold:
    tables, then columns, then literals, else the logic (grouping, order, operators).
    """
    if record["correct"]:
        return "correct"
    if not record["predicted"]:
        return "no SQL"
    if record["verdict"] in ("error", "timeout", "refused"):
        message = record["error"]
        if "no such" in message:
            return "invented name"
        return (
            "syntax" if "syntax" in message or "unrecognized" in message or "incomplete" in message else "other error"
        )
    if record["verdict"] == "wrong shape":
        return "wrong shape"
    try:
        got, gold = (parse_query(record[key]) for key in ("predicted", "sql"))
    except SqlglotError:
        return "wrong logic"
    for name, kind in (
        ("wrong tables", exp.Table),
        ("wrong columns", exp.Column),
        ("wrong value or filter", exp.Literal),
    ):
        if _names(got, kind) != _names(gold, kind):
            return name
    return "wrong logic"


def error_table(records_by_name: dict[str, Sequence[dict]]) -> pd.DataFrame:
    """Share (percent) of each class, one column a contender."""
    table = {}
    for name, records in records_by_name.items():
        counts = Counter(classify(r) for r in records)
        table[name] = {c: 100 * counts[c] / len(records) for c in CLASSES}
    return pd.DataFrame(table).round(1)


def _names(tree: exp.Expression, kind: type) -> set[str]:
    return {str(node.this if kind is exp.Literal else node.name).lower() for node in tree.find_all(kind)}
