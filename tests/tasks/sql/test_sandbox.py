import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from forge_lib.tasks.sql import sandbox as sandbox_module
from forge_lib.tasks.sql.sandbox import Sandbox, SandboxError

FULL_TEXT = """
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, tags TEXT);
INSERT INTO item VALUES (1, 'red lamp', '["a", "b"]'), (2, 'blue lamp', '[]'), (3, 'red chair', '["a"]');
CREATE VIRTUAL TABLE five USING fts5(name);
CREATE VIRTUAL TABLE four USING fts4(name);
CREATE VIRTUAL TABLE three USING fts3(name);
CREATE VIRTUAL TABLE kept USING fts5(name, content='item', content_rowid='id');
CREATE VIRTUAL TABLE terms USING fts5vocab(five, 'row');
CREATE VIRTUAL TABLE box USING rtree(id, low, high);
CREATE VIRTUAL TABLE pages USING dbstat(main);
INSERT INTO five SELECT name FROM item; INSERT INTO four SELECT name FROM item; INSERT INTO three SELECT name FROM item;
INSERT INTO kept(kept) VALUES ('rebuild'); INSERT INTO box VALUES (1, 0, 5), (2, 4, 9);
CREATE VIEW lamps AS SELECT name FROM kept WHERE kept MATCH 'lamp';
"""


@pytest.fixture
def sandbox():
    with Sandbox(time_limit_s=1.0, max_rows=1000, memory_mb=64) as box:
        yield box


def test_a_blob_is_bytes_and_no_text(library, sandbox):
    found = sandbox.run(library.database("library"), "SELECT x'4142', '4142', '{\"blob\": \"41\"}', x''")
    assert found.rows == ((b"AB", "4142", '{"blob": "41"}', b""),)


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


def test_a_column_that_bears_the_words_of_a_denial_is_an_error_like_another(library, sandbox):
    for name in ("prohibited", "not authorized", "readonly database"):
        found = sandbox.run(library.database("library"), f"SELECT [{name}] FROM books")
        assert found.status == "error" and "no such column" in found.error


@pytest.mark.parametrize("sql", ["ATTACH '{}' AS x", "VACUUM INTO '{}'"])
def test_read_only_mode_alone_would_let_these_write_a_file(library, sandbox, tmp_path, sql):
    target = tmp_path / "made.sqlite"
    assert sandbox.run(library.database("library"), sql.format(target)).status == "refused"
    assert not target.exists()


def test_an_endless_query_times_out_and_the_next_one_works(library, sandbox):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
    began = time.monotonic()
    assert sandbox.run(library.database("library"), endless).status == "timeout"
    assert time.monotonic() - began < 30
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


@pytest.fixture(scope="module")
def searchable(tmp_path_factory) -> Path:
    """A file with virtual tables of every module that Python's SQLite usually has, alone in its folder."""
    return make(tmp_path_factory.mktemp("searchable") / "full.sqlite", FULL_TEXT)


def make(path: Path, script: str) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.commit()
    connection.close()
    return path


@pytest.mark.parametrize(("sql", "rows"), [
    ("SELECT COUNT(*) FROM five WHERE five MATCH 'red'", ((2,),)),
    ("SELECT highlight(five, 0, '<', '>') FROM five('chair') ORDER BY rank", (("red <chair>",),)),
    ("SELECT snippet(five, 0, '', '', '', 5), bm25(five) < 0 FROM five WHERE five MATCH 'blue'", (("blue lamp", 1),)),
    ("SELECT COUNT(*) FROM four WHERE name MATCH 'la*'", ((2,),)),
    ("SELECT offsets(four) FROM four WHERE four MATCH 'chair'", (("0 0 4 5",),)),
    ("SELECT name FROM three WHERE three MATCH 'chair'", (("red chair",),)),
    ("SELECT i.id FROM kept JOIN item i ON i.id = kept.rowid WHERE kept MATCH 'chair'", ((3,),)),
    ("SELECT doc FROM terms WHERE term = 'lamp'", ((2,),)),
    ("SELECT id FROM box WHERE low <= 4.5 AND high >= 4.5 ORDER BY id", ((1,), (2,))),
    ("SELECT COUNT(*) > 3 FROM pages", ((1,),)),
    ("SELECT SUM(pgsize) > 0 FROM dbstat", ((1,),)),
    ("SELECT COUNT(*) FROM lamps", ((2,),)),
    ("SELECT value FROM item, json_each(item.tags) WHERE item.id = 1", (("a",), ("b",))),
    ("SELECT COUNT(*) FROM JSON_TREE('[1, [2]]')", ((4,),)),
])  # fmt: skip
def test_virtual_tables_and_table_functions_can_be_read(searchable, sandbox, sql, rows):
    found = sandbox.run(searchable, sql)
    assert (found.status, found.rows) == ("ok", rows), found.error


