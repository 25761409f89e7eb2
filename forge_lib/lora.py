"""LoRA, NF4 and the memory of training, written out.

For reading and for arithmetic: the course trains with PEFT and, on a GPU, quantizes with bitsandbytes. The tests hold
the three to the same numbers.
"""

from __future__ import annotations

import ctypes
import gc
import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


class LoRALinear(nn.Module):
    """A frozen linear layer and a trainable low-rank update (Hu et al. 2021, https://arxiv.org/abs/2106.09685).

    y = W x + b + (α/r) · B (A x), with W (out, in) frozen, A (r, in) random and B (out, r) zero at the start.

    >>> layer = LoRALinear(nn.Linear(6, 4), rank=2, alpha=4)
    >>> tuple(layer.A.shape), tuple(layer.B.shape), layer.scaling
    ((2, 6), (4, 2), 2.0)
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float):
        super().__init__()
        if rank < 1:
            raise ValueError(f"The rank is at least 1; it is {rank}.")
        self.base = base.requires_grad_(False)
        self.A = nn.Parameter(torch.empty(rank, base.in_features, device=base.weight.device))
        self.B = nn.Parameter(torch.zeros(base.out_features, rank, device=base.weight.device))
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))  # PEFT's start: uniform within ±1/√in, whatever the rank
        self.scaling = alpha / rank

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(…, in) to (…, out)."""
        return self.base(x) + self.scaling * (x @ self.A.T @ self.B.T)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """One plain layer with W + (α/r)·B·A: the same function without the detour. The base is left as it is."""
        out, width = self.base.weight.shape
        plain = nn.Linear(width, out, self.base.bias is not None).to(self.base.weight)
        plain.weight.copy_(self.base.weight + self.scaling * self.B @ self.A)
        if self.base.bias is not None:
            plain.bias.copy_(self.base.bias)
        return plain.requires_grad_(False)


def linear_shapes(model: nn.Module) -> dict[str, tuple[int, int]]:
    """(out, in) of every linear layer but the output head, by name: what PEFT calls "all-linear".

    Works on the meta device too, where a model has shapes and no weights.
    """
    head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    return {n: tuple(m.weight.shape) for n, m in model.named_modules() if isinstance(m, nn.Linear) and m is not head}


def lora_parameters(shapes: Mapping[str, tuple[int, int]], rank: int) -> int:
    """Trainable numbers of LoRA on layers of these (out, in) shapes: Σ r · (out + in).

    >>> lora_parameters({"q": (576, 576), "k": (192, 576)}, rank=8)
    15360
    """
    return sum(rank * (out + width) for out, width in shapes.values())


def nf4_levels() -> torch.Tensor:
    """The 16 levels of 4-bit NormalFloat, ascending from -1 to 1, with an exact zero. (16,) float32.

    Quantiles of a standard normal: 8 evenly spaced probabilities above the middle, 7 below, and 0, divided by the
    largest. The outermost probability is the mean of 29/30 and 31/32, for the outermost quantile itself is infinite.
    Dettmers et al. 2023, https://arxiv.org/abs/2305.14314, appendix E; bitsandbytes' table is the same.
    """
    outermost = (29 / 30 + 31 / 32) / 2
    above = torch.special.ndtri(torch.linspace(0.5, outermost, 9, dtype=torch.float64)[1:])
    below = -torch.special.ndtri(torch.linspace(0.5, outermost, 8, dtype=torch.float64)[1:])
    levels = torch.cat([below.flip(0), torch.zeros(1, dtype=torch.float64), above])
    return (levels / levels.max()).float()


def uniform_levels() -> torch.Tensor:
    """Symmetric int4: the 15 evenly spaced levels k/7, k from -7 to 7. (15,) float32."""
    return torch.arange(-7, 8) / 7


@dataclass(frozen=True)
class Blocks:
    """A tensor in 4 bits a number: two codes a byte, and one scale a block.

    codes: (ceil(n / block) · block / 2,) uint8, the earlier number in the high half, as bitsandbytes packs them
    absmax: (ceil(n / block),) float32, the largest magnitude of each block
    """

    codes: torch.Tensor
    absmax: torch.Tensor
    levels: torch.Tensor
    shape: torch.Size

    @property
    def nbytes(self) -> int:
        """Bytes of codes and scales."""
        return self.codes.nbytes + self.absmax.nbytes


