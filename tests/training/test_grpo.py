import copy
import dataclasses

import pytest
import torch

from forge_lib.lab.profiles import PROFILES
from forge_lib.models.chat import Example
from forge_lib.training import TrainingError
from forge_lib.training.diagnosis import diagnose
from forge_lib.training.grpo import GRPOSettings, group_advantages, run_grpo, shared_prompt_logps
from forge_lib.training.policy_loss import DAPO, GRPO
from forge_lib.training.sft import add_lora

SMALL = dataclasses.replace(
    PROFILES["smoke"], device="cpu", dtype="float32", lora_rank=4, grpo_steps=4, grpo_prompts=2, grpo_generations=3,
    max_new_tokens=4, packs_per_forward=1, grpo_learning_rate=1e-2,
)  # fmt: skip
TIMES = ("rollout_time", "reward_time", "step_time")


def with_lora(model):
    torch.manual_seed(1)
    return add_lora(model, SMALL)


def by_length(item, text: str) -> float:
    """A reward that a random model's groups spread over."""
    return min(1.0, len(text) / 40)


def weights(model) -> dict:
    return {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}


def run(model, tokenizer, library, **options):
    options = {"reward": by_length, "progress": False} | options
    return run_grpo(model, tokenizer, library, library.train, options.pop("profile", SMALL), 1, **options)


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


def test_nothing_to_learn_from_is_a_sentence(tiny_llama, tokenizer, library):
    with pytest.raises(TrainingError, match="no items"):
        run_grpo(with_lora(tiny_llama), tokenizer, library, [], SMALL, 1, progress=False)


def test_a_frozen_model_is_a_sentence(tiny_llama, tokenizer, library):
    with pytest.raises(TrainingError, match="trainable=True"):
        run(with_lora(tiny_llama).requires_grad_(False), tokenizer, library)


