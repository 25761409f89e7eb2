"""A bare SQLite file as a source: a program draws its questions once, and they are loaded as a folder of yours is.

What its reader knows better stands beside it: `shop.review.jsonl` belongs to `shop.sqlite` (see `reviewed.py`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from forge_lib import CACHE
from forge_lib.data.items import DataError, spread, training_part
from forge_lib.data.split import hold_out
from forge_lib.lab.files import fresh_folder, read_json, write_atomically
from forge_lib.lab.lock import in_turn
from forge_lib.lab.profiles import PROFILES, Profile, measured, slower_here
from forge_lib.lab.runs import Run
from forge_lib.tasks.sql.databases import why_unreadable
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.formats import write_pairs
from forge_lib.tasks.sql.gate import check_pairs, keep
from forge_lib.tasks.sql.opening import file_state
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.sources.course import read_manifest
from forge_lib.tasks.sql.sources.folder import load_folder, take_in
from forge_lib.tasks.sql.sources.reviewed import read_review, review_file
from forge_lib.tasks.sql.synthesis.draw import synthesize
from forge_lib.tasks.sql.synthesis.profiling import profile_database

DRAFTS = 1000  # queries that are drawn at most; the gate throws out about a third
_VALIDATION, _TEST = 40, 60  # pairs held out at most
_LEAST_ROWS = 5  # of the largest table: with fewer, a filter picks all or nothing
_LEAST_PAIRS = 20  # that pass the gate: with fewer, nothing can be learnt and nothing measured
BUDGET_MIN = 20.0  # minutes of 04_sft on a profile whose minutes are known; what does not fit is left out of train
_TRAINING = "04_sft"
_MADE = "made.json"


def load_sqlite(place: str, seed: int = 17, lab: Run | None = None) -> DataSet:
    """Questions about the SQLite file at `place`, drawn by a program: up to DRAFTS queries in the course's mix of levels,
    worded by templates, through the gate, split so that no query stands on two sides.

    They are made once, with a copy of the file, in the folder `source` of the run (under `.cache/own` without one), and
    again when the file, its review or the program has changed; but a run that has begun to train goes on with the
    questions it began with, and says so. Its train part holds what its profile trains on in BUDGET_MIN.

    Raises DataError for a file that is none, that holds too little, or whose review is malformed.
    """
    file, named = _checked(place), hashlib.sha256(f"{seed} {Path(place).expanduser().resolve()}".encode()).hexdigest()
    folder = lab.path("source") if lab else CACHE / "own" / named[:16]
    with in_turn(CACHE / "own"):
        made, state, notes = _made(folder), _state(file, seed), []
        if made.get("state") != state and made and lab and lab.path("sft").exists():
            notes.append(
                f"{file.name}, its review or the program that draws questions has changed since: the run {lab.name} goes on "
                "with the copy and the questions it trained on. Another --run name draws anew."
            )
        elif made.get("state") != state:
            made = _make(file, folder, seed, state)
    data = load_folder(folder, seed)
    if lab:
        data.train = spread(data.train, _affordable(lab.profile), seed)
        profile = lab.profile
        trained = training_part(data.train, profile.sft_pairs, profile.sft_sampled, seed)
        notes.append(_cost(profile, len(trained)))
    return replace(data, notes=[*made["notes"], *notes, *data.notes])


def check_sqlite(place: str) -> None:
    """Raise DataError where the file at `place` is no SQLite database, or holds too little to ask about; in seconds."""
    file = _checked(place)
    try:
        profile = profile_database(file)
    except (ValueError, OSError) as error:
        raise DataError(str(error)) from error
    rows = {table: max((c.rows for c in its), default=0) for table, its in profile.columns.items()}
    largest = max(rows, key=rows.get)
    if rows[largest] < _LEAST_ROWS:
        raise DataError(
            f"No table of {file.name} has enough rows to ask about: the largest, '{largest}', has {rows[largest]}, and "
            f"{_LEAST_ROWS} are needed. Fill it first."
        )
    read_review(review_file(file))


def training_minutes(profile: Profile, pairs: int) -> float | None:
    """Minutes that 04_sft takes with so many training pairs; None where nobody measured this profile.

    On the line between two measured runs: the course's own on this profile, over all its pairs, and the one on `smoke`,
    which trains on hardly any and so takes what 04_sft takes without them. Longer where this machine computes in float32
    and those did not.
    """
    whole = measured(profile.name).get("minutes", {}).get(_TRAINING)
    if whole is None:
        return None
    alike = profile.base_model == PROFILES["smoke"].base_model
    fixed = min(whole, measured("smoke").get("minutes", {}).get(_TRAINING, 0.0)) if alike else 0.0
    return slower_here(profile) * (fixed + (whole - fixed) * pairs / read_manifest()["counts"]["train"])


def _affordable(profile: Profile) -> int | None:
    """So many pairs are trained on within the budget; None: however many."""
    minutes, none = training_minutes(profile, 1000), training_minutes(profile, 0)
    if minutes is None or minutes == none:
        return None
    return max(_LEAST_PAIRS, int(1000 * (BUDGET_MIN - none) / (minutes - none)))


def _cost(profile: Profile, pairs: int) -> str:
    minutes = training_minutes(profile, pairs)
    about = f"about {minutes:.0f} minutes" if minutes is not None else "not measured"
    return f"Training on {pairs} pairs ({_TRAINING}, profile {profile.name}): {about}; the budget is {BUDGET_MIN:.0f}."


def _checked(place: str) -> Path:
    """The file at `place`. Raises DataError where its header is not that of a whole SQLite database."""
    try:
        file = Path(place).expanduser()
        fault = why_unreadable(file)
    except (ValueError, RuntimeError):  # a zero byte, half a character, or the home of nobody
        file, fault = Path(repr(place)[1:-1]), "is missing"
    name = file.name if len(file.name) <= 80 else f"…{file.name[-80:]}"  # its end says which
    if fault == "is missing":
        raise DataError(
            f"There is no file '{name}'. Give the path of a SQLite database from where you work, or from ~."
        )
    if fault:
        raise DataError(f"{name} {fault}.")
    return file


def _state(file: Path, seed: int) -> str:
    """Differs once the questions would: by the file, its review, the seed, or the code of this task."""
    review = review_file(file)
    said = review.read_bytes() if review.is_file() else b""
    code = [p.read_bytes() for p in sorted(Path(__file__).parents[1].rglob("*.py"))]
    return hashlib.sha256(repr((file_state(file), said, seed, code)).encode()).hexdigest()


def _made(folder: Path) -> dict:
    """What a folder says of how it was made; empty where it is not there, or not whole."""
    if not (folder / _MADE).exists():
        return {}
    try:
        found = read_json(folder / _MADE, "", DataError)
    except DataError:
        return {}
    return found if isinstance(found.get("notes"), list) else {}


def _make(file: Path, folder: Path, seed: int, state: str) -> dict:
    """Draw, check, review and split; returns what `_made` will say."""
    name = re.sub(r"[/\\:\0]", "_", file.stem)
    with fresh_folder(folder) as work:
        copy = work / "database" / name / f"{name}.sqlite"
        copy.parent.mkdir(parents=True)
        take_in(file, copy)
        data = DataSet(name, work / "database")
        try:
            drafts = synthesize(copy, DRAFTS, seed)
        except (ValueError, OSError) as error:
            raise DataError(str(error)) from error
        generated = keep(drafts, check_pairs(data, drafts))
        review = read_review(review_file(file))
        taken, theirs, notes = review.applied(data, drafts, generated)
        if len(taken) + len(theirs) < _LEAST_PAIRS:
            raise DataError(
                f"{file.name} holds too little to learn from: of {len(drafts)} queries drawn from it "
                f"{len(taken) + len(theirs)} make sound pairs, and {_LEAST_PAIRS} are needed. Fill its tables, or write pairs "
                f"of your own (my:DIR)."
            )
        splits = _split(taken, theirs, seed)
        for part, pairs in splits.items():
            write_pairs(work / f"{part}.jsonl", pairs, "jsonl")
        counts = ", ".join(f"{len(pairs)} {part}" for part, pairs in splits.items())
        notes = [f"Drawn from {file.name} by a program: {len(drafts)} queries with template questions (seed {seed}), of which "
                 f"{len(generated)} passed the gate. Parts: {counts}.", *notes]  # fmt: skip
        made = {"state": state, "notes": notes}
        write_atomically(work / _MADE, json.dumps(made, ensure_ascii=False, indent=1) + "\n")
    return made


def _split(generated: Sequence[Pair], theirs: Sequence[Pair], seed: int) -> dict[str, list[Pair]]:
    """Train, validation and test. What a person wrote or read is tested on first: it is nearest to what will be asked."""
    test = spread(theirs, _TEST, seed)
    tested = {p.split_key for p in test}
    others = [p for p in [*generated, *theirs] if p.split_key not in tested]
    splits = hold_out(others, seed, _VALIDATION, _TEST - len(test))
    return splits | {"test": [*test, *splits["test"]]}
