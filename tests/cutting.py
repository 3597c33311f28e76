"""Whole answers, and every way in which servers cut them into chunks, and networks chunks into reads.

Answers are plain JSON, made without the package: they are what it is held against.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import attrs
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]
Json = dict[str, Any]

# Characters that trip readers: line ends that are none, a BOM inside, quotes, beyond the BMP, joined ones, NUL.
TEXT = st.text(
    st.sampled_from('ab \n\r\t"\\é\u2028\u0085\ufeff\x00中🦔👩\u200d🔬{}:d') | st.characters(codec="utf-8"), max_size=12
)
SMALL = st.none() | st.booleans() | st.integers(-5, 5) | TEXT | st.lists(st.integers(0, 3), max_size=2)
EXTRA_NAMES = st.sampled_from(["provider", "timings", "matched_stop", "x-y", "nested"])
EXTRAS = st.dictionaries(EXTRA_NAMES, SMALL | st.dictionaries(st.sampled_from("ab"), SMALL, max_size=2), max_size=2)
REASONS = st.sampled_from(["stop", "length", "tool_calls", "content_filter", "eos", "something new"])
COUNTS = st.integers(0, 10**6)


# -- whole answers ---------------------------------------------------------------------------------------------------


@st.composite
def tops(draw: Draw) -> Json:
    """One alternative at a token's position."""
    text = draw(TEXT)
    logprob = draw(st.sampled_from([-9999.0, 0.0, -0.5]) | st.floats(-50, 0))
    return {"token": text, "logprob": logprob, "bytes": draw(st.sampled_from([None, list(text.encode())]))}


@st.composite
def tokens(draw: Draw) -> Json:
    """One token with its alternatives."""
    return {**draw(tops()), "top_logprobs": draw(st.lists(tops(), max_size=2))}


@st.composite
def logprobs(draw: Draw) -> Json | None:
    """The logprobs of a choice: none at all, or in each channel none or some."""
    channel = st.none() | st.lists(tokens(), max_size=4)
    if draw(st.integers(0, 2)) == 0:
        return None
    made: Json = {"content": draw(channel), **draw(EXTRAS)}
    if draw(st.booleans()):
        made["reasoning_content"] = draw(channel)
    return made


@st.composite
def calls(draw: Draw) -> Json:
    """One tool call."""
    arguments = draw(TEXT | st.sampled_from(["", "{}", '{"city": "Zürich"}']))
    name = draw(st.sampled_from(["f", "g", "get_weather"]))
    return {
        "id": "",
        "type": draw(st.sampled_from(["function", "custom"])),
        "function": {"name": name, "arguments": arguments},
    }


@st.composite
def choices(draw: Draw, index: int) -> Json:
    """One choice."""
    message: Json = {"role": "assistant", "content": draw(st.none() | TEXT), **draw(EXTRAS)}
    tokens_of = draw(logprobs())
    if draw(st.booleans()):
        message["reasoning_content"] = draw(st.none() | TEXT)
    if draw(st.booleans()):
        message["tool_calls"] = draw(st.lists(calls(), min_size=1, max_size=3))
        # All have ids of their own, or none has: by that gateways' fragments are told that count themselves.
        ids = draw(st.permutations(["call_00_a", "call_00_b", "call_01_c"]) | st.just(["", "", ""]))
        for call, call_id in zip(message["tool_calls"], ids, strict=False):
            call["id"] = call_id
    if tokens_of and message.get("reasoning_content") and not tokens_of.get("reasoning_content"):
        tokens_of["content"] = None  # else all tokens might be in one list, see `tests/codec/folding/test_channels.py`
    return {
        "index": index,
        "message": message,
        "logprobs": tokens_of,
        "finish_reason": draw(REASONS),
        **draw(EXTRAS),
    }


@st.composite
def usages(draw: Draw) -> Json:
    """Token counts, of any generation."""
    usage: Json = {"prompt_tokens": draw(COUNTS), "completion_tokens": draw(COUNTS), "total_tokens": draw(COUNTS)}
    if draw(st.booleans()):
        usage |= {"prompt_cache_hit_tokens": draw(COUNTS), "prompt_cache_miss_tokens": draw(COUNTS)}
    if draw(st.booleans()):
        usage["prompt_tokens_details"] = {"cached_tokens": draw(COUNTS)}
    if draw(st.booleans()):
        usage["completion_tokens_details"] = {"reasoning_tokens": draw(COUNTS), **draw(EXTRAS)}
    return usage


@st.composite
def completions(draw: Draw) -> Json:
    """A whole answer as a server sends it in one piece."""
    indexes = draw(st.sampled_from([[0], [0], [0, 1], [0, 1, 2], [1, 3]]))
    answer: Json = {
        "id": draw(st.sampled_from(["7f", "", "9a-1"])),
        "object": "chat.completion",
        "created": draw(st.sampled_from([0, 1760000000])),
        "model": draw(st.sampled_from(["", "deepseek-flash"])),
        "choices": [draw(choices(index)) for index in indexes],
        **draw(EXTRAS),
    }
    if draw(st.booleans()):
        answer["system_fingerprint"] = draw(st.sampled_from([None, "", "fp_x"]))
    if draw(st.booleans()):
        answer["usage"] = draw(st.none() | usages())
    return answer