HOSTILE = (
    "INSERT INTO five(five) VALUES ('optimize')", "INSERT INTO five(five) VALUES ('delete-all')",
    "INSERT INTO kept(kept, rank) VALUES ('integrity-check', 1)", "INSERT INTO four(four) VALUES ('optimize')",
    "INSERT INTO five(five, rank) VALUES ('pgsz', 32)", "SELECT optimize(four) FROM four", "DELETE FROM five",
    "UPDATE five SET name = 'x'", "DELETE FROM five_data", "INSERT INTO box VALUES (9, 1, 2)", "DROP TABLE five",
    "DELETE FROM box_node", "CREATE VIRTUAL TABLE temp.t USING fts5(a)", "CREATE VIRTUAL TABLE t USING rtree(a, b, c)",
    "SELECT fts3_tokenizer('simple')", "SELECT fts3_tokenizer('simple', x'0000000000000000')", "SELECT load_extension('x')",
    "SELECT writefile('{}', 'x')", "SELECT readfile('/etc/hosts')", "SELECT edit('x')", "ATTACH '{}' AS x",
    "ATTACH 'file:{}?mode=rwc' AS x", "VACUUM INTO '{}'", "VACUUM", "DETACH main", "REINDEX", "ANALYZE", "BEGIN", "COMMIT",
    "SAVEPOINT s", "PRAGMA journal_mode = WAL", "PRAGMA writable_schema = 1", "PRAGMA query_only = 0", "PRAGMA data_version = 1",
    "PRAGMA user_version = 7", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA temp_store_directory = '{}'", "PRAGMA optimize",
    "PRAGMA temp_store = FILE", "PRAGMA hard_heap_limit = 0", "PRAGMA trusted_schema = ON", "SELECT * FROM pragma_optimize",
    "SELECT * FROM pragma_wal_checkpoint('TRUNCATE')", "UPDATE sqlite_master SET sql = ''", "DELETE FROM sqlite_master",
    "CREATE TABLE t AS SELECT 1", "CREATE TEMP VIEW v AS SELECT 1", "CREATE INDEX i ON item(name)", "ALTER TABLE item RENAME TO x",
    "CREATE TRIGGER t AFTER INSERT ON item BEGIN SELECT 1; END", "WITH t AS (SELECT 1) DELETE FROM item",
    "REPLACE INTO item VALUES (1, '', '')", "DELETE FROM item RETURNING id", "INSERT INTO item(name) VALUES ('x') RETURNING id",
    "SELECT 1; DELETE FROM item", "SELECT randomblob(1000000000)", "SELECT zeroblob(1000000000)",
)  # fmt: skip


@pytest.mark.parametrize("sql", HOSTILE)
def test_hostile_statements_end_in_a_verdict_and_change_no_byte(searchable, sandbox, sql):
    target = searchable.with_name("made")
    before = {p.name: p.read_bytes() for p in searchable.parent.iterdir()}
    assert sandbox.run(searchable, sql.format(target)).status in ("refused", "error")
    assert {p.name: p.read_bytes() for p in searchable.parent.iterdir()} == before
    assert sandbox.run(searchable, "SELECT COUNT(*) FROM five").rows == ((3,),)


def test_sorting_and_grouping_leave_no_temporary_file(tmp_path, monkeypatch):
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = make(tmp_path / "t.sqlite", "CREATE TABLE t (a);")
    sizes, done = [], threading.Event()
    with Sandbox(time_limit_s=30.0) as box:
        box.run(path, "SELECT 1")
        pid, before = box._process.pid, {}  # what its start has read counts too

        def watch():
            while not done.wait(0.02):
                for name in ("read_bytes", "write_bytes"):
                    counts = [
                        line for line in Path(f"/proc/{pid}/io").read_text().splitlines() if line.startswith(name)
                    ]
                    sizes.extend(
                        int(line.split()[1]) - before.setdefault(name, int(line.split()[1])) for line in counts
                    )

        watcher = threading.Thread(target=watch)
        if Path(f"/proc/{pid}/io").exists():
            watcher.start()
        many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 40000)"
        found = box.run(
            path, f"{many} SELECT COUNT(*) FROM (SELECT DISTINCT printf('%0200d', i * 7919 % 40000) FROM n ORDER BY 1)"
        )
        done.set()
        if watcher.ident:
            watcher.join()
    assert found.rows == ((40_000,),)  # 8 MB were sorted, four times what SQLite keeps in its cache
    assert max(sizes, default=0) < 2**20 and list((tmp_path / "temporary").iterdir()) == []


