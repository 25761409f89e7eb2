import dataclasses

import pytest

from forge_lib.lab.profiles import PROFILES
from forge_lib.training import TrainingError
from forge_lib.training.rl_parts import parts_table
from forge_lib.training.sft import add_lora


def test_the_counts_are_those_of_the_model(tiny_llama):
    base = sum(p.numel() for p in tiny_llama.parameters())
    model = add_lora(tiny_llama, dataclasses.replace(PROFILES["cpu"], dtype="float32", lora_rank=4))
    lora = sum(p.numel() for p in model.parameters() if p.requires_grad)
    table = parts_table(model, answers=8, epochs=2)
    assert table.index.tolist() == ["SFT", "DPO", "GRPO", "PPO"]
    head = 32
    assert table["weights"].mul(1e6).round().tolist() == [base, 2 * base, 2 * base, 4 * base + 2 * head]
    assert table["trained"].mul(1e6).round().tolist() == [base, base, base, 2 * base + head]
    assert table["weights, LoRA"].mul(1e6).round().tolist() == [base + lora, base + 2 * lora, base + 2 * lora, base + 4 * lora + 2 * head]  # fmt: skip
    assert table["trained, LoRA"].mul(1e6).round().tolist() == [lora, lora, lora, 2 * lora + head]
    assert table["forward"].tolist() == [1, 4, 8 * 4, 8 * 8] and table["backward"].tolist() == [1, 2, 16, 32]


def test_a_copy_of_the_adapter_is_not_counted_twice(tiny_llama):
    """TRL adds the reference as an adapter "ref"."""
    model = add_lora(tiny_llama, dataclasses.replace(PROFILES["cpu"], dtype="float32", lora_rank=4))
    before = parts_table(model)
    model.add_adapter("ref", model.peft_config["default"])
    assert parts_table(model).equals(before)


def test_a_model_without_adapter_is_a_sentence(tiny_llama):
    with pytest.raises(TrainingError, match="no LoRA matrices"):
        parts_table(tiny_llama)
    with pytest.raises(TrainingError, match="0 answers"):
        parts_table(tiny_llama, answers=0)
