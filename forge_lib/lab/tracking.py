"""Experiment tracking: config, curves and files of every training run side by side.

MLflow by default, in a SQLite file on this disk: no account, no server, nothing sent. To look at it, in the repository:
`MLFLOW_DISABLE_TELEMETRY=true mlflow ui --backend-store-uri sqlite:///runs/mlflow.db`. FORGE_TRACKING chooses another.

The store names no folder of this machine: it may be handed on, and is found again where the repository is moved.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forge_lib import ROOT
from forge_lib.lab.files import said
from forge_lib.lab.runs import Run

_FLUSH_MS, _FLUSH_METRICS = 5000, 900  # MLflow takes 1,000 in a call; one call a record costs 5 ms, in batches 0.5


class TrackingError(RuntimeError):
    """A tracker that does not exist or is not installed; the message names the mend."""


@dataclass(frozen=True)
class Track:
    """One tracked run; call it with a step's record: its numbers become points of curves, at `record["step"]`."""

    log: Callable[[dict[str, float], int], None]
    artifact: Callable[[Path], None]  # keeps a copy of a file or a folder with the run
    close: Callable[[bool], None]  # whether all went well

    def __call__(self, record: dict) -> None:
        self.log({k: v for k, v in record.items() if k != "step" and isinstance(v, (int, float))}, record["step"])


@contextlib.contextmanager
def tracked(lab: Run, stage: str, settings: Mapping[str, Any] | None = None, **tags: str) -> Iterator[Track]:
    """A new run of the tracker that FORGE_TRACKING names (mlflow, wandb, trackio, none), finished or failed at the end.

    stage: "sft", "grpo"; settings: hyperparameters beside the profile's; tags: such as the pairs' fingerprint.
    Raises TrackingError for an unknown tracker, one that is not installed, and a store that cannot be used.

        with tracked(lab, "sft", asdict(settings), pairs=fingerprint(pairs)) as track:
            train(model, steps, pad_id, settings, track=track)
            track.artifact(lab.path("sft", "adapter"))
    """
    config = lab.now()
    about = {"versions": config.pop("versions"), "machine": config.pop("machine"), "run": lab.name, "stage": stage}
    about["notebook"] = "".join(p.stem for p in (ROOT / "notebooks").glob(f"[0-9][0-9]_{stage}.ipynb"))
    track = _begin(
        tracker(), lab, f"{lab.name}/{stage}", _flat(config | {"settings": settings or {}}), _flat(about | tags)
    )
    good = False
    try:
        yield track
        lab.freeze(stage)
        good = True
    finally:
        track.close(good)


def _begin(name: str, *run: Any) -> Track:
    """A run of this tracker, whose later failures are warnings. Raises TrackingError where it cannot begin."""
    try:
        track = _TRACKERS[name](*run)
    except TrackingError:
        raise
    except Exception as error:  # each library has its own
        raise TrackingError(
            f"The tracker {name} could not begin ({said(error)[:200]}). Mend that, or set FORGE_TRACKING=none."
        ) from error
    return Track(*(_spared(verb) for verb in (track.log, track.artifact, track.close)))


def _spared(verb: Callable[..., None]) -> Callable[..., None]:
    """`verb`, warning where the tracker fails: hours of training do not end for a point of a curve."""

    def tried(*given: Any) -> None:
        try:
            verb(*given)
        except Exception as error:
            warnings.warn(
                f"The tracker could not keep this, and the run goes on without it: {said(error)[:200]}", stacklevel=3
            )

    return tried


def tracker() -> str:
    """The tracker that FORGE_TRACKING names, "mlflow" where it is unset.

    Raises TrackingError for an unknown one, and for one that is not installed: now rather than when training begins.
    """
    name = os.environ.get("FORGE_TRACKING") or "mlflow"
    if name not in _TRACKERS:
        raise TrackingError(f"There is no tracker '{name}'. Set FORGE_TRACKING to one of: {', '.join(_TRACKERS)}.")
    if name != "none" and importlib.util.find_spec(name) is None:
        raise TrackingError(
            f"FORGE_TRACKING={name} needs a package that is not installed. Run `pip install {name}`, or leave "
            "FORGE_TRACKING unset: MLflow comes with the course."
        )
    return name


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """A nested config as text by dotted name.

    >>> _flat({"seed": 17, "profile": {"lora_rank": 32}})
    {'seed': '17', 'profile.lora_rank': '32'}
    """
    found: dict[str, str] = {}
    for key, value in config.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: str(value)}
    return found


