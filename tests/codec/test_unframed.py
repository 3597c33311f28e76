"""JSON texts one after the other in place of an event stream, and answers of other protocols."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.codec.answer import Complete, Interrupted, StreamedAnswer
from deepseek_async.codec.dialects import CHAT, TEXT
from deepseek_async.codec.failures.foreign import foreign_form, foreign_form_in
from deepseek_async.codec.reading.one_piece import completion_in, text_completion_in
from deepseek_async.codec.unframed import UnframedBody, is_stream
from deepseek_async.errors import (
    EmptyResponseError,
    MalformedResponseError,
    ResponseTooLargeError,
    StreamInterruptedError,
)

TEXTS = ['He said "{[', "\\]},{\\", ' "\u4f60"\n', "}{ you"]


def chunk(content: str, finish_reason: str | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish_reason}
    said = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **fields}
    return json.dumps(said).encode()


def whole(content: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    return json.dumps(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    ).encode()


CHUNKS = [*map(chunk, TEXTS), chunk("", "stop", usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3})]
FORMS: dict[str, Callable[[list[bytes]], bytes]] = {
    "lines": lambda chunks: b"\n".join(chunks) + b"\n",
    "lines of CRLF": lambda chunks: b"\r\n".join(chunks),
    "blank lines between": lambda chunks: b"\n\n".join(chunks) + b"\n\n",
    "a BOM before": lambda chunks: b"\xef\xbb\xbf\n" + b"\n".join(chunks),
    "end to end": b"".join,
    "an array": lambda chunks: b"[" + b",\r\n".join(chunks) + b"]\n",
    "record separators": lambda chunks: b"".join(b"\x1e" + each + b"\n" for each in chunks),
    "indented": lambda chunks: b"\n".join(json.dumps(json.loads(each), indent=2).encode() for each in chunks),
    "with the end of events": lambda chunks: b"\n".join(chunks) + b"\n[DONE]\n",
    "keep-alive lines before": lambda chunks: b"\n\n\n" + b"\n".join(chunks),
}


def read(body: bytes, cuts: list[int], dialect: Any = CHAT) -> StreamedAnswer[Any, Any]:
    answer = StreamedAnswer(dialect, choices=1)
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    for start, end in itertools.pairwise(places):
        if start < end:
            answer.receive_data(body[start:end])
    answer.receive_eof()
    return answer


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@given(cuts=st.lists(st.integers(0, 1500), max_size=8))
def test_every_form_is_the_answer(form: Callable[[list[bytes]], bytes], cuts: list[int]) -> None:
    """However it is cut: the chunks as they would come as events, and the answer that they fold to."""
    answer = read(form(CHUNKS), cuts)
    assert isinstance(answer.end, Complete)
    answer.conclude()
    shown = []
    while (one := answer.next_chunk()) is not None:
        shown.append(one.choices[0].delta.content)
    assert "".join(shown) == "".join(TEXTS)
    completion = answer.completion()
    assert (completion.text, completion.complete) == ("".join(TEXTS), True)
    assert completion.usage.total_tokens == 3


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_byte_at_a_time_and_in_one_piece(form: Callable[[list[bytes]], bytes]) -> None:
    """Also in answer to a request that asked for no stream, and chunks come as soon as the next has begun."""
    body = form(CHUNKS)
    assert read(body, list(range(len(body)))).completion().text == "".join(TEXTS)
    completion, text = completion_in(body)
    assert completion.text == "".join(TEXTS) == completion_in(text)[0].text
    answer = StreamedAnswer(CHAT, choices=1)
    answer.receive_data(body[: body.index(CHUNKS[2][:1], len(CHUNKS[0]) + len(CHUNKS[1]) + 2) + 40])
    assert answer.chunks >= 1 or form is FORMS["indented"]


def test_a_whole_answer_alone_is_a_document() -> None:
    """As before: also with white space behind it, in an array, indented, and cut."""
    for body in (whole("Hi"), whole("Hi") + b"\n\n", b"[" + whole("Hi") + b"]", whole('{"choices": "}{"')):
        assert not is_stream(body)
        assert read(body, [5, 40]).completion().text in ("Hi", '{"choices": "}{"')
    answer = read(whole("Hi")[:-20], [])
    assert isinstance(answer.end, Interrupted)
    assert isinstance(answer.end.error, StreamInterruptedError)


@pytest.mark.parametrize("keep", [1, 2, 3, 4])
@pytest.mark.parametrize("half", [0, 1, 30, -1])
@pytest.mark.parametrize("form", ["lines", "an array", "end to end", "record separators"])
def test_what_ends_in_the_middle_is_an_interruption(form: str, keep: int, half: int) -> None:
    """Never an answer, and never lost: the partial has what came."""
    body = FORMS[form](CHUNKS[:keep]).removesuffix(b"]\n") + (b"," if form == "an array" else b"")
    answer = read(body + CHUNKS[keep][:half], [50, 100])
    assert isinstance(answer.end, Interrupted)
    error = answer.end.error
    assert isinstance(error, StreamInterruptedError)
    assert error.retryable
    if keep > 1 or half:
        assert error.partial is not None
        assert error.partial.text == "".join(TEXTS[:keep])


JSONS = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(st.sampled_from('{}[]",\\\\ \n\x1ea\u4f60')),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.sampled_from('{}"\\\\a')), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.sampled_from(["choices", "a", "}", '"', "\\\\"]), JSONS), min_size=1, max_size=4),
    st.sampled_from([b"", b"\n", b",", b" ,\n", b"\n\x1e"]),
    st.lists(st.integers(0, 400), max_size=6),
    st.booleans(),
)
def test_any_objects_are_found_whole(objects: list[Any], between: bytes, cuts: list[int], escaped: bool) -> None:
    """Of any content and however cut; one alone never begins a stream."""
    texts = [json.dumps({"choices": [], **said}, ensure_ascii=escaped).encode() for said in objects]
    body = between.join(texts)
    unframed, events = UnframedBody(2**20), b""
    for start, end in itertools.pairwise([0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]):
        events += unframed.take(body[start:end])
    if len(objects) == 1:
        assert (unframed.is_many, events, bytes(unframed.data)) == (False, b"", body)
    else:
        events += unframed.receive_eof()
        assert [json.loads(event[6:]) for event in events.split(b"\n\n") if event] == list(map(json.loads, texts))


def test_long_streams_and_long_answers() -> None:
    """A stream may be of any length; an answer that is one object is not looked through to its end."""
    body = b"\n".join([chunk("word " * 20)] * 4000 + [chunk("", "stop")])
    assert completion_in(body)[0].text == "word " * 80_000 == read(body, [100, 300_000]).completion().text
    long = whole("word " * 200_000)
    started = time.process_time()
    unframed = UnframedBody(2**24)
    for at in range(0, len(long), 4096):
        unframed.take(long[at : at + 4096])
    assert (unframed.is_many, bytes(unframed.data)) == (False, long)
    assert time.process_time() - started < 0.2
    assert read(long, [1000]).completion().text == "word " * 200_000


def test_an_error_among_lines() -> None:
    """Is that error, with what had come."""
    body = b"\n".join([*CHUNKS[:2], b'{"error": {"message": "out of memory", "code": 500}}'])
    with pytest.raises(StreamInterruptedError, match="out of memory") as caught:
        completion_in(body)
    assert caught.value.partial is not None
    assert caught.value.partial.text == "".join(TEXTS[:2])


def test_fill_in_the_middle() -> None:
    """On the other endpoint alike."""
    texts = [{"id": "c", "choices": [{"index": 0, "text": text, "finish_reason": None}]} for text in ("a{", '"b')]
    texts.append({"id": "c", "choices": [{"index": 0, "text": "", "finish_reason": "stop"}]})
    body = "\n".join(map(json.dumps, texts)).encode()
    assert read(body, [10], TEXT).completion().text == 'a{"b' == text_completion_in(body).text


def test_an_object_over_the_cap() -> None:
    """Is refused as an event is, however it comes."""
    body = UnframedBody(1000)
    body.take(chunk("a") + chunk("b"))
    with pytest.raises(ResponseTooLargeError, match="1,000"):
        for _ in range(30):
            body.take(chunk("c" * 100).removesuffix(b"}]}") + b" " * 60)


@pytest.mark.parametrize("text", ["\\", "{", "}", '"', '\\"', "{}", "[", "{}}"])
def test_no_body_takes_long(text: str) -> None:
    """Whatever it is made of, and in however small pieces."""
    started = time.process_time()
    body = UnframedBody(2**24)
    for _ in range(100):
        body.take(b'{"choices": "' + text.encode() * 1000)
    body.receive_eof()
    assert time.process_time() - started < 1.0


# -- other protocols ---------------------------------------------------------------------------------------------------

FOREIGN: list[tuple[Any, str]] = [
    ({"model": "m", "message": {"role": "assistant", "content": "Hi"}, "done": True}, "Ollama"),
    ({"model": "m", "response": "Hi", "done": False}, "Ollama"),
    ({"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]}, "Gemini"),
    ([{"candidates": []}, {"candidates": []}], "Gemini"),
    ({"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi"}]}, "Anthropic"),
    ({"type": "message_start", "message": {"role": "assistant"}}, "Anthropic"),
    ({"object": "response", "status": "completed", "output": []}, "Responses"),
    ({"type": "response.created", "response": {}}, "Responses"),
    ({"content": "Hi", "stop": True, "tokens_predicted": 2}, "llama.cpp"),
    ([{"generated_text": "Hi"}], "text-generation-inference"),
    ({"object": "list", "data": [{"id": "m"}]}, "list"),
]


@pytest.mark.parametrize(("said", "whose"), FOREIGN, ids=lambda value: value if isinstance(value, str) else "")
def test_other_protocols_are_named(said: Any, whose: str) -> None:
    """Whole, on lines and as events: asked for once, and the error says what to do and keeps the text."""
    body = json.dumps(said).encode()
    for told in (body, body + b"\n" + body, b"\n\n" + body):
        with pytest.raises(MalformedResponseError, match=whose) as caught:
            completion_in(told)
        assert not caught.value.retryable
        assert "no chat completion" in str(caught.value)
        assert json.dumps(said)[:20] in caught.value.body
        answer = read(told, [7])
        assert isinstance(answer.end, Interrupted)
        assert whose in str(answer.end.error)
    if isinstance(said, dict) and said.get("object") not in ("list", "response"):  # chunks have an object of their own
        for end in (b"", b"data: [DONE]\n\n"):
            answer = read(b"data: " + body + b"\n\ndata: " + body + b"\n\n" + end, [])
            assert isinstance(answer.end, Interrupted)
            assert isinstance(answer.end.error, MalformedResponseError)
            assert whose in str(answer.end.error)


@pytest.mark.parametrize("said", [{}, [], 5, None, "Hi", {"id": "x"}, {"usage": {}}, {"choices": [], "done": True}])
def test_what_is_not_known_is_told_as_before(said: Any) -> None:
    """No protocol is guessed at."""
    assert foreign_form(said) is foreign_form_in(json.dumps(said)) is None
    with pytest.raises((MalformedResponseError, EmptyResponseError)):
        completion_in(json.dumps(said).encode())
