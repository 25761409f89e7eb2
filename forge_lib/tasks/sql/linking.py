"""Prompts for schemas that are too long: the tables and columns that the questions seem to need, and no others.

No model: names are compared with the words of the question, which takes milliseconds and needs no labels.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import JaroWinkler
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from forge_lib.tasks.sql.schema import Schema, Table, render_schema, words
from forge_lib.tasks.sql.values import Item, columns_holding, named_values

# Chosen on the 15 widest databases of Spider's training part, at a half and a quarter of the schema's length.
SAME_WORD = 0.85  # Jaro-Winkler similarity (0..1) from which two words may be one, inflected or misspelt
TABLE_WEIGHT = 1.5  # what a match of the table's name adds to a column; a match of its own name adds 1
FROM_COLUMN, FROM_NEIGHBOUR = 0.5, 0.5  # what a table counts of its best column, and a joined table of that sum
VALUE_BONUS = 0.5  # for a column that holds a value named in the question
WELL_MATCHING = 4  # the best tables of a question, between which join paths come in
CUTS = 7  # trials of where to cut; each halves the tokens left unused


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
    keep: lower-case identifiers that stay, beyond the budget if need be (in training, those of the gold SQL)
    path: the SQLite file, in which quoted and capitalised words of the questions are looked up

    >>> tables = [Table(n, ("id", "name"), ("INTEGER", "TEXT"), ("id",), ()) for n in ("singer", "stadium", "country")]
    >>> trim_schema(Schema("music", tuple(tables)), ["Names of all singers"], 20, len).tables_left_out
    ('stadium', 'country')
    """
    if count(render_schema(schema)) <= budget:
        return Trimmed(schema)
    index = _index(schema)
    held = [columns_holding(path, schema, named_values(q)) if path else () for q in questions]
    turns = itertools.zip_longest(*(_rank(index, *asked) for asked in zip(questions, held, strict=True)))
    order = list(dict.fromkeys(item for turn in turns for item in turn if item)) or index.items
    forced = _kept(index, keep) or order[:1]
    trimmed, low, high = _view(schema, _fill(index, forced, order, 0)), 0.0, float(len(render_schema(schema)))
    for _ in range(CUTS):  # how many characters take `budget` tokens is known only by trying
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


@dataclass(frozen=True)
class _Index:
    """A schema prepared for ranking: W distinct words, C columns, T tables. An Item ("loans", "") is a table."""

    tables: dict[str, Table]  # by lower-case name
    items: list[Item]  # (C,)
    owner: np.ndarray  # (C,) the number of a column's table
    vocabulary: list[str]  # (W,)
    column_weights: csr_array  # (C, W)
    table_weights: csr_array  # (T, W)
    links: dict[str, list[tuple[str, str, str]]]  # table -> (its column, other table, that one's column), both ways
    joined: np.ndarray  # (T, T) 1 where a foreign key joins two tables
    before: np.ndarray  # (T, T) the last table but one on the shortest join path from row to column


@functools.lru_cache(maxsize=32)
def _index(schema: Schema) -> _Index:
    tables = {t.name.lower(): t for t in schema.tables}
    place = {name: n for n, name in enumerate(tables)}
    items = {(name, c.lower()): c for name, t in tables.items() for c in t.columns}
    links, joined = {name: [] for name in tables}, np.zeros((len(tables), len(tables)))
    for name, key in ((name, k) for name, t in tables.items() for k in t.foreign_keys):
        own, other, target = key.column.lower(), key.table.lower(), key.target.lower()
        if (other, target) in items:
            links[name].append((own, other, target))
            links[other].append((target, name, own))
            joined[place[name], place[other]] = joined[place[other], place[name]] = other != name
    columns, names = [_split(words(c)) for c in items.values()], [_split(words(t.name)) for t in tables.values()]
    vocabulary = sorted(set(itertools.chain(*columns, *names)))
    weights = [_weights(split, vocabulary) for split in (columns, names)]
    before = shortest_path(joined, directed=False, unweighted=True, return_predecessors=True)[1]
    return _Index(
        tables, list(items), np.array([place[t] for t, _ in items]), vocabulary, *weights, links, joined, before
    )


