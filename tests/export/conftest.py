"""What several files of these tests ask: an adapter of the embedded base, and the base as GGUF files."""

import pytest
import torch

from forge_lib.export import gguf
from forge_lib.lab.profiles import PROFILES
from forge_lib.models.load import load_base
from forge_lib.training.sft import add_lora, save_adapter

CPU = PROFILES["cpu"]


@pytest.fixture(scope="session")
def adapter(tmp_path_factory):
    """An adapter of the embedded base whose B is not zero, so that merging does something."""
    torch.manual_seed(0)
    model = add_lora(load_base(CPU, "float32"), CPU)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.01)
    return save_adapter(model, tmp_path_factory.mktemp("run") / "adapter")


@pytest.fixture(scope="session")
def f16(tmp_path_factory, tokenizer):
    """The embedded base as an F16 GGUF file, by llama.cpp's own converter."""
    folder = tmp_path_factory.mktemp("export")
    load_base(CPU, "float32").save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")
    return gguf.convert_f16(folder / "base", folder / "model-F16.gguf")


@pytest.fixture(scope="session")
def q8(f16):
    """The same in Q8_0."""
    return gguf.quantize(f16, f16.with_name("model-Q8_0.gguf"), "Q8_0")
