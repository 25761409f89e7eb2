"""A schema as a picture: tables as boxes, foreign keys as lines, in SVG that asks nobody for anything."""

from __future__ import annotations

import html
import unicodedata
from dataclasses import dataclass

from forge_lib.tasks.sql.schema import Schema, Table, fold

_MAX_TABLES, _MAX_COLUMNS = 40, 14  # that are drawn; what is left out is counted
_MAX_NAME = 24  # characters of a name; the whole of it is shown when it is pointed at
_LINE, _PAD, _CHARACTER = 18, 10, 7.3  # px: a row, a margin, the width of a letter at 12 px
_GAP_X, _GAP_Y, _ROWS_A_STACK = 44, 18, 32  # px, px, and how long a stack of boxes gets
_STYLE = (
    "text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:var(--body-text-color,#222)}"
    ".name{font-weight:700}.type{fill-opacity:.6}"
    ".box{fill:var(--block-background-fill,#fff);stroke:var(--border-color-primary,#ccc)}"
    ".head{fill:var(--background-fill-secondary,#f3f3f3)}"
    ".link{fill:none;stroke:#0072B2;stroke-width:1.5}.end{fill:#0072B2}"
)


@dataclass(frozen=True)
class _Box:
    """One table in the picture: its place and size (px), and the columns that are shown."""

    table: Table
    x: float
    y: float
    width: float
    rows: tuple[str, ...]

    @property
    def height(self) -> float:
        return _LINE * (len(self.rows) + 1 + (len(self.rows) < len(self.table.columns))) + _PAD

    def row_y(self, column: str) -> float:
        """The middle of a column's row; of the last row where the column is not shown."""
        names = [fold(c) for c in self.rows]
        at = names.index(fold(column)) if fold(column) in names else len(names)
        return self.y + _LINE * (at + 1.5) + _PAD / 2


def schema_svg(schema: Schema) -> str:
    """The diagram of a schema as one `<svg>`, in its natural size: who shows it lets it scroll.

    Tables that others refer to stand right of those that refer to them; primary keys are marked with a key. Names are
    escaped, whatever they hold.
    """
    boxes = _placed(schema.tables[:_MAX_TABLES])
    by_name = {fold(b.table.name): b for b in boxes}
    links = [
        _link(box, key.column, by_name[fold(key.table)], key.target)
        for box in boxes
        for key in box.table.foreign_keys
        if fold(key.table) in by_name
    ]
    width = max((b.x + b.width for b in boxes), default=0) + _GAP_X / 2
    height = max((b.y + b.height for b in boxes), default=0) + _PAD
    left_out = len(schema.tables) - len(boxes)
    if left_out:
        height += _LINE
    note = f'<text x="{_PAD}" y="{height - _PAD}" class="type">and {left_out} more tables</text>' if left_out else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{html.escape(_summary(schema))}" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">'
        f"<style>{_STYLE}</style>{''.join(map(_drawn, boxes))}{''.join(links)}{note}</svg>"
    )


def _summary(schema: Schema) -> str:
    keys = sum(len(t.foreign_keys) for t in schema.tables)
    return f"{len(schema.tables)} tables, {keys} foreign keys: {', '.join(t.name for t in schema.tables)}"


def _placed(tables: tuple[Table, ...]) -> list[_Box]:
    """Boxes in stacks: a table stands right of those that refer to it, and a stack that gets too long goes on beside."""
    boxes, x = [], float(_PAD)
    level = _levels(tables)
    for depth in sorted(set(level.values())):
        stack = [t for t in tables if level[fold(t.name)] == depth]
        while stack:
            y, rows, widest = float(_PAD), 0, 0.0
            while stack and (rows == 0 or rows + min(len(stack[0].columns), _MAX_COLUMNS) <= _ROWS_A_STACK):
                table = stack.pop(0)
                box = _Box(table, x, y, _box_width(table), table.columns[:_MAX_COLUMNS])
                boxes.append(box)
                y, rows, widest = y + box.height + _GAP_Y, rows + len(box.rows) + 2, max(widest, box.width)
            x += widest + _GAP_X
    return boxes


