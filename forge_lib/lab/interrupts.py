"""Ctrl-C and its kin end a program with one sentence, whatever it was doing."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator

_SIGNALS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


@contextlib.contextmanager
def ending(sentence: str) -> Iterator[None]:
    """While the block runs, `end_with(sentence)`."""
    before = end_with(sentence)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def end_with(sentence: str) -> dict:
    """From now on Ctrl-C, SIGTERM and a closed terminal end this process with `sentence`, and its children too.

    It ends at once instead of raising KeyboardInterrupt, which each library on the way answers with lines of its own;
    a second Ctrl-C changes nothing. What is half written then has a temporary name (`forge_lib.lab.files.sweep`).
    Returns the handlers that were there, by signal.
    """

    def end(number: int, _frame: object) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        with contextlib.suppress(Exception):  # print was interrupted itself
            sys.stdout.flush()
        os.write(2, f"\n{sentence}\n".encode())
        with contextlib.suppress(Exception):
            end_children()
        os._exit(128 + number)

    # SIGHUP stays ignored under nohup; SIGINT is taken even where a shell started this in the background.
    taken = [n for n in _SIGNALS if n == signal.SIGINT or signal.getsignal(n) != signal.SIG_IGN]
    return {n: signal.signal(n, end) for n in taken}


def end_children() -> None:
    """End every process that this one started, such as a kernel (and its sandbox) that a stopped notebook left behind."""
    import psutil

    children = psutil.Process().children(recursive=True)
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.terminate()
    for child in psutil.wait_procs(children, timeout=5)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
