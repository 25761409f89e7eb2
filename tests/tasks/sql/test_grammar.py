"""Schema-constrained decoding: what the grammar lets a model write runs, and what people ask can be written."""

import random
import sqlite3

import pytest

from forge_lib.models.grammar import GrammarConstraint, GrammarError
from forge_lib.tasks.sql.columns import Kind, column_kinds
from forge_lib.tasks.sql.grammar import database_grammar, schema_grammar, stem
from forge_lib.tasks.sql.schema import Schema, connect_readonly, read_schema

SCRIPT = """
CREATE TABLE ports (port_id INTEGER PRIMARY KEY, port_name TEXT, country TEXT);
CREATE TABLE routes (route_id INTEGER PRIMARY KEY, route_name TEXT, from_port_id INTEGER REFERENCES ports(port_id),
    to_port_id INTEGER REFERENCES ports(port_id), opened DATE, "unit price" REAL);
CREATE TABLE trips (trip_id INTEGER PRIMARY KEY, route_id INTEGER REFERENCES routes(route_id), sailed DATE, guests INTEGER,
    note TEXT);
CREATE TABLE crew (crew_id INTEGER PRIMARY KEY, surname TEXT, mentor_id INTEGER REFERENCES crew(crew_id));
INSERT INTO ports VALUES (1, 'Ny''borg', 'Denmark'), (2, 'Kiel', 'Germany');
INSERT INTO routes VALUES (1, 'short', 1, 2, '2020-01-02', 9.5), (2, 'long', 2, 1, '2021-05-01', 20);
INSERT INTO trips VALUES (1, 1, '2024-01-01', 12, NULL), (2, 2, '2024-02-03', 40, NULL);
INSERT INTO crew VALUES (1, 'Ahl', NULL), (2, 'Bo', 1);
"""


@pytest.fixture(scope="module")
def ferries(tmp_path_factory):
    path = tmp_path_factory.mktemp("ferries") / "ferries.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(SCRIPT)
    connection.close()
    return path


@pytest.fixture(scope="module")
def constraint(ferries, tokenizer):
    schema = read_schema(ferries)
    return GrammarConstraint(schema_grammar(schema, column_kinds(schema, ferries)), tokenizer)


def ids(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


ASKED = [
    "SELECT COUNT(*) FROM trips",
    "SELECT 'no answer'",
    'SELECT route_name, "unit price" FROM routes WHERE "unit price" > 10.5 ORDER BY "unit price" DESC LIMIT 3',
    "SELECT port_name FROM ports WHERE country IN ('Denmark', 'Germany') AND port_name != 'Ny''borg'",
    "SELECT routes.route_name, SUM(trips.guests) FROM routes JOIN trips ON trips.route_id = routes.route_id "
    "GROUP BY routes.route_id HAVING COUNT(*) >= 2 ORDER BY SUM(trips.guests) DESC",
    "SELECT strftime('%Y-%m', sailed), COUNT(*) FROM trips WHERE sailed >= '2024-01-01' GROUP BY strftime('%Y-%m', sailed)",
    "SELECT route_name FROM routes WHERE route_id NOT IN (SELECT route_id FROM trips WHERE guests > 20)",
    "SELECT 100.0 * SUM(CASE WHEN guests > 20 THEN 1 ELSE 0 END) / COUNT(*) FROM trips",
    "SELECT AVG(julianday(trips.sailed) - julianday(routes.opened)) FROM trips JOIN routes ON trips.route_id = routes.route_id",
    "SELECT surname FROM crew WHERE mentor_id IS NULL UNION SELECT port_name FROM ports",
    "SELECT b.surname, COUNT(*) FROM crew AS a JOIN crew AS b ON a.mentor_id = b.crew_id GROUP BY b.crew_id",
    "SELECT routes.route_name, from_port.port_name, to_port.port_name FROM routes JOIN ports AS from_port ON "
    "routes.from_port_id = from_port.port_id JOIN ports AS to_port ON routes.to_port_id = to_port.port_id",
    "SELECT MAX(guests) - MIN(guests) FROM trips",
    "SELECT COUNT(*) FROM (SELECT route_id FROM trips GROUP BY route_id HAVING COUNT(*) > 1)",
    "SELECT trip_id FROM trips WHERE guests > (SELECT AVG(guests) FROM trips)",
    "SELECT trip_id FROM trips WHERE note LIKE '%storm%' AND (guests BETWEEN 1 AND 9 OR sailed IS NOT NULL)",
    "SELECT CASE WHEN guests < 20 THEN 'few' ELSE 'many' END, COUNT(*) FROM trips GROUP BY CASE WHEN guests < 20 THEN 'few' "
    "ELSE 'many' END",
]


@pytest.mark.parametrize("sql", ASKED)
def test_what_people_ask_can_be_written_and_runs(sql, constraint, tokenizer, ferries):
    with connect_readonly(ferries) as connection:
        connection.execute(sql)
    assert constraint.accepts(ids(tokenizer, sql))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT price FROM routes",  # no such column
        "SELECT guests FROM routes",  # a column of another table
        "SELECT routes.route_name, trips.guests FROM routes",  # of a table that is not in FROM
        "SELECT COUNT(*) FROM ferries",
        "SELECT routes.route_name FROM routes JOIN ports ON routes.route_id = ports.port_id",  # no key
        "SELECT port_name FROM ports WHERE country = 'Sweden'",  # no such value
        "SELECT port_name FROM ports WHERE SUM(port_id) > 3",  # an aggregate of no group
        "SELECT port_name FROM ports; DROP TABLE ports",
        "DELETE FROM ports",
        "SELECT port_name FROM ports WHERE country",
        "SELECT port_name FROM",
        "SELECT crew.surname FROM crew JOIN crew ON crew.mentor_id = crew.crew_id",  # twice without an alias
    ],
)
def test_what_would_fail_cannot_be_written(sql, constraint, tokenizer):
    assert not constraint.accepts(ids(tokenizer, sql))


