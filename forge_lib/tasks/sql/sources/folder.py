"""Your own data: databases and pairs in one folder."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections import Counter
from dataclasses import replace
from pathlib import Path

from forge_lib.data.items import DataError
from forge_lib.data.split import SIZES, hold_out, leak_notes, settled
from forge_lib.lab.files import check_disk
from forge_lib.tasks.sql.databases import why_unreadable
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.formats import read_pairs
from forge_lib.tasks.sql.pairs import Pair, as_brought
from forge_lib.tasks.sql.schema import copy_database
from forge_lib.tasks.sql.sources.course import build_database

# Names of files that mean pairs, whether they are read or not.
_PARTS = {"train", "validation", "test", "pairs", "val", "valid", "dev", "training", "eval"}


def load_folder(folder: Path | str, seed: int = 17) -> DataSet:
    """Your own data: databases and pairs in one folder.

    Databases: `database/<name>/<name>.sqlite`, or loose files that end in .sqlite, .sqlite3 or .db. Pairs (`db_id`,
    `question`, `sql`; where there is one database, `db_id` may be left out): `train.jsonl`, with `validation.jsonl` and
    `test.jsonl` if you have split them; or all of them in `pairs.jsonl` or `pairs.csv`. What is not there is held out
    (`hold_out` with `seed`); what a part asks that the test (or validation) asks too is taken out of it, and noted.

    Raises DataError when a file is missing or malformed or none of those, an id or a database is there twice, a database
    is missing or cannot be read, or a part asks nothing but what the test asks.
    """
    folder = Path(folder)
    data = DataSet("my", folder / "database", elsewhere=_loose(folder))
    files = _pair_files(folder)
    known = sorted({*data.elsewhere, *(p.stem for p in data.databases.glob("*/*.sqlite") if p.stem == p.parent.name)})
    one_form = {_form(db_id): db_id for db_id in known}
    splits = {}
    for name, file in files.items():
        pairs = read_pairs(folder / file, Path(file).suffix[1:].lower(), db_id=known[0] if len(known) == 1 else "")
        pairs = [
            replace(p, db_id=p.db_id if p.db_id in known else one_form.get(_form(p.db_id), p.db_id)) for p in pairs
        ]
        here = ", ".join(known[:10]) or "none"
        data.require(pairs, file, f"Put it there, or mend the pair's db_id (databases that are there: {here}).")
        splits[name] = [as_brought(p) for p in pairs]
    twice = [ident for ident, n in Counter(p.id for pairs in splits.values() for p in pairs).items() if n > 1]
    if twice:
        raise DataError(f"The id '{twice[0]}' is there twice in {', '.join(files.values())}. Give each pair its own.")
    drawn = hold_out(splits["train"], seed, **{n: 0 if n in splits else count for n, count in SIZES.items()})
    drawn, leaks = settled(drawn | {name: splits[name] for name in splits if name != "train"})
    return replace(data, **drawn, notes=[*_held_out(drawn, files, seed), *leak_notes(drawn, leaks)])


def take_in(origin: Path, target: Path) -> None:
    """Put the database at `origin` at `target`: a script of SQL (.sql) is built, a SQLite file copied as it is now.

    Raises DataError, in a sentence, for a file that is missing or no whole database, RunError where the disk is too small.
    """
    if origin.suffix.lower() == ".sql":
        build_database(origin, target)
        return
    if fault := why_unreadable(origin):
        raise DataError(f"{origin.name} {fault}.")
    check_disk(target.parent, origin.stat().st_size / 2**30)
    try:
        copy_database(origin, target)
    except (sqlite3.Error, OSError) as error:
        raise DataError(f"{origin.name} cannot be copied ({error}). See whether its own program opens it.") from error


def _form(name: str) -> str:
    """Equal for names that look alike: macOS writes é in a file's name as e and an accent, which a keyboard does not; a
    space at an end nobody sees."""
    return unicodedata.normalize("NFC", name).strip()


def _loose(folder: Path) -> dict[str, Path]:
    """Databases that lie in the folder itself, by name; DataError where two files would have one name."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in (".sqlite", ".sqlite3", ".db") and not path.name.startswith((".", "Thumbs.db")):
            other = found.get(path.stem, folder / "database" / path.stem / f"{path.stem}.sqlite")
            if other.exists():
                raise DataError(f"The database '{path.stem}' is there twice: {path.name} and "
                                f"{other.relative_to(folder).as_posix()}. Keep one.")  # fmt: skip
            found[path.stem] = path
    return found


def _pair_files(folder: Path) -> dict[str, str]:
    """The files of pairs, by part; DataError where there is none, or one that would be passed over."""
    there = {p.name.lower(): p.name for p in sorted(folder.iterdir())}
    given = [n for n in ("train.jsonl", "pairs.jsonl", "pairs.csv") if n in there]
    if len(given) != 1:
        raise DataError(
            f"{folder.name}/ holds {' and '.join(given) or 'no pairs'}. Put the pairs in one file: train.jsonl, "
            "pairs.jsonl or pairs.csv, with db_id, question and sql."
        )
    files = {"train": there[given[0]]}
    if given[0] == "train.jsonl":
        files |= {n: there[f"{n}.jsonl"] for n in SIZES if f"{n}.jsonl" in there}
    others = [p.name for p in sorted(folder.iterdir())
              if p.stem.lower() in _PARTS and p.suffix.lower() in (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".xlsx", ".txt")]  # fmt: skip
    passed_over = [name for name in others if name not in files.values()]
    if passed_over:
        raise DataError(
            f"{folder.name}/ holds {passed_over[0]}, which is not read beside {given[0]}. Parts are train.jsonl, "
            "validation.jsonl and test.jsonl: rename it, or move it away."
        )
    return files


def _held_out(drawn: dict[str, list[Pair]], files: dict[str, str], seed: int) -> list[str]:
    held = {name: len(drawn[name]) for name in SIZES if name not in files}
    shares = " and ".join(f"{count} for {name}" for name, count in held.items())
    return [f"Held out of {files['train']}: {shares} (seed {seed}); {len(drawn['train'])} train."] if held else []
