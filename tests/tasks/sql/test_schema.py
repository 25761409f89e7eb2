"""Any SQLite file that `sqlite3` opens is read and shown as it is at that moment."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path, PureWindowsPath

import pytest
import sqlglot

from forge_lib import ROOT
from forge_lib.lab.files import sweep
from forge_lib.tasks.sql.linking import trim_schema
from forge_lib.tasks.sql.opening import _uri, file_state
from forge_lib.tasks.sql.sandbox import Sandbox
from forge_lib.tasks.sql.schema import connect_readonly, copy_database, quote_name, read_schema, render_schema

QUOTED = ("Charter School (Y/N)", "a, b", "unit price", "select", "Order", "offset", "window", "like", "any", "if", "true",
          "current_date", "1st", "a-b", 'the "best"', "it's", "a.b", "a\nb", "", "?", "$a", "a--b", "a\u00a0b", "\u200bid",
          "rollback", "interval", "x'ab'", "1e5", "range", "map", "struct")  # fmt: skip
BARE = (
    "price",
    "_id",
    "Key",
    "desc",
    "year",
    "name",
    "rank",
    "date",
    "город",
    "имя_поля",
    "商品",
    "नाम",
    "Straße",
    "e1",
    "a",
)


@pytest.mark.parametrize("name", QUOTED + BARE)
def test_a_quoted_name_means_that_name_to_sqlite_and_to_sqlglot(name):
    written = quote_name(name)
    assert (written == name) == (name in BARE)
    sql = f"SELECT {written}.{written}, MAX({written}) FROM {written} GROUP BY {written} ORDER BY {written} DESC"
    connection = sqlite3.connect(":memory:")
    exact = '"' + name.replace('"', '""') + '"'
    connection.execute(f"CREATE TABLE {exact} ({exact})")
    connection.execute(f"INSERT INTO {exact} VALUES (7)")
    assert connection.execute(sql).fetchall() == [(7, 7)]
    connection.close()
    assert {i.name for i in sqlglot.parse_one(sql, read="sqlite").find_all(sqlglot.exp.Identifier)} == {name}


def test_names_that_differ_in_a_letter_beyond_ascii_are_two_to_sqlite_and_here(tmp_path):
    path = tmp_path / "two.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            'CREATE TABLE "Äb" (Id PRIMARY KEY); CREATE TABLE "äb" (id PRIMARY KEY, "É", "é");'
            'CREATE TABLE c (x REFERENCES "Äb"(ID), y REFERENCES "äB"("É"));'
        )
    connection.close()
    schema = read_schema(path)
    assert render_schema(schema).splitlines()[2] == "c(x, y) [x->Äb.Id, y->äb.É]"
    trimmed = trim_schema(schema, ["Which?"], 5, len, keep={"äb", "é"}).schema
    assert render_schema(trimmed).splitlines() == ["Äb(Id)", "äb(id, É, é)"]


def test_a_copy_holds_what_is_still_in_the_wal(tmp_path):
    writer = sqlite3.connect(tmp_path / "shop.sqlite")
    writer.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE item(id); INSERT INTO item VALUES (1);"
    )
    copy_database(tmp_path / "shop.sqlite", tmp_path / "copy.sqlite")
    writer.close()
    (tmp_path / "alone").mkdir()
    (tmp_path / "copy.sqlite").rename(tmp_path / "alone" / "copy.sqlite")
    assert read_schema(tmp_path / "alone" / "copy.sqlite").tables[0].name == "item"
    with sqlite3.connect(tmp_path / "alone" / "copy.sqlite") as copy:
        assert copy.execute("SELECT COUNT(*) FROM item").fetchall() == [(1,)]
    copy.close()


def test_a_copy_is_whole_or_not_there(tmp_path):
    (tmp_path / "text.sqlite").write_text("id,name\n" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        copy_database(tmp_path / "text.sqlite", tmp_path / "copy.sqlite")
    with pytest.raises(FileNotFoundError):
        copy_database(tmp_path / "missing.sqlite", tmp_path / "copy.sqlite")
    assert [p.name for p in tmp_path.iterdir()] == ["text.sqlite"]


def test_what_a_killed_copy_left_is_swept_at_the_next_start(tmp_path):
    make(tmp_path, "CREATE TABLE t AS SELECT 1 AS a")
    kill = "import os, sys, forge_lib.tasks.sql.schema as s; s.os.replace = lambda *_: os._exit(9); s.copy_database(*sys.argv[1:])"
    for name in ("copy.sqlite", "shop.sqlite"):  # one that is new, and one that takes another's place
        done = subprocess.run([sys.executable, "-c", kill, tmp_path / "shop.sqlite", tmp_path / name], cwd=ROOT)
        assert done.returncode == 9
    [half, _] = [p for p in tmp_path.iterdir() if p.name != "shop.sqlite"]
    half.with_name(f"{half.name}-journal").touch()
    sweep(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["shop.sqlite"]


def make(folder: Path, script: str) -> Path:
    connection = sqlite3.connect(folder / "shop.sqlite")
    connection.executescript(script)
    connection.commit()
    connection.close()
    return folder / "shop.sqlite"


def rendered(folder: Path, script: str) -> list[str]:
    return render_schema(read_schema(make(folder, script))).splitlines()


def counts(path: Path) -> tuple[int, int]:
    """Rows of `item` as FORGE reads them in this process and in the sandbox; the folder's files must stay the same."""
    before = sorted(p.name for p in path.parent.iterdir())
    assert [t.name for t in read_schema(path).tables] == ["item"]
    connection = connect_readonly(path)
    (here,) = connection.execute("SELECT COUNT(*) FROM item").fetchone()
    connection.close()
    with Sandbox() as sandbox:
        ((there,),) = sandbox.run(path, "SELECT COUNT(*) FROM item").rows
    assert sorted(p.name for p in path.parent.iterdir()) == before
    return here, there


