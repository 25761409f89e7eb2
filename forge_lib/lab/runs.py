"""The run folder: how one notebook hands its work to the next, and what a result was made from."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import importlib.util
import math
import operator
import os
import platform
import random
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from forge_lib import place
from forge_lib.lab.files import (
    RunError,
    check_disk,
    fresh_folder,
    is_source,
    json_text,
    read_json,
    sweep,
    write_atomically,
)
from forge_lib.lab.jsonl import json_lines, read_jsonl
from forge_lib.lab.lock import check_free
from forge_lib.lab.options import whole_number
from forge_lib.lab.profiles import Profile, get_profile

_PACKAGES = ("torch", "transformers", "peft", "trl", "datasets", "accelerate", "llama-cpp-python", "huggingface-hub")
# Beside the runs stand the trackers' files, on some disks in any case; the others are devices, not files, on Windows.
_TAKEN = re.compile(
    r"(?i)mlflow\.db.*|mlartifacts|wandb|trackio|(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?: *\..*)?"
)
SEED = 17  # where nobody asks for another
ADAPTERS = {"sft": "SFT", "grpo": "SFT + GRPO"}  # a run's, by their folders, and what 06 calls what they make
_BEGIN_AGAIN = "Put it back from a copy, or delete the run's folder and begin again."


@dataclasses.dataclass(frozen=True)
class Run:
    """`runs/<name>/`: the resolved config, metrics and weights of one pass through the course."""

    name: str
    profile: Profile
    seed: int
    task: str
    dir: Path
    data: str = "course"  # the source's name without the path of its folder
    source: str = "course"  # as it was given, for commands that go on; nothing that is kept may say it

    def path(self, *parts: str) -> Path:
        """A path inside the run folder (not necessarily there)."""
        return self.dir.joinpath(*parts)

    def require(self, relative: str, made_by: str) -> Path:
        """A path an earlier notebook must have made. Raises RunError naming that notebook."""
        path = self.dir / relative
        if not path.exists():
            raise RunError(
                f"runs/{self.name}/{relative} is missing: notebook {made_by} makes it. "
                f"Run `{run_command(self, '--only', made_by[:2])}` first{self._otherwise(relative)}."
            )
        return path

    def _otherwise(self, relative: str) -> str:
        """What else brings a file that is missing, where something does."""
        if relative != "sft/adapter" or self.data != "course" or not self.profile.base_model.startswith("embedded:"):
            return ""
        command = f"python -m forge_lib.models.ready_made --run {shlex.quote(self.name)} --profile {self.profile.name}"
        return f", or take the adapter that comes with the course: `{command}`"

    def save_json(self, relative: str, content: Any) -> Path:
        """Write JSON under the run folder, whole or not at all."""
        return write_atomically(self.dir / relative, json_text(content, indent=1) + "\n")

    def load_json(self, relative: str, made_by: str) -> Any:
        """Read JSON that notebook `made_by` wrote. Raises RunError when it is missing or damaged."""
        return read_json(self.require(relative, made_by), f"Run notebook {made_by} again.", kind=(dict, list))

    def save_records(self, relative: str, records: list[dict]) -> Path:
        """Write one JSON object a line, whole or not at all."""
        return write_atomically(self.dir / relative, json_lines(records))

    def load_records(self, relative: str, made_by: str) -> list[dict]:
        """Read JSON lines that notebook `made_by` wrote. Raises RunError when they are missing or damaged."""
        return read_jsonl(self.require(relative, made_by), f"Run notebook {made_by} again.")

    def saved(self, relative: str, made_by: str) -> Any:
        """As `load_json`, of a notebook that need not have run: None where its file is missing."""
        return self.load_json(relative, made_by) if self.path(relative).exists() else None

    def saved_records(self, relative: str, made_by: str) -> list[dict]:
        """As `load_records`, of a notebook that need not have run: none where its file is missing."""
        return self.load_records(relative, made_by) if self.path(relative).exists() else []

    def config(self, stage: str | None = None) -> dict:
        """What the run began with: profile, seed, task, data, versions, machine. Raises RunError where it is damaged.

        stage: "sft" or "grpo": what that training was made with (see `freeze`), else what the run began with.
        """
        frozen = self.dir / stage / "config.json" if stage else None
        return read_json(frozen if frozen and frozen.exists() else self.dir / "config.json", _BEGIN_AGAIN)

    def freeze(self, stage: str) -> Path:
        """Keep what a training was made with as `<stage>/config.json`: engine, dtype and versions may differ later."""
        return self.save_json(f"{stage}/config.json", self.now())

    def now(self) -> dict:
        """The resolved config of this process."""
        made = {"profile": dataclasses.asdict(self.profile), "seed": self.seed, "task": self.task, "data": self.data}
        if folder := _folder_hash(self.source):  # two folders may have one name, and none may be told from a hash
            made["data_folder"] = folder
        machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
        return made | {"versions": versions(), "machine": machine}

    @contextlib.contextmanager
    def stage(self, relative: str, need_gb: float = 0.1) -> Iterator[Path]:
        """A fresh folder to fill; it replaces `relative` only when the block ends without an error.

        An interrupted stage so leaves the last good artefact in place and no half-written one.
        """
        check_disk(self.dir, need_gb)
        with fresh_folder(self.dir / relative) as work:
            yield work


def start(
    profile: str = "auto", run: str = "default", seed: int = SEED, task: str = "sql", data: object = "course"
) -> Run:
    """Open (or make) the run folder for a notebook, seed everything, and say where we are.

    data: a source as `load` of the task takes it, or what it returned (a cell that is run again).
    Raises ProfileError for an unknown profile or engine, and RunError for a name or seed that cannot be one, and where
    the folder belongs to another profile, seed or data, or is in use.
    """
    lab, reason = open_run(profile, run, seed, task, data)
    check_free(lab.dir)
    sweep(lab.dir, deep=True)
    if not lab.path("config.json").exists():  # it stays as the run began; each training keeps its own (`freeze`)
        lab.save_json("config.json", lab.now())
    seed_everything(lab.seed)
    about = "" if lab.data == "course" else f"; data: {lab.data}"
    print(f"{reason} Profile: {lab.profile.name}; run folder: runs/{run}; seed: {seed}{about}.")
    return lab


def open_run(profile: str, run: str, seed: int, task: str = "sql", data: object = "course") -> tuple[Run, str]:
    """The run that these name and why its profile was chosen; everything is checked, and nothing is written.

    Raises what `start` raises.
    """
    seed, folder = _check_seed(seed), run_folder(run)
    task_module(task)
    resolved, reason = get_profile(profile)
    source = absolute_source(str(getattr(data, "source", data)))  # first: "my:." and a link have the name they lead to
    kind, _, where = source.partition(":")
    named = f"{kind}:{Path(where).name}" if where else kind  # no path of this machine in what may be published
    lab = Run(run, resolved, seed, task, folder, named, source)
    if (folder / "config.json").exists():
        config = lab.config()
        made = _owner(config)
        if made != (resolved.name, seed, task, named):
            raise RunError(
                f"runs/{run} was made with profile '{made[0]}', seed {made[1]}, task '{made[2]}' and data '{made[3]}'. Use "
                f"another --run name for profile '{resolved.name}', seed {seed}, task '{task}', data '{named}', or delete "
                f"runs/{run}."
            )
        if config.get("data_folder", _folder_hash(source)) != _folder_hash(source):  # older runs do not say
            what = "file" if os.path.isfile(where) else "folder"
            raise RunError(
                f"runs/{run} was made with another {what} of the name '{Path(where).name}'. Use another --run name, or, "
                f'where that {what} was only moved, take "data_folder" out of runs/{run}/config.json.'
            )
    return lab, reason


def existing(name: str) -> Run:
    """A run that is there, as it was begun: for what uses its results and asks for no profile of its own.

    Raises RunError where there is none of this name, or its config is damaged.
    """
    folder = run_folder(name)
    if not (folder / "config.json").exists():
        there = sorted(p.parent.name for p in folder.parent.glob("*/config.json"))
        raise RunError(f"There is no run '{name}'. Runs that are there: {', '.join(there) or 'none'}.")
    begun = read_json(folder / "config.json", _BEGIN_AGAIN)
    try:
        profile = Profile(**{**begun["profile"], "gguf_formats": tuple(begun["profile"]["gguf_formats"])})
        return Run(name, profile, begun["seed"], begun["task"], folder, begun["data"])
    except (KeyError, TypeError) as error:
        raise RunError(f"The config of the run '{name}' is damaged, or of another version. {_BEGIN_AGAIN}") from error


def shipped_adapter(run: Run) -> str:
    """Which of ADAPTERS notebook 05 chose on validation; "sft" where it was not run. Raises RunError for a damaged choice."""
    if not run.path("grpo", "result.json").exists():
        return "sft"
    return run.load_json("grpo/result.json", "05_grpo")["ship"]


def shipped_file(run: Run, formats: Sequence[dict]) -> dict:
    """The row of the file that the run's Modelfile names; without one, of the file that scored least on the test.

    formats: of 07's `export/formats.json`: a file's figures of the frozen test stand in its row (`all`, …) where it was
    asked the test, and those of validation, by which one was chosen, under `validation`.
    """
    modelfile = run.path("export", "Modelfile")
    text = modelfile.read_text(encoding="utf-8") if modelfile.exists() else ""
    named = re.search(r"^FROM \./(\S+)$", text, re.M)
    least = min(formats, key=lambda f: f.get("all", math.inf))
    return next((f for f in formats if named and f["file"] == named[1]), least)


def _folder_hash(source: str) -> str | None:
    """Tells folders of one name apart without naming them; None where the data are in no folder of the reader's."""
    where = source.partition(":")[2]
    return hashlib.sha256(os.fsencode(source)).hexdigest()[:16] if where not in ("", "hub") else None


