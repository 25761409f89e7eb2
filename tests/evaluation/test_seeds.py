"""Several seeds of one recipe: their spread beside the items' interval."""

import numpy as np
import pytest

from forge_lib.evaluation.intervals import cluster_interval
from forge_lib.evaluation.seeds import difference_over_seeds, over_seeds


def seeds(*accuracies, items=200, rng=None):
    rng = rng or np.random.default_rng(0)
    return [[{"id": n, "context": n // 5, "correct": bool(rng.random() < a)} for n in range(items)] for a in accuracies]


def test_the_summary_holds_both_spreads():
    found = over_seeds(seeds(0.3, 0.3, 0.3))
    assert found.mean == pytest.approx(np.mean(found.means)) and found.between == pytest.approx(
        np.std(found.means, ddof=1)
    )
    assert 0 < found.low < found.mean < found.high < 100 and "over 3 seeds" in str(found)


def test_seeds_that_lie_apart_widen_the_interval():
    near, far = over_seeds(seeds(0.3, 0.3, 0.3)), over_seeds(seeds(0.1, 0.3, 0.5))
    assert far.between > 3 * near.between and far.high - far.low > 2 * (near.high - near.low)


def test_seeds_that_are_equal_leave_the_items_interval():
    [one] = seeds(0.3)
    found = over_seeds([one, one, one])
    low, high = cluster_interval([r["correct"] for r in one], [r["context"] for r in one])
    assert found.between == 0 and found.high - found.low == pytest.approx(100 * (high - low), rel=0.05)


def test_a_difference_is_taken_seed_by_seed():
    first, second = seeds(0.2, 0.3, 0.4), seeds(0.4, 0.5, 0.6, rng=np.random.default_rng(5))
    found = difference_over_seeds(first, second)
    assert found.mean == pytest.approx(over_seeds(second).mean - over_seeds(first).mean)
    assert found.low > 0 and found.between < over_seeds(first).between, "what both seeds share falls out"


def test_what_cannot_be_compared_is_a_sentence():
    with pytest.raises(ValueError, match="One seed has no spread"):
        over_seeds(seeds(0.3))
    with pytest.raises(ValueError, match="different items"):
        over_seeds([*seeds(0.3), *seeds(0.3, items=10)])
    with pytest.raises(ValueError, match="different seeds"):
        difference_over_seeds(seeds(0.3, 0.3), seeds(0.3, 0.3, 0.3))
