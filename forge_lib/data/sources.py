"""Where the pairs come from: the course's own, a benchmark's folder, or yours; one name for each."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from forge_lib import CACHE
from forge_lib.data.bird import load_bird
from forge_lib.data.course import load_course
from forge_lib.data.formats import read_pairs
from forge_lib.data.pairs import DataError, DataSet, Pair
from forge_lib.data.spider import load_spider
from forge_lib.data.split import TEST, VALIDATION, hold_out, with_difficulty
from forge_lib.models import load_tokenizer
from forge_lib.runs import Run, check_disk
from forge_lib.tasks.sql.linking import fit_to
from forge_lib.tasks.sql.schema import render_schema
from forge_lib.tasks.sql.score import GoldError, score

# The Hub's copy, the official page, and room on the disk in GB (BIRD: the paper says 33.4; Spider: an upper bound).
SCHEMA_SHARE = 0.6  # of a profile's max_length; the rest is for instruction, question and answer
HUB = {
    "spider": ("premai-io/spider", "https://yale-lily.github.io/spider", 2.0),
    "bird": ("premai-io/birdbench", "https://bird-bench.github.io", 40.0),
}


def load_data(source: str | DataSet = "course", lab: Run | None = None, seed: int = 17) -> DataSet:
    """The data set that `source` names:

    "course": the course's own; "spider:DIR", "bird:DIR": a benchmark in its official layout; "my:DIR": yours (see
    `load_folder`). DIR is relative to the working folder and may begin with ~; "spider:hub" and "bird:hub" fetch the
    benchmark first, once (see `fetch`). A data set comes back as it is, so that a cell can be run again.

    lab: the lesson's run; its seed draws what has to be held out (without it, `seed`), and prompts are made to fit its
    profile: schemas longer than SCHEMA_SHARE of `max_length` are trimmed to what the question seems to need.

    >>> load_data("course").name.split()[0]
    'course'
    """
    if isinstance(source, DataSet):
        return source
    data = replace(_load(source, lab.seed if lab else seed), source=source)
    if lab:
        budget = int(SCHEMA_SHARE * lab.profile.max_length)
        shown = (render_schema(data.schema(db_id)) for db_id in {p.db_id for _, pairs in data.splits() for p in pairs})
        if max(len(text.encode()) for text in shown) > budget:  # a token is a byte at least
            data.fit = fit_to(load_tokenizer(lab.profile), budget)
    return data


def fingerprint(pairs: Sequence[Pair]) -> str:
    """SHA-256 (hex) of the ids, questions and queries of `pairs`: what a score was measured on."""
    text = "\n".join(f"{p.id}\t{p.db_id}\t{p.question}\t{p.sql}" for p in pairs)
    return hashlib.sha256(text.encode()).hexdigest()


def _load(source: str, seed: int) -> DataSet:
    name, _, place = source.partition(":")
    if source == "course":
        return load_course()
    if name not in LOADERS or not place:
        raise DataError(
            f"There is no data source '{source}'. Choose 'course', 'spider:DIR', 'bird:DIR' or 'my:DIR', where DIR is "
            "a folder; 'spider:hub' and 'bird:hub' fetch the benchmark from the Hugging Face Hub."
        )
    if name in HUB and place == "hub":
        return LOADERS[name](fetch(name, CACHE / name), seed=seed)
    folder = Path(place).expanduser()
    if not folder.is_dir():
        raise DataError(f"There is no folder '{place}'. Give the path of the folder from where you work, or from ~.")
    return LOADERS[name](folder, seed=seed)


def load_folder(folder: Path | str, seed: int = 17) -> DataSet:
    """Your own data: databases and pairs in one folder.

    Databases: `database/<name>/<name>.sqlite`, or loose `<name>.sqlite` and `<name>.db`. Pairs (`db_id`, `question`,
    `sql`): `train.jsonl`, with `validation.jsonl` and `test.jsonl` if you have split them; or all of them in
    `pairs.jsonl` or `pairs.csv`. What is not there is held out (`hold_out` with `seed`).

    Raises DataError when a file is missing or malformed, an id is there twice, or a database is missing.
    """
    folder = Path(folder)
    loose = {p.stem: p for p in sorted(folder.iterdir()) if p.suffix in (".sqlite", ".db")}
    data = DataSet("my", folder / "database", elsewhere=loose)
    given = [n for n in ("train.jsonl", "pairs.jsonl", "pairs.csv") if (folder / n).exists()]
    if len(given) != 1:
        raise DataError(
            f"{folder.name}/ holds {' and '.join(given) or 'no pairs'}. Put the pairs in one file: train.jsonl, "
            "pairs.jsonl or pairs.csv, with db_id, question and sql."
        )
    files = {"train": given[0]}
    if given[0] == "train.jsonl":
        files |= {n: f"{n}.jsonl" for n in ("validation", "test") if (folder / f"{n}.jsonl").exists()}
    splits = {}
    for name, file in files.items():
        pairs = read_pairs(folder / file, Path(file).suffix[1:])
        data.require(pairs, file, "Put it there, or mend the pair's db_id.")
        splits[name] = [with_difficulty(p) for p in pairs]
    twice = [ident for ident, n in Counter(p.id for pairs in splits.values() for p in pairs).items() if n > 1]
    if twice:
        raise DataError(f"The id '{twice[0]}' is there twice in {', '.join(files.values())}. Give each pair its own.")
    wanted = {n: 0 if n in splits else count for n, count in (("validation", VALIDATION), ("test", TEST))}
    drawn = hold_out(splits["train"], seed, **wanted)
    trained = {p.db_id for p in drawn["train"]}
    for name in set(files) - {"train"}:
        drawn[name] = [replace(p, part="seen" if p.db_id in trained else "unseen") for p in splits[name]]
    return replace(data, **drawn)


LOADERS: dict[str, Callable[..., DataSet]] = {"spider": load_spider, "bird": load_bird, "my": load_folder}


def fetch(name: str, folder: Path | str) -> Path:
    """Download the benchmark `name` ("spider" or "bird") into `folder`, questions and SQLite files; once.

    From copies on the Hub that the library premsql (https://github.com/premAI-io/premsql) uses too. Their file lists
    show: premai-io/spider has train.json (train_spider and train_others together), validation.json (Spider's dev) and
    database/; premai-io/birdbench has train/train.json, train/train_databases/, validation/validation.json (BIRD's dev)
    and validation/dev_databases/. That every database of the questions is there is checked after the download, by
    loading it. Neither copy is the authors' own: compare with the official page before you publish a score.

    Raises RunError when the disk is too small, DataError when the Hub is out of reach or the copy is incomplete.
    """
    import httpx
    from huggingface_hub import snapshot_download

    repository, page, need_gb = HUB[name]
    folder = Path(folder)
    done = folder / ".fetched"
    if done.exists():
        return folder
    there_gb = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 2**30  # of an interrupted download
    check_disk(folder, need_gb - there_gb)
    try:
        snapshot_download(repository, repo_type="dataset", local_dir=folder, allow_patterns=["*.json", "*.sqlite"])
        LOADERS[name](folder)  # without a network, the Hub's client hands back a half-filled folder as if it were whole
    except (OSError, httpx.HTTPError, DataError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise DataError(
            f"{repository} could not be fetched from the Hugging Face Hub ({reason[0]}). Try again with a network, or "
            f"download the data by hand from {page}, unpack it, and name the folder: '{name}:FOLDER'."
        ) from error
    done.touch()
    return folder


def golds_that_fail(data: DataSet) -> list[tuple[Pair, str]]:
    """(pair, reason) for every pair whose SQL does not score as correct against itself.

    It does not run, takes longer than the sandbox's limit (2 s), returns too many rows, or answers differently each
    time. A model cannot be right on such a pair: leave it out of training, and name it when you report a score.
    """
    reasons: dict[tuple[str, str], str] = {}  # most queries are asked in two wordings
    for pair in (p for _, pairs in data.splits() for p in pairs):
        if (pair.db_id, pair.sql) not in reasons:
            reasons[pair.db_id, pair.sql] = _why_it_fails(pair, data.database(pair.db_id))
    every = [(p, reasons[p.db_id, p.sql]) for _, pairs in data.splits() for p in pairs]
    return [(pair, reason) for pair, reason in every if reason]


def _why_it_fails(pair: Pair, database: Path) -> str:
    try:
        verdict = score(pair.sql, pair.sql, database).verdict
    except GoldError as error:
        return str(error)
    return "" if verdict == "correct" else f"The gold query scores as '{verdict}' against itself: {pair.sql}"
