import json

import pytest

from forge_lib.data.items import DataError
from forge_lib.tasks.sql.prompt import NO_ANSWER
from forge_lib.tasks.sql.review import Decision, Review, card, note_asked, read_decisions, review_widget


@pytest.fixture
def review(library, tmp_path) -> Review:
    return Review(library, library.train, tmp_path / "review" / "decisions.jsonl")


def test_each_decision_is_on_disk_at_once_and_review_goes_on_where_it_stopped(review):
    review.decide(Decision("l-1", "accept"))
    assert json.loads(review.path.read_text()) == {"id": "l-1", "verdict": "accept"}
    again = Review(review.data, list(review.pairs.values()), review.path)
    assert [p.id for p in again.pending] == ["l-2", "l-3"]
    assert again.counts() == {"accept": 1, "fix": 0, "reject": 0, "pending": 2}


def test_accepted_and_fixed_pairs_come_back_and_rejected_ones_do_not(review):
    assert (
        review.apply(
            [
                Decision("l-1", "fix", question="Size of the stock?"),
                Decision("l-2", "reject"),
                Decision("l-3", "accept"),
            ]
        )
        == []
    )
    first, last = review.reviewed
    assert (first.question, first.sql) == (
        "Size of the stock?",
        "SELECT COUNT(*) FROM books",
    ) and "fixed in review" in first.provenance
    assert last.id == "l-3" and "accepted in review" in last.provenance


def test_a_fix_that_the_gate_refuses_is_not_saved(review):
    (objection,) = review.decide(Decision("l-1", "fix", sql="SELECT pages FROM books"))
    assert objection.startswith("runs: no such column") and len(review.pending) == 3 and not review.path.exists()
    assert review.apply([Decision("l-1", "fix", sql="SELECT pages FROM books")])[0].startswith("l-1: runs")


def test_the_last_decision_counts(review):
    review.apply([Decision("l-1", "reject"), Decision("l-1", "accept")])
    assert [p.id for p in Review(review.data, list(review.pairs.values()), review.path).reviewed] == ["l-1"]


def test_a_decision_cut_off_is_asked_again_and_a_malformed_one_named(review):
    review.decide(Decision("l-1", "accept"))
    with review.path.open("a") as file:
        file.write('{"id": "l-2", "ver')
    assert [d.id for d in read_decisions(review.path)] == ["l-1"]
    review.path.write_text('{"id": "l-1", "verdict": "accept"}\n{"id": "l-2", "verdict": "maybe"}\n')
    with pytest.raises(DataError, match="decisions.jsonl, line 2: the verdict is 'maybe'"):
        read_decisions(review.path)
    review.path.write_text('\n{"id": "l-1", "verdict": "accept"}\n\n{"id": "l-2", "verdict": "maybe"}\n')
    with pytest.raises(DataError, match="decisions.jsonl, line 4: the verdict is 'maybe'"):
        read_decisions(review.path)
    review.path.write_text('{"id": "l-1"}\n')
    with pytest.raises(DataError, match="decisions.jsonl, line 1"):
        read_decisions(review.path)


@pytest.mark.parametrize(
    "line, field",
    [
        ('{"id": ["l-1"], "verdict": "accept"}', "id"),
        ('{"id": 7, "verdict": "accept"}', "id"),
        ('{"id": "l-1", "verdict": "fix", "sql": 3}', "sql"),
        ('{"id": "l-1", "verdict": "fix", "question": ["a"]}', "question"),
    ],
)
def test_what_is_no_text_in_a_decision_is_named(review, line, field):
    """A list for an id ended in a traceback, and a number for a query only once the pair was trained on."""
    review.decide(Decision("l-2", "accept"))
    with review.path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DataError, match=f"decisions.jsonl, line 2: the {field} of a decision is a text"):
        Review(review.data, list(review.pairs.values()), review.path)


@pytest.mark.parametrize(
    "decision",
    [
        Decision("l-9", "accept"),
        Decision("l-1", "perhaps"),
        Decision("l-1", "fix"),
        Decision("l-1", "accept", sql="SELECT nothing"),
    ],
)
def test_a_decision_without_sense_is_refused(review, decision):
    with pytest.raises(DataError):
        review.decide(decision)


