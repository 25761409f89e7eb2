"""Question/SQL pairs over databases: how they are shown, asked, varied and graded."""

from __future__ import annotations

import contextlib
import functools
import random
import sqlite3
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlglot.errors import SqlglotError

from forge_lib.data.items import DataError
from forge_lib.lab.profiles import Profile
from forge_lib.models.chat import Message
from forge_lib.tasks import Score, SuiteScore, TaskData
from forge_lib.tasks.sql.augment import augment, identifiers
from forge_lib.tasks.sql.databases import why_unread, why_unreadable
from forge_lib.tasks.sql.failures import classify
from forge_lib.tasks.sql.grammar import database_grammar
from forge_lib.tasks.sql.linking import Trimmed, fit_to
from forge_lib.tasks.sql.near_misses import near_misses
from forge_lib.tasks.sql.opening import FileState, file_state
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.parsing import parse_query
from forge_lib.tasks.sql.prompt import build_messages, extract_sql
from forge_lib.tasks.sql.rows import rows_key
from forge_lib.tasks.sql.sandbox import shared_sandbox
from forge_lib.tasks.sql.schema import Schema, read_schema, render_schema
from forge_lib.tasks.sql.score import patiently, score

SCHEMA_SHARE = 0.6  # of a profile's max_length; the rest is for instruction, question and answer


