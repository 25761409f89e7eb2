"""Preference pairs mined by execution: of a model's own answers to a question, a right one and a wrong one."""

from __future__ import annotations

import random
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd

from forge_lib.data.items import DataError, Item
from forge_lib.lab.files import write_atomically
from forge_lib.lab.jsonl import json_lines, read_jsonl
from forge_lib.models.chat import encode
from forge_lib.models.generate import Completion
from forge_lib.tasks import GoldError, TaskData
from forge_lib.training.packing import Pack
from forge_lib.training.rejection import check_training

_AGAIN = "Mine the pairs again."


@dataclass(frozen=True)
class Preference:
    """Two answers to one training item, of which the task's scorer calls the first right and the second wrong.

    item, context: the item's id and context; loser: the rejected answer's verdict, in the task's words
    winner: "own" where the model said the chosen answer itself, "gold" where it never said a right one
    times: how many of its samples said the rejected one; source: which samples (model, temperature, seed)
    Raises DataError for two equal answers.
    """

    item: str
    context: str
    chosen: str
    rejected: str
    loser: str
    winner: str
    times: int = 1
    source: str = ""

    def __post_init__(self):
        if self.chosen.split() == self.rejected.split():
            raise DataError(f"The two answers to {self.item} are equal ({self.chosen!r}): no preference. {_AGAIN}")


def mine(
    data: TaskData, items: Sequence[Item], answers: Sequence[Sequence[Completion]], most: int = 2, gold: bool = True,
    source: str = "",
) -> list[Preference]:  # fmt: skip
    """Pairs from sampled `answers` to each of `items`, at most `most` a question, graded by `data.score`.

    Losers are distinct wrong answers, the commonest first: what the model says often is what has to go. Each meets the own
    right answer whose length is nearest, for DPO learns "longer" where winners are (Park et al. 2024,
    https://arxiv.org/abs/2403.19159); where there is none the item's own, unless `gold` is False. An answer that was cut
    off at the limit is neither: training would end it with a token that the model did not say.

    Raises DataError for an item that is not in train, or whose id or wording is also in validation or test, and where no
    pair comes out.
    """
    check_training(data, items)
    pairs, no_loser, no_winner = [], 0, 0
    for item, said in zip(items, answers, strict=True):
        try:
            right, wrong = _graded(data, item, said)
        except GoldError as error:
            warnings.warn(f"It makes no pair. {error}", stacklevel=2)
            continue
        no_loser += not wrong
        no_winner += not right
        winners, kind = (right, "own") if right else ([item.answer] if gold else [], "gold")
        for text, (verdict, times) in wrong[:most] if winners else ():
            chosen = min(winners, key=lambda w: abs(len(w) - len(text)))
            pairs.append(Preference(item.id, item.context, chosen, text, verdict, kind, times, source))
    if not pairs:
        raise DataError(
            f"No pair came out of {len(items)} questions: {no_loser} have no wrong answer, {no_winner} no right one. "
            "Sample more answers a question or at a higher temperature, or let the gold win (gold=True)."
        )
    return pairs


def samples_of(records: Sequence[dict]) -> list[list[Completion]]:
    """The samples of each record of `forge_lib.training.rejection.sample_round` again, as `mine` takes them.

    A record keeps each different answer once with its count, so equal answers stand together, and tokens and seconds, which
    are those of all samples, are 0. An answer that was cut off has no text. An item with a "fault" has no samples.

    >>> record = {"unfinished": 1, "answers": [{"answer": "SELECT 1", "count": 2, "verdict": "correct"}]}
    >>> [(c.text, c.finished) for c in samples_of([record])[0]]
    [('SELECT 1', True), ('SELECT 1', True), ('', False)]
    """
    return [
        [Completion(a["answer"], 0, 0, 0.0, True) for a in record["answers"] for _ in range(a["count"])]
        + [Completion("", 0, 0, 0.0, False)] * (0 if "fault" in record else record["unfinished"])
        for record in records
    ]


def _graded(data: TaskData, item: Item, said: Sequence[Completion]) -> tuple[list[str], list]:
    """Distinct right answers in the order said, and wrong ones with (verdict, times), the commonest first."""
    counts = Counter(c.text.strip() for c in said if c.finished)
    right, wrong = [], {}
    for text, times in counts.most_common():
        score = data.score(item, text)
        if not score.correct:
            wrong[text] = score.verdict, times
        elif score.reward >= 1 and data.score(item, text, strict=True).correct:
            right.append(text)  # what has prose around it, or is as empty as its gold, is neither winner nor loser
    return right, [*wrong.items()]


