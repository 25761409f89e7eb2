"""How sure a difference is: intervals by database, paired tests, a family of planned comparisons."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forge_lib.data.items import group
from forge_lib.evaluation.intervals import cluster_interval

FEW = 10  # databases: with fewer, and very unlike each other, an interval holds the truth less often than it says
_EXACT = 14  # databases: up to so many, every choice of signs is counted; beyond, some are drawn

_ALL_EQUAL = "all values are equal: exact limits over the questions, as if these were independent"
_ALL_ALIKE = "the databases are all alike: the interval is over their questions"


def bootstrap_interval(
    values: Sequence[float], clusters: Sequence[Hashable], level: float = 0.95, draws: int = 5000, seed: int = 17,
    bounds: tuple[float, float] | None = None,
) -> tuple[float, float]:  # fmt: skip
    """The name under which notebooks ask for `cluster_interval`; draws and seed change nothing, for nothing is drawn.

    Until simulations showed that it kept less than it promised, this was a percentile bootstrap.

    >>> low, high = bootstrap_interval([0, 1, 1, 1], ["a", "a", "b", "b"])
    >>> bool(low <= 0.75 <= high)
    True
    """
    return cluster_interval(values, clusters, level, bounds)


def interval_note(clusters: Sequence[Hashable], values: Sequence[float] | None = None) -> str:
    """What to know of an interval over these clusters, where it is not one over many databases; else "".

    values: those of the interval; some (all equal, say) ask for another way than the clusters alone do.

    >>> interval_note(["shop"] * 30)
    'one database: the interval is over its questions and says nothing of other databases'
    >>> interval_note(range(30), [0] * 30)
    'all values are equal: exact limits over the questions, as if these were independent'
    >>> interval_note([n % 6 for n in range(168)]).startswith("6 databases are few")
    True
    """
    names, index = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    if len(names) == 1:
        return "one database: the interval is over its questions and says nothing of other databases"
    if values is not None:
        values = np.asarray(values, dtype=float)
        if (values == values[0]).all():
            return _ALL_EQUAL
        sizes = np.bincount(index)
        if len(names) < len(values) and np.allclose(np.bincount(index, values), values.mean() * sizes):
            return _ALL_ALIKE
    if len(names) >= FEW:
        return ""
    return (
        f"{len(names)} databases are few: where they differ much and nearly all or nearly no answers are right, such "
        "intervals hold the truth less often than 95%"
    )


def contexts(records: Iterable[dict]) -> list[str]:
    """The context of each record: what an interval draws. Raises ValueError for records that do not say.

    >>> contexts([{"context": "shop"}])
    ['shop']
    """
    try:
        return [r["context"] for r in records]
    except KeyError as error:
        raise ValueError(
            "These records do not name their context: an earlier version of the course made them. Run their notebook again."
        ) from error


@dataclass(frozen=True)
class Comparison:
    """Two contenders on the same items; difference and interval in points (percent)."""

    first: str
    second: str
    items: int
    difference: float  # second - first
    low: float
    high: float
    only_first: int  # items only the first got right
    only_second: int
    p_value: float  # McNemar, exact, two-sided
    part: str = "all"  # of the items: "all", "seen", "unseen" or "hard"
    note: str = ""  # what to know of the interval, where it is not one over many databases
    permutation_p: float | None = None  # of `permutation_test`: whole databases change sides; None in earlier runs

    @property
    def significant(self) -> bool:
        """Both measures agree: the interval excludes zero, and p < 0.05."""
        return _is_significant(self.low, self.high, self.p_value)

    def __str__(self) -> str:
        items = f"{self.items} items" if self.part == "all" else f"{self.items} {self.part} items"
        verdict = "significant" if self.significant else "not significant"
        note = f" ({self.note})" if self.note else ""
        return (
            f"{self.second} against {self.first}: {self.difference:+.1f} points [{self.low:+.1f}, {self.high:+.1f}] "
            f"on {items}, {self.only_second} gained and {self.only_first} lost, "
            f"McNemar p = {self.p_value:.2g}; {verdict}{note}."
        )


def _is_significant(low: float, high: float, p_value: float) -> bool:
    """Whether an interval excludes zero and McNemar's p is below 0.05."""
    return (low > 0 or high < 0) and p_value < 0.05


