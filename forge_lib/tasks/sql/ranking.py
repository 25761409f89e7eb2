"""Which tables and columns a question speaks of: by their names, by their neighbours, and by the values they hold.

No model: names are compared with the words of the question, which takes milliseconds and needs no labels.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import JaroWinkler
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from forge_lib.tasks.sql.opening import file_state
from forge_lib.tasks.sql.schema import Schema, Table, connect_readonly, fold, quote_name, words

# Chosen on the 15 widest databases of Spider's training part, at a half and a quarter of the schema's length.
SAME_WORD = 0.85  # Jaro-Winkler similarity (0..1) from which two words may be one, inflected or misspelt
_TABLE_WEIGHT = 1.5  # what a match of the table's name adds to a column; a match of its own name adds 1
_FROM_COLUMN, _FROM_NEIGHBOUR = 0.5, 0.5  # what a table counts of its best column, and a joined table of that sum
_VALUE_BONUS = 0.5  # for a column that holds a value named in the question
_WELL_MATCHING = 4  # the best tables of a question, between which join paths come in
_SEARCHED_ROWS = 2000  # of each table
SEARCHED_STEPS = (
    10_000_000  # of SQLite's virtual machine, for all tables together; a clock would show busy machines less
)
_OPENER = re.compile(r"^\W*(what|which|who|whose|where|when|how|list|show|find|give|return|count|the|for|in)\b", re.I)
_TEXT = re.compile("char|text|clob|^$", re.I)  # declared types of columns that may hold text

SchemaItem = tuple[str, str]  # lower-case table and column; column "" for the table itself


@dataclass(frozen=True)
class Index:
    """A schema prepared for ranking: W distinct words, C columns, T tables."""

    tables: dict[str, Table]  # by lower-case name
    items: list[SchemaItem]  # (C,)
    owner: np.ndarray  # (C,) the number of a column's table
    vocabulary: list[str]  # (W,)
    column_weights: csr_array  # (C, W)
    table_weights: csr_array  # (T, W)
    links: dict[str, list[tuple[str, str, str]]]  # table -> (its column, other table, that one's column), both ways
    joined: np.ndarray  # (T, T) 1 where a foreign key joins two tables
    before: np.ndarray  # (T, T) the last table but one on the shortest join path from row to column


@functools.lru_cache(maxsize=32)
def index_schema(schema: Schema) -> Index:
    """Prepare `schema` for `rank`; once for each, as it takes longer than the ranking."""
    tables = {fold(t.name): t for t in schema.tables}
    place = {name: n for n, name in enumerate(tables)}
    items = {(name, fold(c)): c for name, t in tables.items() for c in t.columns}
    links, joined = {name: [] for name in tables}, np.zeros((len(tables), len(tables)))
    for name, key in ((name, k) for name, t in tables.items() for k in t.foreign_keys):
        own, other, target = fold(key.column), fold(key.table), fold(key.target)
        if (other, target) in items:
            links[name].append((own, other, target))
            links[other].append((target, name, own))
            joined[place[name], place[other]] = joined[place[other], place[name]] = other != name
    columns, names = [_split(words(c)) for c in items.values()], [_split(words(t.name)) for t in tables.values()]
    vocabulary = sorted(set(itertools.chain(*columns, *names)))
    weights = [_weights(split, vocabulary) for split in (columns, names)]
    before = shortest_path(joined, directed=False, unweighted=True, return_predecessors=True)[1]
    return Index(
        tables, list(items), np.array([place[t] for t, _ in items]), vocabulary, *weights, links, joined, before
    )


def _split(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|\d+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).lower())


def _weights(names: list[list[str]], vocabulary: list[str]) -> csr_array:
    """(names, W): each word's share of its name, by inverse document frequency: "id" says little, "salary" much."""
    held = np.array([[word in split for word in vocabulary] for split in names], dtype=float)
    weights = held * (1 + np.log((1 + len(names)) / (1 + held.sum(0))))
    return csr_array(weights / np.maximum(weights.sum(1, keepdims=True), 1e-9))


