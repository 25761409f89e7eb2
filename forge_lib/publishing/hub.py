"""Folders ready for the Hugging Face Hub; nothing leaves the machine unless it is asked to."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import httpx
import yaml
from huggingface_hub import ModelCard, SpaceCard
from huggingface_hub.errors import OfflineModeIsEnabled
from huggingface_hub.utils import HfHubHTTPError, HFValidationError, validate_repo_id

from forge_lib.export.gguf import file_facts
from forge_lib.export.merge import save_merged
from forge_lib.lab.files import check_disk, fresh_folder, said, write_atomically
from forge_lib.lab.profiles import Profile
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
    return _listing(target)


def prepare_merged(target: Path, card: str, profile: Profile, adapter: Path, limit_gb: float = LIMIT_GB) -> list[dict]:
    """`prepare_folder` of base and adapter as one plain model with its tokenizer: what 06_evaluation has asked.

    It loads without PEFT, and on no other base. Takes twice its size on the disk for a while. Raises ModelError where the
    adapter is damaged or of another base, and what `prepare_folder` raises.
    """
    check_disk(target.parent, 0.1)  # which makes the folder
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        return prepare_folder(target, card, [save_merged(profile, adapter, Path(work, "merged"))], limit_gb=limit_gb)


def _listing(folder: Path) -> list[dict]:
    """Name, MB and SHA-256 of every file, by name."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return [file_facts(p) | {"file": p.relative_to(folder).as_posix()} for p in files]


def publish(
    folder: Path,
    repo_id: str,
    push: bool = False,
    private: bool = True,
    limit_gb: float = LIMIT_GB,
    tag: str | None = None,
    collection: str | None = None,
    repo_type: str = "model",
) -> str:
    """Upload `folder` to `repo_id` when `push`; otherwise say what would be done. Returns a sentence, a dry run's list too.

    private: a new repository is seen by its owner only, and one that everybody can read is refused; False makes a new
    one public. limit_gb: size of the largest file that may go. tag: a name for this version, which then never changes;
    collection: title of the owner's collection to put it into, made where there is none; repo_type: "model" or "space".

    All files arrive as one commit, and are compared with the folder by hash. A call that was broken off is made again:
    what has arrived is not sent twice.
    Raises PublishError for an ill-formed name, for anything in the folder that must not go out (in a dry run too), and
    when `push` is asked for and no token is there, the Hub refuses, or the connection is lost.
    """
    check_repo_id(repo_id)
    if repo_type not in _CARDS:
        raise PublishError(f'{repo_type!r} is no kind of repository that is published here. Say "model" or "space".')
    if tag is not None and (not re.fullmatch(r"\w[\w.-]*", tag, re.ASCII) or ".." in tag or tag in ("main", "HEAD")):
        raise PublishError(f'{tag!r} cannot name a version. Write it as "v1" or "2026-11-26", and not "main".')
    if not folder.is_dir() or not any(folder.iterdir()):
        raise PublishError(f"There is nothing to publish in {folder.name}/; `prepare_folder` fills it (08_publishing).")
    _refuse(leaks(folder, limit_gb))
    _check_card(folder / "README.md", repo_type)
    weight = f"{sum(p.is_file() for p in folder.rglob('*'))} files, {_size(folder) / 1e6:.0f} MB"
    if not push:
        kind = f"{'private' if private else 'public'} {'repository' if repo_type == 'model' else repo_type.title()}"
        more = f", as version {tag}" * bool(tag) + f", into the collection {collection!r}" * bool(collection)
        files = [f"  {f['file']}: {f['megabytes']:.3f} MB, SHA-256 {f['sha256'][:16]}…" for f in _listing(folder)]
        first = f"Dry run: {weight} would go to the {kind} {repo_id}{more}. Set push=True and HF_TOKEN to upload."
        return "\n".join([first, *files])
    from huggingface_hub import HfApi, get_token

    token = os.environ.get("HF_TOKEN") or get_token()
    if not token:
        raise PublishError("push=True needs a token: set HF_TOKEN or run `hf auth login`, then run this cell again.")
    api = HfApi(token=token)
    with _in_sentences(repo_id):
        url, private = _repository(api, repo_id, private, repo_type)
        if tag:
            _check_tag(api, folder, repo_id, tag, repo_type)
        commit = _upload(api, folder, repo_id, repo_type)
        extra = _compared(api, folder, repo_id, commit, repo_type)
        done = f"{weight} uploaded to {url} ({'private' if private else 'public'}), each file there equal by its hash"
        if tag:
            api.create_tag(repo_id, tag=tag, revision=commit, repo_type=repo_type, exist_ok=True)
            done += f", version {tag}"
        if collection:
            owner = repo_id.split("/")[0]
            slug = api.create_collection(collection, namespace=owner, private=private, exists_ok=True).slug
            api.add_collection_item(slug, repo_id, repo_type, exists_ok=True)
            done += f", in the collection {collection!r}"
    left = f" From before it also holds {', '.join(extra)}: delete there what no longer belongs to it." if extra else ""
    return f"{done}.{left}"


def _upload(api, folder: Path, repo_id: str, repo_type: str) -> str:
    """The folder's files as one commit, whose hash it returns: nobody ever downloads half a model.

    The large ones go before it, one after the other. The Hub keeps what came whole for most of a day (as huggingface_hub's
    own `upload_large_folder` reckons) and asks for nothing it has, so that a second call sends what is missing.
    """
    from huggingface_hub import CommitOperationAdd

    files = sorted(p for p in folder.rglob("*") if p.is_file())
    additions = [CommitOperationAdd(p.relative_to(folder).as_posix(), p) for p in files]
    for addition in additions:
        api.preupload_lfs_files(repo_id, additions=[addition], repo_type=repo_type)
    message = "Upload the prepared folder."
    return api.create_commit(repo_id, additions, commit_message=message, repo_type=repo_type).oid


