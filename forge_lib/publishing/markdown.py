"""Values as Markdown: text in which nothing is a mark, code, and tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MARKS = re.compile(
    r"[\\`*_<>|~$]"  # wherever they stand
    r"|\](?=[(\[:])|&(?=#?\w+;)"  # links, characters by name
    r"|^#(?=#*(?:\s|$))|^[+-](?=[\s-]|$)|^=(?==*$)|(?<=^\d)[.)](?=\s|$)|(?<=^\d\d)[.)](?=\s|$)"  # headings, lists, rules
)
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+"
)  # and what turns the line round


class Marked(str):
    """Markdown as it is, where another string would be escaped."""


def escape(value: object) -> str:
    r"""`value` as one line of Markdown that shows just what it says; `Marked` stays as it is.

    >>> print(escape("a_b <c>\n$1 | [x](y) & #2"), escape(Marked("*so*")))
    a\_b \<c\> \$1 \| [x\](y) & #2 *so*
    """
    return value if isinstance(value, Marked) else _MARKS.sub(lambda m: f"\\{m[0]}", one_line(value))


def one_line(value: object) -> str:
    """`value` as text without line ends, control characters and halves of surrogate pairs."""
    return _UNSEEN.sub(" ", str(value).encode("utf-8", "replace").decode())


def code(value: object) -> Marked:
    """`value` as code within a line, whatever ticks it has.

    >>> print(code("a`b"), code("x"))
    `` a`b `` `x`
    """
    text = one_line(value).strip() or " "
    ticks = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return Marked(f"{ticks} {text} {ticks}" if "`" in text else f"`{text}`")


def block(lines: Sequence[object]) -> Marked:
    """Lines of code, each cleaned as `one_line` does, between fences that none of them closes."""
    text = "\n".join(map(one_line, lines))
    ticks = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return Marked(f"{ticks}\n{text}\n{ticks}")


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> Marked:
    """A table; columns of numbers stand to the right. Cells are escaped unless they are `Marked`.

    >>> print(table(["name", "%"], [["a|b", 1.5]]))
    | name | % |
    |:---|---:|
    | a\\|b | 1.5 |
    """
    shown = [[_cell(cell) for cell in row] for row in rows]
    sides = [
        "---:" if at and all(re.match(r"[-+−]?[\d.]|–?$", row[at]) for row in shown) else ":---"
        for at in range(len(head))
    ]
    lines = ["| " + " | ".join(map(_cell, head)) + " |", "|" + "|".join(sides) + "|"]
    return Marked("\n".join([*lines, *("| " + " | ".join(row) + " |" for row in shown)]))


def _cell(value: object) -> str:
    """A bar ends a cell of GitHub's tables, in code too."""
    return re.sub(r"(?<!\\)\|", r"\|", escape(value)).strip()
