"""A Llama block with LoRA as one function of PyTorch: the same mathematics as transformers and PEFT, a third of the work.

On a CPU a training step of a small model spends most of its time not in products but between them: casts to float32
and back, one pass over memory for each of dozens of small operations, attention over pairs of tokens that may not see
each other. Here one block is one autograd function. Layers that read the same input are one product; what lies between
products is compiled to single passes where a C++ compiler is there; attention follows the pack's layout.
`hidden_states` is the way in; `supports` says for which models it holds, others take transformers' own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from peft import PeftModel
from peft.tuners.lora import Linear as LoraLinear
from torch import nn
from torch.nn import functional as F
from transformers.activations import ACT2FN
from transformers.models.llama.modeling_llama import (
    LlamaAttention,
    LlamaDecoderLayer,
    LlamaMLP,
    LlamaModel,
    LlamaRMSNorm,
)

from forge_lib.engine.attention import Layout, attend, attend_backward
from forge_lib.engine.compiling import one_pass
from forge_lib.engine.fused import active_lora, is_plain

_SHARED_INPUT = (("self_attn", ("q_proj", "k_proj", "v_proj")), ("self_attn", ("o_proj",)), ("mlp", ("gate_proj", "up_proj")),
          ("mlp", ("down_proj",)))  # fmt: skip  # linear layers that read the same input
_PARTS = {"self_attn": LlamaAttention, "mlp": LlamaMLP, "input_layernorm": LlamaRMSNorm,
         "post_attention_layernorm": LlamaRMSNorm}  # fmt: skip
_STEADY_ROPE = ("default", "linear", "llama3", "yarn")  # in others the angles depend on how long the sequence is


@one_pass
def _rms_norm(x, weight, eps: float):
    """x (N, D) -> its norm times the weight (N, D), and 1 / root mean square (N, 1) in float32."""
    wide = x.float()
    inverse = torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)
    return (wide * inverse).to(x.dtype) * weight, inverse


@one_pass
def _rms_norm_backward(grad, x, inverse, weight, residual):
    """Gradient of x, that which came past the block (`residual`) added."""
    unit, grad = x.float() * inverse, (grad * weight).float()
    return (residual.float() + inverse * (grad - unit * (grad * unit).mean(-1, keepdim=True))).to(x.dtype)


@one_pass
def _swiglu(both):
    gate, up = both.chunk(2, -1)
    return F.silu(gate) * up


@one_pass
def _swiglu_backward(grad, both):
    """Gradient of `both` (N, 2·I), and the forward's result (N, I) once more, which is not kept."""
    gate, up = (x.float() for x in both.chunk(2, -1))
    sigmoid, grad = torch.sigmoid(gate), grad.float()
    silu = gate * sigmoid
    d_gate = grad * up * (sigmoid + silu * (1 - sigmoid))
    return torch.cat([d_gate, grad * silu], -1).to(both.dtype), (silu * up).to(both.dtype)


@one_pass
def _rotate(qkv, cos, sin, heads: int, keys: int, scale: float):
    """(N, (H + 2K)·D) -> queries rotated and scaled (H, N, D), keys rotated (K, N, D), values (K, N, D).

    cos, sin: (N, D/2) float32. Su et al. 2021, https://arxiv.org/abs/2104.09864, in Llama's order of the halves.
    """
    x = qkv.view(len(qkv), heads + 2 * keys, -1).transpose(0, 1)
    first, second = x[: heads + keys].float().chunk(2, -1)
    turned = torch.cat([first * cos - second * sin, second * cos + first * sin], -1)
    return ((turned[:heads] * scale).to(x.dtype).contiguous(), turned[heads:].to(x.dtype).contiguous(),
            x[heads + keys :].contiguous())  # fmt: skip


@one_pass
def _rotate_backward(dq, dk, dv, cos, sin, scale: float):
    """Gradients (H, N, D), (K, N, D), (K, N, D) -> that of qkv (N, (H + 2K)·D): turned back by the same angle."""
    first, second = torch.cat([dq.float() * scale, dk.float()]).chunk(2, -1)
    turned = torch.cat([first * cos + second * sin, second * cos - first * sin], -1).to(dq.dtype)
    return torch.cat([turned, dv]).transpose(0, 1).reshape(dq.shape[1], -1)


