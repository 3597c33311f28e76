"""``deepseek-async sandbox``: the embedded server, for programs in any language."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Annotated

import typer

from .certificates import no_certificates
from .endings import told
from .serving import serve_until_stopped

_BODY = '{"model": "deepseek-flash", "stream": true, "messages": [{"role": "user", "content": "Why is the sky blue?"}]}'


class Rules(enum.StrEnum):
    """Whose rules are played: those of the 2024 page, or those of the present API."""

    SEED = "seed"
    TODAY = "today"


class Heads(enum.StrEnum):
    """When the head of a 200 is sent."""

    EARLY = "early"
    LATE = "late"


def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", min=0, max=65_535, help="0: a free one.")] = 8765,
    seed: Annotated[int | None, typer.Option(help="Makes every answer repeatable.")] = None,
    rules: Annotated[
        Rules, typer.Option(help="seed: every parameter acts. today: as far as the present API lets them.")
    ] = Rules.SEED,
    rate: Annotated[float | None, typer.Option(min=0.1, help="Tokens a second of each answer.")] = None,
    latency: Annotated[float, typer.Option(min=0, help="Seconds before an answer's first token.")] = 0.0,
    heads: Annotated[
        Heads, typer.Option(help="When a 200's head is sent. early: at once. late: with the first token.")
    ] = Heads.EARLY,
    beta_everywhere: Annotated[
        bool, typer.Option("--beta-everywhere", help="Serve FIM, prefix completion and strict tools outside /beta too.")
    ] = False,
    prefix_cache: Annotated[
        bool, typer.Option("--prefix-cache/--no-prefix-cache", help="Count prompts seen before as cache hits.")
    ] = True,
    keep_requests: Annotated[int, typer.Option(min=0, help="How many requests are remembered.")] = 1000,
    ceiling: Annotated[int | None, typer.Option(min=0, help="Requests in flight; beyond it, 429.")] = None,
    balance: Annotated[float | None, typer.Option(min=0, help="US dollars to spend; then 402.")] = None,
    api_key: Annotated[str | None, typer.Option(help="The one key that is accepted; else any, and none.")] = None,
    expose: Annotated[bool, typer.Option("--expose", help="Allow a host that other machines can reach.")] = False,
) -> None:
    """Serve the API on this machine until Ctrl-C: no key, no network, an embedded language model.

    The first line on stdout is the base URL, and the only one.
    """
    with told():
        with no_certificates():
            from ..sandbox import SandboxServer  # aiohttp loads here

        try:
            server = SandboxServer(
                host=host,
                port=port,
                seed=seed,
                rules=rules.value,
                rate=rate,
                latency=latency,
                heads=heads.value,
                beta_everywhere=beta_everywhere,
                prefix_cache=prefix_cache,
                keep_requests=keep_requests,
                ceiling=ceiling,
                balance=None if balance is None else str(balance),
                api_key=api_key,
                expose=expose,
            )
        except ValueError as error:
            message = str(error).replace("pass expose=True", "add --expose")
            raise typer.BadParameter(message, param_hint="--host") from None
        serve_until_stopped(server, host=host, port=port, remarks=lambda url: _remarks(url, api_key))


def _remarks(base_url: str, api_key: str | None) -> Sequence[str]:
    key = "any API key" if api_key is None else f"the API key {api_key}"
    header = "" if api_key is None else f" -H 'Authorization: Bearer {api_key}'"
    return (
        f"Any client can have it as its base URL, with {key}. Ctrl-C ends it.",
        f"A browser shows the requests as they come: {base_url}/",
        "For example:",
        "",
        f"  export DEEPSEEK_BASE_URL={base_url}",
        '  deepseek-async chat "Why is the sky blue?"',
        "",
        f"  curl -N {base_url}/chat/completions -H 'Content-Type: application/json'{header} \\",
        f"    -d '{_BODY}'",
    )
