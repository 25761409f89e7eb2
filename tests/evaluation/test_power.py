"""How many items a difference takes: formula against simulation, and what a comparison says of its design."""

import numpy as np
import pytest

from forge_lib.evaluation.power import PairedDesign, items_needed, measured_design, power_of, simulated_power


def test_the_formula_and_the_simulation_agree():
    design = PairedDesign(0.2, 0.0, 1)
    items = items_needed(design, 10)
    assert simulated_power(design, 10, items, worlds=120) == pytest.approx(0.8, abs=0.12)
    assert power_of(design, 10, items) == pytest.approx(0.8, abs=0.01)


def test_the_verdict_is_wrong_in_five_of_a_hundred_at_most():
    """Without a difference (here one of a hundredth of a point) nothing should be called significant."""
    assert simulated_power(PairedDesign(0.2, 0.1, 10), 0.01, 300, worlds=150, seed=1) <= 0.09


def test_clusters_that_agree_ask_for_more_items():
    alone, alike = PairedDesign(0.15, 0.0, 11), PairedDesign(0.15, 0.1, 11)
    assert items_needed(alike, 3) == pytest.approx(2 * items_needed(alone, 3), rel=0.01)
    assert power_of(alike, 3, 363) < power_of(alone, 3, 363)


def test_smaller_differences_ask_for_more_items_and_impossible_ones_are_refused():
    design = PairedDesign(0.1, 0.0, 1)
    assert items_needed(design, 1) > 8 * items_needed(design, 3)
    for points in (0, 11):
        with pytest.raises(ValueError, match="cannot be"):
            items_needed(design, points)


def test_the_design_is_read_from_a_comparison():
    rng = np.random.default_rng(3)
    clusters = np.arange(4000) // 20
    gained = rng.beta(0.3 * 4, 0.7 * 4, 200)[clusters]  # correlation 1 / (1 + 4)
    found = measured_design((rng.random(4000) < gained).astype(int), clusters)
    assert found.alike == pytest.approx(0.2, abs=0.05) and found.cluster_size == 20
    assert found.discordant == pytest.approx(0.3, abs=0.05)
    for change, where in (([1, 0, -1], "abc"), ([0, 0, 0, 0], "aabb"), ([1, 0], "aa")):
        assert measured_design(change, list(where)).alike == 0
