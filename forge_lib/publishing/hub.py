"""Folders ready for the Hugging Face Hub; nothing leaves the machine unless it is asked to."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from forge_lib.export.gguf import file_facts
from forge_lib.runs import check_disk, fresh_folder, write_atomically


class PublishError(RuntimeError):
    """A push that cannot be made; the message names the mend."""


def prepare_folder(target: Path, card: str, files: Sequence[Path], base: str | None = None) -> list[dict]:
    """Copy `files` (folders are copied with their content) and the card into `target`.

    base: Hub id that an adapter's configuration shall name; PEFT writes the folder the base was loaded from, which
    exists on this machine only. Returns name, MB and SHA-256 of everything that would be uploaded.
    """
    check_disk(target.parent, sum(_size(f) for f in files) / 2**30)
    with fresh_folder(target) as work:
        for file in files:
            if file.is_dir():
                shutil.copytree(file, work, dirs_exist_ok=True)
            else:
                shutil.copy2(file, work)
        if base:
            config = json.loads((work / "adapter_config.json").read_text(encoding="utf-8"))
            write_atomically(
                work / "adapter_config.json", json.dumps(config | {"base_model_name_or_path": base}, indent=2)
            )
        write_atomically(work / "README.md", card)  # last: an adapter brings a README of its own
    listing = sorted(p for p in target.rglob("*") if p.is_file())
    return [file_facts(p) | {"file": p.relative_to(target).as_posix()} for p in listing]


def publish(folder: Path, repo_id: str, push: bool = False) -> str:
    """Upload `folder` to `repo_id` when `push`; otherwise say what would be done. Returns a sentence.

    Raises PublishError when `push` is asked for and no token is there.
    """
    files = [p for p in folder.rglob("*") if p.is_file()]
    weight = f"{len(files)} files, {_size(folder) / 1e6:.0f} MB"
    if not push:
        return f"Dry run: {weight} would go to {repo_id}. Set push=True and HF_TOKEN to upload."
    from huggingface_hub import HfApi, get_token

    token = os.environ.get("HF_TOKEN") or get_token()
    if not token:
        raise PublishError("push=True needs a token: set HF_TOKEN or run `hf auth login`, then run this cell again.")
    api = HfApi(token=token)
    url = api.create_repo(repo_id, exist_ok=True)
    api.upload_folder(folder_path=folder, repo_id=repo_id, commit_message="Upload the run's adapter, GGUF and card.")
    return f"{weight} uploaded to {url}."


def _size(path: Path) -> int:
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file()) if path.is_dir() else path.stat().st_size