def _levels(tables: tuple[Table, ...]) -> dict[str, int]:
    """How far right each table stands, by its folded name: one more than the furthest that refers to it."""
    level = {fold(t.name): 0 for t in tables}
    for _ in tables:  # each pass settles one more level; tables in a circle stop with the passes
        changed = False
        for table in tables:
            here = fold(table.name)
            for other in {fold(k.table) for k in table.foreign_keys} & level.keys() - {here}:
                if level[other] <= level[here] < len(tables) - 1:
                    level[other], changed = level[here] + 1, True
        if not changed:
            break
    return level


def _drawn(box: _Box) -> str:
    keys, foreign = {fold(c) for c in box.table.primary_key}, {fold(k.column) for k in box.table.foreign_keys}
    types = dict(zip(box.table.columns, box.table.types, strict=True))
    lines = [_text(box, 0, box.table.name, "name")]
    for at, column in enumerate(box.rows, 1):
        mark = "⚷ " if fold(column) in keys else "→ " if fold(column) in foreign else ""
        lines.append(_text(box, at, column, "column", mark))
        kind = _short(types[column].lower(), 10)
        lines.append(
            f'<text x="{box.x + box.width - _PAD:.0f}" y="{_baseline(box, at):.0f}" class="type" text-anchor="end">'
            f"{html.escape(kind)}</text>"
        )
    hidden = len(box.table.columns) - len(box.rows)
    if hidden:
        lines.append(_text(box, len(box.rows) + 1, f"… {hidden} more", "type"))
    frame = f'x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" rx="4"'
    return (
        f'<g><rect {frame} height="{box.height:.0f}" class="box"/><rect {frame} height="{_LINE + _PAD / 2:.0f}" class="head"/>'
        f"{''.join(lines)}</g>"
    )


def _text(box: _Box, at: int, name: str, kind: str, mark: str = "") -> str:
    shown = _short(name, _MAX_NAME)
    whole = f"<title>{html.escape(name)}</title>" if shown != name else ""
    place = f'x="{box.x + _PAD:.0f}" y="{_baseline(box, at):.0f}"'
    return f'<text {place} class="{kind}">{mark}{html.escape(shown)}{whole}</text>'


def _baseline(box: _Box, at: int) -> float:
    return box.y + _LINE * at + _LINE * 0.75 + (_PAD / 2 if at else _PAD / 4)


def _link(box: _Box, column: str, other: _Box, target: str) -> str:
    """A curve from a column to what it refers to, with a dot at that end."""
    start, end = box.row_y(column), other.row_y(target)
    to_the_right = other.x > box.x
    x1 = box.x + box.width
    x2 = other.x if to_the_right else other.x + other.width
    bend = _GAP_X / 2
    curve = f"M{x1:.0f} {start:.0f} C{x1 + bend:.0f} {start:.0f} {x2 + (-bend if to_the_right else bend):.0f} {end:.0f} {x2:.0f} {end:.0f}"
    title = html.escape(f"{box.table.name}.{column} → {other.table.name}.{target}")
    return f'<path d="{curve}" class="link"><title>{title}</title></path><circle cx="{x2:.0f}" cy="{end:.0f}" r="3" class="end"/>'


def _box_width(table: Table) -> float:
    shown = zip(table.columns[:_MAX_COLUMNS], table.types, strict=False)
    rows = [_letters(_short(c, _MAX_NAME)) + 3 + len(_short(t, 10)) for c, t in shown]
    return _CHARACTER * max([_letters(_short(table.name, _MAX_NAME)) * 1.05, *rows]) + 2 * _PAD


def _short(name: str, limit: int) -> str:
    """A name on one line, cut where it is long."""
    flat = " ".join(name.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def _letters(text: str) -> int:
    """How many letters wide a text is in a monospaced font: Chinese, Japanese and Korean signs are two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
