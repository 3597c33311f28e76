"""Whose fault a failure is, the row's or the run's, and whether the server may bill what it never answered.

| how an attempt ended | the run's fault | may be billed |
| --- | --- | --- |
| 401, 402 | yes | no |
| a redirect (3xx), 407, 511 | yes | no |
| no connection that can be had: a certificate not trusted, no valid address, a proxy that says no | yes | no |
| the client was closed; an answer that is no HTTP; a web page instead of an answer | yes | yes |
| no connection for the moment; a ``connect`` timeout | no | no |
| the connection broke; any other timeout; an empty answer or one that cannot be read | no | yes |
| a gateway's 502, 504, 520, 522, 524, 598, 599: what stands behind it may have answered | no | yes |
| any other status; a request that was refused before it was sent | no | no |
"""

from __future__ import annotations

from typing import Final

from ..errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    DeepSeekError,
    InsufficientBalanceError,
    InvalidRequestError,
    MalformedResponseError,
    RateLimitError,
)

# RFC 9110 sections 15.6.3 and 15.6.5; 52x: Cloudflare's "unknown error", "connection timed out", "a timeout occurred";
# 598 and 599: read and connect timeouts of proxies that have no better word.
_GATEWAY_STATUSES: Final = frozenset((502, 504, 520, 522, 524, 598, 599))
# RFC 9110 section 15.5.8, RFC 6585 section 6: a proxy, a captive portal wants to know who asks.
_PORTAL_STATUSES: Final = frozenset((407, 511))
_QUOTA_WORDS: Final = ("insufficient_quota", "quota_exceeded", "exceeded your current quota", "billing_hard_limit")


def is_of_run(error: DeepSeekError) -> bool:
    """Whether every other row would end so, too. Then no row is to blame: all are sent when the run is resumed."""
    match error:
        case AuthenticationError() | InsufficientBalanceError():
            return True
        case APIConnectionError():
            return not error.retryable
        case APIStatusError():
            return 300 <= error.status < 400 or error.status in _PORTAL_STATUSES
        case MalformedResponseError():
            return error.body.lstrip("\ufeff \t\r\n")[:1] == "<"
    return False


def may_be_billed(error: DeepSeekError) -> bool:
    """Whether a server may have answered an attempt that ended so: the request had gone out, and no refusal came."""
    match error:
        case APIConnectionError():
            return error.during == "request"
        case APITimeoutError():
            return error.phase != "connect"
        case APIStatusError():
            return error.status in _GATEWAY_STATUSES
    return not isinstance(error, InvalidRequestError)


def is_quota(error: RateLimitError) -> bool:
    """Whether a refusal says that a quota is used up, which no waiting helps; OpenAI's ``insufficient_quota``, say."""
    said = f"{error.code} {error.type} {error.message}".lower()
    return any(word in said for word in _QUOTA_WORDS)
