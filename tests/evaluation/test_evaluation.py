"""Contenders, metrics and statistics: what the result table and its intervals rest on."""

import json
import math
from dataclasses import replace

import pytest

from forge_lib.evaluation import contenders
from forge_lib.evaluation.capability import _likelihoods, load_probe, probe_records
from forge_lib.evaluation.contenders import (
    local_model,
    messages_for,
    nearest_neighbour,
    openai_endpoint,
    share_more,
)
from forge_lib.evaluation.metrics import accuracy, by_difficulty, evaluate, result_table, summary_row
from forge_lib.evaluation.statistics import bootstrap_interval, compare, interval_note, mcnemar
from forge_lib.lab.files import RunError
from forge_lib.models import endpoint
from forge_lib.models.endpoint import Reply
from forge_lib.models.generate import Completion
from forge_lib.models.replies import remember
from forge_lib.tasks import GoldError
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.score import score


def says(*texts):
    """A contender that gives fixed answers."""
    return lambda pairs: [Completion(t, 10, 5, 0.1, True) for t, _ in zip(texts, pairs, strict=True)]


def gold(pairs):
    return [Completion(p.sql, 10, 5, 0.1, True) for p in pairs]


def records(name, correct, databases=None, part="seen"):
    databases = databases or range(len(correct))
    return [
        {"contender": name, "id": f"i{n}", "context": f"d{d}", "correct": bool(c), "part": part}
        for n, (c, d) in enumerate(zip(correct, databases, strict=True))
    ]


# --- the whole path from answer to percent ---------------------------------------------------------------------------


def test_the_gold_scores_100_and_nothing_scores_0(library):
    best = summary_row(evaluate("gold", gold, library, library.test))
    worst = summary_row(evaluate("empty", says("", "", ""), library, library.test))
    assert (best["all"], best["strict"], best["valid_sql"]) == (100, 100, 100)
    assert (worst["all"], worst["strict"], worst["valid_sql"]) == (0, 0, 0)


def test_hard_wordings_are_counted_apart_from_seen_and_unseen(library):
    from dataclasses import replace

    hard = replace(library.test[0], id="h", wording="typos")
    row = summary_row(
        evaluate("gold but one", says(*[p.sql for p in library.test], "SELECT 9"), library, [*library.test, hard])
    )
    assert (row["seen"], row["unseen"], row["hard"], row["all"]) == (100, 100, 0, 75)
    assert "hard" in result_table([row]).columns


def test_sql_inside_prose_counts_leniently_and_not_strictly(library):
    chatty = says(*(f"Sure!\n```sql\n{p.sql};\n```\nAnything else?" for p in library.test))
    row = summary_row(evaluate("chatty", chatty, library, library.test))
    assert (row["all"], row["strict"]) == (100, 0)


def test_records_carry_what_later_notebooks_read(library):
    record = evaluate(
        "x", says("SELECT 1", "SELECT writer FROM books", "SELECT name FROM authors"), library, library.test
    )
    assert [r["verdict"] for r in record] == ["wrong result", "error", "wrong result"]
    assert "no such column" in record[1]["error"]
    assert record[0]["part"] == "seen" and record[0]["prompt_tokens"] == 10 and record[0]["finished"]


def test_a_gold_that_fails_is_named_and_left_out(library):
    bad = Pair("bad", "library", "How heavy?", "SELECT weight FROM books", "easy", "seen")
    with pytest.warns(UserWarning, match="bad is left out.*no such column"):
        found = evaluate("gold", gold, library, [library.test[0], bad, *library.test[1:]])
    assert [r["id"] for r in found] == [p.id for p in library.test] and all(r["correct"] for r in found)


def test_a_gold_that_is_late_once_is_asked_again(library, monkeypatch):
    """The owner's check tried three times, the evaluation once, and then left the pair out."""
    calls = []

    def late_once(*given):
        calls.append(given)
        if len(calls) == 1:
            raise GoldError("The gold query failed: timeout after 2 s")
        return score(*given)

    monkeypatch.setattr("forge_lib.tasks.sql.dataset.score", late_once)
    assert len(evaluate("gold", gold, library, library.test)) == len(library.test)


def test_where_every_gold_fails_the_score_says_so(library):
    bad = Pair("bad", "library", "How heavy?", "SELECT weight FROM books", "easy", "seen")
    with (
        pytest.warns(UserWarning, match="left out"),
        pytest.raises(GoldError, match="nothing to score.*no such column"),
    ):
        evaluate("gold", gold, library, [bad])


def test_a_row_reports_parts_and_leaves_out_an_absent_one(library):
    row = summary_row(evaluate("x", says(library.test[0].sql, "", ""), library, library.test))
    assert (row["seen"], row["unseen"], row["items"]) == (50, 0, 3)
    only_seen = summary_row(records_of_part(library, "seen"))
    assert "unseen" not in only_seen
    assert "unseen" not in result_table([only_seen]).columns


