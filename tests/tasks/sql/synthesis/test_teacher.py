import json
from dataclasses import replace

import pytest

from forge_lib.data.items import DataError
from forge_lib.models.endpoint import Reply
from forge_lib.tasks.sql.synthesis.teacher import Estimate, estimate, teacher_messages, what_is_sent, word_questions


class Teacher:
    """Answers in order and remembers what it was asked."""

    def __init__(self, *answers: str):
        self.answers, self.asked = list(answers), []

    def __call__(self, messages, max_tokens):
        self.asked.append(messages)
        return Reply(self.answers.pop(0), 10, 5, 0.0, True)


def test_the_teacher_sees_schema_query_and_rows(library):
    system, user = teacher_messages(library, library.train[0])
    assert "DROP" in system["content"]
    assert all(
        part in user["content"]
        for part in ("books(", "SELECT COUNT(*) FROM books", "How many books are there?", "(4,)")
    )


def test_questions_are_replaced_and_what_the_teacher_drops_is_left_out(library, tmp_path):
    worded = word_questions(
        library, library.train, tmp_path, Teacher("What is in stock?", "DROP", ' "Who is idle?" '), progress=False
    )
    assert [(p.id, p.question) for p in worded] == [("l-1", "What is in stock?"), ("l-3", "Who is idle?")]
    assert all("language model" in p.provenance for p in worded) and worded[0].sql == library.train[0].sql


def test_a_stopped_run_goes_on_and_asks_nothing_twice(library, tmp_path):
    with pytest.raises(IndexError):  # the connection fails at the third
        word_questions(library, library.train, tmp_path, Teacher("a?", "b?"), progress=False)
    with (tmp_path / "teacher.jsonl").open("a") as file:
        file.write('{"id": "l-3", "que')  # cut off while it was written
    rest = Teacher("c?")
    assert [p.question for p in word_questions(library, library.train, tmp_path, rest, progress=False)] == [
        "a?",
        "b?",
        "c?",
    ]
    assert len(rest.asked) == 1
    assert len((tmp_path / "teacher.jsonl").read_text().splitlines()) == 3


def test_an_answer_that_is_empty_or_cut_off_is_asked_for_again(library, tmp_path):
    answers = [Reply("a?", 10, 5, 0.0, True), Reply(" ", 10, 0, 0.0, True), Reply("Which auth", 10, 5, 0.0, False)]
    with pytest.warns(UserWarning, match="on 2 of 3 drafts was empty or cut off"):
        worded = word_questions(library, library.train, tmp_path, lambda *_: answers.pop(0), progress=False)
    assert [p.question for p in worded] == ["a?"]
    rest = word_questions(library, library.train, tmp_path, Teacher("b?", "c?"), progress=False)
    assert [p.question for p in rest] == ["a?", "b?", "c?"]


def test_without_an_endpoint_the_templates_stay(library, tmp_path):
    assert word_questions(library, library.train, tmp_path, None) == library.train
    assert not (tmp_path / "teacher.jsonl").exists()


def test_the_cost_is_known_before_and_falls_with_what_is_done(library, tmp_path):
    whole = estimate(library, library.train, tmp_path, (1.0, 4.0), count=lambda text: len(text.split()))
    assert whole.requests == 3 and whole.cost == pytest.approx(
        (whole.prompt_tokens + 4 * whole.completion_tokens) / 1e6
    )
    assert "3 requests" in str(whole)
    (tmp_path / "teacher.jsonl").write_text(json.dumps({"id": "l-1", "question": "?"}) + "\n")
    assert estimate(library, library.train, tmp_path, (1.0, 4.0), count=len).requests == 2
    assert str(Estimate(0, 0, 0, 0.0)).startswith("0 requests")


def test_a_torn_answer_is_named_by_line(library, tmp_path):
    (tmp_path / "teacher.jsonl").write_text('{"id": "l-1", "question": "?"}\n{"id": 3\n')
    with pytest.raises(DataError, match="teacher.jsonl, line 2"):
        word_questions(library, [replace(library.train[0])], tmp_path, Teacher("?"), progress=False)


ODD = ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1e", "\r", "\ud800", "\ufeff", "\x00"]


@pytest.mark.parametrize("char", ODD)
def test_what_was_paid_for_is_read_back_whatever_it_holds(library, tmp_path, char):
    said = f"How{char}many?"
    for teacher in (Teacher(*[said] * 3), Teacher()):  # the second is asked nothing
        worded = word_questions(library, library.train, tmp_path, teacher, progress=False)
        assert [p.question for p in worded] == [said] * 3


@pytest.mark.parametrize(
    "tail", [b'{"id": "l-2", "question": "caf\xc3', b'{"id": "l-2"', b"{", b'{"id": "l-2", "question": "b?"}']
)
def test_an_end_that_a_kill_left_loses_no_answer_before_it(library, tmp_path, tail):
    path = tmp_path / "teacher.jsonl"
    path.write_bytes(b'{"id": "l-1", "question": "a?"}\n' + tail)
    missing = ["c?"] if tail.endswith(b'"}') else ["b?", "c?"]
    worded = word_questions(library, library.train, tmp_path, Teacher(*missing), progress=False)
    assert [p.question for p in worded] == ["a?", "b?", "c?"]
    assert path.read_bytes().count(b"\n") == 3


def test_the_file_is_read_once_however_many_drafts_there_are(library, tmp_path, monkeypatch):
    from forge_lib.tasks.sql.synthesis import teacher

    reads, read = [], teacher.read_jsonl
    (tmp_path / "teacher.jsonl").write_text('{"id": "l-1", "question": "?"}\n')
    monkeypatch.setattr(teacher, "read_jsonl", lambda *args: reads.append(args) or read(*args))
    estimate(library, library.train * 20, tmp_path, (1.0, 4.0), count=len)
    assert len(reads) == 1


def test_a_key_alone_sends_nothing_and_what_would_be_sent_can_be_said(library, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "a key")
    assert word_questions(library, library.train, tmp_path, None) == library.train
    assert not (tmp_path / "teacher.jsonl").exists()
    said = what_is_sent(library, library.train)
    assert "each of 3 drafts" in said and "2 tables of library" in said and "up to 3 rows" in said
