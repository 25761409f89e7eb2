"""Golds of data that others made: which of them fail, and which find nothing, before anything trains on them."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm  # text: GitHub shows it, and a widget would be lost

from forge_lib import CACHE
from forge_lib.lab.files import json_text, write_atomically
from forge_lib.tasks import GoldError
from forge_lib.tasks.sql import score
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.opening import file_state
from forge_lib.tasks.sql.pairs import Pair

_NO_ROWS = "It returns no rows, or none with a value."
_LONG = "Question and SQL are"
_SHOWN, _WIDTH = 5, 220  # pairs named in the remarks, characters of a line
_MANY = 1000  # queries from which on a progress bar is shown

_Query = tuple[str, str]  # db_id, SQL


def golds_that_fail(data: DataSet, found: dict[_Query, str] | None = None) -> list[tuple[Pair, str]]:
    """(pair, reason) for every pair whose SQL does not score as correct against itself.

    It does not run, takes longer than the sandbox's limit (2 s), returns too many rows, or answers differently each
    time. A model cannot be right on such a pair: leave it out of training, and name it when you report a score.
    found: what `_check_golds` says of these queries, where it is at hand
    """
    found = _check_golds(data) if found is None else found
    reasons = [(p, found.get((p.db_id, p.sql), "")) for _, pairs in data.splits() for p in pairs]
    return [(pair, reason) for pair, reason in reasons if reason not in ("", _NO_ROWS)]


def golds_without_rows(data: DataSet, found: dict[_Query, str] | None = None) -> list[Pair]:
    """Pairs whose SQL runs and finds nothing: any query of as many columns that finds nothing is graded as right.

    It earns no reward, however: see `score`. found: as in `golds_that_fail`
    """
    found = _check_golds(data) if found is None else found
    return [p for _, pairs in data.splits() for p in pairs if found.get((p.db_id, p.sql)) == _NO_ROWS]


def _check_golds(data: DataSet) -> dict[_Query, str]:
    """What is the matter with each gold that has something the matter: _NO_ROWS, or the reason why it fails.

    Remembered under `.cache/golds/` until a query, a database (its file's state and header) or the scorer changes; a
    query that was late, or that took its worker down, is asked again. Raises SandboxError where no SQL can run.
    """
    queries = sorted({(p.db_id, p.sql) for _, pairs in data.splits() for p in pairs})  # many are asked in two wordings
    kept = CACHE / "golds" / f"{_key(data, queries)}.json"
    known = _remembered(kept)
    asked = queries if known is None else [query for query, why in known.items() if why is None]
    every = {q: _verdict(q[1], data.database(q[0])) for q in tqdm(asked, "golds", disable=len(asked) < _MANY)}
    found = {query: why for query, why in ((known or {}) | every).items() if why}
    if asked:
        lasting = [[*query, None if score.is_passing(why, query[1]) else why] for query, why in found.items()]
        write_atomically(kept, json_text(lasting))
    return found


def _remembered(kept: Path) -> dict[_Query, str | None] | None:
    """The verdicts in a file, None for one that was of the hour; None where there is no such file, or it is damaged."""
    try:
        return {(db_id, sql): why for db_id, sql, why in json.loads(kept.read_text(encoding="utf-8"))}
    except (OSError, ValueError):
        return None


def too_long(tokens: int, most: int) -> str:
    """Why a pair of so many `tokens` is left out where a profile takes `most`."""
    return f"{_LONG} {tokens:,} tokens with their schema, and the profile's max_length is {most:,}."


def is_long(why: str) -> bool:
    """Whether a pair is left out for its length, and not for its SQL."""
    return why.startswith(_LONG)


def leave_out(data: DataSet) -> None:
    """Take the pairs whose gold fails out of every part of `data`, and note them there with those that find nothing."""
    found = _check_golds(data)
    data.left_out = golds_that_fail(data, found)
    broken = {id(pair) for pair, _ in data.left_out}
    for name, pairs in data.splits():
        setattr(data, name, [p for p in pairs if id(p) not in broken])
    data.without_rows = golds_without_rows(data, found)


def remarks(data: DataSet) -> str:
    """What the owner of `data` should know before anything trains: its notes, what was left out, golds without rows."""
    total = len(data.left_out) + sum(len(pairs) for _, pairs in data.splits())
    lines = list(data.notes)
    if data.left_out:
        whys = {is_long(why) for _, why in data.left_out}
        lines.append(
            f"Left out: {len(data.left_out)} of {total:,} pairs, because "
            + " or ".join(["their own SQL fails or gives another answer each time"] * (False in whys)
                          + ["they are too long for the profile"] * (True in whys)) + ":"
        )  # fmt: skip
        lines += _listed([f"{pair.id}: {reason}" for pair, reason in data.left_out], "data.left_out")
    if data.without_rows:
        lines.append(f"Kept, but look at them: {len(data.without_rows)} of {total:,} pairs have SQL that finds nothing, "
                     "so that another query which finds nothing is graded as right:")  # fmt: skip
        lines += _listed([f"{pair.id}: {pair.question}" for pair in data.without_rows], "data.without_rows")
    return "\n".join(lines)


def _listed(texts: Sequence[str], name: str) -> list[str]:
    shown = ["  " + " ".join(text.split())[:_WIDTH] for text in texts[:_SHOWN]]
    return shown + ([f"  … and {len(texts) - _SHOWN} more: {name} has them all"] if len(texts) > _SHOWN else [])


def _verdict(sql: str, database: Path) -> str:
    """What is the matter with one gold."""
    try:
        return score.patiently(sql, _once, sql, database)
    except GoldError as error:
        return str(error)


def _once(sql: str, database: Path) -> str:
    verdict = score.score(sql, sql, database).verdict
    if verdict != "correct":
        raise GoldError(f"The gold query scores as '{verdict}' against itself: {sql}")
    return _NO_ROWS if score.returns_nothing(sql, database) else ""


def _key(data: DataSet, queries: Sequence[_Query]) -> str:
    """A hash of all that the verdicts depend on; of databases, which may be large, their state stands for the content."""
    files = [(db_id, file_state(data.database(db_id))) for db_id in sorted({db_id for db_id, _ in queries})]
    return hashlib.sha256(repr([_scorer(), files, queries]).encode()).hexdigest()[:24]


@functools.cache
def _scorer() -> str:
    modules = sorted(Path(score.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(m.read_bytes() for m in modules)).hexdigest()
