"""Status, headers and body → the right error, whatever the body's shape or content type.

DeepSeek documents no error body. Seen are an ``error`` object, ``detail``, plain text, nothing, and HTML from a
gateway; other servers send flat objects and bare strings; DeepSeek labels JSON ``application/octet-stream``. So the
body is read by what it is, never by its label.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from ...errors import (
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
from ...types.secrecy import REDACTED, without_keys
from ..heads import request_id_of, retry_after_of
from ..reading.bodies import MAX_SHOWN_BODY, summary_of
from ..reading.quirks.messages import mended
from .exhaustion import is_exhausted, wait_told

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

_WANTED_IN_URL = "on the way wants a user and a password, which go into the proxy's URL"
_NO_API_ASKS = f"no API, but a proxy {_WANTED_IN_URL}"

# What to do about it, where the server's text does not say.
_ADVICE: Mapping[int, str] = {
    202: "the server took the request and promises an answer for later, which is not fetched; ask for a model or a URL "
    "that answers at once",
    204: "the server says that there is no answer; check base_url",
    205: "the server says that there is no answer; check base_url",
    401: "check the api_key argument or DEEPSEEK_API_KEY",
    402: "top up the account's balance",
    404: "check base_url and model",
    407: f"a proxy {_WANTED_IN_URL}",
    413: "the request's body is too large",
    415: "something between here and the server changed the request's content type",
}

_USED_UP = "waiting a moment does not help: look at the account's balance, quota or plan; not tried again"

_STATUS = re.compile(r"[45][0-9][0-9]", re.ASCII)
_COUNT = r"([0-9]{1,3}(?:[,.'’_ \u00a0\u202f][0-9]{3})+(?![0-9])|[0-9]{1,9})"  # with thousands separators or without
_CURRENT = re.compile(rf"current concurrency is {_COUNT}")
_LIMIT = re.compile(rf"concurrency limit of {_COUNT}")
# Under which names bodies tell what went wrong, without case, "_" and "-"; the first that is there.
_TELLING: Final = (
    "message", "msg", "detail", "statusmsg", "errormessage", "errormsg", "errmsg", "err", "errordescription",
    "description", "faultstring", "title", "reason", "error", "errors", "fault", "exception",
)  # fmt: skip
_CODES = ("code", "status_code", "error_code", "errorCode")
_MAX_DEPTH = 8
_MAX_ENTRIES = 20


def failure_from(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> APIStatusError:
    """The error that an answer with an error status stands for.

    Args:
        status: HTTP status, not 200.
        headers: Names in lower case.
        body: As it came; may be cut, empty, no JSON.
        now: The present, for ``Retry-After`` in date form.
    """
    text = without_keys(body.decode("utf-8-sig", "replace"))
    parsed: Any = None
    shown = text  # of what is no JSON, or JSON without a word that is known
    try:
        parsed = json.loads(text)
        shown = text if parsed is None or (isinstance(parsed, dict | list) and parsed) else ""
    except (ValueError, RecursionError):
        pass
    found = Found(parsed)
    said = found.message or summary_of(mended(shown))
    if 300 <= status < 400:
        said = _redirect(status, headers.get("location", ""))
    return status_error(
        status,
        said,
        found,
        body=text,
        headers=dict(headers),
        retry_after=retry_after_of(headers, now),
        request_id=request_id_of(headers),
        by_gateway=status >= 500 and not isinstance(parsed, dict | list),
    )


# Where an error object stands: MiniMax says it in `base_resp`, Cloudflare in `errors`.
_PLACES = ("error", "errors", "base_resp")


class Found:
    """What an error body tells, of whatever shape."""

    def __init__(self, parsed: Any) -> None:
        fields: dict[str, Any] = {}
        told = parsed
        if isinstance(parsed, list) and parsed:  # Google
            parsed = parsed[0]
        if isinstance(parsed, dict):
            fields = told = parsed
            error = next(filter(None, map(parsed.get, _PLACES)), None)
            first = error[0] if isinstance(error, list) and error else error
            if isinstance(first, dict):
                fields, told = first, error
            elif isinstance(error, str) and not any(parsed.get(name) for name in ("message", "msg", "detail")):
                told = error
        told = summary_of(_words(told, 1 if told is not parsed else 0))
        details = summary_of(_words(fields["details"])) if fields.get("details") else ""  # GMI tells the cause there
        self.message: str = mended(without_keys(": ".join(part for part in (told, details) if part)))
        self.type: str | None = _word(fields.get("type"))
        self.code: str | None = _word(next((fields[name] for name in _CODES if fields.get(name)), None))
        self.param: str | None = _word(fields.get("param"))


def _word(value: Any) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return mended(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _words(told: Any, depth: int = 0) -> str:
    """What a value tells a person, whatever its shape; ``""``: nothing."""
    if isinstance(told, str):
        return without_inputs(told)
    if depth > _MAX_DEPTH:
        return ""
    if isinstance(told, list):  # FastAPI: [{"loc": ["body", "model"], "msg": "field required", "input": …}]
        parts = (_place(part) + _words(part, depth + 1) for part in told[:_MAX_ENTRIES])
        return "; ".join(part for part in parts if part)
    if not isinstance(told, dict):
        return ""
    fields = {_plain(name): value for name, value in told.items()}
    for name in _TELLING:
        if said := _words(fields.get(name), depth + 1):
            return said
    lists = {name: value for name, value in told.items() if isinstance(value, list) and depth}
    parts = (f"{name}: {said}" for name, value in lists.items() if (said := _words(value, depth + 1)))
    return "; ".join(parts)  # {"errors": {"model": ["is unknown"]}}


def _place(entry: Any) -> str:
    loc = entry.get("loc") if isinstance(entry, dict) else None
    parts = loc if isinstance(loc, list) else [loc]
    return ".".join(str(part) for part in parts if isinstance(part, str | int)) + ": " if loc else ""


# Validators quote what they refuse, and with it the prompt: {'input': …} as Python or JSON write it, input_value=….
_INPUT = re.compile(r"""(?:['"]input(?:_value)?['"]\s{0,8}:|\binput_value=)\s{0,8}""")
_IN_VALUE = re.compile(r"""'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+"|[\[{(]|[\]})]|,|[^'"\[\]{}(),]++""", re.S)


def without_inputs(text: str) -> str:
    """A validation error's text with the refused values hidden, and nothing else."""
    parts: list[str] = []
    written = 0
    for found in _INPUT.finditer(text):
        if found.start() >= written:
            parts += (text[written : found.end()], REDACTED)
            written = _end_of_value(text, found.end())
    return "".join(parts) + text[written:]


def _end_of_value(text: str, place: int) -> int:
    """Where a value ends that is written as Python or JSON write it; the text's end if it is cut."""
    depth = 0
    while (token := _IN_VALUE.match(text, place)) is not None:
        if token[0] in ("]", "}", ")", ",") and not depth:
            return place
        depth += (token[0] in ("[", "{", "(")) - (token[0] in ("]", "}", ")"))
        place = token.end()
    return len(text)


def _redirect(status: int, location: str) -> str:
    if status == 304:
        return "a cached answer is said to be still good, and none was asked for; some cache on the way is wrong"
    scheme, separator, rest = location.partition("://")
    if not separator:
        path = mended(location.split("?")[0].split("#")[0])[:200]
        return f"a redirect to {path or 'nowhere'} of the same server, which is not followed; check base_url"
    host = rest.split("?")[0].split("/")[0].rpartition("@")[2]
    return f"a redirect to {scheme}://{mended(host)}, which is not followed; set base_url to it if it is right"


def status_error(status: int, said: str, found: Found, *, in_band: bool = False, **context: Any) -> APIStatusError:
    """The error of the class that a status has, with what to do about it."""
    error_class = _CLASSES.get(status) or (InternalServerError if status >= 500 or in_band else APIStatusError)
    advice = _ADVICE.get(status)
    if status == 401 and context.get("headers", {}).get("www-authenticate", "").lower().startswith("basic"):
        advice = _NO_API_ASKS  # no API does; tinyproxy answers so to a wrong one
    if error_class is RateLimitError:
        _look_at_limit(said, found, context)
        if context["is_exhausted"]:
            advice = _USED_UP
    head = "error in the answer" if in_band else f"HTTP {status}"
    message = ": ".join(part for part in (head, said or "no text") if part) + (f" ({advice})" if advice else "")
    context["body"] = context["body"][:MAX_SHOWN_BODY]
    return error_class(message, status=status, code=found.code, type=found.type, param=found.param, **context)


def _look_at_limit(said: str, found: Found, context: dict[str, Any]) -> None:
    """What a 429 says of a limit and of when to come back, put to what its error is made of."""
    if (current := _CURRENT.search(said)) and (limit := _LIMIT.search(said, current.end())):
        context["current"], context["limit"] = _count(current[1]), _count(limit[1])
    if context.get("retry_after") is None:
        context["retry_after"] = wait_told(said, context["body"])
    context["is_exhausted"] = is_exhausted(
        said, code=found.code, type=found.type, body=context["body"], wait=context["retry_after"]
    )


def _count(digits: str) -> int:
    return int("".join(filter(str.isdecimal, digits)))