def quantize(x: torch.Tensor, levels: torch.Tensor, block: int = 64) -> Blocks:
    """Divide each block of `block` numbers by its largest magnitude; keep the index of the nearest level.

    Raises ValueError for more levels than 4 bits count, or an odd block.
    """
    if len(levels) > 16 or block % 2:
        raise ValueError(f"4 bits hold up to 16 levels, two codes a byte: {len(levels)} levels, blocks of {block}.")
    flat = x.detach().float().flatten()
    rows = F.pad(flat, (0, -len(flat) % block)).view(-1, block)  # (N, block)
    absmax = rows.abs().amax(1)
    scaled = rows / absmax.clamp(min=torch.finfo(torch.float32).tiny)[:, None]  # a block of zeros stays zero
    borders = (levels[1:] + levels[:-1]) / 2
    codes = torch.bucketize(scaled, borders.to(x.device)).to(torch.uint8).flatten()
    return Blocks(codes[0::2] << 4 | codes[1::2], absmax, levels.to(x.device), x.shape)


def dequantize(blocks: Blocks) -> torch.Tensor:
    """The numbers that the codes stand for: level times the block's scale, float32 in the shape they had.

    >>> x = torch.tensor([1.0, -0.5, 0.0, 0.1])
    >>> [round(v, 3) for v in dequantize(quantize(x, nf4_levels(), block=4)).tolist()]
    [1.0, -0.525, 0.0, 0.08]
    """
    codes = torch.stack([blocks.codes >> 4, blocks.codes & 15], 1).long()
    rows = blocks.levels[codes].view(len(blocks.absmax), -1) * blocks.absmax[:, None]
    return rows.flatten()[: blocks.shape.numel()].view(blocks.shape)


def bits_per_number(block: int = 64, double: bool = True) -> float:
    """4 bits and a share of the scale: 32/block more, or with double quantization 8/block + 32/(256·block).

    >>> bits_per_number(double=False), round(bits_per_number(), 3)
    (4.5, 4.127)
    """
    return 4 + (8 / block + 32 / (256 * block) if double else 32 / block)


@dataclass(frozen=True)
class Memory:
    """Bytes of one training step, by what they hold. Their sum bounds the peak: activations go as gradients come."""

    weights: float
    gradients: float
    optimizer: float
    activations: float

    @property
    def total(self) -> float:
        """All four together."""
        return self.weights + self.gradients + self.optimizer + self.activations


def training_memory(
    method: str, linear: int, other: int, adapter: int = 0, activations: float = 0.0, base_bytes: int = 2
) -> Memory:
    """Bytes to train with AdamW under autocast to a type of `base_bytes` bytes.

    method: "full" (float32 weights; their copies in the smaller type live as long as the activations and are counted
        with them: Micikevicius et al. 2017, https://arxiv.org/abs/1710.03740), "LoRA" (base in the smaller type), or
        "QLoRA" (its `linear` weights in NF4)
    linear, other: numbers in the linear layers of the blocks, and all the rest (embeddings, norms, head)
    adapter: numbers in A and B. What is trained, and its gradient and two moments, are float32.
    Raises ValueError for another method.

    >>> training_memory("full", 100, 20).total, training_memory("LoRA", 100, 20, adapter=4).total
    (2160.0, 304.0)
    """
    base = {
        "full": 0,
        "LoRA": base_bytes * (linear + other),
        "QLoRA": bits_per_number() / 8 * linear + base_bytes * other,
    }
    if method not in base:
        raise ValueError(f"There is no method '{method}'; choose one of: {', '.join(base)}.")
    trained = linear + other if method == "full" else adapter
    copies = base_bytes * trained if method == "full" and base_bytes < 4 else 0
    return Memory(base[method] + 4 * trained, 4 * trained, 8 * trained, float(activations + copies))


def activation_bytes(
    config, tokens: int, answer_tokens: int, checkpointing: bool = False, base_bytes: int = 2
) -> float:
    """Bytes a Llama-like model keeps for the backward pass, by counting tensors. About ±25%.

    A block keeps 4 tensors as wide as its MLP, 6 as wide as the model and 4 as wide as all heads together, of
    `base_bytes` a number, and 2 as wide as the model in float32; the loss keeps float32 log-probabilities of the
    answer tokens (logits are computed for those only, as `training.sft.pack_loss` does). With gradient
    checkpointing (Chen et al. 2016, https://arxiv.org/abs/1604.06174) only the inputs of all blocks and one open block.
    `config` is the model's transformers config.
    """
    width, blocks = config.hidden_size, config.num_hidden_layers
    heads = config.num_attention_heads * (getattr(config, "head_dim", None) or width // config.num_attention_heads)
    block = base_bytes * (4 * config.intermediate_size + 6 * width + 4 * heads) + 4 * 2 * width
    kept = base_bytes * width * blocks + block if checkpointing else block * blocks
    return tokens * kept + 4 * answer_tokens * config.vocab_size


def resident_bytes() -> int:
    """Resident memory of this process, after what is free was given back to the system.

    glibc keeps freed memory for later and has to be asked; elsewhere large blocks go back by themselves.
    """
    import psutil

    gc.collect()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss
