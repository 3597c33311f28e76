"""Frames of the chunked transfer coding, read past aiohttp's parser: the same bytes, however they are cut."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import ClientConnectionError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepseek_async.errors import APIConnectionError
from deepseek_async.transport.network.answer import NetworkAnswer
from deepseek_async.transport.network.direct import READING
from deepseek_async.transport.network.direct_answer import DirectAnswer
from deepseek_async.transport.network.frames import Boundaries, body_in, boundaries_behind_head
from deepseek_async.transport.network.protocol import AnswerProtocol

from ..byte_server import LAST_CHUNK, STREAM_HEAD

pytestmark = pytest.mark.anyio
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

BODIES = st.lists(
    st.binary(min_size=1, max_size=40) | st.sampled_from([b"\r\n", b"1\r\na\r\n", b"0\r\n\r\n", b"x" * 300])
)
FORMATS = [b"%x", b"%X", b"%04x"]  # servers pad it, too: that is left to aiohttp


def frame(data: bytes, size: bytes = b"%x") -> bytes:
    return b"%b\r\n%b\r\n" % (size % len(data), data)


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(place % (len(data) + 1) for place in at)})
    return [data[start:end] for start, end in pairwise(places)]


@given(BODIES, st.sampled_from(FORMATS[:2]))
def test_whole_frames(bodies: list[bytes], size: bytes) -> None:
    """What is in them, one after the other."""
    assert body_in(b"".join(frame(body, size) for body in bodies)) == (b"".join(bodies) or None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x001\r\n",
        b"\x00" + b"a" * 18 + b"\r\n",
        b"\x00" * 260 + b"\r\n",
        b"0\r\n\r\n",
        b"3\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabcd\r\n",
        b"3\r\nabc\n\n",
        b"4\r\nabc\r\n",
        b"3;a=b\r\nabc\r\n",
        b"3 \r\nabc\r\n",
        b"03\r\nabc\r\n",
        b"0x3\r\nabc\r\n",
        b"+3\r\nabc\r\n",
        b"1_0\r\n0123456789abcdef\r\n",
        b"3\nabc\n",
        b"-3\r\nabc\r\n",
        b"\r\nabc\r\n",
        b"ffffffff\r\nabc\r\n",
        b"3\r\nabc\r\n3\r\nab",
        b"3\r\nabc\r\n3",
        "\u0663\r\nabc\r\n".encode(),
    ],
)
def test_what_is_left_to_the_parser(data: bytes) -> None:
    """The last frame, extensions, zeros and signs before a size, another end of a line, a size that is wrong."""
    assert body_in(data) is None


@pytest.mark.parametrize("length", [*range(1, 40), *range(255, 270), *range(4096, 4112)])
def test_reads_of_any_length(length: int) -> None:
    """Some are those of no single frame, and whatever they begin with, they are none."""
    for begin in (b"\x00", b"\r\n", b"0", b"a", b"%x\r\n" % length, b"%x" % length):
        data = begin.ljust(length, b"a")[: max(length - 2, 0)] + b"\r\n"
        assert body_in(data) is None


@given(BODIES, st.lists(st.integers(0, 2000), max_size=20), st.sampled_from(FORMATS))
def test_boundaries(bodies: list[bytes], at: list[int], size: bytes) -> None:
    """A read that ends with a frame is known for one, and no other is; but not where sizes are written oddly."""
    framed = [frame(body, size) for body in bodies]
    ends = {sum(map(len, framed[:count])) for count in range(len(framed) + 1)}
    boundaries, read = Boundaries(), 0
    for data in cut(b"".join(framed), at):
        boundaries.pass_by(data)
        read += len(data)
        assert not boundaries.is_at_one or boundaries.are_known
        if size != b"%04x":
            assert boundaries.are_known
            assert boundaries.is_at_one == (read in ends)
        elif boundaries.is_at_one:
            assert read in ends


@pytest.mark.parametrize(
    "frames", [b"3\r\nabc\n", b"3\r\nabc\n13\r\n" + b"x" * 19, b"3\r\nabcd\r\n", b"3\r\nabc\r\r\n"]
)
def test_a_frame_that_does_not_end_with_crlf(frames: bytes) -> None:
    """aiohttp may take it (LF alone): where the next one begins is not known from there on, however it is cut."""
    for at in range(len(frames)):
        boundaries = Boundaries()
        boundaries.pass_by(frames[:at])
        boundaries.pass_by(frames[at:])
        boundaries.pass_by(b"1\r\na\r\n")
        assert not boundaries.is_at_one
        assert not boundaries.are_known


@pytest.mark.parametrize(
    "heard",
    [
        b"",
        STREAM_HEAD[:-2],
        STREAM_HEAD[3:],
        b"HTTP/1.1 200 OK\nx: y\n\n3\r\n\r\n\r\n\r\n",
        STREAM_HEAD + b"3;x=y\r\nabc\r\n",
    ],
)
def test_a_head_whose_end_is_not_certain(heard: bytes) -> None:
    """Then nothing goes past the parser."""
    assert boundaries_behind_head(heard) is None


class Transport(asyncio.Transport):
    """Of asyncio's, what aiohttp asks of one."""

    def __init__(self) -> None:
        super().__init__()
        self.is_reading_now = True

    def write(self, data: Any) -> None: ...
    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.is_reading_now = False

    def resume_reading(self) -> None:
        self.is_reading_now = True

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None: ...
    def abort(self) -> None: ...


