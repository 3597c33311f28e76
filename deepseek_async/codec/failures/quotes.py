"""What a text quotes of prompts.

Found is, in whatever letters and escapes it is written (see `types.secrecy.spellings`, which also tells what does not
count: white space, quotation marks, backslashes):

| of a prompt | from so many bytes of UTF-8 on |
| --- | --- |
| any part | 23 |
| its beginning | 16 |
| its beginning, where the text or a quotation ends | 12 |
| its beginning before "...", its end after "..." | 8 |
| the whole prompt | 8 |

A short quote that is one plain word ("function") stays: it gives nothing away, and says what is wrong.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ...types.secrecy import without, without_spans
from ...types.secrecy.spellings import agreeing, plain, plain_each, plain_with_places

# What a text shares with a prompt is a quote if it is this long; shorter runs are words that everybody uses.
_WINDOW: Final = 16
_STEP: Final = 8
_LONG: Final = _WINDOW + _STEP - 1
_SHORTEST: Final = 8
_SHORTEST_WITHOUT_DOTS: Final = 12
# So much at a time: between two slices another thread may run.
_SLICE: Final = 2**18
_PLAIN_WORD: Final = re.compile(r"[A-Za-z]+(?:[_-][A-Za-z]+)*")
_DOTS: Final = r"(?:\.\.|…|⋯|\\{1,4}u2026|&hellip;|[\[(<{]\s{0,4}(?:\.\.|…|\\{1,4}u2026|trunc|cut|omit|snip))"
_CUT_AFTER: Final = re.compile(rf"""[\s\\"'`]{{0,8}}{_DOTS}""")
_ENDS: Final = re.compile(r"""\s{0,8}(?:\\{0,4}["'`”’»]|&(?:quot|\#39|\#x27);|$)""", re.VERBOSE)
_CUT_BEFORE: Final = re.compile(r"""(?:\.\.|…|⋯|\\u2026|&hellip;|truncated|omitted|snip|cut)[\])>}.\s\\"'`]{0,8}\Z""")
_REACH: Final = 24


class Quotes:
    """What to look for; made when there is first something to look in.

    Args:
        read: Tells the prompts.
    """

    def __init__(self, read: Callable[[], Sequence[str]]) -> None:
        self._read = read
        self._prompts: _Prompts | None = None

    def taken_out_of(self, text: str) -> str:
        """The text without the quotes in it."""
        if len(text) < _SHORTEST:
            return text
        if self._prompts is None:
            self._prompts = _Prompts(self._read())
        prompts = self._prompts
        words = _words(plain(text))
        shared = {prompts.joined[at : at + _WINDOW]: at for at in _meetings(prompts.joined, words)}
        edges = words.intersection(prompts.first_words) | words.intersection(prompts.last_words)
        if shared or edges:
            text = _without_quotes(text, prompts, shared, edges)
        return without(prompts.airy, text) if prompts.airy else text


