"""The loop of a model and its tools, played against the sandbox."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from deepseek_async import (
    AsyncClient,
    InvalidRequestError,
    RetryPolicy,
    Timeouts,
    ToolMessage,
    ToolRun,
    TurnLimitError,
    UserMessage,
    tool,
)
from deepseek_async.calls.tools.events import CallFinished, CallStarted, TurnDelta, TurnFinished, TurnStarted
from deepseek_async.sandbox import Call, Cut, Reset, SandboxServer, Script

pytestmark = pytest.mark.anyio

QUESTION = UserMessage("When does the ferry leave?")


@pytest.fixture
async def server() -> AsyncIterator[SandboxServer]:
    async with SandboxServer(seed=1) as server:
        yield server


@pytest.fixture
async def client(server: SandboxServer) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(base_url=server.base_url, retry=RetryPolicy(attempts=1)) as client:
        yield client


def ferry(pier: int, day: str = "today") -> str:
    """The next ferry of a pier."""
    return f"{pier} {day}: 18:40"


async def tide(place: str) -> dict[str, Any]:
    """High and low water."""
    await asyncio.sleep(0)
    return {"place": place, "high": 4.5}


def ask(client: AsyncClient, *tools: Any, **options: Any) -> ToolRun:
    options = {"messages": [QUESTION], "thinking": {"type": "disabled"}, **options}
    return client.chat.completions.run_tools(model="deepseek-flash", tools=tools, **options)


def results(run: ToolRun) -> list[Any]:
    return [message.content for message in run.messages if isinstance(message, ToolMessage)]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("thinking", ["enabled", "disabled"])
async def test_three_rounds_of_two_parallel_calls(
    server: SandboxServer, client: AsyncClient, stream: bool, thinking: str
) -> None:
    """Streamed or not, thinking or not: the same text, messages and usage, and events in their order."""
    for turn in range(3):
        calls = (Call("ferry", {"pier": turn}, id=f"f{turn}"), Call("tide", {"place": "Sund"}, id=f"t{turn}"))
        server.script(Script(calls=calls, think="Let me see." if thinking == "enabled" and turn != 1 else None))
    server.script(Script(say="At 18:40."))
    run = ask(client, ferry, tide, stream=stream, thinking={"type": thinking})
    events = [event async for event in run]
    completion = await run.completion()
    assert completion.text == "At 18:40."
    assert run.turns == 4
    assert results(run) == [
        text for turn in range(3) for text in (f"{turn} today: 18:40", '{"place":"Sund","high":4.5}')
    ]
    assert [type(event) for event in events if not isinstance(event, TurnDelta)] == [
        *(TurnStarted, TurnFinished, CallStarted, CallStarted, CallFinished, CallFinished) * 3,
        *(TurnStarted, TurnFinished),
    ]
    said = "".join(event.delta.content or "" for event in events if isinstance(event, TurnDelta))
    assert said == ("At 18:40." if stream else "")
    answers = [event.completion for event in events if isinstance(event, TurnFinished)]
    assert run.usage is not None
    assert run.usage.total_tokens == sum(answer.usage.total_tokens for answer in answers if answer.usage)
    for message in server.requests[-1].json["messages"]:
        if message["role"] == "assistant":
            assert isinstance(message.get("reasoning_content"), str) == (thinking == "enabled")


async def test_calls_of_one_turn_run_side_by_side_up_to_the_limit(server: SandboxServer, client: AsyncClient) -> None:
    """No more than ``max_parallel`` at once, and results in the order of the calls, not of their ends."""
    running, most = 0, 0
    turn = asyncio.Event()

    async def wait(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 3:
            turn.set()
        await turn.wait()
        running -= 1
        return number

    server.script(Script(calls=[Call("wait", {"number": number}) for number in range(7)]))
    server.script(Script(say="Done."))
    run = ask(client, wait, max_parallel=3)
    await run.completion()
    assert most == 3
    assert results(run) == [str(number) for number in range(7)]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (Call("ferry", '{"pier": 4'), "not JSON"),
        (Call("ferry", {"pier": "four"}), "expected"),
        (Call("ferry", {}), "$.pier"),
        (Call("ferry", '["pier", 4]'), "expected"),
        (Call("bus", {"pier": 4}), "there is no tool 'bus'; there are ferry"),
    ],
)
async def test_calls_that_cannot_be_made_are_answered_with_what_was_wrong(
    server: SandboxServer, client: AsyncClient, call: Call, told: str
) -> None:
    """The model hears it and may try again; no function is called."""
    server.script(Script(calls=[call]))
    server.script(Script(calls=[Call("ferry", {"pier": 4, "day": "Monday"})]))
    server.script(Script(say="At 18:40."))
    run = ask(client, ferry)
    events = [event async for event in run]
    first, second = results(run)
    assert told in first
    assert second == "4 Monday: 18:40"
    assert [type(event) for event in events].count(CallStarted) == 1


async def test_what_a_tool_raises_is_told(server: SandboxServer, client: AsyncClient) -> None:
    """As text, beside the results of the others; the event has the exception itself."""

    def broken() -> None:
        raise LookupError("no such pier")

    server.script(Script(calls=[Call("broken"), Call("ferry", {"pier": 1})]))
    server.script(Script(say="Sorry."))
    run = ask(client, broken, ferry)
    events = [event async for event in run]
    assert results(run) == ["The tool failed: LookupError: no such pier", "1 today: 18:40"]
    errors = [event.error for event in events if isinstance(event, CallFinished)]
    assert {type(error) for error in errors} == {LookupError, type(None)}


async def test_a_result_that_nothing_could_send_ends_no_run(server: SandboxServer, client: AsyncClient) -> None:
    """Names of files that are no UTF-8, returned and raised."""

    def files() -> list[str]:
        return ["caf\udce9"]

    def gone() -> None:
        raise OSError("caf\udce9 is gone")

    server.script(Script(calls=[Call("files"), Call("gone")]))
    server.script(Script(say="Two."))
    run = ask(client, files, gone)
    assert (await run.completion()).text == "Two."
    assert results(run) == ['["caf\ufffd"]', "The tool failed: OSError: caf\ufffd is gone"]


async def test_or_it_is_raised_and_ends_the_others(server: SandboxServer, client: AsyncClient) -> None:
    """``on_error="raise"``: the tools that still run are cancelled, and the error stays the run's."""
    ended = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async def broken() -> None:
        await asyncio.sleep(0)
        raise LookupError("no such pier")

    server.script(Script(calls=[Call("slow"), Call("broken")]))
    run = ask(client, slow, broken, on_error="raise")
    with pytest.raises(LookupError, match="no such pier"):
        await run.completion()
    assert ended.is_set()
    with pytest.raises(LookupError, match="no such pier"):
        await run.completion()


