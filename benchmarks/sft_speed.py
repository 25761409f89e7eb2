"""SFT on the CPU, side by side in one run: this course's loop against what one would use otherwise.

`python -m benchmarks.sft_speed` trains the same pairs (schemas as they are, in the same order) with the same LoRA
configuration, each side twice, in processes of their own one after the other, and writes the faster runs to
benchmarks/sft_speed.json:

forge           packs of one database, blocks as one function each, bf16
padded, bf16    transformers and PEFT as they come: padded batches of as many examples, bf16 autocast
TRL, defaults   TRL's SFTTrainer as it comes (benchmarks/trl_defaults.py says what that is, and what a CPU needs besides)
TRL, the same   TRL's SFTTrainer through the course's engine "trl": the settings of "forge", so that losses compare

With `--ablation` "forge" is put together piece by piece instead, and benchmarks/sft_ablation.json written: what each piece of
the engine gains on those before it.

A logical token is a token of prompt or answer counted once an example, whether or not its prefix was shared.
Floating-point operations of "forge": 4 a frozen weight of the blocks' linear layers and token that goes through them
(2 forward, 2 for the gradient of the input; a frozen weight has none), 6 a number of A and B, 4 a weight of the output
layer and answer token, and for attention 12 a head's width and pair of tokens that may see each other (4 forward, 8
back). They are set against the largest product rate that the machine reached in the processes of "forge", on square matrices of
the same type. With AMX those are so fast that most of a step lies between its products, so there the course's side runs once
more with oneDNN held to AVX-512, and is set against the rate it has then.
"""

import argparse
import json
import math
import os
import platform
import resource
import subprocess
import sys
import time
from functools import partial

import torch

from forge_lib import ROOT
from forge_lib.data.items import spread, training_part
from forge_lib.lab.files import write_atomically
from forge_lib.lab.profiles import get_profile
from forge_lib.lab.runs import seed_everything
from forge_lib.lessons.lora import lora_parameters
from forge_lib.models import plain
from forge_lib.models.load import load_base, load_tokenizer
from forge_lib.models.shapes import linear_shapes
from forge_lib.tasks.sql.sources.course import load_course
from forge_lib.training import loss, sft
from forge_lib.training.engines import trl_trainer
from forge_lib.training.packing import make_packs, make_steps

RESULTS = ROOT / "benchmarks/sft_speed.json"
PIECES = ROOT / "benchmarks/sft_ablation.json"


class Material:
    """The pairs, and the packs and steps they make; shared by all sides."""

    def __init__(self, examples: int):
        self.profile, _ = get_profile("cpu")
        self.data, self.tokenizer = load_course(), load_tokenizer(self.profile)
        pairs = training_part(self.data.train, None, 0, 17)  # as many databases as give full packs
        names = sorted({p.db_id for p in pairs})[: max(1, examples // self.profile.pack_questions)]
        pairs = sorted(spread([p for p in pairs if p.db_id in names], examples, 17), key=lambda p: p.db_id)
        packs = make_packs(self.data, pairs, self.tokenizer, self.profile.pack_questions, self.profile.max_length)
        # Databases in turn, as training has them: the packs of a step are of several.
        self.steps = make_steps(packs[::2] + packs[1::2], self.profile.packs_per_step)
        self.examples = [e for packs in self.steps for pack in packs for e in pack]
        self.tokens = sum(map(len, self.examples))
        self.settings = sft.settings_for(self.profile)


def forge(m: Material, fused: bool = True, blocks: bool = True, compiled: bool = True) -> dict:
    """The course's loop; the passes between products are compiled before the clock starts. Or without what is switched off."""
    sft.COMPILE_FROM = 0 if compiled else math.inf
    if not fused:
        sft.fuse_lora = lambda model: model
    if not blocks:
        loss.supports = lambda *_: False
    model = sft.add_lora(load_base(m.profile), m.profile)
    start = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}
    kind = getattr(torch, m.profile.dtype)
    rate = product_rate(kind)
    began = time.perf_counter()
    sft.train(model, m.steps[:3], m.tokenizer.pad_token_id, m.settings, progress=False)
    compiling = time.perf_counter() - began
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in start:
                parameter.copy_(start[name])
    records = sft.train(model, m.steps, m.tokenizer.pad_token_id, m.settings, progress=False)
    return {"losses": [r["loss"] for r in records], "seconds": sum(r["seconds"] for r in records),
            "first_steps_seconds": compiling, "flops": flops(model, m), "product_rate": max(rate, product_rate(kind))}  # fmt: skip


def padded(m: Material) -> dict:
    """Padded batches, labels, AdamW, autocast; as many examples a step."""
    from peft import LoraConfig, get_peft_model

    lora = LoraConfig(r=m.profile.lora_rank, lora_alpha=m.profile.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM")  # fmt: skip
    model = get_peft_model(load_base(m.profile, attn_implementation="sdpa"), lora).train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], betas=m.settings.betas, weight_decay=0.0)  # fmt: skip
    losses, began = [], time.perf_counter()
    for number, packs in enumerate(m.steps):
        rows = [e for pack in packs for e in pack]
        for group in optimizer.param_groups:
            group["lr"] = m.settings.learning_rate * sft.cosine_schedule(number, len(m.steps), m.settings.warmup)
        total, count = plain.loss(model, rows, m.tokenizer.pad_token_id, m.profile.dtype)
        mean = total / count
        mean.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), m.settings.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(mean.item())
    return {"losses": losses, "seconds": time.perf_counter() - began}


