"""Text-to-SQL on SQLite: schema, prompt, sandbox, and one scorer for reward and for grade."""

from __future__ import annotations

from pathlib import Path

from forge_lib.tasks.sql.prompt import INSTRUCTION as SYSTEM  # noqa: F401  (of the contract)
from forge_lib.tasks.sql.score import LEVELS  # noqa: F401  (of the contract)

CARD = Path(__file__).with_name("card.md")
DATA_LICENCES = {"course": "CC BY 4.0", "spider": "CC BY-SA 4.0", "bird": "CC BY-SA 4.0"}


def load(source="course", lab=None, seed: int = 17):
    """The data set that `source` names: see `sources.load.load_data`."""
    from forge_lib.tasks.sql.sources.load import load_data  # here and below: the loaders import transformers

    return load_data(source, lab, seed)


def check_source(source: str) -> None:
    """Raise DataError where `load` could not load `source`."""
    from forge_lib.tasks.sql.sources import load

    load.check_source(source)


def prepare() -> None:
    """Build the course's databases."""
    from forge_lib.tasks.sql.sources.course import build_databases

    build_databases()


def card_facts(source: str) -> dict:
    """What the model card says of the data: its name, and the version of the course's own."""
    from forge_lib.tasks.sql.sources.course import VERSION

    return {"version": VERSION, "data_name": f"FORGE course v{VERSION}" if source == "course" else source}
