"""One way into a syntax tree, which no text holds up."""

import time

import pytest
from sqlglot.errors import SqlglotError

from forge_lib.tasks.sql.augment import canonical_sql, skeleton
from forge_lib.tasks.sql.failures import classify
from forge_lib.tasks.sql.parsing import is_query, parse_query
from forge_lib.tasks.sql.prompt import extract_sql


@pytest.mark.parametrize("name", ["date", "TIME", "char", "int", "decimal", "json"])
def test_a_type_called_within_itself_ends_at_once(name):
    """sqlglot's time doubles with every level: a model that repeats itself would hold up the scorer for ever."""
    began = time.process_time()
    for depth in (9, 60):
        sql = "SELECT " + f"{name}(" * depth + "a" + ")" * depth + " FROM t"
        with pytest.raises(SqlglotError, match="too deeply"):
            parse_query(sql)
        assert extract_sql(sql) == sql  # SQLite says what it thinks of it
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT CAST(a AS DECIMAL(10, 2)), date(a), time(max(date(b))) FROM t",
        "SELECT " + ", ".join(["date(a)"] * 30) + " FROM t",  # beside each other, not within
        "SELECT " + "abs(" * 30 + "a" + ")" * 30 + " FROM t",
        "SELECT date FROM t WHERE (((((((((((date > 1)))))))))))",
        "SELECT a FROM t; -- all of them",
        "SELECT a FROM t; /* all */ ;\n-- of them\n",
        "SELECT a FROM t WHERE " + " OR ".join(f"a = {n}" for n in range(100)),
        "SELECT " + ", ".join(f"a + {n}" for n in range(500)) + " FROM t",
    ],
)
def test_what_people_write_is_parsed(sql):
    assert is_query(sql)


@pytest.mark.parametrize(
    "sql", ["SELECT a FROM t; SELECT b FROM t", "-- SELECT a FROM t", ";", "SELECT a FROM t; DELETE FROM t; --"]
)
def test_comments_hide_no_second_statement(sql):
    assert not is_query(sql)


@pytest.mark.parametrize("chain", [" + ".join(["a"] * 700), " || ".join(["a", "' '"] * 350)])
def test_a_chain_that_a_model_could_not_end_is_a_wrong_answer_and_no_traceback(chain):
    """SQLite runs it; whoever walks its tree by recursion ended in a RecursionError, and with it a whole evaluation."""
    gold, wrong = "SELECT a FROM t", f"SELECT {chain} FROM t"
    record = {"correct": False, "predicted": wrong, "verdict": "wrong result", "error": "", "sql": gold}
    assert classify(record) == "wrong logic"
    assert skeleton(wrong) == wrong
    with pytest.raises(SqlglotError, match="too deeply"):
        canonical_sql(wrong)
