"""The command line: what it scores, what it refuses in a sentence, and that a kill costs no answer."""

import json
import shutil
import sqlite3
from collections import Counter

import pytest

from forge_lib.evaluation import __main__ as command
from forge_lib.evaluation.scoring import predictions_file, score_items
from forge_lib.evaluation.voting import TEMPERATURE
from forge_lib.lab.files import RunError
from forge_lib.lab.profiles import PROFILES
from forge_lib.models.generate import Completion
from forge_lib.models.opening import Opened
from forge_lib.tasks import GoldError

SETTINGS = {"fingerprint": "abc", "model": "x"}


class Counted:
    """Answers right, and counts who was asked; `stop_at` raises as a kill would."""

    def __init__(self, stop_at: str = ""):
        self.asked, self.stop_at = [], stop_at

    def __call__(self, items):
        for item in items:
            if item.id == self.stop_at:
                raise KeyboardInterrupt
            self.asked.append(item.id)
        return [Completion(i.answer, 3, 2, 0.5, True) for i in items]


def scored(data, contender, out, settings=SETTINGS):
    return score_items("one", contender, data, data.test, settings, out, at_once=1, progress=False)


def test_a_result_says_what_was_scored_and_of_what(library, tmp_path):
    result = scored(library, Counted(), tmp_path / "one.json")
    assert result == json.loads((tmp_path / "one.json").read_text())
    assert (result["schema"], result["complete"], result["settings"], result["items"]) == (1, True, SETTINGS, 3)
    found = result["metrics"]["accuracy"]
    assert found["all"]["percent"] == 100 and found["seen"]["items"] == 2 and found["unseen"]["low"] < 100
    assert result["metrics"]["verdicts"] == result["metrics"]["error_classes"] == {"correct": 3}
    lines = predictions_file(tmp_path / "one.json").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["l-1", "l-2", "l-3"]


def test_what_was_answered_before_a_kill_is_not_asked_again(library, tmp_path):
    out = tmp_path / "one.json"
    with pytest.raises(KeyboardInterrupt):
        scored(library, Counted("l-2"), out)
    assert json.loads(out.read_text())["complete"] is False
    with predictions_file(out).open("a") as file:
        file.write('{"id": "l-2", "cor')  # half a line, as a kill leaves it
    again = Counted()
    result = scored(library, again, out)
    assert again.asked == ["l-2", "l-3"] and result["metrics"]["accuracy"]["all"]["percent"] == 100
    third = Counted()
    assert scored(library, third, out) == result and third.asked == []


def test_other_settings_are_refused_and_nothing_changes(library, tmp_path):
    out = tmp_path / "one.json"
    scored(library, Counted(), out)
    before = out.read_bytes()
    with pytest.raises(RunError, match="another setting .model: 'x' there, 'y' now"):
        scored(library, Counted(), out, SETTINGS | {"model": "y"})
    assert out.read_bytes() == before


@pytest.mark.parametrize("line", ['{"id": "elsewhere", "correct": true}', '{"id": "l-1"}', "[1]"])
def test_a_strange_line_among_the_answers_is_a_sentence(library, tmp_path, line):
    out = tmp_path / "one.json"
    scored(library, Counted(), out)
    predictions_file(out).write_text(line + "\n")
    with pytest.raises(RunError, match="Give another file"):
        scored(library, Counted(), out)


def test_answers_without_their_result_are_not_guessed_at(library, tmp_path):
    predictions_file(tmp_path / "one.json").write_text("{}\n")
    with pytest.raises(RunError, match="is there without one.json"):
        scored(library, Counted(), tmp_path / "one.json")


def test_an_item_whose_own_answer_fails_is_left_out_and_named(library, tmp_path):
    shutil.copy(library.database("library"), tmp_path / "copy.sqlite")
    with sqlite3.connect(library.database("library")) as connection:
        connection.execute("ALTER TABLE authors RENAME COLUMN name TO called")
    connection.close()
    result = scored(library, Counted(), tmp_path / "one.json")
    assert (
        list(result["left_out"]) == ["l-3"] and "no such column" in result["left_out"]["l-3"] and result["items"] == 2
    )
    library.test = library.test[2:]
    with pytest.raises(GoldError, match="Every item is left out"):
        scored(library, Counted(), tmp_path / "two.json")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    (tmp_path / "empty").mkdir()
    shop = tmp_path / "dev" / "database" / "shop" / "shop.sqlite"  # Spider's dev part alone
    shop.parent.mkdir(parents=True)
    with sqlite3.connect(shop) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    connection.close()
    (tmp_path / "dev" / "dev.json").write_text('[{"db_id": "shop", "question": "All?", "query": "SELECT a FROM t"}]')
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "config.json").write_text("{}")
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text(
        '{"base_model_name_or_path": "someone/else", "peft_type": "LORA"}'
    )
    return tmp_path


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--model", "nowhere"], "There is no model 'nowhere'"),
        (["--model", "empty"], "There is no model 'empty'"),
        (["--model", "half"], "half/ has a config.json, but no weights"),
        (["--model", "nowhere.gguf"], "There is no GGUF file"),
        (["--model", "broken.gguf"], "no whole GGUF file"),
        (["--model", "adapter"], "was trained on someone/else"),
        (["--model", "run:none"], "There is no run 'none'"),
        (["--model", "endpoint:gpt"], "OPENAI_API_KEY is not set"),
        (["--model", "base", "--data", "moon"], "There is no data source 'moon'"),
        (["--model", "base", "--data", "spider:empty"], "holds neither"),
        (["--model", "base", "--task", "poetry"], "There is no task"),
        (["--model", "base", "--profile", "fast"], "There is no profile 'fast'"),
        (["--model", "~nobody-here/adapter"], "There is no model"),
        (["--model", "~nobody-here/x.gguf"], "There is no GGUF file"),
        (["--model", "x" * 300], "There is no model"),
        (["--contender", "nearest", "--data", "spider:dev", "--part", "test"], "spider has no train part"),
        (["--contender", "fill", "--data", "spider:dev", "--part", "test"], "spider has no train part"),
        (["--model", "base", "--shots", "3", "--data", "spider:dev", "--part", "test"], "spider has no train part"),
    ],
)
def test_what_cannot_be_scored_is_a_sentence(given, sentence, here, capsys):
    assert command.main([*given, *(() if "--profile" in given else ("--profile", "cpu"))]) == 2
    said = capsys.readouterr().err
    assert said.startswith("evaluation: ") and sentence in said and said.count("\n") == 1
    assert not list(here.glob("*.json*"))


