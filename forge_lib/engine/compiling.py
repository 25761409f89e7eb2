"""Small functions between matrix products, compiled to one pass over memory where that pays."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable
from contextlib import contextmanager

import torch

# A handful of small functions: a pool of compiling processes would take memory for nothing. Read at the first compiling.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")

_wanted = _compiled = False


@contextmanager
def compiling(wanted: bool = True):
    """Within the block `one_pass` functions are compiled: worth its quarter of a minute in runs of minutes.

    What this process has compiled once is used whether `wanted` or not. Without a C++ compiler on the machine the
    functions stay as they are: slower, the same values.
    """
    global _wanted, _compiled
    _compiled |= wanted and shutil.which(os.environ.get("CXX", "g++")) is not None
    before, _wanted = _wanted, _compiled
    try:
        yield
    finally:
        _wanted = before


def one_pass(function: Callable) -> Callable:
    """Decorator: `function` of tensors as it is written, or within `compiling()` as one compiled pass over memory."""
    fast = functools.cache(lambda: torch.compile(function, dynamic=True))

    @functools.wraps(function)
    def call(*arguments):
        return (fast() if _wanted else function)(*arguments)

    return call
