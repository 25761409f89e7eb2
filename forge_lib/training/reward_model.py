"""A small reward model: one number an answer, from the SFT model's last state, learnt from preference pairs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from forge_lib.data.items import Item
from forge_lib.models.chat import encode
from forge_lib.tasks import TaskData
from forge_lib.training import TrainingError
from forge_lib.training.loss import PackLoss, answer_states
from forge_lib.training.packing import Pack
from forge_lib.training.sft import SFTSettings, check_steps, train


def bradley_terry_loss(chosen: Tensor, rejected: Tensor) -> Tensor:
    """-log σ(r_w - r_l) of each pair, (P,) from rewards (P,): minus the log-probability that the winner wins.

    Bradley and Terry 1952; for reward models Ouyang et al. 2022, https://arxiv.org/abs/2203.02155, equation 1. Rewards are
    known up to a constant.

    >>> round(bradley_terry_loss(torch.tensor([2.0]), torch.tensor([0.0])).item(), 4)
    0.1269
    """
    return -F.logsigmoid(chosen - rejected)


def last_states(model, packs: Sequence[Pack], pad_id: int, dtype: str) -> Tensor:
    """The state (D,) of each example that has read its whole answer and is about to end it: (E, D), in fp32."""
    states, _ = answer_states(model, packs, pad_id, dtype)
    ends = torch.tensor([len(e.answer) for pack in packs for e in pack], device=states.device).cumsum(0) - 1
    return states[ends].float()


class RewardHead(nn.Module):
    """r = w·(h - m)/s: states (E, D) to rewards (E,). m and s, mean and deviation of the states, are no parameters."""

    def __init__(self, mean: Tensor, scale: Tensor):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.weight = nn.Parameter(torch.zeros(len(mean), device=mean.device))

    def forward(self, states: Tensor) -> Tensor:
        """Rewards of last states."""
        return ((states - self.mean) / self.scale) @ self.weight


@torch.no_grad()
def pair_states(model, packs: Sequence[Pack], pad_id: int, dtype: str, at_once: int = 4) -> tuple[Tensor, Tensor]:
    """Last states of chosen and of rejected answers, (P, D) each, of packs from `preference_packs`; the model is not changed."""
    model.eval()
    states = torch.cat(
        [last_states(model, packs[n : n + at_once], pad_id, dtype) for n in range(0, len(packs), at_once)]
    )
    return states[::2], states[1::2]


def fit_reward_head(chosen: Tensor, rejected: Tensor, decay: float = 1e-2, steps: int = 100) -> RewardHead:
    """A head on frozen states: the minimum of the Bradley-Terry loss and `decay`·|w|²/2, by L-BFGS, in seconds.

    chosen, rejected: (P, D) of `pair_states`. With fewer pairs than dimensions the loss alone has no minimum, hence the
    decay. Raises TrainingError for no pairs, and for states that are not numbers.
    """
    if not len(chosen) or not torch.cat([chosen, rejected]).isfinite().all():
        raise TrainingError(
            "There are no pairs of states to learn rewards from, or some are not numbers. Mine pairs first."
        )
    both = torch.cat([chosen, rejected])
    head = RewardHead(both.mean(0), both.std(0).clamp(min=1e-6))
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=steps, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = bradley_terry_loss(head(chosen), head(rejected)).mean() + decay * head.weight.square().sum() / 2
        loss.backward()
        return loss

    optimizer.step(closure)
    return head.requires_grad_(False)


class _RewardLoss(PackLoss):
    """The sum of Bradley-Terry losses of the pairs of packs; its head is a part of `model`, so that it is trained and saved."""

    def forward(self, packs: Sequence[Pack]) -> Tensor:
        chosen, rejected = self.model.reward_head(last_states(self.model, packs, self.pad_id, self.dtype)).view(-1, 2).T
        return bradley_terry_loss(chosen, rejected).sum()

    def units(self, packs: Sequence[Pack]) -> int:
        return sum(map(len, packs)) // 2


def train_reward_model(
    model, steps: Sequence[Sequence[Pack]], pad_id: int, settings: SFTSettings, **options
) -> tuple[RewardHead, list[dict]]:
    """Train the adapter of `model` together with a head: a reward model of its own, which no longer answers questions.

    The head begins as `fit_reward_head` finds it. options: those of `forge_lib.training.sft.train` (state, progress, …), whose
    records it returns with the head.
    """
    check_steps(steps)
    head = fit_reward_head(*pair_states(model, [p for packs in steps for p in packs], pad_id, settings.dtype))
    model.reward_head = head.requires_grad_(True)
    try:
        records = train(_RewardLoss(model, pad_id, settings.dtype), steps, pad_id, settings, **options)
    finally:
        del model.reward_head
    return head.requires_grad_(False), records


@torch.no_grad()
def answer_rewards(
    model, head: RewardHead, tokenizer, data: TaskData, items: Sequence[Item], answers: Sequence[Sequence[str]], dtype: str
) -> list[list[float]]:  # fmt: skip
    """The reward of each of several answers to each item, the items' golds not looked at; equal answers are read once."""
    rewards = []
    model.eval()
    for item, said in zip(items, answers, strict=True):
        distinct = [*dict.fromkeys(said)]
        pack = [encode(tokenizer, data.messages(item), text) for text in distinct]
        values = head(last_states(model, [pack], tokenizer.pad_token_id, dtype)).tolist() if pack else []
        known = dict(zip(distinct, values, strict=True))
        rewards.append([known[text] for text in said])
    return rewards


def ranking_accuracy(head: RewardHead, chosen: Tensor, rejected: Tensor) -> float:
    """Share (0 to 1) of pairs whose winner has the higher reward; a tie counts half. Raises TrainingError for no pairs."""
    if not len(chosen):
        raise TrainingError("There is no pair to rank.")
    margin = head(chosen) - head(rejected)
    return ((margin > 0).float() + 0.5 * (margin == 0).float()).mean().item()
