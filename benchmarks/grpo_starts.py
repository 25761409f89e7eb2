"""What GRPO adds to a weaker and to a stronger start: one adapter, several seeds, the answers of before and after.

`python -m benchmarks.grpo_starts` trains a start of a few SFT steps on the embedded model, once, lets `run_grpo` train it
further with each seed, and appends what validation said of each to benchmarks/grpo_starts.jsonl; rows that are there are
skipped, and a killed training goes on from its state. `--start full` begins at the adapter that comes with the course
instead. The questions are written training pairs, those of the start's SFT among them; a seed decides which come and what is
sampled. The test stays closed. `--start 2 --steps 1 --checks 4 --output …` is a dry run of minutes.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from forge_lib import CACHE
from forge_lib.data.items import spread, training_part
from forge_lib.evaluation.contenders import local_model
from forge_lib.evaluation.metrics import evaluate
from forge_lib.lab.jsonl import append_jsonl, read_jsonl
from forge_lib.lab.profiles import Profile, get_profile
from forge_lib.lab.runs import seed_everything
from forge_lib.models.load import load_adapted, load_base, load_tokenizer
from forge_lib.models.ready_made import folder
from forge_lib.publishing.grpo_starts import RUN, START, starts_table
from forge_lib.tasks.sql.sources.course import load_course
from forge_lib.training.budgets import equal_steps
from forge_lib.training.grpo import GRPOSettings, run_grpo
from forge_lib.training.sft import add_lora, save_adapter, settings_for, train

RESULTS = Path(__file__).with_suffix(".jsonl")
SEEDS = (17, 18, 19)
PAIRS = 1000  # written training pairs: what the start is trained on and GRPO asks
FULL = "full"  # the adapter that comes with the course
LOGGED = ("step", "reward", "frac_reward_zero_std", "kl", "entropy", "groups", "completions/mean_length",
          "completions/clipped_ratio", "step_time")  # fmt: skip


class Bench:
    """The data, the profile of the runs, and the questions that all are scored on."""

    def __init__(self, options: argparse.Namespace):
        self.options, self.data = options, load_course()
        self.profile: Profile = replace(
            get_profile("cpu")[0], grpo_steps=options.steps, grpo_prompts=options.prompts,
            grpo_generations=options.generations, grpo_learning_rate=options.rate, max_new_tokens=options.tokens,
        )  # fmt: skip
        self.tokenizer = load_tokenizer(self.profile)
        self.items = training_part(self.data.train, PAIRS, 0, SEEDS[0])
        self.checked = spread(self.data.validation, options.checks, SEEDS[0])

    def named(self, keys: Sequence[str]) -> dict:
        """These of the options."""
        return {key: getattr(self.options, key) for key in keys}

    def start(self) -> Path:
        """The adapter to begin with; a short SFT's is trained once and kept."""
        if self.options.start == FULL:
            return folder()
        kept, count = CACHE / "grpo_starts" / self.options.start, int(self.options.start)
        if not kept.is_dir():
            seed_everything(SEEDS[0])
            model = add_lora(load_base(self.profile), self.profile)
            steps = equal_steps(self.data, self.items, self.tokenizer, self.profile, count, SEEDS[0])
            state = kept.with_suffix(".pt")
            train(model, steps, self.tokenizer.pad_token_id, settings_for(self.profile), state=state)
            save_adapter(model, kept)
        return kept

    def scored(self, name: str, model) -> list[dict]:
        """What validation says of a model: of each question whether its answer is right, and whether it runs."""
        asked = local_model(model, self.tokenizer, self.data, self.profile.max_new_tokens, self.profile.eval_batch)
        kept = ("id", "context", "verdict", "correct", "valid")
        return [{key: r[key] for key in kept} for r in evaluate(name, asked, self.data, self.checked)]

    def before(self) -> dict:
        """The row of the start itself."""
        return self.named(START) | {
            "seed": None,
            "validation": self.scored("start", load_adapted(self.profile, self.start())),
        }

    def after(self, seed: int) -> dict:
        """The row of one run of GRPO."""
        model = load_adapted(self.profile, self.start(), trainable=True)
        state = CACHE / "grpo_starts" / ("-".join(map(str, self.named(RUN).values())) + f"-{seed}.pt")
        log = run_grpo(
            model, self.tokenizer, self.data, self.items, self.profile, seed, state=state, settings=GRPOSettings()
        )
        return self.named(RUN) | {"seed": seed, "log": [{key: r[key] for key in LOGGED} for r in log],
                            "validation": self.scored("GRPO", model)}  # fmt: skip


def main() -> None:
    """Run the start and the seeds that have no row yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", default="100", help=f"SFT steps of the start, or '{FULL}'")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--prompts", type=int, default=4)
    parser.add_argument("--generations", type=int, default=8)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument(
        "--tokens", type=int, default=64, help="new tokens of an answer at most, in training and on validation"
    )
    parser.add_argument("--checks", type=int, help="validation questions; all by default")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    rows = read_jsonl(options.output, "Put it back from git.") if options.output.exists() else []
    bench = Bench(options)
    there = [(r["seed"], {key: r.get(key) for key in RUN}) for r in rows]
    for seed in [None, *options.seeds]:
        wanted = bench.named(START if seed is None else RUN)
        if any(s == seed and wanted.items() <= row.items() for s, row in there):
            continue
        row = bench.before() if seed is None else bench.after(seed)
        append_jsonl(options.output, row)
        right, runs = (sum(v[key] for v in row["validation"]) / len(row["validation"]) for key in ("correct", "valid"))
        print(f"start {options.start}, {'itself' if seed is None else f'seed {seed}'}: right {right:.1%}, runs {runs:.1%}", flush=True)  # fmt: skip
    print(starts_table(read_jsonl(options.output, "Put it back from git.")))


if __name__ == "__main__":
    main()
