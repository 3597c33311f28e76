"""The bar of the sandbox: its answers fit, fifty of fifty times, ten classes, both ways."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest

from deepseek_async import AsyncClient, UserMessage
from deepseek_async.sandbox import SandboxServer

from ...codec.structuring import shapes

pytestmark = [pytest.mark.anyio, pytest.mark.soak]

TEN: list[Any] = [
    shapes.Times, shapes.Described, shapes.Circle | shapes.Square, shapes.Tree, shapes.Bird | shapes.Fish,
    shapes.Places, dict[shapes.Colour, Decimal], datetime.date | str, shapes.ModelTree, shapes.Model,
]  # fmt: skip


@pytest.mark.parametrize("mode", ["json", "tool"])
@pytest.mark.parametrize("response_type", TEN, ids=str)
async def test_fifty_of_fifty(response_type: Any, mode: Any) -> None:
    """Dates, decimals, enums, unions, recursion, each at the first attempt."""
    async with SandboxServer(seed=11) as server, AsyncClient(base_url=server.base_url) as client:
        for number in range(50):
            result = await client.chat.completions.parse(
                response_type=response_type, mode=mode, model="deepseek-flash", attempts=1, max_tokens=4000,
                messages=[UserMessage(f"Invent number {number}.")], thinking={"type": "disabled"},
            )  # fmt: skip
            assert result.mode == mode
