"""Fragments → tool calls.

| a fragment | belongs to |
| --- | --- |
| with an ``index`` | the call that is open on it |
| with a new one, amid unfinished arguments, with no name or id of its own | that call: some count fragments |
| without | the call of its id, else the one that came last |
| with another id and a name | another call, unless it repeats a name amid unfinished arguments, or brings the first |
| with another id and no name | the same call: some gateways make an id up for each fragment |
| with a name, after arguments that are a finished JSON text, or another name after any | another call |
| with a piece of a name, before any arguments | the same call: the name comes in pieces |
| with neither id nor name, where no call is open | the call that came last |

A name that comes whole again, or empty, adds nothing; nor does a call that comes whole again under its own id, or on
its own index where others have theirs. Arguments that come longer each time are the last of them.
"""

from __future__ import annotations

import re

from ...types import FunctionCall, ToolCall, ToolCallFragment
from ...types.values import NO_EXTRA
from ..reading.quirks.messages import is_json, mended
from .joining import Pieces

_STRUCTURE = re.compile(r'["\\{}\[\]]')


class Calls:
    """The tool calls of one choice."""

    def __init__(self) -> None:
        self._by_index: dict[int, _Call] = {}  # the call that is open on each index
        self._all: list[tuple[int, _Call]] = []
        self._last: int = -1  # the index that the latest fragment went to

    def add(self, fragment: ToolCallFragment) -> None:
        """Take the next fragment."""
        index = self._index_of(fragment)
        call = self._by_index.get(index)
        if call is not None and call.is_repeated_by(fragment, is_apart=len(self._by_index) > 1):
            return
        if call is None or call.is_other_than(fragment):
            call = self._by_index[index] = _Call()
            self._all.append((index, call))
        self._last = index
        call.add(fragment)

    def _index_of(self, fragment: ToolCallFragment) -> int:
        index = fragment.index
        name = fragment.function.name if fragment.function is not None else None
        if index is not None and (index in self._by_index or self._last < 0 or name):
            last = self._by_index.get(self._last) if index not in self._by_index else None
            return self._last if last is not None and last.goes_on_with(fragment) else index
        if fragment.id:
            for found, call in self._by_index.items():
                if call.id == fragment.id:
                    return found
            last = self._by_index.get(self._last)
            if name:
                is_again = last is not None and last.repeats_name(name)
                return self._last if is_again else max(self._by_index, default=-1) + 1
            if index is not None and (last is None or not last.is_amid(fragment)):  # its name may be still to come
                return index
        elif index is not None and fragment.type and fragment.function is None:
            return index
        return max(self._last, 0)

    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls so far, by index."""
        ordered = sorted(self._all, key=lambda entry: entry[0])  # stable: order of arrival within an index
        calls = tuple(call.tool_call() for _, call in ordered)
        # A fragment that opened a call which neither a name nor arguments followed was none.
        return tuple(filter(_is_told, calls)) or calls


class _Call:
    """One tool call."""

    def __init__(self) -> None:
        self.id = ""
        self._type = ""
        self._name = ""
        self._arguments: list[str] = []
        self._length = 0
        self._end = _JsonEnd()
        self._extra = Pieces()
        self._function_extra = Pieces()

    def is_repeated_by(self, fragment: ToolCallFragment, *, is_apart: bool) -> bool:
        """Whether a fragment says the whole call once more. ``is_apart``: other calls are on indexes of their own."""
        function = fragment.function
        if not (fragment.id or is_apart) or (fragment.id or "") != self.id:
            return False
        if function is None or function.name != self._name:
            return False
        arguments = function.arguments or ""
        return len(arguments) == self._length > 0 and self._is_finished() and arguments == "".join(self._arguments)

    def goes_on_with(self, fragment: ToolCallFragment) -> bool:
        """Whether a fragment of the same name and no other id is a part of this call: amid arguments, or without."""
        function = fragment.function
        if not self.id or fragment.id not in (None, self.id) or function is None or function.name != self._name:
            return False
        return not function.arguments or not self._is_finished()

    def is_amid(self, fragment: ToolCallFragment) -> bool:
        """Whether a fragment without a name comes while the arguments are not finished, or is the first of them."""
        if not self._arguments:
            return bool(self._name and fragment.function is not None and fragment.function.arguments)
        return not self._is_finished()

    def repeats_name(self, name: str) -> bool:
        """Whether it is this call's, and its arguments are not finished."""
        return name == self._name and bool(self._arguments) and not self._is_finished()

    def is_other_than(self, fragment: ToolCallFragment) -> bool:
        """Whether a fragment that found its way here begins another call."""
        name = fragment.function.name if fragment.function is not None else None
        if not name or not self._name:
            return False
        has_arguments = bool(fragment.function and fragment.function.arguments)
        if fragment.id and self.id and fragment.id != self.id:
            if not self._arguments:
                return name != self._name or not has_arguments
            return name != self._name or self._is_finished()
        if not self._arguments:
            return False  # a piece of the name, or the name again
        if self._arguments == ["{}"] and fragment.id and fragment.id == self.id and name == self._name:
            return False  # see `add`
        if name != self._name:
            return True
        return has_arguments and self._is_finished()

    def add(self, fragment: ToolCallFragment) -> None:
        """Take a fragment that is a part of this call."""
        self.id = self.id or fragment.id or ""
        self._type = self._type or fragment.type or ""
        function = fragment.function
        if function is not None:
            if function.name and function.name != self._name:
                self._name = _longer(self._name, function.name)
            if function.arguments:
                if self._arguments == ["{}"] and function.arguments.lstrip().startswith("{"):
                    self._arguments.clear()  # it only held the place
                    self._end, self._length = _JsonEnd(), 0
                self._arguments.append(function.arguments)
                self._length += len(function.arguments)
            if function.extra:
                self._function_extra.add(function.extra)
        if fragment.extra:
            self._extra.add(fragment.extra)

    def _is_finished(self) -> bool:
        """Whether the arguments so far are a whole JSON text."""
        return self._end.is_reached(self._arguments)

    def tool_call(self) -> ToolCall:
        """The call so far."""
        arguments = mended("".join(self._arguments))
        if len(self._arguments) > 1 and _grew(self._arguments):
            arguments = mended(self._arguments[-1])
        function = FunctionCall(mended(self._name), arguments, extra=self._function_extra.joined() or NO_EXTRA)
        return ToolCall(self.id, self._type or "function", function, extra=self._extra.joined() or NO_EXTRA)


