"""Status, headers and body → the right error, whatever the body's shape or content type.

DeepSeek documents no error body. Seen are an ``error`` object, ``detail``, plain text, nothing, and HTML from a
gateway; other servers send flat objects and bare strings; DeepSeek labels JSON ``application/octet-stream``. So the
body is read by what it is, never by its label.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    InsufficientBalanceError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
    UnprocessableEntityError,
)
from .lenient import MAX_SHOWN_BODY, summary_of

_CLASSES: Mapping[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: InsufficientBalanceError,
    403: PermissionDeniedError,
    404: NotFoundError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    503: ServiceUnavailableError,
}

# What to do about it, where the server's text does not say.
_ADVICE: Mapping[int, str] = {
    401: "check the api_key argument or DEEPSEEK_API_KEY",
    402: "top up the account's balance",
    404: "check base_url and model",
    413: "the request's body is too large",
    415: "something between here and the server changed the request's content type",
}

REQUEST_ID_HEADERS = ("x-ds-trace-id", "x-request-id", "x-deepseek-request-id")
_KEY = re.compile(r"\bsk-[A-Za-z0-9_*-]{4,}|(?<=Bearer )\S+")
_CONCURRENCY = re.compile(r"current concurrency is (\d+).*?concurrency limit of (\d+)", re.S)


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """The server's id of the request; header names in lower case. DeepSeek's is ``x-ds-trace-id``."""
    for name in REQUEST_ID_HEADERS:
        if value := headers.get(name):
            return value
    return None


def retry_after_of(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait by ``Retry-After`` (RFC 9110 section 10.2.3: seconds, or a date); >= 0, or ``None``."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        from email.utils import parsedate_to_datetime  # brings sockets in, for a form that is hardly ever sent

        try:
            date = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()
    return max(0.0, seconds) if seconds < float("inf") else None


def failure_from(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> APIStatusError:
    """The error that an answer with an error status stands for.

    Args:
        status: HTTP status, not 200.
        headers: Names in lower case.
        body: As it came; may be cut, empty, no JSON.
        now: The present, for ``Retry-After`` in date form.
    """
    text = redacted(body.decode("utf-8-sig", "replace"))
    try:
        parsed: Any = json.loads(text)
    except (ValueError, RecursionError):
        parsed = None
    found = Found(parsed)
    said = found.message or summary_of(text if parsed is None else "")
    if 300 <= status < 400:
        target = _host(headers.get("location", ""))
        said = f"a redirect to {target}, which is not followed; set base_url to it if it is right"
    return status_error(
        status,
        said,
        found,
        body=text,
        headers=dict(headers),
        retry_after=retry_after_of(headers, now),
        request_id=request_id_of(headers),
    )


# Where an error object stands, and under which name it has its words: MiniMax, Cloudflare, and gateways without number.
_PLACES = ("error", "errors", "base_resp")
_WORDS = ("message", "msg", "detail", "status_msg", "error_msg", "error_message", "errmsg", "err_msg", "err", "reason")


class Found:
    """What an error body tells, of whatever shape."""

    def __init__(self, parsed: Any) -> None:
        fields: dict[str, Any] = {}
        if isinstance(parsed, list) and parsed:  # Google
            parsed = parsed[0]
        if isinstance(parsed, dict):
            error = next(filter(None, map(parsed.get, _PLACES)), None)
            if isinstance(error, list) and error:
                error = error[0]
            if isinstance(error, dict):
                fields = error
            elif isinstance(error, str):
                fields = {**parsed, "message": error}
            else:
                fields = parsed
        message = parsed if isinstance(parsed, str) else next(filter(None, map(fields.get, _WORDS)), None)
        said = [summary_of(_words(message)), summary_of(_words(fields.get("details")))]  # GMI tells the cause there
        self.message = redacted(": ".join(part for part in said if part))
        self.type = _word(fields.get("type"))
        self.code = _word(next((fields[name] for name in ("code", "status_code") if fields.get(name)), None))
        self.param = _word(fields.get("param"))


def _word(value: Any) -> str | None:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "" else None


def _words(message: Any) -> str:
    if isinstance(message, str):
        # Validation errors of some servers go on to quote the request, and with it the prompt.
        return re.split(r"""[,{]?\s*['"]input['"]\s*:""", message, maxsplit=1)[0]
    if isinstance(message, list):  # FastAPI: [{"loc": ["body", "model"], "msg": "field required", "input": …}]
        entries = [entry for entry in message if isinstance(entry, dict)]
        return "; ".join(f"{_place(entry.get('loc'))}{entry.get('msg', '')}" for entry in entries)
    if isinstance(message, dict):
        inner = message.get("message") or message.get("msg")
        return _words(inner) if isinstance(inner, str) else ""
    return ""


def _place(loc: Any) -> str:
    parts = loc if isinstance(loc, list) else [loc]
    return ".".join(str(part) for part in parts if isinstance(part, (str, int))) + ": " if loc else ""


def redacted(text: str) -> str:
    return _KEY.sub("sk-…", text)


def _host(location: str) -> str:
    return "/".join(location.split("?")[0].split("/")[:3]) or "nowhere"


def status_error(status: int, said: str, found: Found, *, in_band: bool = False, **context: Any) -> APIStatusError:
    error_class = _CLASSES.get(status) or (InternalServerError if status >= 500 or in_band else APIStatusError)
    advice = _ADVICE.get(status)
    head = "error in the answer" if in_band else f"HTTP {status}"
    message = ": ".join(part for part in (head, said or "no text") if part) + (f" ({advice})" if advice else "")
    if in_band:
        context["retryable"] = status in (200, 408, 429) or status >= 500
    elif status == 408:
        context["retryable"] = True
    if error_class is RateLimitError and (seen := _CONCURRENCY.search(said)):
        context["current"], context["limit"] = int(seen[1]), int(seen[2])
    context["body"] = context["body"][:MAX_SHOWN_BODY]
    return error_class(message, status=status, code=found.code, type=found.type, param=found.param, **context)