def test_whatever_is_drawn_at_random_runs(constraint, tokenizer, ferries):
    """The grammar alone, without a model: any sequence that it lets through to its end is a query of this database."""
    rng, ends, ran = random.Random(17), tokenizer.eos_token_id, 0
    with connect_readonly(ferries) as connection:
        for _ in range(12):
            answer, one = [], constraint.fresh()
            while len(answer) < 120:
                allowed = one.allowed().nonzero().flatten().tolist()
                token = ends if ends in allowed else rng.choice(allowed)
                if token == ends:
                    break
                answer.append(token)
                one.advance(token)
            else:
                continue  # it went on and on: nothing is said of it
            connection.execute(tokenizer.decode(answer))
            ran += 1
    assert ran >= 6


def test_a_fresh_one_begins_at_the_beginning(constraint, tokenizer):
    used = constraint.fresh()
    for token in ids(tokenizer, "SELECT COUNT(*)"):
        used.advance(token)
    start = constraint.fresh().allowed()
    assert start.equal(used.fresh().allowed()) and not start.equal(used.allowed())


def test_after_a_refused_token_the_answer_ends(constraint, tokenizer):
    one = constraint.fresh()
    one.advance(ids(tokenizer, "DROP")[0])
    assert one.allowed().nonzero().flatten().tolist() == [tokenizer.eos_token_id]


def test_what_is_no_grammar_says_so(tokenizer):
    with pytest.raises(GrammarError, match="nowhere"):
        GrammarConstraint("start: nowhere", tokenizer)


def test_columns_tell_what_they_hold(ferries, tmp_path):
    kinds = column_kinds(read_schema(ferries), ferries)
    assert kinds["ports", "country"] == Kind("text", ("Denmark", "Germany"))
    assert kinds["routes", "opened"].kind == "date" and kinds["routes", "unit price"].kind == "number"
    assert kinds["trips", "note"] == Kind("text")  # nothing in it, declared a text
    path = tmp_path / "many.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (many TEXT, long TEXT, mixed, raw BLOB)")
        rows = [(f"v{n}", "x" * 90, n if n % 2 else "text", bytes([n % 256])) for n in range(200 + 1)]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    connection.close()
    kinds = column_kinds(read_schema(path), path)
    assert [kinds["t", c] for c in ("many", "long")] == [Kind("text")] * 2
    assert kinds["t", "mixed"].kind == "number" and kinds["t", "raw"] == Kind("text")


