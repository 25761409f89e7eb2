"""One door to every kind of model that can be served: a run's chosen file, a GGUF, an adapter, the untuned base."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from forge_lib.export.gguf import ExportError
from forge_lib.lab.files import RunError
from forge_lib.lab.profiles import Profile
from forge_lib.lab.runs import existing
from forge_lib.models.chat import Message, encode_prompt, render
from forge_lib.models.embedded import ModelError, describe_base
from forge_lib.models.generate import Completion
from forge_lib.models.load import base_id, load_adapted, load_base, load_tokenizer
from forge_lib.publishing.card import shipped_file
from forge_lib.serving import BASE, ServingError

MAX_NEW_TOKENS = 96


@dataclass
class Model:
    """A model that answers conversations, greedily; threads take turns.

    name: what it is called where it is served; about: a sentence with file and score, as far as they are known
    file: the GGUF, where it is one; tokenizer: makes every prompt, so that serving asks as training did
    """

    name: str
    about: str
    tokenizer: object
    complete: Callable[[Sequence[Message], int], Completion] = field(repr=False)
    file: Path | None = None
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def answer(self, messages: Sequence[Message], max_new_tokens: int = MAX_NEW_TOKENS) -> Completion:
        """The model's reply to `messages`, which begin with a system message."""
        with self.lock:
            return self.complete(messages, max_new_tokens)


def open_model(which: str, profile: Profile) -> Model:
    """The model that `which` names, loaded:

    "base": the profile's base as it is; "run:NAME": the GGUF that a run ships (its Modelfile names it); a path that ends
    in .gguf; or a folder with a PEFT adapter. Raises ServingError where it is none of them or cannot be loaded.
    """
    try:
        if which == BASE:
            return _weights(
                BASE, f"The untuned base, {describe_base(profile.base_model)}.", profile, load_base(profile)
            )
        if which.startswith("run:") or which.lower().endswith(".gguf"):
            return _gguf(gguf_file(which, profile))
        path = Path(which).expanduser()
        if (path / "adapter_config.json").exists():
            about = f"The adapter in {path.name}/; nobody has scored it here."
            return _weights(path.name, about, profile, load_adapted(profile, path))
    except (ExportError, ModelError) as error:
        raise ServingError(str(error)) from error
    raise ServingError(
        f"There is no model '{which}'. Name a run as run:NAME, a .gguf file, a folder with an adapter, or base."
    )


def run_file(name: str) -> tuple[Path, dict, Profile]:
    """The GGUF that the run `name` ships, its row of results, and the run's profile.

    Raises ServingError where there is no such run, or 07 has made no file in it yet.
    """
    try:
        lab = existing(name)
        row = shipped_file(lab, lab.load_json("export/formats.json", "07_quantization"))
        return lab.require(f"export/{row['file']}", "07_quantization"), row, lab.profile
    except (RunError, LookupError, TypeError) as error:
        raise ServingError(f"The run '{name}' cannot be served. {error}") from error


@dataclass(frozen=True)
class GGUF:
    """A GGUF file to serve: what it is called where it is served, a sentence with file and score, its base's profile."""

    path: Path
    name: str
    about: str
    profile: Profile


def gguf_file(which: str, profile: Profile) -> GGUF:
    """The file that "run:NAME" or a path that ends in .gguf names. profile: of its base, where a path is given.

    Raises ServingError where there is no such run or file.
    """
    if which.startswith("run:"):
        name = which.removeprefix("run:")
        file, row, profile = run_file(name)
        score = (
            f"{row['all']:.1f}% [{row['all_low']:.1f}, {row['all_high']:.1f}] of {row['items']} frozen test questions"
        )
        return GGUF(file, f"forge-{name}", f"{file.name} of the run {name}: {score}.", profile)
    path = Path(which).expanduser()
    if path.suffix.lower() != ".gguf" or not path.is_file():
        raise ServingError(
            f"There is no GGUF file '{which}'. Name one that ends in .gguf; notebook 07_quantization makes them."
        )
    return GGUF(path, path.stem, f"{path.name}; nobody has scored it here.", profile)


def load_file(file: Path, profile: Profile, **options):
    """A GGUF file in llama.cpp (`load_gguf`, which takes `options`) and the tokenizer that makes its prompts.

    Raises ServingError where the file is damaged, or was not made of the profile's base.
    """
    from forge_lib.export.llama import load_gguf, same_token_ids

    try:
        llm, tokenizer = load_gguf(file, **options), load_tokenizer(profile)
    except (ExportError, ModelError) as error:
        raise ServingError(str(error)) from error
    sample = render(tokenizer, [{"role": "system", "content": "t(a, b)"}, {"role": "user", "content": "How many?"}])
    if not same_token_ids(llm, tokenizer, [sample]):
        raise ServingError(
            f"{file.name} cuts prompts into other tokens than {base_id(profile)}, the base of the profile "
            f"'{profile.name}'. Name the profile that it was trained with."
        )
    return llm, tokenizer


def _gguf(found: GGUF) -> Model:
    from forge_lib.export.llama import complete

    llm, tokenizer = load_file(found.path, found.profile)

    def answer(messages: Sequence[Message], limit: int) -> Completion:
        prompt, began = encode_prompt(tokenizer, messages), time.perf_counter()
        [(ids, finished)] = complete(llm, prompt.prefix, [prompt.rest], limit)
        text = tokenizer.decode(ids, skip_special_tokens=True)
        return Completion(text, len(prompt), len(ids) - finished, time.perf_counter() - began, finished, tuple(ids))

    return Model(found.name, found.about, tokenizer, answer, found.path)


def _weights(name: str, about: str, profile: Profile, model) -> Model:
    from forge_lib.models.generate import generate

    tokenizer = load_tokenizer(profile)

    def answer(messages: Sequence[Message], limit: int) -> Completion:
        [found] = generate(model, tokenizer, [encode_prompt(tokenizer, messages)], limit, 1, False)
        return found

    return Model(name, about, tokenizer, answer)
