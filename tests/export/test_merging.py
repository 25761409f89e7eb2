"""Merging adapters: what each method does to the weights, against sums done by hand."""

import copy
import dataclasses

import pytest
import torch

from forge_lib.evaluation.contenders import local_model
from forge_lib.evaluation.metrics import evaluate
from forge_lib.export.gguf import ExportError
from forge_lib.export.merge import merged_model
from forge_lib.export.merging import METHODS, ON_UPDATES, combine, merge_updates, slerp
from forge_lib.lab.profiles import PROFILES
from forge_lib.models.adapter import FILES
from forge_lib.models.embedded import ModelError
from forge_lib.models.load import load_base
from forge_lib.training.sft import add_lora, save_adapter

LAYER = "model.layers.0.self_attn.q_proj"  # (out 32, in 32) of the random model


@pytest.fixture(scope="module")
def profile(random_llama, tokenizer, tmp_path_factory):
    """A random base of two layers on disk; adapters of it have one rank, and α/r = 1."""
    folder = tmp_path_factory.mktemp("merging") / "base"
    random_llama().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return dataclasses.replace(PROFILES["cpu"], base_model=str(folder), dtype="float32", lora_rank=1, lora_alpha=1)


@pytest.fixture(scope="module")
def adapter(profile, tmp_path_factory):
    """A function: an adapter whose factors are set by (layer's path, "A" or "B", shape) -> numbers."""

    def make(fill, rank: int = 1):
        own = dataclasses.replace(profile, lora_rank=rank, lora_alpha=2 * rank if rank > 1 else 1)
        model = add_lora(load_base(own, "float32"), own)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if ".lora_" in name:
                    path, _, factor = name.removeprefix("base_model.model.").partition(".lora_")
                    parameter.copy_(fill(path, factor[0], parameter.shape))
        return save_adapter(model, tmp_path_factory.mktemp("adapter") / "adapter")

    return make


@pytest.fixture(scope="module")
def two(adapter):
    """Two adapters of random numbers."""
    torch.manual_seed(1)
    return [adapter(lambda *at: 0.3 * torch.randn(at[2])) for _ in range(2)]


def weights_of(model) -> dict[str, torch.Tensor]:
    return {name: p for name, p in model.state_dict().items() if "proj" in name}


def equal(one, other) -> bool:
    a, b = weights_of(one), weights_of(other)
    assert a.keys() == b.keys() and len(a) == 14
    return all(torch.allclose(a[n], b[n], atol=1e-5) for n in a)


@pytest.mark.parametrize("method", ["task_arithmetic", "slerp", "linear"])
def test_all_weight_on_one_adapter_is_that_adapter(profile, two, method):
    first, second = (merged_model(profile, folder) for folder in two)
    assert equal(combine(profile, two, [1, 0], method), first)
    assert equal(combine(profile, two, [0, 1], method), second)
    assert not equal(first, second) and not equal(first, load_base(profile))


def test_task_arithmetic_adds_updates_of_any_rank(profile, two, adapter):
    torch.manual_seed(2)
    wide = adapter(lambda *at: torch.randn(at[2]), rank=3)
    base, first, second = (
        weights_of(m) for m in (load_base(profile), merged_model(profile, two[0]), merged_model(profile, wide))
    )
    got = weights_of(combine(profile, [two[0], wide], [0.5, -2], "task_arithmetic"))
    for name, start in base.items():
        assert torch.allclose(got[name], start + 0.5 * (first[name] - start) - 2 * (second[name] - start), atol=1e-4)
    with pytest.raises(ExportError, match="'ties'.*same r"):
        combine(profile, [two[0], wide], [1, 1], "ties")


def test_linear_mixes_the_factors_and_svd_the_updates(profile, two):
    """B of one adapter meets A of the other in PEFT's linear: the sum is not that of the updates."""
    exact = combine(profile, two, [0.5, 0.5], "task_arithmetic")
    assert not equal(combine(profile, two, [0.5, 0.5], "linear"), exact)
    same = combine(profile, [two[0], two[0]], [0.5, 0.5], "svd")  # of rank 1, so nothing is cut off
    assert equal(same, merged_model(profile, two[0]))


