"""The ladder of GGUF files of one model: how far each is from F16, how fast it is, and which one ships."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from forge_lib.evaluation.statistics import Comparison, compare
from forge_lib.export.gguf import ExportError
from forge_lib.models.chat import Example
from forge_lib.models.llama import SLOTS, evaluate_tokens


def answer_log_probs(llm, examples: Sequence[Example]) -> torch.Tensor:
    """log p (N, V) of a loaded GGUF at every token of the gold answers, end of turn included; N is their tokens together.

    What examples share is read once. In memory: 4 bytes × V for a token, 0.2 MB with the embedded model's words.
    """
    from llama_cpp import llama_cpp as low

    memory = low.llama_get_memory(llm.ctx)
    found: list[torch.Tensor] = [torch.empty(0)] * len(examples)
    order = sorted(range(len(examples)), key=lambda i: examples[i].prefix)
    for prefix, group in itertools.groupby(order, key=lambda i: examples[i].prefix):
        low.llama_memory_clear(memory, True)
        llm.reset()
        evaluate_tokens(llm, [(0, 0, prefix)])
        for i in group:
            *read, last = examples[i].question
            low.llama_memory_seq_cp(memory, 0, 1, 0, len(prefix))
            if read:
                evaluate_tokens(llm, [(1, len(prefix), read)])
            [logits] = evaluate_tokens(
                llm, [(1, len(prefix) + len(read), [last, *examples[i].answer[:-1]])], every=True
            )
            low.llama_memory_seq_rm(memory, 1, 0, -1)
            found[i] = torch.log_softmax(torch.from_numpy(logits), -1)
    low.llama_memory_clear(memory, True)
    return torch.cat(found)


def fidelity(reference: torch.Tensor, log_probs: torch.Tensor, examples: Sequence[Example]) -> dict[str, float]:
    """How far one file's `answer_log_probs` are from another's (F16's), on the answers of the same examples.

    perplexity: exp of the mean loss on the gold tokens; kl_mean, kl_p99: Kullback-Leibler divergence Σ p log(p/q) from
    the reference p, in nats a token, its mean and its 99th percentile; same_top: share (0 to 1) of tokens at which both
    have the same likeliest token.

    >>> p = torch.log(torch.tensor([[0.5, 0.5]]))
    >>> far = fidelity(p, torch.log(torch.tensor([[0.25, 0.75]])), [Example((), (0,), (1,))])
    >>> round(far["kl_mean"], 4)  # ½·log 2 + ½·log ⅔
    0.1438
    """
    gold = torch.tensor([token for e in examples for token in e.answer])
    if reference.shape != log_probs.shape or len(gold) != len(reference):
        raise ExportError(
            f"Distributions at {len(reference)} and {len(log_probs)} tokens cannot be compared on {len(gold)} gold tokens; "
            "compute both from the same examples."
        )
    divergence = (reference.exp() * (reference - log_probs)).sum(-1)  # (N,)
    return {
        "tokens": len(gold),
        "perplexity": float(torch.exp(-log_probs.gather(1, gold[:, None]).mean())),
        "kl_mean": float(divergence.mean()),
        "kl_p99": float(divergence.quantile(0.99)),
        "same_top": float((reference.argmax(-1) == log_probs.argmax(-1)).float().mean()),
    }


def speed(llm, prompt: int = 256, new: int = 32, slots: int = SLOTS, repeats: int = 3) -> dict[str, float]:
    """Tokens a second of a loaded GGUF here and now, the median of `repeats` tries, by kind of work.

    read: a prompt of `prompt` tokens at once; write: one token after the other behind it; write_batched: `slots` answers
    at once, all their tokens counted. The tokens are arbitrary: time does not depend on which they are.
    """
    from llama_cpp import llama_cpp as low

    if prompt + slots * new > llm.n_ctx():
        raise ExportError(
            f"{slots} answers of {new} tokens behind a prompt of {prompt} need a context of {prompt + slots * new}, and "
            f"this one has {llm.n_ctx()}; load the model with a larger one: load_gguf(file, context=…)."
        )
    memory, tokens = low.llama_get_memory(llm.ctx), [100 + n % 1000 for n in range(prompt)]

    def timed(batches: list[list[tuple[int, int, list[int]]]]) -> float:
        began = time.perf_counter()
        for rows in batches:
            evaluate_tokens(llm, rows)
        return sum(len(r[2]) for rows in batches for r in rows) / (time.perf_counter() - began)

    found: dict[str, list[float]] = {"read": [], "write": [], "write_batched": []}
    for _ in range(repeats):
        low.llama_memory_clear(memory, True)
        llm.reset()
        found["read"].append(timed([[(0, 0, tokens)]]))
        for slot in range(1, slots):
            low.llama_memory_seq_cp(memory, 0, slot, 0, prompt)
        steps = range(prompt, prompt + new)
        found["write_batched"].append(timed([[(s, at, [100]) for s in range(slots)] for at in steps]))
        low.llama_memory_seq_rm(memory, 0, prompt, -1)
        found["write"].append(timed([[(0, at, [100])] for at in steps]))
    low.llama_memory_clear(memory, True)
    return {kind: float(np.median(rates)) for kind, rates in found.items()}


@dataclass(frozen=True)
class Choice:
    """Which file ships, and by which comparisons with the reference."""

    kind: str
    margin: float  # points of accuracy
    against: str
    comparisons: dict[str, Comparison]  # by kind, all but the reference

    @property
    def passed(self) -> list[str]:
        """The kinds that are shown to lose less than the margin."""
        return [kind for kind, c in self.comparisons.items() if c.low > -self.margin]

    def __str__(self) -> str:
        if self.kind == self.against:
            return f"{self.kind} ships: no smaller file is shown to lose less than {self.margin:g} points."
        c = self.comparisons[self.kind]
        return (
            f"{self.kind} ships: the smallest file shown to lose less than {self.margin:g} points against {self.against} "
            f"({c.difference:+.1f} [{c.low:+.1f}, {c.high:+.1f}] on {c.items} items, {c.only_second} gained and {c.only_first} lost)."
        )


def choose(
    files: Mapping[str, Path],
    records: Mapping[str, Sequence[dict]],
    margin: float,
    against: str = "F16",
    seed: int = 17,
) -> Choice:
    """The smallest file that is not inferior to `against`: the paired 95% interval of its difference lies above −margin.

    files, records: by kind ("F16", "Q8_0", …), of `evaluate` on the same validation items; margin: points of accuracy, a
    loss that nobody would mind, stated before anybody looked. An interval that holds zero is not enough: a test of few
    items excludes nothing. (CONSORT's extension for non-inferiority, https://doi.org/10.1001/jama.2012.87802.)
    Raises ExportError for a margin that is none and where files and records do not belong together.
    """
    if not 0 < margin < 100:
        raise ExportError(
            f"A margin of {margin:g} points is none: state a loss between 0 and 100 that you would not mind."
        )
    if files.keys() != records.keys() or against not in files:
        raise ExportError(
            f"To choose, each file needs its records, and {against} is among them: here are files {', '.join(files)} and "
            f"records {', '.join(records)}."
        )
    prices = {kind: compare(records[against], records[kind], seed) for kind in files if kind != against}
    by_size = sorted(files, key=lambda kind: files[kind].stat().st_size)
    fine = [kind for kind in by_size if kind == against or prices[kind].low > -margin]
    return Choice(fine[0], margin, against, prices)
