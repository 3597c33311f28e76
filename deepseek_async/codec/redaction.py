"""Takes out of an error what a server quoted of the request: keys, and prompts.

Validation errors of some servers quote the input they refuse, gateways echo headers, and a wrong address may answer
with all it was sent. Errors are logged, pickled and sent to trackers; so they keep the server's words and lose ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from ..errors import DeepSeekError

REDACTED: Final = "[redacted]"

# A run that a text shares with a prompt is a quote if it is this long: shorter ones are words that everybody uses.
_WINDOW = 16
_STEP = 8
_SHORTEST_PROMPT = 8
_SHORTEST_SECRET = 8
_TEXTS = ("message", "body", "code", "type", "param")


def redact(error: DeepSeekError, *, secrets: Sequence[str], prompts: Sequence[str]) -> None:
    """Take keys and quotes of prompts out of an error, of its causes, and of the headers that it carries.

    A whole prompt of 8 characters or more is found, and of longer ones every quote of 23 characters or more; as they
    are, on one line, and as JSON writes them. What the answer itself says (``partial``) stays.

    Args:
        error: Is changed in place.
        secrets: Texts that let their bearer in. One shorter than 8 characters is a stand-in for a key, and stays.
        prompts: Texts of the request's.
    """
    seen: set[int] = set()
    quotes = _Quotes(prompts)
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, DeepSeekError):
            _redact_one(current, secrets, quotes)
        current = current.__cause__


def _redact_one(error: DeepSeekError, secrets: Sequence[str], quotes: _Quotes) -> None:
    for name in _TEXTS:
        text = getattr(error, name, None)
        if isinstance(text, str) and text:
            setattr(error, name, quotes.taken_out_of(without(secrets, text)))
    error.args = (error.message, *error.args[1:])
    headers = getattr(error, "headers", None)
    if headers:
        error.headers = {name: without(secrets, value) for name, value in headers.items()}  # type: ignore[attr-defined]


def without(secrets: Iterable[str], text: str) -> str:
    """The text without any of the secrets in it."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, REDACTED)
    return text


def prompts_in(body: bytes) -> list[str]:
    """The texts of a request's body that a person or a program wrote for the model."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return []
    if not isinstance(parsed, dict):
        return []
    texts = list(_strings_in([parsed.get("prompt"), parsed.get("suffix")]))
    messages = parsed.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict):
            said = [value for name, value in message.items() if name not in ("role", "type", "tool_call_id")]
            texts.extend(_strings_in(said))
    return texts


def _strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings_in(item)


class _Quotes:
    """What to look for, in the forms in which it may be quoted; made when there is first something to look in."""

    def __init__(self, prompts: Sequence[str]) -> None:
        self._prompts = prompts
        self._forms: list[str] | None = None

    def taken_out_of(self, text: str) -> str:
        if self._forms is None:
            self._forms = sorted(
                {form for prompt in self._prompts for form in _forms_of(prompt)}, key=len, reverse=True
            )
        text = _cut_out(_quoted(text, self._forms), text)
        return without((form for form in self._forms if _SHORTEST_PROMPT <= len(form) < _WINDOW), text)


def _forms_of(prompt: str) -> set[str]:
    """As it is, on one line as our messages show it, and as JSON writes it."""
    return {prompt, " ".join(prompt.split()), json.dumps(prompt)[1:-1], json.dumps(prompt, ensure_ascii=False)[1:-1]}


def _quoted(text: str, prompts: Sequence[str]) -> bytearray:
    """For each character of a text, whether it is part of a quote."""
    # The text is the shorter one by far: its windows are kept, and the prompts passed over once.
    windows = {text[place : place + _WINDOW] for place in range(len(text) - _WINDOW + 1)}
    is_quoted = bytearray(len(text))
    for prompt in prompts:
        for start in range(0, len(prompt) - _WINDOW + 1, _STEP):
            window = prompt[start : start + _WINDOW]
            if window not in windows:
                continue
            windows.remove(window)
            place = text.find(window)
            while place >= 0:
                end = place + _WINDOW
                if is_quoted.find(0, place, end) >= 0:
                    first, end = _extent(text, place, prompt, start)
                    is_quoted[first:end] = b"\1" * (end - first)
                place = text.find(window, end)
    return is_quoted


def _extent(text: str, place: int, prompt: str, start: int) -> tuple[int, int]:
    """How far the text and the prompt agree around a window that they share."""
    end, after = place + _WINDOW, start + _WINDOW
    while end < len(text) and after < len(prompt) and text[end] == prompt[after]:
        end, after = end + 1, after + 1
    while place > 0 and start > 0 and text[place - 1] == prompt[start - 1]:
        place, start = place - 1, start - 1
    return place, end


def _cut_out(is_quoted: bytearray, text: str) -> str:
    parts: list[str] = []
    written = 0
    while (first := is_quoted.find(1, written)) >= 0:
        end = is_quoted.find(0, first)
        end = len(text) if end < 0 else end
        parts += (text[written:first], REDACTED)
        written = end
    return "".join(parts) + text[written:]
