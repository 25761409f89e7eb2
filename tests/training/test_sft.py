import copy
import dataclasses
import json
import os

import pytest
import torch

from forge_lib.profiles import PROFILES
from forge_lib.training import TrainingError
from forge_lib.training.loss import pack_loss
from forge_lib.training.packing import make_packs
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


def test_a_full_disk_leaves_the_last_good_state(tiny_llama, packs, tokenizer, tmp_path):
    """/dev/full takes no byte, as a full disk does; the name it stands behind is the one written first."""
    settings, state = dataclasses.replace(SETTINGS, save_every=1), tmp_path / "state.pt"

    def fill_the_disk(record):
        if record["step"] == 2:
            (tmp_path / f".state.pt.{os.getpid()}").symlink_to("/dev/full")

    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    with pytest.raises(TrainingError, match="Free some disk space"):
        train(with_lora(tiny_llama), [packs] * 3, tokenizer.pad_token_id, settings, progress=False, state=state, track=fill_the_disk)  # fmt: skip
    assert len(torch.load(state, weights_only=True)["records"]) == 1
    assert [p.name for p in tmp_path.glob(".state*")] == []


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
