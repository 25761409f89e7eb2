"""Any SQLite file that `sqlite3` opens is read and shown as it is at that moment."""

import sqlite3

import pytest
import sqlglot

from forge_lib.tasks.sql.schema import copy_database, quote_name, read_schema

QUOTED = ("Charter School (Y/N)", "a, b", "unit price", "select", "Order", "offset", "window", "like", "any", "if", "true",
          "current_date", "1st", "a-b", 'the "best"', "it's", "a.b", "a\nb", "", "?", "$a", "a--b", "a\u00a0b", "\u200bid",
          "rollback", "interval", "x'ab'", "1e5")  # fmt: skip
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
