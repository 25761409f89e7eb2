"""Error classes and attention on schema tokens."""

import pytest
import torch

from forge_lib.tasks.sql.failures import CLASSES, classify, error_table
from forge_lib.tasks.sql.schema_attention import schema_attention, words_outside_strings, worth_a_look

GOLD = "SELECT title FROM books WHERE price > 10"


def record(predicted, verdict="wrong result", error="", gold=GOLD):
    return {"predicted": predicted, "sql": gold, "verdict": verdict, "error": error, "correct": verdict == "correct"}


MADE = {
    "correct": record(GOLD, "correct"),
    "no SQL": record("", "error", "There is no SQL in the answer."),
    "syntax": record("SELECT FROM", "error", 'near "FROM": syntax error'),
    "invented name": record("SELECT writer FROM books", "error", "no such column: writer"),
    "other error": record("SELECT 1", "timeout", "Killed after 2 s."),
    "wrong shape": record("SELECT title, price FROM books", "wrong shape"),
    "wrong tables": record("SELECT title FROM authors"),
    "wrong columns": record("SELECT author_id FROM books WHERE price > 10"),
    "wrong value or filter": record("SELECT title FROM books WHERE price > 100"),
    "wrong logic": record("SELECT title FROM books WHERE price < 10"),
}


@pytest.mark.parametrize("name", CLASSES)
def test_each_class_from_a_made_record(name):
    assert classify(MADE[name]) == name


def test_case_and_order_of_names_are_no_error_class():
    gold = "SELECT title FROM books JOIN authors ON books.author_id = authors.author_id"
    swapped = "SELECT TITLE FROM authors JOIN BOOKS ON authors.author_id = books.author_id LIMIT 1"
    assert classify(record(swapped, gold=gold)) == "wrong logic"  # the LIMIT, nothing else


def test_sql_that_sqlite_runs_and_sqlglot_cannot_read_is_still_classified():
    assert classify(record("SELECT title FROM books WHERE price >")) == "wrong logic"


@pytest.mark.parametrize(
    ("message", "wanted"),
    [("no such function: YEAR", "other error"), ("ambiguous column name: syntax_id", "other error"), (None, "other error"),
     ("no such table: incomplete input", "invented name"), ("unrecognized token: \"#\"", "syntax"), ("incomplete input", "syntax")],
)  # fmt: skip
def test_sqlites_words_are_read_where_they_stand(message, wanted):
    assert classify(record("SELECT 1", "error", message)) == wanted


@pytest.mark.parametrize(
    ("predicted", "wanted"),
    [
        ("WITH cheap AS (SELECT title, price FROM books) SELECT title FROM cheap WHERE price < 10", "wrong logic"),
        ("SELECT title FROM books WHERE price >= 10.0", "wrong logic"),
        ("SELECT title FROM books WHERE price > '10'", "wrong value or filter"),
        ("SELECT " + "(" * 3000 + "title" + ")" * 3000 + " FROM books", "wrong logic"),
    ],
)
def test_names_of_the_querys_own_and_ways_to_write_a_number_are_no_error_class(predicted, wanted):
    assert classify(record(predicted)) == wanted


def test_shares_of_all_classes_add_up():
    table = error_table({"made": list(MADE.values()), "perfect": [MADE["correct"]] * 3})
    assert list(table.index) == list(CLASSES)
    assert table["made"].sum() == pytest.approx(100)
    assert table.loc["correct", "perfect"] == 100


# --- attention -------------------------------------------------------------------------------------------------------

SCHEMA = "books(book_id, title, price)\nauthors(author_id, name)"


@pytest.fixture
def looked(tiny_llama, tokenizer):
    tiny_llama.set_attn_implementation("eager")
    return schema_attention(tiny_llama, tokenizer, SCHEMA, "Which books cost more than 10?", GOLD)


def test_weights_are_answer_by_schema(looked):
    assert looked.weights.shape == (len(looked.answer), len(looked.tokens))
    assert "".join(looked.answer) == GOLD
    assert "".join(looked.tokens) == SCHEMA
    assert looked.weights.min() >= 0 and looked.weights.sum(1).max() <= 1


