"""Which weights a LoRA adapter moved: how far, and in how many directions."""

from __future__ import annotations

import re

import torch


@torch.no_grad()
def effective_rank(singular_values: torch.Tensor) -> float:
    """e to the entropy of the singular values' shares: 1 for one direction, n for n equal ones (Roy & Vetterli 2007).

    singular_values: (r,), none negative. 0.0 where all are zero. Raises ValueError for a negative one.

    >>> round(effective_rank(torch.tensor([2.0, 2.0, 0.0])), 6)
    2.0
    """
    if (singular_values < 0).any():
        raise ValueError("Singular values are never negative, and one of these is.")
    total = singular_values.sum()
    if total == 0:
        return 0.0
    share = singular_values.double() / total
    share = share[share > 0]
    return float(torch.exp(-(share * share.log()).sum()))


@torch.no_grad()
def weight_changes(model) -> list[dict]:
    """One record an adapted layer of a PeftModel, with ΔW = s·B·A of the active adapter:

    {"name", "layer" (number of the block, None outside), "module" (q_proj, …), "norm" ‖ΔW‖, "relative" ‖ΔW‖/‖W‖ (Frobenius
    norms), "spectral" (the largest singular value of ΔW), "rank" r, "effective_rank" (0 to r)}.

    Raises ValueError for a model without LoRA, and for a layer whose change is not s·B·A (DoRA; several adapters; merged).
    """
    from peft.tuners.lora import LoraLayer

    records = []
    for name, layer in model.named_modules():
        if not isinstance(layer, LoraLayer):
            continue
        active = [a for a in layer.active_adapters if a in layer.lora_A]
        if len(active) != 1 or layer.merged or active[0] in layer.lora_variant:
            raise ValueError(f"The change of {name} is not that of one plain LoRA adapter, unmerged. Load it so.")
        [adapter] = active
        a, b = layer.lora_A[adapter].weight.double(), layer.lora_B[adapter].weight.double()  # (r, in), (out, r)
        sigma = abs(layer.scaling[adapter]) * _singular_values(b, a)
        weight = layer.get_base_layer().weight.float().norm()
        number = re.search(r"\.(\d+)\.", name)
        records.append(
            {"name": name, "layer": int(number[1]) if number else None, "module": name.rsplit(".", 1)[-1],
             "norm": float(sigma.norm()), "relative": float(sigma.norm() / weight), "spectral": float(sigma.max()),
             "rank": len(a), "effective_rank": effective_rank(sigma)}
        )  # fmt: skip
    if not records:
        raise ValueError("This model has no LoRA layers, so no weight has moved. Load it with an adapter.")
    return records


def _singular_values(b: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    """Of B·A, (r,): with B = Q₁R₁ and Aᵀ = Q₂R₂ they are those of R₁·R₂ᵀ, r by r instead of out by in."""
    return torch.linalg.svdvals(torch.linalg.qr(b, "r").R @ torch.linalg.qr(a.T, "r").R.T)
