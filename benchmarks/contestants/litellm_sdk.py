"""litellm, by its own way to DeepSeek."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import litellm

from ..wire import Spec, request_of
from . import Tally


class _Client:
    def __init__(self, root: str) -> None:
        self._root = root

    async def _ask(self, spec: Spec, **more: Any) -> Any:
        request = request_of(spec)
        request["model"] = f"deepseek/{request['model']}"
        return await litellm.acompletion(**request, api_base=f"{self._root}/{spec.name}", api_key="sk-0", **more)

    async def stream(self, spec: Spec) -> Tally:
        characters = 0
        async for chunk in await self._ask(spec, stream=True):
            for choice in chunk.choices:
                characters += len(choice.delta.content or "")
        return Tally(characters)  # it leaves empty chunks out

    async def whole(self, spec: Spec) -> Tally:
        return Tally(len((await self._ask(spec)).choices[0].message.content))


@asynccontextmanager
async def acompletion(root: str) -> AsyncIterator[_Client]:
    yield _Client(root)
