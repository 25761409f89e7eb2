"""Equal examples and equal steps: what makes two sets comparable."""

import dataclasses

import pytest

from forge_lib.lab.profiles import PROFILES
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.training import TrainingError
from forge_lib.training.budgets import equal_examples, equal_steps

SETS = {
    name: [Pair(f"{name}-{n}", f"d{n % 3}", "?", "SELECT 1") for n in range(size)]
    for name, size in (("a", 9), ("b", 20))
}


def test_equal_examples_are_nested_and_spread_over_contexts():
    drawn = equal_examples(SETS)
    assert [len(items) for items in drawn.values()] == [9, 9]
    assert {i.db_id for i in drawn["b"]} == {"d0", "d1", "d2"} and drawn == equal_examples(SETS)
    assert drawn["b"] != equal_examples(SETS, seed=18)["b"]
    assert {i.id for i in equal_examples(SETS, count=4)["b"]} < {i.id for i in drawn["b"]}
    with pytest.raises(TrainingError, match="a: 9, b: 20"):
        equal_examples(SETS, count=10)


def test_equal_steps_pass_over_the_smaller_set_more_often(library, tokenizer):
    profile = dataclasses.replace(PROFILES["cpu"], pack_questions=2, packs_per_step=2)
    steps = equal_steps(library, library.train, tokenizer, profile, 5)
    assert [len(packs) for packs in steps] == [2] * 5
    assert steps == equal_steps(library, library.train, tokenizer, profile, 5)
    few = equal_steps(library, library.train[:1], tokenizer, profile, 5)
    assert [len(packs) for packs in few] == [2] * 5
    with pytest.raises(TrainingError, match="0 steps over 3 items"):
        equal_steps(library, library.train, tokenizer, profile, 0)


def test_other_answers_are_asked_in_the_same_order(library, tokenizer):
    """An answer decides which columns its view may drop, and so how much chance it uses up: that shifted all later packs."""
    profile = dataclasses.replace(PROFILES["cpu"], pack_questions=1, packs_per_step=1)
    items = [dataclasses.replace(library.train[0], id=str(n), question=f"Question {n}?") for n in range(12)]
    other = [item.with_answer(library.train[n % 3].answer, "") for n, item in enumerate(items)]
    orders = []
    for its in (items, other):
        steps = equal_steps(library, its, tokenizer, profile, 20)
        orders.append([example.question for [[example]] in steps])
    assert orders[0] == orders[1] and len(set(orders[0])) == 12
