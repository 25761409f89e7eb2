"""`forge_lib.engine.blocks` gives the values and gradients of transformers and PEFT."""

import copy
import shutil

import pytest
import torch
from peft import LoraConfig, get_peft_model

from forge_lib.engine import blocks
from forge_lib.engine.compiling import compiling
from forge_lib.engine.fused import fuse_lora
from forge_lib.training.loss import pack_loss
from forge_lib.training.packing import make_packs

needs_compiler = pytest.mark.skipif(not shutil.which("g++"), reason="no C++ compiler on this machine")


def adapted(model, targets="all-linear", **options):
    """`model` with LoRA whose B is no longer zero."""
    torch.manual_seed(2)
    model = get_peft_model(model, LoraConfig(r=4, lora_alpha=12, target_modules=targets, **options))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.1)
    return fuse_lora(model)


@pytest.fixture
def packs(library, tokenizer):
    whole, *_ = make_packs(library, library.train, tokenizer, 8, 1024)
    return [whole, whole[:1]]


def loss_and_gradients(model, packs, pad_id: int, kind="float32"):
    loss, count = pack_loss(model, packs, pad_id, kind)
    (loss / count).backward()
    return loss.detach(), {n: p.grad for n, p in model.named_parameters() if p.requires_grad}


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=needs_compiler)])
@pytest.mark.parametrize("targets", ["all-linear", ["q_proj", "v_proj"], ["down_proj"]])
def test_values_and_gradients_are_transformers_and_pefts(tiny_llama, packs, tokenizer, monkeypatch, targets, compiled):
    model = adapted(tiny_llama, targets)
    assert blocks.supports(model, torch.float32)
    twin = copy.deepcopy(model)
    with compiling(compiled):
        loss, ours = loss_and_gradients(model, packs, tokenizer.pad_token_id)
    monkeypatch.setattr("forge_lib.training.loss.supports", lambda *_: False)  # transformers' own way
    wanted, theirs = loss_and_gradients(twin, packs, tokenizer.pad_token_id)
    torch.testing.assert_close(loss, wanted)
    assert ours.keys() == theirs.keys() and len(ours) in (28, 8, 4)
    for name, gradient in theirs.items():
        torch.testing.assert_close(ours[name], gradient, atol=1e-6, rtol=1e-4, msg=name)


def test_in_16_bits_the_loss_is_near_that_in_32(tiny_llama, packs, tokenizer):
    model = adapted(tiny_llama)
    wide, _ = loss_and_gradients(model, packs, tokenizer.pad_token_id)
    narrow, gradients = loss_and_gradients(model.to(torch.bfloat16), packs, tokenizer.pad_token_id, "bfloat16")
    assert narrow.item() == pytest.approx(wide.item(), rel=0.01)
    assert all(g.abs().max() > 0 for g in gradients.values())


def test_switched_off_and_merged_adapters_and_moved_weights_are_seen(tiny_llama, packs, tokenizer):
    """The blocks keep joined copies of the frozen weights; they must not outlive what they were joined from."""
    model, pad = adapted(tiny_llama), tokenizer.pad_token_id
    with torch.no_grad():
        tuned = pack_loss(model, packs, pad, "float32")[0]
        with model.disable_adapter():
            off = pack_loss(model, packs, pad, "float32")[0]
        assert not torch.allclose(tuned, off)
        twice = pack_loss(model.double(), packs, pad, "float64")[0]
        torch.testing.assert_close(twice.float(), tuned, rtol=1e-4, atol=0)
        merged = model.float().merge_and_unload()
        torch.testing.assert_close(pack_loss(merged, packs, pad, "float32")[0], tuned, rtol=1e-4, atol=0)


# What people bring: (config of the base, LoraConfig, whether the blocks compute it). Either way the values are PEFT's.
ROPE = {"rope_theta": 10_000.0}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 64}  # fmt: skip
BROUGHT = {
    "plain": ({}, {}, True),
    "one key head for all": ({"num_key_value_heads": 1}, {}, True),
    "as many key heads": ({"num_key_value_heads": 4}, {}, True),
    "six heads over two": ({"hidden_size": 48, "num_attention_heads": 6}, {}, True),
    "wider heads": ({"head_dim": 16}, {}, True),
    "tied head": ({"tie_word_embeddings": True}, {}, True),
    "another eps": ({"rms_norm_eps": 0.1}, {}, True),
    "linear rope": ({"rope_parameters": ROPE | {"rope_type": "linear", "factor": 4.0}}, {}, True),
    "llama3 rope": ({"rope_parameters": ROPE | LLAMA3}, {}, True),
    "yarn rope": ({"rope_parameters": ROPE | {"rope_type": "yarn", "factor": 4.0}}, {}, True),
    "dynamic rope": ({"rope_parameters": ROPE | {"rope_type": "dynamic", "factor": 4.0}}, {}, False),
    "swish": ({"hidden_act": "swish"}, {}, True),
    "gelu": ({"hidden_act": "gelu"}, {}, False),
    "gelu of tanh": ({"hidden_act": "gelu_pytorch_tanh"}, {}, False),
    "biases of attention": ({"attention_bias": True}, {}, False),
    "biases of the mlp": ({"mlp_bias": True}, {}, False),
    "dropout of attention": ({"attention_dropout": 0.5}, {}, False),
    "lora bias": ({}, {"lora_bias": True}, False),
    "dora": ({}, {"use_dora": True}, False),
    "lora dropout": ({}, {"lora_dropout": 0.5}, False),
    "rslora": ({}, {"use_rslora": True}, True),
    "patterns of rank and alpha": ({}, {"rank_pattern": {"q_proj": 2, "down_proj": 7}, "alpha_pattern": {"v_proj": 3}}, True),
    "one layer of two": ({}, {"targets": ["q_proj", "up_proj"], "layers_to_transform": [1]}, True),
    "whole trained mlp layers": ({}, {"targets": ["q_proj"], "modules_to_save": ["down_proj"]}, False),
    "whole trained norms": ({}, {"modules_to_save": ["input_layernorm"]}, False),
    "whole trained embeddings": ({}, {"modules_to_save": ["embed_tokens"]}, False),
    "whole trained head": ({}, {"modules_to_save": ["lm_head"]}, True),
    "lora on the head": ({}, {"targets": ["q_proj", "lm_head"]}, True),
    "lora on the embeddings": ({}, {"targets": ["q_proj", "embed_tokens"]}, True),
    "a few tokens trained": ({}, {"trainable_token_indices": [1, 5, 9]}, None),
}  # fmt: skip


