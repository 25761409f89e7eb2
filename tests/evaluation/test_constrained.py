"""Constrained contenders: whatever a model would rather say, its answers are queries of the database."""

import pytest
import torch

from forge_lib.evaluation.contenders import local_model
from forge_lib.evaluation.metrics import evaluate
from forge_lib.models.grammar import grammar_constraints


@pytest.mark.slow
def test_an_untrained_model_answers_with_queries_that_run(library, tiny_llama, tokenizer):
    torch.manual_seed(17)
    asked = library.test * 4
    free = local_model(tiny_llama, tokenizer, library, 96, 4, progress=False, temperature=1.0)
    assert not any(r["valid"] for r in evaluate("free", free, library, asked))
    bound = local_model(tiny_llama, tokenizer, library, 96, 4, progress=False, constrain=True, temperature=1.0)
    ended = [r for r in evaluate("constrained", bound, library, asked) if r["finished"]]
    assert ended and [r["answer"] for r in ended if not r["valid"]] == []


def test_equal_grammars_are_read_once_and_none_is_free(tokenizer):
    one, free, other = grammar_constraints(tokenizer, ['start: "a"', None, 'start: "a"'])
    assert one is other and free is None


def test_a_beginning_and_a_grammar_exclude_each_other(library, tiny_llama, tokenizer):
    with pytest.raises(ValueError, match="leave out begin"):
        local_model(tiny_llama, tokenizer, library, 9, 1, begin="SELECT", constrain=True)
