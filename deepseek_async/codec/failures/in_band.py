"""Errors that are told inside a 200: of which shape, and of which class.

| said, without an answer beside it | is an error |
| --- | --- |
| ``{"error": …}``, also beside choices (OpenRouter closes the choice with ``finish_reason: "error"``) | if it says anything |
| ``error`` in a choice or its message (OpenRouter) | if it says anything |
| ``[{"error": …}]`` (Google), ``{"errors": […]}`` (Cloudflare) | if it says anything |
| ``{"base_resp": {"status_code": …, "status_msg": …}}`` (MiniMax) | unless the number is 0 |
| ``{"object": "error", …}``, ``{"type": "error", …}``, ``{"detail": …}`` | always |
| ``{"success": false, …}`` | always |
| ``{"code": …, "msg": …}``, ``{"status": …, "message": …}`` and the like | unless it is a word or a number of success |
| ``{"message": "Forbidden"}``, and nothing else (API gateways) | if it is all that came, or sounds like a failure and no end follows |
| one of these in an object of its own: ``{"Response": {"Error": …}}`` (Tencent), ``{"header": {"code": …}}`` (iFlytek) | as there |

Names count however they are written: ``Error``, ``statusCode``, ``__type`` (AWS).

The status is lost, so a number (400 to 599) or a word in it tells the class: what says that the request or the key is
wrong is that refusal, and is asked once. Without either it is the server's own failure.
"""  # noqa: E501 - a table

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import APIStatusError
from ...types.secrecy import without_keys
from ..reading.quirks.messages import mended
from .statuses import Found, status_error

# By which a text tells, beside choices or without, that it must be looked at here.
_CODES = ("code", "status", "status_code", "error_code", "errcode", "err_code", "errno", "ret", "retcode")
_WORDS = ("message", "msg", "status_msg", "error_msg", "error_message", "errmsg", "err_msg", "err", "reason")
_OTHERS = ("error", "errors", "detail", "success", "ok", "object", "type", "choices", "http_code", "http_status")
# Objects in which a text may tell it; not those that servers send with every chunk (`metadata`).
_WRAPPERS = frozenset(("response", "responsemetadata", "header", "result", "data", "output", "body", "fault"))
_SUCCESS = frozenset(
    [
        *("", "0", "200", "ok", "success", "successful", "succeeded", "succeed", "completed", "complete", "done"),
        *("true", "none", "null", "in_progress", "incomplete", "processing", "running", "queued", "pending"),
    ]
)
_FAILING = re.compile(
    r"err|exception|fail|fault|denied|invalid|forbid|abort|exceed|reject|refus|unavailable|time.?out|unauth|throttl"
    r"|too many|not (?:auth|found|allow|exist)|unable|cannot|overload|busy|expired|insufficient|crash|[45]\d\d",
    re.I,
)

_A_FAILURE = re.compile(r"(?:error|exception)$", re.I)  # as a type

_WORDS_BY_STATUS = {
    400: """bad_request invalid_request invalid_argument invalid_parameter invalid_params failed_precondition validation
        invalid_value invalid_type missing_parameter missing_required_parameter unsupported_parameter unsupported_value
        context_length_exceeded exceed_context_size context_window_exceeded out_of_range input_too_long prompt_too_long
        string_above_max_length content_filter content_policy_violation data_inspection_failed
        sensitive_content_detected invalid_prompt tool_use_failed json_validate_failed invalid_json""",
    401: """authentication auth unauthorized unauthenticated invalid_api_key invalid_key api_key_invalid missing_api_key
        incorrect_api_key invalid_token invalid_access_token token_expired expired_token auth_failure auth_failed
        authentication_failed invalid_authentication""",
    402: """insufficient_balance billing payment_required insufficient_credits insufficient_quota
        insufficient_user_quota insufficient_funds account_overdue arrearage billing_not_active
        billing_hard_limit_reached""",
    403: """permission permission_denied forbidden access_denied no_permission not_authorized operation_denied
        account_deactivated unsupported_country_region_territory""",
    404: """not_found model_not_found model_not_exist model_not_exists no_such_model unknown_model invalid_model
        resource_not_found deployment_not_found endpoint_not_found invalid_endpoint_or_model""",
    413: "request_too_large payload_too_large request_entity_too_large",
    422: "unprocessable_entity",
    429: """rate_limit rate_limit_exceeded rate_limit_reached rate_limited too_many_requests resource_exhausted
        throttling throttled request_limit_exceeded limit_requests quota_exceeded concurrency_limit_exceeded""",
    500: "internal internal_server internal_failure",
    503: """service_unavailable overloaded unavailable server_overloaded engine_overloaded model_overloaded server_busy
        system_busy temporarily_unavailable""",
}
_STATUS_BY_WORD = {word: status for status, words in _WORDS_BY_STATUS.items() for word in words.split()}
# Numbers of more digits often begin with a status: 40301, 50001.
_LONG_STATUS = re.compile(r"(400|401|402|403|404|413|422|429|50[0-9])[0-9]{2,3}", re.ASCII)
# A class's name at the begin of the words: "litellm.RateLimitError: …".
_CLASS_NAME = re.compile(r"[\w.]{0,80}?(\w{1,80}(?:Error|Exception))\b", re.ASCII)
_MAX_WORD = 80
# SiliconFlow's own numbers that begin with no status (its page of error codes).
_STATUS_OF_SILICONFLOW = {"20012": 400, "20015": 400, "30001": 402, "30003": 403, "30006": 403}
# MiniMax's own numbers (its page of error codes).
_STATUS_OF_MINIMAX = {"1002": 429, "1004": 401, "1008": 402, "1026": 400, "1027": 400, "1039": 429, "2013": 400}


