import sqlite3

import pytest

from forge_lib.tasks.sql.luck import decided_by_luck

SCRIPT = """
CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT);
INSERT INTO t VALUES (1, 1, 'x'), (2, 1, 'y'), (3, 2, 'z'), (4, 3, 'z');
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
    ],
)
def test_luck_is_found_where_another_order_of_rows_gives_another_answer(run, sql, why):
    found = decided_by_luck(sql, run)
    assert found.startswith(why) and bool(found) == bool(why)
