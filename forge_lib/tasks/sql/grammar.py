"""A grammar of the queries that one database can answer: what schema-constrained decoding lets a model write.

Scholak et al. 2021 (PICARD, https://arxiv.org/abs/2109.05093) reject a token once the query so far can no longer be
right. Here the same is a context-free grammar, made for one schema, that llguidance turns into a mask over the
vocabulary. A context-free grammar cannot know in SELECT which tables FROM will name, so there is one copy of the rules
for each set of tables that keys join, and each copy knows the columns of its tables alone: what was written so far
decides which copies are still alive.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from forge_lib.tasks.sql.columns import Kind, column_kinds
from forge_lib.tasks.sql.opening import FileState, file_state
from forge_lib.tasks.sql.prompt import NO_ANSWER
from forge_lib.tasks.sql.schema import Schema, Table, fold, quote_name

_MOST_JOINED = 4  # tables in one FROM
_MOST_SETS = 150  # copies of the rules
_MOST_CHARACTERS = 400_000  # of a grammar: llguidance holds 65,000 symbols, which 590,000 characters had

_SHARED = r"""
start: query
query: core | flat SETOP flat | NOTHING
inner: one | flat SETOP flat
NEVER: /[^\s\S]/
SETOP: " UNION " | " UNION ALL " | " INTERSECT " | " EXCEPT "
COMPARE: " = " | " != " | " <> " | " < " | " > " | " <= " | " >= "
EQUAL: " = " | " != " | " <> "
ARITHMETIC: " + " | " - " | " * " | " / " | " % "
SUMMED: "SUM(" | "AVG(" | "TOTAL("
EXTREME: "MIN(" | "MAX("
NUMBER: /-?[0-9]{1,12}(\.[0-9]{1,6})?/
QUOTED: /'-?[0-9]{1,12}(\.[0-9]{1,6})?'/
WHOLE: /[0-9]{1,4}/
STRING: /'([^'\n]|'')*'/
MOMENT: /'[0-9]{4}(-[0-9]{2}(-[0-9]{2}([ T][0-9:.]+)?)?)?'/ | /'[0-9]{2}:[0-9]{2}(:[0-9]{2})?'/ | "'now'"
PART: /'%[YmdHMSwjs](-%[md]){0,2}'/
PARTS: /'[0-9]{1,4}(-[0-9]{2}){0,2}'/
NAMED: " AS " /[a-z][a-z_]{0,20}/
DIRECTION: " DESC" | " ASC"
limit: " LIMIT " WHOLE (" OFFSET " WHOLE)?
derived: "SELECT " "COUNT(" "*" ")" " FROM " "(" one ")"
apart: "SELECT " "(" inner ")" (ARITHMETIC "(" inner ")")+
"""

# One copy a set of tables; {i} is its number. `n`, `t`, `d`: its columns of numbers, texts and dates; `x` adds what is
# computed from rows, `g` from groups.
_RULES = r"""
s{i}: "SELECT " "DISTINCT "? item{i} (", " item{i})* body{i} limit?
one{i}: "SELECT " "DISTINCT "? item{i} body{i} limit?
flat{i}: "SELECT " "DISTINCT "? item{i} from{i} (" WHERE " w{i})? group{i}?
body{i}: from{i} (" WHERE " w{i})? (group{i} (" ORDER BY " by{i} (", " by{i})*)? | " ORDER BY " key{i} DIRECTION? (", " key{i} DIRECTION?)*)?
group{i}: " GROUP BY " key{i} (", " key{i})* (" HAVING " h{i})?
item{i}: (gn{i} | gt{i} | gd{i}) NAMED?
by{i}: (gn{i} | gt{i} | gd{i}) DIRECTION?
key{i}: xn{i} | xt{i} | d{i}
n{i}: m{i} | k{i}
c{i}: n{i} | t{i} | d{i}
xn{i}: k{i} | xna{i} (ARITHMETIC xna{i})*
xna{i}: m{i} | NUMBER | "julianday(" xd{i} ")" | "ABS(" xn{i} ")" | "LENGTH(" xt{i} ")" | "ROUND(" xn{i} (", " WHOLE)? ")" | "COALESCE(" n{i} ", " NUMBER ")" | "CAST(" (xn{i} | xt{i}) " AS " ("INTEGER" | "REAL") ")" | "(" xn{i} ")" | "(" inner ")" | "CASE" (" WHEN " w{i} " THEN " xn{i})+ (" ELSE " (xn{i} | "NULL"))? " END"
xt{i}: t{i} (" || " (t{i} | STRING) )* | "strftime(" PART ", " xd{i} ")" | ("UPPER(" | "LOWER(" | "TRIM(") t{i} ")" | "SUBSTR(" (t{i} | d{i}) ", " WHOLE (", " WHOLE)? ")" | "COALESCE(" c{i} ", " STRING ")" | "CASE" (" WHEN " w{i} " THEN " (t{i} | STRING))+ (" ELSE " (t{i} | STRING | "NULL"))? " END"
xd{i}: d{i} | MOMENT | "date(" (d{i} | MOMENT) ")" | "COALESCE(" d{i} ", " MOMENT ")"
gn{i}: k{i} | gna{i} (ARITHMETIC gna{i})*
gna{i}: m{i} | NUMBER | "COUNT(" ("*" | "DISTINCT "? c{i} | "CASE" " WHEN " w{i} " THEN " (NUMBER | c{i}) " END") ")" | SUMMED "DISTINCT "? xna{i} (ARITHMETIC xna{i})* ")" | EXTREME xn{i} ")" | "julianday(" (xd{i} | EXTREME d{i} ")") ")" | "ABS(" gn{i} ")" | "LENGTH(" xt{i} ")" | "ROUND(" gn{i} (", " WHOLE)? ")" | "COALESCE(" gn{i} ", " NUMBER ")" | "CAST(" (gn{i} | xt{i}) " AS " ("INTEGER" | "REAL") ")" | "(" gn{i} ")" | "(" inner ")" | "CASE" (" WHEN " h{i} " THEN " gn{i})+ (" ELSE " (gn{i} | "NULL"))? " END"
gt{i}: xt{i} | EXTREME xt{i} ")" | "GROUP_CONCAT(" "DISTINCT "? t{i} (", " STRING)? ")"
gd{i}: d{i} | EXTREME d{i} ")" | "date(" (d{i} | EXTREME d{i} ")") ")"
w{i}: wp{i} ((" AND " | " OR ") wp{i})*
wp{i}: n{i} EQUAL QUOTED | xn{i} (COMPARE xn{i} | " BETWEEN " xn{i} " AND " xn{i} | " NOT"? " IN (" NUMBER (", " NUMBER)* ")") | xd{i} (COMPARE xd{i} | " BETWEEN " MOMENT " AND " MOMENT) | known{i} | t{i} COMPARE t{i} | "strftime(" PART ", " xd{i} ")" (COMPARE (PARTS | "strftime(" PART ", " xd{i} ")") | " NOT"? " IN (" PARTS (", " PARTS)* ")" | " BETWEEN " PARTS " AND " PARTS) | ("LOWER(" | "UPPER(") t{i} ")" EQUAL STRING | "LENGTH(" t{i} ")" COMPARE NUMBER | (t{i} | d{i}) " NOT"? " LIKE " STRING | c{i} " IS " "NOT "? "NULL" | c{i} " NOT"? " IN (" inner ")" | (t{i} | xd{i}) COMPARE "(" inner ")" | "NOT "? "EXISTS (" inner ")" | "(" w{i} ")" | "NOT " wp{i}
h{i}: hp{i} ((" AND " | " OR ") hp{i})*
hp{i}: gn{i} (COMPARE gn{i} | " BETWEEN " gn{i} " AND " gn{i}) | gd{i} COMPARE xd{i} | (known{i} | t{i} " IS " "NOT "? "NULL") | "(" h{i} ")" | "NOT " hp{i}
"""


@dataclass(frozen=True)
class _Role:
    """A table under the name that a query has for it: its own, or an alias."""

    name: str
    table: Table

    @property
    def declared(self) -> str:
        """What stands in FROM, as the grammar says it: each word alone, since llguidance's lexer never goes back."""
        own = _text(quote_name(self.table.name))
        return own if self.name == self.table.name else f'{own} " AS " {_text(quote_name(self.name))}'

    def column(self, name: str) -> str:
        """A column of it, qualified."""
        return f"{quote_name(self.name)}.{quote_name(name)}"


