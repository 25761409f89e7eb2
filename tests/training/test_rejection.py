"""Rejection sampling: what is kept is right, new and of the training part, and a killed round goes on to the same file."""

import dataclasses
from pathlib import Path

import pytest

from forge_lib.data.items import DataError
from forge_lib.lab.jsonl import read_jsonl
from forge_lib.models.endpoint import EndpointError, Reply
from forge_lib.models.generate import Completion
from forge_lib.models.replies import remember
from forge_lib.tasks import SuiteScore
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.training import TrainingError, rejection
from forge_lib.training.packing import make_packs
from forge_lib.training.rejection import (
    Round,
    kept_items,
    model_answers,
    read_round,
    round_row,
    sample_round,
    teacher_answers,
)

TRAIN = [
    Pair("t-1", "library", "How many books are there?", "SELECT COUNT(*) FROM books"),
    Pair("t-2", "library", "Who was born before 1920?", "SELECT name FROM authors WHERE born < 1920"),
    Pair("t-3", "library", "Which books cost over 100?", "SELECT title FROM books WHERE price > 100"),  # none does
]
SAID = {
    "t-1": ["SELECT COUNT(*) FROM books", "select count(*)  from books", "SELECT COUNT(book_id) FROM books -- how many?",
            "SELECT COUNT(title) FROM books", "SELECT COUNT(*) FROM authors", "SELECT 4"],
    "t-2": ["SELECT name FROM authors WHERE born < 1930", "nobody knows", "SELECT nam FROM authors", "", "SELECT 1", "SELECT 2"],
    "t-3": ["SELECT title FROM books WHERE price > 999", "SELECT NULL WHERE 0", "SELECT 1", "SELECT 2", "SELECT 3", "SELECT 5"],
}  # fmt: skip


@pytest.fixture
def shelf(library) -> DataSet:
    """Training pairs of their own, beside the validation and test of `library`, whose first it asks too otherwise."""
    held_out = [dataclasses.replace(p, question=f"{p.question}!") for p in library.validation[1:]]
    return DataSet("library", library.databases, list(TRAIN), held_out, held_out)


def says(answers, unfinished=()):
    """Who answers from a list, and which items it was asked."""
    asked = []

    def answer(items, samples):
        asked.extend(i.id for i in items)
        return [[Completion(t, 9, 5, 0.1, (i.id, n) not in unfinished) for n, t in enumerate(answers[i.id][:samples])]
                for i in items]  # fmt: skip

    return answer, asked


def test_what_is_kept_is_right_new_and_in_one_form(shelf, tmp_path):
    records = sample_round(says(SAID)[0], shelf, TRAIN, tmp_path, Round(1, "itself", samples=6), progress=False)
    assert [r["right"] for r in records] == [4, 1, 0]  # SELECT 4 has the right number, and asked no table
    first = {a["answer"]: (a["count"], a["verdict"], a["gold"]) for a in records[0]["answers"]}
    assert first["SELECT COUNT(*) FROM books"] == (2, "correct", True)
    assert first["SELECT COUNT(book_id) FROM books"] == (1, "correct", False)  # without its comment
    assert {a["verdict"] for a in records[2]["answers"]} == {"proves nothing", "wrong result"}
    kept = kept_items(TRAIN, [records], "itself", most=2)
    assert [k.id for k in kept] == ["t-1/r1.1", "t-1/r1.2", "t-2/r1.1"]
    assert all(shelf.score(k, k.answer).correct and k.provenance == "itself, round 1" for k in kept)
    assert "SELECT 4" not in [k.answer for k in kept] and kept[2].question == TRAIN[1].question
    assert len(kept_items(TRAIN, [records], "itself", most=9, with_golds=True)) == 4


def test_an_answer_must_be_right_on_all_states_where_that_is_asked(shelf, tmp_path, monkeypatch):
    graded, lucky = [], "SELECT COUNT(title) FROM books"

    def score_suite(self, items, texts):
        graded.extend(texts)
        return [SuiteScore(1, 2) if t == lucky else SuiteScore(2, 2) for t in texts]

    monkeypatch.setattr(DataSet, "score_suite", score_suite)
    about = Round(1, "itself", samples=6, states=True)
    records = sample_round(says(SAID)[0], shelf, TRAIN, tmp_path, about, progress=False)
    assert records[0]["right"] == 3 and "SELECT COUNT(*) FROM authors" not in graded
    assert lucky in graded and lucky not in [k.answer for k in kept_items(TRAIN, [records], "itself", most=9)]


def test_what_was_cut_off_is_never_right(shelf, tmp_path):
    answer, _ = says(SAID, unfinished={("t-2", 0)})
    records = sample_round(answer, shelf, TRAIN, tmp_path, Round(1, "itself", samples=6), progress=False)
    assert (records[1]["right"], records[1]["unfinished"]) == (0, 1)


