"""AWQ and GPTQ by llm-compressor, HQQ by its authors' library: they want an environment of their own. A program that its
Python runs, and its callers.

The course's side gives token ids and folders and gets folders, so nothing of the course but this file runs over there:
`python -m venv .venv-quantize && DISABLE_CUDA=1 .venv-quantize/bin/pip install -r requirements-quantize.txt`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from forge_lib import ROOT
from forge_lib.lab.files import RunError, fresh_folder

METHODS = ("awq", "gptq", "hqq")
_GROUPS = (128, 64, 32)  # weights that share a scale; 128 is usual, and 576 is no multiple of it


def compress(python: Path, model: Path, target: Path, method: str, examples: Sequence[Sequence[int]]) -> Path:
    """Quantize a merged folder to 4 bits a weight and leave activations as they are (W4A16).

    python: of the environment that has llm-compressor and hqq; method: "awq" (Lin et al. 2023,
    https://arxiv.org/abs/2306.00978) or "gptq" (Frantar et al. 2022, https://arxiv.org/abs/2210.17323), stored as
    compressed-tensors, or "hqq" (Badri and Shaji 2023, https://dropbox.github.io/hqq_blog/), stored as its library does;
    examples: token ids of training prompts with their answers, to calibrate on ("hqq" does not look at them). The head is
    not quantized. Raises RunError with the other side's last line.
    """
    if method not in METHODS:
        raise RunError(f"There is no method '{method}' here. Choose one of: {', '.join(METHODS)}.")
    if not (model / "config.json").exists():
        raise RunError(f"There is no model in {model.name}/; merge the adapter first (07_quantization).")
    if not examples:
        raise RunError("There is no example to calibrate on; give token ids of some training prompts.")
    with fresh_folder(target) as work:
        _ask(python, {"do": "compress", "model": str(model.resolve()), "target": str(work.resolve()),
                      "method": method, "examples": [list(e) for e in examples]})  # fmt: skip
    return target


def unpacked(python: Path, folder: Path, target: Path) -> Path:
    """Reload a compressed folder over there, by the library that it was made for, and write the weights that its layers
    multiply with as a plain folder in float32, which everything here can load and score.

    Raises RunError with the other side's last line.
    """
    if not (folder / "config.json").exists():
        raise RunError(f"There is no model in {folder.name}/; make it with forge_lib.export.compressed.compress.")
    with fresh_folder(target) as work:
        _ask(python, {"do": "unpack", "model": str(folder.resolve()), "target": str(work.resolve())})
    return target


def _ask(python: Path, request: dict):
    """What this file, run by another environment's Python, answers to a request."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TOKENIZERS_PARALLELISM": "false"}
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "request.json", Path(folder) / "answer.json"
        asked.write_text(json.dumps(request))
        command = [str(python), "-m", "forge_lib.export.compressed", str(asked), str(answered)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
        except OSError as error:
            raise RunError(
                f"{python.name} of the quantization environment does not run ({error.strerror}). Make it: python -m venv "
                ".venv-quantize && DISABLE_CUDA=1 .venv-quantize/bin/pip install -r requirements-quantize.txt"
            ) from error
        if done.returncode:
            last = (done.stderr.strip() or "no message").splitlines()[-1]
            raise RunError(f"The quantization environment's side failed: {last}")
        return json.loads(answered.read_text())


def _group_size(model) -> int:
    """How many weights of a row may share a scale, in all layers but the head."""
    head = model.get_output_embeddings()
    rows = {m.in_features for m in model.modules() if type(m).__name__ == "Linear" and m is not head}
    size = next((g for g in _GROUPS if all(n % g == 0 for n in rows)), None)
    if size is None:
        raise RunError(f"Rows of {sorted(rows)} weights do not divide into groups of {', '.join(map(str, _GROUPS))}.")
    return size


def _compress(request: dict) -> dict:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(request["model"], dtype="float32")
    tokenizer, size = AutoTokenizer.from_pretrained(request["model"]), _group_size(model)
    if request["method"] == "hqq":
        _by_hqq(model, size, request["target"])
    else:
        _by_llm_compressor(model, tokenizer, size, request)
    tokenizer.save_pretrained(request["target"])
    return {"group_size": size}


def _by_llm_compressor(model, tokenizer, size: int, request: dict) -> None:
    import torch
    from datasets import Dataset
    from llmcompressor import oneshot
    from llmcompressor.modifiers.gptq import GPTQModifier
    from llmcompressor.modifiers.quantization import QuantizationModifier
    from llmcompressor.modifiers.transform.awq import AWQModifier
    from llmcompressor.pipelines.cache import IntermediatesCache

    if not torch.accelerator.is_available():  # AWQ of 0.14 pins what it keeps for a card, and fails where there is none
        IntermediatesCache.pin_memory = lambda *_, **__: None
    awq = request["method"] == "awq"  # zero points for AWQ, as its authors have it
    weights = {"num_bits": 4, "type": "int", "symmetric": not awq, "strategy": "group", "group_size": size}
    scheme = {"config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}}, "ignore": ["lm_head"]}
    recipe = [AWQModifier(), QuantizationModifier(**scheme)] if awq else [GPTQModifier(**scheme)]
    data = Dataset.from_dict(
        {"input_ids": request["examples"], "attention_mask": [[1] * len(e) for e in request["examples"]]}
    )
    oneshot(
        model=model, tokenizer=tokenizer, dataset=data, recipe=recipe, num_calibration_samples=len(data),
        max_seq_length=max(map(len, request["examples"])), output_dir=request["target"],
    )  # fmt: skip


def _by_hqq(model, size: int, target: str) -> None:
    import torch
    from hqq.core.quantize import BaseQuantizeConfig
    from hqq.models.hf.base import AutoHQQHFModel

    scheme = BaseQuantizeConfig(nbits=4, group_size=size)
    AutoHQQHFModel.quantize_model(model, scheme, compute_dtype=torch.float32, device="cpu")
    AutoHQQHFModel.save_quantized(model, target)


def _unpack(request: dict) -> dict:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, CompressedTensorsConfig

    folder = Path(request["model"])
    if (folder / "qmodel.pt").exists():  # the name that hqq gives its weights
        from hqq.models.hf.base import AutoHQQHFModel

        model = AutoHQQHFModel.from_quantized(str(folder), compute_dtype=torch.float32, device="cpu")
    else:
        as_floats = CompressedTensorsConfig(run_compressed=False)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32", quantization_config=as_floats)
    weights = dict(model.named_parameters())
    weights |= {
        f"{name}.weight": m.dequantize() for name, m in model.named_modules() if type(m).__name__ == "HQQLinear"
    }
    config = AutoConfig.from_pretrained(folder)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for name, parameter in plain.named_parameters():
            parameter.copy_(weights[name])
    plain.save_pretrained(request["target"])
    AutoTokenizer.from_pretrained(folder).save_pretrained(request["target"])
    return {}


def main(asked: str, answered: str) -> None:
    """Answer one request: `python -m forge_lib.export.compressed REQUEST.json ANSWER.json`, over there."""
    if importlib.util.find_spec("llmcompressor") is None:
        sys.exit(
            "llm-compressor is not installed in this Python. It wants an environment of its own: python -m venv "
            ".venv-quantize && DISABLE_CUDA=1 .venv-quantize/bin/pip install -r requirements-quantize.txt"
        )
    request = json.loads(Path(asked).read_text())
    try:
        answer = _compress(request) if request["do"] == "compress" else _unpack(request)
    except RunError as error:
        sys.exit(str(error))
    Path(answered).write_text(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