WAL = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
ROWS = "INSERT INTO item WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 4000) SELECT i || '-----' FROM n;"


def killed(path: Path, script: str) -> Path:
    """`path` after the process that ran `script` on it was killed at its end."""
    code = "import os, sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2]); os._exit(1)"
    keeps = "c = sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2])"
    code = code.replace("sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])", keeps)
    done = subprocess.run([sys.executable, "-c", code, path, script], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    return path


@pytest.mark.parametrize(("script", "gone", "rows"), [
    (WAL + ROWS, "", 4000),
    (WAL + ROWS, "-shm", 4000),  # as where the folder is read-only: reading must not make one
    (WAL + "BEGIN;" + ROWS, "-shm", 0),
    ("PRAGMA journal_mode = WAL;", "", 0),
    ("PRAGMA cache_size = 1; BEGIN;" + ROWS, "", 0),  # a half-written transaction, to be rolled back
    ("PRAGMA journal_mode = PERSIST;" + ROWS, "", 4000),
    ("PRAGMA journal_mode = TRUNCATE;" + ROWS, "", 4000),
])  # fmt: skip
def test_a_file_is_read_as_its_killed_writer_left_it(tmp_path, script, gone, rows):
    path = killed(make(tmp_path, "CREATE TABLE item (name TEXT);"), script)
    Path(f"{path}{gone}").unlink(missing_ok=True) if gone else None
    assert counts(path) == (rows, rows)
    copy_database(path, tmp_path / "copy.sqlite")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "copy.sqlite").rename(tmp_path / "elsewhere" / "copy.sqlite")
    assert counts(tmp_path / "elsewhere" / "copy.sqlite") == (rows, rows)


@pytest.mark.parametrize("mode", ["DELETE", "WAL", "WAL; PRAGMA locking_mode = EXCLUSIVE"])
def test_a_file_in_use_is_read_at_its_last_commit(tmp_path, mode):
    writer = sqlite3.connect(make(tmp_path, "CREATE TABLE item (name TEXT);"), isolation_level=None)
    writer.executescript(
        f"PRAGMA journal_mode = {mode}; INSERT INTO item VALUES ('a'); BEGIN; INSERT INTO item VALUES ('b');"
    )
    assert counts(tmp_path / "shop.sqlite") == (1, 1)
    before = file_state(tmp_path / "shop.sqlite")
    writer.execute("COMMIT")
    assert counts(tmp_path / "shop.sqlite") == (2, 2) and file_state(tmp_path / "shop.sqlite") != before
    writer.close()


