import math

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from forge_lib.lora import (
    LoRALinear,
    activation_bytes,
    bits_per_number,
    dequantize,
    linear_shapes,
    lora_parameters,
    nf4_levels,
    quantize,
    resident_bytes,
    training_memory,
    uniform_levels,
)

# Appendix E of https://arxiv.org/abs/2305.14314.
PAPER = [
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
]  # fmt: skip


def trained_layer(rank=3, alpha=6.0, bias=True) -> LoRALinear:
    """A layer whose B is no longer zero."""
    torch.manual_seed(0)
    layer = LoRALinear(nn.Linear(10, 7, bias=bias), rank, alpha)
    nn.init.normal_(layer.B)
    return layer


def peft_layer(base: nn.Linear, rank: int, alpha: float) -> nn.Module:
    """PEFT's layer over the same base."""
    model = nn.Sequential()
    model.add_module("layer", base)
    return get_peft_model(model, LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules=["layer"]))


def test_equals_peft_with_the_same_matrices():
    ours = trained_layer()
    theirs = peft_layer(nn.Linear(10, 7), 3, 6.0)
    inner = theirs.base_model.model.layer
    inner.base_layer.load_state_dict(ours.base.state_dict())
    inner.lora_A["default"].weight.data.copy_(ours.A)
    inner.lora_B["default"].weight.data.copy_(ours.B)
    x = torch.randn(2, 5, 10)
    torch.testing.assert_close(ours(x), theirs(x))


def test_b_equal_to_zero_changes_nothing():
    base = nn.Linear(10, 7)
    x = torch.randn(4, 10)
    expected = base(x)
    assert torch.equal(LoRALinear(base, 3, 6.0)(x), expected)


def test_at_the_start_only_b_has_a_gradient_and_the_base_never():
    layer = LoRALinear(nn.Linear(10, 7), 3, 6.0)
    layer(torch.randn(4, 10)).square().sum().backward()
    assert layer.A.grad.abs().max() == 0 and layer.B.grad.abs().max() > 0
    assert layer.base.weight.grad is None and layer.base.bias.grad is None


def test_a_begins_as_peft_begins_it():
    torch.manual_seed(1)
    ours = LoRALinear(nn.Linear(64, 7), 8, 8.0).A.detach()
    theirs = peft_layer(nn.Linear(64, 7), 8, 8.0).base_model.model.layer.lora_A["default"].weight.detach()
    bound = 1 / math.sqrt(64)
    for a in (ours, theirs):
        assert a.abs().max() <= bound and a.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.15)


@pytest.mark.parametrize("bias", [True, False])
def test_merged_equals_unmerged_and_leaves_the_base(bias):
    layer = trained_layer(bias=bias)
    before = layer.base.weight.clone()
    x = torch.randn(4, 10)
    merged = layer.merged()
    torch.testing.assert_close(merged(x), layer(x))
    assert torch.equal(layer.base.weight, before)
    assert not torch.allclose(merged.weight, before)


def test_a_rank_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        LoRALinear(nn.Linear(2, 2), 0, 1.0)


@pytest.mark.parametrize("rank", [1, 8])
def test_the_count_equals_pefts(tiny_llama, rank):
    shapes = linear_shapes(tiny_llama)
    adapted = get_peft_model(tiny_llama, LoraConfig(r=rank, target_modules="all-linear", task_type="CAUSAL_LM"))
    assert lora_parameters(shapes, rank) == adapted.get_nb_trainable_parameters()[0]


def test_the_output_head_is_no_target(tiny_llama):
    names = {name.rsplit(".", 1)[-1] for name in linear_shapes(tiny_llama)}
    assert names == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def test_nf4_levels_are_the_papers():
    torch.testing.assert_close(nf4_levels(), torch.tensor(PAPER), atol=1e-6, rtol=0)