class Connected:
    """Of aiohttp's `Connection`, what an answer asks of it."""

    def __init__(self, protocol: AnswerProtocol) -> None:
        self.protocol, self.transport = protocol, protocol.transport
        self.is_released = self.closed = False

    def release(self) -> None:
        self.is_released = True

    def close(self) -> None:
        self.closed = True


class Open:
    closed = False


async def begun(*reads: bytes) -> tuple[AnswerProtocol, NetworkAnswer, DirectAnswer]:
    """A protocol that has read the head and what came with it, and its answer."""
    protocol = AnswerProtocol(asyncio.get_running_loop())
    protocol.connection_made(Transport())
    protocol.set_response_params(**READING)
    protocol.expect()
    for data in reads:
        protocol.data_received(data)
    head, content = await protocol.read()
    connection: Any = Connected(protocol)
    loop = asyncio.get_running_loop()
    direct = DirectAnswer(loop, connection, head, content, is_long=False, protocol=protocol)
    session: Any = Open()
    return protocol, NetworkAnswer(direct, session, set()), direct


async def turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def received(answer: NetworkAnswer) -> list[bytes]:
    reads = []
    while data := await answer.receive():
        reads.append(data)
    return reads


@given(
    BODIES,
    st.lists(st.integers(0, 2000), max_size=12),
    st.sampled_from(FORMATS),
    st.lists(st.integers(0, 3), max_size=12),
    st.booleans(),
)
@FEW
async def test_any_frames_cut_anywhere(
    bodies: list[bytes], at: list[int], size: bytes, turns: list[int], is_headed: bool
) -> None:
    """The bytes are the same, whether the reader waits or is late, and at their end the connection is free."""
    body = b"".join(frame(data, size) for data in bodies) + LAST_CHUNK
    first, reads = (STREAM_HEAD, cut(body, at)) if is_headed else (STREAM_HEAD + body[:7], cut(body[7:], at))
    protocol, answer, direct = await begun(first)
    connection: Any = direct.connection
    reading = asyncio.ensure_future(received(answer))
    for data in reads:
        if turns.pop() if turns else 1:
            await turn()
        protocol.data_received(data)
    assert b"".join(await reading) == b"".join(bodies)
    assert answer.is_at_end
    assert await answer.receive() == b""
    assert protocol.answer is None
    assert not protocol.should_close
    assert connection is None or connection.is_released


async def test_what_is_whole_goes_past_the_parser() -> None:
    """aiohttp's reader sees none of it; and sees all that nobody waits for."""
    protocol, answer, direct = await begun(STREAM_HEAD)
    for number in range(3):
        reading = asyncio.ensure_future(answer.receive())
        await turn()
        protocol.data_received(frame(b"event %d" % number))
        assert await reading == b"event %d" % number
    assert direct.content.total_bytes == 0
    protocol.data_received(frame(b"nobody"))
    assert direct.content.total_bytes == 6
    assert await answer.receive() == b"nobody"
    reading = asyncio.ensure_future(answer.receive())
    await turn()
    protocol.data_received(frame(b"again") + frame(b"more"))
    assert await reading == b"againmore"
    assert direct.content.total_bytes == 6


async def test_a_reader_that_is_cancelled_loses_nothing() -> None:
    """Neither what came before it, nor what came in the same turn, nor what comes after."""
    protocol, answer, _ = await begun(STREAM_HEAD)
    for number in range(3):
        reading = asyncio.ensure_future(answer.receive())
        await turn()
        if number == 0:
            reading.cancel()
            protocol.data_received(frame(b"a"))
        elif number == 1:
            protocol.data_received(frame(b"b"))
            reading.cancel()
        else:
            reading.cancel()
            await turn()
            protocol.data_received(frame(b"c"))
        await asyncio.wait([reading])
        assert reading.cancelled()
        assert not answer.is_at_end
        protocol.data_received(frame(b"d"))
        wanted = b"%cd" % b"abc"[number]
        got = b""
        while len(got) < 2:
            got += await answer.receive()
        assert got == wanted
    protocol.data_received(LAST_CHUNK)
    assert await answer.receive() == b""


