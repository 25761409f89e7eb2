"""AWQ and GPTQ by llm-compressor, which wants an environment of its own: a program that its Python runs, and its callers.

The course's side gives token ids and gets token ids, so nothing of the course but this file has to run over there:
`python -m venv .venv-quantize && .venv-quantize/bin/pip install -r requirements-quantize.txt`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from forge_lib import ROOT
from forge_lib.lab.files import RunError, fresh_folder

_METHODS = ("awq", "gptq")
_GROUPS = (128, 64, 32)  # weights that share a scale; 128 is usual, and 576 is no multiple of it


def compress(python: Path, model: Path, target: Path, method: str, examples: Sequence[Sequence[int]]) -> Path:
    """Quantize a merged folder to 4 bits a weight, 16 bits an activation (W4A16), with weights as compressed-tensors.

    python: of the environment that has llm-compressor; method: "awq" (Lin et al. 2023, https://arxiv.org/abs/2306.00978)
    or "gptq" (Frantar et al. 2022, https://arxiv.org/abs/2210.17323); examples: token ids of training prompts with their
    answers, to calibrate on. The head stays in 16 bits. Raises RunError with the other side's last line.
    """
    if method not in _METHODS:
        raise RunError(f"There is no method '{method}' here. Choose one of: {', '.join(_METHODS)}.")
    if not (model / "config.json").exists():
        raise RunError(f"There is no model in {model.name}/; merge the adapter first (07_quantization).")
    if not examples:
        raise RunError("There is no example to calibrate on; give token ids of some training prompts.")
    with fresh_folder(target) as work:
        _ask(python, {"do": "compress", "model": str(model.resolve()), "target": str(work.resolve()),
                      "method": method, "examples": [list(e) for e in examples]})  # fmt: skip
    return target


def answers(
    python: Path, folder: Path, prompts: Sequence[Sequence[int]], max_new_tokens: int, stops: Sequence[int]
) -> list[dict]:
    """Greedy answers of a compressed folder, reloaded by transformers over there: {"ids": [...], "seconds": …} a prompt.

    stops: token ids that end an answer; the one that did is the last of its ids.
    """
    if not (folder / "config.json").exists():
        raise RunError(f"There is no model in {folder.name}/; make it with forge_lib.export.compressed.compress.")
    return _ask(python, {"do": "answer", "model": str(folder.resolve()), "prompts": [list(p) for p in prompts],
                         "limit": max_new_tokens, "stops": list(stops)})  # fmt: skip


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
                ".venv-quantize && .venv-quantize/bin/pip install -r requirements-quantize.txt"
            ) from error
        if done.returncode:
            last = (done.stderr.strip() or "no message").splitlines()[-1]
            raise RunError(f"llm-compressor's side failed: {last}")
        return json.loads(answered.read_text())


def _compress(request: dict) -> dict:
    import torch
    from datasets import Dataset
    from llmcompressor import oneshot
    from llmcompressor.modifiers.gptq import GPTQModifier
    from llmcompressor.modifiers.quantization import QuantizationModifier
    from llmcompressor.modifiers.transform.awq import AWQModifier
    from llmcompressor.pipelines.cache import IntermediatesCache
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if not torch.accelerator.is_available():  # AWQ of 0.14 pins what it keeps for a card, and fails where there is none
        IntermediatesCache.pin_memory = lambda *_, **__: None
    model = AutoModelForCausalLM.from_pretrained(request["model"], dtype="float32")
    head = model.get_output_embeddings()
    rows = {m.in_features for m in model.modules() if type(m).__name__ == "Linear" and m is not head}
    size = next((g for g in _GROUPS if all(n % g == 0 for n in rows)), None)
    if size is None:
        raise RunError(f"Rows of {sorted(rows)} weights do not divide into groups of {', '.join(map(str, _GROUPS))}.")
    awq = request["method"] == "awq"  # zero points for AWQ, as its authors have it
    weights = {"num_bits": 4, "type": "int", "symmetric": not awq, "strategy": "group", "group_size": size}
    scheme = {"config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}}, "ignore": ["lm_head"]}
    recipe = [AWQModifier(), QuantizationModifier(**scheme)] if awq else [GPTQModifier(**scheme)]
    data = Dataset.from_dict(
        {"input_ids": request["examples"], "attention_mask": [[1] * len(e) for e in request["examples"]]}
    )
    tokenizer = AutoTokenizer.from_pretrained(request["model"])
    oneshot(
        model=model, tokenizer=tokenizer, dataset=data, recipe=recipe, num_calibration_samples=len(data),
        max_seq_length=max(map(len, request["examples"])), output_dir=request["target"],
    )  # fmt: skip
    tokenizer.save_pretrained(request["target"])
    return {"group_size": size}


def _answer(request: dict) -> list[dict]:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(request["model"], dtype="auto").eval()
    found = []
    for prompt in request["prompts"]:
        began, ids = time.perf_counter(), torch.tensor([prompt])
        with torch.inference_mode():
            out = model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=request["limit"], do_sample=False,
                eos_token_id=request["stops"] or None, pad_token_id=request["stops"][0] if request["stops"] else 0,
            )  # fmt: skip
        found.append({"ids": out[0, len(prompt) :].tolist(), "seconds": time.perf_counter() - began})
    return found


def main(asked: str, answered: str) -> None:
    """Answer one request: `python -m forge_lib.export.compressed REQUEST.json ANSWER.json`, over there."""
    if importlib.util.find_spec("llmcompressor") is None:
        sys.exit(
            "llm-compressor is not installed in this Python. It wants an environment of its own: python -m venv "
            ".venv-quantize && .venv-quantize/bin/pip install -r requirements-quantize.txt"
        )
    request = json.loads(Path(asked).read_text())
    try:
        answer = _compress(request) if request["do"] == "compress" else _answer(request)
    except RunError as error:
        sys.exit(str(error))
    Path(answered).write_text(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
