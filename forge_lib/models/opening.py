"""One door to every kind of model: a run's chosen file, a GGUF, an adapter, a merged folder, the untuned base."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from safetensors import SafetensorError

from forge_lib.lab.files import RunError, said
from forge_lib.lab.profiles import Profile, get_profile
from forge_lib.lab.runs import existing, shipped_file
from forge_lib.models import BASE, READY_MADE, ready_made
from forge_lib.models.chat import Prompt, render
from forge_lib.models.embedded import ModelError, describe_base
from forge_lib.models.generate import Completion, Constraint, generate
from forge_lib.models.load import base_id, load_adapted, load_base, load_tokenizer

_Constraints = Sequence[Constraint | None] | None
_Complete = Callable[..., list[Completion]]
_WEIGHTS = ("*.safetensors", "*.bin", "*.gguf")  # what the answers of a folder depend on


@dataclass(frozen=True)
class Opened:
    """A model that completes prompts.

    name: what it is called; about: a sentence with file and score, as far as they are known; profile: of its base
    tokenizer: makes every prompt, so that all ask as training did; file: its GGUF, adapter or folder, where it has one
    complete: (prompts, most new tokens, constraints or None, temperature or 0) -> completions in their order
    """

    name: str
    about: str
    profile: Profile
    tokenizer: object
    complete: _Complete = field(repr=False)
    file: Path | None = None

    def digest(self) -> str | None:
        """SHA-256 (hex) of its weights; None for a base."""
        return None if self.file is None else weights_digest(self.file)


def weights_digest(path: Path) -> str:
    """SHA-256 (hex) of the weights in a GGUF, or in the folder of an adapter or a whole model.

    Raises ModelError where there are none.
    """
    files = [path] if path.is_file() else sorted(p for kind in _WEIGHTS for p in path.glob(kind))
    if not files:
        raise ModelError(f"There are no weights in {path.name}/ ({', '.join(_WEIGHTS)}). Train or copy it again.")
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def open_weights(which: str, profile: Profile, batch_size: int = 1) -> Opened:
    """The model that `which` names, loaded:

    "base": the profile's base as it is; "course": the adapter that comes with the course, on its own base, whatever the
    profile; "run:NAME": the GGUF that a run ships (its Modelfile names it); a path that ends in .gguf; a folder with a PEFT
    adapter; or a folder with a whole model, as `save_merged` writes it. batch_size: prompts that go through the weights at
    once (a GGUF has slots of its own). Raises ModelError where it is none of them or cannot be loaded.
    """
    if which == READY_MADE:
        path, profile = ready_made.folder(), get_profile("cpu")[0]
        return _weights(READY_MADE, ready_made.about(), profile, load_adapted(profile, path), batch_size, path)
    if which == BASE:
        about = f"The untuned base, {describe_base(profile.base_model)}."
        return _weights(BASE, about, profile, load_base(profile), batch_size)
    if which.startswith("run:") or which.lower().endswith(".gguf"):
        return _gguf(gguf_file(which, profile))
    path = Path(os.path.expanduser(which))
    if os.path.exists(path / "adapter_config.json"):
        about = f"The adapter in {path.name}/; nobody has scored it here."
        return _weights(path.name, about, profile, load_adapted(profile, path), batch_size, path)
    if os.path.exists(path / "config.json"):
        about = f"The whole model in {path.name}/; nobody has scored it here."
        profile = replace(profile, base_model=str(path), quantize_4bit=False)
        return _weights(path.name, about, profile, _whole(path, profile), batch_size, path)
    raise ModelError(
        f"There is no model '{which}'. Name a run as run:NAME, a .gguf file, a folder with an adapter or a whole model, "
        "course (the adapter that comes with it) or base."
    )


def _whole(path: Path, profile: Profile):
    """The model in a folder. Raises ModelError where weights or tokenizer are missing, or it cannot be read."""
    if not any(path.glob("*.safetensors")) or not any(path.glob("tokenizer*")):
        raise ModelError(
            f"{path.name}/ has a config.json, but no weights (*.safetensors) or no tokenizer. Copy it again."
        )
    _check_tokenizer(path, profile)
    try:
        model = load_base(profile)
    except (ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"The model in {path.name}/ cannot be loaded ({said(error)}). Copy it again, or merge anew."
        ) from error
    model.name_or_path = path.name  # the whole path would be this machine's
    return model


def _check_tokenizer(path: Path, profile: Profile) -> None:
    """Raise ModelError where the tokenizer of a whole model cannot be read, or does not say how the model is asked."""
    try:
        template = load_tokenizer(profile).chat_template
    except ModelError:
        raise
    except Exception as error:  # the tokenizers library raises nothing narrower
        raise ModelError(f"The tokenizer in {path.name}/ cannot be read ({said(error)}). Copy it again.") from error
    if not template:
        raise ModelError(
            f"The tokenizer in {path.name}/ has no chat template, so nobody knows how this model is asked. Take the "
            "instruct version of it, or copy the tokenizer of the base that it was made of."
        )


def run_file(name: str) -> tuple[Path, dict, Profile]:
    """The GGUF that the run `name` ships, its row of results, and the run's profile.

    Raises ModelError where there is no such run, or 07 has made no file in it yet.
    """
    try:
        lab = existing(name)
        row = shipped_file(lab, lab.load_json("export/formats.json", "07_quantization"))
        return lab.require(f"export/{row['file']}", "07_quantization"), row, lab.profile
    except (RunError, LookupError, TypeError) as error:
        raise ModelError(f"The run '{name}' has no model to open. {error}") from error


@dataclass(frozen=True)
class GGUF:
    """A GGUF file: what it is called where it is used, a sentence with file and score, its base's profile."""

    path: Path
    name: str
    about: str
    profile: Profile


