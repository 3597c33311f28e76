"""Requests → the body's bytes. What is ``None`` is not sent; an empty string is."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from types import NoneType
from typing import TYPE_CHECKING, Any, NoReturn

import attrs
import msgspec

from ..errors import InvalidRequestError
from ..types import AssistantMessage, ChatRequest
from ..types.requests.numbers import number_in

if TYPE_CHECKING:
    from ..types import TextRequest


class _Digits(Decimal):
    """A decimal that goes out as the number that it is, digit by digit; msgspec writes others as text."""

    __slots__ = ()


class _Unfit:
    """A value that JSON has no form for, though msgspec knows one: a date, bytes, a set."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


_ADVICE: Mapping[str, str] = {
    **dict.fromkeys(("set", "frozenset", "dict_keys", "dict_values", "deque", "Iterator"), "a list of its items"),
    **dict.fromkeys(("bytes", "bytearray", "memoryview"), "text: .decode(), or base64.b64encode(…).decode()"),
    **dict.fromkeys(("date", "time"), "text: .isoformat()"),  # a datetime is a date
    "timedelta": "a number: .total_seconds()",
    **dict.fromkeys(("PurePath", "UUID"), "text: str(…)"),
    "ndarray": "a list: .tolist()",
    "BaseModel": "a mapping: .model_dump()",
}
"""What to write instead, by the classes that a value is of."""


