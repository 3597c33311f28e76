"""``python -m deepseek_async.sandbox``: the server alone, with nothing to import but what serves.

``deepseek-async sandbox`` is the same with more comfort, and needs the ``cli`` extra.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys


def main(arguments: list[str] | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM. The base URL is the only line on stdout."""
    gc.set_threshold(100_000, 50, 100)  # what is imported stays; looking through it for cycles takes a tenth of a start
    parser = argparse.ArgumentParser(prog="python -m deepseek_async.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--seed", type=int, help="makes every answer repeatable")
    parser.add_argument("--rules", choices=("seed", "today"), default="seed", help="the page of 2024, or today's API")
    parser.add_argument("--rate", type=float, help="tokens a second of each answer")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before an answer's first token")
    parser.add_argument("--heads", choices=("early", "late"), default="early", help="when a 200's head is sent")
    parser.add_argument(
        "--beta-everywhere",
        action="store_true",
        help="serve FIM, prefixes and strict tools outside /beta too",
    )
    parser.add_argument(
        "--no-prefix-cache", dest="prefix_cache", action="store_false", help="count no prompt as a cache hit"
    )
    parser.add_argument("--ceiling", type=int, help="requests in flight; beyond it, 429")
    parser.add_argument("--balance", help="US dollars to spend; then 402")
    parser.add_argument("--api-key", help="the one key that is accepted; else any, and none")
    parser.add_argument("--keep-requests", type=int, default=1000, help="how many requests are remembered")
    parser.add_argument("--expose", action="store_true", help="allow a host that other machines can reach")
    options = vars(parser.parse_args(arguments))

    # This process never leaves the machine; reading the certificates of the world takes aiohttp 45 ms at its import.
    os.environ.update(SSL_CERT_FILE=os.devnull, SSL_CERT_DIR=os.devnull)
    from .server.foreground import serve
    from .server.server import SandboxServer

    try:
        server = SandboxServer(**options)
    except ValueError as error:
        parser.error(str(error).replace("pass expose=True", "add --expose"))
    try:
        asyncio.run(serve(server, ready=lambda it: print(it.base_url, flush=True)))  # noqa: T201
    except OSError as error:
        sys.exit(f"error: cannot listen on {options['host']}, port {options['port']}: {error.strerror or error}")


if __name__ == "__main__":
    main()
