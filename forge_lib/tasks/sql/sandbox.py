"""Run SQL that a model wrote, without trusting it."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from forge_lib.tasks.sql import worker
from forge_lib.tasks.sql.opening import reading_uri
from forge_lib.tasks.sql.worker import OWN_MB

_START_S = 30.0  # within which a worker is ready; no query's time, and on a busy machine longer than a query's
GRACE_S = 0.5  # after the time limit, before the process is killed
_LOOK_S = 0.05  # how often a waiting parent looks at the memory that the worker takes


@dataclass(frozen=True)
class Execution:
    """What came of one query.

    status: "ok", "error" (SQLite refused or failed), "timeout", or "refused" (it tried more than reading)
    more: there were more rows than the sandbox shows (only where it cuts)
    seconds: what SQLite took for the query and its rows, without the way to the worker and back
    """

    status: str
    rows: tuple[tuple, ...] = ()
    columns: tuple[str, ...] = ()
    error: str = ""
    more: bool = False
    seconds: float = field(default=0.0, compare=False)


class Died(Exception):
    """The worker ended while it was asked."""


class SandboxError(RuntimeError):
    """The process in which SQL runs cannot be started: no query is at fault, and none has a verdict."""


class Sandbox:
    """A killable worker process, reused from query to query, restarted when it had to be killed.

    Limits of one query: wall time (s), rows returned, memory of SQLite's heap and of the result (MB each). A result of
    too many rows is an error, for a grade needs all of them; with `cut` its first ones are returned (`more` says so).
    Threads take turns; a forked process starts a worker of its own. Use as a context manager, or call `close`.

    >>> import sqlite3, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "t.sqlite"
    >>> with sqlite3.connect(path) as db: _ = db.execute("CREATE TABLE t AS SELECT 1 AS a")
    >>> with Sandbox() as sandbox: sandbox.run(path, "SELECT a FROM t").rows
    ((1,),)
    """

    def __init__(self, time_limit_s: float = 2.0, max_rows: int = 10_000, memory_mb: int = 128, cut: bool = False):
        self.time_limit_s, self.max_rows, self.memory_mb, self.cut = time_limit_s, max_rows, memory_mb, cut
        self._forget()

    def run(self, database: Path | str, sql: str) -> Execution:
        """Execute one statement on the file as it is now; never raises for anything the SQL does.

        Raises FileNotFoundError when there is no file, SandboxError when no worker can be started.
        """
        if not Path(database).exists():
            raise FileNotFoundError(f"There is no SQLite database at {database}.")
        if not sql.strip():
            return Execution("error", error="There is no SQL in the answer.")
        try:
            uri = reading_uri(database)
        except (sqlite3.Error, OSError) as error:
            return Execution("error", error=str(error))
        request = {"uri": uri, "sql": sql, "seconds": self.time_limit_s, "rows": self.max_rows, "mb": self.memory_mb,
                   "cut": self.cut}  # fmt: skip
        if self._owner != os.getpid():
            self._forget()  # after a fork: the worker and the lock are the other process's
        with self._lock:
            return self._answer(json.dumps(request).encode() + b"\n")

    def rows(self, database: Path | str, sql: str) -> tuple[tuple, ...] | None:
        """The rows that `run` finds; None where the statement does not run."""
        found = self.run(database, sql)
        return found.rows if found.status == "ok" else None

    def _answer(self, request: bytes) -> Execution:
        try:
            try:
                found = json.loads(self._ask(request), object_hook=_blob)
            # Perhaps by somebody else's hand; a query that ends its worker ends the next one too.
            except (Died, SandboxError):
                self._close()
                found = json.loads(self._ask(request), object_hook=_blob)
        except TimeoutError:
            self._close()
            return Execution("timeout", error=f"Killed after {self.time_limit_s} s.")
        except (Died, MemoryError):
            self._close()
            return Execution("error", error="The query took the worker process down (memory).")
        except BaseException:  # Jupyter's Stop among them: the reply still to come belongs to no later query
            self._close()
            raise
        rows = tuple(tuple(row) for row in found.get("rows", ()))
        columns, error, more = tuple(found.get("columns", ())), found.get("error", ""), found.get("more", False)
        return Execution(found["status"], rows, columns, error, more, found.get("seconds", 0.0))

    def _ask(self, request: bytes) -> bytes:
        """One line for one line. Raises TimeoutError, MemoryError (it takes too much) or Died."""
        process = self._start()
        deadline = time.monotonic() + self.time_limit_s + GRACE_S
        reply = self._pipe.submit(
            _exchange, process, request
        )  # a thread: Windows cannot wait for a pipe with a deadline
        while (left := deadline - time.monotonic()) > 0:
            if wait([reply], min(left, _LOOK_S)).done:
                return reply.result()
            with contextlib.suppress(psutil.Error):
                if psutil.Process(process.pid).memory_info().rss > (self.memory_mb + OWN_MB) * 2**20:
                    raise MemoryError
        raise TimeoutError

    def _start(self) -> subprocess.Popen:
        if self._process is not None and self._process.poll() is not None:
            self._close()  # somebody else ended it between two queries
        if self._process is None:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", worker.__file__, str(self.memory_mb)],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                )  # fmt: skip
            except OSError as error:
                raise _cannot_start(error.strerror) from error
            self._pipe = ThreadPoolExecutor(1, "sandbox")
            ready = self._pipe.submit(self._process.stdout.readline)
            if not wait([ready], _START_S).done:
                raise _cannot_start(f"it was not ready within {_START_S:.0f} s")
            if not ready.result():
                raise _cannot_start("it ended at once")
        return self._process

    def close(self) -> None:
        """Kill the worker; the next `run` starts a new one."""
        if self._owner == os.getpid():
            with self._lock:
                self._close()

    def _close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._pipe.shutdown()  # its thread ends, as the pipes of a dead process do
            with contextlib.suppress(OSError):  # what the worker had not read yet
                self._process.stdin.close()
            self._process.stdout.close()
            self._process = self._pipe = None

    def _forget(self) -> None:
        self._process, self._pipe = None, None
        self._lock, self._owner = threading.Lock(), os.getpid()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_) -> None:
        self.close()


def _cannot_start(reason: str) -> SandboxError:
    return SandboxError(
        f"The process in which SQL runs cannot be started ({reason}). See that {Path(sys.executable).name} of this "
        f"environment ({Path(sys.prefix).name}/) can run {Path(worker.__file__).name}, and that memory is left; then go on."
    )


def _blob(found: dict) -> dict | bytes:
    """A blob as bytes: the text '4142' is another value than x'4142'."""
    return bytes.fromhex(found["blob"]) if found.keys() == {"blob"} else found


def _exchange(process: subprocess.Popen, request: bytes) -> bytes:
    try:
        process.stdin.write(request)
        process.stdin.flush()
        line = process.stdout.readline()
    except (OSError, ValueError) as error:
        raise Died from error
    if not line.endswith(b"\n"):
        raise Died
    return line


@functools.cache
def shared_sandbox() -> Sandbox:
    """One sandbox for the whole process, closed at exit."""
    sandbox = Sandbox()
    atexit.register(sandbox.close)
    return sandbox
