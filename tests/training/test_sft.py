import contextlib
import copy
import dataclasses
import json
import os

import pytest
import torch

from forge_lib.evaluation.capability import _likelihoods
from forge_lib.lab.files import beside
from forge_lib.lab.profiles import PROFILES
from forge_lib.models.chat import Example, Prompt
from forge_lib.models.embedded import ModelError
from forge_lib.models.generate import generate
from forge_lib.training import TrainingError
from forge_lib.training.loss import pack_loss
from forge_lib.training.packing import make_packs, make_steps
from forge_lib.training.sft import (
    SFTSettings,
    add_lora,
    best_checkpoint,
    cosine_schedule,
    exponential_schedule,
    mean_loss,
    save_adapter,
    train,
)  # fmt: skip

SETTINGS = SFTSettings(learning_rate=1e-2, dtype="float32", packs_per_forward=1)


@pytest.fixture
def packs(library, tokenizer):
    return make_packs(library, library.train, tokenizer, 1, 1024)


def with_lora(model):
    torch.manual_seed(1)
    return add_lora(model, dataclasses.replace(PROFILES["cpu"], dtype="float32", lora_rank=8))


def test_an_untrained_adapter_changes_nothing(tiny_llama, packs, tokenizer):
    before = mean_loss(tiny_llama, packs, tokenizer.pad_token_id, SETTINGS)
    assert mean_loss(with_lora(tiny_llama), packs, tokenizer.pad_token_id, SETTINGS) == pytest.approx(before, rel=1e-6)


def test_training_lowers_the_loss_and_leaves_the_base_alone(tiny_llama, packs, tokenizer):
    model = with_lora(tiny_llama)
    frozen = {n: p.clone() for n, p in model.named_parameters() if not p.requires_grad}
    records = train(model, [packs] * 15, tokenizer.pad_token_id, SETTINGS, progress=False)
    assert records[-1]["loss"] < 0.97 * records[0]["loss"]
    assert all(torch.equal(p, frozen[n]) for n, p in model.named_parameters() if n in frozen)


def test_accumulation_equals_the_big_batch(tiny_llama, packs, tokenizer):
    weights = []
    for together in (1, 3):
        model = with_lora(copy.deepcopy(tiny_llama))
        settings = dataclasses.replace(SETTINGS, packs_per_forward=together)
        train(model, [packs] * 3, tokenizer.pad_token_id, settings, progress=False)
        weights.append([p for p in model.parameters() if p.requires_grad])
    # A hundredth of one update: Adam divides small gradients by themselves, and their rounding with them.
    assert all(torch.allclose(a, b, atol=0.01 * SETTINGS.learning_rate) for a, b in zip(*weights, strict=True))


def test_a_loss_that_is_not_a_number_stops_with_advice(tiny_llama, packs, tokenizer):
    with torch.no_grad():
        tiny_llama.lm_head.weight[0, 0] = float("nan")
    with pytest.raises(TrainingError, match="Lower the learning rate"):
        train(with_lora(tiny_llama), [packs], tokenizer.pad_token_id, SETTINGS, progress=False)


def test_weights_are_those_of_the_step_before_a_loss_that_is_not_a_number(tiny_llama, packs, tokenizer, tmp_path):
    """And where training was is kept, so that it can go on with another rate."""
    model, state, trained = with_lora(tiny_llama), tmp_path / "state.pt", {}

    def poison(step):
        trained.update({n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad})
        model.get_output_embeddings().weight.data[0, 0] = float("nan")
        return {"validation_loss": 1.0, "validation_accuracy": 0.0}

    with pytest.raises(TrainingError, match="at step 3"):
        train(model, [packs] * 4, tokenizer.pad_token_id, SETTINGS, poison, [2], progress=False, state=state)
    assert all(torch.equal(p, trained[n]) for n, p in model.named_parameters() if p.requires_grad)
    assert state.exists()


class Killed(Exception):
    pass


def killed_at(last: int):
    def track(record):
        if record["step"] == last:
            raise Killed

    return track


