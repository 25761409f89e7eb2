"""`forge_lib.blocks` gives the values and gradients of transformers and PEFT."""

import copy
import shutil

import pytest
import torch
from peft import LoraConfig, get_peft_model

from forge_lib import blocks
from forge_lib.compiling import compiling
from forge_lib.fused import fuse_lora
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


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=needs_compiler)])
@pytest.mark.parametrize("targets", ["all-linear", ["q_proj", "v_proj"], ["down_proj"]])
def test_values_and_gradients_are_transformers_and_pefts(tiny_llama, packs, tokenizer, monkeypatch, targets, compiled):
    model = adapted(tiny_llama, targets)
    assert blocks.fits(model, torch.float32)
    twin = copy.deepcopy(model)
    with compiling(compiled):
        loss, ours = loss_and_gradients(model, packs, tokenizer.pad_token_id)
    monkeypatch.setattr(blocks, "fits", lambda *_: False)  # transformers' own way
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


@pytest.mark.parametrize("options", [{"use_dora": True}, {"lora_dropout": 0.5}])
def test_other_kinds_of_adapter_are_left_to_peft(tiny_llama, options):
    assert not blocks.fits(adapted(tiny_llama, **options), torch.float32)


def test_full_fine_tuning_and_other_number_formats_are_left_to_transformers(tiny_llama):
    assert not blocks.fits(tiny_llama, torch.float32)
    assert blocks.fits(tiny_llama.requires_grad_(False), torch.float32)
    assert not blocks.fits(tiny_llama, torch.bfloat16)