def database_grammar(schema: Schema, database: Path, stored: bool = True) -> str | None:
    """`schema_grammar` for what the SQLite file holds at this moment.

    stored: a column of few texts is compared with these alone. Where people ask, False: a question about what is not
    there must find nothing, and not the rows of another value.
    """
    return _of_file(schema, database, file_state(database), stored)


@functools.lru_cache(maxsize=256)
def _of_file(schema: Schema, database: Path, state: FileState, stored: bool) -> str | None:
    kinds = column_kinds(schema, database)
    return schema_grammar(schema, kinds if stored else {key: Kind(kind.kind) for key, kind in kinds.items()})


def schema_grammar(schema: Schema, kinds: dict[tuple[str, str], Kind]) -> str | None:
    """Lark text (as llguidance reads it) of the queries over `schema`; `kinds` says what each (table, column) holds.

    A column with few values is compared with these alone. Joins follow the keys of the schema; a table that is needed
    twice has aliases. Of a large schema the larger sets of tables are left out; None where not even each table alone fits.

    It is one for all questions of a schema: holding numbers and values to what the question mentions gained nothing on
    the course's validation part, greedily or by a vote.
    """
    sets = _sets(schema)
    lines = [_SHARED, f"NOTHING: {_text(NO_ANSWER)}"]
    for at, table in enumerate(schema.tables):
        for place, column in enumerate(table.columns):
            if values := kinds[table.name, column].values:
                lines.append(f"V{at}_{place}: {_choice(_text(_in_apostrophes(v)) for v in values)}")
    room, copies = _MOST_CHARACTERS - sum(map(len, lines)), 0
    for number, chosen in enumerate(sets):
        copy = "\n".join(_copy(schema, kinds, number, chosen))
        room -= len(copy)
        if room < 0:
            break
        lines.append(copy)
        copies += 1
    if copies < len(schema.tables):
        return None
    lines.append("core: " + " | ".join(["derived", "apart", *(f"s{n}" for n in range(copies))]))
    for kind in ("one", "flat"):
        lines.append(f"{kind}: " + _choice(f"{kind}{n}" for n in range(copies)))
    return "\n".join(lines)