def gguf_file(which: str, profile: Profile) -> GGUF:
    """The file that "run:NAME" or a path that ends in .gguf names. profile: of its base, where a path is given.

    Raises ModelError where there is no such run or file.
    """
    if which.startswith("run:"):
        name = which.removeprefix("run:")
        file, row, profile = run_file(name)
        asked, of = (row, "frozen test") if "all" in row else (row["validation"], "validation")
        score = (
            f"{asked['all']:.1f}% [{asked['all_low']:.1f}, {asked['all_high']:.1f}] of {asked['items']} {of} questions"
        )
        return GGUF(file, f"forge-{name}", f"{file.name} of the run {name}: {score}.", profile)
    path = Path(os.path.expanduser(which))
    if path.suffix.lower() != ".gguf" or not os.path.isfile(path):
        raise ModelError(
            f"There is no GGUF file '{which}'. Name one that ends in .gguf; notebook 07_quantization makes them."
        )
    return GGUF(path, path.stem, f"{path.name}; nobody has scored it here.", profile)


def load_file(file: Path, profile: Profile, **options):
    """A GGUF file in llama.cpp (`load_gguf`, which takes `options`) and the tokenizer that makes its prompts.

    Raises ModelError where the file is damaged, or was not made of the profile's base.
    """
    from forge_lib.models.llama import load_gguf, same_token_ids

    llm, tokenizer = load_gguf(file, **options), load_tokenizer(profile)
    sample = render(tokenizer, [{"role": "system", "content": "t(a, b)"}, {"role": "user", "content": "How many?"}])
    if not same_token_ids(llm, tokenizer, [sample]):
        raise ModelError(
            f"{file.name} cuts prompts into other tokens than {base_id(profile)}, the base of the profile "
            f"'{profile.name}'. Name the profile that it was trained with."
        )
    return llm, tokenizer


def _gguf(found: GGUF) -> Opened:
    from forge_lib.models.llama import generate_gguf

    llm, tokenizer = load_file(found.path, found.profile)

    def complete(prompts: Sequence[Prompt], limit: int, constraints: _Constraints = None, temperature: float = 0.0):
        return generate_gguf(llm, tokenizer, prompts, limit, constraints=constraints, temperature=temperature)

    return Opened(found.name, found.about, found.profile, tokenizer, complete, found.path)


def _weights(name: str, about: str, profile: Profile, model, batch_size: int = 1, file: Path | None = None) -> Opened:
    tokenizer = load_tokenizer(profile)

    def complete(prompts: Sequence[Prompt], limit: int, constraints: _Constraints = None, temperature: float = 0.0):
        return generate(model, tokenizer, prompts, limit, batch_size, False, temperature, constraints)

    return Opened(name, about, profile, tokenizer, complete, file)
