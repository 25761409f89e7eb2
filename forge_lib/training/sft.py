"""Supervised fine-tuning of LoRA matrices on completion tokens, in plain PyTorch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch

from forge_lib.engine import compiling, fuse_lora, give_back
from forge_lib.lab.files import check_disk, fresh_folder
from forge_lib.lab.profiles import Profile
from forge_lib.models.adapter import record_base
from forge_lib.models.shapes import linear_shapes
from forge_lib.training import TrainingError
from forge_lib.training.loss import PackLoss
from forge_lib.training.packing import Pack
from forge_lib.training.processes import OneProcess, gather_full, shard_packs
from forge_lib.training.state import StateFile

GIVE_BACK_EVERY = 10  # steps: every 50, 5.4 GB were resident after 150 steps; giving back takes 0.1 s
COMPILE_FROM = 60  # steps from which on compiling takes less time than it saves


@dataclass(frozen=True)
class SFTSettings:
    """Hyperparameters of one SFT run."""

    learning_rate: float = 1e-3  # peak; LoRA bears ten times the rate of full fine-tuning (Hu et al. 2021)
    warmup: float = 0.05  # share of steps with a rising rate
    weight_decay: float = 0.0  # B starts at zero: decay would pull towards no change
    betas: tuple[float, float] = (0.9, 0.99)  # a shorter memory than 0.999: the runs have a few hundred steps
    max_grad_norm: float = 1.0
    patience: int | None = 2  # validations in a row without a better one before training ends; None = never
    save_every: int = 50  # steps between two writings of the file that a killed training goes on from
    packs_per_forward: int = 4  # memory, not mathematics: the gradient of a step does not depend on it
    dtype: str = "bfloat16"


def add_lora(model, profile: Profile, targets: str | Sequence[str] = "all-linear"):
    """Wrap `model` with trainable LoRA matrices (fp32) on `targets`: the names of linear layers, or all of the blocks.

    Raises TrainingError for a target that is not in the model, and a rank above the smaller side of a layer.
    """
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    shapes = linear_shapes(model)
    if targets != "all-linear":
        shapes = {n: s for n, s in shapes.items() if n.rsplit(".")[-1] in targets}
        missing = set(targets) - {n.rsplit(".")[-1] for n in shapes}
        if missing:
            known = sorted({n.rsplit(".")[-1] for n in linear_shapes(model)})
            raise TrainingError(
                f"The model has no linear layer named {', '.join(sorted(missing))}. Choose targets from: {', '.join(known)}."
            )
    # B·A of rank r is at most a matrix of rank r, and an update of a (out, in) layer has rank min(out, in) at most.
    name, side = min(((n, min(s)) for n, s in shapes.items()), key=lambda item: item[1])
    if profile.lora_rank > side:
        raise TrainingError(
            f"Rank {profile.lora_rank} is above the smaller side of {name} ({side}): no change of that layer needs more "
            f"than rank {side}. Lower lora_rank in the profile to {side} or less."
        )
    if profile.quantize_4bit:
        # What is not in 4 bits (norms, embeddings) goes to fp32, and activations are computed again in the backward pass.
        model = prepare_model_for_kbit_training(model)
    config = LoraConfig(
        r=profile.lora_rank, lora_alpha=profile.lora_alpha, lora_dropout=0.0, target_modules=targets,
        task_type="CAUSAL_LM",
    )  # fmt: skip
    return fuse_lora(get_peft_model(model, config))  # PEFT casts the adapter's matrices to fp32


def settings_for(profile: Profile) -> SFTSettings:
    """The profile's share of the settings."""
    return SFTSettings(
        learning_rate=profile.learning_rate, packs_per_forward=profile.packs_per_forward, dtype=profile.dtype
    )


def _as_loss(model, pad_id: int, settings: SFTSettings) -> PackLoss:
    return model if isinstance(model, PackLoss) else PackLoss(model, pad_id, settings.dtype)


def _answer_tokens(packs: Sequence[Pack]) -> int:
    return sum(len(e.answer) for pack in packs for e in pack)


def check_answers(packs: Sequence[Pack]) -> None:
    """Raise TrainingError unless `packs` hold an answer to take the loss of."""
    if not _answer_tokens(packs):
        raise TrainingError(
            "There are no answers to take the loss of. Choose at least one pair: this part of the data may hold none."
        )


@torch.no_grad()
def mean_loss(model, packs: Sequence[Pack], pad_id: int, settings: SFTSettings, accelerator=None) -> float:
    """Mean cross-entropy per answer token over `packs`, in nats; under an accelerator each process takes its share.

    Raises TrainingError where `packs` hold no answer.
    """
    check_answers(packs)
    accelerator, loss_of = accelerator or OneProcess(), _as_loss(model, pad_id, settings)
    total = sum(loss_of(part) * weight for part, weight in shard_packs(packs, settings.packs_per_forward, accelerator))
    return accelerator.reduce(total).item() / loss_of.units(packs)


