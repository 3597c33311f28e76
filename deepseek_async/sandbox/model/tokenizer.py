"""Text to token ids and back, without loss.

Ids 0 to 255 are the bytes; an ASCII byte is also the token of its character. Then come the special tokens, which stand
for no text, then the words that the model knows, most of them with the space before them inside (`` the``), as
byte-pair vocabularies have them. Text that the model does not know is cut where such a vocabulary would cut it, and the
id of such an open token holds its bytes. So texts have about as many tokens as with DeepSeek's own vocabulary, without
its table. Emoji, rare characters and letters with accents are spelled in bytes: one takes two to four tokens, which is
what a client has to put together again.

Measured with DeepSeek's own V4 vocabulary: tokens for English 0.20 to 0.24 a character, code 0.24 to 0.28, JSON 0.29 to
0.38, Chinese 0.55; this tokenizer counts within 15 % of each (`tests/sandbox/model/test_token_counts.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
FIRST_OPEN: Final = 1 << 16  # open tokens: a one, then the bytes; two bytes at least

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

_PUNCTUATION: Final = r"!-/:-@\[-`{-~"
_HAN: Final = "\u4e00-\u9fff"
_KANA: Final = "\u3041-\u309f\u30a1-\u30ff"
_HANGUL: Final = "\uac00-\ud7a3"
_LATIN: Final = "\u00aa-\u024f"  # letters with accents, among others

# Each alternative is one word, and most are one token: a word with the space before it; up to three digits; a line of
# the same mark; one or two marks with the line ends after them; line ends; white space (the last blank before a word or
# mark belongs to it); two characters of Chinese or of a Japanese syllabary or of Korean; a word of another script.
_WORDS: Final = re.compile(
    rf" ?[A-Za-z]+|[0-9]{{1,3}}|={{4,64}}|-{{4,64}}|\*{{4,64}}|\#{{4,64}}|_{{4,64}}|\.{{4,64}}|~{{4,64}}"
    rf"| ?[{_PUNCTUATION}]{{1,2}}\n{{0,8}}|[{_HAN}]{{1,2}}|[{_KANA}]{{1,2}}|[{_HANGUL}]{{1,2}}"
    rf"| ?[^\W\d_{_LATIN}{_HAN}{_KANA}{_HANGUL}]{{1,4}}"
    r"|\n{1,8}|[^\S\n]{1,64}(?=[ ][!-/:-~])|[^\S\n]{1,64}|.",
    re.DOTALL,
)
_HUMPS: Final = re.compile(r" ?[A-Z]?[a-z]+| ?[A-Z]+(?![a-z])| ?[A-Z]")
_LONGEST_WHOLE: Final = 9  # letters; a longer word that the model does not know is cut into parts
_PART: Final = 5  # letters
# The first levels of the national standards: the most common characters, by the first byte of their codes.
_COMMON_HAN: Final = (("gb2312", range(0xB0, 0xD8)), ("euc_jp", range(0xB0, 0xD0)), ("big5", range(0xA4, 0xC7)))
_COMMON_SIGNS: Final = frozenset("，。、；：？！（）《》“”‘’…—·「」『』–•€£°×→")  # marks that are one token each
_MIN_WORD_COUNT: Final = 2
_REMEMBERED_WORDS: Final = 8192
MAX_PIECE: Final = 20  # characters


class Tokenizer:
    """The words that the model knows, over open tokens and bytes.

    Args:
        pieces: The words, all ASCII, each of two or more characters; the n-th has the id ``FIRST_PIECE + n``.
    """

    __slots__ = ("_bytes", "_ids", "_split_words", "pieces")

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces: tuple[str, ...] = tuple(pieces)
        self._ids = {piece: FIRST_PIECE + n for n, piece in enumerate(self.pieces)}
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
        return b"".join([self.token_bytes(token) or b"" for token in tokens])

    def token_bytes(self, token: int) -> bytes | None:
        """The UTF-8 bytes of one token; None for a special token, which stands for no text."""
        if token >= FIRST_OPEN:
            return token.to_bytes((token.bit_length() + 7) // 8, "big")[1:]
        return self._bytes[token]

    def token_text(self, token: int) -> str:
        r"""One token as ``logprobs`` shows it.

        A byte that is no whole character is written as OpenAI's API writes it: ``bytes:\xe4``, with a real backslash.
        A special token shows its name.
        """
        data = self.token_bytes(token)
        if data is None:
            return _SPECIAL_TEXT.get(token, f"<｜reserved{token - BYTES}｜>")
        return data.decode("utf-8") if token >= BYTES or data.isascii() else f"bytes:\\x{data[0]:02x}"

    def _split(self, word: str) -> tuple[int, ...]:
        tokens: list[int] = []
        for part in _parts(word):
            token = self._ids.get(part)
            if token is not None:
                tokens.append(token)
            elif _is_token(part):
                tokens.append(_open_token(part.encode("utf-8")))
            else:
                tokens += part.encode("utf-8")
        split = tuple(tokens)
        if len(self._split_words) >= _REMEMBERED_WORDS:
            self._split_words.clear()
        self._split_words[word] = split
        return split


def _open_token(data: bytes) -> int:
    return data[0] if len(data) == 1 else int.from_bytes(b"\1" + data, "big")


def _parts(word: str) -> Iterator[str]:
    """What becomes a token or is spelled in bytes: the words of ``camelCase``, and the parts of long ones."""
    first = word.lstrip(" ")[:1]
    if not word.isascii():
        if len(word) > 1 and not _is_token(word):
            yield from word  # a pair of which one has no token
        else:
            yield word
    elif first.isalpha():
        for hump in _HUMPS.findall(word):
            letters = len(hump.lstrip(" "))
            if letters <= _LONGEST_WHOLE:
                yield hump
            else:
                blank = len(hump) - letters
                yield hump[: _PART + blank]
                yield from (hump[start : start + _PART] for start in range(_PART + blank, len(hump), _PART))
    else:
        yield word


def _is_token(part: str) -> bool:
    """Whether the vocabulary is taken to have the part as one token."""
    return all(
        character.isascii() or character in _COMMON_SIGNS or (character.isalpha() and _is_common(character))
        for character in part
    )


def _is_common(character: str) -> bool:
    """Whether a letter outside ASCII belongs to a script with words of its own, and is no rare one."""
    if "\u4e00" <= character <= "\u9fff":
        codes = ((character.encode(standard, "replace")[0], common) for standard, common in _COMMON_HAN)
        return any(lead in common for lead, common in codes)
    return "\u0370" <= character <= "\ud7a3" and not "\u3400" <= character < "\u4e00"


def learn_pieces(documents: Iterable[str]) -> list[str]:
    """Choose the words that the model knows: those that occur more than once.

    Args:
        documents: ASCII text.

    Returns:
        The pieces, most frequent first; ties in alphabetical order, so that the ids depend on the text alone.
    """
    words: Counter[str] = Counter()
    for document in documents:
        words.update(_WORDS.findall(document))
    chosen = {word: count for word, count in words.items() if count >= _MIN_WORD_COUNT and 1 < len(word) <= MAX_PIECE}
    return sorted(chosen, key=lambda piece: (-chosen[piece], piece))
