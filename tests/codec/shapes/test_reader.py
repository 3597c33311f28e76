"""A reader learns a server's unknown fields, and reads with them exactly what the slow way reads."""

from __future__ import annotations

import copy
import gc
import json
import sys
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepseek_async.codec.reading.bodies import parse_json
from deepseek_async.codec.reading.shapes import AnswerReader
from deepseek_async.codec.reading.shapes.documented import CHUNK, COMPLETION, TEXT, Kind
from deepseek_async.codec.reading.shapes.learned import LONG
from deepseek_async.codec.reading.shapes.lessons import read_slowly
from deepseek_async.codec.reading.shapes.reader import MAX_LESSONS
from deepseek_async.errors import DeepSeekError
from deepseek_async.types import ChatCompletionChunk, TokenLogprob, TopLogprob

from ...cutting import TEXT as WORDS
from ...cutting import chunkings, completions
from ...examples import examples
from ...wire import completion, of_choices, to_json

Draw = Any
FEW = settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

# Plain ones, ones that mean something to us or to JSON, and any.
NAMES = (
    st.sampled_from(
        ["provider", "matched_stop", "token_ids", "stop_reason", "id", "refusal", "x-y", "", "é", "timings"]
    )
    | st.sampled_from(["error", "detail", "message", "code", "reasoning", "index", "extra", "complete"])
    | st.sampled_from(["logprobs", "name", "prefix", "delta", "prompt_cache_hit_tokens", "unknown", "request_id"])
    | st.sampled_from(['a"b', "a\\b", "a\nb", "\ud800", "x" * 200, "__class__", "unknown_0", "object", "__init__"])
    | WORDS
)
NUMBERS = st.sampled_from([0, -1, 2**63, -(2**70), 1e300, -0.0, 0.1, 1.0, float("inf"), float("nan")])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS | st.just("\ud83e"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=2)


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects_in(inner)


@st.composite
def with_unknown(draw: Draw, answers: list[Any]) -> list[Any]:
    """Answers of one server with fields of its own: some in every object of a depth, some in one."""
    answers = copy.deepcopy(answers)
    habits: dict[str, list[tuple[str, Any]]] = {}
    for answer in answers:
        for found in list(objects_in(answer)):
            kind = ",".join(sorted(found))
            if kind not in habits:
                habits[kind] = draw(FIELDS)
            for name, value in [*habits[kind], *(draw(FIELDS) if draw(st.integers(0, 9)) == 0 else [])]:
                found.setdefault(name, copy.deepcopy(value if draw(st.booleans()) else draw(VALUES)))
    return answers


def said(read: Any) -> Any:
    """What a way of reading makes of a text: a value, or what it says is wrong with it."""
    try:
        value = read()
    except DeepSeekError as error:
        return type(error), str(error), {**vars(error)}, error.__cause__, error.__suppress_context__
    return type(value), json.dumps(attrs.asdict(value), sort_keys=True)  # tells 1 from True and 1.0


def slowly(text: bytes, kind: Kind) -> Any:
    return read_slowly(parse_json(text, kind.what), text, kind)


@given(st.data())
@FEW
def test_fast_is_slow_for_chunks(data: st.DataObject) -> None:
    """For unknown fields at every level, of any name and value, chunk after chunk of one server."""
    reader = AnswerReader()
    for chunk in data.draw(with_unknown(data.draw(chunkings(data.draw(completions()))))):
        text = json.dumps(chunk).encode()
        for _ in range(2):  # learned from itself, too
            assert said(lambda text=text: reader.chunk(text)) == said(lambda text=text: slowly(text, CHUNK))


@given(st.data())
@FEW
def test_fast_is_slow_for_whole_answers(data: st.DataObject) -> None:
    """The same in one piece."""
    reader = AnswerReader()
    for answer in data.draw(with_unknown([data.draw(completions()) for _ in range(2)])):
        text = json.dumps(answer).encode()
        for _ in range(2):
            assert said(lambda text=text: reader.completion(text)) == said(lambda text=text: slowly(text, COMPLETION))


