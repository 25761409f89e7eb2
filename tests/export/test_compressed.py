"""AWQ, GPTQ and HQQ live in another environment: what is missing ends in a sentence, and nothing is left half-made."""

import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from forge_lib import ROOT
from forge_lib.export.compressed import METHODS, compress, unpacked
from forge_lib.lab.files import RunError

HERE = Path(sys.executable)  # the course's own Python, which has no llm-compressor
PYTHON = ROOT / ".venv-quantize" / "bin" / "python"


@pytest.fixture
def model(tmp_path) -> Path:
    (tmp_path / "merged").mkdir()
    (tmp_path / "merged" / "config.json").write_text("{}")
    return tmp_path / "merged"


def test_a_python_without_llm_compressor_is_a_sentence(model, tmp_path):
    with pytest.raises(RunError, match="llm-compressor is not installed.*requirements-quantize.txt"):
        compress(HERE, model, tmp_path / "awq", "awq", [[1, 2, 3]])
    with pytest.raises(RunError, match="llm-compressor is not installed"):
        unpacked(HERE, model, tmp_path / "plain")
    assert [p.name for p in tmp_path.iterdir()] == ["merged"]


@pytest.mark.parametrize(
    "change, message",
    [({"method": "int2"}, "no method 'int2'.*awq, gptq, hqq"), ({"model": Path("nowhere")}, "no model in nowhere/"),
     ({"examples": []}, "no example"), ({"python": Path("nowhere/python")}, "does not run.*python -m venv")],
)  # fmt: skip
def test_bad_input_is_a_sentence(model, tmp_path, change, message):
    asked = {"python": HERE, "model": model, "target": tmp_path / "awq", "method": "awq", "examples": [[1]]} | change
    with pytest.raises(RunError, match=message):
        compress(**asked)
    assert [p.name for p in tmp_path.iterdir()] == ["merged"]


@pytest.mark.slow
@pytest.mark.skipif(not PYTHON.exists(), reason="there is no .venv-quantize (requirements-quantize.txt)")
@pytest.mark.parametrize("method", METHODS)
def test_what_was_compressed_is_reloaded_near_what_it_was_made_of(method, random_llama, tokenizer, tmp_path):
    model = random_llama(hidden_size=64, intermediate_size=128)
    model.save_pretrained(tmp_path / "merged")
    tokenizer.save_pretrained(tmp_path / "merged")
    folder = compress(PYTHON, tmp_path / "merged", tmp_path / method, method, [list(range(50, 90))] * 4)
    plain = AutoModelForCausalLM.from_pretrained(unpacked(PYTHON, folder, tmp_path / "plain"))
    weights = {name: p for name, p in model.named_parameters() if name.endswith("_proj.weight")}
    found = dict(plain.named_parameters())
    off = {name: ((found[name] - w).norm() / w.norm()).item() for name, w in weights.items()}
    assert len(off) >= 7 and min(off.values()) > 0 and max(off.values()) < 0.25  # 16 levels a group
    torch.testing.assert_close(found["model.embed_tokens.weight"], model.get_input_embeddings().weight)
