"""The states of a streamed answer: each event and each end in each state."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.codec import chunk_from_json, fold
from deepseek_async.codec.answer import Complete, StreamedAnswer
from deepseek_async.codec.dialects import CHAT
from deepseek_async.errors import (
    APIConnectionError,
    APIStatusError,
    DeepSeekError,
    EmptyResponseError,
    MalformedResponseError,
    RateLimitError,
    ResponseTooLargeError,
    StreamInterruptedError,
)
from deepseek_async.types import ChatCompletion, FunctionCall, ToolCall, Usage

from ..answering import Fed, State, fed_chat, fed_text
from ..wire import DONE, KEEP_ALIVE, chunk, completion, event, hello, of_choices, stream_of, to_json


def feed(*reads: bytes, eof: bool = True, decoder: Fed | None = None) -> Any:
    """The decoder after the reads (and the end), and the texts of the chunks that came."""
    decoder = decoder or fed_chat()
    chunks = [chunk for data in reads for chunk in decoder.receive_data(data)]
    if eof:
        chunks += decoder.receive_eof()
    assert decoder.chunks == len(chunks)
    return decoder, [choice.delta.content for chunk in chunks for choice in chunk.choices]


def failed(*reads: bytes, eof: bool = True) -> DeepSeekError:
    """How a stream fails, after its one chunk if it has one."""
    decoder, _ = feed(*reads, eof=eof)
    assert decoder.state is State.FAILED
    assert decoder.failure is not None
    failure: DeepSeekError = decoder.failure
    return failure


HI = event(chunk("Hi"))
ERROR = {"error": {"message": "gone", "type": "rate_limit_error", "param": None, "code": None}}


def test_a_good_stream_is_done_at_its_done() -> None:
    """WAITING → STREAMING → DONE, by the `[DONE]` and not by the end of the bytes."""
    decoder, _ = feed(eof=False)
    assert decoder.state is State.WAITING
    feed(HI, eof=False, decoder=decoder)
    assert decoder.state is State.STREAMING
    assert decoder.receive_data(DONE) == []
    assert decoder.state is State.DONE
    assert decoder.receive_eof() == []
    assert (decoder.state, decoder.failure, decoder.chunks) == (State.DONE, None, 1)


@pytest.mark.parametrize(
    "done", [DONE, b"data:[DONE]\n\n", b"data: [DONE] \n\n", b"data: [DONE]\r\n\r\n", b"event: x\ndata: [DONE]\n\n"]
)
def test_what_comes_after_done_is_ignored(done: bytes) -> None:
    """Another chunk, an error, no JSON at all: the answer was whole before it."""
    for rest in (HI, event(ERROR), b"data: nope\n\n", b"junk", HI[:-1]):
        decoder, texts = feed(HI, done + rest, rest)
        assert (decoder.state, decoder.failure, texts) == (State.DONE, None, ["Hi"])


def test_done_without_its_blank_line_is_done() -> None:
    """Some servers end the body right behind it: every chunk has come."""
    decoder, texts = feed(HI + b"data: [DONE]")
    assert (decoder.state, texts) == (State.DONE, ["Hi"])


@pytest.mark.parametrize(
    "data", [b"", b"\n\n\n\n", KEEP_ALIVE * 3, DONE, b"data: [DONE]", b"\r\n" + DONE, b"data:\n\n"]
)
def test_an_answer_of_nothing_is_empty(data: bytes) -> None:
    """A 200 with blank lines, with keep-alives or with nothing but `[DONE]`: no answer, and worth another attempt."""
    error = failed(data)
    assert type(error) is EmptyResponseError
    assert error.retryable
    assert "no chunk" in error.message


def test_keepalives_are_counted_and_bring_nothing() -> None:
    """Comments anywhere, blank lines before the first byte: each counts one."""
    decoder, texts = feed(b"\n\n\n" + KEEP_ALIVE + HI + KEEP_ALIVE + KEEP_ALIVE + DONE)
    assert decoder.keepalives == 6
    assert texts == ["Hi"]
    assert "2 keep-alives" in failed(KEEP_ALIVE * 2).message


@pytest.mark.parametrize("rest", [b"", KEEP_ALIVE, b"data: [DO", b": keep", b"\n", b"data:"])
def test_an_end_in_form_after_every_finish_reason_is_an_end(rest: bytes) -> None:
    """`transformers serve` never says `[DONE]`: once no choice is open, the end of the body is the answer's, marked."""
    fed, texts = feed(HI + event(chunk("", "stop")) + event(of_choices(usage={"prompt_tokens": 1})) + rest)
    assert fed.answer.end == Complete(ended_without_done=True)
    assert (texts, fed.answer.completion().complete) == (["Hi", ""], True)


