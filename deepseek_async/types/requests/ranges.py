"""attrs validators for a request's parameters: each names the parameter, the value and what is allowed.

Ranges are the widest documented ones, the page of 2024 and today's taken together: what one generation of servers
accepts must not be refused here. What neither documents goes through ``extra_body`` unchecked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...errors import InvalidRequestError
from ..values import NO_EXTRA
from .numbers import integer_in, number_in

Validator = Callable[[Any, Any, Any], None]


def _name(attribute: Any) -> str:
    return str(attribute.name)


def _put(request: object, attribute: Any, number: float) -> None:
    """Another library's number as our own. The validator does it, for it has looked at the value already: a converter
    would be one more call for each parameter of each request."""
    object.__setattr__(request, attribute.name, number)


def number(low: float, high: float) -> Validator:
    """A finite number, of any library's, from ``low`` to ``high``, or ``None``. A bool is no number here."""

    def check(request: object, attribute: Any, value: object) -> None:
        if value is None:
            return
        found = number_in(value)
        if found is None or not math.isfinite(found):
            raise InvalidRequestError(_name(attribute), value, f"a number from {low:g} to {high:g}")
        if not low <= found <= high:
            raise InvalidRequestError(_name(attribute), value, f"{low:g} to {high:g}")
        if found is not value:
            _put(request, attribute, found)

    return check


def integer(low: int, high: int) -> Validator:
    """An integer, of any library's, from ``low`` to ``high``, or ``None``."""

    def check(request: object, attribute: Any, value: object) -> None:
        if value is None:
            return
        found = integer_in(value)
        if found is None:
            raise InvalidRequestError(_name(attribute), value, f"an integer from {low} to {high}")
        if not low <= found <= high:
            raise InvalidRequestError(_name(attribute), value, f"{low} to {high}")
        if found is not value:
            _put(request, attribute, found)

    return check


def boolean(_: object, attribute: Any, value: object) -> None:
    """True, False or ``None``."""
    if value is not None and not isinstance(value, bool):
        raise InvalidRequestError(_name(attribute), value, "True, False or None")


def text(max_bytes: int | None = None, *, required: bool = False) -> Validator:
    """A string, or ``None`` unless required; at most ``max_bytes`` of UTF-8. Its text is never shown."""

    def check(_: object, attribute: Any, value: object) -> None:
        if value is None and not required:
            return
        if not isinstance(value, str):
            raise InvalidRequestError(_name(attribute), None, f"a string, not {type(value).__name__}")
        if required and not value:
            raise InvalidRequestError(_name(attribute), None, "a string that is not empty")
        if max_bytes is not None and len(value.encode("utf-8", "surrogatepass")) > max_bytes:
            raise InvalidRequestError(_name(attribute), None, f"at most {max_bytes} bytes of UTF-8")

    return check


def one_of(*words: str) -> Validator:
    """One of the words, or ``None``."""

    def check(_: object, attribute: Any, value: object) -> None:
        if value is not None and value not in words:
            raise InvalidRequestError(_name(attribute), value, ", ".join(map(repr, words)))

    return check


def typed_mapping(*types: str) -> Validator:
    """A mapping whose ``type`` is one of the words, or ``None``."""

    def check(_: object, attribute: Any, value: object) -> None:
        if value is None:
            return
        allowed = " or ".join(repr({"type": word}) for word in types)
        if not isinstance(value, Mapping):
            raise InvalidRequestError(_name(attribute), value, allowed)
        if value.get("type") not in types:
            raise InvalidRequestError(f"{_name(attribute)}.type", value.get("type"), allowed)

    return check


def strings(max_count: int) -> Validator:
    """A string, or a sequence of at most ``max_count`` strings, or ``None``. Their text is never shown."""

    def check(_: object, attribute: Any, value: object) -> None:
        if value is None or isinstance(value, str):
            return
        allowed = f"a string or up to {max_count} strings"
        if not isinstance(value, Sequence):
            raise InvalidRequestError(_name(attribute), None, f"{allowed}, not {type(value).__name__}")
        for number, item in enumerate(value):
            if not isinstance(item, str):
                raise InvalidRequestError(f"{_name(attribute)}[{number}]", None, f"a string, not {type(item).__name__}")
        if len(value) > max_count:
            raise InvalidRequestError(_name(attribute), f"{len(value)} strings", f"up to {max_count} strings")

    return check


def mapping(_: object, attribute: Any, value: object) -> None:
    """A mapping with string keys, or ``None``."""
    if value is None or value is NO_EXTRA:
        return
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InvalidRequestError(_name(attribute), None, f"a mapping with string keys, not {type(value).__name__}")
