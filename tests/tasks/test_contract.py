"""A task is one folder: `toy`, in four small files beside this one, goes all the way without another line of the library."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from forge_lib import ROOT, tasks
from forge_lib.evaluation.contenders import gguf_model, local_model, nearest_neighbour
from forge_lib.evaluation.metrics import by_difficulty, evaluate, summary_row
from forge_lib.evaluation.statistics import compare
from forge_lib.lab.files import RunError
from forge_lib.lab.profiles import PROFILES
from forge_lib.lab.runs import start
from forge_lib.models.generate import Completion
from forge_lib.publishing.card import model_card
from forge_lib.training.grpo import run_grpo
from forge_lib.training.packing import make_packs, make_steps
from forge_lib.training.rollouts import graded
from forge_lib.training.sft import SFTSettings, add_lora, train

HERE = Path(__file__).parent


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.syspath_prepend(HERE)
    return tasks.get("toy")


@pytest.fixture
def small():
    return dataclasses.replace(PROFILES["smoke"], device="cpu", dtype="float32", lora_rank=4, grpo_steps=1,
                               grpo_generations=2, grpo_prompts=1, max_new_tokens=4)  # fmt: skip


def test_the_courses_own_task_keeps_the_contract():
    assert all(hasattr(tasks.get("sql"), name) for name in tasks.CONTRACT)


@pytest.mark.parametrize("name", ["poetry", "", "../sql", "sql.", "forge_lib.tasks.nothing"])
def test_an_unknown_task_is_a_sentence(name):
    with pytest.raises(RunError, match="There is no task"):
        tasks.get(name)


def test_a_module_that_is_no_task_is_told_what_it_lacks():
    with pytest.raises(RunError, match="'json' lacks check_source"):
        tasks.get("json")


def test_items_of_a_context_share_their_first_message(toy):
    data = toy.load()
    for items in ([i for i in data.train if i.context == "shop 1"], [i for i in data.test if i.context == "shop 3"]):
        assert len({data.messages(i)[0]["content"] for i in items}) == 1


def test_the_toy_trains_answers_is_graded_and_gets_a_card(toy, small, tiny_llama, tokenizer, tmp_path, monkeypatch):
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path))
    monkeypatch.setenv("FORGE_TRACKING", "none")
    lab, data = start("smoke", "toy", task="toy"), toy.load()
    model = add_lora(tiny_llama, small)
    import random

    packs = make_packs(data, data.train, tokenizer, 4, 512, random.Random(1))
    records = train(model, make_steps(packs, 2), tokenizer.pad_token_id, SFTSettings(dtype="float32"), progress=False)
    assert all(r["loss"] > 0 for r in records)

    tuned = local_model(model, tokenizer, data, 4, 8, progress=False)
    scored = {name: evaluate(name, contender, data, data.test)
              for name, contender in (("look-up", nearest_neighbour(data.train)), ("SFT", tuned))}  # fmt: skip
    assert {r["context"] for r in scored["SFT"]} == {"shop 3", "shop 4"}
    assert set(by_difficulty(scored, "toy").columns) == set(toy.LEVELS)

    log = run_grpo(model, tokenizer, data, data.train[:1], small, 1, progress=False)
    assert len(log) == 1 and graded(data)(data.train[0], data.train[0].written) == 1.0

    rows = [summary_row(r) for r in scored.values()]
    lab.save_json("config.json", lab.now())
    formats = [rows[1] | {"format": "F16", "file": "model-F16.gguf", "megabytes": 1.0, "sha256": "0" * 64, "finished": 1.0,
                          "tokens_per_second": 1.0}]  # fmt: skip
    for gguf in (False, True):
        card = model_card(lab, rows, [compare(*scored.values())], formats, "me/toy", gguf)
        assert "text-to-JSON" in card and "SQL" not in card and "sql" not in card
    assert json.loads(lab.path("config.json").read_text())["task"] == "toy"
    with pytest.raises(RunError, match="task 'toy'"):
        start("smoke", "toy")


def test_the_toys_modelfile_speaks_of_it(toy, tokenizer, tmp_path):
    from forge_lib.export.ollama import write_modelfile

    text = write_modelfile(tmp_path / "model.gguf", 32, tokenizer, "toy").read_text()
    assert f'SYSTEM """{toy.SYSTEM}"""' in text


@pytest.mark.slow
def test_a_gguf_of_the_toys_model_answers(toy, random_llama, tokenizer, tmp_path):
    """Converted, reloaded and scored through the task's own prompt."""
    from forge_lib.export import gguf
    from forge_lib.models.llama import load_gguf

    model, folder = random_llama(), tmp_path / "merged"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    file = gguf.convert_f16(folder, tmp_path / "model-F16.gguf")
    data = toy.load()
    records = evaluate("F16", gguf_model(load_gguf(file, 512), tokenizer, data, 4), data, data.test[:4])
    assert len(records) == 4 and {r["verdict"] for r in records} <= {"no JSON", "wrong keys", "wrong value", "correct"}


@pytest.mark.slow
@pytest.mark.enable_socket
def test_the_launcher_trains_the_toy(tmp_path):
    environment = os.environ | {"FORGE_RUNS": str(tmp_path), "FORGE_TRACKING": "none", "HF_HUB_OFFLINE": "1",
                                "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)])}  # fmt: skip
    command = [sys.executable, "-m", "forge_lib.training.launch", "--profile", "smoke", "--run", "toy", "--task", "toy",
               "--steps", "2"]  # fmt: skip
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "toy" / "sft" / "adapter" / "adapter_config.json").exists()
    assert torch.isfinite(torch.tensor(json.loads((tmp_path / "toy/sft/result.json").read_text())["validation_loss"]))


def test_sqls_gate_and_classes_of_error_are_reached_through_the_contract(library):
    bad = dataclasses.replace(library.train[0], id="bad", sql="SELECT weight FROM books")
    assert library.gate(library.train) == []
    assert library.gate([bad]) == ["bad: runs (no such column: weight)"]
    records = evaluate(
        "x", lambda items: [Completion("SELECT weight FROM books", 1, 1, 0.1, True)], library, [library.train[0]]
    )
    assert library.error_class(records[0]) == "invented name"


def test_a_task_with_one_state_is_graded_on_it_whoever_asks_for_several(toy):
    data = toy.load()
    records = evaluate("look-up", nearest_neighbour(data.train), data, data.test, suite=True)
    assert len(records) == len(data.test) and "correct_all" not in records[0]


def test_a_task_without_a_gate_and_classes_says_the_verdict(toy):
    data = toy.load()
    assert data.gate(data.train) == [] and data.error_class({"verdict": "no JSON"}) == "no JSON"
