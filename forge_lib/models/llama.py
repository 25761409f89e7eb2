"""Answers from a GGUF file by llama.cpp: several questions at once over one copy of what they share."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from forge_lib.models.chat import Prompt
from forge_lib.models.embedded import ModelError
from forge_lib.models.generate import Completion, Constraint, pick

SLOTS = 16  # questions answered at once; weights are read from memory once a step for all of them


def load_gguf(file: Path, context: int = 4096, adapter: Path | None = None, **options):
    """A GGUF file in llama-cpp-python (a `Llama`), on the CPU or whatever its build offers.

    adapter: a LoRA adapter as a GGUF file (`convert_adapter`), added to each layer as it runs; `file` is then its base.

    As many threads as PyTorch uses, so that OMP_NUM_THREADS holds here too: llama.cpp's threads wait for each other
    by spinning, and on a busy machine one thread too many makes it ten times slower. `options` go to `Llama`.
    """
    from llama_cpp import Llama

    if not file.exists():
        raise ModelError(f"{file.name} is not there; notebook 07_quantization makes it.")
    if adapter and not adapter.exists():
        raise ModelError(f"{adapter.name} is not there; make it with forge_lib.export.gguf.convert_adapter.")
    threads = torch.get_num_threads()
    if adapter:
        options["lora_path"] = str(adapter)
    try:
        with _defaults():
            llm = Llama(str(file), n_ctx=context, n_batch=context, n_gpu_layers=-1, n_threads=threads,
                        n_threads_batch=threads, verbose=False, seed=0, **options)  # fmt: skip
    except ValueError as error:
        raise broken(file) from error
    if adapter and not llm._lora_adapter:  # llama-cpp-python takes the null pointer for an adapter, and answers without
        llm.close()
        raise ModelError(
            f"{adapter.name} could not be put on {file.name}: it is damaged, or an adapter of a base of another shape. "
            "Make it anew from the adapter and its own base (forge_lib.export.gguf.convert_adapter)."
        )
    alive = weakref.ref(llm)  # one that a script still holds is freed before Python takes the library apart
    atexit.register(lambda: (held := alive()) and held.close())
    return llm


def broken(file: Path) -> ModelError:
    """The error for a file that is no whole GGUF file."""
    return ModelError(
        f"{file.name} is no whole GGUF file (an interrupted copy or download?). Delete it and run 07_quantization again."
    )


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


def generate_gguf(
    llm, tokenizer, prompts: Sequence[Prompt], max_new_tokens: int, slots: int = SLOTS,
    constraints: Sequence[Constraint | None] | None = None, temperature: float = 0.0,
) -> list[Completion]:  # fmt: skip
    """Completions in the order of `prompts`, up to `slots` questions of one prefix at once (1: one after the other).

    Token ids go in as the tokenizer made them (no BOS, no second template), and ids come out. A prefix is read once.
    constraints: one for each prompt, or None for a prompt that may be answered by anything. temperature: 0 is greedy, else
    every token is drawn from softmax(logits / temperature) by torch's generator, as `generate` does.
    """
    bounds = constraints or [None] * len(prompts)
    done: list[Completion | None] = [None] * len(prompts)
    order = sorted(range(len(prompts)), key=lambda i: prompts[i].prefix)
    for prefix, group in itertools.groupby(order, key=lambda i: prompts[i].prefix):
        rows, began = list(group), time.perf_counter()
        own = [bounds[i] for i in rows]
        answers = complete(llm, prefix, [prompts[i].rest for i in rows], max_new_tokens, slots, own, temperature)
        seconds = (time.perf_counter() - began) / len(rows)
        for i, (ids, finished) in zip(rows, answers, strict=True):
            text = tokenizer.decode(ids, skip_special_tokens=True)
            done[i] = Completion(text, len(prompts[i]), len(ids) - finished, seconds, finished, tuple(ids))
    return done


def complete(
    llm, prefix: Sequence[int], rests: Sequence[Sequence[int]], limit: int, slots: int = SLOTS,
    constraints: Sequence[Constraint | None] | None = None, temperature: float = 0.0,
) -> list[tuple[list[int], bool]]:  # fmt: skip
    """New ids (end-of-turn included) after `prefix` + each of `rests`, and whether each ended by itself.

    The prefix is evaluated once, as sequence 0 of llama.cpp's cache; every question continues a copy of it.
    """
    from llama_cpp import llama_cpp as low

    vocabulary, memory = low.llama_model_get_vocab(llm.model), low.llama_get_memory(llm.ctx)
    low.llama_memory_clear(memory, True)
    llm.reset()  # `Llama` remembers what it believes to be in the cache
    evaluate_tokens(llm, [(0, 0, prefix)])
    answers: list[list[int]] = [[] for _ in rests]
    finished = [False] * len(rests)
    bounds = [c and c.fresh() for c in constraints or [None] * len(rests)]
    for alive in rounds(len(prefix), [len(r) for r in rests], limit, slots, llm.n_ctx()):
        first, rows = alive[0], []
        room = llm.n_ctx() - len(prefix) - max(len(rests[n]) for n in alive)  # less than the limit for a lone long one
        for n in alive:
            if n > first:  # the first question of a round continues the prefix itself
                low.llama_memory_seq_cp(memory, 0, n - first, 0, len(prefix))
            rows.append((n - first, len(prefix), rests[n]))
        for _ in range(min(limit, room)):
            for n, logits in zip(alive, evaluate_tokens(llm, rows), strict=True):
                answers[n].append(_next(logits, bounds[n], temperature))
                finished[n] = low.llama_vocab_is_eog(vocabulary, answers[n][-1])
            alive = [n for n in alive if not finished[n]]
            rows = [(n - first, len(prefix) + len(rests[n]) + len(answers[n]) - 1, answers[n][-1:]) for n in alive]
            if not rows:
                break
        for slot in range(slots):
            low.llama_memory_seq_rm(memory, slot, len(prefix) if slot == 0 else 0, -1)
    low.llama_memory_clear(memory, True)
    return list(zip(answers, finished, strict=True))


def _next(logits: np.ndarray, bound: Constraint | None, temperature: float) -> int:
    """The next token by `logits` (V,), picked among those that `bound` allows, which is told of it."""
    logits = logits if bound is None else _held(logits, bound)
    token = int(pick(torch.from_numpy(logits)[None], temperature))
    if bound is not None:
        bound.advance(token)
    return token


def _held(logits: np.ndarray, bound: Constraint) -> np.ndarray:
    """The logits (V,) with what `bound` forbids at minus infinity."""
    allowed = bound.allowed()
    if allowed is None:
        return logits
    may = np.zeros(len(logits), dtype=bool)
    may[: len(allowed)] = allowed[: len(logits)].numpy()
    return np.where(may, logits, -np.inf)


def logits_processor(bound: Constraint, prompt_tokens: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """What holds an answer of `Llama.create_completion` to `bound`: called with all ids so far, and the logits (V,).

    prompt_tokens: ids of the prompt, of which the constraint is not told. One for each answer.
    """
    bound, told = bound.fresh(), prompt_tokens

    def process(ids: np.ndarray, logits: np.ndarray) -> np.ndarray:
        nonlocal told
        for token in ids[told:].tolist():
            bound.advance(token)
        told = len(ids)
        return _held(logits, bound)

    return process


def rounds(prefix: int, rests: Sequence[int], limit: int, slots: int, context: int) -> list[list[int]]:
    """Which questions (by number) are answered at once: up to `slots`, as many as fit into the context with the prefix.

    prefix, rests: tokens of the shared part and of each question; limit: most tokens of an answer. A question that
    does not fit with a whole answer gets a round of its own, and what room there is. Raises ModelError where there is none.

    >>> rounds(100, [10, 10, 10], 50, slots=16, context=220)
    [[0, 1], [2]]
    """
    if rests and prefix + max(rests) >= context:
        raise ModelError(
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
    Raises ModelError when the rows do not fit into the context.
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
            raise ModelError(
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
