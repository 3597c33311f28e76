"""How much may be spent, over many calls. Pure: the time is an argument."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ..errors import BudgetExceededError, InvalidRequestError
from ..types import Usage
from ..types.prices import CURRENCIES, Price, checked_days, checked_prices, cost_of, price_of
from ..types.requests.numbers import amount_in, integer_in, integer_or_same
from ..types.structs import knows_its_names

_ZERO = Decimal(0)


@knows_its_names
class Budget:
    """A limit of money or tokens, shared by all that are given it: calls, tool runs, conversations, batches, clients.

    Nothing is cut off: what was sent comes to its end and is paid for. What would be sent after the budget is used up
    is refused with `BudgetExceededError`, which tells what was spent. What is in flight counts meanwhile as it is
    expected: its prompt, estimated, and as long an answer as those before it had. So a budget is overspent by the last
    request, by answers that are longer than usual, and by the first ones, of which nothing is known.

    An answer that broke off counts as an estimate, from the request and from what arrived.

    Args:
        max_cost: In ``currency``: a `Decimal`, a number, or text such as ``"5.00"``; ``None``: no such limit.
        max_tokens: Prompt and answer together; ``None``: no such limit.
        currency: ``"USD"`` or ``"CNY"``.
        holidays: Chinese public holidays, as dates in China: they have no peak price.
        prices: The caller's own, by model, before the known ones. With ``max_cost`` every model asked needs a price.

    Attributes:
        spent: Money so far, estimates included.
        estimated: The part of it that is an estimate: answers that broke off, or whose server tells no usage.
        tokens: Tokens so far, estimates included.
        unpriced: Answers whose model has no known price.

    Raises:
        InvalidRequestError: A value is out of range, or no limit is set.
    """

    def __init__(
        self,
        *,
        max_cost: Decimal | str | float | None = None,
        max_tokens: int | None = None,
        currency: str = "USD",
        holidays: Collection[date] = (),
        prices: Mapping[str, Price] | None = None,
    ) -> None:
        if max_cost is None and max_tokens is None:
            raise InvalidRequestError("budget", None, "max_cost, max_tokens, or both")
        if currency not in CURRENCIES:
            raise InvalidRequestError("currency", currency, " or ".join(map(repr, CURRENCIES)))
        max_tokens = integer_or_same(max_tokens)
        if max_tokens is not None and ((tokens := integer_in(max_tokens)) is None or tokens < 0):
            raise InvalidRequestError("max_tokens", max_tokens, "an integer of at least 0, or None")
        self.max_cost: Decimal | None = _amount(max_cost)
        self.max_tokens = max_tokens
        self.currency = currency
        self.spent: Decimal = _ZERO
        self.estimated: Decimal = _ZERO
        self.tokens: int = 0
        self.unpriced: int = 0
        self._held_cost = _ZERO
        self._held_tokens = 0
        self._experience = _Experience()
        self._holidays = checked_days(holidays)
        self._prices = checked_prices(prices)

    @property
    def answers(self) -> int:
        """Answers whose usage was told."""
        return self._experience.answers

    @property
    def is_used_up(self) -> bool:
        """Whether nothing more may be sent."""
        if self.max_cost is not None and self.spent >= self.max_cost:
            return True
        return self.max_tokens is not None and self.tokens >= self.max_tokens

    @property
    def is_held(self) -> bool:
        """Whether something is left, and held for what is in flight."""
        if self.is_used_up:
            return False
        if self.max_cost is not None and self.spent + self._held_cost >= self.max_cost:
            return True
        return self.max_tokens is not None and self.tokens + self._held_tokens >= self.max_tokens

    def check(self, model: str, at: datetime) -> None:
        """Whether a request may go out.

        Args:
            model: As the request names it.
            at: When it would be sent.

        Raises:
            BudgetExceededError: The budget is used up, or will be by what is in flight.
            InvalidRequestError: ``max_cost`` is set, and the model's price is not known: it would count as nothing.
        """
        if self.is_used_up:
            raise BudgetExceededError(f"the budget is used up: {self}", spent=self.spent, tokens=self.tokens)
        if self.max_cost is not None and price_of(model, at, **self._priced) is None:
            wanted = f"a price for model {model!r}: prices={{{model!r}: Price(…)}}"
            raise InvalidRequestError("budget", None, wanted)
        if self.is_held:
            held = f"{_shown(self._held_cost)} {self.currency}, {self._held_tokens:,} tokens"
            message = f"the rest of the budget is held for what is in flight: {self}, about {held} in flight"
            raise BudgetExceededError(message, spent=self.spent, tokens=self.tokens, is_held=True)

    def expects(self, prompt_tokens: int, max_tokens: int | None = None) -> Usage:
        """What a request will take, as far as those before it tell.

        Args:
            prompt_tokens: Estimated.
            max_tokens: The request's own limit of its answer.
        """
        return self._experience.expects(prompt_tokens, max_tokens)

    def hold(self, expected: Usage, model: str, at: datetime) -> Callable[[], None]:
        """Hold back what a request in flight will take. Returns what gives it back, once."""
        cost = cost_of(expected, model, at, **self._priced) or _ZERO
        self._held_cost += cost
        self._held_tokens += expected.total_tokens

        def release() -> None:
            self._held_cost -= cost
            self._held_tokens -= expected.total_tokens

        return release

    def learn(self, usage: Usage, prompt_tokens: int) -> None:
        """Take what an answer told of its usage, beside what was estimated of its prompt."""
        self._experience.learn(usage, prompt_tokens)

    def charge(
        self, usage: Usage, model: str, at: datetime, *, is_estimate: bool = False, asked: str | None = None
    ) -> Decimal | None:
        """Count what was used.

        Args:
            usage: Token counts of one answer.
            model: As the answer names it.
            at: When the request was sent.
            is_estimate: Whether the counts are estimated.
            asked: As the request named the model; its price holds where the answer's name has none.

        Returns:
            The cost; ``None`` where no price is known.
        """
        self.tokens += usage.total_tokens or usage.prompt_tokens + usage.completion_tokens
        cost = cost_of(usage, model, at, **self._priced)
        if cost is None and asked is not None:
            cost = cost_of(usage, asked, at, **self._priced)
        if cost is None:
            self.unpriced += 1
            return None
        self.spent += cost
        if is_estimate:
            self.estimated += cost
        return cost

    @property
    def _priced(self) -> dict[str, Any]:
        return {"currency": self.currency, "holidays": self._holidays, "prices": self._prices}

    def __str__(self) -> str:
        limits = []
        if self.max_cost is not None:
            about = f", {_shown(self.estimated)} of it estimated" if self.estimated else ""
            limits.append(f"{_shown(self.spent)} of {_shown(self.max_cost)} {self.currency} spent{about}")
        if self.max_tokens is not None:
            limits.append(f"{self.tokens:,} of {self.max_tokens:,} tokens used")
        return ", ".join(limits)

    def __repr__(self) -> str:
        return f"<Budget: {self}>" if hasattr(self, "max_cost") else "<Budget, not made>"


class _Experience:
    """What the answers so far tell of the next: how far estimates are off, what is cached, how long it is."""

    def __init__(self) -> None:
        self.answers = self._prompts = self._estimated = self._hits = self._completions = 0

    def learn(self, usage: Usage, prompt_tokens: int) -> None:
        self.answers += 1
        self._prompts += usage.prompt_tokens
        self._estimated += prompt_tokens
        self._hits += usage.cached_tokens or 0
        self._completions += usage.completion_tokens

    def expects(self, prompt_tokens: int, max_tokens: int | None) -> Usage:
        correction = self._prompts / self._estimated if self._prompts and self._estimated else 1.0
        prompt = round(prompt_tokens * correction)
        hits = round(prompt * self._hits / self._prompts) if self._prompts else 0
        answer = round(self._completions / self.answers) if self.answers else 0
        if max_tokens is not None:
            answer = min(answer, max_tokens)
        return Usage(prompt, answer, prompt + answer, prompt_cache_hit_tokens=hits)


def _shown(amount: Decimal) -> str:
    """Without zeros at the end."""
    return f"{amount.normalize():f}"


def _amount(given: Decimal | str | float | None) -> Decimal | None:
    amount = amount_in(given)
    if amount is None and given is not None:
        raise InvalidRequestError("max_cost", given, 'an amount of at least 0 as a number or text such as "5.00"')
    return amount