def compare(first: Sequence[dict], second: Sequence[dict], seed: int = 17, part: str = "all") -> Comparison:
    """Paired comparison of two contenders' records, on all items or on one group ("seen", "unseen", "hard").

    seed: of the signs that the permutation test draws. Raises ValueError when they did not answer the same items, or when
    there is none.
    """
    a, b = ({r["id"]: r for r in records if part in ("all", group(r))} for records in (first, second))
    if a.keys() != b.keys():
        raise ValueError("The two contenders answered different items; evaluate both on the same pairs.")
    if not a:
        raise ValueError(f"There is no item to compare on (part '{part}').")
    change, where = [float(b[i]["correct"]) - float(a[i]["correct"]) for i in a], contexts(a.values())
    low, high = cluster_interval(change, where, bounds=(-1, 1))
    lost, gained = sum(c < 0 for c in change), sum(c > 0 for c in change)
    return Comparison(
        first[0]["contender"], second[0]["contender"], len(change), 100 * float(np.mean(change)), 100 * low, 100 * high,
        lost, gained, mcnemar(lost, gained), part, interval_note(where, change), permutation_test(change, where, seed=seed),
    )  # fmt: skip


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p-value of McNemar's test (McNemar 1947): could the changes be a fair coin's?

    >>> mcnemar(0, 0), round(mcnemar(1, 9), 4)
    (1.0, 0.0215)
    """
    from scipy.stats import binomtest

    changed = only_first + only_second
    return float(binomtest(only_second, changed).pvalue) if changed else 1.0


def permutation_test(change: Sequence[float], clusters: Sequence[Hashable], draws: int = 9999, seed: int = 17) -> float:
    """Two-sided p-value: how often would the mean be as far from 0, had each cluster's two contenders a fair coin's names?

    change: (n,) second minus first on each item; clusters: (n,), of which each changes sign as a whole, because its items
    are not independent (Fisher 1935; for NLP by item Dror et al. 2018, https://aclanthology.org/P18-1128). Up to 14
    clusters all signs are counted, so that six give no less than 2/64; beyond, `draws` are drawn and the observed one
    is counted with them (Phipson & Smyth 2010, https://arxiv.org/abs/1603.05766).

    >>> permutation_test([1, 1, 0, 1, 1, 1], list("aabbcc"))  # three of one sign: two of eight
    0.25
    """
    _, index = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    sums = np.bincount(index, np.asarray(change, dtype=float))
    sums = sums[sums != 0]
    if len(sums) <= _EXACT:
        signs = 1 - 2 * (np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums)) & 1)
    else:
        signs = np.random.default_rng(seed).choice([-1, 1], (draws, len(sums)))
        signs = np.vstack([np.ones(len(sums), int), signs])
    return float((np.abs(signs @ sums) >= abs(sums.sum()) - 1e-9).mean())


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values that may be compared with 0.05 although there are several, in the order given (Holm 1979).

    The smallest is multiplied by their number m, the next by m - 1, and so on; none falls below one before it. However the
    tests hang together, the chance of any false "significant" stays below 5%.

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values, dtype=float)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(scaled))
    return adjusted.tolist()


def planned_table(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """The family of planned comparisons, one row each, with McNemar's p corrected by Holm over all of them.

    `verdict` asks that the interval excludes zero and that the corrected p is below 0.05. Put in what was planned before
    the results were seen, all of it: a comparison left out because it came out badly makes the others too sure.
    """
    rows = []
    for one, corrected in zip(comparisons, holm([c.p_value for c in comparisons]), strict=True):
        verdict = "significant" if _is_significant(one.low, one.high, corrected) else "not significant"
        rows.append(
            {"comparison": f"{one.second} against {one.first}", "part": one.part, "items": one.items,
             "points": f"{one.difference:+.1f} [{one.low:+.1f}, {one.high:+.1f}]", "gained": one.only_second,
             "lost": one.only_first, "p (McNemar)": one.p_value, "p (Holm)": corrected,
             "p (permutation)": one.permutation_p, "verdict": verdict}
        )  # fmt: skip
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class NonInferiority:
    """Whether the second contender is at most `margin` points worse than the first: what a smaller file has to show."""

    comparison: Comparison
    margin: float  # points, stated before the results were seen

    @property
    def shown(self) -> bool:
        """The lower end of the interval lies above -margin: a one-sided test at 2.5% (Piaggio et al. 2012, CONSORT)."""
        return self.comparison.low > -self.margin

    def __str__(self) -> str:
        c = self.comparison
        verdict = "no worse than that is shown" if self.shown else "a larger loss is not excluded"
        return (
            f"{c.second} against {c.first} with a margin of {self.margin:g} points: {c.difference:+.1f} "
            f"[{c.low:+.1f}, {c.high:+.1f}] on {c.items} items; {verdict}."
        )


def non_inferiority(comparison: Comparison, margin: float) -> NonInferiority:
    """The verdict on a loss of at most `margin` points (above 0); "no difference shown" alone is no such verdict.

    Raises ValueError for a margin that allows nothing.

    >>> small = Comparison("F16", "Q8_0", 363, -0.3, -0.8, 0.2, 2, 1, 1.0)
    >>> print(non_inferiority(small, 2))
    Q8_0 against F16 with a margin of 2 points: -0.3 [-0.8, +0.2] on 363 items; no worse than that is shown.
    """
    if not margin > 0:
        raise ValueError(f"A margin is the loss in points that one would accept, above 0, and {margin:g} is none.")
    return NonInferiority(comparison, margin)
