import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from forge_lib.data.items import DataError
from forge_lib.lab.profiles import PROFILES
from forge_lib.tasks.sql import golds
from forge_lib.tasks.sql.golds import golds_that_fail, golds_without_rows
from forge_lib.tasks.sql.sandbox import Sandbox, SandboxError
from forge_lib.tasks.sql.sources.load import load_data

FAILING = {
    "SELECT weight FROM books": "no such column: weight",
    "SELECT RANDOM() FROM books": "against itself",
    "DELETE FROM books": "",
    "SELECT 1; SELECT 2": "",
    ";": "",
    "-- nothing": "",
    "SELECT '\0'": "null character",
    "SELECT " + "(" * 5000 + "1" + ")" * 5000: "parser stack overflow",
    "SELECT a.title FROM books a, books b, books c, books d, books e, books f, books g": "More than 10000 rows",
}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(golds, "CACHE", tmp_path / "cache")
    return tmp_path / "cache" / "golds"


@pytest.fixture
def lab():
    return SimpleNamespace(seed=17, profile=PROFILES["smoke"])


@pytest.fixture
def mine(library, tmp_path):
    """A function that writes a folder of one database and these queries."""

    def write(queries):
        folder = tmp_path / "mine"
        folder.mkdir()
        library.database("library").rename(folder / "shop.sqlite")
        rows = [{"question": f"question {n}?", "sql": sql} for n, sql in enumerate(queries)]
        (folder / "train.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
        return f"my:{folder}"

    return write


GOOD = [f"SELECT title FROM books WHERE price > {n / 10}" for n in range(12)]


@pytest.mark.parametrize("sql", FAILING, ids=lambda sql: sql[:20])
def test_one_bad_gold_is_named_and_left_out_before_anything_trains(mine, lab, capsys, sql):
    source = mine([*GOOD[:3], sql, *GOOD[3:]])
    data = load_data(source, lab)
    assert [p.id for p, _ in data.left_out] == ["train-00003"] and FAILING[sql] in data.left_out[0][1]
    assert sum(len(pairs) for _, pairs in data.splits()) == 12
    assert all(p.sql != sql and pairs for _, pairs in data.splits() for p in pairs)
    printed = capsys.readouterr().out
    assert "Left out: 1 of 13 pairs" in printed and "  train-00003: " in printed
    assert "Held out of train.jsonl: 2 for validation and 3 for test" in printed
    assert max(map(len, printed.splitlines())) < 250


@pytest.mark.parametrize("long", ["question", "sql"])
def test_a_pair_that_no_prompt_has_room_for_is_named_and_left_out(mine, lab, capsys, long):
    """It ended the lesson that trains, or the file that answers; a long pair that fits stays."""
    source = mine(GOOD)
    path = Path(source[3:], "train.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row, length in ((3, 4000), (4, 60)):
        listed = ", ".join(f"'{n}'" for n in range(length))
        words = "how many? " * length if long == "question" else f"SELECT title FROM books WHERE title IN ({listed})"
        rows[row][long] = words
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    data = load_data(source, lab)
    [(pair, why)] = data.left_out
    assert pair.id == "train-00003" and why.startswith("Question and SQL are ") and "max_length is 1,024" in why
    assert sum(len(pairs) for _, pairs in data.splits()) == 11
    assert "Left out: 1 of 12 pairs, because they are too long for the profile:" in capsys.readouterr().out


def test_each_gold_is_executed_once_though_one_fails(mine, lab, cache, monkeypatch):
    asked, real = [], golds._verdict
    monkeypatch.setattr(golds, "_verdict", lambda sql, database: asked.append(sql) or real(sql, database))
    load_data(mine([*GOOD, "SELECT weight FROM books"]), lab)
    assert len(asked) == len(set(asked)) == 13 and len(list(cache.iterdir())) == 1


def test_without_a_lesson_nothing_is_executed(mine, cache):
    assert load_data(mine([*GOOD, "SELECT weight FROM books"])).left_out == [] and not cache.exists()


def test_a_part_whose_golds_all_fail_gets_others(mine, lab, capsys):
    source = mine(GOOD)
    path = f"{source[3:]}/test.jsonl"
    with open(path, "w") as file:
        file.write('{"question": "heavy?", "sql": "SELECT weight FROM books"}\n')
    data = load_data(source, lab)
    assert data.test and data.validation and "All pairs of test fail; others" in capsys.readouterr().out


def test_golds_that_all_fail_end_it_with_the_first_reason(mine, lab):
    with pytest.raises(DataError, match="Every pair of train has SQL that fails. The first: .*no such column: weight"):
        load_data(mine([f"SELECT weight, {n} FROM books" for n in range(12)]), lab)


def test_golds_that_find_nothing_are_kept_and_named(mine, lab, capsys):
    data = load_data(
        mine([*GOOD, "SELECT title FROM books WHERE price > 99", "SELECT SUM(price) FROM books WHERE 0"]), lab
    )
    assert {p.id for p in data.without_rows} == {"train-00012", "train-00013"}
    assert sum(len(pairs) for _, pairs in data.splits()) == 14
    assert "2 of 14 pairs have SQL that finds nothing" in capsys.readouterr().out


def test_a_gold_that_is_late_once_is_tried_again(mine, lab, monkeypatch):
    seen, real = [], golds._once

    def late_once(sql, database):
        seen.append(sql)
        if seen.count(sql) == 1:
            raise golds.score.GoldError("The gold query scores as 'timeout' against itself")
        return real(sql, database)

    monkeypatch.setattr(golds, "_once", late_once)
    assert load_data(mine(GOOD), lab).left_out == [] and len(seen) == 24


@pytest.mark.parametrize(
    "why", ["(Killed after 2.0 s.): {}", "scores as 'timeout'", "took the worker process down (memory)"]
)
def test_what_the_hour_may_have_done_is_asked_again_the_next_time(library, monkeypatch, why):
    late = library.train[0].sql
    with monkeypatch.context() as patch:
        patch.setattr(golds, "_once", lambda sql, _: why.format(sql) if sql == late else "")
        assert [p.sql for p, _ in golds_that_fail(library)][:1] == [late]
    asked, real = [], golds._once
    monkeypatch.setattr(golds, "_once", lambda sql, database: asked.append(sql) or real(sql, database))
    assert golds_that_fail(library) == [] and asked == [late]
    assert golds_that_fail(library) == [] and asked == [late]  # now it is known


def test_without_a_worker_no_gold_has_a_verdict(library, cache, monkeypatch, tmp_path):
    (tmp_path / "ends.py").write_text("")
    monkeypatch.setattr("forge_lib.tasks.sql.worker.__file__", str(tmp_path / "ends.py"))
    monkeypatch.setattr("forge_lib.tasks.sql.score.shared_sandbox", lambda: Sandbox())
    with pytest.raises(SandboxError):
        golds_that_fail(library)
    assert not cache.exists()


def two_databases(library, tmp_path, **parts):
    """A folder with shop.sqlite and kiosk.sqlite, and these parts: (database, question, SQL) of each pair."""
    folder = tmp_path / "two"
    folder.mkdir()
    for name in ("shop", "kiosk"):
        shutil.copy(library.database("library"), folder / f"{name}.sqlite")
    for part, pairs in parts.items():
        records = [dict(zip(("db_id", "question", "sql"), pair, strict=True)) for pair in pairs]
        (folder / f"{part}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    return f"my:{folder}"


def test_a_database_that_loses_its_last_pair_in_train_is_unseen(library, tmp_path, lab):
    own = [("shop", f"question {n}?", sql) for n, sql in enumerate(GOOD)]
    source = two_databases(library, tmp_path, train=[*own, ("kiosk", "heavy?", "SELECT weight FROM books")],
                           validation=[("shop", "dear?", "SELECT 1")], test=[("kiosk", "cheap?", "SELECT 2")])  # fmt: skip
    assert [p.part for p in load_data(source).test] == ["seen"]
    assert [p.part for p in load_data(source, lab).test] == ["unseen"]


def test_what_replaces_a_part_is_asked_nowhere_else(library, tmp_path, lab, capsys):
    own = [("shop", f"question {n // 2}?", sql) for n, sql in enumerate(GOOD)]  # each is asked twice, with two queries
    source = two_databases(library, tmp_path, train=own, validation=[("shop", "dear?", "SELECT 1")],
                           test=[("shop", "heavy?", "SELECT weight FROM books")])  # fmt: skip
    data = load_data(source, lab)
    assert data.test and {p.question for p in data.test}.isdisjoint(p.question for p in data.train)
    assert "Taken out of train" in capsys.readouterr().out


def test_a_long_list_is_cut(mine, lab, capsys):
    data = load_data(mine([*GOOD, *(f"SELECT weight{n} FROM books" for n in range(8))]), lab)
    assert len(data.left_out) == 8
    assert capsys.readouterr().out.count("no such column") == 5
    assert "… and 3 more: data.left_out has them all" in golds.remarks(data)


def test_verdicts_are_remembered_until_a_query_or_a_database_changes(library, cache, monkeypatch):
    library.train[0] = replace(library.train[0], sql="SELECT weight FROM books")
    first = golds_that_fail(library)
    [kept] = cache.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(golds, "_verdict", lambda *_: pytest.fail("it was executed again"))
        assert golds_that_fail(library) == first and golds_without_rows(library) == []
    kept.write_text("{half")
    assert golds_that_fail(library) == first
    path = library.database("library")
    path.write_bytes(path.read_bytes())
    golds_that_fail(library)
    assert len(list(cache.iterdir())) == 2