def test_nf4_levels_and_numbers_are_bitsandbytes():
    functional = pytest.importorskip("bitsandbytes.functional")
    torch.testing.assert_close(nf4_levels(), functional.get_4bit_type("nf4", device="cpu"), atol=1e-6, rtol=0)
    torch.manual_seed(2)
    x = torch.randn(192, 128) * 0.02
    packed, state = functional.quantize_4bit(x, blocksize=64, quant_type="nf4")
    ours = quantize(x, nf4_levels())
    torch.testing.assert_close(ours.absmax, state.absmax)
    assert (ours.codes == packed.flatten()).float().mean() > 0.9999  # a number between two levels may go either way
    torch.testing.assert_close(dequantize(ours), functional.dequantize_4bit(packed, state), atol=1e-6, rtol=0)


def test_nf4_loses_less_than_even_levels_on_normal_numbers():
    torch.manual_seed(3)
    x = torch.randn(512, 128)
    error = {
        name: (dequantize(quantize(x, levels)) - x).square().mean().item()
        for name, levels in [("nf4", nf4_levels()), ("int4", uniform_levels()), ("even", torch.linspace(-1, 1, 16))]
    }
    assert error["nf4"] < 0.95 * error["even"] and error["nf4"] < 0.95 * error["int4"]


def test_what_lies_on_a_level_comes_back_exactly():
    x = nf4_levels().repeat(4)
    assert torch.equal(dequantize(quantize(x, nf4_levels())), x)


def test_a_tail_shorter_than_a_block_and_a_block_of_zeros_come_back():
    assert torch.equal(dequantize(quantize(torch.zeros(3, 50), nf4_levels())), torch.zeros(3, 50))
    x = torch.randn(7, 13)
    y = dequantize(quantize(x, nf4_levels()))
    assert y.shape == x.shape and (x - y).abs().max() < 0.16 * x.abs().max()  # half the widest gap between levels


def test_bytes_are_bits_per_number():
    blocks = quantize(torch.randn(256, 64), nf4_levels())
    assert blocks.nbytes * 8 / (256 * 64) == bits_per_number(double=False)


def test_more_than_sixteen_levels_are_refused():
    with pytest.raises(ValueError, match="17 levels"):
        quantize(torch.randn(64), torch.linspace(-1, 1, 17))


def test_memory_is_ordered_and_counts_what_adamw_keeps():
    full, lora, qlora = (training_memory(m, 10**6, 10**5, 10**4, 500.0) for m in ("full", "LoRA", "QLoRA"))
    assert full.total > lora.total > qlora.total
    assert full.gradients == 4 * 1.1e6 and full.optimizer == 2 * full.gradients
    assert lora.gradients == qlora.gradients == 4 * 10**4
    assert full.weights == 4 * 1.1e6 and full.activations == 500 + 2 * 1.1e6  # with the 16-bit copies of all weights
    assert training_memory("full", 100, 0, base_bytes=4).activations == 0  # float32 has no smaller copy
    with pytest.raises(ValueError, match="no method"):
        training_memory("half", 1, 1)


def test_counted_activations_are_near_what_autograd_keeps(tiny_llama):
    adapted = get_peft_model(tiny_llama, LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM"))
    own = {p.untyped_storage().data_ptr() for p in adapted.parameters()}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.randint(0, 100, (2, 256))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t), torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = adapted.get_base_model().get_decoder()(input_ids=ids, use_cache=False).last_hidden_state
    counted = activation_bytes(adapted.config, tokens=ids.numel(), answer_tokens=0)
    assert sum(kept.values()) == pytest.approx(counted, rel=0.35), hidden.shape
    assert activation_bytes(adapted.config, 512, 0, checkpointing=True) < counted


def test_resident_memory_rises_with_a_tensor_and_falls_without_it():
    size = 64 * 2**20
    before = resident_bytes()
    many = [torch.ones(2**14) for _ in range(size // 2**16)]  # small ones, which an allocator likes to keep
    during = resident_bytes()
    del many
    assert during - before == pytest.approx(size, rel=0.1)
    assert resident_bytes() - before < 0.2 * size
