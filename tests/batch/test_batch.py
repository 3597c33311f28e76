"""``client.batch``: every outcome once, no more in flight than allowed, nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import itertools
import pickle
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deepseek_async import AsyncClient, ChatRequest, Failed, RetryPolicy, Succeeded
from deepseek_async.batch.dispatch.slots import lanes_of
from deepseek_async.batch.outcomes import Outcome
from deepseek_async.errors import (
    APIConnectionError,
    AuthenticationError,
    BadRequestError,
    InsufficientBalanceError,
    InvalidRequestError,
    ServiceUnavailableError,
)

from ..leaping import in_leaping_time
from .account import Account, Reply, broken, client_of, request

pytestmark = pytest.mark.anyio


def requests(count: int, **parameters: Any) -> list[ChatRequest]:
    return [request(f"row-{number}", **parameters) for number in range(1, count + 1)]


async def outcomes_of(client: AsyncClient, source: Any, **options: Any) -> list[Outcome]:
    async with client.batch(source, **options) as outcomes:
        return [outcome async for outcome in outcomes]


def limit_is(client: AsyncClient, model: str = "deepseek-flash") -> Any:
    return lanes_of(client._caller).of(model).limiter


# -- what comes out ----------------------------------------------------------------------------------------------------


async def test_every_request_has_its_outcome() -> None:
    """Each outcome carries the id, the request and the answer to that very request."""
    asked = requests(100)
    outcomes = await outcomes_of(client_of(Account()), asked, max_concurrency=7)
    assert len(outcomes) == 100
    by_id = {outcome.custom_id: outcome for outcome in outcomes}
    for one in asked:
        outcome = by_id[one.custom_id or ""]
        assert isinstance(outcome, Succeeded)
        assert outcome.request is one
        assert outcome.completion.text == f"answer to {one.custom_id}"
        assert outcome.completion.request_id == f"trace-{one.custom_id}"
        assert outcome.attempts == 1


async def test_no_more_in_flight_than_allowed() -> None:
    """``max_concurrency`` holds, and is reached."""
    account = Account()
    await outcomes_of(client_of(account), requests(200), max_concurrency=9)
    assert account.peak == 9


async def test_an_empty_source_has_no_outcomes() -> None:
    """A batch of nothing ends at once."""
    assert await outcomes_of(client_of(Account()), []) == []


async def test_outcomes_come_as_they_complete() -> None:
    """A slow row does not keep those behind it."""
    account = Account()
    account.hold("row-1")
    async with client_of(account).batch(requests(3), max_concurrency=2) as outcomes:
        assert (await anext(outcomes)).custom_id == "row-2"
        assert (await anext(outcomes)).custom_id == "row-3"
        account.let_go()
        assert (await anext(outcomes)).custom_id == "row-1"
        with pytest.raises(StopAsyncIteration):
            await anext(outcomes)


async def test_in_order_if_asked() -> None:
    """``ordered``: as the source had them, although the first takes longest; the window stalls and does not grow."""
    account = Account()
    account.hold("row-1")
    async with client_of(account).batch(requests(50), max_concurrency=3, ordered=True) as outcomes:
        await account.until(lambda: sum(account.answered.values()) == 5)
        for _ in range(20):
            await asyncio.sleep(0)
        assert account.seen == [f"row-{number}" for number in range(1, 7)]  # twice max_concurrency, and no more
        account.let_go()
        assert [outcome.custom_id async for outcome in outcomes] == [f"row-{number}" for number in range(1, 51)]


# -- the source --------------------------------------------------------------------------------------------------------


async def test_an_endless_source_is_pulled_only_when_there_is_a_slot() -> None:
    """Rows are made one by one: as many as are in flight or were answered, never one more."""
    account = Account()
    account.is_holding_all = True
    made = 0

    def endless() -> Iterator[ChatRequest]:
        nonlocal made
        for made in itertools.count(1):
            yield request(f"row-{made}")

    async with client_of(account).batch(endless(), max_concurrency=5) as outcomes:
        await account.until(lambda: account.in_flight == 5)
        assert made == 5
        account.let_go("row-2")
        assert (await anext(outcomes)).custom_id == "row-2"
        await account.until(lambda: account.in_flight == 5)
        assert made == 6


async def test_a_slow_consumer_stops_the_sending() -> None:
    """Outcomes that nobody takes count like requests in flight."""
    account = Account()
    async with client_of(account).batch(requests(100), max_concurrency=4) as outcomes:
        await account.until(lambda: sum(account.answered.values()) == 4)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(account.seen) == 4
        await anext(outcomes)
        await account.until(lambda: len(account.seen) == 5)
        assert len([outcome async for outcome in outcomes]) == 99


async def test_async_iterables() -> None:
    """A source may be asynchronous; while it has nothing, what was sent goes on."""
    account = Account()
    more = asyncio.Event()

    async def source() -> AsyncIterator[ChatRequest]:
        yield request("row-1")
        await more.wait()
        yield request("row-2")

    async with client_of(account).batch(source()) as outcomes:
        assert (await anext(outcomes)).custom_id == "row-1"
        more.set()
        assert [outcome.custom_id async for outcome in outcomes] == ["row-2"]


async def test_a_silent_source_does_not_hold_retries_up() -> None:
    """A row whose wait is over is sent again although the source has not brought its next row."""
    account = Account(reply=lambda _row, attempt: Reply(503) if attempt == 1 else None)

    async def source() -> AsyncIterator[ChatRequest]:
        yield request("row-1")
        await asyncio.Event().wait()

    async with client_of(account).batch(source()) as outcomes:
        outcome = await anext(outcomes)
        assert isinstance(outcome, Succeeded)
        assert outcome.attempts == 2


async def test_files_and_mappings(tmp_path: Path) -> None:
    """Lines of a file, as OpenAI's batches have them or as flat mappings, are rows; ``prompt`` is a user message."""
    path = tmp_path / "in.jsonl"
    path.write_text(
        '{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", '
        '"body": {"model": "deepseek-v4-pro", "messages": [{"role": "user", "content": "one"}], "seed": 3}}\n'
        "\n"
        '{"custom_id": "b", "prompt": "two", "temperature": 0.5}\r\n'
        '{"messages": [{"role": "user", "content": "three"}]}'
    )
    account = Account()
    outcomes = await outcomes_of(client_of(account), path, ordered=True)
    assert [outcome.custom_id for outcome in outcomes] == ["a", "b", "row-3"]
    assert account.bodies == [
        {"messages": [{"role": "user", "content": "one"}], "model": "deepseek-v4-pro", "seed": 3},
        {"messages": [{"role": "user", "content": "two"}], "model": "deepseek-flash", "temperature": 0.5},
        {"messages": [{"role": "user", "content": "three"}], "model": "deepseek-flash"},
    ]


