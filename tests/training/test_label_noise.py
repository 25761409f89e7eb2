"""Label noise: the share that was asked for, proven wrong, and nested."""

import dataclasses

import pytest

from forge_lib.data.items import DataError
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.training.label_noise import with_wrong_answers

ASKED = ["SELECT COUNT(*) FROM books", "SELECT name FROM authors WHERE born > 1900", "SELECT title FROM books ORDER BY price",
         "SELECT MAX(price) FROM books", "SELECT name FROM authors WHERE born IS NULL"]  # fmt: skip
PAIRS = [Pair(f"p-{n}", "library", f"Question {n}", ASKED[n % 5]) for n in range(30)]


@pytest.fixture
def shelf(library):
    return dataclasses.replace(library, train=list(PAIRS))


def test_the_wrong_answers_of_a_share_are_among_those_of_a_larger(shelf):
    drawn = {share: with_wrong_answers(shelf, PAIRS, share) for share in (0, 0.1, 0.5)}
    sizes = {share: len(changed) for share, (_, changed) in drawn.items()}
    assert sizes == {0: 0, 0.1: 3, 0.5: 15} and drawn[0][0] == PAIRS
    assert all(change in drawn[0.5][1] for change in drawn[0.1][1])
    for items, changed in drawn.values():
        assert [i.id for i in items] == [p.id for p in PAIRS]
        assert {i.id for i, p in zip(items, PAIRS, strict=True) if i != p} == {c["id"] for c in changed}
    assert {c["kind"] for c in drawn[0.5][1]} == {"near miss", "another question's answer"}
    assert with_wrong_answers(shelf, PAIRS[::-1], 0.1)[1] == drawn[0.1][1]  # by id, wherever an item stands
    assert with_wrong_answers(shelf, PAIRS, 0.1, seed=18)[1] != drawn[0.1][1]


def test_each_runs_and_is_wrong(shelf):
    items, changed = with_wrong_answers(shelf, PAIRS, 0.9)
    by_id = {p.id: p for p in PAIRS}
    for item in items:
        found = shelf.score(by_id[item.id], item.answer)
        wrong = item.id in {c["id"] for c in changed}
        assert found.valid and found.correct != wrong
        assert item.provenance.startswith("wrong on purpose") == wrong
    assert len(changed) == 27


def test_what_cannot_be_is_a_sentence(shelf):
    with pytest.raises(DataError, match="0 to 1; 30 is not"):
        with_wrong_answers(shelf, PAIRS, 30)
    alone = [Pair("a", "library", "One?", "SELECT 1")]
    with pytest.raises(DataError, match="Only 0 of 1"):
        with_wrong_answers(shelf, alone, 1.0)
