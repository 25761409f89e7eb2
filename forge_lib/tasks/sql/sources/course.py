"""The course's own data set: SQL scripts become SQLite files, frozen splits are checked before use."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection
from pathlib import Path

from forge_lib import CACHE, ROOT
from forge_lib.data.items import DataError
from forge_lib.data.readers import read_text
from forge_lib.lab.files import fresh_folder, write_atomically
from forge_lib.lab.lock import in_turn
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.formats import read_pairs, write_pairs
from forge_lib.tasks.sql.pairs import Pair

DATA = ROOT / "data"
VERSION = 4  # what the lessons use; earlier versions stay loadable, so that old results can be reproduced
MANIFESTS = {  # SHA-256 of each version's manifest, which holds those of all other files
    1: "dfe69011486a66c529c3b16e7a1697bdb3ab5d7e189971069cd679d2a1082b8f",
    2: "fc4d0a3e1d679cdb74c36988e2a8a5893325c8616aedade2d7d2565493483f29",
    3: "46f4b7b55fe74bb37d548aec8b92fa217731a087265eb113f9ee9a1e5cba8f21",
    4: "ceb1e3366adc4d6fce9ff630fd9ea3e2bb5499d58eab885642c87d9545e2601d",
}
_RESTORE = "Restore it: git checkout -- data/{}"
_HASHES = "hashes.json"  # of the built files, beside them


def load_course(version: int = VERSION, folder: Path = DATA) -> DataSet:
    """The frozen splits of version `version`, over databases built once under `.cache/`.

    Raises DataError when a frozen file, the manifest included, is missing or not what was frozen.
    """
    manifest = read_manifest(version, folder)
    _check_frozen(folder, manifest["sha256"])
    splits = {name: read_pairs(folder / f"v{version}" / f"{name}.jsonl", "jsonl") for name in manifest["counts"]}
    counts = {name: len(pairs) for name, pairs in splits.items()}
    if counts != manifest["counts"]:
        raise DataError(f"data/v{version} holds {counts} pairs, and its manifest counts {manifest['counts']}.")
    return DataSet(f"course v{version}", build_databases(folder), **splits)


def read_manifest(version: int = VERSION, folder: Path = DATA) -> dict:
    """Hashes, counts and seed of one version's splits. Raises DataError for a manifest that is not what was frozen."""
    name = f"v{version}/manifest.json"
    if version not in MANIFESTS:
        have = ", ".join(f"v{known}" for known in MANIFESTS)
        raise DataError(f"There is no version {version} of the course's data; there is: {have}.")
    _check_frozen(folder, {name: MANIFESTS[version]})
    return json.loads((folder / name).read_text(encoding="utf-8"))


def _check_frozen(folder: Path, digests: dict[str, str]) -> None:
    for relative, digest in digests.items():
        path = folder / relative
        if not path.is_file():
            raise DataError(f"data/{relative} is missing. {_RESTORE.format(relative)}")
        if sha256(path) != digest:
            raise DataError(
                f"data/{relative} changed after it was frozen (its SHA-256 is another). {_RESTORE.format(relative)}; "
                "new data gets a new version, not an edit."
            )


def build_databases(folder: Path = DATA) -> Path:
    """SQLite files from the scripts of the current version, in Spider's layout; they hold those of earlier versions too.

    Built once, by one process while others wait, and again where a built file is missing or not what was built. Raises
    DataError for a script that changed or that no manifest lists: what is built is what was frozen.
    """
    every = read_manifest(VERSION, folder)["sha256"]
    scripts = {name: digest for name, digest in every.items() if name.startswith("databases/")}
    _check_frozen(folder, scripts)
    unlisted = [p.name for p in sorted((folder / "databases").glob("*.sql")) if f"databases/{p.name}" not in scripts]
    if unlisted:
        raise DataError(
            f"data/databases/{unlisted[0]} is in no manifest, so nothing vouches for it. Move it away; a database of your "
            "own goes into a folder of yours (my:DIR)."
        )
    stamp = hashlib.sha256("".join(scripts[name] for name in sorted(scripts)).encode()).hexdigest()[:12]
    built = CACHE / "databases" / stamp
    if not _as_built(built, scripts):
        with in_turn(built.parent):
            if not _as_built(built, scripts):  # not built by another process meanwhile
                _build(folder, sorted(scripts), built)
    return built