async def test_columns_that_a_row_has_not_are_left_out() -> None:
    """Rows of a table: each has every column, and None where it has none."""
    account = Account()
    rows = [
        {"custom_id": "a", "prompt": "one", "messages": None, "model": None, "max_tokens": 5, "extra_body": None},
        {"custom_id": None, "prompt": None, "messages": [{"role": "user", "content": "two"}], "max_tokens": None},
    ]
    outcomes = await outcomes_of(client_of(account), rows, ordered=True)
    assert [outcome.custom_id for outcome in outcomes] == ["a", "row-2"]
    assert account.bodies == [
        {"messages": [{"role": "user", "content": "one"}], "model": "deepseek-flash", "max_tokens": 5},
        {"messages": [{"role": "user", "content": "two"}], "model": "deepseek-flash"},
    ]


async def test_a_source_that_fails_ends_the_batch_after_what_is_in_flight() -> None:
    """Rows sent before come out; then the source's own error is raised."""

    def source() -> Iterator[ChatRequest]:
        yield from requests(3)
        raise LookupError("the database is gone")

    got = []
    async with client_of(Account()).batch(source()) as outcomes:
        with pytest.raises(LookupError, match="database"):
            while True:
                got.append(await anext(outcomes))
    assert {outcome.custom_id for outcome in got} == {"row-1", "row-2", "row-3"}


async def test_generators_are_closed() -> None:
    """A generator that was not used up is closed when the block is left, so that its own cleaning up is done."""
    closed = []

    async def source() -> AsyncIterator[ChatRequest]:
        try:
            for number in itertools.count():
                yield request(f"row-{number}")
        finally:
            closed.append(True)

    async with client_of(Account()).batch(source(), max_concurrency=2) as outcomes:
        await anext(outcomes)
    assert closed == [True]


@pytest.mark.parametrize("source", [5, {"messages": []}, b"{}", "no/such/file.jsonl"])
async def test_what_is_no_source_is_refused(source: Any) -> None:
    """A number, a single request, bytes and a file that is not there are slips, and named as such."""
    with pytest.raises(InvalidRequestError, match=r"source|no/such/file"):
        await outcomes_of(client_of(Account()), source)


