"""AWQ, GPTQ and HQQ live in another environment: what is missing ends in a sentence, and nothing is left half-made."""

import sys
from pathlib import Path

import pytest

from forge_lib.export.compressed import compress, unpacked
from forge_lib.lab.files import RunError

HERE = Path(sys.executable)  # the course's own Python, which has no llm-compressor


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
