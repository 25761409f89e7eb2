"""What a pair must satisfy before a model learns from it, and what must not cross from train to test."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlglot.errors import SqlglotError

from forge_lib.data.augment import skeleton
from forge_lib.data.pairs import DataSet, Pair
from forge_lib.tasks.sql.sandbox import Sandbox, shared_sandbox


@dataclass(frozen=True)
class Finding:
    """One broken rule: which pair, which rule, and what is the matter."""

    pair: str
    rule: str
    detail: str


def check_pairs(data: DataSet, pairs: Iterable[Pair], sandbox: Sandbox | None = None) -> list[Finding]:
    """Rules every pair must pass alone: parses, runs, returns rows, asks for the literals it uses; no duplicates."""
    sandbox = sandbox or shared_sandbox()
    found: list[Finding] = []
    questions: dict[tuple[str, str], str] = {}
    for pair in pairs:
        found += _check_sql(data, pair, sandbox)
        found += [Finding(pair.id, "literal not asked for", repr(x)) for x in missing_literals(pair)]
        key = (pair.db_id, normalize(pair.question))
        if key in questions:
            found.append(Finding(pair.id, "duplicate question", f"same as {questions[key]}"))
        questions.setdefault(key, pair.id)
    return found


def _check_sql(data: DataSet, pair: Pair, sandbox: Sandbox) -> list[Finding]:
    try:
        skeleton(pair.sql)
    except SqlglotError as error:
        return [Finding(pair.id, "does not parse", str(error).splitlines()[0])]
    result = sandbox.run(data.database(pair.db_id), pair.sql)
    if result.status != "ok":
        return [Finding(pair.id, "does not run", result.error)]
    if all(value is None for row in result.rows for value in row):
        return [Finding(pair.id, "returns nothing", f"{len(result.rows)} rows")]
    return []


def missing_literals(pair: Pair) -> list[str]:
    """Text literals of the SQL that the question does not mention (dates, formats and CASE labels excepted)."""
    labels = set(re.findall(r"(?:THEN|ELSE) '((?:[^']|'')*)'", pair.sql, re.I))
    literals = {m.strip("%").replace("''", "'") for m in re.findall(r"'((?:[^']|'')*)'", pair.sql)} - labels
    asked = pair.question.lower()
    return sorted(x for x in literals if not re.fullmatch(r"[\d\-:%YmdHMSjwW ]*", x) and x.lower() not in asked)


def normalize(question: str) -> str:
    """Lower case, words only: what makes two questions the same question."""
    return " ".join(re.findall(r"\w+", question.lower()))


def leakage(data: DataSet) -> dict[str, dict[str, float]]:
    """What validation and test share with train, at three levels; shares of the split, 0 to 1.

    question: the same words on the same database; sql: the same query on the same database;
    skeleton: the same query shape on any database (not leakage: the grammar that is to be learnt).
    """
    train = {
        "question": {(p.db_id, normalize(p.question)) for p in data.train},
        "sql": {(p.db_id, normalize(p.sql)) for p in data.train},
        "skeleton": {skeleton(p.sql) for p in data.train},
    }
    shares = {}
    for name, pairs in (("validation", data.validation), ("test", data.test)):
        hits = Counter()
        for p in pairs:
            hits["question"] += (p.db_id, normalize(p.question)) in train["question"]
            hits["sql"] += (p.db_id, normalize(p.sql)) in train["sql"]
            hits["skeleton"] += skeleton(p.sql) in train["skeleton"]
        shares[name] = {level: hits[level] / max(1, len(pairs)) for level in train}
    return shares


def near_duplicates(questions: list[str], others: list[str], threshold: float = 90.0) -> list[tuple[int, int, float]]:
    """Pairs (i, j, similarity 0–100) of like questions, by token-sort ratio (rapidfuzz); i in `others`, j in `questions`."""
    from rapidfuzz import fuzz, process

    scores = process.cdist(
        [normalize(q) for q in others], [normalize(q) for q in questions], scorer=fuzz.token_sort_ratio
    )
    return [(int(i), int(j), float(scores[i, j])) for i, j in zip(*(scores >= threshold).nonzero(), strict=True)]
