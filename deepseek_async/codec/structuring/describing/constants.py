"""Literals, Enums and Flags → the constants that JSON says for them."""

from __future__ import annotations

import enum
from typing import Any

from ..nodes import Bits, Constants, Node

_MAX_SCATTERED_BITS = 8  # of a Flag whose bits leave gaps: more are too many to name
_JSON_SCALARS = (str, int, float, bool, type(None))


class UnfitTypeError(TypeError):
    """A type that no JSON says, in words for whoever gave it."""


def constants_of_literal(values: tuple[Any, ...]) -> Node:
    """The values of a Literal. Raises `UnfitTypeError`."""
    entries = []
    for value in values:
        said = value.value if isinstance(value, enum.Enum) else value
        if not isinstance(said, _JSON_SCALARS):
            raise UnfitTypeError(f"Literal[{value!r}]: JSON has no such constant")
        entries.append((_plain(said), value))
    return Constants(tuple(entries))


def node_of_enum(cls: Any) -> Node:
    """An Enum's members, or a Flag's sums. Raises `UnfitTypeError`."""
    if issubclass(cls, enum.Flag):
        return _flag(cls)
    entries = []
    for member in cls:
        if not isinstance(member.value, _JSON_SCALARS) or member.value != member.value:
            advice = "give its members values that are strings, numbers or booleans"
            raise UnfitTypeError(f"{cls.__name__}.{member.name} is {member.value!r}, which JSON cannot say; {advice}")
        entries.append((_plain(member.value), member))
    if not entries:
        raise UnfitTypeError(f"{cls.__name__} has no members")
    return Constants(tuple(entries))


def _plain(value: Any) -> Any:
    """A constant without its subclass, as JSON reads it."""
    for kind in (bool, str, int, float):
        if isinstance(value, kind):
            return kind(value)
    return value


def _flag(cls: Any) -> Node:
    mask = 0
    for member in cls:
        mask |= member.value
    low = mask & -mask
    is_scattered = mask == 0 or (mask // low + 1) & (mask // low) != 0
    if not is_scattered:
        return Bits(cls, mask)
    bits = [1 << place for place in range(mask.bit_length()) if mask >> place & 1]
    if len(bits) > _MAX_SCATTERED_BITS:
        raise UnfitTypeError(
            f"{cls.__name__}: its bits leave gaps, so that JSON Schema cannot say which sums there are"
        )
    sums = sorted({sum(bit for place, bit in enumerate(bits) if one >> place & 1) for one in range(1 << len(bits))})
    return Constants(tuple((one, cls(one)) for one in sums))
