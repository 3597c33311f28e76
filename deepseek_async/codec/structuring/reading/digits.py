"""JSON whose numbers keep their digits: a float holds 17 of them, a Decimal as many as were written."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec


class WrittenFloat(float):
    """A float with the text that it was read from."""

    __slots__ = ("text",)
    text: str


def _kept(text: str) -> WrittenFloat:
    number = WrittenFloat(text)
    number.text = text
    return number


def loads(text: str) -> Any:
    """JSON as the standard library reads it, each float as a `WrittenFloat`.

    Raises:
        ValueError, RecursionError: It is no JSON, or nested too deeply.
    """
    return json.loads(text, parse_float=_kept)


DECODER: Final = json.JSONDecoder(parse_float=_kept)  # finds JSON at a place in a text, as `loads` reads it


def forgotten(data: Any) -> Any:
    """The same data with plain floats."""
    if isinstance(data, WrittenFloat):
        return float(data)
    if isinstance(data, list):
        return [forgotten(item) for item in data]
    if isinstance(data, dict):
        return {key: forgotten(item) for key, item in data.items()}
    return data


def digits_of(number: float) -> str:
    """A number as it was written."""
    return number.text if isinstance(number, WrittenFloat) else repr(number)


def dumps(data: Any) -> bytes:
    """JSON text again, each number with its digits; NaN and infinities in the words of JavaScript."""
    return msgspec.json.encode(_raw(data))


_WORDS = {"nan": b"NaN", "inf": b"Infinity", "-inf": b"-Infinity"}


def _raw(data: Any) -> Any:
    if isinstance(data, float):
        text = digits_of(data)
        return msgspec.Raw(_WORDS.get(repr(float(data)), text.encode()) if text[-1:].isalpha() else text.encode())
    if isinstance(data, list):
        return [_raw(item) for item in data]
    if isinstance(data, dict):
        return {key: _raw(item) for key, item in data.items()}
    return data
