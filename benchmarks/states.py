"""Seconds for 1,000 predictions on 20 databases, each on several states: `python -m benchmarks.states`.

The databases are those of validation. The predictions are their golds, each time with another comment behind: all of them
different texts and right on all states, so that nothing is spared by an answer that is wrong at once, or graded before.
"""

import itertools
import os
import time

from forge_lib.tasks.sql import suite
from forge_lib.tasks.sql.sources.course import load_course
from forge_lib.tasks.sql.states import KEPT, states_of

PREDICTIONS, DATABASES, WANTED_S = 1000, 20, 20.0


def equal_queries(sql: str):
    """The query in as many texts as are asked for."""
    return (f"{sql} -- {n}" if n else sql for n in itertools.count())


def main() -> None:
    """Make the states (not counted), then print the time of the grading, twice: with golds' results unknown, and known."""
    data = load_course()
    asked = [p for p in data.validation if p.wording != "unanswerable"]
    names = sorted({p.db_id for p in asked})[:DATABASES]
    golds = {n: [p.sql for p in [*data.validation, *data.test] if p.db_id == n] for n in names}
    files = {n: data.database(n) for n in names}
    own = {n: sorted({p.sql for p in asked if p.db_id == n}) for n in names}
    texts = {n: [equal_queries(sql) for sql in own[n]] for n in names}
    each = PREDICTIONS // DATABASES
    predictions = [(n, own[n][k % len(own[n])], next(texts[n][k % len(own[n])])) for n in names for k in range(each)]
    began = time.perf_counter()
    made = [states_of(files[n], golds[n]) for n in names]
    print(f"{DATABASES} databases, {sum(len(m.files) for m in made)} further states (at most {KEPT} each): made or found in "
          f"{time.perf_counter() - began:.1f} s")  # fmt: skip
    print(f"near misses told from their gold: {sum(m.told_at_once for m in made)} of {sum(m.near_misses for m in made)} by the "
          f"database, {sum(m.told for m in made)} by all states")  # fmt: skip
    for what in ("golds' results unknown", "golds' results known"):
        began = time.perf_counter()
        found = suite.grade_on_states(files, golds, predictions)
        took = time.perf_counter() - began
        print(f"{len(predictions)} predictions, {sum(f.states for f in found)} executions on states, {what}: {took:.1f} s on "
              f"{os.cpu_count()} cores ({WANTED_S:.0f} s wanted); right on all states: {sum(f.correct for f in found)}")  # fmt: skip


if __name__ == "__main__":
    main()
