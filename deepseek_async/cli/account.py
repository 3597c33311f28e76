"""``deepseek-async models`` and ``deepseek-async balance``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from .endings import told

if TYPE_CHECKING:
    from ..client import AsyncClient

T = TypeVar("T")

BaseURL = Annotated[str | None, typer.Option(help="A server; else DEEPSEEK_BASE_URL, else the API.")]
Sandbox = Annotated[bool, typer.Option("--sandbox", help="Ask an embedded server: no key, no network.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def models(sandbox: Sandbox = False, as_json: AsJSON = False, base_url: BaseURL = None) -> None:
    """List the models, one a line."""
    with told():
        listed = _ask(lambda client: client.models.list(), base_url, sandbox=sandbox)
        if as_json:
            _print_json(listed)
            return
        from .figures import print_models

        print_models(listed)


def balance(sandbox: Sandbox = False, as_json: AsJSON = False, base_url: BaseURL = None) -> None:
    """Show what is left on the account, in each currency."""
    with told():
        left = _ask(lambda client: client.user.balance(), base_url, sandbox=sandbox)
        if as_json:
            _print_json(left)
            return
        from .figures import print_balance

        print_balance(left)


def _ask(question: Callable[[AsyncClient], Awaitable[T]], base_url: str | None, *, sandbox: bool) -> T:
    import asyncio

    from .connecting import client_for

    async def run() -> T:
        async with client_for(base_url, sandbox=sandbox) as client:
            return await question(client)

    return asyncio.run(run())


def _print_json(value: object) -> None:
    from .encoding import print_json
    from .wire import to_json

    print_json(to_json(value))
