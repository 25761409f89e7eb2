"""The tables of a report: each a head and its rows, from facts of `forge_lib.publishing.stages`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from types import SimpleNamespace

import pandas as pd

from forge_lib.evaluation.metrics import result_table
from forge_lib.evaluation.statistics import Comparison
from forge_lib.lab.profiles import Profile
from forge_lib.publishing.card import score_cell

_Table = tuple[list, list[list]]
_NONE = "–"


def _frame(table: pd.DataFrame, corner: str = "") -> _Table:
    """A table of pandas with its index as first column; what is not a number is a dash."""
    rows = [
        [name, *(_NONE if pd.isna(v) else v for v in row)]
        for name, row in zip(table.index, table.values.tolist(), strict=True)
    ]
    return [corner, *table.columns], rows


def accuracy(evaluation: SimpleNamespace) -> _Table:
    """Contenders by group, with intervals, and the items of all."""
    table = result_table(evaluation.rows)
    head, rows = _frame(table[list(table.columns[: list(table.columns).index("strict")])], "contender")
    return [*head, "items"], [[*row, one["items"]] for row, one in zip(rows, evaluation.rows, strict=True)]


def answers(evaluation: SimpleNamespace) -> _Table:
    """Strict, valid, tokens and seconds of each contender."""
    table = result_table(evaluation.rows)
    return _frame(
        table[list(table.columns[list(table.columns).index("strict") :])].rename(columns={"runs": "valid"}), "contender"
    )


def tests(comparisons: Sequence[Comparison]) -> _Table:
    """Paired comparisons, one a row."""
    head = ["second", "first", "part", "items", "difference", "gained", "lost", "p", "significant"]
    return head, [
        [c.second, c.first, c.part, c.items, f"{c.difference:+.1f} [{c.low:+.1f}, {c.high:+.1f}]", c.only_second, c.only_first,
         f"{c.p_value:.2g}", "yes" if c.significant else "no"] for c in comparisons
    ]  # fmt: skip


def levels(table: pd.DataFrame) -> _Table:
    """Accuracy by level of difficulty; the last row counts items."""
    head, rows = _frame(table, "contender")
    return head, [[name, *(f"{v:.0f}" if name == "items" else f"{v:.1f}" for v in row)] for name, *row in rows]


def shares(by_contender: dict[str, dict[str, float]], corner: str) -> _Table:
    """Percent by class, a column a contender; classes that nobody has are left out."""
    classes = list(dict.fromkeys(c for found in by_contender.values() for c in found))
    kept = [c for c in classes if any(found.get(c) for found in by_contender.values())]
    rows = [[c, *(f"{found.get(c, 0):.1f}" for found in by_contender.values())] for c in kept]
    return [corner, *by_contender], rows


def difficulty(data: dict) -> _Table:
    """Levels by part of the data."""
    table = pd.DataFrame(data["difficulty_percent"]).T
    return _frame(table.map(lambda v: f"{v:.1f}"), "part")


def settings(profile: Profile, chosen: object) -> _Table:
    """What SFT was made with: the training's own settings, then the profile's that say what it saw."""
    own = {k: v for k, v in asdict(chosen).items() if k not in ("packs_per_forward", "save_every", "dtype")}
    seen = {
        "passes over the training items": f"{profile.sft_passes:g}",
        "tokens of an example, at most": profile.max_length,
    }
    rows = [[name.replace("_", " "), _short(value)] for name, value in own.items()]
    return ["setting", "value"], [*rows, *([name, value] for name, value in seen.items())]


def _short(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(_short, value))
    return f"{value:g}" if isinstance(value, int | float) else "none" if value is None else str(value)


def files(formats: Sequence[dict]) -> _Table:
    """Files for llama.cpp."""
    head = ["format", "MB", "validation", "frozen test", "stops (%)", "as F16 (%)", "tokens/s", "s, alone"]
    return head, [
        [f["format"], f"{f['megabytes']:.0f}", score_cell(f.get("validation", {})), score_cell(f),
         f"{100 * f['finished']:.0f}", _number(f.get("top_token_as_f16"), ".1f"), f"{f['tokens_per_second']:.0f}",
         _number(f.get("seconds_alone"), ".2f")] for f in formats
    ]  # fmt: skip


def _number(value: float | None, form: str) -> str:
    return _NONE if value is None else format(value, form)


def memory(measured: dict) -> _Table:
    """What 03 measured, by method."""
    parts = [p for p in measured if p.endswith("measured")]
    methods = list(measured[parts[0]]) if parts else []
    names = {"both, measured": "gradients and AdamW"}
    rows = [[names.get(p, p.removesuffix(", measured")), *(f"{measured[p][m]:.2f}" for m in methods)] for p in parts]
    return ["", *methods], rows


def costs(found: SimpleNamespace) -> _Table:
    """Minutes and memory of each notebook, and of all."""
    rows = [[r["notebook"], f"{r['seconds'] / 60:.1f}", f"{r['peak_gb']:.1f}", r["status"]] for r in found.rows]
    return ["notebook", "minutes", "peak GB", "status"], [
        *rows,
        ["together", f"{found.minutes:.1f}", f"{found.peak_gb:.1f}", ""],
    ]


def versions(found: dict[str, str]) -> _Table:
    """Packages that were there."""
    return ["package", "version"], [[name, version] for name, version in found.items() if version != "absent"]


def mix(rows: Sequence[dict]) -> _Table:
    """Conditions of training data."""
    head = ["training pairs", "number", "databases", "examples seen", "training loss", "validation loss", "right", "p"]
    return head, [
        [r["condition"], r["pairs"], r["databases"], r["examples"], f"{r['training_loss']:.2f}", f"{r['validation_loss']:.2f}",
         f"{100 * r['right'] / r['of']:.1f}% of {r['of']}", _number(r["p_value"], ".2g")] for r in rows
    ]  # fmt: skip


def ranks(found: SimpleNamespace) -> _Table:
    """Validation loss by rank, a column a set of layers."""
    rows = [
        [f"r = {rank}", *(_number(found.losses.get((t, rank)), ".3f") for t in found.targets)] for rank in found.ranks
    ]
    return ["rank", *found.targets], rows


def methods(rows: Sequence[dict]) -> _Table:
    """Methods of fine-tuning on the same packs."""
    head = ["method", "trained numbers", "peak GB", "seconds", "validation loss", "right"]
    return head, [
        [r["name"], f"{r['parameters']:,}", f"{r['peak_gb']:.1f}", f"{r['seconds']:.0f}", f"{r['validation_loss']:.3f}",
         f"{sum(a['verdict'] == 'correct' for a in r['validation'])} of {len(r['validation'])}"] for r in rows
    ]  # fmt: skip


def speed(rows: Sequence[dict]) -> _Table:
    """Pieces of the engine, each on those before it."""
    return ["with", "tokens/s"], [[r["name"], f"{r['tokens_per_second']:,.0f}"] for r in rows]
