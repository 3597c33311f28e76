"""A dialogue whose history is right over turns, tools, thinking, errors and cancellations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

from deepseek_async import (
    AsyncClient,
    Budget,
    BudgetExceededError,
    Conversation,
    InternalServerError,
    InvalidRequestError,
    MalformedResponseError,
    RetryPolicy,
    StreamInterruptedError,
    SystemMessage,
    Timeouts,
    UserMessage,
    last_messages,
    within_tokens,
)
from deepseek_async.sandbox import Call, Cut, Refuse, SandboxServer, Script, Stall
from deepseek_async.types.prices import Price

pytestmark = pytest.mark.anyio


@pytest.fixture
async def server() -> AsyncIterator[SandboxServer]:
    async with SandboxServer(seed=1) as server:
        yield server


@pytest.fixture
async def client(server: SandboxServer) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(base_url=server.base_url, retry=RetryPolicy(attempts=1)) as client:
        yield client


def chat_with(client: AsyncClient, **options: Any) -> Conversation:
    options = {"model": "deepseek-flash", "thinking": {"type": "disabled"}, **options}
    return Conversation(client, **options)


def ferry(pier: int) -> str:
    """The next ferry of a pier."""
    return f"{pier}: 18:40"


def roles(messages: Any) -> list[str]:
    return [message["role"] if isinstance(message, dict) else message.role for message in messages]


def asked(server: SandboxServer) -> Any:
    return server.requests[-1].json


@pytest.mark.parametrize("streamed", [False, True])
async def test_each_turn_knows_those_before(server: SandboxServer, client: AsyncClient, streamed: bool) -> None:
    """System, question, answer, question, answer; the same whether it is streamed."""
    for say in ("At 18:40.", "At noon."):
        server.script(Script(say=say))
    chat = chat_with(client, system="Be brief.", temperature=0.5)
    texts = []
    for question in ("When does the ferry leave?", "And on Sunday?"):
        if streamed:
            texts.append("".join([delta.content or "" async for delta in chat.stream(question)]))
        else:
            texts.append((await chat.say(question)).text)
    assert texts == ["At 18:40.", "At noon."]
    assert roles(asked(server)["messages"]) == ["system", "user", "assistant", "user"]
    assert roles(chat.messages) == ["system", "user", "assistant", "user", "assistant"]
    assert asked(server)["temperature"] == 0.5
    assert chat.usage is not None
    assert chat.usage.total_tokens == sum(turn.usage.total_tokens for turn in chat.turns if turn.usage)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("thinking", ["enabled", "disabled"])
async def test_tools_and_thinking(server: SandboxServer, client: AsyncClient, streamed: bool, thinking: str) -> None:
    """Calls and results are part of the turn; the sandbox would refuse a history without its reasoning."""
    server.script(Script(calls=[Call("ferry", {"pier": 4}), Call("ferry", {"pier": 5})]))
    server.script(Script(say="At 18:40."))
    server.script(Script(say="You are welcome."))
    chat = chat_with(client, tools=[ferry], thinking={"type": thinking})
    for question in ("When?", "Thanks."):
        if streamed:
            async with chat.stream(question) as answer:
                async for _ in answer:
                    pass
        else:
            await chat.say(question)
    assert roles(chat.messages) == ["user", "assistant", "tool", "tool", "assistant", "user", "assistant"]
    assert [len(turn.messages) for turn in chat.turns] == [5, 2]
    assert server.requests[-1].status == 200


@pytest.mark.parametrize("partial", ["drop", "keep"])
@pytest.mark.parametrize("end", ["cut", "cancelled", "left", "deadline"])
async def test_a_half_answer_is_kept_as_such_or_forgotten(
    server: SandboxServer, client: AsyncClient, partial: Any, end: str
) -> None:
    """However it ends: the history can be sent on, and says of a half answer that it is one."""
    fault = Cut(after_chunk=3) if end == "cut" else Stall(seconds=30, after_chunk=3)
    server.script(Script(say=["The ", "ferry ", "leaves ", "soon."], faults=(fault,)))
    server.script(Script(say="Yes."))
    chat = chat_with(client, partial=partial)
    seen: list[str] = []
    arrived = asyncio.Event()

    async def read() -> None:
        options: Any = {"timeouts": Timeouts(idle=0.1)} if end == "deadline" else {}
        async with chat.stream("When?", **options) as answer:
            async for delta in answer:
                seen.append(delta.content or "")
                if len(seen) >= 2:
                    arrived.set()
                    if end == "left":
                        return

    task = asyncio.create_task(read())
    await arrived.wait()
    if end == "cancelled":
        task.cancel()
    (ending,) = await asyncio.gather(task, return_exceptions=True)
    assert (ending is None) == (end == "left")
    assert client.statistics().in_flight == 0
    if partial == "keep":
        (turn,) = chat.turns
        assert not turn.complete
        assert turn.messages[1].content.startswith("The ferry ")
    else:
        assert chat.turns == []
    assert (await chat.say("Really?")).text == "Yes."
    assert len(asked(server)["messages"]) == (3 if partial == "keep" else 1)


async def test_a_refused_question_is_no_part_of_the_history(server: SandboxServer, client: AsyncClient) -> None:
    """Nothing was answered: not even ``keep`` keeps it, and it can be asked again."""
    server.script(Script(faults=(Refuse(status=500),)))
    server.script(Script(say="At 18:40."))
    chat = chat_with(client, partial="keep")
    with pytest.raises(InternalServerError):
        await chat.say("When?")
    assert chat.turns == []
    await chat.say("When?")
    assert roles(chat.messages) == ["user", "assistant"]


async def test_calls_without_results_are_not_kept(server: SandboxServer, client: AsyncClient) -> None:
    """A server would refuse them: of a turn that is cancelled while a tool runs, the finished part is kept."""
    began = asyncio.Event()

    async def slow() -> None:
        began.set()
        await asyncio.sleep(60)

    server.script(Script(calls=[Call("ferry", {"pier": 4})]))
    server.script(Script(say="One more.", calls=[Call("slow"), Call("ferry", {"pier": 5})]))
    server.script(Script(say="Good."))
    chat = chat_with(client, tools=[ferry, slow], partial="keep")
    task = asyncio.create_task(chat.say("When?"))
    await began.wait()
    task.cancel()
    await asyncio.wait([task])
    (turn,) = chat.turns
    assert roles(turn.messages) == ["user", "assistant", "tool", "assistant"]
    assert (turn.messages[-1].content, turn.messages[-1].tool_calls) == ("One more.", None)
    assert (await chat.say("Go on.")).text == "Good."


async def test_a_turn_that_was_left_is_ended_by_the_next(server: SandboxServer, client: AsyncClient) -> None:
    """Without a block, leaving the iteration cannot be seen; asking again can."""
    server.script(Script(say=["The ", "ferry "], faults=(Stall(seconds=30, after_chunk=2),)))
    server.script(Script(say="At 18:40."))
    chat = chat_with(client)
    left = chat.stream("When?")
    await anext(left)
    assert (await chat.say("When, please?")).text == "At 18:40."
    assert [turn.complete for turn in chat.turns] == [True]
    with pytest.raises(InvalidRequestError, match="not ended"):
        await left.completion()


async def test_two_tasks_cannot_read_one_turn(server: SandboxServer, client: AsyncClient) -> None:
    """The second is told so."""
    server.script(Script(say="Good.", latency=0.05))
    answer = chat_with(client).stream("When?")
    first = asyncio.create_task(answer.completion())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="two tasks"):
        await anext(answer)
    assert (await first).text == "Good."


async def test_fork_and_undo(server: SandboxServer, client: AsyncClient) -> None:
    """A fork begins with the same history; what is undone is returned."""
    chat = chat_with(client, system="Be brief.")
    await chat.say("Say: one")
    other = chat.fork()
    await other.say("Say: two")
    assert (len(chat.turns), len(other.turns)) == (1, 2)
    (undone,) = other.undo()
    assert undone.messages[0] == UserMessage("Say: two")
    assert other.messages == chat.messages
    for wrong in (0, 2, True):
        with pytest.raises(InvalidRequestError, match="turns"):
            chat.undo(wrong)


async def test_saved_and_loaded(server: SandboxServer, client: AsyncClient) -> None:
    """Equal in messages, usage, cost and parameters; it goes on where it was."""
    server.script(Script(calls=[Call("ferry", {"pier": 4})]))
    server.script(Script(say="At 18:40. 雨"))
    server.script(Script(say="Welcome."))
    chat = chat_with(client, system="Be brief.", tools=[ferry], temperature=0.5, partial="keep")
    await chat.say("When?")
    text = chat.to_json()
    again = Conversation.from_json(text, client, tools=[ferry])
    assert again.messages == chat.messages
    assert again.turns == chat.turns
    assert again.to_json() == text
    await again.say("Thanks.")
    assert asked(server)["temperature"] == 0.5
    assert roles(asked(server)["messages"]) == ["system", "user", "assistant", "tool", "assistant", "user"]


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"version": 2}', '{"version": 1, "model": "any"}', '{"version": 1, "turns": 3}']
)
async def test_what_is_no_conversation_is_refused(client: AsyncClient, text: str) -> None:
    """In our words."""
    with pytest.raises(InvalidRequestError, match="a conversation that to_json wrote"):
        Conversation.from_json(text, client)
    with pytest.raises(MalformedResponseError):
        Conversation.from_json("{", client)


async def test_an_answer_that_was_cut_by_length_goes_on(server: SandboxServer, client: AsyncClient) -> None:
    """Its text becomes one, and the turn's tokens are those of both requests."""
    server.script(Script(say="The ferry leaves", finish_reason="length"))
    server.script(Script(say=" at 18:40."))
    chat = chat_with(client)
    await chat.say("When?")
    before = chat.usage
    await chat.extend()
    assert chat.messages[-1].content == "The ferry leaves at 18:40."
    assert chat.turns[-1].finish_reason == "stop"
    assert chat.usage is not None
    assert before is not None
    assert chat.usage.total_tokens > before.total_tokens
    sent = asked(server)["messages"][-1]
    assert (sent["role"], sent["prefix"], sent["content"]) == ("assistant", True, "The ferry leaves")
    with pytest.raises(InvalidRequestError, match="extend"):
        await chat.extend()


