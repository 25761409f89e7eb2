"""BLEU, ROUGE, exact match and perplexity: equal to the libraries', and shown for what they tell."""

import math

import pytest
import torch

from forge_lib.evaluation.metrics import evaluate
from forge_lib.evaluation.overlap import discrimination_table, gold_perplexity, with_overlap
from forge_lib.models.chat import encode
from forge_lib.models.generate import Completion


def says(*texts):
    return lambda pairs: [Completion(t, 10, 5, 0.1, True) for t, _ in zip(texts, pairs, strict=True)]


def test_what_is_like_the_gold_need_not_be_right_and_the_reverse(library):
    answers = ("SELECT COUNT(*) FROM authors", "SELECT  title from books order by price",
               "SELECT a.name FROM authors a LEFT JOIN books b ON a.author_id = b.author_id WHERE b.book_id IS NULL")  # fmt: skip
    near, same, far = with_overlap(evaluate("x", says(*answers), library, library.test), library.test)
    assert not near["correct"] and near["bleu"] > 0.6 and near["rouge"] > 0.7 and near["exact"] == 0
    assert same["correct"] and same["exact"] == 1
    assert far["correct"] and far["bleu"] < 0.4 < near["bleu"]
    assert {"contender", "verdict", "seconds"} <= near.keys()


def test_an_operator_is_not_a_mark_that_may_differ(library):
    item = library.test[0]
    record = {"id": item.id, "predicted": item.sql.replace("*", "+"), "correct": False}
    assert with_overlap([record], [item])[0]["exact"] == 0


def test_the_gold_is_one_and_nothing_is_zero(library):
    for text, wanted in ((None, 1), ("", 0)):
        records = [{"id": i.id, "predicted": i.sql if text is None else text, "correct": True} for i in library.test]
        for r in with_overlap(records, library.test):
            assert [r[name] for name in ("exact", "bleu", "rouge")] == pytest.approx([wanted] * 3)
    with pytest.raises(ValueError, match="none of these items"):
        with_overlap([{"id": "nobody", "predicted": "", "correct": False}], library.test)


def test_perplexity_is_that_of_transformers_own_loss(library, tokenizer, tiny_llama):
    found = gold_perplexity(tiny_llama, tokenizer, library, library.test, batch_size=2)
    assert list(found) == [i.id for i in library.test]
    for item in library.test:
        example = encode(tokenizer, library.messages(item), item.answer)
        with torch.no_grad():
            loss = tiny_llama(torch.tensor([example.input_ids]), labels=torch.tensor([example.labels])).loss
        assert found[item.id] == pytest.approx(math.exp(loss), rel=1e-3)


def test_the_table_says_what_a_measure_tells():
    from sklearn.metrics import roc_auc_score

    right = [1, 0, 1, 0, 0, 1, 0, 1]
    bleu = [0.9, 0.8, 0.5, 0.5, 0.1, 0.7, 0.6, 0.2]
    perplexity = [1.1, 1.3, 1.2, 5.0, 9.0, 1.05, 4.0, 2.0]
    records = [{"correct": c, "bleu": b, "perplexity": p} for c, b, p in zip(right, bleu, perplexity, strict=True)]
    table = discrimination_table(records)
    assert list(table.index) == ["BLEU", "perplexity of the gold"]
    assert table.loc["BLEU", "auc"] == pytest.approx(roc_auc_score(right, bleu))
    assert table.loc["perplexity of the gold", "auc"] == pytest.approx(roc_auc_score(right, [-p for p in perplexity]))
    assert table.loc["perplexity of the gold", "correlation"] > 0
    assert table.loc["perplexity of the gold", "right"] == pytest.approx((1.1 * 1.2 * 1.05 * 2.0) ** 0.25)
    assert table.loc["BLEU", "misled"] == pytest.approx(0.75)  # of four wrong ones three stand above 0.2


def test_where_all_are_right_nothing_can_be_told():
    table = discrimination_table([{"correct": True, "bleu": 0.5}, {"correct": True, "bleu": 0.7}])
    assert table.loc["BLEU", "right"] == pytest.approx(0.6) and math.isnan(table.loc["BLEU", "auc"])
    assert discrimination_table([]).empty