@pytest.mark.parametrize("last", [1, 3, 4])  # before, just after and between two writings
def test_a_killed_training_goes_on_to_the_same_weights(tiny_llama, packs, tokenizer, tmp_path, last):
    settings, state = dataclasses.replace(SETTINGS, save_every=2), tmp_path / "sft" / "state.pt"
    run = [packs, packs[:1], packs[1:], packs, packs[:2], packs]
    whole = with_lora(copy.deepcopy(tiny_llama))
    records = train(whole, run, tokenizer.pad_token_id, settings, progress=False)
    with pytest.raises(Killed):
        first = with_lora(copy.deepcopy(tiny_llama))
        train(first, run, tokenizer.pad_token_id, settings, progress=False, state=state, track=killed_at(last))
    assert state.exists() == (last > 2)
    second = with_lora(tiny_llama)
    again = train(second, run, tokenizer.pad_token_id, settings, progress=False, state=state)
    assert [r["loss"] for r in again] == [r["loss"] for r in records]
    assert all(torch.equal(a, b) for a, b in zip(second.parameters(), whole.parameters(), strict=True))
    assert (
        list(state.parent.iterdir()) == [] if state.parent.exists() else True
    )  # what ended leaves nothing to go on from


def test_a_state_of_another_training_is_refused(tiny_llama, packs, tokenizer, tmp_path):
    settings, state = dataclasses.replace(SETTINGS, save_every=1), tmp_path / "state.pt"
    with pytest.raises(Killed):
        model = with_lora(copy.deepcopy(tiny_llama))
        train(model, [packs] * 2, tokenizer.pad_token_id, settings, progress=False, state=state, track=killed_at(2))
    other_base, other_data = with_lora(copy.deepcopy(tiny_llama)), with_lora(tiny_llama)
    other_base.name_or_path = "another/base"
    for model, steps in ((other_base, [packs] * 2), (other_data, [packs, packs[:1]])):
        with pytest.raises(TrainingError, match="another base, other data or other settings"):
            train(model, steps, tokenizer.pad_token_id, settings, progress=False, state=state)


@pytest.mark.parametrize("last", [3, 5])
def test_a_killed_training_goes_on_compiled_as_it_began(tiny_llama, packs, tokenizer, tmp_path, monkeypatch, last):
    """It was decided by the steps that are left: a run killed near its end rounded otherwise from there on."""
    from forge_lib.training import sft

    asked = []
    monkeypatch.setattr(sft, "COMPILE_FROM", 6)
    monkeypatch.setattr(sft, "compiling", lambda wanted: asked.append(wanted) or contextlib.nullcontext())
    settings, state = dataclasses.replace(SETTINGS, save_every=1), tmp_path / "state.pt"
    with pytest.raises(Killed):
        model = with_lora(copy.deepcopy(tiny_llama))
        train(model, [packs] * 6, tokenizer.pad_token_id, settings, progress=False, state=state, track=killed_at(last))
    train(with_lora(tiny_llama), [packs] * 6, tokenizer.pad_token_id, settings, progress=False, state=state)
    train(with_lora(tiny_llama), [packs] * 5, tokenizer.pad_token_id, settings, progress=False)
    assert asked == [True, True, False]


def test_dropout_goes_on_where_it_was(tiny_llama, packs, tokenizer, tmp_path):
    """What is drawn after a killed run went on is what would have been drawn."""
    settings, state, weights = dataclasses.replace(SETTINGS, save_every=1), tmp_path / "state.pt", []
    for cut in (None, 3):
        model = with_lora(copy.deepcopy(tiny_llama))
        for layer in model.modules():
            if hasattr(layer, "lora_dropout"):
                layer.lora_dropout["default"] = torch.nn.Dropout(0.3)
        torch.manual_seed(5)
        hooks = {"progress": False, "state": state}
        if cut:
            start = {n: p.detach().clone() for n, p in model.named_parameters()}
            with pytest.raises(Killed):
                train(model, [packs] * 4, tokenizer.pad_token_id, settings, track=killed_at(cut), **hooks)
            model.load_state_dict(start, strict=False)
            torch.manual_seed(5)
        train(model, [packs] * 4, tokenizer.pad_token_id, settings, **hooks)
        weights.append([p for p in model.parameters() if p.requires_grad])
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


