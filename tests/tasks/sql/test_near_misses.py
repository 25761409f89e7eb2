"""Near misses: one edit from the gold, none of them the gold, and the same ones each time."""

import sqlite3
import time

import pytest
from sqlglot.errors import SqlglotError

from forge_lib.tasks.sql.near_misses import near_misses
from forge_lib.tasks.sql.parsing import parse_query
from forge_lib.tasks.sql.schema import Schema, Table

SCHEMA = Schema("d", (
    Table("t", ("id", "name", "town", "n", "born"), ("INTEGER", "TEXT", "TEXT", "INTEGER", "INTEGER"), ("id",), ()),
    Table("u", ("id", "t_id", "price"), ("INTEGER", "INTEGER", "REAL"), ("id",), ()),
))  # fmt: skip


@pytest.mark.parametrize(
    "gold, miss",
    [
        ("SELECT name FROM t", "SELECT DISTINCT name FROM t"),
        ("SELECT DISTINCT name FROM t", "SELECT name FROM t"),
        ("SELECT name FROM t WHERE n > 5", "SELECT name FROM t WHERE n >= 5"),
        ("SELECT name FROM t WHERE n <= 5", "SELECT name FROM t WHERE n < 5"),
        ("SELECT name FROM t WHERE n BETWEEN 1 AND 5", "SELECT name FROM t WHERE (n > 1 AND n <= 5)"),
        ("SELECT t.name FROM t JOIN u ON u.t_id = t.id", "SELECT t.name FROM t LEFT JOIN u ON u.t_id = t.id"),
        ("SELECT t.name FROM t LEFT JOIN u ON u.t_id = t.id", "SELECT t.name FROM t JOIN u ON u.t_id = t.id"),
        ("SELECT name FROM t", "SELECT town FROM t"),
        ("SELECT name FROM t WHERE n = 1 AND born = 2", "SELECT name FROM t WHERE n = 1 OR born = 2"),
        ("SELECT name FROM t WHERE n = 1 AND born = 2", "SELECT name FROM t WHERE n = 1"),
        ("SELECT COUNT(*) FROM t WHERE n > 1", "SELECT COUNT(n) FROM t WHERE n > 1"),
        ("SELECT COUNT(n) FROM t", "SELECT COUNT(DISTINCT n) FROM t"),
        ("SELECT name FROM t ORDER BY n", "SELECT name FROM t ORDER BY n DESC"),
        ("SELECT MIN(n) FROM t", "SELECT MAX(n) FROM t"),
        ("SELECT SUM(n) FROM t", "SELECT AVG(n) FROM t"),
        ("SELECT name FROM t WHERE n > 5", "SELECT name FROM t"),
        ("SELECT name FROM t UNION SELECT town FROM t", "SELECT name FROM t UNION ALL SELECT town FROM t"),
        ("SELECT name FROM t WHERE town LIKE 'A%'", "SELECT name FROM t WHERE town LIKE '%A%'"),
        ("SELECT name FROM t GROUP BY id", "SELECT name FROM t GROUP BY name"),
        ("SELECT name FROM t WHERE id NOT IN (SELECT t_id FROM u)", "SELECT name FROM t WHERE id IN (SELECT t_id FROM u)"),
        ("SELECT CASE WHEN n < 5 THEN 1 END, COUNT(*) FROM t GROUP BY CASE WHEN n < 5 THEN 1 END",
         "SELECT CASE WHEN n <= 5 THEN 1 END, COUNT(*) FROM t GROUP BY CASE WHEN n <= 5 THEN 1 END"),
    ],
)  # fmt: skip
def test_what_a_model_nearly_writes_is_there(gold, miss):
    assert miss in near_misses(gold, SCHEMA, most=200)


def test_all_kinds_come_in_turn_and_none_is_the_gold():
    gold = "SELECT DISTINCT t.name FROM t JOIN u ON u.t_id = t.id WHERE u.price > 5 AND t.n < 3 ORDER BY t.n LIMIT 3"
    first = near_misses(gold, SCHEMA, most=8)
    assert first == near_misses(gold, SCHEMA, most=100)[:8] and len({*first}) == 8
    assert gold not in near_misses(gold, SCHEMA, most=200)
    assert (
        any("LEFT JOIN" in m for m in first)
        and any(">= 5" in m for m in first)
        and any("LIMIT 4" not in m for m in first)
    )


def test_a_distinct_that_changes_nothing_is_no_near_miss():
    for gold in ("SELECT COUNT(*) FROM t", "SELECT name FROM t WHERE id IN (SELECT t_id FROM u)", "SELECT 'no answer'"):
        found = near_misses(gold, SCHEMA, most=200)
        assert not any("SELECT DISTINCT COUNT" in m or "(SELECT DISTINCT" in m or "DISTINCT 'no" in m for m in found)


def test_near_misses_are_queries_that_sqlite_reads():
    connection = sqlite3.connect(":memory:")
    connection.executescript("CREATE TABLE t (id, name, town, n, born); CREATE TABLE u (id, t_id, price)")
    gold = ("SELECT t.name, COUNT(*) FROM t JOIN u ON u.t_id = t.id WHERE t.town IN ('a', 'b') AND u.price >= 2 GROUP BY t.id "
            "HAVING COUNT(*) > 1 ORDER BY COUNT(*) DESC LIMIT 2")  # fmt: skip
    misses = near_misses(gold, SCHEMA, most=200)
    assert len(misses) > 20
    for miss in misses:
        connection.execute(miss)


def test_what_cannot_be_parsed_has_none():
    with pytest.raises(SqlglotError):
        parse_query("SELECT FROM FROM")
    assert near_misses("SELECT FROM FROM", SCHEMA) == []


def test_a_long_gold_costs_what_is_asked_for():
    """All edits of all nodes were made first: of 300 conditions they took minutes, for 24 near misses."""
    gold, took = "SELECT name FROM t WHERE " + " AND ".join(f"n <> {n}" for n in range(40)), []
    for most in (4, 10_000):
        began = time.process_time()
        assert near_misses(gold, SCHEMA, most=most)
        took.append(time.process_time() - began)
    assert took[0] < took[1] / 5
