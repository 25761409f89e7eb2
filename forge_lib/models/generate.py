"""Batched generation, the same on every device: each prefix is read once, and serves all its questions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from forge_lib.models.chat import Prompt
from forge_lib.models.embedded import ModelError
from forge_lib.models.load import causal_lm, output_head


@dataclass(frozen=True)
class Completion:
    """What a model answered to one prompt, and what it cost."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float  # wall time of its batch divided by the batch size
    finished: bool  # stopped by itself (end-of-sequence) rather than at the limit
    ids: tuple[int, ...] = ()  # its tokens, the end-of-sequence too, where a model in this process made them


class Constraint(Protocol):
    """What one answer may say next: asked before a token is picked, told afterwards which one it was."""

    def fresh(self) -> Constraint:
        """One like this, at the start of an answer: each answer has its own."""

    def allowed(self) -> torch.Tensor | None:
        """(V,) bool, on the CPU: the tokens that may come, the end-of-sequence too where the answer may end. None: any.

        Shorter than the model's head, it hides the rest of the head; where it allows nothing, the answer ends.
        """

    def advance(self, token: int) -> None:
        """The answer goes on with `token`; the end-of-sequence is told too."""


@torch.inference_mode()
def generate(
    model, tokenizer, prompts: Sequence[Prompt], max_new_tokens: int, batch_size: int = 32, progress: bool = True,
    temperature: float = 0.0, constraints: Sequence[Constraint | None] | None = None,
) -> list[Completion]:  # fmt: skip
    """Completions in the order of `prompts`: greedy at temperature 0, else sampled from softmax(logits / temperature).

    constraints: one for each prompt, or None for a prompt that may be answered by anything.
    Each prefix goes through the model once and its keys and values serve all its questions; a batch mixes
    prefixes (padded on the left), and a row leaves its batch when it has ended.
    """
    from tqdm import tqdm  # text: GitHub shows it, and a widget would be lost

    check_window(model, max((len(p) for p in prompts), default=0) + max_new_tokens)
    stops = torch.tensor(stop_ids(model, tokenizer), device=model.device)
    order = sorted(range(len(prompts)), key=lambda i: (prompts[i].prefix, len(prompts[i].rest)))
    done: list[Completion | None] = [None] * len(prompts)
    for at in tqdm(range(0, len(order), batch_size), "generate", disable=not progress, leave=False):
        rows = order[at : at + batch_size]
        began = time.perf_counter()
        bounds = [c and c.fresh() for c in (constraints[i] for i in rows)] if constraints else [None] * len(rows)
        answers = _decode(model, [prompts[i] for i in rows], max_new_tokens, stops, temperature, bounds)
        seconds = (time.perf_counter() - began) / len(rows)
        for i, (ids, finished) in zip(rows, answers, strict=True):
            text = tokenizer.decode(ids[: len(ids) - finished], skip_special_tokens=True)
            done[i] = Completion(text, len(prompts[i]), len(ids) - finished, seconds, finished, tuple(ids))
    return done


def _decode(
    model, prompts: Sequence[Prompt], limit: int, stops: torch.Tensor, temperature: float,
    bounds: Sequence[Constraint | None],
) -> list[tuple[list[int], bool]]:  # fmt: skip
    """New ids (end-of-sequence included) of one batch, and whether each ended by itself."""
    device = model.device
    width = max(len(p.rest) for p in prompts)
    cache, mask = _prefix_cache(model, [p.prefix for p in prompts], room=width + limit)
    tokens = torch.zeros((len(prompts), width), dtype=torch.long)
    here = torch.zeros((len(prompts), width), dtype=torch.long)
    for r, p in enumerate(prompts):
        tokens[r, width - len(p.rest) :] = torch.tensor(p.rest)
        here[r, width - len(p.rest) :] = 1
    tokens, mask = tokens.to(device), torch.cat([mask, here], 1).to(device)  # (B, Q), (B, P + Q)
    positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -width:]
    rows = list(range(len(prompts)))  # which prompt each row of the batch answers
    answers: list[list[int]] = [[] for _ in prompts]
    finished = [False] * len(prompts)
    decoder, head = causal_lm(model).get_decoder(), causal_lm(model).get_output_embeddings()
    if temperature:  # else no scale or cap makes another word the likeliest
        head = output_head(model)
    for _ in range(limit):
        hidden = decoder(
            input_ids=tokens, attention_mask=_additive(mask, tokens.shape[1], model.dtype), position_ids=positions,
            past_key_values=cache, use_cache=True,
        ).last_hidden_state[:, -1]  # (B, D); two axes: for three, torch 2.13 copies the whole head once a row  # fmt: skip
        logits = _bounded(head(hidden), [None if finished[r] else bounds[r] for r in rows], stops)
        tokens = _pick(logits, temperature)  # (B,)
        ended = torch.isin(tokens, stops)
        for row, token, stop in zip(rows, tokens.tolist(), ended.tolist(), strict=True):
            if not finished[row]:
                finished[row] = stop
                answers[row].append(token)
                if bounds[row] is not None:
                    bounds[row].advance(token)
        going = [r for r, row in enumerate(rows) if not finished[row]]
        if not going:
            break
        tokens, positions = tokens[:, None], positions[:, -1:] + 1
        if len(going) <= 0.8 * len(rows):  # leaving costs a copy of the cache: several rows leave together
            stay, rows = torch.tensor(going, device=device), [rows[r] for r in going]
            cache.batch_select_indices(stay)
            tokens, mask, positions = tokens[stay], mask[stay], positions[stay]
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], 1)
    return list(zip(answers, finished, strict=True))