class _Joined:
    """Frozen layers that read the same input, as one product: y = x·Wᵀ + (x·Aᵀ)·Bᵀ, B block-diagonal and scaled."""

    def __init__(self, weight, loras, scales, starts):
        self.weight, self.scales, self.starts = weight, scales, starts
        self.known = [(a, b) for a, b in zip(loras[::2], loras[1::2], strict=True)]
        with_lora = [(a, b, s, at) for (a, b), s, at in zip(self.known, scales, starts, strict=True) if a is not None]
        self.a = self.b = None
        if with_lora:
            self.a = torch.cat([a for a, *_ in with_lora]).to(weight.dtype)  # (R, in), R the ranks together
            self.b = weight.new_zeros(len(weight), len(self.a))  # (out, R)
            column = 0
            for a, b, scale, at in with_lora:
                self.b[at : at + len(b), column : column + len(a)] = b * scale
                column += len(a)

    def forward(self, x):
        """x (N, in) -> y (N, out) and x·Aᵀ (N, R)."""
        if self.a is None:
            return x @ self.weight.T, None
        narrow = x @ self.a.T
        return (x @ self.weight.T).addmm_(narrow, self.b.T), narrow

    def input_gradient(self, dy):
        """Gradients of x (N, in) and of x·Aᵀ (N, R)."""
        dx = dy @ self.weight
        if self.a is None:
            return dx, None
        d_narrow = dy @ self.b  # scaled already
        return dx.addmm_(d_narrow, self.a), d_narrow

    def lora_gradients(self, dy, x, narrow, d_narrow):
        """Gradients of each layer's A and B, in their order; None for a layer without LoRA."""
        if self.a is None:
            return [None] * (2 * len(self.known))
        da, db = (d_narrow.T @ x).float(), (dy.T @ narrow).float()
        grads, column = [], 0
        for (a, b), scale, at in zip(self.known, self.scales, self.starts, strict=True):
            if a is None:
                grads += [None, None]
                continue
            end = column + len(a)
            grads += [da[column:end], db[at : at + len(b), column:end] * scale]
            column = end
        return grads


@dataclass(frozen=True)
class _Block:
    """What is frozen in a block: norms' weights, joined weights of _SHARED_INPUT, where each layer's rows start, the heads."""

    norms: list[torch.Tensor]
    weights: list[torch.Tensor]
    starts: list[list[int]]
    eps: float
    heads: int
    keys: int
    scale: float
    addresses: list[int]  # of the layers' weights: when they change, this is out of date

    def groups(self, loras, scales) -> list[_Joined]:
        """The joined layers with these LoRA matrices (A, B of each layer, in _SHARED_INPUT' order)."""
        joined, at = [], 0
        for weight, starts in zip(self.weights, self.starts, strict=True):
            end = at + len(starts)
            joined.append(_Joined(weight, loras[2 * at : 2 * end], scales[at:end], starts))
            at = end
        return joined


class _BlockFunction(torch.autograd.Function):
    """One block over packs laid end to end: x (N, D) -> (N, D).

    x' = x + O(attention(rotated Q, K, V of norm(x))), y = x' + Down(silu(Gate(norm(x'))) · Up(norm(x'))).
    """

    @staticmethod
    def forward(ctx, x, block: _Block, scales, cos, sin, layouts, *loras):
        qkv, out, gate_up, down = block.groups(loras, scales)
        h1, inverse1 = _rms_norm(x, block.norms[0], block.eps)
        joined, n1 = qkv.forward(h1)
        q, k, v = _rotate(joined, cos, sin, block.heads, block.keys, block.scale)
        attended, kept = attend(q, k, v, layouts)  # (N, H·D)
        y, n2 = out.forward(attended)
        middle = y.add_(x)
        h2, inverse2 = _rms_norm(middle, block.norms[1], block.eps)
        both, n3 = gate_up.forward(h2)
        y, n4 = down.forward(_swiglu(both))
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(
                x, inverse1, n1, q, k, v, attended, n2, middle, inverse2, both, n3, n4, cos, sin, *loras
            )
            ctx.block, ctx.scales, ctx.layouts, ctx.kept = block, scales, layouts, kept
        return y.add_(middle)

    @staticmethod
    def backward(ctx, grad):
        x, inverse1, n1, q, k, v, attended, n2, middle, inverse2, both, n3, n4, cos, sin, *loras = ctx.saved_tensors
        block = ctx.block
        qkv, out, gate_up, down = block.groups(loras, ctx.scales)
        d_act, d4 = down.input_gradient(grad)
        d_both, act = _swiglu_backward(d_act, both)
        dh2, d3 = gate_up.input_gradient(d_both)
        d_middle = _rms_norm_backward(dh2, middle, inverse2, block.norms[1], grad)
        d_attended, d2 = out.input_gradient(d_middle)
        dq, dk, dv = attend_backward(d_attended, q, k, v, ctx.layouts, ctx.kept)
        d_qkv = _rotate_backward(dq, dk, dv, cos, sin, block.scale)
        dh1, d1 = qkv.input_gradient(d_qkv)
        dx = _rms_norm_backward(dh1, x, inverse1, block.norms[0], d_middle)
        h1, h2 = _rms_norm(x, block.norms[0], block.eps)[0], _rms_norm(middle, block.norms[1], block.eps)[0]
        grads = [
            *qkv.lora_gradients(d_qkv, h1, n1, d1), *out.lora_gradients(d_middle, attended, n2, d2),
            *gate_up.lora_gradients(d_both, h2, n3, d3), *down.lora_gradients(grad, act, n4, d4),
        ]  # fmt: skip
        return dx, None, None, None, None, None, *grads


