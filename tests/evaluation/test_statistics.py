"""Paired tests by cluster, and the family of planned comparisons."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from scipy.stats import permutation_test as scipy_permutation

from forge_lib.evaluation.statistics import (
    Comparison,
    compare,
    holm,
    non_inferiority,
    permutation_test,
    planned_table,
)

ONE = Comparison("base", "SFT", 100, 5.0, 1.0, 9.0, 5, 10, 0.03)


def test_signs_of_clusters_are_counted_as_scipy_counts_them():
    rng = np.random.default_rng(0)
    change, clusters = rng.choice([-1, 0, 1], 60, p=[0.1, 0.6, 0.3]), np.arange(60) // 6
    sums = [change[clusters == c].sum() for c in range(10)]
    theirs = scipy_permutation((sums,), np.sum, permutation_type="samples", n_resamples=np.inf).pvalue
    assert permutation_test(change, clusters) == pytest.approx(theirs)


def test_many_clusters_are_drawn_the_same_for_the_same_seed():
    rng = np.random.default_rng(1)
    change = rng.choice([-1, 0, 1], 300, p=[0.05, 0.8, 0.15])
    assert permutation_test(change, range(300)) == permutation_test(change, range(300)) < 0.01
    assert permutation_test([0] * 40, range(40)) == 1


def test_six_databases_can_say_no_less_than_two_in_64():
    change, clusters = [1] * 60, [n % 6 for n in range(60)]
    assert permutation_test(change, clusters) == 2 / 64
    assert permutation_test(change, range(60)) < 0.001, "by item it would have promised more"


def test_holm_is_the_one_of_the_books():
    """R: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm") and p.adjust(c(.001, .8, .012, .04), "holm")."""
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert holm([0.001, 0.8, 0.012, 0.04]) == pytest.approx([0.004, 0.8, 0.036, 0.08])
    assert holm([]) == [] and holm([0.9, 0.9]) == [1, 1]


def test_a_comparison_that_stands_alone_may_fall_in_a_family():
    assert ONE.significant
    table = planned_table([ONE, replace(ONE, second="GRPO", p_value=0.5, low=-1)])
    assert table["verdict"].tolist() == ["not significant", "not significant"]
    assert table["p (Holm)"].tolist() == [0.06, 0.5]
    assert planned_table([ONE])["verdict"].tolist() == ["significant"]


def test_compare_holds_the_test_by_database_and_old_comparisons_still_load():
    rows = [[{"contender": name, "id": n, "context": n % 3, "part": "seen", "correct": n % 4 < k} for n in range(24)]
            for name, k in (("a", 1), ("b", 3))]  # fmt: skip
    found = compare(*rows)
    assert found.permutation_p == 0.25 and found.p_value < 0.001
    old = {k: v for k, v in asdict(found).items() if k != "permutation_p"}
    assert str(Comparison(**old)) == str(found)


@pytest.mark.parametrize("low, margin, shown", [(-1.5, 2, True), (-2.0, 2, False), (-3, 2, False), (0.5, 1, True)])
def test_no_worse_is_a_matter_of_the_lower_end(low, margin, shown):
    found = non_inferiority(replace(ONE, low=low, difference=0.0), margin)
    assert found.shown is shown and ("no worse than that is shown" in str(found)) is shown


@pytest.mark.parametrize("margin", [0, -2, math.nan])
def test_a_margin_that_allows_nothing_is_refused(margin):
    with pytest.raises(ValueError, match="above 0"):
        non_inferiority(ONE, margin)
