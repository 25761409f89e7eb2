"""What right answers cost: a machine by the hour against an API by the token, with one account of utilisation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forge_lib.evaluation.intervals import cluster_interval
from forge_lib.evaluation.statistics import contexts

_HOURS_A_MONTH = 730.0  # 365.25 days · 24 hours / 12


@dataclass(frozen=True)
class Machine:
    """A machine that is paid by the hour, whether it answers or waits. `busy` is the one account of that, used throughout."""

    per_hour: float  # dollars an hour, power included
    busy: float  # share of the paid hours spent answering, above 0 and up to 1; assumed, see where you will run it
    source: str  # where the price is from and of what day it is, or "assumed"

    def __post_init__(self):
        if not self.per_hour >= 0 or not 0 < self.busy <= 1:
            raise ValueError(
                f"A machine of {self.per_hour} dollars an hour, busy for the share {self.busy}, is none: give a price that "
                "is not negative, and a share above 0 and up to 1."
            )

    def per_call(self, seconds: float) -> float:
        """Dollars for an answer that keeps the machine for `seconds`, the waiting it has to pay for included.

        >>> round(Machine(1.0, 0.5, "assumed").per_call(3.6), 6)
        0.002
        """
        return self.per_hour * seconds / 3600 / self.busy

    def a_month(self, calls: float, seconds: float) -> float:
        """Dollars a month for `calls` answers of `seconds` each: whole machines, one at least, rented all the month."""
        return max(1, math.ceil(calls / self.capacity(seconds) - 1e-9)) * self.per_hour * _HOURS_A_MONTH

    def capacity(self, seconds: float) -> float:
        """Answers of `seconds` each that one machine gives in a month, at the share of time that it is busy."""
        return math.inf if not seconds else self.busy * _HOURS_A_MONTH * 3600 / seconds


def bought(price: float, years: float, watts: float, per_kwh: float, busy: float, source: str) -> Machine:
    """A machine of one's own as one that is paid by the hour: its price over its years, and its power.

    price: dollars; years: of use until it is worth nothing; watts: while it answers, a third of them while it waits
    (servers idle at 20 to 50% of their peak: Barroso & Hölzle 2007, https://doi.org/10.1109/MC.2007.443); per_kwh:
    dollars. Raises ValueError for a life of no time, and for numbers that are negative.

    >>> round(bought(876.6, 10, 0, 0.3, 0.5, "assumed").per_hour, 3)
    0.01
    """
    if not years > 0 or min(price, watts, per_kwh) < 0:
        raise ValueError(
            "A bought machine has years of use above 0, and a price, watts and a price of power that are not negative."
        )
    power = watts * (busy + (1 - busy) / 3) / 1000 * per_kwh
    return Machine(price / (years * 12 * _HOURS_A_MONTH) + power, busy, source)


@dataclass(frozen=True)
class Tariff:
    """An API that is paid by the token; waiting costs nothing."""

    per_million_in: float  # dollars per million tokens of the prompt
    per_million_out: float  # dollars per million tokens of the answer, reasoning included
    source: str  # whose price list, and of what day

    def per_call(self, tokens_in: float, tokens_out: float) -> float:
        """Dollars for an answer.

        >>> round(Tariff(0.25, 2.0, "assumed").per_call(240, 300), 5)
        0.00066
        """
        return (tokens_in * self.per_million_in + tokens_out * self.per_million_out) / 1e6


@dataclass(frozen=True)
class Offer:
    """A way to have questions answered: what it gets right, and what an answer costs."""

    name: str
    right: float  # percent of the questions; nan where it was not scored
    low: float  # 95% interval of `right`
    high: float
    runs_and_wrong: float  # percent that run and are wrong: the errors that nobody sees
    tokens_in: float  # a question, mean
    tokens_out: float
    seconds: float  # an answer keeps the machine, or the asker, so long
    price: Machine | Tariff

    @property
    def per_1000(self) -> float:
        """Dollars for 1,000 answers, right or wrong."""
        local = isinstance(self.price, Machine)
        return 1000 * (
            self.price.per_call(self.seconds) if local else self.price.per_call(self.tokens_in, self.tokens_out)
        )

    @property
    def per_1000_right(self) -> float:
        """Dollars for 1,000 right answers: infinite where none is, nan where nobody scored it."""
        return self.per_1000 / (self.right / 100) if self.right else math.inf

    def a_month(self, calls: float) -> float:
        """Dollars a month for so many calls."""
        return (
            self.price.a_month(calls, self.seconds) if isinstance(self.price, Machine) else calls * self.per_1000 / 1000
        )


def offer(records: Sequence[dict], price: Machine | Tariff, name: str = "", seconds: float | None = None) -> Offer:
    """An offer from the records of an evaluation.

    seconds: an answer, where not the records' mean (which for a local model is its share of a batch): for one person who
    asks, the time of a question alone. Raises ValueError for no records.
    """
    if not records:
        raise ValueError("There is no answer to price: evaluate a contender first.")
    low, high = cluster_interval([r["correct"] for r in records], contexts(records))

    def mean(of) -> float:
        return float(np.mean([of(r) for r in records]))

    return Offer(
        name or records[0]["contender"], 100 * mean(lambda r: r["correct"]), 100 * low, 100 * high,
        100 * mean(lambda r: r["valid"] and not r["correct"]), mean(lambda r: r["prompt_tokens"]),
        mean(lambda r: r["completion_tokens"]), mean(lambda r: r["seconds"]) if seconds is None else seconds, price,
    )  # fmt: skip


def break_even(local: Offer, api: Offer, by: str = "answers") -> float | None:
    """Calls a month from which the local machine, paid all the month, is the cheaper; None where it never is.

    by "answers" the two are taken as equally good; by "right answers" the API's calls are counted only as far as they give
    as many right answers. A machine that is full before it has paid for itself never does: neither do two.

    >>> machine, tariff = Machine(0.09, 0.5, "assumed"), Tariff(0.25, 2.0, "assumed")
    >>> local = Offer("tuned", 30, 25, 35, 30, 240, 38, 2.0, machine)
    >>> round(break_even(local, Offer("API", 80, 75, 85, 10, 240, 300, 2.0, tariff)))
    99545
    """
    if by not in ("answers", "right answers"):
        raise ValueError(f"by is {by!r}; it is 'answers' or 'right answers'.")
    worth = 1.0 if by == "answers" else local.right / api.right if api.right else math.inf
    saved = worth * api.per_1000 / 1000  # by each call that the machine takes
    calls = local.a_month(0) / saved if saved else math.inf
    return calls if calls <= local.price.capacity(local.seconds) else None


def offer_table(offers: Sequence[Offer]) -> pd.DataFrame:
    """The offers side by side: quality, tokens, time, dollars per 1,000 answers and per 1,000 right ones with its interval."""
    rows = []
    for o in offers:
        known = not math.isnan(o.right)
        ends = [o.per_1000 / (share / 100) if share else math.inf for share in (o.high, o.low)]
        rows.append(
            {"offer": o.name, "right (%)": f"{o.right:.1f} [{o.low:.1f}, {o.high:.1f}]" if known else "not run",
             "runs and wrong (%)": round(o.runs_and_wrong, 1), "tokens in": round(o.tokens_in), "tokens out": round(o.tokens_out),
             "seconds": round(o.seconds, 2), "$ per 1,000": round(o.per_1000, 4),
             "$ per 1,000 right": f"{o.per_1000_right:.3f} [{ends[0]:.3f}, {ends[1]:.3f}]" if known else "not run",
             "price": o.price.source}
        )  # fmt: skip
    return pd.DataFrame(rows).set_index("offer")


def cost_by_volume(offers: Sequence[Offer], ax, most: float | None = None):
    """Dollars a month over questions a month, on log axes; a step is one machine more. Returns the `ax`.

    most: the right end of the axis; else ten times the largest break-even volume, or a machine's capacity.
    """
    from forge_lib.lab.figures import COLOURS

    machines = [o for o in offers if isinstance(o.price, Machine) and o.seconds]
    found = [v for m in machines for o in offers if isinstance(o.price, Tariff) and (v := break_even(m, o))]
    most = most or 10 * max([*found, *(m.price.capacity(m.seconds) for m in machines if not found)], default=1e5)
    calls = np.geomspace(most / 1e4, most, 400)
    for n, o in enumerate(offers):
        ax.plot(calls, [o.a_month(c) for c in calls], color=COLOURS[n % len(COLOURS)], label=o.name)
    for volume in found:
        ax.axvline(volume, color="#999999", linestyle=":", linewidth=1)
        ax.annotate(f" {volume:,.0f}", (volume, 0.02), xycoords=("data", "axes fraction"), fontsize=8)
    ax.set(xscale="log", yscale="log", xlabel="questions a month", ylabel="dollars a month")
    ax.legend()
    return ax


def right_pick(tuned: Offer, base: Offer, api: Offer) -> list[str]:
    """When is the tuned model the right pick, and when is it not: a sentence each, all of them from the numbers given."""
    said = []
    if tuned.low > base.high:
        said.append(
            f"It is not a matter of the prompt: {tuned.name} is right on {tuned.right:.1f}%, {base.name} on {base.right:.1f}%."
        )
    else:
        said.append(
            f"Stay with {base.name}: it is right on {base.right:.1f}% [{base.low:.1f}, {base.high:.1f}], and the intervals of the two "
            f"overlap ({tuned.name} {tuned.right:.1f}% [{tuned.low:.1f}, {tuned.high:.1f}])."
        )
    said.append(_by_volume(tuned, api))
    if math.isnan(api.right):
        said.append(f"How much more {api.name} gets right was not measured here: run it before you choose by price.")
    elif api.low > tuned.high:
        said.append(
            f"Where a wrong answer costs more than {_price_of_error(tuned, api):.4f} dollars, {api.name} is the right pick at any volume: it is "
            f"right on {api.right:.1f}%, {tuned.name} on {tuned.right:.1f}%."
        )
    else:
        said.append(
            f"{api.name} is not shown to be right more often ({api.right:.1f}% [{api.low:.1f}, {api.high:.1f}])."
        )
    said.append(
        f"Let nobody act on its answers unread: of those that run, {_wrong_of_running(tuned):.0f}% are wrong. It is the right "
        "pick where somebody checks, where data may not leave the house, or where there is no network."
    )
    return said


def _by_volume(tuned: Offer, api: Offer) -> str:
    volume = break_even(tuned, api)
    if volume is None:
        return (
            f"{tuned.name} does not pay by its price at any volume: an answer costs {tuned.per_1000 / 1000:.5f} dollars, {api.name}'s "
            f"{api.per_1000 / 1000:.5f}, and a machine is full before it has paid for itself."
        )
    return (
        f"By price alone it pays from {volume:,.0f} questions a month (one machine gives "
        f"{tuned.price.capacity(tuned.seconds):,.0f}); below that {api.name} is the cheaper."
    )


def _price_of_error(tuned: Offer, api: Offer) -> float:
    """Dollars a wrong answer must cost for the dearer, better offer to be the cheaper one all in all; 0 where it is cheaper anyhow."""
    return max(0.0, (api.per_1000 - tuned.per_1000) / 1000 / ((api.right - tuned.right) / 100))


def _wrong_of_running(o: Offer) -> float:
    running = o.right + o.runs_and_wrong
    return 100 * o.runs_and_wrong / running if running else 0.0


def for_who_pays(o: Offer) -> str:
    """One sentence for a person who pays: how many right, how many wrong but running, at what price.

    >>> machine = Machine(0.09, 0.5, "assumed")
    >>> print(for_who_pays(Offer("The tuned model", 30, 25, 35, 29, 240, 38, 0.2, machine)))
    Of 1,000 questions The tuned model answers 300 right (250 to 350), 290 wrong in a way that looks right (they run), and 410 not at all; all of them together cost 0.0100 dollars, 1,000 right ones 0.033.
    """
    runs, neither = 10 * o.runs_and_wrong, 10 * (100 - o.right - o.runs_and_wrong)
    return (
        f"Of 1,000 questions {o.name} answers {10 * o.right:.0f} right ({10 * o.low:.0f} to {10 * o.high:.0f}), {runs:.0f} wrong in a way "
        f"that looks right (they run), and {neither:.0f} not at all; all of them together cost {o.per_1000:.4f} dollars, "
        f"1,000 right ones {o.per_1000_right:.3f}."
    )
