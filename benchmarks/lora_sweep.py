"""What the rank, the adapted layers and the method change.

`python -m benchmarks.lora_sweep` trains the embedded model on the same packs of written pairs, one after the other in the
same order: LoRA of every rank of RANKS on every set of TARGETS (the course's packed loop), then every method of METHODS
through PEFT, each in a process of its own so that its peak memory is its own. Virtual tokens live in PeftModel.forward,
which the packed loop goes around: all methods of that table take plain padded batches, the five questions of a pack in
each. Rows go to benchmarks/lora_sweep.jsonl, and those that are there are skipped. Notebook 03 draws from that file.

One learning rate for all ranks: with s = α/r the first step does not depend on the rank (notebook 03), the best rate of a
long run may.
"""

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from peft import IA3Config, LoraConfig, PeftConfig, PrefixTuningConfig, PromptTuningConfig, get_peft_model

from forge_lib import ROOT
from forge_lib.data.items import spread, training_part
from forge_lib.engine.compiling import compiling
from forge_lib.engine.fused import fuse_lora
from forge_lib.engine.memory import peak_resident, resident_bytes
from forge_lib.evaluation.contenders import Contender, local_model
from forge_lib.evaluation.metrics import evaluate
from forge_lib.lab.jsonl import append_jsonl, read_jsonl
from forge_lib.lab.profiles import Profile, get_profile
from forge_lib.lab.runs import seed_everything
from forge_lib.models import plain
from forge_lib.models.load import base_dir, causal_lm, load_base, load_tokenizer
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.sources.course import load_course
from forge_lib.training.packing import Pack, make_packs, make_steps
from forge_lib.training.sft import SFTSettings, add_lora, cosine_schedule, mean_loss, settings_for, train

RESULTS = Path(__file__).with_suffix(".jsonl")
N = 120  # training pairs: 24 databases, one full pack of five each, 24 optimizer steps; half an hour for all rows
CHECKS = 60  # validation pairs, on the three databases that are not in the training part
RANKS = (1, 2, 4, 8, 16, 32, 64)
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
TARGETS = {"query, value": ["q_proj", "v_proj"], "attention": ATTENTION, "all linear": "all-linear"}
VIRTUAL = 20  # virtual tokens of prefix and prompt tuning; Lester et al. 2021 see little gain beyond


def lora_config(profile: Profile, rank: int, targets: list[str] | str, **options) -> LoraConfig:
    """The profile's LoRA with another rank and other targets; α stays."""
    return LoraConfig(r=rank, lora_alpha=profile.lora_alpha, target_modules=targets, task_type="CAUSAL_LM", **options)


# name: (peak learning rate, where the rate is from, PEFT's configuration; None = all weights are trained)
METHODS: dict[str, tuple[float, str, Callable[[Profile], PeftConfig] | None]] = {
    "full": (1e-4, "a tenth of LoRA's: Schulman et al. 2025, https://thinkingmachines.ai/blog/lora/", None),
    "LoRA": (1e-3, "the profile's, measured", lambda p: lora_config(p, p.lora_rank, "all-linear")),
    "DoRA": (1e-3, "LoRA's, as in https://arxiv.org/abs/2402.09353",
             lambda p: lora_config(p, p.lora_rank, "all-linear", use_dora=True)),
    "IA3": (3e-3, "T-Few's: https://github.com/r-three/t-few, configs/ia3.json; method: https://arxiv.org/abs/2205.05638", lambda p: IA3Config(task_type="CAUSAL_LM")),
    "prefix tuning": (3e-2, "PEFT's prefix tuning example; method: https://arxiv.org/abs/2101.00190",
                      lambda p: PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=VIRTUAL, init_weights="zero")),
    "prompt tuning": (3e-2, "PEFT's prompt tuning guide; method: https://arxiv.org/abs/2104.08691",
                      lambda p: PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=VIRTUAL,
                                                   prompt_tuning_init="SAMPLE_VOCAB")),
}  # fmt: skip


def trained(model) -> list[torch.nn.Parameter]:
    """What gets a gradient."""
    return [p for p in model.parameters() if p.requires_grad]


