import functools
import json
import shutil

import pytest

from forge_lib.data.items import DataError
from forge_lib.tasks.sql.golds import golds_that_fail
from forge_lib.tasks.sql.schema import render_schema
from forge_lib.tasks.sql.score import LEVELS
from forge_lib.tasks.sql.sources.spider import load_spider


def rows(count: int, db_id: str = "library", **more) -> list[dict]:
    """Questions as Spider's files hold them, each asked in two ways."""
    sql = "SELECT title FROM books WHERE price > {} ;"
    return [{"db_id": db_id, "question": f"wording {n}", "query": sql.format(n // 2), **more} for n in range(count)]


@pytest.fixture
def small_spider(library, tmp_path):
    (tmp_path / "train_spider.json").write_text(json.dumps(rows(30)))
    return tmp_path


def test_the_official_layout_is_read(small_spider):
    data = load_spider(small_spider)
    pairs = [p for _, split in data.splits() for p in split]
    assert len(pairs) == 30 and data.name == "spider"
    assert {p.difficulty for p in pairs} == {"easy"} and not any(p.sql.endswith((";", " ")) for p in pairs)
    assert {p.id for p in pairs} == {f"train_spider-{n:05d}" for n in range(30)}
    assert (len(data.validation), len(data.test)) == (2, 6)


def test_dev_is_for_testing_only_and_validation_comes_from_train(small_spider):
    (small_spider / "dev.json").write_text(json.dumps(rows(4, question="of dev")))
    data = load_spider(small_spider)
    assert [(p.id, p.part) for p in data.test] == [(f"dev-0000{n}", "seen") for n in range(4)], (
        "their database is trained on"
    )
    assert {p.id.split("-")[0] for p in data.train + data.validation} == {"train_spider"}
    assert len(data.validation) == 2 and len(data.train) == 28


def test_a_question_that_dev_asks_too_is_not_trained_on(small_spider):
    (small_spider / "dev.json").write_text(json.dumps(rows(40)[28:32]))
    data = load_spider(small_spider)
    assert len(data.test) == 4 and len(data.train) + len(data.validation) == 28
    assert any("a later part asks the same" in note for note in data.notes)


def test_dev_alone_is_a_test_without_training(small_spider):
    (small_spider / "train_spider.json").rename(small_spider / "dev.json")
    data = load_spider(small_spider)
    assert (len(data.train), len(data.validation), len(data.test)) == (0, 0, 30)


def test_the_other_training_file_counts_where_its_databases_are_there(small_spider):
    (small_spider / "train_others.json").write_text(json.dumps(rows(2, "scholar") + rows(4)))
    data = load_spider(small_spider)
    others = sorted(p.id for _, pairs in data.splits() for p in pairs if p.id.startswith("train_others"))
    assert others == [f"train_others-0000{n}" for n in range(2, 6)]  # ids do not depend on which databases are there


def test_paraphrases_are_read_from_their_own_files(small_spider):
    with pytest.raises(DataError, match="neither train_spider_syn.json nor dev_syn.json.*github.com/ygan/Spider-Syn"):
        load_spider(small_spider, paraphrases=True)
    syn = [{"db_id": r["db_id"], "SpiderQuestion": r["question"], "SpiderSynQuestion": f"otherwise {n}", "query": r["query"]}
           for n, r in enumerate(rows(30))]  # fmt: skip
    (small_spider / "train_spider_syn.json").write_text(json.dumps(syn))
    (small_spider / "dev_syn.json").write_text(json.dumps(syn[:2]))
    (small_spider / "dev.json").write_text(json.dumps(rows(9)))
    data = load_spider(small_spider, paraphrases=True)
    pairs = [p for _, split in data.splits() for p in split]
    assert {p.wording for p in pairs} == {"synonyms"} and all(p.question.startswith("otherwise") for p in pairs)
    assert [p.id for p in data.test] == ["dev_syn-00000", "dev_syn-00001"]


def test_the_seed_draws_the_validation(small_spider):
    assert load_spider(small_spider, seed=1) == load_spider(small_spider, seed=1) != load_spider(small_spider, seed=2)


def test_another_folder_is_refused_with_advice(tmp_path):
    with pytest.raises(DataError, match="neither train_spider.json nor dev.json. Point at the unpacked"):
        load_spider(tmp_path)


def test_a_missing_database_is_named(small_spider):
    shutil.rmtree(small_spider / "database" / "library")
    with pytest.raises(DataError, match=r"item 0: database/library/library.sqlite is missing"):
        load_spider(small_spider)


def test_a_row_without_a_query_is_named(small_spider):
    (small_spider / "train_spider.json").write_text('[{"db_id": "library", "question": "?"}]')
    with pytest.raises(DataError, match="train_spider.json, line 1: the field or role 'query' is missing"):
        load_spider(small_spider)


real = functools.cache(load_spider)  # four seconds each


@pytest.mark.slow
@pytest.mark.spider
@pytest.mark.parametrize("paraphrases", [False, True])
def test_real_questions_are_split_without_leaks(spider_dir, paraphrases):
    data = real(spider_dir, paraphrases)
    assert sum(len(pairs) for _, pairs in data.splits()) == 6707
    assert (len(data.validation), len(data.test)) == (150, 300)
    trained = {p.db_id for p in data.train}
    queries = {(p.db_id, p.sql) for p in data.train}
    for pairs in (data.validation, data.test):
        assert {p.part for p in pairs} == {"seen", "unseen"} and {p.difficulty for p in pairs} == set(LEVELS)
        assert all((p.db_id in trained) == (p.part == "seen") and (p.db_id, p.sql) not in queries for p in pairs)
    assert all(render_schema(data.schema(db_id)) for db_id in trained)


@pytest.mark.slow
@pytest.mark.spider
def test_real_golds_score_as_correct_against_themselves(spider_dir):
    failing = golds_that_fail(real(spider_dir, False))
    for pair, reason in failing:
        print(pair.id, reason)
    assert [(p.id, "More than 10000 rows" in reason) for p, reason in failing] == [
        ("train_spider-06584", True), ("train_spider-06585", True),
    ]  # fmt: skip
