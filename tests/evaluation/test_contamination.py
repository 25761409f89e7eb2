"""What of a benchmark stands in training data."""

import pytest

from forge_lib.evaluation.contamination import clean_against_suspicious, overlap_table, overlaps
from forge_lib.tasks.sql.augment import skeleton
from forge_lib.tasks.sql.pairs import Pair

LONG = "which of the ships that were built before the war have never been repaired in the northern harbour"
TRAIN = [
    Pair("t1", "zoo", "How many animals are there in all?", "SELECT COUNT(*) FROM animals"),
    Pair("t2", "port", f"Tell me {LONG}, please", "SELECT name FROM ships WHERE built < 1914"),
    Pair("t3", "shop", "Names of all the products", "SELECT name FROM products"),
    Pair("t4", "mall", "What is the colour of happiness?", "SELECT NULL"),
    Pair("t5", "farm", "Who will win?", "SELECT NULL"),
]


def found(question, sql="SELECT 7 FROM nowhere", context="new"):
    [one] = overlaps([Pair("x", context, question, sql)], TRAIN, skeleton)
    return one


@pytest.mark.parametrize(
    "question, reasons",
    [("HOW many animals are there, in all", ("same question", "runs of words")),
     ("How many animals are there in total?", ("near-duplicate",)),
     (f"I ask {LONG}", ("near-duplicate", "runs of words")),
     ("In 1912, when all was quiet, somebody asked and never heard " + LONG[:75], ("runs of words",)),
     ("Average price by brand", ()), ("Names", ())],
)  # fmt: skip
def test_questions_are_found_by_their_words(question, reasons):
    assert found(question).reasons == reasons


def test_the_nearest_question_is_named():
    one = found("How many animals are there in total?")
    assert one.nearest == "t1" and 85 < one.similarity < 100 and not one.same_question


def test_an_answer_that_stands_in_training_is_found_and_one_of_many_contexts_is_not():
    """Every question that the tables cannot answer has the same gold."""
    assert found("Average price by brand", "select name  from products").reasons == ("same answer",)
    assert found("Average price by brand", "SELECT NULL").reasons == ()
    assert found("Average price by brand", "SELECT NULL", "mall").reasons == ("same answer",)


def test_a_shape_alone_is_counted_and_not_suspicious():
    one = found("Average price by brand", "SELECT title FROM books")
    assert one.same_skeleton and one.reasons == ()
    assert overlap_table([one]).loc["same shape, nothing else", "items"] == 1
    assert overlaps([Pair("x", "a", "b", "c")], TRAIN)[0].same_skeleton is None


def test_accuracy_is_told_apart_and_an_empty_side_has_none():
    items = [Pair(str(n), f"d{n % 12}", "Average price by brand", f"SELECT {n}") for n in range(30)]
    items += [Pair("hit", "zoo", "How many animals are there in all?", "SELECT 0")]
    seen = overlaps(items, TRAIN)
    records = [{"id": i.id, "context": i.context, "correct": i.id == "hit"} for i in items]
    table = clean_against_suspicious(records, seen)
    assert table["items"].tolist() == [30, 1] and table["accuracy"].tolist() == [0, 100]
    assert clean_against_suspicious(records[:30], seen).loc["suspicious", "items"] == 0
    with pytest.raises(ValueError, match="not compared"):
        clean_against_suspicious(records, seen[:-1])


def test_without_training_there_is_nothing_to_compare():
    with pytest.raises(ValueError, match="no training data"):
        overlaps([], [])
