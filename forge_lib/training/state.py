"""The file that a killed training goes on from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import torch

from forge_lib.training import TrainingError
from forge_lib.training.packing import Pack


def training_key(model, steps: Sequence[Sequence[Pack]], settings) -> str:
    """What a training is: its settings, its base, what it trains, and every token it sees."""
    seen = hashlib.sha256(f"{settings} {model.name_or_path}".encode())
    for name, p in model.named_parameters():
        if p.requires_grad:
            seen.update(f"{name} {tuple(p.shape)}".encode())
    for packs in steps:
        seen.update(repr([[e.input_ids for e in pack] for pack in packs]).encode())
    return seen.hexdigest()


def save_state(path: Path, key: str, model, parts: dict, records: list[dict]) -> None:
    """Write trained weights, `parts` (optimizer, scaler) and records to `path`, whole or not at all."""
    weights = {n: p.detach() for n, p in model.named_parameters() if p.requires_grad}
    content = {"key": key, "weights": weights, "records": records} | {n: x.state_dict() for n, x in parts.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        torch.save(content, temporary)
        temporary.replace(path)
    except (OSError, RuntimeError) as error:  # torch's writer says a full disk with a RuntimeError
        raise TrainingError(
            f"Where training is could not be saved at step {len(records)} ({error}). Free some disk space and start "
            f"again: it goes on from the last file that was written whole ({path.name})."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def load_state(path: Path, key: str, model, parts: dict) -> list[dict]:
    """Put back what `save_state` wrote; returns the records so far, none where there is no file.

    Raises TrainingError where the file belongs to another base, other data or other settings.
    """
    if not path.exists():
        return []
    content = torch.load(path, weights_only=True)
    if content["key"] != key:
        raise TrainingError(
            f"{path.name} belongs to a training with another base, other data or other settings, so this one cannot go "
            "on from it. Delete it to start from the beginning, or use another run folder."
        )
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad:
                p.copy_(content["weights"][name])
    for name, part in parts.items():
        part.load_state_dict(content[name])
    return content["records"]
