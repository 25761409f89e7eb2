import shutil

import pytest

from forge_lib import CACHE, ROOT
from forge_lib.data import course
from forge_lib.data.course import build_database, freeze, load_course
from forge_lib.data.pairs import DataError, spread
from forge_lib.data.quality import check_pairs, leakage, near_duplicates
from forge_lib.tasks.sql.sandbox import Sandbox
from forge_lib.tasks.sql.score import LEVELS, score


@pytest.fixture(scope="module")
def data():
    return load_course()


def test_the_data_set_is_as_large_as_the_datasheet_says(data):
    manifest = course.read_manifest()
    assert manifest["counts"] == {name: len(pairs) for name, pairs in data.splits()}
    assert len({p.db_id for _, pairs in data.splits() for p in pairs}) >= 14
    assert sum(manifest["counts"].values()) >= 900 and len(data.test) >= 200


def test_version_2_widens_the_training_part_of_version_1_and_nothing_else(data):
    first = load_course(1)
    assert (data.validation, data.test) == (first.validation, first.test)
    assert data.train[: len(first.train)] == first.train and len(data.train) > len(first.train)


def test_every_gold_runs_returns_rows_and_is_asked_for(data):
    with Sandbox() as sandbox:
        findings = check_pairs(data, [p for _, pairs in data.splits() for p in pairs], sandbox)
    assert [f for f in findings if f.rule != "literal not asked for"] == []
    assert len(findings) <= 10, findings


def test_every_gold_scores_as_correct_against_itself(data):
    assert all(score(p.sql, p.sql, data.database(p.db_id)).correct for p in data.test)


def test_unseen_databases_occur_nowhere_in_train(data):
    trained = {p.db_id for p in data.train}
    for pairs in (data.validation, data.test):
        assert {p.db_id for p in pairs if p.part == "unseen"}.isdisjoint(trained)
        assert {p.db_id for p in pairs if p.part == "seen"} <= trained
        assert {p.part for p in pairs} == {"seen", "unseen"}
    assert len({p.db_id for p in data.test if p.part == "unseen"}) >= 3


def test_no_question_and_no_query_of_the_test_is_in_train(data):
    for shares in leakage(data).values():
        assert shares["question"] == 0 and shares["sql"] == 0


def test_no_near_duplicate_question_crosses_from_train_to_test(data):
    found = near_duplicates([p.question for p in data.train], [p.question for p in data.test], 92)
    assert [(i, j) for i, j, _ in found if data.test[i].db_id == data.train[j].db_id] == []


def test_the_test_has_every_difficulty(data):
    for part in ("seen", "unseen"):
        counts = [sum(p.difficulty == level for p in data.test if p.part == part) for level in LEVELS]
        assert all(c >= 5 for c in counts), dict(zip(LEVELS, counts, strict=True))


@pytest.fixture
def copied(tmp_path):
    shutil.copytree(ROOT / "data", tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.parametrize("name", ["v2/test.jsonl", "databases/bakery.sql"])
def test_a_changed_frozen_file_is_refused(copied, name):
    with (copied / name).open("a") as file:
        file.write("\n")
    with pytest.raises(DataError, match=rf"data/{name} changed.*git checkout"):
        load_course(folder=copied)


def test_a_missing_frozen_file_is_named(copied):
    (copied / "v2" / "validation.jsonl").unlink()
    with pytest.raises(DataError, match=r"validation.jsonl is missing"):
        load_course(folder=copied)


def test_a_windows_checkout_has_the_same_hash(copied):
    path = copied / "v1" / "test.jsonl"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert course.sha256(path) == course.read_manifest(1)["sha256"]["v1/test.jsonl"]


def test_a_frozen_version_cannot_be_frozen_again(copied):
    with pytest.raises(DataError, match="frozen already"):
        freeze(1, {"train": []}, 0, copied)


def test_an_unknown_version_names_the_known_ones():
    with pytest.raises(DataError, match="there is: v1, v2"):
        load_course(99)


def test_a_script_with_a_dangling_key_builds_no_database(tmp_path):
    script = tmp_path / "bad.sql"
    script.write_text(
        "CREATE TABLE a (i INTEGER PRIMARY KEY); CREATE TABLE b (j REFERENCES a(i)); INSERT INTO b VALUES (9);"
    )
    with pytest.raises(DataError, match="'b' refers to a missing row of 'a'"):
        build_database(script, tmp_path / "bad.sqlite")


def test_databases_are_built_once(data):
    assert data.databases.is_relative_to(CACHE)
    before = data.database("bakery").stat().st_mtime_ns
    assert load_course().database("bakery").stat().st_mtime_ns == before


def test_a_subset_is_spread_over_databases_and_repeatable(data):
    few = spread(data.test, 66, 17)
    assert few == spread(list(reversed(data.test)), 66, 17)
    assert len({p.db_id for p in few}) == len({p.db_id for p in data.test})
    assert spread(data.test, None, 17) == data.test
