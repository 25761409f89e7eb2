import dataclasses
import itertools

import pytest

from forge_lib.data.items import DataError
from forge_lib.lab.profiles import PROFILES
from forge_lib.tasks.sql.score import REWARDS
from forge_lib.training import TrainingError
from forge_lib.training.choice import learnable, pass_rates
from forge_lib.training.rollouts import draw_groups, graded, summary

PROFILE = dataclasses.replace(
    PROFILES["smoke"], device="cpu", dtype="float32", grpo_prompts=2, grpo_generations=3, max_new_tokens=3
)


def item_with(library, gold: str, number: int = 0):
    return dataclasses.replace(library.train[0], id=f"i{number}", sql=gold)


def test_the_reward_is_the_grade(library):
    reward, item = graded(library), item_with(library, "SELECT title FROM books")
    paid = {
        "SELECT title FROM books": 1.0,
        "```sql\nSELECT name FROM authors;\n```": REWARDS["wrong result"],
        "SELECT title, price FROM books": REWARDS["wrong shape"],
        "SELECT 1 WHERE 0": 0.0,
        "no": 0.0,
    }
    assert {text: reward(item, text) for text in paid} == pytest.approx(paid)


def test_a_gold_that_fails_pays_nothing_and_ends_nothing(library):
    with pytest.warns(UserWarning, match="earns nothing.*no such column"):
        assert graded(library)(item_with(library, "SELECT weight FROM books"), "SELECT title FROM books") == 0


def test_a_missing_database_is_named_without_its_folder(library, tmp_path):
    gone = dataclasses.replace(library.train[0], db_id="gone")
    with pytest.raises(DataError, match=r"The database gone\.sqlite is not there") as error:
        graded(library)(gone, "SELECT 1")
    assert str(tmp_path) not in str(error.value)


def drawn(tiny_llama, tokenizer, library, pays, most: int):
    """Groups of items i0, i1, …, whose answers earn something different where `pays` says so."""
    items = [item_with(library, "SELECT 1", n) for n in range(50)]
    counter = itertools.count()
    order = iter(items)

    def reward(item, text):
        return next(counter) % 2 if pays(int(item.id[1:])) else 0.0

    groups, spent = draw_groups(tiny_llama, tokenizer, library, order, PROFILE, most, 1.0, reward)
    return groups, next(order).id, spent


def test_silent_groups_are_sampled_again_and_not_kept_for_learning(tiny_llama, tokenizer, library):
    groups, following, spent = drawn(tiny_llama, tokenizer, library, lambda n: n in (1, 3), most=8)
    assert [g.silent for g in groups] == [True, False, True, False] and following == "i4"
    assert spent["rollout_time"] > 0 and summary(groups)["frac_reward_zero_std"] == 0.5


def test_a_step_without_silent_groups_samples_none_again(tiny_llama, tokenizer, library):
    assert len(drawn(tiny_llama, tokenizer, library, lambda n: True, most=8)[0]) == 2


@pytest.mark.parametrize("most", [2, 3, 6])
def test_the_budget_of_a_step_ends(tiny_llama, tokenizer, library, most):
    groups, following, _ = drawn(tiny_llama, tokenizer, library, lambda n: False, most)
    assert len(groups) == most and following == f"i{most}"


def test_questions_are_chosen_by_saved_samples(library):
    count, titles, nobody = library.train
    broken = item_with(library, "SELECT weight FROM books")
    right = "SELECT COUNT(book_id) FROM books"
    samples = [[right, "SELECT 1", right, "no"], ["SELECT name FROM authors"] * 4, [nobody.sql] * 4, ["SELECT 1"] * 4]
    items = [count, titles, nobody, broken]
    rates = pass_rates(library, items, samples)
    assert rates == [0.5, 0.0, 1.0, 0.0]
    assert learnable(items, rates) == [count]
    with pytest.raises(TrainingError, match="nothing to learn from"):
        learnable(items[1:], rates[1:])


@pytest.mark.parametrize("samples", [[], [["SELECT 1"]], [["SELECT 1"], [], ["SELECT 1"]]])
def test_samples_of_other_items_are_a_sentence(library, samples):
    with pytest.raises(TrainingError, match="of 3 items"):
        pass_rates(library, library.train, samples)
