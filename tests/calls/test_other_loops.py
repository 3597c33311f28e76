"""Under another event loop than asyncio's, a call says so at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deepseek_async import AsyncClient

ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "x"}]}


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.chat.completions.create(**ASK),
        lambda client: client.chat.completions.create(**ASK, stream=True),
        lambda client: client.chat.completions.stream(**ASK).completion(),
        lambda client: client.user.balance(),
        lambda client: client.completions.create(model="m", prompt="x"),
    ],
)
def test_it_is_told(call: Callable[[AsyncClient], Any]) -> None:
    """A coroutine that trio, or nobody, drives."""
    coroutine = call(AsyncClient(base_url="http://127.0.0.1:1"))
    with pytest.raises(RuntimeError, match="runs on asyncio only"):
        coroutine.send(None)
