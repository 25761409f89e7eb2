"""Questions that reinforcement learning can learn from: those that a model gets right now and then."""

from __future__ import annotations

from collections.abc import Sequence

from forge_lib.data.items import Item
from forge_lib.tasks import GoldError, TaskData
from forge_lib.training import TrainingError


def pass_rates(data: TaskData, items: Sequence[Item], samples: Sequence[Sequence[str]]) -> list[float]:
    """The share of right answers (0 to 1) among the samples of each item, measured once, with the model RL starts from.

    samples: for each item its n ≥ 1 answers, as they were said. An item whose own answer fails counts as never right.
    Raises TrainingError where they do not belong together.
    """
    if len(samples) != len(items) or not all(samples):
        raise TrainingError(
            f"There are answers to {sum(map(bool, samples))} of {len(items)} items. Give each item at least one sample."
        )
    return [_pass_rate(data, item, texts) for item, texts in zip(items, samples, strict=True)]


def _pass_rate(data: TaskData, item: Item, texts: Sequence[str]) -> float:
    try:
        right = {text: data.score(item, text).correct for text in set(texts)}
    except GoldError:
        return 0.0
    return sum(right[text] for text in texts) / len(texts)


def learnable(items: Sequence[Item], rates: Sequence[float]) -> list[Item]:
    """The items with 0 < pass rate < 1, in their order: a group of answers to another is likely to be silent.

    A group of n answers has a spread with probability 1 - pⁿ - (1-p)ⁿ, highest at p = ½ (Yu et al. 2025,
    https://arxiv.org/abs/2503.14476, drop the others as they come). Raises TrainingError where none is left.

    >>> learnable(["always", "now and then", "never"], [1.0, 0.25, 0.0])
    ['now and then']
    """
    chosen = [item for item, rate in zip(items, rates, strict=True) if 0 < rate < 1]
    if not chosen:
        raise TrainingError(
            "No question was answered right in some samples and wrong in others, so there is nothing to learn from. Take more "
            "samples a question, or other questions."
        )
    return chosen
