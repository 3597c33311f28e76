"""Waits for what other calls were told: heeded, bounded, and told of."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from deepseek_async import (
    APIStatusError,
    APITimeoutError,
    AsyncClient,
    DeepSeekError,
    RateLimitError,
    RetryPolicy,
    Timeouts,
    UserMessage,
)
from deepseek_async.hooks import Ended, Held, Record
from deepseek_async.policy import gate
from deepseek_async.transport import Answer, ScriptedTransport

from ..byte_server import completion

pytestmark = pytest.mark.anyio
ASK: dict[str, Any] = {"model": "m", "messages": [UserMessage("hello")]}


def refused(status: int, **headers: str) -> Answer:
    return Answer([b'{"error": {"message": "No."}}'], status=status, headers=headers)


GOOD = Answer([completion("Hi")], headers={})


def client_on(*answers: Answer | BaseException, **settings: Any) -> tuple[AsyncClient, ScriptedTransport, list[Record]]:
    records: list[Record] = []
    transport = ScriptedTransport(answers)
    client = AsyncClient(base_url="http://localhost:1", transport=transport, hooks=[records.append], **settings)
    return client, transport, records


@pytest.mark.parametrize("status", [403, 404, 413, 400, 401, 422])
async def test_what_is_never_tried_again_closes_no_gate(status: int) -> None:
    """Varnish puts a Retry-After on each of its pages; it says nothing about other requests."""
    client, transport, records = client_on(refused(status, **{"retry-after": "100"}), GOOD)
    with pytest.raises(APIStatusError) as caught:
        await client.chat.completions.create(**ASK)
    assert caught.value.retry_after == 100.0
    await client.chat.completions.create(**ASK)
    assert len(transport.requests) == 2
    assert (client.statistics().held, [record for record in records if isinstance(record, Held)]) == (0, [])


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (429, {"retry-after": "0.05"}),
        (503, {"retry-after": "0.05"}),
        (429, {"retry-after-ms": "50"}),
        (503, {"x-ms-retry-after-ms": "50"}),
    ],
)
async def test_who_waits_is_told_of(status: int, headers: dict[str, str]) -> None:
    """By a record that says how long and why, and by a figure."""
    once, twice = RetryPolicy(attempts=1), RetryPolicy(attempts=2, wait_initial=0.0)
    client, _, records = client_on(refused(status, **headers), GOOD)
    with pytest.raises(APIStatusError):
        await client.chat.completions.create(**ASK, retry=once)
    started = time.monotonic()
    await client.chat.completions.create(**ASK, retry=twice)
    assert time.monotonic() - started >= 0.03
    (held,) = [record for record in records if isinstance(record, Held)]
    assert (held.attempt, client.statistics().held) == (1, 1)
    assert 0.0 < held.wait <= 0.05
    assert f"the server asked for 0.05 s (HTTP {status}: No.)" in held.why


async def test_a_deadline_that_passes_meanwhile_says_so() -> None:
    """Its phase is the call's, and its words tell that no request was on its way, and why."""
    once, twice = RetryPolicy(attempts=1), RetryPolicy(attempts=2)
    client, transport, records = client_on(refused(429, **{"retry-after": "60"}))
    with pytest.raises(RateLimitError):
        await client.chat.completions.create(**ASK, retry=once)
    with pytest.raises(APITimeoutError, match=r"during a wait of 6\d.* s: the server asked for 60 s") as caught:
        await client.chat.completions.create(**ASK, retry=twice, timeouts=Timeouts(total=0.05))
    error = caught.value
    assert (error.phase, error.attempts, error.may_be_billed) == ("total", 0, False)
    assert "HTTP 429" in error.waiting
    assert len(transport.requests) == 1
    assert isinstance(records[-1], Ended)


