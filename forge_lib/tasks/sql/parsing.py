"""SQL text to a syntax tree: the one way in, so that no text ends in a traceback."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError


def parse_query(sql: str) -> exp.Query:
    """The one query that `sql` holds, as sqlglot reads SQLite's dialect.

    Raises SqlglotError for anything else: no query, several statements, parentheses nested too deeply to parse.

    >>> parse_query("SELECT a FROM t").find(exp.Table).name
    't'
    """
    try:
        statements = [s for s in sqlglot.parse(sql, read="sqlite") if s is not None]
    except RecursionError:
        raise ParseError("The SQL is nested too deeply to be parsed. Write it with fewer parentheses.") from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise ParseError("The SQL is not one SELECT.")
    return statements[0]


def is_query(sql: str) -> bool:
    """Whether sqlglot reads `sql` as one query."""
    try:
        parse_query(sql)
    except SqlglotError:
        return False
    return True