def _as_json_can_say(value: object) -> Any:
    """Numbers and texts of other libraries' classes, numpy's among them, which msgspec does not know."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, _Digits):
        return msgspec.Raw(str(value).encode())
    if (number := number_in(value)) is not None:
        return number
    raise TypeError(f"JSON has no {type(value).__name__}")


_encode = msgspec.json.Encoder(enc_hook=_as_json_can_say).encode
_encode_sorted = msgspec.json.Encoder(order="sorted", enc_hook=_as_json_can_say).encode
_SCALARS = frozenset((str, int, float, bool, type(None)))
_OF_SCALARS = frozenset(("str", "int", "float", "bool", "None"))  # in annotations, which are text
_WORD = re.compile(r"\w+")
_NOT_SENT = frozenset(("extra_body", "custom_id"))


class _Shape:
    """A request class as msgspec encodes it: without what is ``None``, in C, in half the time of a dict made here."""

    def __init__(self, request_class: type[ChatRequest | TextRequest]) -> None:
        names = [field.name for field in attrs.fields(request_class) if field.name not in _NOT_SENT]
        self._values_in = attrgetter(*names)
        self._make = msgspec.defstruct("Body", [(name, Any, None) for name in names], omit_defaults=True, gc=False)
        fields = attrs.fields_dict(request_class)
        self._nested = [(place, name) for place, name in enumerate(names) if _is_nested(fields[name])]

    def of(self, request: ChatRequest | TextRequest) -> msgspec.Struct:
        values = self._values_in(request)
        body = self._make(*values)
        for place, name in self._nested:
            if values[place] is not None:
                setattr(body, name, _plain(values[place]))
        return body


def _is_nested(field: attrs.Attribute[Any]) -> bool:
    """Whether a parameter can hold values of ours, or mappings and sequences that do."""
    return not _OF_SCALARS.issuperset(_WORD.findall(str(field.type)))


class _Shapes(dict[type, _Shape]):
    """By request class; made at its first use."""

    def __missing__(self, request_class: type) -> _Shape:
        shape = self[request_class] = _Shape(request_class)
        return shape


_SHAPES = _Shapes()


def body_of(request: ChatRequest | TextRequest) -> dict[str, Any]:
    """The request as plain data, as it goes over the wire; ``extra_body`` wins over parameters of the same name."""
    shape = _SHAPES[type(request)].of(request)
    body = {name: value for name in shape.__struct_fields__ if (value := getattr(shape, name)) is not None}
    body.update({name: _plain(value) for name, value in request.extra_body.items()})
    return body


def body_in(data: bytes | None) -> dict[str, Any]:
    """The request that JSON holds, as plain data; empty where it holds none."""
    try:
        body = msgspec.json.decode(data or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def request_to_json(request: ChatRequest | TextRequest, *, sort_keys: bool = False) -> bytes:
    """The request's body.

    Args:
        sort_keys: Write requests that ask the same alike, whatever the order of their keys. Schemas keep theirs, which
            the model sees: ``tools``, ``response_format``, and what ``extra_body`` holds.

    Raises:
        InvalidRequestError: A value has no JSON: a lone surrogate, NaN, an object. The message names the place.
    """
    try:
        if sort_keys:
            data = _encode_sorted(_with_schemas_as_they_are(request))
        else:
            data = _encode(body_of(request) if request.extra_body else _SHAPES[type(request)].of(request))
    except RecursionError:
        raise InvalidRequestError("the request", None, "nesting that comes to an end") from None
    except (UnicodeEncodeError, TypeError, ValueError) as error:
        _explain(body_of(request), error)
    if b"null" in data:  # msgspec writes NaN and infinities as null, which no one asked for
        for path, value in _walk(body_of(request), ""):
            if (number := number_in(value)) is not None and not math.isfinite(number):
                raise InvalidRequestError(path, value, "a finite number")
    return data


def json_as_sent(document: dict[str, Any]) -> str:
    """Plain data as a request says it. Raises `InvalidRequestError` for a value that has no JSON."""
    document = _plain(document)
    try:
        return _encode(document).decode()
    except (UnicodeEncodeError, TypeError, ValueError) as error:
        _explain(document, error)


def _with_schemas_as_they_are(request: ChatRequest | TextRequest) -> msgspec.Struct | dict[str, Any]:
    if request.extra_body or getattr(request, "tools", None) or getattr(request, "response_format", None):
        kept = {"tools", "response_format", *request.extra_body}
        return {name: msgspec.Raw(_encode(item)) if name in kept else item for name, item in body_of(request).items()}
    return _SHAPES[type(request)].of(request)


def _plain(value: Any) -> Any:
    """Values of ours, wherever they stand, as plain data; all else as it is. By exact type first: most is text."""
    cls = type(value)
    if cls in _SCALARS:
        return value
    if cls is dict:
        if _SCALARS.issuperset(map(type, value.values())):
            return value
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [
            item if type(item) is dict and _SCALARS.issuperset(map(type, item.values())) else _plain(item)
            for item in value
        ]
    if attrs.has(cls):
        from .unstructuring import converter  # cattrs: not for those who write their messages as mappings

        said = converter.unstructure(value)
        # It leaves what stands in the caller's mappings as it is; an answer has none.
        return said if cls is AssistantMessage else _plain(said)
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, Mapping) else _other(value)


def _other(value: Any) -> Any:
    """A value of a class that is none of JSON's own, as what it is there; see `_ADVICE` for those that are nothing."""
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, Decimal):
        return _Digits(value) if value.is_finite() else math.nan if value.is_nan() else float(value)
    if isinstance(value, (str, int, float)) or number_in(value) is not None:
        return value
    if getattr(getattr(value, "dtype", None), "kind", None) == "b" and value.shape == ():  # numpy's truth
        return bool(value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [_plain(item) for item in value]
    # Classes that say by themselves what they are as an object.
    is_record = isinstance(value, (msgspec.Struct, msgspec.Raw)) or hasattr(type(value), "__dataclass_fields__")
    return value if is_record else _Unfit(value)


def _explain(body: dict[str, Any], error: Exception) -> NoReturn:
    for path, value in _walk(body, ""):
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError as found:
                half = f"the character at {found.start} is half of a surrogate pair (U+{ord(value[found.start]):04X})"
                raise InvalidRequestError(
                    path, None, "text that UTF-8 can encode", message=f"{path}: {half}; UTF-8 cannot encode it"
                ) from None
        elif not isinstance(value, (bool, NoneType, Mapping, Sequence)) and number_in(value) is None:
            raise InvalidRequestError(path, None, _said_otherwise(value)) from None
    raise InvalidRequestError("the request", None, f"what JSON can say ({type(error).__name__})") from None


def _said_otherwise(value: object) -> str:
    cls = type(value.value if isinstance(value, _Unfit) else value)
    advice = next((_ADVICE[base.__name__] for base in cls.__mro__ if base.__name__ in _ADVICE), "")
    return f"what JSON can say, not {cls.__name__}" + (f"; {advice}" if advice else "")


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each value of nested plain data with its path, such as ``messages[2].content``."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise InvalidRequestError(f"{path}.{key!r}".lstrip("."), None, "a string as the key")
            yield f"a key of {path or 'the request'}", key  # it may hold what cannot be encoded, too
            yield from _walk(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray)):
        for number, item in enumerate(value):
            yield from _walk(item, f"{path}[{number}]")
    else:
        yield path, value
