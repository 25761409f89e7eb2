import math

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from forge_lib.lessons.lora import (
    DoRALinear,
    LoRALinear,
    activation_bytes,
    bits_per_number,
    dequantize,
    double_quantize,
    dynamic_levels,
    lora_parameters,
    nf4_levels,
    quantize,
    training_memory,
    uniform_levels,
)
from forge_lib.models.shapes import linear_shapes

# Appendix E of https://arxiv.org/abs/2305.14314.
PAPER = [
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
]  # fmt: skip


KINDS = [
    pytest.param(LoRALinear, {}, {}, id="lora"),
    pytest.param(LoRALinear, {"rslora": True}, {"use_rslora": True}, id="rslora"),
    pytest.param(DoRALinear, {}, {"use_dora": True}, id="dora"),
    pytest.param(DoRALinear, {"rslora": True}, {"use_dora": True, "use_rslora": True}, id="dora-rslora"),
]


def trained_layer(kind=LoRALinear, rank=3, alpha=6.0, bias=True, **options) -> LoRALinear:
    """A layer whose B is no longer zero, and whose lengths m are no longer those of W."""
    torch.manual_seed(0)
    layer = kind(nn.Linear(10, 7, bias=bias), rank, alpha, **options)
    nn.init.normal_(layer.B)
    if kind is DoRALinear:
        layer.m.data *= 1 + 0.3 * torch.rand(7)
    return layer


def peft_layer(base: nn.Linear, rank: int, alpha: float, **options) -> nn.Module:
    """PEFT's layer over the same base."""
    model = nn.Sequential()
    model.add_module("layer", base)
    config = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules=["layer"], **options)
    return get_peft_model(model, config)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("kind", "options", "peft_options"), KINDS)
def test_equals_peft_with_the_same_matrices_and_so_do_the_gradients(kind, options, peft_options, bias):
    ours = trained_layer(kind, bias=bias, **options)
    base = nn.Linear(10, 7, bias=bias)
    base.load_state_dict(ours.base.state_dict())
    theirs = peft_layer(base, 3, 6.0, **peft_options)
    inner = theirs.base_model.model.layer
    matched = {ours.A: inner.lora_A["default"].weight, ours.B: inner.lora_B["default"].weight}
    if kind is DoRALinear:
        torch.testing.assert_close(DoRALinear(base, 3, 6.0).m, inner.lora_magnitude_vector["default"].weight)
        matched[ours.m] = inner.lora_magnitude_vector["default"].weight
    for mine, other in matched.items():
        other.data.copy_(mine)
    x, other_x = (torch.randn(2, 5, 10, generator=torch.Generator().manual_seed(1)).requires_grad_() for _ in range(2))
    y, other_y = ours(x), theirs(other_x)
    torch.testing.assert_close(y, other_y)
    y.square().sum().backward()
    other_y.square().sum().backward()
    torch.testing.assert_close(x.grad, other_x.grad)
    for mine, other in matched.items():
        torch.testing.assert_close(mine.grad, other.grad)


@pytest.mark.parametrize("kind", [LoRALinear, DoRALinear])
def test_b_equal_to_zero_changes_nothing(kind):
    base = nn.Linear(10, 7)
    x = torch.randn(4, 10)
    torch.testing.assert_close(kind(base, 3, 6.0)(x), base(x))


def test_at_the_start_only_b_has_a_gradient_and_the_base_never():
    layer = LoRALinear(nn.Linear(10, 7), 3, 6.0)
    layer(torch.randn(4, 10)).square().sum().backward()
    assert layer.A.grad.abs().max() == 0 and layer.B.grad.abs().max() > 0
    assert layer.base.weight.grad is None and layer.base.bias.grad is None


def test_a_begins_as_peft_begins_it():
    torch.manual_seed(1)
    ours = LoRALinear(nn.Linear(64, 9), 8, 8.0).A.detach()
    theirs = peft_layer(nn.Linear(64, 9), 8, 8.0).base_model.model.layer.lora_A["default"].weight.detach()
    bound = 1 / math.sqrt(64)
    for a in (ours, theirs):
        assert a.abs().max() <= bound and a.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.15)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", [LoRALinear, DoRALinear])
def test_merged_equals_unmerged_and_leaves_the_base(kind, bias):
    layer = trained_layer(kind, bias=bias)
    before = layer.base.weight.clone()
    x = torch.randn(4, 10)
    merged = layer.merged()
    torch.testing.assert_close(merged(x), layer(x))
    assert torch.equal(layer.base.weight, before)
    assert not torch.allclose(merged.weight, before)


@pytest.mark.parametrize("rank", [0, 5])
@pytest.mark.parametrize("kind", [LoRALinear, DoRALinear])
def test_a_rank_that_the_layer_cannot_have_is_refused(kind, rank):
    with pytest.raises(ValueError, match=f"from 1 to 4; {rank} was asked for"):
        kind(nn.Linear(6, 4), rank, 1.0)


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


def test_more_levels_than_a_byte_counts_are_refused():
    with pytest.raises(ValueError, match="257 levels"):
        quantize(torch.randn(64), torch.linspace(-1, 1, 257))


def test_the_dynamic_levels_are_bitsandbytes():
    functional = pytest.importorskip("bitsandbytes.functional")
    assert torch.equal(dynamic_levels(), functional.create_dynamic_map())


