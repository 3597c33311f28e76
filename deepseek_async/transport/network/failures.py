"""aiohttp's exceptions → errors of ours that say who failed, and whether the server can have seen the request.

The proxy's failures are told of the proxy, by its address without its password. What nobody has thought of becomes an
error of ours with the exception as its cause.
"""

from __future__ import annotations

import os
import socket
import ssl
from typing import Final

import aiohttp
import attrs
from aiohttp.http_exceptions import BadStatusLine, HttpProcessingError, LineTooLong, PayloadEncodingError

from ...errors import APIConnectionError, DeepSeekError, ResponseTooLargeError
from ...types.secrecy import without_password

# A field or the status line of a head that is larger, or a head of more fields, is refused: the cap on what a server
# may make us hold before the body.
MAX_HEADER_BYTES = 16_384
MAX_HEADER_FIELDS: Final = 128  # aiohttp's own

BADLY_FRAMED: Final = "the body is not framed as HTTP wants it"
# What a proxy answers to CONNECT where the way beyond it fails: another attempt may find it mended.
_BEYOND_THE_PROXY = (500, 502, 503, 504)


@attrs.frozen
class Way:
    """How far a request had come when it failed.

    Attributes:
        url: Where it was to go.
        proxy: The proxy's URL; ``None``: there is none.
        is_connecting: Whether a connection was being made, so that nothing of the request had been sent.
    """

    url: str
    proxy: str | None = attrs.field(default=None, repr=False)
    is_connecting: bool = False

    @property
    def server(self) -> str:
        return "/".join(self.url.split("/")[:3])

    @property
    def peer(self) -> str:
        """Who answers on the connection: behind CONNECT the server, which is reached by TLS; else the proxy."""
        if self.proxy is not None and (self.is_connecting or not self.url.startswith("https:")):
            return f"the proxy {without_password(self.proxy).rstrip('/')}"
        return self.server


