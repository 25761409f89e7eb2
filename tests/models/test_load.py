import dataclasses
import json

import pytest
import torch

from forge_lib.lab.profiles import PROFILES
from forge_lib.models.chat import encode_prompt
from forge_lib.models.embedded import ModelError
from forge_lib.models.generate import generate
from forge_lib.models.load import base_dir, base_id, load_adapted, load_base, load_tokenizer
from forge_lib.models.opening import open_weights
from forge_lib.tasks.sql.prompt import build_messages

CPU = dataclasses.replace(PROFILES["cpu"], dtype="float32")
PROMPTS = [
    ("books(id, title)", "How many books are there?"),
    ("books(id, title)", "List all the titles in the alphabetical order, please."),
    ("authors(id, name, born)\nbooks(id, author_id, title) [author_id->authors.id]", "Who was born first?"),
]


def test_greedy_answers_equal_those_of_transformers_generate(tiny_llama, tokenizer):
    """Guards the shared prefixes, the padding between prefix and question, and rows that leave the batch."""
    prompts = [encode_prompt(tokenizer, build_messages(*p)) for p in PROMPTS]
    got = generate(tiny_llama, tokenizer, prompts, max_new_tokens=12, batch_size=3, progress=False)
    for prompt, done in zip(prompts, got, strict=True):
        ids = torch.tensor([[*prompt.prefix, *prompt.rest]])
        out = tiny_llama.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=12)
        assert done.text == tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)
        assert done.prompt_tokens == ids.shape[1]


@pytest.mark.slow
def test_the_real_model_answers_alike_in_a_batch_of_several_schemas_and_alone(tokenizer):
    """A random model hardly looks at its context; the embedded one does, so a wrong mask or position shows."""
    model = load_base(CPU)
    prompts = [encode_prompt(tokenizer, build_messages(*p)) for p in PROMPTS]
    together = generate(model, tokenizer, prompts, 16, batch_size=3, progress=False)
    model.set_attn_implementation("eager")  # what it is compared with shares nothing with the course's attention
    for prompt, done in zip(prompts, together, strict=True):
        ids = torch.tensor([[*prompt.prefix, *prompt.rest]])
        out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=16)
        assert done.text == tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)


def test_answers_do_not_depend_on_the_batch(tiny_llama, tokenizer):
    prompts = [encode_prompt(tokenizer, build_messages(*p)) for p in PROMPTS]
    alone = generate(tiny_llama, tokenizer, prompts, 8, batch_size=1, progress=False)
    together = generate(tiny_llama, tokenizer, prompts[::-1], 8, batch_size=3, progress=False)[::-1]
    assert [a.text for a in alone] == [t.text for t in together]


def test_a_row_ends_at_the_end_of_turn_and_says_so(tiny_llama, tokenizer, monkeypatch):
    prompts = [encode_prompt(tokenizer, build_messages(*p)) for p in PROMPTS[:1]]
    (free,) = generate(tiny_llama, tokenizer, prompts, 6, progress=False)
    assert not free.finished and free.completion_tokens == 6
    first = tiny_llama(torch.tensor([[*prompts[0].prefix, *prompts[0].rest]])).logits[0, -1].argmax().item()
    monkeypatch.setattr("forge_lib.models.generate.stop_ids", lambda *_: [first])
    (stopped,) = generate(tiny_llama, tokenizer, prompts, 6, progress=False)
    assert stopped.finished and stopped.completion_tokens == 0 and stopped.text == ""


def test_the_embedded_model_loads_offline_and_speaks(tokenizer):
    model = load_base(CPU)
    assert 130e6 < sum(p.numel() for p in model.parameters()) < 140e6
    assert model.config.rope_parameters["rope_theta"] == 100_000
    prompt = encode_prompt(tokenizer, [{"role": "system", "content": "Answer in one word."},
                                       {"role": "user", "content": "What is the capital of France?"}])  # fmt: skip
    (done,) = generate(model, tokenizer, [prompt], 12, progress=False)
    assert "Paris" in done.text


