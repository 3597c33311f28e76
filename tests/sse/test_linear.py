"""The cost is linear in the bytes, however a large event is cut."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

import pytest

from deepseek_async.sse import Decoder

from .feeding import byte_by_byte

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("untraced")

_SHAPES: dict[str, Callable[[int], bytes]] = {
    "one data line": lambda size: b"data: " + b"x" * size + b"\n\n",
    "one data line of characters": lambda size: b"data: " + "é".encode() * (size // 2) + b"\r\n\r\n",
    "many data lines": lambda size: b"data: xy\n" * (size // 9) + b"\n",
    "many empty data lines": lambda size: b"data\r" * (size // 5) + b"\r",
    "one comment": lambda size: b":" + b"x" * size + b"\n",
    "many comments": lambda size: b": x\n" * (size // 4),
    "one unknown line": lambda size: b"x" * size + b"\n",
    "many unknown lines": lambda size: b"x: y\n" * (size // 5),
    "many blank lines": lambda size: b"\n" * size,
    "many events": lambda size: b"data: x\n\n" * (size // 9),
    "events and comments": lambda size: b"data: x\n\n: x\n\n" * (size // 14),
    "many events with an id": lambda size: b"id: 1\ndata: x\n\n" * (size // 15),
}


def _seconds(stream: bytes, read: int) -> float:
    """CPU time of this thread for one stream in reads of so many bytes."""
    reads = [stream[start : start + read] for start in range(0, len(stream), read)]
    gc.disable()  # a collection costs what the whole process holds, and comes by the number of items
    try:
        decoder = Decoder()
        began = time.thread_time()
        for data in reads:
            decoder.receive_payloads(data)
        decoder.receive_eof()
        return time.thread_time() - began
    finally:
        gc.enable()


@pytest.mark.parametrize("shape", _SHAPES)
@pytest.mark.parametrize("read", [1, 1024, 2**20], ids=["byte by byte", "in reads of 1 KiB", "whole"])
def test_four_times_the_bytes_take_four_times_the_time(shape: str, read: int) -> None:
    """Cost grows like the length: at the square of it, four times the bytes would take sixteen times the time."""
    size = 2**15 if read == 1 else 2**17
    short, long = _SHAPES[shape](size), _SHAPES[shape](4 * size)
    of_short = of_long = float("inf")
    for _ in range(5):  # noise only adds: of each the least counts
        of_short, of_long = min(of_short, _seconds(short, read)), min(of_long, _seconds(long, read))
        if of_long < 9 * of_short:
            break
    assert of_long < 9 * of_short + 0.001


@pytest.mark.parametrize("size", [2**20, pytest.param(2**24, marks=pytest.mark.soak)])
def test_a_large_event_byte_by_byte(size: int) -> None:
    """One of 1 MiB is whole; so is the largest that the default cap lets through, of 16 MiB in as many reads."""
    payload = bytes(range(32, 127)) * (size // 95)
    payload += b"~" * (size - len(payload) - len(b"data: "))
    decoder = Decoder()
    seen = []
    for data in byte_by_byte(b"data: " + payload + b"\n\n"):
        if items := decoder.receive_payloads(data):
            seen += items
    assert seen == [payload]
