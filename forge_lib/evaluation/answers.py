"""What a model thinks of an answer that it is given: the distribution before each of its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from forge_lib.models.chat import Message, encode
from forge_lib.training.loss import answer_logits


@dataclass(frozen=True)
class Reading:
    """An answer of A tokens, its end-of-turn token the last, as a model reads it (teacher forcing).

    tokens: their texts (A); ids: (A,) int64
    log_probs: (A, V) float32, nats; row i was computed before token i was seen
    """

    tokens: list[str]
    ids: torch.Tensor
    log_probs: torch.Tensor

    @property
    def chosen(self) -> torch.Tensor:
        """Log-probability (A,), in nats, of the tokens that stand there."""
        return self.log_probs.gather(1, self.ids[:, None])[:, 0]


@torch.inference_mode()
def read_answer(model, tokenizer, messages: Sequence[Message], answer: str) -> Reading:
    """The model's distribution before each token of `answer` to `messages`, the answer being given.

    Given, so that two models are compared over the same tokens.
    """
    example = encode(tokenizer, messages, answer)
    logits, ids = answer_logits(model, [[example]], tokenizer.pad_token_id, str(model.dtype).removeprefix("torch."))
    tokens = [tokenizer.decode([i]) for i in ids.tolist()]
    return Reading(tokens, ids.cpu(), torch.log_softmax(logits, -1).cpu())


def entropy(log_probs: torch.Tensor) -> torch.Tensor:
    """H(p) = -Σ p log p in nats, over the last axis: 0 where the model is sure, log V where it knows nothing.

    >>> round(float(entropy(torch.log(torch.tensor([0.5, 0.5, 0.0])))), 4)
    0.6931
    """
    return -_expected(log_probs, log_probs)


def kl_divergence(log_p: torch.Tensor, log_q: torch.Tensor) -> torch.Tensor:
    """KL(p‖q) = Σ p (log p - log q) in nats, over the last axis; 0 where both are equal, and no distance: KL(q‖p) is another.

    Kullback & Leibler 1951. Infinite where q has no probability for what p has some for.

    >>> round(float(kl_divergence(torch.log(torch.tensor([1.0, 0.0])), torch.log(torch.tensor([0.25, 0.75])))), 4)
    1.3863
    """
    return _expected(log_p, log_p) - _expected(log_p, log_q)


def js_divergence(log_p: torch.Tensor, log_q: torch.Tensor) -> torch.Tensor:
    """Jensen-Shannon divergence, (KL(p‖m) + KL(q‖m)) / 2 with m = (p + q) / 2: symmetric, 0 to log 2 nats (Lin 1991).

    >>> round(float(js_divergence(torch.log(torch.tensor([1.0, 0.0])), torch.log(torch.tensor([0.0, 1.0])))), 4)
    0.6931
    """
    log_m = torch.logaddexp(log_p, log_q) - torch.log(torch.tensor(2.0))
    return (kl_divergence(log_p, log_m) + kl_divergence(log_q, log_m)) / 2


def _expected(log_p: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Σ p · values; what has no probability adds nothing, though its logarithm is no number."""
    p = log_p.exp()
    return torch.where(p > 0, p * values, torch.zeros_like(p)).sum(-1)
