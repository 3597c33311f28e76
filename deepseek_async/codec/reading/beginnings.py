"""Half a JSON text of an answer: what of it is true.

The beginning of a text is true, and so is what holds one. Half an id, a usage without its end, a token whose
alternatives are still to come would be untrue: they are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..structuring.growing import GrowingJSON
from .quirks.messages import REASONING_NAMES
from .shapes.lessons import ENVELOPES, without_envelope

_ITEM = r"/\*"
_TEXTS = f"(?:{'|'.join(('content', 'reasoning_content', *REASONING_NAMES))})(?:{_ITEM}(?:/(?:text|thinking))?)?"
_CALLS = f"tool_calls(?:{_ITEM}(?:/function(?:/arguments)?)?)?"
_MESSAGE = f"(?:message|delta)(?:/(?:{_TEXTS}|{_CALLS}))?"
_TOKENS = "logprobs(?:/(?:content|reasoning_content))?"
_CHOICES = f"choices(?:{_ITEM}(?:/(?:text|{_MESSAGE}|{_TOKENS}))?)?"
_SHOWN = re.compile(f"(?:{'|'.join(ENVELOPES)})(?:/{_CHOICES})?|{_CHOICES}")
_DEEPEST = 8  # of these paths; what is nested a million times is not written out for every level


def beginning_in(body: bytes) -> Any:
    """What half a JSON text has said so far; ``None``: it is none."""
    text = body.decode("utf-8-sig", "ignore").lstrip()
    if not text.startswith("{"):
        return None
    growing = GrowingJSON("{")
    growing.feed(text)
    return None if growing.is_complete or growing.has_begun_anew else without_envelope(growing.snapshot(_is_shown))


def _is_shown(path: Sequence[str | None]) -> bool:
    return len(path) <= _DEEPEST and _SHOWN.fullmatch("/".join("*" if key is None else key for key in path)) is not None
