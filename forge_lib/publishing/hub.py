"""Folders ready for the Hugging Face Hub; nothing leaves the machine unless it is asked to."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from huggingface_hub.utils import HfHubHTTPError, HFValidationError, validate_repo_id

from forge_lib.export.gguf import file_facts
from forge_lib.lab.files import said
from forge_lib.lab.runs import check_disk, fresh_folder, write_atomically
from forge_lib.models.adapter import adapter_config
from forge_lib.models.embedded import ModelError
from forge_lib.publishing.leaks import LIMIT_GB, Leak, bad_files, leaks


class PublishError(RuntimeError):
    """A push that cannot be made, or must not; the message names the mend."""


def check_repo_id(repo_id: str) -> str:
    """`repo_id` as it is. Raises PublishError unless it is "your-name/the-model's-name" as the Hub allows it.

    >>> check_repo_id("ada/forge-sql")
    'ada/forge-sql'
    """
    try:
        validate_repo_id(repo_id if isinstance(repo_id, str) else "")
        if "/" not in repo_id:
            raise HFValidationError("it does not say whose it is")
    except HFValidationError as error:
        raise PublishError(
            f"{repo_id!r} is no name of a repository on the Hub: {str(error).rstrip('.')}. "
            'Write it as "your-name/model-name", with letters, digits, "-", "_" and "." only.'
        ) from error
    return repo_id


def prepare_folder(
    target: Path, card: str, files: Sequence[Path], base: str | None = None, limit_gb: float = LIMIT_GB
) -> list[dict]:
    """Copy `files` (folders are copied with their content) and the card into `target`.

    base: Hub id that an adapter's configuration shall name; PEFT writes the folder the base was loaded from, which
    exists on this machine only. limit_gb: size of the largest file. Returns name, MB and SHA-256 of everything that
    would be uploaded. Raises PublishError, and leaves `target` as it was, where something must not go out.
    """
    _refuse(leak for file in files for leak in bad_files(file, limit_gb))
    check_disk(target.parent, sum(_size(f) for f in files) / 2**30)
    with fresh_folder(target) as work:
        for file in files:
            if file.is_dir():
                shutil.copytree(file, work, dirs_exist_ok=True)
            else:
                shutil.copy2(file, work)
        if base:
            _name_base(work, base)
        write_atomically(work / "README.md", card)  # last: an adapter brings a README of its own
        _refuse(leaks(work, limit_gb))
    listing = sorted(p for p in target.rglob("*") if p.is_file())
    return [file_facts(p) | {"file": p.relative_to(target).as_posix()} for p in listing]


def publish(folder: Path, repo_id: str, push: bool = False, private: bool = True, limit_gb: float = LIMIT_GB) -> str:
    """Upload `folder` to `repo_id` when `push`; otherwise say what would be done. Returns a sentence.

    private: a new repository is seen by its owner only, and one that everybody can read is refused; False makes a new
    one public. limit_gb: size of the largest file that may go.
    Raises PublishError for an ill-formed name, for anything in the folder that must not go out (in a dry run too), and
    when `push` is asked for and no token is there.
    """
    check_repo_id(repo_id)
    if not folder.is_dir() or not any(folder.iterdir()):
        raise PublishError(f"There is nothing to publish in {folder.name}/; `prepare_folder` fills it (08_publishing).")
    _refuse(leaks(folder, limit_gb))
    weight = f"{sum(p.is_file() for p in folder.rglob('*'))} files, {_size(folder) / 1e6:.0f} MB"
    if not push:
        kind = "private" if private else "public"
        return f"Dry run: {weight} would go to the {kind} repository {repo_id}. Set push=True and HF_TOKEN to upload."
    from huggingface_hub import HfApi, get_token

    token = os.environ.get("HF_TOKEN") or get_token()
    if not token:
        raise PublishError("push=True needs a token: set HF_TOKEN or run `hf auth login`, then run this cell again.")
    api = HfApi(token=token)
    url, private = _repository(api, repo_id, private)
    kind = "private" if private else "public"
    api.upload_folder(folder_path=folder, repo_id=repo_id, commit_message="Upload the run's adapter, GGUF and card.")
    return f"{weight} uploaded to {url} ({kind})."


def _repository(api, repo_id: str, private: bool) -> tuple[str, bool]:
    """Address of a new repository, or of one that is there and no more public than asked; and whether it is private."""
    try:
        return str(api.create_repo(repo_id, private=private)), private
    except HfHubHTTPError as error:
        if error.response is None or error.response.status_code != 409:  # 409: it exists
            raise PublishError(f"The Hub would not make {repo_id}: {said(error)}") from error
    stays_private = api.repo_info(repo_id).private  # pushing to it makes nothing public
    if private and not stays_private:
        raise PublishError(
            f"{repo_id} exists and everybody can read it. Make it private in its settings on the Hub, choose another "
            "repo_id, or pass private=False if everybody may read this."
        )
    return f"{api.endpoint}/{repo_id}", stays_private


def _name_base(folder: Path, base: str) -> None:
    """Write the base's Hub id into an adapter's configuration."""
    try:
        config = adapter_config(folder)
    except ModelError as error:
        raise PublishError(str(error)) from error
    write_atomically(folder / "adapter_config.json", json.dumps(config | {"base_model_name_or_path": base}, indent=2))


def _refuse(found: Iterable[Leak]) -> None:
    """Raise PublishError that lists what must not go out, if there is anything."""
    if lines := [f"- {leak}" for leak in found]:
        more = [f"- and {len(lines) - 20} more"] if len(lines) > 20 else []
        raise PublishError(
            "Nothing was uploaded, because this must not leave the machine (secrets are not repeated here):\n"
            + "\n".join([*lines[:20], *more])
            + "\nTake it out, then run this cell again."
        )


def _size(path: Path) -> int:
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file()) if path.is_dir() else path.stat().st_size
