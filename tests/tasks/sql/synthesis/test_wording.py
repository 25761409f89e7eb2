import time

import pytest

from forge_lib.tasks.sql.synthesis.wording import (
    a,
    counted,
    flag_values,
    flag_words,
    is_machine_text,
    is_quotable,
    nouns,
    rounded,
    said_number,
)


@pytest.mark.parametrize("word", ["status", "address", "bus", "class", "analysis", "campus", "employee", "process"])
def test_a_singular_that_ends_in_s_is_one(word):
    assert nouns(word)[0] == word


@pytest.mark.parametrize(("table", "said"), [("Order Details", ("order detail", "order details")), ("data", ("data", "data")),
                                             ("商品", ("商品", "商品")), ("people", ("person", "people"))])  # fmt: skip
def test_plurals(table, said):
    assert nouns(table) == said and counted(1, table).endswith(said[0]) and counted(2, table).endswith(said[1])


def test_articles():
    assert [a(t) for t in ("users", "hours", "orders", "поставщик")] == ["a user", "an hour", "an order", "a поставщик"]


@pytest.mark.parametrize(
    "value",
    ["https://example.org/a", "www.example.org", "C:\\temp\\a.txt", "./data/x.csv", "a/b/c.png", "[1, 2]", "<b>x</b>", "deadbeef0123456789",
     "550e8400-e29b-41d4-a716-446655440000", "SGVsbG8gd29ybGQ=", "ada@example.org", "two\nlines", "a\u2028b", " padded", "", "--",
     "caf\ufffd", "x" * 41, "one, two, three, four", "Nice room. Would come back", float("inf"), None, b"x"],
)  # fmt: skip
def test_what_no_person_would_write(value):
    assert not is_quotable(value)


@pytest.mark.parametrize("value", ["AC/DC", "Grains/Cereals", "St. Louis", "O'Hara", "Pavlova, Ltd.", "05/03/2024", "10 boxes x 20 bags",
                                   "München", "中文", 'the "Old" inn', 3, -0.5])  # fmt: skip
def test_what_a_person_would_write(value):
    assert is_quotable(value)


def test_numbers_are_rounded_as_thresholds_are():
    assert [rounded(n) for n in (0, -3.14159, 9999, 123456, 99999.5, 0.000123456)] == [
        0,
        -3.14,
        9999,
        123000,
        100000,
        0.000123,
    ]
    assert [said_number(n) for n in (0.000123, 100000.0, -2, 1.5)] == ["0.000123", "100000", "-2", "1.5"]


@pytest.mark.parametrize(
    ("name", "values", "declared", "flag"),
    [("paid", ("false", "true"), "", ("true", "false")), ("active", (1,), "", (1, None)), ("newsletter", (0, 1), "BOOLEAN", (1, 0)),
     ("children", (0, 1), "INTEGER", None), ("grade", ("T", "F", "G"), "", None), ("wifi", ("Y",), "", None), ("open", (0, 1, 2), "", None),
     ("closed", (float("inf"), b"x"), "", None), ("wifi", ("Y", "N", "y"), "", None), ("wifi", ("Y", "y"), "", None),
     ("active", (1, "1", 0), "", None), ("paid", ("yes", "no", "No", "YES"), "", None)],
)  # fmt: skip
def test_what_says_yes_or_no(name, values, declared, flag):
    assert flag_values(name, values, declared) == flag


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [("Discontinued", "that are discontinued", "that are not discontinued"), ("has_pool", "that have pool", "that do not have pool"),
     ("can_fly", "that can fly", "that cannot fly"), ("requires_login", "that require login", "that do not require login"),
     ("IsActive", "that are active", "that are not active"), ("newsletter", "with newsletter", "without newsletter"),
     ("timetable", "with timetable", "without timetable")],
)  # fmt: skip
def test_flags_in_words(name, yes, no):
    assert (flag_words(name, True)[1], flag_words(name, False)[1]) == (yes, no)


@pytest.mark.parametrize("unit, machine", [("ACGT,", False), ("/genes/acgt", True), ('{"gene": "acgt"}', True)])
def test_a_text_of_pages_is_told_by_its_ends_at_once(unit, machine):
    """Each letter of it was a place to begin a path at: of 100,000 characters without a space one took minutes."""
    began = time.process_time()
    assert is_machine_text(unit * (20_000 // len(unit))) is machine
    assert time.process_time() - began < 1
