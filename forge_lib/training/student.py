"""A small student cut out of a larger base: some of its layers, and of each the share of the width that carries most."""

from __future__ import annotations

import copy

import torch
from torch import nn

from forge_lib.models.load import causal_lm
from forge_lib.training import TrainingError

# Of a block of Llama or Qwen: layers that read the hidden state, those that write to it, and the vectors that scale it.
_READS = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "mlp.gate_proj", "mlp.up_proj")
_WRITES = ("self_attn.o_proj", "mlp.down_proj")
_NORMS = ("input_layernorm", "post_attention_layernorm")
_HEAD_NORMS = ("self_attn.q_norm", "self_attn.k_norm")  # Qwen3's, of a head, whose width stays
_FAMILIES = ("LlamaModel", "Qwen2Model", "Qwen3Model")


@torch.no_grad()
def cut_student(model, every: int = 2, width: float = 1.0):
    """A model of its own with every `every`-th layer of `model`, adapters merged into it, all its weights trainable (fp32).

    Layers: Sanh et al. 2019, https://arxiv.org/abs/1910.01108, kept every second one. width: share (0 to 1) of the hidden
    state's channels and of the feed-forward layer's that are kept, those with the largest weights; attention keeps its
    heads (Xia et al. 2023, https://arxiv.org/abs/2310.06694, learn which to keep). A cut model has forgotten most: it is a
    start for distillation, not a model yet. All of its weights are trained: at 1e-4 the loss falls, at LoRA's 1e-3 it jumps.
    Raises TrainingError for a base that is no Llama, Qwen2 or Qwen3, and for shares that leave nothing.
    """
    base = causal_lm(model)
    decoder, config = base.get_decoder(), copy.deepcopy(base.config)
    _check(decoder, every, width)
    layers = [decoder.layers[n] for n in range(0, len(decoder.layers), every)]
    words, head = decoder.embed_tokens.weight, base.get_output_embeddings().weight
    hidden = _largest(words.float(), width)
    config.head_dim = layers[0].self_attn.head_dim
    config.num_hidden_layers, config.hidden_size = len(layers), len(hidden)
    if getattr(config, "layer_types", None):  # Qwen's config names the attention of each layer
        config.layer_types = config.layer_types[::every]
    config.intermediate_size = len(_largest(_weight(layers[0].mlp.down_proj), width))
    student = type(base)(config).float().to(words.device)
    inner = student.get_decoder()
    inner.embed_tokens.weight.copy_(words[:, hidden])
    student.get_output_embeddings().weight.copy_(head[:, hidden])  # the same tensor again where the two are tied
    inner.norm.weight.copy_(decoder.norm.weight[hidden])
    for old, new in zip(layers, inner.layers, strict=True):
        _copy_block(old, new, hidden, width)
    student.generation_config = copy.deepcopy(base.generation_config)
    student.name_or_path = f"{base.name_or_path}, every layer of {every}, width {width:g}"
    return student.requires_grad_(True).eval()


def _copy_block(old: nn.Module, new: nn.Module, hidden: torch.Tensor, width: float) -> None:
    """Weights (out, in) of one block, cut to the channels that are kept."""
    inside = _largest(_weight(old.mlp.down_proj), width)
    for name in (*_READS, *_WRITES):
        layer, target = old.get_submodule(name), new.get_submodule(name)
        of_mlp = inside if name.startswith("mlp") else slice(None)
        outputs, inputs = (of_mlp, hidden) if name in _READS else (hidden, of_mlp)
        target.weight.copy_(_weight(layer)[outputs][:, inputs])
        if target.bias is not None:
            target.bias.copy_(getattr(layer, "base_layer", layer).bias[outputs])
    for name in _NORMS:
        new.get_submodule(name).weight.copy_(old.get_submodule(name).weight[hidden])
    for name in _HEAD_NORMS if hasattr(old.self_attn, "q_norm") else ():
        new.get_submodule(name).weight.copy_(old.get_submodule(name).weight)


def _largest(weight: torch.Tensor, share: float) -> torch.Tensor:
    """Places, in order, of the columns of (rows, columns) with the largest norms; `share` of them, in whole eights."""
    columns = weight.shape[1]
    count = columns if share == 1 else max(8, round(share * columns / 8) * 8)
    return weight.norm(dim=0).topk(min(count, columns)).indices.sort().values


def _weight(layer: nn.Module) -> torch.Tensor:
    """(out, in) in fp32, with what active adapters add to it."""
    weight = getattr(layer, "base_layer", layer).weight.float()
    for name in getattr(layer, "active_adapters", []):
        weight = weight + layer.get_delta_weight(name).float()
    return weight


def _check(decoder: nn.Module, every: int, width: float) -> None:
    if type(decoder).__name__ not in _FAMILIES:
        raise TrainingError(
            f"A student is cut out of a Llama, Qwen2 or Qwen3, which {type(decoder).__name__} is not. Choose such a "
            "teacher, or distil into a smaller model of its family."
        )
    if any(p.dtype not in (torch.float32, torch.bfloat16, torch.float16) for p in decoder.parameters()):
        raise TrainingError("A quantized base cannot be cut. Load it without quantize_4bit (dtype='bfloat16').")
    if not 1 <= every <= len(decoder.layers) or not 0 < width <= 1:
        raise TrainingError(
            f"Every layer of {every} and width {width} leave no student of {len(decoder.layers)} layers. Give 1 to that "
            "number, and a share above 0 and up to 1."
        )
