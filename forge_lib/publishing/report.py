"""`python -m forge_lib.publishing.report`: the README's tables, from a finished run.

Rewrites what stands between `<!-- name -->` and `<!-- /name -->`; nothing there is typed by hand.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from pathlib import Path

from forge_lib import ROOT
from forge_lib.evaluation.endpoint import MADE_BY, NOT_RUN
from forge_lib.evaluation.metrics import result_table
from forge_lib.evaluation.statistics import Comparison
from forge_lib.lab.files import RunError, read_json, write_atomically
from forge_lib.lab.jsonl import read_jsonl
from forge_lib.lab.profiles import PROFILES, measured
from forge_lib.lab.runs import run_folder
from forge_lib.publishing.card import check_numbers, format_prices, score_cell
from forge_lib.publishing.grpo_starts import starts_sentences, starts_table

ABOUT = {
    "01_setup": "what this machine can do; prompt, retrieve or fine-tune; the base model's wrong SQL",
    "02_data": "thirty pairs read, ten broken; the gate, synthesis, how many examples are enough; the loss mask in colour",
    "03_lora_mechanics": "LoRA, rsLoRA, DoRA and NF4 written out, equal to the libraries'; memory; a sweep over ranks and methods",
    "04_sft": "supervised fine-tuning: range test, packs, checkpoints by execution accuracy, a killed run that goes on, a gallery of faults",
    "05_grpo": "headroom, a reward in parts, advantages and the loss by hand; GRPO, Dr. GRPO, DAPO; a reward gamed on purpose",
    "06_evaluation": "the frozen test on several states: look-ups, base, SFT, GRPO, help at inference; intervals, paired tests, prices",
    "07_quantization": "merge, GGUF, quantize, reload, score every file",
    "08_publishing": "a model card from the run's numbers; a Hub folder; dry run by default",
    "09_comparative_analysis": "what was gained, what was lost, where the model looks, what it costs",
    "10_your_own_database": "elective: from a SQLite file without labels to a reviewed training set, and whether it helped",
    "11_preferences": "elective: pairs by execution, DPO by hand, IPO, KTO, ORPO, a reward model and best of n",
    "12_distillation": "elective: rejection sampling in rounds, logits against answers, better data or more",
    "13_model_merging": "elective: task arithmetic, SLERP, TIES, DARE; whether merging buys back what was forgotten",
    "14_serving": "elective: one prompt everywhere; a URL, MCP, a page; what a waiting user sees; what happens when it breaks",
}

CORE = ("models/load", "training/sft", "evaluation/metrics", "export/merge", "export/gguf")


def results_markdown(run: Path) -> str:
    """Result table, the paired comparisons and the GGUF table of one run.

    Raises RunError where a result is missing or damaged.
    """
    try:
        return _results(run)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise RunError(
            f"The results in runs/{run.name} cannot be made a table ({type(error).__name__}: {error}): they are damaged, or "
            "of another version of the course. Run 06_evaluation and 07_quantization again."
        ) from error


def _results(run: Path) -> str:
    rows = _load(run, "evaluation/rows.json", "06_evaluation")
    comparisons = _load(run, "evaluation/comparisons.json", "06_evaluation")
    config = _load(run, "config.json", "01_setup")
    if not (rows and comparisons):
        raise ValueError("one of its tables is empty")
    check_numbers([*rows, *comparisons])
    lines = [
        f"Execution accuracy (%) on the frozen test of {rows[0]['items']} questions, profile `{config['profile']['name']}`, "
        f"seed {config['seed']}; in brackets the 95% interval, by databases: Wilson's "
        "at the effective number of questions, Tango's for differences (`python -m benchmarks.interval_coverage` shows what they keep).",
        "",
        result_table(rows).reset_index().to_markdown(index=False, disable_numparse=True),
        "",
        *[f"- {Comparison(**c)}" for c in comparisons],
        *_not_run(run),
        *_on_states(run),
        *_worth(run),
        *_files(run),
    ]
    return "\n".join(lines)


def _not_run(run: Path) -> list[str]:
    """A line for each contender that was not asked; for the hosted model with the command that adds its row."""
    if not (run / NOT_RUN).exists():
        return []
    adds = {"frontier": f"; `python -m forge_lib.evaluation.endpoint --run {run.name}` adds it"}
    missing = _load(run, NOT_RUN, MADE_BY)
    return [f"- {name}: not run ({why}){adds.get(name, '')}." for name, why in missing.items()]


def _files(run: Path) -> list[str]:
    """The files for llama.cpp with their scores, or where they would come from."""
    if not (run / "export/formats.json").exists():
        return ["", "Files for llama.cpp were not made in this run; `07_quantization` makes them and scores each."]
    formats = _load(run, "export/formats.json", "07_quantization")
    if not formats:
        raise ValueError("it has no file for llama.cpp")
    check_numbers([*formats, *[f.get("validation", {}) for f in formats]])
    prices = format_prices(run, formats, on_validation=True)
    others = [f["format"] for f in formats if "validation" in f][1:] if prices else []
    paired = {f: f"{p.difference:+.1f} [{p.low:+.1f}, {p.high:+.1f}]" for f, p in zip(others, prices, strict=True)}
    return [
        "",
        f"The model that ships, as files for llama.cpp, each reloaded and scored: on validation, with the paired difference from "
        f"{formats[0]['format']} by which one was chosen to ship, and on the frozen test where a number stands.",
        "",
        "| format | MB | validation (%) | difference (points) | frozen test (%) | tokens/s on this CPU |",
        "|---|---|---|---|---|---|",
        *[f"| {f['format']} | {f['megabytes']:.0f} | {score_cell(f.get('validation', {}))} | {paired.get(f['format'], '–')} "
          f"| {score_cell(f)} | {f['tokens_per_second']:.0f} |" for f in formats],
        "",
        *[f"- On the frozen test: {price}" for price in format_prices(run, formats)],
    ]  # fmt: skip


def _on_states(run: Path) -> list[str]:
    """How many right answers are right on every state of their database too; nothing for a run that asked one alone."""
    if not (run / "evaluation/states.json").exists():
        return []
    found = _load(run, "evaluation/states.json", MADE_BY)
    said = [
        f"{name} {s['on all (%)']:.1f}% ({s['fell']:.0f} of {s['right']:.0f} fell)"
        for name, s in found.items()
        if s["right"]
    ]
    return [
        "",
        f"Right on every state of its database, where the table has the usual one alone: {', '.join(said) or 'no answer'}.",
    ]


def _worth(run: Path) -> list[str]:
    """When the tuned model is the right pick, and what a person pays for; nothing for a run that did not reckon it."""
    if not (run / "evaluation/economics.json").exists():
        return []
    found = _load(run, "evaluation/economics.json", MADE_BY)
    return ["", *[f"- {sentence}" for sentence in found["right_pick"]], "", found["for_who_pays"]]


def map_markdown() -> str:
    """The notebooks, what each is about, and minutes per profile as measured."""
    profiles = [p for p in PROFILES if measured(p)] or ["cpu"]
    unmeasured = [p for p in PROFILES if p not in profiles]
    lines = [
        "| notebook | about | " + " | ".join(f"min, `{p}`" for p in profiles) + " |",
        "|---|---|" + "---|" * len(profiles),
    ]
    for name, about in ABOUT.items():
        minutes = [measured(p).get("minutes", {}).get(name) for p in profiles]
        cells = " | ".join("not measured" if m is None else f"{m:.1f}" for m in minutes)
        lines.append(f"| [{name}](notebooks/{name}.ipynb) | {about} | {cells} |")
    totals = " | ".join(f"**{sum(measured(p).get('minutes', {}).values()):.0f}**" for p in profiles)
    peaks = ", ".join(f"{max(measured(p)['peak_gb'].values()):.1f} GB on `{p}`" for p in profiles if measured(p))
    lines += [f"| together | | {totals} |", "", f"Peak resident memory: {peaks or 'not measured'}."]
    return "\n".join([*lines, f"Not measured yet: {', '.join(f'`{p}`' for p in unmeasured)}."])


def _speed_markdown(folder: Path = ROOT / "benchmarks") -> str:
    """What the speed benchmarks measured last, side by side."""
    sft, generation = (
        json.loads((folder / f"{name}_speed.json").read_text(encoding="utf-8")) for name in ("sft", "generation")
    )
    first = sft["sides"][0]
    lines = [
        f"Training {first['examples']} pairs on two cores, each side twice in processes of their own (the faster run counts):",
        "",
        "| SFT | examples/s | logical tokens/s | forge is … times as fast | peak GB |",
        "|---|---|---|---|---|",
        *[f"| {s['name']} | {s['examples_per_second']:.2f} | {s['tokens_per_second']:,.0f} | "
          f"{first['tokens_per_second'] / s['tokens_per_second']:.1f} | {s['peak_gb']:.1f} |" for s in sft["sides"]],
        "",
        sft["sentence"],
        "",
        *_ablation(json.loads((folder / "sft_ablation.json").read_text(encoding="utf-8"))),
        "| greedy answers of the tuned model | tokens/s | times as fast | equal to the first row's, token by token |",
        "|---|---|---|---|",
        *[f"| {g['name']} | {g['tokens_per_second']:,.0f} | {g['ratio']:.1f} | {g['equal']} of {g['questions']} |" for g in generation],
        "",
        gpu_sentence(json.loads((folder / "gpu_speed.json").read_text(encoding="utf-8"))),
    ]  # fmt: skip
    return "\n".join(lines)


def gpu_sentence(rows: list[dict]) -> str:
    """Which sides of `benchmarks.gpu_speed` a card has run, with their rates, and which none has."""
    done, missing = [], {}
    for row in rows:
        if rate := row.get("tokens_per_second"):
            done.append(f"{row['size']} {row['method']} by {row['engine']} {rate:,.0f} tokens/s, {row['peak_gb']:.1f} GB on {row['card']}")  # fmt: skip
        else:
            missing.setdefault(f"{row['size']} {row['method']}", []).append(row["engine"])
    said = [f"{'; '.join(done)}."] if done else []
    if missing:
        sides = "; ".join(f"{name} by {', '.join(engines)}" for name, engines in missing.items())
        said.append(f"not measured: {sides}.")
    return f"On a GPU (`python -m benchmarks.gpu_speed`): {' '.join(said)}"


def _starts_markdown(folder: Path = ROOT / "benchmarks") -> str:
    """What GRPO gained from a weak start, and from the course's adapter where that was run."""
    rows = read_jsonl(folder / "grpo_starts.jsonl", "Put it back: git checkout benchmarks")
    return "\n".join([
        "GRPO from other starts (`python -m benchmarks.grpo_starts`), on validation, greedy: the gain over the start's own answers "
        "to the same questions, with its 95% interval over questions, databases and seeds, and of each seed.",
        "", starts_table(rows), "", *starts_sentences(rows),
    ])  # fmt: skip