def trl_same(m: Material) -> dict:
    """TRL's SFTTrainer with the course's settings."""
    model = sft.add_lora(load_base(m.profile), m.profile)
    began = time.perf_counter()
    records = trl_trainer.train(model, m.steps, m.tokenizer, m.settings, progress=False)
    return {"losses": [r["loss"] for r in records], "seconds": time.perf_counter() - began}


def trl_at_defaults(m: Material) -> dict:
    """TRL's SFTTrainer at its defaults."""
    from benchmarks.trl_defaults import trl_defaults

    return trl_defaults(m.profile, m.examples, m.tokenizer)


SIDES = {"forge": forge, "padded, bf16": padded, "TRL, the same": trl_same, "TRL, defaults": trl_at_defaults}
ABLATION = {  # what the engine is made of, one piece after the other
    "packs": partial(forge, fused=False, blocks=False, compiled=False),
    "packs, fused LoRA": partial(forge, blocks=False, compiled=False),
    "packs, fused LoRA, blocks": partial(forge, compiled=False),
    "packs, fused LoRA, blocks, compiled": forge,
}


def flops(model, m: Material) -> float:
    """Floating-point operations of one pass over the steps, as the module's docstring counts them."""
    config = model.config
    shapes = linear_shapes(model.get_base_model())
    shapes = {n: s for n, s in shapes.items() if "lora_" not in n}
    linear = sum(out * width for out, width in shapes.values())
    adapter = lora_parameters(shapes, m.profile.lora_rank)
    total = 0.0
    for pack in (pack for packs in m.steps for pack in packs):
        prefix, items = len(pack[0].prefix), [len(e) - len(e.prefix) for e in pack]
        pairs = prefix * (prefix + 1) / 2 + sum(n * prefix + n * (n + 1) / 2 for n in items)
        answers = sum(len(e.answer) for e in pack)
        total += (prefix + sum(items)) * (
            4 * linear + 6 * adapter
        ) + 4 * answers * config.vocab_size * config.hidden_size
        total += 12 * pairs * config.num_attention_heads * config.head_dim * config.num_hidden_layers
    return total


def product_rate(dtype: torch.dtype) -> float:
    """Largest rate of square matrix products on this machine, in operations a second."""
    best = 0.0
    for side in (1024, 2048, 4096):
        a, b = (torch.randn(side, side, dtype=dtype) for _ in range(2))
        for _ in range(6):
            began = time.perf_counter()
            a @ b
            best = max(best, 2 * side**3 / (time.perf_counter() - began))
    return best


def share(row: dict, runs: list[dict]) -> str:
    """Operations a second of `row`, and their share of the largest product rate of `runs`, in words."""
    rate, reached = max(r["product_rate"] for r in runs), row["flops"] / row["seconds"]
    return f"{reached / 1e9:,.0f} GFLOP/s, {100 * reached / rate:.0f}% of the {rate / 1e9:,.0f}"