def test_ties_trims_elects_and_averages_what_agrees(profile, adapter):
    """A by hand. Columns 0-7: +2 against −3, so minus is elected, and −3 alone counts. 8-15: (2 + 1)/2. The rest: trimmed."""

    def factors(a):
        def fill(path, factor, shape):
            numbers = torch.zeros(shape)
            if path == LAYER:
                numbers.flatten()[:] = torch.tensor(a if factor == "A" else [1.0] * 16 + [0.01] * 16)
            return numbers

        return fill

    pair = [
        adapter(factors([2.0] * 16 + [0.1] * 16)),
        adapter(factors([-3.0] * 8 + [1.0] * 8 + [0.1] * 16)),
    ]
    got = combine(profile, pair, [1, 1], "ties", density=0.5).get_submodule(LAYER).weight
    row = torch.tensor([-3.0] * 8 + [1.5] * 8 + [0.0] * 16)
    wanted = torch.cat([row.expand(16, 32), torch.zeros(16, 32)])
    assert torch.allclose(got - load_base(profile).get_submodule(LAYER).weight, wanted, atol=1e-5)


def test_dare_drops_at_random_and_keeps_the_mean(profile, adapter):
    ones = adapter(lambda *at: torch.ones(at[2]))
    none = adapter(lambda *at: torch.zeros(at[2]))
    base, state = weights_of(load_base(profile)), torch.get_rng_state()
    changes = []
    for seed in (1, 2, 3, 3):
        model = weights_of(combine(profile, [ones, none], [1, 1], "dare_linear", density=0.5, seed=seed))
        changes.append(torch.cat([(model[n] - base[n]).flatten() for n in base]))
    assert torch.allclose(changes[2], changes[3]) and not torch.allclose(changes[1], changes[2])
    for change in changes:  # each factor drops half and doubles what stays
        assert ((change - 4).abs() < 1e-4).logical_or(change.abs() < 1e-4).all()
    assert abs(float(torch.cat(changes[:3]).mean()) - 1) < 0.2
    assert torch.equal(torch.get_rng_state(), state), "a merge must not shift the draws of what comes after"


def test_dare_of_updates_drops_numbers_of_the_update(profile, adapter):
    """Of an update of ones half stays, doubled; where A and B are thinned apart (above) a quarter does, times four."""
    ones = adapter(lambda *at: torch.ones(at[2]))
    base, changes = weights_of(load_base(profile)), []
    for seed in (1, 2, 2):
        model = weights_of(combine(profile, [ones], [0.5], "dare_updates", density=0.5, seed=seed))
        changes.append(torch.cat([(model[n] - base[n]).flatten() for n in base]))
    assert torch.equal(changes[1], changes[2]) and not torch.equal(changes[0], changes[1])
    assert ((changes[0] - 1).abs() < 1e-5).logical_or(changes[0].abs() < 1e-5).all()
    assert abs(float(changes[0].mean()) - 0.5) < 0.02


@pytest.mark.parametrize("density", [0.2, 0.5, 0.99])
def test_ties_of_updates_is_pefts(density):
    """PEFT sorts; ours looks for the least number that stays, and must count as PEFT does."""
    from peft.utils import merge_utils

    torch.manual_seed(4)
    for shape in ((6, 5), (7, 3)):
        updates, weights = [torch.randn(shape) for _ in range(3)], [0.7, 1.0, -0.4]
        wanted = merge_utils.ties(updates, torch.tensor(weights), density)
        assert torch.allclose(merge_updates(updates, weights, "ties_updates", density), wanted)
    tiny = merge_updates([torch.tensor([[1.0, 3.0]]), torch.zeros(1, 2)], [1, 1], "ties_updates", 0.1)
    assert torch.equal(tiny, torch.tensor([[0.0, 3.0]])), "the largest number stays, however few there are"