async def test_nothing_is_trimmed_but_by_policy(server: SandboxServer, client: AsyncClient) -> None:
    """Whole turns, the newest; system and question always; the history keeps all."""
    chat = chat_with(client, system="Be brief.", trim=last_messages(2))
    for number in range(4):
        await chat.say(f"Say: {number}")
    assert [message["content"] for message in asked(server)["messages"]] == ["Be brief.", "Say: 2", "2", "Say: 3"]
    assert len(chat.turns) == 4


async def test_trimming_by_tokens_keeps_calls_with_their_results(server: SandboxServer, client: AsyncClient) -> None:
    """A turn with tools goes or stays as a whole."""
    server.script(Script(calls=[Call("ferry", {"pier": 4})]))
    server.script(Script(say="At 18:40."))
    chat = chat_with(client, tools=[ferry], trim=within_tokens(8))
    await chat.say("When does the ferry leave? " * 5)
    await chat.say("Say: one")
    assert roles(asked(server)["messages"]) == ["user"]
    await chat.say("Say: two")
    assert roles(asked(server)["messages"]) == ["user", "assistant", "user"]


async def test_a_budget_is_shared_and_stops_before_sending(server: SandboxServer, client: AsyncClient) -> None:
    """What was sent is paid for; what would be sent afterwards is refused, and told what was spent."""
    budget = Budget(max_tokens=1)
    chats = [chat_with(client, budget=budget) for _ in range(2)]
    await chats[0].say("Say: one")
    with pytest.raises(BudgetExceededError, match=r"of 1 tokens used") as caught:
        await chats[1].say("Say: two")
    assert caught.value.tokens == budget.tokens > 1
    assert len(server.requests) == 1
    assert chats[1].turns == []


