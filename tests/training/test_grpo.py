import dataclasses

import pytest
import torch

from forge_lib.profiles import PROFILES
from forge_lib.tasks.sql.score import REWARDS
from forge_lib.training import TrainingError
from forge_lib.training.grpo import execution_reward, group_advantages, prompts_for_grpo, run_grpo
from forge_lib.training.sft import add_lora


def test_the_reward_is_the_grade(library):
    path, gold = str(library.database("library")), "SELECT title FROM books"
    said = [
        "SELECT title FROM books",
        "```sql\nSELECT name FROM authors;\n```",
        "SELECT 1, 2",
        "SELECT 1 WHERE 0",
        "no",
    ]
    rewards = execution_reward(None, said, [path] * 5, [gold] * 5)
    assert rewards == [1.0, REWARDS["wrong result"], REWARDS["wrong shape"], REWARDS["wrong shape"], 0.0]
    turns = [[{"role": "assistant", "content": text}] for text in said]
    assert execution_reward(None, turns, [path] * 5, [gold] * 5) == rewards


def test_a_gold_that_fails_pays_nothing_and_ends_nothing(library):
    path, golds = str(library.database("library")), ["SELECT weight FROM books"] * 2 + ["SELECT 1"]
    with pytest.warns(UserWarning, match="earns nothing.*no such column"):
        assert execution_reward(None, ["SELECT title FROM books", "SELECT 1", "SELECT 1"], [path] * 3, golds) == [
            0,
            0,
            1,
        ]


@pytest.mark.parametrize("reward", [0.1, 0.2, 1 / 3, 1.0, 0.0, -0.7, 1e-8, 1e6])
@pytest.mark.parametrize("size", [1, 2, 3, 8, 100])
def test_equal_rewards_and_a_group_of_one_teach_exactly_nothing(reward, size):
    for kind in (torch.float32, torch.float64):
        assert group_advantages(torch.tensor([[reward] * size], dtype=kind)).tolist() == [[0.0] * size]


def test_groups_are_on_their_own_and_whole_numbers_are_rewards_too():
    silent, loud = group_advantages(torch.tensor([[1, 1, 1], [1, 0, 0]])).tolist()
    assert silent == [0.0] * 3
    assert loud == pytest.approx([1.1545, -0.5773, -0.5773], abs=1e-3)
    assert group_advantages(torch.zeros(0, 4)).shape == (0, 4)
    assert group_advantages(torch.zeros(2, 0)).shape == (2, 0)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_reward_that_is_not_a_number_is_named(broken):
    with pytest.raises(TrainingError, match="not a number"):
        group_advantages(torch.tensor([[1.0, broken]]))


def test_prompts_run_no_gold_and_no_pairs_are_a_sentence(library):
    bad = [dataclasses.replace(library.train[0], sql=sql) for sql in ("SELECT weight FROM books", "no SQL at all", "")]
    rows = prompts_for_grpo(library, [*library.train, *bad])
    assert len(rows) == 6 and [r["gold"] for r in rows][3:] == [p.sql for p in bad]
    with pytest.raises(TrainingError, match="no pairs"):
        prompts_for_grpo(library, [])


class Broken(Exception):
    pass


def test_an_error_leaves_one_adapter_as_before(tiny_llama, tokenizer, library):
    """TRL's copy "ref" stayed on the model, and the next training and saving met two adapters."""
    profile = dataclasses.replace(
        PROFILES["smoke"],
        device="cpu",
        dtype="float32",
        lora_rank=4,
        grpo_steps=1,
        grpo_generations=2,
        max_new_tokens=2,
    )
    model, copies = add_lora(tiny_llama, profile), []

    def reward(**_):
        copies.extend(model.peft_config)
        raise Broken

    with pytest.raises(Broken):
        run_grpo(model, tokenizer, library, library.train[:1], profile, 1, reward, progress=False)
    assert copies == ["default", "ref"], "the error came while both were there"
    assert list(model.peft_config) == ["default"] and not model.training
    assert model.active_adapters == ["default"] and any(p.requires_grad for p in model.parameters())


def test_a_missing_database_is_named_without_its_folder(tmp_path):
    with pytest.raises(TrainingError, match=r"The database gone\.sqlite is not there") as error:
        execution_reward([""], ["SELECT 1"], [str(tmp_path / "gone.sqlite")], ["SELECT 1"])
    assert str(tmp_path) not in str(error.value)