def _build(folder: Path, scripts: list[str], built: Path) -> None:
    with fresh_folder(built) as work:
        digests = {}
        for name in scripts:
            target = work / _built_name(name)
            build_database(folder / name, target)
            digests[_built_name(name)] = hashlib.sha256(target.read_bytes()).hexdigest()
        write_atomically(work / _HASHES, json.dumps(digests, indent=1) + "\n")


def _built_name(script: str) -> str:
    return f"{Path(script).stem}/{Path(script).stem}.sqlite"


def _as_built(built: Path, scripts: Collection[str]) -> bool:
    """Whether the file of every script holds what was built: some milliseconds for the few megabytes that there are."""
    try:
        digests = json.loads((built / _HASHES).read_text(encoding="utf-8"))
        listed = digests.keys() == set(map(_built_name, scripts))
        return listed and all(
            hashlib.sha256((built / name).read_bytes()).hexdigest() == d for name, d in digests.items()
        )
    except (OSError, ValueError, AttributeError):  # missing, cut off, or no object
        return False


def build_database(script: Path, target: Path) -> None:
    """Run one SQL script, a dump of sqlite3 for instance, into a new SQLite file.

    The script may reach no other file. Raises DataError when it fails, is cut off, or a foreign key points nowhere.
    """
    text = read_text(script)
    target.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(target, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")  # a build that fails is thrown away
        connection.set_authorizer(_within_its_file)
        connection.executescript(text)
        whole = not connection.in_transaction
        dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
    except (sqlite3.Error, OSError, ValueError) as error:
        hint = (
            " It may not attach or write other files, nor change settings (PRAGMA)." if "authoriz" in str(error) else ""
        )
        hint += " Dumps of MySQL and PostgreSQL are in other dialects." if "syntax error" in str(error) else ""
        raise DataError(f"{script.name} does not build a database: {error}.{hint}") from error
    finally:
        connection.close()
    if not whole:
        raise DataError(f"{script.name} ends within a transaction (BEGIN without COMMIT): it may be cut off.")
    if dangling:
        raise DataError(f"{script.name}: a row of '{dangling[0][0]}' refers to a missing row of '{dangling[0][2]}'.")


_HARMLESS = ("foreign_keys", "foreign_key_check", "user_version", "application_id", "encoding")


def _within_its_file(action: int, first: str | None, *_: str | None) -> int:
    """SQLite's authorizer for scripts: ATTACH (VACUUM INTO is one too) and settings reach beyond the file."""
    settings = action == sqlite3.SQLITE_PRAGMA and (first or "").lower() not in _HARMLESS
    beyond = settings or action in (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH)
    return sqlite3.SQLITE_DENY if beyond else sqlite3.SQLITE_OK


def freeze(version: int, splits: dict[str, list[Pair]], seed: int, folder: Path = DATA) -> dict:
    """Write the splits and their manifest, whose SHA-256 then belongs into MANIFESTS. Refuses a version that exists."""
    target = folder / f"v{version}"
    if target.exists():
        raise DataError(f"data/v{version} is frozen already; freeze a new version instead.")
    files = [target / f"{name}.jsonl" for name in splits]
    for path, pairs in zip(files, splits.values(), strict=True):
        write_pairs(path, pairs, "jsonl")
    files += sorted((folder / "databases").glob("*.sql"))
    manifest = {
        "version": version,
        "seed": seed,
        "counts": {name: len(pairs) for name, pairs in splits.items()},
        "sha256": {p.relative_to(folder).as_posix(): sha256(p) for p in files},
    }
    write_atomically(target / "manifest.json", json.dumps(manifest, indent=1) + "\n")
    return manifest


def sha256(path: Path) -> str:
    """Hex digest of a text file, line endings normalized so that a Windows checkout has the same hash."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
