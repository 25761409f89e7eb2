"""The one scorer of text-to-SQL: the grade of evaluation and the reward of RL come from here, and are one.

The reward is the grade in smaller steps, and stricter where a model that is paid would cheat: an answer that asks no table
earns nothing though it may hit the right value, and where the gold finds no value only its own statement earns any.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from sqlglot import exp
from sqlglot.errors import SqlglotError

from forge_lib.tasks import GoldError, Score
from forge_lib.tasks.sql.databases import IS_LOCKED, LOCKED
from forge_lib.tasks.sql.opening import file_state
from forge_lib.tasks.sql.ordering import limits, rank_rows
from forge_lib.tasks.sql.parsing import parse_query
from forge_lib.tasks.sql.rows import contained, has_value, row_overlap, same_rows
from forge_lib.tasks.sql.sandbox import Execution, Sandbox, shared_sandbox

_VERDICTS = ("correct", "wrong result", "wrong shape", "error", "timeout", "refused")
RAN = _VERDICTS[:3]  # SQLite accepted the query
_TRIES = 3  # of a gold that was late
_PASSING = (
    "timeout",
    "interrupted",
    "Killed after",
    "worker process down",
    LOCKED,
)  # said of any query, and not for ever
_T = TypeVar("_T")

# Arctic-Text2SQL-R1 (Yao et al. 2025, https://arxiv.org/abs/2505.20315) pays 1 / 0.1 / 0. One step more here
# (right number of columns), because a small model's groups would otherwise too often be all equal.
REWARDS = {"correct": 1.0, "wrong result": 0.2, "wrong shape": 0.1, "error": 0.0, "timeout": 0.0, "refused": 0.0}
OVERLAP = 0.3  # a wrong result earns up to so much more, by the rows it shares with the right one; far below correct


def _graded(verdict: str, error: str = "", overlap: float = 0.0, at_most: float = 1.0) -> Score:
    """overlap: F1 of its rows; at_most: what it may earn in any case, less than 1 where an answer proves little."""
    shape, columns = REWARDS["wrong shape"], REWARDS["wrong result"]
    earned = {"runs": shape} if verdict in RAN else {}
    if verdict in ("wrong result", "correct"):
        earned |= {"columns": columns - shape, "rows": OVERLAP * (1.0 if verdict == "correct" else overlap)}
    if verdict == "correct":
        earned["right"] = REWARDS["correct"] - columns - OVERLAP
    parts, left = {}, at_most
    for name, amount in earned.items():
        parts[name] = min(amount, left)
        left -= parts[name]
    reward = REWARDS["correct"] if verdict == "correct" and at_most == 1 else float(sum(parts.values()))
    return Score(verdict, reward, error, valid=verdict in RAN, parts={n: a for n, a in parts.items() if a})


def score(sql: str, gold: str, database: Path | str, sandbox: Sandbox | None = None) -> Score:
    """Execute `sql` and `gold` on the same database and compare their columns and rows.

    Where the gold orders, the answer must be ordered likewise; rows equal in that order may stand in any, and a LIMIT
    that cuts through them may let any of them through.

    The reward's parts (`Score.parts`): "runs" 0.1, "columns" 0.1 for as many as the gold has, "rows" up to 0.3 by their
    overlap with the gold's (F1), "right" the rest to 1. An answer without a value earns no more than a wrong shape; where
    the gold itself has none, only the gold's own statement earns anything, since emptiness proves nothing. An answer that
    asks no table, or returns constants alone, earns nothing unless the gold is like that.

    Raises GoldError when the gold itself fails, or another program keeps the database locked.
    """
    sandbox = sandbox or shared_sandbox()
    wanted = _gold(sandbox, str(database), file_state(database), gold)
    got = sandbox.run(database, sql)
    _check_open(got, database)
    if got.status != "ok":
        return _graded(got.status, got.error)
    if not _asks_a_table(sql) and _asks_a_table(gold):
        at_most = 0.0
    elif not has_value(wanted.rows):
        at_most = 1.0 if _same_statement(sql, gold) else 0.0
    else:
        at_most = 1.0 if has_value(got.rows) else REWARDS["wrong shape"]
    if len(got.columns) != len(wanted.columns):
        return _graded("wrong shape", at_most=at_most)
    right = len(got.rows) == len(wanted.rows) and _answers(got.rows, wanted.rows, sandbox, database, gold)
    if right:
        return _graded("correct", at_most=at_most)
    return _graded("wrong result", overlap=row_overlap(got.rows, wanted.rows), at_most=at_most)


def patiently(gold: str, ask: Callable[..., _T], *given: object) -> _T:
    """What `ask(*given)` says; asked again where `gold` was late, since a busy machine makes quick queries late."""
    for _ in range(_TRIES - 1):
        try:
            return ask(*given)
        except GoldError as error:
            if not is_passing(str(error), gold):
                raise
    return ask(*given)


def is_passing(why: str, sql: str) -> bool:
    """Whether a verdict may be another the next time: a query was late, or took its worker down."""
    return any(word in why.replace(sql, "") for word in _PASSING)


def returns_nothing(gold: str, database: Path | str, sandbox: Sandbox | None = None) -> bool:
    """Whether a gold has no rows, or only NULLs: then it cannot tell a right answer from an empty one.

    Raises GoldError when it fails.
    """
    return not has_value(_gold(sandbox or shared_sandbox(), str(database), file_state(database), gold).rows)


def _same_statement(sql: str, gold: str) -> bool:
    """Whether two queries are the same but for spaces, comments, and the case of words."""
    try:
        one, other = (parse_query(s).sql(dialect="sqlite", comments=False, normalize=True) for s in (sql, gold))
    except (SqlglotError, RecursionError):
        return sql == gold
    return one == other


@functools.lru_cache(maxsize=2_000)
def _asks_a_table(sql: str) -> bool:
    """Whether a query that runs reads a table of the database and shows something of it, by its text.

    `SELECT 1` does neither, `SELECT 1 FROM books` not the second, and a CTE named as a table is none.
    """
    try:
        query = parse_query(sql)
    except (SqlglotError, RecursionError):
        return False  # else a constant in sixty parentheses would be paid
    own = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
    tables = {t.name.lower() for t in query.find_all(exp.Table) if isinstance(t.this, exp.Identifier)}
    if not any(t not in own and not t.startswith("sqlite_") for t in tables):
        return False
    shown = [p for leaf in _leaves(query) for p in leaf.expressions]
    return any(p.find(exp.Column, exp.Star, exp.Count) for p in shown)


def _leaves(query: exp.Query) -> list[exp.Query]:
    """The selects whose rows a query returns: its own, or those of both sides of a UNION."""
    while isinstance(query, exp.Subquery):
        query = query.this
    if isinstance(query, exp.SetOperation):
        return [leaf for side in (query.left, query.right) for leaf in _leaves(side)]
    return [query]


@functools.lru_cache(maxsize=20_000)
def _gold(sandbox: Sandbox, database: str, stamp: tuple, gold: str) -> Execution:
    return run_gold(sandbox, database, gold)


def run_gold(sandbox: Sandbox, database: Path | str, gold: str) -> Execution:
    """What a gold query finds, executed now. Raises GoldError where it fails."""
    found = sandbox.run(database, gold)
    _check_open(found, database)
    if found.status != "ok":
        raise GoldError(f"The gold query fails on {Path(database).name} ({found.error}): {gold}. Mend the pair.")
    return found


def _check_open(found: Execution, database: Path | str) -> None:
    """A lock is no fault of a query. Raises GoldError, as for an item that cannot be graded."""
    if found.status == "error" and LOCKED in found.error:
        raise GoldError(f"{Path(database).name} {IS_LOCKED}.")


def _answers(got: Sequence[tuple], wanted: Sequence[tuple], sandbox: Sandbox, database: Path | str, gold: str) -> bool:
    """Whether as many rows as the gold has are right ones, in a right order."""
    if same_rows(got, wanted, is_ordered(gold)):
        return True
    left_open = _left_open(sandbox, str(database), file_state(database), gold)
    if left_open is None:
        return False
    groups, rows, ranks = left_open
    return contained(got, groups, rows, ranks)


@functools.lru_cache(maxsize=2_000)
def _left_open(sandbox: Sandbox, database: str, stamp: tuple, gold: str) -> tuple | None:
    """What the gold's order leaves open: the rank that stands at each place of its result, and all rows with their ranks.

    None where it leaves nothing open, or where the database cannot tell.
    """
    wanted = _gold(sandbox, database, stamp, gold)
    try:
        query, run = parse_query(gold), functools.partial(sandbox.rows, database)
        cut = limits(query, run)
        if cut is None or not (query.args.get("order") or query.args.get("limit")):
            return None
        first, last = cut[0], cut[0] + len(wanted.rows)
        ranked = rank_rows(query, len(wanted.columns), run, reach=last)
    except (SqlglotError, RecursionError):
        return None
    if ranked is None or len(ranked) < last:
        return None
    groups = tuple(r.rank for r in ranked[first:last])
    rows, ranks = tuple(r.row for r in ranked), tuple(r.rank for r in ranked)
    agrees = contained(wanted.rows, groups, rows, ranks)  # DISTINCT by a hidden key, for one, cannot be asked this way
    return (groups, rows, ranks) if agrees else None


@functools.lru_cache(maxsize=20_000)
def is_ordered(gold: str) -> bool:
    """Whether the gold query's outermost level orders its rows; only then does order count."""
    try:
        return parse_query(gold).args.get("order") is not None
    except SqlglotError:
        return "order by" in gold.lower()


