from dataclasses import replace

import matplotlib.pyplot as plt
import pytest

from forge_lib.lab.figures import findings_bars
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.gate import (
    RULES,
    check_pairs,
    check_splits,
    diversity,
    keep,
    near_duplicates,
    personal_data,
    report,
    shared_skeletons,
)
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.prompt import NO_ANSWER

COUNT = {"question": "How many books are there?", "sql": "SELECT COUNT(*) FROM books"}
# rule: (a pair that breaks it alone, a pair like it that passes)
ALONE = {
    "parses": ({"sql": "SELECT FROM WHERE"}, {}),
    "runs": ({"sql": "SELECT pages FROM books"}, {"sql": "SELECT price FROM books"}),
    "returns rows": ({"sql": "SELECT title FROM books WHERE price > 999"}, {"sql": "SELECT title FROM books WHERE price > 0"}),
    "deterministic": ({"sql": "SELECT title FROM books LIMIT 1"}, {"sql": "SELECT title FROM books LIMIT 1000"}),
    "lowest has a value": (
        {"question": "Who was born first?", "sql": "SELECT name FROM authors ORDER BY born LIMIT 1"},
        {"question": "Who was born first?", "sql": "SELECT name FROM authors ORDER BY born NULLS LAST LIMIT 1"},
    ),
    "values one would type": (
        {"question": "How many are titled one\ntwo?", "sql": "SELECT COUNT(*) FROM books WHERE title = 'One\nTwo'"},
        {"question": "How many are titled one two?", "sql": "SELECT COUNT(*) FROM books WHERE title = 'One Two'"},
    ),
    "no chat marks": ({"question": "How many books<|im_end|> are there?"}, {"question": "How many books <3 are there |>?"}),
    "asks for its literals": (
        {"question": "Titles, please", "sql": "SELECT COUNT(*) FROM books WHERE title = 'Three'"},
        {"question": "How many books are titled three?", "sql": "SELECT COUNT(*) FROM books WHERE title = 'Three'"},
    ),
    "no personal data": ({"question": "Books lent to ada@example.org?"}, {"question": "Books lent to Ada?"}),
    "length": ({"question": "How many " + "very " * 300 + "good books?"}, {"question": "How many very good books?"}),
}  # fmt: skip
# rule: (two questions, the second of which breaks it; two which do not)
AMONG = {
    "new question": (("How many books are there?", "how many books ARE there"), ("How many books?", "How many loans?")),
    "not nearly a duplicate": (
        ("How many of the books in our library are there?", "How many of the books in our librarys are there?"),
        ("How many of the books in our library are there?", "In our library, what is the number of all the books?"),
    ),
}  # fmt: skip
# rule: (training pair, test pair that breaks it, test pair that does not)
ACROSS = {
    "no leak: question": (COUNT, COUNT | {"sql": "SELECT 1"}, {"question": "What is the dearest?", "sql": "SELECT 1"}),
    "no leak: query": (COUNT, COUNT | {"question": "Size of the stock?"}, {"question": "Size?", "sql": "SELECT 1"}),
    "no leak: near-duplicate": (
        {"question": "Please tell me how many books there are in all", "sql": "SELECT COUNT(*) FROM books"},
        {"question": "Please tell me how many books there are in al", "sql": "SELECT 1"},
        {"question": "What is the size of the stock?", "sql": "SELECT 1"},
    ),
    "no leak: database": (COUNT, {"question": "?", "sql": "SELECT 1", "part": "unseen"}, {"question": "?", "sql": "SELECT 1", "part": "seen"}),
}  # fmt: skip


def test_every_rule_has_a_row_that_passes_and_one_that_fails():
    assert {*ALONE, *AMONG, *ACROSS} == {*RULES}


@pytest.mark.parametrize("rule", ALONE)
def test_a_rule_fires_on_its_fault_and_not_on_the_sound_pair(library, tokenizer, rule):
    broken, sound = (replace(library.train[0], **change) for change in ALONE[rule])
    (finding,) = check_pairs(library, [broken], tokenizer, 120)
    assert (finding.pair, finding.rule) == (broken.id, rule)
    assert check_pairs(library, [sound], tokenizer, 120) == []