def may_be_stale(error: Exception) -> bool:
    """Whether a connection that failed so has brought no byte of an answer."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return isinstance(error.message, str)  # else it is the part of a head that had come
    return isinstance(error, aiohttp.ClientOSError | OSError) and not isinstance(error, TimeoutError)


def closed() -> APIConnectionError:
    """The client, or the session that was given, was closed under a request."""
    return APIConnectionError("the client was closed while the request was in flight", reason="closed")


def failure_of(error: Exception, way: Way) -> DeepSeekError:
    """Why no head came. Holds nothing of the exception, which may hold headers, unless nobody has thought of it."""
    peer = way.peer
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError | UnicodeError):
        return APIConnectionError(f"no valid address: {way.server}", during="connect", reason="address")
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return _refused_by_proxy(error.status, error.message, way)
    if isinstance(error, aiohttp.ClientConnectorError):
        peer = _peer_of(error, way)
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        why = f"the certificate of {peer} is not trusted: {_why(error)}"
        return APIConnectionError(why, during="connect", reason="untrusted")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return APIConnectionError(f"cannot connect to {peer}: {_why(error)}{_advice(error, way)}", during="connect")
    if isinstance(error, aiohttp.ClientResponseError | HttpProcessingError):
        if _is_of(error, LineTooLong):
            return ResponseTooLargeError(
                f"a line of the head from {peer} is larger than the cap of {MAX_HEADER_BYTES:,} bytes",
                limit=MAX_HEADER_BYTES,
            )
        if "too many headers" in _why(error).lower():  # its words are all that tells
            return ResponseTooLargeError(
                f"the head from {peer} has more than {MAX_HEADER_FIELDS} fields", limit=MAX_HEADER_FIELDS
            )
        if _is_of(error, PayloadEncodingError) or _is_of_chunks(
            error
        ):  # the head was good, and the body came in the same packet
            return broke_off(aiohttp.ClientPayloadError(BADLY_FRAMED))
        why = f"{peer} does not answer in HTTP: {_why(error)}"
        return APIConnectionError(why, during="connect" if way.is_connecting else "request", reason="protocol")
    if isinstance(error, aiohttp.ClientError | OSError):
        if way.is_connecting:
            why = f"cannot connect to {peer}: {_why(error)}"
            if way.proxy is not None:
                why = f"{peer} broke the connection while it was to connect to {way.server}: {_why(error)}"
            return APIConnectionError(why + _advice(error, way), during="connect")
        return APIConnectionError(f"the connection to {peer} broke before the answer: {_why(error)}")
    return _unforeseen(error, way)


def _advice(error: Exception, way: Way) -> str:
    """What to do about it, where that is likely."""
    cause = getattr(error, "os_error", None) or error
    if isinstance(cause, ssl.SSLError) and "WRONG_VERSION_NUMBER" in str(cause) and way.proxy is None:
        return f" (the port seems to speak plain http: set base_url to {way.server.replace('https:', 'http:', 1)})"
    if way.proxy is not None:
        return " (see proxy=, the environment's HTTPS_PROXY and HTTP_PROXY, and trust_env=False, which heeds neither)"
    if isinstance(cause, socket.gaierror):
        return " (check base_url and the network)"
    if isinstance(cause, ConnectionRefusedError):
        return " (is the server running, and base_url its address?)"
    return ""


def _peer_of(error: aiohttp.ClientConnectorError, way: Way) -> str:
    """Whom no connection could be made to: the exception names the host, and the proxy may be it."""
    if way.proxy is not None:
        host = without_password(way.proxy).partition("://")[2].rstrip("/").lower()
        if isinstance(error, aiohttp.ClientProxyConnectionError) or host.rpartition(":")[0] == error.host.lower():
            return f"the proxy {without_password(way.proxy).rstrip('/')}"
    return way.server


def _refused_by_proxy(status: int, reason: str, way: Way) -> APIConnectionError:
    proxy = f"the proxy {without_password(way.proxy).rstrip('/')}" if way.proxy is not None else "the proxy"
    why = f"{proxy} does not connect to {way.server}: {status} {' '.join(reason.split())[:100]}".rstrip()
    if status in (401, 407):  # tinyproxy answers a wrong password with 401
        why += " (user and password go into the proxy's URL)"
    return APIConnectionError(why, during="connect", reason="network" if status in _BEYOND_THE_PROXY else "proxy")


def _unforeseen(error: Exception, way: Way) -> APIConnectionError:
    """An exception of somebody's that aiohttp has not made its own: a connector of the caller's, for instance."""
    place = "no connection to" if way.is_connecting else "the request failed on its way to"
    failure = APIConnectionError(
        f"{place} {way.server}: {type(error).__name__}: {_why(error)}",
        during="connect" if way.is_connecting else "request",
    )
    failure.__cause__ = error.with_traceback(None)  # its frames hold the request, and with it the key
    error.__context__ = None
    return failure


def _is_of(error: BaseException | None, kind: type[Exception]) -> bool:
    while error is not None and not isinstance(error, kind):
        error = error.__cause__
    return error is not None


def _is_of_chunks(error: Exception) -> bool:
    """Whether aiohttp's parser complains of a chunk of a body; its words are all that tells."""
    text = "" if isinstance(error, BadStatusLine) else _why(error)
    return "chunk" in text.lower() and not _is_of(error, BadStatusLine)


def broke_off(error: Exception) -> APIConnectionError:
    """The connection is gone, and a part of the answer is there."""
    return APIConnectionError(f"the connection broke while the answer came: {_why(error)}")


# In aiohttp's words for a body that is not whole stands a status that nobody sent: "TransferEncodingError: 400".
_CUT_BODIES = {
    "TransferEncodingError": "its last chunk is missing",
    "ContentLengthError": "it is shorter than its Content-Length says",
    "Response payload is not completed": "it is not whole",
}


def _why(error: BaseException) -> str:
    cause = getattr(error, "os_error", None) or error
    if isinstance(cause, OSError) and cause.errno is not None and not isinstance(cause, ssl.SSLError):
        # asyncio says "[Errno 111] Connect call failed ('127.0.0.1', 8000)" where the system says "Connection refused".
        is_of_system = cause.errno > 0 and not isinstance(cause, socket.gaierror)
        return os.strerror(cause.errno) if is_of_system else str(cause.strerror)
    if isinstance(cause, aiohttp.ServerDisconnectedError) and not isinstance(cause.message, str):
        return "its head is cut"
    text = cause.message if isinstance(cause, aiohttp.ClientResponseError | HttpProcessingError) else str(cause)
    if not text and cause.__cause__ is not None:
        return _why(cause.__cause__)
    if isinstance(cause, aiohttp.ClientPayloadError):
        text = next((said for name, said in _CUT_BODIES.items() if name in text), text)
    return " ".join(text.split())[:200] or type(cause).__name__
