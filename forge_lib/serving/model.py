"""A model as people use it: it answers conversations, one thread at a time."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from forge_lib.lab.files import said
from forge_lib.lab.profiles import Profile
from forge_lib.models.chat import Message, encode_prompt
from forge_lib.models.embedded import ModelError
from forge_lib.models.generate import Completion, Constraint
from forge_lib.models.grammar import grammar_constraints
from forge_lib.models.opening import Opened, open_weights
from forge_lib.serving import ServingError

_MAX_NEW_TOKENS = 96


@dataclass
class Model:
    """A model that answers conversations, greedily; threads take turns.

    name: what it is called where it is served; about: a sentence with file and score, as far as they are known
    tokenizer: makes every prompt, so that serving asks as training did; file: its GGUF or folder, where it has one
    """

    name: str
    about: str
    tokenizer: object
    complete: Callable[[Sequence[Message], int, str | None], Completion] = field(repr=False)
    file: Path | None = None
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def answer(
        self, messages: Sequence[Message], max_new_tokens: int = _MAX_NEW_TOKENS, grammar: str | None = None
    ) -> Completion:
        """The model's reply to `messages`, which begin with a system message; with `grammar` one that this allows."""
        with self.lock:
            return self.complete(messages, max_new_tokens, grammar)

    def retire(self) -> None:
        """Waits for the answer under way and lets no other begin: what frees the weights in the middle of one crashes."""
        self.lock.acquire()


def open_model(which: str, profile: Profile) -> Model:
    """The model that `which` names, loaded (see `open_weights`). Raises ServingError where there is none, or it is damaged."""
    try:
        return served(open_weights(which, profile))
    except ModelError as error:
        raise ServingError(str(error)) from error


def constraint(tokenizer, grammar: str | None) -> Constraint | None:
    """What holds an answer to `grammar`; None for none, and with a warning for one that llguidance cannot read."""
    try:
        return grammar_constraints(tokenizer, [grammar])[0]
    except ValueError as error:  # llguidance cannot read the grammar, or the tokenizer
        warnings.warn(f"This answer is not held to a grammar: {said(error)[:200]}", stacklevel=2)
        return None


def served(opened: Opened) -> Model:
    """An opened model that answers conversations."""

    def answer(messages: Sequence[Message], limit: int, grammar: str | None = None) -> Completion:
        bounds = [constraint(opened.tokenizer, grammar)]
        [found] = opened.complete([encode_prompt(opened.tokenizer, messages)], limit, bounds)
        return found

    return Model(opened.name, opened.about, opened.tokenizer, answer, opened.file)
