"""Every engine trains on the same examples to the same numbers, and hands over adapters that all others load."""

import dataclasses
import importlib.util
import inspect
import json
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from forge_lib.lab.profiles import PROFILES
from forge_lib.models.chat import encode_prompt
from forge_lib.models.embedded import ModelError
from forge_lib.models.load import load_adapted, load_base
from forge_lib.tasks.sql.prompt import build_messages
from forge_lib.training import TrainingError
from forge_lib.training.engines import ENGINES, EngineError, engine_for, torch_loop, trl_trainer, unsloth_trainer
from forge_lib.training.engines.adapters import peft_to_mlx
from forge_lib.training.packing import make_packs
from forge_lib.training.sft import SFTSettings

needs_mlx = pytest.mark.skipif(importlib.util.find_spec("mlx_lm") is None, reason="mlx-lm is not installed here")
RUNS_HERE = ["torch", "trl", pytest.param("mlx", marks=needs_mlx)]
SETTINGS = SFTSettings(learning_rate=1e-2, dtype="float32", packs_per_forward=1, patience=None)


@pytest.fixture
def profile(random_llama, tmp_path):
    """A profile whose base is a random Llama on disk, with weights large enough for positions to matter."""
    rope = {"rope_theta": 100000.0, "rope_type": "default"}
    random_llama(initializer_range=0.2, rope_parameters=rope).save_pretrained(tmp_path / "base")
    return dataclasses.replace(
        PROFILES["cpu"], base_model=str(tmp_path / "base"), dtype="float32", lora_rank=4, lora_alpha=8
    )


@pytest.fixture
def adapter(profile, tmp_path):
    """An adapter that changes the base, so that a wrong scale or a transposed matrix shows."""
    model = torch_loop.load(profile)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.05)
    return torch_loop.save(model, tmp_path / "adapter")


@pytest.fixture
def steps(library, tokenizer):
    """Five steps of two packs and a last one of a single pack; packs of one and of two questions."""
    packs = make_packs(library, library.train, tokenizer, 2, 1024)
    return [packs] * 5 + [packs[:1]]


@pytest.fixture
def prompts(tokenizer):
    asked = [("books(id, title)", "How many books are there?"), ("books(id)", "List all."), ("a(x)", "Which x?")]
    return [encode_prompt(tokenizer, build_messages(*p)) for p in asked]


def engine(name, profile):
    return engine_for(dataclasses.replace(profile, engine=name))


IDS = torch.arange(100, 140)[None]


def torch_logits(model):
    with torch.no_grad():
        return model(input_ids=IDS).logits


def mlx_logits(model):
    import mlx.core as mx
    import numpy as np

    return torch.from_numpy(np.array(model(mx.array(IDS.numpy()))))


@pytest.mark.parametrize("name", RUNS_HERE)
def test_an_engine_gives_the_losses_of_the_plain_loop(name, profile, adapter, steps, tokenizer):
    """Guards order, number and mask of the examples, accumulation, schedule, optimizer and clipping at once."""
    wanted = torch_loop.train(torch_loop.load(profile, adapter), steps, tokenizer, SETTINGS, progress=False)
    tool = engine(name, profile)
    got = tool.train(tool.load(profile, adapter), steps, tokenizer, SETTINGS, progress=False)
    assert [r.keys() for r in got] == [r.keys() for r in wanted]
    for key, close in {"loss": 1e-4, "grad_norm": 1e-2, "learning_rate": 1e-9, "tokens": 0, "examples": 0}.items():
        assert [r[key] for r in got] == pytest.approx([r[key] for r in wanted], rel=close), key
    assert got[4]["loss"] < 0.95 * got[0]["loss"]


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS_HERE)
def test_what_an_engine_saves_peft_loads(name, profile, steps, tokenizer, prompts, tmp_path):
    tool = engine(name, profile)
    model = tool.load(profile)
    tool.train(model, steps[:3], tokenizer, SETTINGS, progress=False)
    folder = tool.save(model, tmp_path / "saved")
    names = {p.name for p in folder.iterdir() if p.suffix in {".json", ".safetensors"}}
    assert names == {"adapter_config.json", "adapter_model.safetensors", "base.json"}
    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(profile.base_model), folder)
    trained = mlx_logits(model) if name == "mlx" else torch_logits(model)
    torch.testing.assert_close(trained, torch_logits(plain), atol=2e-3, rtol=0)
    assert (torch_logits(plain) - torch_logits(load_base(profile))).abs().max() > 0.05, "training changed the model"
    again = tool.generate(tool.load(profile, folder), tokenizer, prompts, 8)
    assert [a.text for a in again] == [a.text for a in tool.generate(model, tokenizer, prompts, 8)]


