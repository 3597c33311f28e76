"""Streams that real servers wrote, in every cut: the same chunks, and the answer that the server gave in one piece.

`tests/servers/capture.py` recorded them: llama.cpp (xllamacpp 2026.10.11549), vLLM 0.32.0, transformers serve 5.19.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from deepseek_async.codec import completion_from_json
from deepseek_async.codec.answer import Complete
from deepseek_async.codec.reading.responses import text_completion_from_json

from ..answering import Fed, State, fed_chat, fed_text
from ..servers.law import judge

FOLDER = Path(__file__).parent.parent / "data" / "captures"
NAMES = sorted(path.stem for path in FOLDER.glob("*.sse"))
ENGINES = {"llama": "llama.cpp", "vllm": "vLLM", "transformers": "transformers serve"}
SMALL = 2600
"""Bytes up to which a stream is cut at every place; a larger one, where a cut can matter."""


def fed(name: str) -> Fed:
    """A decoder for the endpoint that the capture is of."""
    return fed_text() if name.endswith("completions") else fed_chat()


def decoded(name: str, *parts: bytes) -> Fed:
    """The decoder after the parts and the end."""
    decoder = fed(name)
    for part in parts:
        decoder.receive_data(part)
    decoder.receive_eof()
    assert decoder.state is State.DONE, decoder.failure
    return decoder


def places(stream: bytes) -> Iterator[int]:
    """Where a stream is cut in two: everywhere, or around its line ends and inside its characters."""
    for at in range(1, len(stream)):
        is_seam = stream[at - 1 : at + 1].strip() != stream[at - 1 : at + 1] or stream[at] >= 0x80
        if len(stream) <= SMALL or is_seam:
            yield at


@pytest.mark.parametrize("name", NAMES)
def test_streamed_is_what_it_was_in_one_piece(name: str) -> None:
    """The server's two answers to one request are the same, but for what it does differently itself."""
    stream = (FOLDER / f"{name}.sse").read_bytes()
    body = (FOLDER / f"{name}.json").read_bytes()
    whole: Any = text_completion_from_json(body) if name.endswith("completions") else completion_from_json(body)
    streamed = decoded(name, stream).answer.completion()
    assert streamed.complete
    judge(ENGINES[name.partition("-")[0]], whole, streamed)


@pytest.mark.parametrize("name", NAMES)
def test_every_cut_says_the_same(name: str, untraced: None) -> None:
    """In two parts, byte by byte, and in parts of every size up to 60."""
    stream = (FOLDER / f"{name}.sse").read_bytes()
    expected = decoded(name, stream)
    whole = expected.answer.completion()
    for at in places(stream):
        cut = decoded(name, stream[:at], stream[at:])
        assert cut.chunks == expected.chunks, at
        assert cut.answer.completion() == whole, at
    for size in range(1, 60, 1 if len(stream) <= SMALL else 7):
        parts = [stream[start:end] for start, end in pairwise([*range(0, len(stream), size), len(stream)])]
        assert decoded(name, *parts).answer.completion() == whole, size


@pytest.mark.parametrize("name", NAMES)
def test_every_beginning_is_a_part_of_the_answer(name: str) -> None:
    """Cut off anywhere, the stream has failed, and what had come is a beginning of the text."""
    stream = (FOLDER / f"{name}.sse").read_bytes()
    text = decoded(name, stream).answer.completion().text or ""
    ends = [at for at in range(len(stream)) if stream[at : at + 2] == b"\n\n"]
    for at in ends[:-3]:
        decoder = fed(name)
        decoder.receive_data(stream[: at + 2])
        decoder.receive_eof()
        assert text.startswith(decoder.answer.snapshot().text or "")
        assert decoder.state is State.FAILED or isinstance(decoder.answer.end, Complete)


def test_captures_name_no_machine() -> None:
    """What is recorded holds no path of the machine that recorded it."""
    for path in FOLDER.iterdir():
        for line in path.read_text("utf-8").splitlines():
            assert "/site-packages/" not in line
            assert "/model@" not in line
            assert not line.startswith("{") or json.loads(line)
