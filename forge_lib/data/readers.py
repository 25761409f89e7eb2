"""Records of the text files that people bring: JSON, JSON lines, and CSV as spreadsheets save it.

Each record comes with the line it stands on; what cannot be read is a DataError that names file and line.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from forge_lib.data.items import DataError

_SEPARATORS = ",;\t|"
_WANTED = "; wanted is a whole object on each line, or one array of all of them"
_SAMPLE = 50  # rows by which the separator is told
_NAMELESS = re.compile(r"(unnamed:_\d+)?")  # pandas names a column without a name "Unnamed: 0"


def fault(path: Path, line: int, what: str) -> DataError:
    """The error for `what` is the matter in one line of a file."""
    return DataError(f"{path.name}, line {line}: {what}.")


def field_name(text: str) -> str:
    """The name of a field, however a header spells it.

    >>> field_name(" DB ID"), field_name("Question")
    ('db_id', 'question')
    """
    return re.sub(r"[\s-]+", "_", text.strip().lower())


def read_text(path: Path) -> str:
    """A file in UTF-8, or in UTF-16 with its mark: line ends untranslated, a byte order mark taken off.

    Raises DataError for a file that is missing, cannot be opened, or is in another encoding.
    """
    if path.exists() and not path.is_file():  # opening a pipe would wait for ever
        raise DataError(f"{path.name} is no file. A text file is wanted.")
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"There is no file {path.name} in {path.parent.name}/.") from error
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error.strerror}).") from error
    wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # what Excel calls "Unicode text"
    try:
        text = raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise fault(path, line, "this is not UTF-8. Save the file as UTF-8 (in Excel: CSV UTF-8)") from error
    if "\0" in text:
        raise fault(path, text[: text.index("\0")].count("\n") + 1, "there is a zero byte. Save the file as UTF-8")
    return text


def records(path: Path) -> Iterator[tuple[int, dict]]:
    """(line, object) for each object of a JSON array, which is one document, or of a JSONL file, line by line."""
    text = read_text(path)
    if text.lstrip().startswith("["):
        found = _array(path, text)
    else:  # not splitlines: a string in JSON may hold U+2028, which ends a line to Python
        lines = re.split(r"\r\n|\r|\n", text)
        found = ((n, _parsed(path, row, n, _WANTED)) for n, row in enumerate(lines, 1) if row.strip())
    for line, record in found:
        if not isinstance(record, dict):
            raise fault(path, line, f"an object in braces is wanted, not {type(record).__name__}")
        yield line, record


def _array(path: Path, text: str) -> Iterator[tuple[int, object]]:
    """(line, element) of a JSON array: parsed as a whole, then once more to see where each element begins."""
    decoder, gap, line, at = json.JSONDecoder(), re.compile(r"[\s,\[]*"), 1, 0
    for record in _parsed(path, text, 1):
        start = gap.match(text, at).end()
        line += text.count("\n", at, start)
        yield line, record
        _, at = decoder.raw_decode(text, start)
        line += text.count("\n", start, at)


def _parsed(path: Path, text: str, line: int, wanted: str = "") -> object:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise fault(path, line + error.lineno - 1, f"this is not JSON ({error.msg}){wanted}") from error
    except RecursionError as error:
        raise fault(path, line, "this is nested too deeply") from error
    except ValueError as error:
        raise fault(path, line, str(error)) from error


def _object(fields: list[tuple[str, object]]) -> dict:
    found = dict(fields)
    if len(found) < len(fields):
        twice = next(key for n, (key, _) in enumerate(fields) if key in dict(fields[:n]))
        raise ValueError(f"the field '{twice}' is there twice")
    return found


def _no_number(text: str) -> object:
    raise ValueError(f"{text} is no value of JSON; write null")


def rows(path: Path, needed: Collection[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, row) of a CSV file, the header's names as `field_name` has them; a row of several lines is named by its first.

    The separator is a comma, semicolon, tab or bar (see `separator_of`). Empty rows, empty columns without a name and
    pandas' column of row numbers mean nothing.
    """
    text = read_text(path)
    reader = None
    try:
        separator, announced = separator_of(text, set(needed))
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
        filled = ((reader.line_num - "".join(row).count("\n"), row) for row in reader if any(map(str.strip, row)))
        if announced:
            next(filled)
        line, header = next(filled, (1, []))
        names = [field_name(name) for name in header]
        twice = [name for name in names if names.count(name) > 1 and not _NAMELESS.fullmatch(name)]
        if twice:
            raise fault(path, line, f"two columns are called '{twice[0]}'. Delete or rename one")
        for line, row in filled:
            if len(row) < len(names) or any(map(str.strip, row[len(names) :])):
                raise fault(path, line, f"{len(row)} fields where the header has {len(header)}. "
                            "Put quotes around fields with commas or line breaks in them")  # fmt: skip
            for number, (name, value) in enumerate(zip(names, row, strict=False)):
                if _NAMELESS.fullmatch(name) and value.strip() and not (number == 0 and value.isdigit()):
                    raise fault(path, line, f"column {number + 1} holds '{value[:40]}' and has no name in the header")
            yield line, {name: value for name, value in zip(names, row, strict=False) if not _NAMELESS.fullmatch(name)}
    except csv.Error as error:
        raise fault(path, reader.line_num if reader else 1, f"this is not CSV ({error})") from error


def separator_of(text: str, needed: Collection[str] = ()) -> tuple[str, bool]:
    """The mark that separates the fields of a CSV text, and whether a first line of its own announces it (`sep=;`).

    Unannounced, it is the mark by which the header holds the fields `needed`; else the one that takes most of the first
    rows apart as it does the header, into two fields at least. Of equals a comma is the last: it stands in numbers too.

    >>> separator_of("city;price, EUR\\nLund;1,5\\n"), separator_of("n,this|that\\n1,2\\n")
    ((';', False), (',', False))
    """
    announced = re.match(r'"?sep=(.)"?\r?(\n|$)', text, re.IGNORECASE)
    if announced:
        return announced[1], True
    heads = {mark: _first_rows(text, mark) for mark in reversed(_SEPARATORS)}
    for mark in _SEPARATORS:
        if needed and set(needed) <= set(map(field_name, heads[mark][0])):
            return mark, False
    return max(heads, key=lambda mark: _evenness(*heads[mark])), False


def _first_rows(text: str, mark: str) -> list[list[str]]:
    """The header and the first rows as this separator has them, empty ones left out; at least one list."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True)
    found: list[list[str]] = []
    with contextlib.suppress(csv.Error):  # a field longer than its limit: those before it are enough
        for row in reader:
            found += [row] if any(map(str.strip, row)) else []
            if len(found) == _SAMPLE:
                break
    return found or [[]]


def _evenness(header: list[str], *others: list[str]) -> tuple[float, int]:
    """Share (0 to 1) of rows with a field for each of the header's and nothing beyond; and how many these are."""
    width = len(header)
    alike = sum(len(row) >= width and not any(row[width:]) for row in others) if width > 1 else 0
    return alike / max(1, len(others)), width
