"""Two contenders' answers to the same items side by side, as a page that a notebook shows and GitHub keeps."""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from forge_lib.lab.figures import COLOURS
from forge_lib.tasks import TaskData

_CHANGES = ("gained", "lost", "both right", "both wrong")
_ROWS, _CELL = 4, 40  # of a result that is shown: rows, and characters of a value
# GitHub drops styles and scripts and keeps these tags, so a change is told without a colour too.
_MARKS = {"-": ("del", f"color:{COLOURS[1]}"), "+": ("ins", f"color:{COLOURS[0]};font-weight:bold")}


@dataclass(frozen=True)
class Browser:
    """Items with both records; notebooks show it as HTML, others as Markdown.

    items: (first contender's record, second's), of one item each; data: runs what they answered; golds: right answers by id
    shown: items on a page
    """

    items: tuple[tuple[dict, dict], ...]
    data: TaskData
    golds: dict[str, str] = field(repr=False)
    shown: int = 10

    def where(
        self, change: str = "", verdict: str = "", difficulty: str = "", context: str = "", text: str = ""
    ) -> Browser:
        """Only the items that are so; "" takes any.

        change: "gained", "lost", "both right" or "both wrong"; verdict: of either; difficulty, context: of the item;
        text: a part of its question, in any case.
        Raises ValueError for a change that is none.
        """
        if change and change not in _CHANGES:
            raise ValueError(f"There is no change '{change}'. Choose one of: {', '.join(_CHANGES)}.")
        kept = [
            (a, b) for a, b in self.items
            if change in ("", _change_of(a, b)) and (not verdict or verdict in (a["verdict"], b["verdict"]))
            and difficulty in ("", a.get("difficulty", "")) and context in ("", a["context"])
            and text.lower() in a["question"].lower()
        ]  # fmt: skip
        return Browser(tuple(kept), self.data, self.golds, self.shown)

    def _repr_html_(self) -> str:
        left = len(self.items) - self.shown
        more = f"<p>{left} more: narrow them down with <code>where</code>.</p>" if left > 0 else ""
        return (
            f"<p>{html.escape(self._head())}</p>{''.join(self._item(*pair) for pair in self.items[: self.shown])}{more}"
        )

    def _repr_markdown_(self) -> str:
        """A table without results, for viewers that show no HTML."""
        lines = ["| change | difficulty | context | question | first | second |", "|---|---|---|---|---|---|"]
        for a, b in self.items[: self.shown]:
            cells = (
                _change_of(a, b),
                a.get("difficulty", ""),
                a["context"],
                a["question"],
                a["predicted"],
                b["predicted"],
            )
            lines.append(f"| {' | '.join(map(_markdown, cells))} |")
        return "\n".join([_markdown(self._head()), "", *lines])

    def __repr__(self) -> str:
        return self._head()

    def _head(self) -> str:
        counts = {change: sum(_change_of(a, b) == change for a, b in self.items) for change in _CHANGES}
        said = ", ".join(f"{number} {change}" for change, number in counts.items())
        names = (
            f"{self.items[0][0]['contender']} (first) and {self.items[0][1]['contender']} (second)"
            if self.items
            else ""
        )
        return f"{names or 'No item'}: {said}."

    def _item(self, first: dict, second: dict) -> str:
        gold = self.golds.get(first["id"], "")
        facts = " · ".join(filter(None, (_change_of(first, second), first.get("difficulty"), first["context"])))
        rows = "".join(
            f"<tr><td>{html.escape(who)}</td><td>{html.escape(verdict)}</td><td><code>{sql}</code></td><td>{result}</td></tr>"
            for who, verdict, sql, result in (
                ("right", "", html.escape(gold), self._result(first, gold)),
                *((r["contender"], r["verdict"], _diff_html(gold, r["predicted"]), self._result(r, r["predicted"]))
                  for r in (first, second)),
            )
        )  # fmt: skip
        return (
            f"<details open><summary><b>{html.escape(first['question'])}</b> ({html.escape(facts)})</summary>"
            f"<table><tr><th></th><th>verdict</th><th>answer, against the right one</th><th>what it finds</th></tr>{rows}"
            "</table></details>"
        )

    def _result(self, record: dict, answer: str) -> str:
        columns, rows, note = self.data.outcome(record["context"], answer)
        if not columns:
            return html.escape(note)
        head = "".join(f"<th>{html.escape(_cut(c))}</th>" for c in columns)
        body = "".join(f"<tr>{''.join(f'<td>{html.escape(_cut(v))}</td>' for v in row)}</tr>" for row in rows[:_ROWS])
        left = len(rows) - _ROWS
        more = f"<br>{left} more rows" if left > 0 else ""
        return f"<table><tr>{head}</tr>{body}</table>{more}{html.escape(note)}"

    def explore(self):
        """Menus above the items, in a notebook that runs and where ipywidgets is installed; otherwise the page itself."""
        try:
            import ipywidgets
        except ModuleNotFoundError:
            return self
        page = ipywidgets.HTML(self._repr_html_())
        verdicts = {r["verdict"] for pair in self.items for r in pair}
        menus = {
            "change": _CHANGES, "verdict": sorted(verdicts), "difficulty": self._values("difficulty"), "context": self._values("context"),
        }  # fmt: skip
        controls = {name: ipywidgets.Dropdown(options=[("any", ""), *((v, v) for v in values)], description=name)
                    for name, values in menus.items()}  # fmt: skip
        controls["text"] = ipywidgets.Text(description="question")

        def change(_) -> None:
            page.value = self.where(**{name: control.value for name, control in controls.items()})._repr_html_()

        for control in controls.values():
            control.observe(change, names="value")
        return ipywidgets.VBox([*controls.values(), page])

    def _values(self, field: str) -> list[str]:
        return sorted({a[field] for a, _ in self.items if a.get(field)})


