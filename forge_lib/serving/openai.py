"""A GGUF behind an OpenAI-compatible URL, by llama.cpp:

python -m forge_lib.serving.openai --run NAME [--db shop.sqlite]

Every client of that protocol can then ask at http://127.0.0.1:8000/v1, with any key. Prompts are those of the training,
token for token, and greedy answers those of the file in a process of yours (`forge_lib.models.llama`, one question after
the other). One request is answered at a time; others wait.

With --db a client sends the question alone: the tables of that SQLite file are put before it, and the answer is held to a
grammar of them (a schema too large for one is answered without, as in the demo). Without, the client's system message has to show the tables, as the training's prompts do.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from forge_lib import ROOT
from forge_lib.data.items import DataError
from forge_lib.lab.interrupts import ending
from forge_lib.lab.options import whole_number
from forge_lib.lab.profiles import PROFILES, ProfileError, get_profile
from forge_lib.models.embedded import ModelError
from forge_lib.serving import ServingError
from forge_lib.serving.ports import listen

_STARTS, _STOPS = 180.0, 10.0  # seconds that a server may take to be there, and to be gone


@contextlib.contextmanager
def serve(
    which: str | Path, port: int | None = None, profile: str = "auto", database: str | Path | None = None
) -> Iterator[str]:
    """Runs a server of `which` ("run:NAME", or a path that ends in .gguf) while the block does; yields its address.

    The address ("http://127.0.0.1:…/v1") is what clients call base_url; the server answers there when the block begins.
    port: None takes a free one; profile: whose base a file was made of (a run knows its own); database: a SQLite file
    that all questions are about. Raises ServingError with the server's own sentence where it does not come up. Its
    process ends with the block, and with this process.
    """
    run = str(which).startswith("run:")
    named = ["--run", str(which)[4:]] if run else ["--model", os.path.realpath(os.path.expanduser(which))]
    named += ["--db", os.path.realpath(os.path.expanduser(database))] if database else []
    command = [sys.executable, "-m", "forge_lib.serving.openai", *named, "--profile", profile, "--port", str(port or 0),
               "--until-stdin-ends"]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log.txt")
        with log.open("wb") as out:  # no pipe: nobody would read what it says later
            child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=out, stderr=out)
        try:
            yield _address(child, log)
        finally:
            child.stdin.close()
            try:
                child.wait(_STOPS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _address(child: subprocess.Popen, log: Path) -> str:
    """Where the server answers, once it does. Raises ServingError where it ends before, or takes too long."""
    deadline = time.monotonic() + _STARTS
    while time.monotonic() < deadline:
        ended, said = child.poll(), log.read_text("utf-8", errors="replace")
        if ended is not None:
            reason = re.search(r"^openai: (.+)$", said, re.M)
            last = (said.strip().splitlines() or ["nothing"])[-1]
            raise ServingError(
                reason[1] if reason else f"The server ended (status {ended}) before it answered; it said: {last}"
            )
        found = re.search(r"http://(\S+)/v1", said)
        if found and _healthy(found[1], deadline - time.monotonic()):
            return found[0]
        time.sleep(0.05)
    raise ServingError(f"The server did not answer within {_STARTS:.0f} seconds. Is the machine busy? Try again.")


def _healthy(where: str, seconds: float) -> bool:
    connection = http.client.HTTPConnection(where, timeout=max(seconds, 1))  # goes through no proxy
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        "forge_lib.serving.openai", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--run", help="serve the GGUF that this run ships")
    which.add_argument("--model", metavar="FILE.gguf", help="serve this file")
    parser.add_argument("--db", metavar="FILE", help="a SQLite file that all questions are about; it is only read")
    parser.add_argument(
        "--profile", default="auto", help=f"whose base FILE.gguf was made of: {', '.join(PROFILES)} or auto"
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; 0.0.0.0 lets other machines ask too")
    parser.add_argument("--port", type=whole_number(0, 65535), default=8000, help="0 takes a free one")
    parser.add_argument("--context", type=whole_number(64, 1 << 20), default=4096, help="tokens of prompt and answer")
    parser.add_argument("--until-stdin-ends", action="store_true", help=argparse.SUPPRESS)
    return parser


def main(given: list[str] | None = None) -> int:
    """Serves until it is stopped; returns the exit status where it cannot."""
    options = arguments().parse_args(given)
    if options.until_stdin_ends:  # the process that started this one holds the other end, however it ends
        threading.Thread(target=lambda: (os.read(0, 1), os._exit(0)), daemon=True).start()
    try:
        with ending("The server has stopped."), listen(options.host, options.port) as sock:
            _serve(options, sock)
    except (DataError, ModelError, ProfileError, ServingError) as error:
        print(f"openai: {error}", file=sys.stderr)
        return 2
    return 0


def _serve(options: argparse.Namespace, sock: socket.socket) -> None:
    import uvicorn  # here: with what the model needs it takes seconds, and a wrong word is said at once

    from forge_lib.models.opening import gguf_file, load_file
    from forge_lib.serving.openai_app import make_app
    from forge_lib.tasks.sql.assistant import Assistant

    found = gguf_file(f"run:{options.run}" if options.run else options.model, get_profile(options.profile)[0])
    with contextlib.ExitStack() as stack:
        assistant, about = None, ""
        if options.db is not None:  # before the model is loaded, which takes a while
            Assistant(os.path.expanduser(options.db)).close()
        llm, tokenizer = load_file(found.path, found.profile, context=options.context)
        if options.db is not None:
            assistant = stack.enter_context(Assistant(os.path.expanduser(options.db), tokenizer=tokenizer))
            about = f" questions about {assistant.file.name}"
        app = make_app(llm, tokenizer, found.name, found.profile.max_new_tokens, assistant)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        server.capture_signals = contextlib.nullcontext  # it would wait for the end of a long answer first
        host = f"[{options.host}]" if ":" in options.host else options.host
        address = f"http://{host}:{sock.getsockname()[1]}/v1"
        print(f"{found.name} answers{about} at {address} (Ctrl-C ends it). {found.about}", flush=True)
        server.run(sockets=[sock])


if __name__ == "__main__":
    sys.exit(main())
