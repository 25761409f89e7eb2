"""The points of the noise curve: an interval of items for one training, of items and seeds for several."""

import pytest

from benchmarks.label_noise import noise_points


def row(share, seed, right):
    items = [{"id": n, "context": n // 5, "verdict": "", "correct": (7 * n + seed) % 20 < right} for n in range(20)]
    return {"share": share, "seed": seed, "validation": items}


def test_a_share_is_a_point_with_its_trainings():
    clean, noisy = noise_points([row(0.3, 17, 5), row(0.0, 17, 10), row(0.0, 18, 12)])
    assert (clean["share"], clean["accuracy"], clean["seeds"]) == (0.0, pytest.approx(55), [50, 60])
    assert (noisy["accuracy"], noisy["seeds"]) == (25, [25])
    for point in (clean, noisy):
        assert 0 <= point["low"] < point["accuracy"] < point["high"] <= 100
