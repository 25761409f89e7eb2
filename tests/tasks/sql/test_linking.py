"""A schema of 100 tables, of which a prompt has room for a tenth: does what the question needs come through?"""

import random
import sqlite3
from itertools import product

import pytest

from forge_lib.tasks.sql import ranking
from forge_lib.tasks.sql.augment import identifiers
from forge_lib.tasks.sql.linking import fit_to, trim_schema
from forge_lib.tasks.sql.schema import ForeignKey, Schema, Table, read_schema, render_schema
from forge_lib.training.packing import make_packs

OFFICES = ("harbour", "museum", "clinic", "forest", "railway", "bakery")
THINGS = ("permit", "visit", "repair", "audit", "invoice", "shift", "vehicle", "contract", "alarm", "meeting", "shelf",
          "parcel", "survey", "budget", "tender", "locker")  # fmt: skip
SHOP = """
CREATE TABLE suppliers (supplier_id INTEGER PRIMARY KEY, company TEXT, phone_number TEXT, town TEXT);
CREATE TABLE products (product_id INTEGER PRIMARY KEY, supplier_id INTEGER REFERENCES suppliers(supplier_id),
                       title TEXT, price REAL, stock_level INTEGER, "shelf life" INTEGER);
CREATE TABLE customers (customer_id INTEGER PRIMARY KEY, first_name TEXT, birthday TEXT);
CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(customer_id),
                     placed_on TEXT, handled_by TEXT);
CREATE TABLE order_lines (order_id INTEGER REFERENCES orders(order_id), quantity INTEGER,
                          product_id INTEGER REFERENCES products(product_id));
INSERT INTO suppliers VALUES (1, 'Nordwind', '0123', 'Ghent');
"""
BUDGET = 1500  # characters; the whole takes over ten times as many


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """95 tables of twelve columns that are of no use to anybody, with the five of a shop among them."""
    rng, script = random.Random(0), []
    for office, thing in [*product(OFFICES, THINGS)][:95]:
        columns = [f"{a}_{b} TEXT" for a, b in rng.sample([*product(THINGS, ("code", "state", "mark", "note"))], 11)]
        script.append(f"CREATE TABLE {office}_{thing} (id INTEGER PRIMARY KEY, {', '.join(columns)});")
    script.insert(50, SHOP)
    path = tmp_path_factory.mktemp("wide") / "wide.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript("".join(script))
    connection.close()
    return path


@pytest.fixture(scope="module")
def wide(path):
    """The schema of these 100 tables."""
    schema = read_schema(path)
    assert len(schema.tables) == 100 and len(render_schema(schema)) > 10 * BUDGET
    return schema


def shown(schema) -> set[str]:
    """ "table" and "table.column" of everything in it."""
    return {t.name for t in schema.tables} | {f"{t.name}.{c}" for t in schema.tables for c in t.columns}


def test_a_word_that_many_columns_bear_counts_little():
    names = ("first_name", "last_name", "middle_name", "order_code")
    index = ranking.index_schema(Schema("firm", (Table("staff", names, ("TEXT",) * 4, (), ()),)))
    assert ranking.rank(index, "Name the order", held=())[0] == ("staff", "order_code")


def test_of_equal_columns_the_one_in_a_joined_table_comes_first():
    index = ranking.index_schema(Schema("school", (
        Table("weather", ("id", "year"), ("", ""), ("id",), ()),
        Table("takes", ("id", "year"), ("", ""), (), (ForeignKey("id", "student", "id"),)),
        Table("student", ("id", "nickname"), ("", ""), ("id",), ()),
    )))  # fmt: skip
    ranked = ranking.rank(index, "In which year was each student here?", held=())
    assert ranked.index(("takes", "year")) < ranked.index(("weather", "year"))


@pytest.mark.parametrize(("question", "needed"), [
    ("What is the phone number of each supplier?", {"suppliers.phone_number"}),
    ("Which supplyers have no fone numbr?", {"suppliers.phone_number"}),  # misspelt
    ("Titles of all products by stock level", {"products.title", "products.stock_level"}),
    ("List the product with the lowest stocks", {"products.stock_level"}),  # inflected, both ways
    ("When was each order placed?", {"orders.placed_on"}),
    ("What states were the alarms of the museum in?", {"museum_alarm"}),
])  # fmt: skip
def test_what_the_question_names_survives(wide, question, needed):
    trimmed = trim_schema(wide, [question], BUDGET, len)
    assert needed <= shown(trimmed.schema)
    assert 0.9 * BUDGET < len(render_schema(trimmed.schema)) <= BUDGET


