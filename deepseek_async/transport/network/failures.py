"""aiohttp's exceptions → the errors of ours that say whether the server can have seen the request."""

from __future__ import annotations

import os
import socket
import ssl

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from ...errors import APIConnectionError, DeepSeekError, ResponseTooLargeError

# A field or the status line of a head that is larger is refused: the cap on what a server may make us hold before the
# body. aiohttp allows 128 fields.
MAX_HEADER_BYTES = 16_384


class StaleConnectionError(Exception):
    """A connection that had served before broke before any byte of this answer."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def is_stale(error: Exception) -> bool:
    """Whether a reused connection that failed so was closed by the server before it saw the request."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return isinstance(error.message, str)  # else it is the part of a head that had come
    return isinstance(error, aiohttp.ClientOSError | OSError) and not isinstance(error, TimeoutError)


def closed() -> APIConnectionError:
    """The client, or the session that was given, was closed under a request."""
    return APIConnectionError("the client was closed while the request was in flight", retryable=False)


def failure_of(error: Exception, url: str) -> DeepSeekError:
    """Why no head came from a URL."""
    place = _origin(url)
    connecting = isinstance(
        error, aiohttp.ClientConnectorError | aiohttp.ClientHttpProxyError | aiohttp.ConnectionTimeoutError
    )
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        why = f"the certificate of {place} is not trusted: {_why(error)}"
        return APIConnectionError(why, during="connect", retryable=False)
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError | UnicodeError):
        return APIConnectionError(f"no valid address: {place}", during="connect", retryable=False)
    if connecting:
        return APIConnectionError(f"cannot connect to {place}: {_why(error)}", during="connect")
    if isinstance(error, aiohttp.ClientResponseError | HttpProcessingError):
        if _is_too_large(error):
            return ResponseTooLargeError(
                f"a line of the head from {place} is larger than the cap of {MAX_HEADER_BYTES:,} bytes",
                limit=MAX_HEADER_BYTES,
            )
        return APIConnectionError(f"{place} does not answer in HTTP: {_why(error)}", retryable=False)
    return APIConnectionError(broke_before(error, url))


def _is_too_large(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, LineTooLong):
        error = error.__cause__
    return error is not None


def broke_before(error: Exception, url: str) -> str:
    """In words: the connection is gone, and no answer had begun."""
    return f"the connection to {_origin(url)} broke before the answer: {_why(error)}"


def broke_off(error: Exception) -> APIConnectionError:
    """The connection is gone, and a part of the answer is there."""
    return APIConnectionError(f"the connection broke while the answer came: {_why(error)}")


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


def _why(error: BaseException) -> str:
    cause = getattr(error, "os_error", None) or error
    if isinstance(cause, OSError) and cause.errno is not None and not isinstance(cause, ssl.SSLError):
        # asyncio says "[Errno 111] Connect call failed ('127.0.0.1', 8000)" where the system says "Connection refused".
        is_of_system = cause.errno > 0 and not isinstance(cause, socket.gaierror)
        return os.strerror(cause.errno) if is_of_system else str(cause.strerror)
    text = cause.message if isinstance(cause, aiohttp.ClientResponseError | HttpProcessingError) else str(cause)
    return " ".join(text.split())[:200] or type(cause).__name__
