import json
import shutil
import sqlite3
import unicodedata
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from forge_lib.data.items import DataError
from forge_lib.lab.files import RunError
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.formats import write_pairs
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.sources import load as sources
from forge_lib.tasks.sql.sources.load import check_source, fetch, load_data


def pairs_of(db_id: str, count: int) -> list[Pair]:
    return [
        Pair(f"{db_id}-{n}", db_id, f"over {n}?", f"SELECT title FROM books WHERE price > {n}") for n in range(count)
    ]


PAIRS = [p for n in range(10) for p in pairs_of(f"shop{n}", 6)]


@pytest.fixture
def mine(library, tmp_path):
    """A folder with ten databases in Spider's layout, still without pairs."""
    folder = tmp_path / "mine"
    for n in range(10):
        target = folder / "database" / f"shop{n}" / f"shop{n}.sqlite"
        target.parent.mkdir(parents=True)
        shutil.copy(library.database("library"), target)
    return folder


def held(data: DataSet) -> dict[str, int]:
    return {name: len(pairs) for name, pairs in data.splits()}


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_one_file_of_pairs_is_split(mine, kind):
    write_pairs(mine / f"pairs.{kind}", PAIRS, kind)
    data = load_data(f"my:{mine}")
    assert held(data) == {"train": 41, "validation": 7, "test": 12} and data.name == "my"
    assert {p.part for p in data.test} == {"seen", "unseen"} and {p.difficulty for p in data.train} == {"easy"}
    assert load_data(f"my:{mine}") == data != load_data(f"my:{mine}", seed=18)


def test_questions_without_an_answer_are_marked_and_not_taken_for_one(mine):
    """All have one SQL: they stood on one side of every split, so that a part had all of them or none."""
    refusals = [Pair(f"n-{n}", f"shop{n}", f"what weighs {n}?", "select 'No answer' ;") for n in range(10)]
    one = [Pair(f"m-{n}", "shop0", f"who is {n}?", "SELECT 'no answer'") for n in range(30)]
    write_pairs(mine / "pairs.jsonl", [*PAIRS, *refusals, *one], "jsonl")
    parts = [[p for p in pairs if p.wording == "unanswerable"] for _, pairs in load_data(f"my:{mine}").splits()]
    assert sum(map(len, parts)) == 40 and all(any(p.db_id == "shop0" for p in pairs) for pairs in parts)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_database_is_found_whichever_way_its_name_spells_an_accent(mine, form):
    name, other = unicodedata.normalize(form, "café"), unicodedata.normalize("NFDNFC".replace(form, ""), "café")
    (mine / "database" / "shop0" / "shop0.sqlite").rename(mine / f"{name}.sqlite")
    write_pairs(mine / "Pairs.CSV", [*PAIRS[6:], *pairs_of(other, 6)], "csv")
    data = load_data(f"my:{mine}")
    assert sum(held(data).values()) == 60
    assert {p.db_id for _, pairs in data.splits() for p in pairs} >= {name} and data.database(name).exists()


@pytest.mark.parametrize("file", ["shop .sqlite", " shop.db", "shop\u00a0.sqlite"])
def test_a_database_is_found_though_a_space_ends_its_name(library, tmp_path, file):
    """The name in a pair was stripped and the file's was not, so that even `sqlite:` refused its own copy."""
    folder = tmp_path / "spaced"
    folder.mkdir()
    shutil.copy(library.database("library"), folder / file)
    write_pairs(folder / "pairs.jsonl", pairs_of(file.rpartition(".")[0], 12), "jsonl")
    data = load_data(f"my:{folder}")
    assert {p.db_id for _, pairs in data.splits() for p in pairs} == {file.rpartition(".")[0]}


def test_a_schema_is_of_the_file_as_it_is(library):
    assert "pages" not in library.schema("library").names
    connection = sqlite3.connect(library.database("library"))
    connection.execute("ALTER TABLE books ADD COLUMN pages")
    connection.commit()
    connection.close()
    assert "pages" in library.schema("library").names
    library.database("library").unlink()
    with pytest.raises(DataError, match="library.sqlite is missing"):
        library.schema("library")


