"""Reads what is JSON but not the documented shape: unknown fields, and the habits of other servers.

Works on the parsed JSON, by the attrs classes themselves, after `quirks` has translated what it knows:

- What a class does not name goes into its ``extra``; so do ``name`` and ``prefix`` in a message, which are a request's.
- ``null`` where a class wants a value counts as left out, and so does what is empty where another type is meant:
  ``[]``, ``{}`` or ``""`` for an object, a list or a number.
- A value of another type than documented (``created`` as text, ``id`` as a number) is read by its nearest meaning, and
  kept as it came in ``extra``. What has none is only kept, unless the answer consists of it: then it is an error, which
  carries what could be read of the rest.
- NaN, Infinity and bytes that are no UTF-8 are read as `json` reads them, the last as U+FFFD.
"""

from __future__ import annotations

import json
import types
import typing
from functools import cache
from typing import Any, TypeVar

import attrs
import msgspec

from ...errors import MalformedResponseError
from ...types import (
    AssistantMessage,
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChunkChoice,
    Delta,
    FunctionCall,
    FunctionCallFragment,
    TextChoice,
    TextCompletion,
    ToolCall,
    ToolCallFragment,
)
from ...types.account import Balance, BalanceInfo, FileDeletion, FileList, FileObject, ModelList
from ...types.structs import name_in_json
from .bodies import MAX_SHOWN_BODY
from .quirks.translations import TRANSLATIONS

T = TypeVar("T")

# What `msgspec.convert` raises at a value of another type; the second at half a surrogate pair in it.
_UNFIT = (msgspec.ValidationError, UnicodeEncodeError, RecursionError)

# Ours, not the wire's: a key of that name is unknown like any other.
_NOT_ON_THE_WIRE = {"extra", "complete", "request_id", "estimated_usage"}
_OF_ONE_SIDE: dict[type, tuple[str, ...]] = {
    Delta: ("logprobs",),  # on the wire they stand beside the delta
    AssistantMessage: ("name", "prefix"),  # said in requests only, and a delta has no such fields
}
# What an answer consists of: where this could not be read, something would be missing from it in silence.
_ESSENTIAL: dict[type, tuple[str, ...]] = {
    ChatCompletionChunk: ("choices",),
    ChatCompletion: ("choices",),
    TextCompletion: ("choices",),
    ChunkChoice: ("delta",),
    Choice: ("message",),
    TextChoice: ("text",),
    Delta: ("content", "reasoning_content", "tool_calls"),
    AssistantMessage: ("content", "reasoning_content", "tool_calls"),
    ToolCallFragment: ("function",),
    ToolCall: ("function",),
    FunctionCallFragment: ("name", "arguments"),
    FunctionCall: ("name", "arguments"),
    ModelList: ("data",),
    Balance: ("balance_infos",),
    FileList: ("data",),
    FileObject: ("id",),
    FileDeletion: ("deleted",),
    BalanceInfo: ("total_balance", "granted_balance", "topped_up_balance"),
}


@attrs.frozen
class _Field:
    """What the walk needs to know of a field.

    Attributes:
        plain: Types whose values are taken as they are.
        value_class: The attrs class of the value, or of each item.
        hint: The whole type.
    """

    plain: tuple[type, ...]
    value_class: type | None
    is_list: bool
    is_nullable: bool
    is_essential: bool
    hint: Any = attrs.field(eq=False)


@cache
def _fields_of(cls: type) -> dict[str, _Field]:
    hints = typing.get_type_hints(cls)
    names = [a.name for a in attrs.fields(cls) if a.name not in _NOT_ON_THE_WIRE]
    for name in _OF_ONE_SIDE.get(cls, ()):
        names.remove(name)
    return {name: _describe(hints[name], is_essential=name in _ESSENTIAL.get(cls, ())) for name in names}


def _describe(hint: Any, *, is_essential: bool) -> _Field:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    value_class, is_list = None, False
    for option in options:
        is_tuple = typing.get_origin(option) is tuple
        item = typing.get_args(option)[0] if is_tuple else option
        is_list = is_list or is_tuple
        if attrs.has(item):
            value_class = item
    plain = tuple(option for option in options if option in (str, int, float, bool))
    if float in plain:
        plain += (int,)
    return _Field(plain, value_class, is_list, type(None) in options, is_essential, hint)


