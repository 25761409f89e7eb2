"""Messages to token ids, and which of the ids carry loss."""

from __future__ import annotations

import re
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


def encode_prompt(tokenizer, messages: Sequence[Message], begin: str = "") -> Prompt:
    """Token ids of a prompt, cut behind the system message's content.

    A special token follows there, so the two parts tokenize alone as they do together. Control marks within a message
    (a question that holds <|im_end|>) are plain text: only the template makes turns.
    begin: what the assistant's turn says already, so that the model goes on from there. Without a space at its end: in
    most vocabularies the space belongs to the next word.
    """
    marks = _control_marks(tokenizer, "".join(m["content"] for m in messages))
    hidden = [
        {**m, "content": _replaced(m["content"], marks)} for m in messages
    ]  # so that the template's own stand out
    text = render(tokenizer, hidden)
    cut = _end_of_first(tokenizer, hidden, text)
    head, rest = (_encoded(tokenizer, part, marks) for part in (text[:cut], text[cut:]))
    return Prompt(tuple(head), (*rest, *(_as_text(tokenizer, begin) if begin else ())))


def _end_of_first(tokenizer, messages: Sequence[Message], text: str) -> int:
    """Where the content of the first message ends in `text`, their rendering.

    A short one ("start") stands elsewhere too, within the template's own marks even; and some templates trim contents.
    """
    content = messages[0]["content"]
    if text.count(content) == 1:
        return text.index(content) + len(content)
    stand_in = next(chr(c) for c in range(0xF0000, 0xFFFFE) if chr(c) not in text)
    start = render(tokenizer, [{**messages[0], "content": stand_in}, *messages[1:]]).index(stand_in)
    return start + len(content if text.startswith(content, start) else content.strip())


def encode(tokenizer, messages: Sequence[Message], answer: str) -> Example:
    """Token ids of a prompt and its answer, the answer tokenized alone so that no token straddles the border.

    The answer ends with the end-of-turn token, else the tuned model would never learn to stop; nowhere else in it does
    one stand, whatever the answer says.
    """
    prompt = encode_prompt(tokenizer, messages)
    return Example(prompt.prefix, prompt.rest, (*_as_text(tokenizer, answer), tokenizer.eos_token_id))


def _control_marks(tokenizer, text: str) -> dict[str, str]:
    """The tokenizer's special tokens that occur in `text`, longest first, each with a stand-in that does not."""
    special = {str(t) for t in tokenizer.added_tokens_decoder.values() if t.special}
    found = sorted((t for t in special if t and t in text), key=lambda t: (-len(t), t))
    free = (
        chr(c) for c in range(0xF0000, 0xFFFFE) if chr(c) not in text
    )  # private use: no tokenizer's template has it
    return {token: next(free) for token in found}


def _replaced(text: str, by: dict[str, str]) -> str:
    for old, new in by.items():
        text = text.replace(old, new)
    return text


def _encoded(tokenizer, text: str, marks: dict[str, str]) -> list[int]:
    """Token ids of a rendered text in which stand-ins hide the marks that are no control marks."""
    if not marks:
        return tokenizer(text, add_special_tokens=False)["input_ids"]
    special = sorted((str(t) for t in tokenizer.added_tokens_decoder.values() if t.special), key=len, reverse=True)
    ids = []
    for part in re.split(f"({'|'.join(map(re.escape, special))})", text):
        if part in special:
            ids.append(tokenizer.convert_tokens_to_ids(part))
        else:
            ids += _as_text(tokenizer, _replaced(part, {new: old for old, new in marks.items()}))
    return ids


def _as_text(tokenizer, text: str) -> list[int]:
    """Token ids of a text, its control marks spelt out in ordinary tokens."""
    return tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