def browse(first: Sequence[dict], second: Sequence[dict], data: TaskData, shown: int = 10) -> Browser:
    """The items that two contenders answered, what changed first; records are those of `evaluate`, or a file of them.

    Raises ValueError when there is no item that both answered.
    """
    others = {r["id"]: r for r in second}
    items = [(r, others[r["id"]]) for r in first if r["id"] in others and "verdict" in r]
    if not items:
        raise ValueError("There is no item that both contenders answered.")
    golds = {item.id: item.answer for _, part in data.splits() for item in part}
    return Browser(tuple(sorted(items, key=lambda pair: _CHANGES.index(_change_of(*pair)))), data, golds, shown)


def _change_of(first: dict, second: dict) -> str:
    """One of `_CHANGES`: what became of an item from the first contender to the second."""
    if first["correct"] == second["correct"]:
        return "both right" if first["correct"] else "both wrong"
    return "gained" if second["correct"] else "lost"


def _diff_html(wanted: str, got: str) -> str:
    """`got` word by word as HTML: what it has beside `wanted` is inserted (+), what it lacks deleted (-).

    >>> _diff_html("SELECT a FROM t", "SELECT b FROM t").replace(' style="color:#D55E00"', "").partition("</del>")[0]
    'SELECT <del>a'
    """
    one, other = (re.findall(r"\w+|\s+|[^\w\s]", text) for text in (wanted, got))
    found = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(html.escape("".join(other[c:d])))
            continue
        found += [_marked(sign, "".join(part)) for sign, part in (("-", one[a:b]), ("+", other[c:d])) if part]
    return "".join(found)


def _marked(sign: str, text: str) -> str:
    tag, style = _MARKS[sign]
    return f'<{tag} style="{style}">{html.escape(text)}</{tag}>'


def _cut(value: object) -> str:
    text = "NULL" if value is None else str(value)
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"


def _markdown(text: object) -> str:
    """Text that means itself in a cell of a Markdown table: no mark-up, no HTML, one line."""
    escaped = html.escape(" ".join(str(text).split()), quote=False)
    return re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", escaped)
