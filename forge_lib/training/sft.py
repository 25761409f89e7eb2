"""Supervised fine-tuning of LoRA matrices on completion tokens, in plain PyTorch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from forge_lib.fused import fuse_lora
from forge_lib.models import causal_lm
from forge_lib.profiles import Profile
from forge_lib.training.packing import Pack, collate


class TrainingError(RuntimeError):
    """Training cannot go on; the message says what to change."""


@dataclass(frozen=True)
class SFTSettings:
    """Hyperparameters of one SFT run."""

    learning_rate: float = 1e-3  # peak; LoRA bears ten times the rate of full fine-tuning (Hu et al. 2021)
    warmup: float = 0.05  # share of steps with a rising rate
    weight_decay: float = 0.0  # B starts at zero: decay would pull towards no change
    betas: tuple[float, float] = (0.9, 0.99)  # a shorter memory than 0.999: the runs have a few hundred steps
    max_grad_norm: float = 1.0
    packs_per_forward: int = 4  # memory, not mathematics: the gradient of a step does not depend on it
    dtype: str = "bfloat16"


def add_lora(model, profile: Profile):
    """Wrap `model` with trainable LoRA matrices (fp32) on all linear layers of its blocks."""
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    if profile.quantize_4bit:
        model = prepare_model_for_kbit_training(model)
    config = LoraConfig(
        r=profile.lora_rank, lora_alpha=profile.lora_alpha, lora_dropout=0.0, target_modules="all-linear",
        task_type="CAUSAL_LM",
    )  # fmt: skip
    return fuse_lora(get_peft_model(model, config))  # PEFT casts the adapter's matrices to fp32


def settings_for(profile: Profile) -> SFTSettings:
    """The profile's share of the settings."""
    return SFTSettings(
        learning_rate=profile.learning_rate, packs_per_forward=profile.packs_per_forward, dtype=profile.dtype
    )


def answer_logits(model, packs: Sequence[Pack], pad_id: int, dtype: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (N, V) in fp32 that predict the N answer tokens of `packs`, and those tokens (N,), pack by pack.

    The output layer sees answer positions only: with 49,152 words in the vocabulary the logits of all positions
    would be the largest tensor of the step.
    """
    kind = getattr(torch, dtype)
    batch = collate(packs, pad_id, kind)
    device = model.device
    # A CPU leaves out the blocks that the mask hides; elsewhere the fused kernels want the dense mask.
    layouts = {"layouts": batch.layouts} if device.type == "cpu" else {}
    with torch.autocast(device.type, dtype=kind, enabled=kind != torch.float32):
        hidden = causal_lm(model).get_decoder()(
            input_ids=batch.input_ids.to(device), position_ids=batch.position_ids.to(device),
            attention_mask=batch.attention_mask.to(device), use_cache=False, **layouts,
        ).last_hidden_state  # (B, T, D)  # fmt: skip
        rows, columns = batch.keep.to(device).unbind(1)
        logits = causal_lm(model).get_output_embeddings()(hidden[rows, columns])  # (N, V)
    return logits.float(), batch.targets.to(device)


def pack_loss(model, packs: Sequence[Pack], pad_id: int, dtype: str) -> tuple[torch.Tensor, int]:
    """Sum of cross-entropy over the answer tokens of `packs` (nats), and their number.

    L = -Σ log p(answer token | schema, question, earlier answer tokens).
    """
    logits, targets = answer_logits(model, packs, pad_id, dtype)
    return F.cross_entropy(logits, targets, reduction="sum"), len(targets)


@torch.no_grad()
def mean_loss(model, packs: Sequence[Pack], pad_id: int, settings: SFTSettings) -> float:
    """Mean cross-entropy per answer token over `packs`, in nats."""
    total, count = 0.0, 0
    for at in range(0, len(packs), settings.packs_per_forward):
        loss, tokens = pack_loss(model, packs[at : at + settings.packs_per_forward], pad_id, settings.dtype)
        total, count = total + loss.item(), count + tokens
    return total / count


def cosine_schedule(step: int, steps: int, warmup: float) -> float:
    """Factor of the peak rate at `step` of `steps`: linear warm-up, then half a cosine down to zero.

    >>> [round(cosine_schedule(s, 100, 0.1), 2) for s in (0, 10, 55, 99)]
    [0.1, 1.0, 0.5, 0.0]
    """
    rise = max(1, round(steps * warmup))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def train(
    model,
    steps: Sequence[Sequence[Pack]],
    pad_id: int,
    settings: SFTSettings,
    validate: Callable[[int], dict] | None = None,
    validate_at: Sequence[int] = (),
    progress: bool = True,
) -> list[dict]:
    """Train the parameters of `model` that require gradients, one optimizer step per element of `steps`.

    validate: called after the steps numbered in `validate_at` (1 = after the first); what it returns joins the record.
    Returns one record a step: step, loss (mean nats per answer token), learning_rate, grad_norm, examples, tokens
    (logical: as if every example had its own prefix), seconds.
    Raises TrainingError when the loss is not a number; nothing is saved here.
    """
    from tqdm import tqdm  # text: GitHub shows it, and a widget would be lost

    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        trained, settings.learning_rate, settings.betas, weight_decay=settings.weight_decay, fused=True
    )
    scaler = torch.amp.GradScaler(model.device.type, enabled=settings.dtype == "float16")
    records = []
    bar = tqdm(enumerate(steps, 1), "train", total=len(steps), disable=not progress)
    for number, packs in bar:
        began = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * cosine_schedule(number - 1, len(steps), settings.warmup)
        model.train()
        loss = _accumulate(model, packs, pad_id, settings, scaler)
        scaler.unscale_(optimizer)
        norm = torch.nn.utils.clip_grad_norm_(trained, settings.max_grad_norm).item()
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss is {loss} at step {number}. Lower the learning rate (now {settings.learning_rate:g}), or "
                "look at the examples of this step for empty answers."
            )
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)
        examples = [e for pack in packs for e in pack]
        record = {"step": number, "loss": loss, "learning_rate": optimizer.param_groups[0]["lr"], "grad_norm": norm,
                  "examples": len(examples), "tokens": sum(map(len, examples)),
                  "seconds": time.perf_counter() - began}  # fmt: skip
        bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
        if validate and number in validate_at:
            model.eval()
            record |= validate(number)
        records.append(record)
    model.eval()
    return records


def _accumulate(model, packs, pad_id, settings, scaler) -> float:
    """Backward passes over a step's packs, a few at a time; the gradient is that of the mean over all its tokens."""
    count = sum(len(e.answer) for pack in packs for e in pack)
    total = 0.0
    for at in range(0, len(packs), settings.packs_per_forward):
        loss, _ = pack_loss(model, packs[at : at + settings.packs_per_forward], pad_id, settings.dtype)
        scaler.scale(loss / count).backward()
        total += loss.item()
    return total / count


def best_checkpoint(records: Sequence[dict]) -> dict:
    """The validated record with the highest validation accuracy; the lower validation loss decides a tie."""
    validated = [r for r in records if "validation_accuracy" in r]
    if not validated:
        raise TrainingError("No step was validated, so there is no checkpoint to choose.")
    return max(validated, key=lambda r: (r["validation_accuracy"], -r["validation_loss"]))


def save_adapter(model, folder: Path) -> Path:
    """Save the adapter alone (not the base) under `folder`."""
    from forge_lib.runs import fresh_folder

    with fresh_folder(Path(folder)) as work:
        model.save_pretrained(work)
    return Path(folder)