def test_a_run_killed_after_it_stopped_early_is_not_trained_on(tiny_llama, packs, tokenizer, tmp_path, monkeypatch):
    """Between the last writing of the state and its removal."""
    from pathlib import Path

    state, unlink = tmp_path / "state.pt", Path.unlink
    validate = lambda step: {"validation_accuracy": -step, "validation_loss": 1.0}  # noqa: E731
    settings = dataclasses.replace(SETTINGS, patience=1)

    def run():
        model = with_lora(copy.deepcopy(tiny_llama))
        return train(model, [packs] * 5, tokenizer.pad_token_id, settings, validate, range(1, 6), False, state=state)

    def kill(path, **options):
        if path == state:
            raise Killed
        unlink(path, **options)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Path, "unlink", kill)
        run()
    records = run()
    assert len(records) == 2 and records[-1]["stopped_early"] and not state.exists()


def killed_state(model, packs, tokenizer, path) -> None:
    """What a training of three steps that was killed in its last leaves."""
    with pytest.raises(Killed):
        train(model, [packs] * 3, tokenizer.pad_token_id, dataclasses.replace(SETTINGS, save_every=1), progress=False,
              state=path, track=killed_at(3))  # fmt: skip


OTHERS = {
    "alpha": lambda m: m.peft_config["default"].__dict__.update(lora_alpha=99),
    "dropout": lambda m: m.peft_config["default"].__dict__.update(lora_dropout=0.5),
    "pattern of alphas": lambda m: m.peft_config["default"].__dict__.update(alpha_pattern={"q_proj": 3}),
    "rslora": lambda m: m.peft_config["default"].__dict__.update(use_rslora=True),
    "frozen part": lambda m: next(p for p in m.parameters() if p.requires_grad).requires_grad_(False),
    "type of the base": lambda m: m.double(),
}


def test_a_state_of_another_adapter_is_refused(tiny_llama, packs, tokenizer, tmp_path):
    state, settings = tmp_path / "state.pt", dataclasses.replace(SETTINGS, save_every=1)
    killed_state(with_lora(copy.deepcopy(tiny_llama)), packs, tokenizer, state)
    for name, change in OTHERS.items():
        model = with_lora(copy.deepcopy(tiny_llama))
        change(model)
        with pytest.raises(TrainingError, match="another base, other data or other settings"):
            train(model, [packs] * 3, tokenizer.pad_token_id, settings, progress=False, state=state)
            pytest.fail(name)


def test_a_state_of_another_plan_is_refused(tiny_llama, packs, tokenizer, tmp_path):
    """Another schedule, other steps with validation, other tokens that carry loss."""
    state, settings = tmp_path / "state.pt", dataclasses.replace(SETTINGS, save_every=1)
    killed_state(with_lora(copy.deepcopy(tiny_llama)), packs, tokenizer, state)
    validate = lambda step: {"validation_accuracy": 0.0, "validation_loss": 1.0}  # noqa: E731
    moved = [[Example(e.prefix, e.question[:1], e.question[1:] + e.answer) for e in pack] for pack in packs]
    pad, common = tokenizer.pad_token_id, {"progress": False, "state": state}
    for steps, hooks in (
        ([packs] * 3, {"schedule": exponential_schedule}),
        ([packs] * 3, {"validate": validate, "validate_at": [2]}),
        ([moved] * 3, {}),
    ):
        with pytest.raises(TrainingError, match="another base, other data or other settings"):
            train(with_lora(copy.deepcopy(tiny_llama)), steps, pad, settings, **common, **hooks)


def poison(what):
    def damage(path):
        content = torch.load(path, weights_only=True)
        what(content)
        torch.save(content, path)

    return damage


