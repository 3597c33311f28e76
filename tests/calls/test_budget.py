"""Budgets of calls: refused in time, charged by what was told, by an estimate where nothing was; shared by all."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from deepseek_async import (
    APIConnectionError,
    APITimeoutError,
    AsyncClient,
    Budget,
    BudgetExceededError,
    ChatCompletion,
    Conversation,
    InternalServerError,
    InvalidRequestError,
    Price,
    RateLimitError,
    Resume,
    StreamInterruptedError,
    Timeouts,
    Usage,
)
from deepseek_async.transport import Answer, Pause

from ..wire import HELLO, chunk, client_on, completion, of_choices, stream_of, whole

pytestmark = pytest.mark.anyio

ASK: dict[str, Any] = {"model": "deepseek-flash", "messages": HELLO}
USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
TOLD = whole({**completion(), "usage": USAGE})
CENTS = {"deepseek-flash": Price(Decimal(0), Decimal(10_000), Decimal(20_000))}  # 0.01 and 0.02 a token
PROMPT = 6  # tokens of the request, estimated


async def turns(count: int) -> None:
    """Let the others go on."""
    for _ in range(count):
        await asyncio.sleep(0)


def streamed(*, usage: bool = True, done: bool = True, text: str = "Hello.") -> Answer:
    """An answer as a stream."""
    last = [of_choices({"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}, usage=USAGE if usage else None)]
    return Answer([stream_of(chunk(text), *(last if done else []), done=done)])


# -- refused, and charged ----------------------------------------------------------------------------------------------


async def created(client: AsyncClient, budget: Budget | None) -> None:
    await client.chat.completions.create(**ASK, budget=budget)


async def via_stream(client: AsyncClient, budget: Budget | None) -> None:
    await client.chat.completions.create(**ASK, budget=budget, via="stream")


async def read(client: AsyncClient, budget: Budget | None) -> None:
    async with client.chat.completions.stream(**ASK, budget=budget) as stream:
        await stream.completion()


async def read_by_chunks(client: AsyncClient, budget: Budget | None) -> None:
    async for _ in await client.chat.completions.create(**ASK, budget=budget, stream=True):
        pass


async def said(client: AsyncClient, budget: Budget | None) -> None:
    await Conversation(client, model="deepseek-flash", budget=budget).say("Hello?")


async def run(client: AsyncClient, budget: Budget | None) -> None:
    await client.chat.completions.run_tools(**ASK, tools=[len_of], budget=budget).completion()


def len_of(text: str) -> int:
    """Its length."""
    return len(text)


WAYS: dict[Callable[[AsyncClient, Budget | None], Awaitable[None]], Answer] = {
    created: TOLD,
    via_stream: streamed(),
    read: streamed(),
    read_by_chunks: streamed(),
    said: TOLD,
    run: TOLD,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", ["call", "client", "options"])
async def test_each_call_is_charged_and_refused_once_it_is_used_up(way: Any, place: str) -> None:
    """Exactly as the usage tells, however it is asked; at the limit nothing leaves."""
    budget = Budget(max_cost="3.99", max_tokens=10_000, prices=CENTS)
    client, transport = client_on(*[WAYS[way]] * 3, budget=budget if place == "client" else None)
    if place == "options":
        client = client.with_options(budget=budget)
    given = budget if place == "call" else None
    await way(client, given)
    assert (budget.spent, budget.estimated, budget.tokens) == (Decimal(2), 0, 150)
    await way(client, given)
    assert budget.is_used_up
    with pytest.raises(BudgetExceededError, match=r"4 of 3\.99 USD spent, 300 of 10,000 tokens") as caught:
        await way(client, given)
    assert (caught.value.spent, caught.value.tokens, caught.value.attempts) == (Decimal(4), 300, 0)
    assert not caught.value.retryable
    assert not caught.value.may_be_billed
    assert len(transport.requests) == 2


async def test_the_clients_budget_and_the_calls_both_have_to_do() -> None:
    """A call cannot spend what its client must not; one that is both counts once."""
    ours, its = Budget(max_tokens=150), Budget(max_tokens=1_000)
    client, _ = client_on(TOLD, TOLD, budget=ours)
    await created(client, its)
    assert (ours.tokens, its.tokens) == (150, 150)
    with pytest.raises(BudgetExceededError):
        await created(client, its)
    same = Budget(max_tokens=1_000)
    client, _ = client_on(TOLD, budget=same)
    await created(client, same)
    assert same.tokens == 150


async def test_fill_in_the_middle_and_parse_are_charged() -> None:
    """Every request for an answer is; those that ask for none are not."""
    budget = Budget(max_tokens=10_000)
    text = {"id": "7f", "model": "deepseek-flash", "choices": [{"text": "x", "finish_reason": "stop"}], "usage": USAGE}
    answers = [whole({**completion(said), "usage": USAGE}) for said in ("no", "3")]
    client, _ = client_on(whole(text), *answers, whole({"data": []}), budget=budget)
    await client.completions.create(model="deepseek-flash", prompt="a")
    parsed = await client.chat.completions.parse(**ASK, response_type=int)
    assert (parsed.parsed, parsed.attempts, budget.tokens) == (3, 2, 450)
    await client.models.list()
    assert budget.tokens == 450


async def test_a_model_without_price_is_refused_before_it_is_asked() -> None:
    """Where money counts; with a limit of tokens it goes."""
    client, transport = client_on(TOLD)
    with pytest.raises(InvalidRequestError, match=r"prices=\{'local': Price"):
        await client.chat.completions.create(model="local", messages=HELLO, budget=Budget(max_cost=1))
    assert not transport.requests
    await client.chat.completions.create(model="local", messages=HELLO, budget=Budget(max_tokens=1))


async def test_the_price_of_the_model_asked_holds_for_an_answer_of_another_name() -> None:
    """Servers answer by names of their own."""
    budget = Budget(max_cost=10, prices={"alias": Price(Decimal(0), Decimal(10_000), Decimal(20_000))})
    client, _ = client_on(whole({**completion(), "usage": USAGE, "model": "checkpoint-17"}))
    await client.chat.completions.create(model="alias", messages=HELLO, budget=budget)
    assert (budget.spent, budget.unpriced) == (Decimal(2), 0)


@pytest.mark.parametrize("wrong", [5, "5.00", {"max_cost": 1}])
async def test_what_is_no_budget_is_refused(wrong: Any) -> None:
    """By name; the amount alone would be shared with nothing."""
    client, _ = client_on()
    for ask in (
        lambda: client.chat.completions.create(**ASK, budget=wrong),
        lambda: client.chat.completions.create(**ASK, budget=wrong, stream=True),
    ):
        with pytest.raises(InvalidRequestError, match="budget"):
            await ask()
    with pytest.raises(InvalidRequestError, match="budget"):
        client.with_options(budget=wrong)
    with pytest.raises(InvalidRequestError, match="budget"):
        AsyncClient("sk-x", budget=wrong)
    with pytest.raises(InvalidRequestError, match="budget"):
        client.batch([], budget=wrong)


# -- what nobody told --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cut",
    [
        streamed(done=False, text="a" * 1000),
        Answer([stream_of(chunk("a" * 500), chunk("a" * 500), done=False), APIConnectionError("it broke")]),
    ],
)
async def test_a_stream_that_broke_off_is_an_estimate(cut: Answer) -> None:
    """Of its prompt and of the text that came: in the budget, marked, and in what the error carries."""
    budget = Budget(max_cost=100, prices=CENTS)
    client, _ = client_on(cut)
    with pytest.raises(StreamInterruptedError) as caught:
        await read_by_chunks(client, budget)
    partial = caught.value.partial
    assert isinstance(partial, ChatCompletion)
    assert partial.usage is None
    assert partial.cost_is_estimate
    assert partial.estimated_usage is not None
    assert (partial.estimated_usage.prompt_tokens, partial.estimated_usage.completion_tokens) == (PROMPT, 240)
    assert partial.cost(prices=CENTS) == budget.spent == budget.estimated == Decimal("4.86")
    assert budget.tokens == 246
    assert "about" not in str(budget)
    assert "estimated" in str(budget)


async def test_the_estimate_goes_where_the_partial_goes() -> None:
    """Into a copy, as of a pickle, and into JSON; equality does not look at it."""
    client, _ = client_on(streamed(done=False))
    with pytest.raises(StreamInterruptedError) as caught:
        await read_by_chunks(client, None)
    partial: Any = caught.value.partial
    assert partial.cost_is_estimate
    assert copy.deepcopy(caught.value).partial.estimated_usage == partial.estimated_usage
    again = ChatCompletion.from_json(partial.to_json())
    assert again == partial
    assert again.estimated_usage == partial.estimated_usage


async def test_a_whole_answer_is_no_estimate() -> None:
    """Its cost is what was told; of a server that tells no usage it has none, though a budget counts one."""
    client, _ = client_on(streamed(), streamed(usage=False), whole(completion()))
    budget = Budget(max_tokens=10_000)
    async with client.chat.completions.stream(**ASK, budget=budget) as stream:
        answer = await stream.completion()
    assert not answer.cost_is_estimate
    async with client.chat.completions.stream(**ASK, budget=budget) as stream:
        answer = await stream.completion()
    assert (answer.cost_is_estimate, answer.cost()) == (False, None)
    assert budget.tokens == 150 + PROMPT + 2
    await created(client, budget)
    assert budget.tokens == 150 + 2 * (PROMPT + 2)


async def test_a_stream_that_is_left_is_an_estimate() -> None:
    """Left by the block, closed, or shown on the way."""
    budget = Budget(max_tokens=10_000)
    client, _ = client_on(Answer([stream_of(chunk("a" * 1000), chunk("b"), done=False), Pause()]))
    async with client.chat.completions.stream(**ASK, budget=budget) as stream:
        await anext(stream)
        assert stream.snapshot().cost_is_estimate
        assert budget.tokens == 0
    assert budget.tokens == pytest.approx(PROMPT + 240, abs=1)
    left = stream.snapshot()
    assert left.cost_is_estimate
    assert left.cost(prices=CENTS) is not None


async def test_a_call_that_is_cancelled_is_charged_its_prompt_once_it_was_sent() -> None:
    """Nobody knows how far the server had come; what it was sent, it has read."""
    budget = Budget(max_tokens=10_000)
    client, transport = client_on(Answer([Pause()]))
    task = asyncio.create_task(created(client, budget))
    await turns(5)
    assert len(transport.requests) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert budget.tokens == PROMPT


async def test_a_deadline_costs_the_prompt() -> None:
    """The server worked on."""
    budget = Budget(max_cost=10, prices=CENTS)
    client, _ = client_on(Answer([Pause()]), timeouts=Timeouts(first_chunk=0.01))
    with pytest.raises(APITimeoutError):
        await created(client, budget)
    assert budget.spent == budget.estimated == Decimal("0.01") * PROMPT


async def test_refusals_cost_nothing_and_gateways_perhaps() -> None:
    """By the table of what may be billed; each attempt for itself."""
    budget = Budget(max_tokens=10_000)
    client, _ = client_on(whole({"error": {"message": "no"}}, 429), whole({"error": {"message": "no"}}, 429))
    with pytest.raises(RateLimitError):
        await client.chat.completions.create(**ASK, budget=budget, max_retries=1)
    assert budget.tokens == 0
    client, _ = client_on(whole(b"<html>", 502), TOLD)
    await client.chat.completions.create(**ASK, budget=budget, max_retries=1)
    assert budget.tokens == PROMPT + 150


async def test_no_attempt_follows_once_the_budget_is_used_up() -> None:
    """The error tells of the attempts before it, and carries what came."""
    budget = Budget(max_tokens=PROMPT)
    client, transport = client_on(whole(b"<html>", 502), TOLD)
    with pytest.raises(BudgetExceededError) as caught:
        await client.chat.completions.create(**ASK, budget=budget, max_retries=3)
    error = caught.value
    assert (error.attempts, len(transport.requests), error.may_be_billed) == (1, 1, True)
    assert "502" in error.history[0]


async def test_each_part_of_a_continued_answer_is_paid_for() -> None:
    """The part that was cut by an estimate, the last by what was told; the cost says that part of it is estimated."""
    budget = Budget(max_tokens=10_000)
    cut = Answer([stream_of(chunk("The tide turns at "), done=False)])
    client, _ = client_on(cut, streamed(text="seven."))
    async with client.chat.completions.stream(**ASK, budget=budget, resume=Resume()) as stream:
        answer = await stream.completion()
    assert answer.text == "The tide turns at seven."
    assert answer.usage is not None
    assert answer.usage.total_tokens == 150
    assert answer.estimated_usage is not None
    lost = answer.estimated_usage.total_tokens - 150
    assert lost == pytest.approx(PROMPT + 4, abs=2)
    assert budget.tokens == pytest.approx(150 + lost, abs=2)
    assert budget.answers == 1


async def test_a_part_that_the_budget_does_not_do_for_is_not_asked_for() -> None:
    """What arrived is in the error."""
    budget = Budget(max_tokens=8)
    cut = Answer([stream_of(chunk("The tide turns at "), done=False)])
    client, transport = client_on(cut, streamed(text="seven."))
    with pytest.raises(BudgetExceededError) as caught:
        async with client.chat.completions.stream(**ASK, budget=budget, resume=Resume()) as stream:
            await stream.completion()
    assert caught.value.partial is not None
    assert caught.value.partial.text == "The tide turns at "
    assert len(transport.requests) == 1


# -- many at once ------------------------------------------------------------------------------------------------------


async def test_what_is_in_flight_counts_meanwhile() -> None:
    """Of a hundred at once only so many go out as their prompts leave room for; what they free can be used again."""
    budget = Budget(max_tokens=10 * PROMPT)
    client, transport = client_on(*[Answer([Pause()])] * 100)
    tasks = [asyncio.create_task(created(client, budget)) for _ in range(100)]
    await turns(5)
    assert len(transport.requests) == 10
    refused = [task.exception() for task in tasks if task.done()]
    assert all(isinstance(error, BudgetExceededError) for error in refused)
    assert "in flight" in str(refused[0])
    assert all(getattr(error, "is_held", False) for error in refused)
    assert budget.tokens == 0
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert budget.tokens == 10 * PROMPT


def test_answers_so_far_tell_how_much_is_held() -> None:
    """Answers took 50 tokens: so much more is held for each that is in flight, but no more than its own limit."""
    budget = Budget(max_tokens=1_000)
    budget.learn(Usage(100, 50, 150, prompt_cache_hit_tokens=40), 50)
    expected = budget.expects(10)
    assert (expected.prompt_tokens, expected.completion_tokens) == (20, 50)  # prompts were twice as long as estimated
    assert budget.expects(10, max_tokens=7).completion_tokens == 7
    assert expected.cached_tokens == 8  # and two fifths of them were cached


async def test_an_error_of_the_server_in_a_run_leaves_what_was_spent() -> None:
    """The turns before it are paid for; what the run has is kept."""
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "len_of", "arguments": '{"text": "ab"}'}}
    calling = whole({**completion("", "tool_calls", tool_calls=[call]), "usage": USAGE})
    budget = Budget(max_tokens=10_000)
    client, _ = client_on(calling, whole(b"{}", 500), budget=budget)
    tools = client.chat.completions.run_tools(**ASK, tools=[len_of], max_retries=0)
    with pytest.raises(InternalServerError):
        await tools.completion()
    assert (budget.tokens, tools.turns) == (150, 1)


async def test_a_run_of_tools_stops_between_turns() -> None:
    """Its messages and the last answer are there."""
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "len_of", "arguments": '{"text": "ab"}'}}
    calling = whole({**completion("", "tool_calls", tool_calls=[call]), "usage": USAGE})
    client, transport = client_on(calling, TOLD)
    tools = client.chat.completions.run_tools(**ASK, tools=[len_of], budget=Budget(max_tokens=150))
    with pytest.raises(BudgetExceededError) as caught:
        await tools.completion()
    assert [getattr(message, "role", None) for message in tools.messages] == ["user", "assistant", "tool"]
    assert caught.value.partial == tools.answers[-1]
    assert len(transport.requests) == 1
