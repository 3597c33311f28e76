"""The ways to get an answer, each behind the same two questions: read a stream, read an answer in one piece; and the
ways to get the answers of many rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import Any, Protocol

import attrs

from ..wire import Spec


@attrs.frozen
class Tally:
    """What a contestant saw: proof that it did the work. ``None`` where its way does not tell.

    Attributes:
        characters: Of the answer's text.
        chunks: Of the stream.
        alternatives: Tokens among ``top_logprobs`` that were looked at.
    """

    characters: int | None = None
    chunks: int | None = None
    alternatives: int | None = None


class Session(Protocol):
    """A contestant connected to the server; `stream` and `whole` are called many at once."""

    async def stream(self, spec: Spec) -> Tally: ...
    async def whole(self, spec: Spec) -> Tally: ...


class BatchSession(Protocol):
    """A contestant's that can send many rows."""

    async def rows(self, spec: Spec, count: int, at_once: int) -> int:
        """Send so many rows, as many at once, and say how many were answered."""
        ...


Connect = Callable[[str], AbstractAsyncContextManager[Any]]
"""From the server's root URL to a `Session`, which may be a `BatchSession`, too."""

_HOMES = {
    "bare socket": ("bare", "socket_floor"),
    "aiohttp + orjson": ("bare", "with_orjson"),
    "aiohttp + json": ("bare", "with_json"),
    "ours": ("ours", "iterate"),
    "ours, fold": ("ours", "fold"),
    "ours, fold and read logprobs": ("ours", "fold_and_read"),
    "ours, fold and read chosen": ("ours", "fold_and_read_chosen"),
    "ours, text only": ("ours", "text_only"),
    "openai create": ("openai_sdk", "create"),
    "openai .stream()": ("openai_sdk", "stream_helper"),
    "openai create, aiohttp": ("openai_sdk", "create_over_aiohttp"),
    "openai .stream(), aiohttp": ("openai_sdk", "stream_helper_over_aiohttp"),
    "litellm": ("litellm_sdk", "acompletion"),
    "langchain-deepseek": ("langchain_sdk", "chat_deepseek"),
    "pydantic-ai": ("pydantic_ai_sdk", "agent"),
    "mistralai": ("mistralai_sdk", "chat"),
}
NAMES = tuple(_HOMES)


def contestant(name: str) -> Connect:
    """The contestant of that name.

    Raises:
        ImportError: What it needs is not installed.
    """
    module, attribute = _HOMES[name]
    connect: Connect = getattr(import_module(f".{module}", __name__), attribute)
    return connect
