"""One way into a syntax tree, which no text holds up."""

import time

import pytest
from sqlglot.errors import SqlglotError

from forge_lib.tasks.sql.parsing import is_query, parse_query
from forge_lib.tasks.sql.prompt import extract_sql


@pytest.mark.parametrize("name", ["date", "TIME", "char", "int", "decimal", "json"])
def test_a_type_called_within_itself_ends_at_once(name):
    """sqlglot's time doubles with every level: a model that repeats itself would hold up the scorer for ever."""
    began = time.perf_counter()
    for depth in (9, 60):
        sql = "SELECT " + f"{name}(" * depth + "a" + ")" * depth + " FROM t"
        with pytest.raises(SqlglotError, match="too deeply"):
            parse_query(sql)
        assert extract_sql(sql) == sql  # SQLite says what it thinks of it
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT CAST(a AS DECIMAL(10, 2)), date(a), time(max(date(b))) FROM t",
        "SELECT " + ", ".join(["date(a)"] * 30) + " FROM t",  # beside each other, not within
        "SELECT " + "abs(" * 30 + "a" + ")" * 30 + " FROM t",
        "SELECT date FROM t WHERE (((((((((((date > 1)))))))))))",
    ],
)
def test_what_people_write_is_parsed(sql):
    assert is_query(sql)
