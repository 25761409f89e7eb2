"""What one training step takes in memory: `python -m benchmarks.step_memory LoRA` prints it, for notebook 03."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported below, in the process that measures
    from forge_lib.lab.profiles import Profile
    from forge_lib.tasks.sql.dataset import DataSet

# glibc: tensors from 1 MB on live in mappings of their own, given back when freed. What is resident is then what is held.
GIVE_BACK = {"MALLOC_MMAP_THRESHOLD_": str(2**20), "MALLOC_TRIM_THRESHOLD_": str(2**20), "GLIBC_TUNABLES": ""}


def step_memory(name: str, profile: Profile, data: DataSet) -> dict:
    """Bytes of a training step of "full", "LoRA" or "QLoRA" as transformers and PEFT do it, on two padded examples.

    weights: resident with base and adapter; states: what the first step adds and leaves (gradients, AdamW's two means);
    peak: the most resident in the second step.
    """
    import torch
    from transformers import BitsAndBytesConfig

    from benchmarks.lora_sweep import draw, trained, warm_up
    from forge_lib.engine.memory import peak_resident, resident_bytes
    from forge_lib.models import plain
    from forge_lib.models.load import load_base, load_tokenizer
    from forge_lib.training.packing import make_packs
    from forge_lib.training.sft import add_lora

    tokenizer, kind = load_tokenizer(profile), getattr(torch, profile.dtype)
    pack = make_packs(data, draw(data, 2, 2, 17), tokenizer, 2, profile.max_length)[0]
    empty, pad = warm_up(profile, [pack], tokenizer.pad_token_id), tokenizer.pad_token_id
    if name == "full":
        model = load_base(profile, dtype="float32").requires_grad_(True)
    elif name == "LoRA":
        model = add_lora(load_base(profile), profile)
    else:  # as load_base and add_lora do it on a GPU
        four = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=kind
        )
        base = load_base(profile, quantization_config=four, device_map={"": "cpu"})
        model = add_lora(base, replace(profile, quantize_4bit=True))
    for p in model.parameters():
        p.data.view(torch.uint8).sum()  # a mapped file is resident only once it is read
    optimizer = torch.optim.AdamW(trained(model.train()), 1e-5, fused=True)

    def step() -> None:
        loss, count = plain.loss(model, pack, pad, profile.dtype)
        (loss / count).backward()
        optimizer.step()

    weights = resident_bytes() - empty
    step()
    states = resident_bytes() - empty - weights
    optimizer.zero_grad(set_to_none=True)
    resident_bytes()
    with peak_resident() as seen:
        step()
    return {"method": name, "tokens": len(pack) * max(map(len, pack)), "weights": weights, "states": states,
            "peak": seen["peak"] - empty}  # fmt: skip


def main() -> None:
    """Measure in this process, once it has the allocator's settings: they are read when a process starts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", choices=["full", "LoRA", "QLoRA"])
    method = parser.parse_args().method
    if not GIVE_BACK.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.step_memory", method], os.environ | GIVE_BACK)
    from forge_lib.lab.profiles import get_profile
    from forge_lib.tasks.sql.sources.course import load_course

    print(json.dumps(step_memory(method, get_profile("cpu")[0], load_course())))


if __name__ == "__main__":
    main()
