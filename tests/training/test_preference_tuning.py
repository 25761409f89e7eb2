import copy
import dataclasses
from types import SimpleNamespace

import pytest
import torch

from forge_lib.lab.profiles import PROFILES
from forge_lib.models.chat import Example
from forge_lib.training import TrainingError
from forge_lib.training.preference_loss import answer_logps, orpo_loss
from forge_lib.training.preference_tuning import (
    METHODS,
    PairLoss,
    PreferenceSettings,
    mismatched,
    reference_logps,
    train_on_pairs,
)  # fmt: skip
from forge_lib.training.sft import add_lora

SETTINGS = PreferenceSettings(learning_rate=1e-2, dtype="float32", packs_per_forward=2, beta=0.3)
PACKS = [
    [Example((5, 6), (7,), (8, 9, 2)), Example((5, 6), (7,), (10, 2)), Example((5, 6), (11, 12), (13, 2)),
     Example((5, 6), (11, 12), (14, 15, 16, 2))],
    [Example((17,), (18, 19), (20, 2)), Example((17,), (18, 19), (21, 22, 2))],
]  # fmt: skip
EXAMPLES = [e for pack in PACKS for e in pack]


def sft_model(random_llama):
    """A model with an adapter that says something already, as SFT leaves it."""
    torch.manual_seed(1)
    model = add_lora(random_llama(), dataclasses.replace(PROFILES["cpu"], dtype="float32", lora_rank=4))
    moved(model, 0.05)
    return model


def moved(model, by: float):
    """Its adapter, moved at random, the same way at every call."""
    drawn = torch.Generator().manual_seed(3)
    for name, p in model.named_parameters():
        if ".default." in name:
            p.data += by * torch.randn(p.shape, generator=drawn)


class PlainLogProbs:
    """What TRL's Triton kernel computes, for a CPU: log-probabilities, entropy, -, mean logits, whether the likeliest."""

    @staticmethod
    def apply(hidden, weight, bias, labels, *_):
        logits = hidden @ weight.T
        logp = torch.log_softmax(logits, -1)
        entropy = -(logp.exp() * logp).sum(-1)
        return logp.gather(1, labels[:, None])[:, 0], entropy, None, logits.mean(-1), logits.argmax(-1) == labels


@pytest.fixture
def trl_trainer(monkeypatch, tmp_path, random_llama, tokenizer):
    """A function: TRL's trainer of this name on the SFT model, its adapter then moved."""
    import trl
    from datasets import Dataset

    monkeypatch.setattr("trl.trainer.utils._ChunkedLogProbFunction", PlainLogProbs)

    def make(name: str, row: dict):
        config = getattr(trl, f"{name}Config")(
            output_dir=str(tmp_path), use_cpu=True, bf16=False, beta=SETTINGS.beta, report_to="none",
            gradient_checkpointing=False, per_device_train_batch_size=2,
        )  # fmt: skip
        trainer = getattr(trl, f"{name}Trainer")(
            sft_model(random_llama),
            args=config,
            train_dataset=Dataset.from_list([row, row]),
            processing_class=tokenizer,
        )
        moved(trainer.model, 0.03)
        return trainer

    return make


def ours(random_llama, tokenizer, method):
    """Loss of both packs a pair, and the model whose gradients it left."""
    model, settings, pad = sft_model(random_llama), dataclasses.replace(SETTINGS, method=method), tokenizer.pad_token_id
    references = reference_logps(model, [PACKS, mismatched(PACKS)], pad, "float32")
    moved(model, 0.03)
    loss_of = PairLoss(model, pad, settings, references)
    loss = loss_of(PACKS) / loss_of.units(PACKS)
    loss.backward()
    return loss, model


def assert_same_gradients(model, theirs):
    wanted = {n: p.grad for n, p in theirs.named_parameters() if ".default." in n}
    assert wanted and all(g.abs().max() > 0 for n, g in wanted.items() if "lora_B" in n)
    for name, p in model.named_parameters():
        if p.requires_grad:
            most = wanted[name].abs().max().item()  # fp32 sums in another order: the smallest entries are rounding
            torch.testing.assert_close(p.grad, wanted[name], rtol=1e-4, atol=1e-3 * most)


@pytest.mark.parametrize("method, called", [("dpo", "sigmoid"), ("ipo", "ipo")])
def test_loss_and_gradients_are_those_of_trls_dpo_trainer(trl_trainer, random_llama, tokenizer, method, called):
    """Also that the reference is the SFT adapter, not the base: TRL copies the adapter as "ref"."""
    trainer = trl_trainer("DPO", {"prompt": "a", "chosen": "b", "rejected": "c"})
    trainer.loss_types = [called]
    rows = [
        {"prompt_ids": [*c.prefix, *c.question], "chosen_ids": [*c.answer], "rejected_ids": [*r.answer]}
        for c, r in zip(EXAMPLES[::2], EXAMPLES[1::2], strict=True)
    ]
    theirs = trainer._compute_loss(trainer.model, trainer.data_collator(rows), False)
    theirs.backward()
    loss, model = ours(random_llama, tokenizer, method)
    torch.testing.assert_close(loss, theirs)
    assert_same_gradients(model, trainer.model)


