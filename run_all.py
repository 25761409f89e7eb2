#!/usr/bin/env python3
"""Execute the course: every notebook in order, each in a fresh kernel, for one profile.

python run_all.py                      the whole course, profile detected
python run_all.py --profile smoke      the same in a few minutes, to see that everything works
python run_all.py --only 04            one notebook
python run_all.py --from 06            from one notebook on (continues a stopped run)
python run_all.py --data my:DIR --run mine   the lessons on other data, in a run folder of their own (electives when named)
python run_all.py --data sqlite:FILE --run shop   from a SQLite file without questions to a model of its own
"""

from __future__ import annotations

import sys

from forge_lib.lab.interrupts import end_with, ending

if __name__ == "__main__":  # Ctrl-C ends with a sentence from here on: the imports take a second
    end_with("Stopped before any notebook ran; the same command begins again.")

import argparse
import ast
import contextlib
import datetime
import hashlib
import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nbformat

from forge_lib import ROOT
from forge_lib.lab.execution import execute
from forge_lib.lab.files import RunError, is_measure, read_json, said, sweep, write_atomically
from forge_lib.lab.lock import held
from forge_lib.lab.profiles import (
    MEASURED,
    PROFILES,
    Profile,
    ProfileError,
    all_measured,
    get_profile,
    measured,
    slower_here,
)
from forge_lib.lab.runs import SEED, Run, open_run, run_command, seed_argument, versions
from forge_lib.lab.tracking import TrackingError, tracker

NOTEBOOKS = ROOT / "notebooks"
COMMITTED = "cpu"  # the profile whose outputs the repository shows
LESSONS = 9  # what comes after them are electives


def find_notebooks(folder: Path = NOTEBOOKS) -> list[Path]:
    """All numbered notebooks, in order."""
    return sorted((p for p in folder.glob("[0-9][0-9]_*.ipynb") if p.is_file()), key=lambda p: p.stem)


def choose(notebooks: list[Path], only: str | None, start: str | None, end: str | None = None) -> list[Path]:
    """The notebooks that `--only`, `--from` and `--to` leave: each a number or a name. SystemExit for any other."""
    if not notebooks:
        sys.exit(f"There are no numbered notebooks in {NOTEBOOKS.name}/. Put them back: git checkout {NOTEBOOKS.name}")
    first = notebooks.index(_named(notebooks, "--from", start)[0]) if start is not None else 0
    last = notebooks.index(_named(notebooks, "--to", end)[-1]) if end is not None else len(notebooks) - 1
    asked = _named(notebooks, "--only", only) if only is not None else notebooks
    if len(asked) > 1 and only is not None:
        sys.exit(f"--only {only} names {' and '.join(n.stem for n in asked)}. Give one of these names.")
    chosen = [n for n in asked if first <= notebooks.index(n) <= last]
    if not chosen:
        sys.exit(
            f"No notebook matches: none that was asked for is from {notebooks[first].stem} to {notebooks[last].stem}."
        )
    return chosen


def _lessons(notebooks: list[Path]) -> list[Path]:
    """The notebooks without the electives, whose figures the course's own data carry and a dozen pairs may not."""
    return [n for n in notebooks if int(n.name[:2]) <= LESSONS]


def _named(notebooks: list[Path], option: str, given: str) -> list[Path]:
    """The notebooks of this number ("4", "04") or name ("04_sft", "sft"), with or without their folder and ending."""
    name = given.removeprefix("./").removeprefix(f"{NOTEBOOKS.name}/").removesuffix(".ipynb")
    if re.fullmatch(r"[0-9]{1,9}", name):
        found = [n for n in notebooks if int(n.name[:2]) == int(name)]
    else:
        found = [n for n in notebooks if name in (n.stem, n.stem[3:])]
    if not found:
        sys.exit(f"{option} {given!r}: No notebook matches. There are: {', '.join(n.stem for n in notebooks)}.")
    return found


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """A notebook as nbformat 4. Raises RunError when the file is none."""
    try:
        book = nbformat.read(path, as_version=4)
        nbformat.validate(book)
        if not book.cells:
            raise ValueError("it has no cells")
    except Exception as error:  # nbformat raises whatever stands in its way: KeyError, AttributeError, ValidationError
        raise RunError(
            f"{path.name} cannot be read as a notebook ({said(error)[:200]}). Put it back: git checkout notebooks/{path.name}"
        ) from error
    return book


