"""GGUF: convert with llama.cpp's own converter, quantize, reload, and answer questions from the file."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.metadata
import itertools
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from forge_lib import CACHE
from forge_lib.chat import encode_prompt
from forge_lib.data.pairs import DataSet, Pair
from forge_lib.evaluation.contenders import Contender, messages_for
from forge_lib.files import beside
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
    script = converter()
    environment = {**os.environ, "PYTHONPATH": str(script.parent / "gguf-py")}
    with _whole_file(target) as temporary:
        command = [sys.executable, str(script), str(model_folder), "--outtype", "f16", "--outfile", str(temporary)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode:
            last = (done.stderr.strip() or "no message").splitlines()[-1]
            raise ExportError(f"llama.cpp could not convert {model_folder.name}/: {last}")
    return target


def quantize(source: Path, target: Path, kind: str) -> Path:
    """Quantize an F16 GGUF to `kind`, e.g. "Q8_0", "Q5_1", "Q4_K_M"."""
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
    with _whole_file(target) as temporary, _quiet() as log:
        failed = llama_cpp.llama_model_quantize(str(source).encode(), str(temporary).encode(), options)
        if failed:
            why = (log or ["no message"])[-1].strip().replace(str(source), source.name)
            raise ExportError(
                f"Quantizing {source.name} to {kind} failed: {why}. "
                f"Is {source.name} whole? Delete it and run 07_quantization again."
            )
    return target


@contextlib.contextmanager
def _whole_file(target: Path) -> Iterator[Path]:
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
    from gguf import GGUFReader

    try:
        return Counter(t.tensor_type.name for t in GGUFReader(file).tensors)
    except (ValueError, IndexError, KeyError) as error:
        raise _broken(file) from error


def _broken(file: Path) -> ExportError:
    return ExportError(
        f"{file.name} is no whole GGUF file (an interrupted copy or download?). Delete it and run 07_quantization again."
    )


SLOTS = 16  # questions answered at once; weights are read from memory once a step for all of them


def load_gguf(file: Path, context: int = 4096, **options):
    """A GGUF file in llama-cpp-python (a `Llama`), on the CPU or whatever its build offers.

    As many threads as PyTorch uses, so that OMP_NUM_THREADS holds here too: llama.cpp's threads wait for each other
    by spinning, and on a busy machine one thread too many makes it ten times slower. `options` go to `Llama`.
    """
    from llama_cpp import Llama

    if not file.exists():
        raise ExportError(f"{file.name} is not there; notebook 07_quantization makes it.")
    threads = torch.get_num_threads()
    try:
        with _defaults():
            return Llama(str(file), n_ctx=context, n_batch=context, n_gpu_layers=-1, n_threads=threads,
                         n_threads_batch=threads, verbose=False, seed=0, **options)  # fmt: skip
    except ValueError as error:
        raise _broken(file) from error


@contextlib.contextmanager
def _defaults() -> Iterator[None]:
    """Two settings of llama.cpp that `Llama` has no argument for.

    Several sequences in one cache; and no AMX tiles: GCC 12 (Debian 12) miscompiles their set-up, and Q8_0 and
    K-quants then crash the process on recent Xeons.
    """
    from llama_cpp import llama_cpp as low

    models, contexts = low.llama_model_default_params, low.llama_context_default_params

    def model_defaults():
        params = models()
        params.use_extra_bufts = False
        return params

    def context_defaults():
        params = contexts()
        params.n_seq_max, params.kv_unified = SLOTS, True
        return params

    low.llama_model_default_params, low.llama_context_default_params = model_defaults, context_defaults
    try:
        yield
    finally:
        low.llama_model_default_params, low.llama_context_default_params = models, contexts


def gguf_model(llm, tokenizer, data: DataSet, max_new_tokens: int, slots: int = SLOTS) -> Contender:
    """Greedy answers from a loaded GGUF, up to `slots` questions of one database at once (1: one after the other).

    Token ids go in as the tokenizer made them (no BOS, no second template), and ids come out. The schema of a
    database is read once.
    """

    def answer(pairs: Sequence[Pair]) -> list[Completion]:
        prompts = [encode_prompt(tokenizer, messages_for(data, p)) for p in pairs]
        done: list[Completion | None] = [None] * len(pairs)
        order = sorted(range(len(pairs)), key=lambda i: prompts[i].prefix)
        for prefix, group in itertools.groupby(order, key=lambda i: prompts[i].prefix):
            rows, began = list(group), time.perf_counter()
            answers = complete(llm, prefix, [prompts[i].rest for i in rows], max_new_tokens, slots)
            seconds = (time.perf_counter() - began) / len(rows)
            for i, (ids, finished) in zip(rows, answers, strict=True):
                text = tokenizer.decode(ids, skip_special_tokens=True)
                done[i] = Completion(text, len(prompts[i]), len(ids) - finished, seconds, finished, tuple(ids))
        return done

    return answer


def complete(
    llm, prefix: Sequence[int], rests: Sequence[Sequence[int]], limit: int, slots: int = SLOTS
) -> list[tuple[list[int], bool]]:
    """Greedy new ids (end-of-turn included) after `prefix` + each of `rests`, and whether each ended by itself.

    The prefix is evaluated once, as sequence 0 of llama.cpp's cache; every question continues a copy of it.
    """
    from llama_cpp import llama_cpp as low

    vocabulary, memory = low.llama_model_get_vocab(llm.model), low.llama_get_memory(llm.ctx)
    low.llama_memory_clear(memory, True)
    llm.reset()  # `Llama` remembers what it believes to be in the cache
    evaluate_tokens(llm, [(0, 0, prefix)])
    answers: list[list[int]] = [[] for _ in rests]
    finished = [False] * len(rests)
    for alive in rounds(len(prefix), [len(r) for r in rests], limit, slots, llm.n_ctx()):
        first, rows = alive[0], []
        room = llm.n_ctx() - len(prefix) - max(len(rests[n]) for n in alive)  # less than the limit for a lone long one
        for n in alive:
            if n > first:  # the first question of a round continues the prefix itself
                low.llama_memory_seq_cp(memory, 0, n - first, 0, len(prefix))
            rows.append((n - first, len(prefix), rests[n]))
        for _ in range(min(limit, room)):
            for n, logits in zip(alive, evaluate_tokens(llm, rows), strict=True):
                answers[n].append(int(logits.argmax()))
                finished[n] = low.llama_vocab_is_eog(vocabulary, answers[n][-1])
            alive = [n for n in alive if not finished[n]]
            rows = [(n - first, len(prefix) + len(rests[n]) + len(answers[n]) - 1, answers[n][-1:]) for n in alive]
            if not rows:
                break
        for slot in range(slots):
            low.llama_memory_seq_rm(memory, slot, len(prefix) if slot == 0 else 0, -1)
    low.llama_memory_clear(memory, True)
    return list(zip(answers, finished, strict=True))


def rounds(prefix: int, rests: Sequence[int], limit: int, slots: int, context: int) -> list[list[int]]:
    """Which questions (by number) are answered at once: up to `slots`, as many as fit into the context with the prefix.

    prefix, rests: tokens of the shared part and of each question; limit: most tokens of an answer. A question that
    does not fit with a whole answer gets a round of its own, and what room there is. Raises ExportError where there is none.

    >>> rounds(100, [10, 10, 10], 50, slots=16, context=220)
    [[0, 1], [2]]
    """
    if rests and prefix + max(rests) >= context:
        raise ExportError(
            f"A prompt of {prefix + max(rests)} tokens leaves no room for an answer in a context of {context}; "
            "load the model with a larger one: load_gguf(file, context=…)."
        )
    found: list[list[int]] = []
    used = context
    for n, rest in enumerate(rests):
        if used + rest + limit > context or len(found[-1]) == slots:
            found.append([])
            used = prefix
        found[-1].append(n)
        used += rest + limit
    return found


def evaluate_tokens(llm, rows: Sequence[tuple[int, int, Sequence[int]]], every: bool = False) -> list[np.ndarray]:
    """One forward pass of llama.cpp over rows (sequence, position of the first token, tokens).

    Returns the logits (V,) after each row's last token; after each of its tokens (T, V) when `every`.
    Raises ExportError when the rows do not fit into the context.
    """
    from llama_cpp import llama_cpp as low

    flat = [(s, at + n, t, every or n == len(tokens) - 1) for s, at, tokens in rows for n, t in enumerate(tokens)]
    batch = low.llama_batch_init(len(flat), 0, 1)
    try:
        for i, (sequence, position, token, wanted) in enumerate(flat):
            batch.token[i], batch.pos[i], batch.logits[i] = token, position, wanted
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, sequence
        batch.n_tokens = len(flat)
        failed = low.llama_decode(llm.ctx, batch)
        if failed:
            raise ExportError(
                f"llama.cpp could not evaluate {len(flat)} tokens (code {failed}); "
                f"load the model with a context of more than {llm.n_ctx()} tokens."
            )
        wanted = [i for i, row in enumerate(flat) if row[3]]
        found = [np.ctypeslib.as_array(low.llama_get_logits_ith(llm.ctx, i), (llm.n_vocab(),)).copy() for i in wanted]
    finally:
        low.llama_batch_free(batch)
    if not every:
        return found
    ends = np.cumsum([len(tokens) for _, _, tokens in rows])[:-1]
    return np.split(np.stack(found), ends)


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