@dataclass
class DataSet(TaskData):
    """Splits of pairs over a folder of databases in Spider's layout: `<databases>/<db_id>/<db_id>.sqlite`.

    elsewhere: files of databases that lie outside that folder (BIRD has two folders, yours may be loose files)
    left_out: pairs that are in no part, each with the reason: no model can be right on them (see `golds.py`)
    without_rows: pairs of the parts whose query finds nothing
    notes: sentences on how the parts came to be, for the one who brought the data
    """

    name: str
    databases: Path
    train: list[Pair] = field(default_factory=list)
    validation: list[Pair] = field(default_factory=list)
    test: list[Pair] = field(default_factory=list)
    elsewhere: dict[str, Path] = field(default_factory=dict, repr=False)
    source: str = "course"
    left_out: list[tuple[Pair, str]] = field(default_factory=list, repr=False)
    without_rows: list[Pair] = field(default_factory=list, repr=False)
    notes: list[str] = field(default_factory=list, repr=False)
    fit: Callable[..., Trimmed] | None = field(default=None, repr=False)
    trimmed: dict[tuple[str, tuple[str, ...]], Trimmed] = field(default_factory=dict, repr=False)
    _look_up: object = field(default=None, init=False, repr=False, compare=False)
    _schemas: dict[str, tuple[FileState | None, Schema]] = field(default_factory=dict, repr=False)

    def database(self, db_id: str) -> Path:
        """Path of one SQLite file (not necessarily there)."""
        return self.elsewhere.get(db_id, self.databases / db_id / f"{db_id}.sqlite")

    def schema(self, db_id: str) -> Schema:
        """Schema of one database, read again once its file changed; DataError naming the file where it cannot be read."""
        path, state = self.database(db_id), None
        with contextlib.suppress(OSError):  # what is the matter, `_schema` says
            state = file_state(path)
        before, known = self._schemas.get(db_id, (None, None))
        if known is None or state != before:
            self._schemas[db_id] = state, _schema(path)
            if known is not None and known != self._schemas[db_id][1]:
                for key in [k for k in self.trimmed if k[0] == db_id]:
                    del self.trimmed[key]
        return self._schemas[db_id][1]

    def view(self, db_id: str, questions: Sequence[str], keep: Collection[str] = ()) -> Schema:
        """The schema as a prompt shows it for these questions: whole, or trimmed by `fit` where it is too long.

        keep: lower-case identifiers that stay in any case (training: those of the gold). What was left out of prompts
        without them stands in `trimmed`, by database and questions.
        """
        schema, key = self.schema(db_id), (db_id, tuple(questions))
        if self.fit is None:
            return schema
        if keep:  # never remembered: a prompt in use must not hold what only the gold could tell
            return self.fit(schema, questions, keep=keep, path=self.database(db_id)).schema
        if key not in self.trimmed:
            found = self.fit(schema, questions, path=self.database(db_id))
            if found.schema == schema:
                return schema
            self.trimmed[key] = found
        return self.trimmed[key].schema

    def fit_prompts(self, profile: Profile) -> None:
        """Trim schemas that take more than SCHEMA_SHARE of the profile's `max_length` to what a question seems to need."""
        from forge_lib.models.load import load_tokenizer  # torch, which data alone does without

        budget = int(SCHEMA_SHARE * profile.max_length)
        shown = (render_schema(self.schema(db_id)) for db_id in {p.db_id for _, pairs in self.splits() for p in pairs})
        if max((len(text.encode()) for text in shown), default=0) > budget:  # a token is a byte at least
            self.fit = fit_to(load_tokenizer(profile), budget)

    def look_up(self, item: Pair) -> str:
        """The query of a similar training question with this schema's names (see `retrieval.LookUp`)."""
        from forge_lib.tasks.sql.retrieval import LookUp  # it knows of data sets

        if self._look_up is None:
            self._look_up = LookUp(self)
        return self._look_up.answer(item) or super().look_up(item)

    def require(self, pairs: Sequence[Pair], source: str, mend: str) -> None:
        """Raise DataError where there are no `pairs`, or one's database is missing or cannot be read.

        source: the file they were read from; mend: the sentence that says what to do about a missing database.
        """
        if not pairs:
            raise DataError(f"{source} holds no pairs. Put some in, or delete the file.")
        for number, pair in enumerate(pairs):
            path = self.database(pair.db_id)
            if not path.exists():
                near = path.is_relative_to(self.databases.parent)
                where = path.relative_to(self.databases.parent) if near else Path(*path.parts[-3:])
                raise DataError(f"{source}, item {number}: {where.as_posix()} is missing. {mend}")
            self.schema(pair.db_id)

    def messages(self, item: Pair, shots: Sequence[Pair] = ()) -> list[Message]:
        """Schema and question of a pair; `shots` are shown as earlier turns."""
        text = render_schema(self.view(item.db_id, [item.asked]))
        return build_messages(text, item.asked, [(s.asked, s.sql) for s in shots])

    def views(self, items: Sequence[Pair], rng: random.Random | None = None) -> list[tuple[list[Message], str]]:
        """Prompts and SQL of pairs on one database; with `rng` its schema and their SQL are augmented afresh."""
        needed = set().union(*(identifiers(p.sql) for p in items)) if self.fit and rng else ()
        schema = self.view(items[0].db_id, [p.asked for p in items], needed)
        if rng:
            schema, items = augment(schema, items, rng)
        text = render_schema(schema)
        return [(build_messages(text, p.asked), p.sql) for p in items]

    def score(self, item: Pair, text: str, strict: bool = False) -> Score:
        """Execution accuracy and reward of the SQL in `text`. Raises DataError where the database is not there any more."""
        sql, database = extract_sql(text, strict), self.database(item.db_id)
        try:
            return replace(patiently(item.sql, score, sql, item.sql, database), predicted=sql)
        except FileNotFoundError as error:
            raise DataError(
                f"The database {database.name} is not there any more. Run 02_data again, or put its folder back."
            ) from error

    def score_suite(self, items: Sequence[Pair], texts: Sequence[str]) -> list[SuiteScore]:
        """Execution accuracy on the databases and on further states of them, which are made on first need (`states.py`).

        The states of a database are made for all that validation and test ask of it, whichever of it is graded here.
        """
        from forge_lib.tasks.sql.suite import grade_on_states  # it starts threads, and needs what makes states

        golds: dict[str, list[str]] = {i.db_id: [] for i in items}
        for pair in [*self.validation, *self.test]:
            if pair.db_id in golds:
                golds[pair.db_id].append(pair.sql)
        asked = [(i.db_id, i.sql, extract_sql(text)) for i, text in zip(items, texts, strict=True)]
        return grade_on_states({name: self.database(name) for name in golds}, golds, asked)

    def ballot(self, item: Pair, text: str) -> Hashable | None:
        """The rows of the query in `text`, in any order of rows and columns; () where it finds no value."""
        got = shared_sandbox().run(self.database(item.db_id), extract_sql(text))
        return rows_key(got.rows) if got.status == "ok" else None

    def grammar(self, item: Pair) -> str | None:
        """Queries over the tables that the prompt shows (see `schema_grammar`); None where these are too many."""
        return database_grammar(self.view(item.db_id, [item.asked]), self.database(item.db_id))

    def canonical(self, text: str) -> str | None:
        """The query in `text` as sqlglot prints it, without comments; None for what is not one query."""
        try:
            return parse_query(extract_sql(text)).sql(dialect="sqlite", normalize_functions="upper", comments=False)
        except SqlglotError:
            return None

    def near_misses(self, item: Pair) -> list[str]:
        """Queries one edit away from the pair's (see `near_misses.py`)."""
        return near_misses(item.sql, self.schema(item.db_id))

    def gate(self, items: Sequence[Pair]) -> list[str]:
        """What the gate finds in the pairs."""
        from forge_lib.tasks.sql.gate import check_pairs  # it knows of data sets

        return [f"{found.pair}: {found.rule} ({found.detail})" for found in check_pairs(self, items)]

    def metrics(self) -> dict[str, Callable[[Sequence[dict]], list[float | None]]]:
        """Those of Spider and BIRD: see `forge_lib.tasks.sql.metrics`."""
        from forge_lib.tasks.sql.metrics import METRICS, scores

        def column(name: str, records: Sequence[dict]) -> list[float | None]:
            return scores(name, [(r["predicted"], r["sql"], str(self.database(r["db_id"]))) for r in records])

        return {name: functools.partial(column, name) for name in METRICS}

    def outcome(self, context: str, answer: str) -> tuple[tuple[str, ...], tuple[tuple, ...], str]:
        """What a query finds in a database: columns, rows, and why it does not run."""
        try:
            found = shared_sandbox().run(self.database(context), answer)
        except FileNotFoundError:
            return (), (), f"{self.database(context).name} is not there any more."
        return found.columns, found.rows, found.error or ("" if found.columns else found.status)

    def error_class(self, record: dict) -> str:
        """One of `failures.CLASSES`."""
        return classify(record)


def _schema(path: Path) -> Schema:
    fault, schema = why_unreadable(path), None
    if not fault:
        try:
            schema = read_schema(path)
        except (sqlite3.Error, OSError, ValueError) as error:  # UnicodeError is a ValueError: a name that is not UTF-8
            fault = why_unread(error)
    if fault or not schema.tables:
        raise DataError(f"{path.name} {fault or 'holds no table'}.")
    return schema