async def test_cost_is_known_where_the_price_is(client: AsyncClient) -> None:
    """In money, for the whole conversation."""
    budget = Budget(max_cost="5.00", prices={"deepseek-flash": Price(Decimal(0), Decimal(1), Decimal(1))})
    chat = chat_with(client, budget=budget)
    assert chat.cost == 0
    await chat.say("Say: one")
    assert chat.cost is not None
    assert chat.cost > 0
    assert budget.spent > 0
    chat.turns[0] = attrs.evolve(chat.turns[0], cost=None)
    assert chat.cost is None


async def test_what_may_be_said(server: SandboxServer, client: AsyncClient) -> None:
    """Text, a message of one's own, a mapping; a system message with a name."""
    chat = chat_with(client, system=SystemMessage("Be brief.", name="guide"))
    await chat.say(UserMessage("Say: one", name="ada"))
    await chat.say({"role": "user", "content": "Say: two"})  # type: ignore[arg-type]
    names = [message.get("name") for message in asked(server)["messages"]]
    assert names == ["guide", "ada", None, None]
    with pytest.raises(InvalidRequestError, match="partial"):
        chat_with(client, partial="half")


async def test_a_stream_error_is_raised_again(server: SandboxServer, client: AsyncClient) -> None:
    """Whoever asks the stream again hears the same."""
    server.script(Script(say="The ferry leaves soon.", faults=(Cut(after_chunk=3),)))
    answer = chat_with(client).stream("When?")
    with pytest.raises(StreamInterruptedError):
        await answer.completion()
    with pytest.raises(StreamInterruptedError):
        await anext(answer)


async def test_a_half_answer_that_is_kept_has_an_estimated_cost(server: SandboxServer, client: AsyncClient) -> None:
    """What it has probably cost counts in the conversation's sum, and in its budget."""
    server.script(Script(say="The ferry leaves at six and at nine.", faults=[Cut(after_chunk=3)]))
    budget = Budget(max_cost=5)
    chat = chat_with(client, partial="keep", budget=budget, max_retries=0)
    with pytest.raises(StreamInterruptedError) as caught:
        async for _ in chat.stream("When?"):
            pass
    assert caught.value.partial is not None
    assert chat.turns[-1].cost is not None
    assert chat.cost == chat.turns[-1].cost == budget.spent == budget.estimated > 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"client": None}, "client"),
        ({"client": "deepseek-flash"}, "client"),
        ({"model": None}, "model"),
        ({"model": AsyncClient("sk-0123456789")}, "model"),
        ({"system": ["Be brief."]}, "system"),
        ({"budget": 5}, "budget"),
        ({"trim": 20}, "trim"),
    ],
)
async def test_what_cannot_work_is_refused_when_it_is_made(arguments: dict[str, Any], named: str) -> None:
    """And not with the first question."""
    given: dict[str, Any] = {"client": AsyncClient("sk-0123456789"), "model": "deepseek-flash", **arguments}
    with pytest.raises(InvalidRequestError, match=f"^{named}"):
        Conversation(given.pop("client"), **given)
