"""Takes out of an error what a server quoted of the request: keys, and prompts.

Validation errors of some servers quote the input they refuse, gateways echo headers, and a wrong address may answer
with all it was sent. Errors are logged, pickled and sent to trackers; so they keep the server's words and lose ours.

The search is linear in the error's text and in the prompts, and most of it is done in C: 10 to 60 ms for each MB
of prompt. It is not made where no text of a server's is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from ...errors import APIConnectionError, APITimeoutError, DeepSeekError
from ...types.secrecy import without
from .quotes import Quotes

_TEXTS = ("message", "body", "code", "type", "param")
# What stands in a message besides what somebody wrote for the model.
_NOT_WRITTEN: Final = frozenset(("role", "type", "tool_call_id", "id", "index", "detail", "format"))


def redact(error: DeepSeekError, *, secrets: Sequence[str], prompts: Callable[[], Sequence[str]]) -> None:
    """Take keys and quotes of prompts out of an error, of its causes, and of the headers that it carries.

    What is found of them, in whatever letters and escapes a server writes it, is told in `quotes` and, of keys, in
    `types.secrecy.parts`. What the answer itself says (``partial``) stays. What an error was raised from or beside is
    dropped if it is not an error of ours: it may hold what was being read.

    Args:
        error: Is changed in place.
        secrets: Texts that let their bearer in.
        prompts: Tells the texts of the request's; not called if there is nothing to look in.
    """
    seen: set[int] = set()
    quotes = Quotes(prompts)
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


def _redact_one(error: DeepSeekError, secrets: Sequence[str], quotes: Quotes | None) -> None:
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
