"""The chat prompt of text-to-SQL, and SQL out of what a model answers."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence

from forge_lib.data.items import normalize
from forge_lib.models.chat import Message
from forge_lib.tasks.sql.parsing import is_query

NO_ANSWER = "SELECT 'no answer'"  # the gold of a question that the tables cannot answer; it executes like any other
INSTRUCTION = (
    f"Translate the question into one SQLite query. Answer with SQL only. If the tables cannot answer it: {NO_ANSWER}"
)


def says_no_answer(sql: str) -> bool:
    """Whether a query is the agreed refusal, spacing, quotes and case aside.

    >>> says_no_answer('select "No answer";'), says_no_answer("SELECT 'no answer' FROM books")
    (True, False)
    """
    return normalize(sql) == normalize(NO_ANSWER)


def build_messages(schema_text: str, question: str, shots: Sequence[tuple[str, str]] = ()) -> list[Message]:
    """Schema in the system message, so that all questions of one database begin with the same tokens.

    `shots`: (question, SQL) pairs shown as earlier turns, without their schemas: the organization that
    DAIL-SQL (Gao et al. 2023, https://arxiv.org/abs/2308.15363) found to give most per token.
    """
    messages = [{"role": "system", "content": f"{INSTRUCTION}\n\nTables:\n{schema_text}"}]
    for asked, sql in shots:
        messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": sql}]
    return [*messages, {"role": "user", "content": question}]


_LONGEST = 100_000  # characters of an answer; what a model says in thousands of tokens is shorter
_TRIED = (
    20  # places where a statement may begin, and for each where it may end: each is parsed, and rambling has hundreds
)


def extract_sql(text: str, strict: bool = False) -> str:
    """The one SQL statement in a model's answer, without its semicolon; "" when there is none.

    strict: the answer must be that statement and nothing else (what a program that calls the model needs).
    lenient: out of a field of JSON or a fenced block where there is one, without thoughts before and explanations after
    it. Of several statements the first that parses, but never a part of one that does not, nor of one that writes.
    A text of more than _LONGEST characters holds none: to look through 10 MB would take half a minute.

    >>> extract_sql("Sure! ```sql\\nSELECT 1;\\n```"), extract_sql("Sure! SELECT 1", strict=True)
    ('SELECT 1', '')
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return ""
    if strict:
        body = text.removesuffix(";").strip()
        starts = _START.match(_blanked(_COMMENT, body).lstrip())
        return body if starts and ";" not in _blanked(_QUOTED, body) else ""
    text = _after_thoughts(text)
    bodies = [*_fields(text), *_blocks(text), (text, False)]
    found = ""
    for statement in (s for body, fenced in bodies for s in _statements(body, fenced)):
        if is_query(statement):
            return statement
        found = found or statement
    return found


_NAME = r"""(?:\w+|"(?:[^"]|"")+"|`(?:[^`]|``)+`|\[[^\]]+\])"""
_START = re.compile(
    rf"\b(?:SELECT\b|VALUES\s*\(|WITH\s+(?:RECURSIVE\s+)?{_NAME}\s*(?:\([^)]*\)\s*)?AS\s*(?:(?:NOT\s+)?MATERIALIZED\s*)?\()",
    re.I,
)
_COMMENT = re.compile(r"^[ \t]*--[^\n]*|/\*.*?\*/", re.M | re.S)
_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/""", re.S)
_THOUGHT = re.compile(r"\A\s*<(think|thinking|thought|reasoning)>.*?(?:</\1>|\Z)", re.S | re.I)
_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*(?!SELECT\b|WITH\b|VALUES\b)([A-Za-z][\w+#.-]*)?(.*?)(?:\1|\Z)", re.S | re.I)
# What ends an answer and is no SQL: the marks of chat templates and of Python's long strings, bold print, a full-width semicolon.
_MARKS = r"""```|~~~|</\w|<\||<(?:eos|end_of_turn)>|\[/?INST\]|\n[ \t]*(?:\"{3}|'{3})|\*\*(?=\s*(?:\n|\Z))|；"""
_MARK = re.compile(_MARKS)
_END = re.compile(rf"{_MARKS}|{_QUOTED.pattern}|[();]|\n[ \t\r]*\n\s*", re.S)
# A statement that writes, or only explains, up to where a query in it begins. Behind the end of a sentence it is another one.
_WRITES = re.compile(
    rf"\b(?:(?:INSERT|REPLACE)\s+(?:OR\s+\w+\s+)?INTO|DELETE\s+FROM|UPDATE\s+(?:OR\s+\w+\s+)?{_NAME}\s+SET"
    r"|CREATE\s+(?:TEMP\w*\s+)?(?:TABLE|VIEW|TRIGGER)\b|EXPLAIN\s+(?:QUERY\s+PLAN\s+)?\Z)(?:(?!;|[.:!?]\s|\n\s*\n|```).)*\Z",
    re.S | re.I,
)
_AGAIN = re.compile(r"\s*\)\s*(?:UNION|INTERSECT|EXCEPT)\b", re.I)
# A statement goes on where the text before ends so, or the text after begins so. In capitals: prose says "from" and "as".
_OPEN = re.compile(
    r"(?:[(),=<>+*/|-]|\b(?:UNION|ALL|INTERSECT|EXCEPT|AS|IN|EXISTS|NOT|AND|OR|WHERE|FROM|JOIN|ON|BY|SELECT|DISTINCT|WHEN|THEN|ELSE))\s*\Z"
)
_CLAUSE = re.compile(
    r"(?:(FROM|WHERE|GROUP|HAVING|ORDER|LIMIT|OFFSET|UNION|INTERSECT|EXCEPT|(?:LEFT|RIGHT|FULL|INNER|OUTER|CROSS|NATURAL|JOIN)|AND|OR|ON|WINDOW)\b|\))",
    re.I,
)
# Where words may follow: a line that begins with a word or as a table does, the end of a sentence, a dash.
_PROSE = re.compile(
    r"\n(?=[ \t]*(?:(?P<word>[^\W\d_][\w']*)(?P<after>.?)|\|(?!\|)))|\.(?=\s+[A-Z]|\s*\Z)|。|\s(?=[—–]\s)"
)
_JSON_TEXT = re.compile(r'"(\w+)"\s*:\s*("(?:[^"\\]|\\.)*")', re.S)
_CLOSING = {"`": "`", '"': '"', "'": "'", "{": "}"}