def _is_told(call: ToolCall) -> bool:
    return bool(call.function.name or call.function.arguments or call.extra or call.function.extra)


def _longer(name: str, piece: str) -> str:
    """A name with its next piece; servers also send it longer each time."""
    return piece if piece.startswith(name) else name + piece


def _grew(pieces: list[str]) -> bool:
    """Whether each piece says all before it once more, as no pieces of one JSON text do."""
    if not pieces[-1].startswith(pieces[-2]) or not pieces[0].lstrip().startswith("{"):
        return False
    return all(map(str.startswith, pieces[1:], pieces)) and is_json(pieces[-1]) and not is_json("".join(pieces))


class _JsonEnd:
    """Whether pieces of text are a whole JSON object; each piece is looked at once."""

    def __init__(self) -> None:
        self._seen = 0
        self._depth = 0
        self._has_begun = False
        self._is_in_string = False
        self._escaped_at = -1

    def is_reached(self, pieces: list[str]) -> bool:
        for piece in pieces[self._seen :]:
            self._look_at(piece)
        self._seen = len(pieces)
        return self._has_begun and self._depth == 0 and not self._is_in_string

    def _look_at(self, piece: str) -> None:
        # -1: nothing is escaped; else where the escaped character stands, which may be in the next piece.
        for found in _STRUCTURE.finditer(piece):
            at, character = found.start(), found[0]
            if at == self._escaped_at:
                self._escaped_at = -1
            elif self._is_in_string:
                if character == "\\":
                    self._escaped_at = at + 1
                elif character == '"':
                    self._is_in_string = False
            elif character == '"':
                self._is_in_string = True
            elif character in "{[":
                self._depth += 1
                self._has_begun = True
            elif character in "}]":
                self._depth -= 1
        if self._escaped_at >= 0:
            self._escaped_at = max(-1, self._escaped_at - len(piece))
