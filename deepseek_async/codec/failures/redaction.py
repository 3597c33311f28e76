"""Takes out of an error what a server quoted of the request: keys, and prompts.

Validation errors of some servers quote the input they refuse, gateways echo headers, and a wrong address may answer
with all it was sent. Errors are logged, pickled and sent to trackers; so they keep the server's words and lose ours.

The search is linear in the error's text and in the prompts, and most of it is done in C: 2 to 10 ms for each MB
of prompt. It is not made where no text of a server's is.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from ...errors import APIConnectionError, APITimeoutError, DeepSeekError
from ...types.secrecy import REDACTED, without

# What a text shares with a prompt is a quote if it is this long; shorter runs are words that everybody uses.
_WINDOW = 16
_STEP = 8
_SHORTEST_PROMPT = 8
# So much at a time: between two slices another thread may run.
_SLICE = 2**18
_TEXTS = ("message", "body", "code", "type", "param")
# What stands in a message besides what somebody wrote for the model.
_NOT_WRITTEN: Final = frozenset(("role", "type", "tool_call_id", "id", "index", "detail", "format"))


def redact(error: DeepSeekError, *, secrets: Sequence[str], prompts: Callable[[], Sequence[str]]) -> None:
    """Take keys and quotes of prompts out of an error, of its causes, and of the headers that it carries.

    A whole prompt of 8 characters or more is found, unless it is one plain word, and of longer ones every quote of 23
    bytes of UTF-8 or more, white space not counted; as they are, on one line, and as JSON or Python writes them. What
    the answer itself says (``partial``) stays. What an error was raised from or beside is dropped if it is not an
    error of ours: it may hold what was being read.

    Args:
        error: Is changed in place.
        secrets: Texts that let their bearer in.
        prompts: Tells the texts of the request's; not called if there is nothing to look in.
    """
    seen: set[int] = set()
    quotes = _Quotes(prompts)
    current: BaseException | None = error
    while isinstance(current, DeepSeekError) and id(current) not in seen:
        seen.add(id(current))
        _redact_one(current, secrets, quotes if has_words_of_others(current) else None)
        if current.__suppress_context__:
            current.__context__ = None
        current = current.__cause__


def has_words_of_others(error: DeepSeekError) -> bool:
    """Whether what an error says may be a server's or a proxy's words; if not, there is no prompt in it."""
    while (cause := getattr(error, "cause", None)) is not None:  # the message of an interruption tells its cause's
        error = cause
    if isinstance(error, APIConnectionError):
        return error.reason in ("protocol", "proxy")
    return not isinstance(error, APITimeoutError)


def _redact_one(error: DeepSeekError, secrets: Sequence[str], quotes: _Quotes | None) -> None:
    def clean(text: str) -> str:
        text = without(secrets, text)
        return text if quotes is None else quotes.taken_out_of(text)

    for name in _TEXTS:
        text = getattr(error, name, None)
        if isinstance(text, str) and text:
            setattr(error, name, clean(text))
    error.args = (error.message, *error.args[1:])
    if headers := getattr(error, "headers", None):
        error.headers = {name: clean(value) for name, value in headers.items()}  # type: ignore[attr-defined]


def prompts_in(body: bytes) -> list[str]:
    """The texts of a request's body that a person or a program wrote for the model."""
    try:
        parsed = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        try:
            parsed = json.loads(body)  # it takes NaN and half a surrogate, as a line of a batch may have them
        except (ValueError, RecursionError):
            return []
    if not isinstance(parsed, dict):
        return []
    messages = parsed.get("messages")
    written = [parsed.get("prompt"), parsed.get("suffix"), messages if isinstance(messages, list) else None]
    return list(_strings_in(written))


def _strings_in(value: Any) -> Iterator[str]:
    left = [value]
    while left:  # no recursion: the depth is the caller's
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            left += value
        elif isinstance(value, dict):
            is_function = "arguments" in value  # its name is the program's, and tells what the server refuses
            left += [v for k, v in value.items() if k not in _NOT_WRITTEN and not (is_function and k == "name")]


class _Quotes:
    """What to look for; made when there is first something to look in.

    Texts and prompts are compared without what changes when a text is quoted: white space, backslashes and quotation
    marks. So one form of a prompt stands for all in which it may be written.
    """

    def __init__(self, prompts: Callable[[], Sequence[str]]) -> None:
        self._read = prompts
        self._written: bytes | None = None
        self._short: list[str] = []

    def taken_out_of(self, text: str) -> str:
        if len(text) < _SHORTEST_PROMPT:
            return text
        if self._written is None:
            prompts = self._read()
            self._short = sorted({form for p in prompts for form in _short_forms(p)}, key=len, reverse=True)
            self._written = _squeezed("\n\x00\n".join(prompts))
        if len(text) >= _WINDOW:
            text = _cut_out(_quoted(text, self._written), text)
        return without(self._short, text)


