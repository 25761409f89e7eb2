"""What must not leave this machine: secrets, home paths, links and special files, looked for before an upload."""

from __future__ import annotations

import codecs
import functools
import inspect
import json
import os
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO

from huggingface_hub.utils import HFValidationError, validate_repo_id

from forge_lib import ROOT

LIMIT_GB = 50.0  # the Hub's own for one file (https://huggingface.co/docs/hub/storage-limits)
_TEXT_LIMIT = 64 * 2**20  # bytes of a text; the largest tokenizers have half of it
_BLOCK, _SEAM = 2**24, 2**16  # bytes of a binary file that are looked at once, and those that two blocks share
_SHORTEST = 8  # letters in a row that make a word of a binary file; the shortest home path has as many
_CLASSES = bytes(1 if 32 <= byte < 127 else 2 if not byte else 0 for byte in range(256))  # readable, zero, neither
_UNITS = (b"\1", b"\1\2", b"\1\2\2\2")  # a letter in ASCII (and UTF-8), UTF-16 and UTF-32

# By name: what only ever holds credentials, and archives, which cannot be looked into.
_PRIVATE_NAMES = (
    ".env", ".env.*", "*.env", ".netrc", "_netrc", ".npmrc", ".pypirc", ".git-credentials", ".htpasswd", ".pgpass", ".my.cnf",
    ".s3cfg", ".boto", ".dockercfg", ".dockerconfigjson", "kubeconfig", "*.tfvars", "*.tfstate", "*_history", "*.ovpn",
    "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.pem", "*.key", "*.p12", "*.pfx", "*.p8", "*.ppk", "*.jks", "*.keystore",
    "*.kdbx", "credentials", "credentials.*", "secrets.*", "stored_tokens", "kaggle.json", ".ds_store",
)  # fmt: skip
_PRIVATE_FOLDERS = (".git", ".ssh", ".aws", ".azure", ".gnupg", ".kube", ".docker", "mlruns")
_ARCHIVES = ("*.zip", "*.tar", "*.tgz", "*.tbz*", "*.txz", "*.tar.*", "*.gz", "*.bz2", "*.xz", "*.7z", "*.rar", "*.zst", "*.whl",
            "*.jar", "*.iso")  # fmt: skip
_PACKED = (
    b"\x1f\x8b\x08",
    b"BZh",
    b"\xfd7zXZ\0",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x28\xb5\x2f\xfd",
)  # by their first bytes

