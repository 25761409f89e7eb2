"""The run folder: how one notebook hands its work to the next, and what a result was made from."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import json
import os
import platform
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forge_lib import ROOT
from forge_lib.profiles import Profile, get_profile

PACKAGES = ("torch", "transformers", "peft", "trl", "datasets", "accelerate", "llama-cpp-python", "huggingface-hub")


class RunError(RuntimeError):
    """A run folder that lacks something, or holds another run's work; the message names the mend."""


@dataclasses.dataclass(frozen=True)
class Run:
    """`runs/<name>/`: the resolved config, metrics and weights of one pass through the course."""

    name: str
    profile: Profile
    seed: int
    task: str
    dir: Path
    data: str = "course"  # the source's name without the path of its folder

    def path(self, *parts: str) -> Path:
        """A path inside the run folder (not necessarily there)."""
        return self.dir.joinpath(*parts)

    def require(self, relative: str, made_by: str) -> Path:
        """A path an earlier notebook must have made. Raises RunError naming that notebook."""
        path = self.dir / relative
        if not path.exists():
            raise RunError(
                f"runs/{self.name}/{relative} is missing: notebook {made_by} makes it. "
                f"Run `python run_all.py --only {made_by[:2]} --profile {self.profile.name} --run {self.name}` first."
            )
        return path

    def save_json(self, relative: str, content: Any) -> Path:
        """Write JSON under the run folder, whole or not at all."""
        return write_atomically(self.dir / relative, json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def load_json(self, relative: str, made_by: str) -> Any:
        """Read JSON that notebook `made_by` wrote."""
        return json.loads(self.require(relative, made_by).read_text(encoding="utf-8"))

    def save_records(self, relative: str, records: list[dict]) -> Path:
        """Write one JSON object a line, whole or not at all."""
        return write_atomically(self.dir / relative, "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records))

    def load_records(self, relative: str, made_by: str) -> list[dict]:
        """Read JSON lines that notebook `made_by` wrote."""
        text = self.require(relative, made_by).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    @contextlib.contextmanager
    def stage(self, relative: str, need_gb: float = 0.1) -> Iterator[Path]:
        """A fresh folder to fill; it replaces `relative` only when the block ends without an error.

        An interrupted stage so leaves the last good artefact in place and no half-written one.
        """
        check_disk(self.dir, need_gb)
        with fresh_folder(self.dir / relative) as work:
            yield work


def start(
    profile: str = "auto", run: str = "default", seed: int = 17, task: str = "sql", data: object = "course"
) -> Run:
    """Open (or make) the run folder for a notebook, seed everything, and say where we are.

    data: a source as `forge_lib.data.sources.load_data` takes it, or what it returned (a cell that is run again).
    Raises ProfileError for an unknown profile and RunError where the folder belongs to another profile, seed or data.
    """
    if task != "sql":
        raise RunError(f"There is no task '{task}' in this course yet; use task='sql'.")
    resolved, reason = get_profile(profile)
    folder = Path(os.environ.get("FORGE_RUNS", ROOT / "runs")) / run
    kind, _, place = str(getattr(data, "source", data)).partition(":")
    source = f"{kind}:{Path(place).name}" if place else kind  # no path of this machine in what may be published
    config = {"profile": dataclasses.asdict(resolved), "seed": seed, "task": task, "data": source}
    recorded = folder / "config.json"
    if recorded.exists():
        before = json.loads(recorded.read_text(encoding="utf-8"))
        made = before["profile"]["name"], before["seed"], before.get("data", "course")
        if made != (resolved.name, seed, source):
            raise RunError(
                f"runs/{run} was made with profile '{made[0]}', seed {made[1]} and data '{made[2]}'. "
                f"Use another --run name for profile '{resolved.name}', seed {seed}, data '{source}', or delete runs/{run}."
            )
    config["versions"] = versions()
    config["machine"] = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    write_atomically(recorded, json.dumps(config, indent=1) + "\n")
    seed_everything(seed)
    about = "" if source == "course" else f"; data: {source}"
    print(f"{reason} Profile: {resolved.name}; run folder: runs/{run}; seed: {seed}{about}.")
    return Run(run, resolved, seed, task, folder, source)


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
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "absent"
    return found


def write_atomically(path: Path, text: str) -> Path:
    """Write `text` to a temporary name beside `path`, then rename it: readers see the old or the new, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


@contextlib.contextmanager
def fresh_folder(path: Path) -> Iterator[Path]:
    """A temporary folder that becomes `path` when the block ends without an error, replacing what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield work
        work.chmod(0o755)
        if path.exists():
            shutil.rmtree(path)
        work.rename(path)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def check_disk(folder: Path, need_gb: float) -> None:
    """Raise RunError when the disk that holds `folder` has less than `need_gb` free."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free / 2**30
    if free < need_gb:
        raise RunError(
            f"This step writes about {need_gb:.1f} GB and only {free:.1f} GB are free on the disk of {folder.name}/. "
            "Free some space (old folders under runs/ are safe to delete) and run the notebook again."
        )