def test_a_closed_file_in_wal_mode_is_read_without_a_trace(tmp_path):
    assert counts(make(tmp_path, WAL + "CREATE TABLE item (name TEXT); INSERT INTO item VALUES ('a')")) == (1, 1)


def test_a_copy_takes_the_place_of_a_file_and_of_its_leftovers(tmp_path):
    path = make(tmp_path, "CREATE TABLE item (name TEXT); INSERT INTO item VALUES ('new')")
    old = tmp_path / "old.sqlite"
    sqlite3.connect(old).executescript("CREATE TABLE item (name TEXT)")
    killed(old, "PRAGMA cache_size = 1; BEGIN;" + ROWS)
    copy_database(path, old)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["old.sqlite", "shop.sqlite"] and counts(old) == (1, 1)


def test_a_copy_that_is_stopped_loses_no_row_of_the_file_that_was_there(tmp_path, monkeypatch):
    path = make(tmp_path, "CREATE TABLE item (name TEXT); INSERT INTO item VALUES ('new')")
    (tmp_path / "there").mkdir()
    old = tmp_path / "there" / "old.sqlite"
    killed(old, WAL + "CREATE TABLE item (name TEXT);" + ROWS)
    assert old.with_name("old.sqlite-wal").stat().st_size > 0

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", stop)
        copy_database(path, old)
    assert counts(old) == (4000, 4000)
    copy_database(path, old)
    assert counts(old) == (1, 1)


@pytest.mark.parametrize(("path", "uri"), [
    ("C:\\data\\a b.sqlite", "file:///C:/data/a%20b.sqlite"), ("\\\\server\\share\\a.sqlite", "file:////server/share/a.sqlite"),
])  # fmt: skip
def test_sqlite_opens_a_file_on_a_shared_folder_of_windows(path, uri):
    assert _uri(PureWindowsPath(path)) == uri


def test_tables_of_a_module_are_left_out_and_those_of_the_user_are_not(tmp_path):
    assert rendered(tmp_path, """
CREATE TABLE item (name TEXT, body TEXT); CREATE TABLE docs_stat (day TEXT); CREATE TABLE sqliteXtable (a);
CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO a VALUES (1); ANALYZE;
CREATE VIRTUAL TABLE docs USING fts5(title, body);
CREATE VIRTUAL TABLE "my docs" USING fts4("the title");
CREATE VIRTUAL TABLE three USING FTS3(a, b);
CREATE VIRTUAL TABLE place USING rtree(id, low, high, +label);
""") == ["item(name, body)", "docs_stat(day)", "sqliteXtable(a)", "a(id)", "docs(title, body)", '"my docs"("the title")',
         "three(a, b)", "place(id, low, high, label)"]  # fmt: skip


def test_what_this_sqlite_cannot_read_is_left_out_with_a_word(tmp_path):
    path = make(tmp_path, """CREATE TABLE item (name TEXT); CREATE TABLE vectors_chunks (a); CREATE TABLE vectors_log (a);
CREATE TABLE gone (a); CREATE VIEW broken AS SELECT a FROM gone; CREATE VIEW late AS SELECT json('{') AS a;
CREATE VIEW unknown AS SELECT no_function(name) AS a FROM item; DROP TABLE gone;""")  # fmt: skip
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA writable_schema = 1")
    for name, sql in (("vectors", "USING vec0(v float[4])"), ("spread", "USING fts4(a, tokenize=unheard)")):
        row = (name, name, f"CREATE VIRTUAL TABLE {name} {sql}")
        connection.execute(
            "INSERT INTO sqlite_master(type, name, tbl_name, rootpage, sql) VALUES ('table', ?, ?, 0, ?)", row
        )
    connection.commit()
    connection.close()
    with pytest.warns(UserWarning, match="left out") as said:
        assert render_schema(read_schema(path)).splitlines() == ["item(name)", "vectors_log(a)"]
    assert {str(w.message).split("'")[1] for w in said} == {"broken", "late", "unknown", "vectors", "spread"}


