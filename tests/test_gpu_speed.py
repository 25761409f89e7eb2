"""The script of the CUDA rows does its work on a CPU too, and says which rows no card has run."""

import pytest

from benchmarks import gpu_speed

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("engine", ["torch", "trl"])
def test_a_side_trains_and_measures(tmp_path, engine):
    gpu_speed.save_random_base("tiny", tmp_path / "base", "cpu", "float32")
    profile = gpu_speed.profile_of("tiny", "LoRA", engine, "cpu", "float32", tmp_path / "base")
    row = gpu_speed.one_side(profile, 1)
    assert row["steps"] == gpu_speed.WARM_UP + 1
    assert row["tokens_per_second"] > 0 and row["loss_last"] < row["loss_first"]


def test_a_side_without_a_card_is_not_measured():
    rows = gpu_speed.merged([])
    assert {(r["size"], r["method"], r["engine"]) for r in rows} >= {("8B", "QLoRA", "torch"), ("8B", "QLoRA", "trl")}
    shown = gpu_speed.table([{"size": "8B", "method": "QLoRA", "engine": "trl"}])
    assert "| 8B | QLoRA | trl | not measured |" in shown


def test_a_measured_side_takes_its_place():
    row = {"size": "1B", "method": "LoRA", "engine": "torch", "card": "T4", "tokens_per_second": 900.0, "peak_gb": 3.0,
           "loss_first": 11.8, "loss_last": 9.0, "steps": 23}  # fmt: skip
    assert gpu_speed.merged([row])[0] == row
    assert "| 1B | LoRA | torch | T4 | 900 | 3.0 | 11.80, 9.00 |" in gpu_speed.table([row])