@pytest.mark.parametrize(
    "body",
    [
        HI + HI,
        HI + event(chunk("", "stop")) + HI[:20],
        HI + HI[:-1],
        event(chunk("Hi", "stop")) + event(chunk("Ho", index=1)),
        HI + event(chunk(None, "insufficient_system_resource")),
    ],
    ids=["no reason", "amid an event", "an event without its blank line", "another choice is open", "broken off"],
)
def test_any_other_end_without_done_is_an_interruption(body: bytes) -> None:
    """However clean it looks; what half an event says counts for nothing."""
    fed, _ = feed(body)
    assert fed.state is State.FAILED
    assert type(fed.failure) is StreamInterruptedError
    assert fed.failure.retryable


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\ndata: [DONE]", b"\ndata: [DONE]\n"])
def test_a_last_event_that_is_whole_needs_no_blank_line(end: bytes) -> None:
    """Its JSON is all there, and the body ended in form: nothing is missing."""
    fed, texts = feed(HI + event(chunk(" there", "stop")).rstrip() + end)
    assert (fed.state, "".join(texts)) == (State.DONE, "Hi there")
    assert fed.answer.completion().finish_reason == "stop"


def test_a_stream_without_blank_lines() -> None:
    """One event by the standard, several JSON texts in it: each is a chunk, once the body has ended."""
    body = (HI + event(chunk(" there", "stop")) + DONE).replace(b"\n\n", b"\n")
    fed, texts = feed(body)
    assert (fed.answer.end, "".join(texts)) == (Complete(), "Hi there")


@pytest.mark.parametrize(
    "said",
    [
        *(b"null", b'""', b"[]", b"\0", b"ping", b"[PING]", b"keep-alive", b"[HEARTBEAT]", b"data: "),
        *(b"x\nevent: open", b"1\nevent: status", b"ping\nevent: PING", b"2026-01-01\nevent: time"),
    ],
)
def test_data_that_says_nothing(said: bytes) -> None:
    """And events of other names that hold no object: they keep the stream alive."""
    fed, texts = feed(HI + b"data: " + said + b"\n\n" + HI + DONE)
    assert (fed.state, texts) == (State.DONE, ["Hi", "Hi"])


@pytest.mark.parametrize("said", [b"[done]", b'"[DONE]"', b"DONE", b" [Done] ", b"data: [DONE]"])
def test_an_end_that_is_written_otherwise(said: bytes) -> None:
    fed, texts = feed(HI + b"data: " + said + b"\n\n")
    assert (fed.answer.end, texts) == (Complete(), ["Hi"])


@pytest.mark.parametrize(
    "said",
    [
        b"event: exception\ndata: the tide has turned",
        b'event: server_error\ndata: {"message": "the tide has turned"}',
        b"data: [ERROR] the tide has turned",
        b'data: error: {"message": "the tide has turned"}',
        b'{"error": {"message": "the tide has turned"}}',
        b'error: {"message": "the tide has turned"}',
        b"error: the tide has turned",
    ],
)
@pytest.mark.parametrize("rest", [DONE, b""])
def test_an_error_that_is_written_otherwise(said: bytes, rest: bytes) -> None:
    """Under another name, before JSON, bare between events: told with its words, `[DONE]` after it or not."""
    error = failed(HI + said + b"\n\n" + rest)
    assert isinstance(error, StreamInterruptedError)
    assert "the tide has turned" in error.message
    assert isinstance(error.partial, ChatCompletion)
    assert error.partial.text == "Hi"


def test_an_end_without_done_counts_the_choices_that_were_asked_for() -> None:
    """Of three choices two are finished, the third has not begun: no end."""
    two = event(chunk("a", "stop")) + event(chunk("b", "stop", index=1))
    for choices, end in ((2, Complete(ended_without_done=True)), (3, None)):
        fed, _ = feed(two, decoder=fed_chat(choices=choices))
        assert fed.answer.end == end if end else isinstance(fed.failure, StreamInterruptedError)


