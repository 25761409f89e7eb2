"""Logit distillation: the divergence is torch's, the cache is the teacher, and a student learns from both."""

import dataclasses
import json

import pytest
import torch
import torch.nn.functional as F

from forge_lib.lab.profiles import PROFILES
from forge_lib.training import TrainingError
from forge_lib.training.distillation import (
    DistillationLoss,
    Distilled,
    cache_bytes,
    cache_teacher,
    cached_teacher,
    divergence,
    live_teacher,
)
from forge_lib.training.loss import answer_logits, pack_loss
from forge_lib.training.packing import make_packs
from forge_lib.training.sft import SFTSettings, add_lora, train
from forge_lib.training.student import cut_student

SETTINGS = SFTSettings(learning_rate=3e-3, dtype="float32", packs_per_forward=1)


@pytest.fixture
def packs(library, tokenizer):
    return make_packs(library, library.train, tokenizer, 2, 1024)


@pytest.fixture(scope="module")
def teacher(random_llama):
    model = random_llama(num_hidden_layers=4, tie_word_embeddings=True)
    with torch.no_grad():  # random logits are nearly flat: a teacher has opinions
        model.get_output_embeddings().weight.mul_(20)
    return model.requires_grad_(False)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("reverse", [False, True])
def test_the_divergence_is_torchs(temperature, reverse):
    torch.manual_seed(0)
    student, teacher = torch.randn(5, 11, requires_grad=True), torch.randn(5, 11)
    ours = divergence(student, teacher, temperature, reverse)
    logs = [F.log_softmax(x / temperature, -1) for x in (student, teacher)]
    q, p = logs[::-1] if reverse else logs  # torch takes the second argument of KL(p‖q) first
    theirs = F.kl_div(q, p, reduction="sum", log_target=True) * temperature**2
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    slopes = [torch.autograd.grad(loss, student, retain_graph=True)[0] for loss in (ours, theirs)]
    assert torch.allclose(*slopes, atol=1e-6)
    assert divergence(teacher, teacher, temperature, reverse).item() == 0


def test_the_loss_is_the_share_of_both(tiny_llama, teacher, packs, tokenizer):
    pad = tokenizer.pad_token_id
    read = live_teacher(teacher, pad, "float32", 2.0)
    with torch.no_grad():
        losses = {
            share: DistillationLoss(tiny_llama, pad, "float32", read, Distilled(2.0, False, share))(packs).item()
            for share in (0.0, 0.25, 1.0)
        }
        logits = [answer_logits(m, packs, pad, "float32")[0] for m in (tiny_llama, teacher)]
        assert losses[0.0] == pytest.approx(pack_loss(tiny_llama, packs, pad, "float32")[0].item(), rel=1e-5)
    assert losses[1.0] == pytest.approx(divergence(*logits, 2.0).item(), rel=1e-5)
    assert losses[0.25] == pytest.approx(0.25 * losses[1.0] + 0.75 * losses[0.0], rel=1e-5)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_cache_of_all_words_is_the_teacher_and_of_few_a_lower_bound(
    tiny_llama, teacher, packs, tokenizer, tmp_path, reverse
):
    pad, how = tokenizer.pad_token_id, Distilled(2.0, reverse, 1.0)
    losses = {}
    for words in (8, 256, 49152):
        folder = cache_teacher(teacher, packs, tmp_path / str(words), pad, "float32", 2.0, words, progress=False)
        read = cached_teacher(folder, 2.0)
        with torch.no_grad():  # packed another way: examples are found by what they hold
            one_by_one = [[e] for pack in packs for e in pack]
            losses[words] = DistillationLoss(tiny_llama, pad, "float32", read, how)(one_by_one).item()
        size = (folder / "teacher.safetensors").stat().st_size
        assert cache_bytes(packs, words) == pytest.approx(size, abs=500)
    with torch.no_grad():
        live = DistillationLoss(tiny_llama, pad, "float32", live_teacher(teacher, pad, "float32", 2.0), how)(
            packs
        ).item()
    assert losses[49152] == pytest.approx(live, rel=5e-3)  # 16 bits
    assert 0 < losses[8] < losses[256] < live


