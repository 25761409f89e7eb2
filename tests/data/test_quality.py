from dataclasses import replace

import pytest

from forge_lib.data.quality import check_pairs, missing_literals


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"sql": "SELECT FROM WHERE"}, "does not parse"),
        ({"sql": "SELECT pages FROM books"}, "does not run"),
        ({"sql": "SELECT title FROM books WHERE price > 99"}, "returns nothing"),
        ({"sql": "SELECT COUNT(*) FROM books WHERE title = 'One'"}, "literal not asked for"),
    ],
)
def test_each_rule_fires_on_its_fault_and_not_on_the_sound_pair(library, change, rule):
    sound = library.train[0]
    assert check_pairs(library, [sound]) == []
    (finding,) = check_pairs(library, [replace(sound, **change)])
    assert (finding.pair, finding.rule) == (sound.id, rule)


def test_the_same_question_twice_is_found_whatever_its_case_and_marks(library):
    pair = library.train[0]
    (finding,) = check_pairs(library, [pair, replace(pair, id="again", question="how many books are THERE")])
    assert finding.rule == "duplicate question" and pair.id in finding.detail


def test_dates_formats_and_case_labels_need_not_be_in_the_question(library):
    sql = "SELECT CASE WHEN price > 1 THEN 'dear' ELSE 'cheap' END FROM books WHERE strftime('%Y', title) = '2024'"
    assert missing_literals(replace(library.train[0], sql=sql)) == []
