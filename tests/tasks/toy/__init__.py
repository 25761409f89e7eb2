"""A second task, to prove that a task is one folder: orders in plain words to a shop's own JSON."""

from pathlib import Path

from toy.orders import SYSTEM, Orders, orders  # noqa: F401  (SYSTEM is of the contract)

LEVELS = ("one thing", "several")
CARD = Path(__file__).with_name("card.md")
DATA_LICENCES = {"course": "CC0"}


def load(source="course", lab=None, seed: int = 17) -> Orders:
    """The orders of five shops; the last two shops are unseen."""
    seen, unseen = orders(range(3), seed), orders(range(3, 5), seed + 1)
    return Orders("orders", source, train=seen[6:], validation=seen[:6], test=unseen)


def check_source(source: str) -> None:
    """There is one source."""


def prepare() -> None:
    """Nothing has to be made."""


def card_facts(source: str) -> dict:
    """What the card says of the data."""
    return {"data_name": "toy orders"}
