import sqlite3

import pytest

from forge_lib.tasks.sql.nondeterminism import empty_first, nondeterminism

SCRIPT = """
CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT, n INTEGER);
INSERT INTO t VALUES (1, 1, 'x', NULL), (2, 1, 'y', 4), (3, 2, 'z', 5), (4, 3, 'z', 6);
CREATE TABLE u (t_id INTEGER, w TEXT, status TEXT);
INSERT INTO u VALUES (1, 'p', 'now'), (1, 'q', 'now'), (2, 'r', 'x');
CREATE VIEW v AS SELECT * FROM t;
CREATE TABLE twice (a, b);
INSERT INTO twice VALUES (1, 2), (1, 2);
CREATE TABLE kept (city TEXT, phone TEXT, name TEXT, price INTEGER);
INSERT INTO kept VALUES ('Bern', '123', 'a', 1), ('Bern', NULL, 'a', 2), ('Oslo', NULL, 'b', 3), ('Oslo', NULL, 'c', 3);
"""


@pytest.fixture
def run():
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCRIPT)

    def execute(sql):
        try:
            return tuple(connection.execute(sql).fetchall())
        except sqlite3.Error:
            return None

    yield execute
    connection.close()


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT b FROM t ORDER BY a LIMIT 1", "LIMIT 1 cuts"),
        ("SELECT b FROM t ORDER BY a LIMIT 2", ""),
        ("SELECT b FROM t ORDER BY a DESC LIMIT 1", ""),
        ("SELECT b FROM t ORDER BY a, id LIMIT 1", ""),
        ("SELECT b FROM t LIMIT 1", "LIMIT 1 cuts"),
        ("SELECT b FROM t LIMIT 9", ""),
        ("SELECT b FROM t ORDER BY a LIMIT 1 OFFSET 1", "LIMIT 1 cuts"),
        ("SELECT b FROM t GROUP BY b ORDER BY COUNT(*) DESC LIMIT 1", ""),
        ("SELECT b FROM t GROUP BY b ORDER BY COUNT(*) LIMIT 1", "LIMIT 1 cuts"),
        ("SELECT b FROM t WHERE a = (SELECT a FROM t ORDER BY b LIMIT 1)", ""),
        ("SELECT b FROM t WHERE id = (SELECT id FROM t ORDER BY a LIMIT 1)", "LIMIT 1 cuts"),
        ("SELECT a, b FROM t GROUP BY a", "b has several values"),
        ("SELECT b, COUNT(*) FROM t GROUP BY b", ""),
        ("SELECT id, b, COUNT(*) FROM t GROUP BY id", ""),
        ("SELECT b, MAX(id) FROM t GROUP BY a", ""),
        # a column within an expression, in HAVING and ORDER BY; groups by number and by alias
        ("SELECT a, UPPER(b) FROM t GROUP BY a", "b has several values"),
        ("SELECT a || b, COUNT(*) FROM t GROUP BY a", "b has several values"),
        ("SELECT a FROM t GROUP BY a HAVING b = 'y'", "b has several values"),
        ("SELECT a FROM t GROUP BY a ORDER BY b", "b has several values"),
        ("SELECT UPPER(b), COUNT(*) FROM t GROUP BY 1", ""),
        ("SELECT UPPER(b) AS k, COUNT(*) AS n FROM t GROUP BY k HAVING n > 1 ORDER BY n", ""),
        ("SELECT UPPER(b) FROM t GROUP BY UPPER(b) HAVING MAX(a) > 1 ORDER BY MIN(id), UPPER(b)", ""),
        ("SELECT b, MAX(id), MIN(id) FROM t GROUP BY a", "b has several values"),
        ("SELECT * FROM t GROUP BY a", "the rows change"),
        ("SELECT * FROM t GROUP BY id", ""),
        ("SELECT * FROM ((SELECT a FROM t))", ""),
        # NULL is a value like another
        ("SELECT city, phone FROM kept GROUP BY city", "phone has several values"),
        ("SELECT city FROM kept GROUP BY city HAVING phone IS NULL", "phone has several values"),
        ("SELECT city FROM kept GROUP BY city ORDER BY phone", "phone has several values"),
        ("SELECT city, phone FROM kept WHERE city = 'Oslo' GROUP BY city", ""),
        # what chooses among groups, or whether there is one
        ("SELECT COUNT(*) FROM t HAVING b = 'x'", "the rows change"),
        ("SELECT b, MAX(a) FROM t WHERE a < 2 GROUP BY a HAVING b = 'x'", "the rows change"),
        ("SELECT a, TOTAL(n) FROM t GROUP BY a", ""),
        ("SELECT a, COUNT(*) FILTER (WHERE b = 'x') FROM t GROUP BY a", ""),
        # DISTINCT rows that are ordered by what they do not show
        ("SELECT DISTINCT name FROM kept ORDER BY price LIMIT 2", "LIMIT 2 cuts"),
        ("SELECT DISTINCT name FROM kept ORDER BY price LIMIT 1", ""),
        ("SELECT DISTINCT name FROM kept ORDER BY price LIMIT 3", ""),
        ("SELECT DISTINCT city FROM kept ORDER BY price LIMIT 1", ""),
        ("SELECT DISTINCT b FROM t ORDER BY a LIMIT 1", "LIMIT 1 cuts"),
        ("SELECT DISTINCT w FROM u ORDER BY t_id DESC LIMIT 1", ""),
        # several values where one is wanted
        (
            "SELECT b FROM t WHERE a = (SELECT 1 UNION ALL SELECT 2)",
            "a subquery in the place of one value",
        ),
        ("SELECT b FROM t WHERE a = (SELECT a FROM t WHERE id < 3)", ""),
        # a limit that is computed
        ("SELECT b FROM t ORDER BY a LIMIT 2 - 1", "LIMIT"),
        # by alias, by number, by an expression over an alias
        ("SELECT b, a AS k FROM t ORDER BY k LIMIT 1", "LIMIT 1 cuts"),
        ("SELECT b, a AS k FROM t ORDER BY k + 1 DESC LIMIT 1", ""),
        ("SELECT b, COUNT(*) AS n FROM t GROUP BY b ORDER BY n LIMIT 1", "LIMIT 1 cuts"),
        ("SELECT b, a FROM t ORDER BY 2 LIMIT 1", "LIMIT 1 cuts"),
        ("SELECT b, a FROM t ORDER BY 2 DESC LIMIT 1", ""),
        ("SELECT * FROM twice LIMIT 1", ""),
        ("SELECT b FROM v ORDER BY a LIMIT 1", "LIMIT 1 cuts"),
        # in set operations, CTEs and subqueries
        ("SELECT a, b FROM t UNION ALL SELECT t_id, w FROM u ORDER BY a LIMIT 2", "LIMIT 2 cuts"),
        ("SELECT b FROM t UNION SELECT w FROM u ORDER BY 1 LIMIT 2", ""),
        ("WITH c AS (SELECT * FROM t ORDER BY a LIMIT 1) SELECT b FROM c", "LIMIT 1 cuts"),
        ("WITH c AS (SELECT * FROM t), d AS (SELECT b FROM c ORDER BY a LIMIT 1) SELECT * FROM d", "LIMIT 1 cuts"),
        ("WITH c AS (SELECT * FROM t ORDER BY a DESC LIMIT 1) SELECT b FROM c", ""),
        ("SELECT b, (SELECT w FROM u WHERE u.t_id = t.id LIMIT 1) FROM t", "the rows change"),
        ("SELECT b, (SELECT w FROM u WHERE u.t_id = t.id ORDER BY w LIMIT 1) FROM t", ""),
        # the order of reading
        ("SELECT id, MAX(b) FROM t GROUP BY b", "the rows change"),
        ("SELECT GROUP_CONCAT(b) FROM t", "the rows change"),
        ("SELECT GROUP_CONCAT(b) FROM t WHERE id = 1", ""),
        ("SELECT json_group_array(b) FROM t", "the rows change"),
        ("SELECT a, json_group_object(b, id) FROM t GROUP BY a", "the rows change"),
        ("SELECT b, json_group_array(a) FROM t WHERE id < 3 GROUP BY b", ""),
        ("SELECT b, ROW_NUMBER() OVER (ORDER BY a) FROM t", "the rows change"),
        ("SELECT b, RANK() OVER (ORDER BY a) FROM t", ""),
        ("SELECT b FROM t WHERE a = (SELECT a FROM t WHERE a < 3)", "the rows change"),
        ("SELECT x.b FROM t AS x, t y WHERE x.id = y.a ORDER BY x.b", ""),
        # clocks and chance
        ("SELECT b FROM t ORDER BY RANDOM() LIMIT 1", "RANDOM() is another"),
        ("SELECT b FROM t WHERE b > CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP is another"),
        ("SELECT strftime('%Y', 'now') - a FROM t", "STRFTIME('%Y', 'now') is another"),
        ("SELECT b FROM t WHERE b > date('now', '-1 year')", "DATE('now', '-1 year') is another"),
        ("SELECT time()", "TIME() is another"),
        ("SELECT date(b), strftime('%Y', b), LOWER('now') FROM t", ""),
        ("SELECT w FROM u WHERE status = 'now'", ""),
        ("SELECT " + "(" * 60 + "1" + ")" * 60, ""),
    ],
)
def test_luck_is_found_where_another_order_of_rows_gives_another_answer(run, sql, why):
    found = nondeterminism(sql, run)
    assert found.startswith(why) and bool(found) == bool(why)


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT b FROM t ORDER BY n LIMIT 1", True),
        ("SELECT b, n AS m FROM t ORDER BY m LIMIT 2", True),
        ("SELECT b, n FROM t ORDER BY 2 LIMIT 2", True),
        ("SELECT b FROM t WHERE id = (SELECT id FROM t ORDER BY n LIMIT 1)", True),
        ("SELECT b FROM t GROUP BY b ORDER BY MIN(n) LIMIT 1", True),
        ("SELECT b FROM t ORDER BY n LIMIT 1 OFFSET 1", False),
        ("SELECT b FROM t ORDER BY n DESC LIMIT 3", False),
        ("SELECT b FROM t ORDER BY n DESC LIMIT 4", True),
        ("SELECT b FROM (SELECT b, RANK() OVER (ORDER BY n) AS r FROM t) WHERE r = 1", True),
        ("WITH k AS (SELECT b, ROW_NUMBER() OVER (ORDER BY n) AS r FROM t) SELECT b FROM k WHERE r < 3", True),
        ("SELECT b FROM (SELECT b, RANK() OVER (ORDER BY n DESC) AS r FROM t) WHERE r = 1", False),
        ("SELECT b FROM (SELECT b, RANK() OVER (ORDER BY n NULLS LAST) AS r FROM t) WHERE r = 1", False),
        ("SELECT b FROM (SELECT b, RANK() OVER (ORDER BY a) AS r FROM t) WHERE r = 1", False),
        ("SELECT b, SUM(a) OVER (ORDER BY n) FROM t", False),
        ("SELECT b FROM t ORDER BY n NULLS LAST LIMIT 1", False),
        ("SELECT b FROM t ORDER BY n NULLS FIRST LIMIT 1", False),
        ("SELECT b FROM t WHERE n IS NOT NULL ORDER BY n LIMIT 1", False),
        ("SELECT b FROM t WHERE n IS NULL ORDER BY n LIMIT 1", False),
        ("SELECT b FROM t ORDER BY n", False),
        ("SELECT b FROM t ORDER BY a, n LIMIT 1", False),
        (
            "SELECT DISTINCT name FROM (SELECT name, NULLIF(price, 3) AS price FROM kept) ORDER BY price DESC LIMIT 2",
            True,
        ),
    ],
)
def test_a_row_without_a_value_is_not_the_lowest(run, sql, named):
    assert bool(empty_first(sql, run)) == named
