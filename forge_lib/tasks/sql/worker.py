"""The process in which model-written SQL runs. Standard library only: it is started by path, in isolated mode.

Reads one JSON request a line ({"uri", "sql", "seconds", "rows", "mb"}), answers one JSON line, in which a blob is
{"blob": its bytes in hex}, as no text is. What stops bad SQL:
the file is opened read-only; an authorizer allows reading and nothing else (mode=ro alone still lets ATTACH
make a new file); a progress handler stops a long query; sorting stays in memory, which the heap limit, the size of
the result and the address-space limit bound; and what escapes all of these (one long C call) is killed by the
parent, or by the CPU limit where the parent is gone. Each query has a connection of its own, so that it sees the
file as it is now and finds all of the memory free.
"""

import contextlib
import json
import re
import sqlite3
import sys
import time

try:
    import resource
except ImportError:  # Windows: the parent watches memory there
    resource = None

_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_FORBIDDEN_FUNCTIONS = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "randomblob", "zeroblob"}
_TABLE_FUNCTIONS = ("json_each", "json_tree", "generate_series", "dbstat")
_VM_STEPS_BETWEEN_CHECKS = 1000
_LOCKED_S = 1.0  # how long a writer that is just committing is waited for
OWN_MB = 512  # what the interpreter and a result's JSON take beside SQLite's heap
# What SQLite says where it denies, whole: a message about a column may hold the same words as its name.
_DENIED = re.compile(
    r"not authorized.*|authorization denied.*|access to .* is prohibited|attempt to write a readonly database.*",
    re.DOTALL,
)
_CPU_SLACK_S = 1  # on top of a query's time, before the system ends the process


def _authorize(action, first, second, database, trigger):
    """SQLite's authorizer: reading, recursion and harmless functions are allowed, everything else is denied."""
    if action in _ALLOWED:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _FORBIDDEN_FUNCTIONS:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and (first, second) == ("data_version", None):
        return sqlite3.SQLITE_OK  # FTS5 asks whether its index has changed
    return sqlite3.SQLITE_DENY


def _open_database(uri, heap_mb, sql):
    """A connection to the file at `uri` for `sql`, which may do no more than `authorize` allows."""
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_LOCKED_S)
    try:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        connection.execute(f"PRAGMA hard_heap_limit = {heap_mb * 2**20}")
        connection.execute("PRAGMA temp_store = MEMORY")
        virtual = "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage = 0"
        for name in [row[0] for row in connection.execute(virtual)] + [f for f in _TABLE_FUNCTIONS if f in sql.lower()]:
            # A module prepares writes when its table is first used: it does so here, where nothing is denied yet.
            with contextlib.suppress(sqlite3.Error):
                connection.execute('SELECT 1 FROM "' + name.replace('"', '""') + '" LIMIT 0')
        connection.set_authorizer(_authorize)
    except BaseException:
        connection.close()
        raise
    return connection


def _answer(request):
    """Run one request; its rows, or why there are none, as a JSON-ready dict."""
    ends = time.monotonic() + request["seconds"]
    try:
        with contextlib.closing(_open_database(request["uri"], request["mb"], request["sql"])) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > ends, _VM_STEPS_BETWEEN_CHECKS)
            began = time.perf_counter()
            found = _fetch(connection.execute(request["sql"]), request["rows"], request["mb"] * 2**20, request["cut"])
            return {**found, "seconds": time.perf_counter() - began}
    except (sqlite3.Error, sqlite3.Warning, MemoryError, ValueError) as error:
        return {"status": _classify(error), "error": str(error) or "out of memory"}


def _fetch(cursor, max_rows, max_bytes, cut):
    """All rows of `cursor`; where they are too many an error, or with `cut` the first; an error where they are too large."""
    if cursor.description is None:  # nothing but a comment: what does more than read was denied before
        return {"status": "error", "error": "There is no statement in the SQL."}
    rows, size, columns = [], 0, [c[0] for c in cursor.description]
    for row in cursor:
        if len(rows) == max_rows:
            if cut:
                return {"status": "ok", "columns": columns, "rows": rows, "more": True}
            return {"status": "error", "error": f"More than {max_rows} rows."}
        rows.append(row)
        size += sum(sys.getsizeof(value) for value in row)
        if size > max_bytes:
            return {"status": "error", "error": f"The rows take more than {max_bytes // 2**20} MB."}
    return {"status": "ok", "columns": columns, "rows": rows}


def _classify(error):
    """One of "timeout", "refused" or "error", by what SQLite said."""
    text = str(error)
    if text == "interrupted":
        return "timeout"
    return "refused" if _DENIED.fullmatch(text) else "error"


def _limit_memory(heap_mb):
    """Bound the process's address space where the system can."""
    if resource:
        most = (heap_mb + OWN_MB) * 2**20
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _limit_time(seconds):
    """Let the system end this process if it computes for much longer than `seconds` from now."""
    if resource:
        used = resource.getrusage(resource.RUSAGE_SELF)
        most = int(used.ru_utime + used.ru_stime + seconds + _CPU_SLACK_S) + 1
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def main(heap_mb):
    """Say that it is ready, then answer requests from standard input, a line each, until it ends."""
    _limit_memory(heap_mb)
    sys.stdout.buffer.write(b"ready\n")
    sys.stdout.buffer.flush()
    for line in sys.stdin:
        request = json.loads(line)
        _limit_time(request["seconds"])
        try:
            reply = json.dumps(_answer(request), default=lambda b: {"blob": b.hex()}, ensure_ascii=False)
        except MemoryError:
            reply = json.dumps({"status": "error", "error": "The rows take too much memory."})
        sys.stdout.buffer.write(reply.encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
