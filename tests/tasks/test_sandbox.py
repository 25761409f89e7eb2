import time

import pytest

from forge_lib.tasks.sql.sandbox import Sandbox


@pytest.fixture
def sandbox():
    with Sandbox(time_limit_s=1.0, max_rows=1000, memory_mb=64) as box:
        yield box


def test_reads_rows_and_column_names(library, sandbox):
    found = sandbox.run(library.database("library"), "SELECT name, born FROM authors WHERE born > 1940")
    assert (found.status, found.rows, found.columns) == ("ok", (("Bo", 1950),), ("name", "born"))


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM books",
        "DROP TABLE books",
        "CREATE TEMP TABLE t AS SELECT 1",
        "PRAGMA writable_schema = 1",
        "SELECT load_extension('x')",
    ],
)
def test_anything_but_reading_is_refused(library, sandbox, sql):
    assert sandbox.run(library.database("library"), sql).status == "refused"
    assert sandbox.run(library.database("library"), "SELECT COUNT(*) FROM books").rows == ((4,),)


@pytest.mark.parametrize("sql", ["ATTACH '{}' AS x", "VACUUM INTO '{}'"])
def test_read_only_mode_alone_would_let_these_write_a_file(library, sandbox, tmp_path, sql):
    target = tmp_path / "made.sqlite"
    assert sandbox.run(library.database("library"), sql.format(target)).status == "refused"
    assert not target.exists()


def test_an_endless_query_times_out_and_the_next_one_works(library, sandbox):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
    began = time.monotonic()
    assert sandbox.run(library.database("library"), endless).status == "timeout"
    assert time.monotonic() - began < 5
    assert sandbox.run(library.database("library"), "SELECT 1").rows == ((1,),)


def test_a_query_with_a_huge_result_cannot_take_the_memory(library, sandbox):
    found = sandbox.run(library.database("library"), "SELECT printf('%.*c', 900000000, 'x')")
    assert found.status in ("error", "timeout")
    assert sandbox.run(library.database("library"), "SELECT 1").rows == ((1,),)


def test_too_many_rows_is_an_error_not_a_truncated_result(library, sandbox):
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000) SELECT i FROM n"
    found = sandbox.run(library.database("library"), many)
    assert found.status == "error" and "1000 rows" in found.error and found.rows == ()


def test_the_second_statement_is_not_run(library, sandbox):
    found = sandbox.run(library.database("library"), "SELECT 1; SELECT 2")
    assert found.status == "error"


def test_no_sql_and_no_database_are_told_apart(library, sandbox, tmp_path):
    assert sandbox.run(library.database("library"), "  ").status == "error"
    with pytest.raises(FileNotFoundError, match=r"no SQLite database"):
        sandbox.run(tmp_path / "missing.sqlite", "SELECT 1")
    assert not (tmp_path / "missing.sqlite").exists()


def test_a_killed_worker_is_replaced(library, sandbox):
    sandbox.run(library.database("library"), "SELECT 1")
    sandbox._process.kill()
    sandbox._process.wait()
    assert sandbox.run(library.database("library"), "SELECT 1").rows == ((1,),)
