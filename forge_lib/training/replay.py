"""Replay: general instructions mixed into a task's training, so that the model keeps what it could do before."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence

from forge_lib import ROOT
from forge_lib.data.items import DataError
from forge_lib.lab.jsonl import read_jsonl
from forge_lib.models.chat import Example, encode
from forge_lib.training.packing import Pack


def load_general() -> list[dict]:
    """Pairs {"question", "answer"} written for the course, none of them an item of its two probes."""
    return read_jsonl(ROOT / "data" / "general_pairs.jsonl", "Put it back: git checkout data/general_pairs.jsonl")


def general_packs(pairs: Sequence[dict], tokenizer, questions: int, max_length: int) -> list[Pack]:
    """Encode general pairs, the question alone as the prompt, in packs of up to `questions` behind what all share.

    What they share is the template's opening (its default system message, where it has one). Raises DataError for a pair
    longer than `max_length` tokens.
    """
    whole = [encode(tokenizer, [{"role": "user", "content": p["question"]}], p["answer"]) for p in pairs]
    prompts = [(*e.prefix, *e.question) for e in whole]
    shared = os.path.commonprefix(prompts)[
        : min(map(len, prompts), default=1) - 1
    ]  # a question keeps one token at least
    packs: list[Pack] = []
    for example, prompt, pair in zip(whole, prompts, pairs, strict=True):
        if len(example) > max_length:
            raise DataError(
                f"The general pair '{pair['question'][:40]}' takes {len(example)} tokens; {max_length} are allowed."
            )
        cut = Example(tuple(shared), tuple(prompt[len(shared) :]), example.answer)
        length = len(shared) + sum(len(e) - len(shared) for e in packs[-1]) if packs else max_length
        if not packs or len(packs[-1]) == questions or length + len(cut) - len(shared) > max_length:
            packs.append([])
        packs[-1].append(cut)
    return packs


def with_replay(
    packs: Sequence[Pack], pairs: Sequence[dict], tokenizer, share: float, questions: int, max_length: int, rng: random.Random
) -> list[Pack]:  # fmt: skip
    """A task's packs and packs of general pairs, shuffled, the general ones `share` (0 to below 1) of all examples.

    Where that takes more pairs than there are, all are used equally often before one is used again. "Experience replay"
    against forgetting: Robins 1995; for language models Scialom et al. 2022, https://arxiv.org/abs/2205.12393.
    Raises DataError for another share, and for no pairs.
    """
    if not 0 <= share < 1:
        raise DataError(f"The share of general pairs is 0 to below 1; {share} is not.")
    if share and not pairs:
        raise DataError("There are no general pairs to mix in. Pass those of load_general(), or a share of 0.")
    count = round(share / (1 - share) * sum(map(len, packs)))
    drawn = []
    while len(drawn) < count:
        drawn += rng.sample(list(pairs), min(len(pairs), count - len(drawn)))
    mixed = [*packs, *general_packs(drawn, tokenizer, questions, max_length)]
    rng.shuffle(mixed)
    return mixed
