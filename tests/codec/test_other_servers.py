"""What other servers say differently (vLLM, SGLang, llama.cpp, Ollama, OpenRouter, Azure …): each deviation is taken.

Each case is a stream as its server sends it, and what it has to mean.
"""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from deepseek_async.codec import chunk_from_json, completion_from_json, fold
from deepseek_async.codec.reading.account import balance_from_json, models_from_json
from deepseek_async.errors import MalformedResponseError, StreamInterruptedError
from deepseek_async.types import AssistantMessage, ChatCompletion, FunctionCall, ToolCall, Usage

from ..answering import State, fed_chat
from ..wire import DONE, completion, event, of_choices, stream_of, to_json


def said(
    *, index: int = 0, finish_reason: Any = None, choice: dict[str, Any] | None = None, **delta: Any
) -> dict[str, Any]:
    """A chunk of one choice with exactly these fields in its delta."""
    return of_choices({"index": index, "delta": delta, "finish_reason": finish_reason, **(choice or {})})


def read(body: bytes) -> ChatCompletion:
    """What a body means that must be a good stream."""
    decoder = fed_chat()
    chunks = decoder.receive_data(body) + decoder.receive_eof()
    assert decoder.state is State.DONE, decoder.failure
    return fold(chunks)


USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}

# server and deviation → the stream
SPOKEN: dict[str, bytes] = {
    "vLLM: reasoning": stream_of(
        said(role="assistant", content=""),
        said(reasoning="Hm"),
        said(reasoning="m."),
        said(content="Hi"),
        said(finish_reason="stop"),
    ),
    "vLLM: reasoning under both names": stream_of(
        said(reasoning="Hm", reasoning_content="Hm"),
        said(reasoning_content="m."),
        said(content="Hi", finish_reason="stop"),
    ),
    "vLLM: reasoning null once content begins": stream_of(
        said(reasoning_content="Hmm."), said(content="Hi", reasoning=None), said(finish_reason="stop")
    ),
    "SGLang: matched_stop, nulls, usage in a chunk without choices": stream_of(
        said(role="assistant", content="", reasoning_content=None, tool_calls=None, choice={"matched_stop": None}),
        said(content=None, reasoning_content="Hmm.", tool_calls=None, choice={"matched_stop": None}),
        said(content="Hi", reasoning_content=None, tool_calls=None, finish_reason="stop", choice={"matched_stop": 1}),
        of_choices(usage=USAGE),
    ),
    "llama.cpp: timings, no role, an empty chunk at the end": stream_of(
        {**said(reasoning_content="Hmm."), "timings": {"prompt_n": 3}, "system_fingerprint": "b9554-abc"},
        said(content="Hi"),
        {**said(finish_reason="stop"), "timings": {"prompt_n": 3, "predicted_n": 2}},
        of_choices(),
    ),
    "Ollama: role in each, created moves, fingerprint": stream_of(
        {**said(role="assistant", content="", reasoning="Hmm."), "created": 1, "system_fingerprint": "fp_ollama"},
        {**said(role="assistant", content="Hi"), "created": 2},
        {**said(role="assistant", content="", finish_reason="stop"), "created": 3},
    ),
    "OpenRouter: comments, reasoning, provider, native_finish_reason": (
        b": OPENROUTER PROCESSING\n\n"
        + stream_of(
            {**said(reasoning="Hmm.", choice={"native_finish_reason": None}), "provider": "DeepSeek"},
            {
                **said(content="Hi", finish_reason="stop", choice={"native_finish_reason": "STOP"}),
                "provider": "DeepSeek",
            },
        )
    ),
    "Azure: role null, usage null in every chunk": stream_of(
        {**said(role="assistant", content="", reasoning_content="Hmm."), "usage": None},
        {**said(role=None, content="Hi", tool_calls=None, choice={"matched_stop": None}), "usage": None},
        {**said(role=None, content=None, finish_reason="stop"), "usage": None},
    ),
    "Azure OpenAI gateways: a blank first chunk": stream_of(
        {
            "id": "",
            "object": "",
            "created": 0,
            "model": "",
            "choices": [],
            "prompt_filter_results": [{"prompt_index": 0}],
        },
        said(role="assistant", reasoning_content="Hmm."),
        said(content="Hi", finish_reason="stop", choice={"content_filter_results": {"hate": {"filtered": False}}}),
    ),
    "DashScope: no space after data:, no finish_reason, no fingerprint": (
        b"".join(
            event(part).replace(b"data: ", b"data:")
            for part in (
                {
                    "id": "7f",
                    "model": "deepseek-flash",
                    "choices": [{"index": 0, "delta": {"role": "assistant", "reasoning_content": "Hmm."}}],
                },
                {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}}]},
                {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "stop"}]},
                {"choices": [], "usage": USAGE},
            )
        )
        + b"data:[DONE]\n\n"
    ),
    "Volcengine: usage alone in the last chunk": stream_of(
        said(reasoning_content="Hmm."), said(content="Hi", finish_reason="stop"), of_choices(usage=USAGE)
    ),
    "StepFun: usage in every chunk, empty strings for null": stream_of(
        {
            **said(role="assistant", reasoning_content="Hmm.", content="", finish_reason=""),
            "usage": {**USAGE, "completion_tokens": 1},
        },
        {**said(role="", content="Hi", finish_reason=""), "usage": USAGE},
        {**said(role="", content="", finish_reason="stop"), "usage": USAGE},
    ),
    "an empty list of calls amid reasoning": stream_of(
        said(reasoning_content="Hmm.", tool_calls=[]),
        said(content="Hi", tool_calls=[]),
        said(tool_calls=[], finish_reason="stop"),
    ),
    "a JavaScript gateway: whole numbers as floats": stream_of(
        {**said(reasoning_content="Hmm."), "created": 1.76e9},
        said(content="Hi", index=0.0, finish_reason="stop"),  # type: ignore[arg-type]
    ),
}


