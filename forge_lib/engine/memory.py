"""What this process holds of the machine's memory, and giving back what it does not need."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import platform
import re
from collections.abc import Iterator
from pathlib import Path


def give_back() -> None:
    """Give free memory back to the system.

    glibc keeps freed memory for later and has to be asked; elsewhere large blocks go back by themselves. No two steps
    of a training are of one size, so their blocks leave gaps, and without this a long training takes ever more.
    """
    gc.collect()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def resident_bytes() -> int:
    """Resident memory of this process, after what is free was given back to the system."""
    import psutil

    give_back()
    return psutil.Process().memory_info().rss


@contextlib.contextmanager
def peak_resident() -> Iterator[dict[str, int]]:
    """Watch this process's resident memory: after the block, "peak" in what it yields is the most it was (bytes).

    On Linux that is the kernel's own mark, set back at the start. (`ru_maxrss` cannot be set back, and a child process
    starts with its parent's.) Elsewhere the mark includes what came before the block.
    """
    seen, status = {"peak": 0}, Path("/proc/self/status")
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # man 5 proc: forget the highest resident size so far
    yield seen
    if status.exists():
        seen["peak"] = 1024 * int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1])
    else:
        import resource

        seen["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
