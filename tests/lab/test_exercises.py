"""The checkers of the exercises: what counts as right, as not attempted, and what a mistake is told."""

import pytest
import torch

from forge_lib.lab.exercises import check, predict


def half(x):
    return x / 2


@pytest.mark.parametrize(
    ("answer", "cases", "said"),
    [
        (half, [((4,), 2.0, "")], "half: correct."),
        (
            half,
            [((4,), 2.0, ""), ((5,), 2.0, "Round down.")],
            "For (5,) it gives 2.5, and should give 2.0. Round down.",
        ),
        (lambda x: ..., [((4,), 2.0, "")], "not attempted yet"),
        (..., [((4,), 2.0, "")], "not attempted yet"),
        (None, [((4,), 2.0, "")], "not attempted yet"),
        (lambda x: x / 0, [((4,), 2.0, "Two, not zero.")], "ZeroDivisionError: division by zero. Two, not zero."),
        (lambda: 1, [((4,), 2.0, "It takes one argument.")], "TypeError"),
    ],
)
def test_what_a_learner_is_told(answer, cases, said, capsys):
    check("half", answer, cases)
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("got", "expected", "right"),
    [
        (0.1 + 0.2, 0.3, True), (1, 1.0, True), (torch.tensor(0.5), 0.5, True), (0.31, 0.3, False), ("0.3", 0.3, False),
        ([0.1 + 0.2, 1], [0.3, 1], True), ((0.3, "a"), (0.1 + 0.2, "a"), True), ([0.3], [0.3, 0.3], False),
        ({"p": 0.1 + 0.2}, {"p": 0.3}, True), ({"p": 0.3}, {"q": 0.3}, False), (float("nan"), float("nan"), True),
        (torch.ones(2), torch.ones(2), True), (torch.ones(2), torch.ones(3), False), (torch.ones(2), torch.zeros(2), False),
        (torch.ones(2), 1.0, False), (torch.ones(2), True, False), ([1.0, 1.0], torch.ones(2), False),
        ("better", "better", True), (True, False, False),
    ],
)  # fmt: skip
def test_what_counts_as_right(got, expected, right, capsys):
    check("exercise", lambda: got, [((), expected, "")])
    assert ("correct" in capsys.readouterr().out) is right


@pytest.mark.parametrize(
    ("guess", "truth", "shown", "close"),
    [(2, 2.1, "2.1", True), (2, 3, "3", False), ("a", "a", "a", True), (0.0, 0.0, "0", True), (1.0, 0.0, "0", False)],
)
def test_a_guess_stands_beside_the_truth(guess, truth, shown, close, capsys):
    predict("How many?", guess, truth)
    said = capsys.readouterr().out
    assert f"your guess: {guess}\n" in said and f"measured:   {shown} " in said and ("close" in said) is close
