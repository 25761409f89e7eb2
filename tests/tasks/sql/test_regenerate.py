"""Other rows of the same schema: every constraint holds, and what no constraint says but every row does."""

import contextlib
import random
import re
import sqlite3

import pytest

from forge_lib.tasks.sql.constants import asked_of
from forge_lib.tasks.sql.regenerate import make_state, mode
from forge_lib.tasks.sql.sandbox import Sandbox
from forge_lib.tasks.sql.schema import read_schema
from forge_lib.tasks.sql.state_source import NoState, read_source

ODD = {
    "composite keys": """
        CREATE TABLE halls (town TEXT, hall INTEGER, seats INTEGER NOT NULL, PRIMARY KEY (town, hall));
        CREATE TABLE shows (id INTEGER PRIMARY KEY, town TEXT NOT NULL, hall INTEGER NOT NULL, sold INTEGER CHECK (sold >= 0),
            FOREIGN KEY (town, hall) REFERENCES halls (town, hall), UNIQUE (town, sold));
        INSERT INTO halls VALUES ('Ulm', 1, 50), ('Ulm', 2, 80), ('Bern', 1, 50), ('Bern', 4, 30);
        INSERT INTO shows VALUES (1, 'Ulm', 1, 20), (2, 'Ulm', 2, 30), (3, 'Bern', 4, 20), (4, 'Bern', 1, NULL);""",
    "a table that refers to itself": """
        CREATE TABLE staff (id INTEGER PRIMARY KEY, name TEXT NOT NULL, boss INTEGER REFERENCES staff(id));
        INSERT INTO staff VALUES (1, 'Ada', NULL), (2, 'Bo', 1), (3, 'Cy', 1), (4, 'Di', 2), (5, 'Ed', 4);""",
    "two tables that refer to each other": """
        CREATE TABLE teams (id INTEGER PRIMARY KEY, captain INTEGER REFERENCES players(id));
        CREATE TABLE players (id INTEGER PRIMARY KEY, team INTEGER NOT NULL REFERENCES teams(id), goals INTEGER);
        INSERT INTO teams VALUES (1, 11), (2, 13), (3, NULL);
        INSERT INTO players VALUES (11, 1, 3), (12, 1, 0), (13, 2, 8), (14, 3, 2);""",
    "computed columns": """
        CREATE TABLE lines (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, price REAL NOT NULL, total REAL AS (n * price) STORED,
            half AS (total / 2));
        INSERT INTO lines (id, n, price) VALUES (1, 2, 1.5), (2, 1, 9.99), (3, 7, 0.25);""",
    "odd names, CHECK over two columns": """
        CREATE TABLE "order" ("from" TEXT PRIMARY KEY, "a ""b"" c" INTEGER, "select" INTEGER, CHECK ("select" > "a ""b"" c"));
        CREATE TABLE [two words] (x INTEGER PRIMARY KEY, "the order" TEXT NOT NULL REFERENCES "order" ("from"));
        INSERT INTO "order" VALUES ('x''y', 1, 2), ('z', 3, 9), ('ä', 5, 6);
        INSERT INTO [two words] VALUES (1, 'z'), (2, 'z'), (3, 'ä');""",
    "without rowid": """
        CREATE TABLE codes (code TEXT PRIMARY KEY, label TEXT NOT NULL COLLATE NOCASE UNIQUE) WITHOUT ROWID;
        CREATE TABLE uses (code TEXT NOT NULL REFERENCES codes, day TEXT NOT NULL, PRIMARY KEY (code, day)) WITHOUT ROWID;
        INSERT INTO codes VALUES ('a', 'Apple'), ('b', 'Bean'), ('c', 'Corn');
        INSERT INTO uses VALUES ('a', '2024-01-31'), ('a', '2024-02-29'), ('c', '2023-12-31');""",
    "no key, strict, blobs": """
        CREATE TABLE seen (what TEXT, how_often INT, picture BLOB, share REAL) STRICT;
        INSERT INTO seen VALUES ('fox', 3, x'00ff', 0.5), ('fox', 3, x'00ff', 0.5), ('owl', NULL, NULL, 0.125);""",
    "an index that is a constraint, a trigger, a view": """
        CREATE TABLE seats (id INTEGER PRIMARY KEY AUTOINCREMENT, row TEXT, number INTEGER, taken INTEGER NOT NULL DEFAULT 0
            CHECK (taken IN (0, 1)));
        CREATE UNIQUE INDEX one_seat ON seats (lower(row), number) WHERE number > 0;
        CREATE VIEW free AS SELECT row, number FROM seats WHERE taken = 0;
        CREATE TRIGGER no_more BEFORE INSERT ON seats WHEN new.number > 9 BEGIN SELECT RAISE(ABORT, 'no'); END;
        INSERT INTO seats (row, number, taken) VALUES ('A', 1, 0), ('B', 1, 1), ('A', 2, 1), ('C', 3, 0);""",
    "an empty table, a key that points nowhere": """
        CREATE TABLE blank (id INTEGER PRIMARY KEY, x TEXT);
        CREATE TABLE lost (id INTEGER PRIMARY KEY, n INTEGER REFERENCES gone(id), m TEXT REFERENCES blank(x));
        INSERT INTO lost VALUES (1, NULL, NULL), (2, NULL, NULL);""",
}  # fmt: skip

