"""The command that adds an endpoint's row to a finished run, against a real local server, killed and asked again."""

import dataclasses
import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from forge_lib import tasks
from forge_lib.evaluation.contenders import openai_endpoint
from forge_lib.evaluation.endpoint import add_row, main
from forge_lib.evaluation.metrics import evaluate, summary_row
from forge_lib.lab.files import RunError
from forge_lib.lab.profiles import PROFILES
from forge_lib.lab.runs import Run
from forge_lib.models.endpoint import EndpointError, Reply
from forge_lib.models.generate import Completion
from forge_lib.models.replies import remember
from forge_lib.models.spending import Account, price_by_hand
from forge_lib.publishing.report import _not_run

TASKS = Path(__file__).parents[1] / "tasks"
pytestmark = pytest.mark.enable_socket


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.syspath_prepend(TASKS)
    data = tasks.get("toy").load()
    data.test = list({(i.context, i.question): i for i in data.test}.values())  # two of one wording are one request
    return data


@pytest.fixture(scope="module")
def threaded_server():
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture
def seen(threaded_server, monkeypatch, toy):
    """Requests of a server that knows every gold answer."""
    threaded_server.clear()
    golds, requests = {i.question: i.answer for i in toy.test}, []

    def handler(request):
        requests.append(request.json)
        time.sleep(0.1)
        text = golds[request.json["messages"][-1]["content"]]
        return Response(json.dumps({
            "id": "x", "object": "chat.completion", "created": 0, "model": "m", "usage": {"prompt_tokens": 40, "completion_tokens": 10},
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        }), content_type="application/json")  # fmt: skip

    threaded_server.expect_request("/v1/chat/completions").respond_with_handler(handler)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-key-0123456789")
    monkeypatch.setenv("OPENAI_BASE_URL", threaded_server.url_for("/v1"))
    return requests


@pytest.fixture
def run(toy, tmp_path, monkeypatch):
    """A run of the toy task whose notebook 06 asked SFT, which is right on half, and no frontier."""
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path))
    made = Run("mine", dataclasses.replace(PROFILES["smoke"], max_new_tokens=16), 17, "toy", tmp_path / "mine")
    made.save_json("config.json", made.now())
    items = toy.test[:8]
    half = lambda asked: [Completion(i.answer * (n % 2), 40, 10, 0.1, True) for n, i in enumerate(asked)]  # noqa: E731
    records = evaluate("SFT", half, toy, items)
    made.save_records("evaluation/sft.jsonl", records)
    made.save_json("evaluation/rows.json", [summary_row(records)])
    made.save_json("evaluation/comparisons.json", [])
    made.save_json("evaluation/not_run.json", {"frontier": "OPENAI_API_KEY is not set", "other": "why not"})
    return made


PRICED = ["--run", "mine", "--model", "big", "--price-in", "1", "--price-out", "10"]


def test_one_command_adds_the_row_and_a_second_asks_nothing(run, seen, capsys):
    frontier, other = _not_run(run.dir)
    assert "frontier: not run" in frontier and frontier.endswith("--run mine` adds it.")
    assert other == "- other: not run (why not)."  # an endpoint does not add that one
    assert main([*PRICED, "--limit-dollars", "5"]) == 0
    sft, row = run.load_json("evaluation/rows.json", "")
    assert (sft["contender"], row["contender"], row["all"], row["items"]) == ("SFT", "big", 100, 8)
    assert row["dollars_per_1000"] == pytest.approx(1000 * (40 + 100) / 1e6) and "by hand" in row["price"]
    [compared] = run.load_json("evaluation/comparisons.json", "")
    assert (compared["first"], compared["second"], compared["difference"]) == ("SFT", "big", 50)
    assert [line.split(":")[0] for line in _not_run(run.dir)] == ["- other"]
    assert "8 asked, 0 from disk; 320 tokens in" in capsys.readouterr().out and len(seen) == 8

    assert main([*PRICED, "--limit-dollars", "5"]) == 0
    assert len(seen) == 8 and len(run.load_json("evaluation/rows.json", "")) == 2
    assert len(run.load_json("evaluation/comparisons.json", "")) == 1
    assert (
        "0 asked, 8 from disk; 0 tokens in (0 of them cached), 0 out; $0.0000 and $0.0011 before"
        in capsys.readouterr().out
    )


def test_a_limit_ends_it_with_a_sentence_and_holds_over_sittings(run, seen, capsys):
    before = run.load_json("evaluation/rows.json", "")
    for _ in range(2):
        assert main([*PRICED, "--limit-dollars", "0.0110", "--parallel", "1"]) == 2
        assert "Stopped before the limit" in capsys.readouterr().err
    assert 1 <= len(seen) <= 6 and run.load_json("evaluation/rows.json", "") == before
    assert main([*PRICED, "--limit-dollars", "1"]) == 0 and len(seen) == 8


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (["--limit-dollars", "2"], "price of this model at this address is unknown"),
        (["--price-in", "1"], "both --price-in and --price-out"),
        (["--price-in", "-1", "--price-out", "1"], "no prices"),
        (["--parallel", "0"], "--parallel 1 or more"),
        (["--per-minute", "0"], "above 0"),
        (["--run", "nobody"], "There is no run 'nobody'"),
    ],
)
def test_what_cannot_be_is_a_sentence(run, seen, capsys, change, sentence):
    assert main(["--run", "mine", "--model", "big", *change]) == 2
    err = capsys.readouterr().err
    assert sentence in err and err.count("\n") == 1 and not seen


