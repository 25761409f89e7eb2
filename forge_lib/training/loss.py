"""Cross-entropy of answer tokens over packs, without the logits of anything else."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from forge_lib.engine import hidden_states, one_pass, supports
from forge_lib.models.generate import check_window
from forge_lib.models.load import causal_lm, output_head
from forge_lib.training.packing import Pack, collate, flatten_packs


def answer_states(model, packs: Sequence[Pack], pad_id: int, dtype: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The last states (N, D) that predict the N answer tokens of `packs`, and those tokens (N,), pack by pack."""
    kind = getattr(torch, dtype)
    if supports(model, kind):
        flat = flatten_packs(packs)
        return hidden_states(model, flat.input_ids, flat.position_ids, flat.layouts)[flat.keep], flat.targets
    # Every other model takes transformers' own way, where only a dense mask tells the questions of a pack apart.
    check_window(model, max(len(e) for pack in packs for e in pack))
    batch, device = collate(packs, pad_id, kind), model.device
    with torch.autocast(device.type, dtype=kind, enabled=kind != torch.float32):
        hidden = causal_lm(model).get_decoder()(
            input_ids=batch.input_ids.to(device), position_ids=batch.position_ids.to(device),
            attention_mask=batch.attention_mask.to(device), use_cache=False,
        ).last_hidden_state  # (B, T, D)  # fmt: skip
    rows, columns = batch.keep.to(device).unbind(1)
    return hidden[rows, columns], batch.targets.to(device)


def answer_logits(model, packs: Sequence[Pack], pad_id: int, dtype: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (N, V) in fp32 that predict the N answer tokens of `packs`, and those tokens (N,).

    The output layer sees answer positions only: with 49,152 words in the vocabulary the logits of all positions
    would be the largest tensor of the step.
    """
    states, targets = answer_states(model, packs, pad_id, dtype)
    head = output_head(model)
    return head(states.to(head.weight.dtype)).float(), targets


@one_pass
def _loss_and_slope(logits, targets):
    """Sum of the cross-entropies of logits (n, V), and its gradient softmax - onehot in the logits' type."""
    wide = logits.float()  # a sum over 49,152 exponentials loses its small terms in 16 bits
    total = torch.logsumexp(wide, -1, keepdim=True)
    # A comparison and no one-hot tensor: compiled, it is a part of the one pass over the logits.
    hit = torch.arange(wide.shape[1], device=wide.device) == targets[:, None]
    slope = (torch.exp(wide - total) - hit.float()).to(logits.dtype)
    return (total - wide.gather(1, targets[:, None])).sum(), slope


class AnswerLoss(torch.autograd.Function):
    """Σ -log softmax(W·h)[target] over N states h (N, D), with W (V, D) frozen; never more than 128 rows of logits.

    The gradient of a row, Wᵀ(softmax - onehot), is computed in the forward pass, where one is wanted, so that no
    logits are kept.
    """

    @staticmethod
    def forward(ctx, states, weight, targets):
        total, grads = states.new_zeros((), dtype=torch.float32), []
        for rows, wanted in zip(states.split(128), targets.split(128), strict=True):
            loss, slope = _loss_and_slope(rows @ weight.T, wanted)
            total += loss
            if ctx.needs_input_grad[0]:
                grads.append(slope @ weight)
        if grads:
            ctx.save_for_backward(torch.cat(grads))
        return total

    @staticmethod
    def backward(ctx, grad):
        (slope,) = ctx.saved_tensors
        return slope * grad.to(slope.dtype), None, None  # grad is one number: the loss is a sum


def pack_loss(model, packs: Sequence[Pack], pad_id: int, dtype: str) -> tuple[torch.Tensor, int]:
    """Sum of cross-entropy over the answer tokens of `packs` (nats), and their number.

    L = -Σ log p(answer token | schema, question, earlier answer tokens).
    """
    states, targets = answer_states(model, packs, pad_id, dtype)
    head = output_head(model)
    if type(head) is nn.Linear and head.bias is None and not head.weight.requires_grad:
        return AnswerLoss.apply(states.to(head.weight.dtype), head.weight, targets), len(targets)
    logits = head(states.to(head.weight.dtype)).float()  # a head that is trained, adapted or has a bias
    return F.cross_entropy(logits, targets, reduction="sum"), len(targets)


class PackLoss(torch.nn.Module):
    """`pack_loss`'s sum as a module: what DDP, FSDP and DeepSpeed take hold of is a forward.

    `train` and `mean_loss` take one in place of the model: FSDP gathers embeddings only for the module it prepared.
    about: what a loss of another kind goes by, in words: a killed training goes on with the same loss alone
    """

    about = ""

    def __init__(self, model, pad_id: int, dtype: str):
        super().__init__()
        self.model, self.pad_id, self.dtype = model, pad_id, dtype
        self._no_split_modules = causal_lm(model)._no_split_modules  # FSDP shares weights out by these blocks

    def forward(self, packs: Sequence[Pack]) -> torch.Tensor:
        """Sum over the answer tokens of `packs`, in nats."""
        return pack_loss(self.model, packs, self.pad_id, self.dtype)[0]

    def units(self, packs: Sequence[Pack]) -> int:
        """How many terms that sum has: what the loss of a step is the mean over."""
        return sum(len(e.answer) for pack in packs for e in pack)
