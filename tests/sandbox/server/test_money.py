"""Balance, billing and the prefix cache."""

from __future__ import annotations

from decimal import Decimal

import aiohttp
import pytest

from deepseek_async.sandbox import Cut, Refuse, SandboxServer, Script
from deepseek_async.sandbox.answers.prefix_cache import PrefixCache

from ..talking import HELLO, THINKING, Talk

pytestmark = pytest.mark.anyio

LONG = "All work and no play makes Jack a dull boy. " * 40


async def test_rows_are_billed_by_header_then_user_then_body(talk: Talk) -> None:
    """Each answered request counts once under its row, also one that was cut; refused ones do not."""
    await talk.post(headers={"x-sandbox-row": "row-1"}, user_id="ada")
    await talk.post(headers={"x-sandbox-row": "row-1"}, script=Script(faults=(Cut(after_chunk=1),)), stream=True)
    await talk.post(headers={"x-sandbox-row": "row-2"}, script=Script(faults=(Refuse(status=503),)))
    await talk.post(user_id="ada")
    await talk.post()
    await talk.post()
    await talk.post(seed=2)
    assert talk.server.billed["row-1"] == 2
    assert talk.server.billed["ada"] == 1
    assert "row-2" not in talk.server.billed
    assert sorted(talk.server.billed.values()) == [1, 1, 2, 2]


async def test_what_an_answer_costs(session: aiohttp.ClientSession) -> None:
    """Off-peak prices by model, hits cheaper than misses, output by tokens."""
    async with SandboxServer(balance="1", seed=1) as server:
        talk = Talk(server, session)
        usage = (await talk.post(body=THINKING)).json["usage"]
        expected = (Decimal("0.15") * usage["prompt_tokens"] + Decimal("0.60") * usage["completion_tokens"]) / 1_000_000
        assert server.ledger.spent == expected
        assert server.ledger.balance == 1 - expected
        pro = (await talk.post(model="deepseek-v4-pro", messages=[{"role": "user", "content": LONG}])).json["usage"]
        again = (await talk.post(model="deepseek-v4-pro", messages=[{"role": "user", "content": LONG}])).json["usage"]
        assert again["prompt_cache_hit_tokens"] > 0
        for one in (pro, again):
            expected += Decimal("0.022") * one["prompt_cache_hit_tokens"] / 1_000_000
            expected += Decimal("0.66") * one["prompt_cache_miss_tokens"] / 1_000_000
            expected += Decimal("1.98") * one["completion_tokens"] / 1_000_000
        assert server.ledger.spent == expected


async def test_cache_hits_come_in_units_of_64(talk: Talk) -> None:
    """The second time a prompt's beginning costs less: whole units of 64 tokens that match from the start."""
    first, second = [(await talk.post(messages=[{"role": "user", "content": LONG}])).json["usage"] for _ in range(2)]
    assert first["prompt_cache_hit_tokens"] == 0
    assert second["prompt_cache_hit_tokens"] == second["prompt_tokens"] // 64 * 64
    assert second["prompt_tokens_details"] == {"cached_tokens": second["prompt_cache_hit_tokens"]}
    assert second["prompt_cache_hit_tokens"] + second["prompt_cache_miss_tokens"] == second["prompt_tokens"]
    other = (await talk.post(messages=[{"role": "user", "content": LONG + "And?"}])).json["usage"]
    assert 0 < other["prompt_cache_hit_tokens"] <= second["prompt_cache_hit_tokens"]
    changed = (await talk.post(messages=[{"role": "user", "content": "No. " + LONG}])).json["usage"]
    assert changed["prompt_cache_hit_tokens"] == 0


async def test_the_cache_is_isolated(talk: Talk) -> None:
    """By user and by model; and it can be left out."""
    ask = [{"role": "user", "content": LONG}]

    async def hits(**fields: str) -> int:
        return int((await talk.post(messages=ask, **fields)).json["usage"]["prompt_cache_hit_tokens"])

    await hits(user_id="ada")
    assert await hits(user_id="alan") == 0
    assert await hits(model="deepseek-coder", user_id="ada") == 0
    assert await hits(user_id="ada") > 0
    talk.server.prefix_cache = None
    assert await hits(user_id="ada") == 0


@pytest.mark.parametrize("model", ["deepseek-chat", "deepseek-flash"])
async def test_a_conversation_hits_its_own_answers(talk: Talk, model: str) -> None:
    """The next turn finds the prompt and the answer of this one, thinking or not."""
    body = {**HELLO, "model": model, "messages": [{"role": "user", "content": LONG}], "min_tokens": 130}
    first = await talk.post(body=body)
    message = first.json["choices"][0]["message"]
    said = talk.server.model.tokenizer.count(message["content"])
    message.pop("reasoning_content", None)
    again = {**body, "messages": [*body["messages"], message, {"role": "user", "content": "Go on."}]}
    usage = (await talk.post(body=again)).json["usage"]
    known = first.json["usage"]["prompt_tokens"] + said - 2
    assert usage["prompt_cache_hit_tokens"] == known // 64 * 64


def test_the_cache_forgets_the_oldest() -> None:
    """Its size is bounded."""
    cache = PrefixCache(max_units=2)
    cache.store("a", range(64))
    cache.store("b", range(64))
    assert cache.hit("a", range(64)) == 64
    cache.store("c", range(64))
    assert [cache.hit(owner, range(64)) for owner in "abc"] == [64, 0, 64]
    assert cache.hit("a", range(63)) == 0
    assert cache.hit("a", [*range(63), 0, *range(64)]) == 0
