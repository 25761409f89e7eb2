"""Any OpenAI-compatible endpoint: a frontier model to compare with, a teacher that words questions."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge_lib.lab.files import said
from forge_lib.models.chat import Message

if TYPE_CHECKING:
    from forge_lib.models.spending import Account

OPENAI, FRONTIER = "https://api.openai.com/v1", "gpt-5-mini"
TIMEOUT = 300.0  # seconds for one answer: a local server writes a few tokens a second
# After a time-out, a limit of the rate and a fault of the server: the client waits 0.5 s, then twice as long each time,
# 8 s at most, a quarter of it random; or as Retry-After says, up to two minutes.
RETRIES = 6


class EndpointError(RuntimeError):
    """An endpoint that cannot be asked, or does not answer; the message names the mend."""


@dataclass(frozen=True)
class Reply:
    """What an endpoint answered: text, tokens in and out as it counted them, seconds (of the try that was
    answered, without the waits before it), whether it ended by itself.

    The text is empty where it refused or sent none; tokens are 0 where it does not count them. cached_tokens: those of
    the prompt that the vendor had read before, which most sell for less.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    finished: bool
    cached_tokens: int = 0


Ask = Callable[[Sequence[Message], int], Reply]


def who_is_asked(model: str | None = None) -> tuple[str, str]:
    """(address, model) that `endpoint` asks: as given, else as OPENAI_BASE_URL and FORGE_FRONTIER_MODEL say."""
    where = os.environ.get("OPENAI_BASE_URL", "").strip() or OPENAI
    return where, model or os.environ.get("FORGE_FRONTIER_MODEL", "").strip() or FRONTIER


def endpoint(
    model: str | None = None, temperature: float | None = None, account: Account | None = None, per_minute: float | None = None
) -> Ask | None:  # fmt: skip
    """A function (messages, most tokens of the answer) -> Reply; None when OPENAI_API_KEY is not set.

    OPENAI_BASE_URL chooses another server, and FORGE_FRONTIER_MODEL another model than gpt-5-mini. Most vendors and
    servers speak this protocol, each with a key of its own in OPENAI_API_KEY (a server of one's own takes any):
    Anthropic (https://api.anthropic.com/v1/), Google (https://generativelanguage.googleapis.com/v1beta/openai/),
    OpenRouter (https://openrouter.ai/api/v1), vLLM (http://localhost:8000/v1), Ollama (http://localhost:11434/v1),
    llama.cpp's server (http://localhost:8080/v1).

    temperature: 0 asks for greedy decoding, None for what the model has by default; a model that takes none is asked
    without, and a warning says so once. account: counts tokens and dollars, and stops before its limit; per_minute: the
    most tries a minute, whoever asks. Several threads may ask at once.
    Raises EndpointError for an address that is none; so does the function where there is no answer to be had.
    """
    key, (where, name) = os.environ.get("OPENAI_API_KEY", "").strip(), who_is_asked(model)
    if per_minute is not None and not per_minute > 0:
        raise EndpointError(f"{per_minute:g} tries a minute ask nothing. Give a number above 0, or none for no limit.")
    if not key:
        return None
    from httpx2 import InvalidURL
    from openai import DefaultHttpxClient, OpenAI

    tries = _Tries(account, per_minute)
    try:
        http = DefaultHttpxClient(base_url=where, event_hooks={"request": [tries.sent], "response": [tries.received]})
        client = OpenAI(api_key=key, base_url=where, timeout=TIMEOUT, max_retries=RETRIES, http_client=http)
    except (InvalidURL, ValueError) as error:
        raise EndpointError(
            f"OPENAI_BASE_URL is {where!r}, which is no address ({error}). It often ends in /v1."
        ) from error
    send = _sender(client, name, temperature)

    def ask(messages: Sequence[Message], max_tokens: int) -> Reply:
        from openai import OpenAIError

        reply = None
        tries.begin(max_tokens)
        try:
            answer = send(list(messages), max_tokens)
            reply = _reply(answer, time.perf_counter() - tries.mine.began, f"{name} at {where}")
        except (OpenAIError, ValueError) as error:  # ValueError: an answer that is no JSON
            reason = said(error).replace(key, "…")[:300]
            raise EndpointError(
                f"{name} at {where} did not answer ({reason}). Check OPENAI_API_KEY, OPENAI_BASE_URL (it often "
                "ends in /v1) and FORGE_FRONTIER_MODEL; without a key the course goes on without this model."
            ) from error
        finally:
            tries.end(reply)
        return reply

    return ask


def _sender(client, name: str, temperature: float | None) -> Callable:
    """A function that sends a question in the words this server takes, which the first question tells."""
    options = {} if temperature is None else {"temperature": temperature}
    limit = ["max_completion_tokens"]
    lock = threading.Lock()

    def send(messages: list[Message], max_tokens: int):
        from openai import BadRequestError

        while True:
            sent, limited = dict(options), limit[0]
            try:
                return client.chat.completions.create(model=name, messages=messages, **{limited: max_tokens}, **sent)
            except BadRequestError as error:
                with lock:  # another thread may have learnt it meanwhile
                    if "temperature" in str(error) and "temperature" in sent:
                        if options.pop("temperature", None) is not None:
                            text = f"{name} takes no temperature: its answers are sampled at its default."
                            warnings.warn(text, stacklevel=4)
                    elif limited in str(error) and limited != "max_tokens":
                        limit[0] = "max_tokens"
                    else:
                        raise

    return send


class _Tries:
    """The tries of each thread's question: none before its turn, each set aside in the account until it has ended."""

    def __init__(self, account: Account | None, per_minute: float | None):
        self.account, self.gap = account, 60 / per_minute if per_minute else 0.0
        self.lock, self.next, self.mine = threading.Lock(), 0.0, threading.local()

    def begin(self, max_tokens: int) -> None:
        self.mine.max_tokens, self.mine.held = max_tokens, []

    def sent(self, request) -> None:
        if self.account:  # a token is a byte or more, so the request's bytes are the most that it can have
            self.mine.held.append(self.account.hold(len(request.content), self.mine.max_tokens))
        with self.lock:
            turn = max(self.next, time.monotonic())
            self.next = turn + self.gap
        time.sleep(max(0.0, turn - time.monotonic()))
        self.mine.began = time.perf_counter()

    def received(self, response) -> None:
        if self.account and response.status_code >= 400:
            self.account.release(self.mine.held.pop())

    def end(self, reply: Reply | None) -> None:
        if self.account:
            self.account.settle(self.mine.held, reply)


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
    usage = getattr(reply, "usage", None)
    return Reply(
        "".join(text for text in texts if isinstance(text, str)),
        _count(usage, "prompt_tokens"),
        _count(usage, "completion_tokens"),
        seconds,
        getattr(choice, "finish_reason", None) == "stop",
        _count(getattr(usage, "prompt_tokens_details", None), "cached_tokens"),
    )


def _count(usage, name: str) -> int:
    """A number of tokens where a server names one, else 0."""
    count = usage.get(name) if isinstance(usage, dict) else getattr(usage, name, None)
    return count if isinstance(count, int) and count > 0 else 0
