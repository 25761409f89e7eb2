"""R-VES, soft F1 and the local modules of `evaluate`; execution accuracies are held to the table of cases beside."""

import pytest

from forge_lib import ROOT
from forge_lib.tasks import GoldError
from forge_lib.tasks.sql.metrics import METRICS, scores
from forge_lib.tasks.sql.metrics.execution import as_compared, bird_r_ves, bird_soft_f1, soft_f1, time_reward

FOLDER = ROOT / "forge_lib" / "tasks" / "sql" / "metrics"


@pytest.mark.parametrize(
    ("got", "wanted", "f1"),
    [
        ([], [], 1),
        ([], [(1,)], 0),
        ([(1,)], [], 0),
        ([(1, "a")], [("a", 1)], 1),
        ([(1,), (1,), (2,)], [(1,), (2,)], 1),  # duplicates are dropped
        ([(2,), (1,)], [(1,), (2,)], 0),  # the order of rows counts
        ([(1, "a", 9)], [(1, "a")], 0.8),  # precision 2/3, recall 1
        ([(1,)], [(1, "a")], 2 / 3),  # precision 1, recall 1/2
        ([(1,)], [(1,), (2,)], 2 / 3),
        ([(1,), (2,), (3,)], [(1,)], 0.5),
        ([(None,)], [(None,)], 1),
    ],
)
def test_soft_f1_counts_cells(got, wanted, f1):
    """By hand from the definition, and the same from BIRD Mini-Dev's script at 4d970a9."""
    assert soft_f1(got, wanted) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("ratios", "reward"),
    [([2.0, 2.2], 1.25), ([1.0, 1.9], 1.0), ([0.99, 0.98], 0.75), ([0.26, 0.3], 0.5), ([0.1, 0.2], 0.25), ([], 0.0), ([1.0] * 5, 1.0)],
)  # fmt: skip
def test_rewards_of_times(ratios, reward):
    assert time_reward(ratios) == reward


def test_one_time_far_off_does_not_count():
    assert time_reward([0.9, 0.95] * 20 + [100.0]) == 0.75


def test_a_wrong_answer_earns_nothing_and_a_slow_one_less_than_a_fast_one(library):
    path = library.database("library")
    gold = "SELECT COUNT(*) FROM books"
    slow = "SELECT COUNT(*) FROM books WHERE (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 30000) SELECT MAX(i) FROM n) > 1"
    assert bird_r_ves("SELECT 99", gold, path, repeats=1) == 0
    assert bird_r_ves(slow, gold, path, repeats=3) == 0.25**0.5
    assert bird_r_ves(gold, slow, path, repeats=3) == 1.25**0.5


def test_an_answer_that_fails_is_nothing_and_a_gold_that_fails_is_the_datas_fault(library):
    path = library.database("library")
    assert bird_soft_f1("SELECT titel FROM books", "SELECT title FROM books", path) == 0
    for name, metric in METRICS.items():
        with pytest.raises(GoldError, match="Mend the pair"):
            metric("SELECT 1", "SELECT FROM WHERE", path)
        assert scores(name, [("SELECT 1", "SELECT FROM WHERE", path)]) == [None]


def test_distinct_is_taken_out_as_a_word_of_sql_only():
    assert as_compared("SELECT DISTINCT a, 'DISTINCT' FROM \"distinct\"") == "SELECT  a, 'DISTINCT' FROM \"distinct\""
    assert as_compared("SELECT 'no end") == "SELECT 'no end"


def test_every_metric_has_its_module():
    assert {p.parent.name for p in FOLDER.glob("*/*.py")} == set(METRICS)


@pytest.mark.parametrize("name", METRICS)
def test_evaluate_loads_each_metric_offline(name, library, tmp_path, monkeypatch):
    import evaluate

    monkeypatch.setattr(
        evaluate.config, "HF_EVALUATE_OFFLINE", True
    )  # it would count the load on a server, if it could
    monkeypatch.syspath_prepend(ROOT)  # the module imports forge_lib by name
    metric = evaluate.load(str(FOLDER / name), cache_dir=tmp_path)
    path, gold = str(library.database("library")), "SELECT title FROM books WHERE price > 1"
    found = metric.compute(
        predictions=[gold, "SELECT name FROM authors", gold], references=[gold, gold, "SELECT FROM WHERE"],
        databases=[path] * 3, **({"repeats": 2} if name == "bird_r_ves" else {}),
    )  # fmt: skip
    assert found["scores"][0] >= 0.25**0.5 and found["scores"][1:] == [0, None] and found["left_out"] == [2]
    assert found[name] == pytest.approx(found["scores"][0] / 2)
