"""Spider (Yu et al. 2018, https://arxiv.org/abs/1809.08887) from a folder in its official layout."""

from __future__ import annotations

import json
from pathlib import Path

from forge_lib.data.pairs import DataError, DataSet, Pair


def load_spider(folder: Path | str) -> DataSet:
    """Pairs of `train_spider.json` (and `dev.json` as test, when there) over `database/<db_id>/<db_id>.sqlite`.

    `dev.json` goes to the test split and nothing of it to validation: that set is for final scores only.
    Raises DataError when the layout is not Spider's or a database is missing.
    """
    folder = Path(folder)
    if not (folder / "train_spider.json").exists() and not (folder / "dev.json").exists():
        raise DataError(
            f"{folder.name}/ holds neither train_spider.json nor dev.json. Point at the unpacked Spider archive: "
            "the folder with train_spider.json and database/ in it."
        )
    data = DataSet("spider", folder / "database")
    data.train = _read(data, folder / "train_spider.json", part="")
    data.test = _read(data, folder / "dev.json", part="unseen")
    return data


def _read(data: DataSet, path: Path, part: str) -> list[Pair]:
    if not path.exists():
        return []
    pairs = []
    for number, row in enumerate(json.loads(path.read_text(encoding="utf-8"))):
        try:
            db_id, question, sql = row["db_id"], row["question"], row["query"]
        except (KeyError, TypeError) as error:
            raise DataError(f"{path.name}, item {number}: a pair needs db_id, question and query.") from error
        if not data.database(db_id).exists():
            raise DataError(f"{path.name}, item {number}: database/{db_id}/{db_id}.sqlite is missing.")
        pairs.append(Pair(f"{path.stem}-{number:05d}", db_id, question, sql.rstrip("; \n"), part=part))
    return pairs
