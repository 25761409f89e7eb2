import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import contextmanager

import pytest

from forge_lib.data.items import DataError
from forge_lib.lab.files import RunError
from forge_lib.tasks import GoldError
from forge_lib.tasks.sql.databases import why_unreadable
from forge_lib.tasks.sql.sandbox import Sandbox
from forge_lib.tasks.sql.score import score
from forge_lib.tasks.sql.sources.folder import take_in
from forge_lib.tasks.sql.sources.load import load_data
from forge_lib.tasks.sql.synthesis.profiling import profile_database


@pytest.fixture
def shop(library):
    return library.database("library")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "Run: git lfs pull"),
        (b"PK\x03\x04" + bytes(50), "compressed archive"),
        (b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml" + bytes(60), "is a spreadsheet"),
        (b"PAR1" + bytes(90), "is a Parquet file"),
        ("id,name\n1,Łoś\n".encode(), "but a text file. A table"),
        (b"\n<!DOCTYPE html><html>", "web page"),
        (b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;", "script of SQL"),
        (bytes(8192), "is not a SQLite database"),
        (bytes(range(256)) * 32, "is not a SQLite database. It may be encrypted"),
    ],
)
def test_what_is_no_database_is_told_from_one(shop, content, says):
    assert why_unreadable(shop) == ""
    shop.write_bytes(content)
    assert says in why_unreadable(shop)


@pytest.mark.parametrize("left", [50, 4096, 8191])
def test_a_copy_that_was_cut_off_is_found_by_its_size(shop, left):
    assert shop.stat().st_size > left
    shop.write_bytes(shop.read_bytes()[:left])
    assert "is cut off" in why_unreadable(shop)


def test_a_file_in_use_may_be_shorter_than_its_header_says(shop):
    shop.write_bytes(shop.read_bytes()[:8191])
    shop.with_name(shop.name + "-wal").write_bytes(b"pages to come")
    assert why_unreadable(shop) == ""


def test_folders_and_missing_files_are_named(tmp_path):
    assert "is a folder" in why_unreadable(tmp_path) and why_unreadable(tmp_path / "no") == "is missing"


@pytest.fixture
def bell():
    """Ends what waits for ever, after some seconds."""

    def ring(*_):
        pytest.fail("it waits for a pipe")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_a_pipe_under_a_database_s_name_is_named_and_never_waited_for(tmp_path, bell):
    os.mkfifo(tmp_path / "shop.sqlite")
    assert "is a device" in why_unreadable(tmp_path / "shop.sqlite")
    (tmp_path / "train.jsonl").write_text('{"question": "How many?", "sql": "SELECT COUNT(*) FROM books"}\n')
    with pytest.raises(DataError, match="shop.sqlite is a device"):
        load_data(f"my:{tmp_path}")
    with pytest.raises(ValueError, match="shop.sqlite is no file"):
        profile_database(tmp_path / "shop.sqlite")


def broken_schema(path):
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_master SET sql = 'CREATE TABEL x('")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (broken_schema, "malformed database schema"),
        (lambda path: path.write_bytes(path.read_bytes()[:100] + bytes([170]) * 200 + path.read_bytes()[300:]), "cannot be read"),
        (lambda path: path.write_bytes(b"version https://git-lfs"), "git lfs pull"),
        (lambda path: sqlite3.connect(path).executescript("DROP TABLE books; DROP TABLE authors"), "holds no table"),
    ],
)  # fmt: skip
def test_loading_names_the_file_that_cannot_be_read(shop, tmp_path, damage, says):
    mine = tmp_path / "mine"
    mine.mkdir()
    shop.rename(mine / "shop.sqlite")
    rows = [{"question": f"over {n}?", "sql": f"SELECT {n} FROM books"} for n in range(12)]
    (mine / "train.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    assert len(load_data(f"my:{mine}").train) == 7
    damage(mine / "shop.sqlite")
    with pytest.raises(DataError, match=rf"^shop\.sqlite .*{says}"):
        load_data(f"my:{mine}")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("shop.db", b"version https://git-lfs.github.com/spec/v1\n", r"shop\.db is a pointer of Git LFS"),
        ("shop.db", bytes(range(256)) * 32, r"shop\.db is not a SQLite database"),
        ("shop.sql", b"CREATE TABLE t (x", r"shop\.sql does not build a database"),
        ("shop.db", None, r"shop\.db is missing"),
    ],
)
def test_what_cannot_be_taken_in_is_said_in_a_sentence_and_nothing_is_left(tmp_path, name, content, says):
    """Notebook 10 copied before it looked, and an encrypted file ended in SQLite's bare error."""
    target = tmp_path / "own" / "shop.sqlite"
    target.parent.mkdir()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=says):
        take_in(tmp_path / name, target)
    assert name.endswith(".sql") or not list(target.parent.iterdir())


def test_a_database_is_taken_in_where_there_is_room_and_a_script_is_built(tmp_path, shop, monkeypatch):
    take_in(shop, tmp_path / "copy.sqlite")
    (tmp_path / "script.SQL").write_text("CREATE TABLE t (x);")
    take_in(tmp_path / "script.SQL", tmp_path / "built.sqlite")
    assert not why_unreadable(tmp_path / "copy.sqlite") and not why_unreadable(tmp_path / "built.sqlite")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, 0))
    with pytest.raises(RunError, match="This step writes about"):
        take_in(shop, tmp_path / "other.sqlite")


HOLDS = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lock(shop):
    """A context: another program writes, as a browser does to its history. (A lock of this process ends with any look at the file.)"""

    @contextmanager
    def held():
        with subprocess.Popen(
            [sys.executable, "-c", HOLDS, shop], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout.readline() == b"locked\n"
            yield
            other.stdin.close()

    return held


def test_a_lock_is_no_fault_of_a_query_and_is_not_remembered(shop, lock):
    title = "SELECT title FROM books"
    with Sandbox(time_limit_s=20) as box:
        with lock(), pytest.raises(GoldError, match="library.sqlite is locked by another program. Close it there"):
            score(title, title, shop, box)
        assert score(title, title, shop, box).correct
        with lock(), pytest.raises(GoldError, match="locked"):  # of the answer: the gold's rows are known
            score("SELECT price FROM books", title, shop, box)


def test_a_locked_file_is_named_when_it_is_read(shop, lock):
    with lock(), pytest.raises(ValueError, match="library.sqlite is locked by another program"):
        profile_database(shop)
