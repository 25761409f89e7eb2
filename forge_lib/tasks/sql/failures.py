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
SYNTAX = ("syntax error", "unrecognized token", "incomplete input")  # SQLite's words


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
        message = record["error"] or ""
        if message.startswith(("no such column", "no such table")):
            return "invented name"
        return "syntax" if any(sign in message for sign in SYNTAX) else "other error"
    if record["verdict"] == "wrong shape":
        return "wrong shape"
    try:
        got, gold = (parse_query(record[key]) for key in ("predicted", "sql"))
    except SqlglotError:
        return "wrong logic"
    for name, found in (("wrong tables", _tables), ("wrong columns", _columns), ("wrong value or filter", _values)):
        if found(got) != found(gold):
            return name
    return "wrong logic"


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


def _columns(tree: exp.Expression) -> set[str]:
    return {column.name.lower() for column in tree.find_all(exp.Column)}


def _values(tree: exp.Expression) -> set[float | str]:
    """Literals; numbers by value, so that 10 is 10.0."""
    return {_value(literal) for literal in tree.find_all(exp.Literal)}


def _value(literal: exp.Literal) -> float | str:
    try:
        return literal.name.lower() if literal.is_string else float(literal.name)
    except ValueError:  # such as 0x1F
        return literal.name.lower()
