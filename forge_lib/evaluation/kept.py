"""Answers kept on disk as they come: an evaluation of many minutes is asked once, whatever ends its notebook."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from forge_lib.data.items import Item
from forge_lib.evaluation.contenders import Contender
from forge_lib.lab.files import is_measure, json_text
from forge_lib.lab.jsonl import append_jsonl, read_kept
from forge_lib.models.generate import Completion
from forge_lib.tasks import TaskData

_FIELDS = ("text", "prompt_tokens", "completion_tokens", "seconds", "finished")


def kept(
    contender: Contender, data: TaskData, saved: Path, settings: Mapping, at_once: int = 64, progress: bool = True
) -> Contender:
    """`contender`, with every answer appended to the file `saved`, and taken from there the next time.

    An answer is known by `settings` and by the item's id and prompt, so contenders may share a file, and what has changed is
    asked anew. An item that is asked several times in one call has as many answers (samples).
    settings: what the answer hangs on beside the item (a digest of the weights, examples, temperature), as JSON can hold it;
    where they say `constrain`, the task's grammar counts too
    at_once: items between two writings, the most that a kill can cost

    A kept answer has the seconds that it took when it was made. One process at a time may use a file. What may be graded
    anew is kept here; verdicts that stand with their settings are `scoring.score_items`'s. Raises RunError for a line that
    is no answer.
    """

    def answer(items: Sequence[Item]) -> list[Completion]:
        known, keys = read_kept(saved, _of, "answer"), list(_keys(data, items, settings))
        waiting = [(key, item) for key, item in zip(keys, items, strict=True) if key not in known]
        waiting.sort(key=lambda pair: pair[1].context)  # those of one context share a prefix: one part, read once
        for part, done in _in_parts(contender, waiting, at_once, progress):
            for (key, item), completion in zip(part, done, strict=True):
                known[key] = completion
                append_jsonl(saved, {"key": key, "id": item.id, **{f: getattr(completion, f) for f in _FIELDS}})
        return [known[key] for key in keys]

    return answer


def _in_parts(
    contender: Contender, waiting: Sequence[tuple[str, Item]], at_once: int, progress: bool
) -> Iterator[tuple[Sequence[tuple[str, Item]], list[Completion]]]:
    from tqdm import tqdm  # text: GitHub shows it, and a widget would be lost

    with tqdm(total=len(waiting), desc="ask", unit="answer", disable=not (progress and waiting)) as bar:
        for at in range(0, len(waiting), at_once):
            part = waiting[at : at + at_once]
            yield part, contender([item for _, item in part])
            bar.update(len(part))


def _keys(data: TaskData, items: Sequence[Item], settings: Mapping) -> Iterator[str]:
    """What each answer is known by; equal items are numbered in their order."""
    times: Counter[str] = Counter()
    of_item: dict[str, str] = {}
    for item in items:
        if item.id not in of_item:
            grammar = data.grammar(item) if settings.get("constrain") else None
            of_item[item.id] = json_text([dict(settings), item.id, data.messages(item), grammar])
        yield hashlib.sha256(f"{of_item[item.id]} {times[item.id]}".encode()).hexdigest()
        times[item.id] += 1


def _of(record: dict) -> tuple[str, Completion]:
    """The key of a line of `kept`'s file, and its answer. Raises KeyError or ValueError where it is none."""
    done = Completion(*(record[f] for f in _FIELDS))
    whole = isinstance(done.text, str) and isinstance(done.finished, bool)
    if not whole or not all(map(is_measure, (done.prompt_tokens, done.completion_tokens, done.seconds))):
        raise ValueError("a text, a number or a yes or no is something else")
    return record["key"], done
