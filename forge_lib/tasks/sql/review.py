"""A person reads every pair: decisions saved one by one, from a widget in the notebook or from a file.

A decision is "accept", "reject", or "fix" with a new question, a new query or both. Fixed pairs pass the gate's rules
before they are taken, so that no review brings in what the gate would have thrown out.
"""

from __future__ import annotations

import hashlib
import html
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from forge_lib.data.items import DataError
from forge_lib.data.readers import fault, records
from forge_lib.lab.jsonl import append_jsonl, cut_torn_tail
from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.gate import check_pair
from forge_lib.tasks.sql.pairs import Pair, as_brought
from forge_lib.tasks.sql.sandbox import shared_sandbox

VERDICTS = ("accept", "fix", "reject")
_BATCH = 50  # pairs in one sitting; attention fades after that
_ROWS = 5
_ASKED = "asked-"  # how the id of a pair begins that a person asked for in the demo
_APPENDING = threading.Lock()  # of one page's threads and another's


@dataclass(frozen=True)
class Decision:
    """What a reviewer said of one pair. question and sql are empty where they stay as they are.

    db_id: set where the pair was asked in the demo, on the database of that name: such a decision brings its pair along
    """

    id: str
    verdict: str
    question: str = ""
    sql: str = ""
    db_id: str = ""


class Review:
    """Pairs under review and the JSONL file that keeps the decisions.

    `pending` are the pairs not yet decided, `reviewed` those taken so far. Opening the same file again goes on where it
    stopped; the last decision on a pair counts. Pairs that were asked in the demo (see `note_asked`) join the others
    where `data` has their database, and wait in the file where it has not.
    """

    def __init__(self, data: DataSet, pairs: Sequence[Pair], path: Path | str):
        self.data, self.pairs, self.path = data, {p.id: p for p in pairs}, Path(path)
        said = read_decisions(self.path) if self.path.exists() else []
        asked = {d.id: d for d in said if d.db_id}
        here = {i: _asked_pair(d) for i, d in asked.items() if data.database(d.db_id).exists()}
        self.pairs |= here
        self.decisions = {d.id: d for d in said if d.id in here or d.id not in asked}
        foreign = self.decisions.keys() - self.pairs.keys()
        if foreign:
            raise DataError(
                f"{self.path.name} decides on '{min(foreign)}', which is not among the {len(self.pairs)} pairs under review. "
                "The pairs were drawn anew since; review these into another file."
            )

    @property
    def pending(self) -> list[Pair]:
        return [p for p in self.pairs.values() if p.id not in self.decisions]

    @property
    def reviewed(self) -> list[Pair]:
        """Accepted and fixed pairs, in the order they came; provenance tells what the reviewer did."""
        taken = []
        for pair in self.pairs.values():
            decision = self.decisions.get(pair.id)
            if decision and decision.verdict != "reject":
                taken.append(self._changed(pair, decision))
        return taken

    def decide(self, decision: Decision) -> list[str]:
        """Save a decision at once; what the gate says against it comes back as sentences, and then nothing is saved.

        Raises DataError for an unknown pair or verdict, or a fix that changes nothing.
        """
        pair = self.pairs.get(decision.id)
        if pair is None or decision.verdict not in VERDICTS:
            raise DataError(
                f"A decision needs the id of a pair under review and one of {', '.join(VERDICTS)}; this is {decision}."
            )
        if decision.verdict != "fix" and (decision.question or decision.sql):
            raise DataError(
                f"The decision on {pair.id} brings a new text and says '{decision.verdict}'. To change a pair say 'fix'."
            )
        changed = self._changed(pair, decision)
        if decision.verdict == "fix":
            if (changed.question, changed.sql) == (pair.question, pair.sql):
                raise DataError(f"The fix of {pair.id} changes nothing. Give a new question or query, or accept it.")
            objections = [f"{f.rule}: {f.detail}" for f in check_pair(self.data, changed, shared_sandbox())]
            if objections:
                return objections
        append_jsonl(self.path, {key: value for key, value in vars(decision).items() if value})
        self.decisions[pair.id] = decision
        return []

    def apply(self, decisions: Sequence[Decision]) -> list[str]:
        """Decide without a widget; returns the gate's objections, each with the pair's id."""
        return [f"{d.id}: {objection}" for d in decisions for objection in self.decide(d)]

    def counts(self) -> dict[str, int]:
        """How many pairs were accepted, fixed, rejected, and how many are pending."""
        said = [d.verdict for d in self.decisions.values()]
        return {verdict: said.count(verdict) for verdict in VERDICTS} | {"pending": len(self.pending)}

    def _changed(self, pair: Pair, decision: Decision) -> Pair:
        did = "fixed" if decision.verdict == "fix" else "accepted"
        provenance = "; ".join(filter(None, [pair.provenance, f"{did} in review"]))
        return replace(
            pair, question=decision.question or pair.question, sql=decision.sql or pair.sql, provenance=provenance
        )


def read_decisions(path: Path | str) -> list[Decision]:
    """Decisions from JSON lines; DataError names file and line of a malformed one. A last line cut off is left out."""
    path = Path(path)
    cut_torn_tail(path)
    decisions = []
    for line, record in records(path):
        try:
            decision = Decision(**record)
        except TypeError as error:
            raise fault(path, line, f"this is no decision ({error})") from error
        if no_text := [
            name for name, value in vars(decision).items() if value is not None and not isinstance(value, str)
        ]:
            raise fault(path, line, f"the {no_text[0]} of a decision is a text, in quotes")
        if decision.verdict not in VERDICTS:
            raise fault(path, line, f"the verdict is '{decision.verdict}', not one of {', '.join(VERDICTS)}")
        decisions.append(decision)
    return decisions


