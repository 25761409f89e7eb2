"""Answers graded on all states of their databases, in parallel: each different answer once."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from forge_lib.tasks import GoldError, SuiteScore
from forge_lib.tasks.sql.sandbox import Sandbox
from forge_lib.tasks.sql.score import patiently, score
from forge_lib.tasks.sql.states import States, states_of

Asked = tuple[str, str, str]  # db_id, gold, predicted SQL
AT_ONCE = max(1, min(8, os.cpu_count() or 1))  # databases graded side by side, each by a sandbox of its own


def grade_on_states(
    databases: dict[str, Path], golds: dict[str, Sequence[str]], asked: Sequence[Asked], seed: int = 17
) -> list[SuiteScore]:
    """How each of `asked` does on the database itself and on its further states.

    databases, golds: by db_id, the file, and what is asked of it in all (states are made for these, and for the golds asked)
    An answer that is wrong on the database itself is tried on no other. Raises GoldError where a gold fails there.
    """
    by_database: dict[str, list[Asked]] = defaultdict(list)
    for each in dict.fromkeys(asked):
        by_database[each[0]].append(each)

    def of_one(db_id: str) -> dict[Asked, SuiteScore]:
        its = by_database[db_id]
        with Sandbox() as sandbox:
            every = {*golds.get(db_id, ()), *(gold for _, gold, _ in its)}
            states = states_of(databases[db_id], sorted(every), seed, sandbox)
            return {each: _graded(each, databases[db_id], states, sandbox) for each in its}

    found: dict[Asked, SuiteScore] = {}
    with ThreadPoolExecutor(AT_ONCE, "states") as pool:
        done = pool.map(of_one, sorted(by_database))
        for part in tqdm(done, "states", total=len(by_database), disable=len(by_database) < 5):
            found |= part
    return [found[each] for each in asked]


def _graded(each: Asked, database: Path, states: States, sandbox: Sandbox) -> SuiteScore:
    _, gold, sql = each
    files, notes = states.usable(gold), [states.note] if states.note else []
    notes += [f"Left out on state {n + 1}: {why}" for n, why in sorted(states.unfit.get(gold, {}).items())]
    if not patiently(gold, score, sql, gold, database, sandbox).correct:
        return SuiteScore(0, 1 + len(files), tuple(notes))
    passed, total = 1, 1
    for file in files:
        try:
            passed += patiently(gold, score, sql, gold, file, sandbox).correct
            total += 1
        except GoldError as error:  # a busy machine
            notes.append(str(error))
    return SuiteScore(passed, total, tuple(notes))