def test_decisions_on_other_pairs_are_refused(review):
    review.decide(Decision("l-1", "accept"))
    with pytest.raises(DataError, match="decides on 'l-1'"):
        Review(review.data, review.pending, review.path)


def test_a_card_shows_rows_and_escapes_them(library):
    assert "<td>4</td>" in card(library, library.train[0])["rows"]
    from dataclasses import replace

    shown = card(library, replace(library.train[0], sql="SELECT '<script>'"))
    assert "<script>" not in shown["rows"]


def test_the_widget_saves_goes_on_and_says_why_not(review):
    widget = review_widget(review, batch=2)
    assert widget.shown["id"] == "l-1" and widget.status.startswith("2 left in this batch")
    widget.receive(
        {"id": "l-1", "verdict": "fix", "question": "How many books are there?", "sql": "SELECT pages FROM books"}
    )
    assert "runs: no such column" in widget.said and widget.shown["id"] == "l-1"
    widget.receive(
        {"id": "l-1", "verdict": "fix", "question": "How many books are there?", "sql": "SELECT COUNT(*) FROM books"}
    )
    assert "changes nothing" in widget.said
    widget.receive({"id": "l-1", "verdict": "accept", "question": "", "sql": ""})
    assert widget.shown["id"] == "l-2" and widget.said == ""
    widget.receive({"id": "l-2", "verdict": "reject", "question": "", "sql": ""})
    assert widget.shown == {} and widget.status.startswith("Batch done (1 accept, 0 fix, 1 reject, 1 pending)")
    assert [d.id for d in read_decisions(review.path)] == ["l-1", "l-2"]


@pytest.mark.parametrize("char", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r", "\ufeff"])
def test_a_fix_is_read_back_whatever_it_holds(review, char):
    assert review.decide(Decision("l-1", "fix", question=f"Size{char}of the stock?")) == []
    again = Review(review.data, list(review.pairs.values()), review.path)
    assert again.reviewed[0].question == f"Size{char}of the stock?"


def test_a_decision_whose_line_has_no_end_counts(review):
    review.path.parent.mkdir(parents=True)
    review.path.write_text('{"id": "l-1", "verdict": "accept"}')
    again = Review(review.data, list(review.pairs.values()), review.path)
    again.decide(Decision("l-2", "accept"))
    assert [d.id for d in read_decisions(review.path)] == ["l-1", "l-2"]


def test_what_was_asked_in_the_demo_joins_the_pairs_of_its_database(review):
    note_asked(review.path, "library", "How many authors?", "SELECT COUNT(*) FROM authors", True)
    note_asked(review.path, "library", "Who wrote?", "SELECT 1", False)
    note_asked(review.path, "library", "Who is the publisher?", NO_ANSWER, True)
    note_asked(review.path, "another", "How many?", "SELECT 1", True)
    again = Review(review.data, review.data.train, review.path)
    asked, unanswerable = again.reviewed
    assert (asked.db_id, asked.question, asked.sql) == ("library", "How many authors?", "SELECT COUNT(*) FROM authors")
    assert asked.provenance == "asked in the demo; accepted in review" and asked.difficulty == "easy"
    assert unanswerable.wording == "unanswerable"
    assert again.counts() == {"accept": 2, "fix": 0, "reject": 1, "pending": 3}
    assert len(read_decisions(review.path)) == 4  # the one on another database waits


def test_the_same_question_judged_again_is_the_same_pair_and_a_reviewer_may_overrule(review):
    first = note_asked(review.path, "library", "How many authors?", "SELECT COUNT(*) FROM authors", False)
    assert note_asked(review.path, "library", "How many authors?", "SELECT COUNT(*) FROM authors", True).id == first.id
    again = Review(review.data, review.data.train, review.path)
    assert [p.id for p in again.reviewed] == [first.id]
    again.decide(Decision(first.id, "reject"))
    assert Review(review.data, review.data.train, review.path).reviewed == []


def test_a_line_that_a_kill_cut_off_does_not_spoil_the_next(review):
    review.decide(Decision("l-1", "accept"))
    with review.path.open("a") as file:
        file.write('{"id": "asked-1", "ver')
    note_asked(review.path, "library", "How many authors?", "SELECT COUNT(*) FROM authors", True)
    assert [d.verdict for d in read_decisions(review.path)] == ["accept", "accept"]
