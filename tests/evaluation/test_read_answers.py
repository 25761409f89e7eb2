"""The distribution before each token of an answer, and what is computed of two of them."""

import pytest
import torch
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy as scipy_entropy

from forge_lib.evaluation.answers import entropy, js_divergence, kl_divergence, read_answer
from forge_lib.models.chat import render

ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is tea?"}]


def test_a_reading_is_what_the_model_computes_before_each_token(tiny_llama, tokenizer):
    found = read_answer(tiny_llama, tokenizer, ASKED, "A drink")
    prompt = tokenizer(render(tokenizer, ASKED), return_tensors="pt")["input_ids"]
    ids = torch.cat([prompt, found.ids[None]], 1)
    with torch.no_grad():
        wanted = torch.log_softmax(tiny_llama(input_ids=ids).logits[0, prompt.shape[1] - 1 : -1], -1)
    assert "".join(found.tokens) == "A drink" + tokenizer.eos_token
    torch.testing.assert_close(found.log_probs, wanted, atol=1e-4, rtol=0)
    assert found.chosen.tolist() == pytest.approx([wanted[i, t].item() for i, t in enumerate(found.ids)], abs=1e-4)


def test_entropy_and_divergences_are_scipys():
    p, q = torch.softmax(torch.randn(2, 3, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64), -1)
    assert entropy(p.log()).tolist() == pytest.approx(scipy_entropy(p, axis=-1))
    assert kl_divergence(p.log(), q.log()).tolist() == pytest.approx(scipy_entropy(p, q, axis=-1))
    assert js_divergence(p.log(), q.log()).tolist() == pytest.approx(jensenshannon(p, q, axis=-1) ** 2)


def test_words_without_probability_add_nothing():
    one, other = torch.tensor([[1.0, 0.0]]).log(), torch.tensor([[0.5, 0.5]]).log()
    assert entropy(one).item() == 0
    assert kl_divergence(one, other).item() == pytest.approx(0.6931, abs=1e-4)
    assert kl_divergence(other, one).item() == float("inf")
    assert 0 < js_divergence(one, other).item() < 0.6932
