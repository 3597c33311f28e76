"""What an answer may copy from the prompt, and how eagerly.

Counts of docstrings know nothing of the question. So a part of the probability goes to the prompt's own words: to words
to begin with, to what followed the last words there, and, where the prompt asks to repeat something, to exactly that.
This is also the only way that characters outside ASCII get into an answer; inside such a character only bytes that
continue it are possible, so every answer is valid UTF-8.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from .tokenizer import BYTES, EOS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .tokenizer import Tokenizer

_MAX_TEXT = 2000  # tokens at the prompt's end that are looked at
_MAX_WORDS_TO_BEGIN = 12
_COMMON_RANKS = 160  # tokens more common than this are not worth copying on their own
_SPACE = 0x20
_INSIDE_WORD = 0.95  # how sure the rest of a copied word is
_STRAY_BYTES = 0.02  # share of the bytes that could continue a character, beside those that do in the prompt

_WORD = re.compile(r"\w+(?:['’-]\w+)*|[^\x00-\x7f\s]+")
# "Repeat after me: …", "say exactly '…'", "Translate …" is no such request.
_RECITE = re.compile(
    r"\b(?:repeat|say|echo|recite|reply with|answer with|respond with)\b"
    r"(?:\s+(?:back|after me|exactly|only|just|this|verbatim|(?:the )?(?:words?|phrase|sentence|text|following)))*"
    r"\s*:?\s*(?P<quote>[\"'“‘«「`]?)(?P<target>\S.*?)[\"'”’»」`]?[.!?。！？]?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_MAX_RECITED = 400  # tokens

Shares = tuple[float, dict[int, float]]


class Prompt:
    """What can be copied from one prompt.

    Args:
        tokenizer: The model's.
        tokens: The prompt; of a long one the end counts.
        common: Ranks of tokens by how common they are, 0 the most common.
    """

    __slots__ = ("_after_one", "_after_two", "_characters", "_first", "_later", "_tokenizer", "recited")

    def __init__(self, tokenizer: Tokenizer, tokens: Sequence[int], common: dict[int, int]) -> None:
        text = tokenizer.decode(tokens[-_MAX_TEXT:]).lstrip("\ufffd")
        self._tokenizer = tokenizer
        self._after_one: dict[tuple[int, ...], dict[int, float]] = {}
        self._after_two: dict[tuple[int, int], dict[int, float]] = {}
        self._characters: dict[tuple[int, ...], dict[int, float]] = {}
        self._first: dict[int, float] = {}
        self._later: dict[int, float] = {}
        self.recited = _recited(tokenizer, text)
        sequence = tokenizer.encode(text.rstrip(" \n.!?。！？"))
        self._index(sequence)
        self._index_characters(text)
        self._index_words(tokenizer, text, common)

    def first(self) -> dict[int, float]:
        """Tokens to begin an answer with, and their shares; they sum to one, or there are none."""
        return self._first

    def later(self) -> dict[int, float]:
        """Tokens to go on with after a word, as `first`."""
        return self._later

    def following(self, before: int, unit: tuple[int, ...]) -> Shares | None:
        """What followed the last tokens in the prompt.

        Args:
            before: The token before the last unit.
            unit: The last token, or all bytes of the last character.

        Returns:
            How sure the match is, 0 to 1, and the shares of what followed; None without a match.
        """
        if len(unit) == 1:
            shares = self._after_two.get((before, unit[0]))
            if shares is not None:
                return (_INSIDE_WORD if self._goes_on(unit[0], shares) else 0.75), shares
        shares = self._after_one.get(unit)
        if shares is None:
            return None
        if len(unit) > 1:
            return 0.6, shares
        return (_INSIDE_WORD if self._goes_on(unit[0], shares) else 0.3), shares

    def continuing(self, begun: tuple[int, ...]) -> dict[int, float]:
        """The bytes that can continue a character that has begun, with their shares."""
        possible = continuation_bytes(begun)
        known = self._characters.get(begun)
        if known is None:
            return dict.fromkeys(possible, 1.0 / len(possible))
        stray = _STRAY_BYTES / len(possible)
        shares = {byte: (1.0 - _STRAY_BYTES) * share + stray for byte, share in known.items()}
        for byte in possible:
            shares.setdefault(byte, stray)
        return shares

    def _goes_on(self, token: int, shares: dict[int, float]) -> bool:
        """Whether the token is not yet a whole word in the prompt, or is the space before a character."""
        if token == _SPACE:
            return any(0xC0 <= following < BYTES for following in shares)
        text = self._tokenizer.token_text
        return text(token)[-1].isalpha() and any(
            text(following)[0].isalpha() and following >= BYTES for following in shares
        )

    def _index(self, sequence: Sequence[int]) -> None:
        units = split_units(sequence)
        for here, following in pairwise(units):
            _count(self._after_one.setdefault(here, {}), following[0])
        for before, here, following in zip(units, units[1:], units[2:], strict=False):
            if len(here) == 1:
                _count(self._after_two.setdefault((before[-1], here[0]), {}), following[0])
        for shares in (*self._after_one.values(), *self._after_two.values()):
            _normalise(shares)

    def _index_characters(self, text: str) -> None:
        for character in text:
            data = tuple(character.encode("utf-8"))
            for size in range(1, len(data)):
                _count(self._characters.setdefault(data[:size], {}), data[size])
        for shares in self._characters.values():
            _normalise(shares)

    def _index_words(self, tokenizer: Tokenizer, text: str, common: dict[int, int]) -> None:
        """Choose words worth bringing up: the rarest, and of equals the last."""
        found: dict[str, float] = {}
        for match in _WORD.finditer(text):
            word = match[0]
            tokens = tokenizer.encode(" " + word)
            rank = common.get(tokens[0], len(common)) if len(tokens) == 1 else len(common)
            if rank >= _COMMON_RANKS and (len(word) > 3 or not word.isascii()):
                found[word] = (1.0 + rank / len(common)) * (1.0 if word.isascii() else 2.0)
        chosen = sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))[:_MAX_WORDS_TO_BEGIN]
        for word, weight in chosen:
            bare, spaced = tokenizer.encode(word), tokenizer.encode(" " + word)
            _count(self._first, bare[0], weight)
            _count(self._later, spaced[0], weight)
            for form in (bare, spaced):
                self._index(form)
        _normalise(self._first)
        _normalise(self._later)


def split_units(tokens: Sequence[int]) -> list[tuple[int, ...]]:
    """Group the bytes of each character outside ASCII; every other token stands alone."""
    units: list[tuple[int, ...]] = []
    for token in tokens:
        if 0x80 <= token < 0xC0 and units and units[-1][0] < BYTES:
            units[-1] += (token,)
        else:
            units.append((token,))
    return units


def missing_bytes(unit: tuple[int, ...]) -> int:
    """How many bytes the character still lacks that a unit begins."""
    lead = unit[0]
    if lead < 0xC0 or lead >= BYTES:
        return 0
    return (2 if lead < 0xE0 else 3 if lead < 0xF0 else 4) - len(unit)


def continuation_bytes(begun: tuple[int, ...]) -> range:
    """The bytes that may follow inside a character (Unicode, table 3-7, "Well-Formed UTF-8 Byte Sequences")."""
    if len(begun) == 1:
        return _SECOND_BYTES.get(begun[0], _CONTINUATION)
    return _CONTINUATION


_CONTINUATION: Final = range(0x80, 0xC0)
_SECOND_BYTES: Final = {
    0xE0: range(0xA0, 0xC0),
    0xED: range(0x80, 0xA0),
    0xF0: range(0x90, 0xC0),
    0xF4: range(0x80, 0x90),
}


def _recited(tokenizer: Tokenizer, text: str) -> tuple[int, ...]:
    match = _RECITE.search(text)
    if match is None:
        return ()
    tokens = tokenizer.encode(match["target"])
    return (*tokens, EOS) if len(tokens) <= _MAX_RECITED else ()


def _count(shares: dict[int, float], token: int, weight: float = 1.0) -> None:
    shares[token] = shares.get(token, 0.0) + weight


def _normalise(shares: dict[int, float]) -> None:
    total = sum(shares.values())
    for token in shares:
        shares[token] /= total
