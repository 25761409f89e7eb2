"""MKL's vector functions, each called once before two threads can call it together.

PyTorch computes `cos`, `exp` and their like on a CPU with MKL, a part of the tensor in each thread. MKL 2024.2 decides at
a function's first call which kernel is exact enough, and when two threads make that first call at once, one of them may
get a coarse one, for this call only (https://github.com/pytorch/pytorch/issues/188792). It was seen here: cosines off by
1.5e-4 in half of the positions of a process's first forward pass, in two of ten notebooks, and the loss by 0.4%.
"""

from __future__ import annotations

import torch

_FUNCTIONS = (
    "acos", "asin", "atan", "cos", "erf", "erfc", "erfinv", "exp", "expm1", "lgamma", "log", "log10", "log1p", "log2",
    "sin", "sinh", "sqrt", "tan", "tanh",
)  # fmt: skip


def _settle() -> None:
    """Call every function on one number, in both types that MKL knows."""
    for kind in (torch.float32, torch.float64):
        number = torch.full((1,), 0.5, dtype=kind)
        for name in _FUNCTIONS:
            getattr(torch, name)(number)


_settle()
