"""Readers of an object's keys, which are text in JSON, whatever they are in Python."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from ..nodes import Anything, Bits, Boolean, Constants, Either, Integer, Node, Number, Plan, String
from ..problems import Path, choice_of
from .values import Read, Wrong, refused

_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-2]?[0-9]{1,2})?")

INTEGER_KEYS: Final = f"^{_INTEGER.pattern}$"
NUMBER_KEYS: Final = f"^{_NUMBER.pattern}$"


def key_reader(plan: Plan, node: Node, read_type: Callable[[Node], Read]) -> Read:
    """What reads keys of one type; ``read_type`` makes what reads values of a type."""
    resolved = plan.resolved(node)
    if isinstance(resolved, Constants):
        values = {key_text(said): value for said, value in resolved.entries}
        expected = choice_of(values)

        def read_constant(data: str, path: Path, wrong: Wrong) -> Any:
            return values[data] if data in values else refused(wrong, path, f"expected {expected} as the key")

        return read_constant
    if isinstance(resolved, Either):
        reads = [
            key_reader(plan, option, read_type)
            for option in sorted(resolved.options, key=lambda one: _key_rank(plan, one))
        ]

        def read_either(data: str, path: Path, wrong: Wrong) -> Any:
            for read in reads:
                inside: Wrong = []
                value = read(data, path, inside)
                if not inside:
                    return value
            return refused(wrong, path, "expected another key")

        return read_either
    read = read_type(node)

    def read_key(data: str, path: Path, wrong: Wrong) -> Any:
        said_as: Any = data
        if isinstance(resolved, (Integer, Bits)) and _INTEGER.fullmatch(data):
            said_as = int(data)
        elif isinstance(resolved, Number) and _NUMBER.fullmatch(data):
            said_as = float(data)
        elif isinstance(resolved, Boolean) and data in ("true", "false"):
            said_as = data == "true"
        return read(said_as, path, wrong)

    return read_key


def _key_rank(plan: Plan, node: Node) -> int:
    resolved = plan.resolved(node)
    return 2 if isinstance(resolved, (String, Anything)) else 0 if isinstance(resolved, Constants) else 1


def key_text(value: Any) -> str:
    """A constant as an object's key."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
