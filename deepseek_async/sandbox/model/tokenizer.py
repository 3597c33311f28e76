"""Text to token ids and back, without loss.

Ids 0 to 255 are the bytes; an ASCII byte is also the token of its character. Then come the special tokens, which stand
for no text, then the word pieces, most of them with the space before the word inside (`` the``), as byte-pair
vocabularies have them. Whatever no piece covers is spelled in bytes, so one character outside ASCII takes two to four
tokens: that is what a client has to put together again.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BYTES: Final = 256
EOS: Final = 256
BOS: Final = 257
USER: Final = 258
ASSISTANT: Final = 259
SYSTEM: Final = 260
TOOL: Final = 261
THINK: Final = 262
END_THINK: Final = 263
RARE: Final = 264  # never written: the context "after a word that the training text does not know"
FIRST_PIECE: Final = 272

# The names that DeepSeek's published tokenizers use (with their full-width bars), where they have one.
_SPECIAL_TEXT: Final = {
    EOS: "<｜end▁of▁sentence｜>",
    BOS: "<｜begin▁of▁sentence｜>",
    USER: "<｜User｜>",
    ASSISTANT: "<｜Assistant｜>",
    SYSTEM: "<｜System｜>",
    TOOL: "<｜Tool｜>",
    THINK: "<think>",
    END_THINK: "</think>",
    RARE: "<｜rare｜>",
}

# A word, a number of up to three digits or a run of punctuation, each with the space before it; line ends; other white
# space (the last blank before a word belongs to the word); a run outside ASCII; and, so that nothing is left, anything.
_WORDS = re.compile(
    r" ?[A-Za-z]+| ?[0-9]{1,3}| ?[!-/:-@\[-`{-~]+|\n+|[^\S\n]+(?!\S)|\s|[^\x00-\x7f\s]+|.",
    re.DOTALL,
)
MAX_PIECE: Final = 20  # characters
_MIN_WORD_COUNT = 4
_MAX_FRAGMENTS = 700
_FRAGMENT_SIZES = range(2, 6)
_REMEMBERED_WORDS = 8192


class Tokenizer:
    """A fixed inventory of word pieces over byte tokens.

    Args:
        pieces: The word pieces, all ASCII, each of two or more characters; the n-th has the id ``FIRST_PIECE + n``.
    """

    __slots__ = ("_bytes", "_ids", "_longest", "_split_words", "pieces")

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = tuple(pieces)
        self._ids = {piece: FIRST_PIECE + n for n, piece in enumerate(self.pieces)}
        self._longest = max(map(len, self.pieces), default=1)
        self._bytes: list[bytes | None] = [bytes((value,)) for value in range(BYTES)]
        self._bytes += [None] * (FIRST_PIECE - BYTES)
        self._bytes += [piece.encode("ascii") for piece in self.pieces]
        self._split_words: dict[str, tuple[int, ...]] = {}

    def __len__(self) -> int:
        return len(self._bytes)

    @property
    def eos(self) -> int:
        """The id of the token that ends an answer."""
        return EOS

    def encode(self, text: str) -> list[int]:
        """Split text into token ids. ``decode(encode(text)) == text`` for every text that UTF-8 can carry.

        The names of special tokens are ordinary text here: a prompt cannot write one.

        Raises:
            UnicodeEncodeError: The text holds a lone surrogate.
        """
        known = self._ids
        tokens: list[int] = []
        for word in _WORDS.findall(text):
            token = known.get(word)
            if token is None:
                tokens += self._split_words.get(word) or self._split(word)
            else:
                tokens.append(token)
        return tokens

    def count(self, text: str) -> int:
        """How many tokens the text is."""
        return len(self.encode(text))

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens; special tokens have none, bytes that are not UTF-8 become U+FFFD."""
        return self.decode_bytes(tokens).decode("utf-8", "replace")

    def decode_bytes(self, tokens: Iterable[int]) -> bytes:
        """The bytes of tokens; special tokens have none."""
        return b"".join([self._bytes[token] or b"" for token in tokens])

    def token_bytes(self, token: int) -> bytes | None:
        """The UTF-8 bytes of one token; None for a special token, which stands for no text."""
        return self._bytes[token]

    def token_text(self, token: int) -> str:
        r"""One token as ``logprobs`` shows it.

        A byte that is no whole character is written as OpenAI's API writes it: ``bytes:\xe4``, with a real backslash.
        A special token shows its name.
        """
        data = self._bytes[token]
        if data is None:
            return _SPECIAL_TEXT.get(token, f"<｜reserved{token - BYTES}｜>")
        return data.decode("ascii") if data.isascii() else f"bytes:\\x{data[0]:02x}"

    def _split(self, word: str) -> tuple[int, ...]:
        """Cover a word from the left, each time with the longest piece that fits, else with bytes."""
        known = self._ids
        tokens: list[int] = []
        start = 0
        while start < len(word):
            for end in range(min(len(word), start + self._longest), start + 1, -1):
                token = known.get(word[start:end])
                if token is not None:
                    tokens.append(token)
                    start = end
                    break
            else:
                tokens += word[start].encode("utf-8")
                start += 1
        split = tuple(tokens)
        if len(word) <= self._longest:  # a long one is data, not a word that comes again
            if len(self._split_words) >= _REMEMBERED_WORDS:
                self._split_words.clear()
            self._split_words[word] = split
        return split


def learn_pieces(documents: Iterable[str]) -> list[str]:
    """Choose the inventory: every word that occurs often enough, and the fragments that rare words share.

    Args:
        documents: ASCII text.

    Returns:
        The pieces, most frequent first; ties in alphabetical order, so that the ids depend on the text alone.
    """
    words: Counter[str] = Counter()
    for document in documents:
        words.update(_WORDS.findall(document))
    fragments: Counter[str] = Counter()
    for word, count in words.items():
        if count < _MIN_WORD_COUNT and word[-1].isalpha():
            for size in _FRAGMENT_SIZES:
                for start in range(len(word) - size + 1):
                    fragments[word[start : start + size]] += count
    chosen = {word: count for word, count in words.items() if count >= _MIN_WORD_COUNT and 1 < len(word) <= MAX_PIECE}
    for blank in ("\n\n", "  ", "    ", "        "):  # code and lists, which prompts have and prose has not
        chosen.setdefault(blank, 1)
    shared = sorted(fragments, key=lambda fragment: (-fragments[fragment] * len(fragment), fragment))
    for fragment in shared[:_MAX_FRAGMENTS]:
        chosen.setdefault(fragment, fragments[fragment])
    return sorted(chosen, key=lambda piece: (-chosen[piece], piece))
