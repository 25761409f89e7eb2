"""The course's own data set: SQL scripts become SQLite files, frozen splits are checked before use."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path

from forge_lib import CACHE, ROOT
from forge_lib.data.formats import read_pairs
from forge_lib.data.pairs import DataError, DataSet, Pair
from forge_lib.runs import fresh_folder, write_atomically

DATA = ROOT / "data"
VERSION = 3  # what the lessons use; earlier versions stay loadable, so that old results can be reproduced


def load_course(version: int = VERSION, folder: Path = DATA) -> DataSet:
    """The frozen splits of version `version`, over databases built once under `.cache/`.

    Raises DataError when a frozen file is missing or its SHA-256 differs from the manifest's.
    """
    manifest = read_manifest(version, folder)
    for relative, digest in manifest["sha256"].items():
        path = folder / relative
        if not path.exists():
            raise DataError(f"data/{relative} is missing. Restore it: git checkout -- data/{relative}")
        if sha256(path) != digest:
            raise DataError(
                f"data/{relative} changed after the splits were frozen (its SHA-256 is not the manifest's). "
                f"Restore it with `git checkout -- data/{relative}`; new data gets a new version, not an edit."
            )
    splits = {
        name: read_pairs(folder / f"v{version}" / f"{name}.jsonl", "jsonl") for name in ("train", "validation", "test")
    }
    return DataSet(f"course v{version}", build_databases(folder, manifest), **splits)


def read_manifest(version: int = VERSION, folder: Path = DATA) -> dict:
    """Hashes, counts and seed of one version's splits."""
    path = folder / f"v{version}" / "manifest.json"
    if not path.exists():
        have = sorted(p.parent.name for p in folder.glob("v*/manifest.json"))
        raise DataError(f"There is no version {version} of the course's data; there is: {', '.join(have)}.")
    return json.loads(path.read_text(encoding="utf-8"))


def build_databases(folder: Path = DATA, manifest: dict | None = None) -> Path:
    """SQLite files from `data/databases/*.sql`, in Spider's layout; rebuilt when a script changes."""
    scripts = sorted((folder / "databases").glob("*.sql"))
    stamp = hashlib.sha256("".join(sha256(s) for s in scripts).encode()).hexdigest()[:12]
    built = CACHE / "databases" / stamp
    if not built.exists():
        with fresh_folder(built) as work:
            for script in scripts:
                build_database(script, work / script.stem / f"{script.stem}.sqlite")
    return built


def build_database(script: Path, target: Path) -> None:
    """Run one SQL script into a new SQLite file; DataError when it fails or a foreign key points nowhere."""
    target.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(target)
    try:
        connection.executescript(f"BEGIN; {script.read_text(encoding='utf-8')} COMMIT;")
        dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.Error as error:
        raise DataError(f"{script.name} does not build a database: {error}") from error
    finally:
        connection.close()
    if dangling:
        raise DataError(f"{script.name}: a row of '{dangling[0][0]}' refers to a missing row of '{dangling[0][2]}'.")


def freeze(version: int, splits: dict[str, list[Pair]], seed: int, folder: Path = DATA) -> dict:
    """Write the splits and the manifest that `load_course` checks. Refuses to touch a version that exists."""
    target = folder / f"v{version}"
    if target.exists():
        raise DataError(f"data/v{version} is frozen already; freeze a new version instead.")
    files = [target / f"{name}.jsonl" for name in splits]
    for path, pairs in zip(files, splits.values(), strict=True):
        write_atomically(path, "".join(json.dumps(p.as_record(), ensure_ascii=False) + "\n" for p in pairs))
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
