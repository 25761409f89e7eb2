"""What asking an endpoint costs: prices from a dated table or by hand, an account, a limit that is not passed."""

from __future__ import annotations

import importlib.metadata
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from forge_lib.models.endpoint import EndpointError, Reply


class SpendingLimit(EndpointError):
    """The next question could pass the limit in dollars; what was answered so far is kept."""


@dataclass(frozen=True)
class Price:
    """What tokens cost, and where that is known from.

    charge: (tokens in, tokens out, those of the tokens in that the vendor had cached) -> dollars
    """

    charge: Callable[[int, int, int], float]
    source: str


def price_by_hand(dollars_in: float, dollars_out: float) -> Price:
    """A price in dollars per million tokens in and out; 0 and 0 for a server of one's own.

    Raises EndpointError for what is no price.

    >>> price_by_hand(0.25, 2).charge(1_000_000, 100_000, 0)
    0.45
    """
    if not all(math.isfinite(p) and p >= 0 for p in (dollars_in, dollars_out)):
        raise EndpointError(
            f"{dollars_in:g} and {dollars_out:g} are no prices. Give dollars per million tokens, 0 or more, for in and out."
        )
    return Price(
        lambda tokens_in, tokens_out, _: (tokens_in * dollars_in + tokens_out * dollars_out) / 1e6,
        f"given by hand: {dollars_in:g} and {dollars_out:g} dollars per million tokens in and out",
    )


def table_price(model: str, address: str) -> Price | None:
    """The price of a model at a vendor's address in genai-prices' bundled table; None where the table has none.

    The table comes with the package and nothing is fetched. A model is never priced by its name alone: another
    address that serves it asks another price, or none. Source: https://github.com/pydantic/genai-prices

    >>> table_price("gpt-5-mini", "http://localhost:8000/v1") is None
    True
    """
    try:
        from genai_prices import Usage, calc_price
    except ModuleNotFoundError:  # Python 3.10
        return None

    def charge(tokens_in: int, tokens_out: int, cached: int) -> float:
        usage = Usage(input_tokens=tokens_in, output_tokens=tokens_out, cache_read_tokens=min(cached, tokens_in))
        return float(calc_price(usage, model, provider_api_url=address).total_price)

    try:
        charge(1, 1, 0)
    except LookupError:
        return None
    return Price(charge, f"genai-prices {importlib.metadata.version('genai-prices')}, newest change {table_date()}")


def table_date(today: date | None = None) -> date:
    """The newest day from which a price of genai-prices' bundled table counts, today at the latest.

    The package names no date of its own; prices that are announced for later are left out.
    """
    from genai_prices.data import providers

    parts = [m.prices for p in providers for m in p.models if isinstance(m.prices, list)]
    days = [getattr(part.constraint, "start_date", None) for prices in parts for part in prices]
    return max(day for day in days if day and day <= (today or date.today()))


@dataclass
class Account:
    """What was asked of an endpoint and what it cost, with a limit; several threads may use one.

    price: None where it is unknown, and then no sum is ever given; limit: dollars, for what is paid now and what was
    paid `before` (the answers that a file already holds). Tokens and dollars are those of this account's own questions.
    Raises EndpointError for a limit that is none, or that no price could keep.
    """

    price: Price | None = None
    limit: float | None = None
    asked: int = 0
    from_disk: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cached: int = 0  # of tokens_in, as the vendor says
    uncounted: int = 0  # tries that may have been charged and named no tokens: they stand with their most
    dollars: float = 0.0
    before: float = 0.0
    seconds: float = 0.0  # summed over the answers, also where several came at once
    _held: float = field(default=0.0, repr=False)  # for tries that are under way
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def __post_init__(self):
        if self.limit is None:
            return
        if not (math.isfinite(self.limit) and self.limit > 0):
            raise EndpointError(f"A limit of {self.limit:g} dollars lets nothing be asked. Give one above 0.")
        if self.price is None:
            raise EndpointError(
                "The price of this model at this address is unknown, so no limit in dollars can be kept. Give its price by "
                "hand (dollars per million tokens in and out; 0 and 0 for a server of your own), or no limit."
            )

    def hold(self, most_in: int, most_out: int) -> float:
        """Set aside the most that one try can cost. Raises SpendingLimit where that could pass the limit."""
        if self.price is None:
            return 0.0
        most = self.price.charge(most_in, most_out, 0)
        with self._lock:
            spent = self.before + self.dollars + self._held
            if self.limit is not None and spent + most > self.limit:
                raise SpendingLimit(
                    f"Stopped before the limit of {_dollars(self.limit)}: {_dollars(self.before + self.dollars)} are spent, "
                    f"{_dollars(self._held)} set aside for questions under way, and the next may cost {_dollars(most)}. "
                    "Give a higher limit to go on; what was answered is kept and not asked again."
                )
            self._held += most
        return most

    def release(self, held: float) -> None:
        """Give back what was set aside for a try that the server refused and does not charge."""
        with self._lock:
            self._held -= held

    def settle(self, held: list[float], reply: Reply | None) -> None:
        """Book a question that has ended: of the tries that may have been charged the last by its reply, all others by
        what was set aside for them."""
        with self._lock:
            self._held -= sum(held)
            lost = held if reply is None else held[:-1]
            self.uncounted += len(lost)
            self.dollars += sum(lost)
            if reply is None:
                return
            self.asked += 1
            self.seconds += reply.seconds
            self.tokens_in += reply.prompt_tokens
            self.tokens_out += reply.completion_tokens
            self.cached += reply.cached_tokens
            if not reply.prompt_tokens:  # no prompt has none: this server does not count
                self.uncounted += 1
                self.dollars += sum(held[-1:])
            elif self.price:
                self.dollars += self._charge(reply)

    def carry(self, replies: list[Reply]) -> None:
        """Count answers that were paid for before, so that the limit holds over several sittings."""
        with self._lock:
            self.before += sum(map(self._charge, replies))

    def found(self) -> None:
        """Count an answer that was there already."""
        with self._lock:
            self.from_disk += 1

    def _charge(self, reply: Reply) -> float:
        return (
            self.price.charge(reply.prompt_tokens, reply.completion_tokens, reply.cached_tokens) if self.price else 0.0
        )

    def __str__(self) -> str:
        cost = "price unknown"
        if self.price:
            most = f", {self.uncounted} tries without a count at their most" if self.uncounted else ""
            before = f" and {_dollars(self.before)} before" if self.before else ""
            cost = f"{_dollars(self.dollars)}{before} ({self.price.source}{most})"
        return (
            f"{self.asked} asked, {self.from_disk} from disk; {self.tokens_in:,} tokens in ({self.cached:,} of them cached), "
            f"{self.tokens_out:,} out; {cost}; {self.seconds:.1f} s of answers."
        )


def _dollars(amount: float) -> str:
    return f"${amount:.4f}" if amount < 0.1 else f"${amount:.2f}"
