"""Predict, then reveal; and checkers that name the likely mistake."""

from __future__ import annotations

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

    An answer of None or `...` counts as not attempted, so that a notebook runs through with the exercises open.
    """
    if answer is None or answer is ...:
        print(f"{name}: not attempted yet. A solution is in notebooks/solutions/.")
        return
    for arguments, expected, hint in cases:
        got = answer(*arguments)
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
        return isinstance(got, (int, float)) and abs(got - expected) <= 1e-6 * max(1, abs(expected))
    return got == expected
