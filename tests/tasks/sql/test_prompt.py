import time

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


CTES = "WITH a AS (\n  SELECT 1 AS x\n),\n\nb AS (\n  SELECT 2 AS y\n)\n\nSELECT x, y FROM a, b"
SPACED = "SELECT name\nFROM t\n\nWHERE price > 3"
NAME = "SELECT name FROM t"


@pytest.mark.parametrize(
    ("answer", "sql"),
    [
        # JSON
        ('{"sql": "SELECT name\\nFROM t WHERE a = \\"x\\";", "why": "names"}', 'SELECT name\nFROM t WHERE a = "x"'),
        (f'Here:\n```json\n{{"query": "{NAME}"}}\n```', NAME),
        (f'{{"question": "Select the names", "sql": "{NAME}"}}', NAME),
        # what follows in words of any script, as a table, or as marks
        (f"{NAME} WHERE a = 1\nЭто вернёт имя.", f"{NAME} WHERE a = 1"),
        (f"{NAME} WHERE a = 1。这将返回姓名。", f"{NAME} WHERE a = 1"),
        (f"SQLQuery: {NAME} WHERE a = 1\nSQLResult: [(1,)]", f"{NAME} WHERE a = 1"),
        (f"{NAME} WHERE a = 1\n| name |\n|---|\n| Bo |", f"{NAME} WHERE a = 1"),
        (f"{NAME} WHERE a = 1 — that gives the names", f"{NAME} WHERE a = 1"),
        (f"{NAME} WHERE a = 1<|im_end|>", f"{NAME} WHERE a = 1"),
        (f"\\boxed{{{NAME} WHERE a = 1}}", f"{NAME} WHERE a = 1"),
        ("Use ``SELECT `name` FROM t`` here.", "SELECT `name` FROM t"),
        ("SELECT a\n|| b FROM t", "SELECT a\n|| b FROM t"),
        # empty lines
        (f"```sql\n{CTES};\n```", CTES),
        (CTES, CTES),
        (f"```\r\n{SPACED}\r\n```", SPACED),
        (f"{SPACED};", SPACED),
        ("SELECT a,\n\nb FROM t\n\nUNION\n\nSELECT c, d FROM u", "SELECT a,\n\nb FROM t\n\nUNION\n\nSELECT c, d FROM u"),
        ("SELECT a\n\n-- dear ones\nFROM t", "SELECT a\n\n-- dear ones\nFROM t"),
        (f"{NAME}\n\nWhere possible, I used an index", NAME),
        # fences
        (f"~~~SQL\n{NAME}\n~~~", NAME),
        (f"```sqlite3\n{NAME}", NAME),
        (f"```postgresql\n{NAME};\n```", NAME),
        (f"```{NAME}```", NAME),
        (f"```\nCREATE TABLE t (a)\n```\nso\n```sql\n{NAME}\n```", NAME),
        (f"```python\nq = 'select it'\n```\nThen\n```sql\n{NAME}\n```\nor\n```sql\nSELECT 2\n```", NAME),
        # what a statement begins with
        (f"-- select the names\n{NAME}", NAME),
        (f"/* with a AS (\n\n*/ {NAME}", NAME),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i FROM n) SELECT i FROM n",
         "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i FROM n) SELECT i FROM n"),
        ('WITH "my a" AS (SELECT 1) SELECT * FROM "my a";', 'WITH "my a" AS (SELECT 1) SELECT * FROM "my a"'),
        ('WITH "my ""a""" AS (SELECT 1) SELECT * FROM "my ""a"""', 'WITH "my ""a""" AS (SELECT 1) SELECT * FROM "my ""a"""'),
        ("VALUES (1), (2);", "VALUES (1), (2)"),
        (f"({NAME})", NAME),
        # semicolons that end nothing
        ('SELECT "a;b", [c;d], `e;f`, \';\' /* ; */ FROM t -- ;\nWHERE g; done',
         'SELECT "a;b", [c;d], `e;f`, \';\' /* ; */ FROM t -- ;\nWHERE g'),
        # thoughts
        (f"<think>SELECT 1\n```sql\nSELECT 2\n```</think>\n{NAME}", NAME),
        (f"maybe SELECT 1\n</think>\n\n{NAME}", NAME),
        ("<think>maybe SELECT 1", ""),
        ("SELECT '<think>' FROM t", "SELECT '<think>' FROM t"),
        # words before and after
        (f"I will select the names. Here: {NAME}", NAME),
        (f"To select rows with price as (given), use:\n{NAME}", NAME),
        (f"Select the names from t:\n{NAME}", NAME),
        (f"Here is the SELECT statement:\n\n{NAME}\nIt lists each name, sorted by nothing.", NAME),
        (f"{NAME}.", NAME),
        (f"Use `{NAME}` to list the `name`.", NAME),
        (f'The query is "{NAME}".', NAME),
        (f"<answer>{NAME}</answer>", NAME),
        ("Here's one: SELECT name FROM t WHERE name = 'it''s'", "SELECT name FROM t WHERE name = 'it''s'"),
    ],
)  # fmt: skip
def test_the_whole_statement_is_found_and_nothing_else(answer, sql):
    assert extract_sql(answer) == sql


