import pytest

from forge_lib.tasks.sql.score import REWARDS, VERDICTS, GoldError, difficulty, is_ordered, same_rows, score


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
    assert got.reward == REWARDS[verdict]


def test_every_verdict_has_a_reward_and_correct_is_worth_most():
    assert set(REWARDS) == set(VERDICTS)
    assert max(REWARDS, key=REWARDS.get) == "correct" and REWARDS["correct"] == 1.0


def test_order_counts_only_where_the_gold_orders(library):
    path = library.database("library")
    descending = "SELECT title FROM books ORDER BY price DESC"
    assert score(descending, "SELECT title FROM books ORDER BY price", path).verdict == "wrong result"
    assert score(descending, "SELECT title FROM books", path).correct
    assert not is_ordered("SELECT a FROM (SELECT a FROM t ORDER BY a)")


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
