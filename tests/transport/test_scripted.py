"""The transport that plays scripts: it does what it is told, and tells what it was asked."""

from __future__ import annotations

import asyncio

import pytest

from deepseek_async.errors import APIConnectionError
from deepseek_async.transport import Answer, HTTPRequest, Pause, ScriptedTransport

pytestmark = pytest.mark.anyio

KEY = "sk-0123456789abcdef"
REQUEST = HTTPRequest("POST", "http://h/chat", {"authorization": f"Bearer {KEY}"}, b"the prompt")


class Told:
    """A `Progress` that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def queued(self) -> None:
        self.said.append("queued")

    def connecting(self) -> None:
        self.said.append("connecting")

    def connected(self, *, reused: bool) -> None:
        self.said.append(f"connected, reused={reused}")


async def test_answers_come_in_order() -> None:
    """One a request; each read brings one step, and the end follows, as often as it is asked for."""
    transport = ScriptedTransport([Answer([b"a", b"", b"b"], 201, {"x": "1"}), Answer(reused=True)])
    told = Told()
    first = await transport.send(REQUEST, told)
    assert (first.status, dict(first.headers)) == (201, {"x": "1"})
    assert not first.is_at_end
    assert [await first.receive() for _ in range(4)] == [b"a", b"b", b"", b""]
    assert first.is_at_end
    second = await transport.send(REQUEST, told)
    assert await second.receive() == b""
    assert told.said == ["connecting", "connected, reused=False", "connected, reused=True"]
    assert transport.requests == [REQUEST, REQUEST]
    assert not transport.responses[0].is_closed
    first.close()
    first.close()
    assert transport.responses[0].is_closed
    await transport.aclose()
    assert transport.is_closed


async def test_errors_are_raised_where_they_stand() -> None:
    """Instead of an answer, before the connection, before the head, amid the body, and there again."""
    error = APIConnectionError("no")
    transport = ScriptedTransport(
        [error, Answer(before_connected=[error]), Answer(before_head=[error]), Answer([b"a", error])]
    )
    told = Told()
    for _ in range(3):
        with pytest.raises(APIConnectionError, match="no"):
            await transport.send(REQUEST, told)
    assert told.said == ["connecting", "connecting", "connected, reused=False"]
    response = await transport.send(REQUEST, told)
    assert await response.receive() == b"a"
    for _ in range(2):
        with pytest.raises(APIConnectionError, match="no"):
            await response.receive()


async def test_a_script_that_is_over_says_so() -> None:
    """A request too many is a failure of the test, not a hang."""
    with pytest.raises(APIConnectionError, match="no further answer") as raised:
        await ScriptedTransport([]).send(REQUEST, Told())
    assert not raised.value.retryable


async def test_a_pause_waits_to_be_let_on() -> None:
    """Before the head and amid the body; closing wakes whoever waits at it."""
    head, amid = Pause(), Pause()
    transport = ScriptedTransport([Answer([b"a", amid, b"b"], before_head=[head])])
    sending = asyncio.ensure_future(transport.send(REQUEST, Told()))
    await head.reached.wait()
    assert not sending.done()
    head.proceed.set()
    response = await sending
    assert await response.receive() == b"a"
    reading = asyncio.ensure_future(response.receive())
    await amid.reached.wait()
    assert not reading.done()
    response.close()
    with pytest.raises(APIConnectionError, match="closed"):
        await reading


async def test_a_pause_that_was_passed_is_passed() -> None:
    """The read that waited at it goes on to the next step."""
    amid = Pause()
    transport = ScriptedTransport([Answer([amid, b"b"])])
    response = await transport.send(REQUEST, Told())
    amid.proceed.set()
    assert await response.receive() == b"b"
    assert amid.reached.is_set()


def test_a_request_shows_neither_key_nor_body() -> None:
    """In a log or a failed assertion it tells its size and the names of its headers."""
    assert KEY not in repr(REQUEST)
    assert "the prompt" not in repr(REQUEST)
    assert "{authorization}" in repr(REQUEST)
    assert "<10 bytes>" in repr(REQUEST)
    assert "<0 bytes>" in repr(HTTPRequest("GET", "http://h", {}))
