"""A small probe of what the model could do before: general knowledge by multiple choice, scored by likelihood."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from forge_lib import ROOT
from forge_lib.lab.jsonl import read_jsonl
from forge_lib.models.chat import render
from forge_lib.models.load import causal_lm, output_head


def load_probe() -> list[dict]:
    """Items {"question", "options" (first is right)} written for the course."""
    return read_jsonl(ROOT / "data" / "general_probe.jsonl", "Put it back: git checkout data/general_probe.jsonl")


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