def test_a_cache_that_does_not_fit_is_a_sentence(tiny_llama, teacher, packs, tokenizer, tmp_path, library):
    pad = tokenizer.pad_token_id
    folder = cache_teacher(teacher, packs[:1], tmp_path / "cache", pad, "float32", 2.0, progress=False)
    with pytest.raises(TrainingError, match="temperature 2, not 1"):
        cached_teacher(folder, 1.0)
    with pytest.raises(TrainingError, match="lacks an example"):
        cached_teacher(folder, 2.0)(packs)
    with pytest.raises(TrainingError, match="0 words a token"):
        cache_teacher(teacher, packs, tmp_path / "none", pad, "float32", 2.0, words=0, progress=False)
    with pytest.raises(TrainingError, match="no answer"):
        cache_teacher(teacher, [], tmp_path / "none", pad, "float32", 2.0, progress=False)
    assert not (tmp_path / "none").exists()
    (folder / "teacher.safetensors").write_bytes(b"half")
    with pytest.raises(TrainingError, match="damaged"):
        cached_teacher(folder, 2.0)
    (folder / "index.json").write_text(json.dumps([]))
    with pytest.raises(TrainingError, match="let the teacher read the packs again"):
        cached_teacher(folder, 2.0)
    for how in (Distilled(0.0), Distilled(share=1.5)):
        with pytest.raises(TrainingError, match="make no loss"):
            DistillationLoss(tiny_llama, pad, "float32", live_teacher(teacher, pad, "float32", 1.0), how)


def test_another_vocabulary_is_a_sentence(tiny_llama, random_llama, packs, tokenizer):
    pad = tokenizer.pad_token_id
    other = live_teacher(random_llama(vocab_size=len(tokenizer) + 8), pad, "float32", 2.0)
    with pytest.raises(TrainingError, match="student's tokenizer"):
        DistillationLoss(tiny_llama, pad, "float32", other, Distilled())(packs)


def test_a_student_learns_the_teachers_distribution(teacher, random_llama, packs, tokenizer):
    pad, how, settings = (
        tokenizer.pad_token_id,
        Distilled(1.0, share=1.0),
        dataclasses.replace(SETTINGS, learning_rate=1e-2),
    )
    student, read = random_llama(num_hidden_layers=1), live_teacher(teacher, pad, "float32", 1.0)
    records = train(DistillationLoss(student, pad, "float32", read, how), [packs] * 6, pad, settings, progress=False)
    assert records[-1]["loss"] < 0.9 * records[0]["loss"]
    assert not any(p.requires_grad for p in teacher.parameters())


@pytest.mark.slow
def test_a_killed_distillation_does_not_go_on_as_another(teacher, packs, tokenizer, tmp_path):
    pad, state = tokenizer.pad_token_id, tmp_path / "state.pt"
    read = live_teacher(teacher, pad, "float32", 1.0)

    def killed(number):
        raise KeyboardInterrupt

    settings = dataclasses.replace(SETTINGS, save_every=1, patience=None)
    loss = DistillationLoss(cut_student(teacher), pad, "float32", read, Distilled())
    with pytest.raises(KeyboardInterrupt):
        train(loss, [packs] * 2, pad, settings, killed, (2,), progress=False, state=state)
    for other in (cut_student(teacher), DistillationLoss(cut_student(teacher), pad, "float32", read, Distilled(3.0))):
        with pytest.raises(TrainingError, match="other settings"):
            train(other, [packs] * 2, pad, settings, lambda n: {}, (2,), progress=False, state=state)
    again = DistillationLoss(cut_student(teacher), pad, "float32", read, Distilled())
    assert len(train(again, [packs] * 2, pad, settings, lambda n: {}, (2,), progress=False, state=state)) == 2


