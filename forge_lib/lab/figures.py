"""Records in, axes out. Every function draws on the `ax` it is given and returns it."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

# Okabe and Ito's palette: told apart by colour-blind readers too (https://jfly.uni-koeln.de/color/).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")


def style() -> None:
    """The course's look, for all figures of a notebook."""
    import matplotlib.pyplot as plt
    import seaborn as sns

    sns.set_theme(style="whitegrid", palette=COLOURS)
    plt.rcParams.update({"figure.figsize": (8, 3.6), "figure.dpi": 90, "axes.titlesize": 11, "axes.labelsize": 10,
                         "figure.constrained_layout.use": True})  # fmt: skip


def length_histogram(lengths: Sequence[int], limit: int, ax):
    """Token lengths of examples, and the model's limit."""
    ax.hist(lengths, bins=40, color=COLOURS[0])
    ax.axvline(limit, color=COLOURS[1], linestyle="--", label=f"limit of the profile: {limit} tokens")
    ax.set(xlabel="length (tokens)", ylabel="examples")
    ax.legend()
    return ax


def training_curve(records: Sequence[dict], ax, smooth: int = 9):
    """Training loss a step (and its running mean), validation loss where it was measured."""
    steps, losses = [r["step"] for r in records], np.array([r["loss"] for r in records])
    ax.plot(steps, losses, color=COLOURS[0], alpha=0.3, linewidth=1)
    width = min(smooth, len(losses))
    mean = np.convolve(losses, np.ones(width) / width, mode="valid")
    ax.plot(steps[width - 1 :], mean, color=COLOURS[0], label="training")
    validated = [r for r in records if "validation_loss" in r]
    if validated:
        ax.plot([r["step"] for r in validated], [r["validation_loss"] for r in validated], "o-", color=COLOURS[1],
                label="validation")  # fmt: skip
    ax.set(xlabel="step", ylabel="loss (nats per answer token)", ylim=(0, None))
    ax.legend()
    return ax


def error_bars(
    middle: Sequence[float], low: Sequence[float], high: Sequence[float], least: float = -np.inf, most: float = np.inf
) -> np.ndarray:
    """Lengths (2, N) below and above `middle` for matplotlib's `xerr` or `yerr`, never negative.

    low, high: the ends (N,); least, most: what the value itself can be (a share: 0 and 1), where the bars are cut.

    >>> error_bars([0.1], [-0.2], [0.4], least=0).tolist()
    [[0.1], [0.30000000000000004]]
    """
    middle = np.asarray(middle, dtype=float)
    ends = np.clip([low, high], least, most)
    return np.maximum([middle - ends[0], ends[1] - middle], 0)


def accuracy_bars(rows: Sequence[dict], ax, parts: Sequence[str] = ("seen", "unseen")):
    """Execution accuracy by contender and part, with 95% intervals."""
    names = [r["contender"] for r in rows]
    height = 0.8 / len(parts)
    for n, part in enumerate(parts):
        values = np.array([r.get(part, np.nan) for r in rows])
        low, high = ([r.get(f"{part}_{end}", np.nan) for r in rows] for end in ("low", "high"))
        at = np.arange(len(rows)) + (n - (len(parts) - 1) / 2) * height
        ax.barh(at, values, height, xerr=error_bars(values, low, high, 0, 100), color=COLOURS[n], label=f"{part} schemas",
                error_kw={"linewidth": 1, "ecolor": "#444444"})  # fmt: skip
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set(xlabel="execution accuracy on the frozen test (%), 95% interval", xlim=(0, None))
    ax.legend(loc="lower right")
    return ax


def token_colours(tokens: Sequence[str], carries_loss: Sequence[bool]):
    """The loss mask as text: bold blue tokens carry loss, grey ones are only read. Returns IPython HTML.

    Bold, because some viewers of notebooks strip colours.
    """
    from IPython.display import HTML

    spans = []
    for token, trained in zip(tokens, carries_loss, strict=True):
        text = html.escape(token).replace("\n", "↵<br>")
        tag, colour = ("b", "background:#cfe6f5;color:#003b5c") if trained else ("span", "color:#777777")
        spans.append(f'<{tag} style="{colour};border:1px solid #eeeeee">{text}</{tag}>')
    return HTML(f'<div style="font-family:monospace;line-height:1.7">{"".join(spans)}</div>')


def findings_bars(table, ax):
    """Pairs that broke each rule of the gate: a bar a rule, from the table of `forge_lib.tasks.sql.gate.report`."""
    ax.barh(table.index, table["pairs"], color=COLOURS[0])
    for at, (count, share) in enumerate(zip(table["pairs"], table["share"], strict=True)):
        ax.annotate(f" {count:,} ({share:.1f}%)", (count, at), va="center", fontsize=8)
    ax.invert_yaxis()
    ax.set(xlabel="pairs that break the rule", xlim=(0, 1.15 * max(1, table["pairs"].max())))
    return ax


def learning_curve(points: Sequence[dict], ax):
    """Execution accuracy (percent, with `low` and `high`) over the number of training pairs, on a log axis."""
    x = [p["pairs"] for p in points]
    values = np.array([p["accuracy"] for p in points])
    lengths = error_bars(values, [p["low"] for p in points], [p["high"] for p in points], 0, 100)
    ax.errorbar(x, values, yerr=lengths, marker="o", capsize=3, color=COLOURS[0])
    ax.set(
        xscale="log", xlabel="distinct training pairs", ylabel="execution accuracy (%), 95% interval", ylim=(0, None)
    )
    ax.set_xticks(x, [f"{n:,}" for n in x])
    ax.minorticks_off()
    return ax


def noise_curve(points: Sequence[dict], ax):
    """Execution accuracy (percent, with `low` and `high`) over the share of wrong answers among the training pairs.

    points: share (0 to 1), accuracy, low, high; of several seeds also `seeds`, the accuracy of each, drawn as dots
    """
    points = sorted(points, key=lambda p: p["share"])
    x, values = [100 * p["share"] for p in points], np.array([p["accuracy"] for p in points])
    lengths = error_bars(values, [p["low"] for p in points], [p["high"] for p in points], 0, 100)
    ax.errorbar(x, values, yerr=lengths, marker="o", capsize=3, color=COLOURS[0])
    dots = [(at, value) for at, point in zip(x, points, strict=True) for value in point.get("seeds", ())]
    if dots:
        ax.scatter(*zip(*dots, strict=True), s=14, color=COLOURS[1], zorder=3, label="one training")
        ax.legend()
    ax.set(xlabel="wrong answers among the training pairs (%)", ylim=(0, None))
    ax.set(ylabel="execution accuracy (%), 95% interval")
    ax.set_xticks(x, [f"{share:g}" for share in x])
    return ax
