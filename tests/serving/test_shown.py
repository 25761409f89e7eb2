"""Sessions and answers: a database, a model that answers by heart, and what the page shows."""

import sqlite3

import pytest

from forge_lib.data.items import DataError
from forge_lib.models.generate import Completion
from forge_lib.serving.model import Model
from forge_lib.serving.sessions import Sessions
from forge_lib.serving.shown import ask, rerun
from forge_lib.tasks.sql.assistant import MAX_QUESTION
from forge_lib.tasks.sql.prompt import NO_ANSWER

ANSWERS = {
    "How many books are there?": "SELECT COUNT(*) FROM books",
    "What costs what?": "SELECT title, price FROM books",
    "Who is the publisher?": NO_ANSWER,
    "Which pages?": "SELECT pages FROM books",
    "Hello?": "I am <b>happy</b> to help.",
}


def by_heart(messages, limit: int, grammar: str | None = None) -> Completion:
    """What a model says that knows these questions by heart, and breaks at any other."""
    text = ANSWERS[messages[-1]["content"]]
    return Completion(text, 120, len(text.split()), 0.5, True)


@pytest.fixture
def sessions(library, tmp_path):
    model = Model("by heart", "It knows five answers.", None, by_heart)
    sessions = Sessions([model], {"library": library.database("library")}, tmp_path / "uploads")
    yield sessions
    sessions.close()


def test_an_answer_is_sql_rows_a_chart_and_what_it_cost(sessions):
    found = ask(sessions.of("a"), 0, "library", " What costs what? ")
    assert found.kind == "ok" and found.sql == "SELECT title, price FROM books" and len(found.rows) == 4
    assert found.chart.kind == "bar" and found.asked.question == "What costs what?" and found.asked.works
    assert found.cost == "0.5 s · 120 tokens read, 5 written" and found.note.startswith("4 rows, read in ")


@pytest.mark.parametrize(
    "question, kind, note",
    [
        ("Who is the publisher?", "warning", "This looks unanswerable"),
        ("Which pages?", "error", "The query does not run: no such column: pages."),
        ("Hello?", "warning", "The model wrote no SQL. It said: “I am <b>happy</b> to help.”"),
        ("A question that breaks it", "error", "by heart failed ('A question that breaks it')."),
        ("", "warning", "Ask a question"),
        ("x" * (MAX_QUESTION + 1), "error", "The question has 1001 characters"),
    ],
)
def test_what_is_no_answer_is_said_in_words(sessions, question, kind, note):
    found = ask(sessions.of("a"), 0, "library", question)
    assert (found.kind, found.rows) == (kind, None) and found.note.startswith(note)
    assert "<b>" not in found.html()


@pytest.mark.parametrize(
    "sql, kind, note",
    [
        ("SELECT title FROM books WHERE price > 11", "ok", "1 row, read in"),
        ("SELECT title FROM books WHERE price > 99", "ok", "No rows: the query ran and found nothing."),
        ("", "warning", "There is no SQL to run"),
        ("DROP TABLE books", "error", "Refused: queries may read and nothing else"),
        ("ATTACH 'new.db' AS n", "error", "Refused"),
        ("SELECT 1; DELETE FROM books", "error", "The query does not run"),
        ("SELECT titel FROM books", "error", "The query does not run: no such column: titel. There is: books.title."),
        ("not sql at all", "error", "The query does not run: near"),
    ],
)
def test_a_query_of_a_person_runs_or_is_refused_in_words(sessions, library, sql, kind, note):
    found = rerun(sessions.of("a"), "library", "Which?", sql)
    assert found.kind == kind and found.note.startswith(note) and found.sql is None
    with sqlite3.connect(library.database("library")) as database:
        assert database.execute("SELECT COUNT(*) FROM books").fetchone() == (4,)


def test_values_that_a_browser_would_change_are_shown_as_text(sessions):
    found = rerun(sessions.of("a"), "library", "", f"SELECT NULL, {2**60}, 9e999, x'00ff', 1.5, '<i>'")
    assert found.rows == (("NULL", str(2**60), "inf", "2 bytes", 1.5, "<i>"),)


def test_an_upload_is_seen_by_its_page_alone_and_goes_with_it(sessions, library, tmp_path):
    page, other = sessions.of("a"), sessions.of("b")
    names = [page.upload(library.database("library")), page.upload(library.database("library"))]
    assert names == ["library (yours)", "library (yours, 2)"]
    assert ask(page, 0, names[0], "How many books are there?").rows == ((4,),)
    assert ask(other, 0, names[0], "How many books are there?").note.startswith("The copy of 'library (yours)' is not")
    assert len(list((tmp_path / "uploads").rglob("*.sqlite"))) == 2
    sessions.end("a")
    assert not list((tmp_path / "uploads").rglob("*.sqlite")) and library.database("library").exists()
    assert (
        rerun(sessions.of("a"), names[0], "", "SELECT 1").kind == "error"
    )  # the connection was lost, the page is open


def test_an_upload_without_tables_leaves_nothing(sessions, tmp_path):
    bare = tmp_path / "bare.db"
    with sqlite3.connect(bare) as database:
        database.execute("PRAGMA user_version = 3")
    with pytest.raises(DataError, match="bare.sqlite holds no table"):
        sessions.of("a").upload(bare)
    assert list(sessions.of("a").databases) == ["library"] and not list((tmp_path / "uploads").rglob("*.sqlite"))


def test_an_answer_that_comes_after_another_database_was_chosen_is_not_shown_under_it(sessions, library):
    page = sessions.of("a")
    other = page.upload(library.database("library"))

    def slow(messages, grammar):
        page.assistants(other)
        return by_heart(messages, 9)

    page.assistants("library")[0].answer = slow
    found = ask(page, 0, "library", "How many books are there?")
    assert found.note.startswith("Another database was chosen") and found.rows is None and found.asked is None


def test_a_page_that_calls_itself_a_path_stays_in_the_folder(sessions, library, tmp_path):
    (tmp_path / "precious").mkdir()
    sessions.of("../../precious").upload(library.database("library"))
    (copy,) = (tmp_path / "uploads").rglob("library.sqlite")
    assert copy.resolve().is_relative_to(tmp_path / "uploads")
    sessions.end("../../precious")
    assert (tmp_path / "precious").exists() and not copy.exists()
