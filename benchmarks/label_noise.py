"""What wrong answers in the training pairs cost: the same pairs and steps, 0, 2, 10 and 30% of the answers wrong.

`python -m benchmarks.label_noise` trains the embedded model once for every share and seed (minutes each, one after the
other) and appends what came out to benchmarks/label_noise.jsonl; rows that are there are skipped, and a killed training goes
on from its state. The pairs that are wrong at 2% are wrong at 10% too, each answer is proven wrong by execution, and a seed
draws the same pairs in the same order for every share: nothing but the answers differs. Every training is scored on
validation; the test stays closed. `--steps 2 --checks 4 --output …` is a dry run of minutes.
"""

import argparse
import time
from collections import Counter
from pathlib import Path

from forge_lib import CACHE
from forge_lib.data.items import spread, training_part
from forge_lib.evaluation.contenders import local_model
from forge_lib.evaluation.intervals import cluster_interval
from forge_lib.evaluation.metrics import evaluate
from forge_lib.evaluation.seeds import over_seeds
from forge_lib.lab.jsonl import append_jsonl, read_jsonl
from forge_lib.lab.profiles import get_profile
from forge_lib.lab.runs import seed_everything
from forge_lib.models.load import load_base, load_tokenizer
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.sources.course import load_course
from forge_lib.training.budgets import equal_steps
from forge_lib.training.label_noise import with_wrong_answers
from forge_lib.training.packing import make_packs
from forge_lib.training.sft import add_lora, mean_loss, settings_for, train

RESULTS = Path(__file__).with_suffix(".jsonl")
SHARES = (0.0, 0.02, 0.1, 0.3)
SEEDS = (17, 18, 19)
N = 1000  # written training pairs, as in benchmarks/data_mix.py


def run(share: float, seed: int, data: DataSet, arguments) -> dict:
    """Train and score one share."""
    profile, _ = get_profile("cpu")
    clean = training_part(data.train, arguments.pairs, 0, seed)
    pairs, changed = with_wrong_answers(data, clean, share, seed)
    seed_everything(seed)
    tokenizer, model = load_tokenizer(profile), add_lora(load_base(profile), profile)
    once = make_packs(data, clean, tokenizer, profile.pack_questions, profile.max_length)
    count = arguments.steps or -(-len(once) // profile.packs_per_step)
    steps = equal_steps(data, pairs, tokenizer, profile, count, seed)
    settings, began = settings_for(profile), time.perf_counter()
    state = CACHE / "label_noise" / f"{share:g}-{seed}-{arguments.pairs}-{count}.pt"
    records = train(model, steps, tokenizer.pad_token_id, settings, progress=False, state=state)
    last = records[-10:]
    row = {"share": share, "seed": seed, "pairs": len(pairs), "asked": arguments.steps, "steps": len(steps), "wrong": len(changed),
           "kinds": dict(Counter(c["kind"] for c in changed)), "examples": sum(r["examples"] for r in records),
           "minutes": (time.perf_counter() - began) / 60, "training_loss": sum(r["loss"] for r in last) / len(last)}  # fmt: skip
    checked = spread(data.validation, arguments.checks, SEEDS[0])  # the same ones for every seed
    checks = make_packs(data, checked, tokenizer, profile.pack_questions, profile.max_length)
    row["validation_loss"] = mean_loss(model, checks, tokenizer.pad_token_id, settings)
    answers = local_model(model, tokenizer, data, profile.max_new_tokens, profile.eval_batch, progress=False)
    found = evaluate(f"{share:.0%} wrong", answers, data, checked)
    kept = ("id", "context", "verdict", "correct")
    return row | {"checks": len(checked), "validation": [{name: r[name] for name in kept} for r in found]}


def noise_points(rows: list[dict]) -> list[dict]:
    """Points of `forge_lib.lab.figures.noise_curve`: a share's accuracy over its seeds, with the interval of items and seeds;
    of one seed that of the items alone."""
    points = []
    for share in sorted({r["share"] for r in rows}):
        runs = [r["validation"] for r in rows if r["share"] == share]
        point = {"share": share, "seeds": [100 * sum(v["correct"] for v in run) / len(run) for run in runs]}
        if len(runs) > 1:
            found = over_seeds(runs)
            point |= {"accuracy": found.mean, "low": found.low, "high": found.high}
        else:
            [values] = ([100.0 * v["correct"] for v in run] for run in runs)
            low, high = cluster_interval(values, [v["context"] for v in runs[0]], bounds=(0.0, 100.0))
            point |= {"accuracy": sum(values) / len(values), "low": low, "high": high}
        points.append(point)
    return points


def main() -> None:
    """Run the shares and seeds that have no row yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shares", type=float, nargs="+", default=list(SHARES))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--pairs", type=int, default=N, help="training pairs")
    parser.add_argument("--steps", type=int, help="optimizer steps; by default those of one pass over the pairs")
    parser.add_argument("--checks", type=int, help="validation pairs; all by default")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    rows = read_jsonl(arguments.output, "Put it back from git.") if arguments.output.exists() else []
    done = {(r["share"], r["seed"], r["pairs"], r["asked"]) for r in rows}
    data = load_course()
    for seed in arguments.seeds:
        for share in arguments.shares:
            if (share, seed, arguments.pairs, arguments.steps) in done:
                continue
            row = run(share, seed, data, arguments)
            append_jsonl(arguments.output, row)
            right = sum(r["correct"] for r in row["validation"]) / len(row["validation"])
            print(f"{share:.0%} wrong, seed {seed}: {row['minutes']:.1f} min, loss {row['validation_loss']:.3f}, right: {right:.1%}",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