def test_names_in_any_script_and_words_of_sql(tmp_path, tokenizer):
    path = tmp_path / "odd.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            'CREATE TABLE "order" ("group" TEXT, "цена" REAL, "a ""b""" TEXT, "c\x7f" TEXT); CREATE VIEW v AS SELECT "group" AS g FROM "order";'
            "INSERT INTO \"order\" VALUES ('x\ny', 1, 'back\\slash', 'd\x7f')"
        )
    connection.close()
    schema = read_schema(path)
    constraint = GrammarConstraint(schema_grammar(schema, column_kinds(schema, path)), tokenizer)
    for sql in ('SELECT "group", цена FROM "order" WHERE "a ""b""" = \'back\\slash\'', "SELECT g FROM v"):
        with connect_readonly(path) as connection:
            connection.execute(sql)
        assert constraint.accepts(ids(tokenizer, sql))


def test_a_large_schema_keeps_to_its_limit(tmp_path, tokenizer):
    path = tmp_path / "large.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE hub (id INTEGER PRIMARY KEY, name TEXT)")
        for n in range(40):
            connection.execute(
                f"CREATE TABLE t{n} (id INTEGER PRIMARY KEY, hub_id INTEGER REFERENCES hub(id), x{n} REAL)"
            )
    connection.close()
    schema = read_schema(path)
    grammar = schema_grammar(schema, column_kinds(schema, path))
    assert grammar.count("\nfrom") <= 150
    constraint = GrammarConstraint(grammar, tokenizer)
    assert constraint.accepts(
        ids(tokenizer, "SELECT hub.name, SUM(t3.x3) FROM hub JOIN t3 ON t3.hub_id = hub.id GROUP BY hub.id")
    )


def test_an_empty_schema_has_no_query_but_the_refusal(tokenizer):
    constraint = GrammarConstraint(schema_grammar(Schema("none", ()), {}), tokenizer)
    assert constraint.accepts(ids(tokenizer, "SELECT 'no answer'"))


def test_roles_are_called_after_keys():
    assert [stem(k) for k in ("from_port_id", "MentorID", "id")] == ["from_port", "Mentor", "id"]


@pytest.mark.slow
def test_a_schema_that_no_grammar_holds_has_none(tmp_path, tokenizer):
    """Wide tables by the dozen: what fits is read by llguidance, and beyond that an answer is free."""
    path = tmp_path / "wide.sqlite"
    with sqlite3.connect(path) as connection:
        for n in range(130):
            columns = ", ".join(f"column_{n}_{at} TEXT" for at in range(30))
            connection.execute(f"CREATE TABLE t{n} (id INTEGER PRIMARY KEY, {columns})")
    connection.close()
    schema = read_schema(path)
    assert schema_grammar(schema, column_kinds(schema, path)) is None
    some = Schema("some", schema.tables[:25])
    constraint = GrammarConstraint(schema_grammar(some, column_kinds(some, path)), tokenizer)
    assert constraint.accepts(ids(tokenizer, "SELECT column_24_7 FROM t24 WHERE column_24_8 IS NULL"))


def test_people_may_ask_for_what_is_not_there(ferries, tokenizer):
    """A question about Sweden has no rows; held to the stored values it would have Denmark's."""
    free = GrammarConstraint(database_grammar(read_schema(ferries), ferries, stored=False), tokenizer)
    assert free.accepts(ids(tokenizer, "SELECT port_name FROM ports WHERE country = 'Sweden'"))
    assert not free.accepts(ids(tokenizer, "SELECT port_name FROM ports WHERE land = 'Sweden'"))


def test_numbers_that_are_kept_as_texts_can_be_added_up(tmp_path):
    path = tmp_path / "csv.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE t (amount TEXT, code TEXT); INSERT INTO t VALUES ('12.5', 'a'), ('7', '3'), ('8', 'b')"
        )
    connection.close()
    kinds = column_kinds(read_schema(path), path)
    assert kinds["t", "amount"].kind == "number" and kinds["t", "code"] == Kind("text", ("3", "a", "b"))


def test_digits_with_a_leading_zero_are_a_code_and_stay_text(tmp_path):
    """As a number, 01067 is 1067 to SQLite, and finds nothing."""
    path = tmp_path / "codes.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript("CREATE TABLE t (zip TEXT); INSERT INTO t VALUES ('01067'), ('04103'), ('10115')")
    connection.close()
    assert column_kinds(read_schema(path), path)["t", "zip"] == Kind("text", ("01067", "04103", "10115"))
