"""Several adapters of one base combined into one plain model: no training, only arithmetic on their weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch

from forge_lib.export.gguf import ExportError
from forge_lib.lab.files import said
from forge_lib.lab.profiles import Profile
from forge_lib.models import embedded
from forge_lib.models.adapter import check_kind, check_same_base, with_adapter
from forge_lib.models.load import check_base, load_base

ON_UPDATES = ("task_arithmetic", "slerp", "ties_updates", "dare_updates")  # of each layer's ΔW, as the papers have it
_ON_FACTORS = ("linear", "ties", "dare_linear", "dare_ties")  # PEFT's, of A and of B apart
_TRUNCATED = ("svd", "ties_svd", "dare_linear_svd", "dare_ties_svd")  # PEFT's, of ΔW, cut to the adapters' rank again
METHODS = ON_UPDATES + _ON_FACTORS + _TRUNCATED
_COMBINED = "combined"


def combine(
    profile: Profile, adapters: Sequence[Path], weights: Sequence[float], method: str, density: float = 0.5,
    seed: int = 17, dtype: str | None = None,
):  # fmt: skip
    """The profile's base with several adapters of it combined, as a plain model on the profile's device, for `evaluate`.

    An adapter's update of a layer is ΔW = (α/r)·B·A; weights: one for each adapter, often adding to 1.

    - task_arithmetic: W + Σ w·ΔW (Ilharco et al. 2023, https://arxiv.org/abs/2212.04089), exact
    - slerp: on the arc between two updates (`slerp`), w₂ / (w₁ + w₂) of the way from the first to the second
    - linear: PEFT's (Σ √w·B)(Σ √w·A): cheap, for it stays an adapter, and rough, for B of one meets A of the other
    - ties_updates: small numbers trimmed to `density`, signs elected, and only those that agree with them averaged
      (Yadav et al. 2023, https://arxiv.org/abs/2306.01708), layer by layer
    - dare_updates: numbers dropped at random, what stays (a share of `density`) divided by it
      (Yu et al. 2024, https://arxiv.org/abs/2311.03099), then task arithmetic; the same `seed`, the same model
    - ties, dare_linear, dare_ties: PEFT's, which do the same to A and to B apart
    - svd, and each of them with _svd: of ΔW, cut to the adapters' rank by a singular value decomposition of every
      layer (minutes)

    density: share (above 0, below 1) of the numbers that TIES and DARE keep. The sums are made on the CPU in fp32, then
    cast to `dtype` (the profile's by default). Raises ExportError for what cannot be combined, ModelError for an adapter
    that is damaged or of another base.
    """
    _check(adapters, weights, method, density)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        model = _loaded(profile, adapters)
        names = list(model.peft_config)
        torch.manual_seed(seed)
        if method in ON_UPDATES:
            plain = _on_updates(model, names, weights, method, density)
        else:
            plain = _by_peft(model, names, weights, method, density)
    return plain.to(getattr(torch, dtype or profile.dtype)).to(profile.device).eval()


def merge_updates(
    updates: Sequence[torch.Tensor], weights: Sequence[float], method: str, density: float = 0.5
) -> torch.Tensor:
    """One layer's updates, (out, in) each, made one by a method of `ON_UPDATES`; what `combine` adds to its weight.

    DARE draws from torch's generator. weights, density: as in `combine`, which checks them. Raises ExportError for a method
    that does not work on updates.

    >>> one, two = torch.tensor([[4.0, 1.0]]), torch.tensor([[-2.0, -9.0]])
    >>> merge_updates([one, two], [1, 1], "task_arithmetic"), merge_updates([one, two], [1, 1], "ties_updates")
    (tensor([[ 2., -8.]]), tensor([[ 4., -9.]]))
    """
    from peft.utils import merge_utils

    if method not in ON_UPDATES:
        raise ExportError(f"'{method}' does not merge updates. Choose one of: {', '.join(ON_UPDATES)}.")
    updates, given = list(updates), torch.tensor(list(weights), dtype=updates[0].dtype)
    if method == "slerp":
        return slerp(*updates, weights[1] / sum(weights))
    if method == "ties_updates":
        trimmed = torch.stack([_trim(u, density) for u in updates])
        agree = merge_utils.calculate_majority_sign_mask(trimmed)
        return merge_utils.disjoint_merge(trimmed * merge_utils.reshape_weight_task_tensors(trimmed, given), agree)
    if method == "dare_updates":
        return merge_utils.dare_linear(updates, given, density)
    return merge_utils.task_arithmetic(updates, given)


def _trim(update: torch.Tensor, density: float) -> torch.Tensor:
    """The largest numbers, a share of `density` (and what equals the least of them), and zeros in place of the others.

    PEFT sorts for it: 22 s for two adapters of 106 million numbers, and this takes 3.
    """
    size = update.abs()
    least = size.flatten().kthvalue(update.numel() - max(1, int(density * update.numel())) + 1).values
    return torch.where(size >= least, update, 0)


def slerp(first: torch.Tensor, second: torch.Tensor, t: float) -> torch.Tensor:
    """Spherical interpolation (Shoemake 1985, https://doi.org/10.1145/325165.325242), t from 0 (first) to 1 (second).

    With Ω the angle between them: sin((1−t)Ω)/sin Ω · first + sin(tΩ)/sin Ω · second. Of two updates of one length every
    point on the way has that length too, where the straight line between them passes nearer to zero. Nearly parallel
    ones, and zeros, are interpolated on the straight line.

    >>> slerp(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), 0.5)
    tensor([1.4142, 1.4142])
    """
    length = first.norm() * second.norm()
    cosine = (first * second).sum() / length if length > 0 else torch.ones(())
    angle = torch.arccos(cosine.clamp(-1, 1))
    if torch.sin(angle) < 1e-4:
        return (1 - t) * first + t * second
    return (torch.sin((1 - t) * angle) * first + torch.sin(t * angle) * second) / torch.sin(angle)


def _check(adapters: Sequence[Path], weights: Sequence[float], method: str, density: float) -> None:
    """Raise ExportError for what cannot be combined, before anything is loaded."""
    if method not in METHODS:
        raise ExportError(f"There is no way '{method}' to combine adapters. Choose one of: {', '.join(METHODS)}.")
    if not adapters or len(adapters) != len(weights):
        raise ExportError(
            f"{len(adapters)} adapters and {len(weights)} weights: give one weight for each, and one adapter at least."
        )
    if not all(torch.tensor(list(weights), dtype=torch.float64).isfinite()):
        raise ExportError(f"One of the weights {', '.join(map(str, weights))} is no number.")
    if not 0 < density < 1:
        raise ExportError(f"density is the share of numbers that stays, above 0 and below 1, and {density:g} is none.")
    if method == "slerp" and (len(adapters) != 2 or min(weights) < 0 or sum(weights) == 0):
        raise ExportError("SLERP goes from one adapter to another: give two, with weights of 0 or more.")


def _loaded(profile: Profile, adapters: Sequence[Path]):
    """The base in fp32 on the CPU with every adapter on it."""
    model = load_base(dataclasses.replace(profile, device="cpu"), "float32")
    for n, folder in enumerate(adapters):
        check_base(folder, profile)
        check_kind(folder)
        model = with_adapter(model, folder, profile.base_model, called=f"adapter{n}")  # "0" is a layer's name
        check_same_base(folder, model, embedded.describe_base(profile.base_model))
    return model


def _on_updates(model, names: Sequence[str], weights: Sequence[float], method: str, density: float):
    from peft.tuners.lora import LoraLayer

    for layer in [m for m in model.modules() if isinstance(m, LoraLayer)]:
        base = layer.get_base_layer().weight
        updates = [
            layer.get_delta_weight(n) if n in layer.lora_A else torch.zeros_like(base) for n in names
        ]  # not every adapter adapts every layer
        base += merge_updates(updates, weights, method, density)
    return model.unload()


def _by_peft(model, names: Sequence[str], weights: Sequence[float], method: str, density: float):
    try:
        model.add_weighted_adapter(
            list(names), list(weights), _COMBINED, method, density=None if method in ("linear", "svd") else density
        )
    except (ValueError, TypeError) as error:
        raise ExportError(f"PEFT cannot combine these adapters by '{method}': {said(error)}") from error
    model.set_adapter(_COMBINED)
    return model.merge_and_unload()
