"""Engines: what trains and answers on a machine, behind five verbs; `engine_for` chooses one by the profile.

An engine is a module with these functions:

load(profile, adapter=None)
    the profile's base with fresh LoRA matrices on all linear layers, or with those of a PEFT adapter folder
train(model, steps, tokenizer, settings, progress=True, **hooks)
    one optimizer step per element of `steps`, a list of packs; records as of `forge_lib.training.sft.train`
loss(model, packs, tokenizer, settings)
    mean cross-entropy per answer token of packs, in nats
generate(model, tokenizer, prompts, max_new_tokens, batch_size=32, progress=False, temperature=0.0)
    completions in the order of the prompts, as of `forge_lib.models.load.generate`
save(model, folder)
    a PEFT adapter, whichever engine trained it: every later notebook loads it the same way

All take the same examples in the same order, a step's gradient is that of the mean over its answer tokens, and AdamW
and the learning rate's path are those of `SFTSettings`. Hooks are those of `sft.train`: `validate`, `validate_at` and
`track` everywhere; `state` is heeded by "torch" alone (elsewhere a training that was killed begins again).
"""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from forge_lib.lab.profiles import ENGINE_PACKAGES, Profile
from forge_lib.training import TrainingError
from forge_lib.training.packing import Pack
from forge_lib.training.sft import SFTSettings, check_steps, cosine_schedule, validations_since_best

ENGINES = {  # name: module, package it stands on, file that installs the package
    name: (f"{name}_{kind}", *ENGINE_PACKAGES[name])
    for name, kind in {"torch": "loop", "trl": "trainer", "unsloth": "trainer", "mlx": "loop"}.items()
}


class EngineError(RuntimeError):
    """An engine that does not exist or cannot run here; the message says what to change."""


def engine_for(profile: Profile) -> ModuleType:
    """The engine that `profile.engine` names. Raises EngineError for an unknown one and for a missing package.

    >>> from forge_lib.lab.profiles import PROFILES
    >>> engine_for(PROFILES["cpu"]).__name__
    'forge_lib.training.engines.torch_loop'
    """
    if profile.engine not in ENGINES:
        raise EngineError(f"There is no engine '{profile.engine}'. Choose one of: {', '.join(ENGINES)}.")
    module, package, file = ENGINES[profile.engine]
    if importlib.util.find_spec(package) is None:
        raise EngineError(
            f"Engine '{profile.engine}' needs the package '{package}', which is not installed. "
            f"Run `pip install -r {file}`, or set engine=\"torch\" for profile '{profile.name}' in forge_lib/lab/profiles.py."
        )
    return importlib.import_module(f"{__name__}.{module}")


class Journal:
    """What the engines around other libraries share: a record a step, the hooks, early stopping."""

    def __init__(
        self, model, steps: Sequence[Sequence[Pack]], settings: SFTSettings, validate: Callable[[int], dict] | None = None,
        validate_at: Sequence[int] = (), track: Callable[[dict], object] | None = None, state: Path | None = None,
        **unknown,
    ):  # fmt: skip
        if unknown:
            raise TrainingError(
                f"This engine does not know {', '.join(unknown)}. Leave it out, or use the engine 'torch'."
            )
        check_steps(steps)
        self.model, self.steps, self.settings = model, steps, settings
        self.validate, self.validate_at, self.track = validate, validate_at, track
        self.records: list[dict] = []

    def rate(self) -> float:
        """The learning rate of the step that is under way."""
        factor = cosine_schedule(len(self.records), len(self.steps), self.settings.warmup)
        return self.settings.learning_rate * factor

    def check(self, loss: float) -> None:
        """Raise TrainingError for a loss that is not a number."""
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss is {loss} at step {len(self.records) + 1}. Lower the learning rate (now "
                f"{self.settings.learning_rate:g}), or look at the examples of this step for empty answers."
            )

    def add(self, loss: float, grad_norm: float, seconds: float) -> bool:
        """Record the step that has ended and call the hooks; whether training goes on."""
        examples = [e for pack in self.steps[len(self.records)] for e in pack]
        number, checked = len(self.records) + 1, False
        record = {"step": number, "loss": loss, "learning_rate": self.rate(), "grad_norm": grad_norm,
                  "examples": len(examples), "tokens": sum(map(len, examples)), "seconds": seconds}  # fmt: skip
        if self.validate and number in self.validate_at:
            checked = True
            self.model.eval()  # checkpointing switches the key-value cache off
            record |= self.validate(number)
        self.records.append(record)
        if self.track:
            self.track(record)
        patience = self.settings.patience
        if checked and patience and validations_since_best(self.records) >= patience:
            record["stopped_early"] = True
        return "stopped_early" not in record