@pytest.mark.parametrize(
    "wrong",
    [
        "SELECT a FROM WHERE b IN (SELECT c FROM t)",
        "SELECT a FORM t z z UNION SELECT b FROM u",
        "SELECT a FORM t z z\nUNION\nSELECT b FROM u",
        "SELECT a FROM t WHERE b =\nSELECT MAX(b) FROM t",
        "SELECT a FROM t WHERE SELECT b FROM u",
        "SELECT a FROM t WHERE x = = 3",
        "SELECT " + "(" * 60 + "1" + ")" * 60,
    ],
)
def test_a_statement_that_does_not_parse_is_not_mended_by_taking_a_part_of_it(wrong):
    assert extract_sql(wrong) == wrong


@pytest.mark.parametrize(
    ("answer", "program_takes_it"),
    [
        ('SELECT "a;b" FROM t;', True),
        ("SELECT a -- x; y\nFROM t", True),
        ("-- names\nSELECT name FROM t", True),
        ('WITH "a b" AS (SELECT 1) SELECT 1', True),
        ("VALUES (1)", True),
        ("```sql\nSELECT 1\n```", False),
        ("<think>x</think>SELECT 1", False),
        ("SELECT 1; SELECT 2", False),
        ("With pleasure", False),
        ("(SELECT 1)", False),
    ],
)
def test_strictly_a_statement_and_nothing_else(answer, program_takes_it):
    assert extract_sql(answer, strict=True) == (answer.removesuffix(";") if program_takes_it else "")


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


@pytest.mark.parametrize(
    "written",
    [
        "DELETE FROM t WHERE a IN (SELECT a FROM t)",
        "update t set a = 1 where a in (select a from t)",
        "INSERT OR REPLACE INTO u SELECT a FROM t",
        "CREATE TEMP TABLE u AS SELECT a FROM t",
        "EXPLAIN QUERY PLAN SELECT a FROM t",
        "```sql\nREPLACE INTO u (a)\nSELECT a FROM t;\n```",
    ],
)
def test_a_query_within_what_writes_is_no_answer(written):
    assert extract_sql(written) == ""


@pytest.mark.parametrize(
    "answer",
    [
        "I would create a table of names: SELECT a FROM t",
        "DELETE FROM is not allowed. SELECT a FROM t",
        "INSERT INTO u VALUES (1); SELECT a FROM t",
        "Let me explain the query SELECT a FROM t",
        "**SELECT a FROM t**",
        '```python\nsql = """\nSELECT a FROM t\n"""\nrun(sql)\n```',
        "SELECT a FROM t<end_of_turn>\n",
        "SELECT a FROM t [/INST]",
        "SELECT a FROM t；谢谢",
        "<|channel|>analysis<|message|>SELECT 2 FROM t?<|end|><|start|>assistant<|channel|>final<|message|>SELECT a FROM t",
        '{"name": "run", "arguments": "{\\"sql\\": \\"SELECT a FROM t\\"}"}',
    ],
)
def test_words_about_writing_and_marks_of_templates_hide_no_query(answer):
    assert extract_sql(answer) == "SELECT a FROM t"


def test_both_halves_of_a_union_in_brackets_are_kept():
    whole = "(SELECT a FROM t) UNION ALL (SELECT b FROM t)"
    assert extract_sql(f"Here: {whole}") == whole and extract_sql("(SELECT a FROM t)") == "SELECT a FROM t"


@pytest.mark.parametrize(
    "rambling", ['{"sql": "SELECT name FROM (item, ' * 160, "We need SELECT a FROM t where. Then SELECT b from\n" * 100]
)
def test_rambling_takes_no_minutes(rambling):
    began = time.process_time()
    extract_sql(rambling)
    assert time.process_time() - began < 10