def rank(index: Index, question: str, held: Collection[SchemaItem]) -> list[SchemaItem]:
    """Every column, best first, equals in the schema's order.

    A column scores the share of its name's words that the question says, more where its table is asked for (by name,
    by its best column, or through a table that it joins), and more where it is one of `held`, which hold a value of
    the question. Before the first column of a well-matching table come the tables on its join path to better ones.

    >>> table = Table("staff", ("staff_id", "hire_date", "monthly_salary"), ("",) * 3, ("staff_id",), ())
    >>> rank(index_schema(Schema("firm", (table,))), "Who has the highest salery?", held=())[0]
    ('staff', 'monthly_salary')
    """
    asked = [w for w in _split(question) if len(w) > 3 or w in index.vocabulary]  # "the" resembles too much
    alike = process.cdist(index.vocabulary, asked or [""], scorer=JaroWinkler.normalized_similarity).max(1)  # (W,)
    alike = np.where(alike >= SAME_WORD, alike, 0)
    column = index.column_weights @ alike + [_VALUE_BONUS * (item in held) for item in index.items]
    table, best = index.table_weights @ alike, np.zeros(len(index.tables))
    np.maximum.at(best, index.owner, column)
    table += _FROM_NEIGHBOUR * (index.joined * (table + _FROM_COLUMN * best)).max(1)
    order = np.argsort(-(column + _TABLE_WEIGHT * table[index.owner]), kind="stable")
    top = list(dict.fromkeys(index.owner[order].tolist()))[:_WELL_MATCHING]
    names, ranked = list(index.tables), []
    for n in order:
        owner = index.owner[n]
        for step in top[: top.index(owner)] if owner in top else ():
            while index.before[owner, step] not in (owner, -9999):  # -9999: no path
                step = index.before[owner, step]
                ranked.append((names[step], ""))
        ranked.append(index.items[n])
    return ranked


def named_values(question: str) -> tuple[str, ...]:
    """What may be a stored value: quoted text, runs of capitalised words, and each word of these runs.

    >>> named_values("Which Elks in New York won the 'silver cup'?")
    ('silver cup', 'Elks', 'New York', 'New', 'York')
    """
    quoted = [a or b for a, b in re.findall(r"\"([^\"]+)\"|(?<!\w)'([^']+)'(?!\w)", question)]
    runs = re.findall(r"[A-Z][\w.&-]*(?: [A-Z][\w.&-]*)*", _OPENER.sub("", question))
    found = (v.strip(" .") for v in [*quoted, *runs, *" ".join(runs).split()])
    return tuple(dict.fromkeys(filter(None, found)))[:30]


def columns_holding(path: Path | str, schema: Schema, values: tuple[str, ...]) -> frozenset[SchemaItem]:
    """The text columns in which one of `values` stands, in whatever case, as (table, column) in lower case.

    Only the first _SEARCHED_ROWS rows of a table are read, and no table may take more than half of the steps that are
    left; one that would counts as holding none. Raises FileNotFoundError when there is no file at `path`.
    """
    return _search(file_state(path), schema, values) if values else frozenset()


@functools.lru_cache(maxsize=1024)
def _search(file: tuple, schema: Schema, values: tuple[str, ...]) -> frozenset[SchemaItem]:
    found, left = set(), SEARCHED_STEPS // 1000
    marks = ", ".join(f"?{n + 1}" for n in range(len(values)))
    with contextlib.closing(connect_readonly(file[0])) as connection:
        for table in schema.tables:
            text = [c for c, kind in zip(table.columns, table.types, strict=True) if _TEXT.search(kind)]
            if not text:
                continue
            hits = ", ".join(f"MAX({quote_name(c)} COLLATE NOCASE IN ({marks}))" for c in text)
            query = f"SELECT {hits} FROM (SELECT * FROM {quote_name(table.name)} LIMIT {_SEARCHED_ROWS})"
            asked, room = itertools.count(), left // 2
            connection.set_progress_handler(lambda asked=asked, room=room: next(asked) >= room, 1000)
            with contextlib.suppress(sqlite3.Error):  # out of steps, or a table that this SQLite cannot read
                row = connection.execute(query, values).fetchone()
                found |= {(fold(table.name), fold(c)) for c, hit in zip(text, row, strict=True) if hit}
            left -= next(asked)
    return frozenset(found)
