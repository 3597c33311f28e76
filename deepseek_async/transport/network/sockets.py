"""Sockets that notice when nobody is at their other end.

An answer in one piece comes after minutes of silence. Meanwhile gateways forget connections that say nothing (Azure's
after four minutes, AWS's after under six), and networks go away: without a word from the kernel, a client would wait
for as long as its deadlines allow. TCP's own keep-alives cost nothing, say something twice a minute, and end a
connection whose other side does not acknowledge them.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any, Final

SILENT_SECONDS: Final = 30
PROBE_SECONDS: Final = 15
PROBES: Final = 4
"""A connection is given up 90 s after the last sign of life: sooner than the default ``idle`` of 120 s would."""

_OPTIONS: Final = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in (
            ("TCP_KEEPIDLE", SILENT_SECONDS),
            ("TCP_KEEPALIVE", SILENT_SECONDS),  # macOS's name of the same
            ("TCP_KEEPINTVL", PROBE_SECONDS),
            ("TCP_KEEPCNT", PROBES),
        )
        if hasattr(socket, name)
    ),
]


def make_socket(address: tuple[Any, ...]) -> socket.socket:
    """A socket for an address as `socket.getaddrinfo` gives it."""
    made = socket.socket(*address[:3])
    for option in _OPTIONS:
        with suppress(OSError):  # of a system that has the name and not the thing
            made.setsockopt(*option)
    return made
