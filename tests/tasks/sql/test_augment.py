import random
import re
import sqlite3

import pytest
from sqlglot.errors import SqlglotError

from forge_lib.tasks.sql.augment import (
    STYLES,
    _names,
    augment,
    canonical_sql,
    identifiers,
    rename_identifiers,
    skeleton,
)
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.schema import ForeignKey, Schema, Table, read_schema
from forge_lib.tasks.sql.sources.course import load_course


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
    data, rng, found = load_course(), random.Random(1), 0
    for pair in rng.sample(data.train, 200):
        schema, (changed,) = augment(data.schema(pair.db_id), [pair], rng)
        spelled = {t.name for t in schema.tables} | {c for t in schema.tables for c in t.columns}
        aliases = {a.lower() for a in re.findall(r"\bAS (\w+)", changed.sql)}
        used = {w for _, w in _names(changed.sql) if w.lower() in schema.names - aliases}
        assert used <= spelled, changed.sql
        found += len(used)
    assert found > 400


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


def test_identifiers_are_whole_names_of_any_script_and_no_strings():
    sql = """SELECT имя, "unit price" FROM [Order Details] WHERE `a, b` = 'from a string' AND shop = 'Bob''s' -- nor this"""
    assert identifiers(sql) == {
        "select", "имя", "unit price", "from", "order details", "where", "a, b", "and", "shop",
    }  # fmt: skip


@pytest.mark.parametrize("sql", ["SELECT FROM WHERE", "SELECT a FROM t WHERE b = 'open", "SELECT elsewhere FROM t", ""])
def test_what_sqlite_does_not_take_is_passed_on_with_the_whole_schema(sql):
    schema = Schema("d", (Table("t", ("a", "b_c"), ("", ""), (), ()), Table("u", ("d",), ("",), (), ())))
    pairs = [Pair("p", "d", "?", sql), Pair("q", "d", "?", "SELECT a FROM t")]
    assert all(augment(schema, pairs, random.Random(n), drop=1.0) == (schema, pairs) for n in range(20))


def test_no_key_points_at_what_is_not_shown():
    table = Table("t", ("a", "b", "c"), ("",) * 3, ("a",), ())
    child = Table("u", ("x", "y"), ("",) * 2, ("x",), (ForeignKey("y", "t", "B"),))
    pair, shown = Pair("p", "d", "?", "SELECT a, x FROM t, u"), set()
    for seed in range(40):
        view, _ = augment(Schema("d", (table, child)), [pair], random.Random(seed), drop=0.5)
        columns = {(t.name, c.lower()) for t in view.tables for c in t.columns}
        keys = [(k.table, k.target.lower()) for t in view.tables for k in t.foreign_keys]
        assert set(keys) <= columns
        shown.add(bool(keys))
    assert shown == {True, False}


