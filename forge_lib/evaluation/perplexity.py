"""Nats per token of ordinary text: what a fine-tune costs the model outside its task, whatever it would say there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from forge_lib import ROOT
from forge_lib.evaluation.statistics import bootstrap_interval
from forge_lib.lab.jsonl import read_jsonl
from forge_lib.models.generate import check_window
from forge_lib.models.load import causal_lm, output_head


def load_paragraphs() -> list[dict]:
    """Paragraphs written for the course: {"id", "genre", "text"}; English prose, some Python, four other languages."""
    return read_jsonl(ROOT / "data" / "general_text.jsonl", "Put it back: git checkout data/general_text.jsonl")


@torch.inference_mode()
def text_records(name: str, model, tokenizer, paragraphs: Sequence[dict]) -> list[dict]:
    """One record a paragraph: {"contender", "id", "context", "genre", "nats"}.

    nats: -log p of each token but the first, given those before it; e to their mean is the perplexity. Raises ValueError
    for a paragraph of fewer than two tokens.
    """
    decoder, head, records = causal_lm(model).get_decoder(), output_head(model), []
    for paragraph in paragraphs:
        ids = tokenizer(paragraph["text"], add_special_tokens=False, return_tensors="pt")["input_ids"].to(model.device)
        if ids.shape[1] < 2:
            raise ValueError(f"The paragraph {paragraph['id']} has fewer than two tokens: there is nothing to predict.")
        check_window(model, ids.shape[1])
        states = decoder(input_ids=ids, use_cache=False).last_hidden_state[0, :-1]  # (T - 1, D)
        nats = torch.nn.functional.cross_entropy(head(states).float(), ids[0, 1:], reduction="none")
        records.append({"contender": name, "id": paragraph["id"], "context": paragraph["id"],
                        "genre": paragraph["genre"], "nats": nats.tolist()})  # fmt: skip
    return records


def nats_table(base: Sequence[dict], tuned: Sequence[dict], seed: int = 17) -> pd.DataFrame:
    """Nats per token by genre and over all: base, tuned, and the difference with its 95% interval over paragraphs.

    Paragraphs are drawn, not tokens: those of one paragraph are alike. Raises ValueError unless both read the same.
    """
    if [(r["id"], len(r["nats"])) for r in base] != [(r["id"], len(r["nats"])) for r in tuned]:
        raise ValueError("The two models read different paragraphs; let both read the same, in one order.")
    rows = []
    for genre in (*dict.fromkeys(r["genre"] for r in base), "all"):
        pairs = [(b, t) for b, t in zip(base, tuned, strict=True) if genre in ("all", b["genre"])]
        before, after = (np.concatenate([p[side]["nats"] for p in pairs]) for side in (0, 1))
        where = np.repeat([b["id"] for b, _ in pairs], [len(b["nats"]) for b, _ in pairs])
        change = after - before
        low, high = bootstrap_interval(change, where, seed=seed, bounds=(change.min(), change.max()))
        rows.append({"genre": genre, "paragraphs": len(pairs), "tokens": len(change), "base": before.mean(),
                     "tuned": after.mean(), "difference": change.mean(), "low": low, "high": high})  # fmt: skip
    return pd.DataFrame(rows).set_index("genre")
