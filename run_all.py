#!/usr/bin/env python3
"""Execute the course: every notebook in order, each in a fresh kernel, for one profile.

python run_all.py                      the whole course, profile detected
python run_all.py --profile smoke      the same in a few minutes, to see that everything works
python run_all.py --only 04            one notebook
python run_all.py --from 06            from one notebook on (continues a stopped run)
python run_all.py --data my:DIR --run mine   the lessons on other data, in a run folder of their own
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat

from forge_lib import ROOT
from forge_lib.profiles import MEASURED, PROFILES, ProfileError, get_profile, measured
from forge_lib.runs import RunError, versions, write_atomically

NOTEBOOKS = ROOT / "notebooks"
COMMITTED = "cpu"  # the profile whose outputs the repository shows


def find_notebooks(folder: Path = NOTEBOOKS) -> list[Path]:
    """All numbered notebooks, in order."""
    return sorted(folder.glob("[0-9][0-9]_*.ipynb"))


def choose(notebooks: list[Path], only: str | None, start: str | None, end: str | None = None) -> list[Path]:
    """The notebooks that `--only`, `--from` and `--to` leave. SystemExit when nothing matches."""
    chosen = [
        n for n in notebooks
        if (not only or n.name.startswith(only)) and (start or "00")[:2] <= n.name[:2] <= (end or "99")[:2]
    ]  # fmt: skip
    if not chosen:
        sys.exit(f"No notebook matches. There are: {', '.join(n.stem for n in notebooks)}.")
    return chosen


def code_hash(book: nbformat.NotebookNode) -> str:
    """Hash of all code cells but the injected parameters: what a stamp vouches for."""
    cells = [
        c.source
        for c in book.cells
        if c.cell_type == "code" and "injected-parameters" not in c.metadata.get("tags", [])
    ]
    return hashlib.sha256("\n\0".join(cells).encode()).hexdigest()[:16]


def execute(source: Path, target: Path, parameters: dict, expected: float | None) -> dict:
    """Run one notebook with papermill in a kernel of its own; returns seconds and peak memory, or the failure.

    The executed notebook appears under its name only when it ran through; a failed one is kept as `….failed.ipynb`.
    """
    import papermill

    began, watch, failure = time.perf_counter(), MemoryWatch(), None
    target.parent.mkdir(parents=True, exist_ok=True)
    working = target.with_suffix(".failed.ipynb")
    about = f", about {expected:.0f} min" if expected else ""
    try:
        with watch:
            papermill.execute_notebook(
                str(source), str(working), parameters=parameters, cwd=str(ROOT), kernel_name="python3",
                extra_arguments=["--log-level=ERROR"],  # else every kernel warns of its unencrypted local port
                progress_bar={"desc": f"{source.stem}{about}", "unit": "cell", "ncols": 100},
            )  # fmt: skip
        working.replace(target)
    except papermill.PapermillExecutionError as error:
        failure = f"cell {error.exec_count or error.cell_index}: {error.ename}: {error.evalue}\n" + "\n".join(
            error.traceback
        )
    finally:
        end_children()
    return {"seconds": time.perf_counter() - began, "peak_gb": watch.peak_gb, "failure": failure}


def end_children() -> None:
    """End every kernel (and its sandbox) that a stopped notebook left behind."""
    import psutil

    children = psutil.Process().children(recursive=True)
    for child in children:
        try:
            child.terminate()
        except psutil.NoSuchProcess:
            continue
    for child in psutil.wait_procs(children, timeout=5)[1]:
        child.kill()


class MemoryWatch:
    """Peak resident memory (GB) of this process's children, sampled twice a second."""

    def __init__(self):
        self.peak_gb = 0.0
        self._stop = threading.Event()

    def __enter__(self) -> MemoryWatch:
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        import psutil

        me = psutil.Process()
        while not self._stop.wait(0.5):
            total = 0
            for child in me.children(recursive=True):
                try:
                    total += child.memory_info().rss
                except psutil.Error:
                    continue  # it ended between the listing and the question
            self.peak_gb = max(self.peak_gb, total / 2**30)


