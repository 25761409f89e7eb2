"""What `benchmarks.grpo_starts` measured: GRPO from a weaker and from a stronger start, over seeds."""

from __future__ import annotations

from collections.abc import Sequence

from forge_lib.evaluation.seeds import OverSeeds, difference_over_seeds

START = ("start", "tokens", "checks")  # what tells the answers of two starts apart
RUN = (*START, "steps", "prompts", "generations", "rate")  # and those of two runs of a seed
_OUTCOMES = ("correct", "valid")


def starts_table(rows: Sequence[dict]) -> str:
    """A table with a row for each start and size of a run, in Markdown: what it began with and what the runs gained.

    rows: of benchmarks/grpo_starts.jsonl, each the answers of the start itself (no seed) or of one seed's run.
    A difference is over the seeds, paired by question; runs of one seed alone have no row, and "" is returned where there
    is none.
    """
    lines = [_line(*both) for both in _compared(rows)]
    head = ["start", "rate", "steps", "answers a run", "minutes", "right before (%)", "gain (points)", "runs before (%)", "gain (points)"]  # fmt: skip
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *lines]) if lines else ""


def starts_sentences(rows: Sequence[dict]) -> list[str]:
    """For each row of the table, which way its intervals say that the answers went."""
    said = []
    for start, runs in _compared(rows):
        right, valid = (_way(_gain(start, runs, key)) for key in _OUTCOMES)
        said.append(
            f"From {_begun(start)} at rate {runs[0]['rate']:g}, over {len(runs)} seeds: {right} right answers, {valid} answers that run."
        )
    return said


def _compared(rows: Sequence[dict]) -> list[tuple[dict, list[dict]]]:
    """Each start with the runs of one size that began there, two at least."""
    starts = {_which(r, START): r for r in rows if r["seed"] is None}
    runs: dict[tuple, list[dict]] = {}
    for row in rows:
        if row["seed"] is not None:
            runs.setdefault(_which(row, RUN), []).append(row)
    return [(starts[_which(found[0], START)], found) for found in runs.values() if len(found) > 1]


def _way(gain: OverSeeds) -> str:
    return "more" if gain.low > 0 else "fewer" if gain.high < 0 else "no change shown in"


def _begun(start: dict) -> str:
    return f"{start['start']} SFT steps" if start["start"].isdigit() else "the course's adapter"


def _which(row: dict, keys: Sequence[str]) -> tuple:
    return tuple(row[key] for key in keys)


def _line(start: dict, runs: Sequence[dict]) -> list[str]:
    asked, first = start["validation"], runs[0]
    rollouts = sum(s["groups"] for r in runs for s in r["log"]) * first["generations"] / len(runs)
    minutes = sum(s["step_time"] for r in runs for s in r["log"]) / 60 / len(runs)
    cells = [_begun(start), f"{first['rate']:g}", str(first["steps"]), f"{rollouts:.0f}", f"{minutes:.0f}"]
    for key in _OUTCOMES:
        count = sum(v[key] for v in asked)
        cells += [f"{100 * count / len(asked):.1f} ({count} of {len(asked)})", _shown(_gain(start, runs, key))]
    return cells


def _gain(start: dict, runs: Sequence[dict], key: str) -> OverSeeds:
    """How much the runs gained in an outcome, over seeds and questions."""
    before, *after = ([v | {"correct": v[key]} for v in r["validation"]] for r in [start, *runs])
    return difference_over_seeds([before] * len(after), after)


def _shown(gain: OverSeeds) -> str:
    each = ", ".join(f"{m:+.1f}" for m in gain.means)
    return f"{gain.mean:+.1f} [{gain.low:+.1f}, {gain.high:+.1f}] ({each})"