@needs_mlx
def test_mlx_reads_the_rotary_base_that_transformers_nests(profile):
    """mlx-lm silently takes 10,000 for it."""
    from forge_lib.training.engines import mlx_loop

    torch.testing.assert_close(mlx_logits(mlx_loop.load(profile)), torch_logits(load_base(profile)), atol=1e-3, rtol=0)
    config = mlx_loop.load_config(mlx_loop.Path(profile.base_model))
    assert "rope_theta" not in config, "transformers writes it at the top again: the work-around can go"
    unmended, _ = mlx_loop.load_model(mlx_loop.Path(profile.base_model))
    assert (mlx_logits(unmended) - torch_logits(load_base(profile))).abs().max() > 0.05


@needs_mlx
def test_adapters_convert_both_ways_with_equal_logits(profile, adapter, tmp_path):
    from forge_lib.training.engines import mlx_loop

    wanted = torch_logits(load_adapted(profile, adapter))
    model = mlx_loop.load(profile, adapter)
    torch.testing.assert_close(mlx_logits(model), wanted, atol=1e-3, rtol=0)
    assert (wanted - torch_logits(load_base(profile))).abs().max() > 0.1
    back = mlx_loop.save(model, tmp_path / "back")
    names = json.loads((back / "adapter_config.json").read_text())["target_modules"]
    assert names == sorted(names) and len(names) > 3  # PEFT would write a set, in the order of the process's hashes
    torch.testing.assert_close(torch_logits(load_adapted(profile, back)), wanted, atol=0, rtol=0)


@pytest.mark.parametrize("name", ["trl", pytest.param("mlx", marks=needs_mlx), "unsloth"])
def test_the_loss_of_packs_is_that_of_the_plain_loop(name, profile, adapter, steps, tokenizer):
    """Unsloth's own loading needs a GPU; its loss goes through the model's `forward`, which any model has."""
    plain = torch_loop.load(profile, adapter)
    wanted = torch_loop.loss(plain, steps[0], tokenizer, SETTINGS)
    tool = unsloth_trainer if name == "unsloth" else engine(name, profile)
    model = plain if name == "unsloth" else tool.load(profile, adapter)
    assert tool.loss(model, steps[0], tokenizer, SETTINGS) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("name", ["trl", pytest.param("mlx", marks=needs_mlx), "unsloth"])
def test_greedy_answers_are_those_of_the_plain_loop(name, profile, adapter, prompts, tokenizer):
    """Unsloth's loading needs a GPU; its generation is the model's own `generate`, which any model has."""
    plain = torch_loop.load(profile, adapter)
    wanted = torch_loop.generate(plain, tokenizer, prompts, 12, 2)
    tool = unsloth_trainer if name == "unsloth" else engine(name, profile)
    got = tool.generate(plain if name == "unsloth" else tool.load(profile, adapter), tokenizer, prompts, 12, 2)
    for a, b in zip(got, wanted, strict=True):
        assert (a.text, a.ids, a.prompt_tokens, a.completion_tokens, a.finished) == (
            b.text, b.ids, b.prompt_tokens, b.completion_tokens, b.finished
        )  # fmt: skip


