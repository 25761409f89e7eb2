"""What is worth training on: the learning curve over reviewed pairs, and reviewed against synthetic pairs.

`python -m benchmarks.data_mix` trains the embedded model once a row of CONDITIONS (minutes each, one after the other) and
appends what came out to benchmarks/data_mix.jsonl; rows that are there are skipped. Notebook 02 draws its figures from
that file. Every condition is scored on validation; the test stays closed. `--course default` adds what notebook 04
reached in that run, on all pairs of its profile.
"""

import argparse
import random
import time
from pathlib import Path

from forge_lib import ROOT
from forge_lib.data.items import spread, training_part
from forge_lib.evaluation.contenders import local_model
from forge_lib.evaluation.metrics import evaluate
from forge_lib.lab.files import read_json, write_atomically
from forge_lib.lab.jsonl import append_jsonl, json_lines, read_jsonl
from forge_lib.lab.profiles import get_profile
from forge_lib.lab.runs import seed_everything
from forge_lib.models.load import load_base, load_tokenizer
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.gate import check_pairs, keep
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.sources.course import load_course
from forge_lib.tasks.sql.synthesis.draw import synthesize
from forge_lib.training.packing import make_packs, make_steps
from forge_lib.training.sft import add_lora, mean_loss, settings_for, train

RESULTS = Path(__file__).with_suffix(".jsonl")
AGAIN = "Run the notebook that writes it again."
N = 1000  # pairs of one condition: what two cores learn in five minutes
DRAFTS = 14  # template pairs drawn on each database, before the gate
# name: (reviewed pairs, sampled pairs worded by the teacher, sampled pairs worded by template, examples seen in training)
CONDITIONS = {
    "reviewed": (N, 0, 0, N), "synthetic, teacher": (0, N, 0, N), "half and half": (N // 2, N // 2, 0, N),
    "reviewed 400": (400, 0, 0, 400), "reviewed 200": (200, 0, 0, 400), "reviewed 100": (100, 0, 0, 400),
    "reviewed 50": (50, 0, 0, 400), "synthetic, template": (0, 0, N, N),
}  # fmt: skip


def choose(data: DataSet, reviewed: int, teacher: int, template: int, seed: int) -> list[Pair]:
    """Pairs of one condition, spread over databases; smaller draws are part of larger ones.

    Template pairs are drawn afresh on the databases of the sampled pairs, and pass the gate: what one has without a teacher.
    """
    drawn = training_part(data.train, reviewed, teacher, seed)
    if template:
        ids = sorted({p.db_id for p in data.train if p.provenance.startswith("sampled")})
        drafts = [p for db_id in ids for p in synthesize(data.database(db_id), DRAFTS, seed)]
        drawn += spread(keep(drafts, check_pairs(data, drafts)), template, seed)
    return drawn


def run(name: str, data: DataSet, seed: int) -> dict:
    """Train and score one condition."""
    profile, _ = get_profile("cpu")
    *counts, seen = CONDITIONS[name]
    pairs = choose(data, *counts, seed)
    seed_everything(seed)
    tokenizer, model, rng = load_tokenizer(profile), add_lora(load_base(profile), profile), random.Random(seed)
    packs = []
    while sum(map(len, packs)) < seen:
        packs += make_packs(data, pairs, tokenizer, profile.pack_questions, profile.max_length, rng)
    while sum(map(len, packs[:-1])) >= seen:
        packs.pop()
    settings, began = settings_for(profile), time.perf_counter()
    records = train(model, make_steps(packs, profile.packs_per_step), tokenizer.pad_token_id, settings, progress=False)
    row = {"condition": name, "pairs": len(pairs), "databases": len({p.db_id for p in pairs}), "seed": seed,
           "examples": sum(r["examples"] for r in records), "minutes": (time.perf_counter() - began) / 60,
           "training_loss": sum(r["loss"] for r in records[-10:]) / len(records[-10:])}  # fmt: skip
    checks = make_packs(data, data.validation, tokenizer, profile.pack_questions, profile.max_length)
    row["validation_loss"] = mean_loss(model, checks, tokenizer.pad_token_id, settings)
    answers = local_model(model, tokenizer, data, profile.max_new_tokens, profile.eval_batch, progress=False)
    found = evaluate(name, answers, data, data.validation)
    row["validation"] = [{"id": r["id"], "verdict": r["verdict"]} for r in found]
    return row


def of_course(folder: Path, data: DataSet) -> dict:
    """The row of a finished run of notebook 04."""
    config, result = (read_json(folder / name, AGAIN) for name in ("config.json", "sft/result.json"))
    profile = config["profile"]
    pairs = training_part(data.train, profile["sft_pairs"], profile["sft_sampled"], config["seed"])
    answers = read_jsonl(folder / f"sft/validation/step-{result['step']:04d}.jsonl", AGAIN)
    steps = read_jsonl(folder / "sft/records.jsonl", AGAIN)
    return {"condition": f"all of profile {profile['name']}", "pairs": len(pairs), "databases": len({p.db_id for p in pairs}),
            "seed": config["seed"], "examples": result["examples"], "minutes": result["train_seconds"] / 60,
            "training_loss": sum(r["loss"] for r in steps[-10:]) / len(steps[-10:]), "validation_loss": result["validation_loss"],
            "validation": [{"id": r["id"], "verdict": r["verdict"]} for r in answers]}  # fmt: skip


def main() -> None:
    """Run the conditions that have no row yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="part of the names of the conditions to run")
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--course", metavar="RUN", help="add notebook 04's result in runs/RUN, and stop")
    arguments = parser.parse_args()
    rows = read_jsonl(RESULTS, "Put it back from git.") if RESULTS.exists() else []
    done = {(r["condition"], r["seed"]) for r in rows}
    data = load_course()
    if arguments.course:
        row = of_course(ROOT / "runs" / arguments.course, data)
        others = [r for r in rows if (r["condition"], r["seed"]) != (row["condition"], row["seed"])]
        write_atomically(RESULTS, json_lines([*others, row]))
        return
    for name in CONDITIONS:
        if (name, arguments.seed) in done or (arguments.only and arguments.only not in name):
            continue
        row = run(name, data, arguments.seed)
        append_jsonl(RESULTS, row)
        right = sum(r["verdict"] == "correct" for r in row["validation"]) / len(row["validation"])
        print(f"{name}: {row['minutes']:.1f} min, loss {row['validation_loss']:.3f}, right: {right:.1%}", flush=True)


if __name__ == "__main__":
    main()
