"""Prompts for schemas that are too long: the tables and columns that the questions seem to need, and no others.

No model: names are compared with the words of the question, which takes milliseconds and needs no labels.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import JaroWinkler
from scipy.sparse.csgraph import shortest_path

from forge_lib.tasks.sql.schema import Schema, Table, connect_readonly, render_schema, words

# Chosen on the 15 widest databases of Spider's training part, at a half and a quarter of the schema's length.
SAME_WORD = 0.85  # Jaro-Winkler similarity (0..1) from which two words may be one, inflected or misspelt
TABLE_WEIGHT = 1.5  # what a match of the table's name adds to a column; a match of its own name adds 1
FROM_COLUMN, FROM_NEIGHBOUR = 0.5, 0.5  # shares: of its best column a table passes on; of that a joined table takes
VALUE_BONUS = 0.5  # for a column that holds a value named in the question
WELL_MATCHING = 4  # the best tables of a question, between which join paths come in
VALUE_ROWS, VALUE_SECONDS = 5000, 0.2  # rows of a table that are searched for values; time for all tables
FILLERS = frozenset(
    "a an and are as at by does each every find for from give had has have how in is its least less list many me more most "
    "much number of on or out return show tell than that the their there these this those to was were what when where "
    "which who whom whose with".split()
)  # they name a column only where one is called exactly so

Item = tuple[str, str]  # lower-case table and column; column "" for the table itself


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
    full = render_schema(schema)
    length = count(full)
    if length <= budget:
        return Trimmed(schema)
    index = _index(schema)
    turns = itertools.zip_longest(*(_rank(index, question, path) for question in questions))
    order = list(dict.fromkeys(item for turn in turns for item in turn if item)) or index.items
    forced = _kept(index, keep) or order[:1]
    room = 1.1 * budget * len(full) / length  # characters; names differ in tokens a character, so start high
    while True:
        trimmed = _view(schema, _fill(index, forced, order, room))
        used = count(render_schema(trimmed.schema))
        if used <= budget or room < 1:
            return trimmed
        room *= min(0.98, budget / used)


def fit_to(tokenizer, budget: int) -> Callable[..., Trimmed]:
    """`trim_schema` to `budget` tokens of `tokenizer`: what the field `fit` of a data set takes."""

    @functools.lru_cache(maxsize=256)
    def count(text: str) -> int:
        return len(tokenizer(text, add_special_tokens=False)["input_ids"])

    return functools.partial(trim_schema, budget=budget, count=count)


@dataclass(frozen=True)
class _Index:
    """A schema prepared for ranking: W distinct words, C columns, T tables; rows of weights sum to 1."""

    tables: dict[str, Table]  # by lower-case name
    items: list[Item]  # (C,) every column
    owner: np.ndarray  # (C,) the number of its table
    vocabulary: list[str]  # (W,)
    column_weights: np.ndarray  # (C, W)
    table_weights: np.ndarray  # (T, W)
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


def _weights(names: list[list[str]], vocabulary: list[str]) -> np.ndarray:
    """(names, W): each word's share of its name, by inverse document frequency: "id" says little, "salary" much."""
    held = np.array([[word in split for word in vocabulary] for split in names], dtype=float)
    weights = held * (1 + np.log((1 + len(names)) / (1 + held.sum(0))))
    return weights / np.maximum(weights.sum(1, keepdims=True), 1e-9)


