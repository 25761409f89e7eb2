"""Intervals by cluster: they hold the truth as often as they say, on the cluster sizes of the frozen test."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import binomtest, norm

from benchmarks.interval_coverage import cluster_sizes, coverage
from forge_lib.evaluation.intervals import _satterthwaite, _tango, _wilson, cluster_interval, effective_sample
from forge_lib.evaluation.statistics import FEW, interval_note

SIZES = cluster_sizes()
WORLDS = 120  # 95% of them are good to ± 4 points: below, a way is refused that falls clearly short


def test_the_sizes_are_those_of_the_frozen_test():
    assert sum(SIZES["all"]) == sum(sum(SIZES[name]) for name in ("seen", "unseen", "hard"))
    assert len(SIZES["unseen"]) < FEW <= len(SIZES["seen"])


@pytest.mark.parametrize("part", SIZES)
@pytest.mark.parametrize("truth, alike", [((0.3,), 0.0), ((0.3,), 0.15), ((0.9,), 0.05), ((0.1, 0.04), 0.05), ((0.25, 0.01), 0.15)])  # fmt: skip
def test_95_percent_is_kept(part, truth, alike):
    """The percentile bootstrap came to 85% on six databases, and to 91% on all where they differ."""
    assert coverage(SIZES[part], truth, alike, WORLDS, all_ways=False)["cluster_interval"]["coverage"] >= 90


def test_the_percentile_bootstrap_falls_short_where_ours_does_not():
    found = coverage(SIZES["unseen"], (0.3,), 0.05, WORLDS)
    assert found["percentile bootstrap"]["coverage"] < 92 < found["cluster_interval"]["coverage"]
    assert found["cluster_interval"]["width"] < found["studentized bootstrap"]["width"]


def test_clusters_of_one_are_wilsons_interval():
    exact = binomtest(12, 40).proportion_ci(0.95, "wilson")
    assert _wilson(0.3, 40, norm.ppf(0.975)) == pytest.approx((exact.low, exact.high))
    low, high = cluster_interval([1] * 120 + [0] * 280, range(400))
    assert (low, high) == pytest.approx(tuple(binomtest(120, 400).proportion_ci(0.95, "wilson")), abs=1e-3)


@pytest.mark.parametrize("gained, lost, count", [(12, 3, 50), (5, 0, 100), (0, 7, 40), (30, 30, 363)])
def test_a_difference_is_tangos_interval(gained, lost, count):
    """Its ends are where the score test, with the likeliest nuisance under that difference, is just refused."""

    def score(theta):
        def unlikely(q):
            cells = np.maximum([q + theta, q, 1 - 2 * q - theta], 1e-300)
            return -np.dot([gained, lost, count - gained - lost], np.log(cells))

        least, most = max(0, -theta), (1 - theta) / 2
        q = minimize_scalar(unlikely, bounds=(least, most), method="bounded", options={"xatol": 1e-12}).x
        return (gained - lost - count * theta) / np.sqrt(count * (2 * q + theta * (1 - theta)))

    middle = (gained - lost) / count
    low = brentq(lambda x: score(x) - 1.96, -0.99, middle - 1e-6)
    high = brentq(lambda x: score(x) + 1.96, middle + 1e-6, 0.99)
    assert _tango(gained / count, lost / count, count, 1.96) == pytest.approx((low, high), abs=1e-4)


def test_degrees_of_freedom_are_those_of_the_quadratic_form():
    sizes = np.array([34] * 6 + [6] * 24 + [5] * 3)
    project = np.eye(33) - np.outer(sizes, np.ones(33)) / sizes.sum()
    spread = project.T @ project @ np.diag(sizes * (1 + 0.15 * (sizes - 1)))
    factor, freedom = _satterthwaite(sizes)
    assert freedom == pytest.approx(np.trace(spread) ** 2 / np.trace(spread @ spread)) and freedom < 10
    assert factor == pytest.approx((sizes * (1 + 0.15 * (sizes - 1))).sum() / np.trace(spread))
    assert _satterthwaite(np.full(20, 5))[1] == pytest.approx(19)


def test_items_of_a_cluster_that_agree_are_worth_fewer():
    agree = effective_sample([n // 10 % 2 for n in range(100)], [n // 10 for n in range(100)])
    differ = effective_sample([n % 2 for n in range(100)], [n // 10 for n in range(100)])
    assert agree[1] < 12 and differ[1] == pytest.approx(100)


def test_values_between_the_bounds_stay_between_them():
    """recall@k by item, partial credit: shares that are neither 0 nor 1."""
    low, high = cluster_interval([0.0] * 9 + [0.25], range(10))
    assert 0 <= low < 0.025 < high < 0.3
    assert cluster_interval([10, 20, 40], range(3), bounds=(0, 100))[1] <= 100
    with pytest.raises(ValueError, match="outside their bounds"):
        cluster_interval([10, 20], range(2))


def test_another_level_is_another_width():
    values = [1, 0, 0] * 20
    narrow, wide = (cluster_interval(values, range(60), level) for level in (0.5, 0.99))
    assert wide[0] < narrow[0] < 1 / 3 < narrow[1] < wide[1]


@pytest.mark.parametrize("databases", [2, 3, 6, 9, 19])
def test_few_databases_hold_the_truth_and_say_that_they_are_few(databases):
    """Percentiles of the bootstrap held it in 50% (two databases) to 89% (ten) of the worlds."""
    found = coverage([20] * databases, (0.3,), 0.15, WORLDS, all_ways=False)["cluster_interval"]
    assert found["coverage"] >= 90
    note = interval_note(np.repeat(np.arange(databases), 20))
    assert note.startswith(f"{databases} databases are few") == (databases < FEW)