def test_a_cut_inside_the_first_event_is_an_interruption() -> None:
    """Something was on its way: not an empty answer."""
    assert type(failed(HI[:30])) is StreamInterruptedError
    assert "first event" in failed(HI[:30]).message


@pytest.mark.parametrize("eof", [True, False])
def test_an_error_amid_the_chunks_is_an_interruption_after_them(eof: bool) -> None:
    """The chunk that came in the same read is delivered first; the cause keeps its class and words."""
    decoder, texts = feed(HI + event(ERROR) + HI + DONE, eof=eof)
    assert texts == ["Hi"]
    failure = decoder.failure
    assert type(failure) is StreamInterruptedError
    assert type(failure.cause) is RateLimitError
    assert failure.cause is failure.__cause__
    assert "gone" in failure.message
    assert failure.retryable


def test_an_error_for_the_request_is_not_worth_another_attempt() -> None:
    """What the server says about the request stays so the next time."""
    refusal = {"error": {"message": "no", "code": 400}}
    assert not failed(event(refusal)).retryable


@pytest.mark.parametrize(
    "body",
    [
        event(ERROR),
        event(ERROR)[:-1],
        event(ERROR)[:-2],
        to_json(ERROR),
        b"\n\n" + to_json(ERROR),
        b"\xef\xbb\xbf" + to_json(ERROR),
        b"event: error\n" + event(ERROR),
        b"event: error\n" + event(ERROR["error"]),
        b'event: error\ndata: "gone"\n\n',
        b"event: error\ndata: gone\n\n",
        KEEP_ALIVE + to_json(ERROR) + b"\n",
        KEEP_ALIVE + to_json(ERROR),
    ],
)
def test_an_error_is_found_however_it_is_framed(body: bytes) -> None:
    """As an event, without its blank line, as an event of type error, bare, after keep-alives."""
    error = failed(body)
    assert type(error) is StreamInterruptedError
    assert isinstance(error.cause, APIStatusError)
    assert "gone" in error.message


@pytest.mark.parametrize("said", [b'""', b"null", b"{}", b"[]", b"0", b"false"])
def test_an_error_event_that_says_nothing_is_an_error(said: bytes) -> None:
    """Its name says it; that there are no words changes nothing."""
    error = failed(b"event: error\ndata: " + said + b"\n\n")
    assert isinstance(error.cause, APIStatusError)  # type: ignore[attr-defined]
    assert "no text" in error.message


def test_an_event_of_another_name_is_a_chunk() -> None:
    """Gateways name their events; sticky ids and retry times change nothing either."""
    decoder, texts = feed(b"retry: 3000\nid: 1\nevent: message\n" + HI + b"event: delta\n" + HI + b"data:\n\n" + DONE)
    assert (decoder.state, texts) == (State.DONE, ["Hi", "Hi"])


@pytest.mark.parametrize("data", [b"nope", b"{", b'{"choices":5}', b"[1]", b"5"])
def test_a_payload_that_is_no_chunk_is_malformed(data: bytes) -> None:
    """After the chunks before it; not an interruption, since the same would come again."""
    decoder, texts = feed(HI + b"data: " + data + b"\n\n" + HI)
    assert texts == ["Hi"]
    assert type(decoder.failure) is MalformedResponseError
    assert decoder.failure.body.startswith(data.decode()[:1])


def test_a_failed_stream_stays_failed() -> None:
    """Nothing after the failure counts: neither chunks nor `[DONE]` nor another failure."""
    decoder, _ = feed(b"data: nope\n\n", eof=False)
    first = decoder.failure
    assert decoder.receive_data(HI + DONE) == []
    decoder.receive_break(APIConnectionError("later"))
    assert decoder.receive_eof() == []
    assert (decoder.state, decoder.failure, decoder.chunks) == (State.FAILED, first, 0)


def test_a_break_is_a_failure_unless_the_answer_was_whole() -> None:
    """A connection that breaks after `[DONE]` takes nothing away."""
    broken = APIConnectionError("reset")
    decoder, _ = feed(HI, eof=False)
    decoder.receive_break(broken)
    assert decoder.state is State.FAILED
    assert isinstance(decoder.failure, StreamInterruptedError)
    assert decoder.failure.cause is broken
    decoder, _ = feed(HI + DONE, eof=False)
    decoder.receive_break(broken)
    assert (decoder.state, decoder.failure) == (State.DONE, None)