def test_a_file_that_changes_is_read_as_it_is_now(tmp_path, sandbox):
    path = make(tmp_path / "t.sqlite", "CREATE TABLE t (a); INSERT INTO t VALUES (1);")
    assert sandbox.run(path, "SELECT a FROM t").rows == ((1,),)
    make(path, "UPDATE t SET a = 2; CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES ('new')")
    assert sandbox.run(path, "SELECT a FROM t").rows == ((2,),)
    assert sandbox.run(path, "SELECT x FROM f WHERE f MATCH 'new'").rows == (("new",),)
    make(tmp_path / "other", "CREATE TABLE t (b); INSERT INTO t VALUES (3);").replace(
        path
    )  # another file, of that name
    assert sandbox.run(path, "SELECT b FROM t").rows == ((3,),)


def test_memory_is_of_one_query_not_of_all_before_it(tmp_path):
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 6000)"
    source = make(tmp_path / "t.sqlite", f"CREATE TABLE t AS {many} SELECT i, printf('%0300d', i) AS b FROM n;")
    with Sandbox(memory_mb=8) as box:  # eight files' pages would fill it
        for number in range(12):
            path = tmp_path / f"{number}.sqlite"
            os.link(source, path)
            assert box.run(path, "SELECT SUM(i), MAX(LENGTH(b)) FROM t").rows == ((18003000, 300),)


def test_rows_that_are_too_large_together_are_an_error(tmp_path, sandbox):
    path = make(tmp_path / "t.sqlite", "CREATE TABLE t (a);")
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 900)"
    found = sandbox.run(path, f"{many} SELECT printf('%.*c', 1000000, 'x') FROM n")
    assert found.status == "error" and "64 MB" in found.error
    assert sandbox.run(path, "SELECT 1").rows == ((1,),)


def test_the_start_of_a_worker_is_no_time_of_the_query(library, monkeypatch, tmp_path):
    slow = tmp_path / "worker.py"
    slow.write_text("import time; time.sleep(3)\n" + Path(sandbox_module.worker.__file__).read_text())
    monkeypatch.setattr(sandbox_module.worker, "__file__", str(slow))
    monkeypatch.setattr(sandbox_module, "GRACE_S", 0.0)
    with Sandbox(time_limit_s=2) as box:
        assert box.run(library.database("library"), "SELECT 1").rows == ((1,),)


@pytest.mark.parametrize("fault", ["no interpreter", "it ends at once"])
def test_a_worker_that_cannot_start_is_no_fault_of_the_query(library, sandbox, monkeypatch, tmp_path, fault):
    (tmp_path / "ends.py").write_text("")
    if fault == "no interpreter":
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python9"))
    else:
        monkeypatch.setattr(sandbox_module.worker, "__file__", str(tmp_path / "ends.py"))
    with pytest.raises(SandboxError, match="cannot be started .*python") as caught:
        sandbox.run(library.database("library"), "SELECT 1")
    assert str(tmp_path) not in str(caught.value)
    monkeypatch.undo()
    assert sandbox.run(library.database("library"), "SELECT 1").rows == ((1,),)


def test_a_killed_worker_is_replaced(library, sandbox):
    sandbox.run(library.database("library"), "SELECT 1")
    sandbox._process.kill()
    sandbox._process.wait()
    assert sandbox.run(library.database("library"), "SELECT 1").rows == ((1,),)


SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1500000) SELECT MAX(i) FROM n"
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"


def test_a_right_answer_survives_the_death_of_its_worker(library):
    with Sandbox(time_limit_s=20) as box:
        box.run(library.database("library"), "SELECT 1")
        threading.Timer(0.05, box._process.kill).start()
        assert box.run(library.database("library"), SLOW).rows == ((1500000,),)


def test_a_query_that_kills_every_worker_is_an_error(library, sandbox, monkeypatch):
    asked = []

    def dies(self, request):
        asked.append(request)
        raise sandbox_module.Died

    monkeypatch.setattr(Sandbox, "_ask", dies)
    assert sandbox.run(library.database("library"), "SELECT 1").status == "error" and len(asked) == 2


def test_a_worker_that_takes_too_much_memory_is_stopped_where_the_system_does_not(library, monkeypatch):
    monkeypatch.setattr(sandbox_module, "OWN_MB", -60)  # less than the interpreter alone takes
    with Sandbox(time_limit_s=5.0, memory_mb=64) as box:
        assert "memory" in box.run(library.database("library"), ENDLESS).error
        assert box._process is None


