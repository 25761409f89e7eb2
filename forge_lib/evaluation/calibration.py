"""Whether a model knows when it is right: its own probability of an answer, against the verdict."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from forge_lib.evaluation.answers import read_answer
from forge_lib.lab.figures import COLOURS
from forge_lib.models.chat import Message


def answer_confidences(model, tokenizer, prompts: Sequence[Sequence[Message]], answers: Sequence[str]) -> list[float]:
    """Mean probability, 0 to 1, that the model gives the tokens of each answer (its end included)."""
    pairs = zip(prompts, answers, strict=True)
    return [float(read_answer(model, tokenizer, messages, text).chosen.exp().mean()) for messages, text in pairs]


def reliability(confidence: Sequence[float], correct: Sequence[bool], bins: int = 10) -> list[dict]:
    """Bins of equal width over 0 to 1 that hold an answer: {"low", "high", "items", "confidence", "accuracy"}.

    The ends' means are those of the bin's answers. Raises ValueError for a confidence outside 0 to 1, for lengths
    that differ, and for no answer at all.

    >>> reliability([0.9, 0.95, 0.2], [True, False, False], bins=2)[1]["accuracy"]
    0.5
    """
    sure, right = np.asarray(confidence, dtype=float), np.asarray(correct, dtype=float)
    if not len(sure) or sure.shape != right.shape:
        raise ValueError(
            f"There are {len(sure)} confidences and {len(right)} verdicts; one each is needed, and one at least."
        )
    if not ((sure >= 0) & (sure <= 1)).all():
        raise ValueError("A confidence is a probability, 0 to 1, and one of these is not.")
    where = np.minimum((sure * bins).astype(int), bins - 1)  # 1.0 belongs to the last bin
    return [
        {"low": b / bins, "high": (b + 1) / bins, "items": int((where == b).sum()),
         "confidence": float(sure[where == b].mean()), "accuracy": float(right[where == b].mean())}
        for b in np.unique(where).tolist()
    ]  # fmt: skip


def calibration_error(confidence: Sequence[float], correct: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error, 0 to 1: Σ over bins of their share · |accuracy - mean confidence|.

    Naeini et al. 2015; Guo et al. 2017, https://arxiv.org/abs/1706.04599. With few answers it is too high even for a
    perfect model, since every bin's accuracy scatters.

    >>> round(calibration_error([0.9, 0.7], [True, False], bins=2), 6)
    0.3
    """
    found = reliability(confidence, correct, bins)
    return sum(b["items"] * abs(b["accuracy"] - b["confidence"]) for b in found) / len(confidence)


def calibration_interval(
    confidence: Sequence[float], correct: Sequence[bool], clusters: Sequence[Hashable], bins: int = 10,
    level: float = 0.95, draws: int = 2000, seed: int = 17,
) -> tuple[float, float]:  # fmt: skip
    """Interval of `calibration_error` when whole clusters (databases) are drawn with replacement, percentiles.

    A drawn sample scatters more than its origin, so the interval leans upwards as the error itself does. Raises
    ValueError for a single cluster: nothing can be drawn of it.
    """
    names, index = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    if len(names) < 2:
        raise ValueError("The answers are all of one database; an interval over databases needs two at least.")
    members = [np.flatnonzero(index == c) for c in range(len(names))]
    sure, right, rng = (
        np.asarray(confidence, dtype=float),
        np.asarray(correct, dtype=float),
        np.random.default_rng(seed),
    )
    errors = []
    for drawn in rng.integers(len(names), size=(draws, len(names))):
        rows = np.concatenate([members[c] for c in drawn])
        errors.append(calibration_error(sure[rows], right[rows], bins))
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(errors, [tail, 100 - tail])
    return float(low), float(high)


def reliability_diagram(bins: Sequence[dict], ax):
    """Accuracy over confidence, a point a bin with its number of answers; on the diagonal the model knows itself."""
    ax.plot([0, 100], [0, 100], color=COLOURS[6], linestyle="--", linewidth=1, label="as sure as right")
    x, y = (100 * np.array([b[key] for b in bins]) for key in ("confidence", "accuracy"))
    ax.plot(x, y, "o-", color=COLOURS[0], label="answers, by confidence")
    for b, at, height in zip(bins, x, y, strict=True):
        ax.annotate(str(b["items"]), (at, height), textcoords="offset points", xytext=(5, -9), fontsize=7)
    ax.set(xlabel="mean token probability of the answer (%)", ylabel="right (%)", xlim=(0, 100), ylim=(0, 100))
    ax.legend()
    return ax
