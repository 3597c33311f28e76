"""How one request of a batch ended, as a value: failures do not stop the others."""

from __future__ import annotations

from typing import Any

import attrs

from ..errors import APITimeoutError, DeepSeekError, RateLimitError
from ..types import ChatCompletion, ChatRequest, Usage
from ..types.values import Brief


@attrs.frozen(repr=False)
class Succeeded(Brief):
    """A request that was answered.

    Attributes:
        custom_id: The caller's id of the request; ``row-N`` where it has none, N counting from 1.
        request: What was asked; ``None`` only where the outcome was read back from an output, which does not hold it.
        completion: The answer.
        attempts: How many times it was sent, this one included. Refusals (429) do not count: they are free.
        latency: Seconds from the last sending to the end of the answer.
        parsed: The answer as a value of the batch's ``response_type``; ``None`` if none was given.
        usage: Token counts of all answers that the row took: of those that did not fit, too.
    """

    custom_id: str
    request: ChatRequest | None
    completion: ChatCompletion
    attempts: int = 1
    latency: float = 0.0
    parsed: Any = None
    usage: Usage | None = attrs.field(kw_only=True)

    @usage.default
    def _usage_of_completion(self) -> Usage | None:
        return self.completion.usage


@attrs.frozen(repr=False)
class Failed(Brief):
    """A request that was not answered, or could not be sent.

    Attributes:
        custom_id: As in `Succeeded`.
        request: What was asked; ``None`` if that could not be made out (a line that is no JSON, a value out of range).
        error: The last attempt's error; `InvalidRequestError` if nothing was sent.
        attempts: How many times it was sent; 0 if never.
    """

    custom_id: str
    request: ChatRequest | None
    error: DeepSeekError
    attempts: int = 0

    @property
    def is_permanent(self) -> bool:
        """Whether sending the same request another day cannot help; a resumed run does not try again then.

        After a timeout it can, though no attempt follows by itself: the work may have been billed. So it can when a
        quota was used up.
        """
        return not (self.error.retryable or isinstance(self.error, (APITimeoutError, RateLimitError)))


Outcome = Succeeded | Failed
