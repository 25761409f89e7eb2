"""How many items it takes to see a difference: power of a paired comparison, by formula and by simulation."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from forge_lib.evaluation.intervals import cluster_interval
from forge_lib.evaluation.statistics import mcnemar


@dataclass(frozen=True)
class PairedDesign:
    """What the power of a paired comparison hangs on, beside the number of items and the difference."""

    discordant: float  # share of items (0 to 1) on which one contender is right and the other wrong
    alike: float  # intra-cluster correlation of the changes, 0 to 1
    cluster_size: float  # items that the cluster of an item has, on average over items

    @property
    def design_effect(self) -> float:
        """Times as many items as independent ones that are needed (Kish 1965)."""
        return 1 + (self.cluster_size - 1) * self.alike


def measured_design(change: Sequence[float], clusters: Sequence[Hashable]) -> PairedDesign:
    """The design of a comparison that was made: change (n,) of -1, 0 and 1, clusters (n,).

    The correlation is the analysis of variance's (Donner 1986), no less than 0. Of a few databases it is a rough guess.

    >>> measured_design([1, 1, 0, 0, -1, 0, 1, 0], list("aabbccdd")).discordant
    0.5
    """
    change = np.asarray(change, dtype=float)
    _, index = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    sums, sizes, count = np.bincount(index, change), np.bincount(index), len(change)
    groups = len(sizes)
    typical = (count - (sizes**2).sum() / count) / max(1, groups - 1)
    between = float((sizes * (sums / sizes - change.mean()) ** 2).sum()) / max(1, groups - 1)
    within = float(((change - (sums / sizes)[index]) ** 2).sum()) / max(1, count - groups)
    whole = between + (typical - 1) * within
    alike = max(0.0, (between - within) / whole) if whole and 1 < groups < count else 0.0
    return PairedDesign(float((change != 0).mean()), alike, float((sizes**2).sum() / count))


def items_needed(design: PairedDesign, points: float, power: float = 0.8, level: float = 0.95) -> int:
    """Items with which a true difference of `points` (percent) is called significant with probability `power`.

    McNemar's test by its normal approximation (Miettinen 1968; Connor 1987, https://doi.org/10.2307/2531961), times the
    design effect: n = (z_level √ψ + z_power √(ψ - δ²))² / δ², with ψ the discordant share and δ the difference. The items
    beyond those that there are come with new databases of the same size. Raises ValueError for a difference that is 0 or
    larger than the discordant share.

    >>> items_needed(PairedDesign(0.10, 0.0, 1), 3), items_needed(PairedDesign(0.10, 0.05, 11), 3)
    (870, 1305)
    """
    from scipy.special import ndtri

    delta = _difference(design, points)
    wanted = ndtri((1 + level) / 2) * math.sqrt(design.discordant)
    wanted += ndtri(power) * math.sqrt(max(0.0, design.discordant - delta**2))
    return math.ceil(design.design_effect * (wanted / delta) ** 2)


def power_of(design: PairedDesign, points: float, items: int, level: float = 0.95) -> float:
    """Probability (0 to 1) that `items` call a true difference of `points` significant: the formula of `items_needed`.

    >>> round(power_of(PairedDesign(0.10, 0.0, 1), 3, 870), 2)
    0.8
    """
    from scipy.special import ndtr, ndtri

    delta, worth = _difference(design, points), items / design.design_effect
    room = math.sqrt(max(1e-12, design.discordant - delta**2))
    return float(ndtr((delta * math.sqrt(worth) - ndtri((1 + level) / 2) * math.sqrt(design.discordant)) / room))


def simulated_power(design: PairedDesign, points: float, items: int, worlds: int = 300, seed: int = 17) -> float:
    """The same by simulation of the course's own verdict: interval by cluster without zero, and McNemar's p < 0.05.

    Clusters are drawn with their own shares of gained and lost items (Dirichlet with the design's correlation). It is
    the stricter figure: the formula knows nothing of exact tests, nor of intervals that must hold with few databases.

    >>> simulated_power(PairedDesign(0.3, 0.0, 1), 20, 200, worlds=20)
    1.0
    """
    delta, rng = _difference(design, points), np.random.default_rng(seed)
    truth = np.array([design.discordant + delta, design.discordant - delta, 2 - 2 * design.discordant]) / 2
    clusters = np.arange(items) // max(1, round(design.cluster_size))
    seen = 0
    for _ in range(worlds):
        shares = np.broadcast_to(truth, (clusters[-1] + 1, 3))
        if design.alike > 0:
            drawn = rng.gamma(np.maximum(truth * (1 / design.alike - 1), 1e-12), size=shares.shape)
            shares = drawn / drawn.sum(1, keepdims=True)
        luck, (gained, lost) = rng.random(items), shares[clusters, :2].T
        change = np.where(luck < gained, 1, np.where(luck < gained + lost, -1, 0))
        low, high = cluster_interval(change, clusters, bounds=(-1, 1))
        seen += (low > 0 or high < 0) and mcnemar(int((change < 0).sum()), int((change > 0).sum())) < 0.05
    return seen / worlds


def _difference(design: PairedDesign, points: float) -> float:
    """|points| as a share, checked against the design."""
    delta = abs(points) / 100
    if not 0 < delta <= design.discordant:
        raise ValueError(
            f"A difference of {points:g} points cannot be where contenders differ on {100 * design.discordant:.1f}% of the items; "
            "ask for one above 0 and up to that."
        )
    return delta
