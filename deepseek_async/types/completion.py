"""The whole answer, streamed or not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import attrs

from ..errors import name_ours
from .logprobs import ChoiceLogprobs
from .messages import AssistantMessage
from .usage import Usage
from .values import Brief, Document, extra_field

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal

    from .prices import Price


class FinishReason:
    """The documented reasons. An open set: other servers send words of their own, kept as they are."""

    STOP: Final = "stop"
    LENGTH: Final = "length"
    CONTENT_FILTER: Final = "content_filter"
    TOOL_CALLS: Final = "tool_calls"
    INSUFFICIENT_SYSTEM_RESOURCE: Final = "insufficient_system_resource"
    ABORTED: Final = "aborted"


@attrs.frozen(repr=False)
class Choice(Document):
    """One of the answers (in practice the only one)."""

    index: int = 0
    message: AssistantMessage = AssistantMessage()
    logprobs: ChoiceLogprobs | None = None
    finish_reason: str | None = None
    extra: Mapping[str, Any] = extra_field()


@attrs.frozen(repr=False)
class ChatCompletion(Document):
    """The answer to a chat request.

    The law of reassembly: for one and the same answer, the completion folded from a stream equals the one that came
    in one piece, field for field.

    Attributes:
        id: The server's id of the answer.
        created: Unix seconds.
        model: The model that answered; it may differ from the one asked for (an alias).
        choices: The answers; conveniences (`text`, `reasoning`, …) read the first.
        usage: Token counts; ``None`` where the server sent none.
        complete: Whether the server finished the answer. False for a snapshot and for an error's ``partial``.
        request_id: The server's id of the request (DeepSeek's ``x-ds-trace-id``); not compared.
        estimated_usage: Token counts of an answer that broke off, or was continued after it had, as far as the server
            told none: estimated from the request and from what arrived. ``None``: nothing is estimated. Not compared.
    """

    id: str = ""
    created: int = 0
    model: str = ""
    choices: tuple[Choice, ...] = ()
    usage: Usage | None = None
    system_fingerprint: str | None = None
    object: str = "chat.completion"
    complete: bool = attrs.field(default=True, kw_only=True)
    request_id: str | None = attrs.field(default=None, eq=False, kw_only=True)
    estimated_usage: Usage | None = attrs.field(default=None, eq=False, kw_only=True)
    extra: Mapping[str, Any] = extra_field()

    @property
    def text(self) -> str:
        """The content of choice 0; ``""`` where there is none."""
        return self.message.content or ""

    @property
    def reasoning(self) -> str:
        """The reasoning of choice 0; ``""`` where there is none."""
        return self.message.reasoning_content or ""

    @property
    def message(self) -> AssistantMessage:
        """The message of choice 0, ready to go back into ``messages``."""
        return self.choices[0].message if self.choices else AssistantMessage()

    @property
    def finish_reason(self) -> str | None:
        """Why choice 0 ended; see `FinishReason`."""
        return self.choices[0].finish_reason if self.choices else None

    @property
    def logprobs(self) -> ChoiceLogprobs | None:
        """The tokens of choice 0."""
        return self.choices[0].logprobs if self.choices else None

    @property
    def cost_is_estimate(self) -> bool:
        """Whether `cost` counts what the server did not tell; see ``estimated_usage``."""
        return self.estimated_usage is not None

    def cost(
        self,
        at: datetime | None = None,
        *,
        currency: str = "USD",
        holidays: Collection[date] = (),
        prices: Mapping[str, Price] | None = None,
    ) -> Decimal | None:
        """What this answer cost; see `prices.cost_of`.

        Args:
            at: When the request was sent; ``None``: when the answer was ``created``.
            currency: ``"USD"`` or ``"CNY"``.
            holidays: Chinese public holidays, as dates in China: they have no peak.
            prices: The caller's own, by model, before the known ones.

        Returns:
            Money, exact; ``None`` where no usage came, or where the model's price at that time is not known. Of an
            answer that broke off an estimate, which `cost_is_estimate` tells.

        Raises:
            InvalidRequestError: A currency that is not known, or a time without time zone.
        """
        from datetime import UTC, datetime  # with decimal, more to import than all of our values together

        from .prices import cost_of

        usage = self.usage if self.estimated_usage is None else self.estimated_usage
        if usage is None:
            return None
        at = datetime.fromtimestamp(self.created, UTC) if at is None else at
        return cost_of(usage, self.model, at, currency=currency, holidays=holidays, prices=prices)


T = TypeVar("T")


@attrs.frozen(repr=False)
class ParsedChatCompletion(Brief, Generic[T]):
    """An answer structured into a type of the caller's.

    Attributes:
        parsed: The value.
        completion: The answer it was read from, the last of ``attempts``.
        attempts: How many answers were asked for until one fitted.
        usage: Token counts of all attempts together.
        mode: How it was asked for: ``"tool"`` or ``"json"``.
        fallback: Why not by a strict function, where that was wished for or could have been; else ``""``.
    """

    parsed: T
    completion: ChatCompletion
    attempts: int = 1
    usage: Usage | None = None
    mode: str = "json"
    fallback: str = ""


name_ours(
    ChatCompletion, {"content": ".text, or .message.content", "reasoning_content": ".reasoning", "tokens": ".usage"}
)
name_ours(Choice, {"text": ".message.content", "content": ".message.content", "tool_calls": ".message.tool_calls"})
name_ours(Choice, {"delta": ".message; a chunk of a stream has deltas"})