@given(st.data())
@FEW
def test_fast_is_slow_for_gaps(data: st.DataObject) -> None:
    """And for fill in the middle."""
    logprobs = {"text_offset": [0], "token_logprobs": [None], "tokens": ["a"], "top_logprobs": [{"a": -0.5}]}
    choice = {"text": "a", "index": 0, "finish_reason": "stop", "logprobs": logprobs}
    answer = {"id": "1", "created": 5, "model": "m", "choices": [choice], "usage": {"prompt_tokens": 1}}
    reader = AnswerReader()
    for one in data.draw(with_unknown([answer, answer])):
        text = json.dumps(one).encode()
        assert said(lambda text=text: reader.text(text)) == said(lambda text=text: slowly(text, TEXT))


def a_chunk(content: Any = "Hi", chunk: Any = (), choice: Any = (), **delta: Any) -> dict[str, Any]:
    said = {"index": 0, "delta": {"content": content, **delta}, "finish_reason": None, **dict(choice)}
    return of_choices(said, **dict(chunk))


TOKEN = {"id": 81, "token": "a", "bytes": [97], "logprob": -0.5}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}

# Server → chunks as it writes them.
DIALECTS: dict[str, list[dict[str, Any]]] = {
    "vLLM": [
        a_chunk("", {"prompt_token_ids": None}, {"logprobs": None}, role="assistant"),
        a_chunk("Hi", {}, {"logprobs": None, "stop_reason": None, "token_ids": None}, reasoning=None),
        a_chunk(None, {}, {"logprobs": None, "stop_reason": None, "token_ids": None}, reasoning="Hm"),
    ],
    "SGLang": [a_chunk("Hi", {}, {"matched_stop": None}, role=None, reasoning_content=None, tool_calls=None)],
    "OpenRouter": [a_chunk("Hi", {"provider": "x"}, {"native_finish_reason": None}, role="assistant")],
    "OpenAI": [a_chunk("Hi", {"service_tier": "default", "obfuscation": "aB"}, {}, refusal=None)],
    "llama.cpp": [
        a_chunk("a", {}, {"logprobs": {"content": [{**TOKEN, "top_logprobs": [TOKEN]}]}}),
        a_chunk("a", {}, {"logprobs": {"content": [{**TOKEN, "top_logprobs": [TOKEN, TOKEN]}]}}),
    ],
    "StepFun": [{**a_chunk("a", {}, {"finish_reason": ""}, role=""), "usage": USAGE}],
    "a gateway in JavaScript": [a_chunk("a", {"created": 1.76e9, "x": None}), a_chunk("a", {"created": 1.0, "x": 1})],
    "empty calls, null for anything": [
        a_chunk("a", {"id": None, "object": None, "model": None, "created": None}, {"index": None}, tool_calls=[]),
        a_chunk("a", {"usage": {**USAGE, "prompt_tokens_details": None, "cost": 0.1}}, {"delta": None}),
    ],
    "reasoning under another name": [a_chunk("a", thinking="Hm"), a_chunk("a", thinking=None, reasoning_content="m")],
    "calls": [
        a_chunk(None, tool_calls=[{"index": 0, "id": "c", "function": {"name": "f", "arguments": "", "x": 1}, "y": {}}])
    ],
    "null where another would be an error": [a_chunk("a", {"error": None}), a_chunk("b", {"error": None})],
}


@pytest.mark.parametrize("server", DIALECTS)
def test_a_server_is_slow_once(server: str) -> None:
    """What a server writes into its chunks is learned from the first of each sort; from then on none is slow."""
    texts = list(map(to_json, DIALECTS[server]))
    reader = AnswerReader()
    for text in texts:
        reader.chunk(text)
    first = reader.slow_chunks
    assert first <= len(texts)
    for text in texts:
        assert said(lambda text=text: reader.chunk(text)) == said(lambda text=text: slowly(text, CHUNK))
    assert reader.slow_chunks == first
    assert reader.chunks == 2 * len(texts)


