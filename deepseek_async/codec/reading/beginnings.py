"""Half a JSON text of an answer: what of it is true.

The beginning of a text is true, and so is what holds one. Half an id, a usage without its end, a token whose
alternatives are still to come would be untrue: they are left out. What is left is closed and read in C: an answer with
log probabilities is megabytes, and many break off at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from .quirks.messages import REASONING_NAMES
from .shapes.lessons import ENVELOPES, without_envelope

_ITEM = r"/\*"
_TEXTS = f"(?:{'|'.join(('content', 'reasoning_content', *REASONING_NAMES))})(?:{_ITEM}(?:/(?:text|thinking))?)?"
_CALLS = f"tool_calls(?:{_ITEM}(?:/function(?:/arguments)?)?)?"
_MESSAGE = f"(?:message|delta)(?:/(?:{_TEXTS}|{_CALLS}))?"
_TOKENS = "logprobs(?:/(?:content|reasoning_content))?"
_CHOICES = f"choices(?:{_ITEM}(?:/(?:text|{_MESSAGE}|{_TOKENS}))?)?"
_SHOWN = re.compile(f"(?:{'|'.join(ENVELOPES)})(?:/{_CHOICES})?|{_CHOICES}")

_STRING = r'"(?:[^"\\]++|\\.)*+"'
# Up to the next bracket, to a text that has no end, or to the end.
_NEXT = re.compile(rf'(?:[^"{{}}\[\]]++|{_STRING})*+([{{}}\[\]"]?)', re.S)
_LAST_COMMA = re.compile(rf"(?:[^,\"]++|{_STRING}|,)*,", re.S)
# Where a member or an item begins whose value stands at the end.
_BEFORE = re.compile(rf"([,{{\[])\s*(?:({_STRING})\s*:\s*)?\Z", re.S)
_LONGEST_KEY = 300
# A member or an item that has begun, as far as it goes: its key, a whole text, half of one.
_VALUE = rf'(?:(?P<whole>{_STRING})\s*|(?P<half>"(?:[^"\\]++|\\.)*+\\?)|[-+.\w]*\s*)'
_MEMBER = re.compile(rf'\s*(?:(?P<key>{_STRING})\s*(?::\s*{_VALUE})?|"(?:[^"\\]++|\\.)*+\\?)?', re.S)
_ARRAY_ITEM = re.compile(rf"\s*{_VALUE}", re.S)
_WHOLE_ESCAPES = re.compile(r'"(?:[^"\\]++|\\(?:u[0-9a-fA-F]{4}|[^u]))*+', re.S)
_HALF_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u[dD][89abAB][0-9a-fA-F]{2}\Z")


def beginning_in(body: bytes) -> Any:
    """What half a JSON text has said so far; ``None``: it is none."""
    text = body.decode("utf-8-sig", "ignore").lstrip()
    if not text.startswith("{") or (found := _open_in(text)) is None:
        return None
    opens, end = found
    path: list[str | None] = []
    for number, at in enumerate(opens[1:], 1):
        before = _BEFORE.search(text, max(0, at - _LONGEST_KEY), at)
        key = json.loads(before[2]) if before is not None and before[2] is not None else None
        path.append(key)
        if before is None or not _is_shown(path):
            # From its beginning on nothing is shown.
            begin = before.start() + (before[1] != ",") if before is not None else 0
            return _closed(text, text[:begin], opens[:number]) if begin else None
    begun = _begun_in(text, end, path, is_member=text[opens[-1]] == "{")
    return None if begun is None else _closed(text, begun, opens)


def _open_in(text: str) -> tuple[list[int], int] | None:
    """Where the containers that are open begin, and where the last bracket ends; ``None``: none is open."""
    opens: list[int] = []
    place = 0
    while (found := _NEXT.match(text, place)) is not None and (mark := found[1]) not in ("", '"'):
        if mark in "{[":
            opens.append(found.start(1))
        elif text[opens.pop()] + mark not in ("{}", "[]") or not opens:
            return None
        place = found.end()
    return opens, place


def _begun_in(text: str, end: int, path: Sequence[str | None], *, is_member: bool) -> str | None:
    """The text as far as it is whole; with half a text at its end, where that is shown. ``None``: it is no JSON."""
    comma = _LAST_COMMA.match(text, end)
    whole, rest = (text[:end], text[end:]) if comma is None else (text[: comma.end() - 1], text[comma.end() :])
    found = (_MEMBER if is_member else _ARRAY_ITEM).fullmatch(rest)
    if found is None or (comma is None and text[end - 1] in "}]" and rest.strip()):
        return None
    if found["whole"] is None and found["half"] is None:
        return whole
    key = json.loads(found["key"]) if is_member else None
    if found["whole"] is None:
        if not _is_shown([*path, key]):
            return whole
        said = _WHOLE_ESCAPES.match(found["half"])
        assert said is not None  # noqa: S101 - it begins with a quotation mark
        rest = rest[: found.start("half")] + _HALF_PAIR.sub(r"\1", said[0]) + '"'
    return whole + ("" if comma is None else ",") + rest


def _closed(text: str, begun: str, opens: Sequence[int]) -> Any:
    try:
        value = json.loads(begun + "".join("}" if text[at] == "{" else "]" for at in reversed(opens)))
    except (ValueError, RecursionError):
        return None
    return without_envelope(value)


def _is_shown(path: Sequence[str | None]) -> bool:
    return _SHOWN.fullmatch("/".join("*" if key is None else key for key in path)) is not None
