"""The folder of a LoRA adapter: whether it is whole, and whether it was trained on these very weights."""

from __future__ import annotations

import json
import pickle
import warnings
from pathlib import Path

import torch
from safetensors import SafetensorError

from forge_lib.lab.files import read_json, said, write_atomically
from forge_lib.models.embedded import ModelError

AGAIN = "Run 04_sft (or 05_grpo) again, or fetch it anew."
FILES = ("adapter_model.safetensors", "adapter_model.bin")  # as PEFT writes it, and wrote it once
MORE = ("use_rslora", "use_dora", "alpha_pattern", "lora_bias", "bias", "modules_to_save", "trainable_token_indices")
BASE_FILE = "base.json"  # a few numbers of the base: two bases may have one name
# What PEFT raises for shapes of another base, a file cut off, a configuration that is none.
_DAMAGE = (
    RuntimeError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OSError,
    SafetensorError,
    pickle.UnpicklingError,
)


def adapter_config(folder: Path) -> dict:
    """`adapter_config.json` of an adapter, PEFT's or mlx-lm's. Raises ModelError when there is none, or it is damaged."""
    path = folder / "adapter_config.json"
    if not path.exists():
        raise ModelError(f"There is no LoRA adapter in {folder.name}/ (no adapter_config.json). Run 04_sft first.")
    return read_json(path, AGAIN, ModelError)


def check_kind(folder: Path) -> None:
    """Raise ModelError unless PEFT's files of a LoRA adapter are here; others would be loaded and have no effect."""
    kind = adapter_config(folder).get("peft_type")
    if kind != "LORA":
        raise ModelError(
            f"The adapter in {folder.name}/ is none of PEFT's LoRA adapters (peft_type: {kind}), and the course loads "
            f"only those. {AGAIN}"
        )
    if not any((folder / name).is_file() for name in FILES):
        raise ModelError(f"The adapter in {folder.name}/ has no weights ({FILES[0]} is missing). {AGAIN}")


def check_plain(folder: Path) -> None:
    """Raise ModelError where a LoRA adapter is more than (α/r)·B·A, which is all that llama.cpp adds to a layer.

    It would take one scale for all layers, and answer with the adapter at another strength, or without a part of it.
    """
    config = adapter_config(folder)
    more = [name for name in MORE if config.get(name) not in (None, False, "none", [], {})]
    if more:
        raise ModelError(
            f"The adapter in {folder.name}/ is more than a plain LoRA ({', '.join(more)}), and llama.cpp would leave that out. "
            "Fold it into its base instead: forge_lib.export.merge.save_merged, then convert_f16."
        )


def check_whole(folder: Path, model, called: str = "default") -> None:
    """Raise ModelError unless the folder holds all tensors that this PeftModel takes from it, no more, and all finite.

    called: which of the model's adapters it is.

    PEFT leaves a matrix at its start where the file lacks it, and passes over one that has no place.
    """
    from peft import get_peft_model_state_dict, load_peft_weights

    there = load_peft_weights(str(folder), device="cpu")
    wanted = get_peft_model_state_dict(
        model, adapter_name=called, save_embedding_layers=False
    )  # "auto" would ask the Hub
    missing = sorted(wanted.keys() - there.keys())
    foreign = sorted(name for name in there.keys() - wanted.keys() if ".lora_" in name)
    broken = sorted(name for name, tensor in there.items() if not tensor.isfinite().all())
    for names, what in ((missing, "lacks"), (foreign, "has no place for"), (broken, "has no numbers in")):
        if names:
            raise ModelError(
                f"The adapter in {folder.name}/ is damaged, or of another base: it {what} {len(names)} of its "
                f"{len(wanted)} tensors, the first {names[0]}. {AGAIN}"
            )


def with_adapter(base, adapter: Path, name: str, trainable: bool = False, called: str = "default"):
    """A PeftModel of `base` (called `name`) and all that the adapter's folder holds. Raises ModelError unless both are whole.

    Where `base` is a PeftModel already, the adapter becomes one more of it, named `called`; the active one stays.
    """
    from peft import PeftModel

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Found missing adapter keys")  # `check_whole` refuses
            if isinstance(base, PeftModel):
                base.load_adapter(str(adapter), called, is_trainable=trainable)
                model = base
            else:
                model = PeftModel.from_pretrained(base, adapter, called, is_trainable=trainable)
    except _DAMAGE as error:
        raise ModelError(
            f"The adapter in {adapter.name}/ is damaged or does not fit the base {name}: {said(error, -1)} "
            f"Load it with the profile it was trained on. {AGAIN}"
        ) from error
    check_whole(adapter, model, called)
    return model


def record_base(model, folder: Path) -> None:
    """Write a few numbers of the base's embeddings into the adapter's folder, for `check_same_base`."""
    record_weight(_embeddings(model), model.name_or_path, folder)


def record_weight(embeddings: torch.Tensor, base: str, folder: Path) -> None:
    """`record_base` by the embeddings themselves, (128 rows or more, D), and the base's name."""
    numbers = _sample(embeddings)
    if numbers:
        write_atomically(folder / BASE_FILE, json.dumps({"base": base, "embedding": numbers}) + "\n")


def check_same_base(folder: Path, model, base: str) -> None:
    """Raise ModelError where the adapter was trained on other weights than this model's, under whatever name.

    base: what to call this model's weights. An adapter without a record (of another library) passes.
    """
    check_same_weight(folder, _embeddings(model), base)


def check_same_weight(folder: Path, embeddings: torch.Tensor, base: str) -> None:
    """`check_same_base` by the embeddings themselves, of which the first 128 rows are enough."""
    path, here = folder / BASE_FILE, _sample(embeddings)
    if not path.exists() or not here:
        return
    there = read_json(path, f"Delete it, and the name alone tells its base. {AGAIN}", ModelError).get("embedding")
    if not isinstance(there, list) or not _alike(there, here):
        raise ModelError(
            f"The adapter in {folder.name}/ was trained on other weights than those of {base}, though of the same name. "
            "The embedded base is a 4-bit file widened to 16 bits, which the Hub's is not: load the adapter with the "
            "profile it was trained on, or train again."
        )


def _embeddings(model) -> torch.Tensor:
    """The base's input embeddings (V, D), or those of their rows that this device holds."""
    layer = model.get_input_embeddings()
    for inner in ("base_layer", "original_module"):  # of PEFT's wrappers: what was there before
        layer = getattr(layer, inner, layer)
    return layer.weight.to_local() if hasattr(layer.weight, "to_local") else layer.weight


def _sample(weight: torch.Tensor, rows: int = 64) -> list[float] | None:
    """One number each of 64 rows of the embeddings, in 16 bits; None where a device holds only a part of them."""
    if weight.dim() != 2 or len(weight) < 2 * rows:
        return None
    at = torch.arange(rows)  # not from the first row on: special tokens stand there, some never trained
    return weight.detach()[at + rows, at % weight.shape[1]].to("cpu", torch.bfloat16).tolist()


def _alike(there: list, here: list[float]) -> bool:
    """Equal but for the rounding to a 16-bit type that one of the two was loaded in."""
    pairs = [(a, b) for a, b in zip(there, here, strict=False) if isinstance(a, int | float)]
    return len(there) == len(here) and sum(abs(a - b) <= abs(b) / 128 for a, b in pairs) >= 0.9 * len(here)
