import dataclasses

import pytest
import torch

from forge_lib.data.items import DataError
from forge_lib.lab.profiles import PROFILES
from forge_lib.tasks.sql.score import REWARDS
from forge_lib.training import TrainingError
from forge_lib.training.grpo import graded, group_advantages, prompts_for_grpo, run_grpo, shared_prompt_logps
from forge_lib.training.sft import add_lora


def items_with(library, *golds):
    return [dataclasses.replace(library.train[0], id=f"i{n}", sql=gold) for n, gold in enumerate(golds)]


def test_the_reward_is_the_grade(library):
    reward = graded(library, items_with(library, "SELECT title FROM books"))
    said = [
        "SELECT title FROM books",
        "```sql\nSELECT name FROM authors;\n```",
        "SELECT 1, 2",
        "SELECT 1 WHERE 0",
        "no",
    ]
    rewards = reward(None, said, item=[0] * 5)
    assert rewards == [1.0, REWARDS["wrong result"], REWARDS["wrong shape"], REWARDS["wrong shape"], 0.0]
    turns = [[{"role": "assistant", "content": text}] for text in said]
    assert reward(None, turns, item=[0] * 5, other_column=None) == rewards


def test_each_completion_is_graded_by_its_own_item(library):
    reward = graded(library, items_with(library, "SELECT 1", "SELECT 2"))
    assert reward(None, ["SELECT 2", "SELECT 2"], item=[0, 1]) == [REWARDS["wrong result"], 1.0]


def test_a_gold_that_fails_pays_nothing_and_ends_nothing(library):
    reward = graded(library, items_with(library, "SELECT weight FROM books", "SELECT 1"))
    with pytest.warns(UserWarning, match="earns nothing.*no such column"):
        assert reward(None, ["SELECT title FROM books", "SELECT 1", "SELECT 1"], item=[0, 0, 1]) == [0, 0, 1]


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


def test_prompts_run_no_gold_and_no_items_are_a_sentence(library):
    bad = items_with(library, "SELECT weight FROM books", "no SQL at all", "")
    rows = prompts_for_grpo(library, [*library.train, *bad])
    assert [r["item"] for r in rows] == list(range(6))
    assert rows[0]["prompt"] == library.messages(library.train[0])
    with pytest.raises(TrainingError, match="no items"):
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


def test_shared_prompts_give_the_log_probabilities_of_each_row_alone(tiny_llama, tokenizer):
    """Rows with an equal prompt share a pass; prompts are padded on the left, completions on the right."""
    pad = tokenizer.pad_token_id
    rows = [([5, 6, 7], [8, 9]), ([5, 6, 7], [10]), ([11, 12], [8, 9, 13]), ([5, 6, 7], [8, 9])]  # prompt, completion
    wide, long = 3, 3
    ids = torch.tensor([[pad] * (wide - len(p)) + p + c + [pad] * (long - len(c)) for p, c in rows])
    mask = torch.tensor([[0] * (wide - len(p)) + [1] * len(p + c) + [0] * (long - len(c)) for p, c in rows])
    logps, entropy = shared_prompt_logps(tiny_llama, ids, mask, long, pad, "float32")
    assert logps.shape == entropy.shape == (4, 3)
    for number, (prompt, completion) in enumerate(rows):
        with torch.no_grad():
            logits = tiny_llama(torch.tensor([prompt + completion])).logits[0, len(prompt) - 1 : -1]
        alone = torch.log_softmax(logits, -1)
        wanted = alone.gather(1, torch.tensor(completion)[:, None])[:, 0]
        count = len(completion)
        torch.testing.assert_close(logps[number, :count], wanted)
        torch.testing.assert_close(entropy[number, :count], -(alone.exp() * alone).sum(-1))
        assert logps[number, count:].eq(0).all() and entropy[number, count:].eq(0).all(), "padding counts for nothing"


def test_a_missing_database_is_named_without_its_folder(library, tmp_path):
    gone = dataclasses.replace(library.train[0], db_id="gone")
    with pytest.raises(DataError, match=r"The database gone\.sqlite is not there") as error:
        graded(library, [gone])(None, ["SELECT 1"], item=[0])
    assert str(tmp_path) not in str(error.value)
