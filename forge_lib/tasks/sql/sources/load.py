"""Where the pairs come from: the course's own, a benchmark's folder, or yours; one name for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from forge_lib import CACHE
from forge_lib.data.items import DataError
from forge_lib.data.split import SIZES, hold_out, leak_notes, settled
from forge_lib.lab.files import check_disk, said
from forge_lib.lab.profiles import Profile
from forge_lib.lab.runs import Run
from forge_lib.models.chat import encode
from forge_lib.tasks.sql.dataset import SCHEMA_SHARE, DataSet  # noqa: F401  (notebook 10 takes the share from here)
from forge_lib.tasks.sql.golds import is_long, leave_out, remarks, too_long
from forge_lib.tasks.sql.sources.bird import load_bird
from forge_lib.tasks.sql.sources.course import load_course
from forge_lib.tasks.sql.sources.folder import load_folder
from forge_lib.tasks.sql.sources.spider import load_spider
from forge_lib.tasks.sql.sources.sqlite import check_sqlite, load_sqlite

# The Hub's copy, the official page, and room on the disk in GB (BIRD: the paper says 33.4; Spider: an upper bound).
HUB = {
    "spider": ("premai-io/spider", "https://yale-lily.github.io/spider", 2.0),
    "bird": ("premai-io/birdbench", "https://bird-bench.github.io", 40.0),
}
_FRAME = 80  # tokens of a prompt that are neither schema nor question: instruction and turns


def load_data(source: str | DataSet = "course", lab: Run | None = None, seed: int = 17) -> DataSet:
    """The data set that `source` names:

    "course": the course's own; "spider:DIR", "bird:DIR": a benchmark in its official layout; "my:DIR": yours (see
    `load_folder`); "sqlite:FILE": a database of yours without questions, which a program draws (see `load_sqlite`). DIR
    and FILE are relative to the working folder and may begin with ~; "spider:hub" and "bird:hub" fetch the benchmark
    first, once (see `fetch`). A data set comes back as it is, so that a cell can be run again.

    lab: the lesson's run; its seed draws what has to be held out (without it, `seed`). For a lesson prompts are made to fit
    its profile: schemas longer than SCHEMA_SHARE of `max_length` are trimmed to what the question seems to need. Pairs of
    yours or a benchmark's whose SQL fails (see `golds.py`), or that do not fit even so, are left out of every part and named.

    Raises DataError for data that cannot be used; the message says what to do.

    >>> load_data("course").name.split()[0]
    'course'
    """
    if isinstance(source, DataSet):
        return source
    seed = lab.seed if lab else seed
    data = replace(_load(source, seed, lab), source=source)
    if lab:
        data.fit_prompts(lab.profile)
        if source != "course":
            _without_failing(data, seed, lab.profile)
            print(remarks(data), end="\n" if data.notes or data.left_out or data.without_rows else "")
    return data


def check_source(source: str) -> None:
    """Raise DataError where `load_data` could not load `source`: a check before a run begins, which takes seconds.

    Says nothing of a benchmark that is to be fetched from the Hub, and executes no SQL.

    >>> check_source("course")
    """
    kind, _, place = str(source).partition(":")
    if kind == "sqlite" and place:
        check_sqlite(place)
    elif not (kind in HUB and place == "hub"):
        _load(source, seed=17)


def _without_failing(data: DataSet, seed: int, profile: Profile) -> None:
    """Leave out the pairs whose gold fails, or that are too long; a part that loses all it had gets others out of train.

    What is left is settled anew: a database may have lost its last pair in train, and others' words may now be asked twice.
    """
    before = {name: len(pairs) for name, pairs in data.splits()}
    leave_out(data)
    _leave_out_long(data, profile)
    lost = [name for name, pairs in data.splits() if before[name] and not pairs]
    if "train" in lost or (lost and not data.train):
        what = "is too long" if all(is_long(why) for _, why in data.left_out) else "has SQL that fails"
        raise DataError(f"Every pair of {lost[0]} {what}. The first: {data.left_out[0][1]}")
    if not data.left_out:
        return
    splits = dict(data.splits())
    if lost:
        drawn = hold_out(data.train, seed, **{n: c if n in lost else 0 for n, c in SIZES.items()})
        splits |= {name: drawn[name] for name in ("train", *lost)}
        data.notes.append(f"All pairs of {' and '.join(lost)} fail; others were held out of train in their place.")
    kept, out = settled(splits)
    data.notes += leak_notes(kept, out)
    empty = {p.id for p in data.without_rows}
    for name, pairs in kept.items():
        setattr(data, name, pairs)
    data.without_rows = [p for _, pairs in data.splits() for p in pairs if p.id in empty]


def _leave_out_long(data: DataSet, profile: Profile) -> None:
    """Take the pairs out of every part of `data` that alone are more tokens than `profile` trains on: one would end a lesson."""
    room = int((1 - SCHEMA_SHARE) * profile.max_length) - _FRAME  # in bytes too, for a token is one at least
    every = [p for _, pairs in data.splits() for p in pairs]
    doubtful = [p for p in every if len(p.asked.encode()) + len(p.sql.encode()) > room]
    if not doubtful:
        return
    from forge_lib.models.load import load_tokenizer  # torch, which data alone does without

    tokenizer = load_tokenizer(profile)
    doubtful = [p for p in doubtful if len(tokenizer(p.asked + p.sql)["input_ids"]) > room]
    lengths = {id(p): len(encode(tokenizer, data.messages(p), p.sql)) for p in doubtful}
    long = [(p, too_long(lengths[id(p)], profile.max_length)) for p in doubtful if lengths[id(p)] > profile.max_length]
    data.left_out += long
    gone = {id(p) for p, _ in long}
    for name, pairs in data.splits():
        setattr(data, name, [p for p in pairs if id(p) not in gone])
    data.without_rows = [p for p in data.without_rows if id(p) not in gone]


def _load(source: str, seed: int, lab: Run | None = None) -> DataSet:
    name, _, place = str(source).partition(":")
    if source == "course":
        return load_course()
    if name == "sqlite" and place:
        return load_sqlite(place, seed, lab)
    if name not in _LOADERS or not place:
        raise DataError(
            f"There is no data source '{str(source)[:80]}'. Choose 'course', 'spider:DIR', 'bird:DIR', 'my:DIR' or "
            "'sqlite:FILE', where DIR is a folder and FILE a database; 'spider:hub' and 'bird:hub' fetch the benchmark from "
            "the Hugging Face Hub."
        )
    if name in HUB and place == "hub":
        return _LOADERS[name](fetch(name, CACHE / name), seed=seed)
    folder = _folder(place)
    try:
        return _LOADERS[name](folder, seed=seed)
    except OSError as error:
        raise DataError(f"{Path(error.filename or folder).name} cannot be read ({error.strerror}).") from error


def _folder(place: str) -> Path:
    shown = place if len(place) <= 80 else f"…{place[-80:]}"  # its end says which
    try:
        folder = Path(place).expanduser()
        if folder.is_dir():
            return folder
        if folder.exists():
            raise DataError(f"'{shown}' is a file. Give the path of the folder in which it lies.")
    except (OSError, RuntimeError):  # a name longer than the system takes, or the home of nobody
        pass
    raise DataError(f"There is no folder '{shown}'. Give the path of the folder from where you work, or from ~.")


_LOADERS: dict[str, Callable[..., DataSet]] = {"spider": load_spider, "bird": load_bird, "my": load_folder}


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
        _LOADERS[name](
            folder
        )  # without a network, the Hub's client hands back a half-filled folder as if it were whole
    except (OSError, httpx.HTTPError, DataError) as error:
        raise DataError(
            f"{repository} could not be fetched from the Hugging Face Hub ({said(error)}). Try again with a network, or "
            f"download the data by hand from {page}, unpack it, and name the folder: '{name}:FOLDER'."
        ) from error
    done.touch()
    return folder