def in_own_process(side: str, examples: int, **environment: str) -> dict:
    """Run one side and read what it measured."""
    from run_all import kernel_environment

    kernel_environment()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.sft_speed", "--examples", str(examples), "--side", side],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | environment, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def both_ways(jobs: list[tuple[str, int]]) -> list[dict]:
    """Every job (a side, its examples) once in this order and once in reverse: the faster run of each.

    What else the machine does for a minute would else count as the cost of one side.
    """
    up, down = [in_own_process(*job) for job in jobs], [in_own_process(*job) for job in reversed(jobs)]
    return [min(pair, key=lambda r: r["seconds"]) for pair in zip(up, reversed(down), strict=True)]


def one_side(side: str, examples: int) -> None:
    """What `--side` does: train, and print JSON."""
    seed_everything(17)
    m = Material(examples)
    row = (SIDES | ABLATION)[side](m) | {"name": side, "examples": len(m.examples), "tokens": m.tokens}
    half = len(row["losses"]) // 2
    means = {"loss_first": sum(row["losses"][:half]) / half, "loss_second": sum(row["losses"][half:]) / (len(row["losses"]) - half)}  # fmt: skip
    row |= means | {"tokens_per_second": m.tokens / row["seconds"], "examples_per_second": len(m.examples) / row["seconds"],
            "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}  # fmt: skip
    print(json.dumps(row))


def show(rows: list[dict]) -> None:
    """A line each."""
    for r in rows:
        print(f"{r['name']:<35} {r['examples_per_second']:6.2f} examples/s {r['tokens_per_second']:7.0f} tokens/s  "
              f"peak {r['peak_gb']:.1f} GB  mean loss {r['loss_first']:.3f}, {r['loss_second']:.3f}", flush=True)  # fmt: skip


def main() -> None:
    """Run all sides, or all pieces; print the table, write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument(
        "--ablation", action="store_true", help="the course's side piece by piece, instead of all sides"
    )
    parser.add_argument("--side", choices=SIDES | ABLATION, help="one side only, as JSON")
    options = parser.parse_args()
    if options.side:
        one_side(options.side, options.examples)
    elif options.ablation:
        piece_by_piece(options.examples)
    else:
        side_by_side(options.examples)


def piece_by_piece(n: int) -> None:
    """What `--ablation` does, on n pairs."""
    rows = both_ways([(name, n) for name in ABLATION])
    show(rows)
    measured = json.loads(PIECES.read_text(encoding="utf-8")) if PIECES.exists() else {}  # the other format's stays
    about = {"examples": rows[0]["examples"], "threads": torch.get_num_threads(), "rows": rows}
    write_atomically(PIECES, json.dumps(measured | {get_profile("cpu")[0].dtype: about}, indent=1) + "\n")


def side_by_side(n: int) -> None:
    """All sides on n pairs, and the course's on half and twice as many."""
    *others, small, same, large = both_ways(
        [*((side, n) for side in list(SIDES)[1:]), *(("forge", k) for k in (n // 2, n, 2 * n))]
    )
    rows, sizes = [same, *others], [small, same, large]
    show(rows)
    narrow = []
    if torch.cpu._is_amx_tile_supported():
        narrow = [in_own_process("forge", n, ONEDNN_MAX_CPU_ISA="AVX512_CORE_BF16")]
    apart = max(abs(a - b) for a, b in zip(same["losses"], rows[2]["losses"], strict=True))
    sentence = (
        f"The loop did {share(same, sizes)} that this machine ({platform.machine()}, {torch.get_num_threads()} threads) "
        f"reached on large {get_profile('cpu')[0].dtype} matrices"
        + "".join(f", which it multiplies with AMX; without it, {share(r, [r])}" for r in narrow)
        + ". With the same settings "
        f"its losses and TRL's differ by at most {apart:.3f} nats at any of {len(same['losses'])} steps. Seconds per "
        "thousand tokens at three sizes: "
        + ", ".join(f"{1000 * r['seconds'] / r['tokens']:.2f} ({r['tokens']:,} tokens)" for r in sizes)
        + f". The first three steps took {same['first_steps_seconds']:.0f} s, compiling included; they are not in the rates."
    )
    print(sentence)
    kept = {"sides": rows, "without_amx": narrow, "sentence": sentence,
            "sizes": [{k: r[k] for k in ("examples", "tokens", "seconds", "flops", "product_rate")} for r in sizes]}  # fmt: skip
    write_atomically(RESULTS, json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