def test_without_a_key_it_is_not_run_and_says_how(run, capsys, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert main(["--run", "mine"]) == 2
    assert "Not run: OPENAI_API_KEY is not set" in capsys.readouterr().err


def test_data_of_ones_own_stays_here_unless_it_may_go(run, seen, capsys):
    config = run.load_json("config.json", "")
    run.save_json("config.json", config | {"data": "my:shop"})
    assert main(["--run", "mine"]) == 2 and "only with --send" in capsys.readouterr().err
    assert main(["--run", "mine", "--send"]) == 2 and "--data my:PATH" in capsys.readouterr().err
    assert not seen


def test_other_items_than_the_run_was_asked_are_refused(run, seen, capsys):
    records = run.load_records("evaluation/sft.jsonl", "")
    run.save_records("evaluation/sft.jsonl", [records[0] | {"said": "something else"}, *records[1:]])
    assert main(["--run", "mine"]) == 2
    assert f"1 of the 8 items in evaluation/sft.jsonl of the run 'mine' are not those of this data (the first: {records[0]['id']})" in capsys.readouterr().err  # fmt: skip
    assert not seen


def test_a_row_needs_a_table(run, toy):
    run.path("evaluation", "rows.json").unlink()
    with pytest.raises(RunError, match="notebook 06_evaluation makes it"):
        add_row(run, "x", run.load_records("evaluation/sft.jsonl", ""))


# --- every answer once -----------------------------------------------------------------------------------------------


def test_threads_that_want_the_same_answer_ask_once(tmp_path):
    calls, file, account = [], tmp_path / "answers.jsonl", Account()

    def slow(messages, max_tokens):
        calls.append(messages)
        time.sleep(0.1)
        return Reply(messages[0]["content"] * 5000, 1, 1, 0.1, True)

    ask = remember(slow, file, "m", account)
    threads = [threading.Thread(target=ask, args=([{"role": "user", "content": f"q{n % 5}"}], 9)) for n in range(25)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len(calls) == 5 and account.from_disk == 20
    kept = remember(None, file, "m")
    assert [kept([{"role": "user", "content": f"q{n}"}], 9).text for n in range(5)] == [
        f"q{n}" * 5000 for n in range(5)
    ]


def test_who_waits_for_an_answer_that_fails_is_told_and_it_is_asked_again(tmp_path):
    calls, all_there = [], threading.Barrier(4)

    def fails(messages, max_tokens):
        calls.append(messages)
        time.sleep(0.5)
        raise EndpointError("no")

    ask, told = remember(fails, tmp_path / "answers.jsonl", "m"), []

    def work():
        if not told:
            all_there.wait(60)
        try:
            ask([], 9)
        except EndpointError:
            told.append(True)

    threads = [threading.Thread(target=work) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len(told) == 4 and len(calls) < 4
    work()
    assert len(told) == 5


def test_one_question_that_fails_loses_no_answer(toy, tmp_path, monkeypatch):
    from forge_lib.evaluation import contenders

    def third_fails(messages, max_tokens):
        if messages[-1]["content"] == toy.test[2].question:
            raise EndpointError("down")
        time.sleep(0.05)
        return Reply("{}", 1, 1, 0.1, True)

    monkeypatch.setattr(contenders, "endpoint", lambda *_: third_fails)
    file = tmp_path / "answers.jsonl"
    with pytest.raises(EndpointError, match="down"):
        openai_endpoint(toy, 9, saved=file, parallel=2)(toy.test)
    assert 2 <= len(file.read_text().splitlines()) < len(toy.test)


def test_a_killed_process_goes_on_where_it_was(toy, seen, tmp_path):
    file = tmp_path / "answers.jsonl"
    child = os.fork()  # a fresh interpreter would take ten seconds to import
    if not child:
        openai_endpoint(toy, 9, "big", file, parallel=3)(toy.test)
        os._exit(0)
    ended = time.monotonic() + 60
    while not (file.exists() and file.read_text().count("\n") >= 4) and time.monotonic() < ended:
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    kept = file.read_text().count("\n")
    assert 4 <= kept < len(toy.test)
    account = Account(price_by_hand(1, 10), limit=5)
    found = openai_endpoint(toy, 9, "big", file, account)(toy.test)
    assert [c.text for c in found] == [i.answer for i in toy.test]
    assert account.asked == len(toy.test) - kept == len(
        toy.test
    ) - account.from_disk and account.before == pytest.approx(kept * 140e-6)
    assert len(seen) <= len(toy.test) + 3, "only what was under way is asked twice"