def test_loss_and_gradients_are_those_of_trls_kto_trainer(trl_trainer, random_llama, tokenizer):
    trainer = trl_trainer("KTO", {"prompt": "a", "completion": "b", "label": True})
    others = [e for pack in mismatched(PACKS) for e in pack]
    rows = [
        {"prompt_ids": [*e.prefix, *e.question], "completion_ids": [*e.answer], "KL_completion_ids": [*other.answer],
         "label": n % 2 == 0}
        for n, (e, other) in enumerate(zip(EXAMPLES, others, strict=True))
    ]  # fmt: skip
    theirs = trainer._compute_loss(trainer.model, trainer.data_collator(rows), False)
    theirs = theirs[0] if isinstance(theirs, tuple) else theirs
    theirs.backward()
    loss, model = ours(random_llama, tokenizer, "kto")
    torch.testing.assert_close(loss, theirs)
    assert_same_gradients(model, trainer.model)


def test_the_odds_ratio_is_that_of_trls_orpo_trainer():
    from trl.experimental.orpo import ORPOTrainer

    lengths = torch.tensor([[3, 2, 2], [2, 4, 3]])
    chosen, rejected = torch.tensor([-2.0, -6.0, -0.1]), torch.tensor([-3.0, -2.0, -9.0])
    fake = SimpleNamespace(beta=0.3, accelerator=SimpleNamespace(device="cpu"))
    theirs, *_ = ORPOTrainer.odds_ratio_loss(fake, chosen / lengths[0], rejected / lengths[1])
    torch.testing.assert_close(orpo_loss(chosen, rejected, lengths, 0.3), -chosen / lengths[0] - theirs)


@pytest.mark.parametrize("method", METHODS)
def test_a_few_steps_teach_a_preference(random_llama, tokenizer, method):
    model, pad = sft_model(random_llama), tokenizer.pad_token_id
    before = answer_logps(model, PACKS, pad, "float32").detach()
    settings = dataclasses.replace(SETTINGS, method=method)
    records = train_on_pairs(model, [PACKS] * 8, pad, settings, progress=False)
    moved_by = answer_logps(model, PACKS, pad, "float32").detach() - before
    assert ((moved_by[::2] - moved_by[1::2]) > 0.2).all(), "every winner gained on its loser"
    assert records[-1]["loss"] < records[0]["loss"] and records[-1]["margin"] > records[0]["margin"]
    if method != "orpo":
        assert records[0]["margin"] == pytest.approx(0, abs=1e-5), "the policy starts at its reference"
        assert records[-1]["pair_accuracy"] == 1


def test_accumulation_equals_the_big_batch(random_llama, tokenizer):
    weights = []
    for together in (1, 2):
        model = sft_model(random_llama)
        settings = dataclasses.replace(SETTINGS, packs_per_forward=together)
        records = train_on_pairs(model, [PACKS], tokenizer.pad_token_id, settings, progress=False)
        weights.append({n: p for n, p in model.named_parameters() if p.requires_grad})
        assert records[0]["pair_accuracy"] in (0, 1 / 3, 2 / 3, 1), "told of both forward passes"
    for name, p in weights[0].items():
        torch.testing.assert_close(p, weights[1][name], rtol=1e-4, atol=1e-5)


class Killed(Exception):
    pass


def test_a_killed_training_goes_on_to_the_same_weights(random_llama, tokenizer, tmp_path):
    steps, pad, state = [PACKS, PACKS[::-1]] * 3, tokenizer.pad_token_id, tmp_path / "state.pt"
    settings = dataclasses.replace(SETTINGS, save_every=2)
    whole, cut = sft_model(random_llama), sft_model(random_llama)
    other = copy.deepcopy(cut)
    moved(other, 0.01)
    wanted = train_on_pairs(whole, steps, pad, settings, progress=False)

    def kill(record):
        if record["step"] == 5:
            raise Killed

    with pytest.raises(Killed):
        train_on_pairs(cut, steps, pad, settings, progress=False, state=state, track=kill)
    with pytest.raises(TrainingError, match="belongs to a training with another base"):
        train_on_pairs(other, steps, pad, settings, progress=False, state=state)
    again = sft_model(random_llama)
    records = train_on_pairs(again, steps, pad, settings, progress=False, state=state)
    drop = {"seconds"}
    assert [{k: v for k, v in r.items() if k not in drop} for r in records] == [
        {k: v for k, v in r.items() if k not in drop} for r in wanted
    ]
    for (name, p), (_, q) in zip(whole.named_parameters(), again.named_parameters(), strict=True):
        assert torch.equal(p, q), name
    assert not state.exists()


def test_what_cannot_be_trained_is_a_sentence(random_llama, tokenizer):
    model, pad = sft_model(random_llama), tokenizer.pad_token_id
    for change, steps, match in [
        ({"method": "ppo"}, [PACKS], "no method 'ppo' here. Choose one of: dpo, ipo, kto, orpo"),
        ({"beta": 0.0}, [PACKS], "beta is 0"), ({}, [], "nothing to train on"),
        ({}, [[PACKS[0][:3]]], "half a pair"), ({"method": "kto"}, [[PACKS[1]]], "two pairs at least"),
    ]:  # fmt: skip
        with pytest.raises(TrainingError, match=match):
            train_on_pairs(model, steps, pad, dataclasses.replace(SETTINGS, **change), progress=False)


def test_mismatched_answers_are_other_questions_and_of_the_same_side():
    others = [e for pack in mismatched(PACKS) for e in pack]
    assert [e.question for e in others] == [e.question for e in EXAMPLES]
    assert [e.answer for e in others[2:]] == [e.answer for e in EXAMPLES[:-2]]
    assert others[0].answer == EXAMPLES[-2].answer and others[1].answer == EXAMPLES[-1].answer