def records_of_part(library, part):
    pairs = [p for p in library.test if p.part == part]
    return evaluate("x", gold, library, pairs)


def test_accuracy_of_no_records_is_not_a_number():
    assert math.isnan(accuracy([]))


def test_by_difficulty_counts_the_items_of_each_level(library):
    table = by_difficulty({"gold": evaluate("gold", gold, library, library.test)})
    assert table.loc["items", "easy"] == 2 and table.loc["gold", "hard"] == 100
    assert math.isnan(table.loc["gold", "extra"])


# --- intervals and paired tests --------------------------------------------------------------------------------------


def test_clusters_that_agree_widen_the_interval():
    values = [1] * 20 + [0] * 20 + [1] * 20 + [0] * 20
    databases = [n // 20 for n in range(80)]
    by_database, by_item = bootstrap_interval(values, databases), bootstrap_interval(values, range(80))
    assert by_database[1] - by_database[0] > 3 * (by_item[1] - by_item[0])


def test_an_interval_is_the_same_for_the_same_seed_and_holds_the_mean():
    values, clusters = [0, 1, 1, 0, 1, 1], list("aabbcc")
    assert bootstrap_interval(values, clusters) == bootstrap_interval(values, clusters)
    low, high = bootstrap_interval(values, clusters)
    assert low <= sum(values) / 6 <= high


def test_one_database_gives_the_interval_of_its_questions_and_says_so():
    """Drawing one database always draws the same: the interval had no width."""
    values = [1, 0] * 15
    assert bootstrap_interval(values, ["shop"] * 30) == bootstrap_interval(values, range(30))
    assert "one database" in interval_note(["shop"] * 30)
    found = compare(records("a", [1, 0, 1, 0] * 8, [0] * 32), records("b", [1, 1, 1, 0] * 8, [0] * 32))
    assert found.low < found.difference < found.high and "one database" in str(found)


@pytest.mark.parametrize("count", [1, 5, 40])
def test_answers_that_are_all_equal_have_exact_limits(count):
    from scipy.stats import binomtest

    for right in (0, count):
        exact = binomtest(right, count).proportion_ci(0.95, method="exact")
        values = [int(right > 0)] * count
        assert bootstrap_interval(values, range(count)) == pytest.approx((exact.low, exact.high))
        assert bootstrap_interval(values, ["shop"] * count) == pytest.approx((exact.low, exact.high))


def test_databases_that_are_all_alike_still_leave_doubt():
    for databases in (2, 30):
        low, high = bootstrap_interval([1, 0] * databases, [n // 2 for n in range(2 * databases)])
        assert low < 0.45 and high > 0.55


def test_the_note_says_which_way_the_values_asked_for():
    """It saw the databases alone, and did not know of exact limits."""
    assert interval_note([0] * 40, [1] * 40).startswith("one database: the interval is over its questions")
    for databases in ([n % 4 for n in range(40)], range(40)):
        assert interval_note(databases, [1] * 40).startswith("all values are equal: exact limits")
    alike = [1, 0] * 30, [n // 2 for n in range(60)]
    assert "all alike" in interval_note(alike[1], alike[0])
    assert interval_note(range(40), [1, 0] * 20) == "" and "2 databases are few" in interval_note(
        list("abab"), [1, 0, 1, 1]
    )
    assert "all values are equal" in str(compare(records("a", [1, 0] * 20), records("b", [1, 0] * 20)))


def test_no_change_on_few_questions_is_not_proof_of_none():
    same = compare(records("a", [1, 0]), records("b", [1, 0]))
    assert (same.difference, same.p_value, same.significant) == (0, 1, False)
    assert same.low < -50 and same.high > 50
    one = compare(records("a", [0]), records("b", [1]))
    assert one.difference == 100 and one.low < 0 and not one.significant
    many = compare(records("a", [1] * 400), records("b", [1] * 400))
    assert -1.5 < many.low < 0 < many.high < 1.5


def test_differences_may_be_negative_and_shares_may_not():
    assert bootstrap_interval([0, 0, 1], [0, 1, 2])[0] >= 0 > bootstrap_interval([0, -1, 1], [0, 1, 2])[0]
    assert bootstrap_interval([-0.2, -0.21, -0.19], [0, 1, 2])[1] < 0
    with pytest.raises(ValueError, match="no item"):
        bootstrap_interval([], [])
    for value in (math.nan, math.inf, None):
        with pytest.raises(ValueError, match="not a number"):
            bootstrap_interval([1, value], ["a", "b"])
    with pytest.raises(ValueError, match="no answer to summarize"):
        summary_row([])


def test_compare_counts_gains_and_losses():
    first, second = records("a", [1, 1, 0, 0, 0, 0]), records("b", [1, 0, 1, 1, 1, 0])
    found = compare(first, second)
    assert (found.only_first, found.only_second, found.items) == (1, 3, 6)
    assert found.difference == pytest.approx(100 * 2 / 6)
    assert found.p_value == pytest.approx(mcnemar(1, 3))


def test_compare_goes_by_id_and_not_by_position():
    first = records("a", [1, 0, 1, 0])
    assert compare(first, list(reversed(first))).difference == 0


def test_compare_refuses_different_items_and_an_empty_part():
    with pytest.raises(ValueError, match="different items"):
        compare(records("a", [1, 0]), records("b", [1, 0, 1]))
    with pytest.raises(ValueError, match="unseen"):
        compare(records("a", [1, 0]), records("b", [1, 0]), part="unseen")


def test_compare_can_take_one_part():
    first = records("a", [0, 0]) + [r | {"id": "u"} for r in records("a", [1], part="unseen")]
    second = records("b", [1, 1]) + [r | {"id": "u"} for r in records("b", [0], part="unseen")]
    assert compare(first, second, part="unseen").difference == -100
    assert "unseen items" in str(compare(first, second, part="unseen"))


def test_mcnemar_is_the_coin_on_the_page():
    lost, gained = 4, 18
    tail = sum(math.comb(lost + gained, k) for k in range(lost + 1)) / 2 ** (lost + gained)
    assert mcnemar(lost, gained) == pytest.approx(2 * tail)
    assert mcnemar(5, 5) == 1


def test_a_null_result_is_called_one():
    assert "not significant" in str(compare(records("a", [1, 0, 1, 0]), records("b", [0, 1, 1, 0])))


# --- who answers -----------------------------------------------------------------------------------------------------


def test_the_nearest_neighbour_prefers_its_own_database():
    train = [
        Pair("1", "zoo", "How many animals are there in all?", "SELECT COUNT(*) FROM animals"),
        Pair("2", "shop", "Names of the products", "SELECT name FROM products"),
    ]
    asked = [
        Pair("3", "shop", "How many animals are there in all?", "SELECT 1"),  # the same words, another database
        Pair("4", "new", "How many animals are there in all?", "SELECT 1"),  # a database without training pairs
    ]
    texts = [c.text for c in nearest_neighbour(train)(asked)]
    assert texts == ["SELECT name FROM products", "SELECT COUNT(*) FROM animals"]


def test_without_a_key_there_is_no_frontier_contender(library, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert openai_endpoint(library, 16) is None


def paid(*texts):
    """An endpoint that counts what it is asked, and fails when it has nothing left to say."""
    calls, left = [], list(texts)

    def ask(messages, max_tokens):
        calls.append(messages)
        if not left:
            raise ConnectionError("the line is dead")
        return Reply(left.pop(0), 10, 5, 0.1, True)

    return ask, calls


def test_a_paid_answer_is_kept_as_it_comes(tmp_path):
    """An interruption at question 300 lost 299 paid answers."""
    file = tmp_path / "evaluation" / "frontier_answers.jsonl"
    ask, calls = paid("SELECT 1 -- a\u2028b\x85c", "SELECT \ud800")
    questions = [[{"role": "user", "content": text}] for text in ("one", "two", "three")]
    first = remember(ask, file, "gpt")
    texts = [first(q, 64).text for q in questions[:2]]
    with pytest.raises(ConnectionError):
        first(questions[2], 64)
    with file.open("a") as stream:
        stream.write('{"request": "half a li')  # a kill in the middle of a line
    again, new = paid("SELECT 3")
    second = remember(again, file, "gpt")
    assert [second(q, 64).text for q in questions] == [*texts, "SELECT 3"] and len(new) == 1
    assert remember(paid()[0], file, "gpt")(questions[2], 64).text == "SELECT 3"
    for other in (remember(paid()[0], file, "another model"), lambda q, _: second(q, 65)):
        with pytest.raises(ConnectionError):
            other(questions[0], 64)


@pytest.mark.parametrize(
    "line",
    [
        '{"text": "SELECT 1"}',
        '{"request": "x", "txt": 1}',
        "[]",
        "nonsense",
        "\x00",
        *(
            json.dumps(
                {
                    "request": "x",
                    "text": "",
                    "prompt_tokens": 1,
                    "completion_tokens": 1,
                    "seconds": 1.0,
                    "finished": True,
                }
                | wrong
            )
            for wrong in (
                {"text": None},
                {"seconds": "1"},
                {"prompt_tokens": None},
                {"finished": "no"},
                {"request": [1]},
            )
        ),
    ],
)
def test_a_damaged_line_of_paid_answers_is_named(tmp_path, line):
    file = tmp_path / "answers.jsonl"
    file.write_text(line + "\n" + '{"request": "y"}' + "\n")
    with pytest.raises(RunError, match="answers.jsonl"):
        remember(paid()[0], file, "gpt")


def test_the_frontier_contender_keeps_its_answers(library, tmp_path, monkeypatch):
    for texts in (["SELECT 1"] * 3, []):
        monkeypatch.setattr(contenders, "endpoint", lambda *_, texts=texts, **__: paid(*texts)[0])
        answer = openai_endpoint(library, 16, saved=tmp_path / "answers.jsonl")
        assert [c.text for c in answer(library.test)] == ["SELECT 1"] * 3


def test_kept_answers_are_of_the_model_that_was_asked(library, tmp_path, monkeypatch):
    """They were kept by the variables, which are empty for every default: a newer one got the older one's answers."""
    monkeypatch.delenv("FORGE_FRONTIER_MODEL", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)

    def said(*texts):
        monkeypatch.setattr(contenders, "endpoint", lambda *_, **__: paid(*texts)[0])
        return [c.text for c in openai_endpoint(library, 16, saved=tmp_path / "answers.jsonl")(library.test[:1])]

    for model in ("older", "newer"):
        monkeypatch.setattr("forge_lib.models.endpoint.FRONTIER", model)
        assert said(model) == [model]
    monkeypatch.setenv("FORGE_FRONTIER_MODEL", "newer")
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.OPENAI)
    assert said() == ["newer"], "the same model by its name"


def test_a_shot_is_asked_with_its_evidence(library):
    shot = replace(library.train[0], evidence="dear means above 10")
    assert messages_for(library, library.test[0], [shot])[1]["content"] == f"{shot.question} (dear means above 10)"


def test_shots_are_turns_between_schema_and_question(library):
    messages = messages_for(library, library.test[0], shots=library.train[1:3])
    assert [m["role"] for m in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert messages[2]["content"] == library.train[1].sql
    assert messages[-1]["content"] == library.test[0].question


def test_sharing_more_of_a_prompt_changes_no_token(library, tokenizer):
    from forge_lib.models.chat import encode_prompt

    prompts = [encode_prompt(tokenizer, messages_for(library, p, library.train[:2])) for p in library.test]
    shared = share_more(prompts)
    assert [p.prefix + p.rest for p in prompts] == [p.prefix + p.rest for p in shared]
    assert all(len(b.prefix) > len(a.prefix) and b.rest for a, b in zip(prompts, shared, strict=True))
    assert len({p.prefix for p in shared}) == 1
    assert share_more(prompts[:1])[0].rest == prompts[0].rest[-1:]  # one prompt alone keeps its last token


def test_a_local_model_answers_in_the_order_asked(library, tokenizer, tiny_llama):
    ask = local_model(tiny_llama, tokenizer, library, 4, 2, shots=library.train[:1])
    together, alone = ask(library.test), [ask([p])[0] for p in library.test]
    assert [c.ids for c in together] == [c.ids for c in alone]


# --- the general probe -----------------------------------------------------------------------------------------------


def test_probe_items_are_well_formed():
    items = load_probe()
    assert len(items) == 60 == len({i["question"] for i in items})
    for item in items:
        assert len(item["options"]) == 4 == len(set(item["options"]))
        lengths = [len(o.split()) for o in item["options"]]
        assert max(lengths) - min(lengths) <= 1
        assert not {"sql", "select", "table", "database"} & set(item["question"].lower().split())


def test_options_scored_together_score_as_alone(tokenizer, tiny_llama):
    import torch

    head, options = [5, 6, 7], [[8, 9], [10], [11, 12, 13]]
    together = _likelihoods(tiny_llama, head, options)
    for option, got in zip(options, together, strict=True):
        with torch.no_grad():
            logits = tiny_llama(input_ids=torch.tensor([head + option])).logits[0, 2:-1]
        alone = torch.log_softmax(logits, -1)[range(len(option)), option].mean().item()
        assert got == pytest.approx(alone, abs=1e-4)


def test_probe_records_can_be_compared(tokenizer, tiny_llama):
    items = load_probe()[:4]
    found = probe_records("tiny", tiny_llama, tokenizer, items)
    assert [r["id"] for r in found] == ["probe-0", "probe-1", "probe-2", "probe-3"]
    assert all(r["answer"] in i["options"] for r, i in zip(found, items, strict=True))
    assert compare(found, found).difference == 0


def test_five_lost_answers_alone_are_not_called_significant():
    """All five of one sign put zero outside the interval; McNemar's exact test says p = 0.06."""
    found = compare(records("a", [1] * 100), records("b", [0] * 5 + [1] * 95))
    assert found.high < 0 and found.p_value > 0.05 and not found.significant


def test_records_of_an_earlier_version_are_a_sentence():
    old = [{"contender": "x", "id": "1", "db_id": "shop", "correct": True}]
    with pytest.raises(ValueError, match="earlier version"):
        compare(old, old)
