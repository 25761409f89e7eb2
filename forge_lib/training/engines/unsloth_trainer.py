"""Engine "unsloth": unsloth's kernels under TRL's SFTTrainer, on CUDA. Written after unsloth 2026.10.7."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from forge_lib.lab.profiles import Profile
from forge_lib.models import plain
from forge_lib.models.adapter import check_kind, check_same_base, check_whole
from forge_lib.models.embedded import describe_base
from forge_lib.models.load import base_dir, check_base
from forge_lib.models.plain import generate  # noqa: F401  (one of the verbs: unsloth puts its own behind it)
from forge_lib.training.engines.torch_loop import save  # noqa: F401  (one of the verbs)
from forge_lib.training.packing import Pack
from forge_lib.training.sft import SFTSettings, check_answers


def load(profile: Profile, adapter: str | Path | None = None):
    """A PeftModel ready to train, its base as the profile says (4-bit NF4 for QLoRA)."""
    from unsloth import FastLanguageModel

    seed = torch.initial_seed() % 2**32
    if adapter is not None:  # unsloth will load the base that the adapter names
        check_base(Path(adapter), profile)
        check_kind(Path(adapter))
    model, _ = FastLanguageModel.from_pretrained(
        model_name=str(adapter or base_dir(profile)), max_seq_length=profile.max_length + profile.max_new_tokens,
        dtype=getattr(torch, profile.dtype), load_in_4bit=profile.quantize_4bit, random_state=seed,
        use_exact_model_name=True,  # else it may load another, already quantized copy of the base
    )  # fmt: skip
    if adapter is not None:
        check_whole(Path(adapter), model)
        check_same_base(Path(adapter), model, describe_base(profile.base_model))
        return model
    return FastLanguageModel.get_peft_model(
        model, r=profile.lora_rank, lora_alpha=profile.lora_alpha, lora_dropout=0.0, bias="none",
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        use_gradient_checkpointing="unsloth", random_state=seed,
    )  # fmt: skip


def train(
    model, steps: Sequence[Sequence[Pack]], tokenizer, settings: SFTSettings, progress: bool = True, **hooks
) -> list[dict]:
    """Train with the SFTTrainer that unsloth has put in TRL's place."""
    from unsloth import FastLanguageModel  # before TRL's classes are looked up

    from forge_lib.training.engines import trl_trainer

    def validate(number: int) -> dict:
        FastLanguageModel.for_inference(model)
        try:
            return hooks["validate"](number)
        finally:
            FastLanguageModel.for_training(model)

    if hooks.get("validate"):
        return trl_trainer.train(model, steps, tokenizer, settings, progress, **hooks | {"validate": validate})
    return trl_trainer.train(model, steps, tokenizer, settings, progress, **hooks)


@torch.no_grad()
def loss(model, packs: Sequence[Pack], tokenizer, settings: SFTSettings) -> float:
    """Mean cross-entropy per answer token (nats), on padded batches: unsloth's attention knows no mask of a pack."""
    check_answers(packs)
    total, count = 0.0, 0
    for at in range(0, len(packs), settings.packs_per_forward):
        rows = [e for pack in packs[at : at + settings.packs_per_forward] for e in pack]
        part, answers = plain.loss(model, rows, tokenizer.pad_token_id, settings.dtype)
        total, count = total + part.item(), count + answers
    return total / count
