import random
import sqlite3

import pytest

from forge_lib.data.augment import augment, canonical_sql, identifiers, rename_identifiers, skeleton
from forge_lib.data.course import load_course
from forge_lib.data.pairs import Pair
from forge_lib.tasks.sql.schema import Schema, Table


def build(schema: Schema) -> sqlite3.Connection:
    """An empty database of that schema."""
    connection = sqlite3.connect(":memory:")
    for table in schema.tables:
        connection.execute(f'CREATE TABLE "{table.name}" ({", ".join(chr(34) + c + chr(34) for c in table.columns)})')
    return connection


def test_every_augmented_query_still_compiles_on_its_augmented_schema():
    data, rng = load_course(), random.Random(0)
    for pair in rng.sample(data.train, 300):
        schema, (changed,) = augment(data.schema(pair.db_id), [pair], rng, drop=0.9)
        connection = build(schema)
        connection.execute(f"EXPLAIN {changed.sql}")
        connection.close()
        assert changed.question == pair.question


def test_names_are_spelled_as_the_schema_spells_them():
    data, rng = load_course(), random.Random(1)
    for pair in rng.sample(data.train, 200):
        schema, (changed,) = augment(data.schema(pair.db_id), [pair], rng)
        spelled = {t.name for t in schema.tables} | {c for t in schema.tables for c in t.columns}
        used = {w for w in identifiers(changed.sql) if w in schema.names}
        assert used <= {s.lower() for s in spelled}


def test_what_no_question_needs_is_dropped_at_random(library):
    schema, _ = augment(library.schema("library"), library.train[:1], random.Random(0), drop=1.0)
    assert [t.name.lower() for t in schema.tables] == ["books"]
    assert [c.lower() for t in schema.tables for c in t.columns] == ["book_id"]


def test_views_differ_from_draw_to_draw(library):
    rng = random.Random(0)
    assert len({augment(library.schema("library"), library.train[:1], rng)[0] for _ in range(20)}) > 5


@pytest.mark.parametrize(
    ("sql", "renamed"),
    [
        ("SELECT name FROM t WHERE note = 'name it'", "SELECT NAME FROM T WHERE note = 'name it'"),
        ("SELECT date(name) FROM t", "SELECT date(NAME) FROM T"),
        ("SELECT t.name, 'it''s name' FROM t", "SELECT T.NAME, 'it''s name' FROM T"),
    ],
)
def test_renaming_touches_names_only(sql, renamed):
    assert rename_identifiers(sql, {"name": "NAME", "t": "T", "date": "DATE"}) == renamed


def test_skeletons_forget_names_and_values_but_not_structure():
    assert skeleton("SELECT a FROM t WHERE b = 1") == skeleton("SELECT x FROM y WHERE z = 'q'")
    assert skeleton("SELECT a FROM t") != skeleton("SELECT a, b FROM t")


def test_canonical_sql_is_one_style():
    assert canonical_sql("select  A from T") == canonical_sql("SELECT A FROM T")


def test_a_column_whose_name_must_be_quoted_is_not_dropped():
    table = Table("sales", ("id", "unit price", "free meal count (k-12)", "note"), ("INTEGER",) * 4, ("id",), ())
    pair = Pair("p", "shop", "Dearest?", 'SELECT MAX("unit price"), `free meal count (k-12)` FROM sales')
    schema, _ = augment(Schema("shop", (table,)), [pair], random.Random(0), drop=1.0)
    assert {"unit price", "free meal count (k-12)"} <= set(schema.tables[0].columns) and "note" not in schema.tables[
        0
    ].columns
