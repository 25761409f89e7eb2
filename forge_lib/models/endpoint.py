"""Any OpenAI-compatible endpoint: a frontier model to compare with, a teacher that words questions."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from forge_lib.lab.files import said
from forge_lib.models.chat import Message

OPENAI, FRONTIER = "https://api.openai.com/v1", "gpt-5-mini"
TIMEOUT = 300.0  # seconds for one answer: a local server writes a few tokens a second
RETRIES = 3  # after a time-out, a limit of the rate and a fault of the server, each after a longer wait


class EndpointError(RuntimeError):
    """An endpoint that cannot be asked, or does not answer; the message names the mend."""


@dataclass(frozen=True)
class Reply:
    """What an endpoint answered: text, tokens in and out as it counted them, seconds, whether it ended by itself.

    The text is empty where it refused or sent none; tokens are 0 where it does not count them.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    finished: bool


Ask = Callable[[Sequence[Message], int], Reply]


def who_is_asked(model: str | None = None) -> tuple[str, str]:
    """(address, model) that `endpoint` asks: as given, else as OPENAI_BASE_URL and FORGE_FRONTIER_MODEL say."""
    where = os.environ.get("OPENAI_BASE_URL", "").strip() or OPENAI
    return where, model or os.environ.get("FORGE_FRONTIER_MODEL", "").strip() or FRONTIER


def endpoint(model: str | None = None, temperature: float | None = None) -> Ask | None:
    """A function (messages, most tokens of the answer) -> Reply; None when OPENAI_API_KEY is not set.

    OPENAI_BASE_URL chooses another server (vLLM, Ollama, llama.cpp and most vendors speak this protocol), and
    FORGE_FRONTIER_MODEL another model than gpt-5-mini. temperature: 0 asks for greedy decoding, None for what the
    model has by default; a model that takes none is asked without, and a warning says so once.
    Raises EndpointError for an address that is none; so does the function where there is no answer to be had.
    """
    key, (where, name) = os.environ.get("OPENAI_API_KEY", "").strip(), who_is_asked(model)
    if not key:
        return None
    from httpx2 import InvalidURL
    from openai import OpenAI

    try:
        client = OpenAI(api_key=key, base_url=where, timeout=TIMEOUT, max_retries=RETRIES)
    except (InvalidURL, ValueError) as error:
        raise EndpointError(
            f"OPENAI_BASE_URL is {where!r}, which is no address ({error}). It often ends in /v1."
        ) from error
    options = {} if temperature is None else {"temperature": temperature}
    limit = ["max_completion_tokens"]  # as the server calls it: the first question tells

    def send(messages: list[Message], max_tokens: int):
        from openai import BadRequestError

        while True:
            try:
                return client.chat.completions.create(
                    model=name, messages=messages, **{limit[0]: max_tokens}, **options
                )
            except BadRequestError as error:
                if "temperature" in str(error) and options.pop("temperature", None) is not None:
                    warnings.warn(f"{name} takes no temperature: its answers are sampled at its default.", stacklevel=4)
                elif limit[0] in str(error) and limit[0] != "max_tokens":
                    limit[0] = "max_tokens"
                else:
                    raise

    def ask(messages: Sequence[Message], max_tokens: int) -> Reply:
        from openai import OpenAIError

        began = time.perf_counter()
        try:
            reply = send(list(messages), max_tokens)
        except (OpenAIError, ValueError) as error:  # ValueError: an answer that is no JSON
            reason = said(error).replace(key, "…")[:300]
            raise EndpointError(
                f"{name} at {where} did not answer ({reason}). Check OPENAI_API_KEY, OPENAI_BASE_URL (it often "
                "ends in /v1) and FORGE_FRONTIER_MODEL; without a key the course goes on without this model."
            ) from error
        return _reply(reply, time.perf_counter() - began, f"{name} at {where}")

    return ask


def _reply(reply, seconds: float, who: str) -> Reply:
    """The Reply in an answer of the protocol, whichever of its parts a server leaves out."""
    problem = getattr(reply, "error", None)  # some gateways send it with status 200
    if problem or not hasattr(reply, "choices"):
        raise EndpointError(
            f"{who} sent no answer of OpenAI's protocol ({str(problem or reply)[:300]}). "
            "Check OPENAI_BASE_URL: it often ends in /v1."
        )
    choice = reply.choices[0] if isinstance(reply.choices, list) and reply.choices else None
    content = getattr(getattr(choice, "message", None), "content", None)
    parts = content if isinstance(content, list) else [content]  # of which some are no text
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    counts = [getattr(getattr(reply, "usage", None), name, None) for name in ("prompt_tokens", "completion_tokens")]
    counts = [count if isinstance(count, int) and count > 0 else 0 for count in counts]
    return Reply(
        "".join(text for text in texts if isinstance(text, str)),
        *counts,
        seconds,
        getattr(choice, "finish_reason", None) == "stop",
    )
