"""What an `AsyncClient` is made of: where to send, as whom, and what must not leave the machine."""

from __future__ import annotations

import ipaddress
import os
import platform
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from ... import __version__
from ...errors import InvalidRequestError
from ...types.secrecy import Secret, hide, kind_of, without_password

OFFICIAL_BASE_URL: Final = "https://api.deepseek.com"
API_KEY_VARIABLE: Final = "DEEPSEEK_API_KEY"
BASE_URL_VARIABLES: Final = ("DEEPSEEK_BASE_URL", "DEEPSEEK_API_BASE")  # the second as litellm calls it

_USER_AGENT: Final = f"deepseek_async/{__version__} Python/{platform.python_version()}"

# Headers that neither a client nor a call sets: they frame the request.
_OWN_HEADERS = frozenset(("content-length", "transfer-encoding", "host", "content-type", "accept-encoding"))
_FORBIDDEN = re.compile(r"[\0-\x08\x0a-\x1f\x7f\ud800-\udfff]")


_ALONE: Final = "the key alone: 'Bearer ' is put before it"
_ADDRESS: Final = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?(/[\w./-]{0,200})?"
)


class Endpoint(msgspec.Struct, frozen=True):
    """Where requests go.

    Attributes:
        base_url: Without a slash at its end.
        beta_base_url: For fill-in-the-middle, prefix completion and strict functions: the ``/beta`` beside the base
            URL where it is known to be, else the base URL (vLLM, SGLang, llama.cpp serve all there).
        is_loopback: Whether the server is on this machine.
        is_official: Whether it is DeepSeek's own.
        may_be_sandbox: Whether nobody has said anything of ``/beta``, and a sandbox may say that it has it.
        query: What follows the path of every request; Azure wants its ``api-version`` there.
    """

    base_url: str
    beta_base_url: str
    is_loopback: bool
    query: str = ""
    may_be_sandbox: bool = False
    is_official: bool = False

    def url(self, path: str, *, is_beta: bool = False) -> str:
        """Where a request for that path goes."""
        url = (self.beta_base_url if is_beta else self.base_url) + path
        return f"{url}?{self.query}" if self.query else url

    @property
    def address(self) -> str:
        """The base URL with its query, from which the same endpoint can be made again."""
        return self.url("")

    @property
    def has_beta(self) -> bool:
        """Whether strict functions may be served: beside the base URL, or under it."""
        return self.beta_base_url != self.base_url or self.base_url.endswith("/beta")

    def with_beta(self) -> Endpoint:
        """The same, with ``/beta`` beside it."""
        return msgspec.structs.replace(self, beta_base_url=f"{self.base_url}/beta", may_be_sandbox=False)


# What examples of requests have behind the base URL, and is copied with it.
_ADDED = ("/chat/completions", "/completions", "/models")


def endpoint_of(base_url: str | None, *, allow_insecure: bool, has_beta: bool | None = None) -> Endpoint:
    """The endpoint of a base URL; ``None``: DEEPSEEK_BASE_URL, else the official one.

    Args:
        has_beta: Whether the server has DeepSeek's ``/beta``; ``None``: the official one and the sandbox have.

    Raises:
        InvalidRequestError: No http(s) URL, or plain http to another machine without ``allow_insecure``.
    """
    source, base_url = "base_url", hide(base_url)
    if base_url is None:
        base_url = OFFICIAL_BASE_URL
        for variable in BASE_URL_VARIABLES:
            if said := os.environ.get(variable, "").strip():
                source, base_url = variable, hide(said)
                break
    if not isinstance(base_url, str):
        raise InvalidRequestError(source, None, f"a URL as a string, not {kind_of(base_url)}")
    endpoint = _endpoint(str(base_url), source, allow_insecure=allow_insecure, has_beta=has_beta)
    if isinstance(endpoint, InvalidRequestError):  # raised here, where nothing shows what may stand in a wrong URL
        raise endpoint
    return endpoint


