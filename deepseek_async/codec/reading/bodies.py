"""Whole bodies: read as JSON, and told in a few words."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from ...errors import MalformedResponseError

MAX_SHOWN_BODY: Final = 65_536
_MAX_SUMMARY = 400


def summary_of(text: str) -> str:
    """A body in a few words, for a message: an HTML page by its title, any other text cut short."""
    text = text.strip()
    if text.startswith("<"):
        title = _title_in(text)
        return f"an HTML page titled {_short(title)!r}" if title else "an HTML page"
    return _short(text)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MAX_SUMMARY else text[: _MAX_SUMMARY - 1] + "…"


def _title_in(page: str) -> str:
    """What stands between the first tags of that name; three searches, because one pattern would take square time."""
    opening = re.search(r"<title\b", page, re.I)
    begins = page.find(">", opening.end()) + 1 if opening else 0
    closing = re.compile(r"</title", re.I).search(page, begins) if begins else None
    return page[begins : closing.start()] if closing else ""


def parse_json(text: bytes, what: str) -> Any:
    """Any JSON, read as leniently as the standard library does.

    Raises:
        MalformedResponseError: It is no JSON; the message says where it stops being it, or what it is instead.
    """
    decoded = text.decode("utf-8-sig", "replace")
    try:
        return json.loads(decoded)
    except (ValueError, RecursionError) as error:
        wrong = f": {error}"
        if isinstance(error, json.JSONDecodeError):
            is_other = error.pos == 0 and decoded
            wrong = f" but {summary_of(decoded)}" if is_other else f" at character {error.pos}: {error.msg}"
        raise MalformedResponseError(f"{what} is not JSON{wrong}", body=decoded[:MAX_SHOWN_BODY]) from None
