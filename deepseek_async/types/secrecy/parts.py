"""Keys that are quoted in other letters or in part, as a server may tell of a key which it refuses.

``sk-ab****yz`` gives nothing away and stays. A run of twelve characters of a key goes, or of two thirds of a key that
has less than eighteen, but no run of less than eight; in whatever spelling, see `spellings`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .spellings import agreeing, plain, plain_with_places

_WORD: Final = 8
_LONGEST_HARMLESS: Final = 11


def parts_of_secrets(secrets: Iterable[str], text: str) -> list[tuple[int, int]]:
    """Where in a text parts of secrets stand, in order and apart; most texts are searched in C alone."""
    if len(text) < _WORD:
        return []
    data = plain(text)
    met = [(key, at) for key in _shortest(secrets) for at in _words(key) if key[at : at + _WORD] in data]
    if not met:
        return []
    data, starts, ends = plain_with_places(text)
    found = []
    for key, at in met:
        least, place = _least(key), -1
        while (place := data.find(key[at : at + _WORD], place + 1)) >= 0:
            before = agreeing(data[max(0, place - at) : place][::-1], key[:at][::-1])
            after = agreeing(data[place : place + len(key) - at], key[at:])
            if before + after >= least:
                found.append((starts[place - before], ends[place + after - 1]))
                place += after - 1
    return _joined(found)


def _shortest(secrets: Iterable[str]) -> list[bytes]:
    """The secrets in the form in which they are compared; of two of which one ends with the other, the shorter."""
    forms = sorted({plain(secret) for secret in secrets}, key=len)
    return [form for at, form in enumerate(forms) if len(form) >= _WORD and not any(map(form.endswith, forms[:at]))]


def _least(key: bytes) -> int:
    return max(_WORD, min(_LONGEST_HARMLESS + 1, 2 * len(key) // 3))


def _words(key: bytes) -> range:
    """Where words of a key begin such that every part which is long enough has one in it."""
    return range(0, len(key) - _WORD + 1, _least(key) - _WORD + 1)


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined
