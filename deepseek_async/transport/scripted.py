"""A transport that plays scripts instead of moving bytes, for tests of anything that stands on the client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from ..errors import APIConnectionError
from ..types.structs import knows_its_names
from .base import HTTPRequest, Progress

if TYPE_CHECKING:
    from .base import Response


class Pause:
    """A place where the script waits: set `reached` tells that it has come there, `proceed.set()` lets it go on."""

    def __init__(self) -> None:
        self.reached: asyncio.Event = asyncio.Event()
        self.proceed: asyncio.Event = asyncio.Event()

    async def wait(self) -> None:
        """Tell that this place is reached, and wait until the test goes on."""
        self.reached.set()
        await self.proceed.wait()


Step = bytes | BaseException | Pause


@knows_its_names
@attrs.frozen
class Answer:
    """One scripted answer.

    Args:
        body: What the reads bring: bytes, a `Pause` to wait at, or an error to raise. The end follows by itself.
        status: HTTP status.
        headers: Names in lower case.
        before_connected, before_head: Steps to take earlier: pauses and errors only.
        reused: Whether the connection is said to have served a request before.
    """

    body: Sequence[Step] = ()
    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=lambda: {"content-type": "text/event-stream"}, hash=False)
    before_connected: Sequence[Step] = ()
    before_head: Sequence[Step] = ()
    reused: bool = False


@knows_its_names
class ScriptedTransport:
    """Plays one `Answer` (or raises one error) a request, in order.

    Attributes:
        requests: What was sent.
        responses: What was answered; each tells whether it `is_closed`.
    """

    def __init__(self, answers: Iterable[Answer | BaseException]) -> None:
        self._answers = list(answers)
        self.requests: list[HTTPRequest] = []
        self.responses: list[ScriptedResponse] = []
        self.is_closed: bool = False

    async def send(self, request: HTTPRequest, progress: Progress) -> Response:
        """Answer with the next of the script.

        Raises:
            APIConnectionError: It has no further answer, or the next one is a failure.
        """
        self.requests.append(request)
        if not self._answers:
            raise APIConnectionError("the script has no further answer", reason="unscripted")
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        if not answer.reused:
            progress.connecting()
        await _play(answer.before_connected)
        progress.connected(reused=answer.reused)
        await _play(answer.before_head)
        response = ScriptedResponse(answer)
        self.responses.append(response)
        return response

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.is_closed = True


class ScriptedResponse:
    """The answer of one `Answer`."""

    def __init__(self, answer: Answer) -> None:
        self.status: int = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self._steps = list(answer.body)
        self.is_closed: bool = False
        self.was_read_to_its_end: bool = False
        self._closing = asyncio.Event()

    async def receive(self) -> bytes:
        while self._steps:
            step = self._steps[0]
            if isinstance(step, Pause):
                await self._wait(step)
                self._steps.pop(0)
                continue
            if isinstance(step, BaseException):
                raise step
            self._steps.pop(0)
            if step:
                return step
        self.was_read_to_its_end = True
        return b""

    async def _wait(self, pause: Pause) -> None:
        waiting = {asyncio.ensure_future(pause.wait()), asyncio.ensure_future(self._closing.wait())}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        if self.is_closed:
            raise APIConnectionError("the connection was closed")

    @property
    def is_at_end(self) -> bool:
        return self.was_read_to_its_end

    def close(self) -> None:
        self.is_closed = True
        self._closing.set()


async def _play(steps: Sequence[Step]) -> None:
    for step in steps:
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, Pause):
            await step.wait()
