"""Answers graded on all states of their databases, in parallel: each different answer once."""

from __future__ import annotations

import atexit
import functools
import os
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zlib import crc32

from tqdm import tqdm

from forge_lib.tasks import GoldError, SuiteScore
from forge_lib.tasks.sql.sandbox import Sandbox
from forge_lib.tasks.sql.score import patiently, score
from forge_lib.tasks.sql.states import States, states_of

_Asked = tuple[str, str, str]  # db_id, gold, predicted SQL
_AT_ONCE = max(1, min(8, os.cpu_count() or 1))  # databases graded side by side, each by a process of its own


def grade_on_states(
    databases: dict[str, Path], golds: dict[str, Sequence[str]], asked: Sequence[_Asked], seed: int = 17
) -> list[SuiteScore]:
    """How each of `asked` does on the database itself and, where it is right there, on its further states.

    databases, golds: by db_id, the file, and what is asked of it in all (states are made for these, and for the golds asked)
    Equal answers are graded once, and what golds find is remembered. Raises GoldError where a gold fails on the database.
    """
    shares: dict[int, dict[str, list[_Asked]]] = defaultdict(lambda: defaultdict(list))
    for each in dict.fromkeys(asked):
        shares[crc32(each[0].encode()) % _AT_ONCE][each[0]].append(
            each
        )  # so the process that knows its golds has it again
    found: dict[_Asked, SuiteScore] = {}
    total = sum(map(len, shares.values()))
    with tqdm(total=total, desc="states", disable=total < 5) as bar, ThreadPoolExecutor(_AT_ONCE, "states") as pool:

        def of_share(number: int) -> dict[_Asked, SuiteScore]:
            graded: dict[_Asked, SuiteScore] = {}
            for db_id, its in shares[number].items():
                every = sorted({*golds.get(db_id, ()), *(gold for _, gold, _ in its)})
                graded |= _of_database(databases[db_id], every, its, seed, _sandboxes()[number])
                bar.update()
            return graded

        for part in pool.map(of_share, sorted(shares)):
            found |= part
    return [found[each] for each in asked]


def _of_database(
    database: Path, golds: Sequence[str], asked: Sequence[_Asked], seed: int, sandbox: Sandbox
) -> dict[_Asked, SuiteScore]:
    right = [e for e in asked if patiently(e[1], score, e[2], e[1], database, sandbox).correct]
    found = dict.fromkeys(asked, SuiteScore(0, 1))
    if right:  # states are made for nothing less
        states = states_of(database, golds, seed, sandbox)
        found |= {each: _graded(each, states, sandbox) for each in right}
    return found


def _graded(each: _Asked, states: States, sandbox: Sandbox) -> SuiteScore:
    """The score of an answer that is right on the database itself."""
    _, gold, sql = each
    notes = [states.note] if states.note else []
    notes += [f"Left out on state {n + 1}: {why}" for n, why in sorted(states.unfit.get(gold, {}).items())]
    passed, total = 1, 1
    for file in states.usable(gold):
        try:
            passed += patiently(gold, score, sql, gold, file, sandbox).correct
            total += 1
        except GoldError as error:  # a busy machine
            notes.append(str(error))
    return SuiteScore(passed, total, tuple(notes))


@functools.cache
def _sandboxes() -> list[Sandbox]:
    """The processes, kept from one contender to the next and closed at exit."""
    sandboxes = [Sandbox() for _ in range(_AT_ONCE)]
    for sandbox in sandboxes:
        atexit.register(sandbox.close)
    return sandboxes