def _ablation(measured: dict[str, dict]) -> list[str]:
    """What each piece of the engine gains on those before it, for each number format that was measured."""
    lines = []
    for dtype, m in measured.items():
        rows = m["rows"]
        lines += [f"Piece by piece, {m['examples']} pairs in {dtype} on {m['threads']} threads, in a run of its own (`--ablation`):", "",
                  "| forge with | logical tokens/s | times the row above |", "|---|---|---|"]  # fmt: skip
        for before, row in zip([None, *rows], rows, strict=False):
            gain = f"{row['tokens_per_second'] / before['tokens_per_second']:.2f}" if before else ""
            lines.append(f"| {row['name']} | {row['tokens_per_second']:,.0f} | {gain} |")
        together = rows[-1]["tokens_per_second"] / rows[0]["tokens_per_second"]
        lines += ["", f"In {dtype} all pieces together are {together:.2f} times as fast as packs alone.", ""]
    return lines


def _core_markdown() -> str:
    """The way from weights to a file that runs elsewhere, with its length."""
    lines = {name: _code_lines(ROOT / "forge_lib" / f"{name}.py") for name in CORE}
    each = ", ".join(f"`{name}` {count}" for name, count in lines.items())
    return (
        f"The core path, load → SFT → evaluate → merge → GGUF, is {sum(lines.values())} lines of code in {len(lines)} modules "
        f"({each}; docstrings and comments not counted). What stands beside it makes it fast, or checks what people bring."
    )


