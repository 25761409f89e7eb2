"""Fold a LoRA adapter into its base."""

from __future__ import annotations

from pathlib import Path

import torch

from forge_lib.models import load_adapted, load_tokenizer
from forge_lib.profiles import Profile
from forge_lib.runs import fresh_folder


def merged_model(profile: Profile, adapter: Path, dtype: str | None = None):
    """W + (α/r)·B·A for every adapted layer, computed in fp32 and then cast to `dtype` (the profile's by default).

    A model without adapter matrices generates faster; adding small updates in 16 bits would lose some of them.
    """
    model = load_adapted(profile, adapter, dtype="float32").merge_and_unload()
    return model.to(getattr(torch, dtype or profile.dtype)).eval()


def save_merged(profile: Profile, adapter: Path, folder: Path) -> Path:
    """Write base + adapter as one plain fp32 model with its tokenizer."""
    with fresh_folder(folder) as work:
        merged_model(profile, adapter, "float32").save_pretrained(work)
        load_tokenizer(profile).save_pretrained(work)
    return folder