def test_tables_between_two_well_matching_ones_come_in_with_their_keys(wide):
    text = render_schema(trim_schema(wide, ["First names of customers of each supplier"], 350, len).schema)
    assert "orders(order_id, customer_id" in text and "[customer_id->customers.customer_id]" in text
    assert "order_lines(order_id, product_id" in text  # joined to neither
    assert "[order_id->orders.order_id, product_id->products.product_id]" in text
    assert "[supplier_id->suppliers.supplier_id]" in text


def test_no_foreign_key_leads_to_a_table_that_is_left_out(wide):
    trimmed = trim_schema(wide, ["Titles of products"], 60, len)
    assert [t.name for t in trimmed.schema.tables] == ["products"]
    assert "->" not in render_schema(trimmed.schema) and "products.product_id" in shown(trimmed.schema)


def test_what_must_stay_stays_whatever_the_budget(wide):
    keep = {"select", "clinic_audit", "suppliers", "town", "products", "shelf life", "quantity"}  # as of a gold query
    trimmed = trim_schema(wide, ["How many meetings?"], 5, len, keep=keep)
    assert render_schema(trimmed.schema).splitlines() == [
        "clinic_audit(id)",
        "suppliers(supplier_id, town)",
        'products(product_id, supplier_id, "shelf life") [supplier_id->suppliers.supplier_id]',
    ]
    assert "suppliers.phone_number" in trimmed.columns_left_out
    assert "suppliers.town" in shown(trim_schema(wide, ["How many meetings?"], 5, len, keep={"town"}).schema)
    more = shown(trim_schema(wide, ["How many meetings?"], BUDGET, len, keep=keep).schema)
    assert shown(trimmed.schema) < more and "museum_meeting" in more


def test_a_schema_that_fits_is_the_same_object(wide):
    trimmed = trim_schema(wide, ["How many orders?"], len(render_schema(wide)), len)
    assert trimmed.schema is wide and trimmed.tables_left_out == trimmed.columns_left_out == ()


def test_a_value_points_to_its_column(wide, path):
    question = ["Who is from Ghent?"]  # neither table nor column is named
    assert "suppliers.town" in shown(trim_schema(wide, question, 60, len, path=path).schema)
    assert "suppliers.town" not in shown(trim_schema(wide, question, 60, len).schema)


def test_the_search_for_values_is_bounded_by_work(tmp_path, monkeypatch):
    """A clock showed the same question another prompt on a busy machine."""
    with sqlite3.connect(tmp_path / "long.sqlite") as connection:
        connection.executescript("""CREATE TABLE towns (town TEXT); CREATE TABLE numbers (n INTEGER);
CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) AS last FROM n;
CREATE VIEW upper_towns AS SELECT UPPER(town) AS "the town" FROM towns""")
        connection.executemany("INSERT INTO towns VALUES (?)", [("Bruges",)] * 1000 + [("Ghent",)])
    connection.close()
    schema = read_schema(tmp_path / "long.sqlite")
    found = {("towns", "town"), ("upper_towns", "the town")}
    assert ranking.columns_holding(tmp_path / "long.sqlite", schema, ("gheNT",)) == found
    monkeypatch.setattr(ranking, "SEARCHED_STEPS", 4000)
    ranking._search.cache_clear()
    assert ranking.columns_holding(tmp_path / "long.sqlite", schema, ("gheNT",)) == frozenset()


def test_a_value_written_since_is_found(tmp_path):
    with sqlite3.connect(tmp_path / "t.sqlite") as connection:
        connection.executescript("CREATE TABLE towns (town TEXT);")
    schema = read_schema(tmp_path / "t.sqlite")
    assert ranking.columns_holding(tmp_path / "t.sqlite", schema, ("Ghent",)) == frozenset()
    with connection:
        connection.execute("INSERT INTO towns VALUES ('Ghent')")
    connection.close()
    assert ranking.columns_holding(tmp_path / "t.sqlite", schema, ("Ghent",)) == {("towns", "town")}