def _code_lines(module: Path) -> int:
    """Lines of a module as `ast.unparse` writes them: no comments, no docstrings, a statement a line."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return sum(bool(line) for line in ast.unparse(tree).splitlines())


BLOCKS = {
    "map": map_markdown, "starts": _starts_markdown, "speed": _speed_markdown, "core": _core_markdown,
}  # of README, that no run changes  # fmt: skip


def replace_block(text: str, name: str, content: str) -> str:
    """`text` with the block between the markers of `name` replaced. Raises ValueError when the markers are missing."""
    pattern = rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)"
    if not re.search(pattern, text, re.S):
        raise ValueError(f"README.md has no block <!-- {name} --> … <!-- /{name} -->.")
    return re.sub(pattern, lambda m: m.group(1) + content + m.group(2), text, flags=re.S)


def _load(run: Path, relative: str, made_by: str):
    path = run / relative
    if not path.exists():
        raise RunError(f"runs/{run.name}/{relative} is missing: run notebook {made_by} first.")
    return read_json(path, f"Run notebook {made_by} again.", kind=(dict, list))


def main() -> int:
    """Rewrite the README from `--run`; 2 where a result is missing or damaged, with a sentence, and nothing is written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="default")
    given = parser.parse_args()
    try:
        run, readme = run_folder(given.run), ROOT / "README.md"
        text = replace_block(readme.read_text(encoding="utf-8"), "results", results_markdown(run))
        for name, content in BLOCKS.items():
            text = replace_block(text, name, content())
        write_atomically(readme, text)
    except (OSError, RunError, ValueError) as error:
        print(f"report: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
