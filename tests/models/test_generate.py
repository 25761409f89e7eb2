"""Generation against transformers' own: equal ids and states, whatever is shared, whoever comes and goes."""

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from forge_lib.models import plain
from forge_lib.models.batch import Batch
from forge_lib.models.chat import Prompt
from forge_lib.models.embedded import ModelError
from forge_lib.models.generate import generate

LIMIT = 10
A, B = (1, 2, 3, 4, 5, 6, 7), (1, 2, 30, 31)
PROMPTS = [
    Prompt(A, (8, 9, 10, 11)), Prompt(B, (12,)), Prompt(A, (13, 14)), Prompt((), (15, 16, 17)), Prompt(B, (18, 19, 20)),
    Prompt(A, (8, 9, 10, 11)), Prompt((), (21,)), Prompt((22,), (23,)), Prompt(A, ()), Prompt((24,), ()), Prompt(A, (8, 9)),
]  # fmt: skip
SHAPES = {
    "a key head for every head": ("llama", {"num_key_value_heads": 4}),
    "one key head": ("llama", {"num_key_value_heads": 1}),
    "biases": ("qwen2", {"num_key_value_heads": 2}),
    "norms of queries and keys": ("qwen3", {"num_key_value_heads": 2, "head_dim": 16}),
    "a window": ("mistral", {"num_key_value_heads": 2, "sliding_window": 64}),
    "scaled states": ("granite", {"num_key_value_heads": 2, "embedding_multiplier": 2.0, "attention_multiplier": 0.5}),
    "capped scores, by transformers' way": ("gemma2", {"num_key_value_heads": 2, "head_dim": 8}),
}


@pytest.fixture(scope="module")
def make():
    """A function: a random model of two narrow layers, its scores large enough that what is attended to decides."""

    def model(kind: str, **options):
        torch.manual_seed(1)
        shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
                 "vocab_size": 80, "eos_token_id": 79, "pad_token_id": 79, "bos_token_id": None,
                 "tie_word_embeddings": False}  # fmt: skip
        made = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **shape | options)).eval()
        for name, weight in made.named_parameters():
            if "norm" not in name:
                weight.data = torch.randn_like(weight) * (1.0 if "embed" in name else 0.3)
        made.generation_config.eos_token_id = list(range(70, 80))  # so that answers end here and there
        return made

    return model


class Letters:
    """A tokenizer of 80 tokens."""

    eos_token_id = pad_token_id = 79

    def decode(self, ids, skip_special_tokens):
        return " ".join(map(str, ids))


@pytest.mark.parametrize("kind, options", SHAPES.values(), ids=SHAPES)
def test_greedy_answers_are_those_of_transformers(make, kind, options):
    """Several prefixes, ragged questions, equal prompts, none of either; rows come and go four at a time."""
    model = make(kind, **options)
    wanted = [c.ids for c in plain.generate(model, Letters(), PROMPTS, LIMIT, 1)]
    assert len(set(wanted)) > 6 and len({len(ids) for ids in wanted}) > 2, "a poor test: answers all alike"
    for size in (1, 4, 32):
        got = generate(model, Letters(), PROMPTS, LIMIT, size, progress=False)
        assert [c.ids for c in got] == wanted
        assert [c.prompt_tokens for c in got] == [len(p) for p in PROMPTS]


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-4), (torch.bfloat16, 0.15)])
def test_states_are_those_of_each_row_alone(make, dtype, tolerance):
    model = make("qwen3", num_key_value_heads=2, head_dim=16).to(dtype)
    texts = [list(range(40, 46)), list(range(50, 56)), list(range(60, 66))]
    prompts, batch = [PROMPTS[0], PROMPTS[4], PROMPTS[0]], Batch(model.model)
    with torch.inference_mode():
        states = [batch.admit(prompts[:2])]
        states.append(batch.step(torch.tensor([t[0] for t in texts[:2]]), range(2)))
        batch.keep([1])
        batch.admit(prompts[2:])
        states.append(batch.step(torch.tensor([texts[1][1], texts[2][0]]), range(2)))
        for row, text, got in ((0, [], states[0][0]), (1, texts[1][:1], states[1][1]), (1, texts[1][:2], states[2][0]),
                               (2, texts[2][:1], states[2][1])):  # fmt: skip
            alone = model.model(torch.tensor([[*prompts[row].prefix, *prompts[row].rest, *text]])).last_hidden_state[
                0, -1
            ]
            torch.testing.assert_close(got, alone, atol=tolerance, rtol=tolerance)


def test_the_same_seed_gives_the_same_samples_and_samples_differ(make):
    model = make("llama", num_key_value_heads=2)

    def sample(seed):
        torch.manual_seed(seed)
        return [c.ids for c in generate(model, Letters(), [PROMPTS[0]] * 6, LIMIT, 4, False, 1.0)]

    assert sample(3) == sample(3) != sample(4)
    assert len(set(sample(3))) > 1


def test_samples_follow_the_softmax_at_the_temperature(make):
    model, prompt, temperature = make("llama", num_key_value_heads=2), PROMPTS[0], 2.0
    torch.manual_seed(0)
    drawn = [c.ids[0] for c in generate(model, Letters(), [prompt] * 4000, 1, 4000, False, temperature)]
    with torch.no_grad():
        logits = model(torch.tensor([[*prompt.prefix, *prompt.rest]])).logits[0, -1]
    share = torch.bincount(torch.tensor(drawn), minlength=80) / len(drawn)
    wanted = torch.softmax(logits / temperature, -1)
    assert (share - wanted).abs().sum() / 2 < 0.08  # total variation; about 0.05 for draws of this number


def test_each_prefix_and_each_prompt_is_read_once(make, monkeypatch):
    """What a group of samples costs: one reading of schema and question, however many they are and fit at once."""
    model, read = make("llama", num_key_value_heads=2), []
    forward = model.model.forward
    monkeypatch.setattr(model.model, "forward", lambda **kw: read.append(kw["input_ids"].numel()) or forward(**kw))
    prompts = [Prompt(A, (8, 9, 10)), Prompt(A, (11, 12))]
    generate(model, Letters(), [p for p in prompts for _ in range(6)], 1, 4, progress=False)
    assert sum(read) == len(A) + 3 + 2


def test_an_answer_that_ends_at_once_and_an_empty_list(make):
    model = make("llama", num_key_value_heads=2)
    assert generate(model, Letters(), [], LIMIT, progress=False) == []
    (free,) = generate(model, Letters(), PROMPTS[:1], 1, progress=False)

    class Ends(Letters):
        eos_token_id = free.ids[0]

    ended, other = generate(model, Ends(), PROMPTS[:2], LIMIT, progress=False)
    assert ended.finished and ended.completion_tokens == 0 and ended.text == "" and ended.ids == free.ids
    assert other.ids[: other.completion_tokens] and ended.seconds > 0


def test_an_empty_prompt_is_a_sentence(make):
    with pytest.raises(ModelError, match="empty prompt"):
        generate(make("llama"), Letters(), [Prompt((), ())], LIMIT, progress=False)


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