async def test_a_tool_that_hangs_is_given_up(server: SandboxServer, client: AsyncClient) -> None:
    """Past its timeout the model is told; the run goes on."""

    @tool(timeout=0.02)
    async def forever() -> None:
        await asyncio.Event().wait()

    server.script(Script(calls=[Call("forever")]))
    server.script(Script(say="Never mind."))
    run = ask(client, forever)
    assert (await run.completion()).text == "Never mind."
    assert results(run) == ["The tool took longer than 0.02 s and was given up."]


async def test_cancellation_ends_the_tools_too(server: SandboxServer, client: AsyncClient) -> None:
    """Of whoever awaits the run: nothing of it runs afterwards."""
    began, ended = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    server.script(Script(calls=[Call("slow")]))
    task = asyncio.create_task(ask(client, slow).completion())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
    assert client.statistics().in_flight == 0


@pytest.mark.parametrize("at", [TurnStarted, TurnDelta, CallStarted])
async def test_leaving_the_block_ends_everything(server: SandboxServer, client: AsyncClient, at: type) -> None:
    """At any event: no request in flight, no tool running, no completion."""
    running = 0

    async def slow() -> None:
        nonlocal running
        running += 1
        try:
            await asyncio.sleep(60)
        finally:
            running -= 1

    server.script(Script(say="Let me look.", calls=[Call("slow"), Call("slow")]))
    async with ask(client, slow, stream=True) as run:
        async for event in run:
            if isinstance(event, at):
                break
    assert running == 0
    assert client.statistics().in_flight == 0
    with pytest.raises(InvalidRequestError, match="closed before its end"):
        await run.completion()


async def test_a_run_without_end_meets_its_limit(server: SandboxServer, client: AsyncClient) -> None:
    """Typed, with the last answer; the conversation and what it used are still there."""
    for _ in range(3):
        server.script(Script(calls=[Call("ferry", {"pier": 1})]))
    run = ask(client, ferry, max_turns=3)
    with pytest.raises(TurnLimitError, match="3 turns") as caught:
        await run.completion()
    assert caught.value.partial.message.tool_calls[0].function.name == "ferry"
    assert (run.turns, len(results(run))) == (3, 2)