class _Prompts:
    """The prompts in the form in which texts are compared.

    Attributes:
        joined: Those that are longer than a window, each from a multiple of a window on.
        short: The others, but those that are one plain word.
        first_words, last_words: The first and the last 8 bytes of each, as numbers.
        airy: Prompts of 8 characters that are mostly white space, so that they are looked for as they are.
    """

    def __init__(self, prompts: Sequence[str]) -> None:
        self.joined: bytes = b""
        self.short: set[bytes] = set()
        self.airy: list[str] = []
        self.forms: list[bytes] = []
        long = []
        for prompt, form in zip(prompts, plain_each(prompts), strict=True):
            if len(form) < _LONG and _PLAIN_WORD.fullmatch(prompt):
                continue
            if len(form) < _SHORTEST:
                if len(prompt) >= _SHORTEST:
                    self.airy += {prompt, " ".join(prompt.split())} - {""}
                continue
            self.forms.append(form)
            if len(form) < _WINDOW:
                self.short.add(form)
            else:
                long.append(form.ljust(-(-len(form) // _WINDOW) * _WINDOW, b"\0"))
        self.joined = b"".join(long)
        self.first_words: set[int] = set(_numbers(b"".join(form[:_STEP] for form in self.forms)))
        self.last_words: set[int] = set(_numbers(b"".join(form[-_STEP:] for form in self.forms)))

    def beginnings(self, words: set[int]) -> dict[int, set[bytes]]:
        """By their first words: what the prompts begin with, 8 to 15 bytes of each, and the short ones whole."""
        return self._edges(words, lambda form: form[:_STEP], lambda form, length: form[:length], _WINDOW)

    def ends(self, words: set[int]) -> dict[int, set[bytes]]:
        """By their last words: what they end with, 8 to 22 bytes of each."""
        return self._edges(words, lambda form: form[-_STEP:], lambda form, length: form[-length:], _LONG)

    def _edges(
        self,
        words: set[int],
        word: Callable[[bytes], bytes],
        edge: Callable[[bytes, int], bytes],
        longest: int,
    ) -> dict[int, set[bytes]]:
        edges: dict[int, set[bytes]] = {}
        for form in self.forms:
            if (number := int.from_bytes(word(form), sys.byteorder)) in words:
                known = edges.setdefault(number, set())
                known.update(edge(form, length) for length in range(_STEP, min(len(form), longest) + 1))
        return edges


def _without_quotes(text: str, prompts: _Prompts, shared: dict[bytes, int], edges: set[int]) -> str:
    data, starts, ends = plain_with_places(text)
    spans = list(_long_quotes(data, prompts.joined, shared))
    if edges:
        beginnings, endings = prompts.beginnings(edges), prompts.ends(edges)
        told_from = len(text) - len(text.lstrip())
        for at in range(len(data) - _STEP + 1):
            number = int.from_bytes(data[at : at + _STEP], sys.byteorder)
            if number not in edges:
                continue
            for stop in range(min(at + _WINDOW, len(data)), at + _STEP - 1, -1):
                piece = data[at:stop]
                if piece in beginnings.get(number, ()) and (
                    piece in prompts.short or _is_cut_after(text, starts[at], ends[stop - 1], len(piece))
                ):
                    spans.append((at, stop))
                    break
            stop = at + _STEP
            for first in range(max(0, stop - _LONG), at + 1):
                if data[first:stop] in endings.get(number, ()):
                    if _is_cut_before(text, starts[first], told_from, stop - first):
                        spans.append((first, stop))
                    break
    is_quoted = bytearray(len(text))
    for first, stop in spans:
        begin, end = starts[first], ends[stop - 1]
        is_quoted[begin:end] = b"\1" * (end - begin)
    return without_spans(_runs(is_quoted), text)


def _is_cut_after(text: str, begin: int, end: int, length: int) -> bool:
    """Whether what stands there is a text that somebody cut off, and no word that everybody uses."""
    if _PLAIN_WORD.fullmatch(text, begin, end):
        return False
    ends = length >= _SHORTEST_WITHOUT_DOTS and _ENDS.match(text, end)
    return bool(ends or _CUT_AFTER.match(text, end))


def _is_cut_before(text: str, begin: int, told_from: int, length: int) -> bool:
    """Whether what begins there is the rest of a text."""
    if begin <= told_from:
        return length >= _SHORTEST_WITHOUT_DOTS
    return _CUT_BEFORE.search(text, max(0, begin - _REACH), begin) is not None


def _long_quotes(data: bytes, joined: bytes, shared: dict[bytes, int]) -> Iterator[tuple[int, int]]:
    """A quote of 23 bytes has in it a window of 16 that stands in the prompts at a multiple of 8."""
    if not shared:
        return
    for start in range(len(data) - _WINDOW + 1):
        at = shared.get(data[start : start + _WINDOW])
        if at is not None:
            before = agreeing(data[max(0, start - _STEP) : start][::-1], joined[max(0, at - _STEP) : at][::-1])
            end, after = start + _WINDOW, at + _WINDOW
            yield start - before, end + agreeing(data[end : end + _STEP], joined[after : after + _STEP])


def _meetings(joined: bytes, words: set[int]) -> Iterator[int]:
    """Where in the prompts, at multiples of 8, two words of 8 bytes stand that stand in the text, too."""
    for first in range(0, len(joined), _SLICE):
        there = _numbers(joined[first : first + _SLICE + _STEP])
        if words.isdisjoint(there[::2]):  # 23 bytes hold a word at a multiple of 16, and so does a beginning
            continue
        is_shared = bytes(map(words.__contains__, there))
        at = is_shared.find(b"\1\1")
        while at >= 0:
            yield first + at * _STEP
            at = is_shared.find(b"\1\1", at + 1)


def _words(data: bytes) -> set[int]:
    words: set[int] = set()
    for offset in range(_STEP):
        words.update(_numbers(data[offset:]))
    return words


def _numbers(data: bytes) -> array[int]:
    """Each 8 bytes as a number."""
    numbers = array("Q")
    numbers.frombytes(data[: len(data) // _STEP * _STEP])
    return numbers


def _runs(is_quoted: bytearray) -> Iterator[tuple[int, int]]:
    end = 0
    while (first := is_quoted.find(1, end)) >= 0:
        end = is_quoted.find(0, first)
        end = len(is_quoted) if end < 0 else end
        yield first, end