def cosine_schedule(step: int, steps: int, warmup: float) -> float:
    """Factor of the peak rate at `step` of `steps`: linear warm-up, then half a cosine down to zero.

    >>> [round(cosine_schedule(s, 100, 0.1), 2) for s in (0, 10, 55, 99)]
    [0.1, 1.0, 0.5, 0.0]
    """
    rise = max(1, round(steps * warmup))
    if step < rise:
        return (step + 1) / rise  # not step / rise: the first step would learn nothing
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def exponential_schedule(step: int, steps: int, decades: float = 4.0) -> float:
    """Factor of the peak rate in a learning-rate range test: from 10^-decades up to 1, evenly in the logarithm.

    Smith 2017, https://arxiv.org/abs/1506.01186.

    >>> [exponential_schedule(s, 5) for s in range(5)]
    [0.0001, 0.001, 0.01, 0.1, 1.0]
    """
    return 10 ** (decades * (step / max(1, steps - 1) - 1))


class _Updates:
    """Optimizer steps over packs: gradient, its norm clipped, AdamW."""

    def __init__(self, loss_of: PackLoss, settings: SFTSettings, accelerator):
        self.model, self.settings, self.accelerator = loss_of.model, settings, accelerator
        self.units = loss_of.units  # before an accelerator wraps it
        optimizer = torch.optim.AdamW(
            (p for p in self.model.parameters() if p.requires_grad), settings.learning_rate, settings.betas,
            weight_decay=settings.weight_decay, fused=True,
        )  # fmt: skip
        self.loss_of, self.optimizer = accelerator.prepare(loss_of, optimizer)
        self.trained = [p for p in self.model.parameters() if p.requires_grad]  # FSDP puts others in their place
        # float16 ends at 6e-8: the loss is multiplied up, so that small gradients are not zero, and they are divided again.
        self.scaler = torch.amp.GradScaler(self.model.device.type, enabled=settings.dtype == "float16")
        self.parts = {"optimizer": self.optimizer, "scaler": self.scaler}

    def recorded(self, packs: Sequence[Pack], schedule: Callable[[int, int], float], number: int, steps: int) -> dict:
        """Step `number` of `steps` on `packs`, in training mode, and the record of it. Raises as `step` does."""
        began = time.perf_counter()
        rate = self.settings.learning_rate * schedule(number - 1, steps)
        self.model.train()
        loss, norm = self.step(packs, rate, number)
        examples = [e for pack in packs for e in pack]
        return {"step": number, "loss": loss, "learning_rate": rate, "grad_norm": norm, "examples": len(examples),
                "tokens": sum(map(len, examples)), "seconds": time.perf_counter() - began}  # fmt: skip

    def step(self, packs: Sequence[Pack], rate: float, number: int) -> tuple[float, float]:
        """Step `number` on `packs` at `rate`: mean loss (nats per answer token) and norm of the gradient before it.

        Raises TrainingError, and leaves the weights, where one of the two is not a number.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = self._backward(packs)
        self.scaler.unscale_(self.optimizer)  # before the norm is taken: it would be that of the scaled gradient
        norm = float(gather_full(self.accelerator.clip_grad_norm_(self.trained, self.settings.max_grad_norm)))
        # An infinite norm in float16 is how the scaler learns that its factor is too large: it skips the step and halves it.
        if not math.isfinite(loss) or not (math.isfinite(norm) or self.scaler.is_enabled()):
            raise TrainingError(
                f"The loss is {loss} and its gradient {norm} at step {number}. Lower the learning rate (now "
                f"{self.settings.learning_rate:g}), or look at the examples of this step for empty answers. "
                "The weights are those of the step before."
            )
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return loss, norm

    def _backward(self, packs: Sequence[Pack]) -> float:
        """Backward passes, a few packs at a time; the gradient is that of the mean over all units (tokens) of the step.

        All its units, in whichever process: each process knows all packs. DDP, FSDP and DeepSpeed average gradients
        over the processes, hence the factor.
        """
        accelerator, count, total = self.accelerator, self.units(packs), 0.0
        parts = list(shard_packs(packs, self.settings.packs_per_forward, accelerator))
        for number, (part, weight) in enumerate(parts, 1):
            accelerator.sync_gradients = number == len(parts)  # DeepSpeed reads it; the others are asked by no_sync
            with nullcontext() if accelerator.sync_gradients else accelerator.no_sync(self.loss_of):
                loss = self.loss_of(part) * weight
                accelerator.backward(self.scaler.scale(loss * (accelerator.num_processes / count)))
            total = total + loss.detach()
        return accelerator.reduce(total).item() / count


def train(
    model,
    steps: Sequence[Sequence[Pack]],
    pad_id: int,
    settings: SFTSettings,
    validate: Callable[[int], dict] | None = None,
    validate_at: Sequence[int] = (),
    progress: bool = True,
    schedule: Callable[[int, int], float] | None = None,
    state: Path | None = None,
    track: Callable[[dict], object] | None = None,
    accelerator=None,
) -> list[dict]:
    """Train the parameters of `model` that require gradients, one optimizer step per element of `steps`.

    validate: called after the steps numbered in `validate_at` (1 = after the first); what it returns joins the record.
        With `settings.patience` training ends after so many validations in a row without a better one.
    schedule: factor of the peak rate at (step from 0, steps); a cosine with warm-up if not given.
    state: a file that keeps where training is, every `settings.save_every` steps and at each validation. A training
        that was killed goes on from it to the same weights; the file goes when training ends.
    track: called with each record.
    accelerator: an `accelerate.Accelerator`, when several processes train together: each takes its share of a step's
        packs, and together they make the steps that one would. `validate` is then called in every process.
    Returns one record a step: step, loss (mean nats per answer token), learning_rate, grad_norm, examples, tokens
    (logical: as if every example had its own prefix), seconds.
    Raises TrainingError when there is nothing to train on, when loss or gradient are not numbers (before they touch a
    weight), when `state` belongs to another training or is damaged, and when it cannot be written.
    """
    check_steps(steps)
    accelerator, loss_of = accelerator or OneProcess(), _as_loss(model, pad_id, settings)
    model, updates = loss_of.model, _Updates(loss_of, settings, accelerator)
    schedule = schedule or (lambda step, count: cosine_schedule(step, count, settings.warmup))
    plan = _plan(schedule, len(steps), validate_at, loss_of.about) if state else None
    file = StateFile(state, model, updates.parts, steps, settings, plan, accelerator.is_main_process)
    records = file.load()
    left = [] if records and records[-1].get("stopped_early") else steps[len(records) :]
    # By all steps, not by those that are left: compiled passes round otherwise, and a killed run ends as a whole one.
    with compiling(len(steps) >= COMPILE_FROM), _bar(steps, records, progress and accelerator.is_main_process) as bar:
        for number, packs in enumerate(left, len(records) + 1):
            record = updates.recorded(packs, schedule, number, len(steps))
            bar.set_postfix(loss=f"{record['loss']:.3f}", refresh=False)
            bar.update()
            checked = validate is not None and number in validate_at
            if checked:
                model.eval()
                record |= validate(number)
            records.append(record)
            if track:
                track(record)
            if checked and _patience_is_over(records, settings.patience):
                record["stopped_early"] = True  # before the state is saved: who goes on from there stops too
            if checked or number % GIVE_BACK_EVERY == 0:
                give_back()
            if checked or number % settings.save_every == 0:
                file.save(records)
            if "stopped_early" in record:
                break
    model.eval()
    file.remove()
    return records


def _plan(schedule: Callable[[int, int], float], steps: int, validate_at: Sequence[int], about: object) -> tuple:
    """What a training goes by beside its settings and its packs: the rates, when it validates, and what its loss is."""
    plan = [schedule(number, steps) for number in range(steps)], list(validate_at)
    return (*plan, about) if about else plan


def _bar(steps: Sequence, records: Sequence[dict], shown: bool):
    from tqdm import tqdm  # text: GitHub shows it, and a widget would be lost

    return tqdm(total=len(steps), initial=len(records), desc="train", disable=not shown)


def check_steps(steps: Sequence[Sequence[Pack]]) -> None:
    """Raise TrainingError unless there are steps, and an answer to learn in each."""
    if not steps:
        raise TrainingError("There is nothing to train on: no optimizer steps. Choose more pairs, or more passes.")
    for number, packs in enumerate(steps, 1):
        if not _answer_tokens(packs):
            raise TrainingError(
                f"Step {number} holds no answer to learn. Take packs without examples and empty answers out of it."
            )


def _patience_is_over(records: Sequence[dict], patience: int | None) -> bool:
    return bool(patience) and validations_since_best(records) >= patience


def validations_since_best(records: Sequence[dict]) -> int:
    """How many validations came after the best one: what `SFTSettings.patience` bounds."""
    validated = [r for r in records if "validation_loss" in r]
    return len(validated) - 1 - validated.index(best_checkpoint(records))


def best_checkpoint(records: Sequence[dict]) -> dict:
    """The validated record with the highest validation accuracy; the lower validation loss decides a tie."""
    validated = [r for r in records if "validation_accuracy" in r]
    if not validated:
        raise TrainingError("No step was validated, so there is no checkpoint to choose.")
    return max(validated, key=lambda r: (r["validation_accuracy"], -r["validation_loss"]))


def save_adapter(model, folder: Path, weights: dict | None = None) -> Path:
    """Save the adapter alone (not the base) under `folder`, the same bytes for the same weights.

    weights: its tensors by name, where the model's own are spread over processes.
    Raises RunError when the disk is nearly full; what was in `folder` stays until the new adapter is whole.
    """
    folder = Path(folder)
    check_disk(folder.parent, 0.1)
    for config in model.peft_config.values():
        if isinstance(config.target_modules, set):  # its order is another in every process
            config.target_modules = sorted(config.target_modules)
    with fresh_folder(folder) as work:
        model.save_pretrained(work, state_dict=weights, save_embedding_layers=False)  # "auto" would ask the Hub
        record_base(model, work)
    return folder
