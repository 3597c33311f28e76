"""Every way the API says no: status, body and text, as seen on the wire.

A `Refusal` is raised where a rule is broken and turned into bytes in one place. Texts are the ones observed
(reference of errors: https://api-docs.deepseek.com/quick_start/error_codes, bodies from public reports of 2024 to
2026); where none was observed, the text follows the same pattern and names the field.
"""

from __future__ import annotations

from typing import Any

import attrs
import msgspec

__all__ = [
    "INVALID_REQUEST",
    "Refusal",
    "authentication_fails",
    "bad_request",
    "beta_only",
    "insufficient_balance",
    "method_not_allowed",
    "nested_too_deeply",
    "no_such_path",
    "not_deserialized",
    "not_json",
    "out_of_range",
    "server_error",
    "too_busy",
    "too_large",
    "too_many_requests",
    "unknown_model",
    "unsupported_media_type",
]

INVALID_REQUEST = "invalid_request_error"


@attrs.frozen(kw_only=True)
class Refusal(Exception):  # noqa: N818 - the server did nothing wrong: it is an answer
    """An answer that is an error.

    Attributes:
        status: HTTP status.
        message: The text.
        type, code, param: The error object's fields.
        plain: The body is the bare text, as ``text/plain``, not an error object.
        raw: The body as it is, instead of either.
        headers: More headers, such as ``Allow``.
    """

    status: int
    message: str
    type: str = INVALID_REQUEST
    code: str | None = INVALID_REQUEST
    param: str | None = None
    plain: bool = False
    raw: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def error(self) -> dict[str, Any]:
        """The error object, as it stands under ``error`` in a body or in the band of a stream."""
        return {"message": self.message, "type": self.type, "param": self.param, "code": self.code}

    def body(self) -> tuple[bytes, str]:
        """The body's bytes and its content type."""
        if self.raw is not None:
            return self.raw.encode(), "application/json"
        if self.plain:
            return self.message.encode(), "text/plain; charset=utf-8"
        return msgspec.json.encode({"error": self.error()}), "application/json"


def bad_request(message: str) -> Refusal:
    """400: the request is understood and not allowed."""
    return Refusal(status=400, message=message)


def out_of_range(name: str, allowed: str) -> Refusal:
    """400: a number outside its range."""
    return bad_request(f"Invalid {name} value, the valid range of {name} is {allowed}")


def not_json(why: str) -> Refusal:
    """400: the body is no JSON."""
    return bad_request(f"Failed to parse the request body as JSON: {why}")


def not_deserialized(why: str) -> Refusal:
    """422: JSON, but a field is missing or of the wrong type."""
    return Refusal(status=422, message=f"Failed to deserialize the JSON body into the target type: {why}")


def beta_only(what: str) -> Refusal:
    """400: a feature of the beta base URL asked for elsewhere."""
    message = f'{what} is only available when using beta api (set base_url="https://api.deepseek.com/beta")'
    # The header is our own: a client that was told the sandbox's root learns from it whom it talks to.
    return Refusal(status=400, message=message, headers=(("x-sandbox-beta", "/beta"),))


def unknown_model(name: str, supported: tuple[str, ...] = ()) -> Refusal:
    """400: no such model; today's text names the ones there are."""
    if not supported:
        return bad_request("Model Not Exist")
    return bad_request(f"The supported API model names are {', '.join(supported)}, but you passed {name}.")


def authentication_fails(header: str | None) -> Refusal:
    """401: no key, a malformed header or a wrong key (of which the last four characters are quoted)."""
    if header is None:
        return Refusal(status=401, message="Authentication Fails (governor)", plain=True)
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        why = "Authentication Fails (auth header format should be Bearer sk-...)"
    else:
        why = f"Authentication Fails, Your api key: ****{key.strip()[-4:]} is invalid"
    return Refusal(status=401, message=why, type="authentication_error")


def insufficient_balance() -> Refusal:
    """402: no money left."""
    return Refusal(status=402, message="Insufficient Balance", type="unknown_error")


def no_such_path(path: str, served: str) -> Refusal:
    """404: nothing is served here; the text says what is served."""
    return Refusal(status=404, message=f"Not Found: {path}. {served}")


def nested_too_deeply(what: str) -> Refusal:
    """400: JSON with more levels than can be read."""
    return bad_request(f"{what} is nested too deeply")


def method_not_allowed(method: str, allowed: tuple[str, ...]) -> Refusal:
    """405: the path is served, by another method."""
    names = ", ".join(sorted(allowed))
    return Refusal(
        status=405, message=f"Method {method} is not allowed here; allowed: {names}", headers=(("Allow", names),)
    )


def too_large(limit: int) -> Refusal:
    """413: the body is over the cap (48 MiB, vision page)."""
    return Refusal(status=413, message=f"Request body is larger than {limit} bytes", plain=True)


def unsupported_media_type() -> Refusal:
    """415: the body is not declared as exactly ``application/json``."""
    return Refusal(status=415, message="Expected request with `Content-Type: application/json`", plain=True)


def too_many_requests(current: int, limit: int) -> Refusal:
    """429: more requests in flight than the account's concurrency limit, which only this text tells."""
    return Refusal(
        status=429,
        message=(
            f"Too many requests. Your current concurrency is {current}, which exceeds your concurrency limit of "
            f"{limit} based on your remaining balance. Please top up your balance to raise the limit."
        ),
        type="rate_limit_error",
    )


def server_error() -> Refusal:
    """500: the server failed."""
    return Refusal(status=500, message="Internal Server Error", type="server_error", code="internal_server_error")


def too_busy() -> Refusal:
    """503: overloaded."""
    return Refusal(
        status=503,
        message=(
            "Service is too busy. We advise users to temporarily switch to alternative LLM API service providers."
        ),
        type="service_unavailable_error",
        code="service_unavailable_error",
    )
