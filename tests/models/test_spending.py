"""What an endpoint costs, against a real local server: limits that are kept, retries, and counts that are left out."""

import json
import threading
import time
from datetime import date

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from forge_lib.models import endpoint as module
from forge_lib.models.endpoint import EndpointError, endpoint
from forge_lib.models.spending import Account, SpendingLimit, price_by_hand, table_date, table_price

QUESTION = [{"role": "user", "content": "How many?"}]
DEAR = price_by_hand(1000, 100_000)  # a tenth of a cent a token in, ten cents a token out


def completion(text="SELECT 1", tokens=(7, 3), reason="stop", **usage) -> dict:
    counted = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], **usage} if tokens else None
    return {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "usage": counted,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reason}]}  # fmt: skip


@pytest.fixture(scope="module")
def threaded_server():
    """The plugin's own answers one request after the other, and takes half a second to end after each test."""
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture
def httpserver(threaded_server):
    threaded_server.clear()
    return threaded_server


@pytest.fixture
def serve(httpserver, monkeypatch):
    """A function: let the server give these responses in turn, the last for ever, and get an `ask` and the requests."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-key-0123456789")
    monkeypatch.setenv("OPENAI_BASE_URL", httpserver.url_for("/v1"))
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)

    def run(*responses, **options):
        left, seen = list(responses), []

        def handler(request):
            seen.append((time.monotonic(), request.json))
            now = left.pop(0) if len(left) > 1 else left[0]
            now = now(request) if callable(now) and not isinstance(now, Response) else now
            return now if isinstance(now, Response) else as_json(now)

        httpserver.expect_request("/v1/chat/completions", method="POST").respond_with_handler(handler)
        return endpoint("m", 0.0, **options), seen

    return run


def as_json(body: dict) -> Response:
    return Response(json.dumps(body), content_type="application/json")


def cut(request):
    """Half an answer, then the connection is gone."""
    half = iter([b'{"id": "x", "choi'])
    return Response(half, content_type="application/json", headers={"Content-Length": "900"})


def slow(request):
    time.sleep(3)
    return as_json(completion())


pytestmark = pytest.mark.enable_socket


# --- prices ----------------------------------------------------------------------------------------------------------


def test_the_table_prices_a_model_at_its_vendor_and_nowhere_else():
    pytest.importorskip("genai_prices", reason="needs Python 3.11")
    price = table_price("gpt-5-mini", "https://api.openai.com/v1")
    assert price.charge(1_000_000, 0, 0) > price.charge(1_000_000, 0, 1_000_000) > 0
    assert price.charge(0, 1_000_000, 0) > price.charge(1_000_000, 0, 0)
    assert "genai-prices" in price.source and str(table_date()) in price.source
    assert table_price("claude-haiku-4-5", "https://api.anthropic.com/v1/").charge(1_000_000, 0, 0) > 0
    for model, where in [("gpt-5-mini", "http://127.0.0.1:1/v1"), ("a-model-of-mine", "https://api.openai.com/v1")]:
        assert table_price(model, where) is None


def test_the_date_of_the_table_is_of_no_later_day():
    pytest.importorskip("genai_prices", reason="needs Python 3.11")
    assert date(2024, 1, 1) < table_date(date(2026, 1, 1)) <= date(2026, 1, 1) < table_date(date(2026, 11, 1))


def test_an_unknown_price_is_never_nothing():
    assert "price unknown" in str(Account()) and "$" not in str(Account())
    with pytest.raises(EndpointError, match="unknown.*by hand"):
        Account(limit=1.0)
    for limit in (0, -1, float("nan")):
        with pytest.raises(EndpointError, match="limit"):
            Account(DEAR, limit)
    for prices in ((-1, 2), (1, float("inf"))):
        with pytest.raises(EndpointError, match="no prices"):
            price_by_hand(*prices)


# --- what is booked --------------------------------------------------------------------------------------------------


def test_what_was_asked_is_counted(serve):
    account = Account(price_by_hand(1, 10))
    ask, _ = serve(completion(tokens=(1000, 200), prompt_tokens_details={"cached_tokens": 600}), account=account)
    assert ask(QUESTION, 50).cached_tokens == 600
    ask(QUESTION, 50)
    assert (account.asked, account.tokens_in, account.tokens_out, account.cached) == (2, 2000, 400, 1200)
    assert account.dollars == pytest.approx(0.006) and account._held == pytest.approx(0)
    assert "2 asked, 0 from disk; 2,000 tokens in (1,200 of them cached), 400 out; $0.0060" in str(account)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_refused_try_costs_nothing_and_is_tried_again(serve, status):
    account = Account(DEAR, 100)
    ask, seen = serve(Response("{}", status), Response("{}", status), completion(), account=account)
    assert ask(QUESTION, 50).text == "SELECT 1" and len(seen) == 3
    assert account.dollars == pytest.approx(DEAR.charge(7, 3, 0)) and account._held == pytest.approx(0)


def test_retry_after_is_waited_for(serve):
    ask, seen = serve(Response("{}", 429, {"Retry-After": "1"}), completion())
    reply = ask(QUESTION, 50)
    assert seen[1][0] - seen[0][0] >= 0.8 > reply.seconds, "a wait is no time of the answer"


def test_a_wait_of_an_hour_is_an_error_at_once(serve):
    ask, seen = serve(Response("{}", 429, {"Retry-After": "3600"}), completion())
    with pytest.raises(EndpointError, match="429"):
        ask(QUESTION, 50)
    assert len(seen) == 1


@pytest.mark.parametrize("lost", [cut, slow])
def test_a_try_that_may_have_been_charged_stands_with_its_most(serve, monkeypatch, lost):
    monkeypatch.setattr(module, "TIMEOUT", 1.5)
    account = Account(DEAR)
    ask, seen = serve(lost, completion(), account=account)
    assert ask(QUESTION, 50).text == "SELECT 1" and len(seen) == 2
    assert account.uncounted == 1 and account.dollars > DEAR.charge(len(QUESTION[0]["content"]), 50, 0)
    assert "1 tries without a count at their most" in str(account)


def test_broken_json_may_have_been_charged(serve):
    account = Account(DEAR)
    ask, _ = serve(Response("{cut off", content_type="application/json"), account=account)
    with pytest.raises(EndpointError, match="did not answer"):
        ask(QUESTION, 50)
    assert account.asked == 0 and account.uncounted == 1 and account.dollars > 5


@pytest.mark.parametrize("body", [completion(tokens=None), completion() | {"usage": {}, "choices": []}])
def test_a_server_that_does_not_count_costs_the_most_and_not_nothing(serve, body):
    account = Account(DEAR)
    ask, _ = serve(body, account=account)
    ask(QUESTION, 50)
    assert account.uncounted == 1 and account.dollars > DEAR.charge(9, 50, 0)


# --- limits ----------------------------------------------------------------------------------------------------------


def test_the_limit_stops_before_it_is_passed(serve):
    account = Account(DEAR, limit=7.0)
    ask, seen = serve(completion(), account=account)  # 0.307 dollars; set aside: 5 and the prompt's bytes
    with pytest.raises(SpendingLimit, match=r"limit of \$7.00.*higher limit"):
        for _ in range(50):
            ask(QUESTION, 50)
    assert 0 < len(seen) == account.asked < 10 and account.dollars < 7 < account.dollars + 5.3
    assert account._held == pytest.approx(0)


def test_the_limit_holds_for_questions_at_once_too(serve):
    account = Account(DEAR, limit=20.0)
    ask, seen = serve(lambda _: as_json(completion(tokens=(60, 50))), account=account)
    stopped = []

    def work():
        try:
            while True:
                ask(QUESTION, 50)
        except SpendingLimit:
            stopped.append(True)

    threads = [threading.Thread(target=work) for _ in range(6)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len(stopped) == 6 and len(seen) == account.asked == 3 and account.dollars <= 20


def test_a_server_that_ignores_the_limit_of_tokens_ends_the_asking(serve):
    """One answer may be longer than was set aside for it; no second one is asked."""
    account = Account(DEAR, limit=6.0)
    ask, seen = serve(completion("x" * 100, tokens=(7, 900)), account=account)
    assert ask(QUESTION, 50).completion_tokens == 900
    with pytest.raises(SpendingLimit):
        ask(QUESTION, 50)
    assert len(seen) == 1 and account.dollars == pytest.approx(90.007)


def test_tries_keep_to_the_rate(serve):
    ask, seen = serve(Response("{}", 500), completion(), per_minute=60)
    for _ in range(3):
        ask(QUESTION, 50)
    times = [at for at, _ in seen]
    assert len(times) == 4 and min(b - a for a, b in zip(times, times[1:], strict=False)) > 0.7
    with pytest.raises(EndpointError, match="tries a minute"):
        endpoint("m", per_minute=0)


def test_threads_that_learn_at_once_that_no_temperature_is_taken_all_go_on(serve):
    """The second to be refused found the temperature gone, and took the refusal for another one."""
    both = threading.Barrier(2)

    def choosy(request):
        if "temperature" in request.json:
            both.wait(60)
            return Response(
                '{"error": {"message": "temperature is not supported"}}', 400, content_type="application/json"
            )
        return as_json(completion())

    ask, seen = serve(choosy)
    texts = []
    threads = [threading.Thread(target=lambda: texts.append(ask(QUESTION, 50).text)) for _ in range(2)]
    with pytest.warns(UserWarning, match="no temperature"):
        [t.start() for t in threads]
        [t.join() for t in threads]
    assert texts == ["SELECT 1"] * 2 and len(seen) == 4


def test_another_vendor_is_asked_at_its_address_with_its_key(httpserver, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-ant-not-a-key")
    monkeypatch.setenv("OPENAI_BASE_URL", httpserver.url_for("/v1beta/openai/"))
    monkeypatch.setenv("FORGE_FRONTIER_MODEL", "claude-haiku-4-5")
    httpserver.expect_oneshot_request(
        "/v1beta/openai/chat/completions", headers={"Authorization": "Bearer sk-ant-not-a-key"}
    ).respond_with_json(completion())
    assert endpoint()(QUESTION, 5).text == "SELECT 1"
    assert httpserver.log[0][0].json["model"] == "claude-haiku-4-5"
