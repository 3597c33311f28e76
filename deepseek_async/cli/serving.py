"""Serving until told to stop, for the commands that are servers."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import typer

from .endings import FAILED, complain


class Server(AbstractAsyncContextManager[Any], Protocol):
    """What listens for the length of an ``async with``."""

    @property
    def base_url(self) -> str:
        """Where it listens, once it does."""


def serve_until_stopped(server: Server, *, host: str, port: int, remarks: Callable[[str], Sequence[str]]) -> None:
    """Serve until Ctrl-C or SIGTERM. The base URL is the first line on stdout, and the only one.

    Args:
        host, port: Where it is to listen, for the message if it cannot.
        remarks: Base URL → lines for the reader, on stderr.

    Raises:
        typer.Exit: It cannot listen there.
    """
    import asyncio

    from ..sandbox import serve

    def announce(listening: Server) -> None:
        print(listening.base_url, flush=True)
        print("", *remarks(listening.base_url), "", sep="\n", file=sys.stderr, flush=True)

    try:
        asyncio.run(serve(server, ready=announce))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            complain(f"port {port} of {host} is taken; choose another by --port, or --port 0 for any that is free")
        else:
            complain(f"cannot listen on {host}, port {port}: {error.strerror or error}")
        raise typer.Exit(FAILED) from None
