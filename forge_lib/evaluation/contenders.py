"""Who answers: a function from items to completions, whatever stands behind it."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from forge_lib.data.items import Item
from forge_lib.models.chat import Message, Prompt, encode_prompt
from forge_lib.models.endpoint import endpoint, who_is_asked
from forge_lib.models.generate import Completion, generate
from forge_lib.models.grammar import grammar_constraints
from forge_lib.models.llama import SLOTS, generate_gguf
from forge_lib.models.replies import remember
from forge_lib.models.spending import Account
from forge_lib.tasks import TaskData

Contender = Callable[[Sequence[Item]], list[Completion]]
LEAST = 1024  # new tokens an endpoint may write: models that think aloud need them before their answer


def messages_for(data: TaskData, item: Item, shots: Sequence[Item] = (), with_contexts: bool = False) -> list[Message]:
    """The prompt every contender gets for `item`; `shots` are shown as earlier turns.

    with_contexts: a shot of another context begins with that context (its schema), for the first message holds only the
    item's own
    """
    first, *turns = data.messages(item, shots)
    for number, shot in enumerate(shots if with_contexts else ()):
        if shot.context != item.context:
            theirs = data.messages(shot)[0]["content"]
            instruction, _, shown = theirs.partition("\n\n")  # it is said once
            if not first["content"].startswith(instruction):
                shown = theirs
            asked = turns[2 * number]  # a question and an answer for each shot
            turns[2 * number] = {**asked, "content": f"{shown}\n\n{asked['content']}"}
    return [first, *turns]


_Shots = Sequence[Item] | Callable[[Item], Sequence[Item]]


def local_model(
    model, tokenizer, data: TaskData, max_new_tokens: int, batch_size: int, shots: _Shots = (),
    progress: bool = True, generate: Callable[..., list[Completion]] = generate,
    with_contexts: bool = False, begin: str = "", constrain: bool = False, temperature: float = 0.0,
) -> Contender:  # fmt: skip
    """A model in this process, greedy, or at a temperature above 0 a draw.

    generate: an engine's, where the model is not torch's own, which then decodes greedily and without a constraint;
    shots, with_contexts, begin, constrain: see `prompted`
    """

    def complete(prompts: Sequence[Prompt], limit: int, constraints=None) -> list[Completion]:
        more = {"temperature": temperature} if temperature else {}
        more |= {"constraints": constraints} if constraints else {}
        return generate(model, tokenizer, share_more(prompts), limit, batch_size, progress, **more)

    return prompted(complete, tokenizer, data, max_new_tokens, shots, with_contexts, begin, constrain)


def gguf_model(
    llm, tokenizer, data: TaskData, max_new_tokens: int, slots: int = SLOTS, shots: _Shots = (),
    with_contexts: bool = False, begin: str = "", constrain: bool = False,
) -> Contender:  # fmt: skip
    """Greedy answers from a loaded GGUF, up to `slots` questions of one prefix at once (see `generate_gguf`)."""

    def complete(prompts: Sequence[Prompt], limit: int, constraints=None) -> list[Completion]:
        return generate_gguf(llm, tokenizer, share_more(prompts) if shots else prompts, limit, slots, constraints)

    return prompted(complete, tokenizer, data, max_new_tokens, shots, with_contexts, begin, constrain)


def prompted(
    complete: Callable[..., list[Completion]], tokenizer, data: TaskData, max_new_tokens: int,
    shots: _Shots = (), with_contexts: bool = False, begin: str = "", constrain: bool = False,
) -> Contender:  # fmt: skip
    """The contender that asks for completions of prompts, whichever engine makes them.

    shots: the same worked examples for all questions, or a function from a question to its own
    with_contexts: see `messages_for`; begin: what every answer begins with (see `encode_prompt`)
    constrain: only what the task's grammar allows (`TaskData.grammar`); it speaks of whole answers, so without `begin`
    (else ValueError)
    """
    if constrain and begin:
        raise ValueError("The task's grammar begins with the answer's first word: leave out begin, or the constraint.")

    def answer(items: Sequence[Item]) -> list[Completion]:
        own = shots if callable(shots) else lambda item: shots
        asked = [messages_for(data, i, own(i), with_contexts) for i in items]
        prompts = [encode_prompt(tokenizer, messages, begin) for messages in asked]
        bounds = grammar_constraints(tokenizer, [data.grammar(i) for i in items]) if constrain else None
        return [replace(c, text=begin + c.text) for c in complete(prompts, max_new_tokens, bounds)]

    return answer


def share_more(prompts: Sequence[Prompt]) -> list[Prompt]:
    """The same tokens with what all prompts of one prefix begin with (the shots) moved into it, to be read once.

    >>> share_more([Prompt((1,), (2, 3, 4)), Prompt((1,), (2, 3, 5))])[0]
    Prompt(prefix=(1, 2, 3), rest=(4,))
    """
    groups: dict[tuple[int, ...], list[tuple[int, ...]]] = defaultdict(list)
    for p in prompts:
        groups[p.prefix].append(p.rest)
    # At least one token stays: its state chooses the first word of the answer.
    shared = {g: os.path.commonprefix(rests)[: min(map(len, rests)) - 1] for g, rests in groups.items()}
    return [Prompt(p.prefix + shared[p.prefix], p.rest[len(shared[p.prefix]) :]) for p in prompts]


def similar(train: Sequence[Item], item: Item, count: int = 3, of: str = "same") -> list[Item]:
    """The `count` training items whose questions are most like that of `item`, the most similar last.

    Compared by the share of equal words (RapidFuzz's token_set_ratio).
    of: "same" takes them from the item's context where it has any, else from all; "other" from other contexts; "both"
    half of them from each, its own context's last (ValueError for another word)

    >>> from forge_lib.tasks.sql.pairs import Pair
    >>> train = [Pair("1", "d", "Count the ships", "SELECT 1"), Pair("2", "d", "Names of all ports", "SELECT 2")]
    >>> [p.id for p in similar(train, Pair("3", "d", "Count all the ships", ""), count=1)]
    ['1']
    """
    from rapidfuzz import fuzz, process

    if of not in ("same", "other", "both"):
        raise ValueError(f"of is {of!r}, and must be 'same', 'other' or 'both'.")
    own, others = ([i for i in train if (i.context == item.context) is same] for same in (True, False))
    if of == "both":
        own = similar(own, item, count // 2)
        return [*similar(others, item, count - len(own)), *own]
    chosen = others if of == "other" else own or others
    best = process.extract(item.question, [i.question for i in chosen], scorer=fuzz.token_set_ratio, limit=count)
    return [chosen[at] for *_, at in reversed(best)]  # nearest to the question last


def nearest_neighbour(train: Sequence[Item]) -> Contender:
    """No model at all: the answer of the most similar training question (TF-IDF cosine), of the same context if it can.

    What a fine-tune must beat to have learnt anything but look-up.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    known = vectorizer.fit_transform([i.question for i in train])

    def nearest(item: Item) -> str:
        own = [n for n, known_item in enumerate(train) if known_item.context == item.context] or list(range(len(train)))
        similarity = (known[own] @ vectorizer.transform([item.question]).T).toarray().ravel()
        return train[own[int(similarity.argmax())]].answer

    return _looking_up(nearest)


def retrieve_and_fill(data: TaskData) -> Contender:
    """No model either, but the task's own knowledge of what its answers are made of: see `TaskData.look_up`."""
    return _looking_up(data.look_up)


def _looking_up(find: Callable[[Item], str]) -> Contender:
    def answer(items: Sequence[Item]) -> list[Completion]:
        completions = []
        for item in items:
            began = time.perf_counter()
            text = find(item)
            completions.append(Completion(text, 0, 0, time.perf_counter() - began, True))
        return completions

    return answer


def openai_endpoint(
    data: TaskData, max_new_tokens: int, model: str | None = None, saved: Path | None = None, account: Account | None = None,
    parallel: int = 4, per_minute: float | None = None, progress: bool = False,
) -> Contender | None:  # fmt: skip
    """A model behind any OpenAI-compatible endpoint (`forge_lib.models.endpoint`); None without OPENAI_API_KEY.

    saved: a file of JSON lines where every answer is kept as it comes; what stands there is not asked (and paid) again.
    account: counts what is asked and paid, and stops before its limit; parallel: questions under way at once;
    per_minute: the most tries a minute. Where one question fails, those under way are waited for and kept.
    """
    temperature = 0.0  # greedy, as everybody
    ask = endpoint(model, temperature, account, per_minute)
    if ask is None:
        return None
    if saved:
        ask = remember(ask, saved, " ".join([*who_is_asked(model), f"at temperature {temperature}"]), account)

    def one(item: Item) -> Completion:
        reply = ask(messages_for(data, item), max(LEAST, max_new_tokens))
        return Completion(reply.text, reply.prompt_tokens, reply.completion_tokens, reply.seconds, reply.finished)

    def answer(items: Sequence[Item]) -> list[Completion]:
        from tqdm import tqdm

        pool = ThreadPoolExecutor(parallel, "ask")
        try:
            return list(tqdm(pool.map(one, items), "ask", len(items), disable=not progress))
        finally:
            pool.shutdown(cancel_futures=True)

    return answer