def _split(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|\d+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).lower())


def _weights(names: list[list[str]], vocabulary: list[str]) -> csr_array:
    """(names, W): each word's share of its name, by inverse document frequency: "id" says little, "salary" much."""
    held = np.array([[word in split for word in vocabulary] for split in names], dtype=float)
    weights = held * (1 + np.log((1 + len(names)) / (1 + held.sum(0))))
    return csr_array(weights / np.maximum(weights.sum(1, keepdims=True), 1e-9))


def _rank(index: _Index, question: str, held: Collection[Item]) -> list[Item]:
    """Every column, best first; before a well-matching table's first one, the tables that join it to better ones."""
    asked = [w for w in _split(question) if len(w) > 3 or w in index.vocabulary]  # "the" resembles too much
    alike = process.cdist(index.vocabulary, asked or [""], scorer=JaroWinkler.normalized_similarity).max(1)  # (W,)
    alike = np.where(alike >= SAME_WORD, alike, 0)
    column = index.column_weights @ alike + [VALUE_BONUS * (item in held) for item in index.items]
    table, best = index.table_weights @ alike, np.zeros(len(index.tables))
    np.maximum.at(best, index.owner, column)
    table += FROM_NEIGHBOUR * (index.joined * (table + FROM_COLUMN * best)).max(1)
    order = np.argsort(-(column + TABLE_WEIGHT * table[index.owner]), kind="stable")
    top = list(dict.fromkeys(index.owner[order].tolist()))[:WELL_MATCHING]
    names, ranked = list(index.tables), []
    for n in order:
        owner = index.owner[n]
        for step in top[: top.index(owner)] if owner in top else ():
            while index.before[owner, step] not in (owner, -9999):  # -9999: no path
                step = index.before[owner, step]
                ranked.append((names[step], ""))
        ranked.append(index.items[n])
    return ranked


def _kept(index: _Index, keep: Collection[str]) -> list[Item]:
    """Tables named in `keep` and their columns named there; columns of any table where it names no table.

    A name that SQL must quote ("home town") is named by its words, since whoever reads identifiers may have cut it.
    """
    named = {
        n for pair in index.items for n in pair if n in keep or (" " in n and {*re.findall(r"[a-z_]\w*", n)} <= {*keep})
    }
    tables = [name for name in index.tables if name in named]
    return [(t, "") for t in tables] + [(t, c) for t, c in index.items if c in named and (t in tables or not tables)]


def _fill(index: _Index, forced: list[Item], order: list[Item], room: float) -> set[Item]:
    """Everything `forced`, then what of `order` still goes into `room` characters, with the keys it brings."""
    shown: set[Item] = set()
    for number, (name, column) in enumerate(itertools.chain(forced, order)):
        new = {(name, ""), (name, column)}
        if (name, "") not in shown:
            table = index.tables[name]
            new |= {(name, c.lower()) for c in table.primary_key or table.columns[:1]}
            for own, other, target in index.links[name]:
                if other == name or (other, "") in shown:
                    new |= {(name, own), (other, target)}
        new -= shown
        size = sum(len(c or t) + 3 for t, c in new)
        if number < len(forced) or size <= room:
            shown |= new
            room -= size if number >= len(forced) else 0
    return shown


def _view(schema: Schema, shown: set[Item]) -> Trimmed:
    tables, left_out = [], []
    for table in schema.tables:
        name = table.name.lower()
        if (name, "") in shown:
            columns = {c: t for c, t in zip(table.columns, table.types, strict=True) if (name, c.lower()) in shown}
            ends = [{(name, k.column.lower()), (k.table.lower(), k.target.lower())} for k in table.foreign_keys]
            keys = tuple(k for k, pair in zip(table.foreign_keys, ends, strict=True) if pair <= shown)
            tables.append(replace(table, columns=tuple(columns), types=tuple(columns.values()), foreign_keys=keys))
            left_out += [f"{table.name}.{c}" for c in table.columns if c not in columns]
    gone = tuple(t.name for t in schema.tables if (t.name.lower(), "") not in shown)
    return Trimmed(Schema(schema.db_id, tuple(tables)), gone, tuple(left_out))