READING = Sandbox(cut=True)


@pytest.fixture(scope="module", autouse=True)
def closed_at_the_end():
    yield
    READING.close()


DATES = """
CREATE TABLE stays (id INTEGER PRIMARY KEY, arrived TEXT NOT NULL, left_on TEXT, booked INTEGER NOT NULL, born INTEGER,
    at TEXT NOT NULL, stars INTEGER NOT NULL, price REAL NOT NULL, guest TEXT NOT NULL);
"""


def database(path, script):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
        connection.commit()
    return path


def stays(path):
    luck = random.Random(3)
    rows = []
    for n in range(1, 31):
        month, day = luck.randint(1, 12), luck.randint(1, 20)
        rows.append((n, f"2023-{month:02}-{day:02}", f"2023-{month:02}-{day + 5:02}" if n % 4 else None,
                     20230000 + 100 * month + day, luck.choice([1980, 1990, None]), f"2023-{month:02}-{day:02} 1{n % 10}:30",
                     luck.randint(1, 5), round(luck.uniform(20, 90), 2), f"Guest {n}"))  # fmt: skip
    database(path, DATES)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executemany("INSERT INTO stays VALUES (?,?,?,?,?,?,?,?,?)", rows)
        connection.commit()
    return path


def states(path, tmp_path, golds=(), count=6):
    """Open connections to `count` further states."""
    source = read_source(path, asked_of(golds, read_schema(path)), READING)
    for number in range(count):
        rng, file = random.Random(number), tmp_path / f"s{number}.sqlite"
        make_state(source, file, mode(number, rng), rng)
        with contextlib.closing(sqlite3.connect(file)) as connection:
            yield connection


@pytest.mark.parametrize("name", ODD)
@pytest.mark.filterwarnings("ignore:.*is left out")
def test_every_constraint_holds_in_every_state(name, tmp_path):
    path = database(tmp_path / "odd.sqlite", ODD[name])
    with contextlib.closing(sqlite3.connect(path)) as connection:
        before = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
        filled = [t for t, _ in before if connection.execute(f'SELECT 1 FROM "{t}"').fetchone()]
        had = "\n".join(connection.iterdump())
    others = 0
    for connection in states(path, tmp_path):
        assert connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall() == before
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        with contextlib.suppress(sqlite3.OperationalError):  # a key that points nowhere
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        for table in filled:
            assert connection.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()[0] > 0
        others += "\n".join(connection.iterdump()) != had
        for table, key in (("codes", "code"), ("order", "from"), ("halls", "town")):
            with contextlib.suppress(sqlite3.OperationalError):
                assert connection.execute(f'SELECT * FROM "{table}" WHERE "{key}" IS NULL').fetchall() == []
    assert others > 0


def test_dates_stay_dates_and_in_their_order(tmp_path):
    for connection in states(stays(tmp_path / "d.sqlite"), tmp_path):
        rows = connection.execute("SELECT arrived, left_on, booked, at, stars, price FROM stays").fetchall()
        for arrived, left_on, booked, at, stars, price in rows:
            assert re.fullmatch(r"202\d-\d\d-\d\d", arrived) and (left_on is None or arrived <= left_on)
            assert connection.execute("SELECT date(?), date(?)", (arrived, at)).fetchone() == (arrived, at[:10])
            assert re.fullmatch(r"20\d{6}", str(booked)) and re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:30", at)
            assert 1 <= stars <= 5 and 20 <= price <= 90 and round(price, 2) == price


