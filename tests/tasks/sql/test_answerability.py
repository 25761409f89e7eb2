"""Saying "no answer" where it is due, and where it is not."""

import math

import pytest

from forge_lib.tasks.sql.answerability import answerability, says_no_answer


@pytest.mark.parametrize(
    ("sql", "said"),
    [("SELECT 'no answer'", True), ("select  'No Answer' ;", True), ('SELECT "no answer"', True), ("", False),
     ("SELECT 'no answer' AS x", False), ("SELECT answer FROM t", False), ("SELECT 'the no answer'", False)],
)  # fmt: skip
def test_the_refusal_is_known_however_it_is_spaced(sql, said):
    assert says_no_answer(sql) is said


def test_both_kinds_are_counted():
    no, query = "SELECT 'no answer'", "SELECT 1"
    records = [{"sql": no, "predicted": no, "wording": "unanswerable"}, {"sql": no, "predicted": query},
               {"sql": query, "predicted": no}, {"sql": query, "predicted": query}, {"sql": query, "predicted": ""},
               {"sql": query, "predicted": None}]  # fmt: skip
    table = answerability(records)
    assert table.loc["unanswerable"].tolist() == [2, 1, 50.0]
    assert table.loc["answerable"].tolist() == [4, 1, 25.0]


def test_a_kind_that_does_not_occur_has_no_percent():
    table = answerability([{"sql": "SELECT 1", "predicted": "SELECT 1"}])
    assert table.loc["unanswerable", "items"] == 0 and math.isnan(table.loc["unanswerable", "percent"])
