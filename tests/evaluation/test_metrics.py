"""What an evaluation makes of bad golds, and the metrics that a task offers beside its score."""

import warnings

import pytest

from forge_lib.evaluation.metrics import add_metrics, evaluate
from forge_lib.lab.files import RunError
from forge_lib.models.generate import Completion
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.sandbox import Sandbox

BAD = {
    "slow": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n",
    "one long call": "SELECT LENGTH(printf('%.*c', 900000000, 'x'))",
    "too many rows": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10001) SELECT i FROM n",
    "too large": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9000) SELECT printf('%.*c', 60000, 'x') FROM n",
    "no such column": "SELECT weight FROM books",
    "not to be parsed": "SELECT (title FROM books",
    "nothing": "",
    "two statements": "SELECT 1; SELECT 2",
    "more than reading": "DELETE FROM books",
    "nested too deeply": "SELECT " + "(" * 5000 + "1" + ")" * 5000,
}


@pytest.fixture
def hasty(monkeypatch):
    """A sandbox that waits one second instead of two."""
    with Sandbox(time_limit_s=1) as sandbox:
        monkeypatch.setattr("forge_lib.tasks.sql.score.shared_sandbox", lambda: sandbox)
        yield sandbox


def right(pairs):
    return [Completion(p.sql, 10, 5, 0.1, True) for p in pairs]


def test_no_gold_ends_an_evaluation_and_each_bad_one_is_named(library, hasty):
    bad = [Pair(f"bad: {what}", "library", "What?", sql, "easy", "seen") for what, sql in BAD.items()]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        found = evaluate("gold", right, library, [*bad, *library.test])
    assert [r["id"] for r in found] == [p.id for p in library.test] and all(r["correct"] for r in found)
    named = [str(w.message).partition(" is left out")[0] for w in told if "is left out" in str(w.message)]
    assert named == [p.id for p in bad]


def test_metrics_that_the_task_offers_are_columns_beside_the_score(library):
    answers = ["SELECT COUNT(*) FROM books", "SELECT title FROM books ORDER BY price DESC", ""]
    records = evaluate("made", lambda pairs: [Completion(a, 1, 1, 0.1, True) for a in answers], library, library.test)
    found = add_metrics(library, records, ["bird_ex", "spider_test_suite", "spider_exact_set"])
    assert [(r["bird_ex"], r["spider_test_suite"], r["spider_exact_set"]) for r in found] == [
        (1, 1, 1),
        (1, 0, 0),
        (0, 0, 0),
    ]
    assert [r["correct"] for r in found] == [True, False, False] and "bird_ex" not in records[0]
    broken = [records[0] | {"sql": "SELECT weight FROM books"}]
    assert add_metrics(library, broken, ["bird_soft_f1"])[0]["bird_soft_f1"] is None


def test_a_metric_that_is_none_is_named_with_those_that_are(library):
    with pytest.raises(RunError, match="no metric 'bleu'.*bird_r_ves"):
        add_metrics(library, [], ["bleu"])
