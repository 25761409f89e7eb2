import itertools

import numpy as np
import pytest

from forge_lib.evaluation.best_of_n import best_of_n, best_of_n_kl, best_of_n_table, overoptimisation
from forge_lib.evaluation.sampling import pass_at_k


@pytest.mark.parametrize("rewards", [[3, 1, 2, 5, 4], [1, 1, 2, 2, 0], [0, 0, 0, 0, 0]])
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_the_closed_form_is_the_mean_over_all_draws(rewards, n):
    values = [1, 0, 0, 1, 1]

    def chosen(draw):
        best = max(rewards[i] for i in draw)
        return np.mean([values[i] for i in draw if rewards[i] == best])

    # Of a tie, each is as likely to be drawn along; over all draws that is the mean of the whole tie.
    wanted = np.mean([chosen(draw) for draw in itertools.combinations(range(5), n)])
    assert best_of_n(rewards, values, n) == pytest.approx(wanted)


def test_a_perfect_reward_is_pass_at_k_and_one_answer_is_the_mean():
    correct = [True, False, False, True, False, False, False, False]
    for n in (1, 2, 5, 8):
        assert best_of_n(correct, correct, n) == pytest.approx(pass_at_k(2, 8, n))
    assert best_of_n([5, 1, 2, 3, 0, 9, 8, 7], correct, 1) == pytest.approx(0.25)


@pytest.mark.parametrize("n", [0, 3])
def test_more_than_were_made_is_a_sentence(n):
    with pytest.raises(ValueError, match=f"n is {n}, and there are 2 answers"):
        best_of_n([1, 2], [0, 1], n)


def test_overoptimisation_is_seen():
    """A reward that is right about the middle and wrong at its top: first it helps, then it harms, while it rises."""
    rewards, correct = [[0, 1, 2, 3, 4, 5, 6, 9]] * 4, [[False, False, False, True, True, True, True, False]] * 4
    table = best_of_n_table(rewards, correct, ["a", "b", "c", "d"])
    assert table.index.tolist() == [1, 2, 4, 8]
    right = table["right"].tolist()
    assert right[0] == 50 and right[1] > 50 and right[3] == 0
    assert table["reward"].is_monotonic_increasing and table["any right"].iloc[-1] == 100
    assert table["kl"].tolist() == pytest.approx([best_of_n_kl(n) for n in (1, 2, 4, 8)])
    assert (table["low"] <= table["right"]).all() and (table["right"] <= table["high"]).all()
    with pytest.raises(ValueError, match="no item"):
        best_of_n_table([], [], [])


def test_the_figure_returns_its_axes_and_names_what_it_shows():
    from matplotlib.figure import Figure

    figure = Figure()
    ax = figure.subplots()
    table = best_of_n_table([[2.0, 1.0]] * 3, [[False, True]] * 3, ["a", "b", "c"], [1, 2])
    assert overoptimisation(table, ax) is ax
    assert "nats" in ax.get_xlabel() and len(ax.get_legend().get_texts()) == 3
    figure.canvas.draw()