@pytest.mark.parametrize("rule", AMONG)
def test_a_pair_is_compared_with_those_before_it(library, rule):
    for questions, expected in zip(AMONG[rule], ([rule], []), strict=True):
        pairs = [Pair(f"p{n}", "library", q, COUNT["sql"]) for n, q in enumerate(questions)]
        findings = check_pairs(library, pairs)
        assert [f.rule for f in findings] == expected
        assert all(f.pair == "p1" and "p0" in f.detail for f in findings)


@pytest.mark.parametrize("rule", ACROSS)
def test_what_crosses_from_train_to_test_is_named(library, rule):
    trained, leaking, sound = (Pair(f"p{n}", "library", **fields) for n, fields in enumerate(ACROSS[rule]))
    data = DataSet("d", library.databases, train=[trained], test=[leaking])
    assert [(f.pair, f.rule) for f in check_splits(data)] == [("p1", rule)]
    data.test = [sound]
    assert check_splits(data) == []


def test_the_same_words_about_another_database_are_no_duplicate(library):
    pair = library.train[0]
    assert near_duplicates([pair], [replace(pair, id="twin", db_id="elsewhere")]) == []


def test_near_duplicates_are_found_among_many():
    pairs = [
        Pair(f"p{n}", "d", f"What is the average price of book number {n * 7919} in {n * 31} shops?", "")
        for n in range(2000)
    ]
    twin = replace(pairs[1234], id="twin", question=pairs[1234].question.replace("average", "averge"))
    ((found, like, similarity),) = near_duplicates([twin], pairs)
    assert (found, like.id) == (twin, "p1234") and similarity >= 0.8


def test_dates_formats_and_case_labels_need_not_be_in_the_question(library):
    sql = (
        "SELECT CASE WHEN price > 1 THEN 'dear' ELSE 'cheap' END FROM books WHERE strftime('%Y', '2024-01-01') = '2024'"
    )
    assert check_pairs(library, [replace(library.train[0], sql=sql)]) == []


def test_both_labels_of_iif_need_not_be_in_the_question(library):
    sql = "SELECT IIF(price > 1, 'dear', 'cheap') FROM books"
    assert check_pairs(library, [replace(library.train[0], sql=sql)]) == []


@pytest.mark.parametrize(
    "sql", ["SELECT " + "(" * 60 + "1" + ")" * 60, "SELECT 1; SELECT 2", "DROP TABLE books", "SELECT 'a"]
)
def test_what_cannot_be_parsed_is_a_finding_and_no_traceback(library, sql):
    assert [f.rule for f in check_pairs(library, [replace(library.train[0], sql=sql)])] == ["parses"]


@pytest.mark.parametrize(
    ("sql", "asked"),
    [
        ('SELECT COUNT(*) FROM books WHERE title = "Three"', False),
        ('SELECT COUNT(*) FROM books WHERE "title" = "One" OR "price" > 0', False),
        ('SELECT "price" FROM books AS "a b" ORDER BY "a b"."price"', True),
        ('SELECT "p" FROM (SELECT price AS "p" FROM books)', True),
    ],
)
def test_a_string_in_double_quotes_is_a_value_like_another(library, sql, asked):
    rules = {f.rule for f in check_pairs(library, [Pair("1", "library", "Numbers, please", sql)])}
    assert ("asks for its literals" not in rules) == asked


@pytest.mark.parametrize(
    ("sql", "rules"),
    [
        ('SELECT title FROM books WHERE date("now") <> title', ["deterministic"]),
        ('SELECT title FROM books ORDER BY "rowid" LIMIT 1', []),
    ],
)
def test_a_clock_is_found_in_double_quotes_and_the_rowid_is_no_string(library, sql, rules):
    assert [f.rule for f in check_pairs(library, [Pair("1", "library", "Now?", sql)])] == rules


def test_queries_that_only_sqlite_parses_are_counted_by_their_words(library):
    deep = [Pair(str(n), "library", "One?", "SELECT " + "(" * 80 + "1" + ")" * (80 + n)) for n in (0, 0, 1)]
    assert diversity(deep)["skeletons per pair"] == pytest.approx(2 / 3)


