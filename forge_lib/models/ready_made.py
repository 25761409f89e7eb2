"""The adapter that comes with the course, so that nobody has to train for an hour before lesson 05 or the demo.

python -m forge_lib.models.ready_made --run NAME          put it into a run, as 04_sft would have
python -m forge_lib.models.ready_made --run NAME --keep   make a run's adapter the one that comes with the course
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from safetensors.torch import load_file, save_file

from forge_lib import ROOT
from forge_lib.lab.files import RunError, fresh_folder, read_json
from forge_lib.lab.lock import held
from forge_lib.lab.profiles import PROFILES, ProfileError
from forge_lib.lab.runs import Run, existing, run_command, start
from forge_lib.models.adapter import FILES
from forge_lib.models.embedded import ModelError

FOLDER = ROOT / "data" / "ready_made"  # what 04 leaves in `sft/` of a run, and what validation said of it
_WEIGHTS, *_ = FILES
_MEND = "Put it back: git checkout data/ready_made"


def folder() -> Path:
    """The folder of the adapter. Raises ModelError where it is not there."""
    path = FOLDER / "sft" / "adapter"
    if not (path / _WEIGHTS).is_file():
        raise ModelError(f"The adapter that comes with the course is not in data/ready_made. {_MEND}")
    return path


def about() -> str:
    """A sentence on it: how it was trained, and what share of the validation questions it answers. Raises ModelError."""
    config = read_json(FOLDER / "sft" / "config.json", _MEND, ModelError)
    try:
        score = read_json(FOLDER / "validation.json", _MEND, ModelError)["metrics"]["accuracy"]["all"]
        return (
            f"The adapter that comes with the course (profile {config['profile']['name']}, seed {config['seed']}): "
            f"{score['percent']:.1f}% [{score['low']:.1f}, {score['high']:.1f}] of {score['items']} validation questions."
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"data/ready_made does not say how its adapter was made and scored. {_MEND}") from error


def place(run: str, profile: str = "cpu") -> Run:
    """Put the adapter into the run `run`, with the records and the config of its training; 05 and all after it go on.

    profile: of the run, whose base has to be the one it was trained on. Raises RunError where the run has begun a training,
    or was made with another profile or other data; ModelError where the base is another or the adapter is not there.
    """
    source, lab = folder().parent, start(profile, run)
    trained_on = read_json(source / "config.json", _MEND, ModelError)["profile"]["base_model"]
    if lab.profile.base_model != trained_on:
        raise ModelError(
            f"The adapter that comes with the course belongs on {trained_on}, and the base of the profile '{profile}' is "
            f"{lab.profile.base_model}. Train one: `{run_command(lab, '--only', '04')}`."
        )
    with held(lab.dir):
        if lab.path("sft").exists():  # even if 04 was stopped in it: its checkpoints cost an hour
            raise RunError(f"runs/{run} has a training of its own. Give another --run, or delete runs/{run}/sft.")
        with lab.stage("sft") as work:
            shutil.copytree(source, work, dirs_exist_ok=True)
    return lab


def keep(run: str) -> Path:
    """Make the adapter of the run `run` the one that comes with the course; its numbers in 16 bits, half the size.

    Score it then: `python -m forge_lib.evaluation --model data/ready_made/sft/adapter --profile cpu --out data/ready_made/validation.json`.
    Raises RunError where the run is not there or has no adapter.
    """
    lab = existing(run)
    adapter = lab.require("sft/adapter", "04_sft")
    with fresh_folder(FOLDER / "sft") as work:
        (work / "adapter").mkdir()
        for file in sorted(adapter.glob("*.json")):
            shutil.copy(file, work / "adapter")
        halves = {name: tensor.half() for name, tensor in load_file(adapter / _WEIGHTS).items()}
        save_file(halves, work / "adapter" / _WEIGHTS, metadata={"format": "pt"})
        for name in ("config.json", "result.json", "records.jsonl"):
            shutil.copy(lab.require(f"sft/{name}", "04_sft"), work)
    return FOLDER / "sft"


def main(given: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", default="default", help="name of the run folder under runs/ (default: default)")
    parser.add_argument("--profile", default="cpu", choices=list(PROFILES), help="of the run (default: cpu)")
    parser.add_argument("--keep", action="store_true", help="the other way: from the run to data/ready_made")
    options = parser.parse_args(given)
    try:
        if options.keep:
            print(f"Kept in {keep(options.run).relative_to(ROOT)}.")
            return 0
        lab = place(options.run, options.profile)
    except (ModelError, ProfileError, RunError) as error:
        print(f"ready_made: {error}", file=sys.stderr)
        return 2
    print(f"{about()}\nIt is in runs/{lab.name}. Go on with: {run_command(lab, '--from', '05')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