# -- failures ----------------------------------------------------------------------------------------------------------


async def test_bad_rows_are_values_and_the_others_go_on() -> None:
    """A value out of range, a wrong item, and a refusal of the server: each a `Failed` beside the good ones."""
    account = Account(reply=lambda row, _: Reply(400) if row == "bad" else None)
    source: list[Any] = [
        request("row-1"),
        {"custom_id": "hot", "prompt": "x", "temperature": 7},
        17,
        {"custom_id": "odd", "prompt": "x", "colour": "red"},
        request("bad"),
        request("row-6"),
    ]
    outcomes = await outcomes_of(client_of(account), source, ordered=True)
    hot, number, odd, bad = (outcome for outcome in outcomes if isinstance(outcome, Failed))
    assert [outcome.custom_id for outcome in outcomes] == ["row-1", "hot", "row-3", "odd", "bad", "row-6"]
    assert isinstance(hot.error, InvalidRequestError)
    assert str(hot.error).startswith("row 2: temperature is 7; allowed: ")
    assert hot.request is None
    assert hot.attempts == 0
    assert "row 3: the row; allowed: a ChatRequest or a mapping" in str(number.error)
    assert str(number.error).endswith(", not int")
    assert "colour" in str(odd.error)
    assert isinstance(bad.error, BadRequestError)
    assert bad.attempts == bad.error.attempts == 1
    assert bad.is_permanent


async def test_failures_of_the_server_are_tried_again() -> None:
    """5xx and broken connections count as attempts, up to ``max_attempts``; the last error tells of those before."""

    def reply(row: str, attempt: int) -> Reply | Exception | None:
        if row == "row-1" and attempt < 3:
            return Reply(503)
        if row == "row-2" and attempt < 2:
            return broken()
        return Reply(500) if row == "row-3" else None

    first, second, third = await outcomes_of(client_of(Account(reply=reply)), requests(3), ordered=True, max_attempts=4)
    assert (first.attempts, second.attempts, third.attempts) == (3, 2, 4)
    assert isinstance(first, Succeeded)
    assert isinstance(second, Succeeded)
    assert isinstance(third, Failed)
    assert third.error.attempts == 4
    assert len(third.error.history) == 1
    assert "3 times" in third.error.history[0]
    assert not third.is_permanent


async def test_waits_between_attempts_are_jittered() -> None:
    """The client's retry policy gives the waits: full jitter, so none with randomness 0."""
    account = Account(reply=lambda _, attempt: Reply(503) if attempt < 4 else None)
    client = client_of(account, retry=RetryPolicy(wait_initial=3600, wait_max=3600))
    msgspec.structs.force_setattr(client._caller.surroundings, "randomness", lambda: 0.0)
    (outcome,) = await outcomes_of(client, requests(1))
    assert outcome.attempts == 4


@pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationError), (402, InsufficientBalanceError)])
async def test_what_dooms_every_row_stops_the_sending(status: int, kind: type[Exception]) -> None:
    """401 and 402: nothing more is sent, what is in flight comes out, and the error is raised at the end."""
    account = Account(reply=lambda row, _: Reply(status) if row == "row-3" else None)
    account.hold("row-1", "row-2")
    got: list[Outcome] = []
    async with client_of(account).batch(requests(100), max_concurrency=3) as outcomes:
        got.append(await anext(outcomes))
        account.let_go()
        with pytest.raises(kind):
            while True:
                got.append(await anext(outcomes))
    assert [outcome.custom_id for outcome in got] == ["row-3", "row-1", "row-2"]
    assert isinstance(got[0], Failed)
    assert len(account.seen) == 3


# -- refusals ----------------------------------------------------------------------------------------------------------


@in_leaping_time
async def test_a_refusal_is_no_attempt_and_goes_to_the_front() -> None:
    """Far more rows than the hidden limit: none fails, none is counted twice, and the limit is learned."""
    account = Account(limit=5)
    client = client_of(account)
    outcomes = await outcomes_of(client, requests(300))
    assert all(isinstance(outcome, Succeeded) and outcome.attempts == 1 for outcome in outcomes)
    assert len(outcomes) == 300
    assert account.refused >= 1
    assert account.peak == 5
    assert limit_is(client).refusals == account.refused


