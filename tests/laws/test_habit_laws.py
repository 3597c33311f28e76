"""The law of reassembly over the habits of many servers at once: whatever they combine, streamed equals whole."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

import attrs
import pytest

from deepseek_async.codec.answer import StreamedAnswer
from deepseek_async.codec.dialects import CHAT, read_by
from deepseek_async.codec.reading.one_piece import completion_in
from deepseek_async.codec.reading.shapes import AnswerReader
from deepseek_async.types import ChatCompletion

Json = dict[str, Any]
WORDS = ("Hi", " there", "🦔", "é", "\n", "{}", "ha", "ha", ' "q"', "中", "a")
ARGUMENTS = ("{}", '{"a": 1}', '{"s": "}{\\"x"}', '{"l": [1, {"b": 2}]}')
PINGS = (
    ": c",
    "data: null",
    "data: [PING]",
    'data: {"type":"ping"}',
    "data:",
    "event: ping\ndata: x",
    "event: up\ndata: 1",
)
HABITS: dict[str, tuple[Any, ...]] = {
    "reasoning": ("reasoning_content", "reasoning", "thinking", "reasoning_text"),
    "said in": ("delta", "delta", "both"),
    "in parts": (False, False, True),
    "index": (0, "0", 0.0, None, "counts"),
    "id": ("7f", 7, None),
    "created": (1760000000, "1760000000", 1760000000.0, None),
    "usage": ("of its own", "last", "choice", "delta", "x_groq", "first", "every", "empty later"),
    "envelope": (None, None, "data", "result"),
    "open reason": (None, "null", "", "None"),
    "event": ("", "", "event: message", "event: completion"),
    "line end": ("\n", "\n", "\r\n", "\r"),
    "done": ("[DONE]", "[DONE]", "[done]", '"[DONE]"', None),
    "call's index": ("number", "number", "zero", None, "counts"),
    "call's id": ("once", "every"),
    "call's name": ("once", "every", "empty"),
    "call in a list": (True, False),
    "pings": (False, True),
    "once more": (False, True),
}
EMPTY_USAGES: tuple[Any, ...] = ({}, {"prompt_tokens": None}, {"total_tokens": 0}, {"prompt_tokens_details": None}, [])


@attrs.frozen
class Server:
    """An answer, and how it is sent."""

    whole: Json
    body: bytes


def some(rng: random.Random, text: str) -> list[str]:
    """A text in up to five pieces, some of them empty."""
    places = sorted(rng.randint(0, len(text)) for _ in range(rng.randint(0, 4)))
    return [text[a:b] for a, b in pairwise([0, *places, len(text)])]


def fragments(rng: random.Random, calls: list[Json], has: dict[str, Any]) -> list[Json]:
    """The deltas of all calls."""
    deltas: list[Json] = []
    for number, call in enumerate(calls):
        function = call["function"]
        for place, piece in enumerate(some(rng, function["arguments"])):
            said: Json = {"function": {"arguments": piece}}
            index = {"number": number, "zero": 0, "counts": len(deltas)}.get(has["call's index"])
            if index is not None:
                said["index"] = index
            if not place or has["call's id"] == "every":
                said |= {"id": call["id"], "type": "function"}
            if not place or has["call's name"] == "every":
                said["function"]["name"] = function["name"]
            elif has["call's name"] == "empty":
                said["function"]["name"] = ""
            deltas.append({"tool_calls": [said] if has["call in a list"] else said})
    return deltas


def served(rng: random.Random) -> Server:
    """Any answer of any server."""
    has = {name: rng.choice(ways) for name, ways in HABITS.items()}
    text, reasoning = ("".join(rng.choices(WORDS, k=rng.randint(2, 6))) for _ in range(2))
    names = [rng.choice(["f", "g", "get_weather"]) for _ in range(rng.choice((0, 0, 1, 2, 3)))]
    calls: list[Json] = [
        {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": rng.choice(ARGUMENTS)}}
        for n, name in enumerate(names)
    ]
    usage: Json = {"prompt_tokens": rng.randint(1, 99), "completion_tokens": rng.randint(1, 99)}
    usage |= {"total_tokens": sum(usage.values()), "prompt_tokens_details": {"cached_tokens": 3}}
    reason = "tool_calls" if calls else rng.choice(["stop", "length", "eos"])

    def parted(said: str) -> Any:
        return [{"type": "text", "text": said}] if has["in parts"] and said and has["said in"] == "delta" else said

    head: Json = {"id": has["id"], "created": has["created"], "model": "m"}
    message = {"role": "assistant", "content": parted(text), has["reasoning"]: reasoning, "refusal": "No."}
    if calls:
        message["tool_calls"] = calls
    whole = {**head, "choices": [{"index": 0, "message": message, "finish_reason": reason}], "usage": usage}

    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    deltas += [{has["reasoning"]: piece} for piece in some(rng, reasoning)]
    deltas += [{"content": parted(piece)} for piece in some(rng, text)]
    deltas += [{"refusal": "N"}, {"refusal": "o."}, *fragments(rng, calls, has)]
    chunks: list[Json] = []
    so_far = ""
    for number, delta in enumerate([*deltas, {}]):
        is_last = number == len(deltas)
        choice: Json = {"delta": delta, "finish_reason": reason if is_last else has["open reason"]}
        if has["index"] is not None:
            choice["index"] = number if has["index"] == "counts" else has["index"]
        so_far += str(delta.get("content") or "") if has["said in"] == "both" else ""
        if has["said in"] == "both":
            choice["message"] = {"role": "assistant", "content": so_far}
        elif is_last and has["once more"]:
            choice["message"] = {"role": "assistant", "content": text}
        chunks.append({**head, "choices": [choice]})
    count(rng, has["usage"], usage, chunks, head)
    if (name := has["envelope"]) is not None:
        whole = {"code": 0, "message": "ok", name: whole}
        chunks = [{"code": 0, "message": "ok", name: chunk} if chunk["choices"] else chunk for chunk in chunks]
    return Server(whole, framed(rng, chunks, has))


def count(rng: random.Random, where: str, usage: Json, chunks: list[Json], head: Json) -> None:
    """Put the counts where the server says them."""
    last = chunks[-1]
    match where:
        case "of its own":
            chunks.append({**head, "choices": [], "usage": usage})
        case "choice":
            last["choices"][0]["usage"] = usage
        case "delta":
            last["choices"][0]["delta"] = {"usage": usage}
        case "x_groq":
            last["x_groq"] = {"usage": usage}
        case "every":
            for chunk in chunks:
                chunk["usage"] = usage
        case "empty later":
            last["usage"] = usage
            chunks.append({**head, "choices": [], "usage": rng.choice(EMPTY_USAGES)})
        case _:
            chunks[0 if where == "first" else -1]["usage"] = usage


def framed(rng: random.Random, chunks: list[Json], has: dict[str, Any]) -> bytes:
    """The body."""
    blocks: list[str] = []
    for chunk in chunks:
        if has["pings"] and rng.random() < 0.3:
            blocks.append(rng.choice(PINGS))
        data = "data: " + json.dumps(chunk, ensure_ascii=rng.random() < 0.5)
        blocks.append(f"{has['event']}\n{data}" if has["event"] else data)
    if has["done"] is not None:
        blocks.append(f"data: {has['done']}")
    return "".join(block + "\n\n" for block in blocks).replace("\n", has["line end"]).encode()


def seen(answer: ChatCompletion) -> Json:
    """All of an answer that does not tell how it was sent."""
    calls = [(c.id, c.function.name, c.function.arguments) for c in answer.message.tool_calls or ()]
    (choice,) = answer.choices
    return {
        "head": (answer.id, answer.created, answer.model, answer.complete),
        "text": (choice.message.content, choice.message.reasoning_content, choice.message.extra.get("refusal")),
        "calls": calls,
        "reason": choice.finish_reason,
        "usage": answer.usage,
    }


@pytest.mark.parametrize("seed", range(9))
def test_streamed_equals_whole(seed: int) -> None:
    """At once, in single bytes, in reads of any size; what is shown, joined, is the text."""
    rng = random.Random(seed)
    reader = AnswerReader()
    for _ in range(10):
        server = served(rng)
        wanted = seen(completion_in(json.dumps(server.whole).encode(), None, reader)[0])
        body = server.body
        places = sorted({rng.randint(1, len(body) - 1) for _ in range(8)})
        for cuts in ([0, len(body)], [*range(len(body) + 1)], [0, *places, len(body)]):
            answer = StreamedAnswer(read_by(CHAT, reader), choices=1)
            for start, end in pairwise(cuts):
                answer.receive_data(body[start:end])
            answer.receive_eof()
            answer.conclude()
            assert seen(answer.completion()) == wanted, body.decode()
            shown = [c.delta.content or "" for chunk in iter(answer.next_chunk, None) for c in chunk.choices]
            assert "".join(shown) == wanted["text"][0], body.decode()
