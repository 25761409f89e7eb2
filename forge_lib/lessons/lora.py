"""LoRA, DoRA, NF4 and the memory of training, written out.

For reading and for arithmetic: the course trains with PEFT and, on a GPU, quantizes with bitsandbytes. The tests hold
the three to the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import nn


class LoRALinear(nn.Module):
    """A frozen linear layer and a trainable low-rank update (Hu et al. 2021, https://arxiv.org/abs/2106.09685).

    y = W x + b + s · B (A x), with W (out, in) frozen, A (r, in) random and B (out, r) zero at the start.
    s = α/r, or α/√r with `rslora` (Kalajdzievski 2023, https://arxiv.org/abs/2312.03732).
    Raises ValueError for a rank below 1 or above the smaller side of W.

    >>> layer = LoRALinear(nn.Linear(6, 4), rank=2, alpha=4)
    >>> tuple(layer.A.shape), tuple(layer.B.shape), layer.scaling
    ((2, 6), (4, 2), 2.0)
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float, rslora: bool = False):
        super().__init__()
        out, width = base.weight.shape
        if not 1 <= rank <= min(out, width):
            raise ValueError(
                f"A change of a {out} by {width} weight has a rank from 1 to {min(out, width)}; {rank} was asked for. "
                "Choose a rank in that range."
            )
        self.base = base.requires_grad_(False)
        self.A = nn.Parameter(torch.empty(rank, width, device=base.weight.device))
        self.B = nn.Parameter(torch.zeros(out, rank, device=base.weight.device))
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))  # PEFT's start: uniform within ±1/√in, whatever the rank
        self.scaling = alpha / (math.sqrt(rank) if rslora else rank)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(…, in) to (…, out)."""
        return self.base(x) + self.scaling * (x @ self.A.T @ self.B.T)

    def weight(self) -> torch.Tensor:
        """W + s·B·A, (out, in): the weight of the plain layer that does the same."""
        return self.base.weight + self.scaling * self.B @ self.A

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """That plain layer: the same function without the detour. The base is left as it is."""
        out, width = self.base.weight.shape
        plain = nn.Linear(width, out, self.base.bias is not None).to(self.base.weight)
        plain.weight.copy_(self.weight())
        if self.base.bias is not None:
            plain.bias.copy_(self.base.bias)
        return plain.requires_grad_(False)


class DoRALinear(LoRALinear):
    """LoRA of the direction, and a trained length m of each row of the weight (Liu et al. 2024, arXiv 2402.09353).

    y = m ⊙ V x / ‖V‖ + b with V = W + s·B·A, the norm by rows and m (out,) that of W at the start. The gradient takes
    the norm for a constant (section 4.3 of the paper), as PEFT does.

    >>> sum(p.numel() for p in DoRALinear(nn.Linear(6, 4), 2, 4).parameters() if p.requires_grad)  # LoRA's 20, and m
    24
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float, rslora: bool = False):
        super().__init__(base, rank, alpha, rslora)
        self.m = nn.Parameter(base.weight.norm(dim=1).detach())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(…, in) to (…, out)."""
        direction = F.linear(x, self.base.weight) + self.scaling * (x @ self.A.T @ self.B.T)
        y = self.m / super().weight().norm(dim=1).detach() * direction
        return y if self.base.bias is None else y + self.base.bias

    def weight(self) -> torch.Tensor:
        """m ⊙ V / ‖V‖, (out, in)."""
        return self.m[:, None] * F.normalize(super().weight(), dim=1)


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


def dynamic_levels() -> torch.Tensor:
    """The 256 levels in which double quantization keeps the scales, ascending. (256,) float32.

    0, 1, and on either side 2^i evenly spaced numbers in each decade 10^(i-7) … 10^(i-6), i from 0 to 6: a short
    floating point whose exponent takes as few bits as it can (Dettmers 2015, https://arxiv.org/abs/1511.04561).
    """
    levels = [0.0, 1.0]
    for i in range(7):
        borders = torch.linspace(0.1, 1, 2**i + 1)
        decade = (10.0 ** (i - 6) * (borders[:-1] + borders[1:]) / 2).tolist()
        levels += [*decade, *(-level for level in decade)]
    return torch.tensor(sorted(levels))


@dataclass(frozen=True)
class Blocks:
    """A tensor in 4 or 8 bits a number, and one scale a block.

    codes: uint8. 4 bits: (ceil(n / block) · block / 2,), the earlier number in the high half, as bitsandbytes packs
        them; 8 bits: (ceil(n / block) · block,)
    absmax: (ceil(n / block),) float32, the largest magnitude of each block; or these, quantized in turn
    offset: what was subtracted from the scales before they were quantized
    """

    codes: torch.Tensor
    absmax: torch.Tensor | Blocks
    levels: torch.Tensor
    shape: torch.Size
    offset: torch.Tensor | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of codes and scales."""
        return self.codes.nbytes + self.absmax.nbytes + (0 if self.offset is None else self.offset.nbytes)


def quantize(x: torch.Tensor, levels: torch.Tensor, block: int = 64) -> Blocks:
    """Divide each block of `block` numbers by its largest magnitude; keep the index of the nearest level.

    Up to 16 levels take 4 bits a number, up to 256 take 8. Raises ValueError for more levels, or an odd block.
    """
    if len(levels) > 256 or block % 2:
        raise ValueError(f"8 bits hold up to 256 levels, and blocks are even: {len(levels)} levels, blocks of {block}.")
    flat = x.detach().float().flatten()
    rows = F.pad(flat, (0, -len(flat) % block)).view(-1, block)  # (N, block)
    absmax = rows.abs().amax(1)
    scaled = rows / absmax.clamp(min=torch.finfo(torch.float32).tiny)[:, None]  # a block of zeros stays zero
    borders = (levels[1:] + levels[:-1]) / 2
    codes = torch.bucketize(scaled, borders.to(x.device)).to(torch.uint8).flatten()
    packed = codes[0::2] << 4 | codes[1::2] if len(levels) <= 16 else codes
    return Blocks(packed, absmax, levels.to(x.device), x.shape)


def double_quantize(blocks: Blocks) -> Blocks:
    """The same codes with their scales in 8 bits: the mean taken off, then blocks of 256 in `dynamic_levels`.

    QLoRA, section 3 (https://arxiv.org/abs/2305.14314), as bitsandbytes' `compress_statistics=True` does it. Scales
    are positive: with the mean left on, the negative half of the levels would lie idle.
    """
    offset = blocks.absmax.mean()
    return replace(blocks, absmax=quantize(blocks.absmax - offset, dynamic_levels(), 256), offset=offset)


def dequantize(blocks: Blocks) -> torch.Tensor:
    """The numbers that the codes stand for: level times the block's scale, float32 in the shape they had.

    >>> x = torch.tensor([1.0, -0.5, 0.0, 0.1])
    >>> [round(v, 3) for v in dequantize(quantize(x, nf4_levels(), block=4)).tolist()]
    [1.0, -0.525, 0.0, 0.08]
    """
    absmax = blocks.absmax if blocks.offset is None else dequantize(blocks.absmax) + blocks.offset
    codes = blocks.codes
    if len(blocks.levels) <= 16:
        codes = torch.stack([codes >> 4, codes & 15], 1)
    rows = blocks.levels[codes.long()].view(len(absmax), -1) * absmax[:, None]
    return rows.flatten()[: blocks.shape.numel()].view(blocks.shape)


def bits_per_number(block: int = 64, double: bool = True) -> float:
    """4 bits and a share of the scale: 32/block more, or with double quantization 8/block + 32/(256·block).

    >>> bits_per_number(double=False), round(bits_per_number(), 3)
    (4.5, 4.127)
    """
    return 4 + (8 / block + 32 / (256 * block) if double else 32 / block)


@dataclass(frozen=True)
class Memory:
    """Bytes of one training step, by what they hold."""

    weights: float
    gradients: float
    optimizer: float
    activations: float

    @property
    def peak(self) -> float:
        """The most at one time, from the second step on: in the backward pass activations go as gradients come."""
        return self.weights + self.optimizer + max(self.activations, self.gradients)


def training_memory(
    method: str, linear: int, other: int, adapter: int = 0, activations: float = 0.0, base_bytes: int = 2
) -> Memory:
    """Bytes to train with AdamW under autocast to a type of `base_bytes` bytes.

    method: "full" (float32 weights; their copies in the smaller type live as long as the activations and are counted
        with them: Micikevicius et al. 2017, https://arxiv.org/abs/1710.03740), "LoRA" (base in the smaller type), or
        "QLoRA" (`linear` weights in NF4, the rest in float32, as PEFT's `prepare_model_for_kbit_training` leaves it)
    linear, other: numbers in the linear layers of the blocks, and all the rest (embeddings, norms, head)
    adapter: numbers in A and B. What is trained, and its gradient and two moments, are float32.
    Raises ValueError for another method.

    >>> training_memory("full", 100, 20).peak, training_memory("LoRA", 100, 20, adapter=4).peak
    (1920, 304)
    """
    base = {
        "full": 0,
        "LoRA": base_bytes * (linear + other),
        "QLoRA": bits_per_number() / 8 * linear + 4 * other,
    }
    if method not in base:
        raise ValueError(f"There is no method '{method}'; choose one of: {', '.join(base)}.")
    trained = linear + other if method == "full" else adapter
    copies = base_bytes * trained if method == "full" and base_bytes < 4 else 0
    return Memory(base[method] + 4 * trained, 4 * trained, 8 * trained, float(activations + copies))


def activation_bytes(
    config, tokens: int, predicted: int, checkpointing: bool = False, base_bytes: int = 2, between_bytes: int = 2
) -> float:
    """Bytes a Llama-like model of transformers keeps for the backward pass, by counting tensors. About ±25%.

    A block keeps 4 tensors as wide as its MLP, 6 as wide as the model and 4 as wide as all heads together, of
    `base_bytes` a number, and 2 as wide as the model in float32. With gradient checkpointing (Chen et al. 2016,
    https://arxiv.org/abs/1604.06174) only the inputs of all blocks, of `between_bytes` a number, and one open block.
    For each of the `predicted` positions the loss holds logits in `base_bytes`, and in float32 logits,
    log-probabilities and gradient: all positions in transformers' own loss, those of answers in this course's.
    `config` is the model's transformers config.
    """
    width, blocks = config.hidden_size, config.num_hidden_layers
    heads = config.num_attention_heads * (getattr(config, "head_dim", None) or width // config.num_attention_heads)
    block = base_bytes * (4 * config.intermediate_size + 6 * width + 4 * heads) + 4 * 2 * width
    kept = between_bytes * width * blocks + block if checkpointing else block * blocks
    return tokens * kept + (base_bytes + 12) * predicted * config.vocab_size
