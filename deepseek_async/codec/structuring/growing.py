"""JSON while it comes: what is known of a value so far, each character read once.

A text grows as it comes. A number, a word or a key is there when it is whole, for its beginning would be another one.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

NOTHING: Any = object()  # no value has begun

_RUN: Final = re.compile(r'[^"\\\x00-\x1f]+')
_SPACE: Final = re.compile(r"[ \t\r\n]+")
_SCALAR: Final = re.compile(r"[-+.\w]+")
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_ESCAPES: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

# What may come next.
_VALUE, _KEY_OR_END, _KEY, _COLON, _NEXT_OR_END, _DONE = range(6)


class GrowingJSON:
    """The first JSON value in a text that comes in pieces.

    Attributes:
        changes: How often a snapshot has become another one.
        has_begun_anew: Whether what looked like a value was none, and another was looked for behind its beginning.

    Args:
        openings: The characters that a value may begin with: ``{`` alone, or ``{[``. What stands before is passed over.
    """

    def __init__(self, openings: str = "{[") -> None:
        self._opening = re.compile(f"[{re.escape(openings)}]")
        self.has_begun_anew: bool = False
        self._begin()

    def _begin(self) -> None:
        self._stack: list[Any] = []  # the open containers, the innermost last
        self._keys: list[str | None] = []  # for each, the key that its next value goes to
        self._expected = _VALUE
        self._string: list[str] | None = None  # the pieces of an open text
        self._is_key = False
        self._escape = ""  # an escape that has begun: a backslash and what follows
        self._scalar = ""  # the beginning of a number or word
        self._root: Any = NOTHING
        self.changes: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether the value has ended."""
        return self._expected == _DONE

    def feed(self, text: str) -> None:
        """Take the next piece."""
        place = 0
        while place < len(text) and not self.is_complete:
            if self._root is NOTHING:
                found = self._opening.search(text, place)
                if found is None:
                    return
                place = found.start()
            try:
                place = self._in_string(text, place) if self._string is not None else self._outside(text, place)
            except _BrokenError:  # it was no JSON: perhaps what follows is
                self.has_begun_anew = True
                self._begin()
                place += 1

    def snapshot(self) -> Any:
        """What is known, as plain data that stay as they are; `NOTHING` before it begins."""
        if self._root is NOTHING or not self._stack:
            return self._root
        inner: Any = NOTHING
        if self._string is not None and not self._is_key:
            inner = "".join(self._string)
        for container, key in zip(reversed(self._stack), reversed(self._keys), strict=True):
            copied = container.copy()
            if inner is not NOTHING:
                if key is None:
                    copied.append(inner)
                else:
                    copied[key] = inner
            inner = copied
        return inner

    # -- inside a text -----------------------------------------------------------------------------------------------

    def _in_string(self, text: str, place: int) -> int:
        pieces = self._string
        assert pieces is not None  # noqa: S101 - the caller has looked
        if self._escape:
            return self._in_escape(text, place, pieces)
        run = _RUN.match(text, place)
        if run is not None:
            pieces.append(run.group())
            self.changes += not self._is_key
            place = run.end()
            if place == len(text):
                return place
        character = text[place]
        if character == "\\":
            self._escape = "\\"
        elif character == '"':
            self._string = None
            self._end_of_string("".join(pieces))
        else:
            raise _BrokenError  # a control character
        if len(pieces) > 64:  # joined now and then, so that each snapshot does not join them all
            pieces[:] = ["".join(pieces)]
        return place + 1

    def _in_escape(self, text: str, place: int, pieces: list[str]) -> int:
        character = text[place]
        self._escape += character
        if len(self._escape) == 2 and character != "u":
            if character not in _ESCAPES:
                raise _BrokenError
            pieces.append(_ESCAPES[character])
            self.changes += not self._is_key
            self._escape = ""
        elif len(self._escape) > 2 and character not in _HEX and len(self._escape) not in (7, 8):
            raise _BrokenError
        elif len(self._escape) == 6:
            code = int(self._escape[2:], 16)
            if 0xD800 <= code <= 0xDBFF:  # half of a pair: its other half follows
                return place + 1
            pieces.append(chr(code))
            self.changes += not self._is_key
            self._escape = ""
        elif len(self._escape) == 12:
            try:
                pieces.append(json.loads(f'"{self._escape}"'))
            except ValueError:
                raise _BrokenError from None
            self._escape = ""
            self.changes += not self._is_key
        return place + 1

    def _end_of_string(self, text: str) -> None:
        if self._is_key:
            self._keys[-1] = text
            self._is_key = False
            self._expected = _COLON
        else:
            self._put(text)

    # -- outside -----------------------------------------------------------------------------------------------------

    def _outside(self, text: str, place: int) -> int:
        if self._scalar or self._expected == _VALUE:
            scalar = _SCALAR.match(text, place)
            if scalar is not None:
                self._scalar += scalar.group()
                return scalar.end()
            if self._scalar:
                self._put(_scalar_of(self._scalar))
                self._scalar = ""
                return place
        if (space := _SPACE.match(text, place)) is not None:
            return space.end()
        self._take(text[place])
        return place + 1

    def _take(self, character: str) -> None:
        expected = self._expected
        if character == '"' and expected in (_VALUE, _KEY, _KEY_OR_END):
            self._string, self._is_key = [], expected != _VALUE
        elif character in "{[" and expected == _VALUE:
            self._open({} if character == "{" else [])
        elif character == ":" and expected == _COLON:
            self._expected = _VALUE
        elif character == "," and expected == _NEXT_OR_END:
            self._expected = _KEY if isinstance(self._stack[-1], dict) else _VALUE
        elif character in "}]" and self._may_end(character):
            self._close()
        else:
            raise _BrokenError

    def _may_end(self, character: str) -> bool:
        if not self._stack or isinstance(self._stack[-1], dict) is not (character == "}"):
            return False
        is_empty_array = self._expected == _VALUE and character == "]" and not self._stack[-1]
        return is_empty_array or self._expected in (_NEXT_OR_END, _KEY_OR_END)

    def _open(self, container: Any) -> None:
        self.changes += 1
        if self._root is NOTHING:
            self._root = container
        self._stack.append(container)
        self._keys.append(None)
        self._expected = _KEY_OR_END if isinstance(container, dict) else _VALUE

    def _close(self) -> None:
        value = self._stack.pop()
        self._keys.pop()
        if self._stack:
            self._put(value)
        else:
            self._root, self._expected = value, _DONE

    def _put(self, value: Any) -> None:
        self.changes += 1
        container, key = self._stack[-1], self._keys[-1]
        if key is None:
            container.append(value)
        else:
            container[key] = value
            self._keys[-1] = None
        self._expected = _NEXT_OR_END


class _BrokenError(Exception):
    """What came is no JSON."""


def _scalar_of(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise _BrokenError from None
