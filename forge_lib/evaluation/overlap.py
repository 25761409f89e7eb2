"""What reads like the gold without being right: BLEU, ROUGE, exact match and perplexity beside the task's own score.

They are what is reported where nothing can be executed. Here they stand beside execution, to show how far they mislead.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch.nn.functional import cross_entropy

from forge_lib.data.items import Item
from forge_lib.evaluation.contenders import messages_for
from forge_lib.models.chat import Example, encode
from forge_lib.tasks import TaskData
from forge_lib.training.loss import answer_logits

_MEASURES = {"exact": "exact match", "bleu": "BLEU", "rouge": "ROUGE-L", "perplexity": "perplexity of the gold"}


def with_overlap(records: Sequence[dict], items: Sequence[Item]) -> list[dict]:
    """Evaluation records with `exact`, `bleu` and `rouge`, each 0 to 1: what was predicted against the item's answer.

    exact: equal but for case and spaces; bleu: of the sentence, sacrebleu's tokens and exponential smoothing
    (Papineni et al. 2002, Post 2018); rouge: F of the longest common sequence of words (ROUGE-L, Lin 2004).
    Raises ValueError where a record is of none of the items.
    """
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics import BLEU

    gold = {i.id: i.answer for i in items}
    if lost := [r["id"] for r in records if r["id"] not in gold]:
        raise ValueError(f"{len(lost)} records are of none of these items (the first: {lost[0]}).")
    bleu, rouge = BLEU(effective_order=True), RougeScorer(["rougeL"])
    made = []
    for r in records:
        said, wanted = r["predicted"], gold[r["id"]]
        made.append({
            **r, "exact": float(said.casefold().split() == wanted.casefold().split()),
            "bleu": bleu.sentence_score(said, [wanted]).score / 100,
            "rouge": rouge.score(wanted, said)["rougeL"].fmeasure,
        })  # fmt: skip
    return made


@torch.inference_mode()
def gold_perplexity(
    model, tokenizer, data: TaskData, items: Sequence[Item], dtype: str = "float32", batch_size: int = 8
) -> dict[str, float]:
    """Perplexity of each item's own answer under a model, by id: exp of the mean nats of its tokens, the last included.

    1 is a model that would have said just this; the whole vocabulary's size is one that guesses.
    """
    packs: dict[tuple[int, ...], list[tuple[str, Example]]] = defaultdict(list)
    for item in items:
        example = encode(tokenizer, messages_for(data, item), item.answer)
        packs[example.prefix].append((item.id, example))
    found: dict[str, float] = {}
    for pack in packs.values():  # a context is read once for `batch_size` items
        for at in range(0, len(pack), batch_size):
            ids, examples = zip(*pack[at : at + batch_size], strict=True)
            logits, targets = answer_logits(model, [list(examples)], tokenizer.pad_token_id, dtype)  # (N, V), (N,)
            nats = cross_entropy(logits, targets, reduction="none").split([len(e.answer) for e in examples])
            found |= {i: math.exp(part.mean().item()) for i, part in zip(ids, nats, strict=True)}
    return {item.id: found[item.id] for item in items}


def discrimination_table(records: Sequence[dict]) -> pd.DataFrame:
    """How well each measure in the records tells right from wrong, one row a measure.

    right, wrong: its mean among the right and among the wrong answers (perplexity: geometric)
    correlation: Pearson's with being right (perplexity: of its logarithm, turned round)
    auc: how often a right answer stands above a wrong one, ties counted half; 0.5 is chance, 1 tells all
    misled: of the wrong answers, the share that passes where nine in ten right ones do (false positives at that recall)
    nan where all answers are right, or all wrong.
    """
    right = np.array([bool(r["correct"]) for r in records])
    rows = {}
    for name, label in _MEASURES.items():
        if not records or name not in records[0]:
            continue
        values = np.array([r[name] for r in records], dtype=float)
        score = -np.log(values) if name == "perplexity" else values
        shown = [_mean(score[right]), _mean(score[~right])]
        if name == "perplexity":
            shown = [math.exp(-mean) for mean in shown]
        rows[label] = dict(zip(("right", "wrong"), shown, strict=True)) | _telling(score, right)
    return pd.DataFrame(rows, index=["right", "wrong", "correlation", "auc", "misled"]).T


def _telling(score: np.ndarray, right: np.ndarray) -> dict[str, float]:
    """How a score (n,) that should be high where `right` (n,) tells the two apart."""
    if right.all() or not right.any():
        return dict.fromkeys(("correlation", "auc", "misled"), float("nan"))
    above = score[right][:, None] - score[~right][None, :]  # (right, wrong): every pair
    varied = score.std() > 0
    return {
        "correlation": float(np.corrcoef(score, right)[0, 1]) if varied else float("nan"),
        "auc": float(((above > 0) + 0.5 * (above == 0)).mean()),
        "misled": float((score[~right] >= np.quantile(score[right], 0.1, method="lower")).mean()),
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
