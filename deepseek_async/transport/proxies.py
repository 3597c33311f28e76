"""Which proxy a request goes through, and which are none.

The environment's proxies are looked up once for each address, not at each request: aiohttp's own ``trust_env`` costs
two threads' work a request, and reads ~/.netrc, whose entry for the host would stand against the key.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ..errors import APIConnectionError, InvalidRequestError
from ..types.secrecy import Secret, hide, without_password

_SOCKS = (
    "a SOCKS proxy needs a session of yours, such as "
    "aiohttp.ClientSession(connector=aiohttp_socks.ProxyConnector.from_url(url)), given as session="
)


def checked_proxy(proxy: str | None, parameter: str = "proxy") -> str | None:
    """The URL of a proxy, as it is used; ``None``: there is none.

    Raises:
        InvalidRequestError: It is none of HTTP's; the message shows no password.
    """
    if proxy is None:
        return None
    proxy = Secret(proxy)
    wrong = _what_is_wrong(str(proxy).strip())
    if wrong is not None:  # raised here, where no variable shows the password
        raise InvalidRequestError(parameter, without_password(proxy) or None, wrong)
    return Secret(proxy.strip())


def _what_is_wrong(proxy: str) -> str | None:
    allowed = "http://host:port or https://host:port, with user:password@ before the host if it wants them"
    if not proxy:
        return f"{allowed}; None for no proxy"
    scheme = proxy.partition("://")[0].lower()
    if scheme.startswith("socks"):
        return f"{allowed}; {_SOCKS}"
    if scheme not in ("http", "https") or any(c <= " " or c == "\x7f" for c in proxy):
        return allowed
    try:
        parts = urlsplit(proxy)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is no number or too large, brackets that do not close
        return allowed
    is_address = host and port != 0 and parts.path in ("", "/") and not parts.query and not parts.fragment
    return None if is_address else allowed


def environment_proxies() -> Callable[[str], str | None]:
    """A function that says by which proxy's URL a URL is reached; ``None``: directly.

    HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case; on macOS and Windows the system's settings too.
    It raises `APIConnectionError` where the proxy is not one of HTTP's.
    """
    proxies = {name: hide(value) for name, value in getproxies().items()}
    exempt = [entry for entry in str(proxies.get("no", "")).replace(",", " ").split() if entry]
    known: dict[tuple[str, str], str | None] = {}

    def proxy_for(url: str) -> str | None:
        parts = urlsplit(url)
        origin = (parts.scheme, parts.netloc)
        if origin not in known:
            proxy = proxies.get(parts.scheme) or proxies.get("all")
            try:
                host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
            except ValueError:
                return None  # no address: whoever connects will say so
            is_exempt = not proxy or is_exempt_from_proxies(host, port, exempt) or bool(proxy_bypass(host))
            known[origin] = None if is_exempt else _http_proxy(str(proxy))
        return known[origin]

    return proxy_for


def is_exempt_from_proxies(host: str, port: int, entries: Iterable[str]) -> bool:
    """Whether NO_PROXY names a host.

    Args:
        host: A name or an address, without brackets.
        port: Where on it.
        entries: ``*``; a name, which stands for all below it, too; ``.name``; ``*.name`` for all below it; an address;
            a network as ``10.0.0.0/8``. Each but a network may have ``:port``, and counts for that port only.
    """
    host = host.lower().rstrip(".")
    return any(_names(entry.strip().lower(), host, port) for entry in entries)


def _names(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    address = _address(host)
    try:
        network = ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    else:
        return address is not None and address.version == network.version and address in network
    name, separator, its_port = entry.rpartition(":")
    if separator and its_port.isascii() and its_port.isdigit():
        if int(its_port[:6]) != port:
            return False
        entry = name
    if (its_address := _address(entry.strip("[]"))) is not None:
        return its_address == address
    if entry.startswith("*."):
        return host.endswith(entry[1:])
    entry = entry.strip(".")
    return bool(entry) and (host == entry or host.endswith(f".{entry}"))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _http_proxy(proxy: str) -> str:
    proxy = Secret(proxy.strip() if "://" in proxy else f"http://{proxy.strip()}")
    wrong = _what_is_wrong(str(proxy))
    if wrong is not None:  # going around it could show the address to those it hides it from
        raise APIConnectionError(
            f"the environment's proxy {without_password(proxy)} cannot be used; allowed: {wrong}; "
            "trust_env=False goes directly",
            during="connect",
            reason="address",
        )
    return proxy