@pytest.mark.parametrize("server", SPOKEN)
def test_the_answer_is_the_same_from_every_server(server: str) -> None:
    """The text, the reasoning, the role and the end are what was said, however it was put."""
    answer = read(SPOKEN[server])
    assert answer.text == "Hi"
    assert answer.reasoning == "Hmm."
    assert answer.message.role == "assistant"
    assert answer.message.tool_calls is None
    assert answer.finish_reason == "stop"
    assert answer.complete
    if "usage" in server and "null" not in server:
        assert answer.usage == Usage(3, 2, 5)


def test_what_only_they_say_is_kept() -> None:
    """Fields that only one server has are in `extra`, where it put them."""
    assert read(SPOKEN["SGLang: matched_stop, nulls, usage in a chunk without choices"]).choices[0].extra == {
        "matched_stop": 1
    }
    timed = read(SPOKEN["llama.cpp: timings, no role, an empty chunk at the end"])
    assert timed.extra == {"timings": {"prompt_n": 3, "predicted_n": 2}}
    assert timed.system_fingerprint == "b9554-abc"
    routed = read(SPOKEN["OpenRouter: comments, reasoning, provider, native_finish_reason"])
    assert routed.extra == {"provider": "DeepSeek"}
    assert routed.choices[0].extra == {"native_finish_reason": "STOP"}
    filtered = read(SPOKEN["Azure OpenAI gateways: a blank first chunk"])
    assert filtered.extra == {"prompt_filter_results": [{"prompt_index": 0}]}
    assert (filtered.id, filtered.created, filtered.model) == ("7f", 1760000000, "deepseek-flash")
    assert filtered.choices[0].extra == {"content_filter_results": {"hate": {"filtered": False}}}
    assert read(SPOKEN["Ollama: role in each, created moves, fingerprint"]).created == 1


@pytest.mark.parametrize("reason", ["eos", "load", "max_output_reached", "function_call"])
def test_a_finish_reason_of_their_own_is_kept(reason: str) -> None:
    """SiliconFlow's `eos`, Ollama's `load` and any other word: the string it is."""
    assert read(stream_of(said(content="Hi"), said(finish_reason=reason))).finish_reason == reason


def test_a_stream_without_any_finish_reason_is_complete_if_it_was_ended() -> None:
    """Nebius sends none, but it sends `[DONE]`: the server has ended the answer."""
    decoder = fed_chat()
    chunks = decoder.receive_data(stream_of(said(role="assistant"), said(content="Hi")))
    assert decoder.state is State.DONE
    assert fold(chunks).finish_reason is None


