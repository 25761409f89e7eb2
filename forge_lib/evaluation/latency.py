"""How long one asker waits, how many a batch serves, and the memory it takes: measured on any contender."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forge_lib.data.items import Item
from forge_lib.engine.memory import peak_resident
from forge_lib.evaluation.contenders import Contender

_LEAST = 50  # questions: of fewer, the 95th percentile is one or two of them
_WARM_UP = 2  # questions asked before the clock runs: they pay for caches and compiled kernels


@dataclass(frozen=True)
class Latency:
    """Seconds that one asker waits, one question at a time; the first token's where it was measured."""

    questions: int
    p50: float
    p95: float
    first_p50: float | None  # seconds to the first token
    first_p95: float | None
    tokens_per_second: float  # new tokens of all answers over all their time
    peak_memory: int  # bytes: the most that the process held meanwhile, weights included

    def __str__(self) -> str:
        first = ""
        if self.first_p50 is not None:
            first = f"; first token after {self.first_p50:.2f} s, 95% within {self.first_p95:.2f} s"
        return (
            f"one question alone takes {self.p50:.2f} s, 95% within {self.p95:.2f} s{first}; {self.tokens_per_second:.0f} tokens/s, "
            f"{self.peak_memory / 2**30:.1f} GB at most ({self.questions} questions)"
        )


def measure_latency(
    contender: Contender, items: Sequence[Item], first: Contender | None = None, least: int = _LEAST
) -> Latency:
    """Ask the items one at a time, nothing else meanwhile, and time each.

    contender: of any kind; nothing it remembers between calls may help it, so give one that keeps no answers.
    first: the same model, made to answer one token (`local_model(model, tokenizer, data, 1, 1)`,
        `gguf_model(llm, tokenizer, data, 1)`): reading the prompt and one step is the time to the first token.
    Raises ValueError for fewer items than `least`: nobody knows a 95th percentile of ten.

    >>> from forge_lib.models.generate import Completion
    >>> found = measure_latency(lambda items: [Completion("SELECT 1", 9, 3, 0.0, True) for _ in items], [None] * 50)
    >>> found.questions, found.first_p50, found.p50 <= found.p95
    (50, None, True)
    """
    if len(items) < max(1, least):
        raise ValueError(f"{len(items)} questions are too few for a 95th percentile: give {max(1, least)} or more.")
    with peak_resident() as memory:
        seconds, tokens = _alone(contender, items)
        first_seconds = _alone(first, items)[0] if first else None
    ends = np.percentile(first_seconds, [50, 95]).tolist() if first else [None, None]
    p50, p95 = np.percentile(seconds, [50, 95]).tolist()
    return Latency(len(items), p50, p95, *ends, tokens / sum(seconds), memory["peak"])


def throughput(
    make: Callable[[int], Contender], items: Sequence[Item], sizes: Sequence[int] = (1, 4, 16, 64)
) -> pd.DataFrame:
    """Questions and new tokens a second by batch size, and a question's wait: that of its whole batch.

    make: batch size -> contender, such as `lambda n: local_model(model, tokenizer, data, 160, n)`. Each size answers all
    the items; the table's index is the size.

    >>> from forge_lib.models.generate import Completion
    >>> table = throughput(lambda n: lambda items: [Completion("", 9, 3, 0.0, True) for _ in items], [None] * 4, [1, 2])
    >>> table.index.tolist()
    [1, 2]
    """
    if not items:
        raise ValueError("There is no question to measure a throughput on.")
    rows = []
    for size in sizes:
        contender = make(size)
        contender(items[:1])
        with peak_resident() as memory:
            began = time.perf_counter()
            done = contender(items)
            seconds = time.perf_counter() - began
        tokens = sum(c.completion_tokens for c in done)
        rows.append(
            {"batch": size, "questions/s": len(items) / seconds, "tokens/s": tokens / seconds,
             "s/question": seconds / len(items), "s/batch": seconds / -(-len(items) // size),
             "peak memory (GB)": memory["peak"] / 2**30}
        )  # fmt: skip
    return pd.DataFrame(rows).set_index("batch")


def _alone(contender: Contender, items: Sequence[Item]) -> tuple[list[float], int]:
    """Seconds of each item asked alone, and the new tokens of all."""
    for item in items[:_WARM_UP]:
        contender([item])
    seconds, tokens = [], 0
    for item in items:
        began = time.perf_counter()
        [done] = contender([item])
        seconds.append(time.perf_counter() - began)
        tokens += done.completion_tokens
    return seconds, tokens