def test_a_whole_answer_is_slow_once() -> None:
    """vLLM's whole answers: empty calls, `reasoning`, fields of its own at every level, in tokens too."""
    answer = completion("Hi", tool_calls=[], reasoning="Hm", refusal=None, annotations=None)
    answer |= {"service_tier": None, "kv_transfer_params": {"x": [1]}, "usage": {**USAGE, "cost": 1.5}}
    answer["choices"][0] |= {"stop_reason": None, "logprobs": {"content": [{**TOKEN, "top_logprobs": [TOKEN]}], "z": 1}}
    text = to_json(answer)
    reader = AnswerReader()
    read = [reader.completion(text, "t") for _ in range(3)]
    assert read[0] == read[1] == read[2] == slowly(text, COMPLETION)
    assert read[2].request_id == "t"
    logprobs = read[2].logprobs
    assert logprobs is not None
    assert logprobs.content is not None
    assert logprobs.content[0].extra == logprobs.content[0].top_logprobs[0].extra == {"id": 81}
    assert reader.slow_chunks == 0


def test_what_means_something_is_not_learned() -> None:
    """An error is raised though the key came as null before; `reasoning` that is no text stays an unknown field."""
    reader = AnswerReader()
    for _ in range(2):
        reader.chunk(to_json(a_chunk("a", {"error": None, "detail": None}, {}, reasoning=None)))
    assert reader.slow_chunks == 1
    with pytest.raises(DeepSeekError, match="gone"):
        reader.chunk(to_json(a_chunk("a", {"error": {"message": "gone"}})))
    told = reader.chunk(to_json(a_chunk("a", reasoning={"effort": 1}))).choices[0].delta
    assert (told.extra, told.reasoning_content) == ({"reasoning": {"effort": 1}}, None)
    assert reader.chunk(to_json(a_chunk("a", reasoning="Hm"))).choices[0].delta.reasoning_content == "Hm"
    for error in ({"message": "gone", "code": 500}, {"object": "error", "choices": [], "message": "gone"}):
        reader.chunk(to_json(a_chunk("a", {"message": "x", "code": 1})))
        with pytest.raises(DeepSeekError, match="gone"):
            reader.chunk(to_json(error))


def test_only_the_odd_chunk_is_slow() -> None:
    """A type that is none of the documented ones costs its own chunk, and why is told."""
    reader = AnswerReader()
    for number in range(10):
        odd = {"index": 0.0} if number == 5 else {}
        reader.chunk(to_json(a_chunk("a", {"provider": "x"}, odd)))
    assert (reader.chunks, reader.slow_chunks) == (10, 2)
    assert "$.choices[0].index" in reader.reason


def test_a_reader_tells_once_that_most_chunks_are_slow() -> None:
    """Not of a few, and not if most are fast."""
    told: list[tuple[int, int]] = []
    reader = AnswerReader(lambda reader: told.append((reader.slow_chunks, reader.chunks)))
    plain, odd = to_json(a_chunk("a")), to_json(a_chunk("a", {}, {"index": 0.0}))
    for text in [plain] * 500 + [odd] * 400 + [plain] * 10 + [odd] * 400:
        reader.chunk(text)
    assert told == [(511, 1021)]


def test_names_that_are_made_up_are_not_learned_for_ever() -> None:
    """A server with new names in every chunk is read slowly after a while, and as right as before."""
    reader = AnswerReader()
    for number in range(2 * MAX_LESSONS):
        read = reader.chunk(to_json(a_chunk("a", {f"x{number}": number})))
        assert read.extra == {f"x{number}": number}
    assert reader.slow_chunks == 2 * MAX_LESSONS
    assert reader.chunk(to_json(a_chunk("a", {"x0": 1}))).extra == {"x0": 1}
    assert reader.slow_chunks == 2 * MAX_LESSONS
    many = {f"y{number}": number for number in range(1000)}
    assert AnswerReader().chunk(to_json(a_chunk("a", many))).extra == many


@given(st.data())
@FEW
def test_logprobs_that_are_looked_at_are_the_same(data: st.DataObject) -> None:
    """Late or at once: whoever looks at each chunk's gets the next ones made at once, and sees no difference."""
    reader = AnswerReader()
    for chunk in data.draw(with_unknown(data.draw(chunkings(data.draw(completions()))))):
        text = json.dumps(chunk).encode() + b" " * data.draw(st.sampled_from([0, LONG]))
        for looks in (reader._looks.at_tokens, reader._looks, reader._looks):
            found = said(lambda text=text: reader.chunk(text))
            looks()
            assert found == said(lambda text=text: slowly(text, CHUNK))


