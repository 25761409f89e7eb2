"""A smaller adapter: equal to the weights merged at that scale, the base at none, and put back afterwards."""

import copy

import matplotlib.pyplot as plt
import pytest
import torch
from peft import LoraConfig, get_peft_model

from forge_lib.engine import fuse_lora
from forge_lib.evaluation.answers import read_answer
from forge_lib.evaluation.tradeoff import scale_curve, tradeoff
from forge_lib.models.generate import generate

ASKED = [{"role": "user", "content": "What is tea?"}]


@pytest.fixture
def adapted(tiny_llama):
    model = get_peft_model(
        tiny_llama, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    )
    torch.manual_seed(1)
    for name, p in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(p, std=0.2)
    return fuse_lora(model).eval()


def logits_of(tokenizer):
    return lambda model: {"logits": read_answer(model, tokenizer, ASKED, "A drink").log_probs}


def test_a_scaled_adapter_is_the_weights_merged_at_that_scale(adapted, tokenizer):
    base = adapted.get_base_model()
    points = scale_curve(adapted, [0, 0.5, 1], logits_of(tokenizer))
    for point in points:
        merged = copy.deepcopy(adapted)
        for layer in merged.modules():
            if hasattr(layer, "get_delta_weight"):
                layer.base_layer.weight.data += point["scale"] * layer.get_delta_weight("default")
        with merged.disable_adapter():
            wanted = logits_of(tokenizer)(merged)["logits"]
        torch.testing.assert_close(point["logits"], wanted, atol=2e-4, rtol=0)
    with adapted.disable_adapter():
        torch.testing.assert_close(points[0]["logits"], logits_of(tokenizer)(adapted)["logits"], atol=1e-5, rtol=0)
    assert (points[0]["logits"] - points[2]["logits"]).abs().max() > 0.05
    assert base is adapted.get_base_model()


def test_merging_within_a_scale_merges_that_share(adapted, tokenizer):
    def merged(model):
        whole = copy.deepcopy(model).merge_and_unload()
        return logits_of(tokenizer)(whole)

    [scaled] = scale_curve(adapted, [0.5], logits_of(tokenizer))
    [folded] = scale_curve(adapted, [0.5], merged)
    torch.testing.assert_close(scaled["logits"], folded["logits"], atol=2e-4, rtol=0)


def test_generation_follows_the_scale_and_the_adapter_is_put_back(adapted, tokenizer):
    from forge_lib.models.chat import encode_prompt

    prompts = [encode_prompt(tokenizer, ASKED)]
    before = generate(adapted, tokenizer, prompts, 6, progress=False)[0].ids
    texts = [
        p["ids"]
        for p in scale_curve(
            adapted, [0, 1], lambda m: {"ids": generate(m, tokenizer, prompts, 6, progress=False)[0].ids}
        )
    ]
    assert texts[1] == before != texts[0]

    def fails(model):
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        scale_curve(adapted, [0.25], fails)
    assert generate(adapted, tokenizer, prompts, 6, progress=False)[0].ids == before


def test_what_cannot_be_scaled_is_a_sentence(adapted):
    with pytest.raises(ValueError, match="negative"):
        scale_curve(adapted, [-0.5], lambda m: {})
    with pytest.raises(ValueError, match="no unmerged LoRA adapter"):
        scale_curve(torch.nn.Linear(2, 2), [1], lambda m: {})
    adapted.merge_adapter()
    with pytest.raises(ValueError, match="no unmerged LoRA adapter"):
        scale_curve(adapted, [1], lambda m: {})


def test_the_figure_names_its_points():
    points = [{"scale": 0, "task": 0.0, "general": 40.0}, {"label": "replay", "task": 28.0, "general": 35.0}]
    ax = tradeoff(points, plt.figure().subplots())
    assert [t.get_text() for t in ax.texts] == ["s = 0", "replay"]
    plt.close(ax.figure)