async def test_a_refused_row_comes_before_new_ones() -> None:
    """Refused rows are sent again in the first slots that are free, oldest first, ahead of all rows not yet pulled."""
    account = Account(limit=2)
    account.is_holding_all = True
    async with client_of(account).batch(requests(100)) as outcomes:
        await account.until(lambda: account.refused >= 30)
        for _ in range(20):
            await asyncio.sleep(0)
        pulled, sent = set(account.seen), len(account.seen)
        account.let_go()
        _ = [outcome async for outcome in outcomes]
    assert 32 <= len(pulled) < 50
    assert set(list(account.answered)[: len(pulled)]) == pulled
    sent_again = [int(row.removeprefix("row-")) for row in account.seen[sent:]]
    assert sent_again[0] == 3
    assert sent_again[:20] == sorted(sent_again[:20])


@in_leaping_time
async def test_batches_of_one_client_share_one_limiter() -> None:
    """Two batches for one model keep the account's limit together, and both get on."""
    account = Account(limit=6)
    client = client_of(account)
    order: list[str] = []

    async def run(name: str) -> None:
        async with client.batch([request(f"{name}-{number}") for number in range(200)]) as outcomes:
            async for outcome in outcomes:
                assert isinstance(outcome, Succeeded)
                order.append(name)

    await asyncio.gather(run("a"), run("b"))
    assert account.refused == limit_is(client).refusals
    assert account.refused < 60
    half = order[:200].count("a")
    assert 80 <= half <= 120


async def test_a_full_model_does_not_keep_another_waiting() -> None:
    """Each model has a limit of its own; rows of one go past those of another that is full."""
    account = Account()
    account.hold("slow-1", "slow-2")
    client = client_of(account)
    limit_is(client, "deepseek-v4-pro").limit = 1
    limit_is(client, "deepseek-v4-pro").is_starting = False
    one, *others = requests(5)
    source = [one, *(request(f"slow-{number}", model="deepseek-v4-pro") for number in (1, 2)), *others]
    async with client.batch(source) as outcomes:
        got = [(await anext(outcomes)).custom_id for _ in range(5)]
        assert sorted(got) == [f"row-{number}" for number in range(1, 6)]
        account.let_go()
        assert len([outcome async for outcome in outcomes]) == 2


async def test_a_batch_that_does_not_want_its_turn_lets_others_pass() -> None:
    """A batch whose consumer does not take outcomes gives up its place in the queue for slots."""
    account = Account()
    client = client_of(account)
    limit_is(client).limit = 2
    limit_is(client).is_starting = False
    async with client.batch(requests(10), max_concurrency=2) as idle:
        await account.until(lambda: sum(account.answered.values()) == 2)
        others = await outcomes_of(client, [request(f"other-{number}") for number in range(20)])
        assert len(others) == 20
        assert len([outcome async for outcome in idle]) == 10


@in_leaping_time
async def test_the_server_is_left_alone_while_it_asks_for_it() -> None:
    """After a ``Retry-After`` no row of the batch goes out before its time."""
    account = Account(reply=lambda _, attempt: Reply(503, headers={"retry-after": "0.2"}) if attempt == 1 else None)
    client = client_of(account)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await outcomes_of(client, requests(3), max_concurrency=1)
    assert loop.time() - began >= 0.6
    assert account.seen == ["row-1", "row-1", "row-2", "row-2", "row-3", "row-3"]


# -- pace, warm-up -----------------------------------------------------------------------------------------------------


async def test_a_rate_limiter_is_entered_before_each_sending() -> None:
    """Whatever limits requests per minute is asked once for each request that goes out, retries included."""

    class Counting:
        entered = 0

        async def __aenter__(self) -> None:
            assert len(account.seen) >= self.entered - 1
            self.entered += 1

        async def __aexit__(self, *_: object) -> None:
            pass

    limiter = Counting()
    account = Account(reply=lambda _, attempt: Reply(503) if attempt == 1 else None)
    outcomes = await outcomes_of(client_of(account), requests(10), rate_limiter=limiter)
    assert len(outcomes) == 10
    assert len(account.seen) == 20
    assert limiter.entered in (20, 21)


