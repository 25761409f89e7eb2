"""Engine "mlx": MLX on Apple silicon, or its CPU build on Linux. Padded batches, no shared prefixes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import torch
from mlx.utils import tree_flatten, tree_map
from mlx_lm.generate import BatchGenerator
from mlx_lm.sample_utils import make_sampler
from mlx_lm.tuner.lora import LoRALinear
from mlx_lm.tuner.utils import linear_to_lora_layers, load_adapters
from mlx_lm.utils import load_config, load_model

from forge_lib.lab.files import said
from forge_lib.lab.profiles import Profile
from forge_lib.models.adapter import check_same_weight
from forge_lib.models.chat import Prompt
from forge_lib.models.embedded import ModelError, describe_base
from forge_lib.models.generate import Completion
from forge_lib.models.load import base_dir, base_id, check_base, check_logits
from forge_lib.training.engines import EngineError, Journal
from forge_lib.training.engines.adapters import peft_to_mlx, write_peft
from forge_lib.training.packing import Pack, collate
from forge_lib.training.sft import SFTSettings, check_answers


@dataclass(frozen=True)
class _Origin:
    """Where a model came from; `load` leaves it on the model as `origin`."""

    base: str  # its name on the Hub, or a folder
    stops: frozenset[int]  # tokens that end an answer, as the base's files name them


def load(profile: Profile, adapter: str | Path | None = None) -> nn.Module:
    """An mlx-lm model in the profile's dtype, frozen but for LoRA matrices in float32."""
    if profile.quantize_4bit:
        raise EngineError(f"Engine 'mlx' trains on 16 or 32 bits; set quantize_4bit=False for '{profile.name}'.")
    base = base_dir(profile)
    folder = _folder(base)
    config = load_config(folder)
    check_logits(config)
    mx.random.seed(torch.initial_seed() % 2**32)
    model, _ = load_model(folder, model_config=_rope(config))
    model.set_dtype(getattr(mx, profile.dtype))
    model.freeze()
    if adapter is None:
        scale = profile.lora_alpha / profile.lora_rank
        linear_to_lora_layers(model, len(model.layers), {"rank": profile.lora_rank, "scale": scale, "dropout": 0.0})
    else:
        _attach(model, Path(adapter), profile)
    stops = config.get("eos_token_id", [])
    model.origin = _Origin(base_id(profile), frozenset(stops if isinstance(stops, list) else [stops]))
    return model


def train(
    model, steps: Sequence[Sequence[Pack]], tokenizer, settings: SFTSettings, progress: bool = True, **hooks
) -> list[dict]:
    """The loop of `sft.train` in MLX. Raises TrainingError when the loss is not a number, before it changes a weight."""
    from tqdm import tqdm

    journal = Journal(model, steps, settings, **hooks)
    optimizer = optim.AdamW(
        settings.learning_rate, list(settings.betas), weight_decay=settings.weight_decay, bias_correction=True
    )
    loss_and_gradient = nn.value_and_grad(model, _answer_loss)
    for packs in tqdm(steps, "train", disable=not progress):
        began = time.perf_counter()
        model.train()
        loss, gradient = _accumulate(loss_and_gradient, model, packs, tokenizer.pad_token_id, settings)
        journal.check(loss)
        gradient, norm = optim.clip_grad_norm(gradient, settings.max_grad_norm)
        optimizer.learning_rate = journal.rate()
        optimizer.update(model, gradient)
        mx.eval(model.trainable_parameters(), optimizer.state)
        if not journal.add(loss, norm.item(), time.perf_counter() - began):
            break
    model.eval()
    return journal.records


def _answer_loss(model, ids: mx.array, keep: mx.array, targets: mx.array) -> mx.array:
    """Sum of cross-entropy (nats) over answer tokens: ids (B, T) padded on the right, keep (N, 2), targets (N,)."""
    hidden = model.model(ids)[keep[:, 0], keep[:, 1]]  # (N, D)
    tied = model.args.tie_word_embeddings
    logits = model.model.embed_tokens.as_linear(hidden) if tied else model.lm_head(hidden)  # (N, V)
    return nn.losses.cross_entropy(logits.astype(mx.float32), targets, reduction="sum")


def loss(model, packs: Sequence[Pack], tokenizer, settings: SFTSettings) -> float:
    """Mean cross-entropy per answer token (nats)."""
    check_answers(packs)
    total = 0.0
    for at in range(0, len(packs), settings.packs_per_forward):
        total += _answer_loss(
            model, *_batch(packs[at : at + settings.packs_per_forward], tokenizer.pad_token_id)
        ).item()
    return total / sum(len(e.answer) for pack in packs for e in pack)


