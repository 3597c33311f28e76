"""Values as JSON documents and back: for files, databases and other programs, in the wire's own shape.

``from_json(to_json(value)) == value``. Unknown fields go back where the server had them. What the wire has no place for
(``complete``, ``request_id``, ``estimated_usage``) stands in a member of our own, and only where it says something.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import attrs
import msgspec

from ..errors import InvalidRequestError, MalformedResponseError
from ..types import (
    AssistantMessage,
    ChatRequest,
    FilePart,
    FunctionDefinition,
    ImagePart,
    ImageURL,
    SystemMessage,
    TextPart,
    TextRequest,
    Tool,
    ToolMessage,
    Usage,
    UserMessage,
)
from ..types.values import NO_EXTRA
from .reading.bodies import parse_json
from .requests import json_as_sent

T = TypeVar("T")

_OURS = "deepseek_async"  # the member for what the wire does not say
_SAID_BY_US = {"complete": True, "request_id": None, "estimated_usage": None}
_ALWAYS: Mapping[type, tuple[str, ...]] = {AssistantMessage: ("content",)}  # present on the wire even as null


def dict_of(value: Any) -> dict[str, Any]:
    """A value of `deepseek_async.types` as plain data: what is ``None`` is left out, unknown fields stand beside."""
    document: dict[str, Any] = {}
    ours: dict[str, Any] = {}
    always = _ALWAYS.get(type(value), ())
    for field in attrs.fields(type(value)):
        item = getattr(value, field.name)
        if field.name in _SAID_BY_US:
            if item != _SAID_BY_US[field.name]:
                ours[field.name] = _plain(item)
        elif field.name == "extra" or (field.name == "extra_body" and not item):
            continue
        elif item is not None or field.name in always:
            document[field.name] = str(item) if isinstance(item, Decimal) else _plain(item)  # money, as on the wire
    extra = _plain(getattr(value, "extra", NO_EXTRA))
    if odd := {name: item for name, item in extra.items() if name in document}:
        ours["extra"] = odd  # what a server said in another type than documented, beside what it was read as
    document.update({name: item for name, item in extra.items() if name not in odd})
    if ours:
        document[_OURS] = ours
    return document


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        return dict_of(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def json_of(value: Any) -> str:
    """The same as JSON text on one line. Raises `InvalidRequestError` where JSON cannot say it."""
    document = dict_of(value)
    try:
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        # Half a surrogate pair, as a chunk may hold, has no UTF-8: escaped, the text can go anywhere.
        return text if _has_utf8(text) else json.dumps(document, separators=(",", ":"))
    except TypeError:  # numbers of other classes, perhaps, in a field of a request
        return _with_other_numbers(document)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("to_json", None, f"what JSON can say ({error})") from None


def _with_other_numbers(document: dict[str, Any]) -> str:
    try:
        return json_as_sent(document)
    except InvalidRequestError as error:
        raise InvalidRequestError("to_json", None, f"{error.allowed} (at {error.parameter})") from None


def _has_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def value_of_dict(document: Mapping[str, Any], cls: type[T]) -> T:
    """The value that plain data stands for, as `dict_of` makes it or a server sends it.

    Raises:
        MalformedResponseError: A type does not fit; ``path`` names the place.
        InvalidRequestError: A request or a message with a value that is out of range, or no mapping at all.
    """
    if not isinstance(document, Mapping):
        raise InvalidRequestError(cls.__name__, None, f"a mapping, not {type(document).__name__}")
    document = dict(document)
    ours = document.get(_OURS, {})
    make = _MADE_BY_HAND.get(cls)
    if make is not None:
        document.pop(_OURS, None)
    value: Any = make(document) if make is not None else _read_as(cls, document, "$")
    if isinstance(ours, Mapping) and (known := {name: ours[name] for name in _SAID_BY_US if name in ours}):
        if (estimated := known.get("estimated_usage")) is not None:
            known["estimated_usage"] = value_of_dict(estimated, Usage)
        value = attrs.evolve(value, **known)
    return value  # type: ignore[no-any-return]


def value_of_json(text: str | bytes, cls: type[T]) -> T:
    """The value that JSON text stands for. Raises as `value_of_dict`; `MalformedResponseError` also for no JSON."""
    parsed = parse_json(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text, f"the {cls.__name__}")
    if not isinstance(parsed, Mapping):
        raise MalformedResponseError(f"the {cls.__name__}: expected an object at $", path="$")
    return value_of_dict(parsed, cls)


# The way back is no way of a server's, whose habits are translated (see `lenient`): what is written is read as it was.


def _read_as(cls: type, document: Mapping[str, Any], path: str) -> Any:
    fields: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    hints = _hints_of(cls)
    for name, item in document.items():
        if name not in hints:
            if name != _OURS or not isinstance(item, Mapping):
                extra[name] = item
            elif isinstance(odd := item.get("extra"), Mapping):
                extra |= odd
            continue
        try:
            fields[name] = _field_from(hints[name], item, f"{path}.{name}")
        except msgspec.ValidationError as error:
            if "extra" not in attrs.fields_dict(cls):
                raise MalformedResponseError(f"the {cls.__name__}: {error} at {path}.{name}", path=path) from None
            extra[name] = item  # a server's own idea of a field, kept as it was
    if extra:
        if "extra" not in attrs.fields_dict(cls):
            raise InvalidRequestError.unknown(min(extra), hints, of=cls.__name__)
        fields["extra"] = extra
    try:
        return cls(**fields)
    except TypeError as error:
        raise MalformedResponseError(f"the {cls.__name__}: {error}", path=path) from None


def _field_from(hint: Any, item: Any, path: str) -> Any:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    for option in options:
        is_list = typing.get_origin(option) is tuple
        cls = typing.get_args(option)[0] if is_list else option
        if not attrs.has(cls) or item is None:
            continue
        if isinstance(item, Mapping) and not is_list:
            return _read_as(cls, item, path)
        if isinstance(item, list) and is_list:
            return tuple(_read_as(cls, each, f"{path}[{number}]") for number, each in enumerate(item))
        if is_list:
            raise MalformedResponseError(f"expected an array at {path}", path=path)
    return msgspec.convert(item, hint)


@cache
def _hints_of(cls: type) -> dict[str, Any]:
    ours = {"extra", *_SAID_BY_US}
    return {name: hint for name, hint in typing.get_type_hints(cls).items() if name not in ours}


def _part_of(part: Any) -> Any:
    """A content part by its type; one of a type that is not known, or with unknown fields, stays plain."""
    if not isinstance(part, Mapping):
        return part
    fields = {name: value for name, value in part.items() if name != "type"}
    image = fields.get("image_url")
    match part.get("type"):
        case "text" if fields.keys() == {"text"} and isinstance(fields["text"], str):
            return TextPart(**fields)
        case "image_url" if fields.keys() == {"image_url"} and isinstance(image, Mapping) and "url" in image:
            return ImagePart(ImageURL(**image)) if image.keys() <= _OF_IMAGE and _are_texts(image) else part
        case "file" if fields.keys() <= _OF_FILE and _are_texts(fields):
            return FilePart(**fields)
        case _:
            return part


def _are_texts(fields: Mapping[str, Any]) -> bool:
    return all(isinstance(value, str) and value for value in fields.values())


_OF_IMAGE = {"url", "detail"}
_OF_FILE = {"file_id", "file_data", "filename"}


_MESSAGES: Mapping[str, type] = {
    "system": SystemMessage,
    "user": UserMessage,
    "assistant": AssistantMessage,
    "tool": ToolMessage,
}


def message_of(document: Any) -> Any:
    """A message by its role; one of a role that is not known, or with unknown fields, stays plain."""
    if not isinstance(document, Mapping):
        return document
    cls = _MESSAGES.get(document.get("role", ""))
    if cls is None:
        return document
    if cls is not AssistantMessage and document.keys() - {field.name for field in attrs.fields(cls)}:
        return document
    return value_of_dict(document, cls)


def _tool_of(tool: Any) -> Any:
    match tool:
        case {"type": "function", "function": {"name": str(), **_rest} as function, **rest} if not rest:
            names = {field.name for field in attrs.fields(FunctionDefinition)}
            return Tool(FunctionDefinition(**function)) if function.keys() <= names else tool
        case _:
            return tool


_READ: Mapping[str, Callable[[Any], Any]] = {"messages": message_of, "tools": _tool_of, "content": _part_of}


def _maker(cls: type) -> Callable[[dict[str, Any]], Any]:
    """Makes values of a class that checks itself what it is given."""
    names = {field.name for field in attrs.fields(cls)}

    def make(document: dict[str, Any]) -> Any:
        if unknown := document.keys() - names:
            raise InvalidRequestError.unknown(min(unknown), names, of=cls.__name__)
        for name, read in _READ.items():
            if isinstance(items := document.get(name), list):
                document[name] = [read(item) for item in items]
        try:
            return cls(**document)
        except TypeError as error:
            raise InvalidRequestError(cls.__name__, None, f"all that it needs ({error})") from None

    return make


_MADE_BY_HAND: Mapping[type, Callable[[dict[str, Any]], Any]] = {
    cls: _maker(cls) for cls in (SystemMessage, UserMessage, ToolMessage, ChatRequest, TextRequest)
}
