import pytest

from forge_lib.tasks.sql.prompt import build_messages, extract_sql
from forge_lib.tasks.sql.schema import read_schema, render_schema


@pytest.mark.parametrize(
    ("answer", "lenient", "strict"),
    [
        ("SELECT 1", "SELECT 1", "SELECT 1"),
        ("SELECT 1;", "SELECT 1", "SELECT 1"),
        ("```sql\nSELECT 1;\n```\nThis counts.", "SELECT 1", ""),
        ("The query is: SELECT a FROM t; it lists a.", "SELECT a FROM t", ""),
        ("SELECT a FROM t\n\nExplanation: none", "SELECT a FROM t", "SELECT a FROM t\n\nExplanation: none"),
        ("SELECT ';' AS x; SELECT 2", "SELECT ';' AS x", ""),
        ("WITH c AS (SELECT 1) SELECT * FROM c", "WITH c AS (SELECT 1) SELECT * FROM c",
         "WITH c AS (SELECT 1) SELECT * FROM c"),
        ("I cannot help with that.", "", ""),
        ("", "", ""),
    ],
)  # fmt: skip
def test_extraction(answer, lenient, strict):
    assert extract_sql(answer) == lenient
    assert extract_sql(answer, strict=True) == strict


def test_prose_with_the_word_with_is_not_sql():
    assert extract_sql("With pleasure! SELECT a FROM t") == "SELECT a FROM t"


def test_schema_text_names_every_column_and_key(library):
    text = render_schema(read_schema(library.database("library")))
    assert text.splitlines() == [
        "authors(author_id, name, born)",
        "books(book_id, author_id, title, price) [author_id->authors.author_id]",
    ]


def test_the_schema_comes_first_so_that_questions_share_a_prefix():
    first, second = (build_messages("t(a)", q, [("Q", "SELECT 1")]) for q in ("one?", "two?"))
    assert first[:-1] == second[:-1]
    assert [m["role"] for m in first] == ["system", "user", "assistant", "user"]
