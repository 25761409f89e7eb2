"""Constrained contenders: whatever a model would rather say, its answers are queries of the database."""

import pytest

from forge_lib.evaluation.contenders import local_model
from forge_lib.evaluation.metrics import evaluate
from forge_lib.models.grammar import grammar_constraints


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_an_untrained_model_answers_with_queries_that_run(library, tiny_llama, tokenizer, temperature):
    free = local_model(tiny_llama, tokenizer, library, 96, 4, progress=False)
    bound = local_model(tiny_llama, tokenizer, library, 96, 4, progress=False, constrain=True, temperature=temperature)
    asked = library.test * 2
    assert not any(r["valid"] for r in evaluate("free", free, library, asked))
    records = evaluate("constrained", bound, library, asked)
    ended = [r for r in records if r["finished"]]
    assert ended and all(r["valid"] for r in ended)


def test_equal_grammars_are_read_once_and_none_is_free(tokenizer):
    one, free, other = grammar_constraints(tokenizer, ['start: "a"', None, 'start: "a"'])
    assert one is other and free is None


def test_a_beginning_and_a_grammar_exclude_each_other(library, tiny_llama, tokenizer):
    with pytest.raises(ValueError, match="leave out begin"):
        local_model(tiny_llama, tokenizer, library, 9, 1, begin="SELECT", constrain=True)