@pytest.mark.parametrize("own", [{}, {"id": 5}])
@pytest.mark.parametrize("look", ["not", "at the tokens", "at the alternatives"])
def test_what_is_kept_of_logprobs_is_nothing_to_the_collector(look: str, own: dict[str, Any]) -> None:
    """Long answers cost no more a token than short ones: nothing is kept that the collector would go over again and
    again, before anybody looks or after it."""
    top = {"token": "a", "logprob": -1.5, "bytes": [97], **own}
    logprobs = {"content": [{**top, "top_logprobs": [top] * 20}]}
    text = to_json(a_chunk("a", {}, {"logprobs": logprobs}))
    reader, kept = AnswerReader(), []
    reader.chunk(text)
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(300):
        choice = reader.chunk(text).choices[0]
        assert choice.logprobs is not None
        for token in (choice.logprobs.content or ()) if look != "not" else ():
            assert token.logprob == -1.5
            assert look != "at the alternatives" or len(token.top_logprobs) == 20
        kept.append(choice)
    gc.collect()  # which sees tuples of what it need not see, and sees them never again
    # A token's own fields are the caller's dicts: those of numbers and texts are nothing to the collector, either,
    # until Python 3.14, which looks at every dict.
    looked_at = {"not": 0, "at the tokens": 1, "at the alternatives": 21}[look]
    dicts = 300 * looked_at if own and sys.version_info >= (3, 14) else 0
    assert len(gc.get_objects()) - before - dicts < 50
    assert all(choice == kept[0] for choice in kept)


@pytest.mark.parametrize("own", [{}, {"id": 5}])
def test_alternatives_are_made_when_somebody_looks_at_them(own: dict[str, Any]) -> None:
    """Whoever reads the chosen tokens alone gets them late, and those of the next chunks; in a whole answer, too."""
    top = {"token": "b", "logprob": -1.5, "bytes": [98], **own}
    logprobs = {"content": [{**top, "top_logprobs": [top, top]}], "z": "z" * 600}
    text = to_json(a_chunk("b", {}, {"logprobs": logprobs}))
    reader = AnswerReader()
    whole = completion("b")
    whole["choices"][0]["logprobs"] = logprobs
    for _ in range(3):
        for found in (reader.chunk(text).choices[0].logprobs, reader.completion(to_json(whole)).logprobs):
            assert found is not None
            (token,) = found.content or ()
            assert (token.token, token.logprob, token.bytes, token.extra) == ("b", -1.5, (98,), own)
            assert token._load is not None
    assert token.top_logprobs == (TopLogprob("b", -1.5, (98,), extra=own),) * 2
    assert token._load is None


@pytest.mark.parametrize("own", [{}, {"id": 5}])
def test_a_null_in_the_place_of_alternatives_is_none(own: dict[str, Any]) -> None:
    """The one thing that is checked as a shape and cannot be decoded straight into a value."""
    token = {"token": "a", "logprob": -1, "top_logprobs": None, **own}
    text = to_json(a_chunk("a" * 600, {}, {"logprobs": {"content": [token], "refusal": None}}))
    reader = AnswerReader()
    for _ in range(3):
        logprobs = reader.chunk(text).choices[0].logprobs
        assert logprobs is not None
        assert logprobs.content == (TokenLogprob("a", -1.0, extra=own),)
        assert logprobs.extra == {"refusal": None}
    whole = completion("a")
    whole["choices"][0]["logprobs"] = {"content": [token]}
    found = reader.completion(to_json(whole)).logprobs
    assert found is not None
    assert found.content == logprobs.content


def test_readers_learn_alone() -> None:
    """What one server sends is nothing to another; and values do not share what may be changed."""
    one, other = AnswerReader(), AnswerReader()
    text = to_json(a_chunk("a", {"provider": [1]}))
    values: list[ChatCompletionChunk] = [one.chunk(text), one.chunk(text), other.chunk(text)]
    assert values[0] == values[1] == values[2]
    assert (one.slow_chunks, other.slow_chunks) == (1, 1)
    values[0].extra["provider"].append(2)
    assert values[1].extra == {"provider": [1]}