# -- chunks ----------------------------------------------------------------------------------------------------------


@attrs.frozen
class Style:
    """The habits of a server.

    Attributes:
        role: Whether the role is said in the first delta only, in every one, or null or empty in later ones.
        said_again: What stands for an id, a type and a name in later fragments of a call: nothing, the same, null, "".
        nulls: Whether a field that a chunk has nothing for is null or left out.
        usage: Where the counts come: with the last choice, in a chunk of their own, or growing in every chunk.
        reasoning: The name of the field.
        closing: Whether the finish reason comes in a delta of its own.
        open_reason: What stands for a finish reason before the end.
        blank_first: Whether a first chunk without choices, id and model comes (Azure).
        head_once: Whether id, created, model and fingerprint come only in the first chunk.
        halves: Whether characters beyond the BMP may be cut into halves.
    """

    role: str
    said_again: str
    nulls: bool
    usage: str
    reasoning: str
    closing: bool
    open_reason: str
    blank_first: bool
    head_once: bool
    halves: bool


STYLES = st.builds(
    Style,
    role=st.sampled_from(["first", "every", "null later", "empty later"]),
    said_again=st.sampled_from(["nothing", "same", "null", "empty"]),
    nulls=st.booleans(),
    usage=st.sampled_from(["last", "own", "growing"]),
    reasoning=st.sampled_from(["reasoning_content", "reasoning_content", "reasoning"]),
    closing=st.booleans(),
    open_reason=st.sampled_from(["null", "missing", "empty"]),
    blank_first=st.booleans(),
    head_once=st.booleans(),
    halves=st.booleans(),
)


def cut(draw: Draw, whole: Any, *, pieces: int = 4) -> list[Any]:
    """A text or list in up to so many pieces, some of them empty; always at least one."""
    places = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=pieces - 1)))
    return [whole[start:end] for start, end in pairwise([0, *places, len(whole)])]


def cut_text(draw: Draw, text: str | None, style: Style) -> list[str]:
    """A text in pieces; `None` in none."""
    if text is None:
        return []
    if not style.halves:
        return cut(draw, text)
    units = text.encode("utf-16-le")
    pieces: list[list[int]] = cut(draw, list(range(0, len(units), 2)))
    return [b"".join(units[at : at + 2] for at in piece).decode("utf-16-le", "surrogatepass") for piece in pieces]


def fragments_of(draw: Draw, call: Json, index: int, style: Style) -> list[Json]:
    """The fragments of one call, in order."""
    again: dict[str, Any] = {
        "nothing": {},
        "same": {"id": call["id"], "type": call["type"]},
        "null": {"id": None, "type": None},
        "empty": {"id": "", "type": ""},
    }[style.said_again]
    name_again: dict[str, Any] = {
        "nothing": {},
        "same": {"name": call["function"]["name"]},
        "null": {"name": None},
        "empty": {"name": ""},
    }[style.said_again]
    first, *rest = cut_text(draw, call["function"]["arguments"], style)
    head = {"index": index, "id": call["id"], "type": call["type"]}
    return [
        {**head, "function": {"name": call["function"]["name"], "arguments": first}},
        *({"index": index, **again, "function": {**name_again, "arguments": piece}} for piece in rest),
    ]


def deltas_of(draw: Draw, choice: Json, style: Style) -> list[Json]:
    """The parts of one choice, each a choice of a chunk, in an order that keeps every channel's own."""
    message = dict(choice["message"])
    known = ("role", "content", "reasoning_content", "tool_calls")
    queues: list[list[Json]] = [
        [{"delta": {style.reasoning: piece}} for piece in cut_text(draw, message.get("reasoning_content"), style)],
        [{"delta": {"content": piece}} for piece in cut_text(draw, message["content"], style)],
        [{"delta": {name: value}} for name, value in message.items() if name not in known],
        [
            {name: value}
            for name, value in choice.items()
            if name not in ("index", "message", "logprobs", "finish_reason")
        ],
        _parts_of_logprobs(draw, choice["logprobs"]),
    ]
    for index, call in enumerate(message.get("tool_calls") or ()):
        queues.append([{"delta": {"tool_calls": [f]}} for f in fragments_of(draw, call, index, style)])
    parts: list[Json] = []
    while queues := [queue for queue in queues if queue]:
        part = draw(st.sampled_from(queues)).pop(0)
        if parts and draw(st.booleans()) and (joined := _joined(parts[-1], part)) is not None:
            parts[-1] = joined
        else:
            parts.append(part)
    if style.closing or not parts:
        parts.append({})
    return [_dressed(part, choice, number, len(parts), style) for number, part in enumerate(parts)]