def in_band_failure(parsed: Any, *, is_whole: bool = False) -> APIStatusError | None:
    """The error that a JSON text inside a 200 stands for; ``None`` if it is none.

    Args:
        is_whole: Whether the text is all that came: then words alone, without an answer, are an error, too.
    """
    told = parsed
    if isinstance(parsed, list):
        told = next((entry for entry in parsed if isinstance(entry, dict) and entry.get("error")), None)
    if not isinstance(told, dict):
        return None
    told = _renamed(told)
    if told.get("choices"):
        error = told.get("error") or _error_in_choices(told["choices"])
        if not error or _is_success(error):
            return None
        told["error"] = error
    elif not told.get("error") and not _tells(told, is_whole=is_whole):
        inner = next(filter(_tells_inside, _wrapped_in(told)), None)
        if inner is None:
            return None
        told = inner
    found = Found(told)
    return status_error(
        _status_in(told, found),
        found.message,
        found,
        body=without_keys(mended(json.dumps(parsed, ensure_ascii=False))),
        headers={},
        in_band=True,
    )


_NAMES = {name.replace("_", ""): name for name in (*_CODES, *_WORDS, *_OTHERS)}


def _renamed(told: dict[str, Any]) -> dict[str, Any]:
    """The object with its own names for what is looked for here, and the same in its error object."""
    named: dict[str, Any] = {}
    for name, value in told.items():
        known = _NAMES.get(name.lower().replace("_", "").replace("-", ""), name)
        if known == name or known not in told:
            named[known] = value
    if isinstance(error := named.get("error"), dict) and error is not told:
        named["error"] = _renamed(error)
    return named


def _error_in_choices(choices: Any) -> Any:
    """What a choice or its message says under ``error``; ``None``: nothing."""
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            for place in (choice, choice.get("message"), choice.get("delta")):
                if isinstance(place, dict) and isinstance(place.get("error"), (dict, str)) and place["error"]:
                    return place["error"]
    return None


def _wrapped_in(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, inner in told.items():
        if isinstance(inner, dict) and name.lower().replace("_", "") in _WRAPPERS and not inner.get("choices"):
            inner = _renamed(inner)
            yield {**inner, "message": inner["faultstring"]} if "faultstring" in inner else inner


def _tells_inside(inner: dict[str, Any]) -> bool:
    return bool(inner.get("error") and not _is_success(inner["error"])) or _tells(
        inner, is_whole="faultstring" in inner
    )


def failure_in_words(said: Mapping[str, Any], *, is_all: bool) -> APIStatusError | None:
    """The error that chunks without a choice told in words alone, where the answer has no end; ``None``: there is none.

    Args:
        said: Their unknown fields.
        is_all: Whether no choice came: then any words are an error, else those that sound like a failure.
    """
    told = _renamed(dict(said))
    words = [text for name in _WORDS if isinstance(text := told.get(name), str)]
    if not words or not (is_all or any(map(_FAILING.search, words))):
        return None
    return in_band_failure(told, is_whole=True)


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
    has_words = any(_is_words(parsed.get(name)) for name in _WORDS)
    if codes := _codes_in(parsed):
        return (has_words or is_whole) and not all(map(_is_code_of_success, codes))
    if not has_words or "choices" in parsed:
        return False
    return is_whole or bool(_A_FAILURE.search(str(parsed.get("type"))))


def _is_words(said: Any) -> bool:
    """Whether something is said; a chat message is an answer of another protocol (Ollama's own)."""
    return bool(said) and isinstance(said, (str, dict, list)) and not (isinstance(said, dict) and "role" in said)


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
    words = [str(word).strip()[:_MAX_WORD] for word in said if type(word) in (str, int)]
    for word in words:
        # Not by isdigit(), to which "²" is a digit and int() is not.
        if len(word) == 3 and word.isascii() and word.isdecimal() and 400 <= int(word) < 600:
            return int(word)
    if len(found.message) <= _MAX_WORD:
        words.append(found.message.strip(" ."))  # "Forbidden", and no more
    if (name := _CLASS_NAME.match(found.message)) is not None:
        words.append(name[1])
    for word in words:
        if status := _status_of_word(word):
            return status
    base = parsed.get("base_resp")
    return _STATUS_OF_MINIMAX.get(str(base.get("status_code")), 200) if isinstance(base, dict) else 200


def _status_of_word(word: str) -> int | None:
    """The status that a code stands for, or one of its parts: ``Throttling.RateQuota``; ``None``: it is not known."""
    if (number := _LONG_STATUS.fullmatch(word)) is not None:
        return int(number[1])
    for part in (word, *re.split(r"[.#:/]", word)):
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", part).lower().replace("-", "_").replace(" ", "_")
        stem = snake.removesuffix("_exception").removesuffix("_error")
        if status := _STATUS_BY_WORD.get(stem) or _STATUS_BY_WORD.get(snake):
            return status
    return _STATUS_OF_SILICONFLOW.get(word)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