@pytest.mark.parametrize("given", [[], ["--model", "base", "--contender", "fill"], ["--model", "base", "--limit", "0"],
                                   ["--contender", "nearest", "--shots", "3"], ["--contender", "fill", "--vote", "3"],
                                   ["--model", "base", "--vote", "1"]])  # fmt: skip
def test_a_command_that_is_none_shows_how_it_goes(given, capsys):
    with pytest.raises(SystemExit) as caught:
        command.main(given)
    assert caught.value.code == 2 and "usage" in capsys.readouterr().err


def test_a_look_up_is_scored_from_the_shell_and_goes_on(here, capsys):
    given = ["--contender", "nearest", "--limit", "4", "--out", "near.json", "--profile", "cpu"]
    assert command.main(given) == 0
    said = capsys.readouterr()
    assert "nearest neighbour: all" in said.out and "of 4" in said.out and "4/4" in said.err
    result = json.loads((here / "near.json").read_text())
    assert result["settings"]["data"] == "course" and result["settings"]["part"] == "validation"
    assert len((here / "near.predictions.jsonl").read_text().splitlines()) == 4
    assert command.main(given) == 0
    assert command.main([*given, "--seed", "5"]) == 2 and "another setting" in capsys.readouterr().err


@pytest.fixture
def undecided(tokenizer, monkeypatch):
    """A model that says one thing greedily and another in every sample; gives how many prompts it had at which temperature."""
    asked = Counter()

    def complete(prompts, limit, constraints, temperature):
        asked[temperature] += len(prompts)
        return [Completion("SELECT 2" if temperature else "SELECT 1", 3, 2, 0.5, True) for _ in prompts]

    opened = Opened("undecided", "", PROFILES["cpu"], tokenizer, complete)
    monkeypatch.setattr("forge_lib.models.opening.open_weights", lambda which, profile, batch: opened)
    return asked


@pytest.mark.slow
def test_a_vote_is_cast_by_the_greedy_answer_and_samples_of_every_question(here, undecided):
    given = ["--model", "undecided", "--limit", "4", "--quiet"]
    assert command.main([*given, "--vote", "4", "--out", "four.json"]) == 0
    assert undecided == {0.0: 4, TEMPERATURE: 12}
    lines = [json.loads(line) for line in (here / "four.predictions.jsonl").read_text().splitlines()]
    assert {r["predicted"] for r in lines} == {"SELECT 2"} and lines[0]["completion_tokens"] == 8
    assert json.loads((here / "four.json").read_text())["settings"]["vote"] == 4
    assert command.main([*given, "--vote", "2", "--out", "two.json"]) == 0  # one against one: the greedy answer
    assert json.loads((here / "two.predictions.jsonl").read_text().splitlines()[0])["predicted"] == "SELECT 1"


@pytest.mark.slow
def test_a_result_from_before_there_was_a_vote_goes_on(here, undecided):
    given = ["--model", "undecided", "--limit", "4", "--quiet", "--out", "old.json"]
    assert command.main(given) == 0
    old = json.loads((here / "old.json").read_text())
    del old["settings"]["vote"]
    (here / "old.json").write_text(json.dumps(old))
    assert command.main(given) == 0 and undecided == {0.0: 4}
    assert command.main([*given, "--vote", "3"]) == 2


def test_a_part_that_is_empty_is_a_sentence(here, library, capsys, monkeypatch):
    library.test = []
    monkeypatch.setattr("forge_lib.tasks.sql.load", lambda source, seed: library)
    assert command.main(["--contender", "nearest", "--part", "test"]) == 2
    assert "has no test part. Choose --part validation." in capsys.readouterr().err
