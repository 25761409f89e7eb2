"""What a run measured, stage by stage, for a report on it; None for a stage that was not run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

from forge_lib import ROOT
from forge_lib.evaluation.metrics import accuracy, by_difficulty
from forge_lib.evaluation.statistics import Comparison, compare, mcnemar
from forge_lib.lab.files import RunError, is_measure, read_json
from forge_lib.lab.jsonl import read_jsonl
from forge_lib.lab.runs import ADAPTERS, Run, shipped_adapter, shipped_file
from forge_lib.models.embedded import PREFIX
from forge_lib.publishing.card import check_numbers, format_prices
from forge_lib.tasks import COURSE

DAMAGE = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, StopIteration)


def gather(run: Run) -> dict:
    """The facts of every stage by name. Raises RunError without an evaluation, and for a damaged file, with its notebook."""
    found = {}
    for name, (made_by, stage) in STAGES.items():
        try:
            found[name] = stage(run)
        except DAMAGE as error:
            raise RunError(
                f"What {made_by} saved in runs/{run.name} cannot be reported ({type(error).__name__}: {error}): it is damaged, "
                f"or of another version of the course. Run {made_by} again."
            ) from error
    return found


def _evaluation(run: Run) -> SimpleNamespace:
    """Rows and paired tests of the frozen test; each row is held against the answers that it sums up."""
    made_by = "06_evaluation"
    rows = run.load_json("evaluation/rows.json", made_by)
    if not isinstance(rows, list) or not rows:
        raise ValueError("rows.json has no contender")
    check_numbers(rows)
    files = sorted(p for p in run.path("evaluation").glob("*.jsonl") if not p.stem.endswith("_replies"))
    answers = {p.stem: found for p in files if (found := run.load_records(f"evaluation/{p.name}", made_by))}
    named = {found[0]["contender"]: found for found in answers.values()}
    for row in rows:
        if row["contender"] in named:
            _check_row(row, named[row["contender"]])
    ship = shipped_adapter(run)
    tuned = answers[ship][0]["contender"] if ship in answers else ADAPTERS[ship]
    best = (run.saved("evaluation/base.json", made_by) or {"best": "base_zero", "chosen_on": None}) | {}
    base = answers[best["best"]][0]["contender"] if best["best"] in answers else None
    comparisons = [Comparison(**c) for c in run.saved("evaluation/comparisons.json", made_by) or []]
    check_numbers([*map(vars, comparisons)])
    return SimpleNamespace(
        rows=rows, answers=named, comparisons=comparisons, ship=ship, chosen_on=best["chosen_on"],
        shipped=next(r for r in rows if r["contender"] == tuned), base=next((r for r in rows if r["contender"] == base), None),
        gain=compare(answers[best["best"]], answers[ship], run.seed) if base and ship in answers else None,
        rl=compare(answers["sft"], answers["grpo"], run.seed) if {"sft", "grpo"} <= {*answers} else None,
        levels=_levels({r["contender"]: named[r["contender"]] for r in rows if r["contender"] in named}, run.task), verdicts=_verdicts({n: named[n] for n in (base, tuned) if n in named}),
    )  # fmt: skip


def _check_row(row: dict, answers: Sequence[dict]) -> None:
    """Raise ValueError where a row of the table is not that of its answers."""
    if row["items"] != len(answers) or abs(row["all"] - 100 * accuracy(answers)) > 1e-6:
        raise ValueError(
            f"rows.json says {row['all']:.1f}% of {row['items']} for '{row['contender']}', and its {len(answers)} answers say "
            f"{100 * accuracy(answers):.1f}%"
        )


def _levels(named: dict[str, list[dict]], task: str):
    """Accuracy by level of difficulty, levels without items left out; None where no answer has one."""
    if not named:
        return None
    table = by_difficulty(named, task)
    table = table.loc[:, table.loc["items"] > 0]
    return table if len(table.columns) else None


def _verdicts(named: dict[str, list[dict]]) -> dict[str, dict[str, float]]:
    """Share of each verdict (percent) by contender, the commonest of the last one first."""
    counts = {name: Counter(r["verdict"] for r in found) for name, found in named.items()}
    order = [*dict.fromkeys(v for count in reversed(counts.values()) for v, _ in count.most_common())]
    return {name: {v: 100 * count[v] / count.total() for v in order} for name, count in counts.items()}


def _sft(run: Run) -> SimpleNamespace | None:
    result, steps = run.saved("sft/result.json", "04_sft"), run.saved_records("sft/records.jsonl", "04_sft")
    if result is None or not steps:
        return None
    check_numbers([result, *steps])
    last = [r["loss"] for r in steps[-10:]]
    return SimpleNamespace(
        result=result, steps=steps, first_loss=steps[0]["loss"], last_loss=sum(last) / len(last), averaged=len(last),
        checks=[r for r in steps if "validation_loss" in r], minutes=result["train_seconds"] / 60,
    )  # fmt: skip


def _grpo(run: Run) -> SimpleNamespace | None:
    result, steps = run.saved("grpo/result.json", "05_grpo"), run.saved_records("grpo/records.jsonl", "05_grpo")
    if result is None or not steps:
        return None
    check_numbers([result, *steps])
    half = max(1, len(steps) // 2)
    return SimpleNamespace(
        result=result, steps=steps, minutes=sum(r["step_time"] for r in steps) / 60, kl=steps[-1]["kl"],
        silent=_mean(steps, "frac_reward_zero_std"), early=_mean(steps[:half], "reward"), late=_mean(steps[-half:], "reward"),
    )  # fmt: skip


def _mean(records: Sequence[dict], name: str) -> float:
    return sum(r[name] for r in records) / len(records)


def _files(run: Run) -> SimpleNamespace | None:
    formats = run.saved("export/formats.json", "07_quantization")
    if not formats:
        return None
    check_numbers([*formats, *[f.get("validation", {}) for f in formats]])
    return SimpleNamespace(
        formats=formats, prices=format_prices(run.dir, formats), rehearsed=format_prices(run.dir, formats, on_validation=True),
        shipped=shipped_file(run, formats),
    )  # fmt: skip


def _costs(run: Run) -> SimpleNamespace | None:
    """Minutes and memory of each notebook as `run_all.py` measured them."""
    if not run.path("summary.json").exists():
        return None
    summary = read_json(run.path("summary.json"), "Delete it, or execute the notebooks again by run_all.py.")
    rows = summary["notebooks"]
    if not all(is_measure(r["seconds"]) and is_measure(r["peak_gb"]) for r in rows):
        raise ValueError("a time or a size is no number")
    return SimpleNamespace(rows=rows, commit=summary.get("commit"), minutes=sum(r["seconds"] for r in rows) / 60,
                           peak_gb=max((r["peak_gb"] for r in rows), default=0.0))  # fmt: skip


def _economics(run: Run) -> str:
    """What answers cost and from which volume on that pays, as 06 reckoned it, and where its prices are from; "" without."""
    found = run.saved("evaluation/economics.json", "06_evaluation")
    if found is None:
        return ""
    prices, even = sorted({row["price"] for row in found["offers"]}), found["break_even"]
    pays = f"From {even:,.0f} questions a month" if even else "At no volume"
    return (
        f"{found['for_who_pays']} {pays} that is cheaper than the hosted model that it was laid beside. "
        f"Prices: {'; '.join(prices)}."
    )


def _whole(relative: str, made_by: str) -> tuple[str, Callable[[Run], dict | None]]:
    """A stage whose facts are one file, as it is."""
    return made_by, lambda run: run.saved(relative, made_by)


STAGES: dict[str, tuple[str, Callable]] = {
    "evaluation": ("06_evaluation", _evaluation), "data": _whole("data/summary.json", "02_data"),
    "setup": _whole("setup/checks.json", "01_setup"), "lora": _whole("lora/summary.json", "03_lora_mechanics"),
    "sft": ("04_sft", _sft), "grpo": ("05_grpo", _grpo), "files": ("07_quantization", _files),
    "analysis": _whole("analysis/summary.json", "09_comparative_analysis"),
    "economics": ("06_evaluation", _economics), "costs": ("run_all.py", _costs),
}  # fmt: skip


def ablations(run: Run, folder: Path = ROOT / "benchmarks") -> SimpleNamespace | None:
    """What the repository's benchmarks hold on ranks, methods and mixes of data.

    None for a run that they say nothing of: they were measured on the course's task and the embedded base.
    """
    if run.task != COURSE or not run.profile.base_model.startswith(PREFIX):
        return None
    again = "Put it back: git checkout benchmarks"
    sweep, mix = (
        read_jsonl(p, again) if (p := folder / f"{n}.jsonl").exists() else [] for n in ("lora_sweep", "data_mix")
    )
    pieces = read_json(p, again) if (p := folder / "sft_ablation.json").exists() else {}
    speed = pieces[run.profile.dtype]["rows"] if run.profile.dtype in pieces else []
    ranks = sorted({r["rank"] for r in sweep if r["kind"] == "sweep"})
    losses = {(r["name"], r["rank"]): r["validation_loss"] for r in sweep if r["kind"] == "sweep"}
    return SimpleNamespace(
        base=next((r for r in sweep if r["kind"] == "base"), None), ranks=ranks, losses=losses,
        targets=[*dict.fromkeys(name for name, _ in losses)], methods=[r for r in sweep if r["kind"] == "method"],
        mix=[r | _against(mix[0]["validation"], r["validation"]) for r in mix], speed=speed,
    )  # fmt: skip


def _against(first: Sequence[dict], second: Sequence[dict]) -> dict:
    """Answers that are right, and McNemar's p against another condition's on the same items (None for itself)."""
    before, after = ({r["id"]: r["verdict"] == "correct" for r in found} for found in (first, second))
    lost, gained = (sum(a[i] and not b[i] for i in before if i in b) for a, b in ((before, after), (after, before)))
    p = None if first is second or before.keys() != after.keys() else mcnemar(lost, gained)
    return {"right": sum(after.values()), "of": len(after), "gained": gained, "lost": lost, "p_value": p}