def _additive(mask: torch.Tensor, queries: int, dtype: torch.dtype) -> torch.Tensor:
    """(B, T) of ones and zeros -> (B, 1, Q, T) to add to the scores of the last Q positions: causal, padding hidden."""
    length = mask.shape[1]
    causal = torch.ones(queries, length, dtype=torch.bool, device=mask.device).tril(length - queries)
    hidden = ~(causal & mask[:, None, :].bool())
    return torch.zeros(hidden.shape, dtype=dtype, device=mask.device).masked_fill_(hidden, torch.finfo(dtype).min)[
        :, None
    ]


def _bounded(logits: torch.Tensor, bounds: Sequence[Constraint | None], stops: torch.Tensor) -> torch.Tensor:
    """`logits` (B, V), each row's forbidden tokens at minus infinity."""
    for row, bound in zip(logits, bounds, strict=True):
        allowed = None if bound is None else bound.allowed()
        if allowed is None:
            continue
        hidden = torch.ones(len(row), dtype=torch.bool)
        hidden[: len(allowed)] = ~allowed
        if hidden.all():
            hidden[stops.cpu()] = False
        row.masked_fill_(hidden.to(row.device), -torch.inf)
    return logits


def _pick(logits: torch.Tensor, temperature: float) -> torch.Tensor:
    """Next token of each row of `logits` (B, V): the likeliest, or a draw at the given temperature."""
    if temperature == 0:
        return logits.argmax(-1)
    return torch.multinomial(torch.softmax(logits.float() / temperature, -1), 1).squeeze(1)


class _RoomyLayer(DynamicLayer):
    """One layer's keys and values in a buffer with room for the tokens to come.

    DynamicLayer concatenates: with long prompts most of the time of a new token goes into copying the old ones.
    """

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, room: int):
        super().__init__()
        self.lazy_initialization(keys, values)
        self.length = 0
        self.buffers = [x.new_empty(*x.shape[:2], x.shape[2] + room, x.shape[3]) for x in (keys, values)]
        self.update(keys, values)

    def update(self, key_states, value_states, *args, **kwargs):
        end = self.length + key_states.shape[2]
        for buffer, new in zip(self.buffers, (key_states, value_states), strict=True):
            buffer[:, :, self.length : end] = new
        self.length = end
        self.keys, self.values = (b[:, :, :end] for b in self.buffers)
        return self.keys, self.values

    def batch_select_indices(self, indices):
        self.buffers = [b[indices] for b in self.buffers]
        self.keys, self.values = (b[:, :, : self.length] for b in self.buffers)


def _prefix_cache(model, prefixes: Sequence[tuple[int, ...]], room: int):
    """Keys and values of each row's prefix, every distinct prefix computed once, with room for `room` tokens more.

    Returns (cache, mask (B, P)).
    """
    known = {}
    decoder = causal_lm(model).get_decoder()
    for prefix in dict.fromkeys(prefixes):
        out = decoder(input_ids=torch.tensor([prefix], device=model.device), use_cache=True)
        known[prefix] = [(layer.keys, layer.values) for layer in out.past_key_values.layers]  # (1, H, P, D) each
    width = max(map(len, prefixes))
    mask = torch.zeros((len(prefixes), width), dtype=torch.long)
    for r, prefix in enumerate(prefixes):
        mask[r, width - len(prefix) :] = 1
    cache = DynamicCache()
    for layer in range(len(known[prefixes[0]])):
        padded = [[torch.nn.functional.pad(x, (0, 0, width - len(p), 0)) for x in known[p][layer]] for p in prefixes]
        cache.layers.append(_RoomyLayer(torch.cat([k for k, _ in padded]), torch.cat([v for _, v in padded]), room))
    return cache, mask


def check_window(model, tokens: int) -> None:
    """Raise ModelError where `tokens` in a row are more than the base's attention looks back on.

    The course attends to a whole prompt; within its sliding window such a base does the same, beyond it does not.
    """
    window = getattr(causal_lm(model).config, "sliding_window", None)
    if window and tokens > window:
        raise ModelError(
            f"This base looks back on {window} tokens and here are {tokens}. Lower max_length in forge_lib/lab/profiles.py "
            f"to {window}, or choose a base without a sliding window."
        )


def stop_ids(model, tokenizer) -> list[int]:
    """Tokens that end an answer: those of the base's generation_config, and the tokenizer's own."""
    configured = model.generation_config.eos_token_id
    stops = configured if isinstance(configured, list) else [configured]
    return sorted({*[s for s in stops if s is not None], tokenizer.eos_token_id})
