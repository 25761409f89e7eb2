"""Files that are whole or not there: JSON read with a sentence for what is damaged, writes that no kill can halve."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forge_lib import ROOT

UNREADABLE = (
    OSError,
    ValueError,
    RecursionError,
)  # what reading JSON raises: the disk, bad UTF-8 or JSON, deep nesting
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_SOURCES = [ROOT / name for name in (".git", "benchmarks", "data", "forge_lib", "notebooks", "tests")]
# SQLite writes a journal beside a file that is being made.
LEFTOVER = re.compile(r"\.(?P<name>.+)\.(?P<kind>new|old)-(?P<pid>\d+)-[0-9a-f]{8}(-journal)?")


class RunError(RuntimeError):
    """A run folder that lacks something, is damaged, in use or full; the message names the mend."""


def read_json(path: Path, mend: str, error: type[Exception] = RunError, kind: type | tuple[type, ...] = dict) -> Any:
    """What a JSON file holds. Raises `error`, in a sentence that ends in `mend`, unless it is whole and of this kind.

    >>> read_json(Path("nowhere.json"), "Make it.")
    Traceback (most recent call last):
    forge_lib.lab.files.RunError: nowhere.json cannot be read (No such file or directory). Make it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except UNREADABLE as reason:
        raise error(f"{shown(path)} cannot be read ({why(reason)}). {mend}") from reason
    if not isinstance(content, kind):
        raise error(f"{shown(path)} holds {type(content).__name__}, and something else belongs there. {mend}")
    return content


def is_measure(value: object) -> bool:
    """Whether a value read from JSON is a number of seconds, minutes or GB: finite, not negative, not true or false.

    >>> is_measure(1.5), is_measure(float("nan")), is_measure(True)
    (True, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def is_source(folder: Path) -> bool:
    """Whether a folder, wherever its links lead, is the checkout itself or belongs to the course's own files."""
    real = Path(os.path.realpath(folder))  # Path.resolve raises where links run in a circle
    return real == ROOT.resolve() or any(real.is_relative_to(source.resolve()) for source in _SOURCES)


def json_text(content: Any, indent: int | None = None) -> str:
    """JSON in the script it was written in; escaped where a text has half a surrogate pair, as an endpoint may send."""
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(content, indent=indent)
    return text


def write_atomically(path: Path, text: str) -> Path:
    """Write `text` to a temporary name beside `path`, then rename it: readers see the old or the new, never half.

    Raises RunError when the disk is full or read-only, or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = beside(path)
        try:
            with temporary.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            if path.exists():
                shutil.copymode(path, temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error
    return path


@contextlib.contextmanager
def fresh_folder(path: Path) -> Iterator[Path]:
    """A temporary folder that becomes `path` when the block ends without an error, replacing what was there.

    The old folder goes only after the new one has its name; what a kill leaves behind, `sweep` mends.
    Raises RunError when the disk is full or read-only.
    """
    work, old = beside(path, "new"), beside(path, "old")
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            sweep(path.parent)
            work.mkdir()
        except OSError as error:
            raise cannot_write(path, error) from error
        yield work
        if os.path.lexists(path):
            path.rename(old)
        work.rename(path)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise cannot_write(path, error) from error
        raise
    finally:
        if os.path.lexists(old) and not os.path.lexists(path):  # stopped between the two names
            old.rename(path)
        for leftover in (work, old):
            _remove(leftover)


def sweep(folder: Path, deep: bool = False) -> None:
    """Mend what killed processes left in `folder` (deep: below it too): half-made ones go, a replaced one comes back."""
    if deep and folder.is_dir():
        for below in sorted(p for p in folder.rglob("*") if p.is_dir() and not p.is_symlink()):
            sweep(below)
    for entry in list(folder.iterdir()) if folder.is_dir() else ():
        found = LEFTOVER.fullmatch(entry.name)
        with contextlib.suppress(OSError):  # another process was faster
            if not found or _alive(int(found["pid"]), entry):
                continue
            if found["kind"] == "old" and not os.path.lexists(entry.with_name(found["name"])):
                entry.rename(entry.with_name(found["name"]))
            else:
                _remove(entry)


def check_disk(folder: Path, need_gb: float) -> None:
    """Raise RunError when the disk that holds `folder` has less than `need_gb` free."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    free = shutil.disk_usage(folder).free / 2**30
    if free < need_gb:
        raise RunError(
            f"This step writes about {need_gb:.1f} GB and only {free:.1f} GB are free on the disk of {folder.name}/. "
            "Free some space (old folders under runs/ are safe to delete) and run the notebook again."
        )


def cannot_write(path: Path, error: OSError) -> RunError:
    """The sentence for a file or folder that cannot be written."""
    mend = (
        "Free some space on that disk"
        if error.errno in (errno.ENOSPC, errno.EDQUOT)
        else "See that its folder is one you may write to, or set FORGE_RUNS (runs) or FORGE_CACHE (cache) to another"
    )
    return RunError(f"{shown(path)} cannot be written ({why(error)}). {mend}, and go on.")


def why(error: BaseException) -> str:
    """What went wrong, in the system's words and without a path of this machine."""
    if isinstance(error, RecursionError):
        return "nested too deep"
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return (error.strerror if isinstance(error, OSError) else None) or said(error)


def said(error: BaseException, at: int = 0) -> str:
    """One line of what an error says, its first or the one that `at` counts; its type where it says nothing.

    >>> said(ValueError("\\nNo such layer.\\nTraceback: …")), said(KeyboardInterrupt())
    ('No such layer.', 'KeyboardInterrupt')
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[at] if lines else type(error).__name__


def beside(path: Path, kind: str = "new") -> Path:
    """A name in the folder of `path` for what is to take its place ("new") or gave it up ("old"): `sweep` knows it."""
    return path.with_name(f".{path.name}.{kind}-{os.getpid()}-{secrets.token_hex(4)}")


def shown(path: Path) -> str:
    """File and folder, without the path of this machine."""
    return f"{path.parent.name}/{path.name}".lstrip("/")


def _alive(pid: int, entry: Path) -> bool:
    """Whether the process that made this entry still runs: small process ids come again, after the entry was made."""
    import psutil

    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).create_time() < entry.lstat().st_ctime + 1
    return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):  # not there, or not ours to remove
            path.unlink()