def generate(
    model, tokenizer, prompts: Sequence[Prompt], max_new_tokens: int, batch_size: int = 32, progress: bool = False,
    temperature: float = 0.0,
) -> list[Completion]:  # fmt: skip
    """Completions by mlx-lm's BatchGenerator; a new prompt takes the place of a row that has ended.

    `seconds` of a completion is the time of the whole call over the number of prompts.
    """
    from tqdm import tqdm

    model.eval()
    began = time.perf_counter()
    stops = model.origin.stops | {tokenizer.eos_token_id}
    batch = BatchGenerator(
        model, max_tokens=max_new_tokens, stop_tokens=[[s] for s in sorted(stops)], sampler=make_sampler(temperature),
        completion_batch_size=batch_size, prefill_batch_size=min(8, batch_size),
    )  # fmt: skip
    answers = {row: [] for row in batch.insert([[*p.prefix, *p.rest] for p in prompts])}
    finished = {}
    with tqdm(desc="generate", total=len(prompts), disable=not progress, leave=False) as bar:
        while responses := batch.next_generated():
            for response in responses:
                answers[response.uid].append(response.token)
                if response.finish_reason:
                    finished[response.uid] = response.finish_reason == "stop"
                    bar.update()
    batch.close()
    seconds = (time.perf_counter() - began) / max(1, len(prompts))
    done = []
    for prompt, (row, ids) in zip(prompts, answers.items(), strict=True):
        length = len(ids) - finished[row]
        text = tokenizer.decode(ids[:length], skip_special_tokens=True)
        done.append(Completion(text, len(prompt), length, seconds, finished[row], tuple(ids)))
    return done


def save(model, folder: str | Path) -> Path:
    """The adapter under `folder` in PEFT's format, whole or not at all."""
    scale = next(m.scale for m in model.modules() if isinstance(m, LoRALinear))
    weights = {name: torch.from_numpy(np.array(w)) for name, w in tree_flatten(model.trainable_parameters())}
    return write_peft(weights, scale, model.origin.base, folder, _embeddings(model))


def _embeddings(model) -> torch.Tensor:
    """The first rows, of which `forge_lib.models.adapter` keeps some numbers with an adapter: two bases may have one name."""
    return torch.from_numpy(np.array(model.model.embed_tokens.weight[:128].astype(mx.float32)))


def _folder(base: str) -> Path:
    if Path(base).exists():
        return Path(base)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(base, allow_patterns=["*.json", "model*.safetensors"]))
    except OSError as error:
        raise ModelError(
            f"The model '{base}' is neither on this disk nor could it be fetched ({said(error)}). "
            "Check the network, or use --profile cpu, whose model is installed with the course."
        ) from error


def _rope(config: dict) -> dict:
    """The rotary settings where mlx-lm looks for them: transformers 5 nests them, and mlx-lm would use its default.

    >>> _rope({"rope_parameters": {"rope_theta": 100000.0, "rope_type": "default"}})
    {'rope_theta': 100000.0}
    """
    rope = config.get("rope_parameters") or {}
    scaling = {} if rope.get("rope_type", "default") == "default" else {"rope_scaling": rope}
    return {"rope_theta": rope["rope_theta"], **scaling} if "rope_theta" in rope else {}


def _attach(model: nn.Module, adapter: Path, profile: Profile) -> None:
    check_base(adapter, profile)
    with tempfile.TemporaryDirectory() as folder:
        try:
            load_adapters(model, str(peft_to_mlx(adapter, Path(folder) / "mlx")))
        except ValueError as error:
            raise ModelError(
                f"The adapter in {adapter.name}/ does not fit the base {profile.base_model}: "
                f"{said(error, -1)}. Load it with the profile it was trained on."
            ) from error
        mx.eval(model.parameters())
    check_same_weight(adapter, _embeddings(model), describe_base(profile.base_model))


def _accumulate(loss_and_gradient, model, packs: Sequence[Pack], pad_id: int, settings: SFTSettings):
    """Mean loss per answer token of a step, and its gradient, over a few packs at a time."""
    count = sum(len(e.answer) for pack in packs for e in pack)
    total, gradient = 0.0, None
    for at in range(0, len(packs), settings.packs_per_forward):
        loss, part = loss_and_gradient(model, *_batch(packs[at : at + settings.packs_per_forward], pad_id))
        gradient = part if gradient is None else tree_map(mx.add, gradient, part)
        mx.eval(loss, gradient)
        total += loss.item()
    return total / count, tree_map(lambda g: g / count, gradient)


def _batch(packs: Sequence[Pack], pad_id: int) -> tuple[mx.array, mx.array, mx.array]:
    alone = collate([[e] for pack in packs for e in pack], pad_id, torch.float32)
    return tuple(mx.array(x.numpy()) for x in (alone.input_ids, alone.keep, alone.targets))
