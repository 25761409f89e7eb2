"""Who answers: a function from items to completions, whatever stands behind it."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from forge_lib.data.items import Item
from forge_lib.lab.files import RunError, is_measure
from forge_lib.lab.jsonl import append_jsonl, cut_torn_tail, read_jsonl
from forge_lib.models.chat import Message, Prompt, encode_prompt
from forge_lib.models.endpoint import Ask, Reply, endpoint, who_is_asked
from forge_lib.models.generate import Completion, generate
from forge_lib.tasks import TaskData

Contender = Callable[[Sequence[Item]], list[Completion]]


def messages_for(data: TaskData, item: Item, shots: Sequence[Item] = ()) -> list[Message]:
    """The prompt every contender gets for `item`; `shots` are shown as earlier turns."""
    return data.messages(item, shots)


def local_model(
    model, tokenizer, data: TaskData, max_new_tokens: int, batch_size: int,
    shots: Sequence[Item] | Callable[[Item], Sequence[Item]] = (),
    progress: bool = True, generate: Callable[..., list[Completion]] = generate,
) -> Contender:  # fmt: skip
    """A model in this process, greedy.

    shots: the same worked examples for all questions, or a function from a question to its own
    generate: an engine's, where the model is not torch's own
    """

    def answer(items: Sequence[Item]) -> list[Completion]:
        own = shots if callable(shots) else lambda item: shots
        prompts = share_more([encode_prompt(tokenizer, messages_for(data, i, own(i))) for i in items])
        return generate(model, tokenizer, prompts, max_new_tokens, batch_size, progress)

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


def similar(train: Sequence[Item], item: Item, count: int = 3) -> list[Item]:
    """The `count` training items whose questions are most like that of `item`, the most similar last.

    Of the same context where it has any. Compared by the share of equal words (RapidFuzz's token_set_ratio).

    >>> from forge_lib.tasks.sql.pairs import Pair
    >>> train = [Pair("1", "d", "Count the ships", "SELECT 1"), Pair("2", "d", "Names of all ports", "SELECT 2")]
    >>> [p.id for p in similar(train, Pair("3", "d", "Count all the ships", ""), count=1)]
    ['1']
    """
    from rapidfuzz import fuzz, process

    own = [i for i in train if i.context == item.context] or list(train)
    best = process.extract(item.question, [i.question for i in own], scorer=fuzz.token_set_ratio, limit=count)
    return [own[at] for *_, at in reversed(best)]  # nearest to the question last


def nearest_neighbour(train: Sequence[Item]) -> Contender:
    """No model at all: the answer of the most similar training question (TF-IDF cosine), of the same context if it can.

    What a fine-tune must beat to have learnt anything but look-up.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    known = vectorizer.fit_transform([i.question for i in train])

    def answer(items: Sequence[Item]) -> list[Completion]:
        completions = []
        for item in items:
            began = time.perf_counter()
            own = [n for n, known_item in enumerate(train) if known_item.context == item.context] or list(
                range(len(train))
            )
            similarity = (known[own] @ vectorizer.transform([item.question]).T).toarray().ravel()
            nearest = train[own[int(similarity.argmax())]]
            completions.append(Completion(nearest.answer, 0, 0, time.perf_counter() - began, True))
        return completions

    return answer


def openai_endpoint(
    data: TaskData, max_new_tokens: int, model: str | None = None, saved: Path | None = None
) -> Contender | None:
    """A frontier model behind any OpenAI-compatible endpoint (`forge_lib.models.endpoint`); None without OPENAI_API_KEY.

    saved: a file of JSON lines where every answer is kept as it comes; what stands there is not asked (and paid) again.
    """
    temperature = 0.0  # greedy, as everybody
    ask = endpoint(model, temperature)
    if ask is None:
        return None
    if saved:
        ask = remember(ask, saved, " ".join([*who_is_asked(model), f"at temperature {temperature}"]))

    def answer(items: Sequence[Item]) -> list[Completion]:
        replies = [ask(messages_for(data, i), max(1024, max_new_tokens)) for i in items]
        return [Completion(r.text, r.prompt_tokens, r.completion_tokens, r.seconds, r.finished) for r in replies]

    return answer


def _whole(reply: Reply) -> Reply:
    """The reply, unless something else stands in the place of its text or a number: TypeError."""
    numbers = (reply.prompt_tokens, reply.completion_tokens, reply.seconds)
    if not (isinstance(reply.text, str) and all(map(is_measure, numbers)) and isinstance(reply.finished, bool)):
        raise TypeError("a text, a number or a yes or no is something else")
    return reply


def remember(ask: Ask, saved: Path, who: str) -> Ask:
    """`ask`, with every reply of `who` appended to `saved` before it is handed on, and found there the next time.

    A reply is known by the whole request, so another prompt, model or limit is asked anew. A line that a kill left
    half is dropped. Raises RunError for a line that is no reply.
    """
    mend = f"Delete the line (its question is asked again), or {saved.name} as a whole."
    known: dict[str, Reply] = {}
    if saved.exists():
        cut_torn_tail(saved)
        for record in read_jsonl(saved, mend):
            try:
                request = record.pop("request")
                known[request] = _whole(Reply(**record))
            except (KeyError, TypeError) as error:
                raise RunError(f"{saved.name} holds a line that is no reply ({error}). {mend}") from error

    def answer(messages: Sequence[Message], max_tokens: int) -> Reply:
        request = hashlib.sha256(json.dumps([who, list(messages), max_tokens]).encode()).hexdigest()
        if request not in known:
            reply = ask(messages, max_tokens)
            append_jsonl(saved, {"request": request, **asdict(reply)})
            known[request] = reply
        return known[request]

    return answer