def test_the_sign_of_the_factors_means_nothing_to_a_merge_of_updates(profile, two, adapter):
    """(-B)(-A) is the same update: merged by updates nothing changes, merged by factors it is another model."""
    torch.manual_seed(1)
    kept = [{}, {}]
    for numbers in kept:  # the numbers of `two`, in the order in which it draws them
        adapter(
            lambda path, factor, shape, numbers=numbers: numbers.setdefault((path, factor), 0.3 * torch.randn(shape))
        )
    turned = adapter(lambda path, factor, shape: -kept[1][path, factor])
    assert equal(merged_model(profile, turned), merged_model(profile, two[1]))
    for method in ON_UPDATES:
        straight, other = (combine(profile, pair, [0.6, 0.4], method) for pair in (two, [two[0], turned]))
        assert equal(straight, other), method
    assert not equal(combine(profile, two, [0.6, 0.4], "ties"), combine(profile, [two[0], turned], [0.6, 0.4], "ties"))
    with pytest.raises(ExportError, match="'ties' does not merge updates.*ties_updates"):
        merge_updates([torch.ones(2, 2)] * 2, [1, 1], "ties")


def test_slerp_ends_at_its_ends_and_keeps_the_length():
    torch.manual_seed(0)
    first, second = (torch.nn.functional.normalize(torch.randn(6, 4).flatten(), dim=0) * 3 for _ in range(2))
    assert torch.allclose(slerp(first, second, 0), first, atol=1e-5)
    assert torch.allclose(slerp(first, second, 1), second, atol=1e-5)
    for t in (0.25, 0.5, 0.9):
        between = slerp(first, second, t)
        assert float(between.norm()) == pytest.approx(3, abs=1e-4)
        assert ((1 - t) * first + t * second).norm() < 2.9, "the straight line is shorter"
    assert torch.allclose(slerp(first, 2 * first, 0.5), 1.5 * first)
    assert torch.equal(slerp(torch.zeros(3), torch.ones(3), 0.5), torch.full((3,), 0.5))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_ends_in_a_plain_model_that_is_evaluated(profile, two, method, tokenizer, library):
    model = combine(profile, two, [0.6, 0.4], method)
    assert not any("lora" in name for name, _ in model.named_parameters())
    assert all(p.isfinite().all() for p in model.parameters()) and not equal(model, load_base(profile))
    records = evaluate(method, local_model(model, tokenizer, library, 2, 4, progress=False), library, library.test[:1])
    assert records[0]["contender"] == method


@pytest.mark.parametrize(
    "weights, method, options, message",
    [([1, 1], "average", {}, "no way 'average'.*task_arithmetic"), ([1], "ties", {}, "2 adapters and 1 weights"),
     ([1, float("nan")], "ties", {}, "no number"), ([1, 1], "ties", {"density": 1.5}, "density"),
     ([1, -1], "slerp", {}, "from one adapter to another"), ([0, 0], "slerp", {}, "from one adapter to another")],
)  # fmt: skip
def test_what_cannot_be_combined_is_a_sentence(profile, two, weights, method, options, message):
    with pytest.raises(ExportError, match=message):
        combine(profile, two, weights, method, **options)


def test_the_second_adapter_is_looked_at_as_the_first_is(profile, two, tmp_path):
    from safetensors.torch import load_file, save_file

    broken = tmp_path / "broken"
    broken.mkdir()
    for file in two[1].iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    tensors = load_file(broken / FILES[0])
    kept = copy.copy(tensors)
    kept.pop(next(iter(tensors)))
    save_file(kept, broken / FILES[0])
    with pytest.raises(ModelError, match="broken/ is damaged.*lacks 1 of its 28"):
        combine(profile, [two[0], broken], [1, 1], "task_arithmetic")
    with pytest.raises(ModelError, match="trained on"):
        combine(PROFILES["cpu"], two, [1, 1], "task_arithmetic")
