"""Several answers to one question, and which of them to give: a vote by what the answers come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import torch

from forge_lib.data.items import Item
from forge_lib.evaluation.contenders import Contender
from forge_lib.models.generate import Completion
from forge_lib.tasks import TaskData

TEMPERATURE = 0.7  # of the samples, as 05 draws them


def vote(data: TaskData, item: Item, answers: Sequence[Completion]) -> Completion:
    """The answer whose outcome most of `answers` share; of equal votes the one whose answer stands first.

    Self-consistency (Wang et al. 2022, https://arxiv.org/abs/2203.11171) with executed answers, as in Li et al. 2022
    (https://arxiv.org/abs/2203.07814): answers that fail have no vote, and ones that come to nothing lose to all
    others. The greedy answer first: it then wins where nothing speaks against it. The completion's tokens and seconds
    are those of all answers together. Raises ValueError where there is no answer.

    >>> vote(None, None, [Completion("SELECT 1", 5, 3, 0.1, True)]).text
    'SELECT 1'
    """
    if not answers:
        raise ValueError("There is no answer to vote on.")
    votes: dict = defaultdict(list)
    for at, answer in enumerate(answers if len(answers) > 1 else ()):
        cast = data.ballot(item, answer.text)
        if cast is not None:
            votes[cast].append(at)
    most = max(votes, key=lambda b: (bool(b), len(votes[b]), -votes[b][0]), default=None)
    chosen = answers[votes[most][0] if votes else 0]
    return replace(
        chosen,
        completion_tokens=sum(a.completion_tokens for a in answers),
        seconds=sum(a.seconds for a in answers),
    )


def voting(data: TaskData, greedy: Contender, sampled: Contender, samples: int = 8, seed: int = 17) -> Contender:
    """The contender that gives the answer on which most of `greedy`'s one and `samples` of `sampled`'s agree.

    It costs as many answers as it asks for; a prompt is read once for all its samples. seed: of the samples.
    """

    def answer(items: Sequence[Item]) -> list[Completion]:
        first = greedy(items)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            drawn = sampled([item for item in items for _ in range(samples)])
        ballots = [[one, *drawn[n * samples : (n + 1) * samples]] for n, one in enumerate(first)]
        return [vote(data, item, answers) for item, answers in zip(items, ballots, strict=True)]

    return answer
