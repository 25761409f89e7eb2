import copy
import dataclasses

import pytest
import torch

from forge_lib.profiles import PROFILES
from forge_lib.training.packing import make_packs
from forge_lib.training.sft import (
    SFTSettings,
    TrainingError,
    add_lora,
    best_checkpoint,
    cosine_schedule,
    mean_loss,
    save_adapter,
    train,
)  # fmt: skip

SETTINGS = SFTSettings(learning_rate=1e-2, dtype="float32", packs_per_forward=1)


@pytest.fixture
def packs(library, tokenizer):
    return make_packs(library, library.train, tokenizer, 1, 1024)


def with_lora(model):
    torch.manual_seed(1)
    return add_lora(model, dataclasses.replace(PROFILES["cpu"], dtype="float32", lora_rank=8))


def test_an_untrained_adapter_changes_nothing(tiny_llama, packs, tokenizer):
    before = mean_loss(tiny_llama, packs, tokenizer.pad_token_id, SETTINGS)
    assert mean_loss(with_lora(tiny_llama), packs, tokenizer.pad_token_id, SETTINGS) == pytest.approx(before, rel=1e-6)


def test_training_lowers_the_loss_and_leaves_the_base_alone(tiny_llama, packs, tokenizer):
    model = with_lora(tiny_llama)
    frozen = {n: p.clone() for n, p in model.named_parameters() if not p.requires_grad}
    records = train(model, [packs] * 15, tokenizer.pad_token_id, SETTINGS, progress=False)
    assert records[-1]["loss"] < 0.97 * records[0]["loss"]
    assert all(torch.equal(p, frozen[n]) for n, p in model.named_parameters() if n in frozen)


def test_accumulation_equals_the_big_batch(tiny_llama, packs, tokenizer):
    weights = []
    for together in (1, 3):
        model = with_lora(copy.deepcopy(tiny_llama))
        settings = dataclasses.replace(SETTINGS, packs_per_forward=together)
        train(model, [packs] * 3, tokenizer.pad_token_id, settings, progress=False)
        weights.append([p for p in model.parameters() if p.requires_grad])
    # A hundredth of one update: Adam divides small gradients by themselves, and their rounding with them.
    assert all(torch.allclose(a, b, atol=0.01 * SETTINGS.learning_rate) for a, b in zip(*weights, strict=True))


def test_a_loss_that_is_not_a_number_stops_with_advice(tiny_llama, packs, tokenizer):
    with torch.no_grad():
        tiny_llama.lm_head.weight[0, 0] = float("nan")
    with pytest.raises(TrainingError, match="Lower the learning rate"):
        train(with_lora(tiny_llama), [packs], tokenizer.pad_token_id, SETTINGS, progress=False)


def test_validation_joins_the_record_of_its_step(tiny_llama, packs, tokenizer):
    validate = lambda step: {"validation_accuracy": step / 10, "validation_loss": 1.0}  # noqa: E731
    records = train(
        with_lora(tiny_llama), [packs] * 4, tokenizer.pad_token_id, SETTINGS, validate, [2, 4], progress=False
    )
    assert [r["step"] for r in records if "validation_accuracy" in r] == [2, 4]
    assert best_checkpoint(records)["step"] == 4


def test_the_lower_loss_decides_between_equal_accuracies():
    records = [
        {"step": 1, "validation_accuracy": 0.5, "validation_loss": 1.0},
        {"step": 2, "validation_accuracy": 0.5, "validation_loss": 0.9},
    ]
    assert best_checkpoint(records)["step"] == 2
    with pytest.raises(TrainingError, match="no checkpoint"):
        best_checkpoint([{"step": 1}])


def test_a_saved_adapter_comes_back_the_same(tiny_llama, packs, tokenizer, tmp_path):
    from peft import PeftModel

    base = copy.deepcopy(tiny_llama)
    model = with_lora(tiny_llama)
    train(model, [packs] * 3, tokenizer.pad_token_id, SETTINGS, progress=False)
    wanted = mean_loss(model, packs, tokenizer.pad_token_id, SETTINGS)
    again = PeftModel.from_pretrained(base, save_adapter(model, tmp_path / "adapter"))
    assert mean_loss(again, packs, tokenizer.pad_token_id, SETTINGS) == pytest.approx(wanted, rel=1e-5)


def test_the_rate_rises_then_falls_to_zero():
    rates = [cosine_schedule(s, 200, 0.05) for s in range(200)]
    assert rates[9] == 1.0 and rates[0] == pytest.approx(0.1)
    assert all(a >= b for a, b in zip(rates[9:], rates[10:], strict=False)) and rates[-1] < 1e-3
