import dataclasses
import math

import pytest
import torch

from forge_lib.lab.profiles import PROFILES
from forge_lib.models.chat import Example, encode
from forge_lib.training import TrainingError
from forge_lib.training.reward_model import (
    RewardHead,
    answer_rewards,
    bradley_terry_loss,
    fit_reward_head,
    last_states,
    pair_states,
    ranking_accuracy,
    train_reward_model,
)  # fmt: skip
from forge_lib.training.sft import SFTSettings, add_lora

PACKS = [
    [Example((5, 6), (7,), (8, 9, 2)), Example((5, 6), (7,), (10, 2))],
    [Example((17,), (18, 19), (20, 2)), Example((17,), (18, 19), (21, 22, 2))],
]


def test_bradley_terry_by_hand_and_its_gradient():
    chosen, rejected = torch.tensor([1.0, 0.0], requires_grad=True), torch.tensor([0.0, 2.0], requires_grad=True)
    loss = bradley_terry_loss(chosen, rejected)
    assert loss.tolist() == pytest.approx([math.log(1 + math.exp(-1)), math.log(1 + math.exp(2))])
    loss.sum().backward()
    assert (chosen.grad < 0).all() and torch.equal(chosen.grad, -rejected.grad)
    assert chosen.grad[1] < chosen.grad[0], "the pair that is ranked wrong pulls harder"


def test_the_state_has_read_the_whole_answer(tiny_llama, tokenizer):
    states = last_states(tiny_llama, PACKS, tokenizer.pad_token_id, "float32")
    for state, example in zip(states, [e for pack in PACKS for e in pack], strict=True):
        with torch.no_grad():
            alone = tiny_llama.model(torch.tensor([example.input_ids])).last_hidden_state[0]
        torch.testing.assert_close(state, alone[-2])  # the last token ends the answer


def test_a_head_ranks_what_a_direction_tells_apart_also_unseen():
    drawn = torch.Generator().manual_seed(0)
    direction = torch.randn(16, generator=drawn)

    def pairs(count):
        noise = torch.randn(2, count, 16, generator=drawn) * 3 + 7
        return noise[0] + direction, noise[1] - direction

    head = fit_reward_head(*pairs(200))
    assert ranking_accuracy(head, *pairs(200)) > 0.85
    assert ranking_accuracy(head, *reversed(pairs(200))) < 0.15
    assert not head.weight.requires_grad


def test_the_head_is_the_minimum_of_the_written_loss():
    """That of scikit-learn's logistic regression on the difference of states, without an intercept."""
    from sklearn.linear_model import LogisticRegression

    drawn = torch.Generator().manual_seed(1)
    chosen, rejected = torch.randn(40, 5, generator=drawn) + 0.3, torch.randn(40, 5, generator=drawn)
    head = fit_reward_head(chosen, rejected, decay=0.1)
    difference = ((chosen - rejected) / head.scale).numpy()
    both, label = [*difference, *-difference], [1] * 40 + [0] * 40
    wanted = LogisticRegression(C=1 / (0.1 * 80), fit_intercept=False, tol=1e-8).fit(both, label)
    torch.testing.assert_close(head.weight, torch.tensor(wanted.coef_[0], dtype=torch.float32), rtol=1e-2, atol=1e-3)


def test_no_pairs_and_no_numbers_are_a_sentence():
    with pytest.raises(TrainingError, match="no pairs of states"):
        fit_reward_head(torch.zeros(0, 4), torch.zeros(0, 4))
    with pytest.raises(TrainingError, match="not numbers"):
        fit_reward_head(torch.full((2, 4), float("nan")), torch.zeros(2, 4))
    with pytest.raises(TrainingError, match="no pair to rank"):
        ranking_accuracy(RewardHead(torch.zeros(4), torch.ones(4)), torch.zeros(0, 4), torch.zeros(0, 4))


def test_with_its_adapter_it_learns_to_rank_and_leaves_no_head_on_the_model(tiny_llama, tokenizer):
    torch.manual_seed(1)
    model = add_lora(tiny_llama, dataclasses.replace(PROFILES["cpu"], dtype="float32", lora_rank=4))
    settings = SFTSettings(learning_rate=1e-2, dtype="float32", patience=None)
    head, records = train_reward_model(model, [PACKS] * 6, tokenizer.pad_token_id, settings, progress=False)
    assert records[-1]["loss"] < records[0]["loss"]
    assert ranking_accuracy(head, *pair_states(model, PACKS, tokenizer.pad_token_id, "float32")) == 1
    assert not any("reward_head" in name for name, _ in model.named_modules())
    assert any(p.abs().max() > 0 for n, p in model.named_parameters() if "lora_B" in n), "the adapter was trained too"


def test_answers_are_scored_in_their_order_and_equal_ones_alike(tiny_llama, tokenizer, library):
    items, said = library.train[:2], [["SELECT 1", "SELECT 2", "SELECT 1"], []]
    torch.manual_seed(0)
    head = RewardHead(torch.zeros(32), torch.ones(32))
    torch.nn.init.normal_(head.weight)
    rewards = answer_rewards(tiny_llama, head, tokenizer, library, items, said, "float32")
    assert rewards[0][0] == rewards[0][2] != rewards[0][1] and rewards[1] == []
    alone = encode(tokenizer, library.messages(items[0]), "SELECT 2")
    (wanted,) = head(last_states(tiny_llama, [[alone]], tokenizer.pad_token_id, "float32")).tolist()
    assert rewards[0][1] == pytest.approx(wanted, rel=1e-4)
