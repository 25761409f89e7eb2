"""Orders, how a shop writes them down, and how they are asked."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from forge_lib.data.items import Item
from forge_lib.tasks import Score, TaskData
from toy.grading import grade

SYSTEM = "Write the order as JSON with the shop's own keys."
SHOPS = [{"count": "n", "thing": "what"}, {"count": "qty", "thing": "item"}, {"count": "number", "thing": "of"},
         {"count": "pieces", "thing": "good"}, {"count": "amount", "thing": "ware"}]  # fmt: skip
THINGS = ("bolt", "nut", "hinge", "nail", "screw")


@dataclass(frozen=True)
class Order(Item):
    """An order at a shop; the fields are the columns of its file."""

    ANSWER = "written"

    id: str
    shop: str
    said: str
    written: str
    difficulty: str = ""
    part: str = ""

    @property
    def context(self) -> str:
        return self.shop

    @property
    def question(self) -> str:
        return self.said

    @property
    def answer(self) -> str:
        return self.written


def orders(shops: Sequence[int], seed: int, each: int = 8) -> list[Order]:
    """`each` orders for every shop, mixed."""
    rng, made = random.Random(seed), []
    for shop in shops:
        keys = SHOPS[shop]
        for number in range(each):
            count, thing = rng.randint(1, 9), rng.choice(THINGS)
            written = json.dumps({keys["count"]: count, keys["thing"]: thing})
            made.append(Order(f"{shop}-{number}", f"shop {shop}", f"{count} {thing}{'s' * (count > 1)}, please", written,
                              "one thing" if count == 1 else "several", "unseen" if shop > 2 else "seen"))  # fmt: skip
    rng.shuffle(made)
    return made


@dataclass
class Orders(TaskData):
    """Orders in three parts."""

    name: str
    source: str
    train: list = field(default_factory=list)
    validation: list = field(default_factory=list)
    test: list = field(default_factory=list)
    left_out: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def messages(self, item: Order, shots: Sequence[Order] = ()) -> list[dict]:
        """The shop's keys in the system message."""
        return self._messages(item, shots, sorted(SHOPS[int(item.shop.split()[1])].items()))

    def views(self, items: Sequence[Order], rng: random.Random | None = None):
        """With `rng` the keys stand in another order."""
        keys = sorted(SHOPS[int(items[0].shop.split()[1])].items())
        if rng:
            rng.shuffle(keys)
        return [(self._messages(item, (), keys), item.written) for item in items]

    def score(self, item: Order, text: str, strict: bool = False) -> Score:
        """By value, not by text: spaces and the order of keys do not count."""
        return grade(text, item.written, strict)

    def _messages(self, item, shots, keys) -> list[dict]:
        system = f"{SYSTEM}\n" + "\n".join(f"{what}: {key}" for what, key in keys)
        turns = [
            t for s in shots for t in ({"role": "user", "content": s.said}, {"role": "assistant", "content": s.written})
        ]
        return [{"role": "system", "content": system}, *turns, {"role": "user", "content": item.said}]