@pytest.mark.parametrize("shape", [(192, 256), (72, 192)])  # 768 scales: whole blocks of 256; 216: less than one
def test_double_quantization_is_bitsandbytes(shape):
    """bitsandbytes' CPU kernel finds the nearest level through a coarse table: 3e-5 of a block's scale off at most."""
    functional = pytest.importorskip("bitsandbytes.functional")
    torch.manual_seed(4)
    x = torch.randn(shape) * 0.02
    packed, state = functional.quantize_4bit(x, blocksize=64, quant_type="nf4", compress_statistics=True)
    single, ours = quantize(x, nf4_levels()), double_quantize(quantize(x, nf4_levels()))
    count = len(single.absmax)
    torch.testing.assert_close(ours.offset, state.offset)
    torch.testing.assert_close(ours.absmax.absmax, state.state2.absmax)
    mine, theirs = ours.absmax.codes[:count].long(), state.absmax.flatten().long()
    assert (mine == theirs).float().mean() > 0.98
    group = ours.absmax.absmax.repeat_interleave(256)[:count]
    scaled = (single.absmax - ours.offset) / group
    off = (dynamic_levels()[theirs] - scaled).abs() - (dynamic_levels()[mine] - scaled).abs()
    assert off.min() > -1e-6 and off.max() < 3.1e-5
    back, other = dequantize(ours).view(-1, 64), functional.dequantize_4bit(packed, state).view(-1, 64)
    torch.testing.assert_close(back[mine == theirs], other[mine == theirs], atol=1e-6, rtol=0)
    assert (dequantize(ours) - dequantize(single)).norm() < 0.02 * x.norm()  # the scales' rounding is a small error


def test_scales_all_alike_come_back():
    x = torch.cat([torch.ones(64), -torch.ones(64)])  # every scale is the mean: what is quantized is all zero
    assert torch.equal(dequantize(double_quantize(quantize(x, nf4_levels()))), x)


def test_bytes_with_double_quantization_are_bits_per_number():
    blocks = double_quantize(quantize(torch.randn(256, 256), nf4_levels()))  # 1,024 scales
    assert (blocks.nbytes - blocks.offset.nbytes) * 8 / 256**2 == bits_per_number(double=True)


def test_the_gradient_goes_through_a_4_bit_base_as_through_the_numbers_it_stands_for():
    """PEFT over bitsandbytes' layer, on a CPU: to x, A and B as with the dequantized weight, and never to the codes."""
    bnb = pytest.importorskip("bitsandbytes")
    torch.manual_seed(5)
    weight, x = torch.randn(24, 64) * 0.05, torch.randn(3, 64, requires_grad=True)
    four = bnb.nn.Linear4bit(64, 24, bias=False, compute_dtype=torch.float32, quant_type="nf4")
    four.weight = bnb.nn.Params4bit(weight, requires_grad=False, quant_type="nf4", compress_statistics=True)
    theirs = peft_layer(four.to("cpu"), 4, 8.0)
    inner = theirs.base_model.model.layer
    nn.init.normal_(inner.lora_B["default"].weight)
    plain = nn.Linear(64, 24, bias=False)
    plain.weight.data = bnb.functional.dequantize_4bit(four.weight.data, four.weight.quant_state)
    ours, own_x = LoRALinear(plain, 4, 8.0), x.detach().clone().requires_grad_()
    ours.A.data.copy_(inner.lora_A["default"].weight)
    ours.B.data.copy_(inner.lora_B["default"].weight)
    before = four.weight.data.clone()
    for layer, inputs in ((theirs, x), (ours, own_x)):
        layer(inputs).square().sum().backward()
    torch.testing.assert_close(x.grad, own_x.grad)
    torch.testing.assert_close(inner.lora_A["default"].weight.grad, ours.A.grad)
    torch.testing.assert_close(inner.lora_B["default"].weight.grad, ours.B.grad)
    assert four.weight.grad is None and torch.equal(four.weight.data, before)


def test_the_shape_of_a_4_bit_layer_is_that_of_the_numbers_it_stands_for():
    """Its weight is packed to one column, by which any rank above 1 would look too large."""
    bnb = pytest.importorskip("bitsandbytes")
    four = bnb.nn.Linear4bit(64, 24, bias=False, quant_type="nf4").to("cpu")
    assert linear_shapes(nn.ModuleDict({"layer": four})) == {"layer": (24, 64)} and four.weight.shape != (24, 64)


def test_memory_is_ordered_and_counts_what_adamw_keeps():
    full, lora, qlora = (training_memory(m, 10**6, 10**5, 10**4, 500.0) for m in ("full", "LoRA", "QLoRA"))
    assert full.peak > lora.peak > qlora.peak
    assert full.gradients == 4 * 1.1e6 and full.optimizer == 2 * full.gradients
    assert lora.gradients == qlora.gradients == 4 * 10**4
    assert full.weights == 4 * 1.1e6 and full.activations == 500 + 2 * 1.1e6  # with the 16-bit copies of all weights
    assert qlora.weights == pytest.approx(bits_per_number() / 8 * 10**6 + 4 * 10**5 + 4 * 10**4)
    assert training_memory("full", 100, 0, base_bytes=4).activations == 0  # float32 has no smaller copy
    with pytest.raises(ValueError, match="no method"):
        training_memory("half", 1, 1)


def test_at_the_peak_gradients_and_activations_are_not_both_there():
    large, small = (training_memory("full", 1000, 0, activations=a) for a in (10**6, 0.0))
    assert large.peak == large.weights + large.optimizer + large.activations
    assert small.peak == small.weights + small.optimizer + small.gradients


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
    counted = activation_bytes(adapted.config, tokens=ids.numel(), predicted=0)
    assert sum(kept.values()) == pytest.approx(counted, rel=0.35), hidden.shape
    assert activation_bytes(adapted.config, 512, 0, checkpointing=True) < counted