def save_preferences(pairs: Sequence[Preference], path: Path) -> Path:
    """Write pairs as JSON lines, whole or not at all."""
    return write_atomically(path, json_lines(asdict(p) for p in pairs))


def load_preferences(path: Path, data: TaskData) -> list[Preference]:
    """Pairs of `save_preferences`. Raises DataError for a damaged file, and for pairs of items that `data` does not train on."""
    known = {i.id: i for i in data.train}
    pairs, names = [], {f.name for f in fields(Preference)}
    for number, record in enumerate(read_jsonl(path, _AGAIN, DataError), 1):
        if record.keys() != names:
            raise DataError(f"{path.name}, line {number}, is no pair: it needs {', '.join(sorted(names))}. {_AGAIN}")
        pair = Preference(**record)
        _item_of(pair, known)
        pairs.append(pair)
    if pairs:
        check_training(data, [known[p.item] for p in pairs])
    return pairs


def _item_of(pair: Preference, known: dict[str, Item]) -> Item:
    item = known.get(pair.item)
    if item is None or item.context != pair.context:
        raise DataError(
            f"A pair is about {pair.item} of '{pair.context}', which is not in this data's training part. Mine the pairs "
            "on the data that you train with."
        )
    return item


def preference_table(pairs: Sequence[Preference], tokenizer=None) -> pd.DataFrame:
    """How many pairs of each kind of loser, and their lengths in tokens (in characters without a tokenizer).

    `longer winner` is the share of pairs (percent) whose chosen answer is the longer one: far from 50, length alone tells
    winner from loser. `own winner`: the share (percent) whose winner the model said itself. Raises DataError for no pairs.

    >>> pair = Preference("1", "shop", "SELECT 1", "SELECT 1, 2", "wrong shape", "own")
    >>> preference_table([pair]).loc["all", ["pairs", "chosen length", "rejected length", "longer winner"]].tolist()
    [1.0, 8.0, 11.0, 0.0]
    """
    if not pairs:
        raise DataError(f"There are no pairs to count. {_AGAIN}")
    length = (lambda text: len(tokenizer(text, add_special_tokens=False)["input_ids"])) if tokenizer else len
    of = [(p, length(p.chosen), length(p.rejected)) for p in pairs]
    kinds = [kind for kind, _ in Counter(p.loser for p in pairs).most_common()]
    rows = {}
    for kind in [*kinds, "all"]:
        some = [row for row in of if kind in (row[0].loser, "all")]
        rows[kind] = {
            "pairs": len(some), "share": 100 * len(some) / len(of), "questions": len({p.item for p, *_ in some}),
            "own winner": 100 * float(np.mean([p.winner == "own" for p, *_ in some])),
            "chosen length": float(np.mean([c for _, c, _ in some])),
            "rejected length": float(np.mean([r for *_, r in some])),
            "longer winner": 100 * float(np.mean([(c > r) + 0.5 * (c == r) for _, c, r in some])),
        }  # fmt: skip
    return pd.DataFrame(rows).T.rename_axis("loser")


def preference_packs(
    data: TaskData, pairs: Sequence[Preference], tokenizer, questions: int, max_length: int, rng: random.Random | None = None
) -> list[Pack]:  # fmt: skip
    """Encode pairs in packs of up to `questions` pairs of one context: chosen, rejected, chosen, rejected, …

    Both answers of a pair, and all pairs of a pack, look back on one prefix, which goes through the model once. Packs grow
    no longer than `max_length` tokens. With `rng` pairs and packs are shuffled. Raises DataError for a pair that alone is
    longer, and for one whose item is not in the training part.
    """
    known, by_context = {i.id: i for i in data.train}, defaultdict(list)
    for pair in pairs:
        by_context[pair.context].append((pair, data.messages(_item_of(pair, known))))
    packs: list[Pack] = []
    for group in by_context.values():
        if rng:
            rng.shuffle(group)
        room = -1
        for number, (pair, messages) in enumerate(group):
            both = [encode(tokenizer, messages, answer) for answer in (pair.chosen, pair.rejected)]
            prefix = len(both[0].prefix)
            alone = sum(map(len, both)) - 2 * prefix
            if prefix + alone > max_length:
                raise DataError(
                    f"The pair of {pair.item} takes {prefix + alone} tokens and the profile allows {max_length}. Leave it out, "
                    "or raise max_length in forge_lib/lab/profiles.py."
                )
            if number == 0 or alone > room or len(packs[-1]) == 2 * questions or packs[-1][0].prefix != both[0].prefix:
                packs.append([])
                room = max_length - prefix
            packs[-1] += both
            room -= alone
    if rng:
        rng.shuffle(packs)
    return packs
