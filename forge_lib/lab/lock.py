"""One process at a time works in a run folder: a lock that the system itself lifts when its holder dies."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from forge_lib.lab.files import RunError, cannot_write

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None
    import msvcrt

_HELD = "FORGE_HELD"  # names the run folder that this process, or the one that started it, holds
_BUSY = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
# On Windows a byte is locked, wherever the file stands, and nobody may read it: one far behind the process id, as SQLite's.
_FAR = 2**30


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """The run folder for this process and its kernels alone. Raises RunError when another process has it.

    A file system without locks (some network disks) gives none, and nothing is refused there.
    """
    with _lock_of(folder) as file:
        if not _taken(file):
            raise _in_use(folder, file)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        os.environ[_HELD] = str(folder)
        try:
            yield
        finally:
            os.environ.pop(_HELD, None)
            _give_back(file)


@contextlib.contextmanager
def in_turn(folder: Path) -> Iterator[None]:
    """One process after the other: waits until no other is in here for `folder`, which is made where it is missing.

    >>> import tempfile
    >>> with in_turn(Path(tempfile.mkdtemp()) / "shared"): print("alone")
    alone
    """
    with _lock_of(folder) as file:
        while not _take(file):
            time.sleep(0.05)
        try:
            yield
        finally:
            _give_back(file)


def check_free(folder: Path) -> None:
    """Raise RunError when another process holds the run folder, and did not start this one."""
    path = folder / ".lock"
    if os.environ.get(_HELD) == str(folder) or not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        if not _taken(file, shared=True):
            raise _in_use(folder, file)
        _give_back(file)


def _lock_of(folder: Path) -> IO:
    """The file by which a folder is locked, both made where they are missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / ".lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise cannot_write(folder, error) from error


def _taken(file: IO, shared: bool = False) -> bool:
    """Whether the lock can be had within half a second: who looks whether the folder is free has it for a moment."""
    for _ in range(10):
        if _take(file, shared):
            return True
        time.sleep(0.05)
    return False


def _take(file: IO, shared: bool = False) -> bool:
    try:
        if fcntl:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        else:
            _far_byte(file, msvcrt.LK_NBLCK)
    except OSError as error:
        return error.errno not in _BUSY
    return True


def _give_back(file: IO) -> None:
    """Before the file is closed: Windows lifts the lock of a closed file only when it finds the time."""
    with contextlib.suppress(OSError):  # a file system without locks
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_UN)
        else:
            _far_byte(file, msvcrt.LK_UNLCK)


def _far_byte(file: IO, mode: int) -> None:
    """Lock or unlock one byte, which msvcrt does where the file stands, and let the file stand where it stood."""
    here = os.lseek(file.fileno(), 0, os.SEEK_CUR)
    os.lseek(file.fileno(), _FAR, os.SEEK_SET)
    try:
        msvcrt.locking(file.fileno(), mode, 1)
    finally:
        os.lseek(file.fileno(), here, os.SEEK_SET)


def _in_use(folder: Path, file: IO) -> RunError:
    who = ""
    with contextlib.suppress(OSError):  # some network disks lock the whole file, and let nobody read it
        file.seek(0)
        who = file.read().strip()
    return RunError(
        f"runs/{folder.name} is in use by another process{f' ({who})' if who else ''}. Wait until it ends or stop it, "
        "or give this run another name (--run NAME; in a notebook, the parameter `run`)."
    )
