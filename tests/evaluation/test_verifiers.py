"""Checks of an answer, each on an answer that passes and on ones that nearly do."""

import pytest

from forge_lib.evaluation.verifiers import CHECKS, verify

CASES = {
    "json_object": ({"keys": ["a"], "values": {"a": 1}}, ['{"a": 1}', '```json\n{"a": 1}\n```'],
                    ['{"a": true}', '{"a": "1"}', '{"a": 1, "b": 2}', "[1]", 'Here: {"a": 1}', "[" * 5000]),
    "json_list": ({"items": 2, "value": [1, 2]}, ["[1, 2]"], ["[1]", "[2, 1]", '{"a": [1, 2]}', "1, 2"]),
    "bullets": ({"count": 2}, ["- a\n- b", "Here:\n* a\n  * b"], ["- a", "- a\n- b\n- c", "-a\n-b"]),
    "numbered": ({"count": 2}, ["1. a\n2) b"], ["1. a", "- a\n- b", "1.5\n2.5"]),
    "lines": ({"count": 2}, ["a\n\nb"], ["a", "a\nb\nc"]),
    "words": ({"least": 2, "most": 3}, ["well-known facts", "it's a fact"], ["one", "one two three four", ""]),
    "sentences": ({"least": 2, "most": 2}, ["Go. Stop!", "Really?! Yes..."], ["Go", "Go. Stop. Wait."]),
    "upper": ({}, ["IT IS 7."], ["It IS", "7"]),
    "lower": ({}, ["it is 7."], ["It is", "7"]),
    "begins": ({"text": "Yes"}, ["Yes, do."], ["yes, do.", "Oh, Yes"]),
    "ends": ({"text": "snow."}, ["White snow.\n"], ["snow", "Snow!"]),
    "never": ({"text": [","]}, ["a b"], ["a, b"]),
    "never_word": ({"words": ["is"]}, ["this island"], ["It IS."]),
    "says": ({"any": ["tea", "hot milk"]}, ["Tea!", "some hot milk"], ["teapot", "milk, hot", ""]),
    "exactly": ({"text": "a-b"}, ["a-b", '"a-b"', "`a-b`\n"], ["A-b", "a-b.", 'x"a-b"']),
    "number": ({"value": 1500}, ["1,500", "3 x 500 = 1500.0", "$1500."], ["1501", "1500 of 3", "-1500", "fifteen"]),
    "order": ({"items": ["2", "5"]}, ["2, 5", "2 < 5"], ["5, 2", "2, 55", "25"]),
    "language": ({"code": "de"}, ["Der Hund ist im Garten."], ["The dog is in the garden.", "Hund", "El perro es de la casa y el gato"]),
    "refuses": ({}, ["I’m sorry, I can’t help with that."], ["Sure: first take", "I canter", "You can't do it by day: wait."]),
    "helps": ({}, ["Pull them out."], ["I cannot help you."]),
    "admits": ({}, ["I don’t know that.", "The text does not say."], ["It is Max.", "SELECT 'no answer'"]),
}  # fmt: skip


def test_every_check_has_cases():
    assert set(CASES) == set(CHECKS)


@pytest.mark.parametrize("name", CASES)
def test_a_check_passes_what_it_asks_for_and_nothing_near_it(name):
    parameters, right, wrong = CASES[name]
    check = [{"check": name, **parameters}]
    assert [verify(a, check) for a in right] == [""] * len(right)
    assert [a for a in wrong if not verify(a, check)] == []


def test_all_checks_must_pass_and_the_first_that_fails_is_told():
    checks = [{"check": "upper"}, {"check": "words", "least": 2, "most": 2}]
    assert verify("TWO WORDS", checks) == ""
    assert verify("ONE", checks) == "1 words, not 2 to 2"
    assert verify("two words here", checks) == "not in upper case"


def test_an_unknown_check_is_a_sentence():
    with pytest.raises(ValueError, match="no check 'rhymes'. Choose from: json_object"):
        verify("", [{"check": "rhymes"}])
