"""The chat prompt of text-to-SQL, and SQL out of what a model answers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from forge_lib.chat import Message

NO_ANSWER = "SELECT 'no answer'"  # the gold of a question that the tables cannot answer; it executes like any other
INSTRUCTION = (
    f"Translate the question into one SQLite query. Answer with SQL only. If the tables cannot answer it: {NO_ANSWER}"
)


def build_messages(schema_text: str, question: str, shots: Sequence[tuple[str, str]] = ()) -> list[Message]:
    """Schema in the system message, so that all questions of one database begin with the same tokens.

    `shots`: (question, SQL) pairs shown as earlier turns, without their schemas: the organization that
    DAIL-SQL (Gao et al. 2023, https://arxiv.org/abs/2308.15363) found to give most per token.
    """
    messages = [{"role": "system", "content": f"{INSTRUCTION}\n\nTables:\n{schema_text}"}]
    for asked, sql in shots:
        messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": sql}]
    return [*messages, {"role": "user", "content": question}]


def extract_sql(text: str, strict: bool = False) -> str:
    """The one SQL statement in a model's answer, without its semicolon; "" when there is none.

    strict: the answer must be that statement and nothing else (what a program that calls the model needs).
    lenient: a fenced block, or everything from the first SELECT or WITH to a semicolon or an empty line.

    >>> extract_sql("Sure! ```sql\\nSELECT 1;\\n```"), extract_sql("Sure! SELECT 1", strict=True)
    ('SELECT 1', '')
    """
    text = text.strip()
    if strict:
        body = text.removesuffix(";").strip()
        return body if re.match(r"(?i)(SELECT|WITH)\b", body) and ";" not in _without_strings(body) else ""
    fenced = re.search(r"```(?:sql|sqlite)?\s*\n?(.*?)(?:```|\Z)", text, re.S | re.I)
    body = fenced.group(1) if fenced else text
    found = re.search(r"(?i)\b(SELECT\b|WITH\s+(RECURSIVE\s+)?\w+\s*(\([^)]*\)\s*)?AS\b)", body)
    if not found:
        return ""
    statement = re.split(r"\n\s*\n", body[found.start() :])[0]
    end = _without_strings(statement).find(";")
    return (statement if end < 0 else statement[:end]).strip()


def _without_strings(sql: str) -> str:
    """The same text, same length, with quoted strings blanked (a semicolon in a string ends nothing)."""
    return re.sub(r"'(?:[^']|'')*'", lambda m: " " * len(m.group()), sql)
