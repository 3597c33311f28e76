"""Which functions of the package something goes through: a tracer, by `sys.setprofile`.

A call is a Python function of the package that begins; one that goes on after it waited is the same call. A hop is a
call into another module than the one it came from, the entry into the package included; whatever is between two modules
(the standard library, C) is left out. Comprehensions count for nothing, since newer Pythons run them without a frame of
their own, and neither do the constructors that attrs writes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import attrs

_PACKAGE = "deepseek_async"


@attrs.define
class Trip:
    """The way through the package.

    Attributes:
        calls: Module and name of each function that was called, in order.
        hops: How many of them were called from another module, the first from outside.
        hops_before: How many hops there were before each call.
    """

    calls: list[tuple[str, str]] = attrs.field(factory=list)
    hops: int = 0
    hops_before: list[int] = attrs.field(factory=list)

    @property
    def modules(self) -> list[str]:
        """The modules that it leads through, in the order of their first call."""
        return list(dict.fromkeys(module for module, _ in self.calls))

    @property
    def figures(self) -> tuple[int, int, int]:
        """Calls, hops, modules."""
        return len(self.calls), self.hops, len(self.modules)

    def between(self, name: str, number: int) -> Trip:
        """The way from the call of that number (from 1) of a function to the next call of it."""
        places = [place for place, (_, called) in enumerate(self.calls) if called == name]
        start, end = places[number - 1], places[number]
        return Trip(self.calls[start:end], self.hops_before[end] - self.hops_before[start])

    def __str__(self) -> str:
        lines = [f"{number:4}  {module.removeprefix(_PACKAGE + '.'):28} {name}" for number, (module, name) in
                 enumerate(self.calls, 1)]  # fmt: skip
        calls, hops, modules = self.figures
        return "\n".join([f"{calls} calls, {hops} hops between modules, {modules} modules", *lines])


@contextmanager
def traced() -> Iterator[Trip]:
    """Note every call that this thread makes in the package until the block ends."""
    trip = Trip()
    seen: dict[int, FrameType] = {}  # holds the frames, so that no number is given out twice

    def note(frame: FrameType, event: str, _: Any) -> None:
        module = frame.f_globals.get("__name__", "")
        if event != "call" or id(frame) in seen or not module.startswith(_PACKAGE):
            return
        name = frame.f_code.co_qualname.rpartition("<locals>.")[2]
        if name.endswith(("comp>", "<genexpr>")) or frame.f_code.co_filename.startswith("<"):
            return
        seen[id(frame)] = frame
        trip.calls.append((module, name))
        trip.hops_before.append(trip.hops)
        trip.hops += _module_above(frame) != module

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield trip
    finally:
        sys.setprofile(before)
        seen.clear()


def _module_above(frame: FrameType) -> str:
    """The module of the package that called; ``""`` if it was called from outside."""
    above = frame.f_back
    while above is not None:
        module: str = above.f_globals.get("__name__", "")
        if module.startswith(_PACKAGE):
            return module
        above = above.f_back
    return ""
