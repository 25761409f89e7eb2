"""Engine "unsloth": unsloth's kernels under TRL's SFTTrainer, on CUDA. Written after unsloth 2026.10.7."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import torch

from forge_lib.adapter import check_kind, check_same_base, check_whole
from forge_lib.chat import Prompt
from forge_lib.embedded import describe_base
from forge_lib.models import Completion, base_dir, check_base, stop_ids
from forge_lib.profiles import Profile
from forge_lib.training.engines.torch_loop import save  # noqa: F401  (one of the verbs)
from forge_lib.training.packing import Pack, collate
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
    total, count, kind = 0.0, 0, getattr(torch, settings.dtype)
    for at in range(0, len(packs), settings.packs_per_forward):
        rows = [e for pack in packs[at : at + settings.packs_per_forward] for e in pack]
        batch = collate([[e] for e in rows], tokenizer.pad_token_id, torch.float32)
        ids, (row, column), answers = batch.input_ids, batch.keep.unbind(1), len(batch.targets)
        labels = torch.full_like(ids, -100).index_put((row, column + 1), batch.targets)
        mask = (torch.arange(ids.shape[1]) < torch.tensor([[len(e)] for e in rows])).long()
        inputs = {"input_ids": ids, "attention_mask": mask, "labels": labels}
        with torch.autocast(model.device.type, dtype=kind, enabled=kind != torch.float32):
            mean = model(**{k: v.to(model.device) for k, v in inputs.items()}, use_cache=False).loss
        total, count = total + mean.item() * answers, count + answers
    return total / count


def generate(
    model, tokenizer, prompts: Sequence[Prompt], max_new_tokens: int, batch_size: int = 32, progress: bool = False,
    temperature: float = 0.0,
) -> list[Completion]:  # fmt: skip
    """Completions by the model's own `generate`, which unsloth replaces; it cannot share prefixes."""
    from tqdm import tqdm

    stops = stop_ids(model, tokenizer)
    pick = {"do_sample": False} if temperature == 0 else {"do_sample": True, "temperature": temperature}
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    done: list[Completion | None] = [None] * len(prompts)
    for at in tqdm(range(0, len(order), batch_size), "generate", disable=not progress, leave=False):
        rows = order[at : at + batch_size]
        began = time.perf_counter()
        ids, mask = _left_padded([prompts[i] for i in rows], tokenizer.pad_token_id, model.device)
        out = model.generate(
            input_ids=ids, attention_mask=mask, max_new_tokens=max_new_tokens, pad_token_id=tokenizer.pad_token_id,
            eos_token_id=stops, top_k=0, top_p=1.0, repetition_penalty=1.0, **pick,
        )  # the last three undo what some bases ask for in their generation_config  # fmt: skip
        seconds = (time.perf_counter() - began) / len(rows)
        for i, answer in zip(rows, out[:, ids.shape[1] :].tolist(), strict=True):
            end = next((n for n, token in enumerate(answer) if token in stops), None)
            length = len(answer) if end is None else end
            text = tokenizer.decode(answer[:length], skip_special_tokens=True)
            new = tuple(answer[: length + (end is not None)])
            done[i] = Completion(text, len(prompts[i]), length, seconds, end is not None, new)
    return done


def _left_padded(prompts: Sequence[Prompt], pad_id: int, device) -> tuple[torch.Tensor, torch.Tensor]:
    """ids and mask, (B, T) each."""
    width = max(map(len, prompts))
    ids = [[pad_id] * (width - len(p)) + [*p.prefix, *p.rest] for p in prompts]
    mask = [[0] * (width - len(p)) + [1] * len(p) for p in prompts]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)
