"""What one call takes from its budgets: asked before each of its attempts, told how each ended. Pure.

| an attempt | the budgets |
| --- | --- |
| is to begin | hold back what it will take, or refuse it |
| ended, and its usage was told | are charged by that |
| ended with an answer whose usage was not told, or broke off, or may have been read | are charged an estimate |
| ended otherwise: it was refused, nobody saw it | are charged nothing |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from ..types import Usage
from .spending import Budget


class Meter:
    """The meter of one call.

    Args:
        budgets: All of which have to do for it.
        model: Who is asked.
        prompt_tokens: Of the request, estimated.
        max_tokens: The request's own limit of its answer.
    """

    def __init__(self, budgets: Sequence[Budget], model: str, prompt_tokens: int, max_tokens: int | None) -> None:
        self._budgets = budgets
        self._model = model
        self._prompt_tokens = prompt_tokens
        self._max_tokens = max_tokens
        self._before = 0  # tokens of the parts of a continued answer that are paid for
        self._sent_at: datetime | None = None
        self._releases: list[Callable[[], None]] = []

    def begin(self, now: datetime) -> None:
        """An attempt is about to be sent.

        Raises:
            BudgetExceededError: A budget is used up, or will be by what is in flight.
            InvalidRequestError: The model has no known price, and a budget is of money.
        """
        prompt = self._prompt_tokens + self._before
        for budget in self._budgets:
            budget.check(self._model, now)
        self._releases = [
            budget.hold(budget.expects(prompt, self._max_tokens), self._model, now) for budget in self._budgets
        ]
        self._sent_at = now

    def settle(
        self, usage: Usage | None, answer_tokens: int, *, model: str = "", is_billed: bool = True, goes_on: bool = False
    ) -> None:
        """The attempt has ended. The first to say so is heard.

        Args:
            usage: As the server told it.
            answer_tokens: Of all that came of the answer so far, estimated.
            model: As the answer names it.
            is_billed: Whether a server may have read the request.
            goes_on: Whether a request follows that continues the answer.
        """
        sent_at, self._sent_at = self._sent_at, None
        if sent_at is None:
            return
        for release in self._releases:
            release()
        prompt = self._prompt_tokens + self._before
        if is_billed or usage is not None:
            counted = usage
            if counted is None:
                answer = max(answer_tokens - self._before, 0)
                counted = Usage(prompt, answer, prompt + answer)
            for budget in self._budgets:
                budget.charge(counted, model or self._model, sent_at, is_estimate=usage is None, asked=self._model)
                if usage is not None:
                    budget.learn(usage, prompt)
        if goes_on:
            self._before = answer_tokens