def _blanked(pattern: re.Pattern, text: str) -> str:
    """The same text, same length, with what the pattern matches blanked (a semicolon in a string ends nothing)."""
    return pattern.sub(lambda m: " " * len(m.group()), text)


def _after_thoughts(text: str) -> str:
    """The answer behind what a model thought aloud; "" where it never came to an end."""
    text = text.rpartition("final<|message|>")[2]  # gpt-oss thinks in a channel of its own
    rest = _THOUGHT.sub("", text, count=1)
    tail = re.split(r"</(?:think|thinking|thought|reasoning)>", rest, flags=re.I)[-1]  # some templates open the tag
    return tail if _START.search(tail) else rest


def _fields(text: str) -> Iterator[tuple[str, bool]]:
    """The texts in JSON that begin like a statement, each with True: those called SQL or query before others."""
    fields = sorted(_JSON_TEXT.finditer(text), key=lambda field: not re.search("sql|query", field.group(1), re.I))
    for field in fields:
        with contextlib.suppress(ValueError):
            body = json.loads(field.group(2), strict=False)
            if _START.match(_blanked(_COMMENT, body).lstrip()):
                yield body, True
            elif body.lstrip()[:1] == "{":  # the arguments of a tool call are JSON in JSON
                yield from _fields(body)


def _blocks(text: str) -> list[tuple[str, bool]]:
    """The contents of fenced blocks: those marked as SQL first, then unmarked ones, then others; each with True."""
    ranked = []
    for fence in _FENCE.finditer(text):
        label = (fence.group(2) or "").lower()
        kind = 0 if re.search(r"sql|postgres|duckdb", label) else 1 if not label else 2
        ranked.append((kind, fence.group(3)))
    return [(body, True) for _, body in sorted(ranked, key=lambda r: r[0])]


def _statements(body: str, fenced: bool) -> Iterator[str]:
    """What may be a statement, in the order of likelihood: first what begins where a line or a sentence begins."""
    searched = _blanked(_COMMENT, body)
    starts = [m.start() for m in _START.finditer(searched)]
    own = [n for n in starts if n == starts[0] or not _OPEN.search(searched[:n])]
    first = [n for n in own if re.search(r"(?:\A|[\n:.!?>`\"'])[ \t(]*\Z", searched[:n])]
    ranked = [*first, *(n for n in own if n not in first and starts[0] not in first)]
    quiet = _blanked(_QUOTED, body.replace("```", ";;;"))  # a fence is no pair of quotes, and ends a statement
    for start in [n for n in ranked if not _WRITES.search(quiet[max(0, n - 2_000) : n])][:_TRIED]:
        statement = _whole(body[start:], fenced)
        opened = body[:start].rstrip()
        if opened.endswith("(") and _AGAIN.match(body, start + len(statement)):  # its other half is in brackets too
            statement = _whole(body[len(opened) - 1 :], fenced)
        yield _trimmed(statement, body[start - 1] if start else "")


def _whole(text: str, fenced: bool) -> str:
    """From the start of a statement to its semicolon, to a bracket that closes nothing, or to the text after it."""
    depth = 0
    for mark in _END.finditer(text):
        sign, before = mark.group(), text[: mark.start()]
        depth += (sign == "(") - (sign == ")")
        if sign == ";" or depth < 0 or _MARK.fullmatch(sign):
            return before.strip()
        if sign[0] == "\n" and depth == 0 and not fenced and not _goes_on(before, text[mark.end() :]):
            return before.strip()
    return text.strip()


def _goes_on(before: str, after: str) -> bool:
    """Whether a statement goes on behind an empty line."""
    after = _blanked(_COMMENT, after).lstrip()
    clause = _CLAUSE.match(after)
    word = clause.group(1) or "" if clause else ""
    main = before[:4].upper() == "WITH" and before.rstrip()[-1:] == ")" and after[:6].upper() == "SELECT"
    return bool(_OPEN.search(before)) or main or (clause is not None and (word.istitle() <= before[:6].istitle()))


def _trimmed(statement: str, opener: str) -> str:
    """A statement without what follows it in words, or behind the quotation mark that opened it."""
    if is_query(statement):
        return statement
    cuts = [m.start() for m in _PROSE.finditer(statement) if _is_prose(m)]
    if opener in _CLOSING:
        cuts += [n for n, sign in enumerate(statement) if sign == _CLOSING[opener]]
    shorter = (statement[:n].rstrip() for n in sorted(cuts)[:_TRIED])
    return next((s for s in shorter if is_query(s)), statement)


def _is_prose(found: re.Match) -> bool:
    """Whether words follow a place that PROSE found, and not another clause: they begin like a sentence, or with a label."""
    word = found["word"]
    if word is None:
        return True
    like_a_sentence = word[0].isupper() and word[1:].islower()
    return (like_a_sentence or found["after"] in (":", "：")) and not _CLAUSE.match(
        found.string[found.end() :].lstrip()
    )
