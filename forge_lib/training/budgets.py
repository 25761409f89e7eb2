"""Two sets of training items made comparable: as many examples of each, or as many optimizer steps."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from forge_lib.data.items import Item, spread
from forge_lib.lab.profiles import Profile
from forge_lib.tasks import TaskData
from forge_lib.training import TrainingError
from forge_lib.training.packing import Pack, make_packs, make_steps


def equal_examples(
    sets: Mapping[str, Sequence[Item]], seed: int = 17, count: int | None = None
) -> dict[str, list[Item]]:
    """As many items of each set, spread over their contexts: `count`, or all of the smallest set.

    A smaller draw of the same seed is part of a larger one. Raises TrainingError where a set has fewer than `count`.
    """
    sizes = {name: len(items) for name, items in sets.items()}
    count = min(sizes.values(), default=0) if count is None else count
    short = [name for name, size in sizes.items() if size < count]
    if short or count < 1:
        raise TrainingError(
            f"{count} examples cannot be drawn of each set ({', '.join(f'{n}: {s}' for n, s in sizes.items())}). "
            "Give a number between 1 and the size of the smallest."
        )
    return {name: spread(items, count, seed) for name, items in sets.items()}


def equal_steps(
    data: TaskData, items: Sequence[Item], tokenizer, profile: Profile, steps: int, seed: int = 17
) -> list[list[Pack]]:
    """Exactly `steps` optimizer steps over `items`, passed over as often as that takes, in a fresh view and order each time.

    What two sets cost to train on is then the same, and the smaller is seen more often. Sets that differ in their answers
    alone are asked in one order: what the view of one pack draws, which depends on its answers, moves no other pack.
    Raises TrainingError for no steps and for no items.
    """
    if steps < 1 or not items:
        raise TrainingError(f"{steps} steps over {len(items)} items teach nothing. Give at least one of each.")
    rng, packs = random.Random(seed), []
    while len(packs) < steps * profile.packs_per_step:
        packs += make_packs(_ViewsApart(data), items, tokenizer, profile.pack_questions, profile.max_length, rng)
    return make_steps(packs[: steps * profile.packs_per_step], profile.packs_per_step)


class _ViewsApart:
    """`data`, each view of which draws from a generator of its own."""

    def __init__(self, data: TaskData):
        self.data = data

    def views(self, items: Sequence[Item], rng: random.Random) -> list:
        return self.data.views(items, random.Random(rng.getrandbits(64)))
