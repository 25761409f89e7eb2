import torch

from forge_lib.models.chat import Prompt
from forge_lib.models.generate import generate

LIMIT = 10


class Spelling:
    """Allows the tokens of `words` in their order, then the end; writes down what it is told."""

    def __init__(self, words, end, told):
        self.words, self.end, self.told, self.at = words, end, told, 0

    def fresh(self):
        self.told.append([])
        return Spelling(self.words, self.end, self.told[-1])

    def allowed(self):
        allowed = torch.zeros(max(*self.words, self.end) + 1, dtype=torch.bool)  # shorter than the head
        allowed[self.words[self.at] if self.at < len(self.words) else self.end] = True
        return allowed

    def advance(self, token):
        self.told.append(token)
        self.at += 1


class Nothing(Spelling):
    def fresh(self):
        return self

    def allowed(self):
        return torch.zeros(5, dtype=torch.bool)


def test_each_answer_keeps_to_its_own_constraint(tiny_llama, tokenizer):
    """Rows leave the batch at different lengths, and a constraint must not move to another row."""
    end, told = tokenizer.eos_token_id, []
    prompts = [Prompt((1, 2, 3), (4, 5)), Prompt((1, 2, 3), (6,)), Prompt((7,), (8, 9, 10))] * 2
    words = [[11, 12], [13], [14, 15, 16, 17]]
    bounds = [Spelling(w, end, told) for w in words] * 2
    for temperature in (0.0, 1.0):
        told.clear()
        done = generate(tiny_llama, tokenizer, prompts, LIMIT, 4, False, temperature, bounds)
        assert [c.ids for c in done] == [(*w, end) for w in words * 2]
        assert all(c.finished for c in done)
        assert sorted(map(tuple, told)) == sorted(c.ids for c in done)


def test_an_answer_ends_where_its_constraint_allows_nothing_and_others_go_on(tiny_llama, tokenizer):
    prompts = [Prompt((1, 2, 3), (4, 5))] * 2
    bounds = [Nothing([1], tokenizer.eos_token_id, []), None]
    cut, free = generate(tiny_llama, tokenizer, prompts, 4, progress=False, constraints=bounds)
    assert cut.finished and cut.text == ""
    assert free.ids == generate(tiny_llama, tokenizer, prompts[:1], 4, progress=False)[0].ids
