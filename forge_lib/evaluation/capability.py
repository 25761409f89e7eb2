"""What the model could do before: general knowledge by likelihood, and instructions whose answers a program verifies."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch

from forge_lib import ROOT
from forge_lib.data.items import normalize
from forge_lib.evaluation.metrics import accuracy
from forge_lib.evaluation.statistics import Comparison, bootstrap_interval, compare, contexts
from forge_lib.evaluation.verifiers import verify
from forge_lib.lab.jsonl import read_jsonl
from forge_lib.models.chat import encode_prompt, render
from forge_lib.models.generate import generate
from forge_lib.models.load import causal_lm, output_head


def load_probe() -> list[dict]:
    """Items {"question", "options" (first is right)} written for the course."""
    return read_jsonl(ROOT / "data" / "general_probe.jsonl", "Put it back: git checkout data/general_probe.jsonl")


def load_instructions() -> list[dict]:
    """Instructions written for the course: {"id", "kind", "prompt", "checks", "right", "wrong"}.

    checks: see `forge_lib.evaluation.verifiers.verify`; right, wrong: an answer that passes them, and one that fails
    """
    return read_jsonl(ROOT / "data" / "capability_probe.jsonl", "Put it back: git checkout data/capability_probe.jsonl")


def instruction_fault(item: dict, answer: str) -> str:
    """Why `answer` does not do what the instruction asks, as a phrase; "" where it does.

    The instruction said back is no answer, whatever words stand in it.

    >>> instruction_fault({"prompt": "Say tea.", "checks": [{"check": "says", "any": ["tea"]}]}, "Say tea.")
    'repeats the instruction'
    """
    if normalize(answer) == normalize(item["prompt"]):
        return "repeats the instruction"
    return verify(answer, item["checks"])


def instruction_records(
    name: str, model, tokenizer, items: Sequence[dict], max_new_tokens: int = 64, batch_size: int = 32,
    progress: bool = True,
) -> list[dict]:  # fmt: skip
    """One record an instruction: what the model answers (greedily, the instruction alone as its prompt), and the verdict.

    {"contender", "id", "context", "kind", "answer", "correct", "fault", "finished"}, as `compare` and
    `instruction_table` take them.
    """
    prompts = [encode_prompt(tokenizer, [{"role": "user", "content": i["prompt"]}]) for i in items]
    done = generate(model, tokenizer, prompts, max_new_tokens, batch_size, progress)
    records = []
    for item, completion in zip(items, done, strict=True):
        fault = instruction_fault(item, completion.text)
        records.append({"contender": name, "id": item["id"], "context": item["id"], "kind": item["kind"],
                        "answer": completion.text, "correct": not fault, "fault": fault, "finished": completion.finished})  # fmt: skip
    return records


def instruction_table(base: Sequence[dict], tuned: Sequence[dict], seed: int = 17) -> pd.DataFrame:
    """Percent done as asked, by kind and over all: base and tuned with 95% intervals, their paired difference, McNemar's p.

    base, tuned: records of `instruction_records` on the same items. Raises ValueError where they are not.
    """
    rows = []
    for kind in (*sorted({r["kind"] for r in base}), "all"):
        before, after = ([r for r in found if kind in ("all", r["kind"])] for found in (base, tuned))
        change = compare(before, after, seed)
        rows.append({"kind": kind, "items": change.items, "base": _with_interval(before, seed),
                     "tuned": _with_interval(after, seed), "difference": round(change.difference, 1),
                     "low": round(change.low, 1), "high": round(change.high, 1), "p": round(change.p_value, 4)})  # fmt: skip
    return pd.DataFrame(rows).set_index("kind")


def _with_interval(records: Sequence[dict], seed: int) -> str:
    low, high = bootstrap_interval([r["correct"] for r in records], contexts(records), seed=seed)
    return f"{100 * accuracy(records):.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def cannot_exclude(change: Comparison, margin: float = 5.0) -> str:
    """What a paired difference (points) says of a loss, as a sentence; margin: the least loss that would matter.

    "No loss shown" is said only where the interval leaves none of `margin` points open. Raises ValueError for a margin
    that is not above zero.

    >>> cannot_exclude(Comparison("base", "tuned", 60, -1.7, -8.3, 5.0, 4, 3, 1.0))
    'The interval runs from -8.3 to +5.0: it excludes neither a loss of 5 points nor that nothing was lost.'
    >>> cannot_exclude(Comparison("base", "tuned", 900, -0.2, -1.9, 1.4, 20, 18, 0.9))
    'No loss shown: the interval runs from -1.9 to +1.4, and a loss of 5 points lies outside it.'
    """
    if not margin > 0:
        raise ValueError(f"The margin is the least loss that would matter, in points above zero; {margin} is not.")
    interval = f"from {change.low:+.1f} to {change.high:+.1f}"
    if change.high < 0:
        return f"A loss is shown: the whole interval, {interval}, lies below zero."
    if change.low <= -margin:
        return (
            f"The interval runs {interval}: it excludes neither a loss of {margin:g} points nor that nothing was lost."
        )
    if change.low > 0:
        return f"A gain is shown: the whole interval, {interval}, lies above zero."
    return f"No loss shown: the interval runs {interval}, and a loss of {margin:g} points lies outside it."


@torch.inference_mode()
def probe_records(name: str, model, tokenizer, items: Sequence[dict]) -> list[dict]:
    """For each item, whether the right option has the highest mean log-likelihood per token."""
    records = []
    for number, item in enumerate(items):
        prompt = render(tokenizer, [{"role": "user", "content": item["question"]}])
        head = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        options = [tokenizer(o, add_special_tokens=False)["input_ids"] for o in item["options"]]
        scores = _likelihoods(model, head, options)
        best = max(range(len(scores)), key=scores.__getitem__)
        records.append({"contender": name, "id": f"probe-{number}", "context": f"probe-{number}",
                        "answer": item["options"][best], "correct": best == 0})  # fmt: skip
    return records


def _likelihoods(model, head: list[int], options: Sequence[list[int]]) -> list[float]:
    """Mean log-likelihood per token (nats) of each option after `head`.

    One forward pass for all; they are padded on the right, where causal attention never looks.
    """
    rows = [torch.tensor(head + option) for option in options]
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True).to(model.device)  # (O, T)
    states = causal_lm(model).get_decoder()(input_ids=ids, use_cache=False).last_hidden_state
    targets = ids[:, len(head) :]  # (O, L); the state before a token predicts it
    states = states[:, len(head) - 1 : -1].flatten(0, 1)  # two axes: for three, torch 2.13 copies the head once a row
    logits = output_head(model)(states).float()  # (O·L, V)
    chosen = -torch.nn.functional.cross_entropy(logits, targets.flatten(), reduction="none").view_as(targets)
    return [row[: len(option)].mean().item() for row, option in zip(chosen, options, strict=True)]