def _short_forms(prompt: str) -> set[str]:
    if len(prompt) >= 2 * _WINDOW or _PLAIN_WORD.fullmatch(prompt):
        return set()
    forms = {prompt, " ".join(prompt.split()), msgspec.json.encode(_whole(prompt)).decode()[1:-1]}
    return {form for form in forms if len(form) >= _SHORTEST_PROMPT}


# "function", "image_url": as a prompt it gives nothing away, and in an error it says what is wrong.
_PLAIN_WORD = re.compile(r"[A-Za-z]+(?:[_-][A-Za-z]+)*")


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


_ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
_BLANK_ESCAPES = re.compile(rb"\\[nrt]")
_TOKEN = re.compile(r"""((?:\\u[0-9a-fA-F]{4})+)|([^ \t\n\r\v\f\\"']+)|\\[nrt]|.""", re.S)


def _unescaped(escapes: str) -> str:
    return bytes.fromhex(escapes.replace("\\u", "")).decode("utf-16-be", "replace")


def _squeezed(text: str) -> bytes:
    """A text's bytes without what quoting changes."""
    is_escaped = "\\" in text
    if is_escaped:
        text = _ESCAPES.sub(lambda found: _unescaped(found[0]), text)
    data = text.encode("utf-8", "replace")
    if is_escaped:
        data = _BLANK_ESCAPES.sub(b"", data)
    return data.translate(None, b" \t\n\r\v\f\\\"'")


def _squeezed_with_places(text: str) -> tuple[bytes, list[int]]:
    """The same, and for each byte the place in the text of the character that it is of."""
    data = bytearray()
    places: list[int] = []
    for token in _TOKEN.finditer(text):
        start = token.start()
        if (word := token[2]) is not None:
            encoded = word.encode("utf-8", "replace")
            data += encoded
            if len(encoded) == len(word):
                places.extend(range(start, token.end()))
            else:
                for place, character in enumerate(word, start):
                    places += [place] * len(character.encode("utf-8", "replace"))
        elif token[1] is not None:
            encoded = _unescaped(token[1]).encode()
            data += encoded
            places += [start + at * len(token[1]) // len(encoded) for at in range(len(encoded))]
    return bytes(data), places


def _quoted(text: str, written: bytes) -> bytearray:
    """For each character of a text, whether it is part of a quote.

    A quote of 23 bytes has in it a window of 16 that stands in the prompts at a multiple of 8.
    """
    is_quoted = bytearray(len(text))
    data = _squeezed(text)
    shared = {written[at : at + _WINDOW]: at for at in _meetings(written, data)}
    if not shared:
        return is_quoted
    data, places = _squeezed_with_places(text)
    for start in range(len(data) - _WINDOW + 1):
        at = shared.get(data[start : start + _WINDOW])
        if at is not None:
            before = _agreeing(data[max(0, start - _STEP) : start][::-1], written[max(0, at - _STEP) : at][::-1])
            end, after = start + _WINDOW, at + _WINDOW
            end += _agreeing(data[end : end + _STEP], written[after : after + _STEP])
            first, last = places[start - before], places[end - 1]
            is_quoted[first : last + 1] = b"\1" * (last + 1 - first)
    return is_quoted


def _agreeing(one: bytes, other: bytes) -> int:
    """How many bytes the two have in common at their beginnings."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _meetings(written: bytes, data: bytes) -> Iterator[int]:
    """Where in the prompts, at multiples of 8, two words of 8 bytes stand that stand in the data, too."""
    words: set[int] = set()
    for offset in range(_STEP):
        words.update(_words_of(data[offset:]))
    for first in range(0, len(written), _SLICE):
        there = _words_of(written[first : first + _SLICE + _STEP])
        if words.isdisjoint(there[::2]):  # 23 bytes hold a word at a multiple of 16
            continue
        is_shared = bytes(map(words.__contains__, there))
        at = is_shared.find(b"\1\1")
        while at >= 0:
            yield first + at * _STEP
            at = is_shared.find(b"\1\1", at + 1)


def _words_of(data: bytes) -> array[int]:
    words = array("Q")
    words.frombytes(data[: len(data) // _STEP * _STEP])
    return words


def _cut_out(is_quoted: bytearray, text: str) -> str:
    parts: list[str] = []
    written = 0
    while (first := is_quoted.find(1, written)) >= 0:
        end = is_quoted.find(0, first)
        end = len(text) if end < 0 else end
        parts += (text[written:first], REDACTED)
        written = end
    return "".join(parts) + text[written:]
