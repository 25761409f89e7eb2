import re

import matplotlib

from forge_lib.lab.figures import (
    COLOURS,
    accuracy_bars,
    error_bars,
    learning_curve,
    length_histogram,
    noise_curve,
    token_colours,
    training_curve,
)

matplotlib.use("Agg")


def new_axes():
    from matplotlib.figure import Figure

    return Figure().subplots()


def test_exactly_the_tokens_with_loss_are_marked_and_angle_brackets_survive():
    page = token_colours(["<|im_start|>", "SELECT", " 1"], [False, True, True]).data
    assert re.findall(r"<b [^>]*>(.*?)</b>", page) == ["SELECT", " 1"]
    assert "&lt;|im_start|&gt;" in page


def test_figures_draw_on_the_axes_they_get_and_return_them():
    ax = new_axes()
    assert length_histogram([3, 4, 5], 8, ax) is ax
    assert [line.get_xdata()[0] for line in ax.lines] == [8]


def test_a_curve_of_fewer_steps_than_the_running_mean_is_drawn():
    ax = training_curve([{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0, "validation_loss": 1.5}], new_axes())
    assert ax.lines[-1].get_color() == COLOURS[1]


def test_error_bars_end_where_a_value_can_be_and_are_never_negative():
    """A share's bars reached below zero, and a rounding error below the mean is refused by matplotlib."""
    below, above = error_bars([0.1, 1.0], [-0.3, 1.0 + 1e-12], [0.5, 1.3], least=0, most=1)
    assert below.tolist() == [0.1, 0.0] and above.tolist() == [0.4, 0.0]


def test_bars_of_contenders_without_a_part_and_at_the_ends_are_drawn():
    rows = [{"contender": "gold", "seen": 100.0, "seen_low": 99.0, "seen_high": 100.0},
            {"contender": "odd", "seen": 50.0, "seen_low": 50.0 + 1e-9, "seen_high": 120.0}]  # fmt: skip
    ax = accuracy_bars(rows, new_axes())
    assert len(ax.patches) == 4
    points = [{"pairs": 10, "accuracy": 1.0, "low": -2.0, "high": 3.0}]
    segments = learning_curve(points, new_axes()).collections[0].get_segments()
    assert segments[0].min(axis=0)[1] == 0


def test_the_noise_curve_stands_in_order_with_every_training():
    points = [{"share": 0.3, "accuracy": 10.0, "low": 5.0, "high": 16.0, "seeds": [9.0, 11.0]},
              {"share": 0.0, "accuracy": 28.0, "low": 20.0, "high": 36.0}]  # fmt: skip
    ax = noise_curve(points, new_axes())
    assert [float(t.get_text()) for t in ax.get_xticklabels()] == [0, 30]
    assert ax.lines[0].get_ydata().tolist() == [28.0, 10.0]
    assert (
        ax.collections[-1].get_offsets().tolist() == [[30.0, 9.0], [30.0, 11.0]] and "95% interval" in ax.get_ylabel()
    )
