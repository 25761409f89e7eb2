"""Spider (Yu et al. 2018, https://arxiv.org/abs/1809.08887) from a folder in its official layout."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from forge_lib.data.items import DataError
from forge_lib.data.split import TEST, hold_out, leak_notes, settled
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.formats import read_pairs
from forge_lib.tasks.sql.pairs import Pair, with_difficulty

# Training and development file, plain and with paraphrases; the second name is that of the Hub's copy.
_FILES = {
    False: (("train_spider.json", "train.json"), ("dev.json", "validation.json")),
    True: (("train_spider_syn.json",), ("dev_syn.json",)),
}


def load_spider(folder: Path | str, paraphrases: bool = False, seed: int = 17) -> DataSet:
    """Spider's pairs over `database/<db_id>/<db_id>.sqlite` in `folder`, difficulties counted anew.

    `train_spider.json` is the training part, with `train_others.json` for those of its databases that are there.
    `dev.json` is the test and nothing else: validation is held out of the training part, and without a `dev.json`
    the test too (`hold_out` with `seed`).
    paraphrases: questions of Spider-Syn (Gan et al. 2021, https://arxiv.org/abs/2106.01065) instead, in which synonyms
    stand for the names of tables and columns, from `train_spider_syn.json` and `dev_syn.json`.

    Raises DataError when the layout is not Spider's or a database is missing.
    """
    folder = Path(folder)
    data = DataSet("spider", folder / "database")
    train, dev = (next((folder / n for n in names if (folder / n).exists()), None) for names in _FILES[paraphrases])
    if not train and not dev:
        (plain, *_), (dev_name, *_) = _FILES[paraphrases]
        raise DataError(
            f"{folder.name}/ holds neither {plain} nor {dev_name}. "
            + ("Copy train_spider.json and dev.json of https://github.com/ygan/Spider-Syn there under these names."
               if paraphrases else
               "Point at the unpacked Spider archive: the folder with train_spider.json and database/ in it.")
        )  # fmt: skip
    pairs = _read(data, train) if train else []
    others = folder / "train_others.json"
    if train and train.name == "train_spider.json" and others.exists():
        pairs += [with_difficulty(p) for p in read_pairs(others, "spider") if data.database(p.db_id).exists()]
    splits = hold_out(pairs, seed, test=0 if dev else TEST)
    if not dev:
        return replace(data, **splits)
    test = [replace(p, id=p.id.replace("validation", "dev")) for p in _read(data, dev)]
    # Spider's own parts share nothing; what others put into its layout may.
    kept, out = settled(splits | {"test": test})
    return replace(data, **kept, notes=leak_notes(kept, out))


def _read(data: DataSet, path: Path) -> list[Pair]:
    pairs = read_pairs(path, "spider")
    data.require(pairs, path.name, "Unpack the archive again: every question needs its database.")
    return [with_difficulty(p) for p in pairs]
