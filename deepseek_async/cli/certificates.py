"""Starting a server that speaks plain HTTP without reading the certificates of the world."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_PLACES = ("SSL_CERT_FILE", "SSL_CERT_DIR")  # where OpenSSL looks, if they are set


@contextmanager
def no_certificates() -> Iterator[None]:
    """Have a first import of aiohttp load no certificates; for commands that never leave this machine.

    aiohttp makes its TLS contexts when it is imported. With the system's certificates that takes 45 ms of its 105,
    which is what the first answer of a sandbox waits for.
    """
    before = {name: os.environ.get(name) for name in _PLACES}
    os.environ.update(dict.fromkeys(_PLACES, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