def test_a_paragraph_is_no_value_to_ask_for(library):
    note = "Holds a degree and is fluent in several languages. " * 3
    pair = replace(
        library.train[0], question=f"Whose note is {note}?", sql=f"SELECT 1 FROM books WHERE title <> '{note}'"
    )
    assert "values one would type" in {f.rule for f in check_pairs(library, [pair])}


@pytest.mark.parametrize("mark", ["<|im_start|>", "<|endoftext|>", "</s>", "[INST]", "<start_of_turn>", "<｜User｜>"])
def test_chat_marks_are_named_wherever_they_stand(library, mark):
    pair = replace(
        library.train[0], question=f"Titled '{mark}'?", sql=f"SELECT COUNT(*) FROM books WHERE title = '{mark}'"
    )
    assert {(f.rule, f.detail) for f in check_pairs(library, [pair])} == {("no chat marks", mark)}
    pair = replace(library.train[0], evidence=f"as {mark} says")
    assert [f.rule for f in check_pairs(library, [pair])] == ["no chat marks"]


def test_a_flag_may_be_put_in_words(library):
    pair = replace(
        library.train[0], question="How many in print?", sql="SELECT COUNT(*) FROM books WHERE title <> 'Yes'"
    )
    assert check_pairs(library, [pair]) == []


def test_an_unanswerable_question_passes_the_gate(library):
    pair = replace(library.train[0], question="Who bound the books?", sql=NO_ANSWER, wording="unanswerable")
    assert check_pairs(library, [pair]) == []
    twin = replace(pair, id="twin", question="What do the shelves weigh?")
    assert check_splits(DataSet("d", library.databases, train=[pair], test=[twin])) == []


def test_values_may_be_worded_otherwise_where_that_is_the_point(library):
    pair = replace(
        library.train[0],
        question="How many with a trio in the name?",
        sql="SELECT COUNT(*) FROM books WHERE title = 'Three'",
    )
    assert [f.rule for f in check_pairs(library, [pair])] == ["asks for its literals"]
    assert check_pairs(library, [replace(pair, wording="values")]) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("call +41 44 668 18 00 now", "telephone number"),
        ("pay to DE89 3704 0044 0532 0130 00 today", "bank account"),
        ("card 4111 1111 1111 1111 expired", "card number"),
        ("mail o.brien@example.co.uk", "e-mail address"),
    ],
)
def test_personal_data_is_found(text, kind):
    assert [found for found, _ in personal_data(text)] == [kind]


@pytest.mark.parametrize(
    "text", ["loans of 2024-01-31 and 2024-02-29", "order 1234567890123", "20 + 22 books", "ISBN 9783161484100"]
)
def test_numbers_and_dates_are_not_personal_data(text):
    assert personal_data(text) == []


def test_a_long_text_without_spaces_is_looked_through_at_once():
    assert personal_data("x" * 300_000) == []
    assert personal_data("x" * 300_000 + " ada@example.org") == [("e-mail address", "ada@example.org")]


def test_the_report_counts_pairs_by_rule_and_shows_one(library):
    bad = replace(library.train[0], id="bad", sql="SELECT nothing FROM books")
    findings = check_pairs(library, [library.train[0], bad])
    table = report(findings, 2)
    assert (
        table.loc["runs", "pairs"] == 1 and table.loc["runs", "share"] == 50 and "bad" in table.loc["runs", "example"]
    )
    assert keep([library.train[0], bad], findings) == [library.train[0]]
    ax = findings_bars(table, plt.figure().add_subplot())
    assert [t.get_text() for t in ax.get_yticklabels()] == list(RULES)
    assert any("1 (50.0%)" in t.get_text() for t in ax.texts)


def test_diversity_tells_a_varied_set_from_a_monotonous_one(library):
    same = [Pair(str(n), "library", "How many books are there?", COUNT["sql"]) for n in range(9)]
    varied, monotonous = diversity(library.train), diversity(same)
    assert varied["distinct-2"] > monotonous["distinct-2"] and monotonous["commonest opener"] == 1
    assert monotonous["skeletons per pair"] == pytest.approx(1 / 9)
    assert shared_skeletons(library) == {"validation": 1.0, "test": 1.0}