def _endpoint(
    base_url: str, source: str, *, allow_insecure: bool, has_beta: bool | None
) -> Endpoint | InvalidRequestError:
    try:
        parts = urlsplit(base_url.strip())
        host, _ = parts.hostname, parts.port  # the port is parsed here, and may be none
    except ValueError:
        host = None
    shown = without_password(base_url).partition("?")[0]
    if not host or parts.scheme not in ("http", "https"):
        likely = "" if "@" in base_url else _with_scheme(shown)
        return InvalidRequestError(source, shown, f"an http:// or https:// URL with a host{likely}")
    if parts.fragment:
        return InvalidRequestError(source, shown, "a URL without a fragment")
    if any(_is_secret(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        return InvalidRequestError(source, shown, "a query without a key in it, which logs would show: see api_key")
    if parts.username or parts.password:
        return InvalidRequestError(source, None, "a URL without user and password; the key goes into api_key")
    is_loopback = _is_loopback(host)
    if parts.scheme == "http" and not is_loopback and not allow_insecure:
        return InvalidRequestError(
            source, base_url, "https://; plain http shows the key and the prompts to the network (allow_insecure=True)"
        )
    path = parts.path.rstrip("/")
    if (added := next(filter(path.endswith, _ADDED), None)) is not None:
        likely = shown.rstrip("/").removesuffix(added)
        return InvalidRequestError(source, shown, f"a URL without {added}, which is added to it: {likely}")
    root = f"{parts.scheme}://{parts.netloc}"
    is_official = host.rstrip(".") == "api.deepseek.com" and path in ("", "/v1", "/beta")
    may_be_sandbox = has_beta is None and not is_official and not path
    is_beside = (is_official if has_beta is None else has_beta) and not path.endswith("/beta")
    beta = f"{root}{path.removesuffix('/v1')}/beta" if is_beside else root + path
    return Endpoint(root + path, beta, is_loopback, parts.query, may_be_sandbox, is_official)


def _with_scheme(shown: str) -> str:
    """What is likely meant by an address without its scheme, such as ``localhost:8000``."""
    host = _ADDRESS.fullmatch(shown)
    if host is None or not ("." in host[1] or host[1] == "localhost" or host[2]):
        return ""
    scheme = "http" if _is_loopback(host[1].strip("[]")) else "https"
    return f"; did you mean {scheme}://{shown}?"


def _is_secret(name: str) -> bool:
    """Whether a parameter of a URL seems to let its bearer in."""
    return any(word in name.lower() for word in ("key", "token", "secret", "password", "sig", "auth"))


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    # 0.0.0.0 is what vLLM and others print as their own address; a connection to it goes to this machine.
    return any(each.is_loopback or each.is_unspecified for each in (address, mapped) if each is not None)


def key_of(api_key: str | None, endpoint: Endpoint, *, is_needed: bool = True) -> str | None:
    """The key to send; ``None``: none, which only a server on this machine is trusted to want.

    Args:
        is_needed: Whether another server is to be asked at all.

    Raises:
        InvalidRequestError: There is no key, or one that no header can carry.
    """
    source, api_key = "api_key", hide(api_key)
    if api_key is None:
        api_key = hide(os.environ.get(API_KEY_VARIABLE))
        source = API_KEY_VARIABLE
    if api_key is not None and not isinstance(api_key, str):
        raise InvalidRequestError(source, None, f"a string, not {kind_of(api_key)}")
    if api_key is None or not api_key.strip():
        if endpoint.is_loopback or not is_needed:
            return None
        ways = f"the argument api_key, or {API_KEY_VARIABLE} in the environment"
        without = f"a server on loopback, such as the sandbox, needs none: base_url, or {BASE_URL_VARIABLES[0]}"
        raise InvalidRequestError("api_key", None, ways, message=f"there is no API key: give {ways}; {without}")
    api_key = hide(api_key.strip())
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        is_header = api_key.lower().startswith("bearer ")
        raise InvalidRequestError(source, None, _ALONE if is_header else "printable ASCII without spaces")
    return api_key


def headers_of(given: Mapping[str, str] | None, parameter: str) -> dict[str, str]:
    """Headers of the caller's, names in lower case; the values do not show in their reprs.

    Raises:
        InvalidRequestError: A name or value that HTTP cannot carry, or a header that is not the caller's to set.
    """
    headers: dict[str, str] = {}
    given = hide(given)
    if given is not None and not isinstance(given, Mapping):
        raise InvalidRequestError(parameter, None, f"a mapping, not {kind_of(given)}")
    for name, value in (given or {}).items():
        if not isinstance(name, str) or not name.isascii() or not name or any(c <= " " or c == ":" for c in name):
            raise InvalidRequestError(parameter, name, "names of printable ASCII without spaces and colons")
        if not isinstance(value, str) or _FORBIDDEN.search(value):
            raise InvalidRequestError(
                f"{parameter}[{name!r}]", None, "a string of one line, without control characters and lone surrogates"
            )
        if name.lower() in _OWN_HEADERS:
            raise InvalidRequestError(f"{parameter}[{name!r}]", None, "headers other than those that frame the request")
        headers[name.lower()] = value
    return headers


def base_headers(key: str | None, given: dict[str, str]) -> dict[str, str]:
    """The headers of every request. Compression is not asked for: it delays a stream and can hide a bomb."""
    headers = {"accept-encoding": "identity", "user-agent": _USER_AGENT}
    if key is not None:
        headers["authorization"] = Secret(f"Bearer {key}")
    headers.update(given)
    return headers
