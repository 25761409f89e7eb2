"""Several answers a question: pass@k, recall@k, vote@k."""

import itertools

import pytest

from forge_lib.evaluation.sampling import Sampled, pass_at_k, recall_at_k, sampling_table, vote_at_k


@pytest.mark.parametrize("right", range(7))
def test_pass_at_k_is_the_share_of_all_choices(right):
    answers = [n < right for n in range(6)]
    for k in range(1, 7):
        choices = list(itertools.combinations(answers, k))
        assert pass_at_k(right, 6, k) == pytest.approx(sum(any(c) for c in choices) / len(choices))


def test_a_vote_counts_what_answers_stand_for():
    votes, correct = ("a", "b", "b", None, None, None), (False, True, True, False, False, False)
    item = Sampled("1", "shop", correct, votes)
    assert [vote_at_k(item, k) for k in (1, 2, 3, 6)] == [0, 0, 1, 1], (
        "a tie goes to the earliest, no vote counts for none"
    )
    assert vote_at_k(Sampled("1", "shop", (True, False), (None, None)), 2) == 1
    assert 0.4 < vote_at_k(item, 3, draws=400) < 0.9 and vote_at_k(item, 6, draws=3) == 1


def test_the_table_has_an_interval_on_each_number():
    items = [Sampled(str(n), f"d{n % 5}", (n % 3 == 0, n % 2 == 0), ("x", "y")) for n in range(30)]
    table = sampling_table(items, [1, 2])
    assert table.loc[2, "pass@k"] == table.loc[2, "recall@k"] == pytest.approx(100 * 20 / 30)
    assert table.loc[2, "vote@k"] == table.loc[1, "recall@k"] == pytest.approx(100 * 10 / 30)
    assert all(
        table[f"{c} low"].le(table[c]).all() and table[f"{c} high"].ge(table[c]).all() for c in ("pass@k", "vote@k")
    )
    assert "vote@k" not in sampling_table([Sampled("1", "a", (True, False))], [1])


def test_more_answers_than_there_are_is_a_sentence():
    with pytest.raises(ValueError, match="sample more"):
        recall_at_k(Sampled("1", "shop", (True,)), 2)
    with pytest.raises(ValueError, match="k is 0"):
        pass_at_k(1, 8, 0)
    with pytest.raises(ValueError, match="no item"):
        sampling_table([], [1])
