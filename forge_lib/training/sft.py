"""Supervised fine-tuning of LoRA matrices on completion tokens, in plain PyTorch."""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from forge_lib import blocks
from forge_lib.compiling import compiling, one_pass
from forge_lib.fused import fuse_lora
from forge_lib.lora import linear_shapes
from forge_lib.models import causal_lm
from forge_lib.profiles import Profile
from forge_lib.training.packing import Pack, collate, line_up
from forge_lib.training.processes import OneProcess, shares, whole

COMPILE_FROM = 60  # steps from which on compiling takes less time than it saves


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
    name, side = min(((n, min(s)) for n, s in shapes.items()), key=lambda item: item[1])
    if profile.lora_rank > side:
        raise TrainingError(
            f"Rank {profile.lora_rank} is above the smaller side of {name} ({side}): no change of that layer needs more "
            f"than rank {side}. Lower lora_rank in the profile to {side} or less."
        )
    if profile.quantize_4bit:
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


def answer_states(model, packs: Sequence[Pack], pad_id: int, dtype: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The last states (N, D) that predict the N answer tokens of `packs`, and those tokens (N,), pack by pack."""
    kind = getattr(torch, dtype)
    if blocks.fits(model, kind):
        line = line_up(packs)
        return blocks.hidden_states(model, line.input_ids, line.position_ids, line.layouts)[line.keep], line.targets
    batch, device = collate(packs, pad_id, kind), model.device
    with torch.autocast(device.type, dtype=kind, enabled=kind != torch.float32):
        hidden = causal_lm(model).get_decoder()(
            input_ids=batch.input_ids.to(device), position_ids=batch.position_ids.to(device),
            attention_mask=batch.attention_mask.to(device), use_cache=False,
        ).last_hidden_state  # (B, T, D)  # fmt: skip
    rows, columns = batch.keep.to(device).unbind(1)
    return hidden[rows, columns], batch.targets.to(device)


def answer_logits(model, packs: Sequence[Pack], pad_id: int, dtype: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (N, V) in fp32 that predict the N answer tokens of `packs`, and those tokens (N,).

    The output layer sees answer positions only: with 49,152 words in the vocabulary the logits of all positions
    would be the largest tensor of the step.
    """
    states, targets = answer_states(model, packs, pad_id, dtype)
    head = causal_lm(model).get_output_embeddings()
    return head(states.to(head.weight.dtype)).float(), targets


@one_pass
def _loss_and_slope(logits, targets):
    """Sum of the cross-entropies of logits (n, V), and its gradient softmax - onehot in the logits' type."""
    wide = logits.float()
    total = torch.logsumexp(wide, -1, keepdim=True)
    hit = torch.arange(wide.shape[1], device=wide.device) == targets[:, None]
    slope = (torch.exp(wide - total) - hit.float()).to(logits.dtype)
    return (total - wide.gather(1, targets[:, None])).sum(), slope


class AnswerLoss(torch.autograd.Function):
    """Σ -log softmax(W·h)[target] over N states h (N, D), with W (V, D) frozen; never more than 128 rows of logits.

    The gradient of a row, Wᵀ(softmax - onehot), is computed in the forward pass, so that no logits are kept.
    """

    @staticmethod
    def forward(ctx, states, weight, targets):
        total, grads = states.new_zeros((), dtype=torch.float32), []
        for rows, wanted in zip(states.split(128), targets.split(128), strict=True):
            loss, slope = _loss_and_slope(rows @ weight.T, wanted)
            total += loss
            grads.append(slope @ weight)
        ctx.save_for_backward(torch.cat(grads))
        return total

    @staticmethod
    def backward(ctx, grad):
        (slope,) = ctx.saved_tensors
        return slope * grad.to(slope.dtype), None, None


def pack_loss(model, packs: Sequence[Pack], pad_id: int, dtype: str) -> tuple[torch.Tensor, int]:
    """Sum of cross-entropy over the answer tokens of `packs` (nats), and their number.

    L = -Σ log p(answer token | schema, question, earlier answer tokens).
    """
    states, targets = answer_states(model, packs, pad_id, dtype)
    weight = causal_lm(model).get_output_embeddings().weight
    if weight.requires_grad:  # full fine-tuning
        logits = (states.to(weight.dtype) @ weight.T).float()
        return F.cross_entropy(logits, targets, reduction="sum"), len(targets)
    return AnswerLoss.apply(states.to(weight.dtype), weight, targets), len(targets)


class PackLoss(torch.nn.Module):
    """`pack_loss`'s sum as a module: what DDP, FSDP and DeepSpeed take hold of is a forward.

    `train` and `mean_loss` take one in place of the model: FSDP gathers embeddings only for the module it prepared.
    """

    def __init__(self, model, pad_id: int, dtype: str):
        super().__init__()
        self.model, self.pad_id, self.dtype = model, pad_id, dtype
        self._no_split_modules = causal_lm(model)._no_split_modules  # FSDP shares weights out by these blocks

    def forward(self, packs: Sequence[Pack]) -> torch.Tensor:
        """Sum over the answer tokens of `packs`, in nats."""
        return pack_loss(self.model, packs, self.pad_id, self.dtype)[0]


def _as_loss(model, pad_id: int, settings: SFTSettings) -> PackLoss:
    return model if isinstance(model, PackLoss) else PackLoss(model, pad_id, settings.dtype)


def _answer_tokens(packs: Sequence[Pack]) -> int:
    return sum(len(e.answer) for pack in packs for e in pack)


@torch.no_grad()
def mean_loss(model, packs: Sequence[Pack], pad_id: int, settings: SFTSettings, accelerator=None) -> float:
    """Mean cross-entropy per answer token over `packs`, in nats; under an accelerator each process takes its share."""
    crew, loss_of = accelerator or OneProcess(), _as_loss(model, pad_id, settings)
    total = sum(loss_of(part) * weight for part, weight in shares(packs, settings.packs_per_forward, crew))
    return crew.reduce(total).item() / _answer_tokens(packs)


def cosine_schedule(step: int, steps: int, warmup: float) -> float:
    """Factor of the peak rate at `step` of `steps`: linear warm-up, then half a cosine down to zero.

    >>> [round(cosine_schedule(s, 100, 0.1), 2) for s in (0, 10, 55, 99)]
    [0.1, 1.0, 0.5, 0.0]
    """
    rise = max(1, round(steps * warmup))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def exponential_schedule(step: int, steps: int, decades: float = 4.0) -> float:
    """Factor of the peak rate in a learning-rate range test: from 10^-decades up to 1, evenly in the logarithm.

    Smith 2017, https://arxiv.org/abs/1506.01186.

    >>> [exponential_schedule(s, 5) for s in range(5)]
    [0.0001, 0.001, 0.01, 0.1, 1.0]
    """
    return 10 ** (decades * (step / max(1, steps - 1) - 1))


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
    Raises TrainingError when loss or gradient are not numbers (before they touch a weight), when `state` belongs to
    another training, and when it cannot be written.
    """
    from tqdm import tqdm  # text: GitHub shows it, and a widget would be lost

    crew, loss_of = accelerator or OneProcess(), _as_loss(model, pad_id, settings)
    model = loss_of.model
    optimizer = torch.optim.AdamW(
        (p for p in model.parameters() if p.requires_grad), settings.learning_rate, settings.betas,
        weight_decay=settings.weight_decay, fused=True,
    )  # fmt: skip
    loss_of, optimizer = crew.prepare(loss_of, optimizer)
    trained = [p for p in model.parameters() if p.requires_grad]  # FSDP puts others in their place
    scaler = torch.amp.GradScaler(model.device.type, enabled=settings.dtype == "float16")
    schedule = schedule or (lambda step, count: cosine_schedule(step, count, settings.warmup))
    parts, records = {"optimizer": optimizer, "scaler": scaler}, []
    if state:
        key = _key(model, steps, settings)
        records = load_state(state, key, model, parts)
    bar = tqdm(total=len(steps), initial=len(records), desc="train", disable=not (progress and crew.is_main_process))
    with compiling(len(steps) - len(records) >= COMPILE_FROM), bar:
        for number, packs in enumerate(steps[len(records) :], len(records) + 1):
            began = time.perf_counter()
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * schedule(number - 1, len(steps))
            model.train()
            loss = _accumulate(loss_of, packs, settings, scaler, crew)
            scaler.unscale_(optimizer)
            norm = float(whole(crew.clip_grad_norm_(trained, settings.max_grad_norm)))
            if not math.isfinite(loss) or not (math.isfinite(norm) or scaler.is_enabled()):
                raise TrainingError(
                    f"The loss is {loss} and its gradient {norm} at step {number}. Lower the learning rate (now "
                    f"{settings.learning_rate:g}), or look at the examples of this step for empty answers. "
                    "The weights are those of the step before."
                )
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad(set_to_none=True)
            examples = [e for pack in packs for e in pack]
            record = {"step": number, "loss": loss, "learning_rate": optimizer.param_groups[0]["lr"], "grad_norm": norm,
                      "examples": len(examples), "tokens": sum(map(len, examples)),
                      "seconds": time.perf_counter() - began}  # fmt: skip
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            bar.update()
            checked = validate is not None and number in validate_at
            if checked:
                model.eval()
                record |= validate(number)
            records.append(record)
            if track:
                track(record)
            if state and crew.is_main_process and (checked or number % settings.save_every == 0):
                save_state(state, key, model, parts, records)
            if checked and settings.patience and validations_since_best(records) >= settings.patience:
                record["stopped_early"] = True
                break
    model.eval()
    if state and crew.is_main_process:
        state.unlink(missing_ok=True)
    return records


def validations_since_best(records: Sequence[dict]) -> int:
    """How many validations came after the best one: what `SFTSettings.patience` bounds."""
    validated = [r for r in records if "validation_loss" in r]
    return len(validated) - 1 - validated.index(best_checkpoint(records))


def _accumulate(loss_of, packs, settings, scaler, crew) -> float:
    """Backward passes over a step's packs, a few at a time; the gradient is that of the mean over all its tokens.

    All its tokens, in whichever process: each process knows all packs. DDP, FSDP and DeepSpeed average gradients over
    the processes, hence the factor.
    """
    count, parts = _answer_tokens(packs), list(shares(packs, settings.packs_per_forward, crew))
    total = 0.0
    for number, (part, weight) in enumerate(parts, 1):
        crew.sync_gradients = number == len(parts)  # DeepSpeed reads it; the others are asked by no_sync
        with nullcontext() if crew.sync_gradients else crew.no_sync(loss_of):
            loss = loss_of(part) * weight
            crew.backward(scaler.scale(loss * (crew.num_processes / count)))
        total = total + loss.detach()
    return crew.reduce(total).item() / count


def _key(model, steps: Sequence[Sequence[Pack]], settings: SFTSettings) -> str:
    """What a training is: its settings, its base, what it trains, and every token it sees."""
    seen = hashlib.sha256(f"{settings} {model.name_or_path}".encode())
    for name, p in model.named_parameters():
        if p.requires_grad:
            seen.update(f"{name} {tuple(p.shape)}".encode())
    for packs in steps:
        seen.update(repr([[e.input_ids for e in pack] for pack in packs]).encode())
    return seen.hexdigest()


def save_state(path: Path, key: str, model, parts: dict, records: list[dict]) -> None:
    """Write trained weights, `parts` (optimizer, scaler) and records to `path`, whole or not at all."""
    weights = {n: p.detach() for n, p in model.named_parameters() if p.requires_grad}
    content = {"key": key, "weights": weights, "records": records} | {n: x.state_dict() for n, x in parts.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        torch.save(content, temporary)
        temporary.replace(path)
    except (OSError, RuntimeError) as error:  # torch's writer says a full disk with a RuntimeError
        raise TrainingError(
            f"Where training is could not be saved at step {len(records)} ({error}). Free some disk space and start "
            f"again: it goes on from the last file that was written whole ({path.name})."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def load_state(path: Path, key: str, model, parts: dict) -> list[dict]:
    """Put back what `save_state` wrote; returns the records so far, none where there is no file.

    Raises TrainingError where the file belongs to another base, other data or other settings.
    """
    if not path.exists():
        return []
    content = torch.load(path, weights_only=True)
    if content["key"] != key:
        raise TrainingError(
            f"{path.name} belongs to a training with another base, other data or other settings, so this one cannot go "
            "on from it. Delete it to start from the beginning, or use another run folder."
        )
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad:
                p.copy_(content["weights"][name])
    for name, part in parts.items():
        part.load_state_dict(content[name])
    return content["records"]


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
        model.save_pretrained(work, save_embedding_layers=False)  # "auto" would ask the Hub for the base
    return Path(folder)
