"""What real servers wrote, byte for byte, however it is cut: llama.cpp and vLLM, streamed and whole."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepseek_async.codec.answer import Complete, Interrupted, StreamedAnswer
from deepseek_async.codec.dialects import CHAT, TEXT
from deepseek_async.codec.reading.responses import completion_from_json, text_completion_from_json
from deepseek_async.errors import InternalServerError, StreamInterruptedError
from deepseek_async.types import TextCompletion

from .cutting import reads
from .servers.law import judge

DATA = Path(__file__).parent / "data"
CAPTURES = DATA / "captures"
PAIRS = sorted(path.stem for path in CAPTURES.glob("*.sse"))
ALONE = ["llama_emoji_logprobs", "llama_reasoning_logprobs", "vllm_engine_killed"]


@cache
def streams() -> dict[str, bytes]:
    """Every stream that was written down."""
    found = {path.stem: path.read_bytes() for path in CAPTURES.glob("*.sse")}
    found |= {name: (DATA / f"{name}.sse").read_bytes() for name in ALONE}
    # A conversation with vLLM in several requests, each under a line that begins with ###.
    parts = (DATA / "vllm_prefix_restarts.txt").read_text("utf-8").split("### ")[1:]
    found |= {f"vllm_prefix_{number}": part.split("\n", 1)[1].encode() for number, part in enumerate(parts)}
    return found


NAMES = sorted(streams())


def read(data: list[bytes]) -> tuple[StreamedAnswer[Any, Any], list[Any]]:
    """An answer that was fed with reads, and the chunks that it showed."""
    answer: StreamedAnswer[Any, Any] = StreamedAnswer(TEXT if b"text_completion" in b"".join(data) else CHAT)
    for part in data:
        answer.receive_data(part)
    answer.receive_eof()
    answer.conclude()
    return answer, list(iter(answer.next_chunk, None))


@cache
def meant(name: str) -> tuple[Any, list[Any], type]:
    """What a stream means, read at once: the whole or the partial, the chunks, and how it ended."""
    answer, chunks = read([streams()[name]])
    assert answer.end is not None
    whole = answer.end.error.partial if isinstance(answer.end, Interrupted) else answer.completion()
    return whole, chunks, type(answer.end)


def assert_means_the_same(name: str, data: list[bytes]) -> None:
    answer, chunks = read(data)
    whole, expected, end = meant(name)
    assert type(answer.end) is end
    assert chunks == expected
    assert (answer.end.error.partial if isinstance(answer.end, Interrupted) else answer.completion()) == whole


@pytest.mark.parametrize("name", NAMES)
def test_cut_in_two_anywhere(name: str) -> None:
    """At the borders of every event, and at every byte of the first and the last ones."""
    data = streams()[name]
    borders = {at + 2 for at in range(len(data)) if data.startswith(b"\n\n", at)}
    near = {*range(1, 120), *range(len(data) - 120, len(data))}
    for at in sorted(borders | near | {border + step for border in borders for step in (-1, 1)}):
        assert_means_the_same(name, [part for part in (data[:at], data[at:]) if part])


@pytest.mark.parametrize("name", NAMES)
def test_byte_by_byte(name: str) -> None:
    """And with the line ends of another system."""
    data = streams()[name]
    assert_means_the_same(name, [data[at : at + 1] for at in range(len(data))])
    assert_means_the_same(name, [data.replace(b"\n", b"\r\n")])
    assert_means_the_same(name, [data.replace(b"\n", b"\r")])


@given(st.data(), st.sampled_from(NAMES))
@settings(deadline=None, max_examples=40)
def test_cut_at_random(data: st.DataObject, name: str) -> None:
    """Into any reads."""
    assert_means_the_same(name, data.draw(reads(streams()[name])))


@pytest.mark.parametrize("name", PAIRS)
def test_streamed_equals_whole(name: str) -> None:
    """The same answer of the same server in one piece: field for field, but for ids, times and call ids."""
    body = (CAPTURES / f"{name}.json").read_bytes()
    is_text = json.loads(body)["object"] == "text_completion"
    whole: Any = text_completion_from_json(body) if is_text else completion_from_json(body)
    streamed, _, end = meant(name)
    assert end is Complete
    calls = [choice.message.tool_calls for choice in (*whole.choices, *streamed.choices)] if not is_text else []
    assert len({call.id for one in calls for call in one or ()}) == sum(len(one or ()) for one in calls)
    judge(SERVERS[name.partition("-")[0]], _without_ids(whole), _without_ids(streamed))
    if whole.choices[0].logprobs is not None and not is_text:
        assert whole.logprobs.text.startswith(whole.text)  # vLLM spells the token that ended it


SERVERS = {"llama": "llama.cpp", "vllm": "vLLM", "transformers": "transformers serve"}


def _without_ids(answer: Any) -> Any:
    """The answer without the ids of its calls, which the server draws anew."""
    if isinstance(answer, TextCompletion):
        return answer
    choices = []
    for choice in answer.choices:
        calls = choice.message.tool_calls
        calls = calls and tuple(attrs.evolve(call, id="") for call in calls)
        choices.append(attrs.evolve(choice, message=attrs.evolve(choice.message, tool_calls=calls)))
    return attrs.evolve(answer, choices=tuple(choices))


def test_an_engine_that_was_killed() -> None:
    """vLLM tells it in the band and says [DONE]: an interruption with every word that came, to be tried again."""
    answer, chunks = read([streams()["vllm_engine_killed"]])
    assert isinstance(answer.end, Interrupted)
    error = answer.end.error
    assert isinstance(error, StreamInterruptedError)
    assert isinstance(error.cause, InternalServerError)
    assert error.retryable
    assert "EngineCore encountered an issue" in error.message
    texts = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert error.partial is not None
    assert error.partial.choices[0].message.content == "".join(texts)
    assert error.partial.choices[0].message.content.endswith(" their")


def test_emoji_and_reasoning_with_their_tokens() -> None:
    """llama.cpp puts all tokens into one list; each stands in its channel, and spells its text."""
    emoji, _, _ = meant("llama_emoji_logprobs")
    assert emoji.logprobs.text == emoji.text
    thought, _, _ = meant("llama_reasoning_logprobs")
    assert thought.logprobs.text == thought.text
    assert "".join(token.token for token in thought.logprobs.reasoning_content) == thought.reasoning
