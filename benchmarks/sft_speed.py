"""SFT on the CPU, side by side in one process: this course's packed loop against padded batches.

Same data (un-augmented), same LoRA configuration, same number of examples a step; both with bf16 autocast. (TRL 1.15's
SFTTrainer computes its loss with a Triton kernel and does not run on a CPU; the plain side is transformers and PEFT.)
`python -m benchmarks.sft_speed --examples 96` prints examples/s, logical tokens/s and the mean loss of both.
A logical token is a token of prompt or answer counted once per example, whether or not its prefix was shared.
"""

import argparse
import gc
import time

import torch

from forge_lib.data.course import load_course
from forge_lib.data.pairs import spread
from forge_lib.models import load_base, load_tokenizer
from forge_lib.profiles import get_profile
from forge_lib.runs import seed_everything
from forge_lib.training.packing import make_packs, make_steps
from forge_lib.training.sft import add_lora, settings_for, train


def ours(profile, data, pairs, tokenizer) -> tuple[float, float]:
    """Seconds and mean loss of the course's loop."""
    model = add_lora(load_base(profile), profile)
    steps = make_steps(
        make_packs(data, pairs, tokenizer, profile.pack_questions, profile.max_length), profile.packs_per_step
    )
    began = time.perf_counter()
    records = train(model, steps, tokenizer.pad_token_id, settings_for(profile), progress=False)
    return time.perf_counter() - began, sum(r["loss"] for r in records) / len(records)


def plain(profile, data, pairs, tokenizer, batch: int) -> tuple[float, float]:
    """Seconds and mean loss of transformers and PEFT as they come: padded batches, labels, AdamW, autocast."""
    from peft import LoraConfig, get_peft_model

    lora = LoraConfig(
        r=profile.lora_rank, lora_alpha=profile.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    model = get_peft_model(load_base(profile, attn_implementation="sdpa"), lora).train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], profile.learning_rate)
    examples = [e for pack in make_packs(data, pairs, tokenizer, 1, profile.max_length) for e in pack]
    losses, began = [], time.perf_counter()
    for at in range(0, len(examples), batch):
        rows = examples[at : at + batch]
        width = max(map(len, rows))
        fill = {"input_ids": tokenizer.pad_token_id, "labels": -100}
        step = {
            k: torch.tensor([list(getattr(e, k)) + [pad] * (width - len(e)) for e in rows]) for k, pad in fill.items()
        }
        mask = torch.tensor([[1] * len(e) + [0] * (width - len(e)) for e in rows])
        with torch.autocast("cpu", dtype=getattr(torch, profile.dtype), enabled=profile.dtype != "float32"):
            loss = model(**step, attention_mask=mask).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return time.perf_counter() - began, sum(losses) / len(losses)


def main() -> None:
    """Print both sides and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=96)
    count = parser.parse_args().examples
    profile, _ = get_profile("cpu")
    seed_everything(17)
    data, tokenizer = load_course(), load_tokenizer(profile)
    pairs = sorted(spread(data.train, count, 17), key=lambda p: p.db_id)
    tokens = sum(len(e) for pack in make_packs(data, pairs, tokenizer, 1, profile.max_length) for e in pack)
    seconds = {}
    for name, side in (
        ("forge", ours),
        ("plain", lambda *a: plain(*a, profile.pack_questions * profile.packs_per_step)),
    ):
        seconds[name], loss = side(profile, data, pairs, tokenizer)
        gc.collect()
        print(
            f"{name:<6} {count / seconds[name]:6.2f} examples/s {tokens / seconds[name]:8.0f} tokens/s   mean loss {loss:.3f}"
        )
    print(f"ratio  {seconds['plain'] / seconds['forge']:6.2f}")


if __name__ == "__main__":
    main()
