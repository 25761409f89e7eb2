"""The clipped objective of GRPO and of its relatives, on log-probabilities: each is another setting of the same lines."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from forge_lib.training import TrainingError

_SCALES = ("group", "batch", "none")
_MEANS = ("grpo", "dr_grpo", "dapo")


@dataclass(frozen=True)
class Objective:
    """What GRPO minimizes; the names and the values of its fields are TRL's.

    Raises TrainingError for a value that is none.
    """

    scale_rewards: str = "group"  # advantages are divided by the deviation of the group, of the batch, or by nothing
    epsilon_low: float = 0.2  # ε: how far the ratio of new to old probability may fall before its gradient is cut off
    epsilon_high: float = 0.2  # and how far rise (Schulman et al. 2017, https://arxiv.org/abs/1707.06347)
    beta: float = 0.02  # β: what leaving the SFT model costs; Shao et al. 2024 take 0.04, many later runs 0
    loss_type: str = (
        "grpo"  # mean over answers of their tokens' mean; "dr_grpo": a fixed length; "dapo": all tokens alike
    )

    def __post_init__(self):
        for name, known in (("scale_rewards", _SCALES), ("loss_type", _MEANS)):
            if getattr(self, name) not in known:
                raise TrainingError(f"{name} is one of {', '.join(known)}; {getattr(self, name)!r} is not.")
        for name in ("epsilon_low", "epsilon_high", "beta"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise TrainingError(f"{name} is 0 or more; {getattr(self, name)} is not.")


GRPO = Objective()  # Shao et al. 2024, https://arxiv.org/abs/2402.03300
# Liu et al. 2025, https://arxiv.org/abs/2503.20783: a deviation favours easy and hard questions, a mean by answer long wrong ones.
DR_GRPO = replace(GRPO, scale_rewards="none", loss_type="dr_grpo", beta=0.0)
# Yu et al. 2025, https://arxiv.org/abs/2503.14476: room upwards for rare tokens, each token the same weight, no anchor.
DAPO = replace(GRPO, epsilon_high=0.28, loss_type="dapo", beta=0.0)


def k3(logps: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """An estimate of KL(policy ‖ reference) for each sampled token, in nats: r - log r - 1 with r = p_reference / p.

    Unbiased, never negative, and of less variance than -log r (Schulman 2020, http://joschu.net/blog/kl-approx.html).

    >>> [round(kl, 3) for kl in k3(torch.tensor([-1.0, -1.0]), torch.tensor([-1.0, -2.0])).tolist()]
    [0.0, 0.368]
    """
    log_ratio = reference - logps
    return log_ratio.exp() - log_ratio - 1


def clipped(logps: torch.Tensor, old: torch.Tensor, advantages: torch.Tensor, objective: Objective) -> torch.Tensor:
    """(B, C) bool: the tokens whose ratio has gone so far the wanted way that they get no gradient.

    >>> clipped(torch.tensor([[0.0, -1.0]]), torch.tensor([[-1.0, 0.0]]), torch.tensor([1.0]), GRPO).tolist()
    [[True, False]]
    """
    ratio, advantages = (logps - old).exp(), advantages[:, None]
    low, high = ratio < 1 - objective.epsilon_low, ratio > 1 + objective.epsilon_high
    return (low & (advantages < 0)) | (high & (advantages > 0))


def token_losses(logps, old, reference, advantages, objective: Objective) -> torch.Tensor:
    """-min(ρA, clip(ρ, 1-ε_low, 1+ε_high)A) + β·KL for each token, with ρ = exp(logps - old) and the k3 estimate of KL.

    logps, old, reference: (B, C) log-probabilities by the policy, by the policy that sampled and by the anchor;
    advantages: (B,), one an answer. Gradients flow through `logps` alone. reference may be None where β is 0.
    """
    ratio, advantages = (logps - old).exp(), advantages[:, None]
    bounded = ratio.clamp(1 - objective.epsilon_low, 1 + objective.epsilon_high)
    # The smaller of the two: a ratio beyond the bound earns nothing more where that was wanted, and pays in full where not.
    loss = -torch.min(ratio * advantages, bounded * advantages)
    return loss + objective.beta * k3(logps, reference) if objective.beta else loss


def token_weights(mask: torch.Tensor, objective: Objective, longest: int) -> torch.Tensor:
    """What each token's loss counts for, (B, C) from mask (B, C), 1 at tokens of answers: the loss is the weighted sum.

    "grpo": 1/(B · its answer's length), so that each answer counts the same; "dr_grpo": 1/(B · longest), with the most tokens
    an answer may have; "dapo": 1/(tokens of all answers), so that each token does.

    >>> token_weights(torch.tensor([[1, 1, 0], [1, 0, 0]]), GRPO, 3).tolist()
    [[0.25, 0.25, 0.0], [0.5, 0.0, 0.0]]
    """
    mask = mask.float()
    if objective.loss_type == "grpo":
        lengths = mask.sum(1, keepdim=True).clamp(min=1)  # an answer without tokens counts as zero, not as nan
        return mask / lengths / len(mask)
    return mask / (len(mask) * longest if objective.loss_type == "dr_grpo" else mask.sum().clamp(min=1))


def policy_loss(logps, old, reference, advantages, mask, objective: Objective, longest: int) -> torch.Tensor:
    """The loss of a batch of B answers of up to C tokens: arguments as in `token_losses` and `token_weights`.

    >>> same = torch.tensor([[-1.0, -2.0], [-3.0, 0.0]])
    >>> policy_loss(same, same, same, torch.tensor([1.0, -1.0]), torch.tensor([[1, 1], [1, 0]]), GRPO, 2).item()
    0.0
    """
    losses = token_losses(logps, old, reference, advantages, objective)
    return (losses * token_weights(mask, objective, longest)).sum()