def logits_of(model):
    with torch.no_grad():
        return model(torch.tensor([[5, 9, 300, 7]])).logits


def test_an_uncut_student_is_its_teacher_adapters_included(random_llama):
    model = random_llama(tie_word_embeddings=True)
    adapted = add_lora(model, dataclasses.replace(PROFILES["cpu"], dtype="float32", lora_rank=4, lora_alpha=4))
    with torch.no_grad():
        for name, p in adapted.named_parameters():
            if "lora_B" in name:
                p.normal_(std=0.05)
    student = cut_student(adapted, every=1)
    assert torch.allclose(logits_of(student), logits_of(adapted), atol=1e-4)
    assert all(p.requires_grad for p in student.parameters()) and not hasattr(student, "peft_config")
    with torch.no_grad():
        student.model.embed_tokens.weight.zero_()
    assert logits_of(adapted).abs().max() > 0  # a model of its own


def test_a_cut_student_keeps_every_nth_layer_and_the_strongest_channels(teacher, tmp_path):
    from transformers import AutoModelForCausalLM

    student = cut_student(teacher, every=3, width=0.5)
    kept = [teacher.model.layers[n] for n in (0, 3)]
    assert [len(student.model.layers), student.config.hidden_size, student.config.intermediate_size] == [2, 16, 32]
    strong = teacher.model.embed_tokens.weight.norm(dim=0).topk(16).indices.sort().values
    for old, new in zip(kept, student.model.layers, strict=True):
        assert torch.equal(new.self_attn.q_proj.weight, old.self_attn.q_proj.weight[:, strong])
        assert torch.equal(new.self_attn.o_proj.weight, old.self_attn.o_proj.weight[strong])
    assert student.get_output_embeddings().weight is student.model.embed_tokens.weight
    student.save_pretrained(tmp_path)
    assert torch.allclose(logits_of(AutoModelForCausalLM.from_pretrained(tmp_path)), logits_of(student), atol=1e-5)


@pytest.mark.parametrize("options", [{"every": 9}, {"every": 0}, {"width": 0.0}, {"width": 1.5}])
def test_a_cut_that_leaves_nothing_is_a_sentence(teacher, options):
    with pytest.raises(TrainingError, match="leave no student"):
        cut_student(teacher, **options)


def small(family: str, **more):
    import transformers

    config = getattr(transformers, f"{family}Config")(
        vocab_size=512, hidden_size=32, intermediate_size=64, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, tie_word_embeddings=True, **more,
    )  # fmt: skip
    model = getattr(transformers, f"{family}ForCausalLM")(config).eval()
    with torch.no_grad():  # biases and norms begin at 0 and 1, where a forgotten one is not seen
        for p in model.parameters():
            if p.ndim == 1:
                p.normal_(1, 0.3)
    return model


@pytest.mark.parametrize(
    ("family", "more"),
    [("Qwen2", {}), ("Qwen3", {}), ("Llama", {"attention_bias": True, "mlp_bias": True})],
    ids=["Qwen2", "Qwen3", "Llama with biases"],
)
def test_the_families_of_all_profiles_can_be_cut(family, more, tmp_path):
    from transformers import AutoModelForCausalLM

    whole = small(family, **more)
    assert torch.allclose(logits_of(cut_student(whole, every=1)), logits_of(whole), atol=1e-5)
    student = cut_student(whole, every=3, width=0.5)
    assert [len(student.model.layers), student.config.hidden_size] == [2, 16]
    student.save_pretrained(tmp_path)
    assert torch.allclose(logits_of(AutoModelForCausalLM.from_pretrained(tmp_path)), logits_of(student), atol=1e-5)


def test_another_architecture_is_a_sentence():
    with pytest.raises(TrainingError, match="Llama, Qwen2 or Qwen3, which MistralModel is not"):
        cut_student(small("Mistral"))