def test_the_constants_of_the_golds_are_hit_at_and_beside_them(tmp_path):
    golds = ["SELECT guest FROM stays WHERE price > 55.5", "SELECT guest FROM stays WHERE arrived >= '2023-06-15'",
             "SELECT COUNT(*) FROM stays WHERE strftime('%Y-%m', at) = '2023-03'",
             "SELECT COUNT(*) FROM stays WHERE booked < 20230701", "SELECT id FROM stays WHERE guest LIKE 'Guest 1%'"]  # fmt: skip
    seen = {column: set() for column in ("price", "arrived", "at", "booked", "guest")}
    for connection in states(stays(tmp_path / "d.sqlite"), tmp_path, golds):
        for column, values in seen.items():
            values |= {row[0] for row in connection.execute(f"SELECT {column} FROM stays")}
    assert {55.5, 55.49, 55.51} <= seen["price"]
    assert {"2023-06-14", "2023-06-15", "2023-06-16"} <= seen["arrived"]
    assert {20230630, 20230701, 20230702} <= seen["booked"]
    assert {"2023-03-01", "2023-02-28", "2023-03-31", "2023-04-01"} <= {v[:10] for v in seen["at"]}
    assert any("Guest 1" in v and not v.startswith("Guest 1") for v in seen["guest"])


def test_what_a_gold_takes_as_identifying_stays_so_and_other_names_come_twice(tmp_path):
    path = stays(tmp_path / "d.sqlite")
    twice = "SELECT guest FROM stays GROUP BY guest HAVING COUNT(*) > 1"
    (tmp_path / "free").mkdir()
    free = [bool(c.execute(twice).fetchall()) for c in states(path, tmp_path / "free", ["SELECT guest FROM stays"])]
    relied = ["SELECT guest, COUNT(*) FROM stays GROUP BY guest"]
    assert any(free) and not any(c.execute(twice).fetchall() for c in states(path, tmp_path, relied))


def test_null_stands_where_it_is_allowed_and_means_something(tmp_path):
    nulls = {column: 0 for column in ("left_on", "born", "price")}
    for connection in states(stays(tmp_path / "d.sqlite"), tmp_path):
        for column in nulls:
            nulls[column] += connection.execute(f"SELECT COUNT(*) FROM stays WHERE {column} IS NULL").fetchone()[0]
    assert nulls["left_on"] and nulls["born"] and not nulls["price"]
    loose = database(
        tmp_path / "l.sqlite", "CREATE TABLE t (a TEXT, b INT); INSERT INTO t VALUES ('x', 1), ('y', 2), ('z', 3)"
    )
    for file in tmp_path.glob("s?.sqlite"):
        file.unlink()
    assert not any(
        c.execute("SELECT 1 FROM t WHERE a IS NULL OR b IS NULL").fetchall() for c in states(loose, tmp_path)
    )


def test_children_are_spread_so_that_some_parents_have_none(tmp_path):
    script = "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p_id INTEGER NOT NULL REFERENCES p);"
    script += "".join(f"INSERT INTO p VALUES ({n}); INSERT INTO c VALUES ({n}, {n});" for n in range(1, 13))
    lonely = "SELECT COUNT(*) FROM p WHERE id NOT IN (SELECT p_id FROM c)"
    found = [c.execute(lonely).fetchone()[0] for c in states(database(tmp_path / "f.sqlite", script), tmp_path)]
    assert all(found)


def test_a_key_that_is_not_declared_is_kept_too(tmp_path):
    script = "CREATE TABLE authors (author_id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE books (id INTEGER PRIMARY KEY, author_id INTEGER);"
    script += "".join(
        f"INSERT INTO authors VALUES ({n}, 'A{n}'); INSERT INTO books VALUES ({n}, {1 + n % 7});" for n in range(1, 13)
    )
    orphans = "SELECT COUNT(*) FROM books WHERE author_id NOT IN (SELECT author_id FROM authors)"
    assert not any(c.execute(orphans).fetchone()[0] for c in states(database(tmp_path / "b.sqlite", script), tmp_path))


def test_the_same_seed_gives_the_same_rows(tmp_path):
    path = stays(tmp_path / "d.sqlite")
    dumps = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        dumps.append(["\n".join(c.iterdump()) for c in states(path, tmp_path / folder, count=3)])
    assert dumps[0] == dumps[1] and len({*dumps[0]}) == 3


@pytest.mark.parametrize("script, why", [
    ("CREATE VIRTUAL TABLE v USING fts5(x); INSERT INTO v VALUES ('a'); CREATE TABLE t (a); INSERT INTO t VALUES (1)", "virtual"),
    ("CREATE TABLE t (a)", "no rows"),
])  # fmt: skip
def test_what_can_have_no_other_state_says_why(script, why, tmp_path):
    path = database(tmp_path / "v.sqlite", script)
    with pytest.raises(NoState, match=why):
        list(states(path, tmp_path))