DRAWS = 25  # 200 of each passed once; these are for every day
SHOP = """CREATE TABLE book(book_id INTEGER PRIMARY KEY, title TEXT, category TEXT, unit_price REAL);
INSERT INTO book VALUES (1, 'A', 'book', 3), (2, 'Bob''s', 'title', 5), (3, 'C', 'unitPrice', NULL);
CREATE TABLE loan(loan_id INTEGER PRIMARY KEY, book_id REFERENCES book(book_id), "Loan Day" TEXT);
INSERT INTO loan VALUES (1, 1, '2024-01-02'), (2, 1, 'Loan Day'), (3, 3, 'it''s "late"');
CREATE TABLE other(a, b, c);"""
SCRIPTS = {
    "shop": (SHOP, [
        "SELECT title FROM book WHERE category = \"book\"",
        "SELECT title FROM book WHERE category = \"title\" OR category = \"unitPrice\"",
        "SELECT \"title\" FROM book WHERE \"category\" = \"book\"",
        "SELECT title FROM book WHERE title = \"Bob's\" OR category = \"Ann's\"",
        "SELECT [Loan Day] FROM loan WHERE `Loan Day` LIKE '%\"%'",
        "SELECT * FROM book ORDER BY book_id",
        "SELECT title, \"Loan Day\" FROM book NATURAL JOIN loan",
        "SELECT title FROM book JOIN loan USING (book_id) ORDER BY loan_id",
        "SELECT COUNT(*) AS bookid FROM loan GROUP BY book_id ORDER BY bookid DESC",
        "SELECT book_id, COUNT(*) AS bookid FROM loan GROUP BY book_id ORDER BY book_id",
        "WITH loan(book_id) AS (SELECT book_id FROM book) SELECT book_id FROM loan",
        "WITH unitprice AS (SELECT unit_price FROM book) SELECT COUNT(*) FROM unitprice",
        "SELECT title -- the book's category\nFROM book /* category = 'it */ WHERE book_id = 1",
        "SELECT 'book'.'title' FROM 'book'",
        "SELECT rowid, title FROM book AS category",
        "SELECT (SELECT MAX(unit_price) FROM book), COUNT(DISTINCT book_id) FROM loan",
        "SELECT CASE WHEN category = 'book' THEN \"category\" ELSE \"no category\" END FROM book",
        "SELECT x'626f6f6b', 1e3, title FROM book WHERE unit_price > 1e0",
        "SELECT title FROM book EXCEPT SELECT \"category\" FROM book",
    ]),
    "scripts": ("""CREATE TABLE товар(имя TEXT, "цена за штуку" REAL, ед_изм TEXT); INSERT INTO товар VALUES ('имя', 30, 'имя'), ('сыр', 90, 'кг');
        CREATE TABLE 商品(编号 INTEGER, 名称 TEXT, 价格 REAL); INSERT INTO 商品 VALUES (1, '名称', 2), (2, '茶', 7);
        CREATE TABLE lager(äpfel_kg REAL, straße TEXT); INSERT INTO lager VALUES (2, 'Am Markt'), (5, 'äpfel_kg');
        CREATE TABLE "किताब"("मूल्य" REAL, "नाम" TEXT); INSERT INTO "किताब" VALUES (3, 'क'), (9, 'ख');
        CREATE TABLE Цены(Цена REAL, цена REAL); INSERT INTO Цены VALUES (1, 2), (3, 4);""", [
        "SELECT имя FROM товар WHERE \"цена за штуку\" > 30", "SELECT имя FROM товар WHERE имя = \"ед_изм\" AND ед_изм = 'имя'",
        "SELECT имя FROM товар WHERE ед_изм = \"кг\"", "SELECT 名称 FROM 商品 WHERE 价格 > 3 OR 名称 = '名称'",
        "SELECT straße FROM lager WHERE äpfel_kg > 3", "SELECT नाम FROM किताब WHERE मूल्य > 4", "SELECT Цена FROM Цены WHERE цена > 2",
    ]),
    "odd": ('''CREATE TABLE "Order Details"("unit price" REAL, "a, b" TEXT, "say ""hi""" TEXT, "Charter School (Y/N)" INT, "select" TEXT);
        INSERT INTO "Order Details" VALUES (1, 'x', 'select', 1, 'y'), (2, 'unit price', 'z', 0, 'w');
        CREATE TABLE "order"(or_der INT, group_ TEXT, _ INT, __ INT, "2020" INT, a$b INT, "end" INT);
        INSERT INTO "order" VALUES (1, 'g', 5, 6, 7, 8, 9), (2, 'h', 1, 2, 3, 4, 5);
        CREATE TABLE user(user_id INT, userid INT, "user-id" INT, "user id" INT); INSERT INTO user VALUES (1, 2, 3, 4), (5, 6, 7, 8);
        CREATE TABLE line(id INT, no INT, "at]" INT, PRIMARY KEY (id, no)); INSERT INTO line VALUES (1, 1, 2), (1, 2, 3);
        CREATE TABLE part(line_id INT, line_no INT, boss INT REFERENCES part(line_id), FOREIGN KEY (line_id, line_no) REFERENCES line(id, no));
        INSERT INTO part VALUES (1, 1, NULL), (1, 2, 1);''', [
        "SELECT \"a, b\" FROM \"Order Details\" WHERE \"unit price\" > 1", "SELECT [say \"hi\"] FROM [Order Details] WHERE `select` = 'y'",
        "SELECT \"say \"\"hi\"\"\" FROM \"Order Details\"", "SELECT AVG(\"Charter School (Y/N)\") FROM \"Order Details\"",
        "SELECT or_der, group_, _, __ FROM \"order\"", "SELECT \"2020\", a$b FROM \"order\" WHERE end > 5 ORDER BY or_der DESC",
        "SELECT user_id, userid FROM user", "SELECT user_id FROM user WHERE \"user-id\" = 3", "SELECT userid FROM user",
        "SELECT \"at]\" FROM line JOIN part ON id = line_id AND no = line_no", "SELECT COUNT(*) FROM part AS p JOIN part AS q ON p.boss = q.line_id",
        "SELECT COUNT(*) FROM line", "SELECT 1",
    ]),
}  # fmt: skip


def as_shown(database: sqlite3.Connection, schema: Schema, view: Schema) -> sqlite3.Connection:
    """The tables and columns that `view` shows, under its names, with the rows of `database`."""
    names = {n for t in schema.tables for n in (t.name, *t.columns)}
    shown = {n for t in view.tables for n in (t.name, *t.columns)}
    style = next(w for w in STYLES.values() if shown <= {w(n) or n for n in names})
    copy = sqlite3.connect(":memory:")
    for table in view.tables:
        (old,) = [t for t in schema.tables if (style(t.name) or t.name) == table.name]
        before = {style(c) or c: c for c in old.columns}  # a style may leave nothing of a name, which then stays
        quoted = [['"' + n.replace('"', '""') + '"' for n in names] for names in
                  ([table.name, *table.columns], [old.name, *(before[c] for c in table.columns)])]  # fmt: skip
        copy.execute(f"CREATE TABLE {quoted[0][0]} ({', '.join(quoted[0][1:])})")
        rows = database.execute(f"SELECT {', '.join(quoted[1][1:])} FROM {quoted[1][0]}").fetchall()
        copy.executemany(f"INSERT INTO {quoted[0][0]} VALUES ({', '.join('?' * len(table.columns))})", rows)
    return copy


@pytest.mark.parametrize(("name", "sql"), [(name, sql) for name, (_, golds) in SCRIPTS.items() for sql in golds])
def test_the_gold_returns_the_same_rows_on_every_schema_shown(tmp_path, name, sql):
    path = tmp_path / "d.sqlite"
    with sqlite3.connect(path) as database:
        database.executescript(SCRIPTS[name][0])
    schema, expected = read_schema(path), database.execute(sql).fetchall()
    assert expected
    views = set()
    for seed in range(DRAWS):
        view, [pair] = augment(schema, [Pair("p", "d", "?", sql)], random.Random(seed), drop=0.4)
        views.add(view)
        assert as_shown(database, schema, view).execute(pair.sql).fetchall() == expected, (seed, pair.sql, view)
    database.close()
    assert len(views) > DRAWS / 3


def test_a_query_nested_too_deeply_is_an_error_that_says_so():
    with pytest.raises(SqlglotError, match="nested too deeply"):
        canonical_sql("SELECT " + "(" * 100 + "1" + ")" * 100)
