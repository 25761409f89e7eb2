"""The figures of a report: vector drawings from a run's records, the same bytes for the same records."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from forge_lib.data.items import GROUPS
from forge_lib.evaluation.statistics import Comparison
from forge_lib.lab.figures import COLOURS, accuracy_bars, error_bars, training_curve

_WIDTH = 6.3  # inches, of a page's text
_LONGEST = 48  # letters of a name beside an axis
_LOOK = {
    "font.size": 8, "axes.labelsize": 8, "axes.titlesize": 9, "legend.fontsize": 7.5, "axes.grid": True, "grid.color": "#e4e4e4",
    "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "forge",
    "text.parse_math": False,  # a name may hold dollars
}  # fmt: skip


@contextlib.contextmanager
def _drawn(path: Path, height: float, columns: int = 1) -> Iterator[Sequence]:
    """Axes side by side, saved as SVG when the block ends."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_LOOK):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        yield figure.subplots(1, columns, squeeze=False)[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"


def _by_step(*axes) -> None:
    """Whole numbers below the axes: steps."""
    from matplotlib.ticker import MaxNLocator

    for ax in axes:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def training(steps: Sequence[dict], path: Path) -> None:
    """Loss by step, and accuracy on validation where it was measured."""
    checks = [r for r in steps if "validation_accuracy" in r]
    with _drawn(path, 2.4, 2 if checks else 1) as axes:
        training_curve(steps, axes[0])
        if checks:
            axes[1].plot(
                [r["step"] for r in checks], [100 * r["validation_accuracy"] for r in checks], "o-", color=COLOURS[1]
            )
            axes[1].set(xlabel="step", ylabel="right on validation (%)", ylim=(0, None), xlim=axes[0].get_xlim())
        _by_step(*axes)


def accuracy(rows: Sequence[dict], metric: str, path: Path) -> None:
    """Contenders with their intervals, by group where there is more than one."""
    parts = [g for g in GROUPS if any(g in r for r in rows)]
    parts = parts if len(parts) > 1 else ["all"]
    with _drawn(path, 0.7 + (0.22 + 0.13 * len(parts)) * len(rows)) as (ax,):
        accuracy_bars([r | {"contender": _short(r["contender"])} for r in rows], ax, parts)
        bars = ax.get_legend_handles_labels()[0]
        ax.set(xlabel=f"{metric} on the frozen test (%), 95% interval", xlim=(0, max(ax.get_xlim()[1], 1)))
        if len(parts) > 1:
            ax.legend(bars, parts, loc="best")
        else:
            ax.get_legend().remove()


def differences(comparisons: Sequence[Comparison], path: Path) -> None:
    """Paired differences with their intervals, zero marked."""
    at, middle = range(len(comparisons)), [c.difference for c in comparisons]
    with _drawn(path, 0.7 + 0.24 * len(comparisons)) as (ax,):
        ends = error_bars(middle, [c.low for c in comparisons], [c.high for c in comparisons])
        ax.errorbar(middle, at, xerr=ends, fmt="o", markersize=4, color=COLOURS[0], capsize=2)
        ax.axvline(0, color="#444444", linewidth=1)
        ax.set_yticks(at, [f"{_short(f'{c.second} against {c.first}')}, {c.part}" for c in comparisons])
        ax.set(xlabel="difference (points), 95% interval", ylim=(len(comparisons) - 0.5, -0.5))


def formats(rows: Sequence[dict], metric: str, path: Path) -> None:
    """Files with their sizes: accuracy on validation and on the test with its interval, and speed."""
    at = range(len(rows))
    with _drawn(path, 0.8 + 0.24 * len(rows), 2) as (left, right):
        for name, asked, offset, colour in (
            ("validation", [r.get("validation", {}) for r in rows], -0.12, COLOURS[2]), ("frozen test", rows, 0.12, COLOURS[0])
        ):  # fmt: skip
            there = [n for n, a in enumerate(asked) if "all" in a]
            middle, low, high = ([asked[n][f"all{end}"] for n in there] for end in ("", "_low", "_high"))
            left.errorbar(middle, [n + offset for n in there], xerr=error_bars(middle, low, high, 0, 100), fmt="o",
                          markersize=4, color=colour, capsize=2, label=name if there else None)  # fmt: skip
        left.legend()
        left.set_yticks(at, [f"{r['format']}, {r['megabytes']:.0f} MB" for r in rows])
        left.set(xlabel=f"{metric} (%)", xlim=(0, None))
        right.barh(at, [r["tokens_per_second"] for r in rows], 0.6, color=COLOURS[1])
        right.set_yticks(at, [""] * len(rows))
        right.set(xlabel="tokens/s, one answer at a time")
        for ax in (left, right):
            ax.set_ylim(len(rows) - 0.5, -0.5)


def rewards(steps: Sequence[dict], path: Path) -> None:
    """Mean reward and the share of groups without spread, by step."""
    step = [r["step"] for r in steps]
    with _drawn(path, 2.2, 2) as (left, right):
        left.plot(step, [r["reward"] for r in steps], "o-", markersize=3, color=COLOURS[0])
        left.set(xlabel="step", ylabel="mean reward", ylim=(0, 1.05))
        right.bar(step, [100 * r["frac_reward_zero_std"] for r in steps], color=COLOURS[1])
        right.set(xlabel="step", ylabel="groups without spread (%)", ylim=(0, 100))
        _by_step(left, right)
