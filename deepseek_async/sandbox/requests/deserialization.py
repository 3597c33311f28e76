"""`decode` makes a struct of a body, and refuses a body that does not fit in the words of the API's own parser."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from . import refusals

__all__ = ["decode"]

T = TypeVar("T")

_AT = re.compile(r" - at `\$\.?(.*)`$")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_VARIANT = re.compile(r"Invalid (?:enum )?value '(.*)'", re.DOTALL)
_TYPE = re.compile(r"Expected `(.*)`, got `(.*)`")
_TYPE_NAMES = {
    "str": "string",
    "int": "integer",
    "float": "floating point",
    "bool": "boolean",
    "array": "sequence",
    "object": "map",
}
_VARIANTS = {
    "role": ("system", "user", "assistant", "tool", "latest_reminder"),
    "reasoning_effort": ("none", "low", "high", "max", "minimal", "medium", "xhigh"),
    "tool_choice": ("none", "auto", "required"),
    "thinking.type": ("enabled", "disabled"),
    "response_format.type": ("text", "json_object", "json_schema"),
    "image_url.detail": ("low", "high", "original", "auto"),
}
_NOT_NEGATIVE = ("top_logprobs", "logprobs")


def decode(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """Decode a body.

    Raises:
        Refusal: 400 if it is no JSON, 422 if it is JSON of another shape; the text names the field.
    """
    try:
        body = decoder.decode(data)
    except msgspec.ValidationError as error:
        raise refusals.not_deserialized(_in_its_words(str(error))) from None
    except msgspec.DecodeError as error:
        # The decoder reports a lone surrogate's missing half as missing input.
        why = "unexpected end of hex escape" if "truncated" in str(error) and _is_closed(data) else str(error)
        raise refusals.not_json(why) from None
    except UnicodeDecodeError as error:
        raise refusals.not_json(f"invalid unicode code point at byte {error.start}") from None
    except RecursionError:
        raise refusals.not_json("recursion limit exceeded") from None
    for name in _NOT_NEGATIVE:
        value = getattr(body, name, None)
        if isinstance(value, int) and value < 0:
            raise refusals.not_deserialized(f"{name}: invalid value: integer `{value}`, expected u8")
    return body


def _is_closed(data: bytes) -> bool:
    return data.rstrip().endswith((b"}", b"]"))


def _in_its_words(text: str) -> str:
    place = _AT.search(text)
    what, path = (text[: place.start()], place[1]) if place else (text, "")
    before = f"{path}: " if path else ""
    if match := _MISSING.fullmatch(what):
        return f"{before}missing field `{match[1]}`"
    if match := _VARIANT.fullmatch(what):
        return f"{before}unknown variant `{match[1]}`{_expected(path)}"
    if match := _TYPE.fullmatch(what):
        return f"{before}invalid type: {_type_name(match[2])}, expected {_type_name(match[1])}"
    return before + what[0].lower() + what[1:]


def _expected(path: str) -> str:
    for ending, variants in _VARIANTS.items():
        if path == ending or path.endswith("." + ending):
            return ", expected one of " + ", ".join(f"`{variant}`" for variant in variants)
    return ""


def _type_name(name: str) -> str:
    return " or ".join(_TYPE_NAMES.get(part, part) for part in name.split(" | "))
