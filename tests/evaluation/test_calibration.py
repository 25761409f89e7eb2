"""Confidence against verdicts: bins and errors by hand, an interval that holds what it should."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from forge_lib.evaluation.calibration import (
    answer_confidences,
    calibration_error,
    calibration_interval,
    reliability,
    reliability_diagram,
)


def test_bins_and_error_by_hand():
    sure, right = [0.1, 0.3, 0.9, 1.0], [False, True, True, False]
    found = reliability(sure, right, bins=2)
    assert [(b["low"], b["items"], b["accuracy"]) for b in found] == [(0.0, 2, 0.5), (0.5, 2, 0.5)]
    assert [b["confidence"] for b in found] == pytest.approx([0.2, 0.95])
    assert calibration_error(sure, right, bins=2) == pytest.approx(0.5 * 0.3 + 0.5 * 0.45)


def test_perfect_and_hopeless():
    assert calibration_error([1.0, 0.0], [True, False]) == 0
    assert calibration_error([1.0, 0.0], [False, True]) == 1


@pytest.mark.parametrize(
    ("sure", "right", "said"), [([], [], "at least|one at least"), ([0.5], [True, False], "1 confidences and 2"), ([1.2], [True], "0 to 1"),
                                ([float("nan")], [True], "0 to 1")],
)  # fmt: skip
def test_what_is_no_confidence_is_a_sentence(sure, right, said):
    with pytest.raises(ValueError, match=said):
        calibration_error(sure, right)


def test_the_interval_of_a_model_that_is_too_sure_lies_around_its_error():
    rng = np.random.default_rng(0)
    sure, right = np.full(400, 0.95), rng.random(400) < 0.6
    low, high = calibration_interval(sure, right, np.repeat(range(40), 10), draws=300)
    assert low < calibration_error(sure, right) < high and low > 0.25 and high < 0.45
    with pytest.raises(ValueError, match="one database"):
        calibration_interval([0.5], [True], ["a"])


def test_confidence_is_the_mean_probability_of_the_tokens(tiny_llama, tokenizer):
    asked = [{"role": "user", "content": "What is tea?"}]
    [found] = answer_confidences(tiny_llama, tokenizer, [asked], ["A drink"])
    assert found == pytest.approx(1 / len(tokenizer), rel=0.5)  # a random model: about the same for all words


def test_the_diagram_has_a_point_a_bin():
    ax = reliability_diagram(reliability([0.1, 0.3, 0.9], [False, True, True]), plt.figure().subplots())
    assert [t.get_text() for t in ax.texts] == ["1", "1", "1"]
    plt.close(ax.figure)
