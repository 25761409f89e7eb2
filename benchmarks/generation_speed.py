"""Batched generation for evaluation, side by side in one process: `forge_lib.models.load.generate` against transformers'.

`python -m benchmarks.generation_speed --run default` asks the model of a run (its SFT adapter, merged, so that both sides have
the same plain weights) validation questions: transformers' `generate` in batches of 16 in float32, this course's in
float32 in the same batches and in the profile's, and in the profile's number format. It prints tokens/s (new tokens; an
ended answer's padding is not counted), and how many greedy answers are equal, token by token.
"""

import argparse
import json
import time

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


def main() -> None:
    """Print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="default")
    parser.add_argument("--questions", type=int, default=96)
    options = parser.parse_args()
    profile, _ = get_profile("cpu")
    data, tokenizer = load_course(), load_tokenizer(profile)
    pairs = spread(data.validation, options.questions, 17)
    prompts = [encode_prompt(tokenizer, messages_for(data, p)) for p in pairs]
    model = merged_model(profile, ROOT / "runs" / options.run / "sft/adapter", "float32").eval()
    limit, rows = profile.max_new_tokens, []

    def ids(generate, batch):
        return [list(c.ids) for c in generate(model, tokenizer, prompts, limit, batch, progress=False)]

    def side(name, answer):
        answer_began = time.perf_counter()
        with torch.no_grad():
            answers = answer()
        seconds, tokens = time.perf_counter() - answer_began, sum(map(len, answers))
        rows.append({"name": name, "tokens_per_second": tokens / seconds, "seconds": seconds, "answers": answers})

    model.set_attn_implementation("sdpa")
    side("transformers, batch 16, fp32", lambda: ids(plain.generate, 16))
    model.set_attn_implementation("forge")
    side("forge, batch 16, fp32", lambda: ids(generate, 16))
    side(f"forge, batch {profile.eval_batch}, fp32", lambda: ids(generate, profile.eval_batch))
    model.to(getattr(torch, profile.dtype))
    side(f"forge, batch {profile.eval_batch}, {profile.dtype}", lambda: ids(generate, profile.eval_batch))
    first = rows[0]
    for row in rows:
        same = [a == b for a, b in zip(row.pop("answers") if row is not first else first["answers"], first["answers"], strict=True)]  # fmt: skip
        row |= {
            "ratio": row["tokens_per_second"] / first["tokens_per_second"],
            "equal": sum(same),
            "questions": len(same),
        }
        print(f"{row['name']:<32}{row['tokens_per_second']:7.0f} tokens/s {row['ratio']:5.1f} times   "
              f"{row['equal']} of {row['questions']} answers equal, token by token")  # fmt: skip
    first.pop("answers")
    write_atomically(RESULTS, json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
