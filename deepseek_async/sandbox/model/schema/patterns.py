"""Texts that match a regular expression, for a schema's ``pattern``.

A pattern is read into a small tree, a text is drawn from the tree, and `re` has the last word on whether it matches. So
what the tree does not model (word boundaries, look-around) costs attempts, never correctness.
"""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

_ATTEMPTS: Final = 64
_OPEN_REPEATS: Final = 4  # what * and + draw at most, beyond their minimum
_MAX_REPEATS: Final = 256
_PRINTABLE: Final = "".join(map(chr, range(0x20, 0x7F)))
_WORD: Final = string.ascii_lowercase + string.ascii_uppercase + string.digits + "_"
_CLASSES: Final = {
    "d": string.digits,
    "w": _WORD,
    "s": " ",
    "D": "".join(sorted(set(_PRINTABLE) - set(string.digits))),
    "W": "".join(sorted(set(_PRINTABLE) - set(_WORD))),
    "S": _PRINTABLE[1:],
}
_CONTROLS: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}


class UnmatchedPatternError(ValueError):
    """No text could be found that matches the pattern, or it is not a regular expression."""


@attrs.frozen
class _OneOf:
    characters: str


@attrs.frozen
class _Sequence:
    parts: tuple[_Node, ...]


@attrs.frozen
class _Alternatives:
    branches: tuple[_Node, ...]


@attrs.frozen
class _Repeat:
    part: _Node
    least: int
    most: int


_Node = _OneOf | _Sequence | _Alternatives | _Repeat


def matching_text(pattern: str, chance: Callable[[], float], is_allowed: Callable[[str], bool]) -> str:
    """Draw a text that the pattern matches.

    Args:
        pattern: As in JSON Schema (a search, not a full match); what ECMA-262 and Python's `re` have in common.
        chance: Gives numbers in [0, 1).
        is_allowed: A further demand on the text, its length for instance.

    Raises:
        UnmatchedPatternError: The pattern is malformed, or none of 64 texts was right.
    """
    pattern = pattern.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")
    try:
        expression = re.compile(pattern)
        tree = _Reader(pattern).read()
    except (re.error, IndexError, OverflowError, RecursionError) as error:
        raise UnmatchedPatternError(f"not a regular expression this sandbox can read: {error}") from None
    for _ in range(_ATTEMPTS):
        text = _draw(tree, chance)
        if expression.search(text) and is_allowed(text):
            return text
    raise UnmatchedPatternError(f"found no text that matches it in {_ATTEMPTS} attempts")


def _draw(node: _Node, chance: Callable[[], float]) -> str:
    match node:
        case _OneOf(characters):
            return characters[int(chance() * len(characters))] if characters else ""
        case _Sequence(parts):
            return "".join([_draw(part, chance) for part in parts])
        case _Alternatives(branches):
            return _draw(branches[int(chance() * len(branches))], chance)
        case _Repeat(part, least, most):
            times = least + int(chance() * (most - least + 1))
            return "".join([_draw(part, chance) for _ in range(times)])


class _Reader:
    """Recursive descent over a pattern that `re` has found well-formed."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._place = 0

    def read(self) -> _Node:
        return self._alternatives()

    def _peek(self) -> str:
        return self._pattern[self._place : self._place + 1]

    def _take(self) -> str:
        character = self._pattern[self._place]
        self._place += 1
        return character

    def _takes(self, text: str) -> bool:
        if self._pattern.startswith(text, self._place):
            self._place += len(text)
            return True
        return False

    def _alternatives(self) -> _Node:
        branches = [self._sequence()]
        while self._takes("|"):
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else _Alternatives(tuple(branches))

    def _sequence(self) -> _Node:
        parts: list[_Node] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))
        return _Sequence(tuple(parts))

    def _repeated(self, part: _Node) -> _Node:
        counts = re.compile(r"\{(\d*)(,?)(\d*)\}").match(self._pattern, self._place)
        if self._takes("*"):
            least, most = 0, _OPEN_REPEATS
        elif self._takes("+"):
            least, most = 1, 1 + _OPEN_REPEATS
        elif self._takes("?"):
            least, most = 0, 1
        elif counts is not None and (counts[1] or counts[3]):
            self._place = counts.end()
            least = int(counts[1] or 0)
            most = int(counts[3]) if counts[3] else least + _OPEN_REPEATS if counts[2] else least
        else:
            return part
        if self._peek() in ("?", "+"):  # lazy, possessive: the same texts
            self._place += 1
        least = min(least, _MAX_REPEATS)
        return _Repeat(part, least, max(least, min(most, _MAX_REPEATS)))

    def _atom(self) -> _Node:
        character = self._take()
        if character == "(":
            return self._group()
        if character == "[":
            return _OneOf(self._class())
        if character == "\\":
            return _OneOf(self._escape())
        if character == ".":
            return _OneOf(_WORD[:26])
        if character in "^$":
            return _OneOf("")
        return _OneOf(character)

    def _group(self) -> _Node:
        asserts = False
        if self._takes("?"):
            if self._takes("P<"):
                while self._take() != ">":
                    pass
            elif any(map(self._takes, ("=", "!", "<=", "<!"))):
                asserts = True
            else:  # (?:…), (?i:…), (?i)
                while self._peek() not in (":", ")"):
                    self._place += 1
                self._takes(":")
        inside = self._alternatives()
        self._takes(")")
        return _OneOf("") if asserts else inside

    def _class(self) -> str:
        negated = self._takes("^")
        members: list[str] = []
        first = True
        while first or self._peek() != "]":
            first = False
            start = self._member()
            if len(start) == 1 and self._peek() == "-" and self._pattern[self._place + 1] != "]":
                self._place += 1
                end = self._member()
                members += map(chr, range(ord(start), ord(end) + 1))
            else:
                members += start
        self._place += 1
        if negated:
            return "".join(sorted(set(_PRINTABLE) - set(members)))
        return "".join(dict.fromkeys(members))

    def _member(self) -> str:
        character = self._take()
        return self._escape() if character == "\\" else character

    def _escape(self) -> str:
        character = self._take()
        if character in _CLASSES:
            return _CLASSES[character]
        if character in "bBAZ":
            return ""
        if character in "xu":
            size = 2 if character == "x" else 4
            digits = self._pattern[self._place : self._place + size]
            self._place += size
            return chr(int(digits, 16))
        return _CONTROLS.get(character, character)