def supports(model, dtype: torch.dtype) -> bool:
    """Whether `hidden_states` holds: a plain Llama on a CPU, frozen in `dtype`, plain LoRA at most, no dropout."""
    decoder = _llama(model)
    if type(decoder) is not LlamaModel or decoder.config.attention_dropout:
        return False
    if decoder.rotary_emb.rope_type not in _STEADY_ROPE or not _is_frozen(decoder.embed_tokens, dtype):
        return False
    return all(_is_llama_block(layer, dtype) for layer in decoder.layers)


def _llama(model):
    inner = model.get_base_model() if isinstance(model, PeftModel) else model
    return inner.get_decoder()


def _is_llama_block(layer, dtype: torch.dtype) -> bool:
    """A block that `_BlockFunction` computes: Llama's own parts (a subclass may differ), SiLU, all frozen."""
    if type(layer) is not LlamaDecoderLayer or any(type(getattr(layer, n)) is not kind for n, kind in _PARTS.items()):
        return False
    norms = (layer.input_layernorm, layer.post_attention_layernorm)
    if not isinstance(layer.mlp.act_fn, (nn.SiLU, type(ACT2FN["silu"]))) or not all(
        _is_frozen(n, dtype) for n in norms
    ):
        return False
    return all(_is_plain(getattr(getattr(layer, part), name), dtype) for part, names in _SHARED_INPUT for name in names)


def _is_plain(layer, dtype: torch.dtype) -> bool:
    """A frozen linear layer without bias, with at most one active, unmerged, plain LoRA on it."""
    if type(layer) is LoraLinear:
        names = active_lora(layer)
        if layer.merged or len(names) > 1 or not all(is_plain(layer, n) for n in names):
            return False
    base = _base(layer)
    return type(base) is nn.Linear and base.bias is None and _is_frozen(base, dtype)


def _is_frozen(layer, dtype: torch.dtype) -> bool:
    """Whether the layer's weight is not trained, in `dtype` and in main memory."""
    weight = layer.weight
    return not weight.requires_grad and weight.dtype == dtype and weight.device.type == "cpu"


def _base(layer) -> nn.Linear:
    return layer.base_layer if type(layer) is LoraLinear else layer


def _adapter(layer) -> tuple[torch.Tensor | None, torch.Tensor | None, float]:
    """A, B and scale of the layer's active LoRA; None where it has none or it is switched off."""
    for name in active_lora(layer) if type(layer) is LoraLinear else []:
        return layer.lora_A[name].weight, layer.lora_B[name].weight, layer.scaling[name]
    return None, None, 0.0


def _frozen(layer) -> _Block:
    """The block's frozen part, its weights joined once: the layers' own become views into the joined ones."""
    groups = [[_base(getattr(getattr(layer, part), name)) for name in names] for part, names in _SHARED_INPUT]
    norms = [n.weight.data for n in (layer.input_layernorm, layer.post_attention_layernorm)]
    addresses = [x.weight.data_ptr() for group in groups for x in group] + [n.data_ptr() for n in norms]
    known = getattr(layer, "_forge_block", None)
    if known is None or known.addresses != addresses:  # at the first call, and after a move or a change of type
        starts = [[sum(len(x.weight) for x in group[:n]) for n in range(len(group))] for group in groups]
        joined = [torch.cat([x.weight.data for x in group]) for group in groups]
        for group, weight, rows in zip(groups, joined, starts, strict=True):
            for linear, row in zip(group, rows, strict=True):
                linear.weight.data = weight[row : row + len(linear.weight)]
        attention = layer.self_attn
        layer._forge_block = _Block(
            norms, joined, starts, layer.input_layernorm.variance_epsilon, attention.config.num_attention_heads,
            attention.config.num_key_value_heads, attention.scaling,
            [x.weight.data_ptr() for group in groups for x in group] + [n.data_ptr() for n in norms],
        )  # fmt: skip
    return layer._forge_block


def hidden_states(model, input_ids, position_ids, layouts: Sequence[Layout]) -> torch.Tensor:
    """The decoder's last states (N, D) for packs laid end to end: input_ids, position_ids (N,).

    Equal to transformers' on the packs one by one with their dense masks. `supports(model)` must hold.
    """
    decoder = _llama(model)
    x = decoder.embed_tokens(input_ids)
    rope = decoder.rotary_emb
    angles = position_ids[:, None].float() * rope.inv_freq  # (N, D/2)
    cos, sin = angles.cos() * rope.attention_scaling, angles.sin() * rope.attention_scaling
    for layer in decoder.layers:
        linears = [getattr(getattr(layer, part), name) for part, names in _SHARED_INPUT for name in names]
        matrices = [_adapter(x) for x in linears]
        loras = [m for a, b, _ in matrices for m in (a, b)]
        x = _BlockFunction.apply(x, _frozen(layer), [s for *_, s in matrices], cos, sin, layouts, *loras)
    return decoder.norm(x)