def test_shared_prompts_give_the_log_probabilities_of_each_row_alone(tiny_llama, tokenizer):
    """Groups of other sizes and lengths, an answer that occurs twice."""
    rows = [((5, 6, 7), (8, 9)), ((5, 6, 7), (10,)), ((5, 6, 7), (8, 9)), ((11, 12), (8, 9, 13))]  # prompt, answer
    packs = [[Example(p[:-1], p[-1:], a) for p, a in rows[:3]], [Example(p[:-1], p[-1:], a) for p, a in rows[3:]]]
    logps, entropy, mask = shared_prompt_logps(tiny_llama, packs, tokenizer.pad_token_id, "float32")
    assert logps.shape == entropy.shape == mask.shape == (4, 3)
    for number, (prompt, answer) in enumerate(rows):
        with torch.no_grad():
            logits = tiny_llama(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
        alone, count = torch.log_softmax(logits, -1), len(answer)
        torch.testing.assert_close(logps[number, :count], alone.gather(1, torch.tensor(answer)[:, None])[:, 0])
        torch.testing.assert_close(entropy[number, :count], -(alone.exp() * alone).sum(-1))
        assert mask[number].tolist() == [n < count for n in range(3)]
        assert logps[number, count:].eq(0).all() and entropy[number, count:].eq(0).all(), "padding counts for nothing"


def test_what_is_paid_is_learnt(tiny_llama, tokenizer, library):
    """A word that a reward pays is said more often, and the log's KL, entropy and probe are those of the run."""
    tiny_llama.lm_head.weight.data *= 30  # some words are likelier than others
    model = with_lora(tiny_llama)
    profile = dataclasses.replace(SMALL, grpo_steps=6, grpo_generations=16, max_new_tokens=1, grpo_learning_rate=3e-3)

    def reward(item, text):
        return float(text[:1] != " ")

    log = run(model, tokenizer, library, profile=profile, reward=reward, probe=library.validation[:1])
    assert log[0]["reward"] < 0.5 < 0.8 < log[-1]["reward"]
    assert log[0]["kl"] < 1e-6 < log[-1]["kl"]
    assert log[-1]["entropy"] < log[0]["entropy"] and all(r["probe_reward"] == 0 for r in log)
    assert not model.training


def test_parts_of_a_step_make_the_gradient_of_the_whole(tiny_llama, tokenizer, library):
    for objective in (GRPO, DAPO):
        found = []
        for together in (1, 2):
            model = with_lora(copy.deepcopy(tiny_llama))
            profile = dataclasses.replace(SMALL, grpo_steps=1, packs_per_forward=together)
            run(model, tokenizer, library, profile=profile, settings=GRPOSettings(objective))
            found.append(weights(model))
        for name, one in found[0].items():
            torch.testing.assert_close(one, found[1][name], atol=1e-4, rtol=1e-2)


def test_only_a_second_update_of_a_batch_meets_the_clip(tiny_llama, tokenizer, library):
    logs = [run(with_lora(copy.deepcopy(tiny_llama)), tokenizer, library,
                profile=dataclasses.replace(SMALL, grpo_steps=1, grpo_learning_rate=0.1), settings=GRPOSettings(updates=n)) for n in (1, 2)]  # fmt: skip
    assert logs[0][0]["clip_ratio/region_mean"] == 0 < logs[1][0]["clip_ratio/region_mean"]


class Killed(Exception):
    pass


def killed_at(last: int):
    def track(record):
        if record["step"] == last:
            raise Killed

    return track


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_weights(tiny_llama, tokenizer, library, tmp_path):
    """Killed before, just after and between two writings of its state."""
    state = tmp_path / "grpo" / "state.pt"
    options = {"settings": GRPOSettings(save_every=2), "probe": library.validation[:1]}
    whole = with_lora(copy.deepcopy(tiny_llama))
    log = run(whole, tokenizer, library, **options)
    for last in (1, 3, 4):
        second = with_lora(copy.deepcopy(tiny_llama))
        with pytest.raises(Killed):
            run(second, tokenizer, library, state=state, track=killed_at(last), **options)
        assert state.exists() == (last > 2)
        # A half-trained model in memory, as in a notebook, or a new one: the anchor is the file's.
        second = second if last == 3 else with_lora(copy.deepcopy(tiny_llama))
        again = run(second, tokenizer, library, state=state, **options)
        strip = [[{k: v for k, v in r.items() if k not in TIMES} for r in records] for records in (log, again)]
        assert strip[0] == strip[1]
        assert all(torch.equal(a, weights(whole)[n]) for n, a in weights(second).items())
        assert not state.exists() and log[-1]["kl"] > 0


def test_a_state_of_another_run_is_refused(tiny_llama, tokenizer, library, tmp_path):
    state, model = tmp_path / "state.pt", with_lora(tiny_llama)
    with pytest.raises(Killed):
        run(model, tokenizer, library, state=state, track=killed_at(3))
    for other in ({"settings": GRPOSettings(DAPO)}, {"profile": dataclasses.replace(SMALL, grpo_generations=2)}):
        with pytest.raises(TrainingError, match="another"):
            run(model, tokenizer, library, state=state, **other)
    assert state.exists()


def test_a_run_that_cannot_learn_ends_with_the_reason(tiny_llama, tokenizer, library, tmp_path):
    """A random model is never right: all rewards are 0, all groups silent."""
    model, state = with_lora(tiny_llama), tmp_path / "state.pt"
    before = weights(model)
    profile = dataclasses.replace(SMALL, grpo_steps=9)
    with pytest.warns(UserWarning, match="ended at step 3"):
        log = run(
            model, tokenizer, library, profile=profile, reward=None, state=state, settings=GRPOSettings(patience=3)
        )
    assert len(log) == 3 and not state.exists()
    assert all(r["frac_reward_zero_std"] == 1 and r["loss"] == 0 for r in log)
    assert [r["drawn"] for r in log] == [4, 8, 12], "twice as many as a step wants, and no more"
    assert all(torch.equal(p, before[n]) for n, p in weights(model).items())
    said = diagnose(log)
    assert said[0].startswith("100% of the groups were silent") and log[-1]["stopped"] == said[-1]
    assert "cut at the limit" in said[1], "four tokens are too few for any answer"


class Broken(Exception):
    pass


def test_an_error_in_a_reward_leaves_the_adapter_as_it_was(tiny_llama, tokenizer, library):
    model = with_lora(tiny_llama)
    before = weights(model)

    def reward(item, text):
        raise Broken

    with pytest.raises(Broken):
        run(model, tokenizer, library, reward=reward)
    assert list(model.peft_config) == ["default"] and not model.training
    assert all(torch.equal(p, before[n]) and p.requires_grad for n, p in model.named_parameters() if n in before)
    with pytest.raises(TrainingError, match="not a number"):
        run(model, tokenizer, library, reward=lambda item, text: float("nan"))


def test_advantages_may_be_scaled_by_the_batch_or_not_at_all():
    rewards = torch.tensor([[1.0, 0.0], [0.2, 0.0], [0.3, 0.3]])
    assert group_advantages(rewards, scale="none").flatten().tolist() == pytest.approx([0.5, -0.5, 0.1, -0.1, 0, 0])
    batch = group_advantages(rewards, scale="batch").flatten()
    assert batch.tolist() == pytest.approx(
        [x / (rewards.std().item() + 1e-4) for x in (0.5, -0.5, 0.1, -0.1, 0, 0)], abs=1e-5
    )