def draw(data: DataSet, count: int, each: int, seed: int) -> list[Pair]:
    """`count` written training pairs, `each` of one database, so that every pack is full."""
    written = training_part(data.train, None, 0, seed)
    names = random.Random(seed).sample(sorted({p.db_id for p in written}), -(-count // each))
    return spread([p for p in written if p.db_id in names], count, seed)


def material(data: DataSet, profile: Profile, tokenizer, arguments) -> tuple[list[Pack], list[Pair], list[Pack]]:
    """Training packs in their order, the validation pairs, and their packs."""
    pairs = draw(data, arguments.pairs, profile.pack_questions, arguments.seed)
    rng = random.Random(arguments.seed)
    packs = make_packs(data, pairs, tokenizer, profile.pack_questions, profile.max_length, rng)
    checks = spread([p for p in data.validation if p.part == "unseen"], arguments.checks, arguments.seed)
    return packs, checks, make_packs(data, checks, tokenizer, profile.pack_questions, profile.max_length)


def plain_train(model, batches: Sequence[Pack], pad_id: int, settings: SFTSettings) -> list[float]:
    """The course's loop (AdamW, cosine, clipping) on padded batches; the mean loss of each step."""
    optimizer = torch.optim.AdamW(trained(model), settings.learning_rate, settings.betas, weight_decay=0.0, fused=True)
    losses = []
    for step, batch in enumerate(batches):
        optimizer.param_groups[0]["lr"] = settings.learning_rate * cosine_schedule(step, len(batches), settings.warmup)
        total, count = plain.loss(model.train(), batch, pad_id, settings.dtype)
        (total / count).backward()
        torch.nn.utils.clip_grad_norm_(trained(model), settings.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(total.item() / count)
    return losses


@torch.no_grad()
def plain_mean(model, batches: Sequence[Pack], pad_id: int, dtype: str) -> float:
    """Mean cross-entropy per answer token over padded batches (nats)."""
    sums = [plain.loss(model.eval(), batch, pad_id, dtype) for batch in batches]
    return sum(loss.item() for loss, _ in sums) / sum(count for _, count in sums)


class WithPrompt:
    """A prompt-tuned model whose `generate` takes padded rows: PEFT puts its tokens before the padding, and the question
    then stands too far from them."""

    def __init__(self, model):
        self.model, self.device, self.generation_config = model, model.device, model.generation_config

    def generate(self, input_ids, attention_mask, **options):
        """Ids of rows and answers, as transformers' `generate` gives them."""
        words, virtual = self.model.get_input_embeddings()(input_ids), self.model.get_prompt(len(input_ids))
        gaps = (attention_mask == 0).sum(1).tolist()
        embeds = [torch.cat([w[:g], v.to(w.dtype), w[g:]]) for w, v, g in zip(words, virtual, gaps, strict=True)]
        mask = torch.cat([attention_mask, attention_mask.new_ones(virtual.shape[:2])], 1)
        new = causal_lm(self.model).generate(inputs_embeds=torch.stack(embeds), attention_mask=mask, **options)
        return torch.cat([input_ids, new], 1)


def plain_model(model, tokenizer, data: DataSet, limit: int, batch: int = 20) -> Contender:
    """Greedy answers by transformers' `generate`, virtual tokens included."""
    soft = getattr(getattr(model, "active_peft_config", None), "peft_type", None) == "PROMPT_TUNING"
    return local_model(
        WithPrompt(model) if soft else model, tokenizer, data, limit, batch, progress=False, generate=plain.generate
    )


def warm_up(profile: Profile, packs: list[Pack], pad_id: int) -> int:
    """One step of a toy, so that what the libraries take at their first step is not the model's; bytes resident then."""
    from transformers import AutoConfig, AutoModelForCausalLM

    tiny = AutoConfig.from_pretrained(
        base_dir(profile), hidden_size=72, intermediate_size=192, num_hidden_layers=2, head_dim=8
    )
    toy = AutoModelForCausalLM.from_config(tiny).to(getattr(torch, profile.dtype))
    train(add_lora(toy, replace(profile, lora_rank=8)), [packs], pad_id, settings_for(profile), progress=False)
    return resident_bytes()


def sweep(profile: Profile, data: DataSet, arguments, done: set, write: Callable[[dict], None]) -> None:
    """Every rank on every set of targets, in one process, and the untouched base."""
    tokenizer, settings = load_tokenizer(profile), settings_for(profile)
    packs, _, checks = material(data, profile, tokenizer, arguments)
    pad, base = tokenizer.pad_token_id, load_base(profile)
    if ("base", 0) not in done:
        write({"kind": "base", "name": "base", "rank": 0, "validation_loss": mean_loss(base, checks, pad, settings)})
    with compiling():  # a quarter of a minute once, and less for every run
        for name, targets in TARGETS.items():
            for rank in (r for r in arguments.ranks if (name, r) not in done):
                seed_everything(arguments.seed)
                model = fuse_lora(get_peft_model(base, lora_config(profile, rank, targets)))
                row = {"kind": "sweep", "name": name, "rank": rank, "alpha": profile.lora_alpha,
                       "rate": settings.learning_rate, "parameters": sum(p.numel() for p in trained(model))}  # fmt: skip
                began = time.perf_counter()
                records = train(model, make_steps(packs, 1), pad, settings, progress=False)
                row["seconds"] = time.perf_counter() - began
                write(
                    row
                    | {
                        "losses": [r["loss"] for r in records],
                        "validation_loss": mean_loss(model, checks, pad, settings),
                    }
                )
                base = model.unload()


def method(name: str, profile: Profile, data: DataSet, arguments, write: Callable[[dict], None]) -> None:
    """Train and score one method; this process should have done nothing before."""
    rate, source, config = METHODS[name]
    tokenizer, settings = load_tokenizer(profile), replace(settings_for(profile), learning_rate=rate)
    packs, pairs, checks = material(data, profile, tokenizer, arguments)
    pad = tokenizer.pad_token_id
    empty = warm_up(profile, packs[:1], pad)
    seed_everything(arguments.seed)
    model = load_base(profile, dtype=None if config else "float32", attn_implementation="sdpa")
    model = get_peft_model(model, config(profile)) if config else model.requires_grad_(True)
    row = {"kind": "method", "name": name, "rank": 0, "rate": rate, "source": source,
           "parameters": sum(p.numel() for p in trained(model))}  # fmt: skip
    resident_bytes()  # what loading left is given back before the peak is watched
    began = time.perf_counter()
    with peak_resident() as seen:
        losses = plain_train(model, packs, pad, settings)
    row |= {"seconds": time.perf_counter() - began, "peak_gb": (seen["peak"] - empty) / 1e9, "losses": losses}
    row["validation_loss"] = plain_mean(model, checks, pad, settings.dtype)
    found = evaluate(name, plain_model(model, tokenizer, data, profile.max_new_tokens), data, pairs)
    write(row | {"validation": [{"id": r["id"], "verdict": r["verdict"]} for r in found]})


def main() -> None:
    """Run what has no row yet, each part in a process of its own."""
    import run_all

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["sweep", *METHODS], help="one part: the sweep by rank, or one method")
    parser.add_argument("--pairs", type=int, default=N, help="training pairs")
    parser.add_argument("--checks", type=int, default=CHECKS, help="validation pairs")
    parser.add_argument("--ranks", type=int, nargs="+", default=list(RANKS))
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--here", action="store_true", help="run the part of --only in this process")
    arguments = parser.parse_args()
    profile, _ = get_profile("cpu")
    found = read_jsonl(arguments.output, "Put it back from git.") if arguments.output.exists() else []
    rows = [r for r in found if (r["pairs"], r["seed"]) == (arguments.pairs, arguments.seed)]
    done = {(r["name"], r["rank"]) for r in rows}
    again = [sys.executable, "-m", "benchmarks.lora_sweep", *sys.argv[1:], "--here"]

    def write(row: dict) -> None:
        row |= {"pairs": arguments.pairs, "checks": arguments.checks, "seed": arguments.seed}
        append_jsonl(arguments.output, row)
        print({k: v for k, v in row.items() if k not in ("losses", "validation", "source")}, flush=True)

    if not arguments.here:
        run_all.kernel_environment()  # the allocator's settings, read at a process's start
        for part in [arguments.only] if arguments.only else ["sweep", *METHODS]:
            if (part, 0) not in done:
                subprocess.run([*again, "--only", part], cwd=ROOT, check=True)
    elif arguments.only == "sweep":
        sweep(profile, load_course(), arguments, done, write)
    else:
        method(arguments.only, profile, load_course(), arguments, write)


if __name__ == "__main__":
    main()