def test_given_parts_are_kept_and_what_is_missing_is_held_out(mine):
    write_pairs(mine / "train.jsonl", PAIRS[:48], "jsonl")
    assert held(load_data(f"my:{mine}")) == {"train": 33, "validation": 5, "test": 10}
    write_pairs(mine / "test.jsonl", PAIRS[48:] + [Pair("x", "shop0", "q", "SELECT 1")], "jsonl")
    data = load_data(f"my:{mine}")
    assert held(data) == {"train": 43, "validation": 5, "test": 13}
    trained = {p.db_id for p in data.train}
    assert {(p.part, p.db_id in trained) for p in data.test} >= {("unseen", False)}
    assert all((p.part == "seen") == (p.db_id in trained) for p in data.test)
    write_pairs(mine / "validation.jsonl", [Pair("y", "shop0", "r", "SELECT 2")], "jsonl")
    assert held(load_data(f"my:{mine}")) == {"train": 48, "validation": 1, "test": 13}


@pytest.mark.parametrize("suffix", ["sqlite", "db"])
def test_loose_database_files_are_found(mine, suffix):
    for n in range(10):
        (mine / "database" / f"shop{n}" / f"shop{n}.sqlite").rename(mine / f"shop{n}.{suffix}")
    write_pairs(mine / "pairs.csv", PAIRS, "csv")
    data = load_data(f"my:{mine}")
    assert data.database("shop3") == mine / f"shop3.{suffix}" and data.schema("shop3").db_id == "shop3"


def test_what_windows_leaves_beside_pictures_is_no_database(mine, tmp_path):
    """Where one database is there, its name goes without saying."""
    own = tmp_path / "one"
    own.mkdir()
    shutil.copy(mine / "database" / "shop0" / "shop0.sqlite", own / "shop.sqlite")
    (own / "Thumbs.db").write_bytes(bytes(4096))
    lines = [json.dumps({"question": f"Number {n}?", "sql": f"SELECT {n}"}) for n in range(12)]
    (own / "pairs.jsonl").write_text("\n".join(lines))
    assert {p.db_id for p in load_data(f"my:{own}").train} == {"shop"}


def test_a_test_in_a_format_that_is_not_read_is_named(mine):
    write_pairs(mine / "train.jsonl", PAIRS, "jsonl")
    (mine / "test.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="mine/ holds test.parquet, which is not read beside train.jsonl"):
        load_data(f"my:{mine}")


def test_a_folder_is_found_from_home_and_from_here(mine, monkeypatch):
    write_pairs(mine / "pairs.csv", PAIRS, "csv")
    monkeypatch.setenv("HOME", str(mine.parent))
    monkeypatch.setenv("USERPROFILE", str(mine.parent))
    monkeypatch.chdir(mine.parent)
    assert load_data("my:~/mine").train == load_data("my:mine").train == load_data("my:./mine").train


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "mine/ holds no pairs. Put the pairs in one file: train.jsonl"),
        ({"pairs.csv": PAIRS, "pairs.jsonl": PAIRS}, "mine/ holds pairs.jsonl and pairs.csv. Put"),
        ({"pairs.jsonl": pairs_of("kiosk", 9)}, "pairs.jsonl, item 0: database/kiosk/kiosk.sqlite is missing. Put"),
        ({"train.jsonl": PAIRS, "test.jsonl": PAIRS[:1]}, "id 'shop0-0' is there twice in train.jsonl, test.jsonl"),
        ({"train.jsonl": PAIRS[:1]}, "1 items are too few"),
    ],
)
def test_a_folder_that_cannot_be_used_says_why(mine, files, says):
    for name, pairs in files.items():
        write_pairs(mine / name, pairs, name.split(".")[1])
    with pytest.raises(DataError) as caught:
        load_data(f"my:{mine}")
    assert says in str(caught.value) and str(mine) not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"train.jsonl": PAIRS, "test.jsonl": []}, "test.jsonl holds no pairs"),
        ({"pairs.csv": []}, "pairs.csv holds no pairs"),
        ({"train.jsonl": PAIRS, "val.jsonl": PAIRS}, "mine/ holds val.jsonl, which is not read beside train.jsonl"),
        ({"train.jsonl": PAIRS, "test.csv": PAIRS}, "mine/ holds test.csv, which is not read"),
        ({"pairs.jsonl": PAIRS, "test.jsonl": PAIRS}, "mine/ holds test.jsonl, which is not read beside pairs.jsonl"),
        ({"train.jsonl": PAIRS, "test.jsonl": [replace(p, id="t" + p.id) for p in PAIRS]}, "asked in a later part too"),
        ({"train.jsonl": pairs_of("shop0.sqlite", 9)}, "databases that are there: shop0, shop1, shop2"),
    ],
)
def test_what_would_be_passed_over_in_silence_is_refused(mine, given, says):
    for name, pairs in given.items():
        write_pairs(mine / name, pairs, name.split(".")[1])
    for load in (load_data, check_source):
        with pytest.raises(DataError) as caught:
            load(f"my:{mine}")
        assert says in str(caught.value) and str(mine.parent) not in str(caught.value)


