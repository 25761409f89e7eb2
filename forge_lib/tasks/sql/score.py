"""The one scorer of text-to-SQL: the grade of evaluation and the reward of RL come from here."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp

from forge_lib.tasks.sql.sandbox import Sandbox, shared_sandbox

VERDICTS = ("correct", "wrong result", "wrong shape", "error", "timeout", "refused")

# Arctic-Text2SQL-R1 (Yao et al. 2025, https://arxiv.org/abs/2505.20315) pays 1 / 0.1 / 0. One step more here
# (right number of columns), because a small model's groups would otherwise too often be all equal.
REWARDS = {"correct": 1.0, "wrong result": 0.2, "wrong shape": 0.1, "error": 0.0, "timeout": 0.0, "refused": 0.0}

MAX_PERMUTED_COLUMNS = 6


class GoldError(RuntimeError):
    """A gold query that does not run: the data is at fault, not the model."""


@dataclass(frozen=True)
class Score:
    """verdict: one of VERDICTS; error: SQLite's message where there is one."""

    verdict: str
    error: str = ""

    @property
    def correct(self) -> bool:
        return self.verdict == "correct"

    @property
    def reward(self) -> float:
        return REWARDS[self.verdict]


def score(sql: str, gold: str, database: Path | str, sandbox: Sandbox | None = None) -> Score:
    """Execute `sql` and `gold` on the same database and compare their rows.

    Raises GoldError when the gold itself fails. Rows are compared by `same_rows`.
    """
    sandbox = sandbox or shared_sandbox()
    wanted = _gold_rows(sandbox, str(database), gold)
    got = sandbox.run(database, sql)
    if got.status != "ok":
        return Score(got.status, got.error)
    if got.rows and wanted and len(got.rows[0]) != len(wanted[0]):
        return Score("wrong shape")
    return Score("correct" if same_rows(got.rows, wanted, is_ordered(gold)) else "wrong result")


@functools.lru_cache(maxsize=20_000)
def _gold_rows(sandbox: Sandbox, database: str, gold: str) -> tuple[tuple, ...]:
    found = sandbox.run(database, gold)
    if found.status != "ok":
        raise GoldError(f"The gold query fails on {Path(database).name} ({found.error}): {gold}. Mend the pair.")
    return found.rows


@functools.lru_cache(maxsize=20_000)
def is_ordered(gold: str) -> bool:
    """Whether the gold query's outermost level orders its rows; only then does order count."""
    try:
        return sqlglot.parse_one(gold, read="sqlite").args.get("order") is not None
    except sqlglot.errors.SqlglotError:
        return "order by" in gold.lower()


def same_rows(got: tuple[tuple, ...], wanted: tuple[tuple, ...], ordered: bool) -> bool:
    """Equal as multisets of rows (as lists when `ordered`), numbers within 1e-6, columns in any order.

    Column permutations count as equal, as in Spider's test-suite scorer (Zhong et al. 2020,
    https://arxiv.org/abs/2010.02840): "name and age" and "age and name" answer the same question.

    >>> same_rows(((1, "a"), (2.0, "b")), (("b", 2), ("a", 1)), ordered=False)
    True
    """
    if len(got) != len(wanted):
        return False
    if not got:
        return True
    if len(got[0]) != len(wanted[0]):
        return False
    if _equal(got, wanted, ordered):
        return True
    return any(_equal(_permute(got, p), wanted, ordered) for p in _permutations(got, wanted))


def _permutations(got, wanted):
    """Orders of the columns of `got` under which each column holds the same values as in `wanted`."""
    width = len(got[0])
    if width > MAX_PERMUTED_COLUMNS:
        return [tuple(range(width))]
    columns = [Counter(map(_coarse, column)) for column in zip(*got, strict=True)]
    targets = [Counter(map(_coarse, column)) for column in zip(*wanted, strict=True)]
    return (
        p for p in itertools.permutations(range(width)) if all(columns[c] == t for c, t in zip(p, targets, strict=True))
    )


def _permute(rows, order):
    return rows if order == tuple(range(len(order))) else tuple(tuple(row[c] for c in order) for row in rows)


def _equal(got, wanted, ordered: bool) -> bool:
    if not ordered:
        got, wanted = sorted(got, key=_row_key), sorted(wanted, key=_row_key)
    return all(_close(a, b) for g, w in zip(got, wanted, strict=True) for a, b in zip(g, w, strict=True))


def _close(a, b) -> bool:
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)
    return a == b


def _coarse(value):
    """Numbers lose their fine digits, so that a column found equal here may still be told apart by `_close`."""
    return f"{float(value):.3g}" if isinstance(value, (int, float)) and value is not True else value


def _row_key(row):
    return tuple((value is not None, isinstance(value, str), _sortable(value)) for value in row)


def _sortable(value):
    return 0 if value is None else float(f"{value:.6g}") if isinstance(value, (int, float)) else value


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
    nesting and set operations count three, CASE and HAVING two.

    >>> difficulty("SELECT a FROM t"), difficulty("SELECT a FROM t JOIN u ON t.i = u.i WHERE b NOT IN (SELECT c FROM v)")
    ('easy', 'hard')
    """
    weights = {"subqueries": 3, "setops": 3, "case": 2, "having": 2}
    kinds = count_kinds(sqlglot.parse_one(sql, read="sqlite"))
    total = sum(weights.get(kind, 1) * number for kind, number in kinds.items())
    return LEVELS[0 if total <= 1 else 1 if total <= 3 else 2 if total <= 5 else 3]
