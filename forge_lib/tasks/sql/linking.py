"""Prompts for schemas that are too long: the tables and columns that the questions seem to need, and no others.

No model: names are compared with the words of the question, which takes milliseconds and needs no labels.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from forge_lib.tasks.sql.ranking import Index, SchemaItem, columns_holding, index_schema, named_values, rank
from forge_lib.tasks.sql.schema import Schema, fold, render_schema

_CUTS = 7  # trials of where to cut; each halves the tokens left unused


@dataclass(frozen=True)
class Trimmed:
    """A schema, and what is missing in it: tables, and columns of its tables as "table.column"."""

    schema: Schema
    tables_left_out: tuple[str, ...] = ()
    columns_left_out: tuple[str, ...] = ()


def trim_schema(
    schema: Schema, questions: Sequence[str], budget: int, count: Callable[[str], int], keep: Collection[str] = (),
    path: Path | None = None,
) -> Trimmed:  # fmt: skip
    """The part of `schema` that `questions` need most, rendered in at most `budget` tokens as `count` counts them.

    A schema that fits comes back as it is. Otherwise columns come in best first, each question in turn, and bring
    their table's primary key and the foreign keys that join it to tables already there; one table comes in always.
    keep: lower-case names of tables and columns that stay, beyond the budget if need be (in training, those of the gold SQL)
    path: the SQLite file, in which quoted and capitalised words of the questions are looked up

    >>> from forge_lib.tasks.sql.schema import Table
    >>> tables = [Table(n, ("id", "name"), ("INTEGER", "TEXT"), ("id",), ()) for n in ("singer", "stadium", "country")]
    >>> trim_schema(Schema("music", tuple(tables)), ["Names of all singers"], 20, len).tables_left_out
    ('stadium', 'country')
    """
    full = render_schema(schema)
    length = count(full)
    if length <= budget:
        return Trimmed(schema)
    index = index_schema(schema)
    held = [columns_holding(path, schema, named_values(q)) if path else () for q in questions]
    turns = itertools.zip_longest(*(rank(index, *asked) for asked in zip(questions, held, strict=True)))
    order = list(dict.fromkeys(item for turn in turns for item in turn if item)) or index.items
    forced = _kept(index, keep) or order[:1]
    # How many characters take `budget` tokens differs from name to name, so it is tried out.
    trimmed, low, high = _view(schema, _fill(index, forced, order, 0)), 0.0, 2 * budget * len(full) / length
    for _ in range(_CUTS):
        view = _view(schema, _fill(index, forced, order, (low + high) / 2))
        if count(render_schema(view.schema)) <= budget:
            trimmed, low = view, (low + high) / 2
        else:
            high = (low + high) / 2
    return trimmed


def fit_to(tokenizer, budget: int) -> Callable[..., Trimmed]:
    """`trim_schema` to `budget` tokens of `tokenizer`: what the field `fit` of a data set takes."""

    @functools.lru_cache(maxsize=256)
    def count(text: str) -> int:
        return len(tokenizer(text, add_special_tokens=False)["input_ids"])

    return functools.partial(trim_schema, budget=budget, count=count)


def _kept(index: Index, keep: Collection[str]) -> list[SchemaItem]:
    """Tables named in `keep` and their columns named there; columns of any table where it names no table."""
    keep = set(keep)
    tables = [name for name in index.tables if name.lower() in keep]
    return [(t, "") for t in tables] + [
        (t, c) for t, c in index.items if c.lower() in keep and (t in tables or not tables)
    ]


def _fill(index: Index, forced: list[SchemaItem], order: list[SchemaItem], room: float) -> set[SchemaItem]:
    """Everything `forced`, then what of `order` still goes into `room` characters, with the keys it brings."""
    shown: set[SchemaItem] = set()
    for number, (name, column) in enumerate(itertools.chain(forced, order)):
        new = {(name, ""), (name, column)}
        if (name, "") not in shown:
            table = index.tables[name]
            new |= {(name, fold(c)) for c in table.primary_key or table.columns[:1]}
            for own, other, target in index.links[name]:
                if other == name or (other, "") in shown:
                    new |= {(name, own), (other, target)}
        new -= shown
        size = sum(len(c or t) + 3 for t, c in new)
        if number < len(forced) or size <= room:
            shown |= new
            room -= size if number >= len(forced) else 0
    return shown


def _view(schema: Schema, shown: set[SchemaItem]) -> Trimmed:
    tables, left_out = [], []
    for table in schema.tables:
        name = fold(table.name)
        if (name, "") in shown:
            columns = {c: t for c, t in zip(table.columns, table.types, strict=True) if (name, fold(c)) in shown}
            ends = [{(name, fold(k.column)), (fold(k.table), fold(k.target))} for k in table.foreign_keys]
            keys = tuple(k for k, pair in zip(table.foreign_keys, ends, strict=True) if pair <= shown)
            tables.append(replace(table, columns=tuple(columns), types=tuple(columns.values()), foreign_keys=keys))
            left_out += [f"{table.name}.{c}" for c in table.columns if c not in columns]
    gone = tuple(t.name for t in schema.tables if (fold(t.name), "") not in shown)
    return Trimmed(Schema(schema.db_id, tuple(tables)), gone, tuple(left_out))
