"""The judge's verdicts are read as they were said, and what is wrong with a judge is measured."""

import math
import random
from types import SimpleNamespace

import pytest

from forge_lib.evaluation.judge import (
    Duel,
    cohen_kappa,
    judge_pairs,
    judge_scores,
    local_ask,
    pair_report,
    score_report,
    verdict,
)
from forge_lib.models.endpoint import Reply
from forge_lib.tasks.sql.pairs import Pair


def says(choose):
    """A judge that is a function of the two answers as shown (first, second)."""

    def ask(messages, max_tokens):
        shown = messages[-1]["content"]
        answers = shown.partition("# Answer")[2].split("\n\n# Answer B\n")
        return Reply(choose(*(a.removeprefix(" A\n").removeprefix("\n") for a in answers)), 1, 1, 0.1, True)

    return ask


@pytest.fixture
def duels(library):
    """Forty pairs on ten databases: right against wrong, one in four two wrong ones; the longer is right in half."""
    items = [Pair(f"i{n}", f"d{n % 10}", f"Question {n}?", "SELECT 1") for n in range(40)]
    data = SimpleNamespace(messages=lambda item, shots=(): [{"role": "system", "content": "Schema"}, {"role": "user", "content": item.question}])  # fmt: skip
    made = []
    for n, item in enumerate(items):
        right, wrong = ("right but longer", "wrong") if n % 2 else ("right", "wrong but longer")
        if n % 4 == 3:
            made.append(Duel(item, "wrong", "wrong but longer", False, False))
        else:
            made.append(Duel(item, right, wrong, True, False) if n % 3 else Duel(item, wrong, right, False, True))
    return data, made


# --- what a judge said -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Verdict: A", "A"), ("verdict: tie", "TIE"), ("**Verdict:** B.", "B"), ("Verdict is answer A", "A"), ("A", "A"), ("Answer B.", "B"),
        ("At first Verdict: A, but then no.\nVerdict: B", "B"), ("A joins the wrong table.", None), ("", None), ("Verdict: both", None),
        ("Verdict: A or B? I say TIE", "A"), ("Better: B", None), ("Verdict: Apples", None), ('"A"', "A"),
    ],
)  # fmt: skip
def test_a_verdict_is_read_as_it_was_said(said, found):
    assert verdict(said) == found


def test_a_score_is_one_of_five():
    assert [verdict(s, "12345") for s in ("Verdict: 4", "5", "Verdict: 3/5", "Verdict: 7", "I give 4")] == [
        "4",
        "5",
        "3",
        None,
        None,
    ]


def test_each_pair_is_asked_in_both_orders_with_the_tasks_prompt(duels):
    data, made = duels
    shown = []

    def ask(messages, max_tokens):
        shown.append((messages, max_tokens))
        return Reply("Verdict: A", 1, 1, 0.1, True)

    [record] = judge_pairs(ask, data, made[:1], 9)
    assert len(shown) == 2 and all("Schema" in m[-1]["content"] and "Question 0?" in m[-1]["content"] for m, _ in shown)
    first, swapped = (m[-1]["content"] for m, _ in shown)
    assert (
        first.index("# Answer A\nwrong") < first.index("# Answer B\nright") and swapped.index("# Answer A\nright") > 0
    )
    assert (record["first"], record["swapped"], record["winner"], record["truth"]) == ("A", "B", "TIE", "B")
    assert shown[0][1] == 9


# --- what is wrong with it -------------------------------------------------------------------------------------------


def test_a_good_judge_agrees_and_has_no_bias(duels):
    def knows(a, b):
        good = [x.startswith("right") for x in (a, b)]
        return f"Verdict: {'TIE' if good[0] == good[1] else 'A' if good[0] else 'B'}"

    found = pair_report(judge_pairs(says(knows), *duels))
    assert found["agreement"]["value"] == found["consistent"]["value"] == found["kappa"] == 1
    assert (
        found["first_shown"]["value"] == 0.5
        and found["longer_wins"]["value"] == pytest.approx(0)
        and found["unparsable"] == 0
    )