def stamp(path: Path, source: Path, profile: str, seconds: float) -> None:
    """Write into the executed notebook's metadata what it was made with, so that a test can tell a stale one."""
    book = nbformat.read(path, as_version=4)
    tidy_outputs(book)
    book.metadata.pop("papermill", None)
    book.metadata.pop("widgets", None)  # GitHub refuses to render notebooks with widget state
    for cell in book.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
    book.metadata["forge"] = {
        "profile": profile,
        "commit": commit(),
        "code": code_hash(nbformat.read(source, as_version=4)),
        "seconds": round(seconds, 1),
        "versions": versions(),
        "date": datetime.date.today().isoformat(),
    }
    write_atomically(path, nbformat.writes(book) + "\n")


def tidy_outputs(book: nbformat.NotebookNode) -> None:
    """Join the pieces of a stream and keep only the last state of a progress bar: a reader wants one line, not 180."""
    for cell in book.cells:
        kept: list[nbformat.NotebookNode] = []
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and kept and kept[-1].get("name") == output.name:
                kept[-1].text += output.text
            else:
                kept.append(output)
        for output in kept:
            if output.output_type == "stream":
                lines = [line.rstrip("\r").split("\r")[-1] for line in output.text.split("\n")]
                output.text = "\n".join(lines).lstrip("\n") if output.name == "stderr" else "\n".join(lines)
        if "outputs" in cell:
            cell.outputs = [o for o in kept if o.output_type != "stream" or o.text.strip()]


def commit() -> str:
    """Short hash of the checkout's commit; "unknown" outside git."""
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def keep_outputs(executed: Path, source: Path) -> None:
    """Put an executed notebook in the place of its source, without the cell papermill injected."""
    book = nbformat.read(executed, as_version=4)
    book.cells = [c for c in book.cells if "injected-parameters" not in c.metadata.get("tags", [])]
    write_atomically(source, nbformat.writes(book) + "\n")


def record_measured(profile: str, row: dict) -> None:
    """Keep what this notebook took on this profile as the time the next reader is told to expect."""
    known = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    entry = known.setdefault(profile, {"minutes": {}, "peak_gb": {}})
    entry["minutes"][row["notebook"]] = round(row["seconds"] / 60, 1)
    entry["peak_gb"][row["notebook"]] = round(row["peak_gb"], 1)
    write_atomically(MEASURED, json.dumps(known, indent=1, sort_keys=True) + "\n")


def kernel_environment() -> None:
    """Settings that every kernel inherits: offline hubs for an embedded model, and an allocator that gives back memory."""
    # glibc: keep freed tensors for the next step, in huge pages, instead of returning and faulting them in again.
    # (A low MALLOC_TRIM_THRESHOLD_ alone fixes the mmap threshold at 128 KB: measured, it doubled a training step.)
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(32 * 2**20))
    os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(2**30))
    os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
    # oneDNN keeps the code of 1024 products: measured, half a GB, and few training steps are of one shape.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


