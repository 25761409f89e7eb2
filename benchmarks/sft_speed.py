"""SFT on the CPU, side by side in one process: this course's packed loop against TRL's SFTTrainer.

Same data (un-augmented), same LoRA configuration, same number of examples a step; both with bf16 autocast.
`python -m benchmarks.sft_speed --examples 96` prints examples/s, logical tokens/s and the mean loss of both.
A logical token is a token of prompt or answer counted once per example, whether or not its prefix was shared.
"""

import argparse
import gc
import time

from datasets import Dataset

from forge_lib.data.course import load_course
from forge_lib.data.formats import to_prompt_completion
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


def trl(profile, data, pairs, tokenizer, batch: int) -> tuple[float, float]:
    """Seconds and mean loss of TRL's trainer."""
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    config = SFTConfig(
        output_dir="runs/benchmark", per_device_train_batch_size=batch, num_train_epochs=1, use_cpu=True,
        bf16=profile.dtype == "bfloat16", learning_rate=profile.learning_rate, lr_scheduler_type="cosine",
        max_length=profile.max_length, save_strategy="no", report_to="none", logging_steps=1, disable_tqdm=True,
        gradient_checkpointing=False, adam_beta2=0.99,
    )  # fmt: skip
    rows = Dataset.from_list([to_prompt_completion(data, p) for p in pairs])
    lora = LoraConfig(
        r=profile.lora_rank, lora_alpha=profile.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    base = load_base(profile, attn_implementation="sdpa")
    trainer = SFTTrainer(base, config, train_dataset=rows, processing_class=tokenizer, peft_config=lora)
    began = time.perf_counter()
    trainer.train()
    losses = [r["loss"] for r in trainer.state.log_history if "loss" in r]
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
    for name, side in (("forge", ours), ("trl", lambda *a: trl(*a, profile.pack_questions * profile.packs_per_step))):
        seconds[name], loss = side(profile, data, pairs, tokenizer)
        gc.collect()
        print(
            f"{name:<6} {count / seconds[name]:6.2f} examples/s {tokens / seconds[name]:8.0f} tokens/s   mean loss {loss:.3f}"
        )
    print(f"ratio  {seconds['trl'] / seconds['forge']:6.2f}")


if __name__ == "__main__":
    main()