WHOLE = {
    **completion(
        "Hi",
        "tool_calls",
        reasoning_content="Hm",
        tool_calls=[
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "b", "type": "custom", "function": {"name": "g", "arguments": ""}},
        ],
    ),
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    "unknown": 1,
}


@pytest.mark.parametrize("body", [to_json(WHOLE), b"\n\n" + to_json(WHOLE) + b"\n", b"\xef\xbb\xbf" + to_json(WHOLE)])
def test_a_whole_completion_is_a_stream_of_one_chunk(body: bytes) -> None:
    """A server without streaming answers in one piece: taken as the one chunk that folds to it."""
    decoder = fed_chat()
    chunks = [chunk for at in range(0, len(body), 7) for chunk in decoder.receive_data(body[at : at + 7])]
    assert (chunks, decoder.state) == ([], State.DOCUMENT)
    chunks = decoder.receive_eof()
    assert decoder.state is State.DONE
    answer = fold(chunks)
    assert answer.message.tool_calls == (
        ToolCall("a", "function", FunctionCall("f", "{}")),
        ToolCall("b", "custom", FunctionCall("g", "")),
    )
    assert (answer.text, answer.reasoning, answer.finish_reason) == ("Hi", "Hm", "tool_calls")
    assert (answer.usage, answer.extra) == (Usage(1, 2, 3), {"unknown": 1})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html><title>502 Bad Gateway</title></html>", "an HTML page titled '502 Bad Gateway'"),
        (b"<p>", "an HTML page"),
        (to_json(WHOLE)[:40] + b'"}', "not JSON"),
        (b'{"answer": 1}', "no field `choices`"),
        (b"upstream connect error", "upstream connect error"),
        (b"null", "null"),
    ],
)
def test_a_body_that_is_no_answer_says_what_it_is(body: bytes, words: str) -> None:
    """A page of a gateway, half a document, plain text: the message describes it, `body` has it."""
    error = failed(body)
    assert type(error) is MalformedResponseError
    assert words in error.message
    assert error.body.strip() == body.decode()


def test_the_caps_hold() -> None:
    """An event over its cap and a document over its own end the stream, after what came before."""
    decoder: Fed = fed_chat(max_event_bytes=400)
    texts = [c.choices[0].delta.content for c in decoder.receive_data(HI)]
    decoder.receive_data(event(chunk("x" * 500)))
    assert texts == ["Hi"]
    assert type(decoder.failure) is ResponseTooLargeError
    assert decoder.failure.limit == 400

    small = fed_chat(max_body_bytes=100)
    for _ in range(5):
        assert small.receive_data(b"{" * 30) == []
    assert type(small.failure) is ResponseTooLargeError
    assert small.failure.limit == 100
    assert small.receive_eof() == []


def test_a_large_event_passes() -> None:
    """A reasoning trace of 3 MB in one event is real."""
    decoder, texts = feed(event(chunk("x" * 3_000_000)), DONE)
    assert (decoder.state, [len(text) for text in texts]) == (State.DONE, [3_000_000])


BODIES = st.sampled_from(
    [
        hello(),
        hello(done=False),
        b"\xef\xbb\xbf" + hello(),
        b"\n\n" + KEEP_ALIVE + hello(),
        hello()[:77],
        stream_of(chunk("é🦔"), event(ERROR)),
        event(chunk("Hi")) + b"data: nope\n\n" + DONE,
        to_json(WHOLE),
        to_json(ERROR),
        hello().replace(b"\n", b"\r\n"),
        hello().replace(b"\n", b"\r"),
        b"upstream error",
        b"<title>x</title>",
        b"",
        b"\n\n",
        b"event: error\ndata: a\ndata: b\n\n",
        b"id: 1\n" + hello(),
        hello().replace(b"data: ", b"data:"),
        b"\xef\xbb\xbf" + to_json(WHOLE),
        b"\n\xef\xbb\xbf" + to_json(ERROR),
        b"\xef\xbb",
    ]
)


