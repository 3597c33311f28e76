"""Asking, and showing the answer however it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import attrs
from rich.console import Console
from rich.text import Text

from ..calls.stream import ChatCompletionStream
from ..client import AsyncClient
from ..errors import DeepSeekError
from ..types import ChatCompletion, Delta, FinishReason
from .connecting import client_for
from .encoding import print_json
from .endings import remark
from .heat_maps import check_is_page, write_heat_map
from .screen import is_live, stderr_console, stdout_console, wide
from .wire import to_json
from .writing import Writer, writer_on

# A sandbox answers in one blink. At the pace of a quick model there is something to see.
_SANDBOX_RATE = 60.0

_MEASURABLE = 0.1  # seconds; what is shorter says nothing about the pace

# How the answer ended, where that is worth a word.
_CUT_SHORT = {
    FinishReason.LENGTH: "the answer was cut at --max-tokens, or at the model's limit",
    FinishReason.CONTENT_FILTER: "the server's content filter ended the answer",
}


def ask(
    parameters: Mapping[str, Any],
    *,
    base_url: str | None,
    sandbox: bool,
    streamed: bool,
    as_json: bool,
    has_table: bool = True,
    html: Path | None = None,
) -> None:
    """Ask, and show the answer on stdout.

    Args:
        parameters: Those of ``client.chat.completions.create``.
        sandbox: Ask an embedded server instead of ``base_url``.
        streamed: Show the answer as it comes.
        as_json: Print nothing but the whole completion, as JSON.
        has_table, html: Log probabilities as a table, as a page in a file.

    Raises:
        DeepSeekError: No answer, or one that did not end well; what came of it has been shown.
        KeyboardInterrupt: Likewise.
    """
    console = stdout_console()
    if html is not None:
        check_is_page(html)
    show = partial(show_as_json, html=html) if as_json else partial(show_as_it_comes, has_table=has_table, html=html)
    rate = _SANDBOX_RATE if streamed and not as_json and is_live(console) else None

    async def run() -> None:
        async with client_for(base_url, sandbox=sandbox, rate=rate) as client:
            await show(client, parameters, streamed=streamed, console=console)

    asyncio.run(run())


async def show_as_json(
    client: AsyncClient,
    parameters: Mapping[str, Any],
    *,
    streamed: bool,
    console: Console,
    html: Path | None = None,
) -> None:
    """Print the whole completion; if it does not end well, what there is of it, marked as such."""
    indent = 2 if console.is_terminal else 0
    arrived: Any = None
    stream: ChatCompletionStream | None = None
    try:
        if streamed:
            stream = client.chat.completions.stream(**parameters)
            async with stream:
                completion = await stream.completion()
        else:
            completion = await client.chat.completions.create(**parameters)
        print_json(to_json(completion, indent=indent))
        if html is not None:
            write_heat_map(completion, html)
    except DeepSeekError as error:
        arrived = error.partial
        raise
    except asyncio.CancelledError:
        arrived = stream and stream.snapshot()
        raise
    finally:
        if arrived is not None and arrived.choices:
            print_json(to_json(arrived, indent=indent))


async def show_as_it_comes(
    client: AsyncClient,
    parameters: Mapping[str, Any],
    *,
    streamed: bool,
    console: Console,
    has_table: bool = True,
    html: Path | None = None,
) -> None:
    """Write the answer as it comes, and after it what was asked for besides.

    Args:
        has_table: Whether log probabilities, if there are any, end it as a table.
        html: Where they go as a page.
    """
    writer = writer_on(console)
    pace = Pace()
    try:
        try:
            if streamed:
                completion = await _read_stream(client, parameters, writer, pace)
            else:
                with _waiting(lambda: "waiting"):
                    completion = await client.chat.completions.create(**parameters)
                writer.write(_as_delta(completion))
        finally:
            writer.end()
    except asyncio.CancelledError:
        remark("stopped before the answer began" if pace.first is None else "stopped; the answer is incomplete")
        raise
    if has_table and parameters.get("logprobs"):
        from .tokens import print_tables

        # In a pipe stdout is the answer and nothing else.
        tables = console if console.is_terminal else wide(stderr_console())
        tables.print()
        print_tables(tables, completion)
    if html is not None:
        write_heat_map(completion, html)
    if console.is_terminal:
        console.print()
    if (reason := completion.finish_reason) in _CUT_SHORT:
        remark(_CUT_SHORT[reason])
    if console.is_terminal:
        remark(summary(completion, pace))


async def _read_stream(
    client: AsyncClient, parameters: Mapping[str, Any], writer: Writer, pace: Pace
) -> ChatCompletion:
    stream = client.chat.completions.stream(**parameters)
    deltas = stream.deltas()
    with _waiting(lambda: _state_of(stream)):
        await stream.open()
        delta = await anext(deltas, None)
    async with stream:
        while delta is not None:
            pace.tick()
            writer.write(delta)
            delta = await anext(deltas, None)
        return await stream.completion()


@attrs.define
class Pace:
    """When the answer was asked for, began and, so far, ended: seconds of a monotonic clock, and once as a date."""

    sent_at: datetime = attrs.field(factory=lambda: datetime.now(UTC))
    started: float = attrs.field(factory=time.perf_counter)
    first: float | None = None
    last: float = 0.0

    def tick(self) -> None:
        """Something of the answer has come."""
        self.last = time.perf_counter()
        self.first = self.first or self.last


def _as_delta(completion: ChatCompletion) -> Delta:
    """The whole answer as the one delta that brings it."""
    message = completion.message
    return Delta(content=message.content, reasoning_content=message.reasoning_content, logprobs=completion.logprobs)


def summary(completion: ChatCompletion, pace: Pace) -> str:
    """What is known of an answer in one line: model, end, tokens, cache hits, time to the first, pace, cost."""
    facts = [completion.model, completion.finish_reason or ""]
    if (usage := completion.usage) is not None:
        cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
        facts.append(f"{usage.prompt_tokens:,}{cached} + {usage.completion_tokens:,} tokens")
    if pace.first is not None:
        facts.append(f"{pace.first - pace.started:.2f} s to the first")
        if usage is not None and pace.last - pace.first > _MEASURABLE:
            facts.append(f"{(usage.completion_tokens - 1) / (pace.last - pace.first):.0f} tokens/s")
    if (cost := completion.cost(pace.sent_at)) is not None:
        facts.append(f"{'about ' if completion.cost_is_estimate else ''}{cost:f} USD")
    return " · ".join(filter(None, facts))


def _state_of(stream: ChatCompletionStream) -> str:
    """What there is to say while nothing of the answer has come."""
    attempt = f"attempt {stream.attempts}: " if stream.attempts > 1 else ""
    return attempt + (f"queued, {stream.keepalives} keep-alives so far" if stream.keepalives else "waiting")


@attrs.frozen
class _Waiting:
    """What stands beside the spinner; asked for anew whenever it is drawn."""

    state: Callable[[], str]

    def __rich__(self) -> Text:
        return Text(self.state(), style="dim")


def _waiting(state: Callable[[], str]) -> AbstractContextManager[object]:
    console = stderr_console()
    return console.status(_Waiting(state), spinner="dots") if is_live(console) else nullcontext()