async def test_one_row_of_each_prefix_goes_ahead() -> None:
    """``warmup``: the others with the same messages before the last wait until its answer is there."""
    account = Account()
    account.is_holding_all = True

    def row(prefix: str, number: int) -> dict[str, Any]:
        messages = [{"role": "system", "content": prefix}, {"role": "user", "content": f"{prefix}-{number}"}]
        return {"messages": messages}

    source = [row(prefix, number) for number in range(3) for prefix in "ab"]
    async with client_of(account).batch(source, warmup=1) as outcomes:
        await account.until(lambda: account.in_flight == 2)
        for _ in range(20):
            await asyncio.sleep(0)
        assert account.seen == ["a-0", "b-0"]
        account.let_go("a-0")
        await anext(outcomes)
        await account.until(lambda: account.in_flight == 3)
        assert account.seen == ["a-0", "b-0", "a-1", "a-2"]
        account.let_go()
        assert len([outcome async for outcome in outcomes]) == 5


# -- leaving -----------------------------------------------------------------------------------------------------------


async def test_leaving_early_cancels_what_is_in_flight() -> None:
    """After the block no request is in flight, no task runs, and every permit is back."""
    account = Account()
    account.is_holding_all = True
    client = client_of(account)
    tasks = asyncio.all_tasks()
    async with client.batch(itertools.cycle(requests(3)), max_concurrency=8) as outcomes:
        await account.until(lambda: account.in_flight == 8)
        account.let_go("row-1")
        async for _ in outcomes:
            break
    assert account.in_flight == 0
    assert account.broken_off >= 5
    assert asyncio.all_tasks() == tasks
    assert limit_is(client).in_flight == limit_is(client).admitted == 0
    assert client.statistics().in_flight == 0


async def test_cancellation_leaves_nothing_behind() -> None:
    """A cancelled consumer is cancelled, and takes the batch with it."""
    account = Account()
    account.is_holding_all = True
    client = client_of(account)
    tasks = asyncio.all_tasks()

    async def consume() -> None:
        await outcomes_of(client, requests(50), max_concurrency=5)

    task = asyncio.create_task(consume())
    await account.until(lambda: account.in_flight == 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert account.in_flight == 0
    assert asyncio.all_tasks() == tasks
    assert limit_is(client).in_flight == 0


async def test_an_error_in_the_block_cancels_too() -> None:
    """What the consumer raises comes through as it is."""
    account = Account()
    account.is_holding_all = True
    with pytest.raises(ZeroDivisionError):
        async with client_of(account).batch(requests(5)):
            await account.until(lambda: account.in_flight == 5)
            _ = 1 / 0
    assert account.in_flight == 0


async def test_a_batch_is_entered_first_and_once() -> None:
    """Iterating without the block is a slip that would leave requests behind; it says what to write."""
    batch = client_of(Account()).batch(requests(1))
    with pytest.raises(RuntimeError, match=r"async with client\.batch"):
        await anext(batch)
    async with batch as outcomes:
        assert len([outcome async for outcome in outcomes]) == 1
    with pytest.raises(RuntimeError, match="once"):
        async with batch:
            pass


async def test_many_batches_do_not_grow_the_client() -> None:
    """A client that is used in one event loop after another keeps no limiter of a loop that is gone."""
    from deepseek_async.batch.dispatch import slots as lane

    client = client_of(Account())

    def use() -> None:
        asyncio.run(outcomes_of(client, requests(2)))

    await asyncio.to_thread(use)
    await asyncio.to_thread(use)
    gc.collect()
    assert len(lane._lanes[client._caller]) == 0


# -- options -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_concurrency", 0), ("max_concurrency", 1.5), ("max_attempts", 0), ("warmup", -1), ("rate_limiter", 5)],
)
def test_options_out_of_range_are_refused(name: str, value: object) -> None:
    """Before anything is sent, by name."""
    with pytest.raises(InvalidRequestError, match=name):
        client_of(Account()).batch([], **{name: value})  # type: ignore[arg-type]


def test_the_client_is_still_picklable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The class that users import goes through pickle as itself, and keeps the key at home."""
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-there")
    data = pickle.dumps(AsyncClient("sk-here", base_url="https://api.deepseek.com"))
    assert b"sk-here" not in data
    assert type(pickle.loads(data)) is AsyncClient  # noqa: S301


def test_outcomes_show_no_prompt() -> None:
    """Neither the repr of an outcome nor that of its request holds what was asked."""
    failed = Failed("a", request("the secret prompt"), APIConnectionError("broke"), 1)
    assert "secret" not in repr(failed).replace("custom_id='the secret prompt'", "")


def test_service_unavailable_is_not_permanent() -> None:
    """What may be better another day is tried again by a resumed run."""
    assert not Failed("a", None, ServiceUnavailableError("busy", status=503)).is_permanent