# Formats that detect-secrets 1.5 does not know, or knows in an older form only.
_TOKENS = {
    "Hugging Face token": r"\b(?:hf_(?:oauth_)?|api_org_)[A-Za-z0-9]{20,}",
    "API key (sk-…)": r"\b(?=[\w-]*\d)sk-[A-Za-z0-9_-]{20,}",
    "GitHub token": r"\bgithub_pat_\w{30,}",
    "Google key": r"\bAIza[\w-]{35}|\bya29\.[\w-]{20,}|\bGOCSPX-[\w-]{20,}|\b1//0[\w-]{40,}",
    "API key (groq, xAI, Replicate, Databricks, NVIDIA)": r"\b(?:gsk_|xai-|r8_|dapi|nvapi-)[A-Za-z0-9_-]{32,}",
    "npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "GitLab token": r"\bglpat-[\w-]{20}",
    # Most vendors' form: a word of theirs, then twenty letters and digits at random. Hashes say that they are hashes.
    "token with its maker's prefix": (
        r"(?<![\w/+=.-])(?!hf_|(?i:sha|md5|blake|rev|commit|uuid))[A-Za-z][A-Za-z0-9]{1,16}(?:[_.-][A-Za-z0-9]{1,16}){0,4}?[_.-]"
        r"(?=(?:[A-Za-z]*\d){2})(?=\d*[A-Za-z])[A-Za-z0-9]{20,}(?![A-Za-z0-9])"
    ),
    "address of a webhook": r"https://(?:hooks\.slack\.com/\w+|discord(?:app)?\.com/api/webhooks)/[\w/-]{20,}",
    "bearer token": r"\bBearer\s+(?=\S*\d)[\w.~+/-]{20,}|\bEAA[A-Za-z0-9]{40,}",
    "user and password in base64": r"(?i)\bauth(?:orization)?[\"']?\s*[:=]\s*[\"']?(?:basic\s+)?(?=[a-z+/]*\d)[a-z0-9+/]{12,}={0,2}(?![\w-])",
    "address with a password": r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@'\"<>{}$*]*:[^\s/@'\"<>{}$*]+@|\b[a-z]+://(?=[a-z]*\d)\w{20,}@",
    "password of a machine (.netrc)": r"\blogin\s+\S+\s+password\s+[^\s<${]+",
    "password between tags": r"(?i)<(\w*(?:password|passwd|secret|token|api_?key))>[^<>\s${}]{6,}</\1>",
    "password's hash": r"\$(?:1|2[abxy]|5|6|7|y|apr1|argon2\w+|pbkdf2\w*)\$[\w./$=,+-]{20,}",
    "private key": r"BEGIN (?:\w+ ){0,2}PRIVATE KEY|PuTTY-User-Key-File|AGE-SECRET-KEY-1|LS0tLS1CRUdJTi[\w+/]*?UFJJVkFUR",
    "secret with its name": (
        r"(?i:(?<![a-z])(?:[a-z0-9_.-]*(?:token|secret|password|passwd|pwd|passphrase|passwort|credentials?|pat|_?api-?key|access-?key"
        r"|account-?key|accesskey|apikey|key-data)|_?auth|sig|[\w-]*signature|session(?:id)?|cookie|key)[\"']?\s{0,3}[:=]\s{0,3}[\"']?)"
        r"(?=[\w+/~-]*\d)(?:(?=[\w+/~-]*[a-z])(?=[\w+/~-]*[A-Z])[\w+/~-]{20,}|[0-9a-f]{32,}|[a-z0-9]{40,})(?![\w.(\[])"
    ),
}  # fmt: skip
_NAME = r"[^\s/\\\"'<>|{}$]+"
_HOME = {
    "home folder of this or another machine": (
        rf"(?:(?<![\w./~-])|(?<=file://))(?:/[\w.-]+){{0,5}}?/(?:home|Users|Volumes|scratch|run/media){_NAME.replace('[', '/[', 1)}"
        r"|(?<![\w.])/root/[\w.~-]"
        rf"|(?i:\b[a-z]:[\\/]+(?:users|documents and settings)[\\/]+){_NAME}"
        rf"|(?i:(?<![\w./])/(?:cygdrive/)?[a-z]/users/){_NAME}|(?i:%2F(?:home|users)%2F)[\w.-]+|\\\\wsl[$.]"
    ),
    "folder of another machine in a network": (
        r"(?<![\w\\])\\{2,4}(?!u[0-9a-fA-F]{4})[A-Za-z][\w.-]+\\{1,2}(?!u[0-9a-fA-F]{4})[A-Za-z][\w$.-]+\\{1,2}[\w.-]"
    ),
}
_VOCABULARY = ("tokenizer.json", "vocab.json", "vocab.txt", "merges.txt", "added_tokens.json")  # words, no assignments
_ASSIGNED = re.compile(r"(?=\S*\d)\S{8,}")  # unquoted, in prose: one word with a digit
_PLACEHOLDER = re.compile(r"<\w*>|\$?\{\{? ?\w* ?\}?\}")
_SETTING = re.compile(
    r"(?i)\s*(?:export\s+|set\s+)?[\w.-]*(?:pass(?:word|wd|phrase|wort)|secret)\s*[:=]\s*(?![$<{*])(?P<value>[^\s:]{8,})\s*"
)
_PROSE = (".md", ".txt", ".rst", ".jinja", ".json", ".jsonl", ".csv")
_SECRET_VARIABLE = re.compile(r"(?i)(?:^|_)(?:token|api_?key|secret|password|passwd|access_?key)(?:_|$)")


@dataclass(frozen=True)
class Leak:
    """One finding: file (relative to the folder), line (None where there is none), and what kind of thing it is."""

    file: str
    line: int | None
    kind: str

    def __str__(self) -> str:
        return f"{self.file}{f', line {self.line}' if self.line else ''}: {self.kind}"