class Code:
    """Pickled, it would make a file when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def first(content) -> str:
    return next(iter(content["weights"]))


DAMAGED = {
    "empty": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-500]),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "garbage": lambda path: path.write_bytes(b"no state at all\n" * 50),
    "a page of the web": lambda path: path.write_text("<html>Not found</html>"),
    "a list": lambda path: torch.save([1, 2], path),
    "no key": lambda path: torch.save({"weights": {}}, path),
    "code": lambda path: torch.save({"key": Code(path.with_name("ran"))}, path),
    "no weights": poison(lambda c: c.pop("weights")),
    "half of the weights": poison(lambda c: c["weights"].pop(first(c))),
    "a foreign weight": poison(lambda c: c["weights"].update(foreign=torch.zeros(1))),
    "another shape": poison(lambda c: c["weights"].update({first(c): torch.zeros(2, 2)})),
    "not a number": poison(lambda c: c["weights"][first(c)].fill_(float("nan"))),
    "no optimizer": poison(lambda c: c.pop("optimizer")),
    "other moments": poison(lambda c: c["optimizer"]["state"][0].update(exp_avg=torch.zeros(2, 2))),
    "moments not numbers": poison(lambda c: c["optimizer"]["state"][0]["exp_avg_sq"].fill_(float("inf"))),
    "half of the optimizer": poison(lambda c: c["optimizer"]["state"].pop(0)),
    "no groups": poison(lambda c: c["optimizer"].update(param_groups=[])),
    "no records": poison(lambda c: c.pop("records")),
    "records with a gap": poison(lambda c: c["records"].pop(0)),
    "records of nothing": poison(lambda c: c.update(records="none")),
}


def test_a_damaged_state_is_a_sentence_and_changes_nothing(tiny_llama, packs, tokenizer, tmp_path):
    state, settings = tmp_path / "state.pt", dataclasses.replace(SETTINGS, save_every=1)
    killed_state(with_lora(copy.deepcopy(tiny_llama)), packs, tokenizer, state)
    model, good = with_lora(tiny_llama), state.read_bytes()
    before = [p.detach().clone() for p in model.parameters()]
    for name, damage in DAMAGED.items():
        state.write_bytes(good)
        damage(state)
        with pytest.raises(TrainingError, match=r"state\.pt is damaged .* Delete it to start from the beginning"):
            train(model, [packs] * 3, tokenizer.pad_token_id, settings, progress=False, state=state)
            pytest.fail(name)
        assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True)), name
    assert not (tmp_path / "ran").exists()


def test_nothing_to_train_on_and_nothing_to_measure_are_sentences(tiny_llama, packs, tokenizer):
    """One database has no unseen pairs: the mean loss of no packs was an AttributeError."""
    pad, silent = tokenizer.pad_token_id, [[Example(e.prefix, e.question, ()) for e in pack] for pack in packs]
    for nothing in ([], [[]], silent):
        with pytest.raises(TrainingError, match="no answers to take the loss of"):
            mean_loss(tiny_llama, nothing, pad, SETTINGS)
    with pytest.raises(TrainingError, match="no optimizer steps"):
        train(tiny_llama, [], pad, SETTINGS)
    for nothing in ([], [[]], silent):
        with pytest.raises(TrainingError, match="Step 2 holds no answer"):
            train(tiny_llama, [packs, nothing], pad, SETTINGS)


def test_one_pair_trains_whatever_a_step_could_hold(tiny_llama, packs, tokenizer):
    settings = dataclasses.replace(SETTINGS, packs_per_forward=8)
    records = train(with_lora(tiny_llama), make_steps(packs[:1], 9), tokenizer.pad_token_id, settings, progress=False)
    assert len(records) == 1 and records[0]["examples"] == 1


def test_validation_computes_no_gradient(tiny_llama, packs, tokenizer, monkeypatch):
    """And its loss is that of training, to the bit."""
    from forge_lib.training import loss

    model, pad = with_lora(tiny_llama), tokenizer.pad_token_id
    wanted = pack_loss(model, packs, pad, "float32")[0]
    with torch.no_grad():
        states, targets = loss.answer_states(model, packs, pad, "float32")
        monkeypatch.setattr(loss.torch, "cat", lambda *_: pytest.fail("gradients were joined"))
        got = loss.AnswerLoss.apply(states, model.get_output_embeddings().weight, targets)
    assert torch.equal(got, wanted)


@pytest.mark.parametrize("scale", [{"final_logit_softcapping": 30.0}, {"logits_scaling": 8.0}, {"logit_scale": 0.06}])
def test_a_base_that_changes_its_logits_is_refused(tiny_llama, packs, tokenizer, scale):
    """Likelihoods of the probe were taken without the scale, and nobody said so."""
    tiny_llama.config.update(scale)
    prompt = Prompt((1,), (2, 3))
    for compute in (
        lambda: mean_loss(tiny_llama, packs, tokenizer.pad_token_id, SETTINGS),
        lambda: _likelihoods(tiny_llama, [1, 2], [[3]]),
        lambda: generate(tiny_llama, tokenizer, [prompt], 2, progress=False, temperature=1.0),
    ):
        with pytest.raises(ModelError, match=next(iter(scale))):
            compute()
    assert len(generate(tiny_llama, tokenizer, [prompt], 2, progress=False)) == 1


def test_a_sliding_window_shorter_than_an_example_is_refused(packs, tokenizer):
    """Its layers would attend to the whole prompt in training, and to a part of it everywhere else."""
    from transformers import MistralConfig, MistralForCausalLM

    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "vocab_size": len(tokenizer)}  # fmt: skip
    longest = max(len(e) for pack in packs for e in pack)
    model = MistralForCausalLM(MistralConfig(**shape, sliding_window=longest)).eval()
    out = sum(model(input_ids=torch.tensor([e.input_ids]), labels=torch.tensor([e.labels])).loss.item() * len(e.answer)
              for pack in packs for e in pack)  # fmt: skip
    assert pack_loss(model, packs, tokenizer.pad_token_id, "float32")[0].item() == pytest.approx(out, rel=1e-5)
    model.config.sliding_window = longest - 1
    with pytest.raises(ModelError, match=f"looks back on {longest - 1} tokens"):
        pack_loss(model, packs, tokenizer.pad_token_id, "float32")


def test_a_full_disk_leaves_the_last_good_state(tiny_llama, packs, tokenizer, tmp_path, monkeypatch):
    """/dev/full takes no byte, as a full disk does; the name it stands behind is the one written first."""
    settings, state = dataclasses.replace(SETTINGS, save_every=1), tmp_path / "state.pt"

    def fill_the_disk(record):
        if record["step"] == 2:
            half = beside(state)  # as `sweep` knows it
            half.symlink_to("/dev/full")
            monkeypatch.setattr("forge_lib.training.state.beside", lambda path: half)

    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    with pytest.raises(TrainingError, match="Free some disk space"):
        train(with_lora(tiny_llama), [packs] * 3, tokenizer.pad_token_id, settings, progress=False, state=state, track=fill_the_disk)  # fmt: skip
    assert len(torch.load(state, weights_only=True)["records"]) == 1
    assert [p.name for p in tmp_path.glob(".state*")] == []


@pytest.mark.slow
def test_training_ends_when_validation_does_not_get_better(tiny_llama, packs, tokenizer):
    accuracies = {1: 0.1, 2: 0.3, 3: 0.2, 4: 0.3, 5: 0.9}
    validate = lambda step: {"validation_accuracy": accuracies[step], "validation_loss": 1.0}  # noqa: E731
    settings = dataclasses.replace(SETTINGS, patience=2)
    records = train(
        with_lora(tiny_llama), [packs] * 5, tokenizer.pad_token_id, settings, validate, range(1, 6), progress=False
    )
    assert len(records) == 4 and records[-1]["stopped_early"]


def test_another_schedule_may_be_passed_in(tiny_llama, packs, tokenizer):
    records = train(
        with_lora(tiny_llama),
        [packs] * 5,
        tokenizer.pad_token_id,
        SETTINGS,
        progress=False,
        schedule=exponential_schedule,
    )
    rates = [r["learning_rate"] for r in records]
    assert rates == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3, 1e-2])


def test_a_rank_above_the_layer_is_refused(tiny_llama):
    with pytest.raises(TrainingError, match=r"Rank 17 is above the smaller side of .*k_proj \(16\)"):
        add_lora(tiny_llama, dataclasses.replace(PROFILES["cpu"], lora_rank=17))


def test_a_target_that_is_not_there_is_named_with_those_that_are(tiny_llama):
    with pytest.raises(TrainingError, match="no linear layer named query.*q_proj"):
        add_lora(tiny_llama, dataclasses.replace(PROFILES["cpu"], lora_rank=4), ["query", "v_proj"])
    adapted = add_lora(tiny_llama, dataclasses.replace(PROFILES["cpu"], lora_rank=4), ["q_proj", "v_proj"])
    assert {n.split(".lora_")[0].rsplit(".")[-1] for n, _ in adapted.named_parameters() if "lora_" in n} == {
        "q_proj",
        "v_proj",
    }


def test_only_answer_tokens_carry_loss(tiny_llama, packs, tokenizer):
    """The gradient of the loss by the logits is zero everywhere but before answer tokens."""
    example = packs[0][0]
    ids, labels = torch.tensor([example.input_ids]), torch.tensor([example.labels])
    out = tiny_llama(input_ids=ids, labels=labels)
    out.logits.retain_grad()
    out.loss.backward()
    carried = out.logits.grad[0].abs().sum(-1).nonzero().squeeze(1).tolist()
    first = len(example.prefix) + len(example.question)
    assert carried == list(range(first - 1, len(example) - 1))
    by_library, count = pack_loss(tiny_llama, [[example]], tokenizer.pad_token_id, "float32")
    assert count == len(example.answer) and by_library.item() / count == pytest.approx(out.loss.item(), rel=1e-5)


def test_validation_joins_the_record_of_its_step(tiny_llama, packs, tokenizer):
    validate = lambda step: {"validation_accuracy": step / 10, "validation_loss": 1.0}  # noqa: E731
    records = train(
        with_lora(tiny_llama), [packs] * 4, tokenizer.pad_token_id, SETTINGS, validate, [2, 4], progress=False
    )
    assert [r["step"] for r in records if "validation_accuracy" in r] == [2, 4]
    assert best_checkpoint(records)["step"] == 4


def test_the_lower_loss_decides_between_equal_accuracies():
    records = [
        {"step": 1, "validation_accuracy": 0.5, "validation_loss": 1.0},
        {"step": 2, "validation_accuracy": 0.5, "validation_loss": 0.9},
    ]
    assert best_checkpoint(records)["step"] == 2
    with pytest.raises(TrainingError, match="no checkpoint"):
        best_checkpoint([{"step": 1}])


def test_a_saved_adapter_comes_back_the_same(tiny_llama, packs, tokenizer, tmp_path):
    from peft import PeftModel

    base = copy.deepcopy(tiny_llama)
    model = with_lora(tiny_llama)
    train(model, [packs] * 3, tokenizer.pad_token_id, SETTINGS, progress=False)
    wanted = mean_loss(model, packs, tokenizer.pad_token_id, SETTINGS)
    folder = save_adapter(model, tmp_path / "adapter")
    again = PeftModel.from_pretrained(base, folder)
    assert mean_loss(again, packs, tokenizer.pad_token_id, SETTINGS) == pytest.approx(wanted, rel=1e-5)
    # PEFT writes a set in the order of the process's hashes: the card's hash of the file was another at every run.
    names = json.loads((folder / "adapter_config.json").read_text())["target_modules"]
    assert names == sorted(names) and len(names) > 3


def test_the_rate_rises_then_falls_to_zero():
    rates = [cosine_schedule(s, 200, 0.05) for s in range(200)]
    assert rates[9] == 1.0 and rates[0] == pytest.approx(0.1)
    assert all(a >= b for a, b in zip(rates[9:], rates[10:], strict=False)) and rates[-1] < 1e-3