def _parts_of_logprobs(draw: Draw, whole: Json | None) -> list[Json]:
    if whole is None:
        return []
    parts: list[Json] = [{"logprobs": {"content": None, **{k: v for k, v in whole.items() if k not in CHANNELS}}}]
    for channel in CHANNELS:
        if whole.get(channel) is not None:
            parts += [{"logprobs": {channel: piece}} for piece in cut(draw, whole[channel])]
    return parts


CHANNELS = ("content", "reasoning_content")


def _joined(one: Json, other: Json) -> Json | None:
    """Two parts as one, if they do not say the same thing twice."""
    joined = {**one, **other}
    for name in ("delta", "logprobs"):
        if name in one and name in other:
            same = one[name].keys() & other[name].keys()
            if same - {"tool_calls"}:
                return None
            joined[name] = {**one[name], **other[name]}
            if "tool_calls" in same:
                joined[name]["tool_calls"] = one[name]["tool_calls"] + other[name]["tool_calls"]
    return joined


def _dressed(part: Json, choice: Json, number: int, count: int, style: Style) -> Json:
    """A part with what its server says in every chunk."""
    delta = dict(part.get("delta", {}))
    if number == 0 or style.role == "every":
        delta["role"] = "assistant"
    elif style.role != "first":
        delta["role"] = None if style.role == "null later" else ""
    dressed = {**part, "index": choice["index"], "delta": delta}
    if style.nulls:
        for name in ("content", style.reasoning, "tool_calls"):
            delta.setdefault(name, None)
        dressed.setdefault("logprobs", None)
    if number == count - 1:
        dressed["finish_reason"] = choice["finish_reason"]
    elif style.open_reason != "missing":
        dressed["finish_reason"] = None if style.open_reason == "null" else ""
    return dressed


@st.composite
def chunkings(draw: Draw, answer: Json) -> list[Json]:
    """A whole answer as the chunks of some server's stream."""
    style = draw(STYLES)
    queues = [deltas_of(draw, choice, style) for choice in answer["choices"]]
    grouped: list[list[Json]] = []
    while queues := [queue for queue in queues if queue]:
        queue = draw(st.sampled_from(queues))
        part = queue.pop(0)
        if grouped and draw(st.booleans()) and part["index"] not in [other["index"] for other in grouped[-1]]:
            grouped[-1].append(part)
        else:
            grouped.append([part])
    head = {name: answer[name] for name in ("id", "created", "model", "system_fingerprint") if name in answer}
    usage = answer.get("usage")
    chunks: list[Json] = []
    for number, parts in enumerate(grouped):
        chunk = {"object": "chat.completion.chunk", "choices": parts}
        if number == 0 or not style.head_once:
            chunk = {**head, **chunk}
        if style.nulls:
            chunk["usage"] = None
        if usage is not None and style.usage == "growing":
            chunk["usage"] = {**usage, "completion_tokens": min(number, usage["completion_tokens"])}
        chunks.append(chunk)
    if usage is not None:
        if style.usage == "own":
            chunks.append({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage})
        else:
            chunks[-1]["usage"] = usage
    known = {"id", "object", "created", "model", "system_fingerprint", "choices", "usage"}
    for name, value in answer.items():
        if name not in known:
            chunks[draw(st.integers(0, len(chunks) - 1))][name] = value
    if style.blank_first:
        chunks.insert(0, {"id": "", "object": "", "created": 0, "model": "", "choices": []})
    return chunks


# -- bytes -----------------------------------------------------------------------------------------------------------


@st.composite
def streams(draw: Draw, chunks: list[Json]) -> bytes:
    """Chunks as the bytes of an event stream, framed as some server frames it."""
    space = draw(st.sampled_from([" ", ""]))
    end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    comment = draw(st.sampled_from(["", ": keep-alive" + end + end, ":" + end]))
    name = draw(st.sampled_from(["", "", "event: message" + end, "id: 1" + end]))
    every = draw(st.integers(1, 3))
    framed = "".join(
        f"{'' if number % every else comment}{name}data:{space}{text}{end}{end}"
        for number, text in enumerate([*map(_text, chunks), "[DONE]"])
    )
    begin = draw(st.sampled_from(["", "", "\ufeff", "\n\n", ": OPENROUTER PROCESSING\n\n"]))
    return (begin + framed).encode()


def _text(chunk: Json) -> str:
    try:
        text = json.dumps(chunk, ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:  # halves of characters can only be said in escapes
        return json.dumps(chunk)
    return text


@st.composite
def reads(draw: Draw, data: bytes) -> list[bytes]:
    """Bytes as some network brings them; no read is empty."""
    places = draw(st.lists(st.integers(0, len(data)), max_size=12))
    return [data[start:end] for start, end in pairwise([0, *sorted(set(places) - {0, len(data)}), len(data)])]
