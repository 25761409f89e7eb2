import pytest

from forge_lib.lab import profiles
from forge_lib.lab.profiles import PROFILES, Devices, ProfileError, detect, get_profile, half_precision


@pytest.mark.parametrize(
    ("devices", "name"),
    [
        (Devices("NVIDIA A100-SXM4-40GB", (8, 0), 39.4), "a100"),
        (Devices("Tesla T4", (7, 5), 14.6), "t4"),
        (Devices("GeForce GTX 1050", (6, 1), 3.9), "cpu"),
        (Devices(apple_silicon=True), "mlx"),
        (Devices(), "cpu"),
    ],
)
def test_detection_chooses_by_memory_and_gives_a_reason(devices, name):
    chosen, reason = detect(devices)
    assert chosen == name
    assert reason.endswith(".") and len(reason) > 20


def test_a_t4_gets_fp16_although_torch_says_it_supports_bf16():
    profile, _ = get_profile("t4", Devices("Tesla T4", (7, 5), 14.6))
    assert profile.dtype == "float16"
    profile, _ = get_profile("t4", Devices("NVIDIA L4", (8, 9), 22.0))
    assert profile.dtype == "bfloat16"
    assert half_precision((7, 0)) == "float16"


def test_a_cpu_without_bf16_trains_in_fp32(monkeypatch):
    monkeypatch.setattr(profiles, "cpu_has_bf16", lambda: False)
    assert get_profile("cpu")[0].dtype == "float32"
    monkeypatch.setattr(profiles, "cpu_has_bf16", lambda: True)
    assert get_profile("cpu")[0].dtype == "bfloat16"


def test_the_environment_chooses_and_a_name_overrides_it(monkeypatch):
    monkeypatch.setenv("FORGE_PROFILE", "smoke")
    assert get_profile("auto", Devices())[0].name == "smoke"
    assert get_profile("cpu")[0].name == "cpu"


@pytest.mark.parametrize("value", ["", "auto"])
def test_an_environment_that_asks_for_nothing_lets_the_machine_decide(value, monkeypatch):
    monkeypatch.setenv("FORGE_PROFILE", value)
    assert get_profile("auto", Devices())[0].name == "cpu"


def test_the_environment_may_choose_another_engine(monkeypatch):
    assert get_profile("cpu")[0].engine == "torch"
    monkeypatch.setenv("FORGE_ENGINE", "trl")
    assert get_profile("cpu")[0].engine == "trl"


def test_an_engine_that_is_unknown_or_not_installed_is_refused(monkeypatch):
    monkeypatch.setenv("FORGE_ENGINE", "abacus")
    with pytest.raises(ProfileError, match="FORGE_ENGINE=abacus.*torch, trl, unsloth, mlx"):
        get_profile("cpu")
    monkeypatch.setenv("FORGE_ENGINE", "unsloth")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ProfileError, match="pip install -r requirements-gpu.txt"):
        get_profile("cpu")


def test_the_mac_profile_needs_a_mac():
    with pytest.raises(ProfileError, match="Apple silicon.*--profile cpu"):
        get_profile("mlx", Devices())
    assert get_profile("mlx", Devices(apple_silicon=True))[0].engine == "mlx"


def test_an_unknown_profile_names_the_known_ones():
    with pytest.raises(ProfileError, match="smoke, cpu, mlx, t4, a100"):
        get_profile("gpu")


def test_a_gpu_profile_without_a_gpu_says_what_to_use():
    with pytest.raises(ProfileError, match="--profile cpu"):
        get_profile("t4", Devices())


def test_every_profile_can_train_what_it_says():
    for profile in PROFILES.values():
        assert profile.gguf_formats[0] == "F16" and len(profile.gguf_formats) >= 4
        assert profile.grpo_generations >= 2, "a group of one has no spread"
        assert profile.packs_per_forward <= profile.packs_per_step
