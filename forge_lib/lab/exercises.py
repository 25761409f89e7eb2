"""Predict, then reveal; and checkers that name the likely mistake."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from typing import Any


def predict(question: str, guess: Any, truth: Any, tolerance: float = 0.1) -> None:
    """Show a reader's guess beside the truth. Change the guess before you run the cell; nothing is graded."""
    if isinstance(guess, (int, float)) and isinstance(truth, (int, float)):
        close = abs(guess - truth) <= tolerance * max(abs(truth), 1e-12)
    else:
        close = guess == truth
    truth = f"{truth:.4g}" if isinstance(truth, float) else truth
    print(
        f"{question}\n  your guess: {guess}\n  measured:   {truth}  {'— close.' if close else '— a surprise worth a minute.'}"
    )


def check(name: str, answer: Callable | Any, cases: list[tuple[tuple, Any, str]]) -> None:
    """Check an exercise's function on cases (arguments, expected, hint if wrong); say which mistake it looks like.

    An answer of None or `...` counts as not attempted, so that a notebook runs through with the exercises open; one that
    fails is told where, and the notebook runs on. Numbers may differ by rounding, within lists, tuples and dicts too.
    """
    if answer is None or answer is ...:
        print(f"{name}: not attempted yet. A solution is in notebooks/solutions/.")
        return
    for arguments, expected, hint in cases:
        try:
            got = answer(*arguments)
        except Exception as error:  # whatever a learner's function does
            line = traceback.extract_tb(error.__traceback__)[-1]
            where = f" at `{line.line}`" if line.line else ""
            print(f"{name}: not yet. For {arguments} it stops{where}: {type(error).__name__}: {error}. {hint}")
            return
        if got is None or got is ...:
            print(f"{name}: not attempted yet. A solution is in notebooks/solutions/.")
            return
        if not _same(got, expected):
            print(f"{name}: not yet. For {arguments} it gives {got}, and should give {expected}. {hint}")
            return
    print(f"{name}: correct.")


def _same(got: Any, expected: Any) -> bool:
    import torch

    if isinstance(expected, torch.Tensor):
        return (
            isinstance(got, torch.Tensor) and got.shape == expected.shape and torch.allclose(got, expected, atol=1e-5)
        )
    if isinstance(expected, float):
        if not isinstance(got, (int, float)) and getattr(got, "ndim", None) != 0:  # a tensor of one number is one
            return False
        return math.isclose(got, expected, rel_tol=1e-6, abs_tol=1e-6) or (math.isnan(got) and math.isnan(expected))
    if isinstance(expected, (list, tuple)):
        alike = isinstance(got, (list, tuple)) and len(got) == len(expected)
        return alike and all(map(_same, got, expected))
    if isinstance(expected, dict):
        return isinstance(got, dict) and got.keys() == expected.keys() and all(_same(got[k], expected[k]) for k in got)
    return bool(got == expected) if getattr(got, "ndim", 0) == 0 else False
