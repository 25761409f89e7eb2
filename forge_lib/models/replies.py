"""Replies of an endpoint kept on disk: what was paid for once is not asked again."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path

from forge_lib.lab.files import is_measure
from forge_lib.lab.jsonl import append_jsonl, read_kept
from forge_lib.models.chat import Message
from forge_lib.models.endpoint import Ask, Reply
from forge_lib.models.spending import Account


def _whole(reply: Reply) -> Reply:
    """The reply, unless something else stands in the place of its text or a number: TypeError."""
    numbers = (reply.prompt_tokens, reply.completion_tokens, reply.seconds, reply.cached_tokens)
    if not (isinstance(reply.text, str) and all(map(is_measure, numbers)) and isinstance(reply.finished, bool)):
        raise TypeError("a text, a number or a yes or no is something else")
    return reply


def remember(ask: Ask, saved: Path, who: str, account: Account | None = None) -> Ask:
    """`ask`, with every reply of `who` appended to `saved` before it is handed on, and found there the next time.

    A reply is known by the whole request, so another prompt, model or limit is asked anew; threads that want the same
    at once ask it once. A line that a kill left half is dropped. One process at a time may use a file. account: is told
    what the file holds already, all of which counts towards its limit. Raises RunError for a line that is no reply.
    """
    known, under_way, lock = read_kept(saved, _of, "reply"), {}, threading.Lock()
    if account:
        account.carry(list(known.values()))

    def answer(messages: Sequence[Message], max_tokens: int) -> Reply:
        request = hashlib.sha256(json.dumps([who, list(messages), max_tokens]).encode()).hexdigest()
        with lock:
            first = request not in known and request not in under_way
            if first:
                under_way[request] = Future()
            elif account:
                account.found()
            if request in known:
                return known[request]
            coming = under_way[request]
        if not first:
            return coming.result()
        try:
            reply = ask(messages, max_tokens)
            with lock:
                append_jsonl(saved, {"request": request, **asdict(reply)})
                known[request] = reply
        except BaseException as error:
            coming.set_exception(error)
            raise
        finally:
            with lock:
                del under_way[request]
        coming.set_result(reply)
        return reply

    return answer


def _of(record: dict) -> tuple[str, Reply]:
    """The request of a line of `remember`'s file, and its reply. Raises KeyError or TypeError where it is none."""
    return record.pop("request"), _whole(Reply(**record))
