"""Whose fault a failure is, the row's or the run's. (Whether it may be billed, the error itself knows: `BILLABLE`.)

| how an attempt ended | the run's fault |
| --- | --- |
| 401, 402 | yes |
| a redirect (3xx), 407, 511 | yes |
| no connection that can be had: a certificate not trusted, no valid address, a proxy that says no | yes |
| the client was closed; an answer that is no HTTP; a web page instead of an answer | yes |
| anything else | no |
"""

from __future__ import annotations

from typing import Final

from ..errors import (
    APIConnectionError,
    APIStatusError,
    AuthenticationError,
    DeepSeekError,
    InsufficientBalanceError,
    MalformedResponseError,
)

# RFC 9110 section 15.5.8, RFC 6585 section 6: a proxy, a captive portal wants to know who asks.
_PORTAL_STATUSES: Final = frozenset((407, 511))


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
