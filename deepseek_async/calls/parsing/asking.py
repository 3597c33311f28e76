"""Ask until an answer is of the type, as long as asking again can help."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar, cast

import attrs

from ...codec.reading.bodies import summary_of
from ...codec.structuring import WRONG, Structuring, structuring_of
from ...codec.structuring.problems import listed
from ...errors import (
    BadRequestError,
    DeepSeekError,
    InvalidRequestError,
    MalformedResponseError,
    NotFoundError,
    UnprocessableEntityError,
)
from ...types import ChatCompletion, ChatRequest, ParsedChatCompletion, Usage
from ...types.requests.numbers import integer_in
from .refusals import StrictRefusals
from .ways import Mode, WayToAsk, way_for

T = TypeVar("T")

Ask = Callable[[ChatRequest], Awaitable[ChatCompletion]]

_MAX_SHOWN_PROBLEMS = 1000  # characters, in what is said to the model
_REFUSED = (BadRequestError, UnprocessableEntityError, NotFoundError)
# What ends an answer early, and would end it again.
_CUT = frozenset(("length", "content_filter"))


@attrs.frozen
class Wanted(Generic[T]):
    """What an answer is to be, and how often it may be asked for.

    Raises:
        InvalidRequestError: JSON cannot say the type, or ``attempts`` is no number of attempts.
    """

    response_type: Any
    attempts: int = 3
    mode: Mode = "auto"
    structuring: Structuring = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if (attempts := integer_in(self.attempts)) is None or attempts < 1:
            raise InvalidRequestError("attempts", self.attempts, "an integer of at least 1")
        object.__setattr__(self, "attempts", attempts)
        object.__setattr__(self, "structuring", structuring_of(self.response_type))


class Asking(Generic[T]):
    """The answers to one request, up to the one that fits: it says what to ask, and takes what came.

    It does no I/O: `ask_until_it_fits` asks for it, a stream and a batch in ways of their own.

    Attributes:
        request: What to ask for next.
        attempts: How many answers came.
        usage: Token counts of them all.
        problem: What was wrong with the last answer; ``None``: nothing.
    """

    def __init__(self, wanted: Wanted[T], request: ChatRequest, refusals: StrictRefusals) -> None:
        self._wanted = wanted
        self._plain = request
        self.attempts: int = 0
        self.usage: Usage | None = None
        self._refusals = refusals
        self.problem: MalformedResponseError | None = None
        self._last: ChatCompletion | None = None
        self.way: WayToAsk = way_for(wanted.structuring, request, wanted.mode, refusal=refusals.of(wanted.structuring))
        self.request: ChatRequest = self.way.request(request)

    def take(self, completion: ChatCompletion) -> ParsedChatCompletion[T] | None:
        """The value in an answer; ``None``: it does not fit, and `request` asks again with what was wrong.

        Raises:
            MalformedResponseError: It does not fit, and was the last, or one that asking again would not mend.
        """
        self.attempts += 1
        self._last = completion
        if completion.usage is not None:
            self.usage = completion.usage if self.usage is None else self.usage + completion.usage
        value, problem = self._read(completion)
        self.problem = problem
        if problem is None:
            return ParsedChatCompletion(
                cast(T, value), completion, self.attempts, self.usage, self.way.mode, self.way.fallback
            )
        if (cut := self._cut(completion)) is not None:
            raise self.completed(cut)
        if self.attempts >= self._wanted.attempts:
            raise self.completed(problem)
        said = self.way.correction(completion, problem.message.removeprefix("the answer: "))
        self.request = attrs.evolve(self.request, messages=(*self.request.messages, *said))
        return None

    def completed(self, error: DeepSeekError) -> DeepSeekError:
        """An error with what was asked and paid for before it."""
        error.attempts += self.attempts
        error.usage = self.usage
        if self._last is not None and error.partial is None:
            error.partial = self._last
            error.request_id = error.request_id or self._last.request_id
        return error

    def falls_back(self, error: DeepSeekError) -> bool:
        """Whether a refusal means that the server takes no strict functions: `request` then asks in JSON mode."""
        is_first = self.attempts == 0 and self._wanted.mode == "auto" and self.way.is_strict
        if not is_first or not isinstance(error, _REFUSED):
            return False
        refusal = self._refusals.learn(self._wanted.structuring, error)
        self.way = attrs.evolve(way_for(self._wanted.structuring, self._plain, "json", refusal=""), fallback=refusal)
        self.request = self.way.request(self._plain)
        return True

    def _read(self, completion: ChatCompletion) -> tuple[Any, MalformedResponseError | None]:
        text, reasoning = self.way.said_in(completion), completion.reasoning
        value, wrong = self._wanted.structuring.answers(is_strict=self.way.is_strict).read(text, reasoning)
        if value is not WRONG:
            return value, None
        if wrong:
            problem = listed(wrong, _MAX_SHOWN_PROBLEMS)
            return None, MalformedResponseError(f"the answer: {problem}", path=wrong[0].place, body=text)
        if not text.strip():
            return None, MalformedResponseError("the answer is empty")
        return None, MalformedResponseError(f"the answer is not JSON but {summary_of(text)}", body=text)

    def _cut(self, completion: ChatCompletion) -> MalformedResponseError | None:
        """An answer that broke off would break off again."""
        reason = completion.finish_reason
        if reason not in _CUT:
            return None
        if reason == "content_filter":
            return MalformedResponseError("the answer was cut by the server's content filter, and holds no whole value")
        limit = self._plain.max_tokens
        where = f"at max_tokens={limit}" if limit is not None else "at the server's own limit of tokens"
        count = completion.usage.completion_tokens if completion.usage is not None else None
        after = f" after {count} tokens" if count else ""
        advice = "raise max_tokens, or ask for less" + ("" if completion.text.strip() else ", or without thinking")
        return MalformedResponseError(
            f"the answer was cut {where}{after} (finish_reason: length), before its JSON was whole; {advice}",
            body=self.way.said_in(completion),
        )


async def ask_until_it_fits(ask: Ask, asking: Asking[T]) -> ParsedChatCompletion[T]:
    """Ask until an answer is of the type; see `ChatCompletions.parse`."""
    while True:
        try:
            completion = await ask(asking.request)
        except DeepSeekError as error:
            if asking.falls_back(error):
                continue
            raise asking.completed(error)  # noqa: B904 - the same error, with what was paid for before it
        if (parsed := asking.take(completion)) is not None:
            return parsed