@pytest.mark.parametrize("second", ["shop0.db", "shop0.sqlite3", "shop0.DB"])
def test_two_files_of_one_database_are_refused(mine, library, second):
    write_pairs(mine / "pairs.csv", PAIRS, "csv")
    shutil.copy(library.database("library"), mine / second)
    with pytest.raises(DataError, match=rf"'shop0' is there twice: {second} and database/shop0/shop0.sqlite. Keep one"):
        load_data(f"my:{mine}")


def test_a_question_of_the_test_is_taken_out_of_train_and_that_is_said(mine):
    write_pairs(mine / "train.jsonl", PAIRS, "jsonl")
    asked = [replace(p, id="t" + p.id, question=p.question.upper() + " ") for p in PAIRS[:3]]
    write_pairs(mine / "test.jsonl", asked, "jsonl")
    data = load_data(f"my:{mine}")
    assert {p.id for p in PAIRS[:3]}.isdisjoint(p.id for p in [*data.train, *data.validation]) and len(data.test) == 3
    assert any("because a later part asks the same" in note for note in data.notes)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_with_one_database_nobody_has_to_name_it(library, tmp_path, kind):
    folder = tmp_path / "mine"
    folder.mkdir()
    library.database("library").rename(folder / "shop.db")
    (folder / "._shop.db").write_bytes(b"what macOS leaves beside it")
    pairs = [replace(p, db_id="") for p in pairs_of("shop", 12)]
    write_pairs(folder / f"pairs.{kind}", pairs, kind)
    data = load_data(f"my:{folder}")
    assert held(data) == {"train": 7, "validation": 2, "test": 3} and {p.part for p in data.test} == {"seen"}
    assert {p.db_id for _, pairs in data.splits() for p in pairs} == {"shop"}
    assert data.notes == [f"Held out of pairs.{kind}: 2 for validation and 3 for test (seed 17); 7 train."]
    (folder / "kiosk.db").write_bytes((folder / "shop.db").read_bytes())
    with pytest.raises(DataError, match="db_id"):
        load_data(f"my:{folder}")


@pytest.mark.parametrize("place", ["x" * 5000, "~nobody-of-that-name/x", "\0", "\ud800", "no/where"])
def test_a_place_that_can_be_no_folder_is_named(place):
    with pytest.raises(DataError, match="There is no folder '"):
        load_data(f"my:{place}")


def test_a_file_in_the_place_of_its_folder_is_named(mine):
    write_pairs(mine / "pairs.csv", PAIRS, "csv")
    with pytest.raises(DataError, match="pairs.csv' is a file. Give the path of the folder in which it lies"):
        check_source(f"my:{mine / 'pairs.csv'}")


