"""What right answers cost, with one account of utilisation."""

import math
from dataclasses import replace

import pytest

from forge_lib.evaluation.economics import (
    Machine,
    Offer,
    Tariff,
    bought,
    break_even,
    cost_by_volume,
    for_who_pays,
    offer,
    offer_table,
    right_pick,
)

MACHINE, TARIFF = Machine(0.09, 0.5, "assumed"), Tariff(0.25, 2.0, "a price list")
TUNED = Offer("tuned", 30.0, 25.0, 35.0, 30.0, 240, 38, 2.0, MACHINE)
BASE = Offer("base", 1.0, 0.2, 3.0, 20.0, 400, 60, 4.0, MACHINE)
API = Offer("API", 80.0, 75.0, 85.0, 10.0, 240, 300, 2.0, TARIFF)


def records(right, wrong, silent):
    verdicts = [(True, True)] * right + [(False, True)] * wrong + [(False, False)] * silent
    return [{"contender": "SFT", "context": n % 12, "correct": c, "valid": v, "prompt_tokens": 200, "completion_tokens": 40,
             "seconds": 0.5} for n, (c, v) in enumerate(verdicts)]  # fmt: skip


def test_an_offer_is_read_from_records():
    found = offer(records(30, 50, 20), MACHINE)
    assert (found.name, found.right, found.runs_and_wrong, found.seconds) == ("SFT", 30, 50, 0.5)
    assert found.per_1000 == pytest.approx(1000 * 0.5 / 3600 * 0.09 / 0.5)
    assert found.per_1000_right == pytest.approx(found.per_1000 / 0.3)
    assert offer(records(30, 50, 20), MACHINE, seconds=2.0).per_1000 == pytest.approx(4 * found.per_1000)
    assert offer(records(30, 50, 20), TARIFF).per_1000 == pytest.approx(1000 * (200 * 0.25 + 40 * 2.0) / 1e6)
    with pytest.raises(ValueError, match="no answer to price"):
        offer([], MACHINE)


def test_utilisation_counts_once_and_everywhere_alike():
    """A machine kept busy at its share all the month costs the same by the call and by the month."""
    calls = MACHINE.capacity(2.0)
    assert MACHINE.a_month(calls, 2.0) == pytest.approx(calls * MACHINE.per_call(2.0)) == pytest.approx(0.09 * 730)
    assert MACHINE.a_month(calls + 1, 2.0) == pytest.approx(2 * 0.09 * 730), "one question more, one machine more"


def test_a_bought_machine_pays_for_its_power_while_it_waits_too():
    owned = bought(1000, 4, 90, 0.30, 0.25, "a shop")
    assert owned.per_hour == pytest.approx(1000 / (4 * 8760) + 0.09 * (0.25 + 0.75 / 3) * 0.30, rel=1e-3)
    for wrong in ((1000, 0, 90, 0.3), (-1, 4, 90, 0.3), (1000, 4, -90, 0.3)):
        with pytest.raises(ValueError, match="years of use"):
            bought(*wrong, 0.25, "a shop")


@pytest.mark.parametrize("per_hour, busy", [(0.1, 0), (0.1, 1.1), (-1, 0.5), (math.nan, 0.5)])
def test_a_machine_that_is_none_is_refused(per_hour, busy):
    with pytest.raises(ValueError, match="share above 0"):
        Machine(per_hour, busy, "assumed")


def test_break_even_is_where_the_bills_are_equal():
    volume = break_even(TUNED, API)
    assert TUNED.a_month(volume) == pytest.approx(API.a_month(volume))
    assert TUNED.a_month(0.9 * volume) > API.a_month(0.9 * volume)
    assert break_even(TUNED, API, "right answers") == pytest.approx(volume * 80 / 30)


def test_a_machine_that_is_full_before_it_paid_never_pays():
    slow = replace(TUNED, seconds=60.0)
    assert break_even(slow, API) is None
    assert all(slow.a_month(n) > API.a_month(n) for n in (1e3, 1e5, 1e7))
    assert break_even(TUNED, replace(API, right=0.0), "right answers") == 0, "from the first question"
    assert break_even(replace(TUNED, right=0.0), API, "right answers") is None
    with pytest.raises(ValueError, match="right answers"):
        break_even(TUNED, API, "calls")


def test_the_table_says_what_was_not_run_and_what_is_never_right():
    unknown = replace(API, right=math.nan, low=math.nan, high=math.nan, runs_and_wrong=math.nan)
    table = offer_table([TUNED, replace(BASE, right=0.0, low=0.0), unknown])
    assert table.loc["API", "right (%)"] == table.loc["API", "$ per 1,000 right"] == "not run"
    assert table.loc["base", "$ per 1,000 right"].startswith("inf")
    assert table.loc["tuned", "$ per 1,000 right"] == "0.333 [0.286, 0.400]"


def test_the_verdict_follows_from_the_numbers():
    said = " ".join(right_pick(TUNED, BASE, API))
    assert "not a matter of the prompt" in said and "pays from 99,545 questions a month" in said
    assert "50% are wrong" in said and f"more than {(0.66 - 0.1) / 1000 / 0.5:.4f} dollars" in said
    assert "Stay with base" in right_pick(TUNED, replace(BASE, right=28.0, low=22.0, high=33.0), API)[0]
    assert "does not pay by its price" in right_pick(replace(TUNED, seconds=60.0), BASE, API)[1]
    unknown = replace(API, right=math.nan, low=math.nan, high=math.nan)
    assert "was not measured here" in right_pick(TUNED, BASE, unknown)[2]
    assert "not shown to be right more often" in right_pick(TUNED, BASE, replace(API, low=30.0))[2]


def test_the_sentence_for_who_pays_adds_up_to_a_thousand():
    said = for_who_pays(TUNED)
    assert "300 right (250 to 350), 300 wrong" in said and "and 400 not at all" in said


def test_the_figure_has_a_line_an_offer_and_marks_the_break_even():
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert cost_by_volume([TUNED, API], ax) is ax
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["tuned", "API"]
    assert [t.get_text().strip() for t in ax.texts] == ["99,545"] and ax.get_xlim()[1] > 99_545
    assert list(cost_by_volume([replace(TUNED, seconds=60.0), API], Figure().subplots()).texts) == []
