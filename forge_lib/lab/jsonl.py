"""JSON lines: one object a line, read whole or named, appended so that a kill can halve the last line alone."""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from forge_lib.lab.files import UNREADABLE, RunError, json_text, shown, why

T = TypeVar("T")


def read_jsonl(path: Path, mend: str, error: type[Exception] = RunError) -> list[dict]:
    """The objects of a file of JSON lines. Raises `error`, naming the line, for one that is cut off or no object.

    A line ends at "\\n" alone: a string in JSON may hold U+2028 and others that end a line to `str.splitlines`.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UNREADABLE as reason:
        raise error(f"{shown(path)} cannot be read ({why(reason)}). {mend}") from reason
    records = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except UNREADABLE as reason:
            state = "is cut off" if number == len(lines) else "is no JSON"
            raise error(f"{shown(path)}, line {number}, {state} ({why(reason)}). {mend}") from reason
        if not isinstance(record, dict):
            raise error(f"{shown(path)}, line {number}, is no JSON object. {mend}")
        records.append(record)
    return records


def json_lines(records: Iterable[dict]) -> str:
    """One JSON object a line, readable in any script.

    >>> json_lines([{"name": "Łódź"}])
    '{"name": "Łódź"}\\n'
    """
    return "".join(f"{json_text(r)}\n" for r in records)


def append_jsonl(path: Path, record: dict) -> None:
    """Add one object to a file of JSON lines, on the disk when this returns; the folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(json_lines([record]))
        file.flush()
        os.fsync(file.fileno())


def cut_torn_tail(path: Path) -> None:
    """End the last line of a file of JSON lines, or cut it off where a killed process left half a record of it.

    Nothing else is cut: a file that a person saved otherwise (an array, UTF-16, other line ends) stays as it is.
    """
    text = path.read_bytes()
    start = text.rfind(b"\n") + 1
    tail = text[start:]
    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return
    half = False
    try:
        json.loads(tail or b"{}")
    except UNREADABLE as error:
        # "Extra data" stands behind a whole record; zeros are of a file that grew before the power went.
        half = tail[:1] in (b"{", b"\0") and not str(error).startswith("Extra data")
    if half:
        os.truncate(path, start)
    elif tail:  # an editor left its end out
        with path.open("ab") as file:
            file.write(b"\n")


def read_kept(path: Path, of: Callable[[dict], tuple[str, T]], what: str) -> dict[str, T]:
    """What a file of answers that were kept as they came holds, by their keys; nothing where there is no file yet.

    of: a line's key and what it holds; LookupError, TypeError or ValueError where it is no such line
    what: the name of what a line holds, for the error
    A last line that a kill left half is cut off. Raises RunError for any other that is none.
    """
    mend = f"Delete the line (its question is asked again), or {path.name} as a whole."
    known: dict[str, T] = {}
    if path.exists():
        cut_torn_tail(path)
        for record in read_jsonl(path, mend):
            try:
                key, value = of(record)
                known[key] = value  # here: a key that is a list is no key
            except (LookupError, TypeError, ValueError) as error:
                raise RunError(f"{path.name} holds a line that is no {what} ({error}). {mend}") from error
    return known