def _compared(api, folder: Path, repo_id: str, revision: str, repo_type: str) -> list[str]:
    """What the Hub holds at `revision` besides the folder's files. Raises PublishError unless these are there, and equal."""
    found = api.verify_repo_checksums(repo_id, repo_type=repo_type, revision=revision, local_dir=folder)
    if wrong := [*found.extra_paths, *(m["path"] for m in found.mismatches)]:
        raise PublishError(
            f"On the Hub, {', '.join(wrong)} of {repo_id} are missing or not what was sent (by their hashes). Was the "
            "folder changed meanwhile? Run this cell again."
        )
    return [path for path in found.missing_paths if path != ".gitattributes"]  # the Hub's own


def _check_tag(api, folder: Path, repo_id: str, tag: str, repo_type: str) -> None:
    """Raise PublishError where the repository has this version already, with other files."""
    tags = api.list_repo_refs(repo_id, repo_type=repo_type).tags
    there = next((t.target_commit for t in tags if t.name == tag), None)
    if there is None:
        return
    try:
        extra = _compared(api, folder, repo_id, there, repo_type)
    except PublishError:
        extra = [tag]
    if extra:
        raise PublishError(
            f"{repo_id} has a version {tag} already, with other files; whoever loads it must go on getting those. "
            "Choose another tag."
        )


def _repository(api, repo_id: str, private: bool, repo_type: str) -> tuple[str, bool]:
    """Address of a new repository, or of one that is there and no more public than asked; and whether it is private."""
    sdk = "gradio" if repo_type == "space" else None
    try:
        return str(api.create_repo(repo_id, private=private, repo_type=repo_type, space_sdk=sdk)), private
    except HfHubHTTPError as error:
        if error.response is None or error.response.status_code != 409:  # 409: it exists
            raise
    stays_private = api.repo_info(repo_id, repo_type=repo_type).private  # pushing to it makes nothing public
    if private and not stays_private:
        raise PublishError(
            f"{repo_id} exists and everybody can read it. Make it private in its settings on the Hub, choose another "
            "repo_id, or pass private=False if everybody may read this."
        )
    return f"{api.endpoint}/{'spaces/' * (repo_type == 'space')}{repo_id}", stays_private


_CARDS = {"model": ModelCard, "space": SpaceCard}  # whose metadata the Hub reads, by the kind of repository
_AGAIN = "Run this cell again: what has arrived is not sent twice."
_REFUSED = {  # status: what it means for an upload, and the mend
    400: "The Hub does not accept this; the metadata on top of README.md are the commonest reason.",
    401: "The Hub does not know this token, or it has expired. Make one of the kind \"write\" at "
    "https://huggingface.co/settings/tokens, set HF_TOKEN to it, then run this cell again.",
    402: "The Hub wants this account to pay first, for instance for private storage. See https://huggingface.co/settings/billing.",
    403: "This token may not write there. Is the name before the slash yours, and the token of the kind \"write\" "
    "(https://huggingface.co/settings/tokens)?",
    404: "It is not there, or not for this token to see. Was it deleted or renamed meanwhile?",
    409: f"Somebody else changes it at this moment. {_AGAIN}",
    412: f"Somebody else has changed it meanwhile. {_AGAIN}",
    413: "A file is too large for the Hub to take this way. Leave it out, or split it (save_pretrained has max_shard_size).",
    429: f"These were too many requests for now. Wait some minutes. {_AGAIN}",
}  # fmt: skip


@contextlib.contextmanager
def _in_sentences(repo_id: str) -> Iterator[None]:
    """Turn what the Hub's client raises within the block into a PublishError that says what to do."""
    try:
        yield
    except PublishError:
        raise
    except (httpx.HTTPError, RuntimeError, ValueError, OSError) as error:
        raise PublishError(f"{repo_id} is not published. {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """What went wrong, and the mend. The client wraps what a single file met with into an error of its own."""
    while not isinstance(error, httpx.HTTPError) and error.__cause__ is not None:
        error = error.__cause__
    response = error.response if isinstance(error, HfHubHTTPError) else None
    if response is not None:
        told = error.server_message or f"status {response.status_code}"
        mend = _REFUSED.get(response.status_code, "See https://status.huggingface.co, or ask there.")
        if response.status_code >= 500:
            mend = f"The Hub has a fault of its own (status {response.status_code}). Wait a while. {_AGAIN}"
        return f"{mend} The Hub says: {said(ValueError(told))}"
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set, and nothing goes to the Hub then: unset it, and restart the kernel."
    if isinstance(error, httpx.HTTPError):
        return f"The connection to the Hub was lost ({type(error).__name__}: {said(error)}). {_AGAIN}"
    return f"{' '.join(str(error).split())} {_AGAIN}"  # the Hub's reason for a single file stands in a line of its own


def _check_card(card: Path, repo_type: str) -> None:
    """Raise PublishError for a card whose metadata the Hub could not read; it would say so only after the upload."""
    if not card.exists():
        return
    try:
        _CARDS[repo_type].load(card)
    except (ValueError, yaml.YAMLError) as error:
        raise PublishError(
            f"The metadata on top of README.md are damaged ({said(error)}). Make the card again."
        ) from error


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
