"""SFT on a CUDA card, side by side in one run: LoRA and QLoRA, by the course's loop and by TRL's SFTTrainer.

`python -m benchmarks.gpu_speed` trains randomly initialised Llamas of two sizes (speed and memory do not ask what a
weight is) on the course's packs, each side in a process of its own, and writes benchmarks/gpu_speed.json:

torch    the course's loop: questions about one database in a pack, the output layer on answer tokens only
trl      TRL's SFTTrainer on the same examples, padded, with its gradient checkpointing
unsloth  its kernels under SFTTrainer, where it is installed

tokens/s are logical (every example with a prefix of its own), the steps that warm up left out; the peak is what
PyTorch's allocator held on the card. A side that no card has run yet stands in the file without numbers, and the README
says "not measured". `--device cpu --sizes tiny` proves that the script runs, and writes nothing.
"""

import argparse
import importlib.util
import json
import random
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from forge_lib import ROOT
from forge_lib.data.items import spread, training_part
from forge_lib.lab.files import check_disk, write_atomically
from forge_lib.lab.profiles import PROFILES, Profile, half_precision
from forge_lib.lab.runs import seed_everything
from forge_lib.models.load import load_tokenizer
from forge_lib.tasks.sql.sources.course import load_course
from forge_lib.training.engines import engine_for
from forge_lib.training.packing import make_packs, make_steps
from forge_lib.training.sft import settings_for

RESULTS = ROOT / "benchmarks/gpu_speed.json"
SIZES = {  # shapes of Llama 3.2 1B and Llama 3.1 8B (their config.json), and one for a trial
    "1B": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32,
           "num_key_value_heads": 8, "vocab_size": 128_256, "tie_word_embeddings": True},
    "8B": {"hidden_size": 4096, "intermediate_size": 14_336, "num_hidden_layers": 32, "num_attention_heads": 32,
           "num_key_value_heads": 8, "vocab_size": 128_256},
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "vocab_size": 49_152},
}  # fmt: skip
DISK_GB = {"1B": 3, "8B": 17, "tiny": 0.1}
METHODS = ("LoRA", "QLoRA")
ENGINES = ("torch", "trl", "unsloth")
WARM_UP = 3  # steps before the clock counts
LABELS = ("size", "method", "engine")


def save_random_base(size: str, folder: Path, device: str, dtype: str) -> None:
    """A Llama of that size with random weights, saved so that every side loads it as it would a real one."""
    from transformers import AutoModelForCausalLM, LlamaConfig

    check_disk(folder.parent, DISK_GB[size])
    torch.manual_seed(17)
    config = LlamaConfig(**SIZES[size], max_position_embeddings=8192)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
    model.save_pretrained(folder)
    load_tokenizer(PROFILES["cpu"]).save_pretrained(folder)


def profile_of(size: str, method: str, engine: str, device: str, dtype: str, base: Path) -> Profile:
    """The course's row for a large card, with this base, method and engine."""
    small = {"lora_rank": 8} if size == "tiny" else {}
    return replace(
        PROFILES["a100"], device=device, engine=engine, base_model=str(base), dtype=dtype,
        quantize_4bit=method == "QLoRA", packs_per_step=2, packs_per_forward=1, **small,
    )  # fmt: skip


def one_side(profile: Profile, count: int) -> dict:
    """Train `count` steps after WARM_UP ones, and return what they took."""
    seed_everything(17)
    data, tokenizer, settings = load_course(), load_tokenizer(profile), settings_for(profile)
    pairs = spread(training_part(data.train, None, None, 17), 2000, 17)
    packs = make_packs(data, pairs, tokenizer, profile.pack_questions, profile.max_length, random.Random(17))
    packs = [p for p in packs if len(p) == profile.pack_questions]  # full ones, so that steps are alike
    steps = make_steps(packs, profile.packs_per_step)[: WARM_UP + count]
    engine = engine_for(profile)
    model = engine.load(profile)
    if profile.device == "cuda":
        torch.cuda.reset_peak_memory_stats()  # of training, not of loading
    records = engine.train(model, steps, tokenizer, settings, progress=False)
    measured = records[WARM_UP:]
    peak = torch.cuda.max_memory_allocated() / 2**30 if profile.device == "cuda" else None
    return {
        "tokens_per_second": sum(r["tokens"] for r in measured) / sum(r["seconds"] for r in measured),
        "peak_gb": peak, "loss_first": records[0]["loss"], "loss_last": records[-1]["loss"], "steps": len(steps),
    }  # fmt: skip