@pytest.mark.parametrize(
    "choices", [{}, {"choices": []}, {"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]}]
)
def test_an_error_amid_the_stream_is_raised(choices: dict[str, Any]) -> None:
    """vLLM, SGLang and Exo send `{"error": …}` without choices, OpenRouter beside one: never a part of the answer."""
    decoder = fed_chat()
    chunks = decoder.receive_data(
        event(said(content="Hi")) + event({"error": {"message": "gone", "code": 502}, **choices}) + DONE
    )
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["Hi"]
    assert decoder.state is State.FAILED
    assert isinstance(decoder.failure, StreamInterruptedError)
    assert "gone" in str(decoder.failure)


# Whole answers.


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ({"content": "Hi", "reasoning": "Hm"}, AssistantMessage("Hi", "Hm")),
        (
            {"content": "Hi", "reasoning": "other", "reasoning_content": "Hm"},
            AssistantMessage("Hi", "Hm", extra={"reasoning": "other"}),
        ),
        ({"content": "Hi", "reasoning": "Hm", "reasoning_content": None}, AssistantMessage("Hi", "Hm")),
        ({"content": "Hi", "reasoning": None}, AssistantMessage("Hi")),
        ({"content": None, "reasoning": "Hm"}, AssistantMessage("", "Hm")),
        ({"content": "Hi", "tool_calls": []}, AssistantMessage("Hi")),
        ({"content": "Hi", "tool_calls": None, "role": None}, AssistantMessage("Hi")),
        ({"content": "Hi", "role": ""}, AssistantMessage("Hi")),
        ({"content": "Hi", "refusal": None}, AssistantMessage("Hi", extra={"refusal": None})),
        ({"content": "Hi", "name": "x", "prefix": True}, AssistantMessage("Hi", extra={"name": "x", "prefix": True})),
        ({"content": "Hi", "reasoning": {"effort": 1}}, AssistantMessage("Hi", extra={"reasoning": {"effort": 1}})),
    ],
)
def test_a_message_is_read_alike(message: dict[str, Any], meant: AssistantMessage) -> None:
    """In one piece or as one delta, the same words mean the same message."""
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    delta = {"choices": [{"index": 0, "delta": message, "finish_reason": "stop"}]}
    assert completion_from_json(to_json(body)).message == meant
    assert fold([chunk_from_json(to_json(delta))]).message == meant


def test_the_index_in_a_whole_tool_call_is_its_place() -> None:
    """DeepSeek's own sample puts an `index` into the calls of a whole message; the list says it already."""
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    for wire in (call, {**call, "extra_field": 1}):
        message = completion_from_json(to_json(completion(None, "tool_calls", tool_calls=[wire]))).message
        assert message.tool_calls is not None
        assert attrs.evolve(message.tool_calls[0], extra={}) == ToolCall("c1", "function", FunctionCall("f", "{}"))
        assert "index" not in message.tool_calls[0].extra


@pytest.mark.parametrize(
    ("usage", "meant"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}, Usage(3, 2, 5)),
        (
            {
                "prompt_tokens": 3,
                "prompt_tokens_details": {"prompt_cache_hit_tokens": 1, "prompt_cache_miss_tokens": 2},
            },
            (1, 2),
        ),
        ({"prompt_cache_hit_tokens": 7, "prompt_tokens_details": {"prompt_cache_hit_tokens": 1}}, (7, None)),
        ({"prompt_tokens": 3.0, "completion_tokens": 2.0, "total_tokens": 5.0}, Usage(3, 2, 5)),
        ({"prompt_tokens": None, "completion_tokens": 2, "total_tokens": 5}, Usage(0, 2, 5)),
    ],
)
def test_usage_is_read_from_every_place(usage: dict[str, Any], meant: Any) -> None:
    """Cache counts stand beside the details or inside them; what a server leaves out counts nothing."""
    found = completion_from_json(to_json({**completion(), "usage": usage})).usage
    assert found is not None
    if isinstance(meant, Usage):
        assert found == meant
    else:
        assert (found.prompt_cache_hit_tokens, found.prompt_cache_miss_tokens) == meant


def test_missing_fields_are_left_out_not_wrong() -> None:
    """Only `choices` is needed; logprobs and fingerprint are missing even in DeepSeek's own sample."""
    answer = completion_from_json(b'{"choices":[{"message":{"content":"Hi"}}]}')
    assert (answer.text, answer.id, answer.usage, answer.logprobs, answer.system_fingerprint) == (
        "Hi",
        "",
        None,
        None,
        None,
    )