async def test_a_forced_call_is_forced_once(server: SandboxServer, client: AsyncClient) -> None:
    """``tool_choice="required"`` holds for the first turn; else no run could end."""
    server.script(Script(calls=[Call("ferry", {"pier": 1})]))
    server.script(Script(say="At 18:40."))
    await ask(client, ferry, tool_choice="required").completion()
    choices = [request.json.get("tool_choice") for request in server.requests]
    assert choices == ["required", None]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (True, "1 today: 18:40"),
        (False, "The call was not allowed."),
        ("ask me first", "The call was not allowed: ask me first"),
        (None, "The call was not allowed."),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
async def test_consent_is_asked_before_a_tool_runs(
    server: SandboxServer, client: AsyncClient, answer: Any, told: str, is_async: bool
) -> None:
    """Anything but True keeps the function from being called; arguments come as values."""
    asked: list[Any] = []

    def consent(call: Any, arguments: Any) -> Any:
        asked.append((call.function.name, dict(arguments)))
        return answer

    async def consent_later(call: Any, arguments: Any) -> Any:
        return consent(call, arguments)

    server.script(Script(calls=[Call("ferry", {"pier": 1})]))
    server.script(Script(say="Good."))
    run = ask(client, ferry, consent=consent_later if is_async else consent)
    await run.completion()
    assert results(run) == [told]
    assert asked == [("ferry", {"pier": 1})]


@pytest.mark.parametrize("fault", [Cut(after_chunk=1), Reset(after_chunk=1)])
async def test_a_cut_answer_ends_the_run_with_its_error(server: SandboxServer, client: AsyncClient, fault: Any) -> None:
    """Half an answer is no turn: its calls are not made."""
    server.script(Script(say="I will look that up.", calls=[Call("ferry", {"pier": 1})], faults=(fault,)))
    run = ask(client, ferry, stream=True)
    with pytest.raises(Exception, match=r"cut|broke|closed|ended") as caught:
        await run.completion()
    assert results(run) == []
    with pytest.raises(type(caught.value)):
        await anext(run)


async def test_a_deadline_of_a_request_ends_the_run(server: SandboxServer, client: AsyncClient) -> None:
    """Timeouts are those of each request; a tool's time is not in them."""

    async def slow() -> str:
        await asyncio.sleep(0.2)
        return "done"

    server.script(Script(calls=[Call("slow")]))
    server.script(Script(say="Good."))
    run = ask(client, slow, timeouts=Timeouts(total=5))
    assert (await run.completion()).text == "Good."


async def test_sync_functions_do_not_block_the_loop(server: SandboxServer, client: AsyncClient) -> None:
    """They run in a thread, with the caller's context."""
    here = threading.get_ident()

    def where() -> bool:
        return threading.get_ident() == here

    server.script(Script(calls=[Call("where")]))
    server.script(Script(say="Elsewhere."))
    run = ask(client, where)
    await run.completion()
    assert results(run) == ["false"]


async def test_two_tasks_cannot_drive_one_run(server: SandboxServer, client: AsyncClient) -> None:
    """The second is told so, and takes nothing from the first."""
    server.script(Script(say="Good.", latency=0.05))
    run = ask(client, ferry)
    first = asyncio.create_task(run.completion())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="two tasks"):
        await anext(run)
    assert (await first).text == "Good."


async def test_nothing_is_sent_for_tools_that_cannot_be(server: SandboxServer, client: AsyncClient) -> None:
    """Every slip is refused when the run is made."""
    for wrong in ([], "ferry", [1], [ferry, ferry], [{"type": "function"}], None):
        with pytest.raises(InvalidRequestError):
            client.chat.completions.run_tools(model="any", messages=[QUESTION], tools=wrong)  # type: ignore[arg-type]
    for name, value in (("max_turns", 0), ("max_parallel", True), ("on_error", "hide"), ("consent", 1), ("stream", 1)):
        with pytest.raises(InvalidRequestError, match=name):
            ask(client, ferry, **{name: value})
    assert server.requests == []


async def test_the_conversation_can_go_on(server: SandboxServer, client: AsyncClient) -> None:
    """``run.messages`` begins the next request, the model's last words included."""
    server.script(Script(calls=[Call("ferry", {"pier": 1})]))
    server.script(Script(say="At 18:40."))
    server.script(Script(say="You are welcome."))
    run = ask(client, ferry)
    await run.completion()
    again = ask(client, ferry, messages=[*run.messages, UserMessage("Thanks.")])
    assert (await again.completion()).text == "You are welcome."
    roles = [message["role"] for message in server.requests[-1].json["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]
    json.dumps(server.requests[-1].json)
