"""The process in which model-written SQL runs. Standard library only: it is started by path, in isolated mode.

Reads one JSON request a line ({"db", "sql", "seconds", "rows"}), answers one JSON line. What stops bad SQL:
the file is opened read-only; an authorizer allows reading and nothing else (mode=ro alone still lets ATTACH
make a new file); a progress handler stops a long query; the heap limit and the address-space limit stop a
big one; and what escapes all of these (one long C call) is killed by the parent.
"""

import json
import sqlite3
import sys
import time

ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
FORBIDDEN_FUNCTIONS = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "randomblob", "zeroblob"}
VM_STEPS_BETWEEN_CHECKS = 1000


def authorize(action, first, second, database, trigger):
    """SQLite's authorizer: reading, recursion and harmless functions are allowed, everything else is denied."""
    if action in ALLOWED:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in FORBIDDEN_FUNCTIONS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def open_database(path, heap_mb):
    """A read-only connection to the file at the URI `path` that may do no more than `authorize` allows."""
    connection = sqlite3.connect(f"{path}?mode=ro&immutable=1", uri=True)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    connection.execute(f"PRAGMA hard_heap_limit={heap_mb * 2**20}")
    connection.set_authorizer(authorize)
    return connection


def answer(connection, request):
    """Run one request; its rows, or why there are none, as a JSON-ready dict."""
    ends = time.monotonic() + request["seconds"]
    connection.set_progress_handler(lambda: time.monotonic() > ends, VM_STEPS_BETWEEN_CHECKS)
    try:
        cursor = connection.execute(request["sql"])
        if cursor.description is None:
            return {"status": "refused", "error": "Only a SELECT gives rows."}
        rows = cursor.fetchmany(request["rows"] + 1)
    except (sqlite3.Error, sqlite3.Warning, MemoryError, ValueError) as error:
        return {"status": classify(error), "error": str(error) or type(error).__name__}
    if len(rows) > request["rows"]:
        return {"status": "error", "error": f"More than {request['rows']} rows."}
    return {"status": "ok", "columns": [c[0] for c in cursor.description], "rows": rows}


def classify(error):
    """One of "timeout", "refused" or "error", by what SQLite said."""
    text = str(error)
    if text == "interrupted":
        return "timeout"
    if text in ("not authorized", "authorization denied") or "prohibited" in text or "not authorized" in text:
        return "refused"
    return "error"


def main(heap_mb):
    """Answer requests from standard input, a line each, until it ends."""
    try:
        import resource

        limit = heap_mb * 2**20 + 512 * 2**20  # the interpreter itself takes some
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (ImportError, ValueError, OSError):
        pass  # not on this platform; SQLite's own heap limit still holds
    connections = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["db"] not in connections:
                connections[request["db"]] = open_database(request["db"], heap_mb)
            reply = json.dumps(answer(connections[request["db"]], request), default=lambda b: b.hex())
        except (sqlite3.Error, MemoryError) as error:
            reply = json.dumps({"status": "error", "error": str(error) or type(error).__name__})
        sys.stdout.write(reply + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
