import sqlite3

import pytest

from forge_lib.data.items import DataError
from forge_lib.serving.uploads import take_upload
from forge_lib.tasks.sql.assistant import Assistant


@pytest.fixture
def taken(tmp_path):
    """A function: what an uploaded file of this name and content holds, as (columns with types, rows)."""
    (tmp_path / "copies").mkdir()

    def take(name: str, content: str | bytes):
        origin = tmp_path / name
        origin.write_bytes(content.encode() if isinstance(content, str) else content)
        copy = take_upload(origin, tmp_path / "copies")
        with Assistant(copy) as assistant:
            (table,) = assistant.schema().tables
            return table.name, dict(zip(table.columns, table.types, strict=True)), assistant.sample(table.name).rows

    return take


def test_a_sqlite_file_is_copied_with_what_its_writer_has_not_merged(tmp_path):
    origin = tmp_path / "магазин.db"
    writer = sqlite3.connect(origin)
    writer.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (7)")
    (tmp_path / "copies").mkdir()
    with Assistant(take_upload(origin, tmp_path / "copies")) as assistant:
        assert assistant.run("SELECT x FROM t").rows == ((7,),)
    writer.close()


def test_a_csv_file_becomes_one_table_with_types(taken):
    name, types, rows = taken(
        "My sales (2024).csv",
        "Unit price,city,zip,day,sold,,City\n1.5,Łódź,007,2024-01-02,3,x,a\n2,,010,2024-01-03,,y,NA\n",
    )
    assert name == "My_sales_2024"
    assert types == {"Unit_price": "REAL", "city": "TEXT", "zip": "TEXT", "day": "TEXT", "sold": "INTEGER",
                     "column_6": "TEXT", "City_2": "TEXT"}  # fmt: skip
    assert rows == ((1.5, "Łódź", "007", "2024-01-02", 3, "x", "a"), (2.0, None, "010", "2024-01-03", None, "y", "NA"))


@pytest.mark.parametrize(
    "name, content, types, row",
    [
        ("a.csv", "имя;цена\nхлеб;1,5\n", {"имя": "TEXT", "цена": "REAL"}, ("хлеб", 1.5)),
        ("a.tsv", "x\ty\n1\ta,b\n", {"x": "INTEGER", "y": "TEXT"}, (1, "a,b")),
        ("a.csv", "x,y\r\n9007199254740993000,1e3\r\n", {"x": "TEXT", "y": "REAL"}, ("9007199254740993000", 1000.0)),
        ("a.csv", 'x,y\n"two\nlines","=1+1"\n', {"x": "TEXT", "y": "TEXT"}, ("two\nlines", "=1+1")),
        ("a.csv", "x\n1\n".encode("utf-16"), {"x": "INTEGER"}, (1,)),
        ("a.CSV", "x,note\n1,\n", {"x": "INTEGER", "note": "TEXT"}, (1, None)),
        ("sqlite_x.csv", "x\ninf\n", {"x": "TEXT"}, ("inf",)),
        ("a.csv", "sep=;\r\nx;y\r\n1,5;a\r\n", {"x": "REAL", "y": "TEXT"}, (1.5, "a")),
        ("a.csv", '"sep=|"\nx|y\n1|a,b\n', {"x": "INTEGER", "y": "TEXT"}, (1, "a,b")),
        ("a.csv", '"last, first, title";n;price, EUR\n"Łoś, Ada, Dr";3;1,5\n',
         {"last_first_title": "TEXT", "n": "INTEGER", "price_EUR": "REAL"}, ("Łoś, Ada, Dr", 3, 1.5)),
        ("a.csv", "n,this|that|both\n1,x\n", {"n": "INTEGER", "this_that_both": "TEXT"}, (1, "x")),
        ("a.csv", "n , price\n1 , 2.5 \n", {"n": "INTEGER", "price": "REAL"}, (1, 2.5)),
        ("a.csv", "x,y,,\n1,a,,\n2,b,,\n", {"x": "INTEGER", "y": "TEXT"}, (1, "a")),
        ("a.csv", "x,y\n2.5,NA\nNA,NA\nn/a,b\n", {"x": "REAL", "y": "TEXT"}, (2.5, "NA")),
        ("a.csv", 'x,y,z\n"1,200",$12.50,45%\n3,$0.5,5.5%\n', {"x": "INTEGER", "y": "REAL", "z": "REAL"}, (1200, 12.5, 45.0)),
        ("a.csv", "x;y;z\n1.234;1.234,50;12.5\n12.500;3;3.25\n", {"x": "INTEGER", "y": "REAL", "z": "REAL"}, (1234, 1234.5, 12.5)),
        ("a.csv", "x,y,z\n$5,+4915112345,1234567890123456\n€6,+491,1234567890123457\n", {"x": "TEXT", "y": "TEXT", "z": "TEXT"},
         ("$5", "+4915112345", "1234567890123456")),
    ],
)  # fmt: skip
def test_csv_as_spreadsheets_write_it(taken, name, content, types, row):
    _, found, rows = taken(name, content)
    assert (found, rows[0]) == (types, row)


def test_empty_rows_of_a_spreadsheet_are_no_rows_to_count(taken):
    _, types, rows = taken("a.csv", "x,y\n\n1,a\n,\n  ,\n2,\n,\n")
    assert (types, rows) == ({"x": "INTEGER", "y": "TEXT"}, ((1, "a"), (2, None)))


@pytest.mark.parametrize(
    "name, content, sentence",
    [
        ("empty.csv", "", "empty.csv is empty"),
        ("blank.csv", "\n \n", "blank.csv is empty"),
        ("header.csv", "a,b\n", "no rows below it"),
        ("long.csv", "a,b\n1,2\n1,2,3,4\n", "is no table"),
        ("longer.csv", "a,b\n1,2,3\n", "is no table"),
        ("latin.csv", "a\nZürich\n".encode("latin-1"), "line 2: this is not UTF-8"),
        ("wide.csv", ",".join(f"c{n}" for n in range(2001)) + "\n" + "1," * 2000 + "1\n", "has 2,001 columns, and a SQLite table holds 2,000"),
        ("photo.db", b"\xff\xd8\xff\xe0 JFIF", "photo.db is not a SQLite database"),
        ("nothing.db", b"", "nothing.db is empty (0 bytes)"),
        ("page.sqlite", "<!DOCTYPE html>", "is a web page"),
        ("dump.sql", "CREATE TABLE t (x);", "is a script of SQL"),
        ("cut.db", b"SQLite format 3\0" + b"\x10\0" + b"\1" * 82 + b"x" * 2000, "is cut off"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_ends_in_a_sentence_and_leaves_nothing(taken, tmp_path, name, content, sentence):
    with pytest.raises(DataError) as caught:
        taken(name, content)
    assert sentence in str(caught.value) and str(caught.value).endswith(".") and "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert not list((tmp_path / "copies").iterdir())


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path):
    big = tmp_path / "big.db"
    with big.open("wb") as file:
        file.truncate(2 * 2**30)  # 2 GB that take no room on the disk
    with pytest.raises(DataError, match="big.db has 2048 MB, and 100 MB are taken"):
        take_upload(big, tmp_path)
    assert list(tmp_path.iterdir()) == [big]
