"""Fold a LoRA adapter into its base, on the CPU and layer by layer."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from forge_lib.lab.files import check_disk, fresh_folder
from forge_lib.lab.profiles import Profile
from forge_lib.models.load import base_dir, load_adapted, load_tokenizer


def merged_model(profile: Profile, adapter: Path, dtype: str | None = None):
    """W + (α/r)·B·A for every adapted layer, computed in fp32 and then cast to `dtype` (the profile's by default).

    A model without adapter matrices generates faster; adding small updates in 16 bits would lose some of them.
    Returned on the profile's device; the sums are made on the CPU, one layer in fp32 at a time.
    """
    kind = getattr(torch, dtype or profile.dtype)
    return _merge(profile, adapter, kind).to(kind).to(profile.device).eval()


def save_merged(profile: Profile, adapter: Path, folder: Path) -> Path:
    """Write base + adapter as one plain model with its tokenizer, to be converted to GGUF.

    A base stored in fp32 stays so. Of one stored in 16 bits the merged layers are float16, as the F16 file will hold
    them, and the others what they were: twice the size of both would not change that file.
    """
    kind = torch.float32 if _stored_dtype(profile) == torch.float32 else torch.float16
    model = _merge(profile, adapter, kind)
    check_disk(folder.parent, sum(p.nbytes for p in model.parameters()) / 2**30)
    with fresh_folder(folder) as work:
        model.save_pretrained(work)
        load_tokenizer(profile).save_pretrained(work)
    return folder


def _merge(profile: Profile, adapter: Path, kind: torch.dtype):
    """The plain model on the CPU: adapted layers in `kind`, the others as the base is stored."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    stored = str(_stored_dtype(profile)).removeprefix("torch.")
    model = load_adapted(dataclasses.replace(profile, device="cpu"), adapter, dtype=stored)
    for layer in model.modules():
        if isinstance(layer, BaseTunerLayer):
            # In fp32 and rounded once: added in 16 bits, an update below half a step of its weight would be lost.
            base = layer.get_base_layer().float()
            layer.merge()
            base.to(kind)
    return model.unload()


def _stored_dtype(profile: Profile) -> torch.dtype:
    """What the base's weights are stored in: merging in it, upcast, loses nothing of them."""
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(base_dir(profile)).dtype or torch.float32
