"""One question/SQL pair."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot.errors import SqlglotError

from forge_lib.data.items import Item, normalize
from forge_lib.tasks.sql.prompt import says_no_answer
from forge_lib.tasks.sql.score import difficulty


@dataclass(frozen=True)
class Pair(Item):
    """A question about a database and the SQL that answers it, under the names of Spider's files.

    part: set in evaluation splits: "seen" or "unseen" (schemas that occur nowhere in train)
    wording: "" for a plain question, or what makes it hard: "synonyms", "typos", "values" or "unanswerable"
    provenance: how the pair came to be, where not by an author; evidence: what BIRD tells beside the question
    """

    ANSWER = "sql"

    id: str
    db_id: str
    question: str
    sql: str
    difficulty: str = ""
    part: str = ""
    wording: str = ""
    provenance: str = ""
    evidence: str = ""

    @property
    def context(self) -> str:
        return self.db_id

    @property
    def answer(self) -> str:
        return self.sql

    @property
    def asked(self) -> str:
        """What stands in the prompt: the question, with BIRD's evidence after it where there is some."""
        return f"{self.question} ({self.evidence})" if self.evidence else self.question

    @property
    def split_key(self) -> tuple[str, str]:
        """What two wordings share; unanswerable questions all have the same SQL and are told apart by their words."""
        return self.db_id, normalize(self.question if self.wording == "unanswerable" else self.sql)


def with_difficulty(pair: Pair) -> Pair:
    """The pair with its level of `score.difficulty`; "extra" where sqlglot cannot parse what SQLite executes."""
    try:
        return replace(pair, difficulty=difficulty(pair.sql))
    except SqlglotError:
        return replace(pair, difficulty="extra")


def as_brought(pair: Pair) -> Pair:
    """A person's pair with its level; marked as unanswerable where its answer is that there is none, which nobody writes
    beside it: else all questions without an answer would count as one, and stay on one side of a split."""
    refuses = not pair.wording and says_no_answer(pair.sql)
    return with_difficulty(replace(pair, wording="unanswerable") if refuses else pair)
