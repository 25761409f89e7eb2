import json
import os

import pytest

from forge_lib.data.items import DataError
from forge_lib.data.readers import read_text, records, rows
from forge_lib.tasks.sql.formats import read_pairs
from forge_lib.tasks.sql.pairs import Pair

BODY = [("shop", f"How many, over {n}; say?", f"SELECT {n}") for n in range(3)]
WANTED = [Pair(f"x-0000{n}", *row) for n, row in enumerate(BODY)]


def table(mark=",", head="db_id,question,sql", end="\n", before="", quote=str, after=""):
    text = [head.replace(",", mark), *(mark.join(map(quote, row)) for row in BODY)]
    return before + end.join([*text, after])


def quoted(text):
    return f'"{text}"'


SPREADSHEETS = {
    "commas": table(quote=quoted),
    "semicolons, as Excel writes them in most of Europe": table(";", end="\r\n", quote=quoted),
    "tabs": table("\t"),
    "tabs, the header in quotes": table("\t", head='"db_id","question","sql"'),
    "bars at both ends of each row": "\n".join("|".join(["", *row, ""]) for row in [("db_id", "question", "sql"), *BODY]),
    "a line that names the separator": table(";", before="sep=;\n", quote=quoted),
    "the same in quotes, on Windows": table(";", before='"sep=;"\r\n', end="\r\n", quote=quoted),
    "old line ends of a Mac": table(end="\r", quote=quoted),
    "a header in other letters": table(head=" DB ID, Question ,SQL", quote=quoted),
    "a space after each comma": table(", ", quote=quoted),
    "a space after each semicolon, the header in quotes": table("; ", head='"db_id","question","sql"', quote=quoted),
    "empty rows before, among and after": table(before="\n,,\n", quote=quoted, after=",,\n,,\n  \n").replace("\n", "\n\n"),
    "columns without a name at the end": table(head="db_id,question,sql,,", quote=quoted).replace('1"', '1",,').replace('0"', '0",,').replace('2"', '2",,'),
    "commas at the ends of rows only": table(quote=quoted).replace('1"', '1",,'),
    "columns that are not filled in": table(head="db_id,question,sql,evidence,id", quote=quoted).replace('"\n', '",, \n') + '"shop","q","SELECT 9",,',
}  # fmt: skip


@pytest.mark.parametrize("kind", SPREADSHEETS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_is_read_as_spreadsheets_save_it(tmp_path, kind, encoding):
    (tmp_path / "x.csv").write_bytes(SPREADSHEETS[kind].encode(encoding))
    assert read_pairs(tmp_path / "x.csv", "csv")[:3] == WANTED


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_json_may_end_as_any_system_ends_them(tmp_path, end):
    lines = [json.dumps(dict(zip(("db_id", "question", "sql"), row, strict=True))) for row in BODY]
    (tmp_path / "x.jsonl").write_bytes(end.join([*lines, ""]).encode())
    assert read_pairs(tmp_path / "x.jsonl", "jsonl") == WANTED


def test_pandas_writes_a_column_of_row_numbers(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(BODY, columns=["db_id", "question", "sql"])
    frame.to_csv(tmp_path / "x.csv")
    assert read_pairs(tmp_path / "x.csv", "csv") == WANTED
    pd.read_csv(tmp_path / "x.csv").to_csv(tmp_path / "x.csv", index=False)  # names the column "Unnamed: 0"
    assert read_pairs(tmp_path / "x.csv", "csv") == WANTED


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("db_id,question,sql,sql\nb,q,SELECT 1,SELECT 2\n", "line 1: two columns are called 'sql'"),
        ("db_id,question,SQL, sql\nb,q,SELECT 1,SELECT 2\n", "line 1: two columns are called 'sql'"),
        ("db_id,question,sql,\nb,how many, and which?,SELECT 1\n", "line 2: column 4 holds 'SELECT 1' and has no name"),
        ("db_id;question;sql\nb;how many; or which?;SELECT 1\n", "line 2: 4 fields where the header has 3"),
        ("db_id,question,query\nb,q,SELECT 1\n", "'query' is unknown; .*; call it 'sql'"),
        ("db_id;question;query\nb;how many, and which?;SELECT 1\n", "'query' is unknown; .*; call it 'sql'"),
        (f'db_id,question,sql\nb,"{"x" * 200_000}",SELECT 1\n', "line 2: this is not CSV .field larger"),
    ],
)
def test_a_table_that_could_be_read_in_two_ways_is_refused(tmp_path, text, says):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match=says):
        read_pairs(tmp_path / "x.csv", "csv")


