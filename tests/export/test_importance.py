"""Importance: measured on training prompts, written and read, and used by llama.cpp in its rounding."""

import dataclasses

import numpy as np
import pytest
import torch

from forge_lib.export import gguf
from forge_lib.export.gguf import ExportError
from forge_lib.export.importance import Importance, load_importance, measure_importance, save_importance
from forge_lib.models.chat import encode
from forge_lib.models.embedded import ModelError

pytestmark = pytest.mark.slow


@pytest.fixture
def measured(tiny_llama, tokenizer, library) -> Importance:
    return measure_importance(tiny_llama, tokenizer, library, library.train)


def test_it_is_the_mean_square_of_what_a_layer_is_given(tiny_llama, tokenizer, library, measured):
    ids = [encode(tokenizer, library.messages(i), i.answer).input_ids for i in library.train]
    norm = tiny_llama.model.layers[0].input_layernorm
    with torch.inference_mode():
        x = torch.cat([norm(tiny_llama.model.embed_tokens(torch.tensor(row))) for row in ids])  # (tokens, 32)
    assert len(x) == measured.tokens and len(measured.means) == 14
    assert np.allclose(measured.means["blk.0.attn_q.weight"], x.square().mean(0).numpy(), rtol=1e-4)
    assert np.array_equal(measured.means["blk.0.attn_q.weight"], measured.means["blk.0.attn_k.weight"])
    assert {name: v.shape for name, v in measured.means.items()}["blk.1.ffn_down.weight"] == (64,)
    assert not any(m._forward_hooks for m in tiny_llama.modules()), "the hooks are gone"


def test_it_is_read_as_it_was_written(measured, tmp_path):
    from gguf import GGUFReader

    file = save_importance(measured, tmp_path / "model.imatrix", "course, training items")
    again = load_importance(file)
    assert again.tokens == measured.tokens and again.means.keys() == measured.means.keys()
    assert all(np.allclose(again.means[n], measured.means[n], rtol=1e-5) for n in again.means)
    fields = GGUFReader(file).fields
    assert fields["general.type"].contents() == "imatrix" and "general.architecture" not in fields
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_llama_cpp_rounds_the_channels_that_count_more_finely(f16, tmp_path):
    """Without weights the error of all channels counts alike; with them it moves to those that carry nothing."""
    from gguf import GGUFReader, dequantize

    name = "blk.0.attn_output.weight"
    heavy = np.arange(576) % 32 == 0  # a channel of each block
    weights = {name: np.where(heavy, 1000.0, 1.0)}
    files = [
        gguf.quantize(f16, tmp_path / "plain.gguf", "Q4_0"),
        gguf.quantize(f16, tmp_path / "weighted.gguf", "Q4_0", weights),
    ]
    whole, plain, weighted = (
        {t.name: dequantize(t.data, t.tensor_type) for t in GGUFReader(f).tensors} for f in (f16, *files)
    )
    for at, better in ((heavy, True), (~heavy, False)):
        before, after = (float(np.square(q[name] - whole[name])[:, at].mean()) for q in (plain, weighted))
        assert (after < 0.7 * before) is better
    other = "blk.1.attn_output.weight"
    assert np.array_equal(plain[other], weighted[other]), "what is not named is rounded as without"


def test_importance_of_another_model_is_refused(f16, tmp_path):
    with pytest.raises(ExportError, match="Quantizing model-F16.gguf to Q4_0 failed: .*imatrix"):
        gguf.quantize(f16, tmp_path / "x.gguf", "Q4_0", {"blk.0.attn_q.weight": np.ones(32)})
    assert list(tmp_path.iterdir()) == []


def test_bad_input_is_a_sentence(tiny_llama, tokenizer, library, tmp_path, f16):
    with pytest.raises(ExportError, match="no item"):
        measure_importance(tiny_llama, tokenizer, library, [])
    (tmp_path / "torn.imatrix").write_bytes(b"GGUF")
    for file, message in ((tmp_path / "none", "cannot be read"), (tmp_path / "torn.imatrix", "torn.imatrix"),
                          (f16, "no importance matrix")):  # fmt: skip
        with pytest.raises((ExportError, ModelError), match=message):
            load_importance(file)


def test_a_model_that_still_has_its_adapter_is_refused(tiny_llama, tokenizer, library):
    from forge_lib.lab.profiles import PROFILES
    from forge_lib.training.sft import add_lora

    adapted = add_lora(tiny_llama, dataclasses.replace(PROFILES["cpu"], lora_rank=2))
    with pytest.raises(ExportError, match="merge the adapter first"):
        measure_importance(adapted, tokenizer, library, library.train)
