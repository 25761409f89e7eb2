"""Several answers a question: right at least once (pass@k), right by vote (vote@k), with intervals by cluster."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forge_lib.evaluation.intervals import cluster_interval


@dataclass(frozen=True)
class Sampled:
    """n answers to one item, in the order in which they were made.

    correct: (n,) whether each is right; votes: (n,) what each stands for in a vote (for SQL the rows that it returns), None
    where it casts none (it does not run)
    """

    id: str
    context: str
    correct: tuple[bool, ...]
    votes: tuple[Hashable | None, ...] = ()


def pass_at_k(correct: int, count: int, k: int) -> float:
    """Probability (0 to 1) that k answers drawn from `count`, of which `correct` are right, hold a right one; unbiased.

    1 - C(n - c, k) / C(n, k) (Chen et al. 2021, https://arxiv.org/abs/2107.03374). 1 - (1 - c/n)^k, which lies at hand, is
    too low. Raises ValueError where k is more than were made.

    >>> pass_at_k(2, 8, 1), round(pass_at_k(2, 8, 4), 3), pass_at_k(7, 8, 2)
    (0.25, 0.786, 1.0)
    """
    _check(k, count)
    return 1 - math.comb(count - correct, k) / math.comb(count, k)


def recall_at_k(item: Sampled, k: int) -> float:
    """1 where one of the first k answers is right, else 0: what a perfect choice among these very answers would reach.

    Over answers that are all drawn alike its mean is pass@k with more luck in it; where the first is the greedy one, it
    is the ceiling of a vote over them.

    >>> recall_at_k(Sampled("1", "shop", (False, False, True)), 2)
    0.0
    """
    _check(k, len(item.correct))
    return float(any(item.correct[:k]))


def vote_at_k(item: Sampled, k: int, draws: int = 0, seed: int = 17) -> float:
    """1 where the first of the commonest votes among the first k answers is right, else 0 (Wang et al. 2022, https://arxiv.org/abs/2203.11171).

    draws: where above 0, the mean over so many random choices of k answers instead, which removes the luck of their order.
    Answers without a vote count only where there is no other.

    >>> vote_at_k(Sampled("1", "shop", (False, True, True), ("7 rows", "1 row", "1 row")), 3)
    1.0
    """
    _check(k, len(item.correct))
    if not draws:
        return float(_elected(item, range(k)))
    rng = random.Random(f"{seed}-{item.id}")
    return sum(_elected(item, rng.sample(range(len(item.correct)), k)) for _ in range(draws)) / draws


def sampling_table(items: Sequence[Sampled], ks: Sequence[int], draws: int = 0) -> pd.DataFrame:
    """pass@k, recall@k and vote@k (percent) for each k, each with its 95% interval by cluster; the vote where there are votes.

    Raises ValueError for no items.

    >>> sampling_table([Sampled("1", "a", (True, False)), Sampled("2", "b", (False, False))], [1])["pass@k"].tolist()
    [25.0]
    """
    clusters, rows = [i.context for i in items], []
    for k in ks:
        columns = {"pass@k": [pass_at_k(sum(i.correct), len(i.correct), k) for i in items],
                   "recall@k": [recall_at_k(i, k) for i in items]}  # fmt: skip
        if all(i.votes for i in items):
            columns["vote@k"] = [vote_at_k(i, k, draws) for i in items]
        row: dict = {"k": k}
        for name, values in columns.items():
            low, high = cluster_interval(values, clusters)
            row |= {name: 100 * float(np.mean(values)), f"{name} low": 100 * low, f"{name} high": 100 * high}
        rows.append(row)
    return pd.DataFrame(rows).set_index("k")


def _elected(item: Sampled, chosen: Sequence[int]) -> bool:
    """Whether the answer that these elect is right; ties go to the earliest."""
    counts = Counter(item.votes[n] for n in chosen if item.votes[n] is not None)
    if not counts:
        return item.correct[chosen[0]]
    most = max(counts.values())
    return next(item.correct[n] for n in chosen if counts.get(item.votes[n]) == most)


def _check(k: int, count: int) -> None:
    if not 1 <= k <= count:
        raise ValueError(f"k is {k}, and there are {count} answers a question; sample more, or ask for a smaller k.")
