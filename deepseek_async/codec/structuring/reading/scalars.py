"""Readers of what is neither array nor object."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ..nodes import (
    Anything,
    Bits,
    Boolean,
    Bounds,
    Constants,
    Foreign,
    Formatted,
    Integer,
    Null,
    Number,
    String,
)
from ..problems import Path, choice_of, outside, outside_of_size, said, type_said
from .digits import WrittenFloat, digits_of, forgotten
from .foreign import read_foreign
from .values import WRONG, Read, Wrong, made, refused


def _anything(_: Anything) -> Read:
    return lambda data, _path, _wrong: forgotten(data)


def _null(_: Null) -> Read:
    return lambda data, path, wrong: (
        None if data is None else refused(wrong, path, f"expected null, got {type_said(data)}")
    )


def _boolean(_: Boolean) -> Read:
    return lambda data, path, wrong: (
        data if isinstance(data, bool) else refused(wrong, path, f"expected true or false, got {said(data)}")
    )


def _integer(node: Integer) -> Read:
    make, bounds = node.make, node.bounds

    def read(data: Any, path: Path, wrong: Wrong) -> Any:
        if isinstance(data, float) and data.is_integer():  # JSON Schema's integer: 3.0 is one
            data = int(Decimal(digits_of(data)))
        if not isinstance(data, int) or isinstance(data, bool):
            return refused(wrong, path, f"expected an integer, got {said(data)}")
        if words := outside(data, bounds):
            return refused(wrong, path, f"expected an integer, {words}, got {said(data)}")
        return data if make is int else made(make, data, path, wrong)

    return read


def _number(node: Number) -> Read:
    make, bounds = node.make, node.bounds

    def read(data: Any, path: Path, wrong: Wrong) -> Any:
        if not isinstance(data, (int, float)) or isinstance(data, bool):
            return refused(wrong, path, f"expected a number, got {said(data)}")
        try:
            value = float(data)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            return refused(wrong, path, f"expected a finite number, got {said(data)}")
        if words := outside(value, bounds):
            return refused(wrong, path, f"expected a number, {words}, got {said(data)}")
        return value if make is float else made(make, value, path, wrong)

    return read


def _string(node: String) -> Read:
    make, bounds = node.make, node.bounds
    expressions = [(pattern, re.compile(pattern)) for pattern in bounds.patterns]

    def read(data: Any, path: Path, wrong: Wrong) -> Any:
        if not isinstance(data, str):
            return refused(wrong, path, f"expected a string, got {type_said(data)}")
        if size := outside_of_size(len(data), bounds, "characters"):
            return refused(wrong, path, f"expected {size}")
        for pattern, expression in expressions:
            if not expression.search(data):
                return refused(wrong, path, f"expected a string that matches {pattern}, got {said(data)}")
        return data if make is str else made(make, data, path, wrong)

    return read


def _formatted(node: Formatted) -> Read:
    format, bounds = node.format, node.bounds  # noqa: A001 - JSON Schema's word
    sizes = Bounds(min_length=bounds.min_length, max_length=bounds.max_length)

    def read(data: Any, path: Path, wrong: Wrong) -> Any:
        text = data
        if format.takes_numbers and isinstance(data, (int, float)) and not isinstance(data, bool):
            if not math.isfinite(data):
                return refused(wrong, path, f"expected a finite number, got {said(data)}")
            text = digits_of(data) if isinstance(data, float) else str(data)
        if not isinstance(text, str):
            return refused(wrong, path, f"expected {format.name}, got {said(data)}")
        try:
            value = format.read(text)
        except Exception as error:  # each class refuses in its own way
            del error
            return refused(wrong, path, f"expected {format.name}, got {said(data)}")
        words = outside(value, bounds)
        if words:
            return refused(wrong, path, f"expected {format.name}, {words}, got {said(data)}")
        if format.cls in (bytes, bytearray) and (size := outside_of_size(len(value), sizes, "bytes")):
            return refused(wrong, path, f"expected {size}")
        return value

    return read


def _constants(node: Constants) -> Read:
    values = {(type(said), said): value for said, value in reversed(node.entries)}
    expected = choice_of(said for said, _ in node.entries)

    def read(data: Any, path: Path, wrong: Wrong) -> Any:
        # True is 1 to Python, and 1.0 as well; a whole number may stand for a float's constant alone.
        kind = float if type(data) is WrittenFloat else type(data)
        if not isinstance(data, (list, dict)):
            for key in ((kind, data), (float, data)) if kind is int else ((kind, data),):
                if key in values:
                    return values[key]
        return refused(wrong, path, f"expected {expected}, got {said(data)}")

    return read


def _bits(node: Bits) -> Read:
    bits = ", ".join(str(1 << place) for place in range(node.mask.bit_length()) if node.mask >> place & 1)

    def read(data: Any, path: Path, wrong: Wrong) -> Any:
        if type(data) is not int or data < 0 or data & ~node.mask:
            return refused(wrong, path, f"expected a sum of some of {bits}, got {said(data)}")
        return made(node.cls, data, path, wrong)

    return read


def _foreign(node: Foreign) -> Read:
    def read(data: Any, path: Path, wrong: Wrong) -> Any:
        value, problems = read_foreign(node, data, path)
        wrong.extend(problems)
        return WRONG if problems else value

    return read


READERS: dict[type, Callable[[Any], Read]] = {
    Anything: _anything,
    Null: _null,
    Boolean: _boolean,
    Integer: _integer,
    Number: _number,
    String: _string,
    Formatted: _formatted,
    Constants: _constants,
    Bits: _bits,
    Foreign: _foreign,
}
