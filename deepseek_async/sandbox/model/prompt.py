"""A `Prompt` knows what an answer may copy from it, and how likely the answer is to do so.

Counts of docstrings know nothing of the question. So a part of the probability goes to the prompt's own words: to words
to begin with, to what followed the last words there, and, where the prompt asks to repeat something, to exactly that.
This is also the only way that characters outside ASCII get into an answer; inside such a character only bytes that
continue it are possible, so every answer is valid UTF-8.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from .tokenizer import BOS, BYTES, FIRST_OPEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .tokenizer import Tokenizer

_MAX_TOKENS: Final = 2000  # at the prompt's end, that are looked at
_MAX_WORDS: Final = 12
_COMMON_RANKS: Final = 160  # tokens more common than this are not worth copying on their own
_SHORT: Final = 3  # characters
_NAME: Final = 2.0  # weight of a name against another word
_CLOSING: Final = " \n.!?。！？"
_SPACE: Final = 0x20
_FIRST_WITHOUT_SPELLING: Final = (
    0xE2  # lead byte from which on scripts (and emoji) put no letters together, Hangul aside
)

# How sure it is that the answer goes on as the prompt did.
_AFTER_ONE: Final = 0.3
_AFTER_TWO: Final = 0.75
_INSIDE_RUN: Final = 0.85  # of characters that stand for words: where one of those ends, nobody can tell
_INSIDE_WORD: Final = 0.95
_STRAY_BYTES: Final = 0.02  # share of the bytes that could continue a character, beside those that do in the prompt

_WORD: Final = re.compile(r"\w+(?:['’-]\w+)*|[^\x00-\x7f\s]+")
_EMPTY_WORDS: Final = frozenset(  # long enough to look like words of meaning, and common in questions
    _WORD.findall(
        "about above again also answer been below between both could does doing down during each from have having here"
        " itself just like make many more most much must need only other over please question same should show some"
        " such tell than that their them then there these they this those through today under until very want were what"
        " when where which while whom will with would write you your give hello json"
    )
)
# "Repeat after me: …", "say exactly '…'"; "Translate …" is no such request. What follows a colon is repeated to its
# last mark; what only follows the verb, without the mark that ends the sentence.
_RECITE: Final = re.compile(
    r"\b(?:repeat|say|echo|recite|reply with|answer with|respond with)\b"
    r"(?:\s+(?:back|after me|exactly|only|just|this|verbatim|(?:the )?(?:words?|phrase|sentence|text|following)))*"
    r"(?:\s*[:：]\s*(?:[\"“‘«「`](?P<quoted>\S.*?)[\"”’»」`][.!?。！？]?|(?P<literal>\S.*?))"
    r"|\s+[\"'“‘«「`]?(?P<target>\S.*?)[\"'”’»」`]?[.!?。！？]?)\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_MAX_RECITED: Final = 20_000  # tokens

Follow = tuple[float, dict[int, float]]  # how sure, and the shares of what follows


class Prompt:
    """What can be copied from one prompt.

    Args:
        tokenizer: The model's.
        tokens: The prompt; of a long one the end counts.
        ranks: The place of each token by how common it is, 0 the most common.

    Attributes:
        words: The words that the prompt seems to be about, the rarest first.
        first: Tokens to begin a text with and their shares, which sum to one; empty if there are none.
        later: Tokens to go on with after a word, likewise.
        recited: The tokens that it asks to repeat; empty if it asks for no such thing.
    """

    __slots__ = (
        "_after_one",
        "_after_two",
        "_characters",
        "_ranks",
        "_rare_ends",
        "_tokenizer",
        "first",
        "later",
        "recited",
        "words",
    )

    def __init__(self, tokenizer: Tokenizer, tokens: Sequence[int], ranks: dict[int, int]) -> None:
        text = tokenizer.decode(tokens[-_MAX_TOKENS:]).lstrip("\ufffd")
        self._tokenizer = tokenizer
        self._ranks = ranks
        self.recited: tuple[int, ...] = _recited(tokenizer, tokenizer.decode(tokens[-2 * _MAX_RECITED :]))
        chosen = self._worth_copying(text)
        self.words: list[str] = list(chosen)
        self.first: dict[int, float] = _shares((tokenizer.encode(word)[0], weight) for word, weight in chosen.items())
        self.later: dict[int, float] = _shares(
            (tokenizer.encode(" " + word)[0], weight) for word, weight in chosen.items()
        )
        # A word is split differently with and without the space before it: the answer may have it either way.
        forms = [tokenizer.encode(form) for word in chosen for form in (word, " " + word)]
        self._rare_ends = frozenset((form[-2], form[-1]) for form in forms if len(form) > 1 and form[-2] != _SPACE)
        self._index(
            [tokenizer.encode(text.rstrip(_CLOSING)), *forms, *((BOS, *tokenizer.encode(word)) for word in chosen)]
        )
        self._characters = _successions(_beginnings(text))

    def following(self, before: int, unit: tuple[int, ...]) -> Follow | None:
        """What followed the last tokens in the prompt.

        Args:
            before: The token before the last unit.
            unit: The last token, or all bytes of the last character.

        Returns:
            How sure the match is, 0 to 1, and the shares of what followed; None without a match.
        """
        return self._after_two.get((before, *unit)) or self._after_one.get(unit)

    def is_end_of_rare_word(self, before: int, unit: tuple[int, ...]) -> bool:
        """Whether the last tokens end a word of the prompt's that the model knows only in pieces, or no word at all."""
        return len(unit) > 1 or unit[0] >= FIRST_OPEN or (before, unit[0]) in self._rare_ends

    def is_inside_word(self, before: int, unit: tuple[int, ...]) -> bool:
        """Whether the last tokens are a part of a word that goes on in the prompt."""
        following = self.following(before, unit)
        return following is not None and following[0] >= _INSIDE_RUN

    def is_end_of_name(self, before: int, unit: tuple[int, ...]) -> bool:
        """Whether only words that carry no meaning followed in the prompt, or nothing did."""
        following = self.following(before, unit)
        return following is None or all(self._ranks.get(token, _COMMON_RANKS) < _COMMON_RANKS for token in following[1])

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

    def _index(self, sequences: Sequence[Sequence[int]]) -> None:
        one: list[tuple[tuple[int, ...], int]] = []
        two: list[tuple[tuple[int, ...], int]] = []
        for sequence in sequences:
            units = split_units(sequence)
            one += [(here, following[0]) for here, following in pairwise(units)]
            two += [
                ((before[-1], *here), following[0])
                for before, here, following in zip(units, units[1:], units[2:], strict=False)
            ]
            two += [
                ((before[-1], *here[:size]), here[size])
                for before, here in pairwise(units)
                for size in range(1, len(here))
            ]
        self._after_one = {
            unit: (self._sureness(unit, shares, _AFTER_ONE), shares) for unit, shares in _successions(one).items()
        }
        self._after_two = {
            units: (self._sureness(units[1:], shares, _AFTER_TWO), shares)
            for units, shares in _successions(two).items()
        }

    def _sureness(self, unit: tuple[int, ...], shares: dict[int, float], otherwise: float) -> float:
        if missing_bytes(unit):
            return _INSIDE_WORD
        if unit[0] >= _FIRST_WITHOUT_SPELLING and len(unit) > 1:
            return _INSIDE_RUN if any(_FIRST_WITHOUT_SPELLING <= token < BYTES for token in shares) else otherwise
        if unit == (_SPACE,):
            goes_on = any(0xC0 <= token < BYTES or token >= FIRST_OPEN for token in shares)
        else:
            goes_on = self._is_letter(unit[0], -1) and any(self._is_letter(token, 0) for token in shares)
        return _INSIDE_WORD if goes_on else otherwise

    def _is_letter(self, token: int, place: int) -> bool:
        """Whether the first or last character of a token is a letter of a script that spells its words."""
        if 0x80 <= token < BYTES:
            return 0xC0 <= token < _FIRST_WITHOUT_SPELLING
        return self._tokenizer.token_text(token)[place].isalpha()

    def _worth_copying(self, text: str) -> dict[str, float]:
        """Words worth bringing up and their weights, the weightiest first, of equals the alphabetically first."""
        found: dict[str, float] = {}
        for match in _WORD.finditer(text):
            word = match[0]
            tokens = self._tokenizer.encode(" " + word)
            unknown = len(self._ranks)
            rank = self._ranks.get(tokens[0], unknown) if len(tokens) == 1 else unknown
            if rank < _COMMON_RANKS or word.lower() in _EMPTY_WORDS or (len(word) <= _SHORT and word.isascii()):
                continue
            weight = 1.0 + rank / unknown
            if not word.isascii() or (word[0].isupper() and match.start() > 0):  # a name, most likely
                weight *= _NAME
            found[word] = weight
        return dict(sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))[:_MAX_WORDS])


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
    tokens = tokenizer.encode(match["quoted"] or match["literal"] or match["target"])
    return tuple(tokens) if len(tokens) <= _MAX_RECITED else ()


def _beginnings(text: str) -> Iterator[tuple[tuple[int, ...], int]]:
    """For each character outside ASCII: its first bytes, and the byte after them."""
    for character in text:
        if not character.isascii():
            data = character.encode("utf-8")
            for size in range(1, len(data)):
                yield tuple(data[:size]), data[size]


def _successions(pairs: Iterable[tuple[tuple[int, ...], int]]) -> dict[tuple[int, ...], dict[int, float]]:
    """For each context the shares of what followed it."""
    counts: dict[tuple[int, ...], dict[int, float]] = {}
    for context, token in pairs:
        followers = counts.setdefault(context, {})
        followers[token] = followers.get(token, 0.0) + 1.0
    return {context: _shares(followers.items()) for context, followers in counts.items()}


def _shares(weights: Iterable[tuple[int, float]]) -> dict[int, float]:
    summed: dict[int, float] = {}
    for token, weight in weights:
        summed[token] = summed.get(token, 0.0) + weight
    total = math.fsum(summed.values())
    return {token: weight / total for token, weight in summed.items()}
