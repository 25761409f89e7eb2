import re

import matplotlib

from forge_lib.figures import COLOURS, length_histogram, token_colours, training_curve

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
