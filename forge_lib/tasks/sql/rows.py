"""Whether two results are the same: numbers up to rounding, columns in any order, rows in any order within groups."""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Iterator, Sequence

Rows = Sequence[tuple]
_MAX_CELLS = 2_000_000  # what the search for an order of columns may look at, about a second; a count, not a clock
_NO_MATCH = object()  # equal to no value


def same_rows(got: Rows, wanted: Rows, ordered: bool) -> bool:
    """Equal as multisets of rows (as lists when `ordered`), numbers as `_close` says, columns in any order.

    Column permutations count as equal, as in Spider's test-suite scorer (Zhong et al. 2020,
    https://arxiv.org/abs/2010.02840): "name and age" and "age and name" answer the same question.

    >>> same_rows(((1, "a"), (2.0, "b")), (("b", 2), ("a", 1)), ordered=False)
    True
    """
    groups = range(len(wanted)) if ordered else [0] * len(wanted)
    return len(got) == len(wanted) and contained(got, groups, wanted, groups)


def contained(got: Rows, got_groups: Sequence[int], wanted: Rows, wanted_groups: Sequence[int]) -> bool:
    """Whether `got`, its columns in some order, takes each row from `wanted`, none twice, each within its own group.

    The groups number the rows. Columns are assigned one after the other, each against those before it, so that only
    columns alike are ever tried in several orders; after _MAX_CELLS cells the search ends with False.
    """
    if not Counter(zip(got, got_groups)) - Counter(zip(wanted, wanted_groups)):  # noqa: B905
        return True  # equal as they stand, the commonest case and the fastest
    columns = list(zip(*got, strict=True))
    if len(columns) != len(wanted[0]):
        return False
    kinds = _numbered(columns)
    steps = _steps(wanted, wanted_groups)
    known: list[_Step] = []
    budget = _MAX_CELLS
    path: list[int] = []
    frames = [(list(got_groups), _candidates(kinds, path))]
    while frames and len(path) < len(columns):
        if len(known) == len(path):
            known.append(next(steps))
        ids, options = frames[-1]
        for choice in options:
            extended = known[len(path)].extend(ids, columns[choice])
            budget -= len(extended)
            if budget < 0:
                return False
            if len(extended) == len(ids):
                path.append(choice)
                frames.append((extended, _candidates(kinds, path)))
                break
        else:
            frames.pop()
            del path[-1:]
    return bool(frames)


def rows_key(rows: Rows) -> tuple:
    """Equal for results that are the same up to rounding and the order of rows and columns, () without any value.

    For counting many results: two may have one key that `same_rows` would tell apart, where columns are exchanged.

    >>> rows_key([(1, "b"), (2.0, "a")]) == rows_key([("a", 2), ("b", 1.0000000001)]), rows_key([(None,)])
    (True, ())
    """
    if not has_value(rows):
        return ()
    return tuple(sorted(tuple(sorted(map(_cell_key, row))) for row in rows))


def row_overlap(got: Rows, wanted: Rows) -> float:
    """F1 of two results' rows, as multisets and in any order of columns: 0 (none shared) to 1; rows of NULLs are none.

    More rows than wanted cost as much as too few, so that a cross join or a whole table hits little.

    >>> row_overlap([("a", 1), ("b", 2)], [(1.0, "a"), (3, "c")]), row_overlap([(n,) for n in range(9)], [(0,)])
    (0.5, 0.2)
    """
    mine, theirs = (Counter(tuple(sorted(map(_cell_key, r))) for r in rows if has_value([r])) for rows in (got, wanted))
    shared = (mine & theirs).total()
    return 2 * shared / (mine.total() + theirs.total()) if shared else 0.0


def _cell_key(value: object) -> str:
    if isinstance(value, (int, float)):
        return f"{value:.6g}" if isinstance(value, float) and not value.is_integer() else str(int(value))
    return repr(value)


def has_value(rows: Rows) -> bool:
    """Whether a result holds anything but NULL."""
    return any(value is not None for row in rows for value in row)


def _close(a: float, b: float) -> bool:
    """Whether two numbers are one: whole numbers exactly; a float up to its sixth digit, and no more than 1e-4 off.

    Two ends are wider: next to zero 1e-9 is nothing, and beyond 1e10 a double's own last digits (1e-14 of it) are more
    than 1e-4. That is what a float gains and loses by another way of computing it. A cent in a million is no rounding, nor is a
    second of a Unix time.

    >>> _close(0.1 + 0.2, 0.3), _close(2, 2.0), _close(1700000000, 1700001000), _close(1000000.01, 1000000.02)
    (True, True, False, False)
    """
    if a == b:
        return True
    if (isinstance(a, int) and isinstance(b, int)) or not (math.isfinite(a) and math.isfinite(b)):
        return False
    return abs(a - b) <= max(1e-9, min(1e-6 * abs(b), 1e-4), 1e-14 * abs(b))  # the last: where doubles themselves end


class _Step:
    """One wanted column beside those before it: which prefixes of rows there are, and how often."""

    def __init__(self, ids: Sequence[int], column: Sequence):
        self.numbers = sorted({v for v in column if isinstance(v, (int, float))})
        self.one = _merged(self.numbers) if any(isinstance(v, float) for v in self.numbers) else {}
        self.next: dict[tuple, int] = {}
        self.ids = [self.next.setdefault((i, self.one.get(v, v)), len(self.next)) for i, v in zip(ids, column)]  # noqa: B905
        self.counts = Counter(self.ids)

    def extend(self, ids: Sequence[int], column: Sequence) -> list[int]:
        """The prefixes grown by `column`; shorter than `ids` where one does not occur (so often) in what is wanted."""
        used: Counter[int] = Counter()
        grown = []
        for i, value in zip(ids, column, strict=True):
            number = self.next.get((i, self._same(value)))
            if number is None or used[number] == self.counts[number]:
                break
            used[number] += 1
            grown.append(number)
        return grown

    def _same(self, value):
        """The wanted value that `value` stands for."""
        if not isinstance(value, (int, float)) or (isinstance(value, int) and not self.one):
            return value
        if value not in self.one:
            at = bisect.bisect(self.numbers, value)
            near = [n for n in self.numbers[max(0, at - 1) : at + 1] if _close(value, n)]
            value = min(near, key=lambda n: abs(n - value), default=_NO_MATCH)
        return self.one.get(value, value)


def _steps(wanted: Rows, groups: Sequence[int]) -> Iterator[_Step]:
    ids: Sequence[int] = groups
    for column in zip(*wanted, strict=True):
        step = _Step(ids, column)
        ids = step.ids
        yield step


def _merged(numbers: Sequence[float]) -> dict[float, float]:
    """Each of some sorted numbers, and the first of those close to it."""
    one: dict[float, float] = {}
    first = math.nan
    for number in numbers:
        first = first if _close(number, first) else number
        one[number] = first
    return one


def _numbered(columns: Sequence[tuple]) -> list[int]:
    """A number for each column, the same for columns with the same content."""
    numbers: dict[tuple, int] = {}
    return [numbers.setdefault(column, len(numbers)) for column in columns]


def _candidates(kinds: Sequence[int], path: Sequence[int]) -> Iterator[int]:
    """Columns not yet in `path`, the one at its own place first; of columns with the same content only one."""
    used, tried = set(path), set()
    for choice in [len(path), *range(len(kinds))]:
        if choice < len(kinds) and choice not in used and kinds[choice] not in tried:
            tried.add(kinds[choice])
            yield choice
