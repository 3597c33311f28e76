"""What a source would cost."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deepseek_async import ChatRequest, InvalidRequestError, run_batch
from deepseek_async.batch.estimate import estimate_of, prompts_told_by
from deepseek_async.batch.journal.index import index_of
from deepseek_async.batch.journal.journal import side_file_of
from deepseek_async.batch.journal.known_rows import Done
from deepseek_async.batch.source.shards import Shard
from deepseek_async.types import UserMessage

from .account import Account, client_of

pytestmark = pytest.mark.anyio


def asked(text: str, **more: object) -> ChatRequest:
    """A request of one message."""
    return ChatRequest(messages=[UserMessage(text)], model="deepseek-flash", **more)  # type: ignore[arg-type]


async def test_prices() -> None:
    """Prompts as cache misses, answers as long as max_tokens, off-peak: 0.15 and 0.60 USD a million tokens."""
    rows = [asked("a" * 10_000, max_tokens=1000) for _ in range(1000)]
    estimate = await estimate_of(rows)
    assert (estimate.rows, estimate.prompt_tokens, estimate.output_tokens) == (1000, 2_404_000, 1_000_000)
    assert (estimate.prompt_cost, estimate.output_cost) == (Decimal("0.3606"), Decimal("0.60"))
    assert (await estimate_of(rows, currency="CNY")).output_cost == Decimal(4)


@pytest.mark.parametrize("is_file", [True, False])
async def test_the_first_answers_correct_it(tmp_path: Path, is_file: bool) -> None:
    """Ten rows are answered, each of a hundred tokens as their usage tells: the other ninety are taken for the same."""
    texts = [{"custom_id": f"row-{n}", "prompt": f"row-{n} " + "Why? " * 20, "max_tokens": 5} for n in range(100)]
    source = tmp_path / "in.jsonl"
    source.write_text("".join(f"{json.dumps(text)}\n" for text in texts))
    given: Any = source if is_file else texts
    output = tmp_path / "out.jsonl"
    few = tmp_path / "few.jsonl"
    few.write_text("".join(f"{json.dumps(text)}\n" for text in texts[:10]))
    await run_batch(client_of(Account()), few if is_file else texts[:10], output)
    done = Done(output, index_of(output, side_file_of(output)))
    estimate = await estimate_of(given, done=done, told=prompts_told_by(output))
    assert estimate.prompt_tokens == pytest.approx(100 * estimate.rows, rel=0.05)
    assert estimate.correction != 1.0
    assert (await estimate_of(given, done=done)).correction == 1.0


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
