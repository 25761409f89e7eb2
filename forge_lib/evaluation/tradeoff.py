"""Buying back what a fine-tune lost: a smaller adapter at inference, and what it costs on the task."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from forge_lib.lab.figures import COLOURS, error_bars


def scale_curve(model, scales: Sequence[float], measure: Callable[[object], dict]) -> list[dict]:
    """`measure(model)` at each scale s of the adapter, W + s·(α/r)·B·A: {"scale": s, …what it returned}.

    s = 0 is the base, 1 the adapter as trained; between them lie mixtures of both sets of weights (WiSE-FT, Wortsman et
    al. 2021, https://arxiv.org/abs/2109.01903). The model is as it was when this returns, or raises. Raises ValueError for
    a negative scale, and for a model that holds no LoRA adapter, or one already merged.
    """
    from peft.helpers import rescale_adapter_scale
    from peft.tuners.lora import LoraLayer

    if any(s < 0 for s in scales):
        raise ValueError("A negative scale turns the adapter round; choose scales from 0 to 1.")
    layers = [m for m in model.modules() if isinstance(m, LoraLayer)]
    if not layers or any(layer.merged for layer in layers):
        raise ValueError("There is no unmerged LoRA adapter to scale in this model. Load it with load_adapted.")
    points = []
    for scale in scales:
        with rescale_adapter_scale(model, scale):
            points.append({"scale": scale, **measure(model)})
    return points


def tradeoff(points: Sequence[dict], ax, x: str = "general", y: str = "task"):
    """Accuracy on the task over general ability (percent), a point a setting, joined in their order, with 95% intervals.

    points: {"label" or "scale", x, y}, and for an interval "<x>_low", "<x>_high" (and of y); up and to the right is better
    """
    across, up = ([p[key] for p in points] for key in (x, y))
    bars = {
        f"{axis}err": error_bars(
            [p[key] for p in points], [p[f"{key}_low"] for p in points], [p[f"{key}_high"] for p in points]
        )
        for axis, key in (("x", x), ("y", y))
        if all(f"{key}_low" in p for p in points)
    }
    ax.errorbar(across, up, marker="o", color=COLOURS[0], ecolor=COLOURS[6], elinewidth=1, capsize=2, **bars)
    for p in points:
        label = p.get("label", f"s = {p.get('scale')}")
        ax.annotate(label, (p[x], p[y]), textcoords="offset points", xytext=(6, 6), fontsize=8)
    top = max(1.0, float(np.max(up)))
    ax.set(
        xlabel=f"{x} (%), 95% interval", ylabel=f"{y} (%), 95% interval", ylim=(min(0.0, float(np.min(up))), 1.3 * top)
    )
    return ax
