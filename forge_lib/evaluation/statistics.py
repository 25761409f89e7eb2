"""How sure a difference is: bootstrap by database, and McNemar's test on the pairs that changed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from forge_lib.data.items import group

FEW = 20  # databases: with fewer, drawing them gives intervals that hold the truth too seldom (85% for six)


ALL_EQUAL = "all values are equal: exact limits over the questions, as if these were independent"
ALL_ALIKE = "the databases are all alike: the interval is over their questions"


def bootstrap_interval(
    values: Sequence[float], clusters: Sequence[Hashable], level: float = 0.95, draws: int = 5000, seed: int = 17,
    bounds: tuple[float, float] | None = None,
) -> tuple[float, float]:  # fmt: skip
    """Interval of the mean when whole clusters are drawn with replacement (percentiles of the bootstrap).

    Questions of one database share its difficulty, so they are not independent: drawing questions alone gives
    intervals that are too narrow (Miller 2024, https://arxiv.org/abs/2411.00640). values: (n,), clusters: (n,);
    bounds: the least and the greatest that a value can be; 0 and 1, or -1 and 1 where a value is negative.

    Where there is little to draw from: of fewer than 20 clusters, Student's t around the mean with the clusters' (or,
    if that is wider, the items') standard error; of one cluster, its items, as if they were independent; of values
    that are all equal, Clopper and Pearson's exact limits (1934). `interval_note` says which it was.
    Raises ValueError when there is no value, or one that is no finite number.

    >>> low, high = bootstrap_interval([0, 1, 1, 1], ["a", "a", "b", "b"])
    >>> bool(low <= 0.75 <= high)
    True
    """
    return _interval(values, clusters, level, draws, seed, bounds)[:2]


def _interval(values, clusters, level=0.95, draws=5000, seed=17, bounds=None) -> tuple[float, float, str]:
    """`bootstrap_interval`, and what it rests on where that is not the bootstrap over many databases."""
    values = np.asarray(values, dtype=float)
    if not len(values):
        raise ValueError("There is no item to compute an interval of.")
    if not np.isfinite(values).all():
        raise ValueError("One of the values is not a number; an interval over them would not be one either.")
    bounds = bounds or ((-1.0, 1.0) if values.min() < 0 else (0.0, 1.0))
    if (values == values[0]).all():
        note = ALL_EQUAL if len(set(map(str, clusters))) > 1 else interval_note(clusters)
        return *_all_equal(values[0], len(values), level, bounds), note
    _, index = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    if index.max() == 0:
        index = np.arange(len(values))
    sums, sizes = np.bincount(index, values), np.bincount(index)  # (clusters,)
    if len(sums) < FEW:
        half = max(_student(sums, sizes, level), _student(values, np.ones(len(values)), level))
        low, high = max(bounds[0], float(values.mean()) - half), min(bounds[1], float(values.mean()) + half)
        return low, high, interval_note(clusters)
    drawn = np.random.default_rng(seed).integers(len(sums), size=(draws, len(sums)))
    means = sums[drawn].sum(1) / sizes[drawn].sum(1)  # (draws,)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    if low == high:  # clusters that are all alike, of questions that are not
        return *bootstrap_interval(values, range(len(values)), level, draws, seed, bounds), ALL_ALIKE
    return float(low), float(high), interval_note(clusters)


def interval_note(clusters: Sequence[Hashable], values: Sequence[float] | None = None) -> str:
    """What an interval over these clusters rests on, where that is not the bootstrap over many databases; else "".

    values: those of the interval; some (all equal, say) ask for another way than the clusters alone do.

    >>> interval_note(["shop"] * 30)
    'one database: the interval is over its questions and says nothing of other databases'
    >>> interval_note(range(30), [0] * 30)
    'all values are equal: exact limits over the questions, as if these were independent'
    """
    if values is not None:
        return _interval(values, clusters)[2]
    count = len(set(map(str, clusters)))
    if count == 1:
        return "one database: the interval is over its questions and says nothing of other databases"
    return f"{count} databases: Student's t, for a bootstrap over so few is too narrow" if count < FEW else ""


def _student(sums: np.ndarray, sizes: np.ndarray, level: float) -> float:
    """Half the width of Student's interval around Σ sums / Σ sizes, a ratio of cluster totals (Cochran 1977, ch. 6)."""
    from scipy.stats import t

    count, mean = len(sums), sums.sum() / sizes.sum()
    error = np.sqrt(count / (count - 1) * ((sums - mean * sizes) ** 2).sum()) / sizes.sum()
    return float(t.ppf((1 + level) / 2, count - 1) * error)


def _all_equal(value: float, count: int, level: float, bounds: tuple[float, float]) -> tuple[float, float]:
    """Limits of the mean where `count` items were all `value`: that many others could be there and not be seen.

    For shares (bounds 0 and 1) these are Clopper and Pearson's; a bootstrap of equal values has no width.
    """
    unseen = 1 - ((1 - level) / 2) ** (1 / count)
    return float(value - unseen * (value - bounds[0])), float(value + unseen * (bounds[1] - value))


def contexts(records: Iterable[dict]) -> list[str]:
    """The context of each record: what an interval draws. Raises ValueError for records that do not say.

    >>> contexts([{"context": "shop"}])
    ['shop']
    """
    try:
        return [r["context"] for r in records]
    except KeyError as error:
        raise ValueError(
            "These records do not name their context: an earlier version of the course made them. Run their notebook again."
        ) from error


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
    note: str = ""  # what the interval rests on, where that is not the bootstrap over many databases

    @property
    def significant(self) -> bool:
        """Both measures agree: the interval excludes zero, and p < 0.05."""
        return _is_significant(self.low, self.high, self.p_value)

    def __str__(self) -> str:
        items = f"{self.items} items" if self.part == "all" else f"{self.items} {self.part} items"
        verdict = "significant" if self.significant else "not significant"
        note = f" ({self.note})" if self.note else ""
        return (
            f"{self.second} against {self.first}: {self.difference:+.1f} points [{self.low:+.1f}, {self.high:+.1f}] "
            f"on {items}, {self.only_second} gained and {self.only_first} lost, "
            f"McNemar p = {self.p_value:.2g}; {verdict}{note}."
        )


def _is_significant(low: float, high: float, p_value: float) -> bool:
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
    low, high, note = _interval(change, contexts(a.values()), seed=seed, bounds=(-1, 1))
    lost, gained = sum(c < 0 for c in change), sum(c > 0 for c in change)
    return Comparison(
        first[0]["contender"], second[0]["contender"], len(change), 100 * float(np.mean(change)), 100 * low, 100 * high,
        lost, gained, mcnemar(lost, gained), part, note,
    )  # fmt: skip


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p-value of McNemar's test (McNemar 1947): could the changes be a fair coin's?

    >>> mcnemar(0, 0), round(mcnemar(1, 9), 4)
    (1.0, 0.0215)
    """
    from scipy.stats import binomtest

    changed = only_first + only_second
    return float(binomtest(only_second, changed).pvalue) if changed else 1.0