@pytest.mark.parametrize("name", ["torch", pytest.param("mlx", marks=needs_mlx), "unsloth"])
def test_a_temperature_makes_answers_differ(name, profile, prompts, tokenizer):
    tool = unsloth_trainer if name == "unsloth" else engine(name, profile)
    model = torch_loop.load(profile) if name == "unsloth" else tool.load(profile)
    answers = {a.text for a in tool.generate(model, tokenizer, prompts[:1] * 4, 8, temperature=1.0)}
    assert len(answers) > 1


@pytest.mark.parametrize("name", ["torch", pytest.param("mlx", marks=needs_mlx), "unsloth"])
def test_an_answer_ends_at_the_end_of_turn_and_says_so(name, profile, prompts, tokenizer):
    """The base is bent so that one word follows everything, and that word is made the end of a turn."""
    model = AutoModelForCausalLM.from_pretrained(profile.base_model)
    with torch.no_grad():
        model.model.norm.weight.zero_()  # all logits equal: the first word of the vocabulary wins
    model.generation_config.eos_token_id = model.config.eos_token_id = 0
    model.save_pretrained(profile.base_model)
    tool = unsloth_trainer if name == "unsloth" else engine(name, profile)
    loaded = torch_loop.load(profile) if name == "unsloth" else tool.load(profile)
    for answer in tool.generate(loaded, tokenizer, prompts, 5):
        assert (answer.text, answer.ids, answer.completion_tokens, answer.finished) == ("", (0,), 0, True)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS_HERE)
def test_validation_joins_the_record_of_its_step_and_training_goes_on(name, profile, prompts, steps, tokenizer):
    tool = engine(name, profile)
    model = tool.load(profile)

    def validate(number):
        return {"validation_accuracy": number / 10, "answers": len(tool.generate(model, tokenizer, prompts, 2))}

    records = tool.train(model, steps, tokenizer, SETTINGS, progress=False, validate=validate, validate_at=[2, 6])
    assert [r["step"] for r in records if "validation_accuracy" in r] == [2, 6]
    assert records[5]["validation_accuracy"] == 0.6 and len(records) == 6


@pytest.mark.parametrize("name", ["trl", pytest.param("mlx", marks=needs_mlx)])
def test_training_ends_when_validation_gets_no_better(name, profile, steps, tokenizer):
    tool, seen = engine(name, profile), []
    records = tool.train(
        tool.load(profile), steps, tokenizer, dataclasses.replace(SETTINGS, patience=2), progress=False,
        validate=lambda number: {"validation_accuracy": 0.5, "validation_loss": number / 10},
        validate_at=[1, 2, 3, 4, 5, 6], track=seen.append,
    )  # fmt: skip
    assert [r["step"] for r in records] == [1, 2, 3] and records[-1]["stopped_early"] and seen == records


@pytest.mark.parametrize("name", RUNS_HERE)
def test_a_loss_that_is_not_a_number_stops_with_advice(name, profile, steps, tokenizer):
    model = AutoModelForCausalLM.from_pretrained(profile.base_model)
    with torch.no_grad():
        model.lm_head.weight[0, 0] = float("nan")
    model.save_pretrained(profile.base_model)
    tool = engine(name, profile)
    with pytest.raises(TrainingError, match="Lower the learning rate"):
        tool.train(tool.load(profile), steps, tokenizer, SETTINGS, progress=False)


@pytest.mark.parametrize("name", [*RUNS_HERE, "unsloth"])
def test_nothing_to_learn_is_a_sentence_of_every_engine(name, profile, steps, tokenizer):
    """TRL said "max() iterable argument is empty", MLX divided by zero or trained no step at all."""
    tool = unsloth_trainer if name == "unsloth" else engine(name, profile)
    model = torch_loop.load(profile) if name == "unsloth" else tool.load(profile)
    if name != "unsloth":  # it trains by TRL's
        for nothing in ([], [[]], [steps[0], [[]]]):
            with pytest.raises(TrainingError, match="no optimizer steps|holds no answer"):
                tool.train(model, nothing, tokenizer, SETTINGS, progress=False)
    with pytest.raises(TrainingError, match="no answers to take the loss of"):
        tool.loss(model, [], tokenizer, SETTINGS)


