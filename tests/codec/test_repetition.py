"""Chunks that are read by what they repeat are those that decoding each would give."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepseek_async.codec.folding.fold import Fold
from deepseek_async.codec.reading.bodies import parse_json
from deepseek_async.codec.reading.repetition import MANY_HITS, Repetition, StreamReader
from deepseek_async.codec.reading.shapes import AnswerReader
from deepseek_async.codec.reading.shapes.documented import CHUNK
from deepseek_async.codec.reading.shapes.lessons import read_slowly
from deepseek_async.codec.reading.shapes.reader import REPEATING
from deepseek_async.errors import DeepSeekError
from deepseek_async.sse import Comment
from deepseek_async.types import ChatCompletionChunk

from ..cutting import chunkings, completions
from ..wire import to_json
from .shapes.test_reader import DIALECTS, a_chunk, with_unknown

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def shown(chunk: ChatCompletionChunk) -> str:
    return json.dumps(attrs.asdict(chunk), sort_keys=True)  # tells 1 from True and 1.0


def slowly(payloads: list[bytes]) -> list[str]:
    """What each payload says, one by one and the slow way; last the error, if one is none."""
    found: list[str] = []
    try:
        found.extend(shown(read_slowly(parse_json(payload, CHUNK.what), payload, CHUNK)) for payload in payloads)
    except DeepSeekError as error:
        found.append(f"{type(error).__name__}: {error}")
    return found


def by_repetition(payloads: list[bytes], cuts: list[int]) -> list[str]:
    """The same as one stream's reader reads them, a run of some at a time."""
    reader, chunks = StreamReader(AnswerReader()), []
    start = 0
    try:
        while start < len(payloads):
            end = start + (cuts.pop() if cuts else len(payloads))
            assert reader.read_run(payloads[start:end], 0, chunks) == len(payloads[start:end])
            start = end
    except DeepSeekError as error:
        return [*map(shown, chunks), f"{type(error).__name__}: {error}"]
    return list(map(shown, chunks))


CUTS = st.lists(st.integers(1, 5), max_size=10)


@given(st.data(), CUTS)
@FEW
def test_streams_of_any_server(data: st.DataObject, cuts: list[int]) -> None:
    """With unknown fields at every level, cut into any runs."""
    chunks = data.draw(with_unknown(data.draw(chunkings(data.draw(completions())))))
    payloads = [json.dumps(chunk, ensure_ascii=data.draw(st.booleans())).encode("utf-8", "replace") for chunk in chunks]
    assert by_repetition(payloads, cuts) == slowly(payloads)


# What may stand where a text stood: texts as JSON writes them, and bytes that end the string, the object, the line.
PIECES = st.sampled_from(
    [
        b"",
        b"a",
        b" the",
        b"\\n",
        b'\\"',
        b"\\\\",
        b"\\u00e9",
        b"\\ud83e",
        b"\\udd14",
        "数".encode(),
        b"\xff",
        b"\n",
        b"\x7f",
    ]
)
ODDITIES = st.sampled_from([b'"', b'","role":"user', b'"}}],"id":"x","choices":[{"delta":{"content":"', b"\\", b"\x00"])
TEXTS = st.lists(PIECES, max_size=3).map(b"".join) | st.lists(PIECES | ODDITIES, max_size=3).map(b"".join)


@given(st.sampled_from(sorted(DIALECTS)), st.lists(TEXTS, min_size=2, max_size=12), CUTS, st.data())
@settings(max_examples=150, deadline=None)
def test_any_bytes_in_the_place_of_the_text(server: str, texts: list[bytes], cuts: list[int], data: Any) -> None:
    """They are the text if they are one, and else what they always were: another field, another chunk, an error."""
    first = to_json(data.draw(st.sampled_from(DIALECTS[server])))
    held = json.dumps(first.decode()).encode()  # just some text of another chunk's
    pieces = first.partition(b'"Hi"') if b'"Hi"' in first else first.partition(b'"a"')
    payloads = [first, *(b'%b"%b"%b' % (pieces[0], text, pieces[2]) for text in texts)]
    if data.draw(st.booleans()):
        payloads.insert(data.draw(st.integers(0, len(payloads))), b"{" + held)
    assert by_repetition(payloads, cuts) == slowly(payloads)


