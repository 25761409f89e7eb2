"""The vote among several answers: what agrees wins, what fails has no vote, and one answer stays what it is."""

import pytest

from forge_lib.evaluation.voting import vote, voting
from forge_lib.models.generate import Completion


def said(*texts):
    return [Completion(text, 5, 3, 0.5, True) for text in texts]


COUNT, LIST = "SELECT COUNT(*) FROM books", "SELECT title FROM books"


@pytest.mark.parametrize(
    "answers, chosen",
    [
        ((COUNT, LIST, "SELECT title FROM books ORDER BY price"), LIST),  # the rows agree, in another order
        ((COUNT, LIST, "SELECT COUNT(book_id) FROM books", LIST), COUNT),  # two against two: the first
        ((COUNT, "SELECT no FROM such", "SELECT no FROM such", "nothing"), COUNT),  # what fails has no vote
        (("SELECT no FROM such", LIST), LIST),
        (("SELECT title FROM books WHERE 0", "SELECT title FROM books WHERE 0", LIST), LIST),  # nothing found
        (("SELECT no FROM such", "nothing"), "SELECT no FROM such"),  # nobody has a vote: as without a vote
        (("SELECT title FROM books WHERE 0",), "SELECT title FROM books WHERE 0"),
        (("SELECT price, title FROM books", COUNT, "SELECT title, price FROM books"), "SELECT price, title FROM books"),
        (("SELECT 0.1 + 0.2", COUNT, "SELECT 0.3"), "SELECT 0.1 + 0.2"),
    ],
)
def test_what_most_agree_on_is_given(library, answers, chosen):
    assert vote(library, library.test[0], said(*answers)).text == chosen


def test_the_cost_is_that_of_all_answers(library):
    found = vote(library, library.test[0], said(COUNT, LIST, LIST))
    assert (found.completion_tokens, found.prompt_tokens, found.seconds) == (9, 5, 1.5)


def test_no_answers_are_refused(library):
    with pytest.raises(ValueError, match="no answer"):
        vote(library, library.test[0], [])


def test_each_question_has_its_own_samples(library):
    asked = []

    def greedy(items):
        return said(*("wrong" for _ in items))

    def sampled(items):
        asked.extend(i.id for i in items)
        return said(*(i.sql for i in items))

    found = voting(library, greedy, sampled, samples=3)(library.test)
    assert [c.text for c in found] == [i.sql for i in library.test]
    assert asked == [i.id for i in library.test for _ in range(3)]


def test_the_same_seed_draws_the_same(library):
    import torch

    def sampled(items):
        return said(*(f"SELECT {torch.randint(1000, ()).item()}" for _ in items))

    answers = voting(library, sampled, sampled, 2, seed=5)
    torch.manual_seed(1)
    first = [c.text for c in answers(library.test)]
    before = torch.random.get_rng_state()
    torch.manual_seed(1)
    assert [c.text for c in answers(library.test)] == first
    assert torch.equal(torch.random.get_rng_state(), before)