def code_hash(book: nbformat.NotebookNode) -> str:
    """Hash of all code cells but the injected parameters: what a stamp vouches for.

    Import lines are left out, so that a module may move without its outputs becoming stale.
    """
    cells = [
        without_imports(c.source)
        for c in book.cells
        if c.cell_type == "code" and "injected-parameters" not in c.metadata.get("tags", [])
    ]
    return hashlib.sha256("\n\0".join(cells).encode()).hexdigest()[:16]


def without_imports(source: str) -> str:
    """Source without the lines of its import statements.

    >>> without_imports("import os\\nfrom a import (\\n    b,\\n)\\nprint(b)")
    'print(b)'
    """
    lines = source.split("\n")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            lines[node.lineno - 1 : node.end_lineno] = [None] * (node.end_lineno - node.lineno + 1)
    return "\n".join(line for line in lines if line is not None)


def stamp(path: Path, profile: str, seconds: float) -> None:
    """Write into an executed notebook's metadata what ran, and with what, so that a test can tell a stale one."""
    book = read_notebook(path)
    tidy_outputs(book)
    book.metadata.pop("papermill", None)
    book.metadata.pop("widgets", None)  # GitHub refuses to render notebooks with widget state
    for cell in book.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
    book.metadata["forge"] = {
        "profile": profile,
        "commit": commit(),
        "code": code_hash(book),
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
    """Short hash of the checkout's commit; "unknown" outside git, and without it."""
    try:
        done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    except OSError:  # no git on this machine
        return "unknown"
    return done.stdout.strip() or "unknown"


def keep_outputs(executed: Path, source: Path) -> None:
    """Put an executed notebook in the place of its source, without the cell papermill injected."""
    book = read_notebook(executed)
    book.cells = [c for c in book.cells if "injected-parameters" not in c.metadata.get("tags", [])]
    write_atomically(source, nbformat.writes(book) + "\n")


def record_measured(profile: str, row: dict) -> None:
    """Keep what this notebook took on this profile as the time the next reader is told to expect."""
    known = all_measured(MEASURED)
    entry = known.setdefault(profile, {"minutes": {}, "peak_gb": {}})
    entry["minutes"][row["notebook"]] = round(row["seconds"] / 60, 1)
    entry["peak_gb"][row["notebook"]] = round(row["peak_gb"], 1)
    entry.setdefault("dates", {})[row["notebook"]] = datetime.date.today().isoformat()
    write_atomically(MEASURED, json.dumps(known, indent=1, sort_keys=True) + "\n")


def kernel_environment() -> None:
    """Settings that every kernel inherits: above all an allocator that reuses memory."""
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
    """Execute `chosen`; prints and saves the summary; True when all passed. Raises RunError when the run is in use."""
    lab, _ = open_run(profile, run, seed, data=data)
    with held(lab.dir):
        sweep(lab.dir, deep=True)
        if write_back:
            sweep(NOTEBOOKS)
        rows = load_summary(lab.dir)
        if data != "course":
            prepare_data(lab)
        for number, source in enumerate(chosen, 1):
            print(f"\n[{number}/{len(chosen)}] {source.stem}", flush=True)
            with ending(
                f"Stopped. Finished notebooks are kept; go on with --from: {go_on(lab, source, chosen, write_back)}"
            ):
                row, failure = run_notebook(lab, source, write_back)
                rows = sorted([r for r in rows if r["notebook"] != source.stem] + [row], key=lambda r: r["notebook"])
                save_summary(lab, rows)
            if failure:
                print(f"\n{source.name} failed: {failure}", file=sys.stderr)
                print(f"Mend it, then go on with: {go_on(lab, source, chosen, write_back)}")
                break
    print_summary(rows)
    if lab.path("export", "Modelfile").exists():
        print(f"\nAsk the model in the browser: {demo_command(lab)}")
    return not failure


def demo_command(lab: Run) -> str:
    """The command that opens the page on which the run's model is asked, about its database where the run is of one.

    >>> demo_command(Run("shop", get_profile("smoke")[0], 17, "sql", Path("runs/shop"), source="sqlite:/data/my shop.db"))
    "python -m forge_lib.serving.demo --run shop --db '/data/my shop.db'"
    """
    kind, _, file = lab.source.partition(":")
    words = ["--run", lab.name] + (["--db", file] if kind == "sqlite" else [])
    return shlex.join(["python", "-m", "forge_lib.serving.demo", *words])


def go_on(lab: Run, source: Path, chosen: list[Path], write_back: bool) -> str:
    """The command that goes on at this notebook with what is left of `chosen`."""
    words = ["--from", source.stem[:2]]
    words += ["--to", chosen[-1].stem[:2]] if chosen[-1] != find_notebooks()[-1] else []
    return run_command(lab, *words, *(["--write-back"] if write_back else []))


def run_notebook(lab: Run, source: Path, write_back: bool) -> tuple[dict, str | None]:
    """Execute one notebook of a run, and keep it with its stamp; returns its row of the summary, and why it failed."""
    target = lab.path("notebooks", source.name)
    parameters = {"profile": lab.profile.name, "run": lab.name, "seed": lab.seed, "data": lab.source}
    asked = source.read_bytes()
    outcome = execute(source, target, parameters, measured(lab.profile.name).get("minutes", {}).get(source.stem))
    if write_back and not outcome["failure"] and source.read_bytes() != asked:
        outcome["failure"] = (
            f"it was edited while it ran, so its outputs stay in runs/{lab.name} and the edits as they are"
        )
    row = {"notebook": source.stem, "status": "failed" if outcome["failure"] else "passed",
           "seconds": round(outcome["seconds"], 1), "peak_gb": round(outcome["peak_gb"], 2)}  # fmt: skip
    if not outcome["failure"]:
        stamp(target, lab.profile.name, outcome["seconds"])
        if write_back and lab.profile.name == COMMITTED:
            keep_outputs(target, source)
        if write_back:
            record_measured(lab.profile.name, row)
    return row, outcome["failure"]


def save_summary(lab: Run, rows: list[dict]) -> None:
    """Keep the closing table with the run."""
    lab.save_json(
        "summary.json", {"profile": lab.profile.name, "seed": lab.seed, "commit": commit(), "notebooks": rows}
    )


def load_summary(folder: Path) -> list[dict]:
    """Rows of an earlier run of the same name, so that `--from` completes its table. Raises RunError when damaged."""
    path, mend = folder / "summary.json", "Delete it: only the minutes of earlier notebooks are lost."
    rows = read_json(path, mend).get("notebooks") if path.exists() else []
    whole = isinstance(rows, list) and all(
        isinstance(r, dict) and isinstance(r.get("notebook"), str) and r.get("status") in ("passed", "failed")
        and is_measure(r.get("seconds")) and is_measure(r.get("peak_gb")) for r in rows
    )  # fmt: skip
    if not whole or len({r["notebook"] for r in rows}) < len(rows):
        raise RunError(f"{folder.name}/summary.json is no table of notebooks. {mend}")
    return rows


def print_summary(rows: list[dict]) -> None:
    """The closing table."""
    print(f"\n{'notebook':<28}{'status':<9}{'minutes':>8}{'peak GB':>9}")
    for r in rows:
        print(f"{r['notebook']:<28}{r['status']:<9}{r['seconds'] / 60:>8.1f}{r['peak_gb']:>9.1f}")
    total = sum(r["seconds"] for r in rows) / 60
    print(f"{'together':<28}{'':<9}{total:>8.1f}{max((r['peak_gb'] for r in rows), default=0):>9.1f}")


def slower(profile: Profile) -> str:
    """A line where the minutes on record are not this machine's; else nothing."""
    if slower_here(profile) == 1 or not measured(profile.name):
        return ""
    return (
        f"The minutes were measured with 16-bit arithmetic, which this processor does not have: in {profile.dtype} training "
        f"takes up to {slower_here(profile):.0f} times as long.\n"
    )


def check_all(options: argparse.Namespace, chosen: list[Path]) -> tuple[Run, str]:
    """Look at everything that can be wrong before anything is written; returns the run and why its profile was chosen.

    Raises RunError, ProfileError or TrackingError.
    """
    lab, reason = open_run(options.profile, options.run, options.seed, data=options.data)
    tracker()
    measured(lab.profile.name)
    for notebook in chosen:
        read_notebook(notebook)
    if options.data != "course":
        check_data(lab.source)
    return lab, reason


def check_data(source: str) -> None:
    """Raise RunError when there is no such data, or it cannot be read."""
    from forge_lib.tasks import COURSE, get

    with refused(source):
        get(COURSE).check_source(source)


def prepare_data(lab: Run) -> None:
    """Load the run's data once before its first notebook, so that their remarks come before an hour of training does.

    Raises RunError when they cannot be used.
    """
    from forge_lib.tasks import get

    with refused(lab.source):
        get(lab.task).load(lab.source, lab)


@contextlib.contextmanager
def refused(source: str) -> Iterator[None]:
    """What is the matter with data becomes a sentence about the option that named them."""
    from forge_lib.data.items import DataError
    from forge_lib.models.embedded import ModelError

    try:
        yield
    except DataError as error:
        raise RunError(f"--data {source}: {error}") from error
    except ModelError as error:  # whose tokens tell what is too long
        raise RunError(str(error)) from error


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="auto", help=f"auto or one of: {', '.join(PROFILES)}")
    parser.add_argument("--run", default="default", help="name of the run folder under runs/")
    parser.add_argument("--seed", type=seed_argument, default=SEED, help=f"a whole number from 0 to {2**32 - 1}")
    parser.add_argument(
        "--data",
        default="course",
        help="course, spider:DIR, bird:DIR, my:DIR or sqlite:FILE (give it a --run of its own)",
    )
    parser.add_argument("--only", metavar="NN", help="one notebook, by number or name")
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
    if empty := [name for name, value in vars(options).items() if value == []]:  # argparse takes "--" out of --run=--
        parser().error(f"--{empty[0]}=-- says nothing.")
    with ending("Stopped. Finished notebooks are kept; the same command begins again, and --from goes on."):
        try:
            return carry_out(options)
        except BrokenPipeError:  # as after `| head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except (OSError, ProfileError, RunError, TrackingError) as error:
            print(f"run_all: {error}", file=sys.stderr)
            return 2


def carry_out(options: argparse.Namespace) -> int:
    """List the notebooks or run them; returns the exit status."""
    if options.write_back and options.data != "course":
        parser().error("--write-back is for the course's own data: the repository shows no other outputs.")
    chosen = choose(find_notebooks(), options.only, options.start, options.end)
    if options.data != "course" and options.only is None and options.end is None:
        chosen = _lessons(chosen) or chosen  # --from 10 and beyond asks for electives
    if options.list or options.dry_run:
        profile = check_all(options, chosen)[0].profile if options.dry_run else get_profile(options.profile)[0]
        for notebook in chosen:
            minutes = measured(profile.name).get("minutes", {}).get(notebook.stem)
            print(f"{notebook.stem:<28}{f'{minutes:.1f} min' if minutes else 'not measured'} on {profile.name}")
        print(slower(profile), end="", file=sys.stderr)  # not a line of the list
        return 0
    lab, reason = check_all(options, chosen)
    print(f"{reason} Profile: {lab.profile.name}.")
    print(slower(lab.profile), end="", file=sys.stderr)
    kernel_environment()
    passed = run_course(chosen, lab.profile.name, lab.name, lab.seed, options.write_back, lab.source)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
