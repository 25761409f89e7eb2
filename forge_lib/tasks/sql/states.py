"""Several states of one database, on which an answer must be right to be right: luck on one of them proves little.

Test-suite evaluation (Zhong et al. 2020, https://arxiv.org/abs/2010.02840): of many states made by seed (`regenerate`)
those few are kept that tell the golds from the most of their near misses (`near_misses`). Made once for a database and
the questions asked of it, and kept under `.cache/states/`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import random
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlglot.errors import SqlglotError

from forge_lib import CACHE
from forge_lib.lab.files import NO_ROOM, fresh_folder, json_text, write_atomically
from forge_lib.lab.lock import in_turn
from forge_lib.tasks import GoldError
from forge_lib.tasks.sql import constants, near_misses, regenerate, state_source
from forge_lib.tasks.sql.nondeterminism import empty_first, nondeterminism
from forge_lib.tasks.sql.opening import file_state
from forge_lib.tasks.sql.parsing import parse_query, with_strings
from forge_lib.tasks.sql.sandbox import Sandbox
from forge_lib.tasks.sql.schema import Schema, read_schema
from forge_lib.tasks.sql.score import patiently, score
from forge_lib.tasks.sql.state_source import NoState

CANDIDATES = 10  # states that are made of a database
KEPT = 5  # of them, at most
MISSES = 24  # near misses of one gold, at most
_HASHED_MB = 64  # a file up to this size is known by its content, a larger one by its state
_MADE = "states.json"
_ALONE = "It is scored on the one state of {}: {}"


@dataclass(frozen=True)
class States:
    """Further states of a database, and for which golds each is good.

    files: SQLite files; unfit: for a gold, by the number of a file, why it does not count there
    near_misses: of the golds, that run; told_at_once: those that the database itself tells from their gold; told: those
        that it or a further state does
    survivors: (gold, near miss) that no state tells apart; many mean the same under the keys
    note: a sentence where there is no further state
    """

    files: tuple[Path, ...]
    unfit: dict[str, dict[int, str]]
    near_misses: int = 0
    told_at_once: int = 0
    told: int = 0
    survivors: tuple[tuple[str, str], ...] = ()
    note: str = ""

    def usable(self, gold: str) -> list[Path]:
        """The files on which an answer to the question of `gold` is graded."""
        return [file for n, file in enumerate(self.files) if n not in self.unfit.get(gold, {})]


def states_of(database: Path, golds: Sequence[str], seed: int = 17, sandbox: Sandbox | None = None) -> States:
    """The further states of the SQLite file at `database` for the questions of `golds`, made on first need.

    The same file, golds and seed give the same states. Nothing is raised for a database of which no other state can be
    made (virtual tables, a collation that is not here): `note` says why. Raises FileNotFoundError where there is none.
    """
    golds = sorted(set(golds))
    kept = CACHE / "states" / _key(database, golds, seed)
    if (found := _made(kept)) is not None:
        return found
    with in_turn(CACHE / "states" / ".turns" / kept.name[:2]):
        if (found := _made(kept)) is None:  # not made by another process meanwhile
            with fresh_folder(kept) as work:
                _make(database, golds, seed, work, sandbox)
            found = _made(kept)
    return found


def _make(database: Path, golds: Sequence[str], seed: int, work: Path, sandbox: Sandbox | None) -> None:
    own = sandbox or Sandbox()
    try:
        schema = read_schema(database)
        with Sandbox(max_rows=state_source.STATE_ROWS, cut=True) as reading:
            source = state_source.read_source(database, constants.asked_of(golds, schema), reading)
        files = _candidates(source, seed, work)
        states = _chosen(database, files, golds, schema, own)
    except (NoState, sqlite3.Error, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise
        why = str(error) if isinstance(error, NoState) else f"it cannot be read ({error})."
        states = States((), {}, note=_ALONE.format(database.name, why))
    finally:
        if sandbox is None:
            own.close()
    for file in {*work.glob("*.sqlite")} - {*states.files}:
        file.unlink()
    digests = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in states.files}
    said = asdict(states) | {"files": digests}
    write_atomically(work / _MADE, json_text(said, indent=1) + "\n")


def _candidates(source: state_source.Source, seed: int, work: Path) -> list[Path]:
    """States of each kind; one that SQLite refuses is left out. Raises NoState where it refuses all."""
    files, refused = [], None
    for number in range(CANDIDATES):
        rng = random.Random(f"{seed} {number}")
        file = work / f"state{number}.sqlite"
        try:
            regenerate.make_state(source, file, regenerate.mode(number, rng), rng)
            files.append(file)
        except NoState as error:
            file.unlink(missing_ok=True)
            refused = error
    if not files:
        raise refused
    return files


def _chosen(database: Path, files: Sequence[Path], golds: Sequence[str], schema: Schema, sandbox: Sandbox) -> States:
    """The few files that tell most near misses from their golds, each chosen for what those before it do not tell."""
    unfit = {gold: {n: why for n, f in enumerate(files) if (why := _unfit(gold, f, schema, sandbox))} for gold in golds}
    if all(len(its) == len(files) for its in unfit.values()):
        raise NoState("none of its queries finds anything sure on another state.")
    total, at_once = 0, 0
    told: list[set[tuple[str, str]]] = [set() for _ in files]
    open_ones: list[tuple[str, str]] = []
    for gold in golds:
        for miss in near_misses.near_misses(gold, schema, MISSES):
            verdict = _verdict(miss, gold, database, sandbox)
            if verdict in ("", "error", "timeout", "refused"):
                continue
            total, at_once = total + 1, at_once + (verdict != "correct")
            if verdict == "correct":
                open_ones.append((gold, miss))
                for n, file in enumerate(files):
                    if n not in unfit[gold] and _verdict(miss, gold, file, sandbox) not in ("correct", ""):
                        told[n].add((gold, miss))
    order = _greedy(told, [sum(n not in unfit[gold] for gold in golds) for n in range(len(files))])
    survivors = [pair for pair in open_ones if not any(pair in told[n] for n in order)]
    return States(
        tuple(files[n] for n in order),
        {gold: {order.index(n): why for n, why in its.items() if n in order} for gold, its in unfit.items()},
        total, at_once, total - len(survivors), tuple(survivors),
    )  # fmt: skip


def _greedy(told: Sequence[set], golds: Sequence[int]) -> list[int]:
    """Numbers of up to KEPT states. A near miss told already counts a tenth each further time: models err otherwise too.

    golds: for how many golds each state is good, which decides between equals
    """
    order: list[int] = []
    times: dict[tuple[str, str], int] = {}
    while len(order) < min(KEPT, len(told)):
        left = [n for n in range(len(told)) if n not in order and golds[n]]
        if not left:
            break
        best = max(left, key=lambda n: (sum(0.1 ** times.get(pair, 0) for pair in sorted(told[n])), golds[n], -n))
        order.append(best)
        for pair in told[best]:
            times[pair] = times.get(pair, 0) + 1
    return order


def _unfit(gold: str, file: Path, schema: Schema, sandbox: Sandbox) -> str:
    """Why a gold does not count on a state: it fails, finds nothing or next to nothing, or luck decides; "" where it does."""
    found = sandbox.run(file, gold)
    if found.status != "ok":
        return found.error
    if not any(value not in (None, 0) for row in found.rows for value in row):
        return "It finds nothing there."
    run = functools.cache(functools.partial(sandbox.rows, file))
    try:
        query = with_strings(parse_query(gold), schema.names)
    except SqlglotError:
        return "sqlglot cannot parse it, so nobody knows whether luck decides there."
    return nondeterminism(query, run) or empty_first(gold, run)


def _verdict(sql: str, gold: str, database: Path, sandbox: Sandbox) -> str:
    """The verdict of `score`; "" where the gold fails."""
    try:
        return patiently(gold, score, sql, gold, database, sandbox).verdict
    except GoldError:
        return ""


def _made(kept: Path) -> States | None:
    """What was made, if it is there and whole."""
    try:
        said = json.loads((kept / _MADE).read_text(encoding="utf-8"))
        digests = said.pop("files")
        if any(hashlib.sha256((kept / name).read_bytes()).hexdigest() != digest for name, digest in digests.items()):
            return None
        unfit = {gold: {int(n): why for n, why in its.items()} for gold, its in said.pop("unfit").items()}
        survivors = tuple(map(tuple, said.pop("survivors")))
        return States(tuple(kept / name for name in digests), unfit, survivors=survivors, **said)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _key(database: Path, golds: Sequence[str], seed: int) -> str:
    """A hash of all that the states depend on."""
    state = file_state(database)
    if state[1][1] <= _HASHED_MB * 2**20 and os.path.isfile(state[0]) and not (state[2][1] or state[3][1]):
        state = hashlib.sha256(Path(state[0]).read_bytes()).hexdigest()
    return hashlib.sha256(repr([_program(), state, golds, seed]).encode()).hexdigest()[:20]


@functools.cache
def _program() -> bytes:
    """The text of the modules that make states: a change makes new ones."""
    modules = (__file__, constants.__file__, near_misses.__file__, regenerate.__file__, state_source.__file__)
    return hashlib.sha256(b"".join(Path(m).read_bytes() for m in modules)).digest()