def _text(literal: str) -> str:
    return json.dumps(literal, ensure_ascii=False).replace(
        "\x7f", "\\u007f"
    )  # which a grammar's text may not hold bare


def _choice(options: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(options)) or "NEVER"


def _copy(schema: Schema, kinds: dict, number: int, chosen: Sequence[_Role]) -> Iterator[str]:
    """The rules over one set of tables."""
    columns: dict[str, list[str]] = {"number": [], "key": [], "text": [], "date": []}
    bare = Counter(fold(c) for role in chosen for c in role.table.columns)
    known = []
    for role in chosen:
        for place, column in enumerate(role.table.columns):
            kind = kinds[role.table.name, column]
            forms = [_text(role.column(column))] + ([_text(quote_name(column))] if bare[fold(column)] == 1 else [])
            columns["key" if kind.kind == "number" and _is_key(role.table, column) else kind.kind] += forms
            if kind.kind == "text":
                value = f"V{schema.tables.index(role.table)}_{place}" if kind.values else "STRING"
                known.append(f'({" | ".join(forms)}) (EQUAL {value} | " NOT"? " IN (" {value} (", " {value})* ")")')
    # Where there is no such column a literal stands: a rule that nothing fulfils would be a dead end.
    literals = {"number": "NUMBER", "key": "NUMBER", "text": "STRING", "date": "MOMENT"}
    for letter, kind in (("m", "number"), ("k", "key"), ("t", "text"), ("d", "date")):
        yield f"{letter}{number}: {_choice(columns[kind] or [literals[kind]])}"
    yield f"known{number}: {_choice(known or ['STRING EQUAL STRING'])}"
    yield f"from{number}: {_choice(_froms(chosen))}"
    yield _RULES.format(i=number)


def _is_key(table: Table, column: str) -> bool:
    return column in table.primary_key or any(column == k.column for k in table.foreign_keys)


