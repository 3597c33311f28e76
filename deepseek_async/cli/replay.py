"""``deepseek-async replay``: a recording as a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InvalidRequestError
from .certificates import no_certificates
from .endings import told
from .serving import serve_until_stopped


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A recording.")],
    port: Annotated[int, typer.Option("--port", "-p", min=0, max=65_535, help="0: a free one.")] = 8765,
    at_speed: Annotated[bool, typer.Option("--at-speed", help="As slow as it was; else all at once.")] = False,
) -> None:
    """Serve recorded exchanges on this machine until Ctrl-C. A request that was not recorded is answered 404.

    The first line on stdout is the base URL, and the only one.
    """
    with told():
        with no_certificates():
            from ..sandbox.server.replay import ReplayServer  # aiohttp loads here

        try:
            server = ReplayServer(file, port=port, at_speed=at_speed)
        except InvalidRequestError as error:
            what = f"{file.name} is no recording: expected {error.allowed}"
            raise typer.BadParameter(what, param_hint="FILE") from None
        serve_until_stopped(
            server, host="127.0.0.1", port=port, remarks=lambda _: (f"Playing {file}. Ctrl-C ends it.",)
        )