class _Sorter:
    """Puts each value where the classes want it.

    Args:
        is_salvaging: Whether to drop what cannot be read, so that the rest can.
    """

    def __init__(self, *, is_salvaging: bool = False) -> None:
        self._is_salvaging = is_salvaging

    def sort_out(self, value: Any, cls: type) -> Any:
        """The same JSON, as the class wants it."""
        if not isinstance(value, dict):
            return value  # the conversion says what is wrong with it, and where
        value = dict(value)
        extra: dict[str, Any] = {}
        if (translate := TRANSLATIONS.get(cls)) and (odd := translate(value)):
            extra |= odd
        fields = _fields_of(cls)
        known: dict[str, Any] = {}
        for name, item in value.items():
            field = fields.get(name)
            if field is None:
                extra[name] = item
            elif type(item) in field.plain:
                known[name] = item
            elif item is None:
                if field.is_nullable:
                    known[name] = None
            elif field.value_class is None:
                self._take_scalar(name, item, field, known, extra)
            else:
                self._take_object(name, item, field, known, extra)
        if extra:
            known[name_in_json(cls, "extra")] = extra
        return known

    def _take_object(self, name: str, item: Any, field: _Field, known: dict[str, Any], extra: dict[str, Any]) -> None:
        cls = field.value_class
        assert cls is not None  # noqa: S101 - asked before
        if field.is_list and isinstance(item, list):
            entries = [entry for entry in item if entry is not None]
            if self._is_salvaging or all(isinstance(entry, dict) for entry in entries):
                known[name] = [self.sort_out(entry, cls) for entry in entries if isinstance(entry, dict)]
                return
            if field.is_essential:  # in their places, so that the error names the right one
                known[name] = [self.sort_out(entry, cls) for entry in item]
                return
        elif not field.is_list and isinstance(item, dict):
            if name != "usage" or any(said is not None for said in item.values()):
                known[name] = self.sort_out(item, cls)
            return
        elif item in ("", [], {}):
            return  # null is meant
        self._keep(name, item, field, known, extra)

    def _take_scalar(self, name: str, item: Any, field: _Field, known: dict[str, Any], extra: dict[str, Any]) -> None:
        if _fits(item, field.hint):
            known[name] = item
        elif item in ("", [], {}):
            return  # null is meant
        elif (near := _nearest(item, field)) is not None:
            known[name] = near
            if isinstance(item, str) or near != item:
                extra[name] = item
        else:
            self._keep(name, item, field, known, extra)

    def _keep(self, name: str, item: Any, field: _Field, known: dict[str, Any], extra: dict[str, Any]) -> None:
        if field.is_essential and not self._is_salvaging:
            known[name] = item  # for the conversion to refuse
        else:
            extra[name] = item


def _nearest(item: Any, field: _Field) -> Any:
    """The nearest meaning of a value of another type; ``None`` if it has none."""
    if isinstance(item, bool):
        return None
    try:
        if str in field.plain and isinstance(item, (int, float)) and not field.is_essential:
            return str(item)
        if float in field.plain and isinstance(item, str):
            return float(item)
        if int in field.plain and isinstance(item, (float, str)):
            near = int(item) if isinstance(item, str) and item.isdecimal() else int(float(item))
            return near if _fits(near, field.hint) else None
    except (ValueError, OverflowError):
        pass
    return None


def _fits(item: Any, hint: Any) -> bool:
    try:
        msgspec.convert(item, hint)
    except _UNFIT:
        return False
    return True


def value_from(parsed: Any, cls: type[T], what: str) -> T:
    """The value that parsed JSON stands for.

    Raises:
        MalformedResponseError: It cannot be read; ``path`` names the place, and ``partial`` has what can be read of a
            completion.
    """
    try:
        return msgspec.convert(_Sorter().sort_out(parsed, cls), cls)
    except _UNFIT as error:
        wrong, _, path = str(error).partition(" - at ")
    path = path.strip("`") or "$"
    body = json.dumps(parsed, ensure_ascii=False)[:MAX_SHOWN_BODY]
    # Called because the strict decoder refused; that it did is no part of what is raised.
    raise MalformedResponseError(f"{what}: {wrong} at {path}", body=body, path=path) from None


def what_can_be_read(parsed: Any, cls: type[T]) -> T | None:
    """What is left of JSON that is no value of the class without what makes it none; ``None`` if nothing is."""
    try:
        return msgspec.convert(_Sorter(is_salvaging=True).sort_out(parsed, cls), cls)
    except _UNFIT:
        return None