async def test_one_attempt_is_not_held_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wants one attempt decides for himself; for two minutes nobody waits in silence."""
    assert gate.HELD_ONCE_SECONDS <= 5.0
    monkeypatch.setattr("deepseek_async.calls.call.HELD_ONCE_SECONDS", 0.05)
    client, transport, records = client_on(refused(429, **{"retry-after": "100"}), GOOD, retry=RetryPolicy(attempts=1))
    with pytest.raises(RateLimitError):
        await client.chat.completions.create(**ASK)
    started = time.monotonic()
    await client.chat.completions.create(**ASK)
    assert time.monotonic() - started < 2.0
    assert [record.wait for record in records if isinstance(record, Held)] == [0.05]
    assert len(transport.requests) == 2


# -- what nobody thought of --------------------------------------------------------------------------------------------

ODD: list[Exception] = [ValueError("odd"), OverflowError("large"), KeyError("x"), RuntimeError("no"), OSError(5, "io")]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("where", ["sending", "reading"])
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
async def test_what_nobody_thought_of(odd: Exception, where: str, streamed: bool) -> None:
    """Becomes an error of ours with the exception as its cause; hooks hear of the end; nothing stays open."""
    answer: Any = odd if where == "sending" else Answer([b'{"id": 1', odd])
    client, transport, records = client_on(answer, GOOD)
    with pytest.raises(DeepSeekError, match=f"unexpected {type(odd).__name__} in ") as caught:
        if streamed:
            await client.chat.completions.stream(**ASK).completion()
        else:
            await client.chat.completions.create(**ASK)
    assert caught.value.__cause__ is odd
    assert not caught.value.retryable
    assert [record.outcome for record in records if isinstance(record, Ended)] == ["failed"]
    assert client.statistics().in_flight == 0
    assert all(response.is_closed for response in transport.responses)


async def test_a_fault_of_ours_is_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an answer is read, say."""

    def broken(*_: object, **__: object) -> Any:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr("deepseek_async.codec.failures.statuses.failure_from", broken)
    client, _, _ = client_on(refused(400))
    with pytest.raises(DeepSeekError, match=r"unexpected ZeroDivisionError in test_held\.py:\d+; see"):
        await client.chat.completions.create(**ASK)


# -- a loop that stands still ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turns", [1, 2, 4, 9])
async def test_a_stall_is_no_connect_timeout(turns: int) -> None:
    """A connection takes several turns of the loop; while the caller's code holds it, none is had."""

    class Slow(ScriptedTransport):
        async def send(self, request: Any, progress: Any) -> Any:
            progress.connecting()
            for turn in range(turns):
                await asyncio.sleep(0.004)
                if turn == 0:
                    time.sleep(0.5)  # noqa: ASYNC251 - the caller's own work
                    await asyncio.sleep(0.004)
            progress.connected(reused=False)
            return await super().send(request, progress)

    client = AsyncClient(
        base_url="http://localhost:1",
        transport=Slow([GOOD]),
        retry=RetryPolicy(attempts=1),
        timeouts=Timeouts(connect=0.2),
    )
    assert (await client.chat.completions.create(**ASK)).text == "Hi"


async def test_a_host_that_does_not_answer_is_one() -> None:
    """Without a stall the deadline is kept."""

    class Deaf(ScriptedTransport):
        async def send(self, request: Any, progress: Any) -> Any:
            progress.connecting()
            await asyncio.Event().wait()

    client = AsyncClient(
        base_url="http://localhost:1",
        transport=Deaf([]),
        retry=RetryPolicy(attempts=1),
        timeouts=Timeouts(connect=0.1),
    )
    started = time.monotonic()
    with pytest.raises(APITimeoutError) as caught:
        await client.chat.completions.create(**ASK)
    assert caught.value.phase == "connect"
    assert time.monotonic() - started < 5.0


@pytest.mark.parametrize("stage", ["queued", "connecting", "sent"])
async def test_total_knows_whether_anything_was_sent(stage: str) -> None:
    """A call that waits for a connection when its time is up was billed by nobody."""

    class Deaf(ScriptedTransport):
        async def send(self, request: Any, progress: Any) -> Any:
            if stage == "queued":
                progress.queued()
            else:
                progress.connecting()
            if stage == "sent":
                progress.connected(reused=False)
            await asyncio.Event().wait()

    client = AsyncClient(base_url="http://localhost:1", transport=Deaf([]), retry=RetryPolicy(attempts=1))
    with pytest.raises(APITimeoutError) as caught:
        await client.chat.completions.create(**ASK, timeouts=Timeouts(total=0.05))
    assert caught.value.phase == "total"
    assert caught.value.may_be_billed is (stage == "sent")
    assert ("no connection yet" in str(caught.value)) is (stage != "sent")
