"""Our scorer beside Spider's and BIRD's, case by case: `scorer_cases/cases.jsonl` says which is right, and why."""

import pytest
from scorer_cases.cases import build, cases

from forge_lib.tasks import GoldError
from forge_lib.tasks.sql.metrics.execution import bird_ex, spider_test_suite
from forge_lib.tasks.sql.score import score

CASES = cases()
# What we do otherwise on purpose: text that cannot be decoded is read, and no query runs for half a minute.
OURS_ALONE = ("bytes that are no UTF-8", "time")


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    return lambda name: build(name, folder / name)


def told(case):
    return f"{case['topic']}: {case['answer'][:60]!r}"


@pytest.mark.parametrize("case", CASES, ids=told)
def test_our_verdict_is_that_of_the_table(case, database):
    assert score(case["answer"], case["gold"], database(case["database"])).verdict == case["ours"]


@pytest.mark.parametrize("case", [c for c in CASES if c["topic"] not in OURS_ALONE], ids=told)
def test_our_versions_of_the_official_metrics_say_what_the_official_scripts_say(case, database):
    given = case["answer"], case["gold"], database(case["database"])
    assert bird_ex(*given) == case["bird"]
    if case["spider"] == "fails" and "IS DISTINCT FROM" in case["gold"]:
        with pytest.raises(GoldError):
            spider_test_suite(*given)
    else:
        assert spider_test_suite(*given) == (case["spider"] is True)


def test_the_table_is_large_enough_and_says_why_scorers_differ():
    assert len(CASES) >= 80 and len({(c["database"], c["gold"], c["answer"]) for c in CASES}) == len(CASES)
    for case in CASES:
        agree = (case["ours"] == "correct") == case["spider"] == case["bird"]
        assert agree == ("reason" not in case), told(case)