def test_a_missing_embedded_package_names_the_mend():
    with pytest.raises(ModelError, match="make install"):
        base_dir(dataclasses.replace(CPU, base_model="embedded:no_such_package_anywhere"))


def test_a_model_that_is_not_there_names_the_way_out():
    with pytest.raises(ModelError, match="--profile cpu"):
        load_base(dataclasses.replace(CPU, base_model="nobody/no-such-model"))


def test_a_missing_adapter_names_the_notebook(tmp_path):
    with pytest.raises(ModelError, match="04_sft"):
        load_adapted(CPU, tmp_path / "adapter")


def test_an_adapter_of_another_base_is_refused(tiny_llama, tmp_path):
    from forge_lib.training.sft import add_lora, save_adapter

    save_adapter(add_lora(tiny_llama, dataclasses.replace(CPU, lora_rank=8)), tmp_path / "adapter")
    with pytest.raises(ModelError, match="does not fit the base"):
        load_adapted(CPU, tmp_path / "adapter")


def test_an_adapter_that_names_another_base_is_refused(tiny_llama, tmp_path):
    """Two bases may have equal shapes and other weights."""
    from forge_lib.training.sft import add_lora, save_adapter

    tiny_llama.name_or_path = "org/another-base"
    save_adapter(add_lora(tiny_llama, dataclasses.replace(CPU, lora_rank=8)), tmp_path / "adapter")
    with pytest.raises(ModelError, match="trained on org/another-base"):
        load_adapted(CPU, tmp_path / "adapter")


def test_an_adapter_of_the_embedded_base_names_no_folder_of_this_machine(tmp_path):
    from forge_lib.training.sft import add_lora, save_adapter

    folder = save_adapter(add_lora(load_base(CPU), CPU), tmp_path / "adapter")
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == base_id(CPU)


@pytest.mark.parametrize(
    "name, damage, sentence",
    [
        ("tokenizer.json", lambda text: text[: len(text) // 2], "The tokenizer in mine/ cannot be read"),
        ("chat_template.jinja", lambda text: "", "The tokenizer in mine/ has no chat template"),
    ],
)
def test_a_whole_model_that_nobody_can_ask_is_refused_in_a_sentence(tiny_llama, tmp_path, name, damage, sentence):
    """A base without a template, or half a download: both ended in a traceback at the first question."""
    tiny_llama.save_pretrained(tmp_path / "mine")
    load_tokenizer(CPU).save_pretrained(tmp_path / "mine")
    file = tmp_path / "mine" / name
    file.write_text(damage(file.read_text()))
    with pytest.raises(ModelError, match=sentence) as caught:
        open_weights(str(tmp_path / "mine"), CPU)
    assert str(tmp_path) not in str(caught.value)


def test_the_plain_ways_give_the_same(tiny_llama, tokenizer, library):
    """`plain` is what benchmarks compare with, so it must ask for the same."""
    from forge_lib.models import plain
    from forge_lib.training.loss import pack_loss
    from forge_lib.training.packing import make_packs

    prompts = [encode_prompt(tokenizer, build_messages(*p)) for p in PROMPTS]
    ours = generate(tiny_llama, tokenizer, prompts, 12, batch_size=3, progress=False)
    theirs = plain.generate(tiny_llama, tokenizer, prompts, 12, batch_size=2)
    assert [c.ids for c in ours] == [c.ids for c in theirs]
    packs = make_packs(library, library.train, tokenizer, 8, 1024)
    (total, count), (wanted, number) = (
        plain.loss(tiny_llama, [e for p in packs for e in p], tokenizer.pad_token_id, "float32"),
        pack_loss(tiny_llama, packs, tokenizer.pad_token_id, "float32"),
    )
    assert count == number
    torch.testing.assert_close(total, wanted)
