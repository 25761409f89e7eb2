"""Metrics that execute both queries: Spider's test-suite semantics, BIRD's EX, soft F1 and R-VES, on one database.

Written from their definitions; `tests/tasks/sql/scorer_cases/` holds the official scripts' verdicts that they are held to.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from sqlglot.dialects.sqlite import SQLite
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType

from forge_lib.tasks.sql.rows import Rows, same_rows
from forge_lib.tasks.sql.sandbox import Execution, Sandbox, shared_sandbox
from forge_lib.tasks.sql.score import patiently, run_gold

_REPEATS = 100  # of each query for R-VES, as BIRD has it
_OUTLIER = 3  # standard deviations from which on a ratio of times is left out
_REWARD_STEPS = ((2.0, 1.25), (1.0, 1.0), (0.5, 0.75), (0.25, 0.5), (0.0, 0.25))  # times as fast as the gold, reward


def spider_test_suite(sql: str, gold: str, database: Path | str, sandbox: Sandbox | None = None) -> float:
    """1 or 0 by Spider's test-suite semantics (Zhong et al. 2020, https://arxiv.org/abs/2010.02840), values predicted.

    Equal as bags of rows, columns in any order, values exactly; as lists where the gold has an ORDER BY anywhere. DISTINCT
    is taken out of both queries first and no more than the first statement is read, as the official script does without
    `--keep_distinct`. Raises GoldError where the gold fails.
    """
    sql, gold = as_compared(sql), as_compared(gold)
    got, wanted = _run_both(sql, gold, database, sandbox)
    if got.status != "ok":
        return 0.0
    if not got.rows and not wanted.rows:
        return 1.0
    return float(same_rows(_exact(got.rows), _exact(wanted.rows), "order by" in gold.lower()))


def bird_ex(sql: str, gold: str, database: Path | str, sandbox: Sandbox | None = None) -> float:
    """1 or 0 by BIRD's execution accuracy (Li et al. 2023, https://arxiv.org/abs/2305.03111): equal as sets of rows.

    Neither order nor duplicates count; the order of columns does. Raises GoldError where the gold fails.
    """
    got, wanted = _run_both(sql, gold, database, sandbox)
    return float(got.status == "ok" and set(got.rows) == set(wanted.rows))


def bird_soft_f1(sql: str, gold: str, database: Path | str, sandbox: Sandbox | None = None) -> float:
    """0 to 1: BIRD Mini-Dev's soft F1 of the two results, see `soft_f1`. Raises GoldError where the gold fails."""
    got, wanted = _run_both(sql, gold, database, sandbox)
    return soft_f1(got.rows, wanted.rows) if got.status == "ok" else 0.0


def bird_r_ves(
    sql: str, gold: str, database: Path | str, sandbox: Sandbox | None = None, repeats: int = _REPEATS
) -> float:
    """0 to 1.12: the square root of BIRD's reward for a right answer as fast as the gold (1), twice as fast (1.25) or slower.

    R-VES (https://github.com/bird-bench/mini_dev) is 100 times its mean. Times are SQLite's own, of this machine and hour:
    compare them within one run only. Raises GoldError where the gold fails.

    repeats: how often each query is timed, in turn with the other
    """
    if not bird_ex(sql, gold, database, sandbox):
        return 0.0
    ratios = []
    for _ in range(repeats):
        got, wanted = _run_both(sql, gold, database, sandbox)
        if got.status == "ok":  # it was late this once
            ratios.append(wanted.seconds / max(got.seconds, 1e-9))
    return time_reward(ratios) ** 0.5


def time_reward(ratios: Sequence[float]) -> float:
    """BIRD's reward for times (gold's by answer's) of a right answer; 0 without any.

    Their mean counts, without those that are three standard deviations or more from it.

    >>> [time_reward([ratio, ratio * 1.01]) for ratio in (3, 1.2, 0.9, 0.3, 0.1)]
    [1.25, 1.0, 0.75, 0.5, 0.25]
    """
    if not ratios:
        return 0.0
    mean, spread = statistics.fmean(ratios), _OUTLIER * statistics.pstdev(ratios)
    # The official script leaves all out where all are equal, and pays nothing; equal times are no fault.
    kept = [r for r in ratios if abs(r - mean) < spread] or ratios
    ratio = statistics.fmean(kept)
    return next(reward for least, reward in _REWARD_STEPS if ratio >= least)


def soft_f1(got: Rows, wanted: Rows) -> float:
    """0 to 1: how many cells two results share, rows in their order (https://github.com/bird-bench/mini_dev).

    Without duplicates the first row is compared with the first, and so on. Of a row, each value counts that occurs
    anywhere in the other, as a share of the gold's columns; a row without a partner is all missing, or all too much.

    >>> soft_f1([(1, "a"), (2, "b")], [("a", 1), (2, "c")])
    0.75
    """
    if not got and not wanted:
        return 1.0
    got, wanted = list(dict.fromkeys(got)), list(dict.fromkeys(wanted))
    hits = extra = missing = 0.0
    for row, gold in zip(got, wanted, strict=False):
        width = len(gold)
        shared = sum(value in gold for value in row)
        hits += shared / width
        extra += (len(row) - shared) / width
        missing += sum(value not in row for value in gold) / width
    extra += max(0, len(got) - len(wanted))
    missing += max(0, len(wanted) - len(got))
    if not hits:
        return 0.0
    precision, recall = hits / (hits + extra), hits / (hits + missing)
    return 2 * precision * recall / (precision + recall)


def _run_both(sql: str, gold: str, database: Path | str, sandbox: Sandbox | None = None) -> tuple[Execution, Execution]:
    """What came of an answer and of its gold, which runs: else GoldError."""
    sandbox = sandbox or shared_sandbox()
    wanted = patiently(gold, run_gold, sandbox, database, gold)
    return sandbox.run(database, sql), wanted


def as_compared(sql: str) -> str:
    """What Spider's script executes of `sql`: its first statement, without DISTINCT, operators torn apart put together.

    >>> as_compared("SELECT COUNT(DISTINCT a) FROM t WHERE b > = 'distinct'; DROP TABLE t")
    "SELECT COUNT( a) FROM t WHERE b >= 'distinct'"
    """
    for torn, whole in (("> =", ">="), ("< =", "<="), ("! =", "!=")):
        sql = sql.replace(torn, whole)
    try:
        tokens = SQLite().tokenize(sql)
    except SqlglotError:
        return sql
    end = next((t.start for t in tokens if t.token_type == TokenType.SEMICOLON), len(sql))
    for token in reversed([t for t in tokens if t.token_type == TokenType.DISTINCT and t.start < end]):
        sql, end = sql[: token.start] + sql[token.end + 1 :], end - (token.end + 1 - token.start)
    return sql[:end].strip()


def _exact(rows: Rows) -> list[tuple]:
    """The rows with every value in a tuple of its own: `same_rows` then allows a number no rounding."""
    return [tuple((value,) for value in row) for row in rows]