@pytest.mark.parametrize("brought", BROUGHT)
def test_what_people_bring_has_pefts_values_or_is_left_to_peft(random_llama, packs, tokenizer, brought):
    base, lora, by_blocks = BROUGHT[brought]
    model = adapted(random_llama(**base), **lora).eval()
    if by_blocks is not None:
        assert blocks.supports(model, torch.float32) == by_blocks
    agree_with_transformers(model, packs, tokenizer.pad_token_id)


def agree_with_transformers(model, packs, pad_id: int):
    """Loss and gradients equal those of PEFT's own forwards under transformers' own loss, one example at a time."""
    twin = copy.deepcopy(model)
    for module in twin.modules():
        module.__dict__.pop("forward", None)  # what fuse_lora has put there
    loss, ours = loss_and_gradients(model, packs, pad_id)
    examples = [e for pack in packs for e in pack]
    count, wanted = sum(len(e.answer) for e in examples), 0.0
    for e in examples:
        out = twin(input_ids=torch.tensor([e.input_ids]), labels=torch.tensor([e.labels]))
        wanted = wanted + out.loss * len(e.answer)
    (wanted / count).backward()
    theirs = {n: p.grad for n, p in twin.named_parameters() if p.requires_grad}
    torch.testing.assert_close(loss, wanted.detach(), rtol=1e-5, atol=1e-4)
    assert ours.keys() == theirs.keys()
    for name, gradient in theirs.items():
        torch.testing.assert_close(ours[name], gradient, atol=1e-6, rtol=1e-3, msg=name)


@pytest.mark.parametrize(
    ("chosen", "by_blocks"), [("default", True), ("other", True), (["default", "other"], False), ([], True)]
)
def test_adapters_that_are_not_on_every_layer(tiny_llama, packs, tokenizer, chosen, by_blocks):
    """Two adapters with other targets: a layer has one of them, both, or none that is active."""
    model = adapted(tiny_llama, ["q_proj", "down_proj"])
    model.add_adapter(
        "other", LoraConfig(r=3, lora_alpha=5, target_modules=["q_proj", "up_proj"], init_lora_weights=False)
    )
    model = fuse_lora(model)
    model.base_model.set_adapter(chosen)
    model.requires_grad_(False)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("lora_" in name and any(f".{c}." in name for c in [chosen, *chosen]))
    assert blocks.supports(model, torch.float32) == by_blocks
    if chosen:
        agree_with_transformers(model, packs, tokenizer.pad_token_id)
    else:
        with torch.no_grad(), model.disable_adapter():
            off = pack_loss(model, packs, tokenizer.pad_token_id, "float32")[0]
        assert torch.equal(pack_loss(model, packs, tokenizer.pad_token_id, "float32")[0], off)


def test_parts_of_an_adapter_may_be_frozen(tiny_llama, packs, tokenizer):
    model = adapted(tiny_llama)
    for name, parameter in model.named_parameters():
        if "lora_A" in name or "layers.0" in name:
            parameter.requires_grad_(False)
    assert blocks.supports(model, torch.float32)
    agree_with_transformers(model, packs, tokenizer.pad_token_id)


@pytest.mark.parametrize("trained", ["input_layernorm", "o_proj.base_layer"])
def test_base_weights_that_are_trained_get_their_gradient(tiny_llama, packs, tokenizer, trained):
    model = adapted(tiny_llama)
    for name, parameter in model.named_parameters():
        if trained in name:
            parameter.requires_grad_(True)
    assert not blocks.supports(model, torch.float32)
    agree_with_transformers(model, packs, tokenizer.pad_token_id)


def test_full_fine_tuning_and_other_number_formats_are_left_to_transformers(tiny_llama):
    assert not blocks.supports(tiny_llama, torch.float32)
    assert blocks.supports(tiny_llama.requires_grad_(False), torch.float32)
    assert not blocks.supports(tiny_llama, torch.bfloat16)