def test_views_stand_beside_tables(tmp_path):
    assert rendered(tmp_path, """CREATE TABLE item (name TEXT, price REAL);
CREATE VIEW cheap AS SELECT name, price * 2 AS twice, COUNT(*) FROM item WHERE price < 10; CREATE VIEW again AS SELECT * FROM cheap;
CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) AS last FROM n;
""") == ["item(name, price)", 'cheap(name, twice, "COUNT(*)")', 'again(name, twice, "COUNT(*)")', "endless(last)"]  # fmt: skip


def test_generated_columns_are_columns(tmp_path):
    assert rendered(tmp_path, """
CREATE TABLE o (id INTEGER PRIMARY KEY, qty INTEGER, unit REAL, total REAL AS (qty * unit) STORED, big INT AS (qty > 5));
CREATE TABLE p (k TEXT PRIMARY KEY, v ANY) WITHOUT ROWID;
""") == ["o(id, qty, unit, total, big)", "p(k, v)"]  # fmt: skip


def test_a_key_is_shown_where_both_of_its_ends_are(tmp_path):
    assert rendered(tmp_path, """
CREATE TABLE Shop (ID INTEGER PRIMARY KEY, name TEXT UNIQUE, boss INTEGER REFERENCES shop);
CREATE TABLE item (a REFERENCES SHOP(id), b REFERENCES shop, c REFERENCES nowhere(id), d REFERENCES shop(nocolumn),
                   e REFERENCES nowhere, "f g" REFERENCES shop(NAME));
CREATE TABLE pair (x, y, PRIMARY KEY (x, y));
CREATE TABLE half (p, q, FOREIGN KEY (p, q) REFERENCES pair, FOREIGN KEY (q, p) REFERENCES pair(x, z));
""") == ["Shop(ID, name, boss) [boss->Shop.ID]", 'item(a, b, c, d, e, "f g") [a->Shop.ID, b->Shop.ID, "f g"->Shop.name]',
         "pair(x, y)", "half(p, q) [p->pair.x, q->pair.y]"]  # fmt: skip


def test_names_are_written_as_sql_needs_them(tmp_path):
    (line, *_) = lines = rendered(tmp_path, """
CREATE TABLE "t, u" ("a, b" TEXT, "Charter School (Y/N)" TEXT, "select" INTEGER PRIMARY KEY, имя TEXT);
CREATE TABLE v ("group" REFERENCES "t, u"("select"));
""")  # fmt: skip
    assert line == '"t, u"("a, b", "Charter School (Y/N)", "select", имя)'
    assert lines[1] == 'v("group") ["group"->"t, u"."select"]'


@pytest.mark.parametrize(
    "script", ["", "PRAGMA encoding = 'UTF-16le'; CREATE TABLE item (ü); INSERT INTO item VALUES ('ö')"]
)
def test_an_empty_file_and_one_in_another_encoding(tmp_path, script):
    assert rendered(tmp_path, script) == (["item(ü)"] if script else [])
    (tmp_path / "shop.sqlite").write_bytes(b"") if not script else None
    assert len(read_schema(tmp_path / "shop.sqlite").tables) == bool(script)


def test_names_and_values_that_are_no_utf8(tmp_path):
    path = make(
        tmp_path, "CREATE TABLE item (name, xx); INSERT INTO item VALUES (CAST(x'E9' AS TEXT), 1); CREATE TABLE yy (a);"
    )
    text = path.read_bytes()
    path.write_bytes(
        text.replace(b"xx)", b"x\xe9)").replace(b"tableyyyy", b"table\xe9y\xe9y").replace(b"TABLE yy", b"TABLE \xe9y")
    )
    with pytest.warns(UserWarning, match="left out"):
        assert render_schema(read_schema(path)) == "item(name)"
    connection = connect_readonly(path)
    assert connection.execute("SELECT name FROM item").fetchall() == [("\ufffd",)]
    connection.close()


def test_reading_makes_no_file_where_there_is_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="no SQLite database"):
        read_schema(tmp_path / "missing.sqlite")
    assert os.listdir(tmp_path) == []
