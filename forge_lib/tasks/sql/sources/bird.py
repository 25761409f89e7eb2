"""BIRD (Li et al. 2023, https://arxiv.org/abs/2305.03111) from a folder in its official layout."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from forge_lib.data.items import DataError
from forge_lib.data.split import TEST, hold_out, leak_notes, settled
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.formats import read_pairs
from forge_lib.tasks.sql.pairs import Pair, with_difficulty

# Where the questions may lie: as the archives unpack (dev.zip makes dev_20240627/), as the Hub's copy has them, or
# in `folder` itself. Mini-Dev is 500 pairs of the development part in minidev/MINIDEV/; the whole part goes first.
_TRAIN = ("train/train.json", "train.json")
_DEV = ("dev/dev.json", "dev_*/dev.json", "validation/validation.json", "dev.json",
       "minidev/MINIDEV/mini_dev_sqlite.json", "MINIDEV/mini_dev_sqlite.json", "mini_dev_sqlite.json")  # fmt: skip


def load_bird(folder: Path | str, seed: int = 17) -> DataSet:
    """BIRD's pairs with their evidence, over the databases of both parts, difficulties counted anew.

    The training part is `train/train.json` over `train/train_databases/<db_id>/<db_id>.sqlite`; the development part,
    which is the test and nothing else, `dev/dev.json` (or `dev_YYYYMMDD/dev.json`, or Mini-Dev's
    `mini_dev_sqlite.json`) over `dev_databases/` beside it. Validation is held out of the training part, and without a
    development part the test too (`hold_out` with `seed`). Either part may be absent.

    Raises DataError when the layout is not BIRD's or a database is missing.
    """
    folder = Path(folder)
    train, dev = (
        next((p for pattern in patterns for p in sorted(folder.glob(pattern), reverse=True)), None)
        for patterns in (_TRAIN, _DEV)
    )
    if not train and not dev:
        raise DataError(
            f"{folder.name}/ holds no questions of BIRD: neither {_TRAIN[0]} nor {_DEV[0]}, {_DEV[1]} or Mini-Dev's "
            "mini_dev_sqlite.json. Point at the folder into which BIRD's archives were unpacked."
        )
    data = DataSet("bird", (train or dev).parent / ("train_databases" if train else "dev_databases"))
    pairs = _read(data, train, "train") if train else []
    splits = hold_out(pairs, seed, test=0 if dev else TEST)
    if not dev:
        return replace(data, **splits)
    kept, out = settled(splits | {"test": _read(data, dev, "dev")})  # see load_spider
    return replace(data, **kept, notes=leak_notes(kept, out))


def _read(data: DataSet, path: Path, name: str) -> list[Pair]:
    """Pairs of one part, their ids with its `name` in front; its databases become known to `data`."""
    pairs = read_pairs(path, "bird")
    databases = path.parent / f"{name}_databases"
    data.elsewhere |= {p.db_id: databases / p.db_id / f"{p.db_id}.sqlite" for p in pairs}
    mend = f"BIRD packs its databases apart: unpack {databases.name}.zip beside {path.name}."
    data.require(pairs, path.name, mend)
    return [with_difficulty(replace(p, id=p.id if p.id.startswith(name) else f"{name}-{p.id}")) for p in pairs]
