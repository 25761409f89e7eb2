"""The base with its best prompt: a few ways of asking, tried on validation, so that the untuned model is beaten fairly."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from forge_lib.data.items import Item
from forge_lib.evaluation.contenders import Contender, similar
from forge_lib.evaluation.metrics import accuracy, evaluate
from forge_lib.tasks import TaskData


@dataclass(frozen=True)
class Prompting:
    """One way to ask a model that was not tuned.

    shots: how many training items are shown, the most similar ones; of: from where (see `similar`)
    with_contexts: whether those of other contexts come with these (their schemas)
    begin: what every answer is made to begin with
    """

    shots: int = 0
    of: str = "same"
    with_contexts: bool = False
    begin: str = ""

    def options(self, train: Sequence[Item]) -> dict:
        """What `local_model` and `gguf_model` take to ask so.

        >>> Prompting(begin="SELECT").options([])
        {'shots': (), 'with_contexts': False, 'begin': 'SELECT'}
        """
        shots = functools.partial(similar, train, count=self.shots, of=self.of) if self.shots else ()
        return {"shots": shots, "with_contexts": self.with_contexts, "begin": self.begin}

    def __str__(self) -> str:
        where = {"same": "its own context where it has any", "other": "other contexts", "both": "both"}[self.of]
        whole = " with these" if self.with_contexts else ""
        shown = f"{self.shots} similar from {where}{whole}" if self.shots else "no examples"
        return shown + (f", answer begins with {self.begin}" if self.begin else "")


# Fixed before anything was asked. Both kinds of help alone and together; more shots no longer fit beside a schema into the
# 1,024 tokens that the fine-tune is given.
GRID = (
    Prompting(),
    Prompting(begin="SELECT"),
    Prompting(3),
    Prompting(3, begin="SELECT"),
    Prompting(3, "other", begin="SELECT"),
    Prompting(2, "other", with_contexts=True, begin="SELECT"),
    Prompting(4, "both", begin="SELECT"),
    Prompting(6, begin="SELECT"),
)


def choose_prompting(
    ask: Callable[[Prompting], Contender], data: TaskData, items: Sequence[Item], grid: Sequence[Prompting] = GRID
) -> tuple[Prompting, pd.DataFrame]:
    """The way of `grid` by which most of `items` (of validation) are right, and the table of all of them.

    Of equals the one whose answers are valid more often, then the one with the shorter prompt. The table has a row a way:
    its settings, items, right and valid (percent), tokens of a prompt, seconds a question. Raises ValueError for no items.

    >>> from forge_lib.models.generate import Completion
    >>> from forge_lib.tasks.sql.sources.load import load_data
    >>> data = load_data("course")
    >>> def ask(way): return lambda items: [Completion(i.answer if way.begin else "", 9, 9, 0.1, True) for i in items]
    >>> choose_prompting(ask, data, data.validation[:2], [Prompting(), Prompting(begin="SELECT")])[0]
    Prompting(shots=0, of='same', with_contexts=False, begin='SELECT')
    """
    if not items:
        raise ValueError("There are no items to choose a prompt on.")
    rows = []
    for way in grid:
        records = evaluate(str(way), ask(way), data, items)
        mean = pd.DataFrame(records)[["valid", "prompt_tokens", "seconds"]].mean()
        rows.append({"way": str(way), **asdict(way), "items": len(records), "right": 100 * accuracy(records),
                     "valid": 100 * mean["valid"], "prompt_tokens": mean["prompt_tokens"], "seconds": mean["seconds"]})  # fmt: skip
    best = max(range(len(rows)), key=lambda n: (rows[n]["right"], rows[n]["valid"], -rows[n]["prompt_tokens"]))
    return grid[best], pd.DataFrame(rows).set_index("way")
