"""How a SQLite file is opened for reading: as it is at this moment, and without a trace beside it.

A file in use, or whose writer was killed, is more than one file: rows may still be in its -wal, and a -journal may
hold what must be put back first. SQLite reads such files in place where it can; where it cannot (a folder that is
read-only, a journal to be rolled back), a copy is mended and read.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path, PurePath

SIDE_FILES = ("-wal", "-journal")
_COPY_TRIES, _PAUSE_S = 20, 0.05  # of a file that keeps changing while it is copied
_LOCKED_S = 1.0  # how long a writer that is just committing is waited for
_WRITE_AHEAD = b"\x02\x02"  # bytes 18 and 19 of the header of a file in WAL mode

_State = tuple[int, int, int]  # a file's inode, size (bytes) and time of change (ns)
_NO_FILE: _State = (0, 0, 0)
FileState = tuple[str, _State, _State, _State, bytes]


def file_state(path: Path | str) -> FileState:
    """What differs once the SQLite file at `path` has changed: its true path, state and header, and its side files.

    Raises FileNotFoundError when there is no file at `path`, OSError when it cannot be read.
    """
    real = os.path.realpath(path)
    if (state := _state(real)) == _NO_FILE:
        raise FileNotFoundError(f"There is no SQLite database at {path}.")
    wal, journal = (_state(real + suffix) for suffix in SIDE_FILES)
    # The header counts the changes, of which two may fall into one tick of the clock. It is not read from a file that
    # may be in use: closing it would end the locks of this process's own connections.
    # Nor from a pipe or a folder: opening a pipe would wait for ever.
    return real, state, wal, journal, b"" if wal[1] or journal[1] or not os.path.isfile(real) else _header(real)


def reading_uri(path: Path | str) -> str:
    """The URI under which `sqlite3.connect(..., uri=True)` reads the file at `path`.

    Raises FileNotFoundError when there is no file at `path`, sqlite3.Error or OSError when it cannot be read.
    """
    found = file_state(path)
    real, _, wal, journal, header = found
    if not os.path.isfile(real):
        raise sqlite3.OperationalError(f"{Path(real).name} is no file")
    in_place, has_index = f"{_uri(Path(real))}?mode=ro", os.path.exists(real + "-shm")
    if wal[1] or journal[1]:  # without its index (-shm), reading a -wal would make one
        readable = (has_index or not wal[1]) and _can_read(in_place)
        return in_place if readable else f"{_uri(_copy_mended(found))}?mode=ro"
    # SQLite would make a -wal and a -shm for a file in WAL mode that nobody has open.
    in_use = has_index and wal != _NO_FILE
    return f"{in_place}&immutable=1" if not in_use and header[18:20] == _WRITE_AHEAD else in_place


def _state(path: str) -> _State:
    with contextlib.suppress(FileNotFoundError):
        found = os.stat(path)
        return found.st_ino, found.st_size, found.st_mtime_ns
    return _NO_FILE


def _uri(path: PurePath) -> str:
    """A path as SQLite's URI, which names no server: a folder that Windows shares is file:////server/share."""
    uri = path.as_uri()
    return uri if uri.startswith("file:///") else uri.replace("file://", "file:////", 1)


def _header(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read(100)


def _can_read(uri: str) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=_LOCKED_S)) as connection:
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        return False
    except sqlite3.DatabaseError:
        pass  # it is no database, which a copy would not change
    return True


def _copy_mended(found: FileState) -> Path:
    for _ in range(_COPY_TRIES):
        folder = _copied(found)
        before, found = found, file_state(found[0])
        if found == before:
            return Path(folder.name) / Path(found[0]).name
        time.sleep(_PAUSE_S)
    raise sqlite3.OperationalError(f"{Path(found[0]).name} changes faster than it can be copied; copy it by hand.")


@functools.lru_cache(maxsize=4)
def _copied(found: FileState) -> tempfile.TemporaryDirectory:
    folder = tempfile.TemporaryDirectory(prefix="forge-sqlite-")  # removed once it falls out of the cache, or at exit
    target = os.path.join(folder.name, os.path.basename(found[0]))
    for suffix in ("", *SIDE_FILES):
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(found[0] + suffix, target + suffix)
    with contextlib.closing(sqlite3.connect(target)) as connection, contextlib.suppress(sqlite3.DatabaseError):
        connection.execute("PRAGMA journal_mode = DELETE")  # puts back what a journal holds, takes in a -wal
    return folder