def test_a_judge_that_takes_the_first_is_found_out(duels):
    found = pair_report(judge_pairs(says(lambda a, b: "A"), *duels))
    assert (
        found["first_shown"]["value"] == 1 and found["first_shown"]["low"] > 0.9 and found["consistent"]["value"] == 0
    )
    assert found["kappa"] == 0, "always a tie, for each pair contradicts itself"


def test_a_judge_that_takes_the_longer_is_found_out(duels):
    found = pair_report(judge_pairs(says(lambda a, b: "A" if len(a) > len(b) else "B"), *duels))
    assert found["first_shown"]["value"] == 0.5 and found["consistent"]["value"] == 1
    assert found["longer_wins"]["value"] == pytest.approx(1) and found["longer_wins"]["low"] > 0.5
    shorter = pair_report(judge_pairs(says(lambda a, b: "B" if len(a) > len(b) else "A"), *duels))
    assert shorter["longer_wins"]["value"] == pytest.approx(-1)


def test_where_the_longer_is_always_right_a_bias_cannot_be_told_from_knowing(duels):
    data, made = duels
    longer = [d for d in made if d.truth != "TIE" and (d.truth == "A") == (len(d.a) > len(d.b))]
    assert pair_report(judge_pairs(says(lambda a, b: "A"), data, longer))["longer_wins"] is None


def test_what_is_no_verdict_is_counted_and_not_taken_for_one(duels):
    data, made = duels
    talk = pair_report(judge_pairs(says(lambda a, b: "Both are interesting."), data, made))
    assert talk["unparsable"] == 80 and talk["agreement"] is talk["first_shown"] is talk["consistent"] is None
    assert math.isnan(talk["kappa"])
    once = judge_pairs(says(lambda a, b: "Verdict: A" if a.startswith("right") else "Hm."), data, made[:1])
    assert (once[0]["first"], once[0]["swapped"], once[0]["winner"]) == (None, "B", "B")


def test_a_rubric_is_held_against_execution(duels):
    data, made = duels
    answers = [(d.item, text, ok) for d in made for text, ok in ((d.a, d.a_right), (d.b, d.b_right))]
    ask = lambda good: lambda m, _: Reply(good(m[-1]["content"].rpartition("# Answer\n")[2]), 1, 1, 0.1, True)  # noqa: E731
    found = score_report(
        judge_scores(ask(lambda a: "Verdict: 5" if a.startswith("right") else "Verdict: 2"), data, answers)
    )
    assert (found["kappa"], found["right"]["value"], found["wrong"]["value"], found["unparsable"]) == (1, 5, 2, 0)
    assert math.isnan(found["length"])
    long = score_report(judge_scores(ask(lambda a: f"{min(5, len(a) // 4)}"), data, answers))
    assert long["length"] == pytest.approx(1) and long["kappa"] < 0.7
    mute = score_report(judge_scores(ask(lambda a: "very good"), data, answers))
    assert mute["unparsable"] == 80 and mute["right"] is None


def test_kappa_is_that_of_sklearn():
    from sklearn.metrics import cohen_kappa_score

    rng = random.Random(0)
    for labels in ("AB", ["A", "B", "TIE"], range(1, 6)):
        first = rng.choices(list(labels), k=60)
        second = [x if rng.random() < 0.6 else rng.choice(list(labels)) for x in first]
        assert cohen_kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))
    assert cohen_kappa("AABB", "BBAA") == pytest.approx(-1)
    assert math.isnan(cohen_kappa("AA", "AA")) and math.isnan(cohen_kappa([], []))
    with pytest.raises(ValueError, match="same items"):
        cohen_kappa("AA", "A")


def test_a_model_in_this_process_can_be_asked(tokenizer, tiny_llama):
    reply = local_ask(tiny_llama, tokenizer)([{"role": "user", "content": "A or B?"}], 5)
    assert isinstance(reply, Reply) and reply.prompt_tokens > 5 and 0 < reply.completion_tokens <= 5
