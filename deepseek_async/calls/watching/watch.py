"""What is known of one call that somebody watches: clocks and counts, made into records and lines of the log.

A call that nobody watches has no `CallWatch`, so that it pays nothing for what is counted here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import attrs

from ...codec.answer import StreamedAnswer
from ...codec.folding.facts import AnswerFacts, facts_of
from ...errors import DeepSeekError, InvalidRequestError
from ...hooks import PLAIN, Hook, ask_hooks, call_hooks, is_coroutine
from ...hooks.intervals import ChunkIntervals, IntervalCounts
from ...hooks.records import (
    AttemptStarted,
    Connected,
    Content,
    Ended,
    FirstChunk,
    Held,
    RequestParameters,
    RetryScheduled,
)
from ...transport import HTTPRequest
from ...types import ChatCompletion, TextCompletion
from ...types.secrecy import in_one_line
from ..arguments.settings import headers_of
from .lines import attempt_line
from .parameters import parameters_in

_log = logging.getLogger("deepseek_async")


class CallWatch:
    """Whom a call and its attempts tell what happens to them.

    It has an attribute for each fact that a record or a line of the log tells.

    Args:
        hooks: The client's.
        client, call: Their numbers.
        model: As it was asked for.
        clock: The event loop's.

    Attributes:
        status: Of the present attempt, once its head has come.
        request: What was sent last, with the hooks' headers.
    """

    __slots__ = (
        "_attempt",
        "_begun_at",
        "_body",
        "_call",
        "_chunks",
        "_client",
        "_clock",
        "_connecting_at",
        "_first_chunk",
        "_hooks",
        "_intervals",
        "_is_line_due",
        "_model",
        "_parameters",
        "_queued_at",
        "_request_id",
        "_sent_at",
        "_started_at",
        "_waited",
        "_way",
        "request",
        "status",
    )

    def __init__(
        self, hooks: Sequence[Hook], client: int, call: int, model: str | None, clock: Callable[[], float]
    ) -> None:
        self._hooks = hooks
        self._client = client
        self._call = call
        self._model = model
        self._clock = clock
        self._begun_at = clock()
        self._body: bytes | None = None
        self._parameters: RequestParameters | None = None
        self.request: HTTPRequest | None = None
        self._is_line_due = False
        self._attempt = 0
        self._begin(0)

    def _begin(self, attempt: int) -> None:
        self._attempt = attempt
        self._started_at = self._clock()
        self._queued_at: float | None = None
        self._connecting_at: float | None = None
        self._sent_at = self._started_at
        self._way = "no connection"
        self._waited = 0.0
        self._chunks = 0
        self._first_chunk: float | None = None
        self._intervals: IntervalCounts | None = None  # until there is one
        self._request_id: str | None = None
        self.status: int | None = None

    # What a call tells.

    def begin_attempt(self, attempt: int, request: HTTPRequest) -> HTTPRequest:
        """An attempt begins. Returns its request with what the hooks add to its headers.

        Raises:
            InvalidRequestError: A hook returned a coroutine.
        """
        self._write_line("given up for another attempt")
        if request.body is not self._body or self.request is None:
            self._body, self._parameters = request.body, parameters_in(request.body)
        self._begin(attempt)
        added: dict[str, str] = {}
        if self._hooks:
            record = AttemptStarted(
                self._call, attempt, request.method, request.url, self._model, self._parameters, self._client
            )
            for hook, answer in ask_hooks(self._hooks, record):
                if is_coroutine(answer):
                    answer.close()
                    number = self._hooks.index(hook)
                    raise InvalidRequestError(f"hooks[{number}]", None, PLAIN)
                if isinstance(answer, Mapping):
                    added |= _checked(hook, answer)
        self.request = attrs.evolve(request, headers={**request.headers, **added}) if added else request
        self._is_line_due = True
        return self.request

    def hold(self, attempt: int, wait: float, why: str) -> None:
        """An attempt is about to wait for others' sake."""
        call_hooks(self._hooks, Held(self._call, attempt, wait, why, self._model, self._client))

    def schedule_retry(self, wait: float, error: DeepSeekError) -> None:
        """The attempt failed, and another follows."""
        self._write_line(f"failed ({type(error).__name__}: {error.message})")
        call_hooks(self._hooks, RetryScheduled(self._call, self._attempt, wait, error, self._client))

    def end(
        self,
        outcome: str,
        attempts: int,
        chunks: int,
        request_id: str | None,
        error: DeepSeekError | None,
        result: object,
        streamed: StreamedAnswer[Any, Any] | None,
    ) -> None:
        """The call is over; see `Call.end`."""
        self._request_id = self._request_id or request_id
        how = outcome if error is None else f"failed ({type(error).__name__}: {error.message})"
        if not self._is_line_due and _log.isEnabledFor(logging.DEBUG):
            with suppress(Exception):
                _log.debug(
                    "client %d, call %d %s, while no attempt was under way", self._client, self._call, in_one_line(how)
                )
        self._write_line(how)
        if not self._hooks:
            return
        whole = result[0] if isinstance(result, tuple) else result
        if whole is None and error is not None:
            whole = error.partial
        facts = (streamed.facts() if streamed is not None else facts_of(whole)) or AnswerFacts()
        if any(getattr(hook, "wants_content", False) is True for hook in self._hooks):
            self._show_content(streamed.snapshot() if streamed is not None else whole)
        call_hooks(
            self._hooks,
            Ended(
                call=self._call,
                attempts=attempts,
                outcome=outcome,
                elapsed=self._clock() - self._begun_at,
                chunks=chunks,
                request_id=request_id,
                error=error,
                model=self._model,
                status=self.status,
                usage=facts.usage,
                finish_reasons=facts.finish_reasons,
                response_id=facts.id or None,
                response_model=facts.model or None,
                first_chunk=self._first_chunk,
                intervals=ChunkIntervals() if self._intervals is None else self._intervals.frozen(),
                client=self._client,
            ),
        )

    def _show_content(self, answer: object) -> None:
        shown = answer if isinstance(answer, (ChatCompletion, TextCompletion)) else None
        record = Content(self._call, self.request.body if self.request is not None else None, shown, self._client)
        call_hooks([hook for hook in self._hooks if getattr(hook, "wants_content", False) is True], record)

    # What an attempt tells.

    def queued(self) -> None:
        self._queued_at = self._clock()

    def connecting(self) -> None:
        self._connecting_at = self._clock()

    def connected(self, *, reused: bool) -> None:
        now = self._sent_at = self._clock()
        connecting_at = now if self._connecting_at is None or reused else self._connecting_at
        free_at = now if self._connecting_at is None else self._connecting_at
        waited = 0.0 if self._queued_at is None else free_at - self._queued_at
        self._queued_at = self._connecting_at = None
        connecting = now - connecting_at
        self._way = "a kept connection" if reused else f"a new connection in {connecting:.3f} s"
        if waited:
            self._way += f" after {waited:.3f} s in the queue"
        call_hooks(self._hooks, Connected(self._call, self._attempt, waited, connecting, reused, self._client))

    def head(self, status: int, request_id: str | None) -> None:
        """The head of the answer has come."""
        self.status = status
        self._request_id = request_id
        self._waited = self._clock() - self._sent_at

    def begun(self, request_id: str | None) -> None:
        """The first byte of an answer in one piece has come."""
        self._tell_first(self._clock() - self._sent_at, request_id)

    def read(self, chunks: int, waited: float, request_id: str | None) -> None:
        """One read of a stream has ended, after so many seconds, and brought so many chunks."""
        self._waited += waited
        if not chunks:
            return
        if self._first_chunk is None:
            self._tell_first(self._waited, request_id)
            if chunks > 1:
                self._counts().add(0.0, chunks - 2)
        else:
            self._counts().add(self._waited, chunks - 1)
        self._waited = 0.0
        self._chunks += chunks

    def _counts(self) -> IntervalCounts:
        if self._intervals is None:
            self._intervals = IntervalCounts()
        return self._intervals

    def _tell_first(self, elapsed: float, request_id: str | None) -> None:
        self._first_chunk = elapsed
        call_hooks(self._hooks, FirstChunk(self._call, self._attempt, elapsed, request_id, self._client))

    # The log.

    def _write_line(self, outcome: str) -> None:
        """The attempt's line, once."""
        if not self._is_line_due:
            return
        self._is_line_due = False
        if _log.isEnabledFor(logging.DEBUG) and self.request is not None:
            with suppress(Exception):  # a handler may fail
                _log.debug(
                    "%s",
                    attempt_line(
                        self.request,
                        self._parameters,
                        model=self._model,
                        client=self._client,
                        call=self._call,
                        attempt=self._attempt,
                        status=self.status,
                        outcome=outcome,
                        elapsed=self._clock() - self._started_at,
                        way=self._way,
                        first_chunk=self._first_chunk,
                        chunks=self._chunks,
                        request_id=self._request_id,
                    ),
                )


def _checked(hook: Hook, answer: Any) -> dict[str, str]:
    """The headers that a hook adds; none, and a line in the log, if HTTP cannot carry them."""
    try:
        return headers_of(answer, "the headers of a hook")
    except InvalidRequestError as error:
        with suppress(Exception):
            _log.error("the hook %r returned headers that cannot be sent: %s", hook, error)
        return {}