def test_the_bookkeeping_of_two_rounds(shelf, tmp_path):
    one = sample_round(says(SAID)[0], shelf, TRAIN, tmp_path, Round(1, "itself", samples=3), progress=False)
    two = sample_round(says(SAID)[0], shelf, TRAIN, tmp_path, Round(2, "itself", samples=6), progress=False)
    row = round_row([one, two])
    assert row["pass_rate"] == pytest.approx(5 / 18) and row["samples"] == 18
    assert (row["solved"], row["unsolved"], row["distinct"], row["new"]) == (2, 1, 4, 1)
    assert round_row([one])["new"] == 2  # COUNT(book_id), and t-2's
    assert {k.id.split("/")[1][:2] for k in kept_items(TRAIN, [one, two], "itself", most=9)} == {"r1", "r2"}
    assert read_round(tmp_path, 2) == two


def test_a_killed_round_goes_on_to_the_same_samples(shelf, tmp_path, tiny_llama, tokenizer, monkeypatch):
    monkeypatch.setattr(rejection, "TOGETHER", 2)
    answers = model_answers(tiny_llama, tokenizer, shelf, 4, 8, temperature=1.0)
    about = Round(1, "itself", samples=2)
    whole = sample_round(answers, shelf, TRAIN, tmp_path / "whole", about, progress=False)
    path = tmp_path / "killed" / "round-1.jsonl"
    path.parent.mkdir()
    text = Path(tmp_path / "whole" / "round-1.jsonl").read_text()
    path.write_text(text[: text.index('{"id": "t-2"') + 20])  # half a record of the first two items
    went_on = sample_round(answers, shelf, TRAIN, path.parent, about, progress=False)
    assert went_on == whole and path.read_text() == text
    for changed in (dataclasses.replace(about, samples=3), dataclasses.replace(about, by="another")):
        with pytest.raises(TrainingError, match="belongs to another round"):
            sample_round(answers, shelf, TRAIN, path.parent, changed, progress=False)


def test_only_the_training_part_is_answered(shelf, library, tmp_path):
    answer, asked = says(SAID)
    for items in ([shelf.validation[0]], [dataclasses.replace(TRAIN[0], sql="SELECT 1")], []):
        with pytest.raises(DataError, match="training part"):
            sample_round(answer, shelf, items, tmp_path, Round(1, "itself"), progress=False)
    with pytest.raises(DataError, match="training part alone"):  # there all parts hold the same pairs
        sample_round(answer, library, library.train, tmp_path, Round(1, "itself"), progress=False)
    assert not asked and not list(tmp_path.glob("*.jsonl"))


def test_an_item_whose_own_answer_fails_is_told_and_teaches_nothing(shelf, tmp_path):
    shelf.train[0] = broken = dataclasses.replace(TRAIN[0], sql="SELECT nothing FROM books")
    [record] = sample_round(says(SAID)[0], shelf, [broken], tmp_path, Round(1, "itself"), progress=False)
    assert "gold" in record["fault"] and record["right"] == 0 and round_row([[record]])["faults"] == 1


def test_the_items_are_packed_as_any_others(shelf, tmp_path, tokenizer):
    records = sample_round(says(SAID)[0], shelf, TRAIN, tmp_path, Round(1, "itself", samples=6), progress=False)
    kept = kept_items(TRAIN, [records], "itself")
    packs = make_packs(shelf, [*TRAIN, *kept], tokenizer, 5, 1024)
    said = [tokenizer.decode(e.answer) for pack in packs for e in pack]
    assert len(said) == len(TRAIN) + len(kept) and f"{kept[0].answer}{tokenizer.eos_token}" in said
    with pytest.raises(TrainingError, match="1 or more"):
        kept_items(TRAIN, [records], "itself", most=0)


def test_a_teacher_that_fails_is_asked_the_rest_alone(shelf, tmp_path):
    asked, broken = [], [True]

    def ask(messages, max_tokens):
        question = messages[-1]["content"]
        asked.append(question)
        if "1920" in question and broken:
            raise EndpointError("down")
        return Reply("SELECT COUNT(*) FROM books", 100, 10, 0.1, True)

    about = Round(1, "teacher", samples=1)
    for _ in range(2):
        paid = remember(ask, tmp_path / "replies.jsonl", "teacher")
        answers = teacher_answers(paid, shelf, parallel=1)
        if broken:
            with pytest.raises(EndpointError, match="down"):
                sample_round(answers, shelf, TRAIN, tmp_path, about, progress=False)
            broken.clear()
    records = sample_round(answers, shelf, TRAIN, tmp_path, about, progress=False)
    assert [r["right"] for r in records] == [1, 0, 0]
    assert len(asked) == len(TRAIN) + 1 and len(read_jsonl(tmp_path / "replies.jsonl", "")) == len(TRAIN)
    with pytest.raises(TrainingError, match="samples=1"):
        teacher_answers(paid, shelf)(TRAIN, 4)
