"""Intervals by cluster that keep their promise: score intervals at the effective number of items.

Percentiles of a bootstrap and Student's t hold the truth too seldom on the cluster sizes of this course's test;
`python -m benchmarks.interval_coverage` compares five ways, and this one is what it chose.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np

_WORKING_ICC = 0.15  # how alike items of a cluster are taken to be where degrees of freedom are counted


def cluster_interval(
    values: Sequence[float],
    clusters: Sequence[Hashable],
    level: float = 0.95,
    bounds: tuple[float, float] | None = None,
) -> tuple[float, float]:
    """Interval of the mean of items that come in clusters (questions of databases), over all such clusters and items.

    values: (n,), clusters: (n,); bounds: the least and the greatest that a value can be; 0 and 1, or -1 and 1 where a
    value is negative. Returns (low, high) within the bounds.

    Questions of one database share its difficulty, so n of them say less than n independent ones (Miller 2024,
    https://arxiv.org/abs/2411.00640): `effective_sample` says how many they are worth. Around a share stands Wilson's
    interval (1927) for that many, which keeps its promise near 0 and 1 too, where mean ± 2 standard errors does not
    (Bowyer et al. 2025, https://arxiv.org/abs/2503.01747; for surveys by cluster Dean & Pagano 2015,
    https://doi.org/10.1093/jssam/smv024); around a mean of -1, 0 and 1 within such bounds (gained and lost items) Tango's
    (1998), which is made the same way. In place of the normal quantile both take Student's at the degrees of freedom.
    One cluster: its items, as if they were independent. Values all equal: Clopper and Pearson's exact limits (1934), as if
    independent too, which is too narrow where databases differ much.
    Raises ValueError when there is no value, or one that is no finite number.

    >>> low, high = cluster_interval([0, 1, 1, 1, 1, 1, 0, 0] * 5, [n // 4 for n in range(40)])
    >>> round(low, 2), round(high, 2)
    (0.44, 0.78)
    """
    values = np.asarray(values, dtype=float)
    if not len(values):
        raise ValueError("There is no item to compute an interval of.")
    if not np.isfinite(values).all():
        raise ValueError("One of the values is not a number; an interval over them would not be one either.")
    least, most = bounds or ((-1.0, 1.0) if values.min() < 0 else (0.0, 1.0))
    if (values == values[0]).all():
        return _all_equal(values[0], len(values), level, (least, most))
    from scipy.special import stdtrit  # Student's quantile, without the second that scipy.stats takes to load

    error, worth, freedom = effective_sample(values, clusters)
    quantile = float(stdtrit(freedom, (1 + level) / 2))
    if (least, most) == (-1, 1) and np.isin(values, (-1, 0, 1)).all():
        return _tango(float((values > 0).mean()), float((values < 0).mean()), worth, quantile)
    width = most - least
    share = float((values.mean() - least) / width)
    if not 0 < share < 1:
        raise ValueError(f"The values lie outside their bounds {least:g} and {most:g}.")
    low, high = _wilson(share, share * (1 - share) / (error / width) ** 2, quantile)
    return least + width * low, least + width * high


def effective_sample(values: Sequence[float], clusters: Sequence[Hashable]) -> tuple[float, float, float]:
    """(standard error of the mean, items that these are worth, degrees of freedom) of values (n,) that are not all equal.

    The error is that of a ratio of cluster totals (Cochran 1977, ch. 6), or the independent items' where that is larger,
    so items are never worth more than n. With clusters of n_g items, m the mean and N = Σ n_g, the squared error is
    c Σ (s_g - m n_g)² / N². The factor c and the degrees of freedom are Satterthwaite's, as Bell & McCaffrey (2002) and
    Imbens & Kolesár (2016, https://doi.org/10.1162/REST_a_00552) take them: exact for normal values whose intra-cluster
    correlation is `_WORKING_ICC`. They are fewer than clusters - 1 where a few clusters hold most items, and a plain t
    then promises too much.

    >>> error, worth, freedom = effective_sample([0, 1] * 8, range(16))
    >>> round(worth), round(freedom)
    (16, 15)
    >>> round(effective_sample([0] * 8 + [1] * 8, [n // 4 for n in range(16)])[1], 1)  # four clusters, each of one mind
    3.2
    """
    values = np.asarray(values, dtype=float)
    _, index = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    if index.max() == 0:
        index = np.arange(len(values))
    sums, sizes, count = np.bincount(index, values), np.bincount(index), len(values)
    item_error2 = values.var() / (count - 1)
    factor, freedom = _satterthwaite(sizes)
    error2 = max(factor * float(((sums - values.mean() * sizes) ** 2).sum()) / count**2, item_error2)
    return math.sqrt(error2), float(count * item_error2 / error2), freedom


def _satterthwaite(sizes: np.ndarray) -> tuple[float, float]:
    """(factor that makes Σ (s_g - m n_g)² right on average, degrees of freedom of it) for clusters of these sizes.

    The sum is a quadratic form ε'Aε with A_gh = 1[g=h] - a_g - a_h + Σ a², a = n / N; the traces are written out, for A
    of ten thousand clusters would not fit into memory.
    """
    part, variance = sizes / sizes.sum(), sizes * (1 + (sizes - 1) * _WORKING_ICC)
    square = float((part**2).sum())
    v0, v1, v2 = (float((part**k * variance).sum()) for k in range(3))
    trace = float((variance * (1 - 2 * part + square)).sum())
    trace2 = float((variance**2 * (1 + 2 * (square - 2 * part))).sum())
    trace2 += square**2 * v0**2 + 2 * v2 * v0 - 4 * square * v1 * v0 + 2 * v1**2
    return v0 / trace, trace**2 / trace2


def _wilson(share: float, count: float, quantile: float) -> tuple[float, float]:
    """The shares θ that `quantile` errors of θ, √(θ(1-θ)/count), do not keep away from `share`."""
    spread = quantile**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def _tango(gained: float, lost: float, count: float, quantile: float) -> tuple[float, float]:
    """The differences θ of two shares of the same items that the score test does not refuse (Tango 1998).

    gained, lost: shares of the items; count: their effective number.
    """
    from scipy.optimize import brentq

    b, c, middle = gained * count, lost * count, gained - lost

    def away(theta: float) -> float:  # in errors under θ, the lost share being the likeliest there; falls with θ
        linear = 2 * count * theta - b - c - (b - c) * theta
        likeliest = (math.sqrt(max(0.0, linear**2 + 8 * count * c * theta * (1 - theta))) - linear) / (4 * count)
        return (b - c - count * theta) / math.sqrt(max(count * (2 * likeliest + theta * (1 - theta)), 1e-12))

    def end(limit: float, target: float) -> float:
        if (away(limit) - target) * (away(middle) - target) > 0:
            return round(limit)
        return float(brentq(lambda theta: away(theta) - target, *sorted((limit, middle))))

    return end(-1 + 1e-9, quantile), end(1 - 1e-9, -quantile)


def _all_equal(value: float, count: int, level: float, bounds: tuple[float, float]) -> tuple[float, float]:
    """Limits of the mean where `count` items were all `value`: that many others could be there and not be seen.

    For shares (bounds 0 and 1) these are Clopper and Pearson's.
    """
    unseen = 1 - ((1 - level) / 2) ** (1 / count)
    return float(value - unseen * (value - bounds[0])), float(value + unseen * (bounds[1] - value))