def leaks(folder: Path, limit_gb: float = LIMIT_GB) -> list[Leak]:
    """Everything under `folder` that must not be uploaded; the secrets themselves are not part of the answer.

    Every text file is read (detect-secrets' patterns, home paths, values of this machine's own secret variables), of
    binary ones all that is readable. limit_gb: size of the largest file that may go.
    """
    found = list(bad_files(folder, limit_gb))
    barred = {leak.file for leak in found}
    for path in () if folder.is_symlink() else _files(folder):
        relative = path.relative_to(folder).as_posix()
        if relative not in barred:
            found += [Leak(relative, line, kind) for line, kind in _content(path)]
    return sorted(set(found), key=lambda leak: (leak.file, leak.line or 0, leak.kind))


def bad_files(place: Path, limit_gb: float = LIMIT_GB) -> Iterator[Leak]:
    """Links, special files, files over the limit and files that hold credentials by their name. Opens none of them."""
    for path in _files(place):
        relative = path.relative_to(place).as_posix() if path != place else path.name
        facts = path.lstat()
        if stat.S_ISLNK(facts.st_mode):
            yield Leak(relative, None, "a link; links are not followed, put the file itself there")
        elif not stat.S_ISREG(facts.st_mode):
            yield Leak(relative, None, "neither a file nor a folder")
        elif facts.st_size > limit_gb * 2**30:
            yield Leak(relative, None, f"{facts.st_size / 2**30:.1f} GB, over the limit of {limit_gb:g} GB")
        elif any(fnmatch(path.name.lower(), name) for name in _PRIVATE_NAMES):
            yield Leak(relative, None, "a file of credentials, by its name")
        elif barred := {part.lower() for part in Path(relative).parts[:-1]} & {*_PRIVATE_FOLDERS}:
            yield Leak(relative, None, f"in a folder {min(barred)}/, which belongs to this machine")
        elif any(fnmatch(path.name.lower(), name) for name in _ARCHIVES):
            yield Leak(relative, None, "an archive, which cannot be looked into; put its files there")


def _is_local_base(name: object) -> bool:
    """Whether a base model's name is a place on some machine instead of a Hub id.

    >>> _is_local_base("/data/base"), _is_local_base("Qwen/Qwen3-8B")
    (True, False)
    """
    if not isinstance(name, str) or not name:
        return False
    try:
        validate_repo_id(name)
    except HFValidationError:
        return True
    return Path(name).exists()


def _files(place: Path) -> Iterator[Path]:
    """Files and links under `place` (or `place` itself), no link followed."""
    if place.is_symlink() or not place.is_dir():
        yield place
        return
    for parent, folders, files in os.walk(place):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        yield from (Path(parent, name) for name in sorted([*links, *files]))


def _content(path: Path) -> Iterator[tuple[int | None, str]]:
    """(line, kind) of everything in one file that must stay here."""
    with path.open("rb") as stream:
        head = stream.read(8192)
        if _is_packed(path, head):
            yield None, "an archive, which cannot be looked into; put its files there"
            return
        if (encoding := _encoding(head)) is None:
            yield from {(None, kind) for _, kind in _patterns(_readable(stream))}
            return
        if path.stat().st_size > _TEXT_LIMIT:
            yield None, f"a text of more than {_TEXT_LIMIT // 2**20} MB, too long to be looked through"
            return
        text = (head + stream.read()).decode(encoding, errors="replace")
    yield from ((text.count("\n", 0, at) + 1, kind) for at, kind in _patterns(text))
    if path.name not in _VOCABULARY:
        yield from _assigned(path, text)
    if path.suffix == ".json":
        yield from _local_bases(text)


def _is_packed(path: Path, head: bytes) -> bool:
    """Whether a file is an archive by its first bytes, whatever its name. What torch and NumPy save as zip lies open."""
    if head.startswith(_PACKED) or head[257:262] == b"ustar":
        return True
    if not head.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist())
    except (OSError, ValueError, zipfile.BadZipFile):
        return True


