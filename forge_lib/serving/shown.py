"""What the page shows of a question or a query: the SQL, a note in words, the rows, the chart. Nothing here knows Gradio."""

from __future__ import annotations

import html
import math
import time
from dataclasses import dataclass, replace

from forge_lib.data.items import DataError
from forge_lib.lab.files import said
from forge_lib.serving.charts import Chart, chart_of
from forge_lib.serving.sessions import Session
from forge_lib.tasks.sql.assistant import MAX_QUESTION, TIME_LIMIT_S, Assistant, DraftedQuery
from forge_lib.tasks.sql.sandbox import Execution

_EXACT = 2**53  # the largest whole number that JavaScript holds exactly


@dataclass(frozen=True)
class Asked:
    """What a thumb up or down is about: the question, the SQL that was shown for it, and whether that can be right."""

    database: str
    question: str
    sql: str
    works: bool


@dataclass(frozen=True)
class Shown:
    """One answer on the page.

    kind: "ok", "warning" or "error"; note: sentences in plain text; cost: latency and tokens, "" where no model was asked
    sql: None where what stands in the editor stays; rows: None where there is no table
    """

    kind: str
    note: str
    cost: str = ""
    sql: str | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[tuple, ...] | None = None
    chart: Chart | None = None
    asked: Asked | None = None

    def html(self) -> str:
        """Note and cost as HTML, escaped."""
        cost = f'<span class="cost">{html.escape(self.cost)}</span>' if self.cost else ""
        return f'<div class="note {self.kind}" role="status"><span>{html.escape(self.note)}</span>{cost}</div>'


def ask(session: Session, at: int, database: str, question: str) -> Shown:
    """Have the session's model number `at` draft SQL for a question, and run it. Whatever fails is said in the note."""
    question = (question or "").strip()
    if not question:
        return Shown("warning", "Ask a question about the tables first.")
    if len(question) > MAX_QUESTION:
        return Shown("error", f"The question has {len(question)} characters, and {MAX_QUESTION} are taken. Shorten it.")
    try:
        assistant = session.assistants(database)[at]
        draft = assistant.draft(question)
        if session.using != database:
            return Shown("warning", "Another database was chosen before the answer came: ask again.")
        return _of_draft(draft, assistant, database)
    except DataError as error:
        return Shown("error", str(error))
    except (
        Exception
    ) as error:  # a model is other people's code; the page goes on, and the question is still in its field
        return Shown(
            "error", f"{session.models[at].name} failed ({said(error)[:200]}). Ask again, or ask the other model."
        )


def rerun(session: Session, database: str, question: str, sql: str) -> Shown:
    """Run a query that a person wrote or edited."""
    sql = (sql or "").strip()
    if not sql:
        return Shown("warning", "There is no SQL to run: ask a question, or write a SELECT.")
    try:
        shown = _of_query(sql, session.assistants(database)[0])
    except DataError as error:
        return Shown("error", str(error))
    except Exception as error:
        return Shown("error", f"The query could not be run ({said(error)[:200]}). It is still there: run it again.")
    return replace(shown, asked=Asked(database, (question or "").strip(), sql, shown.kind == "ok"))


def _of_draft(draft: DraftedQuery, assistant: Assistant, database: str) -> Shown:
    cost = _cost(draft)
    if not draft.sql:
        words = " ".join(draft.completion.text.split())[:200]
        about = f"It said: “{words}”" if words else "It said nothing."
        return Shown("warning", f"The model wrote no SQL. {about}", cost, sql="")
    if draft.unanswerable:
        note = "This looks unanswerable: the model says that these tables do not hold the answer."
        return Shown("warning", note, cost, draft.sql, asked=Asked(database, draft.question, draft.sql, True))
    shown = _of_query(draft.sql, assistant)
    asked = Asked(database, draft.question, draft.sql, shown.kind == "ok")
    return replace(shown, cost=cost, sql=draft.sql, asked=asked)


def _of_query(sql: str, assistant: Assistant) -> Shown:
    began = time.perf_counter()
    found = assistant.run(sql)
    seconds = time.perf_counter() - began
    if found.status == "refused":
        return Shown("error", f"Refused: queries may read and nothing else ({found.error.rstrip('.')}).")
    if found.status == "timeout":
        return Shown("error", f"Stopped: the query took more than {TIME_LIMIT_S:g} s.")
    if found.status == "error":
        return Shown("error", f"The query does not run: {assistant.why(found)}")
    rows = tuple(tuple(map(_shown_value, row)) for row in found.rows)
    chart = chart_of(found.columns, found.rows, found.more)
    return Shown("ok", _counted(found, seconds), columns=found.columns, rows=rows, chart=chart)


def _counted(found: Execution, seconds: float) -> str:
    if not found.rows:
        return "No rows: the query ran and found nothing."
    many = (
        f"The first {len(found.rows)} rows of more"
        if found.more
        else f"{len(found.rows)} row{'s' * (len(found.rows) > 1)}"
    )
    return f"{many}, read in {seconds:.2f} s."


def _cost(draft: DraftedQuery) -> str:
    c = draft.completion
    cut = "" if c.finished else ", cut at the limit"
    return f"{c.seconds:.1f} s · {c.prompt_tokens} tokens read, {c.completion_tokens} written{cut}"


def _shown_value(value: object) -> object:
    """A value as a table in a browser shows it: NULL by name, numbers that JavaScript would change as text.

    >>> _shown_value(None), _shown_value(2**60), _shown_value(0.5)
    ('NULL', '1152921504606846976', 0.5)
    """
    if value is None:
        return "NULL"
    inexact = isinstance(value, int) and abs(value) > _EXACT or isinstance(value, float) and not math.isfinite(value)
    return str(value) if inexact else value
