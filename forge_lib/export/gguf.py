"""GGUF: convert with llama.cpp's own converter, quantize, reload, and answer questions from the file."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from forge_lib import CACHE
from forge_lib.chat import encode_prompt
from forge_lib.data.pairs import DataSet, Pair
from forge_lib.evaluation.contenders import Contender, messages_for
from forge_lib.models import Completion
from forge_lib.runs import check_disk, fresh_folder


class ExportError(RuntimeError):
    """An export that failed or came out wrong; the message names the mend."""


def converter() -> Path:
    """llama.cpp's `convert_hf_to_gguf.py`, of the very version that llama-cpp-python was built from.

    Its wheel leaves the converter out and its source archive holds it, so that archive is fetched from the package
    index once (no build) and unpacked under `.cache/`. `make install` does this, so that the course runs offline.
    """
    version = importlib.metadata.version("llama-cpp-python")
    home = CACHE / f"llama.cpp-{version}"
    script = home / "convert_hf_to_gguf.py"
    if not script.exists():
        with tempfile.TemporaryDirectory() as download, fresh_folder(home) as work:
            _fetch_source(version, Path(download))
            _unpack_converter(next(Path(download).glob("*.tar.gz")), work)
    return script


def _fetch_source(version: str, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
               "--no-binary", "llama-cpp-python", "--dest", str(folder), f"llama-cpp-python=={version}"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    if not list(folder.glob("*.tar.gz")):
        raise ExportError(
            "The GGUF converter is not here and the package index could not be reached: "
            f"{done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no message'}. "
            "Run `make install` once with network; after that the course is offline."
        )


def _unpack_converter(archive: Path, folder: Path) -> None:
    marker = "/vendor/llama.cpp/"
    wanted = ("convert_hf_to_gguf.py", "convert_lora_to_gguf.py", "conversion/", "gguf-py/gguf/")
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            _, found, inner = member.name.partition(marker)
            if found and member.isfile() and inner.startswith(wanted):
                target = folder / inner
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(tar.extractfile(member).read())


def convert_f16(model_folder: Path, target: Path) -> Path:
    """A Hugging Face model folder as one F16 GGUF file. Raises ExportError with the converter's last line."""
    check_disk(target.parent, 2 * sum(f.stat().st_size for f in model_folder.iterdir()) / 2**30)
    temporary = target.with_suffix(".part")
    script = converter()
    environment = {**os.environ, "PYTHONPATH": str(script.parent / "gguf-py")}
    done = subprocess.run(
        [sys.executable, str(script), str(model_folder), "--outtype", "f16", "--outfile", str(temporary)],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    if done.returncode:
        temporary.unlink(missing_ok=True)
        raise ExportError(f"llama.cpp could not convert {model_folder.name}/: {done.stderr.strip().splitlines()[-1]}")
    temporary.rename(target)
    return target


def quantize(source: Path, target: Path, kind: str) -> Path:
    """Quantize an F16 GGUF to `kind`, e.g. "Q8_0", "Q5_1", "Q4_K_M"."""
    import llama_cpp

    types = {name.removeprefix("LLAMA_FTYPE_MOSTLY_"): value for name, value in vars(llama_cpp).items()
             if name.startswith("LLAMA_FTYPE_MOSTLY_")}  # fmt: skip
    if kind not in types:
        raise ExportError(f"llama.cpp knows no format '{kind}'. Choose one of: {', '.join(sorted(types))}.")
    temporary = target.with_suffix(".part")
    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = types[kind]
    options.nthread = os.cpu_count() or 1
    failed = llama_cpp.llama_model_quantize(str(source).encode(), str(temporary).encode(), options)
    if failed:
        temporary.unlink(missing_ok=True)
        raise ExportError(f"Quantizing {source.name} to {kind} failed (code {failed}); is the disk full?")
    temporary.rename(target)
    return target


def load_gguf(file: Path, context: int = 2048):
    """A GGUF file in llama-cpp-python, on the CPU or whatever its build offers."""
    from llama_cpp import Llama

    if not file.exists():
        raise ExportError(f"{file.name} is not there; notebook 07_quantization makes it.")
    return Llama(str(file), n_ctx=context, n_gpu_layers=-1, n_threads=os.cpu_count(), n_threads_batch=os.cpu_count(),
                 verbose=False, seed=0)  # fmt: skip


def gguf_model(llm, tokenizer, data: DataSet, max_new_tokens: int) -> Contender:
    """Greedy answers from a loaded GGUF. Questions are asked database by database: llama.cpp then keeps the schema's
    keys and values in its cache and reads it once."""

    def answer(pairs: Sequence[Pair]) -> list[Completion]:
        prompts = [encode_prompt(tokenizer, messages_for(data, p)) for p in pairs]
        done: list[Completion | None] = [None] * len(pairs)
        for i in sorted(range(len(pairs)), key=lambda i: prompts[i].prefix):
            began = time.perf_counter()
            ids = [*prompts[i].prefix, *prompts[i].rest]
            reply = llm.create_completion(ids, max_tokens=max_new_tokens, temperature=0.0)
            choice, usage = reply["choices"][0], reply["usage"]
            done[i] = Completion(choice["text"], len(ids), usage["completion_tokens"],
                                 time.perf_counter() - began, choice["finish_reason"] == "stop")  # fmt: skip
        return done

    return answer


def same_token_ids(llm, tokenizer, texts: Sequence[str]) -> float:
    """Share of `texts` (0 to 1) that llama.cpp and the Hugging Face tokenizer cut into the same ids."""
    equal = [
        llm.tokenize(t.encode(), add_bos=False, special=True) == tokenizer(t, add_special_tokens=False)["input_ids"]
        for t in texts
    ]
    return sum(equal) / len(equal)


def file_facts(file: Path) -> dict:
    """Size in MB and SHA-256, for the table and the model card."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return {"file": file.name, "megabytes": file.stat().st_size / 1e6, "sha256": digest.hexdigest()}
