"""The losses of learning from preferences, written out: on log-probabilities of whole answers, in nats."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from forge_lib.training.loss import answer_logits
from forge_lib.training.packing import Pack


def answer_logps(model, packs: Sequence[Pack], pad_id: int, dtype: str) -> Tensor:
    """log π(answer | prompt) of each example of `packs`, (E,), the sum over its answer tokens and no others.

    The token that ends the answer is one of them.
    """
    logits, targets = answer_logits(model, packs, pad_id, dtype)  # (N, V), (N,)
    per_token = -F.cross_entropy(logits, targets, reduction="none")
    lengths = [len(e.answer) for pack in packs for e in pack]
    return torch.stack([part.sum() for part in per_token.split(lengths)])


def dpo_loss(chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, beta: float = 0.1) -> Tensor:
    """-log σ(β·[(log π(w) - log π_ref(w)) - (log π(l) - log π_ref(l))]) of each pair: (P,) from four (P,).

    The rewards β·log(π / π_ref) that the policy implies, in the Bradley-Terry model of who wins; β: what leaving the
    reference costs. Rafailov et al. 2023, https://arxiv.org/abs/2305.18290, equation 7.

    >>> at_start = torch.tensor([-5.0])
    >>> round(dpo_loss(at_start, at_start - 3, at_start, at_start - 3).item(), 4)  # log 2, whichever is likelier
    0.6931
    """
    return -F.logsigmoid(beta * ((chosen - ref_chosen) - (rejected - ref_rejected)))


def ipo_loss(
    chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, lengths: Tensor, beta: float = 0.1
) -> Tensor:
    """(h - 1/(2β))² of each pair, h the difference of log ratios per token: a margin to reach, not to widen for ever.

    lengths: (2, P) answer tokens of chosen and rejected. Azar et al. 2023, https://arxiv.org/abs/2310.12036, equation 17,
    with the mean over tokens that its authors used and TRL takes.

    >>> zero = torch.zeros(1)
    >>> ipo_loss(zero, zero, zero, zero, torch.ones(2, 1), beta=0.5).item()  # a margin of 1 is missing
    1.0
    """
    margin = (chosen - ref_chosen) / lengths[0] - (rejected - ref_rejected) / lengths[1]
    return (margin - 1 / (2 * beta)) ** 2


def kto_loss(
    chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, kl: Tensor, beta: float = 0.1
) -> Tensor:
    """1 - σ(β·(r_w - z)) and 1 - σ(β·(z - r_l)), the mean of both for each pair; r a log ratio, z = max(0, `kl`).

    Each answer counts on its own, good or bad, so KTO needs no pairs. kl: scalar, the mean log ratio of mismatched questions
    and answers, without gradient. Ethayarajh et al. 2024, https://arxiv.org/abs/2402.01306, section 4.1.

    >>> zero = torch.zeros(1)
    >>> kto_loss(zero, zero, zero, zero, torch.tensor(-1.0)).item()
    0.5
    """
    z = kl.detach().clamp(min=0)
    good, bad = torch.sigmoid(beta * (chosen - ref_chosen - z)), torch.sigmoid(beta * (z - (rejected - ref_rejected)))
    return 1 - (good + bad) / 2


def orpo_loss(chosen: Tensor, rejected: Tensor, lengths: Tensor, beta: float = 0.1) -> Tensor:
    """-m_w - β·log σ(log odds(w) - log odds(l)) of each pair, with odds = p/(1-p), p = exp m, m the mean log π per token.

    SFT on the winner and a push away from the loser in one, without a reference. Hong et al. 2024,
    https://arxiv.org/abs/2403.07691, equations 6 and 7. lengths: as in `ipo_loss`.
    """
    won, lost = chosen / lengths[0], rejected / lengths[1]
    log_odds = (won - lost) - (_log_rest(won) - _log_rest(lost))
    return -won - beta * F.logsigmoid(log_odds)


def _log_rest(logp: Tensor) -> Tensor:
    """log(1 - exp(logp)) for logp ≤ 0; a hair below 0, so that certainty has finite odds."""
    return torch.log(-torch.expm1(logp.clamp(max=-1e-6)))
