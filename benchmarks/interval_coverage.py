"""How often do 95% intervals hold the truth, on the cluster sizes of the course's frozen test?

`python -m benchmarks.interval_coverage` draws worlds in which the truth is known: each database gets its own accuracy
around the true one (Beta, with the intra-cluster correlation that is asked for), each question its luck, and each way of
making an interval either holds the truth or does not. Sizes are those of the test's groups; no answer of any
model is looked at. Compared: percentiles of a bootstrap over databases; Student's t with clusters - 1; the studentized
bootstrap (Efron 1981; both bootstraps by cluster: Cameron, Gelbach & Miller 2008, https://doi.org/10.1162/rest.90.3.414); the
wild cluster bootstrap with the truth imposed and Webb's six weights (2023, https://doi.org/10.1111/caje.12661); and
`forge_lib.evaluation.intervals.cluster_interval`, what the course uses. Paired differences of two contenders likewise.
It prints a table and keeps it in benchmarks/interval_coverage.json, which notebook 06 shows.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from forge_lib import ROOT
from forge_lib.data.items import group
from forge_lib.evaluation.intervals import cluster_interval
from forge_lib.lab.files import write_atomically
from forge_lib.lab.jsonl import read_jsonl

RESULTS = ROOT / "benchmarks/interval_coverage.json"
TEST = ROOT / "data/v4/test.jsonl"
ACCURACIES = (0.02, 0.05, 0.1, 0.3, 0.5, 0.9)
CHANGES = ((0.01, 0.005), (0.02, 0.02), (0.1, 0.04), (0.15, 0.1), (0.25, 0.01), (0.06, 0.0))  # gained, lost
ALIKE = (0.0, 0.05, 0.15)  # intra-cluster correlations
WEBB = np.sqrt([1.5, 1.0, 0.5])
DRAWS = 999


def cluster_sizes(file: Path = TEST) -> dict[str, list[int]]:
    """Questions of each database, for the whole file and for each of its groups."""
    counts: dict[str, Counter] = defaultdict(Counter)
    for item in read_jsonl(file, "Put it back: git checkout data"):
        for name in ("all", group(item)):
            counts[name][item["db_id"]] += 1
    return {name: sorted(count.values()) for name, count in counts.items()}


def worlds(sizes: np.ndarray, shares: Sequence[float], alike: float, count: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """(gained, lost) of each cluster, (count, clusters) each, whose true shares are `shares`; lost all 0 for one share."""
    gained, lost = (*shares, 0.0)[:2]
    truth = np.array([gained, lost, 1 - gained - lost])
    if alike:
        drawn = rng.gamma(np.maximum(truth * (1 - alike) / alike, 1e-12), size=(count, len(sizes), 3))
        of_cluster = drawn / drawn.sum(2, keepdims=True)  # Dirichlet; of two shares, Beta
    else:
        of_cluster = np.broadcast_to(truth, (count, len(sizes), 3))
    up = rng.binomial(sizes, of_cluster[..., 0])
    rest = np.clip(of_cluster[..., 1] / np.maximum(1 - of_cluster[..., 0], 1e-12), 0, 1)
    return up, rng.binomial(sizes - up, rest)


def rivals(sums: np.ndarray, sizes: np.ndarray, truth: float, bounds, rng) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Name -> (whether the truth is held, width within the bounds), (worlds,) each, of the ways that the course does not take.

    sums: (worlds, clusters) totals of values.
    """
    count, total = len(sizes), sizes.sum()
    means = sums.sum(1) / total
    error = np.sqrt(count / (count - 1) * ((sums - means[:, None] * sizes) ** 2).sum(1)) / total
    drawn = rng.multinomial(count, np.full(count, 1 / count), DRAWS).astype(float)  # how often each cluster is drawn
    totals = drawn @ sizes
    again = sums @ drawn.T / totals  # (worlds, draws)
    squares = sums**2 @ drawn.T - 2 * again * (sums * sizes @ drawn.T) + again**2 * (drawn @ sizes**2)
    errors = np.sqrt(np.maximum(count / (count - 1) * squares, 0)) / totals
    away = again - means[:, None]
    studentized = np.where(errors > 1e-9, away / np.maximum(errors, 1e-9), 50 * np.sign(away))
    low, high = np.percentile(again, [2.5, 97.5], axis=1)
    least, most = np.percentile(studentized, [2.5, 97.5], axis=1)
    half = stdtrit(count - 1, 0.975) * error
    ends = {"percentile bootstrap": (low, high), "Student's t": (means - half, means + half),
            "studentized bootstrap": (means - most * error, means - least * error)}  # fmt: skip
    found = {
        name: ((a <= truth) & (truth <= b), np.clip(b, *bounds) - np.clip(a, *bounds)) for name, (a, b) in ends.items()
    }
    return found | {"wild bootstrap": (_wild(sums, sizes, truth, rng), np.full(len(sums), np.nan))}