def task_module(task: object) -> str:
    """The dotted name of a task's module: a package in `forge_lib/tasks`, else any module of that name.

    Raises RunError where there is none that could be imported.

    >>> task_module("sql")
    'forge_lib.tasks.sql'
    """
    name = str(task)
    if all(map(str.isidentifier, name.split("."))):
        for dotted in (f"forge_lib.tasks.{name}", name):
            with contextlib.suppress(ModuleNotFoundError):  # a package above it is missing
                if importlib.util.find_spec(dotted):
                    return dotted
    raise RunError(
        f"There is no task '{task}'. Choose task='sql', or give the name of a module that can be imported from here and keeps "
        "the contract in forge_lib/tasks/__init__.py."
    )


def _owner(config: dict) -> tuple[str, int, str, str]:
    try:
        made = config["profile"]["name"], config["seed"], config.get("task", "sql"), config.get("data", "course")
    except (KeyError, TypeError):
        made = ()
    if [type(part) for part in made] != [str, int, str, str]:
        raise RunError(f"config.json of the run does not say what it was made with. {_BEGIN_AGAIN}")
    return made


def run_folder(name: str) -> Path:
    """The folder of the run of this name. Raises RunError unless the name is one plain part of a path, and free for it.

    >>> run_folder("../elsewhere")
    Traceback (most recent call last):
    forge_lib.lab.files.RunError: '../elsewhere' cannot name a run. A name is up to 64 letters, digits and such as '_', '.', \
'-' or a space between them: it stands for one folder in runs/.
    """
    plain = isinstance(name, str) and 0 < len(name) <= 64 and name.isprintable() and not set(name) & set('/\\:*?"<>|{}')
    if not plain or len(name.encode()) > 200 or name[0] in ".- ~" or name[-1] in ". " or _TAKEN.fullmatch(name):
        raise RunError(
            f"{name!r} cannot name a run. A name is up to 64 letters, digits and such as '_', '.', '-' or a space "
            "between them: it stands for one folder in runs/."
        )
    given = os.path.expandvars(os.path.expanduser(os.environ.get("FORGE_RUNS", "").strip()))
    if unknown := re.search(r"^~[^/\\]*|\$\w+|\$\{\w+\}", given):
        raise RunError(f"FORGE_RUNS speaks of {unknown[0]}, and there is none here. Give the folder itself.")
    folder = place("FORGE_RUNS", "runs") / name
    if is_source(folder):
        raise RunError(
            f"The run '{name}' would be written into the course's own files. Set FORGE_RUNS to another folder."
        )
    if folder.exists() and not folder.is_dir():
        raise RunError(f"runs/{name} is a file, and a run is a folder. Move the file away, or choose another name.")
    return folder


