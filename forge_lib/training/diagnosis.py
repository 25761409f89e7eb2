"""What the log of a GRPO run says, in sentences; and when there is no use in going on."""

from __future__ import annotations

from collections.abc import Sequence

_SILENT = 0.5  # share of groups that teach nothing, from which on it is worth a sentence
_FLAT = 0.05  # nats a token, below which all answers of a group are much the same
_FAR = 0.5  # nats a token from the SFT model: what SFT taught is being left
_CUT = 0.2  # share of tokens without gradient because of the clip
_UNFINISHED = 0.25  # share of answers that hit the limit
_MOST = 0.5  # of them, from which on that is why groups are silent


def diagnose(log: Sequence[dict]) -> list[str]:
    """What is to be seen in the records of `run_grpo`, a sentence each, with what to do; none where nothing stands out.

    >>> step = {"reward": 0.0, "frac_reward_zero_std": 1.0, "entropy": 0.9, "kl": 0.0, "completions/clipped_ratio": 0.0,
    ...         "clip_ratio/region_mean": 0.0}
    >>> diagnose([step])[0]
    '100% of the groups were silent: all their answers earned the same, so they taught nothing.'
    """
    if not log:
        return ["The log is empty: no step was made."]
    found = []
    silent = _mean(log, "frac_reward_zero_std")
    if silent >= _SILENT:
        found += [
            f"{silent:.0%} of the groups were silent: all their answers earned the same, so they taught nothing.",
            _why_silent(log),
        ]
    cut = _mean(log, "completions/clipped_ratio")
    if cut >= _UNFINISHED and not (silent >= _SILENT and cut > _MOST):  # said already
        found.append(f"{cut:.0%} of the answers were cut at the limit of new tokens: raise max_new_tokens.")
    if log[0]["entropy"] >= _FLAT > log[-1]["entropy"]:
        found.append(
            f"Entropy fell from {log[0]['entropy']:.2f} to {log[-1]['entropy']:.2f} nats a token: the model says one thing "
            "only and explores no more. Raise epsilon_high or beta, or lower the learning rate."
        )
    if log[-1]["kl"] > _FAR:
        found.append(
            f"The model is {log[-1]['kl']:.2f} nats a token away from SFT, which is far: look at its answers for one that is "
            "always the same. Lower the learning rate or raise beta."
        )
    if (cut := _mean(log, "clip_ratio/region_mean")) > _CUT:
        found.append(f"{cut:.0%} of the tokens were beyond the clip and got no gradient: make fewer updates a batch.")
    found += _rise(log)
    if "stopped" in log[-1]:
        found.append(log[-1]["stopped"])
    return found


def stop_reason(log: Sequence[dict], patience: int) -> str | None:
    """Why a run should end now: none of its last `patience` steps had a group to learn from. Else None.

    >>> stop_reason([{"frac_reward_zero_std": 0.9}] * 9, 3) is None
    True
    """
    last = log[-patience:]
    if len(last) < patience or any(r["frac_reward_zero_std"] < 1 for r in last):
        return None
    return (
        f"The run ended at step {len(log)}: in the last {patience} steps every group was silent, so nothing was learnt. "
        + _why_silent(last)
    )


def _why_silent(log: Sequence[dict]) -> str:
    """The likeliest reason that answers of a group earn the same, and its mend."""
    reward, entropy = _mean(log, "reward"), _mean(log, "entropy")
    if _mean(log, "completions/clipped_ratio") > _MOST:
        return "Most answers were cut at the limit of new tokens, before they were complete: raise max_new_tokens."
    if reward < 0.02:
        return (
            "No answer earns anything: choose questions that the model gets right now and then (learnable), pay partial "
            "answers too, or train longer with SFT first."
        )
    if reward > 0.98:
        return (
            "All answers earn everything: these questions have nothing left to teach. Choose harder ones (learnable)."
        )
    if entropy < _FLAT:
        return (
            f"The answers are all alike (entropy {entropy:.2f} nats a token): start from an SFT model that was trained for "
            "fewer passes."
        )
    return (
        "The answers differ and their rewards do not: take more answers a group, a reward in finer steps, or questions "
        "with a pass rate between 0 and 1 (learnable)."
    )


def _rise(log: Sequence[dict]) -> list[str]:
    """A reward that is paid more and more, while the grade on the probe set falls, is being gamed."""
    probed = [r for r in log if "probe_reward" in r]
    if len(probed) < 4:
        return []
    half = len(probed) // 2
    first, second = probed[:half], probed[-half:]
    paid, grade = (_mean(second, key) - _mean(first, key) for key in ("reward", "probe_reward"))
    if paid > 0.05 and grade < -0.01:
        return [
            f"What is paid rose by {paid:.2f} while the grade on the probe set fell by {-grade:.2f}: the reward is being "
            "gamed. Read the answers that it pays best."
        ]
    return []


def _mean(log: Sequence[dict], key: str) -> float:
    return sum(r[key] for r in log) / len(log)
