"""One notebook in a kernel of its own: how long it took, what memory it held, and a sentence when it failed."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import psutil

from forge_lib import ROOT
from forge_lib.lab.files import NO_ROOM, RunError, cannot_write, is_source
from forge_lib.lab.interrupts import end_children


def execute(source: Path, target: Path, parameters: dict, expected: float | None) -> dict:
    """Run a notebook with papermill in a fresh kernel; returns seconds, peak memory (GB), and why it failed, or None.

    expected: minutes, shown beside the progress. The executed notebook appears under its name only when it ran through;
    a failed one is kept as `….failed.ipynb`. Raises RunError when it would be written into the course's own folders.
    """
    import papermill
    from nbclient.exceptions import DeadKernelError

    if is_source(target.parent) or os.path.realpath(target.parent) == os.path.realpath(source.parent):
        raise RunError(
            f"The run would be written over {source.name} itself or others of the course's own files, where a link leads. "
            "Take the link away, or set FORGE_RUNS to another folder."
        )
    began, watch, failure = time.perf_counter(), _MemoryWatch(), None
    working = target.with_suffix(".failed.ipynb")
    about = f", about {expected:.0f} min" if expected else ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with watch:
            papermill.execute_notebook(
                _literal(source), _literal(working), parameters=parameters, cwd=str(ROOT), kernel_name="python3",
                extra_arguments=["--log-level=ERROR"],  # else every kernel warns of its unencrypted local port
                progress_bar={"desc": f"{source.stem}{about}", "unit": "cell", "ncols": 100},
            )  # fmt: skip
        working.replace(target)
    except papermill.PapermillExecutionError as error:
        failure = f"cell {error.exec_count or error.cell_index}: {error.ename}: {error.evalue}\n" + "\n".join(
            error.traceback
        )
    except DeadKernelError:
        failure = _died(watch.peak_gb)
    except OSError as error:
        failure = str(cannot_write(working, error)) if _of_writing(error, target.parent) else _named(error)
    except Exception as error:  # a kernel that does not start, parameters it does not take: whatever papermill raises
        failure = _named(error)
    finally:
        end_children()
    return {"seconds": time.perf_counter() - began, "peak_gb": watch.peak_gb, "failure": failure}


def _of_writing(error: OSError, folder: Path) -> bool:
    """Whether it is the disk or the notebook's folder; a kernel's port or program raises OSError too."""
    at = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
    return error.errno in NO_ROOM or (at is not None and (at.is_relative_to(folder) or folder.is_relative_to(at)))


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _literal(path: Path) -> str:
    """A path in which papermill replaces nothing: it formats names in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _died(peak_gb: float) -> str:
    memory = psutil.virtual_memory()
    return (
        "its kernel died. Most often the system ends it for lack of memory; else a library crashed. It held up to "
        f"{peak_gb:.1f} GB, and this machine has {memory.total / 2**30:.1f} GB, of which {memory.available / 2**30:.1f} "
        "are free now. Close other programs, or take a smaller profile with a --run of its own."
    )


class _MemoryWatch:
    """Peak resident memory (GB) of this process's children, sampled twice a second."""

    def __init__(self):
        self.peak_gb = 0.0
        self._stop = threading.Event()

    def __enter__(self) -> _MemoryWatch:
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        me = psutil.Process()
        while not self._stop.wait(0.5):
            total = 0
            for child in me.children(recursive=True):
                try:
                    total += child.memory_info().rss
                except psutil.Error:
                    continue  # it ended between the listing and the question
            self.peak_gb = max(self.peak_gb, total / 2**30)
