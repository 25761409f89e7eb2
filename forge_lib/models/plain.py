"""Loss and generation as transformers has them, on padded batches: what the course's own ways are held against.

Also the way of a model that brings kernels of its own (unsloth's), which knows neither packs nor shared prefixes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

from forge_lib.models.chat import Example, Prompt
from forge_lib.models.generate import Completion, Constraint, bounded, stop_ids


def loss(model, examples: Sequence[Example], pad_id: int, dtype: str) -> tuple[torch.Tensor, int]:
    """Sum of cross-entropy over the answer tokens of `examples` (nats), and their number: one forward pass, a row each."""
    width, kind, device = max(map(len, examples)), getattr(torch, dtype), model.device
    rows = {
        "input_ids": [e.input_ids + [pad_id] * (width - len(e)) for e in examples],
        "labels": [e.labels + [-100] * (width - len(e)) for e in examples],
        "attention_mask": [[1] * len(e) + [0] * (width - len(e)) for e in examples],
    }
    with torch.autocast(device.type, dtype=kind, enabled=kind != torch.float32):
        mean = model(**{k: torch.tensor(v, device=device) for k, v in rows.items()}, use_cache=False).loss
    count = sum(len(e.answer) for e in examples)
    return mean * count, count


@torch.no_grad()
def generate(
    model, tokenizer, prompts: Sequence[Prompt], max_new_tokens: int, batch_size: int = 32, progress: bool = False,
    temperature: float = 0.0, constraints: Sequence[Constraint | None] | None = None,
) -> list[Completion]:  # fmt: skip
    """Completions by the model's own `generate`, in the order of `prompts`, padded on the left; a prefix is read for each."""
    from tqdm import tqdm  # text: GitHub shows it, and a widget would be lost

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
            logits_processor=[_Bounds([c and c.fresh() for c in (constraints[i] for i in rows)], stops)] if constraints else [],
        )  # the last three undo what some bases ask for in their generation_config  # fmt: skip
        seconds = (time.perf_counter() - began) / len(rows)
        for i, answer in zip(rows, out[:, ids.shape[1] :].tolist(), strict=True):
            end = next((n for n, token in enumerate(answer) if token in stops), None)
            length = len(answer) if end is None else end
            text = tokenizer.decode(answer[:length], skip_special_tokens=True)
            new = tuple(answer[: length + (end is not None)])
            done[i] = Completion(text, len(prompts[i]), length, seconds, end is not None, new)
    return done


class _Bounds:
    """Constraints of a batch's rows, as transformers asks: with all ids so far and the scores of the next."""

    def __init__(self, bounds: list[Constraint | None], stops: list[int]):
        self.bounds, self.stops, self.width = bounds, torch.tensor(stops), None

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if self.width is not None:
            for n, token in enumerate(ids[:, -1].tolist()):
                if self.bounds[n] is not None:
                    self.bounds[n].advance(token)
                if token in self.stops:
                    self.bounds[n] = None
        self.width = ids.shape[1]
        return bounded(scores, self.bounds, self.stops)


def _left_padded(prompts: Sequence[Prompt], pad_id: int, device) -> tuple[torch.Tensor, torch.Tensor]:
    """ids and mask, (B, T) each."""
    width = max(map(len, prompts))
    ids = [[pad_id] * (width - len(p)) + [*p.prefix, *p.rest] for p in prompts]
    mask = [[0] * (width - len(p)) + [1] * len(p) for p in prompts]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)
