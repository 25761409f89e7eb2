"""Engine "torch": the course's own loop and generation, on CPU, CUDA and MPS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forge_lib.lab.profiles import Profile
from forge_lib.models import generate as generation
from forge_lib.models.chat import Prompt
from forge_lib.models.load import load_adapted, load_base
from forge_lib.training import sft
from forge_lib.training.packing import Pack


def load(profile: Profile, adapter: str | Path | None = None):
    """A PeftModel ready to train."""
    if adapter is None:
        return sft.add_lora(load_base(profile), profile)
    return load_adapted(profile, adapter, trainable=True)


def train(
    model, steps: Sequence[Sequence[Pack]], tokenizer, settings: sft.SFTSettings, progress: bool = True, **hooks
) -> list[dict]:
    """Train by `sft.train`, which takes all hooks."""
    return sft.train(model, steps, tokenizer.pad_token_id, settings, progress=progress, **hooks)


def loss(model, packs: Sequence[Pack], tokenizer, settings: sft.SFTSettings) -> float:
    """Mean cross-entropy per answer token (nats)."""
    return sft.mean_loss(model, packs, tokenizer.pad_token_id, settings)


def generate(
    model, tokenizer, prompts: Sequence[Prompt], max_new_tokens: int, batch_size: int = 32, progress: bool = False,
    temperature: float = 0.0,
) -> list[generation.Completion]:  # fmt: skip
    """Completions by `models.generate`, without a bar unless asked for."""
    return generation.generate(model, tokenizer, prompts, max_new_tokens, batch_size, progress, temperature)


def save(model, folder: str | Path) -> Path:
    """The PEFT adapter under `folder`, whole or not at all."""
    return sft.save_adapter(model, Path(folder))