ALIKE = ["vLLM", "SGLang", "OpenRouter", "OpenAI", "a gateway in JavaScript"]


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("server", ALIKE)
def test_a_server_that_repeats_itself_is_read_so(server: str, ascii_only: bool) -> None:
    """All but the first few chunks of a stream; each is counted."""
    written = DIALECTS[server][min(1, len(DIALECTS[server]) - 1)]
    payloads = []
    for number in range(50):
        choice = {**written["choices"][0], "delta": {**written["choices"][0]["delta"], "content": f" {number}é\n"}}
        own = {"obfuscation": "x" * (number % 7 + 1)} if "obfuscation" in written else {}
        payloads.append(json.dumps({**written, "choices": [choice], **own}, ensure_ascii=ascii_only).encode())
    reader, chunks = AnswerReader(), []
    stream = StreamReader(reader)
    assert stream.read_run(payloads, 0, chunks) == 50
    assert list(map(shown, chunks)) == slowly(payloads)
    assert stream._hits >= 46
    stream.read(to_json(a_chunk(None, {}, {"finish_reason": "stop"})))
    assert reader.chunks == 51
    assert reader.slow_chunks <= 2


def test_reasoning_is_repetition_too_and_then_the_content() -> None:
    """What changes may be the reasoning, under any of its names; another text that changes is kept anew."""
    thoughts = [to_json(a_chunk(None, {}, {}, reasoning=f"Hm {number}")) for number in range(20)]
    words = [to_json(a_chunk(f"a {number}", {}, {}, reasoning=None)) for number in range(20)]
    chunks: list[ChatCompletionChunk] = []
    stream = StreamReader(AnswerReader())
    stream.read_run(thoughts, 0, chunks)
    assert stream._hits >= 17
    stream.read_run(words, 0, chunks)
    assert stream._hits >= 17
    assert list(map(shown, chunks)) == slowly(thoughts + words)


def test_it_stops_at_what_is_no_object() -> None:
    """A keep-alive, an end, another kind of event amid a run: what comes before is read, and what follows is next."""
    words = [to_json(a_chunk(f"a {number}")) for number in range(20)]
    run = [*words[:9], Comment(""), *words[9:], b"[DONE]"]
    chunks: list[ChatCompletionChunk] = []
    stream = StreamReader(AnswerReader())
    assert stream.read_run(run, 0, chunks) == 9
    assert stream.read_run(run, 10, chunks) == 21
    assert list(map(shown, chunks)) == slowly(words)
    assert stream.read_run([b"[DONE]"], 0, chunks) == 0
    assert stream.read_run([Comment("")], 0, chunks) == 0
    assert stream.read_run([], 0, chunks) == 0


@pytest.mark.parametrize("own", [{}, {"obfuscation": "x"}])
@pytest.mark.parametrize("cut", [b'"hello"', b'""', b'"hello"%a', b'%b"hello"', b'%b"hello"}'])
def test_what_lacks_the_bytes_around_its_text_is_no_chunk(cut: bytes, own: dict[str, Any]) -> None:
    """A text alone, which some gateways send to keep the connection alive, and an object that is cut behind its text:
    they are valid JSON strings once what is there is taken away."""
    payloads = [to_json(a_chunk(f"a{number}", dict.fromkeys(own, f"{number}"))) for number in range(12)]
    before, _, after = payloads[-1].partition(b'"a11"')
    odd = cut.replace(b"%b", before).replace(b"%a", after)
    run = [*payloads, odd, *payloads]
    reader, chunks = StreamReader(AnswerReader()), list[ChatCompletionChunk]()
    if odd.startswith(b'"'):
        assert reader.read_run(run, 0, chunks) == 12
    else:
        with pytest.raises(DeepSeekError, match="not JSON"):
            reader.read_run(run, 0, chunks)
    assert list(map(shown, chunks)) == slowly(payloads)