def _rank(index: _Index, question: str, path: Path | None) -> list[Item]:
    """Every column, best first; before a well-matching table's first one, the tables that join it to better ones."""
    asked = [w for w in _split(question) if w not in FILLERS or w in index.vocabulary] or [""]
    alike = process.cdist(index.vocabulary, asked, scorer=JaroWinkler.normalized_similarity).max(1)  # (W,)
    alike = np.where(alike >= SAME_WORD, alike, 0)
    column, table, best = index.column_weights @ alike, index.table_weights @ alike, np.zeros(len(index.tables))
    held = _holders(path, tuple(index.tables.values()), _values(question)) if path else ()
    column += [VALUE_BONUS * (item in held) for item in index.items]
    np.maximum.at(best, index.owner, column)
    table += FROM_NEIGHBOUR * (index.joined * (table + FROM_COLUMN * best)).max(1)
    order = np.argsort(-(column + TABLE_WEIGHT * table[index.owner]), kind="stable").tolist()
    top = list(dict.fromkeys(index.owner[order].tolist()))[:WELL_MATCHING]
    names, ranked = list(index.tables), []
    for n in order:
        owner = index.owner[n]
        for step in top[: top.index(owner)] if owner in top else ():
            while index.before[owner, step] not in (owner, -9999):  # scipy's mark for "no path"
                step = index.before[owner, step]
                ranked.append((names[step], ""))
        ranked.append(index.items[n])
    return ranked


def _values(question: str) -> tuple[str, ...]:
    """What may be a stored value: quoted text, runs of capitalised words, and each word of these runs."""
    quoted = [a or b for a, b in re.findall(r"\"([^\"]+)\"|(?<!\w)'([^']+)'(?!\w)", question)]
    runs = re.findall(r"[A-Z][\w.&-]*(?: [A-Z][\w.&-]*)*", question)
    return tuple(dict.fromkeys(v.strip(" .") for v in [*quoted, *runs, *" ".join(runs).split()]))[:30]


@functools.lru_cache(maxsize=1024)
def _holders(path: Path, tables: tuple[Table, ...], values: tuple[str, ...]) -> frozenset[Item]:
    """The text columns that hold one of `values` in their first VALUE_ROWS rows, in whatever case."""
    found, ends, marks = set(), time.monotonic() + VALUE_SECONDS, ", ".join(f"?{n + 1}" for n in range(len(values)))
    connection = connect_readonly(path)
    connection.set_progress_handler(lambda: time.monotonic() > ends, 1000)
    for table in tables if values else ():
        text = [
            c for c, kind in zip(table.columns, table.types, strict=True) if re.search("char|text|clob|^$", kind, re.I)
        ]
        name, *columns = ('"' + n.replace('"', '""') + '"' for n in (table.name, *text))
        hits = ", ".join(f"MAX({c} COLLATE NOCASE IN ({marks}))" for c in columns)
        with contextlib.suppress(sqlite3.Error):  # out of time, or a table that this SQLite cannot read
            row = connection.execute(f"SELECT {hits} FROM (SELECT * FROM {name} LIMIT {VALUE_ROWS})", values).fetchone()
            found |= {(table.name.lower(), c.lower()) for c, hit in zip(text, row, strict=True) if hit}
    connection.close()
    return frozenset(found)


def _kept(index: _Index, keep: Collection[str]) -> list[Item]:
    """Tables named in `keep`, and their columns named there; columns of any table where it names no table."""

    def named(name: str) -> bool:  # "home town" is named by its words: no plain identifier, it has none of its own
        return name in keep or (" " in name and set(re.findall(r"[a-z_]\w*", name)) <= set(keep))

    tables = [name for name in index.tables if named(name)]
    return [(t, "") for t in tables] + [i for i in index.items if named(i[1]) and (i[0] in tables or not tables)]


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
            room -= size
    return shown


def _view(schema: Schema, shown: set[Item]) -> Trimmed:
    tables, left_out = [], []
    for table in schema.tables:
        name = table.name.lower()
        if (name, "") in shown:
            columns = {c: t for c, t in zip(table.columns, table.types, strict=True) if (name, c.lower()) in shown}
            links = ((k, {(name, k.column.lower()), (k.table.lower(), k.target.lower())}) for k in table.foreign_keys)
            keys = tuple(k for k, ends in links if ends <= shown)
            tables.append(replace(table, columns=tuple(columns), types=tuple(columns.values()), foreign_keys=keys))
            left_out += [f"{table.name}.{c}" for c in table.columns if c not in columns]
    gone = tuple(t.name for t in schema.tables if (t.name.lower(), "") not in shown)
    return Trimmed(Schema(schema.db_id, tuple(tables)), gone, tuple(left_out))
