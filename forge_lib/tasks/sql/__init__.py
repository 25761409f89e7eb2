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
    """What the model card says of the data (its name, version, the Hub's id), how it counts errors, and a prompt to try."""
    from forge_lib.tasks.sql.failures import classify, tables_in_gold
    from forge_lib.tasks.sql.prompt import build_messages
    from forge_lib.tasks.sql.schema import ForeignKey, Schema, Table, render_schema
    from forge_lib.tasks.sql.sources.course import VERSION
    from forge_lib.tasks.sql.sources.load import HUB

    authors = Table("authors", ("author_id", "name", "born"), ("INTEGER", "TEXT", "INTEGER"), ("author_id",), ())
    books = Table(
        "books", ("book_id", "author_id", "title", "price"), ("INTEGER", "INTEGER", "TEXT", "REAL"), ("book_id",),
        (ForeignKey("author_id", "authors", "author_id"),),
    )  # fmt: skip
    kind = source.partition(":")[0]
    datasets = ["forge-course"] if source == "course" else [HUB[kind][0]] if kind in HUB else None  # ours is not there
    return {
        "version": VERSION, "data_name": f"FORGE course v{VERSION}" if source == "course" else source,
        "datasets": datasets, "error_class": classify, "cuts": {"tables in the right query": tables_in_gold},
        "example": build_messages(render_schema(Schema("library", (authors, books))), "How many authors were born before 1950?"),
    }  # fmt: skip
