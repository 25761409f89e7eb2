"""Nats per token of text: against transformers' own loss, and paired by paragraph."""

import math
from collections import Counter

import pytest
import torch

from forge_lib.evaluation.perplexity import load_paragraphs, nats_table, text_records


def test_the_text_has_several_genres_languages_and_python():
    paragraphs = load_paragraphs()
    genres = Counter(p["genre"] for p in paragraphs)
    assert {"python", "other languages", "news"} <= set(genres) and min(genres.values()) >= 3
    assert len({p["text"] for p in paragraphs}) == len({p["id"] for p in paragraphs}) == len(paragraphs) >= 30


def test_nats_are_those_of_transformers_loss(tiny_llama, tokenizer):
    paragraph = load_paragraphs()[0]
    [found] = text_records("tiny", tiny_llama, tokenizer, [paragraph])
    ids = tokenizer(paragraph["text"], return_tensors="pt")["input_ids"]
    with torch.no_grad():
        wanted = tiny_llama(input_ids=ids, labels=ids).loss.item()
    assert len(found["nats"]) == ids.shape[1] - 1
    assert sum(found["nats"]) / len(found["nats"]) == pytest.approx(wanted, abs=1e-4)


def test_a_paragraph_of_one_token_is_a_sentence(tiny_llama, tokenizer):
    with pytest.raises(ValueError, match="p-1 has fewer than two tokens"):
        text_records("tiny", tiny_llama, tokenizer, [{"id": "p-1", "genre": "x", "text": "a"}])


def read(name, *nats):
    return [{"contender": name, "id": f"p{n}", "context": f"p{n}", "genre": "ab"[n % 2], "nats": list(v)}
            for n, v in enumerate(nats)]  # fmt: skip


def test_the_table_counts_tokens_and_pairs_paragraphs():
    table = nats_table(read("base", [1.0, 3.0], [2.0]), read("tuned", [2.0, 4.0], [5.0]))
    assert table.loc["all", "base"] == 2.0 and table.loc["all", "tuned"] == pytest.approx(11 / 3)
    assert table.loc["a", "difference"] == 1.0 and table.loc["b", "difference"] == 3.0
    assert table.loc["all", "low"] <= 5 / 3 <= table.loc["all", "high"] and table.loc["all", "tokens"] == 3


def test_the_same_model_twice_differs_by_nothing():
    table = nats_table(read("a", [1.0, 2.0], [3.0]), read("b", [1.0, 2.0], [3.0]))
    assert (table[["difference", "low", "high"]] == 0).all(axis=None)
    assert not any(math.isnan(v) for v in table["base"])


def test_different_paragraphs_are_refused():
    with pytest.raises(ValueError, match="different paragraphs"):
        nats_table(read("a", [1.0]), read("b", [1.0, 2.0]))
