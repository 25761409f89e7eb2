"""Several trainings of one recipe: how far seeds lie apart, beside how sure the items make a number."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from forge_lib.evaluation.intervals import effective_sample
from forge_lib.evaluation.statistics import contexts


@dataclass(frozen=True)
class OverSeeds:
    """A mean over items and over training seeds, all in points (percent).

    The two errors are of different kinds: more items do nothing for the seeds' one, more seeds nothing for the items'.
    """

    means: tuple[float, ...]  # of each seed
    mean: float
    between: float  # standard deviation of the seeds' means, on the same items
    items_error: float  # standard error of the mean over items, by cluster
    low: float  # 95%, over other items, databases and seeds
    high: float

    def __str__(self) -> str:
        each = ", ".join(f"{m:.1f}" for m in self.means)
        return (
            f"{self.mean:.1f} [{self.low:.1f}, {self.high:.1f}] over {len(self.means)} seeds ({each}); "
            f"standard deviation between seeds {self.between:.1f}, standard error of the items {self.items_error:.1f} points"
        )


def over_seeds(runs: Sequence[Sequence[dict]]) -> OverSeeds:
    """Accuracy of one recipe from the records of each of its seeds, on the same items.

    The variance of the mean is that of the items (by cluster) plus s²/S of the S seeds; Student's t takes Satterthwaite's
    degrees of freedom of the sum (Welch 1947). Three seeds know little of their spread, and the interval says so.
    Raises ValueError for fewer than two seeds, and for seeds that answered different items.

    >>> rows = [[{"id": n, "context": n // 2, "correct": (n + s) % 3 == 0} for n in range(12)] for s in range(3)]
    >>> [round(mean, 1) for mean in over_seeds(rows).means]
    [33.3, 33.3, 33.3]
    """
    values, clusters = _matrix(runs)
    return _summary(values, clusters, (0.0, 100.0))


def difference_over_seeds(first: Sequence[Sequence[dict]], second: Sequence[Sequence[dict]]) -> OverSeeds:
    """How much better the second recipe is than the first, on the same items: seed by seed where both were trained with
    the same ones, in their order.

    Raises ValueError as `over_seeds` does, and where the numbers of seeds differ.
    """
    (a, clusters), (b, others) = _matrix(first), _matrix(second)
    if a.shape != b.shape or clusters != others:
        raise ValueError(
            "The two recipes have different seeds or items; give the same number of seeds on the same items."
        )
    return _summary(b - a, clusters, (-100.0, 100.0))


def _matrix(runs: Sequence[Sequence[dict]]) -> tuple[np.ndarray, list[Hashable]]:
    """(seeds, items) of 0 and 100, and the items' contexts."""
    if len(runs) < 2:
        raise ValueError("One seed has no spread. Train the recipe with two more seeds, or give its interval alone.")
    by_id = [{r["id"]: r for r in records} for records in runs]
    if not by_id[0] or any(records.keys() != by_id[0].keys() for records in by_id):
        raise ValueError("The seeds answered different items; evaluate all on the same ones.")
    ids = list(by_id[0])
    return np.array([[100.0 * r[i]["correct"] for i in ids] for r in by_id]), contexts(by_id[0][i] for i in ids)


def _summary(values: np.ndarray, clusters: Sequence[Hashable], bounds: tuple[float, float]) -> OverSeeds:
    from scipy.special import stdtrit

    of_items, of_seeds = values.mean(0), values.mean(1)
    count, mean, between = len(of_seeds), float(values.mean()), float(of_seeds.std(ddof=1))
    equal = (of_items == of_items[0]).all()
    error, freedom = (0.0, 1.0) if equal else effective_sample(of_items, clusters)[::2]
    parts = [(error**2, freedom), (between**2 / count, count - 1)]
    variance = sum(v for v, _ in parts)
    half = 0.0
    if variance:
        freedom = variance**2 / sum(v**2 / f for v, f in parts)
        half = float(stdtrit(freedom, 0.975)) * math.sqrt(variance)
    return OverSeeds(
        tuple(of_seeds.tolist()), mean, between, error, max(bounds[0], mean - half), min(bounds[1], mean + half)
    )
