"""A file somebody brings is shown, sampled, asked and explained, whatever is in it, and never written to."""

import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from forge_lib.data.items import DataError
from forge_lib.models.generate import Completion
from forge_lib.tasks.sql.assistant import MAX_CELL, MAX_QUESTION, MAX_ROWS, Assistant
from forge_lib.tasks.sql.prompt import NO_ANSWER
from forge_lib.tasks.sql.schema import quote_name

SCRIPT = """
CREATE TABLE author (author_id INTEGER PRIMARY KEY, name TEXT, born INTEGER);
CREATE TABLE book (book_id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES author(author_id), title TEXT, price REAL);
CREATE TABLE "order line" ("select" INTEGER, "unit price" REAL);
CREATE TABLE "Ähren" ("größe" INTEGER);
CREATE VIEW titles AS SELECT title FROM book;
INSERT INTO author VALUES (1, 'Ada', 1900), (2, 'Bo', 1950), (3, 'Cy', NULL);
INSERT INTO book VALUES (1, 1, 'One', 10.0), (2, 1, 'Two', 12.5), (3, 2, 'Three', 0.1);
INSERT INTO "order line" VALUES (7, 1.5);
INSERT INTO "Ähren" VALUES (3);
"""
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {}) SELECT i FROM n"
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "my shop.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCRIPT)
    return path


@pytest.fixture(scope="module")
def shop(file):
    with Assistant(file) as assistant:
        yield assistant


def says(text: str):
    """An answer function: every question gets this text."""
    return lambda messages, grammar=None: Completion(text, 10, 5, 0.1, True)


def test_tables_and_views_are_there_in_any_case_of_letters(shop):
    assert [t.name for t in shop.schema().tables] == ["author", "book", "order line", "Ähren", "titles"]
    assert shop.table("BOOK").columns == ("book_id", "author_id", "title", "price")
    assert shop.table("Ähren").columns == ("größe",)


def test_a_table_that_is_not_there_is_answered_with_those_that_are(shop):
    with pytest.raises(DataError, match="no table 'books'.*author, book, order line, Ähren, titles"):
        shop.table("books")


def test_the_schema_is_shown_as_prompts_show_it(shop):
    assert shop.schema_text() in shop.messages("How many?")[0]["content"]
    assert '"order line"("select", "unit price")' in shop.schema_text()


@pytest.mark.parametrize(
    ("table", "rows"),
    [("order line", ((7, 1.5),)), ("Ähren", ((3,),)), ("TITLES", (("One",), ("Two",)))],
)
def test_a_sample_needs_no_quotes(shop, table, rows):
    assert shop.sample(table, 2).rows == rows


@pytest.mark.parametrize(("asked", "given"), [(-3, 1), (0, 1), (2, 2), (10_000, 3)])
def test_a_sample_has_at_least_one_row_and_at_most_all(shop, asked, given):
    assert len(shop.sample("book", asked).rows) == given


def test_a_name_cannot_carry_sql_into_a_sample(shop):
    with pytest.raises(DataError, match="There is no table"):
        shop.sample('book"; DROP TABLE book; --')
    assert len(shop.sample("book").rows) == 3


def test_many_rows_are_cut_and_said_to_be(shop):
    found = shop.run(NUMBERS.format(5000))
    assert len(found.rows) == MAX_ROWS and found.more and found.rows[-1] == (MAX_ROWS,)
    exact = shop.run(NUMBERS.format(MAX_ROWS))
    assert len(exact.rows) == MAX_ROWS and not exact.more


def test_fewer_rows_can_be_asked_for_once_and_for_all(file):
    with Assistant(file, max_rows=2) as few:
        assert len(few.run("SELECT * FROM book").rows) == 2 and few.run("SELECT * FROM book").more
        assert len(few.sample("book", 5).rows) == 2


def test_long_values_are_cut_and_blobs_say_their_length(shop):
    found = shop.run(
        f"SELECT printf('%.*c', {MAX_CELL}, 'x'), printf('%.*c', {MAX_CELL + 1}, 'y'), x'00ff41', NULL, 1.5"
    )
    assert found.rows == (("x" * MAX_CELL, "y" * MAX_CELL + "…", "3 bytes", None, 1.5),)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM book",
        "DROP TABLE book",
        "UPDATE book SET price = 0",
        "INSERT INTO book VALUES (9, 9, '', 0)",
        "PRAGMA journal_mode = WAL",
        "ATTACH '{made}' AS other",
        "VACUUM INTO '{made}'",
    ],
)
def test_what_would_write_is_refused_in_a_sentence(file, shop, sql):
    before, made = file.read_bytes(), file.with_name("made.sqlite")
    found = shop.run(sql.format(made=made))
    assert found.status == "refused" and "only one SELECT" in shop.why(found)
    assert file.read_bytes() == before and [p.name for p in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("SELECT 1", "The query runs."),
        ("SELECT titel FROM book", "no such column: titel. There is: book.title, titles.title."),
        ("SELECT b.pric FROM book AS b", "no such column: b.pric. There is: book.price."),
        ("SELECT * FROM Bok", "no such table: Bok. There is: book."),
        ("SELECT * FROM zzzzzzz", "no such table: zzzzzzz. There is: author, book, order line, Ähren, titles."),
        ("SELECT zzzzzzz FROM book", "no such column: zzzzzzz."),
        ("SELEC 1", 'near "SELEC": syntax error.'),
        ("", "There is no SQL in the answer."),
    ],
)
def test_an_error_is_explained_with_the_nearest_names(shop, sql, sentence):
    assert shop.explain(sql) == sentence