def _check_seed(seed: object) -> int:
    """The seed as a whole number that Python, NumPy and torch all take. Raises RunError for any other.

    >>> _check_seed(17)
    17
    """
    try:
        number = -1 if isinstance(seed, bool) else operator.index(seed)
    except TypeError:
        number = -1
    if not 0 <= number < 2**32:
        raise RunError(f"The seed is {seed!r}. Give a whole number from 0 to {2**32 - 1}.")
    return number


seed_argument = whole_number(0, 2**32 - 1)  # `_check_seed` for a command line


def absolute_source(source: str) -> str:
    """A data source with its folder or file made absolute: kernels work in the repository, not where this was called.

    Raises RunError for what can be no path.

    >>> absolute_source("course"), absolute_source("spider:hub")
    ('course', 'spider:hub')
    """
    kind, _, where = source.partition(":")
    try:
        return source if where in ("", "hub") else f"{kind}:{os.path.realpath(os.path.expanduser(where))}"
    except ValueError as error:
        raise RunError(f"{where!r} cannot be the path of a folder or file ({error}).") from error


def run_command(lab: Run, *words: str) -> str:
    """The command that goes on with this run, for a shell; words: what it does, such as "--only", "04".

    >>> lab = Run("mine", get_profile("smoke")[0], 5, "sql", Path("runs/mine"), source="my:/my data")
    >>> run_command(lab, "--only", "04")
    "python run_all.py --only 04 --profile smoke --run mine --seed 5 --data 'my:/my data'"
    """
    seed = ["--seed", str(lab.seed)] if lab.seed != SEED else []
    data = ["--data", lab.source] if lab.source != "course" else []
    engine = [f"FORGE_ENGINE={lab.profile.engine}"] if os.environ.get("FORGE_ENGINE") else []
    about = ["--profile", lab.profile.name, "--run", lab.name, *seed, *data]
    return shlex.join([*engine, "python", "run_all.py", *words, *about])


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def versions() -> dict[str, str]:
    """Installed versions of the packages a result depends on; "absent" where one is not installed."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "absent"
    return found
