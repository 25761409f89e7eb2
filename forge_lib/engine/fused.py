"""A LoRA layer's forward and backward as one function: the same mathematics as PEFT's, with fewer passes over memory.

PEFT casts each layer's input to float32 and back, scales and adds in separate passes, and autograd keeps the
intermediate results of all of them. At small ranks these passes, not the products, are most of the layer's time.
"""

from __future__ import annotations

import types

import torch
from torch import nn


class LoRAFunction(torch.autograd.Function):
    """y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ, with W frozen.

    x (N, in) and W (out, in) in 16 or 32 bits; A (r, in) and B (out, r) in float32, whose gradients are
    dA = s·(dy·B)ᵀ·x and dB = s·dyᵀ·(x·Aᵀ); dx = dy·W + s·(dy·B)·A.
    """

    @staticmethod
    def forward(ctx, x, weight, a, b, scale):
        a, b = a.to(x.dtype), (b * scale).to(x.dtype)
        narrow = x @ a.T  # (N, r)
        y = (x @ weight.T).addmm_(narrow, b.T)
        ctx.save_for_backward(x, weight, a, b, narrow)
        ctx.scale = scale
        return y

    @staticmethod
    def backward(ctx, dy):
        x, weight, a, b, narrow = ctx.saved_tensors
        d_narrow = dy @ b  # (N, r), scaled already
        dx = (dy @ weight).addmm_(d_narrow, a) if ctx.needs_input_grad[0] else None
        return dx, None, (d_narrow.T @ x).float(), (dy.T @ narrow).float() * ctx.scale, None


def fuse_lora(model):
    """Let the LoRA layers of a PeftModel compute by `LoRAFunction` wherever it applies; returns the model.

    It applies to a frozen plain linear base (not a quantized one) with one plain adapter active. Elsewhere PEFT's own
    forward runs: adapter switched off or merged, dropout, bias, DoRA. GRPO's anchor "ref" so rounds as the policy does.
    """
    from peft.tuners.lora import Linear

    for module in model.modules():
        if type(module) is Linear and type(module.base_layer) is nn.Linear and module.base_layer.bias is None:
            module.forward = types.MethodType(_forward, module)
    return model


def active_lora(layer) -> list[str]:
    """The adapters that take part in this LoRA layer's result: active, and there (PEFT passes over one that is not)."""
    if layer.disable_adapters or layer.merged:
        return []
    return [name for name in layer.active_adapters if name in layer.lora_A]


def is_plain(layer, name: str) -> bool:
    """Whether the adapter adds s·B·A·x and nothing else: no dropout, no bias, no variant such as DoRA."""
    drops = not isinstance(layer.lora_dropout[name], nn.Identity)
    return not drops and layer.lora_B[name].bias is None and name not in layer.lora_variant


def _forward(layer, x, *args, **kwargs):
    weight, names = layer.base_layer.weight, active_lora(layer)
    if args or kwargs or weight.requires_grad or len(names) != 1 or not is_plain(layer, names[0]):
        return type(layer).forward(layer, x, *args, **kwargs)
    [name] = names
    y = LoRAFunction.apply(
        x.reshape(-1, x.shape[-1]).to(weight.dtype), weight, layer.lora_A[name].weight,
        layer.lora_B[name].weight, layer.scaling[name],
    )  # fmt: skip
    return y.view(*x.shape[:-1], -1)