async def test_one_reader_at_a_time() -> None:
    """As with aiohttp's."""
    protocol, answer, _ = await begun(STREAM_HEAD)
    reading = asyncio.ensure_future(answer.receive())
    await turn()
    with pytest.raises(RuntimeError, match="already waiting"):
        await answer.receive()
    protocol.data_received(frame(b"a"))
    assert await reading == b"a"


@pytest.mark.parametrize(
    "end",
    [
        lambda protocol, answer, direct: protocol.connection_lost(None),
        lambda protocol, answer, direct: protocol.connection_lost(ConnectionResetError()),
        lambda protocol, answer, direct: protocol.data_received(b"zz\r\n"),
        lambda protocol, answer, direct: direct.content.set_exception(ClientConnectionError("x")) or direct.look(),
        lambda protocol, answer, direct: answer.lose(),
        lambda protocol, answer, direct: answer.close(),
        lambda protocol, answer, direct: answer.break_off(),
    ],
)
@pytest.mark.parametrize("is_waiting", [False, True])
async def test_every_end_reaches_whoever_waits(end: Callable[..., object], *, is_waiting: bool) -> None:
    """A connection that breaks or is closed, a frame that is none: an error, and never a wait without end."""
    protocol, answer, direct = await begun(STREAM_HEAD, frame(b"a"))
    assert await answer.receive() == b"a"
    if is_waiting:
        reading = asyncio.ensure_future(answer.receive())
        await turn()
        end(protocol, answer, direct)
    else:
        end(protocol, answer, direct)
        reading = asyncio.ensure_future(answer.receive())
    await turn()
    if not reading.done():  # aiohttp closes the transport at what is no frame: the loss of it is the news
        protocol.connection_lost(None)
        await turn()
    with pytest.raises(APIConnectionError):
        await asyncio.wait_for(reading, 1)


async def test_what_had_come_before_a_break_is_read_first() -> None:
    """As it always is."""
    protocol, answer, _ = await begun(STREAM_HEAD)
    protocol.data_received(frame(b"a"))
    protocol.data_received(frame(b"b")[:-3])
    protocol.connection_lost(ConnectionResetError())
    assert await answer.receive() == b"a"
    with pytest.raises(APIConnectionError):
        await answer.receive()


async def test_a_slow_reader_holds_the_connection_back() -> None:
    """More than it takes is not read; it is read on once it is taken, and nothing overtakes it."""
    protocol, answer, direct = await begun(STREAM_HEAD)
    transport: Any = protocol.transport
    large = b"x" * 2**16
    sent = 0
    while transport.is_reading_now:
        protocol.data_received(frame(large))
        sent += 1
        assert sent < 100
    protocol.data_received(frame(b"last"))  # was under way
    reads = []
    while sum(map(len, reads)) < sent * len(large) + 4:
        reads.append(await answer.receive())
    assert transport.is_reading_now
    assert b"".join(reads) == large * sent + b"last"
    reading = asyncio.ensure_future(answer.receive())
    await turn()
    before = direct.content.total_bytes
    protocol.data_received(frame(b"quick"))
    assert await reading == b"quick"
    assert direct.content.total_bytes == before


async def test_a_pause_at_the_end_of_a_frame_holds_nothing_back_later() -> None:
    """aiohttp pauses at so many small frames, too, and its parser heeds that amid the next frame that it sees: the
    last one, behind which nothing would make it go on."""
    protocol, answer, _ = await begun(STREAM_HEAD)
    transport: Any = protocol.transport
    sent = 0
    while transport.is_reading_now:
        protocol.data_received(frame(b"x"))
        sent += 1
        assert sent < 100_000
    while sent:
        sent -= len(await answer.receive())
    reading = asyncio.ensure_future(answer.receive())
    await turn()
    protocol.data_received(frame(b"quick"))
    assert await reading == b"quick"
    protocol.data_received(frame(b"slow") + LAST_CHUNK)
    assert await answer.receive() == b"slow"
    assert await asyncio.wait_for(answer.receive(), 1) == b""


async def test_a_buffer_of_the_loops_is_handed_on_as_bytes() -> None:
    """asyncio on Windows hands over bytearrays."""
    protocol, answer, _ = await begun(STREAM_HEAD)
    reading = asyncio.ensure_future(answer.receive())
    await turn()
    data: Any = bytearray(frame(b"abc"))
    protocol.data_received(data)
    assert type(await reading) is bytes


async def test_what_was_inflated_is_not_lost_with_its_reader() -> None:
    """Whenever that is cancelled."""
    body = gzip.compress(b"a")
    for turns in range(6):
        protocol, answer, _ = await begun(STREAM_HEAD.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n"))
        protocol.data_received(frame(body) + LAST_CHUNK)
        reading = asyncio.ensure_future(answer.receive())
        for _ in range(turns):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        assert (b"" if reading.cancelled() else reading.result()) + b"".join(await received(answer)) == b"a"
