"""SQL text to a syntax tree: the one way in, so that no text ends in a traceback."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlglot import exp
from sqlglot.dialects.sqlite import SQLite
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokens import Token, TokenType

_DEEPEST = 150  # nodes of a tree in a row: who walks it takes several of Python's 1,000 frames for each
_TYPES_NESTED = 8  # sqlglot tries each as a type and as a call: every one more doubles its time, 12 take a second
_ROWID = ("rowid", "oid", "_rowid_")  # names of a column that every table has and no schema lists


def parse_query(sql: str) -> exp.Query:
    """The one query that `sql` holds, as sqlglot reads SQLite's dialect.

    Comments may stand anywhere, behind its semicolon too. Raises SqlglotError for anything else: no query, several
    statements, parentheses nested too deeply to parse, or a chain of operators (a + a + …) that no recursion could follow.

    >>> parse_query("SELECT a FROM t").find(exp.Table).name
    't'
    """
    deep = ParseError(
        "The SQL is nested too deeply to be parsed. Write it with fewer parentheses or operators in a row."
    )
    dialect = SQLite()
    tokens = dialect.tokenize(sql)
    if _types_nested(tokens) > _TYPES_NESTED:
        raise deep
    try:
        statements = [
            s for s in dialect.parser().parse(tokens, sql) if s is not None and not isinstance(s, exp.Semicolon)
        ]
    except RecursionError:
        raise deep from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise ParseError("The SQL is not one SELECT.")
    if _depth(statements[0]) > _DEEPEST:
        raise deep
    if not all(select.expressions for select in statements[0].find_all(exp.Select)):  # sqlglot takes "SELECT FROM t"
        raise ParseError("A SELECT in the SQL names nothing to show.")
    return statements[0]


def _depth(tree: exp.Expression) -> int:
    """Nodes on the longest way from the root of a tree to a leaf."""
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [child for node in level for child in node.iter_expressions()]
    return depth


def _types_nested(tokens: Sequence[Token]) -> int:
    """How deeply calls of functions that are called like a type, as `date(…)` is, stand within each other."""
    deepest, calls, before = 0, [], None
    for token in tokens:
        if token.token_type == TokenType.L_PAREN:
            calls.append(before in SQLite.Parser.TYPE_TOKENS)
            deepest = max(deepest, sum(calls))
        elif token.token_type == TokenType.R_PAREN and calls:
            calls.pop()
        before = token.token_type
    return deepest


def is_query(sql: str) -> bool:
    """Whether sqlglot reads `sql` as one query."""
    try:
        parse_query(sql)
    except SqlglotError:
        return False
    return True


def with_strings(query: exp.Query, names: Collection[str]) -> exp.Query:
    """The query with what stands in double quotes and names nothing as the string that SQLite takes it for.

    names: of tables and columns, in lower case

    >>> query = parse_query('SELECT "name" FROM t WHERE kind = "new"')
    >>> print(with_strings(query, {"t", "name", "kind"}).sql(dialect="sqlite"))
    SELECT "name" FROM t WHERE kind = 'new'
    """
    known = {*names, *_ROWID} | {alias.alias.lower() for alias in query.find_all(exp.Alias, exp.TableAlias)}
    known |= {column.name.lower() for alias in query.find_all(exp.TableAlias) for column in alias.columns}

    def meant(node: exp.Expression) -> exp.Expression:
        quoted = isinstance(node, exp.Column) and not node.table and node.this.args.get("quoted")
        return exp.Literal.string(node.name) if quoted and node.name.lower() not in known else node

    return query.transform(meant)