def test_a_list_that_is_null_is_empty() -> None:
    """Ollama answers `data: null` where it has no models."""
    assert list(models_from_json(b'{"object":"list","data":null}')) == []
    assert balance_from_json(b'{"balance_infos":null}').balance_infos == ()


def test_bytes_that_are_no_utf8_are_replaced_in_a_chunk() -> None:
    """One invalid byte costs one character, not the stream."""
    answer = read(b'data: {"choices":[{"index":0,"delta":{"content":"caf\xe9!"},"finish_reason":"stop"}]}\n\n' + DONE)
    assert answer.text == "caf\ufffd!"


def test_halves_of_a_character_meet_again() -> None:
    """A server that counts in UTF-16 sends 🦔 as two halves in two chunks; alone, a half is U+FFFD, as in one piece."""
    halves = [
        b'{"choices":[{"index":0,"delta":{"content":"\\ud83e"}}]}',
        b'{"choices":[{"index":0,"delta":{"content":"\\udd94"}}]}',
    ]
    assert fold(map(chunk_from_json, halves)).text == "🦔"
    alone = fold(map(chunk_from_json, halves[:1]))
    assert alone.text == "\ufffd"
    assert completion_from_json(b'{"choices":[{"index":0,"message":{"content":"\\ud83e"}}]}').message == alone.message
    arguments = b'{"id":"c","function":{"name":"f","arguments":"\\ud83e"}}'
    whole = completion_from_json(b'{"choices":[{"message":{"tool_calls":[' + arguments + b"]}}]}").message.tool_calls
    streamed = fold(
        [chunk_from_json(b'{"choices":[{"delta":{"tool_calls":[' + arguments + b"]}}]}")]
    ).message.tool_calls
    assert whole == streamed
    assert whole is not None
    assert whole[0].function.arguments == "\ufffd"


def test_numbers_that_json_has_not_are_read() -> None:
    """`-Infinity` for a token that cannot be: some servers write it, and it is below the top like -9999."""
    text = (
        b'{"choices":[{"index":0,"delta":{"content":"x"},"logprobs":{"content":[{"token":"x","logprob":-Infinity}]}}]}'
    )
    logprobs = chunk_from_json(text).choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content is not None
    assert logprobs.content[0].is_below_top


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (b'{"choices":[{"delta":{"content":5}}]}', "$.choices[0].delta.content"),
        (b'{"choices":[{"delta":{"content":[{"image":1}]}}]}', "$.choices[0].delta.content"),
        (b'{"choices":[{"delta":["x"]}]}', "$.choices[0].delta"),
        (b'{"choices":{"x":{}}}', "$.choices"),
        (b'{"choices":["x"]}', "$.choices[0]"),
        (b'{"choices":[{"delta":{"tool_calls":"f()"}}]}', "$.choices[0].delta.tool_calls"),
        (
            b'{"choices":[{},{"delta":{"tool_calls":[{"function":{"arguments":5}}]}}]}',
            "$.choices[1].delta.tool_calls[0].function.arguments",
        ),
        (b"[]", "$"),
        (b'"text"', "$"),
        (b"5", "$"),
    ],
)
def test_a_wrong_type_says_what_and_where(text: bytes, path: str) -> None:
    """What cannot be meant is an error with the JSON path, known fields and unknown beside it or not."""
    for shown in (text, text.replace(b"{", b'{"unknown":1,', 1)):
        with pytest.raises(MalformedResponseError) as raised:
            chunk_from_json(shown)
        if shown == text or text[:1] == b"{":
            assert raised.value.path == path
            assert raised.value.message.endswith(f"at {path}")
            assert raised.value.message.startswith("the chunk: ")
        assert raised.value.body
        assert not raised.value.retryable


@pytest.mark.parametrize(
    "text", [b"", b"{", b"nope", b'{"choices":[}', b"\xff", b"[" * 5000, b'{"created":' + b"9" * 5000 + b"}"]
)
def test_what_is_no_json_says_where(text: bytes) -> None:
    """The message says that it is no JSON and where it stops being it; the text is in `body`."""
    with pytest.raises(MalformedResponseError, match="is not JSON") as raised:
        chunk_from_json(text)
    assert raised.value.body == text.decode("utf-8", "replace")
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_a_completion_without_choices_is_malformed() -> None:
    """Some other JSON object is no completion, and the error says what is missing."""
    with pytest.raises(MalformedResponseError, match=r"no field `choices` at \$"):
        completion_from_json(b'{"id":"1","answer":"Hi"}')
