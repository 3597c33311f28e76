"""Reads what is JSON but not the documented shape: unknown fields, and the habits of other servers.

Works on the parsed JSON, by the attrs classes themselves: what a class does not name goes into its ``extra``; ``null``
where a class wants a value counts as left out. The translations, each with who needs it:

| said | read as | who |
| --- | --- | --- |
| ``reasoning`` | ``reasoning_content``, where that is absent or null | vLLM, Ollama, OpenRouter |
| ``finish_reason: ""``, ``role: ""`` | null | StepFun |
| ``tool_calls: []`` | null | vLLM (not streamed), some reasoning deltas |
| ``index`` in a whole message's tool call | its place in the list | DeepSeek's own sample |
| hits and misses inside ``prompt_tokens_details`` | beside it | one text of the Chinese page |
| a whole number written as 1.76e9 or 1.0 | the integer | JavaScript gateways |
| ``name``, ``prefix`` in a message | unknown fields: they are a request's | |
| NaN, Infinity, bytes that are no UTF-8 | as `json` reads them; U+FFFD | various |
| half a surrogate pair | in a whole message U+FFFD; in a chunk kept, since the next may bring the other half | |
"""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import attrs
import msgspec

from ..errors import MalformedResponseError
from ..types import (
    AssistantMessage,
    Choice,
    ChunkChoice,
    Delta,
    FunctionCall,
    TextChoice,
    ToolCall,
    Usage,
)

T = TypeVar("T")

MAX_SHOWN_BODY = 65_536
_MAX_SUMMARY = 400
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.S | re.I)

# Ours, not the wire's: a key of that name is unknown like any other.
_NOT_ON_THE_WIRE = {"extra", "complete", "request_id"}
_OF_ONE_SIDE: dict[type, tuple[str, ...]] = {
    Delta: ("logprobs",),  # on the wire they stand beside the delta
    AssistantMessage: ("name", "prefix"),  # said in requests only, and a delta has no such fields
}


@attrs.frozen
class _Field:
    """What the walk needs to know of a field."""

    value_class: type | None  # the attrs class of the value, or of each item
    is_list: bool
    is_nullable: bool
    is_integer: bool


@cache
def _fields_of(cls: type) -> dict[str, _Field]:
    hints = typing.get_type_hints(cls)
    names = [a.name for a in attrs.fields(cls) if a.name not in _NOT_ON_THE_WIRE]
    for name in _OF_ONE_SIDE.get(cls, ()):
        names.remove(name)
    return {name: _describe(hints[name]) for name in names}


def _describe(hint: Any) -> _Field:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    value_class, is_list = None, False
    for option in options:
        is_tuple = typing.get_origin(option) is tuple
        item = typing.get_args(option)[0] if is_tuple else option
        is_list = is_list or is_tuple
        if attrs.has(item):
            value_class = item
    return _Field(value_class, is_list, type(None) in options, int in options)


def _translate_said(said: dict[str, Any]) -> None:
    if "reasoning" in said and isinstance(said["reasoning"], str | None):
        reasoning = said.pop("reasoning")
        if said.get("reasoning_content") is None:
            said["reasoning_content"] = reasoning
    if said.get("role") == "":
        del said["role"]
    if said.get("tool_calls") == []:
        del said["tool_calls"]


def _translate_message(message: dict[str, Any]) -> None:
    _translate_said(message)
    _mend(message, "content", "reasoning_content")


def _translate_function(function: dict[str, Any]) -> None:
    _mend(function, "arguments")


def _mend(value: dict[str, Any], *names: str) -> None:
    for name in names:
        if isinstance(text := value.get(name), str):
            value[name] = mended(text)


def mended(text: str) -> str:
    """The text with halves of surrogate pairs joined where they meet, and U+FFFD for one that has no other half.

    Servers that count in UTF-16 cut characters outside the BMP in two.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _translate_choice(choice: dict[str, Any]) -> None:
    if choice.get("finish_reason") == "":
        del choice["finish_reason"]


def _translate_call(call: dict[str, Any]) -> None:
    call.pop("index", None)


def _translate_usage(usage: dict[str, Any]) -> None:
    details = usage.get("prompt_tokens_details")
    if isinstance(details, dict):
        for name in ("prompt_cache_hit_tokens", "prompt_cache_miss_tokens"):
            if name in details and usage.get(name) is None:
                usage[name] = details.pop(name)


_TRANSLATIONS: dict[type, Callable[[dict[str, Any]], None]] = {
    Delta: _translate_said,
    AssistantMessage: _translate_message,
    ChunkChoice: _translate_choice,
    Choice: _translate_choice,
    TextChoice: _translate_choice,
    FunctionCall: _translate_function,
    ToolCall: _translate_call,
    Usage: _translate_usage,
}


def _sort_out(value: Any, cls: type) -> Any:
    """The same JSON with unknown fields moved into ``extra`` and other servers' habits translated."""
    if not isinstance(value, dict):
        return value  # the conversion says what is wrong with it, and where
    value = dict(value)
    if translate := _TRANSLATIONS.get(cls):
        translate(value)
    fields = _fields_of(cls)
    known: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, item in value.items():
        field = fields.get(name)
        if field is None:
            extra[name] = item
        elif item is None:
            if field.is_nullable:
                known[name] = None
        elif field.value_class is not None:
            item_class = field.value_class
            if field.is_list and isinstance(item, list):
                known[name] = [_sort_out(entry, item_class) for entry in item]
            else:
                known[name] = _sort_out(item, item_class)
        elif field.is_integer and isinstance(item, float) and item.is_integer():
            known[name] = int(item)
        else:
            known[name] = item
    if extra:
        known["extra"] = extra
    return known


def summary_of(text: str) -> str:
    """A body in a few words, for a message: an HTML page by its title, any other text cut short."""
    text = text.strip()
    if text.startswith("<"):
        title = _TITLE.search(text)
        return f"an HTML page titled {' '.join(title[1].split())!r}" if title else "an HTML page"
    text = " ".join(text.split())
    return text if len(text) <= _MAX_SUMMARY else text[: _MAX_SUMMARY - 1] + "…"


def parse_json(text: bytes, what: str) -> Any:
    """Any JSON, read as leniently as the standard library does.

    Raises:
        MalformedResponseError: It is no JSON; the message says where it stops being it, or what it is instead.
    """
    decoded = text.decode("utf-8-sig", "replace")
    try:
        return json.loads(decoded)
    except (ValueError, RecursionError) as error:
        wrong = f": {error}"
        if isinstance(error, json.JSONDecodeError):
            is_other = error.pos == 0 and decoded
            wrong = f" but {summary_of(decoded)}" if is_other else f" at character {error.pos}: {error.msg}"
        raise MalformedResponseError(f"{what} is not JSON{wrong}", body=decoded[:MAX_SHOWN_BODY]) from None


def value_from(parsed: Any, cls: type[T], what: str) -> T:
    """The value that parsed JSON stands for.

    Raises:
        MalformedResponseError: A type does not fit; ``path`` names the place.
    """
    try:
        return msgspec.convert(_sort_out(parsed, cls), cls)
    except (msgspec.ValidationError, RecursionError) as error:
        wrong, _, path = str(error).partition(" - at ")
        path = path.strip("`") or "$"
        body = json.dumps(parsed, ensure_ascii=False)[:MAX_SHOWN_BODY]
        raise MalformedResponseError(f"{what}: {wrong} at {path}", body=body, path=path) from None
