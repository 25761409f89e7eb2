"""Best of n: the answer that a reward model likes best, how often it is right, and where more choice makes it worse."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from forge_lib.evaluation.intervals import cluster_interval
from forge_lib.lab.figures import COLOURS


def best_of_n(rewards: Sequence[float], values: Sequence[float], n: int) -> float:
    """Expected value of the answer with the highest reward among n drawn, without putting back, from those that were made.

    rewards, values: (K,) of K answers; of equal rewards each wins as often. Exact, without draws: the answer at rank i
    (from 0) is the best of n where the others are worse, C(K-i-1, n-1) of C(K, n) times. values: right or not, or the
    rewards themselves. Raises ValueError where n is more than were made.

    >>> best_of_n([0.9, 0.5, 0.1], [0, 1, 1], 1), best_of_n([0.9, 0.5, 0.1], [0, 1, 1], 3)
    (0.6666666666666666, 0.0)
    """
    made = len(rewards)
    if not 1 <= n <= made:
        raise ValueError(f"n is {n}, and there are {made} answers a question; sample more, or ask for a smaller n.")
    reward, value = np.asarray(rewards, dtype=float), np.asarray(values, dtype=float)
    order = np.argsort(-reward, kind="stable")
    _, ties = np.unique(-reward[order], return_inverse=True)
    shared = np.bincount(ties, value[order]) / np.bincount(ties)  # the mean of each tie stands for all of it
    chances = [math.comb(made - rank - 1, n - 1) / math.comb(made, n) for rank in range(made)]
    return float(np.dot(chances, shared[ties]))


def best_of_n_kl(n: int) -> float:
    """How far best-of-n is from the sampler: KL ≤ log n - (n-1)/n nats, what Gao et al. 2022 plot against.

    A bound, reached where all answers differ (Beirami et al. 2024, https://arxiv.org/abs/2401.01879).

    >>> best_of_n_kl(1), round(best_of_n_kl(8), 2)
    (0.0, 1.2)
    """
    return math.log(n) - (n - 1) / n


def best_of_n_table(
    rewards: Sequence[Sequence[float]], correct: Sequence[Sequence[bool]], clusters: Sequence[Hashable],
    ns: Sequence[int] = (1, 2, 4, 8),
) -> pd.DataFrame:  # fmt: skip
    """For each n: KL (nats), the mean reward of what is chosen, and how often it is right (percent, 95% interval by cluster).

    rewards, correct: K answers of each item; clusters: the items' contexts. `n = 1` is the sampler, `any right` what a perfect
    reward would reach. Over-optimisation is a reward that rises while `right` no longer does (Gao et al. 2022,
    https://arxiv.org/abs/2210.10760). Raises ValueError for no items.

    >>> best_of_n_table([[2.0, 1.0]], [[False, True]], ["shop"], [1, 2])["right"].tolist()
    [50.0, 0.0]
    """
    if not len(rewards):
        raise ValueError("There is no item to choose an answer for.")
    rows = []
    for n in ns:
        right = [best_of_n(r, c, n) for r, c in zip(rewards, correct, strict=True)]
        low, high = cluster_interval(right, clusters)
        rows.append(
            {"n": n, "kl": best_of_n_kl(n), "reward": float(np.mean([best_of_n(r, r, n) for r in rewards])),
             "right": 100 * float(np.mean(right)), "low": 100 * low, "high": 100 * high,
             "any right": 100 * float(np.mean([best_of_n(c, c, n) for c in correct]))}
        )  # fmt: skip
    return pd.DataFrame(rows).set_index("n")


def overoptimisation(table: pd.DataFrame, ax):
    """How often the chosen answer is right, and its reward, over the distance from the sampler: `best_of_n_table` drawn."""
    ax.fill_between(table["kl"], table["low"], table["high"], color=COLOURS[0], alpha=0.15, linewidth=0)
    ax.plot(table["kl"], table["right"], "o-", color=COLOURS[0], label="right, chosen by reward (95% interval)")
    ax.plot(table["kl"], table["any right"], ":", color=COLOURS[6], label="right, chosen perfectly")
    other = ax.twinx()
    other.plot(table["kl"], table["reward"], "s--", color=COLOURS[1], label="reward of the chosen")
    other.set_ylabel("reward (of the reward model)")
    other.grid(False)
    ax.set(xlabel="distance from the sampler, at most (nats)", ylabel="execution accuracy (%)", ylim=(0, None))
    above = ax.secondary_xaxis("top")
    above.set_xticks(table["kl"], [f"{n:,}" for n in table.index])
    above.set_xlabel("answers to choose from (n)")
    lines = [*ax.get_lines(), *other.get_lines()]
    ax.legend(lines, [line.get_label() for line in lines], fontsize=8)
    return ax
