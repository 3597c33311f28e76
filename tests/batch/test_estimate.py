"""What a source would cost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from deepseek_async import ChatRequest, InvalidRequestError
from deepseek_async.batch.estimate import estimate_of, prompt_tokens_of
from deepseek_async.batch.source.shards import Shard
from deepseek_async.types import UserMessage

pytestmark = pytest.mark.anyio


def asked(text: str, **more: object) -> ChatRequest:
    """A request of one message."""
    return ChatRequest(messages=[UserMessage(text)], model="deepseek-flash", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "tokens"), [("a" * 1000, 300), ("雨" * 1000, 600), ("a" * 500 + "雨" * 500, 450), ("é" * 1000, 300)]
)
def test_tokens_of_a_prompt(text: str, tokens: int) -> None:
    """About 0.3 a character of English, 0.6 of Chinese, as the page on token usage says."""
    assert prompt_tokens_of(asked(text)) == tokens


def test_tools_count() -> None:
    """They are part of the prompt."""
    tool = {"type": "function", "function": {"name": "weather", "description": "x" * 1000}}
    assert prompt_tokens_of(asked("", tools=[tool])) == pytest.approx(300, abs=5)


async def test_prices() -> None:
    """Prompts as cache misses, answers as long as max_tokens, off-peak: 0.15 and 0.60 USD a million tokens."""
    rows = [asked("a" * 10_000, max_tokens=1000) for _ in range(1000)]
    estimate = await estimate_of(rows)
    assert (estimate.rows, estimate.prompt_tokens, estimate.output_tokens) == (1000, 3_000_000, 1_000_000)
    assert (estimate.prompt_cost, estimate.output_cost) == (Decimal("0.45"), Decimal("0.60"))
    assert (await estimate_of(rows, currency="CNY")).output_cost == Decimal(4)


async def test_what_is_not_known_is_said() -> None:
    """Rows without max_tokens, of models without a price, and rows that cannot be sent, with what is wrong."""
    rows = [asked("Hi."), {"model": "llama", "prompt": "Hi.", "max_tokens": 5}, {"prompt": "Hi.", "temperature": 9}]
    estimate = await estimate_of(rows)
    assert (estimate.unbounded, estimate.unpriced, estimate.bad) == (1, 1, 1)
    assert estimate.models == {"deepseek-flash": 1, "llama": 1}
    assert "row 3: temperature" in estimate.problems[0]


async def test_shards_add_up() -> None:
    """A part's price is that of its rows."""
    rows = [asked("Hi.", custom_id=f"{n}") for n in range(100)]
    parts = [(await estimate_of(rows, shard=Shard(part, 3))).rows for part in (1, 2, 3)]
    assert sum(parts) == 100
    assert all(parts)


async def test_an_unknown_currency() -> None:
    """Named with those that are known."""
    with pytest.raises(InvalidRequestError, match="'CNY' or 'USD'"):
        await estimate_of([asked("Hi.")], currency="EUR")
