import math

import pytest
import torch

from forge_lib.models.chat import Example
from forge_lib.training.preference_loss import answer_logps, dpo_loss, ipo_loss, kto_loss, orpo_loss

# Two pairs: the policy has moved by +2 and -1 on the first, by -1 and +1 on the second.
CHOSEN, REJECTED = torch.tensor([-4.0, -6.0]), torch.tensor([-6.0, -2.0])
REF_CHOSEN, REF_REJECTED = torch.tensor([-6.0, -5.0]), torch.tensor([-5.0, -3.0])
LENGTHS = torch.tensor([[2, 4], [4, 2]])


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_values_by_hand():
    given = CHOSEN, REJECTED, REF_CHOSEN, REF_REJECTED
    assert dpo_loss(*given, 0.5).tolist() == pytest.approx([-math.log(sigmoid(1.5)), -math.log(sigmoid(-1.0))])
    assert ipo_loss(*given, LENGTHS, 0.5).tolist() == pytest.approx([(1 + 0.25 - 1) ** 2, (-0.25 - 0.5 - 1) ** 2])
    by_hand = [
        1 - (sigmoid(0.5 * (2 - 1)) + sigmoid(0.5 * (1 + 1))) / 2,
        1 - (sigmoid(0.5 * (-1 - 1)) + sigmoid(0)) / 2,
    ]
    assert kto_loss(*given, torch.tensor(1.0), 0.5).tolist() == pytest.approx(by_hand)
    odds = [math.exp(m) / (1 - math.exp(m)) for m in (-2, -1.5, -1.5, -1)]  # winners, then losers
    by_hand = [2 - 0.5 * math.log(sigmoid(math.log(odds[0] / odds[1]))),
               1.5 - 0.5 * math.log(sigmoid(math.log(odds[2] / odds[3])))]  # fmt: skip
    assert orpo_loss(CHOSEN, REJECTED, LENGTHS, 0.5).tolist() == pytest.approx(by_hand)


def test_a_negative_kl_counts_as_none():
    zero = torch.zeros(2)
    given = CHOSEN, REJECTED, REF_CHOSEN, REF_REJECTED
    assert torch.equal(kto_loss(*given, torch.tensor(-3.0)), kto_loss(*given, torch.tensor(0.0)))
    assert torch.equal(kto_loss(zero, zero, zero, zero, torch.tensor(0.0)), torch.full((2,), 0.5))


LOSSES = {
    "dpo": lambda w, r: dpo_loss(w, r, REF_CHOSEN, REF_REJECTED),
    "ipo": lambda w, r: ipo_loss(w, r, REF_CHOSEN, REF_REJECTED, LENGTHS),
    "kto": lambda w, r: kto_loss(w, r, REF_CHOSEN, REF_REJECTED, torch.tensor(0.3)),
    "orpo": lambda w, r: orpo_loss(w, r, LENGTHS),
}


@pytest.mark.parametrize("method", LOSSES)
def test_a_step_down_goes_towards_the_winner_and_away_from_the_loser(method):
    won, lost = CHOSEN.clone().requires_grad_(), REJECTED.clone().requires_grad_()
    LOSSES[method](won, lost).sum().backward()
    assert (won.grad < 0).all() and (lost.grad > 0).all()


def test_dpo_weighs_the_pair_that_is_ranked_wrong_more():
    """The weight of the gradient is β·σ(-β·margin): section 4 of the paper."""
    won = CHOSEN.clone().requires_grad_()
    dpo_loss(won, REJECTED, REF_CHOSEN, REF_REJECTED, 0.5).sum().backward()
    assert won.grad.tolist() == pytest.approx([-0.5 * sigmoid(-1.5), -0.5 * sigmoid(1.0)])


def test_certainty_has_finite_odds():
    won = torch.zeros(1, requires_grad=True)
    loss = orpo_loss(won, torch.tensor([-1e-9]), torch.ones(2, 1))
    loss.sum().backward()
    assert loss.isfinite().all() and won.grad.isfinite().all()


def test_only_answer_tokens_count(tiny_llama, tokenizer):
    """The same as each example alone through transformers, summed over its answer; prompts are of different length."""
    packs = [[Example((5, 6), (7,), (8, 9, 2)), Example((5, 6), (10, 11), (12, 2))], [Example((13,), (14,), (15,))]]
    logps = answer_logps(tiny_llama, packs, tokenizer.pad_token_id, "float32")
    for value, example in zip(logps, [e for pack in packs for e in pack], strict=True):
        with torch.no_grad():
            logits = tiny_llama(torch.tensor([example.input_ids])).logits[0, :-1]
        count = len(example.answer)
        wanted = torch.log_softmax(logits, -1)[-count:].gather(1, torch.tensor(example.answer)[:, None]).sum()
        torch.testing.assert_close(value, wanted)