def _keys(one: _Role, other: _Role) -> list[tuple[str, str]]:
    """Pairs of columns of which one is a key to the other."""
    mine, theirs = one.table, other.table
    found = [(k.column, k.target) for k in mine.foreign_keys if k.table == theirs.name]
    return found + [(k.target, k.column) for k in theirs.foreign_keys if k.table == mine.name]


def _edges(one: _Role, other: _Role) -> list[tuple[str, str]]:
    """Pairs of columns on which two tables join: a key of one to the other, or keys of both to the same column."""
    mine, theirs = one.table, other.table
    found = _keys(one, other)
    if mine != theirs:
        keys = itertools.product(mine.foreign_keys, theirs.foreign_keys)
        found += [(k.column, q.column) for k, q in keys if (k.table, k.target) == (q.table, q.target)]
    if not found and mine != theirs:  # no key declared: columns of one name, a primary key among them
        found = [(c, c) for c in mine.columns if c in theirs.columns and c in (*mine.primary_key, *theirs.primary_key)]
    return list(dict.fromkeys(found))


def _sets(schema: Schema) -> list[tuple[_Role, ...]]:
    """Sets of tables that can be joined, at most `_MOST_SETS`: small ones first, by a key before by what two keys share.

    Then those in which a table stands twice.
    """
    roles = [_Role(t.name, t) for t in schema.tables]
    pairs = {frozenset((a, b)): _edges(a, b) for a, b in itertools.combinations(roles, 2)}
    joined = [pair for pair, edges in pairs.items() if edges]
    by_key = [pair for pair in joined if _keys(*pair)]
    found = dict.fromkeys((r,) for r in roles)
    for allowed in (set(by_key), set(joined)):
        layer: Iterable[tuple[_Role, ...]] = [(r,) for r in roles]
        for _ in range(_MOST_JOINED - 1):
            if len(found) < _MOST_SETS:
                layer = dict.fromkeys(_larger(layer, roles, allowed))
                found |= layer
    return [
        *itertools.islice(found, _MOST_SETS),
        *(twice for table in schema.tables for twice in _twice(schema, table)),
    ]


def _larger(sets: Iterable[tuple[_Role, ...]], roles: Sequence[_Role], joined: set[frozenset]) -> Iterator[tuple]:
    """Each of the sets with one more table that is joined to one of its own, in the schema's order."""
    for chosen in sets:
        for new in roles:
            if new not in chosen and any(frozenset((new, r)) in joined for r in chosen):
                yield tuple(r for r in roles if r in chosen or r == new)


def _twice(schema: Schema, table: Table) -> Iterator[tuple[_Role, ...]]:
    """Sets in which two keys of `table` lead to one other table, or one key to itself."""
    for other in schema.tables:
        keys = [k.column for k in table.foreign_keys if k.table == other.name]
        if other == table and keys:
            yield _Role("a", table), _Role("b", table)
            yield from ((_Role(table.name, table), _Role(stem(key), table)) for key in keys if stem(key) != table.name)
        elif len(keys) > 1:
            for first, second in (("a", "b"), (stem(keys[0]), stem(keys[1]))):
                yield _Role(table.name, table), _Role(first, other), _Role(second, other)


def stem(key: str) -> str:
    """The role that a key's name tells.

    >>> stem("from_port_id"), stem("mentor_id"), stem("manager")
    ('from_port', 'mentor', 'manager')
    """
    return re.sub(r"_?(id|no|code|nr|key)$", "", key, flags=re.I) or key


def _froms(chosen: Sequence[_Role]) -> Iterator[str]:
    """FROM clauses over the set, in every order that the keys allow."""
    for order in itertools.permutations(chosen):
        steps = [f'" FROM " {order[0].declared}']
        for at, role in enumerate(order[1:], 1):
            conditions = []
            for before in order[:at]:
                for mine, theirs in _edges(role, before):
                    sides = [role.column(mine), before.column(theirs)]
                    conditions += [_text(" = ".join(sides)), _text(" = ".join(reversed(sides)))]
            if not conditions:
                break
            either = _choice(conditions)
            more = f' ((" OR " | " AND ") ({either}))?' if len(conditions) > 2 else ""
            steps.append(f'(" JOIN " | " LEFT JOIN ") {role.declared} " ON " ({either}){more}')
        else:
            yield " ".join(steps)


def _in_apostrophes(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