def sides(sizes: list[str], device: str) -> list[tuple[str, str, str]]:
    """(size, method, engine) of every side that this machine can run: 4 bits ask for a CUDA card here."""
    methods = METHODS if device == "cuda" else ("LoRA",)
    engines = [e for e in ENGINES if e != "unsloth" or (device == "cuda" and importlib.util.find_spec("unsloth"))]
    return [(s, m, e) for s in sizes for m in methods for e in engines]


def table(rows: list[dict]) -> str:
    """The rows as Markdown; a side without numbers is "not measured"."""
    lines = ["| base | method | engine | card | logical tokens/s | peak GB | loss, first and last step |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    for r in rows:
        cells = ["not measured", "", "", ""]
        if r.get("tokens_per_second"):
            peak = "" if r["peak_gb"] is None else f"{r['peak_gb']:.1f}"
            cells = [r["card"], f"{r['tokens_per_second']:,.0f}", peak, f"{r['loss_first']:.2f}, {r['loss_last']:.2f}"]
        lines.append("| " + " | ".join([r["size"], r["method"], r["engine"], *cells]) + " |")
    return "\n".join(lines)


def merged(rows: list[dict]) -> list[dict]:
    """The file's rows with `rows` in their place; every side of every size has one, with or without numbers."""
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    found = {tuple(r[k] for k in LABELS): r for r in [*known, *rows]}
    every = [(s, m, e) for s in ("1B", "8B") for m in METHODS for e in ENGINES]
    return [found.get(side, dict(zip(LABELS, side, strict=True))) for side in every]


def main() -> None:
    """Run all sides this machine can run, print the table, write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=["1B", "8B"])
    parser.add_argument("--steps", type=int, default=20, help="measured optimizer steps")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--side", nargs=4, help=argparse.SUPPRESS)  # method, engine, dtype, folder: one process's work
    options = parser.parse_args()
    if options.side:
        method, engine, dtype, folder = options.side
        profile = profile_of(options.sizes[0], method, engine, options.device, dtype, Path(folder))
        print(json.dumps(one_side(profile, options.steps)))
        return
    if options.device == "cuda" and not torch.cuda.is_available():
        write_atomically(RESULTS, json.dumps(merged([]), indent=1) + "\n")
        print(table(merged([])) + "\n\nThere is no CUDA card on this machine: nothing was run.")
        return
    card, dtype = "CPU", "float32"
    if options.device == "cuda":
        card, dtype = torch.cuda.get_device_name(), half_precision(torch.cuda.get_device_capability())
    rows, runs = [], sides(options.sizes, options.device)
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            save_random_base(size, Path(folder) / "base", options.device, dtype)
            torch.cuda.empty_cache()
            for _, method, engine in (run for run in runs if run[0] == size):
                command = [sys.executable, "-m", "benchmarks.gpu_speed", "--sizes", size, "--steps", str(options.steps),
                           "--device", options.device, "--side", method, engine, dtype, f"{folder}/base"]  # fmt: skip
                done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
                found = json.loads(done.stdout.splitlines()[-1])
                rows.append(dict(zip(LABELS, (size, method, engine), strict=True)) | {"card": card} | found)
                print(rows[-1], flush=True)
                if options.device == "cuda":  # after each side: a lent card may go before the last one
                    write_atomically(RESULTS, json.dumps(merged(rows), indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
