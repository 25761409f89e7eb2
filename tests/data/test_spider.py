import json
import random
import shutil

import pytest

from forge_lib.data.pairs import DataError
from forge_lib.data.spider import load_spider
from forge_lib.tasks.sql.schema import render_schema
from forge_lib.tasks.sql.score import score


@pytest.fixture
def small_spider(library, tmp_path):
    rows = [{"db_id": "library", "question": p.question, "query": p.sql + " ;"} for p in library.train]
    (tmp_path / "train_spider.json").write_text(json.dumps(rows))
    return tmp_path


def test_the_official_layout_is_read(small_spider):
    data = load_spider(small_spider)
    assert [p.sql for p in data.train][0] == "SELECT COUNT(*) FROM books"
    assert data.test == [] and data.validation == []


def test_dev_is_for_testing_only(small_spider):
    shutil.copy(small_spider / "train_spider.json", small_spider / "dev.json")
    data = load_spider(small_spider)
    assert len(data.test) == 3 and data.validation == []


def test_another_folder_is_refused_with_advice(tmp_path):
    with pytest.raises(DataError, match="neither train_spider.json nor dev.json"):
        load_spider(tmp_path)


def test_a_missing_database_is_named(small_spider):
    shutil.rmtree(small_spider / "database" / "library")
    with pytest.raises(DataError, match=r"item 0: database/library/library.sqlite is missing"):
        load_spider(small_spider)


def test_a_row_without_a_query_is_named(small_spider):
    (small_spider / "train_spider.json").write_text('[{"db_id": "library", "question": "?"}]')
    with pytest.raises(DataError, match="item 0: a pair needs db_id, question and query"):
        load_spider(small_spider)


@pytest.mark.spider
def test_real_golds_score_as_correct_against_themselves(spider_dir):
    data = load_spider(spider_dir)
    assert len(data.train) > 6000
    sample = random.Random(0).sample(data.train, 300)
    wrong = [p.id for p in sample if not score(p.sql, p.sql, data.database(p.db_id)).correct]
    assert wrong == []
    assert all(render_schema(data.schema(p.db_id)) for p in sample)
