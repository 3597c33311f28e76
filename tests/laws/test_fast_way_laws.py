"""Every fast way gives what the slow one gives: the same bytes by both, in any cut.

The slow way of a stream's chunks is a reader that parses each payload leniently; that of HTTP's frames is aiohttp's own
parser.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import attrs
import msgspec
import pytest

from deepseek_async.codec.answer import Interrupted, StreamedAnswer
from deepseek_async.codec.dialects import CHAT, read_by
from deepseek_async.codec.reading.shapes import AnswerReader
from deepseek_async.codec.reading.shapes.documented import CHUNK
from deepseek_async.codec.reading.shapes.lessons import parsed_answer, read_slowly
from deepseek_async.errors import APIConnectionError
from deepseek_async.types import ChatCompletionChunk

from ..byte_server import LAST_CHUNK, STREAM_HEAD
from ..transport.test_frames import begun, turn

pytestmark = pytest.mark.anyio

# -- chunks --------------------------------------------------------------------------------------------------------


class SlowReader:
    """A stream's reader that takes each payload by itself and knows no shapes."""

    def __init__(self) -> None:
        self.slow_chunks = 0

    def read(self, payload: bytes) -> ChatCompletionChunk:
        self.slow_chunks += 1
        chunk: ChatCompletionChunk = read_slowly(parsed_answer(payload, CHUNK.what, is_whole=False), payload, CHUNK)
        return chunk

    def refrain(self, *_: object) -> None: ...

    def read_run(self, payloads: list[Any], start: int, chunks: list[ChatCompletionChunk], _: object = None, /) -> int:
        for number in range(start, len(payloads)):
            payload = payloads[number]
            if type(payload) is not bytes or not payload.startswith(b"{"):
                return number
            chunks.append(self.read(payload))
        return len(payloads)


_chat: Any = CHAT
SLOW: Any = msgspec.structs.replace(_chat, reader=SlowReader)


def told(reads: Sequence[bytes], dialect: Any, choices: int | None, *, is_taken: bool = False) -> list[Any]:
    answer: StreamedAnswer[Any, Any] = StreamedAnswer(dialect, choices=choices)
    delivered: list[Any] = []
    for data in reads:
        answer.receive_data(data)
        if is_taken:
            delivered += iter(answer.next_chunk, None)
    answer.receive_eof()
    answer.conclude()
    delivered += iter(answer.next_chunk, None)
    shown = [json.dumps(attrs.asdict(chunk), sort_keys=True) for chunk in delivered]
    end: list[Any] = [None]
    if isinstance(answer.end, Interrupted):
        error: Any = answer.end.error
        partial = None if error.partial is None else error.partial.to_dict()
        end = [type(error), str(error), getattr(error, "path", None), partial, repr(error.__cause__)]
    return [shown, answer.snapshot().to_dict(), end, answer.chunks, answer.keepalives, answer.state]


TEXTS = [
    "a",
    " the",
    "",
    "é\n",
    '\\"',
    "🤔",
    '","logprobs":null',
    '}}],"id":"x"',
    "\n\ndata: {}\n\n",
    "\x7f",
    "c1",
    "m",
]
BESIDE: list[dict[str, Any]] = [
    {},
    {"system_fingerprint": "fp", "usage": None},
    {"provider": "x", "n": 5},
    {"timings": {"n": 1}},
]


def payload(random_: random.Random, beside: dict[str, Any], text: str, **changes: Any) -> bytes:
    name = changes.pop("name", "content")
    choice = {"index": changes.pop("index", 0), "delta": {name: text}, "logprobs": None, "finish_reason": None}
    choice |= changes.pop("choice", {})
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunk = {**head, "choices": [choice], **beside, **changes}
    return json.dumps(chunk, ensure_ascii=random_.random() < 0.5, separators=(",", ":")).encode(errors="replace")


def nearly(random_: random.Random, beside: dict[str, Any], text: str) -> bytes:
    """A payload that is nearly like the others."""
    plain = payload(random_, beside, text)
    place = random_.randrange(len(plain))
    before, _, after = plain.partition(b'"delta":')
    odd = [
        *(b'"hello"', b'""', b"null", b"{}", b"[1]", b"[DONE]", b'{"error":{"message":"over"}}'),
        *(plain[:place], plain[place:], plain[:place] + plain[place + 1 :], plain + b"}", plain + b" ", b" " + plain),
        plain[:place] + random_.choice([b'"', b"\\", b"\xff", b"\x00", b"}", b","]) + plain[place:],
        plain[: plain.rindex(b'"}')] + b'"',
        before + b'"delta":{"content":"one"},' + b'"delta":' + after,
        plain.replace(b"c1", random_.choice([b"c2", b"", b"c3"]), 1),
        plain.replace(b'"content"', b'"c\\u006fntent"').replace(b"/", b"\\/"),
        payload(random_, beside, text, created=random_.choice([2, 1.5, 1.0, None, "1", True])),
        payload(random_, beside, text, index=1),
        payload(random_, beside, text, name="reasoning_content"),
        payload(random_, beside, text, choice={"finish_reason": random_.choice(["stop", "", "null", 5])}),
        payload(
            random_, beside, text, choice={"delta": {"content": random_.choice([None, 5, [], "\ud83e", "\udd14"])}}
        ),
        payload(random_, beside, text, choice={"logprobs": {"content": [{"token": "a", "logprob": -1}]}}),
        payload(random_, beside, text, usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}),
    ]
    return random_.choice(odd)


