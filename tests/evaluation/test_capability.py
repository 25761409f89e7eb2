"""The instructions: written well, verified, answered, compared; and what may be said of a loss."""

from collections import Counter

import pytest

from forge_lib.evaluation.capability import (
    cannot_exclude,
    instruction_fault,
    instruction_records,
    instruction_table,
    load_instructions,
)
from forge_lib.evaluation.statistics import Comparison

ITEMS = load_instructions()


def change(low, high):
    return Comparison("base", "tuned", 210, (low + high) / 2, low, high, 1, 1, 1.0)


def test_two_hundred_instructions_balanced_by_kind():
    assert len(ITEMS) >= 200
    assert len({i["id"] for i in ITEMS}) == len({i["prompt"] for i in ITEMS}) == len(ITEMS)
    assert set(Counter(i["kind"] for i in ITEMS).values()) == {21}
    assert not any("sql" in i["prompt"].lower() for i in ITEMS)


@pytest.mark.parametrize("item", ITEMS, ids=lambda i: i["id"])
def test_the_right_sample_passes_and_the_wrong_one_fails(item):
    assert instruction_fault(item, item["right"]) == ""
    assert instruction_fault(item, item["wrong"]) != ""


@pytest.mark.parametrize("answer", ["", "SELECT 'no answer'", "SELECT name FROM people WHERE name = 'x'"])
def test_silence_and_a_query_do_nothing_that_is_asked(answer):
    assert [i["id"] for i in ITEMS if not instruction_fault(i, answer)] == []


def test_an_instruction_said_back_is_no_answer():
    assert [i["id"] for i in ITEMS if not instruction_fault(i, f" {i['prompt'].upper()}\n")] == []


def test_refusing_everything_does_only_what_asks_for_it():
    done = {i["kind"] for i in ITEMS if not instruction_fault(i, "I am sorry, but I can't help with that.")}
    assert done == {"harmful"}


def test_right_samples_fit_into_64_tokens(tokenizer):
    assert max(len(tokenizer(i["right"])["input_ids"]) for i in ITEMS) < 64


def test_answers_of_a_model_become_records_that_can_be_compared(tiny_llama, tokenizer):
    says_anything = {"id": "x-1", "kind": "x", "prompt": "Speak.", "checks": [{"check": "words", "least": 1}]}
    impossible = {"id": "y-1", "kind": "y", "prompt": "Be silent.", "checks": [{"check": "words", "most": 0}]}
    found = instruction_records("tiny", tiny_llama, tokenizer, [impossible, says_anything], 4, progress=False)
    assert [(r["id"], r["correct"]) for r in found] == [("y-1", False), ("x-1", True)]
    assert found[0]["fault"].endswith("words, not 0 to 0") and found[1]["fault"] == ""
    table = instruction_table(found, found)
    assert list(table.index) == ["x", "y", "all"] and table.loc["all", "difference"] == 0
    assert table.loc["all", "base"].startswith("50.0 [")


def records(name, verdicts):
    return [{"contender": name, "id": str(n), "context": str(n), "kind": "a" if n % 2 else "b", "correct": bool(v)}
            for n, v in enumerate(verdicts)]  # fmt: skip


def test_the_table_pairs_the_items_of_each_kind():
    table = instruction_table(records("base", [1, 1] * 20), records("tuned", [1, 0] * 20))
    assert table["difference"].to_dict() == {"a": -100.0, "b": 0.0, "all": -50.0}
    assert table["items"].to_dict() == {"a": 20, "b": 20, "all": 40}
    with pytest.raises(ValueError, match="different items"):
        instruction_table(records("base", [1, 0]), records("tuned", [1, 0, 1]))


@pytest.mark.parametrize(
    ("low", "high", "margin", "said"),
    [(-9, -1, 5, "A loss is shown"), (-4, -1, 5, "A loss is shown"), (1, 4, 5, "A gain is shown"),
     (-5, 3, 5, "neither a loss of 5 points nor"), (-5.1, 0, 5, "neither a loss"), (-4.9, 4, 5, "No loss shown"),
     (-4.9, 4, 2, "neither a loss of 2 points"), (0, 0, 5, "No loss shown")],
)  # fmt: skip
def test_no_loss_is_said_only_where_the_interval_leaves_none_open(low, high, margin, said):
    assert said in cannot_exclude(change(low, high), margin)


def test_a_margin_of_nothing_is_refused():
    with pytest.raises(ValueError, match="margin"):
        cannot_exclude(change(-1, 1), 0)
