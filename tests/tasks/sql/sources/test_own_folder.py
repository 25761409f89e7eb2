"""What people bring, in one folder, through every lesson that reads it. A file of its own, so that a second worker can run it beside
the course."""

import shutil
import sqlite3

import pytest

import run_all

OWN = """
CREATE TABLE товар (код INTEGER PRIMARY KEY, название TEXT, "Unit Price (€)" REAL, "в наличии" INTEGER);
CREATE TABLE "Order Details" ("Order ID" INTEGER, код INTEGER REFERENCES товар(код), "select" INTEGER, sent TIMESTAMP,
    twice AS ("select" * 2), PRIMARY KEY ("Order ID", код));
CREATE VIEW dear AS SELECT код, название FROM товар WHERE "Unit Price (€)" > 50;
CREATE VIRTUAL TABLE notes USING fts5(body);
"""
COUNTS = [
    "FROM товар", "FROM dear", 'FROM "Order Details"', 'FROM товар WHERE "в наличии" = 1', "FROM notes",
    *(f'FROM товар WHERE "Unit Price (€)" > {price}' for price in (10, 30, 70)),
    *(f'FROM "Order Details" WHERE "select" = {number}' for number in (1, 2, 3)),
    'FROM "Order Details" JOIN товар ON товар.код = "Order Details".код WHERE товар.название = "товар 3"',
    "FROM товар WHERE weight > 3",  # a gold that does not run
]  # fmt: skip


FIRST, LAST = "02", "09"


@pytest.fixture
def own_folder(tmp_path):
    """What people bring, in one folder: one database in use (its rows still in the -wal file) with Cyrillic and quoted
    names, a view and a full-text table; a spreadsheet's CSV of a dozen pairs, all counts, one that
    does not run, and one that ends in a semicolon."""
    folder, writer = tmp_path / "own", sqlite3.connect(tmp_path / "writer.sqlite")
    folder.mkdir()
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    writer.executescript(OWN)
    writer.executemany(
        "INSERT INTO товар VALUES (?, ?, ?, ?)",
        [(i, f"товар {i}", i * 3.5 if i != 7 else None, i % 2) for i in range(1, 31)],
    )
    writer.executemany(
        'INSERT INTO "Order Details" VALUES (?, ?, ?, ?)',
        [(i // 2, 1 + i % 30, i % 5, f"2024-0{1 + i % 9}-11 10:00:00") for i in range(60)],
    )
    writer.execute("INSERT INTO notes VALUES ('fragile')")
    writer.commit()
    for ending in ("", "-wal"):
        shutil.copy(f"{tmp_path}/writer.sqlite{ending}", f"{folder}/склад.sqlite{ending}")
    writer.close()
    lines = [f"Сколько {n}: count what is asked for;SELECT COUNT(*) {source}" for n, source in enumerate(COUNTS)]
    lines.append('Сколько всего: count the notes;"SELECT COUNT(*) FROM notes WHERE body IS NOT NULL; "')
    text = "\r\n".join(["DB_ID; Question;SQL", *(f"склад;{line}" for line in lines), ";;", ""])
    (folder / "pairs.csv").write_text(text, encoding="utf-8-sig", newline="")
    return folder


@pytest.mark.slow
@pytest.mark.enable_socket
def test_every_lesson_that_reads_the_data_runs_on_a_small_folder_of_ones_own(
    tmp_path, monkeypatch, own_folder, capfd, shallow_base
):
    """01 is about the machine and 10 brings a database itself: they read this course's own files whatever `data` says."""
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    chosen = ["--data", f"my:{own_folder}", "--from", FIRST, "--to", LAST]
    code, said = run_all.main(["--profile", "smoke", "--run", "own", *chosen]), capfd.readouterr()
    assert code == 0, f"{said.err[-3000:]}\n{said.out[-1500:]}"
    done = {p.name for p in (tmp_path / "runs" / "own" / "notebooks").glob("*.ipynb")}
    assert done == {b.name for b in run_all.choose(run_all.find_notebooks(), None, FIRST, LAST)}
    answers = (tmp_path / "runs" / "own" / "evaluation" / "sft.jsonl").read_text(encoding="utf-8")
    assert "склад" in answers and "weight" not in answers
