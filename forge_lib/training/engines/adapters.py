"""LoRA adapters of PEFT as mlx-lm's files, and of mlx-lm's tensors as PEFT's files.

Both compute y = W·x + s·B·A·x. PEFT keeps A as (r, in), B as (out, r) and s as alpha / r (rsLoRA: alpha / √r) in
`adapter_model.safetensors`; mlx-lm keeps their transposes and s itself in `adapters.safetensors`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from forge_lib.lab.files import fresh_folder, write_atomically
from forge_lib.models.adapter import AGAIN, adapter_config, record_weight
from forge_lib.models.embedded import ModelError

_PREFIX = "base_model.model."


def peft_to_mlx(source: str | Path, target: str | Path) -> Path:
    """Write the PEFT adapter in `source` as an mlx-lm adapter in `target`, for `mlx_lm.generate --adapter-path`.

    Raises ModelError for what mlx-lm's LoRA layers cannot hold: DoRA, ranks that differ by layer, whole trained modules.
    """
    source, target = Path(source), Path(target)
    config = adapter_config(source)
    foreign = [key for key in ("use_dora", "rank_pattern", "alpha_pattern", "modules_to_save") if config.get(key)]
    weights = _weights(source / "adapter_model.safetensors")
    foreign += [name for name in weights if not re.fullmatch(re.escape(_PREFIX) + r".*\.lora_[AB]\.weight", name)]
    kind, rank, alpha = (_entry(config, key, source) for key in ("peft_type", "r", "lora_alpha"))
    if foreign or kind != "LORA":
        _refuse(source, foreign[0] if foreign else kind)
    names = {name: _mlx_name(name) for name in weights}
    parameters = {
        "rank": rank,
        "scale": alpha / (math.sqrt(rank) if config.get("use_rslora") else rank),
        "dropout": 0.0,
        "keys": sorted({_module(name) for name in names.values()}),
    }
    about = {"fine_tune_type": "lora", "num_layers": -1, "lora_parameters": parameters,
             "model": config.get("base_model_name_or_path")}  # fmt: skip
    with fresh_folder(target) as work:
        save_file({names[name]: w.T.contiguous() for name, w in weights.items()}, work / "adapters.safetensors")
        write_atomically(work / "adapter_config.json", json.dumps(about, indent=2))
    return target


def write_peft(
    weights: Mapping[str, torch.Tensor], scale: float, base: str, target: str | Path, embeddings: torch.Tensor
) -> Path:
    """A PEFT adapter folder from tensors in mlx-lm's names and layout, whole or not at all.

    base, embeddings: the name of what was adapted, and its embeddings' first 128 rows or more.
    """
    from peft import LoraConfig

    target = Path(target)
    rank = next(w.shape[1] for name, w in weights.items() if name.endswith("lora_a"))
    config = LoraConfig(
        r=rank, lora_alpha=round(scale * rank, 6), lora_dropout=0.0, task_type="CAUSAL_LM", inference_mode=True,
        target_modules={_module(name).rsplit(".", 1)[-1] for name in weights}, base_model_name_or_path=base,
    )  # fmt: skip
    config.target_modules = sorted(config.target_modules)  # PEFT makes a set of it, whose order changes
    with fresh_folder(target) as work:
        save_file({_peft_name(name): w.T.contiguous() for name, w in weights.items()},
                  work / "adapter_model.safetensors", metadata={"format": "pt"})  # fmt: skip
        config.save_pretrained(work)
        record_weight(embeddings, base, work)
    return target


def _weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file. Raises ModelError unless there are some, all finite, and every A has its B."""
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path.parent.name}/{path.name} cannot be read ({error}). {AGAIN}") from error
    broken = [name for name, tensor in weights.items() if not tensor.isfinite().all()]
    twins = {"lora_A": "lora_B", "lora_B": "lora_A", "lora_a": "lora_b", "lora_b": "lora_a"}
    broken += [
        n for n in weights for a, b in twins.items() if f".{a}" in n and n.replace(f".{a}", f".{b}") not in weights
    ]
    if broken or not weights:
        what = f"{broken[0]} has no numbers or no partner" if broken else "it holds nothing"
        raise ModelError(f"{path.parent.name}/{path.name} is damaged: {what}. {AGAIN}")
    return weights


def _entry(config: dict, key: str, source: Path):
    if not isinstance(config, dict) or config.get(key) is None:
        raise ModelError(f"{source.name}/adapter_config.json is damaged: '{key}' is missing. {AGAIN}")
    return config[key]


def _mlx_name(name: str) -> str:
    """PEFT's name of a tensor as mlx-lm's.

    >>> _mlx_name("base_model.model.model.layers.0.mlp.up_proj.lora_A.weight")
    'model.layers.0.mlp.up_proj.lora_a'
    """
    return name.removeprefix(_PREFIX).removesuffix(".weight").replace("lora_A", "lora_a").replace("lora_B", "lora_b")


def _peft_name(name: str) -> str:
    return _PREFIX + name.replace("lora_a", "lora_A.weight").replace("lora_b", "lora_B.weight")


def _module(name: str) -> str:
    """The adapted module of an mlx-lm tensor, within its layer where it is in one.

    >>> _module("model.layers.0.mlp.up_proj.lora_a"), _module("lm_head.lora_b")
    ('mlp.up_proj', 'lm_head')
    """
    return re.sub(r"^.*\.layers\.\d+\.", "", name).rsplit(".", 1)[0]


def _refuse(source: Path, what: str):
    raise ModelError(
        f"The adapter in {source.name}/ is no plain LoRA adapter ({what}), and only such have the same form in PEFT and "
        "MLX. Merge it into the base instead, or train without that option."
    )