def test_an_endless_query_is_stopped_and_the_next_one_runs(shop, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(shop._sandbox, "time_limit_s", 0.3)
        assert "was stopped" in shop.explain(ENDLESS)
    assert shop.run("SELECT 1").rows == ((1,),)


def test_a_change_of_the_file_is_seen(tmp_path):
    path = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE one (a); INSERT INTO one VALUES (1);")
    with Assistant(path, says("SELECT 1")) as assistant:
        assert [t.name for t in assistant.schema().tables] == ["one"] and assistant.sample("one").rows == ((1,),)
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript("CREATE TABLE two (b); UPDATE one SET a = 2;")
        assert [t.name for t in assistant.schema().tables] == ["one", "two"]
        assert "two(b)" in assistant.messages("How many?")[0]["content"] and assistant.sample("one").rows == ((2,),)
        path.unlink()
        assert "a.sqlite is not there any more" in assistant.run("SELECT 1").error
        for broken in (assistant.schema, lambda: assistant.draft("How many?")):
            with pytest.raises(DataError, match="a.sqlite is missing"):
                broken()


@pytest.mark.parametrize(
    ("answer", "sql", "unanswerable"),
    [
        ("SELECT title FROM book", "SELECT title FROM book", False),
        ("```sql\nSELECT 1;\n```\nThat is all.", "SELECT 1", False),
        ("I do not know.", "", False),
        (NO_ANSWER + ";", NO_ANSWER, True),
    ],
)
def test_a_draft_is_the_sql_in_what_the_model_says(file, answer, sql, unanswerable):
    with Assistant(file, says(answer)) as assistant:
        draft = assistant.draft("  Which titles are there? ")
    assert (draft.sql, draft.unanswerable, draft.completion.prompt_tokens) == (sql, unanswerable, 10)


def test_the_model_is_asked_what_training_asked(file):
    asked = []
    with Assistant(
        file, lambda messages, grammar: asked.append(messages) or Completion("", 0, 0, 0.0, True)
    ) as assistant:
        assistant.draft(" How many books? ")
    [[system, user]] = asked
    assert user == {"role": "user", "content": "How many books?"} and "book(book_id, author_id" in system["content"]


@pytest.mark.parametrize(
    ("question", "sentence"), [("", "Ask a question"), (" \n", "Ask a question"), ("x" * (MAX_QUESTION + 1), "at most")]
)
def test_no_question_and_too_long_a_one_are_not_asked(file, question, sentence):
    def nobody(messages):
        raise AssertionError("asked")

    with Assistant(file, nobody) as assistant, pytest.raises(DataError, match=sentence):
        assistant.draft(question)


def test_without_a_model_nobody_drafts(shop):
    with pytest.raises(DataError, match="start with --model"):
        shop.draft("How many books are there?")


def test_a_long_schema_is_trimmed_to_what_the_question_names(tmp_path):
    def tokenizer(text, **_):
        return {"input_ids": text}  # as many tokens as characters

    path = tmp_path / "wide.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        for number in range(40):
            columns = ", ".join(f"part_{number}_{n} TEXT" for n in range(10))
            connection.execute(f"CREATE TABLE section_{number} ({columns})")
        connection.execute("CREATE TABLE penguin (name TEXT, weight REAL)")
    with Assistant(path, says("SELECT 1"), tokenizer) as assistant:
        system = assistant.messages("What is the weight of each penguin?")[0]["content"]
        assert "penguin(name, weight)" in system and len(system) < 1000 < len(assistant.schema_text())
        assert "section_39(" in assistant.schema_text()


def test_threads_share_one_and_get_their_own_answers(file):
    def answer(messages, grammar):
        time.sleep(0.01)
        return Completion(f"SELECT '{messages[-1]['content']}'", 1, 1, 0.0, True)

    with Assistant(file, answer) as assistant, ThreadPoolExecutor(8) as pool:

        def both(number: int) -> tuple:
            return assistant.run(assistant.draft(str(number)).sql).rows

        assert list(pool.map(both, range(24))) == [((str(n),),) for n in range(24)]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "There is no file a.db. Give the path"),
        (b"", "a.db is empty"),
        (b"id,name\n1,pen\n" * 100, "a.db is not a SQLite database"),
        (b"CREATE TABLE t (a);", "a.db is a script of SQL"),
        (b"PK\x03\x04" + b"\0" * 200, "a.db is a compressed archive"),
        (b"SQLite format 3\0" + b"\0" * 2000, "a.db cannot be read as a SQLite database"),
    ],
)
def test_what_is_no_database_is_said_to_be_none(tmp_path, content, sentence):
    path = tmp_path / "a.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        Assistant(path).schema()
    assert sorted(p.name for p in tmp_path.iterdir()) == (["a.db"] if content is not None else [])


def test_a_folder_and_a_database_without_tables_are_refused(tmp_path):
    with pytest.raises(DataError, match="There is no file"):
        Assistant(tmp_path)
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.executescript("CREATE TABLE t (a); DROP TABLE t;")
    with pytest.raises(DataError, match="a.db holds no table"):
        Assistant(tmp_path / "a.db").schema()


def test_a_draft_is_held_to_what_is_there(file, tokenizer):
    """The grammar of the file comes with the question: it knows the file's names, and none that a model makes up."""
    given = []

    def answer(messages, grammar):
        given.append(grammar)
        return Completion("SELECT 1", 10, 5, 0.1, True)

    with Assistant(file, answer) as assistant:
        assistant.draft("How many?")
        names = [json.dumps(quote_name(t.name), ensure_ascii=False) for t in assistant.schema().tables]
    assert names and all(name in given[0] for name in names) and "made_up" not in given[0]