@given(BODIES, st.lists(st.integers(0, 2000), max_size=12))
def test_the_meaning_does_not_depend_on_the_cuts(body: bytes, places: list[int]) -> None:
    """The same bytes give the same chunks, the same state, the same failure, however reads cut them."""

    def meaning(*reads: bytes) -> tuple[Any, ...]:
        decoder = fed_chat()
        chunks = [chunk for data in reads for chunk in decoder.receive_data(data)] + decoder.receive_eof()
        return chunks, decoder.state, str(decoder.failure), type(decoder.failure), decoder.keepalives

    cuts = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    assert meaning(*(body[a:b] for a, b in pairwise(cuts))) == meaning(body)


@given(
    st.lists(
        st.binary(max_size=40) | st.sampled_from([HI, DONE, KEEP_ALIVE, event(ERROR), b"event: error\n", b"data: "]),
        max_size=8,
    )
)
def test_no_bytes_make_it_raise(reads: list[bytes]) -> None:
    """Whatever comes, the end is DONE or FAILED with a typed error: reading never raises by itself."""
    decoder = fed_chat()
    for data in reads:
        decoder.receive_data(data)
    decoder.receive_eof()
    assert decoder.state in (State.DONE, State.FAILED)
    assert (decoder.failure is None) == (decoder.state is State.DONE)


def test_fill_in_the_middle_has_the_same_states() -> None:
    """Pieces, `[DONE]`, a whole answer, an end too soon: as for chat."""
    piece = event({"id": "1", "choices": [{"index": 0, "text": "a"}]})
    decoder = fed_text()
    assert [p.text for p in decoder.receive_data(piece + piece + DONE)] == ["a", "a"]
    assert decoder.state is State.DONE
    decoder = fed_text()
    decoder.receive_data(b'{"id":"1","choices":[{"index":0,"text":"a"}]}')
    assert [p.text for p in decoder.receive_eof()] == ["a"]
    decoder = fed_text()
    decoder.receive_data(piece)
    decoder.receive_eof()
    assert isinstance(decoder.failure, StreamInterruptedError)


def test_chunks_are_shown_in_the_order_in_which_they_came() -> None:
    """Also those that waited for a text, when one that brings news comes before any."""
    chunks = [
        chunk(None, role="assistant"),
        {**of_choices(), "prompt_progress": {"processed": 1}},
        chunk(None, "stop"),
        {**of_choices(usage={"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1}), "timings": {"n": 1}},
    ]
    answer = StreamedAnswer(CHAT)
    shown: list[Any] = []
    for said in chunks:
        answer.receive_data(event(said))
        shown += iter(answer.next_chunk, None)
    answer.receive_data(DONE)
    answer.conclude()
    shown += iter(answer.next_chunk, None)
    assert shown == [chunk_from_json(to_json(said)) for said in chunks]
    assert not answer.has_shown


@pytest.mark.parametrize(
    "delta",
    [
        {"audio": None},
        {"reasoning": None},
        {"refusal": None, "token_ids": None},
        {"content": "", "x": None},
        {"tool_calls": []},
    ],
)
def test_a_null_field_is_no_text(delta: dict[str, Any]) -> None:
    """It is held back with the role, so that another attempt may follow; and so in a choice and in a chunk."""
    answer = StreamedAnswer(CHAT)
    nothing = {"index": 0, "delta": delta, "finish_reason": None, "stop_reason": None}
    answer.receive_data(event(of_choices(nothing, service_tier=None)))
    assert answer.next_chunk() is None
    assert not answer.has_text
    answer.receive_data(event(chunk("Hi")))
    assert [said.choices[0].delta.content for said in iter(answer.next_chunk, None)] == [delta.get("content"), "Hi"]


@pytest.mark.parametrize(
    "news",
    [
        {"prompt_progress": {"processed": 1, "total": 9}},
        {"timings": {"prompt_n": 3}},
        {"provider": "x"},
        {"queue_position": 0},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": None, "stage": "reading"}]},
    ],
)
def test_news_without_text_is_shown_at_once(news: dict[str, Any]) -> None:
    """And is no text: another attempt may follow."""
    answer = StreamedAnswer(CHAT)
    answer.receive_data(event(of_choices(**news) if "choices" not in news else news))
    assert answer.next_chunk() is not None
    assert not answer.has_shown
    assert not answer.has_text
