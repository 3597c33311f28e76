"""LangChain's DeepSeek model: `astream` and `ainvoke`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from langchain_deepseek import ChatDeepSeek

from ..wire import Spec, request_of
from . import Tally


class _Models:
    """A model for each base URL, since the URL names the answer."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._models: dict[str, tuple[ChatDeepSeek, list[dict[str, Any]]]] = {}

    def _of(self, spec: Spec) -> tuple[ChatDeepSeek, list[dict[str, Any]]]:
        if spec.name not in self._models:
            request = request_of(spec)
            messages = request.pop("messages")
            model = ChatDeepSeek(**request, base_url=f"{self._root}/{spec.name}", api_key="sk-0", max_retries=0)
            self._models[spec.name] = model, messages
        return self._models[spec.name]

    async def stream(self, spec: Spec) -> Tally:
        model, messages = self._of(spec)
        characters = 0
        async for chunk in model.astream(messages):
            characters += len(chunk.content)
        return Tally(characters)  # it adds a chunk of its own at the end

    async def whole(self, spec: Spec) -> Tally:
        model, messages = self._of(spec)
        return Tally(len((await model.ainvoke(messages)).content))


@asynccontextmanager
async def chat_deepseek(root: str) -> AsyncIterator[_Models]:
    yield _Models(root)