def count_kinds(statement: exp.Expression) -> dict[str, int]:
    """How many of each construct a parsed query holds; `difficulty` adds them up."""
    where = [w for w in statement.find_all(exp.Where, exp.Having)]
    conditions = sum(1 + len(list(w.find_all(exp.And, exp.Or))) for w in where)
    selects = len(list(statement.find_all(exp.Select)))
    setops = len(list(statement.find_all(exp.SetOperation)))
    return {
        "joins": len(list(statement.find_all(exp.Join))),
        "group": len(list(statement.find_all(exp.Group))),
        "having": len(list(statement.find_all(exp.Having))),
        "order": len(list(statement.find_all(exp.Order))),
        "limit": len(list(statement.find_all(exp.Limit))),
        "setops": setops,
        "subqueries": selects - 1 - setops,
        "case": len(list(statement.find_all(exp.Case))),
        "arithmetic": len(list(statement.find_all(exp.Mul, exp.Div, exp.Sub, exp.Add))),
        "more conditions": max(0, conditions - 1),
        "more aggregates": max(0, len(list(statement.find_all(exp.AggFunc))) - 1),
    }


LEVELS = ("easy", "medium", "hard", "extra")


def difficulty(sql: str) -> str:
    """easy, medium, hard or extra, by the structure of the parsed query.

    In the spirit of Spider's hardness (Yu et al. 2018, https://arxiv.org/abs/1809.08887): constructs are counted,
    nesting and set operations count three, CASE and HAVING two. Raises SqlglotError for what is not one query.

    >>> difficulty("SELECT a FROM t"), difficulty("SELECT a FROM t JOIN u ON t.i = u.i WHERE b NOT IN (SELECT c FROM v)")
    ('easy', 'hard')
    """
    weights = {"subqueries": 3, "setops": 3, "case": 2, "having": 2}
    kinds = count_kinds(parse_query(sql))
    total = sum(weights.get(kind, 1) * number for kind, number in kinds.items())
    return LEVELS[0 if total <= 1 else 1 if total <= 3 else 2 if total <= 5 else 3]
