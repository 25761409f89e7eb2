"""The file that a killed training goes on from."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Sequence
from pathlib import Path

import torch

from forge_lib.lab.files import beside, said
from forge_lib.training import TrainingError
from forge_lib.training.packing import Pack


class StateFile:
    """The file of one training: read when it begins, written on the way, gone when it ends.

    path: None, and nothing is kept
    parts: what has a state beside the weights (optimizer, scaler); plan: what else the training goes by, as far as its
    `repr` shows it (rates, when it validates); writes: whether this process does, of several.

    >>> nowhere = StateFile(None, None, {}, [], settings=None, plan=None)
    >>> nowhere.save([{"step": 1}]), nowhere.load(), nowhere.remove()
    (None, [], None)
    """

    def __init__(
        self, path: Path | None, model, parts: dict, steps: Sequence[Sequence[Pack]], settings: object, plan: object,
        writes: bool = True,
    ):  # fmt: skip
        self.path, self.model, self.parts, self.writes = path, model, parts, writes
        self.key = _training_key(model, steps, settings, plan) if path else ""

    def load(self) -> list[dict]:
        """The records so far, weights and parts put back as they were; none where there is no file. Raises as `load_state`."""
        return load_state(self.path, self.key, self.model, self.parts) if self.path else []

    def save(self, records: list[dict]) -> None:
        """Keep where training is. Raises TrainingError where it cannot be written."""
        if self.path and self.writes:
            _save_state(self.path, self.key, self.model, self.parts, records)

    def remove(self) -> None:
        """The training is over."""
        if self.path and self.writes:
            self.path.unlink(missing_ok=True)


def _training_key(model, steps: Sequence[Sequence[Pack]], settings, plan: object) -> str:
    """What a training is: its settings, its base and adapter, what it trains, and every token it sees."""
    about = {name: config.to_dict() for name, config in getattr(model, "peft_config", {}).items()}
    about = json.dumps(about, default=_in_order, sort_keys=True)
    seen = hashlib.sha256(f"{settings} {model.name_or_path} {model.dtype} {about} {plan}".encode())
    for name, p in model.named_parameters():
        if p.requires_grad:
            seen.update(f"{name} {tuple(p.shape)} {p.dtype}".encode())
    for packs in steps:
        seen.update(repr([[(e.prefix, e.question, e.answer) for e in pack] for pack in packs]).encode())
    return seen.hexdigest()


def _in_order(value: object) -> object:
    """For JSON: PEFT keeps names in sets, whose order is another in every process."""
    return sorted(value) if isinstance(value, set) else str(value)


def _save_state(path: Path, key: str, model, parts: dict, records: list[dict]) -> None:
    """Write trained weights, `parts` (optimizer, scaler) and records to `path`, whole or not at all."""
    weights = {n: p.detach() for n, p in model.named_parameters() if p.requires_grad}
    content = {"key": key, "weights": weights, "records": records, "random": _random_state(model.device)}
    content |= {n: x.state_dict() for n, x in parts.items()}
    content["digest"] = digest(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(path)
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
    """Put back what `_save_state` wrote; returns the records so far, none where there is no file.

    Raises TrainingError where the file belongs to another base, other data or other settings, and where it is damaged.
    """
    if not path.exists():
        return []
    content = _read(path)
    if content["key"] != key:
        raise TrainingError(
            f"{path.name} belongs to a training with another base, other data or other settings, so this one cannot go "
            "on from it. Delete it to start from the beginning, or use another run folder."
        )
    if content.pop("digest", None) != digest(content):
        raise _damaged(path, "its content is not what was written")
    weights = content["weights"]
    if not all(w.isfinite().all() for w in weights.values()):
        raise _damaged(path, "some of its weights are not numbers")
    try:
        for name, part in parts.items():
            part.load_state_dict(content[name])
        _set_random_state(content["random"], model.device)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:  # written by another version of torch
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad:
                p.copy_(weights[name])
    return content["records"]


def _read(path: Path) -> dict:
    """What `torch.save` wrote, to main memory: every process of a machine reads it. Pickled code is not run."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, IndexError, AttributeError, TypeError,
            pickle.UnpicklingError) as error:  # fmt: skip
        raise _damaged(path, said(error)) from error
    if not isinstance(content, dict) or "key" not in content:
        raise _damaged(path, "it does not say which training it belongs to")
    return content


def digest(value: object) -> str:
    """A hash of nested dicts and lists of tensors and plain values: a file may be readable and yet not what it was."""
    if isinstance(value, torch.Tensor):
        raw = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
        return hashlib.sha256(f"{value.dtype} {tuple(value.shape)} ".encode() + raw.tobytes()).hexdigest()
    if isinstance(value, dict):
        value = [(repr(name), digest(part)) for name, part in value.items()]
    elif isinstance(value, list | tuple):
        value = [digest(part) for part in value]
    return hashlib.sha256(repr(value).encode()).hexdigest()


def _damaged(path: Path, why: str) -> TrainingError:
    return TrainingError(
        f"{path.name} is damaged ({why}), so this training cannot go on from it. Delete it to start from the beginning."
    )


def _random_state(device: torch.device) -> dict:
    """Where torch's generators are: dropout draws from them."""
    state = {"cpu": torch.get_rng_state()}
    return state | {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else state


def _set_random_state(state: dict, device: torch.device) -> None:
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda"], device)