def note_asked(path: Path | str, db_id: str, question: str, sql: str, right: bool) -> Decision:
    """Add to a file of decisions what a person says of the answer to a question of theirs: whole lines, at once.

    db_id: the name of the database's file without its ending. The same question and query again is the same pair.
    """
    path = Path(path)
    seen = hashlib.sha256("\0".join((db_id, question, sql)).encode("utf-8", "replace")).hexdigest()[:12]
    decision = Decision(_ASKED + seen, "accept" if right else "reject", question, sql, db_id)
    with _APPENDING:
        if path.exists():
            cut_torn_tail(path)
        append_jsonl(path, vars(decision))
    return decision


def _asked_pair(decision: Decision) -> Pair:
    pair = Pair(decision.id, decision.db_id, decision.question, decision.sql, provenance="asked in the demo")
    return as_brought(pair)


def card(data: DataSet, pair: Pair) -> dict[str, str]:
    """What a reviewer sees of a pair: question, SQL, and the first rows of its result as HTML."""
    result = shared_sandbox().run(data.database(pair.db_id), pair.sql)
    if result.status != "ok":
        rows = f"<p>{html.escape(result.status)}: {html.escape(result.error)}</p>"
    else:
        head = "".join(f"<th>{html.escape(c)}</th>" for c in result.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(v))}</td>" for v in row) + "</tr>" for row in result.rows[:_ROWS]
        )
        rows = f"<table><tr>{head}</tr>{body}</table><p>{len(result.rows)} rows</p>"
    return {"id": pair.id, "database": pair.db_id, "question": pair.question, "sql": pair.sql, "rows": rows}


_SCRIPT = """
function render({ model, el }) {
  el.innerHTML = `<div class="forge-review" tabindex="0" style="outline:none;border:1px solid #bbb;padding:12px;max-width:900px">
    <div class="head"></div><textarea class="question" rows="2" style="width:100%;font-size:1.1em"></textarea>
    <textarea class="sql" rows="3" style="width:100%;font-family:monospace"></textarea><div class="rows"></div>
    <button data-verdict="accept">accept (a)</button> <button data-verdict="fix">save the fix (Ctrl+Enter)</button>
    <button data-verdict="reject">reject (r)</button> <span>e: edit, Esc: leave the text</span><pre class="said"></pre></div>`;
  const root = el.firstElementChild, at = (name) => root.querySelector("." + name);
  const show = () => {
    const shown = model.get("shown");
    at("head").textContent = model.get("status") + (shown.id ? "   " + shown.id + " on " + shown.database : "");
    at("question").value = shown.question || ""; at("sql").value = shown.sql || "";
    at("rows").innerHTML = shown.rows || ""; at("said").textContent = "";
    root.focus();
  };
  const send = (verdict) => { if (model.get("shown").id) model.send({
    id: model.get("shown").id, verdict: verdict,
    question: verdict === "fix" ? at("question").value : "", sql: verdict === "fix" ? at("sql").value : "" }); };
  root.querySelectorAll("button").forEach((b) => b.addEventListener("click", () => send(b.dataset.verdict)));
  root.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") root.focus();
    else if (event.key === "Enter" && event.ctrlKey) send("fix");
    else if (event.target.tagName === "TEXTAREA") return;
    else if (event.key === "a") send("accept");
    else if (event.key === "r") send("reject");
    else if (event.key === "e") { event.preventDefault(); at("question").focus(); }
  });
  model.on("change:shown", show);
  model.on("change:said", () => { at("said").textContent = model.get("said"); });
  show();
}
export default { render };
"""


def review_widget(review: Review, batch: int = _BATCH):
    """The reviewing widget for up to `batch` pending pairs: keys a, r, e and Ctrl+Enter, or buttons.

    It shows question, query and rows, saves each decision at once and goes on to the next. Needs a running kernel; a
    notebook run in batch decides from a file instead (`Review.apply`).
    """
    import anywidget
    import traitlets

    class Widget(anywidget.AnyWidget):
        """One card at a time."""

        _esm = _SCRIPT
        shown = traitlets.Dict().tag(sync=True)
        status = traitlets.Unicode().tag(sync=True)
        said = traitlets.Unicode().tag(sync=True)

        def __init__(self):
            super().__init__()
            self.queue = review.pending[:batch]
            self.on_msg(lambda _, content, __: self.receive(content))
            self.advance()

        def advance(self) -> None:
            """Show the next pair, or that the batch is done."""
            left = [p for p in self.queue if p.id not in review.decisions]
            counts = ", ".join(f"{n} {what}" for what, n in review.counts().items())
            self.status = (f"{len(left)} left in this batch" if left else "Batch done") + f" ({counts})"
            self.said = ""
            self.shown = card(review.data, left[0]) if left else {}

        def receive(self, content: dict) -> None:
            """A decision from the browser."""
            pair = review.pairs[content["id"]]
            new = {
                key: content[key].strip() for key in ("question", "sql") if content[key].strip() != getattr(pair, key)
            }
            try:
                objections = review.decide(
                    Decision(content["id"], content["verdict"], **new if content["verdict"] == "fix" else {})
                )
            except DataError as error:
                objections = [str(error)]
            if objections:
                self.said = "\n".join(objections)
            else:
                self.advance()

    return Widget()
