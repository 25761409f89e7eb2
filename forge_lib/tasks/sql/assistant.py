"""One SQLite file that is asked in plain words: what the demo in the browser and the MCP server share."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forge_lib.data.items import DataError
from forge_lib.models.chat import Message
from forge_lib.tasks.sql.databases import why_unreadable
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.grammar import database_grammar
from forge_lib.tasks.sql.linking import fit_to
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.prompt import NO_ANSWER, extract_sql
from forge_lib.tasks.sql.sandbox import Execution, Sandbox
from forge_lib.tasks.sql.schema import Schema, Table, quote_name, render_schema

if TYPE_CHECKING:  # it imports torch, which tables and queries do without
    from forge_lib.models.generate import Completion

_Answer = Callable[..., "Completion"]  # (messages, grammar=…)
MAX_ROWS = 100  # of a result that is shown
MAX_CELL = 500  # characters of a value that is shown
TIME_LIMIT_S = 5.0
MAX_QUESTION = 1000  # characters; with the schema it stays far below any model's context
_SCHEMA_TOKENS = 600  # of a prompt; longer schemas are trimmed to what the question seems to need, as in training


@dataclass(frozen=True)
class DraftedQuery:
    """SQL that a model wrote for a question, and what it cost.

    sql: "" where the answer held none; unanswerable: the model said that the tables cannot answer
    """

    question: str
    sql: str
    unanswerable: bool
    completion: Completion


class Assistant:
    """A database as tables, queries and questions. Everything it runs is read-only, in a process that can be killed.

    answer: a model (see `forge_lib.serving.model`), None where nobody drafts SQL; tokenizer: the model's, by which a
    long schema is trimmed. Threads may share one. Raises DataError for a file that is no SQLite database.

    >>> import sqlite3, tempfile
    >>> file = Path(tempfile.mkdtemp()) / "shop.sqlite"
    >>> with sqlite3.connect(file) as db: _ = db.execute("CREATE TABLE item AS SELECT 1 AS id, 'pen' AS name")
    >>> with Assistant(file) as shop: shop.run("SELECT name FROM item").rows
    (('pen',),)
    """

    def __init__(self, file: Path | str, answer: _Answer | None = None, tokenizer=None, max_rows: int = MAX_ROWS):
        self.file, self.answer = Path(file), answer
        if not os.path.isfile(self.file):  # Path.is_file raises for a name longer than the system takes
            raise DataError(f"There is no file {self.file.name[-80:]}. Give the path of a SQLite database.")
        if fault := why_unreadable(self.file):
            raise DataError(f"{self.file.name} {fault}.")
        fit = fit_to(tokenizer, _SCHEMA_TOKENS) if tokenizer else None
        self._data = DataSet("own", self.file.parent, elsewhere={self.file.stem: self.file}, fit=fit)
        self._lock = threading.RLock()  # of the schema that is kept; the sandbox has one of its own
        self._sandbox = Sandbox(TIME_LIMIT_S, max_rows, cut=True)

    def schema(self) -> Schema:
        """Tables and views as they are now."""
        with self._lock:
            return self._data.schema(self.file.stem)

    def table(self, name: str) -> Table:
        """One table or view, in any case of letters. Raises DataError that names those that are there."""
        tables = self.schema().tables
        found = next((t for t in tables if t.name == name), None)
        found = found or next((t for t in tables if t.name.casefold() == name.casefold()), None)
        if found is None:
            raise DataError(f"There is no table '{name}'. Tables and views: {', '.join(t.name for t in tables)}.")
        return found

    def schema_text(self) -> str:
        """The whole schema, a line a table, as prompts show it."""
        return render_schema(self.schema())

    def sample(self, name: str, rows: int = 5) -> Execution:
        """The first `rows` rows (1 to `max_rows`) of a table or view."""
        rows = max(1, min(int(rows), self._sandbox.max_rows))
        return self.run(f"SELECT * FROM {quote_name(self.table(name).name)} LIMIT {rows}")

    def run(self, sql: str) -> Execution:
        """What one query finds: its first rows, long values cut; or why it did not run."""
        try:
            found = self._sandbox.run(self.file, sql)
        except FileNotFoundError:
            return Execution("error", error=f"{self.file.name} is not there any more.")
        return Execution(found.status, tuple(map(_cut, found.rows)), found.columns, found.error, found.more)

    def messages(self, question: str) -> list[Message]:
        """The prompt for a question, assembled where training and evaluation assemble theirs."""
        with self._lock:
            return self._data.messages(Pair(id="asked", db_id=self.file.stem, question=question, sql=""))

    def _grammar(self, question: str) -> str | None:
        """What a draft may be, so that it names what is there; None where the file cannot be read at this moment."""
        with self._lock, contextlib.suppress(sqlite3.Error, OSError):
            return database_grammar(self._data.view(self.file.stem, [question]), self.file, stored=False)
        return None

    def request(self, question: str) -> tuple[list[Message], str | None]:
        """What a model is asked for a question, and the grammar of its answer, None where there is none.

        Raises DataError for a question that is empty or too long.
        """
        question = question.strip()
        if not question:
            raise DataError("Ask a question about the tables.")
        if len(question) > MAX_QUESTION:
            raise DataError(f"The question has {len(question):,} characters; ask one of at most {MAX_QUESTION:,}.")
        return self.messages(question), self._grammar(question)

    def draft(self, question: str) -> DraftedQuery:
        """SQL for a question, not run. Raises DataError for one that is empty or too long, and where there is no model."""
        if self.answer is None:
            raise DataError("No model was given, so nobody drafts SQL: start with --model.")
        messages, grammar = self.request(question)
        completion = self.answer(messages, grammar=grammar)
        sql = extract_sql(completion.text)
        return DraftedQuery(question, sql, sql == NO_ANSWER, completion)

    def explain(self, sql: str) -> str:
        """Why a query does not run, with the nearest names that are there; that it runs, where it does."""
        return self.why(self.run(sql))

    def why(self, found: Execution) -> str:
        """What came of a query, in a sentence or two: that it runs, or why not and what to do."""
        if found.status == "ok":
            return "The query runs."
        if found.status == "refused":
            return (
                f"Refused ({found.error.rstrip('.')}): only one SELECT, or WITH … SELECT, is run, and it can only read."
            )
        if found.status == "timeout":
            return f"The query took more than {TIME_LIMIT_S:.0f} s and was stopped. Ask for less of the tables at once."
        near = self._nearest(found.error)
        return f"{found.error}{'' if found.error.endswith('.') else '.'}{' ' + near if near else ''}"

    def _nearest(self, error: str) -> str:
        missing = re.search(r"no such (column|table): (.+?)(?: - should this be a string literal.*)?$", error)
        if not missing:
            return ""
        kind, name = missing[1], missing[2].split(".")[-1].strip('"')
        known = {
            (t.name if kind == "table" else f"{t.name}.{c}"): (t.name if kind == "table" else c)
            for t in self.schema().tables
            for c in (t.columns if kind == "column" else [""])
        }
        folded = {full: short.casefold() for full, short in known.items()}
        close = difflib.get_close_matches(name.casefold(), dict.fromkeys(folded.values()), 3, 0.6)  # the nearest first
        names = [full for near in close for full, short in folded.items() if short == near][:5]
        if not names and kind == "table":
            names = list(known)[:20]
        return f"There is: {', '.join(names)}." if names else ""

    def close(self) -> None:
        """End the sandbox's process."""
        self._sandbox.close()

    def __enter__(self) -> Assistant:
        return self

    def __exit__(self, *_) -> None:
        self.close()


def _cut(row: tuple) -> tuple:
    """Values short enough to be shown; a blob says how long it is."""
    return tuple(
        f"{len(v)} bytes"
        if isinstance(v, bytes)
        else v[:MAX_CELL] + "…"
        if isinstance(v, str) and len(v) > MAX_CELL
        else v
        for v in row
    )
