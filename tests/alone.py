"""What an installed wheel must do with the source out of sight; run by `make dist` with nothing but the wheel.

Not a test of pytest's: the environment that it runs in has no pytest.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import sys
import sysconfig

import deepseek_async
from deepseek_async import AsyncClient, Conversation, UserMessage
from deepseek_async.sandbox import SandboxServer

EDGES = ("deepseek_async.cli", "deepseek_async.contrib")  # they need what their extras install


def check_place() -> None:
    """It is the installed package that is looked at."""
    assert deepseek_async.__file__.startswith(sysconfig.get_path("purelib")), deepseek_async.__file__


def check_names() -> None:
    """Every public name can be had, and every module imports, with the dependencies alone."""
    for name in deepseek_async.__all__:
        getattr(deepseek_async, name)
    for module in pkgutil.walk_packages(deepseek_async.__path__, "deepseek_async."):
        if not module.name.startswith(EDGES) and not module.name.endswith("__main__"):
            importlib.import_module(module.name)


async def check_use() -> None:
    """The sandbox starts, and an answer comes whole, streamed, and in a conversation."""
    async with SandboxServer(seed=1) as server, AsyncClient(base_url=server.base_url) as client:
        asked = {"model": "deepseek-flash", "messages": [UserMessage("Say: one")]}
        whole = await client.chat.completions.create(**asked)
        async with client.chat.completions.stream(**asked) as stream:
            streamed = await stream.completion()
        assert whole.text == streamed.text == "one"
        assert (await Conversation(client, model="deepseek-flash").say("Say: two")).text == "two"


check_place()
check_names()
asyncio.run(check_use())
print(f"deepseek_async {deepseek_async.__version__} on Python {sys.version.split()[0]}: alone, and well")
