"""What an answer earns, part by part, and that none of the known ways to be paid without answering pays."""

import pytest

from forge_lib.lessons.rewards import pays_for_running
from forge_lib.tasks.sql.score import OVERLAP, REWARDS, score

GOLD = "SELECT title FROM books WHERE price < 1"  # Three and Four, of four titles
COUNT = "SELECT COUNT(*) FROM books WHERE price < 0.15"  # 1
BIG = 10_000_000


def parts(library, answer, gold=GOLD):
    return score(answer, gold, library.database("library")).parts


def earned(library, answer, gold=GOLD):
    got = score(answer, gold, library.database("library"))
    assert got.reward == pytest.approx(sum(got.parts.values())) and 0 <= got.reward <= 1
    return got.reward


def test_each_part_is_paid_for_what_it_is_named_after(library):
    assert parts(library, "SELECT titel FROM books") == {}
    assert parts(library, "SELECT title, price FROM books") == pytest.approx({"runs": 0.1})
    assert parts(library, "SELECT name FROM authors") == pytest.approx({"runs": 0.1, "columns": 0.1})
    half = parts(library, "SELECT title FROM books")
    assert half == pytest.approx({"runs": 0.1, "columns": 0.1, "rows": OVERLAP * 2 / 3})
    assert parts(library, GOLD) == pytest.approx({"runs": 0.1, "columns": 0.1, "rows": OVERLAP, "right": 0.5})
    assert earned(library, GOLD) == 1.0


def test_all_rows_in_the_wrong_order_stay_far_below_correct(library):
    gold = "SELECT title FROM books ORDER BY price"
    assert earned(library, gold + " DESC", gold) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "answer",
    ["SELECT 1", "SELECT 'Three' UNION SELECT 'Four'", "VALUES ('Three'), ('Four')", "SELECT 1 FROM books",
     "SELECT DISTINCT 1 FROM books", "SELECT (SELECT 1)", "SELECT 1 WHERE EXISTS (SELECT title FROM books)",
     "WITH books AS (SELECT 'Three' AS title) SELECT title FROM books", "SELECT a FROM (SELECT 1 AS a)",
     "SELECT name FROM sqlite_master", "SELECT value FROM json_each('[1]')", "SELECT " + "(" * 60 + "1" + ")" * 60,
     f"SELECT 1 -- {GOLD}", f"SELECT 1 /* {GOLD} */", f"/* {GOLD} */ SELECT 1", f"SELECT '{GOLD}'"],
)  # fmt: skip
def test_what_asks_no_table_or_shows_nothing_of_it_earns_nothing(library, answer):
    assert parts(library, answer) == {}
    assert library.score(library.train[0], answer).reward == 0.0, "nor as a model's whole text"


@pytest.mark.parametrize(
    "answer", ["SELECT 1", "SELECT 1 FROM books LIMIT 1", "SELECT 1.0 + 0", f"SELECT 1 -- {COUNT}"]
)
def test_a_constant_that_hits_the_right_number_is_right_and_unpaid(library, answer):
    got = score(answer, COUNT, library.database("library"))
    assert got.correct and got.reward == 0.0 and earned(library, COUNT, COUNT) == 1.0


def test_a_gold_without_a_table_may_be_answered_by_one(library):
    assert earned(library, "SELECT 2 - 1", "SELECT 1") == 1.0


def test_many_rows_pay_little(library):
    honest = earned(library, "SELECT title FROM books WHERE price < 0.15")
    crossed = earned(library, "SELECT a.title FROM books a, books b, books c")
    assert crossed < 0.25 < honest
    assert earned(library, "SELECT * FROM books") == REWARDS["wrong shape"]
    assert earned(library, "SELECT a.title FROM books a, books b, books c, books d, books e, books f, books g") == 0.0


def test_empty_results_earn_nothing_beside_empty_golds(library):
    nothing = "SELECT title FROM books WHERE price > 1000"
    assert earned(library, "SELECT name FROM authors WHERE 0", nothing) == 0.0
    assert earned(library, "SELECT title FROM books", nothing) == 0.0
    assert earned(library, nothing, nothing) == 1.0
    assert earned(library, nothing) == REWARDS["wrong shape"]
    assert earned(library, "SELECT NULL FROM books") == 0.0


@pytest.mark.parametrize(
    "text, paid",
    [(f"SELECT 1; {GOLD}", False), (f"{GOLD}; SELECT 1", True), (f"SELECT 1;\n-- {GOLD};", False),
     (f"DROP TABLE books; {GOLD}", None), (f"```sql\nSELECT 2\n```\n```sql\n{GOLD}\n```", False)],
)  # fmt: skip
def test_of_several_statements_one_counts(library, text, paid):
    """None: whichever is taken, the database is whole afterwards."""
    item = library.train[0].__class__("x", "library", "Cheap titles", GOLD, "easy", "seen")
    got = library.score(item, text)
    assert paid is None or got.reward == float(paid)
    assert earned(library, GOLD) == 1.0


@pytest.mark.parametrize(
    "answer",
    [f"SELECT printf('%.*c', {BIG}, 'x') FROM books", "SELECT '" + "x" * BIG + "'", "SELECT title FROM books -- " + "x" * BIG,
     "x" * BIG],
    ids=["made by a function", "a literal", "a comment", "no SQL"],
)  # fmt: skip
def test_ten_megabytes_end_and_earn_no_more_than_a_wrong_result(library, answer):
    assert library.score(library.train[0], answer).reward <= REWARDS["wrong result"]


def test_the_hackable_reward_pays_a_constant_and_the_real_one_does_not(library):
    naive = pays_for_running(library)
    for item in library.train:
        assert naive(item, "SELECT 1") == naive(item, item.sql) == 1.0, "the model has no reason to answer"
        assert library.score(item, "SELECT 1").reward == 0.0 and library.score(item, item.sql).reward == 1.0
    assert naive(library.train[0], "SELECT titel FROM books") == 0.0


def test_a_reward_is_a_float_where_nothing_is_earned(library):
    assert isinstance(library.score(library.test[0], "nothing to run").reward, float)
