"""Errors that are told inside a 200: of which shape, and of which class.

| said, without an answer beside it | is an error |
| --- | --- |
| ``{"error": …}``, also beside choices (OpenRouter closes the choice with ``finish_reason: "error"``) | if it says anything |
| ``[{"error": …}]`` (Google), ``{"errors": […]}`` (Cloudflare) | if it says anything |
| ``{"base_resp": {"status_code": …, "status_msg": …}}`` (MiniMax) | unless the number is 0 |
| ``{"object": "error", …}``, ``{"type": "error", …}``, ``{"detail": …}`` | always |
| ``{"success": false, …}`` | always |
| ``{"code": …, "msg": …}``, ``{"status": …, "message": …}`` and the like | unless it is a word or a number of success |

The status is lost, so a number (400 to 599) or a word in it tells the class: what says that the request or the key is
wrong is that refusal, and is asked once. Without either it is the server's own failure.
"""  # noqa: E501 - a table

from __future__ import annotations

import json
import re
from typing import Any

from ...errors import APIStatusError
from ...types.secrecy import without_keys
from ..reading.quirks.messages import mended
from .statuses import Found, status_error

# By which a text tells, beside choices or without, that it must be looked at here.
_CODES = ("code", "status", "status_code", "error_code", "errcode", "err_code", "errno", "ret", "retcode")
_WORDS = ("message", "msg", "status_msg", "error_msg", "error_message", "errmsg", "err_msg", "err", "reason")
_SUCCESS = frozenset(
    [
        *("", "0", "200", "ok", "success", "successful", "succeeded", "succeed", "completed", "complete", "done"),
        *("true", "none", "null", "in_progress", "incomplete", "processing", "running", "queued", "pending"),
    ]
)
_FAILING = re.compile(r"err|fail|denied|invalid|forbid|abort|exceed|reject|unavailable|time.?out|unauth|[45]\d\d", re.I)

_STATUS_BY_WORD = {
    **dict.fromkeys(("bad_request", "invalid_request", "invalid_argument", "invalid_parameter", "invalid_params"), 400),
    **dict.fromkeys(("failed_precondition", "validation", "context_length_exceeded", "exceed_context_size"), 400),
    **dict.fromkeys(("content_filter", "content_policy_violation", "context_window_exceeded", "out_of_range"), 400),
    **dict.fromkeys(("authentication", "unauthorized", "unauthenticated", "invalid_api_key", "invalid_key"), 401),
    **dict.fromkeys(("insufficient_balance", "billing", "payment_required", "insufficient_credits"), 402),
    **dict.fromkeys(("permission", "permission_denied", "forbidden", "access_denied"), 403),
    **dict.fromkeys(("not_found", "model_not_found", "model_not_exist"), 404),
    **dict.fromkeys(("request_too_large", "payload_too_large"), 413),
    **dict.fromkeys(("unprocessable_entity",), 422),
    **dict.fromkeys(("rate_limit", "rate_limit_exceeded", "too_many_requests", "resource_exhausted"), 429),
    **dict.fromkeys(("rate_limit_reached", "rate_limited", "throttling"), 429),
    **dict.fromkeys(
        ("service_unavailable", "overloaded", "unavailable", "server_overloaded", "engine_overloaded"), 503
    ),
}
# MiniMax's own numbers (its page of error codes).
_STATUS_OF_MINIMAX = {"1002": 429, "1004": 401, "1008": 402, "1026": 400, "1027": 400, "1039": 429, "2013": 400}


def in_band_failure(parsed: Any, *, is_whole: bool = False) -> APIStatusError | None:
    """The error that a JSON text inside a 200 stands for; ``None`` if it is none.

    Args:
        is_whole: Whether the text is all that came: then words alone, without an answer, are an error, too.
    """
    if isinstance(parsed, list):
        parsed = next((entry for entry in parsed if isinstance(entry, dict) and entry.get("error")), None)
    if not isinstance(parsed, dict):
        return None
    if error := parsed.get("error"):
        if parsed.get("choices") and _is_success(error):
            return None
    elif parsed.get("choices") or not _tells(parsed, is_whole=is_whole):
        return None
    found = Found(parsed)
    return status_error(
        _status_in(parsed, found),
        found.message,
        found,
        body=without_keys(mended(json.dumps(parsed, ensure_ascii=False))),
        headers={},
        in_band=True,
    )


def _is_success(error: Any) -> bool:
    """Whether an error object says that there is none."""
    if not isinstance(error, dict):
        return False
    codes = _codes_in(error)
    return bool(codes) and all(map(_is_code_of_success, codes))


def _codes_in(said: dict[str, Any]) -> list[Any]:
    """The codes of an object; a ``status`` that is a word counts only if it sounds like a failure."""
    codes = {name: said[name] for name in _CODES if said.get(name) is not None}
    status = codes.get("status")
    if isinstance(status, str) and not _is_code_of_success(status) and not _FAILING.search(status):
        del codes["status"]
    return list(codes.values())


def _tells(parsed: dict[str, Any], *, is_whole: bool) -> bool:
    """Whether an object without an answer in it says that something failed."""
    if parsed.get("object") == "error" or parsed.get("type") == "error" or parsed.get("errors"):
        return True
    if parsed.get("success") is False or parsed.get("ok") is False or parsed.get("detail"):
        return True
    base = parsed.get("base_resp")
    if isinstance(base, dict) and not _is_code_of_success(base.get("status_code")):
        return True
    has_words = any(isinstance(parsed.get(name), (str, dict, list)) and parsed[name] for name in _WORDS)
    if codes := _codes_in(parsed):
        return (has_words or is_whole) and not all(map(_is_code_of_success, codes))
    return has_words and is_whole and "choices" not in parsed


def _is_code_of_success(code: Any) -> bool:
    if isinstance(code, str):
        return code.strip().lower() in _SUCCESS
    if isinstance(code, (int, float)):
        return code is True or (code is not False and (code == 0 or 200 <= code < 300))
    return code is None


def _status_in(parsed: dict[str, Any], found: Found) -> int:
    """The HTTP status that an error's numbers and words stand for; 200 if they tell none."""
    places = [parsed.get("error"), *_list(parsed.get("errors")), parsed.get("base_resp"), parsed]
    said = [found.type, found.code]
    for place in places:
        if isinstance(place, dict):
            said += [place.get(name) for name in (*_CODES, "type", "http_code", "http_status")]
    words = [str(word).strip() for word in said if type(word) in (str, int)]
    for word in words:
        # Not by isdigit(), to which "²" is a digit and int() is not.
        if len(word) == 3 and word.isascii() and word.isdecimal() and 400 <= int(word) < 600:
            return int(word)
    for word in words:
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word[:80]).lower().replace("-", "_").replace(" ", "_")
        stem = snake.removesuffix("_exception").removesuffix("_error")
        if status := _STATUS_BY_WORD.get(stem) or _STATUS_BY_WORD.get(snake):
            return status
    base = parsed.get("base_resp")
    return _STATUS_OF_MINIMAX.get(str(base.get("status_code")), 200) if isinstance(base, dict) else 200


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
