"""Any OpenAI-compatible endpoint: a frontier model to compare with, a teacher that words questions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from forge_lib.chat import Message


@dataclass(frozen=True)
class Reply:
    """What an endpoint answered: text, tokens in and out as it counted them, seconds, whether it ended by itself."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    finished: bool


Ask = Callable[[Sequence[Message], int], Reply]


def endpoint(model: str | None = None) -> Ask | None:
    """A function (messages, most tokens of the answer) -> Reply; None when OPENAI_API_KEY is not set.

    OPENAI_BASE_URL chooses another server (vLLM, Ollama, llama.cpp and most vendors speak this protocol), and
    FORGE_FRONTIER_MODEL another model than gpt-5-mini.
    """
    if not os.environ.get("OPENAI_API_KEY"):
        return None
    from openai import OpenAI

    client = OpenAI()
    name = model or os.environ.get("FORGE_FRONTIER_MODEL", "gpt-5-mini")

    def ask(messages: Sequence[Message], max_tokens: int) -> Reply:
        began = time.perf_counter()
        reply = client.chat.completions.create(model=name, messages=list(messages), max_completion_tokens=max_tokens)
        choice, usage = reply.choices[0], reply.usage
        return Reply(choice.message.content or "", usage.prompt_tokens, usage.completion_tokens,
                     time.perf_counter() - began, choice.finish_reason == "stop")  # fmt: skip

    return ask