def _mlflow(lab: Run, name: str, config: dict[str, str], tags: dict[str, str]) -> Track:
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")  # read at import; else it reports how it makes its tables
    import mlflow
    from mlflow import entities

    store, files = lab.dir.parent / "mlflow.db", lab.dir.parent / "mlartifacts"
    try:
        if store.is_dir():  # MLflow would try again for minutes
            raise IsADirectoryError("it is a folder")
        client, run = _mlflow_run(mlflow.MlflowClient, store, f"{files.parent.name}/{files.name}", name, tags)
        client.log_batch(run, params=[entities.Param(key, value) for key, value in config.items()])
    except _store_errors() as error:
        raise TrackingError(
            f"{store.parent.name}/{store.name}, where MLflow keeps its curves, cannot be used ({said(error)[:200]}). Move it "
            "away (only curves of earlier runs are in it), free some space on its disk, or set FORGE_TRACKING=none."
        ) from error
    waiting: list = []

    def flush() -> None:
        try:
            client.log_batch(run, metrics=waiting)
        finally:
            waiting.clear()

    def log(values: dict[str, float], step: int) -> None:
        now = int(1000 * time.time())
        waiting.extend(entities.Metric(key, value, now, step) for key, value in values.items())
        if waiting and (len(waiting) > _FLUSH_METRICS or now - waiting[0].timestamp > _FLUSH_MS):
            flush()

    def artifact(path: Path) -> None:  # MLflow would look for the relative folder below the working one
        copy = files / run / "artifacts" / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(path, copy, dirs_exist_ok=True) if path.is_dir() else shutil.copyfile(path, copy)

    def close(good: bool) -> None:
        try:
            flush()
        finally:
            client.set_terminated(run, "FINISHED" if good else "FAILED")

    return Track(log, artifact, close)


def _mlflow_run(connect: Callable, store: Path, relative: str, name: str, tags: dict[str, str]) -> tuple[Any, str]:
    """A client of the store, and the id of a new run of the experiment "forge" in it."""
    client = connect(f"sqlite:///{store}")
    known = client.get_experiment_by_name("forge")
    if known and known.lifecycle_stage == "deleted":  # somebody tidied up in the browser
        client.restore_experiment(known.experiment_id)
    experiment = known.experiment_id if known else client.create_experiment("forge")
    _forget_folders(store, relative)  # where `mlflow ui` finds them from the repository
    return client, client.create_run(experiment, tags=tags, run_name=name).info.run_id


def _store_errors() -> tuple[type[Exception], ...]:
    """What MLflow raises for a store that is damaged, of another version, full or not to be written."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, SQLAlchemyError, sqlite3.Error, OSError


def _forget_folders(store: Path, relative: str) -> None:
    """Let the store name the folder of its files as `relative`: MLflow writes the absolute one, with your home in it."""
    with contextlib.closing(sqlite3.connect(store, timeout=60)) as connection:
        connection.execute("PRAGMA secure_delete = ON")  # overwritten, not only forgotten
        changed = connection.execute(
            "UPDATE experiments SET artifact_location = ?1 WHERE artifact_location <> ?1", [relative]
        ).rowcount
        changed += connection.execute(
            "UPDATE runs SET artifact_uri = ?1 || '/' || run_uuid || '/artifacts' WHERE substr(artifact_uri, 1, ?2) <> ?1",
            [relative, len(relative)],
        ).rowcount
        connection.commit()
        if changed:
            connection.execute("VACUUM")


def _wandb(lab: Run, name: str, config: dict[str, str], tags: dict[str, str]) -> Track:
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    import wandb

    run = wandb.init(
        project="forge", name=name, group=lab.name, dir=lab.dir.parent, config=config | tags,
        mode=None if os.environ.get("WANDB_API_KEY") else "offline",  # without a key it would ask for a login
        settings=wandb.Settings(silent=True, console="off"),
    )  # fmt: skip
    return Track(run.log, run.log_artifact, lambda good: run.finish(exit_code=0 if good else 1))


def _trackio(lab: Run, name: str, config: dict[str, str], tags: dict[str, str]) -> Track:
    os.environ.setdefault("TRACKIO_DIR", str(lab.dir.parent / "trackio"))  # read when trackio is imported
    import trackio

    run = trackio.init(project="forge", name=name, group=lab.name, config=config | tags, embed=False)

    def close(good: bool) -> None:
        if not good:
            run.alert("The run failed.")
        trackio.finish()

    return Track(run.log, run.log_artifact, close)


def _none(*_: Any) -> Track:
    return Track(lambda values, step: None, lambda path: None, lambda good: None)


_TRACKERS = {"mlflow": _mlflow, "wandb": _wandb, "trackio": _trackio, "none": _none}
