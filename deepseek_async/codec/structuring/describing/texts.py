"""Classes whose values JSON has no type of its own for, and says as text: times, decimals, ids, addresses, paths."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import msgspec

from ..nodes import Format

DECIMAL: Final = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
NOT_NEGATIVE: Final = DECIMAL.replace("[+-]?", "[+]?", 1)
POSITIVE: Final = NOT_NEGATIVE.replace("^", "^(?=[+]?[0-9.]*[1-9])", 1)
_FRACTION: Final = r"^[+-]?[0-9]+(/0*[1-9][0-9]*|(\.[0-9]+)?)$"
_BASE64: Final = r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_LEAP_YEAR: Final = "([1-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)"
_DAY_OF_YEAR: Final = (
    "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
)
_DAY: Final = f"([1-9][0-9]{{3}}-{_DAY_OF_YEAR}|{_LEAP_YEAR}-02-29)"
_HOUR: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
_MOMENT: Final = f"^{_DAY}T{_HOUR}(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?$"
_DURATION: Final = r"^P([0-9]{1,6}D(T[0-9]{1,6}S)?|T[0-9]{1,6}[HMS])$"
_UUID: Final = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


def _by_msgspec(cls: type) -> Callable[[str], Any]:
    # msgspec reads RFC 3339 and ISO 8601 strictly; their own `fromisoformat` takes much else.
    return lambda text: msgspec.convert(text, cls)


def _matching(pattern: str, make: Callable[[str], Any]) -> Callable[[str], Any]:
    expression = re.compile(pattern)

    def read(text: str) -> Any:
        if not expression.search(text) or text.endswith("\n"):
            raise ValueError(text)
        return make(text)

    return read


def _isoformat(value: Any) -> str:
    return str(msgspec.to_builtins(value))


def _format(
    name: str,
    cls: type,
    read: Callable[[str], Any],
    example: str,
    write: Callable[[Any], str] = str,
    *,
    shape: str = "",
    takes_numbers: bool = False,
    is_any_text: bool = False,
    **schema: Any,
) -> Format:
    return Format(name, cls, read, write, schema, example, shape, takes_numbers, is_any_text)


_FORMATS: Final = (
    _format(
        "a date and time (ISO 8601)", datetime.datetime, _by_msgspec(datetime.datetime), "2026-11-27T12:30:00Z",
        _isoformat, shape=_MOMENT, format="date-time",
    ),
    _format(
        "a date (YYYY-MM-DD)", datetime.date, _by_msgspec(datetime.date), "2026-11-27", _isoformat,
        shape=f"^{_DAY}$", format="date",
    ),
    _format(
        "a time (HH:MM:SS)", datetime.time, _by_msgspec(datetime.time), "12:30:00", _isoformat,
        shape=f"^{_HOUR}$", format="time",
    ),
    _format(
        "a duration (ISO 8601, of days, hours, minutes and seconds)", datetime.timedelta,
        _by_msgspec(datetime.timedelta), "PT90S", _isoformat, shape=_DURATION, format="duration",
    ),
    _format("a UUID", uuid.UUID, _matching(_UUID, uuid.UUID), "12345678-1234-4678-8234-567812345678", format="uuid"),
    _format(
        "a decimal number", Decimal, _matching(DECIMAL, Decimal), "1.5", takes_numbers=True,
        format="decimal", pattern=DECIMAL,
    ),
    _format("a fraction (n/d)", Fraction, _matching(_FRACTION, Fraction), "1/2", takes_numbers=True, pattern=_FRACTION),
    _format(
        "base64 text", bytes, _matching(_BASE64, base64.b64decode), "YWJj",
        lambda value: base64.b64encode(value).decode(), is_any_text=True, contentEncoding="base64", pattern=_BASE64,
    ),
    _format(
        "base64 text", bytearray, _matching(_BASE64, lambda text: bytearray(base64.b64decode(text))), "YWJj",
        lambda value: base64.b64encode(value).decode(), is_any_text=True, contentEncoding="base64", pattern=_BASE64,
    ),
    _format("an IPv4 address", ipaddress.IPv4Address, ipaddress.IPv4Address, "192.0.2.1", format="ipv4"),
    _format("an IPv6 address", ipaddress.IPv6Address, ipaddress.IPv6Address, "2001:db8::1", format="ipv6"),
    _format("an IPv4 network", ipaddress.IPv4Network, ipaddress.IPv4Network, "192.0.2.0/24"),
    _format("an IPv6 network", ipaddress.IPv6Network, ipaddress.IPv6Network, "2001:db8::/32"),
    _format("an IPv4 interface", ipaddress.IPv4Interface, ipaddress.IPv4Interface, "192.0.2.1/24"),
    _format("an IPv6 interface", ipaddress.IPv6Interface, ipaddress.IPv6Interface, "2001:db8::1/32"),
    _format(
        "a regular expression", re.Pattern, re.compile, "a+", lambda value: str(value.pattern), is_any_text=True,
        format="regex",
    ),
)  # fmt: skip
SHAPES: Final = {one.schema["format"]: one.shape for one in _FORMATS if one.shape}
"""What texts of JSON Schema's formats look like."""

_BY_CLASS: Final = {one.cls: one for one in _FORMATS}


def format_of(cls: Any) -> Format | None:
    """The format of a class; ``None`` if its values are not said as text."""
    if (known := _BY_CLASS.get(cls)) is not None:
        return known
    if isinstance(cls, type) and hasattr(cls, "__fspath__") and hasattr(cls, "with_suffix"):
        make: Any = cls  # a path of any platform; `os.PathLike` itself cannot be made
        return Format("a path", cls, make, str, {}, "a/b", is_any_text=True)
    return None
