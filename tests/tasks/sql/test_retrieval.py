"""Retrieve and fill: names, values and numbers of a question in the query of another database's."""

import sqlite3

import pytest

from forge_lib.evaluation.contenders import retrieve_and_fill
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.filling import fill, template_of
from forge_lib.tasks.sql.mentions import Lexicon, Mentions
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.synthesis.profiling import profile_database

SHOP = """
CREATE TABLE customers (customer_id INTEGER PRIMARY KEY, customer_name TEXT, town TEXT);
CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(customer_id), amount REAL);
INSERT INTO customers VALUES (1, 'Ada Lovelace', 'Graz'), (2, 'Bo Diddley', 'Linz'), (3, 'Cy Young', 'Graz');
INSERT INTO orders VALUES (1, 1, 5.5), (2, 1, 80.25), (3, 2, 3.5);
"""
ZOO = """
CREATE TABLE keepers (keeper_id INTEGER PRIMARY KEY, keeper_name TEXT, district TEXT);
CREATE TABLE animals (animal_id INTEGER PRIMARY KEY, keeper_id INTEGER REFERENCES keepers(keeper_id), weight REAL);
INSERT INTO keepers VALUES (1, 'Eve Adams', 'North'), (2, 'Flo Miller', 'South Gate'), (3, 'Gus Young', 'North');
INSERT INTO animals VALUES (1, 1, 700.5), (2, 1, 12.25), (3, 2, 5.5);
"""
TRAIN = [
    Pair("1", "shop", "How many customers are there?", "SELECT COUNT(*) FROM customers"),
    Pair("2", "shop", "Names of the customers from Graz", "SELECT customer_name FROM customers WHERE town = 'Graz'"),
    Pair("3", "shop", "Which customers have at least 2 orders? Names please.",
         "SELECT c.customer_name FROM customers AS c JOIN orders AS o ON o.customer_id = c.customer_id GROUP BY c.customer_id "
         "HAVING COUNT(*) >= 2"),
    Pair("4", "shop", "What is the average amount of an order above 4?", "SELECT AVG(amount) FROM orders WHERE amount > 4"),
    Pair("5", "shop", "Customers who never ordered anything",
         "SELECT customer_name FROM customers WHERE customer_id NOT IN (SELECT customer_id FROM orders)"),
]  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    for name, script in (("shop", SHOP), ("zoo", ZOO)):
        path = folder / name / f"{name}.sqlite"
        path.parent.mkdir()
        with sqlite3.connect(path) as connection:
            connection.executescript(script)
        connection.close()
    return DataSet("two", folder, TRAIN)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "gold"),
    [
        ("How many keepers are there?", "SELECT COUNT(*) FROM keepers"),
        ("Names of the keepers from South Gate", "SELECT keeper_name FROM keepers WHERE district = 'South Gate'"),
        ("What is the average weight of an animal above twelve?", "SELECT AVG(weight) FROM animals WHERE weight > 12"),
        ("Which keepers have at least 2 animals? Names please.",
         "SELECT keeper_name FROM keepers WHERE keeper_id IN (SELECT keeper_id FROM animals GROUP BY keeper_id HAVING COUNT(*) >= 2)"),
        ("Keepers who never keep animals",
         "SELECT keeper_name FROM keepers WHERE keeper_id NOT IN (SELECT keeper_id FROM animals)"),
    ],
)  # fmt: skip
def test_a_question_about_another_database_is_answered_with_its_names(data, question, gold):
    [answer] = retrieve_and_fill(data)([Pair("x", "zoo", question, gold)])
    assert data.score(Pair("x", "zoo", question, gold), answer.text).correct, answer.text


def mentions(data, db_id, question):
    return Mentions(Lexicon(profile_database(data.database(db_id))), question)


def test_what_a_question_says_of_its_database(data):
    said = mentions(data, "zoo", "Which 2 animals of Flo Miller at South Gate weigh three?")
    assert {(t, c, v) for _, t, c, v in said.values} == {
        ("keepers", "keeper_name", "Flo Miller"),
        ("keepers", "district", "South Gate"),
    }
    assert said.numbers == ["2", "3"]
    assert said.masked() == "which numberword nameword of valueword valueword at valueword valueword weigh numberword"


@pytest.mark.parametrize(
    "sql",
    [
        "WITH x AS (SELECT 1 AS a) SELECT a FROM x",
        "SELECT a FROM (SELECT amount AS a FROM orders)",
        "SELECT FROM",
        "SELECT a FROM moons",
    ],
)
def test_a_query_whose_names_cannot_be_told_is_no_template(data, sql):
    assert template_of(sql, mentions(data, "shop", "What?")) is None


def test_tables_that_are_not_joined_likewise_give_no_filling(data):
    template = template_of(TRAIN[2].sql, mentions(data, "shop", TRAIN[2].question))
    asked = mentions(data, "zoo", "Which keepers have at least 2 animals?")
    assert all(" ON o.keeper_id = c.keeper_id" in f.sql for f in fill(template, asked))
    asked.joins.clear()
    assert fill(template, asked) == []


def test_without_training_pairs_or_rows_there_is_an_answer_all_the_same(data, tmp_path):
    assert DataSet("none", data.databases).look_up(Pair("x", "zoo", "How many keepers?", "")) == ""
    with sqlite3.connect(tmp_path / "empty.sqlite") as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    bare = DataSet("bare", data.databases, list(TRAIN), elsewhere={"empty": tmp_path / "empty.sqlite"})
    assert bare.look_up(Pair("x", "empty", "How many customers are there?", "")) == TRAIN[0].sql
