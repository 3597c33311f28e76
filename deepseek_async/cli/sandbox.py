"""``deepseek-async sandbox``: the embedded server, for programs in any language."""

from __future__ import annotations

import asyncio
import enum
import errno
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from .endings import FAILED, complain, told

if TYPE_CHECKING:
    from ..sandbox import SandboxServer

_BODY = '{"model": "deepseek-flash", "stream": true, "messages": [{"role": "user", "content": "Why is the sky blue?"}]}'


class Rules(enum.StrEnum):
    """Whose rules are played: those of the 2024 page, or those of the present API."""

    SEED = "seed"
    TODAY = "today"


def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", min=0, max=65_535, help="0: a free one.")] = 8765,
    seed: Annotated[int | None, typer.Option(help="Makes every answer repeatable.")] = None,
    rules: Annotated[
        Rules, typer.Option(help="seed: every parameter acts. today: as far as the present API lets them.")
    ] = Rules.SEED,
    rate: Annotated[float | None, typer.Option(min=0.1, help="Tokens a second of each answer.")] = None,
    latency: Annotated[float, typer.Option(min=0, help="Seconds before an answer's first token.")] = 0.0,
    ceiling: Annotated[int | None, typer.Option(min=0, help="Requests in flight; beyond it, 429.")] = None,
    balance: Annotated[float | None, typer.Option(min=0, help="US dollars to spend; then 402.")] = None,
    api_key: Annotated[str | None, typer.Option(help="The one key that is accepted; else any, and none.")] = None,
    expose: Annotated[bool, typer.Option("--expose", help="Allow a host that other machines can reach.")] = False,
) -> None:
    """Serve the API on this machine until Ctrl-C: no key, no network, an embedded language model.

    The first line on stdout is the base URL, and the only one.
    """
    with told():
        from ..sandbox import SandboxServer, serve  # aiohttp loads here

        try:
            server = SandboxServer(
                host=host,
                port=port,
                seed=seed,
                rules=rules.value,
                rate=rate,
                latency=latency,
                ceiling=ceiling,
                balance=None if balance is None else str(balance),
                api_key=api_key,
                expose=expose,
            )
        except ValueError as error:
            raise typer.BadParameter(str(error).replace("expose=True", "--expose"), param_hint="--host") from None
        try:
            asyncio.run(serve(server, ready=_announce))
        except OSError as error:
            complain(_refused(error, host, port))
            raise typer.Exit(FAILED) from None


def _announce(server: SandboxServer) -> None:
    print(server.base_url, flush=True)
    key = "" if server.api_key is None else f" -H 'Authorization: Bearer {server.api_key}'"
    lines = (
        "",
        "Any client can use it as its base URL, with any API key. Ctrl-C ends it. For example:",
        "",
        f"  export DEEPSEEK_BASE_URL={server.base_url}",
        '  deepseek-async chat "Why is the sky blue?"',
        f"  curl -N {server.base_url}/chat/completions{key} -H 'Content-Type: application/json' \\",
        f"    -d '{_BODY}'",
        "",
    )
    print(*lines, sep="\n", file=sys.stderr, flush=True)


def _refused(error: OSError, host: str, port: int) -> str:
    """Why the server cannot listen there, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken; choose another by --port, or --port 0 for any that is free"
    return f"cannot listen on {host}, port {port}: {error.strerror or error}"
