"""A small probe of what the model could do before: general knowledge by multiple choice, scored by likelihood."""

from __future__ import annotations

import json
from collections.abc import Sequence

import torch

from forge_lib import ROOT
from forge_lib.chat import render


def load_probe() -> list[dict]:
    """Items {"question", "options" (first is right)} written for the course."""
    text = (ROOT / "data" / "general_probe.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@torch.inference_mode()
def probe_records(name: str, model, tokenizer, items: Sequence[dict]) -> list[dict]:
    """For each item, whether the right option has the highest mean log-likelihood per token."""
    records = []
    for number, item in enumerate(items):
        prompt = render(tokenizer, [{"role": "user", "content": item["question"]}])
        head = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        scores = [_likelihood(model, head, tokenizer(o, add_special_tokens=False)["input_ids"]) for o in item["options"]]
        best = max(range(len(scores)), key=scores.__getitem__)
        records.append({"contender": name, "id": f"probe-{number}", "db_id": f"probe-{number}",
                        "answer": item["options"][best], "correct": best == 0})  # fmt: skip
    return records


def _likelihood(model, head: list[int], option: list[int]) -> float:
    ids = torch.tensor([head + option], device=model.device)
    logits = model(input_ids=ids).logits[0, len(head) - 1 : -1].float()  # (len(option), V)
    return torch.log_softmax(logits, -1).gather(1, ids[0, len(head) :, None]).mean().item()
