"""What a card says beside its results, read off the run: what went wrong, and what the training was and took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from forge_lib.lab.jsonl import read_jsonl
from forge_lib.lab.runs import Run
from forge_lib.models.embedded import describe_base

_AGAIN = "Run 06_evaluation and 07_quantization again."
# Watts that the whole machine is assumed to draw while it trains; nobody measured them. A card's own limit (70 W of a
# T4, 400 W of an A100, by Nvidia's data sheets) and 100 W for what is around it; a desktop; a laptop of Apple's.
_WATTS = {"t4": 170, "a100": 500, "mlx": 40}
_DESKTOP = 100


def shipped_records(run: Run, shown: Mapping) -> list[dict]:
    """The answers behind a row: of a file in `export/` (it has a format), else of a contender. Empty where not kept."""
    if "format" in shown:
        path = run.path("export", f"{shown['format']}.jsonl")
        return read_jsonl(path, _AGAIN) if path.exists() else []
    for path in sorted(run.path("evaluation").glob("*.jsonl")):
        records = read_jsonl(path, _AGAIN)
        if records and records[0].get("contender") == shown["contender"]:
            return records
    return []


def error_counts(records: Sequence[dict], error_class: Callable[[dict], str]) -> str:
    """Markdown: how many of the wrong answers are of which class, the commonest first. "" without a wrong answer."""
    wrong = Counter(error_class(r) for r in records if not r["correct"])
    if not wrong:
        return ""
    lines = [f"| {name} | {count} | {100 * count / len(records):.1f} |" for name, count in wrong.most_common()]
    return "\n".join(["| wrong answers | number | of all (%) |", "|---|---|---|", *lines])


def accuracy_by(records: Sequence[dict], name: str, label: Callable[[dict], str]) -> str:
    """Markdown: how many answers are right, by what `label` says of their records. "" without records."""
    asked, right = Counter(map(label, records)), Counter(label(r) for r in records if r["correct"])
    lines = [f"| {key} | {asked[key]} | {right[key]} | {100 * right[key] / asked[key]:.1f} |" for key in sorted(asked)]
    return "\n".join([f"| {name} | questions | right | % |", "|---|---|---|---|", *lines]) if lines else ""


def examples(records: Sequence[dict]) -> list[dict]:
    """The first right and the first wrong answer, as far as there are."""
    return [r for correct in (True, False) for r in [r for r in records if r["correct"] is correct][:1]]


def forgotten(run: Run) -> str:
    """A sentence on what the base could do and this cannot any more, as far as 09 has measured it."""
    measured = run.saved("analysis/summary.json", "09_comparative_analysis")
    probe = measured["probe"] if measured is not None else None
    if not probe:
        return "What the base could do besides and this may have lost was not measured before this card was written."
    return (
        f"On a small probe of general knowledge the base was right {probe['base']:.0f}% of the time and the tuned model, in "
        f"PyTorch, {probe['tuned']:.0f}%: {probe['difference']:+.1f} points [{probe['low']:+.1f}, {probe['high']:+.1f}]."
    )


def training_table(run: Run) -> str:
    """Markdown: settings, examples, time and estimated energy of the training, as the run's files have them."""
    config = run.config("sft")
    made = vars(run.profile) | config.get("profile", {})
    done = run.saved("sft/result.json", "04_sft") or {}
    both = (run.saved("grpo/result.json", "05_grpo") or {}).get("ship") == "grpo"
    seconds = done.get("train_seconds")
    if both and seconds is not None:
        seconds += sum(r["step_time"] for r in read_jsonl(run.path("grpo", "records.jsonl"), "Run 05_grpo again."))
    rows = {
        "base": describe_base(made["base_model"]),
        "method": f"LoRA on all linear layers, rank {made['lora_rank']}, α {made['lora_alpha']}"
        + (", then GRPO with the grade as reward" if both else ""),
        "base in memory": "4 bits (NF4)" if made["quantize_4bit"] else made["dtype"],
        "learning rate": f"{made['learning_rate']:g}, cosine" + (f"; GRPO {made['grpo_learning_rate']:g}" if both else ""),
        "a step": f"{made['packs_per_step']} packs of up to {made['pack_questions']} questions, {made['max_length']} tokens at most",
        "examples seen": f"{done['examples']:,}" if "examples" in done else "not recorded",
        "engine": f"{made['engine']}, on {config.get('machine', 'a machine that was not recorded')}",
        "time": "not recorded" if seconds is None else f"{seconds / 60:.1f} minutes of training steps",
        "energy": _energy(run.profile.name, seconds),
    }  # fmt: skip
    return "\n".join(["| training | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])


def _energy(profile: str, seconds: float | None) -> str:
    """The estimate, with what it assumes.

    >>> _energy("cpu", 1800)
    'about 0.05 kWh: an estimate, 100 W (assumed for the whole machine, not measured) over that time'
    """
    if seconds is None:
        return "not estimated, for the time was not recorded"
    watts = _WATTS.get(profile, _DESKTOP)
    kwh = watts * seconds / 3.6e6
    return f"about {kwh:.2g} kWh: an estimate, {watts} W (assumed for the whole machine, not measured) over that time"
