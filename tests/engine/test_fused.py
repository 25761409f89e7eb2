import copy

import pytest
import torch
from peft import LoraConfig, get_peft_model

from forge_lib.engine.fused import LoRAFunction, fuse_lora


@pytest.fixture
def twins(tiny_llama):
    """The same adapted model twice, B no longer zero, the second one fused."""
    torch.manual_seed(2)
    plain = get_peft_model(tiny_llama, LoraConfig(r=4, lora_alpha=12, target_modules="all-linear"))
    with torch.no_grad():
        for name, parameter in plain.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.1)
    return plain, fuse_lora(copy.deepcopy(plain))


IDS = torch.arange(5, 25).view(2, 10)


def test_outputs_and_gradients_equal_pefts(twins):
    gradients = []
    for model in twins:
        out = model(input_ids=IDS, labels=IDS)
        out.loss.backward()
        gradients.append((out.logits, [p.grad for p in model.parameters() if p.requires_grad]))
    (logits, plain), (fused_logits, fused) = gradients
    assert torch.allclose(logits, fused_logits, atol=1e-4)
    assert len(plain) == 2 * 2 * 7 and all(torch.allclose(a, b, atol=1e-5) for a, b in zip(plain, fused, strict=True))


def test_the_formulas_of_the_backward_pass_are_the_derivatives():
    torch.manual_seed(0)
    x, w, a, b = (torch.randn(*s, dtype=torch.float64, requires_grad=True) for s in ((5, 4), (3, 4), (2, 4), (3, 2)))
    w.requires_grad_(False)
    wanted = torch.autograd.grad((x @ w.T + 1.5 * (x @ a.T) @ b.T).pow(2).sum(), (x, a, b))
    got = torch.autograd.grad(LoRAFunction.apply(x, w, a, b, 1.5).pow(2).sum(), (x, a, b))
    assert all(torch.allclose(p, q, rtol=1e-4) for p, q in zip(wanted, got, strict=True))


def test_an_adapter_switched_off_or_merged_is_not_applied_twice(twins):
    plain, fused = twins
    with torch.no_grad():
        with plain.disable_adapter(), fused.disable_adapter():
            assert torch.allclose(plain(input_ids=IDS).logits, fused(input_ids=IDS).logits, atol=1e-6)
        wanted = fused(input_ids=IDS).logits
        fused.merge_adapter()
        assert torch.allclose(fused(input_ids=IDS).logits, wanted, atol=1e-4)


@pytest.mark.parametrize("kind", [{"use_dora": True}, {"lora_dropout": 0.5}, {"lora_bias": True}])
@pytest.mark.filterwarnings("ignore:`lora_bias=True`")
def test_other_kinds_of_adapter_are_left_to_peft(tiny_llama, kind):
    """DoRA, dropout and biases have other formulas; `load_adapted` may be handed such an adapter."""
    plain = get_peft_model(tiny_llama, LoraConfig(r=4, target_modules="all-linear", **kind)).train()
    shake(plain)
    answers = []
    for model in (plain, fuse_lora(copy.deepcopy(plain))):
        torch.manual_seed(4)
        answers.append(model(input_ids=IDS).logits)
    assert torch.allclose(*answers, atol=1e-6)


def shake(model):
    """B and its bias are no longer zero."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.5)


def test_a_layer_without_the_active_adapter_passes_it_over(tiny_llama):
    """It was a KeyError: two adapters with other targets, one of them active."""
    plain = get_peft_model(tiny_llama, LoraConfig(r=4, target_modules=["q_proj", "up_proj"]))
    plain.add_adapter("other", LoraConfig(r=2, target_modules=["up_proj", "down_proj"]))
    shake(plain)
    for name in ("default", "other"):
        plain.set_adapter(name)
        fused = fuse_lora(copy.deepcopy(plain))
        with torch.no_grad():
            assert torch.allclose(plain(input_ids=IDS).logits, fused(input_ids=IDS).logits, atol=1e-5)


def test_a_base_that_is_trained_too_gets_its_gradient(tiny_llama):
    plain = get_peft_model(tiny_llama, LoraConfig(r=4, target_modules=["q_proj"]))
    shake(plain)
    plain.requires_grad_(True)
    fused = fuse_lora(copy.deepcopy(plain))
    gradients = []
    for model in (plain, fused):
        model(input_ids=IDS, labels=IDS).loss.backward()
        gradients.append([m.base_layer.weight.grad for m in model.modules() if hasattr(m, "lora_A")])
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(*gradients, strict=True))
