"""The app behind `forge_lib.serving.openai`: OpenAI's chat protocol over llama.cpp's Python server.

Of that server (`llama_cpp.server`) come the request's type, the queue and the streaming. What it would do otherwise
changes answers without a word: a repeat penalty of 1.1 where a request names none, `max_completion_tokens` left unread,
an unknown model's name answered by whichever model is there, and prompts by the file's template as it stands, with
thinking on and with control marks in a question that make turns.

With an assistant the app is about one database: of a conversation only the last question is asked, with that schema
before it, and the answer is held to the schema's grammar.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import llama_cpp.server.app as library
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from jinja2 import TemplateError
from llama_cpp import LogitsProcessorList
from llama_cpp.llama_chat_format import _convert_completion_to_chat
from llama_cpp.server.types import CreateChatCompletionRequest
from pydantic import AfterValidator, AliasChoices, BaseModel, Field, field_validator, model_validator

from forge_lib.data.items import DataError
from forge_lib.lab.files import said
from forge_lib.models.chat import Message, encode_prompt
from forge_lib.models.llama import logits_processor
from forge_lib.serving.model import constraint
from forge_lib.tasks.sql.assistant import Assistant


def _unicode(text: str) -> str:
    """The text; pydantic's error for one with half a surrogate pair, which JSON can hold and no tokenizer reads."""
    text.encode()
    return text


_Text = Annotated[str, AfterValidator(_unicode)]
_Stop = Annotated[_Text, Field(min_length=1)]
# What some clients send in every request, and what says no more than leaving it out does.
_SAYS_NOTHING = {"response_format": {"type": "text"}, "tool_choice": "none", "function_call": "none"}
_Read = Callable[[Sequence[Message]], tuple[list[int], str | None]]  # token ids, and the grammar of the answer


class _Part(BaseModel):
    """A part of a message; this server reads text only."""

    type: Literal["text"]
    text: _Text


class _Turn(BaseModel):
    """One message. Its content is text, which some clients send in parts."""

    role: Literal["system", "user", "assistant"]
    content: _Text | list[_Part]

    @field_validator("content")
    @classmethod
    def joined(cls, content: str | list[_Part]) -> str:
        """The parts as one text."""
        return content if isinstance(content, str) else "".join(part.text for part in content)


class _ChatRequest(CreateChatCompletionRequest):
    """What a client may ask: greedy decoding unless it names a temperature, and then plain draws at that temperature.

    What this server cannot do (several answers, tools, likelihoods, a form of answer) is refused instead of left out, and
    so is what only llama.cpp knows: a grammar with a mistake in it ends the library's process.
    """

    model: _Text
    messages: list[_Turn] = Field(min_length=1)
    max_tokens: int | None = Field(None, ge=1, validation_alias=AliasChoices("max_completion_tokens", "max_tokens"))
    temperature: float = Field(0.0, ge=0, le=2)
    top_p: float = Field(1.0, ge=0, le=1)
    top_k: int = Field(0, ge=0, lt=2**31)  # 0: all tokens
    min_p: float = Field(0.0, ge=0, le=1)
    repeat_penalty: float = Field(1.0, gt=0, le=2)
    seed: int | None = Field(None, ge=0, lt=2**32)
    stop: _Stop | list[_Stop] | None = None
    n: Literal[1] | None = 1
    functions: None = None
    function_call: None = None
    tools: None = None
    tool_choice: None = None
    response_format: None = None
    logprobs: Literal[False] | None = None
    top_logprobs: None = None
    logit_bias: None = None
    logit_bias_type: None = None
    grammar: None = None
    min_tokens: Literal[0] = 0
    mirostat_mode: Literal[0] = 0

    @model_validator(mode="before")
    @classmethod
    def without_nothing(cls, asked: object) -> object:
        """The request without what is null or empty, by which the protocol means its default."""
        if not isinstance(asked, dict):
            return asked
        return {k: v for k, v in asked.items() if v not in (None, [], {}) and v != _SAYS_NOTHING.get(k)}


def make_app(llm, tokenizer, name: str, max_new_tokens: int, assistant: Assistant | None = None) -> FastAPI:
    """The app that answers for a loaded GGUF (`Llama`) as the model `name`.

    max_new_tokens: the longest answer where a request sets no limit. assistant: of the database that every conversation
    is about; None where clients bring the tables themselves. A process can serve one model: the library keeps it.
    """
    lock = threading.Lock()  # while a text with control marks is encoded, the tokenizer is in another state

    def read(messages: Sequence[Message]) -> tuple[list[int], str | None]:
        grammar = None
        if assistant:
            messages, grammar = assistant.request(_question(messages))
        with lock:
            prompt = encode_prompt(tokenizer, messages)
        return [*prompt.prefix, *prompt.rest], grammar

    llm.chat_handler = _chat_handler(read, tokenizer)
    library._llama_proxy = lambda _name: llm  # its own loader knows nothing of load_gguf's settings
    app = FastAPI(title="FORGE", docs_url=None, redoc_url=None)  # the pages for people fetch scripts from the network

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"][1:])) or "the request"
        return _refused(400, f"{where}: {first['msg']}.", param=where)

    @app.get("/health")
    async def health() -> dict:
        return {"status": "ok"}

    @app.get("/v1/models")
    async def models() -> dict:
        return {"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": "forge"}]}

    @app.post("/v1/chat/completions", response_model=None)
    async def chat(request: Request, body: _ChatRequest):
        if body.model != name:
            return _refused(404, f"There is no model '{body.model}' here. This server has '{name}'.", "model_not_found")
        try:  # before the answer begins: a stream has said 200 by then
            length = len(read([turn.model_dump() for turn in body.messages])[0])
        except DataError as error:
            return _refused(400, str(error), param="messages")
        except TemplateError as error:
            return _refused(400, f"The model's chat template does not take these messages ({said(error)}).")
        if length >= llm.n_ctx():
            return _refused(400, f"The messages are {length} tokens, and this server's context is {llm.n_ctx()}, answer included. "
                           "Ask with fewer tables or turns, or start the server with a larger --context.",
                           "context_length_exceeded", "messages")  # fmt: skip
        body.max_tokens = body.max_tokens or max_new_tokens
        return await library.create_chat_completion(request, body)

    return app


def _question(messages: Sequence[Message]) -> str:
    """What a conversation asks last: the model was trained on single questions, and a system message is another's."""
    return next((turn["content"] for turn in reversed(messages) if turn["role"] == "user"), "")


def _chat_handler(read: _Read, tokenizer) -> Callable:
    """What `Llama.create_chat_completion` calls: an answer to what `read` makes of the messages."""

    def answer(*, llama, messages, stream=False, functions=None, function_call=None, tools=None, tool_choice=None,
               response_format=None, logprobs=None, top_logprobs=None, **sampling):  # fmt: skip
        ids, grammar = read(messages)
        if bound := constraint(tokenizer, grammar):
            sampling["logits_processor"] = LogitsProcessorList([logits_processor(bound, len(ids))])
        done = llama.create_completion(prompt=ids, stream=stream, **sampling)
        return _convert_completion_to_chat(done, stream=stream)

    return answer


def _refused(status: int, message: str, code: str | None = None, param: str | None = None) -> JSONResponse:
    """An error as OpenAI's clients read it."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return JSONResponse({"error": error}, status_code=status)