LINE = '{"db_id": "shop", "question": "q", "sql": "SELECT 1"%s}\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LINE % ', "sql": "SELECT 2"', "the field 'sql' is there twice"),
        (LINE % ', "SQL": "SELECT 2"', "two of its fields have one name"),
        (LINE % ', "evidence": NaN', "NaN is no value of JSON; write null"),
        (LINE % (', "evidence": ' + "[" * 100_000 + "]" * 100_000), "nested too deeply"),
        ("[" * 100_000, "nested too deeply"),
        (json.dumps({"db_id": "shop"}, indent=1), "wanted is a whole object on each line, or one array of all of them"),
        (LINE % (', "id": ' + "9" * 5000), "Exceeds the limit"),
        (LINE.replace('"q"', '"\\ud800"') % "", "question holds half a character"),
    ],
)
def test_a_line_of_json_that_no_file_should_hold_is_named(tmp_path, text, says):
    (tmp_path / "x.jsonl").write_text(LINE % "" + text if text[0] == "{" else text)
    with pytest.raises(DataError, match=rf"^x.jsonl, line .*{says}"):
        read_pairs(tmp_path / "x.jsonl", "jsonl")


@pytest.mark.parametrize("char", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
@pytest.mark.parametrize("escape", [False, True])
def test_only_a_line_feed_ends_a_line_of_json(tmp_path, char, escape):
    record = {"db_id": "shop", "question": f"one{char}two", "sql": "SELECT 1"}
    (tmp_path / "x.jsonl").write_bytes((json.dumps(record, ensure_ascii=escape) + "\r\n").encode() * 2)
    assert [r for _, r in records(tmp_path / "x.jsonl")] == [record] * 2
    (tmp_path / "x.csv").write_bytes(f"db_id,question,sql\nshop,one{char}two,SELECT 1\n".encode())
    if char not in "\x1c\x1d\x1e":  # marks between fields and records: to a CSV reader text as any other
        assert [r for _, r in rows(tmp_path / "x.csv", {"sql"})] == [record]


def test_numbers_do_as_ids_and_names_of_fields_in_other_letters(tmp_path):
    (tmp_path / "x.jsonl").write_text(
        '{"ID": 7, "DB_id": " shop ", "Question": "q", "SQL": "SELECT 1", "evidence": null}'
    )
    assert read_pairs(tmp_path / "x.jsonl", "jsonl") == [Pair("7", "shop", "q", "SELECT 1")]


@pytest.mark.parametrize("db_id", ["../../x", "..", ".", "/etc/x", "a/b", "a\\\\b", "C:x", "a\\u0000b", "x" * 300])
@pytest.mark.parametrize(("kind", "sql"), [("jsonl", "sql"), ("spider", "query"), ("bird", "SQL")])
def test_a_database_s_name_is_no_path(tmp_path, db_id, kind, sql):
    (tmp_path / "x.json").write_text(f'[{{"db_id": "{db_id}", "question": "q", "{sql}": "SELECT 1"}}]')
    with pytest.raises(DataError, match="x.json, line 1: .*(no plain name of a database|longer than a file's name)"):
        read_pairs(tmp_path / "x.json", kind)


def test_what_is_no_text_file_is_named(tmp_path):
    (tmp_path / "wide.csv").write_bytes("db_id,question".encode("utf-16-le"))
    with pytest.raises(DataError, match="wide.csv, line 1: there is a zero byte. Save the file as UTF-8"):
        read_text(tmp_path / "wide.csv")
    with pytest.raises(DataError, match="is no file"):
        read_text(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_a_pipe_is_named_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="pipe.csv is no file"):
        read_text(tmp_path / "pipe.csv")
