"""Batched generation, the same on every device: each prefix is read once, and serves all its questions."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch

from forge_lib.engine.cascade import attending, cascades
from forge_lib.models.batch import Batch
from forge_lib.models.chat import Prompt
from forge_lib.models.embedded import ModelError
from forge_lib.models.load import causal_lm, output_head


@dataclass(frozen=True)
class Completion:
    """What a model answered to one prompt, and what it cost."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float  # its share of the wall time: of each step, the time divided by the answers it made longer
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

    Several samples of an answer are asked for by repeating its prompt: `[prompt] * 8`. Each prefix and each prompt goes
    through the model once, however often it occurs; a row that has ended makes room for a prompt that waits.

    constraints: one for each prompt, or None for a prompt that may be answered by anything.
    Raises ModelError for an empty prompt and beyond a base's sliding window.
    """
    from tqdm import tqdm  # text: GitHub shows it, and a widget would be lost

    prompts = [_with_rest(p) for p in prompts]
    check_window(model, max(map(len, prompts), default=0) + max_new_tokens)
    decoder = causal_lm(model).get_decoder()
    if not cascades(decoder):
        from forge_lib.models import plain  # which imports this module

        with attending(decoder, "eager"):
            return plain.generate(
                model, tokenizer, prompts, max_new_tokens, batch_size, progress, temperature, constraints
            )
    stops = torch.tensor(stop_ids(model, tokenizer), device=model.device)
    # No scale or cap of logits makes another word the likeliest, so greedy answers need not know it.
    head = output_head(model) if temperature else causal_lm(model).get_output_embeddings()
    bounds = constraints or [None] * len(prompts)
    rows = [_Row(p, None if bound is None else bound.fresh()) for p, bound in zip(prompts, bounds, strict=True)]
    # Those of one prefix together; samples of one prompt next to each other.
    waiting = deque(sorted(rows, key=lambda r: (r.prompt.prefix, len(r.prompt.rest), r.prompt.rest)))
    with tqdm(total=len(rows), desc="generate", disable=not progress, leave=False) as bar:
        _answer_all(Batch(decoder), head, waiting, batch_size, max_new_tokens, stops, temperature, bar)
    return [row.completion(tokenizer) for row in rows]


@dataclass
class _Row:
    """A prompt and its answer so far."""

    prompt: Prompt
    bound: Constraint | None
    ids: list[int] = field(default_factory=list)
    over: bool = False  # ended by itself, or at the limit
    finished: bool = False
    seconds: float = 0.0

    def take(self, token: int, stop: bool, limit: int) -> None:
        self.ids.append(token)
        self.finished, self.over = stop, stop or len(self.ids) >= limit
        if self.bound is not None:
            self.bound.advance(token)

    def completion(self, tokenizer) -> Completion:
        length = len(self.ids) - self.finished
        text = tokenizer.decode(self.ids[:length], skip_special_tokens=True)
        return Completion(text, len(self.prompt), length, self.seconds, self.finished, tuple(self.ids))


def _answer_all(
    batch: Batch, head, waiting: deque[_Row], size: int, limit: int, stops: torch.Tensor, temperature: float, bar
) -> None:
    """Let every waiting row have its answer, at most `size` rows at a time."""
    rows: list[_Row] = []  # those of the batch
    tokens = stops[:0]  # (R,), the newest of each, not yet through the model
    began = time.perf_counter()

    def chosen(hidden: torch.Tensor, rows: Sequence[_Row]) -> torch.Tensor:
        nonlocal began
        logits = bounded(head(hidden), [None if r.over else r.bound for r in rows], stops)
        new = pick(logits, temperature)
        active = [
            (r, *t) for r, *t in zip(rows, new.tolist(), torch.isin(new, stops).tolist(), strict=True) if not r.over
        ]
        now = time.perf_counter()
        for row, token, stop in active:
            row.take(token, stop, limit)
            row.seconds += (now - began) / len(active)
            bar.update(row.over)
        began = now
        return new

    while True:
        going = [n for n, row in enumerate(rows) if not row.over]
        if len(going) <= 0.8 * len(rows):  # coming and going costs a copy of keys: several rows at once
            batch.keep(going)
            rows, tokens = [rows[n] for n in going], tokens[torch.tensor(going, dtype=torch.long, device=tokens.device)]
            new = [waiting.popleft() for _ in range(min(size - len(rows), len(waiting)))]
            if new:
                tokens = torch.cat([tokens, chosen(batch.admit([r.prompt for r in new]), new)])
                rows += new
                continue
            if not rows:
                return
            going = range(len(rows))
        tokens = chosen(batch.step(tokens, going), rows)


def _with_rest(prompt: Prompt) -> Prompt:
    """The same tokens, at least one behind the prefix: its state chooses the first word of the answer."""
    if not len(prompt):
        raise ModelError("There is an empty prompt. Give every prompt at least one token.")
    return prompt if prompt.rest else Prompt(prompt.prefix[:-1], prompt.prefix[-1:])


def bounded(logits: torch.Tensor, bounds: Sequence[Constraint | None], stops: torch.Tensor) -> torch.Tensor:
    """`logits` (B, V), changed in place: what a row's constraint forbids is at minus infinity.

    stops: what alone may come where nothing is allowed.
    """
    masks = [None if bound is None else bound.allowed() for bound in bounds]
    if all(mask is None for mask in masks):
        return logits
    hidden = torch.zeros(logits.shape, dtype=torch.bool)  # made here and sent at once
    for row, mask in zip(hidden, masks, strict=True):
        if mask is not None:
            row[len(mask) :] = True
            torch.logical_not(mask, out=row[: len(mask)])
            if row.all():
                row[stops.cpu()] = False
    return logits.masked_fill_(hidden.to(logits.device), -torch.inf)


def pick(logits: torch.Tensor, temperature: float = 0.0) -> torch.Tensor:
    """Next token (B,) of each row of `logits` (B, V): the likeliest at temperature 0, else a draw from their softmax.

    >>> pick(torch.tensor([[0.0, 2.0, 1.0]])).tolist()
    [1]
    """
    if temperature == 0:
        return logits.argmax(-1)
    # One random number a row: torch.multinomial draws one a word, a tenth of a small model's step on a CPU.
    below = torch.softmax(logits.float() / temperature, -1).cumsum(-1)
    total = below[:, -1:] * (1 - 2**-23)  # never reached, so that a word of weight zero is never drawn
    return torch.searchsorted(below, torch.rand_like(total) * total, right=True).squeeze(1)


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
