"""What the head of an answer tells: the request's id, and how long to wait. Names of headers are in lower case."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from .reading.quirks.messages import mended

REQUEST_ID_HEADERS = ("x-ds-trace-id", "x-request-id", "x-deepseek-request-id")
# Milliseconds, as Azure and OpenAI's clients know them, beside the standard's seconds.
_RETRY_AFTER_MS = ("retry-after-ms", "x-ms-retry-after-ms")
_NUMBER = r"[+-]?[0-9]{1,300}(?:\.[0-9]{0,300})?"


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """The server's id of the request; header names in lower case. DeepSeek's is ``x-ds-trace-id``."""
    for name in REQUEST_ID_HEADERS:
        if value := headers.get(name):
            return mended(value)
    return None


def retry_after_of(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait by ``Retry-After`` (RFC 9110 section 10.2.3: seconds, or a date); >= 0, or ``None``.

    ``retry-after-ms`` and ``x-ms-retry-after-ms`` say the same more precisely, and go first. A date is one of the
    server's clock, whose time the answer tells by ``Date``: what is between the two is right where clocks differ.

    Args:
        headers: Names in lower case.
        now: The present by the own clock, for an answer without ``Date``.
    """
    for name in _RETRY_AFTER_MS:
        if (milliseconds := _number(headers.get(name, ""))) is not None:
            return max(0.0, milliseconds / 1000)
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if (seconds := _number(value)) is None:
        if (date := _date(value)) is None:
            return None
        said_at = _date(headers.get("date", "")) or now
        try:
            seconds = (date - said_at).total_seconds()
        except OverflowError:
            return None
    return max(0.0, seconds)


def _date(text: str) -> datetime | None:
    """A date of HTTP's, or of mail's; ``None``: it is none."""
    from email.utils import parsedate_to_datetime  # brings sockets in, for a form that is hardly ever sent

    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError, IndexError):  # years and zones of any size
        return None
    return date.replace(tzinfo=date.tzinfo or UTC)


def _number(text: str) -> float | None:
    text = text.strip()
    return float(text) if re.fullmatch(_NUMBER, text, re.ASCII) else None
