"""How a batch is sent: what its caller may choose."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Final, Protocol

import attrs

from ..calls.parsing.asking import Wanted
from ..errors import InvalidRequestError
from ..policy.spending import Budget
from ..types.requests.numbers import integer_in

HELD_SECONDS: Final = 0.05
"""So long rows wait before they look again whether what is in flight has left something of the budget."""


class RateLimiter(Protocol):
    """Keeps batches to a number of requests a minute, for servers that limit that. ``aiolimiter.AsyncLimiter`` is one.

    It is an async context manager. A batch enters it before each sending, also before a repeated one, and leaves it
    before the request goes out. So it has to wait while it is entered; a semaphore would limit nothing. Batches of one
    event loop can share one. It knows nothing of what other processes send.
    """

    async def __aenter__(self) -> object: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> bool | None: ...


def _at_least(least: int, *, optional: bool = False) -> Callable[[object, Any, object], None]:
    def check(_: object, attribute: Any, value: object) -> None:
        if optional and value is None:
            return
        if (number := integer_in(value)) is None or number < least:
            allowed = f"an integer of at least {least}" + (", or None" if optional else "")
            raise InvalidRequestError(attribute.name, value, allowed)

    return check


@attrs.frozen(kw_only=True)
class SendingRules:
    """How a batch is sent.

    Attributes:
        max_concurrency: Requests in flight at once; ``None``: as many as the server lets in, up to the documented
            2,500. The limit is learned either way, and never grows past this.
        max_attempts: How often a row is sent at most. Refusals (429) do not count.
        window: Rows in flight, or done and not yet taken; as ``max_concurrency`` if ``None``.
        warmup: Rows of each distinct prompt prefix that go ahead of the others of that prefix; 0: none.
        rate_limiter: Entered before each sending.
        ahead: Rows that may be pulled and marked before there is a slot for them, so that no slot waits for the disk.
        hold: Asked before each sending: seconds until rows may be sent; 0: now. ``None``: always now.
        wanted: What every answer is to be; ``None``: as it comes.
        budget: What pays for all of it; ``None``: nothing limits it but the client's, if that has one.
        most_now: Asked before each sending: how many rows may be in flight at present. ``None``: as many as otherwise.

    Raises:
        InvalidRequestError: A value is out of range.
    """

    max_concurrency: int | None = attrs.field(default=None, validator=_at_least(1, optional=True))
    max_attempts: int = attrs.field(default=8, validator=_at_least(1))
    window: int | None = attrs.field(default=None, validator=_at_least(1, optional=True))
    warmup: int = attrs.field(default=0, validator=_at_least(0))
    ahead: int = 0
    rate_limiter: RateLimiter | None = attrs.field(default=None)
    hold: Callable[[], float] | None = None
    wanted: Wanted[Any] | None = None
    budget: Budget | None = attrs.field(default=None)
    most_now: Callable[[], int] | None = None

    @budget.validator
    def _check_budget(self, _: object, value: object) -> None:
        if value is not None and not isinstance(value, Budget):
            raise InvalidRequestError("budget", None, f"a Budget or None, not {type(value).__name__}")

    @rate_limiter.validator
    def _check_rate_limiter(self, _: object, value: object) -> None:
        if value is not None and not isinstance(value, AbstractAsyncContextManager):
            allowed = "an async context manager, such as aiolimiter.AsyncLimiter, or None"
            raise InvalidRequestError("rate_limiter", None, f"{allowed}, not {type(value).__name__}")