FRAMES = [
    *(b"data:%b\n\n", b"data: %b\r\n\r\n", b"data: %b\r\r", b": alive\n\ndata: %b\n\n", b"event: error\ndata: %b\n\n"),
    *(
        b"id: 5\ndata: %b\n\n",
        b"data: %b\n: c\n\n",
        b"data: %b\n\n\n",
        b"data:  %b\n\n",
        b"data: %b\n",
        b"x\ndata: %b\n\n",
    ),
]


@pytest.mark.parametrize("seed", range(12))
def test_chunks_that_are_nearly_alike(seed: int) -> None:
    """All at once, one event a read, cut anywhere: the same chunks, whole, end, error, partial and counts."""
    for number in range(25):
        random_ = random.Random(100 * seed + number)
        beside, share, choices = random_.choice(BESIDE), random_.choice([0, 0.05, 0.2]), random_.choice([1, 1, None, 2])
        events = []
        for _ in range(random_.randint(3, 24)):
            text = random_.choice(TEXTS)
            is_odd = random_.random() < share
            said = nearly(random_, beside, text) if is_odd else payload(random_, beside, text)
            events.append((random_.choice(FRAMES) if random_.random() < share / 2 else b"data: %b\n\n") % said)
        events += [
            b"data: %b\n\n" % payload(random_, beside, "", choice={"finish_reason": "stop"}),
            b"data: [DONE]\n\n",
        ]
        whole = b"".join(events)
        places = [0, *sorted(random_.randint(0, len(whole)) for _ in range(6)), len(whole)]
        cut = [whole[start:end] for start, end in pairwise(places) if start < end]
        expected = told([whole], SLOW, choices)
        assert told(events, SLOW, choices) == expected
        for reads in ([whole], events, cut):
            for is_taken in (False, True):
                assert told(reads, read_by(CHAT, AnswerReader()), choices, is_taken=is_taken) == expected


# -- frames --------------------------------------------------------------------------------------------------------

DATA = [
    b"data: x\n\n",
    b"\r\n",
    b"3\r\nabc\r\n",
    b"0\r\n\r\n",
    b"a",
    b"x" * 300,
    b"\r\n\r\n3\r\nabc\r\n",
    b"\n",
    b"13\r\n",
]
SIZES = [b"%x", b"%x", b"%x", b"%X", b"%04x", b"%x;a=b", b"%x "]
NO_FRAMES = [
    *(b"zz\r\nabc\r\n", b"-3\r\nabc\r\n", b"+3\r\nabc\r\n", b"1_0\r\nabcdefghijklmnop\r\n", b"f" * 18 + b"\r\nabc\r\n"),
    *(b"\r\n", b"3\r\nabcd\r\n", b"3\r\nabc\r\r\n", b"\x00", b"\x001\r\n", b"3\nabc\r\n", b"3\r\nabc\n", b"5\r\nab"),
]
ENDS = [
    LAST_CHUNK,
    LAST_CHUNK,
    b"0\r\nx: y\r\n\r\n",
    b"00\r\n\r\n",
    LAST_CHUNK + b"junk",
    LAST_CHUNK + STREAM_HEAD,
    b"",
]


async def played(random_: random.Random, *, is_fast: bool) -> list[Any]:
    """What comes of one answer: its bytes, how it ends, what becomes of its connection."""
    frames = []
    is_odd = random_.random() < 0.5
    for _ in range(random_.randint(0, 7)):
        data = random_.choice(DATA)
        frames.append((random_.choice(SIZES) if is_odd else b"%x") % len(data) + b"\r\n" + data + b"\r\n")
    if is_odd and random_.random() < 0.4:
        frames.insert(random_.randint(0, len(frames)), random_.choice(NO_FRAMES))
    reads = [*frames, random_.choice(ENDS)]
    if random_.random() < 0.4:
        body = b"".join(reads)
        places = [0, *sorted(random_.randint(0, len(body)) for _ in range(4)), len(body)]
        reads = [body[start:end] for start, end in pairwise(places)]
    protocol, answer, direct = await begun(STREAM_HEAD)
    transport: Any = protocol.transport
    ends: list[bool] = []
    transport.close = lambda: ends.append(True)
    if not is_fast:
        direct._boundaries, protocol.answer = None, None
        answer._readany = direct.content.readany
    got: list[bytes] = []

    async def read() -> None:
        while data := await answer.receive():
            got.append(data)

    reading = asyncio.ensure_future(read())
    for data in filter(None, reads):
        for _ in range(random_.choice([0, 3, 3])):
            await asyncio.sleep(0)
        if random_.random() < 0.1 and not reading.done():
            reading.cancel()
            await asyncio.wait([reading])
            reading = asyncio.ensure_future(read())
        if not ends:
            protocol.data_received(data)
    await turn()
    protocol.connection_lost(None)
    async with asyncio.timeout(5):
        await asyncio.wait([reading])
    error = reading.exception()
    assert error is None or isinstance(error, APIConnectionError | RuntimeError)
    return [b"".join(got), error is None, answer.is_at_end, protocol.answer, protocol.should_close, bool(ends)]


@pytest.mark.parametrize("seed", range(4))
async def test_frames_and_what_is_none(seed: int) -> None:
    """By our way and by aiohttp's parser alone, with the same turns and cancellations."""
    for number in range(120):
        fast = await played(random.Random(1000 * seed + number), is_fast=True)
        slow = await played(random.Random(1000 * seed + number), is_fast=False)
        assert fast == slow, 1000 * seed + number
