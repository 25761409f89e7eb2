"""Batched generation side by side in one process: `forge_lib.models.generate` against transformers' own `generate`.

`python -m benchmarks.generation_speed --run default` asks the model of a run (its SFT adapter, merged, so that both sides have
the same plain weights) validation questions: greedily, and for eight samples of each of sixteen prompts (a step of RL, a
vote). transformers answers in batches of 16 in float32; the course in the same batches, in the profile's, and in the
profile's number format. The sides take turns, `--times` times, and the best time of each counts. It prints tokens/s (new
tokens; an ended answer's padding is not counted), and how many greedy answers are equal, token by token.
"""

import argparse
import json
import time
from pathlib import Path

import torch

from forge_lib import ROOT
from forge_lib.data.items import spread
from forge_lib.evaluation.contenders import messages_for
from forge_lib.export.merge import merged_model
from forge_lib.lab.files import write_atomically
from forge_lib.lab.profiles import get_profile
from forge_lib.models import plain
from forge_lib.models.chat import encode_prompt
from forge_lib.models.generate import generate
from forge_lib.models.load import load_tokenizer
from forge_lib.tasks.sql.sources.course import load_course

RESULTS = ROOT / "benchmarks/generation_speed.json"
SAMPLED, SAMPLES, TEMPERATURE = 16, 8, 0.7


def main() -> None:
    """Print and keep the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="default")
    parser.add_argument("--adapter", type=Path, help="a folder, instead of a run's")
    parser.add_argument("--questions", type=int, default=64)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    profile, _ = get_profile("cpu")
    data, tokenizer = load_course(), load_tokenizer(profile)
    prompts = [encode_prompt(tokenizer, messages_for(data, p)) for p in spread(data.validation, options.questions, 17)]
    repeated = [p for p in prompts[:SAMPLED] for _ in range(SAMPLES)]
    adapter = options.adapter or ROOT / "runs" / options.run / "sft/adapter"
    kinds = dict.fromkeys(["float32", profile.dtype])
    models = {kind: merged_model(profile, adapter, kind) for kind in kinds}
    sides = [("transformers", plain.generate, 16, "float32"), ("forge", generate, 16, "float32")]
    sides += [("forge", generate, profile.eval_batch, kind) for kind in kinds]
    asked = {"greedy": (prompts, 0.0), f"{SAMPLES} samples": (repeated, TEMPERATURE)}
    best: dict = {}
    for turn in range(options.times):
        for what, (questions, temperature) in asked.items():
            for name, way, batch, kind in sides:
                model = models[kind]
                model.set_attn_implementation("sdpa" if way is plain.generate else "forge")
                torch.manual_seed(turn)
                began = time.perf_counter()
                done = way(model, tokenizer, questions, profile.max_new_tokens, batch, False, temperature)
                seconds = time.perf_counter() - began
                row = {"name": f"{name}, batch {batch}, {kind}", "asked": what, "seconds": seconds,
                       "tokens_per_second": sum(len(c.ids) for c in done) / seconds}  # fmt: skip
                known = best.setdefault((what, row["name"]), (row, [c.ids for c in done]))
                if row["tokens_per_second"] > known[0]["tokens_per_second"]:
                    best[what, row["name"]] = (row, known[1])
    write_atomically(RESULTS, json.dumps([*compared(best)], indent=1) + "\n")


def compared(best: dict):
    """Each side's row with what it is against the first of its kind, printed as it comes."""
    for (what, name), (row, answers) in best.items():
        first, wanted = next(side for (asked, _), side in best.items() if asked == what)
        row |= {"ratio": row["tokens_per_second"] / first["tokens_per_second"], "questions": len(answers)}
        line = f"{what:<10} {name:<30}{row['tokens_per_second']:7.0f} tokens/s {row['ratio']:5.1f} times"
        if what == "greedy":
            row["equal"] = sum(a == b for a, b in zip(answers, wanted, strict=True))
            line += f"   {row['equal']} of {len(answers)} answers equal, token by token"
        print(line)
        yield row


if __name__ == "__main__":
    main()
