"""Endpoints answer as servers do: with parts left out, other names, errors, slowly, or not at all."""

import json
import threading
import time
import warnings
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from forge_lib.models import endpoint as module
from forge_lib.models.endpoint import EndpointError, Reply, endpoint

pytestmark = pytest.mark.enable_socket
KEY = "sk-not-a-key-0123456789"
QUESTION = [{"role": "user", "content": "How many?"}]
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def answer(content="SELECT 1", reason="stop", **more) -> dict:
    message = {"role": "assistant", "content": content} | more
    return {"id": "x", "object": "chat.completion", "created": 0, "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": reason}]}  # fmt: skip


@contextmanager
def server(respond):
    """A local server; `respond` takes a request's JSON, and gives (status, body); yields its address and the requests."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status, body = respond(asked[-1])
            text = body if isinstance(body, str) else json.dumps(body)
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if text.startswith("<") else "application/json")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}/v1", asked
    finally:
        httpd.shutdown()
        httpd.server_close()


@pytest.fixture
def ask(monkeypatch):
    """A function: ask a server that responds so once or twice; returns replies and requests."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(module, "RETRIES", 0)

    def run(respond, times=1, **options):
        with server(respond if callable(respond) else lambda _: (200, respond)) as (url, asked):
            monkeypatch.setenv("OPENAI_BASE_URL", url)
            put = endpoint("m", **options)
            return [put(QUESTION, 50) for _ in range(times)], asked

    return run


def test_an_answer_is_a_reply(ask):
    [reply], [asked] = ask(answer() | {"usage": USAGE})
    assert reply == Reply("SELECT 1", 7, 3, reply.seconds, True) and 0 < reply.seconds < 60
    assert asked == {"model": "m", "messages": QUESTION, "max_completion_tokens": 50}


def test_greedy_is_asked_for(ask):
    _, [asked] = ask(answer(), temperature=0.0)
    assert asked["temperature"] == 0


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"usage": None},
        {"usage": {}},
        {"usage": {"prompt_tokens": None}},
        {"usage": {"prompt_tokens": "12", "completion_tokens": -1}},
        {"usage": [1]},
        {"usage": "many"},
    ],
)
def test_a_server_need_not_count(ask, usage):
    [reply], _ = ask(answer() | usage)
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == ("SELECT 1", 0, 0)


NO_TEXT = {
    "none": answer(None),
    "a refusal": answer(None, refusal="I cannot help with that."),
    "a tool call": answer(None, "tool_calls", tool_calls=[]),
    "filtered": answer(None, "content_filter"),
    "no choices": answer() | {"choices": []},
    "choices of null": answer() | {"choices": None},
    "no message": answer() | {"choices": [{"index": 0, "finish_reason": "length"}]},
    "choices that are none": answer() | {"choices": {"a": 1}},
    "choices of text": answer() | {"choices": "abc"},
    "a choice of null": answer() | {"choices": [None]},
    "a message of text": answer() | {"choices": [{"message": "SELECT 1"}]},
    "a number": answer(5),
    "an object": answer({"text": ["SELECT 1"]}),
    "thoughts only": answer("", "length", reasoning_content="Let me see"),
}


@pytest.mark.parametrize("kind", NO_TEXT)
def test_no_text_is_an_empty_answer(ask, kind):
    [reply], _ = ask(NO_TEXT[kind])
    assert reply.text == "" and isinstance(reply.finished, bool)


def test_what_was_cut_off_has_not_ended(ask):
    [reply], _ = ask(answer(reason="length"))
    assert not reply.finished


def test_text_in_parts_is_joined(ask):
    [reply], _ = ask(answer([{"type": "thinking", "thinking": []}, {"type": "text", "text": "SELECT "}, {"type": "text", "text": "1"}, None, {"text": 5}]))  # fmt: skip
    assert reply.text == "SELECT 1"


def refuse(*names):
    def respond(request):
        for name in names:
            if name in request:
                text = f"Unsupported parameter: '{name}' is not supported with this model."
                return 400, {"error": {"message": text, "param": name, "code": "unsupported_value"}}
        return 200, answer()

    return respond


def test_a_model_without_temperature_is_asked_without_and_says_so_once(ask):
    with pytest.warns(UserWarning, match="takes no temperature") as caught:
        replies, asked = ask(refuse("temperature"), times=3, temperature=0.0)
    assert [r.text for r in replies] == ["SELECT 1"] * 3
    assert ["temperature" in a for a in asked] == [True, False, False, False]
    assert len([w for w in caught if "temperature" in str(w.message)]) == 1


def test_an_older_server_is_told_the_limit_under_its_name(ask):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        replies, asked = ask(refuse("max_completion_tokens", "temperature"), times=2, temperature=0.0)
    assert len(replies) == 2 and [a for a in asked if "max_tokens" in a][-1]["max_tokens"] == 50
    assert len(asked) == 4


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"error": {"message": f"Incorrect API key provided: {KEY}."}}),
        (403, {"error": {"message": "no"}}),
        (404, {"error": {"message": "The model 'm' does not exist"}}),
        (404, "<html>Not found</html>"),
        (400, {"error": {"message": "max_tokens is too large"}}),
        (400, {"error": {"message": "Invalid value for temperature"}}),
        (422, {"detail": "no"}),
        (429, {"error": {"message": "You exceeded your current quota"}}),
        (500, "<html>Bad gateway</html>"),
        (200, "<html>Welcome</html>"),
        (200, "{cut off"),
        (200, {"error": {"message": "upstream is down", "code": 502}}),
        (200, "[]"),
        (200, '"text"'),
    ],
)
def test_an_error_is_one_sentence_with_a_mend_and_without_the_key(ask, status, body):
    with pytest.raises(EndpointError, match="OPENAI_BASE_URL") as caught:
        ask(lambda _: (status, body))
    assert KEY not in str(caught.value) and "\n" not in str(caught.value)


def test_a_fault_of_the_server_is_asked_again(ask, monkeypatch):
    monkeypatch.setattr(module, "RETRIES", 2)
    answers = iter([(503, {}), (429, {}), (200, answer())])
    [reply], asked = ask(lambda _: next(answers))
    assert reply.text == "SELECT 1" and len(asked) == 3


def test_silence_ends(ask, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT", 0.2)
    with pytest.raises(EndpointError, match="timed out"):
        ask(lambda _: (time.sleep(1), (200, answer()))[1])


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "not a url", "localhost:1/v1"])
def test_nobody_there(monkeypatch, url):
    monkeypatch.setattr(module, "RETRIES", 0)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(EndpointError, match="did not answer"):
        endpoint("m")(QUESTION, 5)


def test_an_address_that_is_none_is_named(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for url in ("http://[::1", "http://a:b/v1"):
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        with pytest.raises(EndpointError, match="OPENAI_BASE_URL is .* no address"):
            endpoint("m")


@pytest.mark.parametrize("key", ["", "  ", None])
def test_without_a_key_there_is_no_endpoint(monkeypatch, key):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("OPENAI_API_KEY", key)
    assert endpoint() is None


def test_empty_variables_are_as_unset_ones(monkeypatch):
    from openai import OpenAI

    seen = {}
    monkeypatch.setattr("openai.OpenAI", lambda **options: seen.update(options) or OpenAI(**options))
    monkeypatch.setenv("OPENAI_API_KEY", KEY + "\n")
    monkeypatch.setenv("OPENAI_BASE_URL", "")
    endpoint()
    assert (seen["api_key"], seen["base_url"]) == (KEY, module.OPENAI)
