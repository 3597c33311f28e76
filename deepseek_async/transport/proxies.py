"""Which proxy of the environment's a request goes through.

Looked up once for each address, not at each request: aiohttp's own ``trust_env`` costs two threads' work a request,
and reads ~/.netrc, whose entry for the host would stand against the key.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ..errors import APIConnectionError


def environment_proxies() -> Callable[[str], str | None]:
    """A function that says by which proxy's URL a URL is reached; ``None``: directly.

    HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case; on macOS and Windows the system's settings too.
    It raises `APIConnectionError` where the proxy is not one of HTTP's.
    """
    proxies = getproxies()
    known: dict[tuple[str, str], str | None] = {}

    def proxy_for(url: str) -> str | None:
        parts = urlsplit(url)
        origin = (parts.scheme, parts.netloc)
        if origin not in known:
            proxy = proxies.get(parts.scheme) or proxies.get("all")
            is_exempt = not proxy or proxy_bypass(parts.netloc) or proxy_bypass(parts.hostname or "")
            known[origin] = None if is_exempt else _http_proxy(str(proxy))
        return known[origin]

    return proxy_for


def _http_proxy(proxy: str) -> str:
    scheme, separator, rest = proxy.partition("://")
    if not separator:
        return f"http://{proxy}"
    if scheme not in ("http", "https"):  # going around it could show the address to those it hides it from
        host = rest.rpartition("@")[2]
        raise APIConnectionError(
            f"the environment's proxy {scheme}://{host} is none of HTTP's; give a session with a connector for it, "
            "or trust_env=False to go directly",
            during="connect",
            retryable=False,
        )
    return proxy
