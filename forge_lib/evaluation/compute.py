"""Methods at equal compute: tokens and seconds that went in, beside the accuracy that came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

import pandas as pd

from forge_lib.evaluation.intervals import cluster_interval
from forge_lib.evaluation.metrics import accuracy
from forge_lib.evaluation.statistics import compare, contexts
from forge_lib.models.generate import Completion


@dataclass(frozen=True)
class Compute:
    """Tokens that went through the model, and the wall time (seconds) that it took. Sums of parts are sums.

    forward: read or written without a gradient; backward: those with one, their forward pass included
    """

    forward: int = 0
    backward: int = 0
    seconds: float = 0.0

    def __add__(self, other: Compute) -> Compute:
        return Compute(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def flops(self, parameters: int, lora: bool = True) -> float:
        """About 2·N a token forward, and 4·N or 6·N for one with a gradient: matrix products alone, N `parameters`.

        The frozen weights of LoRA need no gradient of their own, which spares a third. Kaplan et al. 2020,
        https://arxiv.org/abs/2001.08361, section 2.1.

        >>> Compute(forward=10, backward=10).flops(100)
        6000.0
        """
        return float(2 * parameters * self.forward + (4 if lora else 6) * parameters * self.backward)


def of_training(records: Sequence[dict], without_gradient: int = 0) -> Compute:
    """What training cost, by its records (`tokens`, `seconds`): logical tokens, as if every example had its own prefix.

    without_gradient: passes over every token beside the one that is learnt from: 0 for SFT and ORPO, 1 for the reference of
    DPO and IPO, 3 for KTO, whose mismatched answers go through policy and reference, too.

    >>> of_training([{"tokens": 100, "seconds": 2.0}], without_gradient=1)
    Compute(forward=100, backward=100, seconds=2.0)
    """
    tokens = sum(r["tokens"] for r in records)
    return Compute(without_gradient * tokens, tokens, float(sum(r["seconds"] for r in records)))


def of_grpo(records: Sequence[dict], prompts: int, answers: int, prompt_tokens: float) -> Compute:
    """What `run_grpo` cost, by its log: each answer is sampled, read by the reference and learnt from.

    prompts, answers: groups of a step (where a record does not say how many it sampled) and answers of a group;
    prompt_tokens: mean length. Where a run skips silent groups, these are sampled and nothing more.

    >>> of_grpo([{"completions/mean_length": 20.0, "step_time": 9.0}], 4, 8, 80)
    Compute(forward=6400, backward=3200, seconds=9.0)
    """
    total = Compute()
    for r in records:
        tokens = r.get("groups", prompts) * answers * (prompt_tokens + r["completions/mean_length"])
        learnt = tokens * (1 - r["frac_reward_zero_std"]) if "groups" in r else tokens
        total += Compute(round(tokens + learnt), round(learnt), r["step_time"])
    return total


def of_answers(answers: Sequence[Completion | dict]) -> Compute:
    """What answers (or their evaluation records) cost: logical tokens of prompts and answers, and seconds.

    >>> of_answers([Completion("SELECT 1", 50, 5, 0.5, True)])
    Compute(forward=55, backward=0, seconds=0.5)
    """
    rows = [a if isinstance(a, dict) else vars(a) for a in answers]
    tokens = sum(r["prompt_tokens"] + r["completion_tokens"] for r in rows)
    return Compute(tokens, 0, float(sum(r["seconds"] for r in rows)))


def compute_table(
    results: Mapping[str, tuple[Compute, Sequence[dict]]], parameters: int, baseline: str = "SFT", lora: bool = True
) -> pd.DataFrame:
    """A row a method: what making it cost, what an answer costs, accuracy with its 95% interval, paired difference to `baseline`.

    results: name: (what it took beyond the baseline, samples that were mined or rolled out included; evaluation records of its
    answers, whose `seconds` and tokens are those of all samples behind one, as `vote` counts them). `of the dearest` says how
    equal the compute is: the cost in the unit of `Compute.flops`, percent of the largest.

    Raises ValueError where the baseline is missing, and where two methods did not answer the same items.
    """
    if baseline not in results:
        raise ValueError(f"There is no '{baseline}' to compare with. Add its records, or name another baseline.")
    flops = {name: cost.flops(parameters, lora) for name, (cost, _) in results.items()}
    most = max(flops.values()) or 1.0
    rows = {}
    for name, (cost, records) in results.items():
        asked, right = of_answers(records), [r["correct"] for r in records]
        low, high = cluster_interval(right, contexts(records))
        row = {
            "forward tokens": cost.forward, "backward tokens": cost.backward, "minutes": cost.seconds / 60,
            "PFLOP": flops[name] / 1e15, "of the dearest": 100 * flops[name] / most,
            "tokens an answer": asked.forward / len(records), "s/question": asked.seconds / len(records),
            "accuracy": f"{100 * accuracy(records):.1f} [{100 * low:.1f}, {100 * high:.1f}]",
        }  # fmt: skip
        if name != baseline:
            found = compare(results[baseline][1], records)
            row |= {f"against {baseline}": f"{found.difference:+.1f} [{found.low:+.1f}, {found.high:+.1f}]",
                    "p (McNemar)": found.p_value}  # fmt: skip
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")
