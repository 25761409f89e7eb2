"""Several processes, one training: who takes which packs of a step, and what a process does that trains alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import torch


class OneProcess:
    """What training asks of an `accelerate.Accelerator`, for a process that trains alone."""

    num_processes, process_index, is_main_process, sync_gradients = 1, 0, True, True
    backward = staticmethod(torch.Tensor.backward)
    clip_grad_norm_ = staticmethod(torch.nn.utils.clip_grad_norm_)

    def prepare(self, *parts):
        """The parts as they are."""
        return parts

    def no_sync(self, module):
        """Nothing to hold back."""
        return nullcontext()

    def reduce(self, tensor):
        """The sum over one process."""
        return tensor


def shard_packs(packs: Sequence, size: int, accelerator) -> Iterator[tuple[Sequence, float]]:
    """The forward passes of this process over its part of `packs`: (up to `size` of them, what their loss counts).

    accelerator: an Accelerator or OneProcess. Every process gets as many passes, for in each one they may wait for one
    another; where the packs run out, the first goes through once more and counts nothing.

    >>> list(shard_packs(["a", "b", "c"], 2, OneProcess()))
    [(['a', 'b'], 1.0), (['c'], 1.0)]
    """
    mine = packs[accelerator.process_index :: accelerator.num_processes]
    for at in range(0, math.ceil(len(packs) / accelerator.num_processes), size):
        part = mine[at : at + size]
        yield (part, 1.0) if part else (packs[:1], 0.0)


def gather_full(tensor: torch.Tensor) -> torch.Tensor:
    """All of a tensor that FSDP has spread over the processes, any other as it is. Every process has to ask."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
