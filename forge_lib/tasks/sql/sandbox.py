"""Run SQL that a model wrote, without trusting it."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import selectors
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

WORKER = Path(__file__).with_name("worker.py")
GRACE_S = 0.5  # after the time limit, before the process is killed


@dataclass(frozen=True)
class Execution:
    """What came of one query.

    status: "ok", "error" (SQLite refused or failed), "timeout", or "refused" (it tried more than reading)
    """

    status: str
    rows: tuple[tuple, ...] = ()
    columns: tuple[str, ...] = ()
    error: str = ""


class Sandbox:
    """A killable worker process, reused from query to query, restarted when it had to be killed.

    Limits: wall time per query (s), rows returned, memory of the worker's SQLite heap (MB).
    Use as a context manager, or call `close`.

    >>> import sqlite3, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "t.sqlite"
    >>> with sqlite3.connect(path) as db: _ = db.execute("CREATE TABLE t AS SELECT 1 AS a")
    >>> with Sandbox() as sandbox: sandbox.run(path, "SELECT a FROM t").rows
    ((1,),)
    """

    def __init__(self, time_limit_s: float = 2.0, max_rows: int = 10_000, memory_mb: int = 128):
        self.time_limit_s, self.max_rows, self.memory_mb = time_limit_s, max_rows, memory_mb
        self._process: subprocess.Popen | None = None
        self._buffer = b""

    def run(self, database: Path | str, sql: str) -> Execution:
        """Execute one statement; never raises for anything the SQL does."""
        if not Path(database).exists():
            raise FileNotFoundError(f"There is no SQLite database at {database}.")
        if not sql.strip():
            return Execution("error", error="There is no SQL in the answer.")
        uri = Path(database).resolve().as_uri()
        request = {"db": uri, "sql": sql, "seconds": self.time_limit_s, "rows": self.max_rows}
        reply = self._ask(json.dumps(request).encode() + b"\n")
        if reply is None:
            self.close()
            return Execution("timeout", error=f"Killed after {self.time_limit_s} s.")
        if reply == b"":
            self.close()
            return Execution("error", error="The query took the worker process down (memory).")
        found = json.loads(reply)
        rows = tuple(tuple(row) for row in found.get("rows", ()))
        return Execution(found["status"], rows, tuple(found.get("columns", ())), found.get("error", ""))

    def _ask(self, request: bytes) -> bytes | None:
        """One line for one line. None: no answer in time; b"": the process died."""
        process = self._start()
        deadline = time.monotonic() + self.time_limit_s + GRACE_S
        try:
            process.stdin.write(request)
            process.stdin.flush()
        except BrokenPipeError:
            return b""
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                left = deadline - time.monotonic()
                if left <= 0 or not ready.select(left):
                    return None
                chunk = os.read(process.stdout.fileno(), 1 << 20)
                if not chunk:
                    return b""
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _start(self) -> subprocess.Popen:
        if self._process is not None and self._process.poll() is not None:
            self.close()  # somebody else ended it between two queries
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(WORKER), str(self.memory_mb)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        return self._process

    def close(self) -> None:
        """Kill the worker; the next `run` starts a new one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            with contextlib.suppress(BrokenPipeError):  # what it had not read yet
                self._process.stdin.close()
            self._process.stdout.close()
            self._process, self._buffer = None, b""

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_) -> None:
        self.close()


@functools.cache
def shared_sandbox() -> Sandbox:
    """One sandbox for the whole process, closed at exit."""
    sandbox = Sandbox()
    atexit.register(sandbox.close)
    return sandbox