def _wild(sums: np.ndarray, sizes: np.ndarray, truth: float, rng) -> np.ndarray:
    """Whether the wild cluster bootstrap test of the truth itself has p > 0.05: its interval would hold it."""
    weights = rng.choice(WEBB, (DRAWS, len(sizes))) * rng.choice([-1, 1], (DRAWS, len(sizes)))
    residuals = sums - truth * sizes
    shift = residuals @ weights.T / sizes.sum()
    squares = residuals**2 @ (weights**2).T - 2 * shift * (residuals * sizes @ weights.T) + shift**2 * (sizes**2).sum()
    means = sums.sum(1) / sizes.sum()
    own = ((sums - means[:, None] * sizes) ** 2).sum(1)
    observed = np.abs(means - truth) / np.sqrt(np.maximum(own, 1e-12))
    drawn = np.abs(shift) / np.sqrt(np.maximum(squares, 1e-12))
    return (drawn >= observed[:, None] - 1e-9).mean(1) > 0.05


def ours(
    gained: np.ndarray, lost: np.ndarray, sizes: np.ndarray, truth: float, bounds
) -> tuple[np.ndarray, np.ndarray]:
    """(held, width) of `cluster_interval`, (worlds,) each."""
    clusters, found = np.repeat(np.arange(len(sizes)), sizes), []
    for up, down in zip(gained, lost, strict=True):
        parts = ([1] * u + [-1] * d + [0] * (n - u - d) for u, d, n in zip(up, down, sizes, strict=True))
        found.append(cluster_interval(np.concatenate(list(parts)), clusters, bounds=bounds))
    low, high = np.array(found).T
    return (low <= truth + 1e-12) & (truth <= high + 1e-12), high - low


def coverage(sizes: Sequence[int], shares: Sequence[float], alike: float, count: int, seed: int = 17, all_ways: bool = True) -> dict[str, dict]:  # fmt: skip
    """Way -> {"coverage": percent of the worlds held, "width": mean width in points}.

    shares: (accuracy,) of one contender, or (gained, lost) of two. In worlds where all values are equal no bootstrap has
    a width: every way then gets the exact limits, so that they differ in what is theirs.
    """
    sizes, rng = np.asarray(sizes), np.random.default_rng(seed)
    bounds, truth = ((0, 1), shares[0]) if len(shares) == 1 else ((-1, 1), shares[0] - shares[1])
    gained, lost = worlds(sizes, shares, alike, count, rng)
    exact = ours(gained, lost, sizes, truth, bounds)
    found = {"cluster_interval": exact}
    if all_ways:
        nothing = [(up.sum(), down.sum()) in ((0, 0), (sizes.sum(), 0)) for up, down in zip(gained, lost, strict=True)]
        for name, own in rivals((gained - lost).astype(float), sizes, truth, bounds, rng).items():
            found[name] = tuple(np.where(nothing, e, o) for e, o in zip(exact, own, strict=True))
    return {n: {"coverage": 100 * float(h.mean()), "width": 100 * float(w.mean())} for n, (h, w) in found.items()}


def table(rows: Sequence[dict]) -> pd.DataFrame:
    """Least and median coverage, and the mean width, of each way on each group, from the rows of the file."""
    frame = pd.DataFrame(rows).groupby(["kind", "group", "way"], sort=False)
    return frame.agg(least=("coverage", "min"), median=("coverage", "median"), width=("width", "mean")).round(1)


def main() -> None:
    """Print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=1000)
    count, rows = parser.parse_args().worlds, []
    groups = cluster_sizes() | {f"{n} databases of 20": [20] * n for n in (2, 4, 6, 8, 10, 15, 30)}
    for name, sizes in groups.items():
        of_test = "databases of" not in name
        cases = [("accuracy", (a,)) for a in ACCURACIES] + ([("difference", c) for c in CHANGES] if of_test else [])
        for kind, shares in cases:
            for alike in ALIKE:
                found = coverage(sizes, shares, alike, count, all_ways=of_test)
                about = {
                    "kind": kind,
                    "group": name,
                    "databases": len(sizes),
                    "items": int(sum(sizes)),
                    "shares": shares,
                    "alike": alike,
                }
                rows += [about | {"way": way, "worlds": count, **result} for way, result in found.items()]
        print(table(rows).xs(name, level="group").to_string(header=name == "all"), f"({name})", flush=True)
    rows = [{k: None if isinstance(v, float) and np.isnan(v) else v for k, v in row.items()} for row in rows]
    write_atomically(RESULTS, json.dumps(rows, indent=0) + "\n")


if __name__ == "__main__":
    main()
