"""What a model is made of."""

from __future__ import annotations

from torch import nn


def linear_shapes(model: nn.Module) -> dict[str, tuple[int, int]]:
    """(out, in) of every linear layer but the output head, by name: what PEFT calls "all-linear".

    Works on the meta device too, where a model has shapes and no weights.
    """
    head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    linears = {n: m for n, m in model.named_modules() if isinstance(m, nn.Linear) and m is not head}
    return {n: (m.out_features, m.in_features) for n, m in linears.items()}  # a 4-bit weight has a shape of its own