def _readable(stream: BinaryIO) -> str:
    """What can be read in a binary file, one word or sentence a line, as `strings` shows it."""
    found = []
    size = stream.seek(0, os.SEEK_END)
    for start in range(0, size, _BLOCK):
        stream.seek(max(0, start - _SEAM))
        block = stream.read(_BLOCK + _SEAM)
        kinds = block.translate(_CLASSES)
        for unit in _UNITS:
            run, at = re.compile(b"(?:%b)+" % unit), kinds.find(unit * _SHORTEST)
            while at >= 0:
                end = run.match(kinds, at).end()
                found.append(block[at:end].replace(b"\0", b"").decode("ascii"))
                at = kinds.find(unit * _SHORTEST, end)
    return "\n".join(found)


def _encoding(head: bytes) -> str | None:
    """How a text is written; None for a binary file."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):  # first: UTF-16's mark is half of UTF-32's
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return None if b"\0" in head[:8192] else "utf-8-sig"


def _patterns(text: str) -> Iterator[tuple[int, str]]:
    """(position, kind) of known formats of secrets, of home paths, and of this machine's own secrets and folders."""
    for kind, pattern in {**_TOKENS, **_HOME}.items():
        yield from ((m.start(), kind) for m in re.finditer(pattern, text))
    for plugin in _plugins():
        for value in {
            v for v in plugin.analyze_string(text) if isinstance(v, str) and v and not _PLACEHOLDER.fullmatch(v)
        }:
            yield text.find(value), plugin.secret_type
    for kind, value in _own_strings():
        if (at := text.find(value)) >= 0:
            yield at, kind


def _own_strings() -> Iterator[tuple[str, str]]:
    """(kind, text) of what only this machine has: secrets in its environment, the folders it works in."""
    for name, value in os.environ.items():
        if _SECRET_VARIABLE.search(name) and len(value) >= 12:
            yield f"the value of {name}", value
    for folder in {Path.home(), Path.cwd(), ROOT}:
        if len(folder.parts) > 2:  # "/root" is also a word of vocabularies
            yield "a folder of this machine", str(folder)
            yield "a folder of this machine", json.dumps(str(folder))[1:-1]


@functools.lru_cache(maxsize=1)
def _plugins() -> tuple:
    """detect-secrets' detectors of known formats; entropy and IP addresses would accuse hashes and versions."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector

    # Words of a vocabulary look like Artifactory's; IBM's four take seconds a tokenizer and are assignments (`_assigned`).
    left_out = {"IPPublicDetector", "ArtifactoryDetector", "CloudantDetector", "IbmCloudIamDetector", "IbmCosHmacDetector",
                "SoftlayerDetector"}  # fmt: skip
    kinds = get_mapping_from_secret_type_to_class().values()
    return tuple(
        kind() for kind in kinds
        if issubclass(kind, RegexBasedDetector) and not inspect.isabstract(kind) and kind.__name__ not in left_out
    )  # fmt: skip


def _assigned(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """(line, kind) where something called password, secret or key is given a value."""
    from detect_secrets.filters import heuristic
    from detect_secrets.plugins import keyword

    detector = keyword.KeywordDetector()
    for number, line in enumerate(text.split("\n"), 1):
        quoted = set(detector.analyze_string(line))
        unquoted = set() if path.suffix == ".json" else {
            v for v in detector.analyze_string(line, keyword.CONFIG_DENYLIST_REGEX_TO_GROUP) if _ASSIGNED.fullmatch(v)
        }  # fmt: skip
        for value in quoted | unquoted:
            placeholder = (
                heuristic.is_templated_secret(value) or heuristic.is_prefixed_with_dollar_sign(value)
                or heuristic.is_not_alphanumeric_string(value) or heuristic.is_sequential_string(value)
            )  # fmt: skip
            if not placeholder:
                yield number, "a password, secret or key with its value"
        setting = _SETTING.fullmatch(line)
        if setting and (path.suffix not in _PROSE or re.search(r"\d", setting["value"])):
            yield number, "a password, secret or key with its value"


def _local_bases(text: str) -> Iterator[tuple[int, str]]:
    """(line, kind) where a configuration names a base by a folder; `_model_name_or_path` is the title in a GGUF file."""
    for found in re.finditer(r'"((?!_model_name)\w*name_or_path)"\s*:\s*("(?:[^"\\]|\\.)*")', text):
        if _is_local_base(json.loads(found[2], strict=False)):
            yield text.count("\n", 0, found.start()) + 1, f"{found[1]} names a folder of this machine, not a Hub id"