def test_trl_refuses_steps_it_cannot_accumulate(profile, steps, tokenizer):
    with pytest.raises(TrainingError, match="same number of packs"):
        trl_trainer.train(torch_loop.load(profile), steps[::-1], tokenizer, SETTINGS, progress=False)


def test_an_unknown_hook_is_named(profile, steps, tokenizer):
    with pytest.raises(TrainingError, match="does not know resume"):
        trl_trainer.train(torch_loop.load(profile), steps, tokenizer, SETTINGS, resume="here")


def test_an_unknown_engine_names_the_known_ones(profile):
    with pytest.raises(EngineError, match="torch, trl, unsloth, mlx"):
        engine("deepspeed", profile)


def test_a_missing_package_is_named_with_what_installs_it(profile, monkeypatch):
    monkeypatch.setitem(ENGINES, "unsloth", ("unsloth_trainer", "no_such_package", "requirements-gpu.txt"))
    with pytest.raises(EngineError, match=r"'no_such_package'.*pip install -r requirements-gpu\.txt"):
        engine("unsloth", profile)


@pytest.mark.parametrize("name", ["torch", "unsloth", pytest.param("mlx", marks=needs_mlx)])
def test_the_verbs_are_called_alike(name):
    module = importlib.import_module(f"forge_lib.training.engines.{ENGINES[name][0]}")
    for verb in ("load", "train", "loss", "generate", "save"):
        wanted = inspect.signature(getattr(torch_loop, verb)).parameters
        got = inspect.signature(getattr(module, verb)).parameters
        common = [(p.name, p.default) for p in got.values()][: len(wanted)]
        assert common == [(p.name, p.default) for p in wanted.values()], verb
        assert all(p.default is not p.empty for p in list(got.values())[len(wanted) :]), f"{verb} asks for more"


@needs_mlx
def test_an_adapter_of_another_base_is_refused(profile, adapter, tmp_path):
    from forge_lib.training.engines import mlx_loop

    other = LlamaConfig(**LlamaConfig.from_pretrained(profile.base_model).to_dict() | {"intermediate_size": 48})
    LlamaForCausalLM(other).save_pretrained(tmp_path / "other")
    changed = dataclasses.replace(profile, base_model=str(tmp_path / "other"))
    with pytest.raises(ModelError, match=r"was trained on .*base, and this profile's base is .*other"):
        mlx_loop.load(changed, adapter)
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": None}))
    with pytest.raises(ModelError, match=r"The adapter in adapter/ does not fit the base .*mlp.*shape"):
        mlx_loop.load(changed, adapter)
    with pytest.raises(ModelError, match="no LoRA adapter in empty/"):
        mlx_loop.load(profile, tmp_path / "empty")


@needs_mlx
def test_mlx_looks_at_the_bases_weights_as_torch_does(profile, adapter):
    """It went by the name alone, and a base of that name with a cap on its logits was trained without the cap."""
    from forge_lib.training.engines import mlx_loop

    model = AutoModelForCausalLM.from_pretrained(profile.base_model)
    with torch.no_grad():
        model.model.embed_tokens.weight.normal_()
    model.save_pretrained(profile.base_model)
    with pytest.raises(ModelError, match="trained on other weights"):
        mlx_loop.load(profile, adapter)
    config = json.loads((Path(profile.base_model) / "config.json").read_text())
    (Path(profile.base_model) / "config.json").write_text(json.dumps(config | {"final_logit_softcapping": 30.0}))
    with pytest.raises(ModelError, match="final_logit_softcapping"):
        mlx_loop.load(profile)


@pytest.mark.parametrize("change", [{"use_dora": True}, {"rank_pattern": {"q_proj": 2}}, {"peft_type": "IA3"}])
def test_what_is_no_plain_lora_is_not_converted(change, adapter, tmp_path):
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(config | change))
    with pytest.raises(ModelError, match="no plain LoRA adapter"):
        peft_to_mlx(adapter, tmp_path / "mlx")
    assert not (tmp_path / "mlx").exists()
