"""A streamed answer of a given type: what is known of it while it comes, and the value when it has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from ...codec.structuring.growing import NOTHING, GrowingJSON
from ...codec.structuring.schemas import WRAPPED
from ...errors import DeepSeekError, refuse_sync
from ...types import ChatRequest, Delta, ParsedChatCompletion
from ..stream import ChatCompletionStream
from .asking import Ask, Asking, ask_until_it_fits

T = TypeVar("T")

_END_OF_THOUGHT: Final = "</think>"
# A state is a copy of what is open. Of a long answer one is made for so large a part of it, so that all of them
# together cost as much as reading it does.
_PARTS: Final = 4096


class ParsedStream(Generic[T]):
    """An answer of a given type, as it comes: single use, an async context manager; `stream_parse` makes it.

    Attributes:
        stream: The chunks underneath, once the request is on its way: its ``request_id``, ``headers``, `snapshot`.
    """

    def __init__(self, open_stream: Callable[[ChatRequest], ChatCompletionStream], ask: Ask, asking: Asking[T]) -> None:
        self._open_stream = open_stream
        self._ask = ask
        self._asking = asking
        self.stream: ChatCompletionStream = open_stream(asking.request)
        self._is_open = False
        self._parsed: ParsedChatCompletion[T] | None = None

    def partial_objects(self) -> PartialObjects:
        """The value as it grows: an async iterator of plain data (objects as dicts), each with more than the last.

        Texts grow by what comes; numbers are there when they are whole. A state stays as it was handed out. Nothing is
        checked yet, and nothing is converted: `parsed` does both at the end. Of long answers not every token makes a
        state of its own.
        """
        return PartialObjects(self)

    async def parsed(self) -> ParsedChatCompletion[T]:
        """Read what is left, and check the whole; an answer that does not fit is asked for again, in one piece.

        Raises:
            MalformedResponseError: No answer fitted.
            DeepSeekError: As `ChatCompletionStream.completion`.
        """
        if self._parsed is None:
            await self._open()
            try:
                completion = await self.stream.completion()
            except DeepSeekError as error:
                raise self._asking.completed(error)  # noqa: B904 - the same error, with what was paid for
            self._parsed = self._asking.take(completion)
            if self._parsed is None:
                self._parsed = await ask_until_it_fits(self._ask, self._asking)
        return self._parsed

    async def aclose(self) -> None:
        """Free the connection at once; also from another task."""
        await self.stream.aclose()

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _open(self) -> None:
        if self._is_open:
            return
        try:
            await self.stream.open()
        except DeepSeekError as error:
            if not self._asking.falls_back(error):
                raise
            await self.stream.aclose()
            self.stream = self._open_stream(self._asking.request)
            await self.stream.open()
        self._is_open = True

    async def _text(self, reading: Any) -> str | None:
        """The next piece of the text that holds the value; ``None``: there is no more."""
        try:
            delta: Delta = await anext(reading)
        except StopAsyncIteration:
            return None
        except DeepSeekError as error:
            raise self._asking.completed(error)  # noqa: B904 - the same error, with what was paid for
        return "".join(_texts_in(delta))


def _texts_in(delta: Delta) -> Iterator[str]:
    if delta.content:
        yield delta.content
    for call in delta.tool_calls or ():
        if not call.index and call.function is not None and call.function.arguments:
            yield call.function.arguments


class PartialObjects:
    """An async iterator over the states of a value while it comes."""

    def __init__(self, parsed: ParsedStream[Any]) -> None:
        self._parsed = parsed
        self._reading: Any = None
        self._growing = GrowingJSON()
        self._changes = 0
        self._tail = ""
        self._size = 0
        self._shown = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if self._reading is None:
            await self._parsed._open()  # noqa: SLF001 - two halves of one
            self._reading = self._parsed.stream.deltas()
        while True:
            text = await self._parsed._text(self._reading)  # noqa: SLF001
            if text is None:
                if self._growing.changes == self._changes:
                    raise StopAsyncIteration
            else:
                self._feed(text)
                if self._size - self._shown < self._size // _PARTS:
                    continue
                self._shown = self._size
            if self._growing.changes == self._changes:
                continue
            self._changes = self._growing.changes
            state = self._unwrapped(self._growing.snapshot())
            if state is not NOTHING:
                return state

    def _feed(self, text: str) -> None:
        self._size += len(text)
        before = self._tail + text
        _, end, after = before.rpartition(_END_OF_THOUGHT)
        if end:  # all before was thought aloud
            self._growing, self._changes, text = GrowingJSON(), 0, after
        self._tail = before[1 - len(_END_OF_THOUGHT) :]
        self._growing.feed(text)

    def _unwrapped(self, state: Any) -> Any:
        is_wrapped = self._parsed._asking.way.is_wrapped  # noqa: SLF001
        if not is_wrapped or not isinstance(state, dict):
            return state
        if state.keys() <= {WRAPPED}:
            return state.get(WRAPPED, NOTHING)
        return state


refuse_sync(ParsedStream)
refuse_sync(PartialObjects)
