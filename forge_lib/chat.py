"""Messages to token ids, and which of the ids carry loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Message = dict[str, str]  # {"role": "system" | "user" | "assistant", "content": …}


@dataclass(frozen=True)
class Example:
    """One training example as token ids, cut where the loss and the sharing change.

    prefix: everything up to the question, equal for all questions of one prompt prefix (the schema)
    question: the rest of the prompt, up to where the assistant begins to speak
    answer: the completion with its end-of-turn token; only these tokens carry loss
    """

    prefix: tuple[int, ...]
    question: tuple[int, ...]
    answer: tuple[int, ...]

    @property
    def input_ids(self) -> list[int]:
        return [*self.prefix, *self.question, *self.answer]

    @property
    def labels(self) -> list[int]:
        """Ids where the loss is taken, -100 elsewhere (PyTorch's ignore index)."""
        return [-100] * (len(self.prefix) + len(self.question)) + list(self.answer)

    def __len__(self) -> int:
        return len(self.prefix) + len(self.question) + len(self.answer)


def render(tokenizer, messages: Sequence[Message]) -> str:
    """The prompt as text, ending where the assistant begins to speak. Thinking modes are switched off."""
    return tokenizer.apply_chat_template(
        list(messages), tokenize=False, add_generation_prompt=True, enable_thinking=False
    )


@dataclass(frozen=True)
class Prompt:
    """A rendered prompt as token ids: the system message (equal for all questions of a database), and the rest."""

    prefix: tuple[int, ...]
    rest: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prefix) + len(self.rest)


def encode_prompt(tokenizer, messages: Sequence[Message]) -> Prompt:
    """Token ids of a prompt, cut behind the system message's content.

    A special token follows there, so the two parts tokenize alone as they do together.
    """
    text, system = render(tokenizer, messages), messages[0]["content"]
    cut = text.index(system) + len(system)
    head, rest = (tokenizer(part, add_special_tokens=False)["input_ids"] for part in (text[:cut], text[cut:]))
    return Prompt(tuple(head), tuple(rest))


def encode(tokenizer, messages: Sequence[Message], answer: str) -> Example:
    """Token ids of a prompt and its answer, the answer tokenized alone so that no token straddles the border.

    The answer ends with the end-of-turn token, else the tuned model would never learn to stop.
    """
    prompt = encode_prompt(tokenizer, messages)
    ids = tokenizer(answer, add_special_tokens=False)["input_ids"]
    return Example(prompt.prefix, prompt.rest, (*ids, tokenizer.eos_token_id))
