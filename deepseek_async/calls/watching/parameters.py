"""A request's body → what it asks for, without its texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from ...hooks.records import RequestParameters

_WORD = re.compile(r"[a-z][a-z0-9_-]{0,23}")


class _AskedFor(msgspec.Struct):
    """The fields that are looked at; texts are passed over without being decoded."""

    messages: list[msgspec.Raw] | None = None
    tools: list[msgspec.Raw] | None = None
    stop: list[msgspec.Raw] | str | None = None
    stream: Any = None
    max_tokens: Any = None
    max_completion_tokens: Any = None
    temperature: Any = None
    top_p: Any = None
    frequency_penalty: Any = None
    presence_penalty: Any = None
    logprobs: Any = None
    top_logprobs: Any = None
    thinking: Any = None
    reasoning_effort: Any = None
    response_format: Any = None
    tool_choice: Any = None
    n: Any = None
    seed: Any = None


_decode = msgspec.json.Decoder(_AskedFor).decode


def parameters_in(body: bytes | None) -> RequestParameters | None:
    """What a body asks for; ``None``: there is none, or it is no JSON object."""
    if body is None:
        return None
    try:
        said: Any = _decode(body)
    except msgspec.DecodeError:
        # What `extra_body` put there is of any type: then as much as can be told is told.
        try:
            values = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return None
        if not isinstance(values, dict):
            return None
        said = _AskedFor(**{name: values.get(name) for name in _AskedFor.__struct_fields__})
    alternatives = said.logprobs if type(said.logprobs) is int else None  # fill in the middle has the number there
    return RequestParameters(
        messages=_count(said.messages),
        tools=_count(said.tools),
        stream=said.stream is True,
        max_tokens=_integer(said.max_tokens if said.max_tokens is not None else said.max_completion_tokens),
        temperature=_number(said.temperature),
        top_p=_number(said.top_p),
        frequency_penalty=_number(said.frequency_penalty),
        presence_penalty=_number(said.presence_penalty),
        stop=1 if isinstance(said.stop, str) else _count(said.stop),
        logprobs=said.logprobs if isinstance(said.logprobs, bool) else True if alternatives is not None else None,
        top_logprobs=_integer(said.top_logprobs) if alternatives is None else alternatives,
        thinking=_word(_type_of(said.thinking)),
        reasoning_effort=_word(said.reasoning_effort),
        response_format=_word(_type_of(said.response_format)),
        tool_choice=_word(_type_of(said.tool_choice)),
        n=_integer(said.n),
        seed=_integer(said.seed),
        size=len(body),
    )


def _count(value: object) -> int:
    return len(value) if isinstance(value, list) else 0


def _integer(value: object) -> int | None:
    return value if type(value) is int else None


def _number(value: object) -> float | None:
    return value if type(value) in (int, float) else None  # type: ignore[return-value]


def _type_of(value: object) -> object:
    return value.get("type") if isinstance(value, Mapping) else value


def _word(value: object) -> str | None:
    """A word as such parameters have them. Anything longer might be a text: it is only said to be another."""
    if not isinstance(value, str):
        return None
    return value if _WORD.fullmatch(value) else "other"
