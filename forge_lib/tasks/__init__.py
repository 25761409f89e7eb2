"""The contract of a task: all that training, evaluation, export and publishing know about what is learnt.

A task is a package (or a module) with these names; `get` finds it, and `--task` names it:

    load(source, lab=None, seed=17) -> TaskData      its data, or DataError with what to do
    check_source(source)                             DataError where `load` could not, in seconds and without side effects
    prepare()                                        what an installation makes once, so that all else works offline
    SYSTEM                                           what every system message begins with
    LEVELS                                           its levels of difficulty, easiest first
    CARD                                             the Jinja template of a model card (see `forge_lib.publishing.card`)
    card_facts(source) -> dict                       what the template asks for beside a run's results; at least data_name.
                                                     May hold error_class (of a record; else its verdict), cuts (name: label
                                                     of a record), datasets (the Hub's ids), example (messages to try)
    DATA_LICENCES                                    licence of each kind of source; none for those it does not know

Adding a task touches its folder and nothing else: `tests/tasks/toy` is one, in four small files.
"""

from __future__ import annotations

import importlib
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType

from forge_lib.data.items import Item, Splits
from forge_lib.lab.files import RunError
from forge_lib.lab.profiles import Profile
from forge_lib.lab.runs import task_module
from forge_lib.models.chat import Message

CONTRACT = ("load", "check_source", "prepare", "SYSTEM", "LEVELS", "CARD", "card_facts", "DATA_LICENCES")
COURSE = "sql"  # the task that the numbered lessons teach


class GoldError(RuntimeError):
    """An item whose own answer fails: the data is at fault, not the model."""


@dataclass(frozen=True)
class Score:
    """The grade of one answer: the same in evaluation and, as the reward, in RL.

    verdict: "correct", or one of the task's own words; reward: 0 to 1; error: what was the matter, where something was
    valid: whether the answer is of the wanted form (a query that runs), right or not
    predicted: the answer proper, taken out of what the model said
    parts: what the reward is made of, by name, to plot; it adds up to the reward where a task tells
    """

    verdict: str
    reward: float
    error: str = ""
    valid: bool = True
    predicted: str = ""
    parts: Mapping[str, float] = field(default_factory=dict, hash=False)

    @property
    def correct(self) -> bool:
        return self.verdict == "correct"


@dataclass(frozen=True)
class SuiteScore:
    """How an answer does on several states of what it asks about: 0 ≤ passed ≤ states. The usual one comes first, and who
    is wrong there is tried on no other.

    notes: sentences on states that do not count for this item, or why there is but one
    """

    passed: int
    states: int
    notes: tuple[str, ...] = ()

    @property
    def correct(self) -> bool:
        return self.passed == self.states


class TaskData(Splits, ABC):
    """A task's data: its parts, and how their items are asked and graded."""

    @abstractmethod
    def messages(self, item: Item, shots: Sequence[Item] = ()) -> list[Message]:
        """The prompt for an item: the one place that assembles it. `shots` are shown as earlier turns.

        The first message is equal for all items of one context.
        """

    @abstractmethod
    def score(self, item: Item, text: str, strict: bool = False) -> Score:
        """The grade of `text`, a model's whole answer. Raises GoldError where the item's own answer fails.

        strict: the text must be the answer and nothing else (what a program that calls the model needs).
        """

    def score_suite(self, items: Sequence[Item], texts: Sequence[str]) -> list[SuiteScore | None]:
        """How the answers `texts` do on several states of what their items ask about, so that luck on one is no skill.

        None for each where a task has but one state. Slower than `score`, and never a reward.
        """
        return [None] * len(items)

    def fit_prompts(self, profile: Profile) -> None:
        """Make prompts fit the profile's `max_length` from now on; by default they are as long as they are."""

    def look_up(self, item: Item) -> str:
        """An answer without a model: what the training part holds for the most similar question, as it stands or adapted."""
        from rapidfuzz import fuzz, process

        own = [i for i in self.train if i.context == item.context] or self.train
        found = process.extractOne(item.question, [i.question for i in own], scorer=fuzz.token_set_ratio)
        return own[found[2]].answer if found else ""

    def views(self, items: Sequence[Item], rng: random.Random | None = None) -> list[tuple[list[Message], str]]:
        """Prompts and answers of items of one context, with one first message; with `rng` a fresh view of it (training)."""
        return [(self.messages(item), item.answer) for item in items]

    def ballot(self, item: Item, text: str) -> Hashable | None:
        """What an answer comes to, equal for answers that agree and false where that is nothing; None if it fails.

        Asked without the gold, of answers among which one is chosen. Here: the answer itself.
        """
        return text.strip() or None

    def grammar(self, item: Item) -> str | None:
        """Lark text (as llguidance reads it) of what an answer may be, known without the gold; None: anything."""
        return None

    def canonical(self, text: str) -> str | None:
        """The answer in `text` in the one form that its spellings share; None where there is none. Here: its spaces."""
        return " ".join(text.split()) or None

    def near_misses(self, item: Item) -> list[str]:
        """Answers that are almost the item's own, of which some may be right; none by default."""
        return []

    def gate(self, items: Sequence[Item]) -> list[str]:
        """What is wrong with items before a model learns from them, a sentence each."""
        return []

    def metrics(self) -> dict[str, Callable[[Sequence[dict]], list[float | None]]]:
        """What else the task can measure, by name: of evaluation records, a number each, or None where the gold fails."""
        return {}

    def outcome(self, context: str, answer: str) -> tuple[Sequence[str], Sequence[tuple], str]:
        """What an answer does in its context, to look at: columns, rows, and what there is to say; no columns by default."""
        return (), (), ""

    def error_class(self, record: dict) -> str:
        """Why the answer of an evaluation record is wrong, in a class that suggests a mend; "correct" where it is right."""
        return record["verdict"]


def get(name: str) -> ModuleType:
    """The task of this name: a package in `forge_lib/tasks`, or any module that keeps the contract.

    Raises RunError for a name that is none, and for a module that lacks something of the contract.

    >>> get("sql").LEVELS
    ('easy', 'medium', 'hard', 'extra')
    """
    task = importlib.import_module(task_module(name))
    missing = [n for n in CONTRACT if not hasattr(task, n)]
    if missing:
        raise RunError(
            f"The task '{name}' lacks {', '.join(missing)}: see the contract in forge_lib/tasks/__init__.py."
        )
    return task
