"""An answer stays within its bytes, says what it lacks, and is the same in both of its forms."""

import json

import pytest

from forge_lib.serving import answers
from forge_lib.serving.answers import DATA, MAX_BYTES
from forge_lib.tasks.sql.sandbox import Execution
from forge_lib.tasks.sql.schema import ForeignKey, Schema, Table


def found(rows, columns=None, more=False) -> Execution:
    names = columns or tuple(f"c{n}" for n in range(len(rows[0]) if rows else 1))
    return Execution("ok", tuple(rows), tuple(names), more=more)


def test_a_small_result_is_whole_and_says_nothing_of_cuts():
    got = answers.tabulate(found([(1, "a"), (None, "")]))
    assert (got.columns, got.rows, got.cut, got.note) == (["c0", "c1"], [[1, "a"], [None, ""]], "", DATA)


def test_text_and_structure_are_one_answer():
    result = answers.as_result(answers.tabulate(found([("größe\n\x00", 1.5)])))
    assert json.loads(result.content[0].text) == result.structured_content
    assert result.structured_content["rows"] == [["größe\n\x00", 1.5]] and not result.is_error


@pytest.mark.parametrize("value", ["x" * 500 + "…", "漢" * 500 + "…", "\x00" * 500 + "…", '"' * 500 + "…"])
def test_rows_that_take_too_many_bytes_are_cut_from_behind(value):
    got = answers.tabulate(found([(n, value) for n in range(100)], more=True))
    assert 0 < len(got.rows) < 100 and [row[0] for row in got.rows] == list(range(len(got.rows)))
    assert len(json.dumps([got.columns, got.rows], ensure_ascii=False).encode()) <= MAX_BYTES
    assert f"first {len(got.rows)} of 100 rows" in got.cut and "more than 100 rows" in got.cut and "…" in got.cut


def test_a_row_that_alone_takes_too_many_bytes_leaves_none_and_says_so():
    got = answers.tabulate(found([("x" * 500 + "…",) * 200]))
    assert got.rows == [] and "first 0 of 1 rows" in got.cut


def test_names_of_columns_are_limited_too():
    got = answers.tabulate(found([tuple(range(2000))], [f"{'n' * 5000}{n}" for n in range(2000)]))
    assert len(json.dumps(got.model_dump())) < 2 * MAX_BYTES
    assert len(got.rows[0]) == len(got.columns) < 2000 and "of 2000 columns" in got.cut


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (-(2**63), "-9223372036854775808"),
        (1.0, 1.0),
        (None, None),
    ],
)
def test_numbers_that_a_client_would_not_keep_are_text(value, shown):
    [[got]] = answers.tabulate(found([(value,)])).rows
    assert got == shown and type(got) is type(shown)
    json.loads(answers.as_result(answers.tabulate(found([(value,)]))).content[0].text, parse_constant=pytest.fail)


def table(name: str, columns: int, links=()) -> Table:
    names = tuple(f"c{n}" for n in range(columns))
    return Table(name, names, ("TEXT",) * columns, ("c0",), tuple(links))


def test_columns_carry_their_keys():
    links = [ForeignKey("c1", "a", "x"), ForeignKey("c1", "b", "y")]
    got = answers.describe(table("t", 2, links))
    assert [(c.name, c.type, c.primary_key, c.refers_to) for c in got.columns] == [
        ("c0", "TEXT", True, ""),
        ("c1", "TEXT", False, "a.x, b.y"),
    ]


def test_a_schema_of_thousands_of_tables_is_cut_in_every_form():
    schema = Schema("big", tuple(table(f"table_{n}", 1) for n in range(5000)))
    got = answers.summarize(schema)
    assert len(json.dumps(got.model_dump())) < MAX_BYTES * 1.1 and "of 5000 tables" in got.cut
    assert "of 2000 columns" in answers.describe(table("t", 2000)).cut
    text = answers.schema_text("\n".join(f"table_{n}(c0)" for n in range(5000)))
    assert len(text) < MAX_BYTES * 1.1 and text.startswith(f"-- {DATA}\ntable_0(c0)\n") and "of 5000 lines" in text


def test_a_name_without_end_is_shortened_and_hides_no_other():
    got = answers.summarize(Schema("odd", (table("x" * 10**6, 1), table("t", 1))))
    assert [len(t.name) for t in got.tables] == [200 + 1, 1]