def test_a_check_before_a_run_fetches_nothing():
    check_source("spider:hub")
    check_source("course")
    for nothing in (None, 5):
        with pytest.raises(DataError, match="no data source"):
            check_source(nothing)


@pytest.mark.parametrize("source", ["wikisql", "spider", "spider:", "sqlite:", "course:v1", ""])
def test_an_unknown_source_lists_the_five_forms(source):
    with pytest.raises(DataError, match=r"'course', 'spider:DIR', 'bird:DIR', 'my:DIR' or 'sqlite:FILE'"):
        load_data(source)


def test_a_folder_that_is_not_there_is_named():
    with pytest.raises(DataError, match="no folder 'data/nowhere'"):
        load_data("spider:data/nowhere")


def rows(sql_field: str, db_id: str) -> str:
    return json.dumps([{"db_id": db_id, "question": p.question, sql_field: p.sql} for p in pairs_of(db_id, 20)])


HUB = {  # the files that the Hub's copies hold, as fetch's docstring names them
    "spider": {
        "train.json": rows("query", "shop"), "database/shop/shop.sqlite": None,
        "validation.json": rows("query", "kiosk"), "database/kiosk/kiosk.sqlite": None,
    },
    "bird": {
        "train/train.json": rows("SQL", "shop"), "train/train_databases/shop/shop.sqlite": None,
        "validation/validation.json": rows("SQL", "kiosk"), "validation/dev_databases/kiosk/kiosk.sqlite": None,
    },
}  # fmt: skip


@pytest.fixture
def hub(library, tmp_path, monkeypatch):
    """A Hub that answers from HUB; returns the list of what was asked of it."""
    asked = []

    def snapshot_download(repo_id, repo_type, local_dir, allow_patterns):
        asked.append((repo_id, repo_type))
        name = "bird" if "bird" in repo_id else "spider"
        for relative, text in HUB[name].items():
            assert any(Path(relative).match(pattern) for pattern in allow_patterns)
            path = Path(local_dir) / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(library.database("library").read_bytes() if text is None else text.encode())

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    monkeypatch.setattr(sources, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(sources, "HUB", {name: (*row[:2], 0.001) for name, row in sources.HUB.items()})
    return asked


@pytest.mark.parametrize(("name", "repository"), [("spider", "premai-io/spider"), ("bird", "premai-io/birdbench")])
def test_a_benchmark_is_fetched_once_and_loaded(hub, name, repository):
    data = load_data(f"{name}:hub")
    assert held(data) == {"train": 18, "validation": 2, "test": 20} and data.name == name
    assert {p.id.split("-")[0] for p in data.test} == {"dev"}
    assert load_data(f"{name}:hub") == data
    assert hub == [(repository, "dataset")]


def test_without_a_network_the_official_page_is_named(tmp_path):
    with pytest.raises(DataError, match=r"premai-io/spider could not be fetched .* by hand from https://yale-lily.github.io"
                                        r"/spider, unpack it, and name the folder: 'spider:FOLDER'"):  # fmt: skip
        fetch("spider", tmp_path / "spider")  # tests run with HF_HUB_OFFLINE and no sockets


def test_a_half_filled_folder_is_not_taken_for_the_whole(hub, monkeypatch):
    with monkeypatch.context() as cut_off:
        cut_off.delitem(HUB["bird"], "train/train_databases/shop/shop.sqlite")
        with pytest.raises(DataError, match=r"could not be fetched .*shop.sqlite is missing"):
            load_data("bird:hub")
    assert load_data("bird:hub").train and len(hub) == 2


def test_a_small_disk_is_found_out_before_the_download_and_a_started_one_counts(hub, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=20 * 2**30))
    monkeypatch.setattr(sources, "HUB", {"bird": ("premai-io/birdbench", "page", 20.0001)})
    with pytest.raises(RunError, match="only 20.0 GB are free"):
        fetch("bird", tmp_path / "bird")
    assert hub == []
    (tmp_path / "bird" / "part").write_bytes(b"0" * 200_000)
    assert fetch("bird", tmp_path / "bird") == tmp_path / "bird"
