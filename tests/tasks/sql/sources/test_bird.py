import json
import shutil

import pytest

from forge_lib.data.items import DataError
from forge_lib.tasks.sql.golds import golds_that_fail
from forge_lib.tasks.sql.score import score
from forge_lib.tasks.sql.sources.bird import load_bird


def rows(count: int, db_id: str, dev: bool) -> list[dict]:
    """Questions as BIRD's files hold them: only the development part is numbered and graded."""
    return [
        {"db_id": db_id, "question": f"over {n}?", "evidence": f"over means price > {n}",
         "SQL": f"SELECT title FROM books WHERE price > {n};"}
        | ({"question_id": 100 + n, "difficulty": "challenging"} if dev else {})
        for n in range(count)
    ]  # fmt: skip


@pytest.fixture
def bird(library, tmp_path):
    """A function that writes one part in some layout: the questions' file, the folder of databases, the database."""

    def write(questions: str, databases: str, db_id: str, count: int = 20):
        root = tmp_path / "bird"
        target = root / databases / db_id / f"{db_id}.sqlite"
        target.parent.mkdir(parents=True)
        shutil.copy(library.database("library"), target)
        (root / questions).parent.mkdir(parents=True, exist_ok=True)
        (root / questions).write_text(json.dumps(rows(count, db_id, "train" not in questions)))
        return root

    return write


def test_both_parts_are_read_each_over_its_own_databases(bird):
    bird("train/train.json", "train/train_databases", "shop")
    root = bird("dev/dev.json", "dev/dev_databases", "kiosk", 3)
    data = load_bird(root)
    assert (len(data.train), len(data.validation), len(data.test)) == (18, 2, 3)
    assert data.database("shop") == root / "train" / "train_databases" / "shop" / "shop.sqlite"
    assert data.database("kiosk") == root / "dev" / "dev_databases" / "kiosk" / "kiosk.sqlite"
    assert data.schema("kiosk").tables == data.schema("shop").tables
    assert all(score(p.sql, p.sql, data.database(p.db_id)).correct for p in data.train + data.test)


def test_the_evidence_is_kept_and_the_difficulty_counted_anew(bird):
    pair = load_bird(bird("dev/dev.json", "dev/dev_databases", "kiosk")).test[0]
    assert (pair.id, pair.part, pair.difficulty) == ("dev-100", "unseen", "easy")
    assert pair.evidence == "over means price > 0" and pair.sql == "SELECT title FROM books WHERE price > 0"


@pytest.mark.parametrize(
    ("questions", "databases"),
    [
        ("dev_20240627/dev.json", "dev_20240627/dev_databases"),  # as the official archive unpacks
        ("validation/validation.json", "validation/dev_databases"),  # the Hub's copy
        ("minidev/MINIDEV/mini_dev_sqlite.json", "minidev/MINIDEV/dev_databases"),
        ("mini_dev_sqlite.json", "dev_databases"),
    ],
)
def test_the_development_part_is_found_in_its_layouts(bird, questions, databases):
    data = load_bird(bird(questions, databases, "kiosk", 4))
    assert (data.train, data.validation, len(data.test)) == ([], [], 4)
    assert data.test[0].id == "dev-100" and golds_that_fail(data) == []


def test_mini_dev_is_not_read_beside_the_whole_part_nor_an_old_release_beside_a_new_one(bird):
    bird("minidev/MINIDEV/mini_dev_sqlite.json", "minidev/MINIDEV/dev_databases", "kiosk", 2)
    bird("dev_20230101/dev.json", "dev_20230101/dev_databases", "kiosk", 3)
    assert len(load_bird(bird("dev_20240627/dev.json", "dev_20240627/dev_databases", "kiosk", 4)).test) == 4


def test_without_a_development_part_the_test_too_is_held_out_of_train(bird):
    data = load_bird(bird("train/train.json", "train/train_databases", "shop"))
    assert (len(data.train), len(data.validation), len(data.test)) == (14, 2, 4)
    assert {p.id for _, pairs in data.splits() for p in pairs} == {f"train-{n:05d}" for n in range(20)}


def test_databases_left_in_their_archive_are_asked_for(bird):
    root = bird("train/train.json", "train/train_databases", "shop")
    shutil.rmtree(root / "train" / "train_databases")
    with pytest.raises(DataError, match=r"train.json, item 0: train_databases/shop/shop.sqlite is missing. .* unpack "
                                        "train_databases.zip beside train.json"):  # fmt: skip
        load_bird(root)


def test_another_folder_is_refused_with_advice(tmp_path):
    with pytest.raises(DataError, match="holds no questions of BIRD.*Point at the folder"):
        load_bird(tmp_path)


def test_golds_that_fail_are_listed_with_the_reason(bird):
    root = bird("dev/dev.json", "dev/dev_databases", "kiosk", 2)
    broken = rows(3, "kiosk", True)
    broken[0]["SQL"] = "SELECT missing FROM books"
    broken[1]["SQL"] = "SELECT RANDOM() FROM books"
    (root / "dev" / "dev.json").write_text(json.dumps(broken))
    failing = {pair.id: reason for pair, reason in golds_that_fail(load_bird(root))}
    assert failing.keys() == {"dev-100", "dev-101"}
    assert "no such column: missing" in failing["dev-100"] and "against itself" in failing["dev-101"]