def run_course(chosen: list[Path], profile: str, run: str, seed: int, write_back: bool, data: str = "course") -> bool:
    """Execute `chosen`; prints and saves the summary; True when all passed."""
    folder = Path(os.environ.get("FORGE_RUNS", ROOT / "runs")) / run
    rows = load_summary(folder)
    for number, source in enumerate(chosen, 1):
        print(f"\n[{number}/{len(chosen)}] {source.stem}", flush=True)
        target = folder / "notebooks" / source.name
        expected = measured(profile).get("minutes", {}).get(source.stem)
        outcome = execute(source, target, {"profile": profile, "run": run, "seed": seed, "data": data}, expected)
        status = "failed" if outcome["failure"] else "passed"
        rows = [r for r in rows if r["notebook"] != source.stem]
        rows.append({"notebook": source.stem, "status": status, "seconds": round(outcome["seconds"], 1),
                     "peak_gb": round(outcome["peak_gb"], 2)})  # fmt: skip
        rows.sort(key=lambda r: r["notebook"])
        summary = {"profile": profile, "seed": seed, "commit": commit(), "notebooks": rows}
        write_atomically(folder / "summary.json", json.dumps(summary, indent=1) + "\n")
        if outcome["failure"]:
            print(f"\n{source.name} failed in {outcome['failure']}", file=sys.stderr)
            print(
                f"Mend it, then go on with: python run_all.py --profile {profile} --run {run} --from {source.name[:2]}"
            )
            break
        stamp(target, source, profile, outcome["seconds"])
        if write_back and profile == COMMITTED:
            keep_outputs(target, source)
        if write_back:
            record_measured(profile, rows[[r["notebook"] for r in rows].index(source.stem)])
    print_summary(rows)
    return (
        all(r["status"] == "passed" for r in rows if r["notebook"] in {c.stem for c in chosen})
        and not outcome["failure"]
    )


def load_summary(folder: Path) -> list[dict]:
    """Rows of an earlier run of the same name, so that `--from` completes its table."""
    path = folder / "summary.json"
    return json.loads(path.read_text(encoding="utf-8"))["notebooks"] if path.exists() else []


def print_summary(rows: list[dict]) -> None:
    """The closing table."""
    print(f"\n{'notebook':<28}{'status':<9}{'minutes':>8}{'peak GB':>9}")
    for r in rows:
        print(f"{r['notebook']:<28}{r['status']:<9}{r['seconds'] / 60:>8.1f}{r['peak_gb']:>9.1f}")
    total = sum(r["seconds"] for r in rows) / 60
    print(f"{'together':<28}{'':<9}{total:>8.1f}{max((r['peak_gb'] for r in rows), default=0):>9.1f}")


def absolute(source: str) -> str:
    """A data source with its folder made absolute: kernels work in the repository, not where this was called.

    >>> absolute("course"), absolute("spider:hub")
    ('course', 'spider:hub')
    """
    kind, _, place = source.partition(":")
    return source if place in ("", "hub") else f"{kind}:{Path(place).expanduser().resolve()}"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="auto", help=f"auto or one of: {', '.join(PROFILES)}")
    parser.add_argument("--run", default="default", help="name of the run folder under runs/")
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument(
        "--data", default="course", help="course, spider:DIR, bird:DIR or my:DIR (give it a --run of its own)"
    )
    parser.add_argument("--only", metavar="NN", help="one notebook")
    parser.add_argument("--from", dest="start", metavar="NN", help="this notebook and all after it")
    parser.add_argument("--to", dest="end", metavar="NN", help="nothing after this notebook")
    parser.add_argument("--list", action="store_true", help="list the notebooks and stop")
    parser.add_argument("--dry-run", action="store_true", help="say what would run, and stop")
    parser.add_argument(
        "--write-back",
        action="store_true",
        help=f"to commit: keep the minutes and, on {COMMITTED}, the executed notebooks",
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for; returns the exit status."""
    options = parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell started this in the background
        signal.signal(number, signal.default_int_handler)
    try:
        if options.write_back and options.data != "course":
            parser().error("--write-back is for the course's own data: the repository shows no other outputs.")
        profile, reason = get_profile(options.profile)
        chosen = choose(find_notebooks(), options.only, options.start, options.end)
        if options.list or options.dry_run:
            for notebook in chosen:
                minutes = measured(profile.name).get("minutes", {}).get(notebook.stem)
                print(f"{notebook.stem:<28}{f'{minutes:.1f} min' if minutes else 'not measured'} on {profile.name}")
            return 0
        print(f"{reason} Profile: {profile.name}.")
        kernel_environment()
        passed = run_course(chosen, profile.name, options.run, options.seed, options.write_back, absolute(options.data))
    except (ProfileError, RunError) as error:
        print(f"run_all: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        end_children()
        print("\nStopped. Finished notebooks are kept; go on with --from.", file=sys.stderr)
        return 130
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