def test_what_chunks_share_cannot_be_changed() -> None:
    """Nor does what one says in fields of its own reach another."""
    chunks: list[ChatCompletionChunk] = []
    payloads = [to_json(a_chunk(f"a {number}", {"provider": "x"}, {"z": None})) for number in range(20)]
    StreamReader(AnswerReader()).read_run(payloads, 0, chunks)
    for extra in (chunks[-1].extra, chunks[-1].choices[0].extra):
        with pytest.raises(TypeError):
            extra["more"] = 1  # type: ignore[index]
    assert chunks[-1] == ChatCompletionChunk.from_json(chunks[-1].to_json())
    nested = [to_json(a_chunk(f"a {number}", {"timings": {"n": 1}})) for number in range(20)]
    StreamReader(AnswerReader()).read_run(nested, 0, chunks)
    assert chunks[-1].extra == chunks[-2].extra
    assert chunks[-1].extra["timings"] is not chunks[-2].extra["timings"]


def test_streams_that_do_not_repeat_themselves_are_soon_taken_as_such() -> None:
    """Two choices in turns: given up after a few chunks, and after a few such streams not tried any more."""
    payloads = [to_json(a_chunk(f"a {number}", {}, {"index": number % 2})) for number in range(20)]
    reader = AnswerReader()
    for _ in range(REPEATING + 2):
        chunks: list[ChatCompletionChunk] = []
        stream = StreamReader(reader)
        stream.read_run(payloads, 0, chunks)
        assert list(map(shown, chunks)) == slowly(payloads)
        assert stream._kept is None
        assert stream._tries == 0
    assert reader.repeating == 0
    alike = [to_json(a_chunk(f"a {number}")) for number in range(MANY_HITS + 4)]
    again = AnswerReader()
    again.repeating = 1
    stream = StreamReader(again)
    stream.read_run([*alike, to_json(a_chunk(None, {}, {"finish_reason": "stop"}))], 0, [])
    assert again.repeating == REPEATING


@given(
    st.lists(st.tuples(st.sampled_from(["content", "reasoning", "usage", "other index", "role"]), st.integers(1, 9))),
    CUTS,
    st.sampled_from([None, 1, 2]),
)
def test_what_is_folded_in_runs_is_what_is_folded_one_by_one(
    parts: list[tuple[str, int]], cuts: list[int], choices: int | None
) -> None:
    """Runs of chunks that are alike, with others between them, of one choice and of several."""
    payloads: list[bytes] = []
    for kind, count in parts:
        for number in range(count):
            match kind:
                case "reasoning":
                    chunk = a_chunk(None, {}, {}, reasoning=f"r{number}")
                case "usage":
                    counts = {"prompt_tokens": 1, "completion_tokens": number, "total_tokens": number + 1}
                    chunk = a_chunk(f"u{number}", {"usage": counts})
                case "other index":
                    chunk = a_chunk(f"o{number}", {"provider": "x"}, {"index": 1})
                case "role":
                    chunk = a_chunk("", {}, {}, role="assistant")
                case _:
                    chunk = a_chunk(f"c{number}", {"seen": number % 3}, {"stop_reason": None})
            payloads.append(to_json(chunk))
    reader, at_once, singly = StreamReader(AnswerReader()), Fold(choices), Fold(choices)
    start = 0
    while start < len(payloads):
        end = start + (cuts.pop() if cuts else len(payloads))
        chunks: list[ChatCompletionChunk] = []
        runs: list[Repetition] = []
        reader.read_run(payloads[start:end], 0, chunks, runs)
        at_once.add_all(chunks, runs)
        for chunk in chunks:
            singly.add(chunk)
        start = end
    assert at_once.completion(done=False) == singly.completion(done=False)
    assert at_once.is_of_one == singly.is_of_one


def test_a_run_tells_its_texts() -> None:
    """Of a whole read but its first chunks; of one chunk there is nothing to tell."""
    payloads = [to_json(a_chunk(f"a{number}")) for number in range(20)]
    reader, chunks, runs = StreamReader(AnswerReader()), list[ChatCompletionChunk](), list[Repetition]()
    reader.read_run(payloads, 0, chunks, runs)
    ((start, name, texts),) = runs
    assert start + len(texts) == 20
    assert name == "content"
    assert texts == [chunk.choices[0].delta.content for chunk in chunks[start:]]
    reader.read_run(payloads[:1], 0, chunks, runs)
    assert len(chunks) == 21
    assert len(runs) == 1
