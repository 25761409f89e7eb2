"""What a person says beside a database: decisions on the drafts drawn from it, and pairs of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from forge_lib.data.items import normalize
from forge_lib.data.readers import fault, records
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.gate import Finding, check_pairs, keep
from forge_lib.tasks.sql.pairs import Pair, as_brought
from forge_lib.tasks.sql.review import VERDICTS, Decision

# A program must say every value and nothing twice; a person may write "German customers", and ask again in other words.
_FREE = {"asks for its literals", "not nearly a duplicate", "no personal data"}
_ENDING = ".review.jsonl"
_SHOWN = 3  # refused pairs that are named


def review_file(file: Path) -> Path:
    """Where the review of a database lies: `shop.review.jsonl` of `shop.sqlite`, not necessarily there."""
    return file.with_name(file.stem + _ENDING)


@dataclass(frozen=True)
class PersonsReview:
    """A review as it was read. decisions: by a draft's id, the last counts; pairs: question and SQL, by their words."""

    name: str
    decisions: dict[str, Decision]
    pairs: dict[str, tuple[str, str]]

    def applied(
        self, data: DataSet, drafts: Sequence[Pair], sound: Sequence[Pair]
    ) -> tuple[list[Pair], list[Pair], list[str]]:
        """(drafts that nobody decided on, pairs that a person wrote or read, what to tell the owner).

        drafts: all that were drawn from `data`; sound: those of them that passed the gate. What a person says passes the
        gate too, but for the rules in FREE.
        """
        if not self.decisions and not self.pairs:
            return list(sound), [], []
        known = {p.id: p for p in drafts}
        here = {ident: d for ident, d in self.decisions.items() if ident in known}
        [db_id] = {p.db_id for p in drafts}
        theirs = [_decided(known[ident], d) for ident, d in here.items() if d.verdict != "reject"]
        theirs += [
            as_brought(Pair(f"{db_id}-own-{n:03d}", db_id, *pair, provenance="written by its reader"))
            for n, pair in enumerate(self.pairs.values(), 1)
        ]
        refused = [f for f in check_pairs(data, theirs) if f.rule not in _FREE]
        taken = keep(theirs, refused)
        return [p for p in sound if p.id not in here], taken, self._notes(here, taken, refused)

    def _notes(self, here: dict[str, Decision], taken: Sequence[Pair], refused: Sequence[Finding]) -> list[str]:
        rejected = sum(d.verdict == "reject" for d in here.values())
        notes = [f"{self.name}: {len(taken)} pairs that a person wrote or read; {rejected} drafts rejected."]
        if foreign := len(self.decisions) - len(here):
            notes.append(f"{foreign} of its decisions are on drafts that the database as it is now does not give.")
        if refused:
            shown = "; ".join(f"{f.pair}: {f.rule} ({f.detail})" for f in refused[:_SHOWN])
            notes.append(f"The gate left out {len({f.pair for f in refused})} of its pairs: {shown}.")
        return notes


def read_review(path: Path) -> PersonsReview:
    """The review in a file of JSON lines; an empty one where there is no file.

    A line is a decision as notebook 10 saves it (`id`, `verdict`: accept, fix or reject; with fix a new `question` or
    `sql`), or a pair (`question`, `sql`), with a verdict and a `db_id` as thumbs in the demo leave them, or without; those
    of another database are passed over. Raises DataError with the line of one that is neither.
    """
    decisions: dict[str, Decision] = {}
    pairs: dict[str, tuple[str, str]] = {}
    for line, record in records(path) if path.exists() else ():
        ident, verdict, question, sql = (str(record.get(k) or "").strip() for k in ("id", "verdict", "question", "sql"))
        if verdict and verdict not in VERDICTS:
            raise fault(path, line, f"the verdict is '{verdict[:40]}', not one of {', '.join(VERDICTS)}")
        brings_its_pair = bool(record.get("db_id") and question and sql)
        if brings_its_pair and record["db_id"] != path.name.removesuffix(_ENDING):
            continue
        if ident and verdict and not brings_its_pair:
            decisions[ident] = Decision(ident, verdict, question, sql)
        elif question and sql:
            pairs[normalize(question)] = question, sql
            if verdict == "reject":
                del pairs[normalize(question)]
        else:
            raise fault(path, line, "this is no decision (id, verdict) and no pair (question, sql)")
    return PersonsReview(path.name, decisions, pairs)


def _decided(draft: Pair, decision: Decision) -> Pair:
    did = "fixed" if decision.verdict == "fix" else "accepted"
    changed = replace(
        draft, question=decision.question or draft.question, sql=decision.sql or draft.sql,
        provenance=f"{draft.provenance}; {did} in review",
    )  # fmt: skip
    return as_brought(changed)
