"""The base's best prompt: begun answers, examples with their contexts, and a choice that validation makes."""

from dataclasses import replace

import pytest

from forge_lib.evaluation.contenders import local_model, messages_for, similar
from forge_lib.evaluation.prompting import GRID, Prompting, choose_prompting
from forge_lib.models.chat import encode_prompt
from forge_lib.models.generate import Completion
from forge_lib.tasks.sql.pairs import Pair


def test_a_begun_answer_goes_on_and_is_whole(library, tiny_llama, tokenizer):
    messages = messages_for(library, library.test[0])
    plain, begun = encode_prompt(tokenizer, messages), encode_prompt(tokenizer, messages, "SELECT")
    assert begun.prefix == plain.prefix and tokenizer.decode(begun.rest[len(plain.rest) :]) == "SELECT"
    [found] = local_model(tiny_llama, tokenizer, library, 4, 1, progress=False, begin="SELECT")(library.test[:1])
    assert found.text.startswith("SELECT") and found.prompt_tokens == len(begun)


def test_a_shot_of_another_database_comes_with_its_tables(library):
    other = replace(library.test[0], id="o", db_id="other")
    library.elsewhere["other"] = library.database("library")
    own = library.test[1]
    messages = messages_for(library, library.test[2], [other, own], with_contexts=True)
    first, shot, answer, second, *_ = messages
    assert shot["content"].startswith("Tables:\nauthors(author_id, name, born)\nbooks(") and shot["content"].endswith(
        other.question
    )
    assert "Translate" not in shot["content"]  # the instruction is said once
    assert second["content"] == own.question and answer["content"] == other.sql
    assert first == messages_for(library, library.test[2])[0]
    assert messages_for(library, library.test[2], [other])[1]["content"] == other.question


def test_examples_come_from_where_they_are_asked_for():
    train = [
        Pair(f"{db}{n}", db, f"Count the {word}", "SELECT 1")
        for db in "ab"
        for n, word in enumerate(("ships", "ports"))
    ]
    asked = Pair("x", "a", "Count the ships please", "")
    assert [p.id for p in similar(train, asked, 1)] == ["a0"]
    assert [p.id for p in similar(train, asked, 1, "other")] == ["b0"]
    assert [p.db_id for p in similar(train, asked, 3, "both")] == ["b", "b", "a"]
    with pytest.raises(ValueError, match="'same', 'other' or 'both'"):
        similar(train, asked, 1, "all")


def test_the_winner_is_the_shorter_of_two_equals(library):
    def ask(way):
        return lambda items: [Completion(i.answer if way.begin else "no", 10 + way.shots, 1, 0.1, True) for i in items]

    best, table = choose_prompting(ask, library, library.validation)
    assert best == Prompting(begin="SELECT")
    assert len(table) == len(GRID) == len(set(map(str, GRID))) and set(table["right"]) == {0, 100}
    with pytest.raises(ValueError, match="no items"):
        choose_prompting(ask, library, [])
