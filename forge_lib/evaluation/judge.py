"""A language model as judge, and how far to trust it: agreement with execution, bias of position and of length.

Pairs are judged in both orders, ties are allowed, and what is no verdict is counted (Zheng et al. 2023,
https://arxiv.org/abs/2306.05685). The judge sees the task's own prompt, so it may be any task's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from forge_lib.data.items import Item
from forge_lib.evaluation.contenders import messages_for
from forge_lib.evaluation.statistics import bootstrap_interval
from forge_lib.models.chat import Message, encode_prompt
from forge_lib.models.endpoint import Ask, Reply
from forge_lib.models.generate import generate
from forge_lib.tasks import TaskData

_TOKENS = 512  # of a verdict: a judge may reason before it
_PAIR = """You compare two answers to one request. Judge by correctness alone, not by length, style or order.
Think if you must, and end with one line: "Verdict: A" if answer A is better, "Verdict: B" if answer B is, "Verdict: TIE" if \
neither is better."""
_RUBRIC = """You grade one answer to a request from 1 to 5.
5: correct. 4: correct but for a detail. 3: the right idea with an error that changes the result. 2: mostly wrong. \
1: wrong, or no answer.
Think if you must, and end with one line: "Verdict: " and the number."""
_OTHER = {"A": "B", "B": "A", "TIE": "TIE"}


@dataclass(frozen=True)
class Duel:
    """Two answers to an item, and whether each is right (by execution, say): what a judge is held against."""

    item: Item
    a: str
    b: str
    a_right: bool
    b_right: bool

    @property
    def truth(self) -> str:
        """Which is better: "A", "B" or, where both are right or both wrong, "TIE"."""
        return "TIE" if self.a_right == self.b_right else "A" if self.a_right else "B"


def judge_pairs(ask: Ask, data: TaskData, pairs: Sequence[Duel], max_tokens: int = _TOKENS) -> list[dict]:
    """One record a pair, asked in both orders: as given and swapped.

    first, swapped: the verdict of each, told in the pair's own letters ("A", "B", "TIE"; None where there was none)
    winner: what both say; "TIE" where they contradict each other; the one there is where the other is None
    """
    records = []
    for pair in pairs:
        asked = (_pair_prompt(data, pair.item, pair.a, pair.b), _pair_prompt(data, pair.item, pair.b, pair.a))
        said = [ask(messages, max_tokens).text for messages in asked]
        first, swapped = verdict(said[0]), _OTHER.get(verdict(said[1]))
        given = {v for v in (first, swapped) if v}
        winner = next(iter(given)) if len(given) == 1 else "TIE" if given else None
        records.append({
            "id": pair.item.id, "context": pair.item.context, "truth": pair.truth, "first": first, "swapped": swapped,
            "winner": winner, "length_a": len(pair.a), "length_b": len(pair.b), "said": said,
        })  # fmt: skip
    return records


def judge_scores(
    ask: Ask, data: TaskData, answers: Sequence[tuple[Item, str, bool]], max_tokens: int = _TOKENS
) -> list[dict]:
    """One record an answer (item, text, whether it is right) with its score from 1 to 5; None where it was none."""
    records = []
    for item, text, right in answers:
        shown = f"{_request(data, item)}\n\n# Answer\n{text}"
        said = ask([{"role": "system", "content": _RUBRIC}, {"role": "user", "content": shown}], max_tokens).text
        found = verdict(said, "12345")
        records.append({"id": item.id, "context": item.context, "correct": bool(right),
                        "score": int(found) if found else None, "length": len(text), "said": said})  # fmt: skip
    return records


def verdict(said: str, labels: Sequence[str] = ("A", "B", "TIE")) -> str | None:
    """The last verdict in what a judge said, or its whole text where that is a label; None where there is none.

    >>> verdict("A joins the wrong table. **Verdict: B**"), verdict("tie."), verdict("A good question!")
    ('B', 'TIE', None)
    """
    label = "|".join(map(re.escape, labels))
    found = re.findall(rf"\bverdict\b\W*(?:is\W+)?(?:answer\W+)?({label})\b", said, re.I)
    whole = re.fullmatch(rf"\W*(?:answer\W+)?({label})\W*", said, re.I)
    return found[-1].upper() if found else whole[1].upper() if whole else None


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Agreement of two raters beyond chance (Cohen 1960): κ = (p - e) / (1 - e), at most 1, 0 for what chance gives.

    p: the share on which they agree; e: the share on which they would, did each draw its labels at its own rates.
    nan where both give one label to everything, and for no item. Raises ValueError for lists of unequal length.

    >>> cohen_kappa("AABB", "AABA")
    0.5
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} labels cannot be held against {len(second)}: both raters judge the same items.")
    if not len(first):
        return float("nan")
    n = len(first)
    agreed = sum(a == b for a, b in zip(first, second, strict=True)) / n
    chance = sum(list(first).count(label) * list(second).count(label) for label in {*first, *second}) / n**2
    return (agreed - chance) / (1 - chance) if chance < 1 else float("nan")


def pair_report(records: Sequence[dict], seed: int = 17) -> dict:
    """How far a judge of pairs can be trusted: records of `judge_pairs` -> numbers, shares with [low, high] of 95%.

    unparsable: of 2 verdicts a pair; consistent: both orders give the same verdict, of the pairs with two
    agreement, kappa: winner against truth, of the pairs with a winner
    first_shown: how often the answer shown first wins, of the verdicts that are no tie; 0.5 is no bias
    longer_wins: from -1 (the shorter answer always wins) to 1; 0 for a judge that knows, and for one that guesses. Of
    the pairs of unequal length with a winner: those whose longer answer is right count as much as those whose shorter is
    An interval is None where there is nothing to count.
    """
    both = [r for r in records if r["first"] and r["swapped"]]
    judged = [r for r in records if r["winner"]]
    unequal = [r for r in judged if r["length_a"] != r["length_b"]]
    verdicts = [(r["first"] == "A", r) for r in records if r["first"] in ("A", "B")]
    verdicts += [(r["swapped"] == "B", r) for r in records if r["swapped"] in ("A", "B")]
    return {
        "pairs": len(records),
        "unparsable": sum(r[order] is None for r in records for order in ("first", "swapped")),
        "consistent": _share([r["first"] == r["swapped"] for r in both], both, seed),
        "agreement": _share([r["winner"] == r["truth"] for r in judged], judged, seed),
        "kappa": cohen_kappa([r["winner"] for r in judged], [r["truth"] for r in judged]),
        "first_shown": _share([first for first, _ in verdicts], [r for _, r in verdicts], seed),
        "longer_wins": _share(_longer_wins(unequal), unequal, seed, (-1, 1)),
    }


def score_report(records: Sequence[dict], seed: int = 17) -> dict:
    """How far a judge that scores can be trusted: records of `judge_scores` -> numbers, as `pair_report`.

    kappa: a score of 4 or 5 against being right; right, wrong: mean score of the right and of the wrong answers;
    length: Spearman's correlation of score and length among the wrong answers (nan where it has none)
    """
    from scipy.stats import spearmanr

    scored = [r for r in records if r["score"] is not None]
    wrong = [r for r in scored if not r["correct"]]
    varied = len({r["score"] for r in wrong}) > 1 and len({r["length"] for r in wrong}) > 1
    means = {
        name: _share([r["score"] for r in scored if r["correct"] == right], [r for r in scored if r["correct"] == right], seed, (1, 5))
        for name, right in (("right", True), ("wrong", False))
    }  # fmt: skip
    return {
        "answers": len(records), "unparsable": len(records) - len(scored),
        "agreement": _share([(r["score"] >= 4) == r["correct"] for r in scored], scored, seed),
        "kappa": cohen_kappa([r["score"] >= 4 for r in scored], [r["correct"] for r in scored]), **means,
        "length": float(spearmanr([r["score"] for r in wrong], [r["length"] for r in wrong])[0]) if varied else float("nan"),
    }  # fmt: skip


def local_ask(model, tokenizer) -> Ask:
    """A model in this process as an `Ask`: greedy, so that it can judge, or teach, as an endpoint can."""

    def ask(messages: Sequence[Message], max_tokens: int) -> Reply:
        [done] = generate(model, tokenizer, [encode_prompt(tokenizer, messages)], max_tokens, 1, progress=False)
        return Reply(done.text, done.prompt_tokens, done.completion_tokens, done.seconds, done.finished)

    return ask


def _request(data: TaskData, item: Item) -> str:
    return "# Request\n" + "\n\n".join(m["content"] for m in messages_for(data, item))


def _pair_prompt(data: TaskData, item: Item, shown_a: str, shown_b: str) -> list[Message]:
    shown = f"{_request(data, item)}\n\n# Answer A\n{shown_a}\n\n# Answer B\n{shown_b}"
    return [{"role": "system", "content": _PAIR}, {"role": "user", "content": shown}]


def _for_longer(winner: str, record: dict) -> float:
    """1 where the longer answer wins, 0 where the shorter does, ½ for a tie."""
    return 0.5 if winner == "TIE" else float((winner == "A") == (record["length_a"] > record["length_b"]))


def _longer_wins(records: Sequence[dict]) -> list[float]:
    """Values whose mean is the bias towards the longer answer; none where only the longer, or the shorter, is right."""
    truth = [_for_longer(r["truth"], r) for r in records]
    count = Counter(truth)
    if not {0.0, 1.0} <= count.keys():
        return []
    weigh = [len(records) / (len(count) * count[right]) for right in truth]  # each kind of pair as much as the others
    return [w * (2 * _for_longer(r["winner"], r) - 1) for w, r in zip(weigh, records, strict=True)]


def _share(values: Sequence[float], of: Sequence[dict], seed: int, bounds: tuple[float, float] = (0, 1)) -> dict | None:
    if not values:
        return None
    far = max(map(abs, values))  # weighed values lie beyond the bounds of their mean
    wide = bounds if bounds[0] >= 0 or far <= 1 else (-far, far)
    low, high = bootstrap_interval(values, [r["context"] for r in of], seed=seed, bounds=wide)
    return {"value": float(np.mean(values)), "low": max(low, bounds[0]), "high": min(high, bounds[1]), "n": len(values)}
