import random
import sqlite3

import pytest
from sqlglot.errors import SqlglotError

from forge_lib.tasks import GoldError
from forge_lib.tasks.sql.opening import file_state
from forge_lib.tasks.sql.rows import same_rows
from forge_lib.tasks.sql.score import OVERLAP, REWARDS, difficulty, is_ordered, returns_nothing, score

DEEP = "SELECT " + "(" * 60 + "1" + ")" * 60


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Prices with ties and NULLs, a column that ignores case, large numbers."""
    path = tmp_path_factory.mktemp("shop") / "shop.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript("""
            CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, price REAL, kind TEXT COLLATE NOCASE, number INTEGER);
            INSERT INTO t VALUES (1, 'a', 1, 'X', 10000001), (2, 'b', 1, 'x', 10000002), (3, 'c', 2, 'y', 1700000000),
                (4, 'd', NULL, 'Y', 1700001000), (5, 'e', NULL, 'z', 9007199254740993);
            CREATE TABLE u (t_id INTEGER, label TEXT);
            INSERT INTO u VALUES (1, 'p'), (2, 'p'), (3, 'q'), (4, 'r'), (5, 'r');
        """)
    connection.close()
    return path


@pytest.mark.parametrize(
    ("sql", "verdict"),
    [
        ("SELECT title FROM books WHERE price < 1", "correct"),
        ("SELECT title FROM books WHERE price < 1 ORDER BY title DESC", "correct"),
        ("SELECT title FROM books", "wrong result"),
        ("SELECT title, price FROM books WHERE price < 1", "wrong shape"),
        ("SELECT titel FROM books", "error"),
        ("", "error"),
        ("DELETE FROM books", "refused"),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n", "timeout"),
    ],
)
def test_verdicts(library, sql, verdict):
    got = score(sql, "SELECT title FROM books WHERE price < 1", library.database("library"))
    assert got.verdict == verdict
    shared = OVERLAP * 2 / 3 if verdict == "wrong result" else 0  # two of four titles
    assert got.reward == pytest.approx(REWARDS[verdict] + shared) == pytest.approx(sum(got.parts.values()))


def test_every_verdict_has_a_reward_and_correct_is_worth_most():
    assert set(REWARDS) == {"correct", "wrong result", "wrong shape", "error", "timeout", "refused"}
    assert max(REWARDS, key=REWARDS.get) == "correct" and REWARDS["correct"] == 1.0


def test_order_counts_only_where_the_gold_orders(library):
    path = library.database("library")
    descending = "SELECT title FROM books ORDER BY price DESC"
    assert score(descending, "SELECT title FROM books ORDER BY price", path).verdict == "wrong result"
    assert score(descending, "SELECT title FROM books", path).correct
    assert not is_ordered("SELECT a FROM (SELECT a FROM t ORDER BY a)")


PRICED = "SELECT name FROM t WHERE price > 0 ORDER BY price"


@pytest.mark.parametrize(
    ("gold", "answer", "right"),
    [
        # the order of equals is open, the order itself is not
        ("SELECT name FROM t ORDER BY price", "SELECT name FROM t ORDER BY price, name DESC", True),
        ("SELECT name FROM t ORDER BY price", "SELECT name FROM t ORDER BY price DESC", False),
        ("SELECT name FROM t ORDER BY price", "SELECT name FROM t ORDER BY price NULLS LAST", False),
        ("SELECT name FROM t ORDER BY price NULLS LAST", "SELECT name FROM t ORDER BY price NULLS LAST, id DESC", True),
        ("SELECT name FROM t ORDER BY price DESC, name", "SELECT name FROM t ORDER BY price DESC, name DESC", False),
        ("SELECT name, price AS p FROM t ORDER BY p", "SELECT price, name FROM t ORDER BY price, name DESC", True),
        ("SELECT name, price FROM t ORDER BY 2", "SELECT name, price FROM t ORDER BY price, name DESC", True),
        ("SELECT name, -price AS p FROM t ORDER BY p + 1", "SELECT name, -price FROM t ORDER BY 2, 1 DESC", True),
        ("SELECT name, -price AS price FROM t ORDER BY price", "SELECT name, -price FROM t ORDER BY 2", True),
        ("SELECT name, -price AS price FROM t ORDER BY price", "SELECT name, -price FROM t ORDER BY 2 DESC", False),
        ("SELECT * FROM t ORDER BY price", "SELECT * FROM t ORDER BY price, id DESC", True),
        ("SELECT name FROM t ORDER BY kind", "SELECT name FROM t ORDER BY kind, id DESC", True),
        ("SELECT kind FROM t ORDER BY kind COLLATE BINARY", "SELECT kind FROM t ORDER BY kind, id DESC", False),
        ("SELECT label FROM u GROUP BY label ORDER BY COUNT(*) DESC",
         "SELECT label FROM u GROUP BY label ORDER BY COUNT(*) DESC, label DESC", True),
        ("SELECT label FROM u GROUP BY label ORDER BY COUNT(*) DESC", "SELECT DISTINCT label FROM u ORDER BY 1", False),
        ("SELECT name, 1 AS part FROM t UNION ALL SELECT label, 2 FROM u ORDER BY part",
         "SELECT label, 2 FROM u UNION ALL SELECT name, 1 FROM t ORDER BY 2, 1 DESC", True),
        ("WITH p AS (SELECT * FROM t WHERE price > 0) SELECT name FROM p ORDER BY price", PRICED + ", id DESC", True),
        ("SELECT name FROM t ORDER BY ROW_NUMBER() OVER (ORDER BY id)", "SELECT name FROM t ORDER BY id", True),
        ("SELECT DISTINCT label FROM u ORDER BY t_id DESC", "SELECT DISTINCT label FROM u ORDER BY t_id DESC", True),
        # a LIMIT that cuts through equals lets any of them through
        (PRICED + " LIMIT 1", "SELECT 'b'", True),
        (PRICED + " LIMIT 1", "SELECT 'c'", False),
        (PRICED + " LIMIT 1 OFFSET 1", "SELECT 'a'", True),
        (PRICED + " LIMIT 1, 2", "SELECT name FROM t WHERE name IN ('a', 'c') ORDER BY name", True),
        (PRICED + " LIMIT 1, 2", "SELECT name FROM t WHERE name IN ('a', 'c') ORDER BY name DESC", False),
        ("SELECT name FROM t LIMIT 2", "SELECT name FROM t ORDER BY id DESC LIMIT 2", True),
        ("SELECT name FROM t LIMIT 2", "SELECT 'a' UNION ALL SELECT 'a'", False),
        # numbers
        ("SELECT number FROM t WHERE id = 1", "SELECT number FROM t WHERE id = 2", False),
        ("SELECT number FROM t WHERE id = 1", "SELECT number * 1.0 FROM t WHERE id = 2", False),
        ("SELECT number FROM t WHERE id = 1", "SELECT number * 1.0 FROM t WHERE id = 1", True),
        ("SELECT number FROM t WHERE id = 3", "SELECT number FROM t WHERE id = 4", False),
        ("SELECT number FROM t WHERE id = 5", "SELECT 9007199254740992", False),
        ("SELECT 1000000.01", "SELECT 1000000.02", False),
        ("SELECT julianday('2024-01-01')", "SELECT julianday('2024-01-02')", False),
        ("SELECT (julianday('2024-01-01 11:00') - julianday('2024-01-01 10:30')) * 1440", "SELECT 30", True),
        ("SELECT 9e999", "SELECT 5", False),
        ("SELECT 9e999", "SELECT 9e999", True),
        (DEEP + " ORDER BY 1", "SELECT 1", True),
        ("SELECT 1", DEEP, True),
    ],
)  # fmt: skip
def test_what_the_gold_leaves_open_is_open_and_nothing_else(shop, gold, answer, right):
    assert score(answer, gold, shop).verdict == ("correct" if right else "wrong result")


@pytest.mark.parametrize("cut", ["LIMIT 0 + 1", "LIMIT (SELECT COUNT(*) / 5 FROM t)", "LIMIT -1 + 2 OFFSET 1 - 1"])
def test_a_limit_that_is_computed_leaves_ties_open_too(shop, cut):
    gold = f"SELECT name FROM t WHERE id < 3 ORDER BY price {cut}"
    assert score("SELECT 'b'", gold, shop).correct and not score("SELECT 'c'", gold, shop).correct


def test_a_blob_is_not_the_text_of_its_digits(shop):
    assert score("SELECT x'4142'", "SELECT x'4142'", shop).correct
    assert not score("SELECT '4142'", "SELECT x'4142'", shop).correct


def test_an_empty_answer_earns_no_more_than_a_wrong_shape(shop):
    gold = "SELECT name FROM t"
    assert score("SELECT name FROM t WHERE id < 4", gold, shop).reward > REWARDS["wrong result"]
    for empty in ("SELECT 1 WHERE 0", "SELECT NULL", "SELECT 1, 2, 3 WHERE 0", "SELECT NULL FROM t"):
        assert score(empty, gold, shop).reward <= REWARDS["wrong shape"]


def test_columns_are_compared_where_there_are_no_rows(shop):
    assert score("SELECT 1, 2, 3 WHERE 0", "SELECT id FROM t WHERE id > 9", shop).verdict == "wrong shape"
    assert score("SELECT id FROM t", "SELECT id, name FROM t WHERE id > 9", shop).verdict == "wrong shape"


@pytest.mark.parametrize(
    "gold", ["SELECT name FROM t WHERE id > 9", "SELECT price FROM t WHERE id > 3", "SELECT MAX(id) FROM t WHERE 0"]
)
def test_a_gold_without_a_value_pays_its_own_statement_only(shop, gold):
    assert returns_nothing(gold, shop)
    assert score(gold.lower() + ";", gold, shop).reward == 1
    for answer in ("SELECT 1 WHERE 0", "SELECT NULL", "SELECT name FROM t", "SELECT NULL FROM t WHERE id > 3"):
        assert score(answer, gold, shop).reward == 0
    nothing = score(f"SELECT * FROM ({gold})", gold, shop)
    assert nothing.correct and nothing.reward == 0  # the one case in which grade and reward are two
    assert not returns_nothing("SELECT 0", shop)


@pytest.mark.parametrize("log", ["DELETE", "WAL"])
def test_a_file_has_another_fingerprint_after_each_change(tmp_path, log):
    """As large as before, and written within one tick of the clock."""
    path = tmp_path / "t.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(f"PRAGMA journal_mode = {log}; CREATE TABLE t (a); INSERT INTO t VALUES (0)")
    stamps = {file_state(path)}
    for a in range(1, 6):
        connection.execute("UPDATE t SET a = ?", (a,))
        connection.commit()
        stamps.add(file_state(path))
    connection.close()
    assert len(stamps) == 6


@pytest.mark.parametrize("log", ["DELETE", "WAL"])
def test_a_score_is_of_the_file_as_it_is(tmp_path, log):
    path = tmp_path / "t.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(f"PRAGMA journal_mode = {log}; CREATE TABLE t (a); INSERT INTO t VALUES (0)")
    for a in range(1, 4):
        connection.execute("UPDATE t SET a = ?", (a,))
        connection.commit()
        assert score(f"SELECT {a}", "SELECT a FROM t", path).correct
    connection.close()


@pytest.mark.parametrize("width", [6, 7, 20])
def test_columns_may_stand_in_any_order_at_any_width(width):
    rows = [tuple(random.Random(n * width + c).randrange(3) for c in range(width)) for n in range(200)]
    other = list(range(width))
    random.Random(0).shuffle(other)
    turned = [tuple(row[c] for c in other) for row in rows]
    assert same_rows(turned, rows, ordered=True)
    assert not same_rows([*turned[1:], turned[1]], rows, ordered=True)


def test_columns_alike_are_not_tried_in_every_order():
    rows = ((1,) * 20 + (2,), (3,) * 20 + (4,))
    assert same_rows(tuple(r[::-1] for r in rows), rows, ordered=False)
    assert not same_rows(rows, tuple((*r[:-1], 5) for r in rows), ordered=False)


def test_mixed_types_in_a_column_are_compared():
    rows = ((1, "a"), ("1", None), (None, 2.5), (1.5, b"x"))
    assert same_rows(rows[::-1], rows, ordered=False)
    assert not same_rows(((1, "a"), (1, None), (None, 2.5), (1.5, b"x")), rows, ordered=False)


def test_rows_are_a_multiset():
    assert not same_rows(((1,), (1,), (2,)), ((1,), (2,), (2,)), ordered=False)


def test_float_noise_is_no_error_but_a_cent_is():
    assert same_rows(((0.1 + 0.2,),), ((0.3,),), ordered=False)
    assert not same_rows(((0.31,),), ((0.30,),), ordered=False)


def test_float_noise_does_not_break_the_pairing_of_unordered_rows():
    got = ((0.1 + 0.2, "b"), (0.3, "a"))
    assert same_rows(got, ((0.3, "b"), (0.3, "a")), ordered=False)


def test_columns_may_stand_in_another_order_but_values_may_not_swap_rows():
    gold = ((1, "a", 10), (2, "b", 20))
    assert same_rows((("a", 10, 1), ("b", 20, 2)), gold, ordered=False)
    assert not same_rows((("a", 20, 1), ("b", 10, 2)), gold, ordered=False)


def test_null_text_and_number_are_different_values():
    assert not same_rows(((None,),), ((0,),), ordered=False)
    assert not same_rows((("1",),), ((1,),), ordered=False)


def test_empty_equals_empty_only():
    assert same_rows((), (), ordered=True)
    assert not same_rows((), ((1,),), ordered=True)


def test_a_failing_gold_is_the_datas_fault(library):
    with pytest.raises(GoldError, match="Mend the pair"):
        score("SELECT 1", "SELECT nothing FROM nowhere", library.database("library"))


@pytest.mark.parametrize(
    ("sql", "level"),
    [
        ("SELECT a FROM t WHERE b = 1", "easy"),
        ("SELECT a, COUNT(*) FROM t JOIN u ON t.i = u.i GROUP BY a", "medium"),
        ("SELECT a FROM t WHERE b > (SELECT AVG(b) FROM t) AND c = 1", "hard"),
        ("SELECT a FROM t JOIN u ON t.i = u.i GROUP BY a HAVING COUNT(*) > 2 ORDER BY COUNT(*) DESC LIMIT 3", "extra"),
    ],
)
def test_difficulty_follows_structure(sql, level):
    assert difficulty(sql) == level


def test_what_cannot_be_parsed_has_no_difficulty():
    for sql in (DEEP, "SELECT FROM WHERE", "DROP TABLE t", "SELECT 1; SELECT 2"):
        with pytest.raises(SqlglotError):
            difficulty(sql)
