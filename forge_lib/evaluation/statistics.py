"""How sure a difference is: bootstrap by database, and McNemar's test on the pairs that changed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from forge_lib.data.pairs import group


def bootstrap_interval(
    values: Sequence[float], clusters: Sequence[Hashable], level: float = 0.95, draws: int = 5000, seed: int = 17
) -> tuple[float, float]:
    """Percentile interval of the mean when whole clusters are drawn with replacement.

    Questions of one database share its difficulty, so they are not independent: drawing questions alone gives
    intervals that are too narrow (Miller 2024, https://arxiv.org/abs/2411.00640). values: (n,), clusters: (n,).

    >>> low, high = bootstrap_interval([0, 1, 1, 1], ["a", "a", "b", "b"])
    >>> bool(low <= 0.75 <= high)
    True
    """
    values = np.asarray(values, dtype=float)
    _, index = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    sums, sizes = np.bincount(index, values), np.bincount(index)  # (clusters,)
    drawn = np.random.default_rng(seed).integers(len(sums), size=(draws, len(sums)))
    means = sums[drawn].sum(1) / sizes[drawn].sum(1)  # (draws,)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)


@dataclass(frozen=True)
class Comparison:
    """Two contenders on the same items; difference and interval in points (percent)."""

    first: str
    second: str
    items: int
    difference: float  # second - first
    low: float
    high: float
    only_first: int  # items only the first got right
    only_second: int
    p_value: float  # McNemar, exact, two-sided
    part: str = "all"  # of the items: "all", "seen", "unseen" or "hard"

    @property
    def significant(self) -> bool:
        """Both measures agree: the interval (few databases make it a little narrow) excludes zero, and p < 0.05."""
        return is_significant(self.low, self.high, self.p_value)

    def __str__(self) -> str:
        items = f"{self.items} items" if self.part == "all" else f"{self.items} {self.part} items"
        verdict = "significant" if self.significant else "not significant"
        return (
            f"{self.second} against {self.first}: {self.difference:+.1f} points [{self.low:+.1f}, {self.high:+.1f}] "
            f"on {items}, {self.only_second} gained and {self.only_first} lost, "
            f"McNemar p = {self.p_value:.2g}; {verdict}."
        )


def is_significant(low: float, high: float, p_value: float) -> bool:
    """Whether an interval excludes zero and McNemar's p is below 0.05."""
    return (low > 0 or high < 0) and p_value < 0.05


def compare(first: Sequence[dict], second: Sequence[dict], seed: int = 17, part: str = "all") -> Comparison:
    """Paired comparison of two contenders' records, on all items or on one group ("seen", "unseen", "hard").

    Raises ValueError when they did not answer the same items, or when there is none.
    """
    a, b = ({r["id"]: r for r in records if part in ("all", group(r))} for records in (first, second))
    if a.keys() != b.keys():
        raise ValueError("The two contenders answered different items; evaluate both on the same pairs.")
    if not a:
        raise ValueError(f"There is no item to compare on (part '{part}').")
    change = [float(b[i]["correct"]) - float(a[i]["correct"]) for i in a]
    low, high = bootstrap_interval(change, [a[i]["db_id"] for i in a], seed=seed)
    lost, gained = sum(c < 0 for c in change), sum(c > 0 for c in change)
    return Comparison(
        first[0]["contender"], second[0]["contender"], len(change), 100 * float(np.mean(change)), 100 * low, 100 * high,
        lost, gained, mcnemar(lost, gained), part,
    )  # fmt: skip


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p-value of McNemar's test (McNemar 1947): could the changes be a fair coin's?

    >>> mcnemar(0, 0), round(mcnemar(1, 9), 4)
    (1.0, 0.0215)
    """
    from scipy.stats import binomtest

    changed = only_first + only_second
    return float(binomtest(only_second, changed).pvalue) if changed else 1.0