@pytest.fixture
def interruptible():
    """A process that a shell has started in the background ignores SIGINT, and all of its children do."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_leaves_no_answer_behind(library, sandbox, interruptible):
    database = library.database("library")
    assert sandbox.run(database, "SELECT 0").rows == ((0,),)
    soon = threading.Timer(0.1, signal.raise_signal, (signal.SIGINT,))
    with pytest.raises(KeyboardInterrupt):
        soon.start()
        sandbox.run(database, ENDLESS)
        time.sleep(30)
    assert [sandbox.run(database, f"SELECT {n}").rows for n in (7, 8)] == [((7,),), ((8,),)]


def test_threads_get_their_own_answers(library, sandbox):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: sandbox.run(library.database("library"), f"SELECT {n}").rows, range(60)))
    assert found == [((n,),) for n in range(60)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork")
def test_a_forked_process_asks_a_worker_of_its_own(library, sandbox):
    database = library.database("library")
    sandbox.run(database, "SELECT 1")
    child = os.fork()
    if child == 0:
        answers = [sandbox.run(database, f"SELECT {n}").rows for n in range(20)]
        os._exit(0 if answers == [((n,),) for n in range(20)] else 1)
    assert [sandbox.run(database, f"SELECT {-n}").rows for n in range(20)] == [((-n,),) for n in range(20)]
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for the worker under /proc")
def test_a_worker_ends_soon_after_its_parent_even_inside_one_long_call(library):
    long_call = "SELECT instr(printf('%.*c', 30000000, 'a'), printf('%.*c', 1000000, 'a') || 'b')"
    code = f"""
from forge_lib.tasks.sql.sandbox import Sandbox
box = Sandbox(time_limit_s=20)
box.run({str(library.database("library"))!r}, "SELECT 1")
box.time_limit_s = 0.2
print(box._process.pid, flush=True)
box.run({str(library.database("library"))!r}, {long_call!r})
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    worker = int(parent.stdout.readline())
    time.sleep(0.2)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    ends = time.monotonic() + 20  # a busy machine gives it little of its CPU time
    while alive(worker) and time.monotonic() < ends:
        time.sleep(0.1)
    assert not alive(worker)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system stops no process")
def test_a_worker_that_does_not_read_holds_nobody_up(library):
    with Sandbox() as box:
        box.run(library.database("library"), "SELECT 1")
        box.time_limit_s = 0.1
        box._process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        assert box.run(library.database("library"), f"SELECT 1 -- {'x' * 2_000_000}").status == "timeout"
        assert time.monotonic() - began < 30
    with Sandbox() as box:
        assert box.run(library.database("library"), f"SELECT 1 -- {'x' * 2_000_000}").rows == ((1,),)


@pytest.mark.parametrize("sql", [
    "SELECT " + "(" * 5000 + "1" + ")" * 5000, "SELECT '\ud800'", "SELECT :name", "SELECT ?", "SELECT 1\0", "\0", ";", "--",
    "SELECT abs(-9223372036854775808)", "SELECT 1 WHERE", "EXPLAIN DELETE FROM books", "VALUES (1), (2, 3)",
])  # fmt: skip
def test_odd_sql_is_an_error_and_the_next_query_works(library, sandbox, sql):
    assert sandbox.run(library.database("library"), sql).status in ("error", "refused")
    assert sandbox.run(library.database("library"), "SELECT 1").rows == ((1,),)


def test_a_file_that_is_no_database_is_an_error_of_the_query(tmp_path, sandbox):
    (tmp_path / "a.sqlite").write_text("id,name\n" * 100)
    assert "not a database" in sandbox.run(tmp_path / "a.sqlite", "SELECT 1 FROM t").error
    assert sandbox.run(tmp_path, "SELECT 1").status == "error"


@pytest.mark.parametrize(("rows", "shown", "more"), [(0, 0, False), (9, 9, False), (10, 10, False), (11, 10, True), (500_000, 10, True)])  # fmt: skip
def test_a_sandbox_that_cuts_shows_the_first_rows_and_says_that_there_are_more(library, rows, shown, more):
    sql = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT {rows}"
    with Sandbox(time_limit_s=2.0, max_rows=10, cut=True) as box:
        found = box.run(library.database("library"), sql)
    assert (found.status, found.rows, found.more) == ("ok", tuple((n + 1,) for n in range(shown)), more)
    assert found.columns == ("i",)


def test_a_sandbox_that_cuts_stops_reading_at_its_last_row(library):
    with Sandbox(time_limit_s=1.0, max_rows=10, cut=True) as box:
        found = box.run(library.database("library"), ENDLESS.replace("COUNT(*)", "i"))
        assert found.status == "ok" and len(found.rows) == 10 and found.more
        assert box.run(library.database("library"), ENDLESS).status == "timeout"  # whose first row never comes
