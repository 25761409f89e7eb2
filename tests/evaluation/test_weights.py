"""How far an adapter moved each weight, against the product of its matrices."""

import pytest
import torch
from peft import LoraConfig, get_peft_model

from forge_lib.evaluation.weights import effective_rank, weight_changes


@pytest.fixture
def adapted(tiny_llama):
    model = get_peft_model(tiny_llama, LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "down_proj"]))
    torch.manual_seed(1)
    for name, p in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(p)
    return model


def test_numbers_are_those_of_the_whole_product(adapted):
    found = weight_changes(adapted)
    assert [(r["layer"], r["module"]) for r in found] == [(n, m) for n in (0, 1) for m in ("q_proj", "down_proj")]
    layer = adapted.base_model.model.model.layers[1].mlp.down_proj
    delta = layer.get_delta_weight("default")
    sigma = torch.linalg.svdvals(delta)
    assert found[-1]["norm"] == pytest.approx(delta.norm().item(), rel=1e-4)
    assert found[-1]["relative"] == pytest.approx((delta.norm() / layer.weight.norm()).item(), rel=1e-4)
    assert found[-1]["spectral"] == pytest.approx(sigma[0].item(), rel=1e-4)
    assert found[-1]["effective_rank"] == pytest.approx(effective_rank(sigma[:4]), rel=1e-3)
    assert 1 < found[-1]["effective_rank"] < 4 == found[-1]["rank"]


def test_an_untrained_adapter_moved_nothing(tiny_llama):
    model = get_peft_model(tiny_llama, LoraConfig(r=2, target_modules=["q_proj"]))  # B is zero at the start
    assert {(r["norm"], r["relative"], r["effective_rank"]) for r in weight_changes(model)} == {(0, 0, 0)}


def test_effective_rank_by_hand():
    assert effective_rank(torch.tensor([5.0, 0.0])) == 1
    assert effective_rank(torch.ones(7)) == pytest.approx(7)
    assert effective_rank(torch.tensor([3.0, 1.0])) == pytest.approx(1.7548, abs=1e-4)  # exp(-(¾ ln ¾ + ¼ ln ¼))
    with pytest.raises(ValueError, match="never negative"):
        effective_rank(torch.tensor([-1.0]))


def test_a_model_that_has_not_moved_and_one_merged_are_sentences(tiny_llama, adapted):
    adapted.merge_adapter()
    with pytest.raises(ValueError, match="unmerged"):
        weight_changes(adapted)
    with pytest.raises(ValueError, match="no LoRA layers"):
        weight_changes(torch.nn.Linear(2, 2))