def test_names_of_any_script_and_in_quotes_stay():
    tables = [
        Table(n, ("№ заказа", "home town", "price"), ("",) * 3, (), ()) for n in ("Заказы", "Order Details", "other")
    ]
    gold = 'SELECT "Home Town" FROM ЗАКАЗЫ JOIN [order details] USING (`№ Заказа`)'
    trimmed = trim_schema(Schema("shop", tuple(tables)), ["Other prices"], 5, len, keep=identifiers(gold))
    assert render_schema(trimmed.schema).splitlines() == [
        'Заказы("№ заказа", "home town")', '"Order Details"("№ заказа", "home town")',
    ]  # fmt: skip


def test_views_are_trimmed_and_kept_like_tables(tmp_path):
    with sqlite3.connect(tmp_path / "t.sqlite") as connection:
        connection.executescript("CREATE TABLE towns (town TEXT, people INTEGER); CREATE TABLE ships (ship TEXT);"
                                 "CREATE VIEW harbours AS SELECT town AS harbour, people FROM towns;")  # fmt: skip
    connection.close()
    schema = read_schema(tmp_path / "t.sqlite")
    assert render_schema(trim_schema(schema, ["Names of all harbours"], 20, len).schema) == "harbours(harbour)"


def test_every_question_of_a_pack_gets_its_share(wide):
    asked = {"Phone numbers of suppliers": "suppliers.phone_number", "Stock levels of products": "products.stock_level",
             "When were orders placed?": "orders.placed_on", "Alarms of the museum": "museum_alarm"}  # fmt: skip
    assert set(asked.values()) <= shown(trim_schema(wide, list(asked), 1000, len).schema)


def test_the_report_names_all_that_is_missing_and_order_stays(wide):
    trimmed = trim_schema(wide, ["Shelf codes, permit notes and budget marks of the harbour"], BUDGET, len)
    tables = [t.name for t in wide.tables]
    kept = [t.name for t in trimmed.schema.tables]
    assert kept == [t for t in tables if t in kept]
    assert [t for t in tables if t not in kept] == list(trimmed.tables_left_out)
    every = [f"{t.name}.{c}" for t in wide.tables for c in t.columns if t.name in kept]
    assert [c for c in every if c not in shown(trimmed.schema)] == list(trimmed.columns_left_out) != []
    assert [c for c in every if c in shown(trimmed.schema)] == [
        f"{t.name}.{c}" for t in trimmed.schema.tables for c in t.columns
    ]


def test_the_same_again_after_the_caches_are_emptied(wide, path):
    once = trim_schema(wide, ["Parcels of Ghent"], BUDGET, len, path=path)
    ranking.index_schema.cache_clear()
    ranking._search.cache_clear()
    assert trim_schema(wide, ["Parcels of Ghent"], BUDGET, len, path=path) == once


def test_a_data_set_trims_only_what_is_too_long(library, tokenizer):
    schema, (whole,) = library.schema("library"), make_packs(library, library.train, tokenizer, 8, 1024)
    library.fit = fit_to(tokenizer, 200)
    assert library.view("library", ["How many books are there?"]) is schema and library.trimmed == {}
    assert make_packs(library, library.train, tokenizer, 8, 1024) == [whole]
    library.fit = fit_to(tokenizer, 10)
    view = library.view("library", ["How many books are there?"])
    assert [t.name for t in view.tables] == ["books"]
    (record,) = library.trimmed.values()
    assert record.tables_left_out == ("authors",)


def test_a_training_pack_shows_what_its_gold_needs(library, tokenizer):
    library.fit = fit_to(tokenizer, 5)
    (pack,) = make_packs(library, library.train, tokenizer, 8, 1024, random.Random(0))
    text = tokenizer.decode(pack[0].prefix).lower().replace("_", "")
    assert all(name in text for name in ("authors", "books", "price", "title", "authorid"))


def test_what_training_may_keep_is_not_shown_to_a_prompt_in_use(library, tokenizer):
    library.fit = fit_to(tokenizer, 12)
    question = ["How many books are there?"]
    in_use = library.view("library", question)
    assert {"born"} <= {
        c for t in library.view("library", question, keep={"authors", "born"}).tables for c in t.columns
    }
    assert library.view("library", question) == in_use and "born" not in str(in_use)
