import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from forge_lib.data.pairs import DataSet
from forge_lib.data.profiling import nouns, profile_database, quoted, words
from forge_lib.data.quality import check_pairs
from forge_lib.data.synthesis import MIX, synthesize
from forge_lib.tasks.sql.sandbox import Sandbox
from forge_lib.tasks.sql.score import LEVELS, difficulty

# As files in the wild are: no keys declared, a name that SQL reserves, a column with a space, an empty table, addresses.
WILD = """
CREATE TABLE author (aid, fullName TEXT, email TEXT, country TEXT);
CREATE TABLE writing (aid, "page count" INTEGER, finished TEXT, "order" TEXT);
CREATE TABLE unused (a, b);
"""


@pytest.fixture
def wild(tmp_path) -> Path:
    path = tmp_path / "wild" / "wild.sqlite"
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.executescript(WILD)
        for n in range(12):
            connection.execute(
                "INSERT INTO author VALUES (?, ?, ?, ?)",
                (n, f"Author O'{n}", f"a{n}@example.org", "NL FR"[3 * (n % 2) :][:2]),
            )
            connection.execute(
                "INSERT INTO writing VALUES (?, ?, ?, ?)",
                (n // 2, 100 + 7 * n, f"20{n + 10}-03-0{n % 9 + 1}", ["first", "second"][n % 2]),
            )
    connection.close()
    return path


def test_kinds_keys_and_joins_are_found_without_a_declaration(wild):
    profile = profile_database(wild)
    kinds = {c.name: c.kind for columns in profile.columns.values() for c in columns}
    assert kinds == {
        "aid": "key", "fullName": "label", "email": "private", "country": "category", "page count": "number", "finished": "date",
        "order": "category", "a": "empty", "b": "empty",
    }  # fmt: skip
    assert profile.keys["author"] == "aid" and "unused" not in profile.keys
    assert [(j.child, j.column, j.parent, j.target, j.declared) for j in profile.joins] == [
        ("writing", "aid", "author", "aid", False)
    ]
    assert profile.label("author").name == "fullName"


def test_declared_keys_are_taken_as_they_are(library):
    (join,) = profile_database(library.database("library")).joins
    assert (join.child, join.parent, join.declared) == ("books", "authors", True)


def test_the_key_of_a_large_table_is_found_without_a_declaration(tmp_path):
    path = tmp_path / "large.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE visit (visit_id INTEGER, city TEXT); CREATE TABLE stamp (visit_id INTEGER, hour INTEGER)"
        )
        for n in range(500):  # more than the values that a profile keeps
            connection.execute("INSERT INTO visit VALUES (?, ?)", (n, f"City {n % 7}"))
            connection.execute("INSERT INTO stamp VALUES (?, ?)", (n % 90, n % 24))
    connection.close()
    profile = profile_database(path)
    assert profile.keys["visit"] == "visit_id"
    assert [(j.child, j.parent) for j in profile.joins] == [("stamp", "visit")]


def test_a_column_whose_values_are_elsewhere_is_no_join(tmp_path):
    path = tmp_path / "d.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript("CREATE TABLE shop (shop_id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE sale (id INTEGER PRIMARY KEY, shop_id);"
                                 "INSERT INTO shop VALUES (1, 'a'), (2, 'b'); INSERT INTO sale VALUES (1, 7), (2, 8), (3, 9)")  # fmt: skip
    connection.close()
    assert profile_database(path).joins == ()


def test_every_sampled_query_runs_even_on_odd_names(wild):
    pairs = synthesize(wild, 60, seed=1)
    assert len(pairs) > 40
    with Sandbox() as sandbox:
        assert {sandbox.run(wild, p.sql).status for p in pairs} == {"ok"}
    text = " ".join(p.sql for p in pairs)
    assert '"order"' in text and '"page count"' in text and "JOIN author ON writing.aid = author.aid" in text


def test_private_columns_are_never_asked_for(wild):
    assert not any("email" in p.sql or "@" in p.question for p in synthesize(wild, 80))


def test_questions_hold_the_values_of_their_queries(wild):
    data = DataSet("wild", wild.parent.parent)
    broken = Counter(f.rule for f in check_pairs(data, synthesize(wild, 80)))
    assert set(broken) <= {"returns rows", "deterministic", "not nearly a duplicate"}, broken


def test_drafts_are_distinct_repeatable_labelled_and_mixed(library):
    path = library.database("library")
    drafts = synthesize(path, 40, seed=3)
    assert drafts == synthesize(path, 40, seed=3) != synthesize(path, 40, seed=4)
    assert len({d.sql for d in drafts}) == len({d.id for d in drafts}) == len(drafts)
    assert all(d.difficulty == difficulty(d.sql) and d.provenance for d in drafts)
    counts = Counter(d.difficulty for d in drafts)
    assert sum(MIX.values()) == pytest.approx(1)
    assert all(abs(counts[level] - 40 * MIX[level]) <= 3 for level in LEVELS), counts


def test_a_schema_that_has_no_more_to_ask_gives_fewer(tmp_path):
    path = tmp_path / "small.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1), (2), (3)")
    connection.close()
    assert 0 < len(synthesize(path, 500)) < 100


@pytest.mark.parametrize(
    ("content", "message"), [(b"not a database at all" * 60, "is not a SQLite database"), (b"", "holds no rows")]
)
def test_a_file_that_cannot_be_asked_is_refused(tmp_path, content, message):
    path = tmp_path / "d.sqlite"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        synthesize(path, 1)


@pytest.mark.parametrize(
    ("name", "said"), [("hire_dt", "hire date"), ("FirstName", "first name"), ("ISBN", "isbn"), ("qty", "quantity")]
)
def test_names_become_words(name, said):
    assert words(name) == said


@pytest.mark.parametrize(
    ("table", "said"),
    [("Person", ("person", "people")), ("boxes", ("box", "boxes")), ("news_item", ("news item", "news items"))],
)
def test_tables_become_nouns(table, said):
    assert nouns(table) == said


def test_names_that_sql_reserves_are_quoted():
    assert [quoted(n) for n in ("title", "order", "unit price", "Name", "nothing")] == [
        "title",
        '"order"',
        '"unit price"',
        "Name",
        '"nothing"',
    ]
