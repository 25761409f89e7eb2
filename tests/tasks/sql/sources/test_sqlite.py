import json
import os
import shutil
import sqlite3
from dataclasses import replace

import pytest

import run_all
from forge_lib.data.items import DataError, fingerprint, normalize
from forge_lib.lab.files import RunError
from forge_lib.lab.profiles import PROFILES, measured
from forge_lib.lab.runs import start
from forge_lib.tasks.sql.gate import check_pairs, check_splits
from forge_lib.tasks.sql.golds import golds_that_fail, golds_without_rows
from forge_lib.tasks.sql.sources import sqlite
from forge_lib.tasks.sql.sources.course import read_manifest
from forge_lib.tasks.sql.sources.load import check_source, load_data
from forge_lib.tasks.sql.sources.sqlite import BUDGET_MIN, training_minutes
from forge_lib.tasks.sql.synthesis.draw import synthesize


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Runs and cache of this test; fewer drafts than for a reader, so that a load takes a second or two."""
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(sqlite, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(sqlite, "DRAFTS", 80)


@pytest.fixture
def shop(northwind, tmp_path):
    """A copy of the Northwind-like database, which a test may change."""
    return shutil.copy(northwind, tmp_path / "shop.sqlite")


def parts(data) -> dict[str, str]:
    return {name: fingerprint(pairs) for name, pairs in data.splits()}


def change(file, sql: str) -> None:
    connection = sqlite3.connect(file)
    connection.executescript(sql)
    connection.commit()
    connection.close()


@pytest.fixture
def wild(tmp_path):
    """A file of no manners: no keys, a name with a dot and an accent, another script, rows still in its -wal."""
    file = tmp_path / "café 2.0.db"
    writer = sqlite3.connect(tmp_path / "writer.db")
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    writer.execute('CREATE TABLE "товар" ("код", "название", "Unit Price", "select")')
    rows = [(i, f"товар {i}", 3.5 * i, "abc"[i % 3]) for i in range(60)]
    writer.executemany('INSERT INTO "товар" VALUES (?, ?, ?, ?)', rows)
    writer.commit()
    for ending in ("", "-wal"):
        shutil.copy(f"{tmp_path}/writer.db{ending}", f"{file}{ending}")
    writer.close()
    return file


@pytest.mark.slow
@pytest.mark.parametrize("which", ["northwind", "chinook", "wild"])
def test_a_bare_file_becomes_parts_that_are_sound_and_do_not_leak(which, request):
    file = request.getfixturevalue(which)
    check_source(f"sqlite:{file}")
    data = load_data(f"sqlite:{file}", start("smoke", "r", data=f"sqlite:{file}"))
    counts = {name: len(pairs) for name, pairs in data.splits()}
    assert counts["train"] >= 15 and counts["validation"] >= 2 and counts["test"] >= 4, counts
    assert {p.db_id for _, pairs in data.splits() for p in pairs} == {file.stem}
    assert {p.part for p in data.test} == {"seen"} and all(p.provenance.startswith("sampled") for p in data.train)
    assert check_splits(data) == [] and golds_that_fail(data) == [] and golds_without_rows(data) == []
    assert check_pairs(data, [*data.train, *data.validation, *data.test]) == []
    assert data.database(file.stem) != file  # a copy: what the file's own program does meanwhile changes nothing


@pytest.mark.slow
def test_the_same_file_and_seed_give_the_same_questions_and_the_second_load_draws_nothing(shop, monkeypatch):
    first = load_data(f"sqlite:{shop}", seed=5)
    with monkeypatch.context() as no_drawing:
        no_drawing.setattr(sqlite, "synthesize", None)
        assert parts(load_data(f"sqlite:{shop}", seed=5)) == parts(first)
    assert parts(load_data(f"sqlite:{shop}", seed=6)) != parts(first)
    shutil.rmtree(sqlite.CACHE)
    assert parts(load_data(f"sqlite:{shop}", seed=5)) == parts(first)
    lab = start("smoke", "r", 5, data=f"sqlite:{shop}")
    assert parts(load_data(lab.source, lab)) == parts(first)  # notebook 10 asks without a run what 04 asks with one


def rename(file, prefix: str) -> None:
    """Put a word before most names in the file, so that hardly a question with a value is as before."""
    named = {"Products": "ProductName", "Customers": "CompanyName", "Suppliers": "CompanyName", "Shippers": "CompanyName",
             "Employees": "FirstName", "Categories": "CategoryName", "Orders": "ShipCountry"}  # fmt: skip
    change(file, ";".join(f"UPDATE {table} SET {name} = '{prefix} ' || {name}" for table, name in named.items()))


@pytest.mark.slow
def test_a_changed_file_is_asked_anew_but_not_by_a_run_that_has_trained(shop, capsys):
    lab = start("smoke", "r", data=f"sqlite:{shop}")
    before = load_data(lab.source, lab)
    rename(shop, "Fresh")
    again = load_data(lab.source, lab)
    assert parts(again) != parts(before) and "'Fresh " in str([p.sql for p in again.train])
    lab.path("sft").mkdir()  # 04 has begun
    rename(shop, "Stale")
    capsys.readouterr()
    kept = load_data(lab.source, lab)
    assert parts(kept) == parts(again) and "the run r goes on with the copy" in capsys.readouterr().out
    assert golds_without_rows(kept) == []  # the database is still the one that they were drawn from
    other = start("smoke", "r2", data=f"sqlite:{shop}")
    assert "'Stale Fresh " in str([p.sql for p in load_data(other.source, other).train])


@pytest.mark.slow
def test_what_an_interrupt_left_is_made_again(shop, monkeypatch):
    lab = start("smoke", "r", data=f"sqlite:{shop}")

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(sqlite, "write_pairs", stop)
        with pytest.raises(KeyboardInterrupt):
            load_data(lab.source, lab)
    assert not lab.path("source").exists()
    whole = load_data(lab.source, lab)
    lab.path("source", "made.json").write_text('{"state": 5')
    assert parts(load_data(lab.source, lab)) == parts(whole)


def script(file):
    file.write_text("CREATE TABLE t (x);\nINSERT INTO t VALUES (1);\n")


def no_rows(file):
    change(file, "CREATE TABLE t (x)")


def few_rows(file):
    change(
        file, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')"
    )


def no_table(file):
    change(file, "PRAGMA user_version = 1")


def damaged(file):
    """A file whose only table begins on a page that holds no table any more."""
    change(file, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
    change(file, "INSERT INTO t VALUES " + ", ".join(f"({n}, 'name {n}')" for n in range(900)))
    whole = bytearray(file.read_bytes())
    whole[4096:8192] = b"\x15" * 4096
    file.write_bytes(whole)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda file: None, "There is no file 'shop.sqlite'. Give the path"),
        (
            damaged,
            "shop.sqlite cannot be read as a SQLite database (none of its tables can be read: database disk image",
        ),
        (lambda file: file.write_bytes(b""), "shop.sqlite is empty (0 bytes)"),
        (lambda file: file.write_bytes(b"PK\x03\x04" * 99), "shop.sqlite is a compressed archive. Unpack it"),
        (lambda file: file.write_bytes(b"\x15" * 999), "shop.sqlite is not a SQLite database"),
        (lambda file: file.mkdir(), "shop.sqlite is a folder. A SQLite file is wanted"),
        (script, "shop.sqlite is a script of SQL. Build the database from it"),
        (no_table, "shop.sqlite holds no rows, so there is nothing to ask about. Fill it first."),
        (no_rows, "shop.sqlite holds no rows, so there is nothing to ask about. Fill it first."),
        (few_rows, "No table of shop.sqlite has enough rows to ask about: the largest, 't', has 3"),
    ],
)
def test_what_cannot_be_asked_about_is_refused_before_a_run_begins(make, says, tmp_path, capsys):
    file = tmp_path / "shop.sqlite"
    make(file)
    assert run_all.main(["--profile", "smoke", "--run", "r", "--data", f"sqlite:{file}"]) == 2
    shown = capsys.readouterr().err
    assert says in shown and shown.count("\n") == 1 and not (tmp_path / "runs").exists()
    with pytest.raises(DataError):
        load_data(f"sqlite:{file}")


@pytest.mark.parametrize("place", ["x" * 5000, "~nobody-of-that-name/x", "\0", "\ud800", "no/where"])
def test_a_place_that_can_be_no_file_is_named(place):
    for load in (load_data, check_source):
        with pytest.raises(DataError, match="There is no file '|^…x+ cannot be opened"):
            load(f"sqlite:{place}")


def test_a_table_with_rows_and_nothing_to_say_about_them_is_a_sentence(tmp_path):
    file = tmp_path / "shop.sqlite"
    change(file, "CREATE TABLE t (x)")
    change(file, "INSERT INTO t VALUES " + ", ".join(["(7)"] * 9))
    with pytest.raises(DataError, match=r"shop.sqlite holds too little to learn from: of \d+ queries drawn"):
        load_data(f"sqlite:{file}")
    assert not [p for p in sqlite.CACHE.rglob("*") if p.is_file() and p.name != ".lock"]


@pytest.mark.slow
def test_nothing_that_is_kept_names_a_folder_of_this_machine(shop, tmp_path):
    lab = start("smoke", "r", data=f"sqlite:{shop}")
    data = load_data(lab.source, lab)
    assert lab.data == "sqlite:shop.sqlite"
    lab.save_records("evaluation/sft.jsonl", [p.as_record() for p in data.test])
    texts = [p for p in lab.dir.rglob("*") if p.suffix in (".json", ".jsonl")]
    assert {p.name for p in texts} >= {"config.json", "made.json", "train.jsonl", "sft.jsonl"}
    assert not [p.name for p in texts if str(tmp_path) in p.read_text() or os.environ["HOME"] in p.read_text()]
    (tmp_path / "other").mkdir()
    shutil.copy(shop, tmp_path / "other" / "shop.sqlite")
    with pytest.raises(RunError, match="another file of the name 'shop.sqlite'. Use another --run name"):
        start("smoke", "r", data=f"sqlite:{tmp_path}/other/shop.sqlite")


@pytest.mark.slow
def test_the_minutes_and_the_pairs_are_said_before_the_first_notebook_and_keep_a_limit(shop, monkeypatch, capsys):
    began = []
    monkeypatch.setattr(run_all, "execute", lambda *_: began.append(capsys.readouterr().out) or {"seconds": 1.0, "peak_gb": 1.0, "failure": "x"})  # fmt: skip
    assert run_all.main(["--profile", "cpu", "--run", "r", "--data", f"sqlite:{shop}", "--only", "1"]) == 1
    lab = start("cpu", "r", data=f"sqlite:{shop}")
    pairs = len(load_data(lab.source, lab).train)
    minutes = training_minutes(lab.profile, pairs)
    assert f"Training on {pairs} pairs (04_sft, profile cpu): about {minutes:.0f} minutes" in began[0]
    cpu, course = PROFILES["cpu"], read_manifest()["counts"]["train"]
    assert training_minutes(cpu, course) == pytest.approx(measured("cpu")["minutes"]["04_sft"])
    assert training_minutes(cpu, 1000) < BUDGET_MIN < training_minutes(cpu, course)
    assert training_minutes(replace(cpu, dtype="float32"), 1000) == pytest.approx(3 * training_minutes(cpu, 1000))
    monkeypatch.setattr(sqlite, "BUDGET_MIN", training_minutes(lab.profile, 30))
    assert 25 <= len(load_data(lab.source, lab).train) <= 30 < pairs
    assert training_minutes(PROFILES["a100"], 100) is None


@pytest.mark.slow
def test_what_a_person_says_beside_the_file_is_tested_on_and_what_they_reject_is_gone(shop, tmp_path, capsys):
    plain = load_data(f"sqlite:{shop}")
    drafts = {p.id: p for p in synthesize(plain.database("shop"), 80)}
    first, second, third = plain.train[:3]
    said = [
        {"id": first.id, "verdict": "reject"},
        {"id": second.id, "verdict": "fix", "question": f"In other words, {second.question}"},
        {"id": "shop-of-last-year", "verdict": "accept"},
        {
            "question": "Who delivers for us?",
            "sql": "SELECT CompanyName FROM Shippers",
            "verdict": "accept",
            "seconds": 2,
        },
        {"question": "Who carries German orders?", "sql": "SELECT COUNT(*) FROM Orders WHERE ShipCountry = 'Germany'"},
        {"question": "What is gone?", "sql": "SELECT nothing FROM Shippers"},
        {"question": "Thumbs down", "sql": "SELECT 1", "verdict": "reject"},
        {"question": third.question, "sql": third.sql},
    ]
    (tmp_path / "shop.review.jsonl").write_text("".join(json.dumps(r) + "\n" for r in said))
    data = load_data(f"sqlite:{shop}", start("smoke", "r", data=f"sqlite:{shop}"))
    everything = {p.id: p for _, pairs in data.splits() for p in pairs}
    assert first.id in drafts and first.id not in everything
    asked = {normalize(p.question) for p in data.test}
    for question in (said[1]["question"], "Who delivers for us?", "Who carries German orders?", third.question):
        assert normalize(question) in asked
    assert not {normalize(p.sql) for p in data.train} & {normalize(p.sql) for p in data.test}
    for question in ("Thumbs down", "What is gone?", "Who is on holiday?"):
        assert question not in str(everything)
    out = capsys.readouterr().out
    assert "shop.review.jsonl: 4 pairs that a person wrote or read; 1 drafts rejected" in out
    assert "1 of its decisions are on drafts that the database as it is now does not give" in out
    assert "The gate left out 1 of its pairs: shop-own-003: runs" in out


@pytest.mark.parametrize(
    ("line", "says"),
    [("{", "line 1: this is not JSON"), ('{"question": "Who?"}', "line 1: this is no decision"),
     ('{"id": "x", "verdict": "maybe"}', "line 1: the verdict is 'maybe'")],
)  # fmt: skip
def test_a_review_that_cannot_be_read_is_named_before_a_run_begins(shop, tmp_path, line, says):
    (tmp_path / "shop.review.jsonl").write_text(line + "\n")
    for load in (check_source, load_data):
        with pytest.raises(DataError, match=f"shop.review.jsonl, {says}"):
            load(f"sqlite:{shop}")


@pytest.mark.slow
@pytest.mark.enable_socket
def test_the_lesson_on_data_runs_on_a_bare_file(shop, tmp_path, shallow_base):
    """A whole notebook; what comes after the data asks no source (test_own_folder goes through all lessons)."""
    assert run_all.main(["--profile", "smoke", "--run", "r", "--data", f"sqlite:{shop}", "--only", "02"]) == 0
    run = tmp_path / "runs" / "r"
    assert (run / "data" / "summary.json").exists()
    assert str(tmp_path) not in (run / "config.json").read_text()