def test_every_name_of_the_schema_has_its_tokens_and_every_name_written_its_row(looked):
    assert {*looked.names} == {"books", "book_id", "title", "price", "authors", "author_id", "name"}
    for name, places in looked.names.items():
        assert name in "".join(looked.tokens[i] for i in places)
    assert [name for _, name in looked.written] == ["title", "books", "price"]
    assert all(
        looked.answer[at].strip(" ") and name.startswith(looked.answer[at].strip(" ")) for at, name in looked.written
    )


def test_the_mean_of_all_heads_is_the_weights(tiny_llama, tokenizer):
    tiny_llama.set_attn_implementation("eager")
    sql = "SELECT title FROM books WHERE title = 'the price'"
    found = schema_attention(tiny_llama, tokenizer, SCHEMA, "Which?", sql, heads=True)
    config = tiny_llama.config
    assert found.heads.shape == (config.num_hidden_layers, config.num_attention_heads, *found.weights.shape)
    torch.testing.assert_close(found.heads.mean((0, 1)), found.weights)
    assert [name for _, name in found.written] == ["title", "books", "title"], "what stands in a string is not written"


def test_shares_are_shares(looked):
    for share in (looked.used_share, looked.even_share, looked.schema_share):
        assert 0 < share < 1


def test_even_share_is_the_share_of_a_model_that_looks_everywhere_alike(tokenizer, tiny_llama):
    tiny_llama.set_attn_implementation("eager")
    with torch.no_grad():
        for layer in tiny_llama.model.layers:
            layer.self_attn.q_proj.weight.zero_()  # all scores equal: every visible token weighs the same
    found = schema_attention(tiny_llama, tokenizer, SCHEMA, "Which books cost more than 10?", GOLD)
    assert found.used_share == pytest.approx(found.even_share, abs=1e-5)


def test_using_every_name_makes_the_share_one(tokenizer, tiny_llama):
    tiny_llama.set_attn_implementation("eager")
    sql = "SELECT book_id, title, price, author_id, name FROM books, authors"
    found = schema_attention(tiny_llama, tokenizer, SCHEMA, "Everything", sql)
    assert found.used_share == found.even_share == pytest.approx(1)


def test_names_in_another_script_are_names(tokenizer, tiny_llama):
    tiny_llama.set_attn_implementation("eager")
    found = schema_attention(tiny_llama, tokenizer, "книги(название, цена)", "Сколько книг?", "SELECT цена FROM книги")
    assert 0 < found.even_share < 1 and 0 < found.used_share < 1


def test_a_name_inside_a_string_is_not_used(tokenizer, tiny_llama):
    tiny_llama.set_attn_implementation("eager")
    plain, quoted = (
        schema_attention(tiny_llama, tokenizer, SCHEMA, "Q", f"SELECT title FROM books WHERE title = '{text}'")
        for text in ("x", "it''s the price")
    )
    assert plain.even_share == quoted.even_share


def test_only_questions_that_the_tables_answer_are_looked_at():
    asked = [{"db_id": "a", "sql": "SELECT 'no answer'"}, {"db_id": "a", "sql": "SELECT title FROM books"},
             {"db_id": "b", "sql": "SELECT 1", "wording": "unanswerable"}, {"db_id": "c", "sql": "SELECT " + "x" * 300}]  # fmt: skip
    assert worth_a_look(asked) == [asked[1]]


def test_where_every_gold_is_long_the_shortest_of_each_database_is_looked_at():
    """A test of one database with long golds left nothing to look at, and the lesson stopped in min()."""
    asked = [{"db_id": db, "sql": "SELECT " + "x" * n} for db, n in (("a", 300), ("a", 250), ("a", 280), ("b", 400))]
    assert sorted(len(r["sql"]) for r in worth_a_look(asked)) == [257, 407]
    assert worth_a_look([{"db_id": "a", "sql": "SELECT 'no answer'"}]) == []


def test_the_words_of_a_string_are_no_names():
    assert words_outside_strings("SELECT Цена WHERE x = 'it''s y'") == {"select", "цена", "where", "x"}


def test_attention_without_eager_says_what_to_do(tokenizer, tiny_llama):
    tiny_llama.set_attn_implementation("sdpa")
    with pytest.raises(ValueError, match="eager"):
        schema_attention(tiny_llama, tokenizer, SCHEMA, "Everything", GOLD)
