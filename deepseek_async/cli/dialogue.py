"""``deepseek-async chat`` without a question: a conversation, until its user leaves."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markdown import Markdown
from rich.text import Text

from ..calls.conversation.conversation import Conversation
from ..calls.conversation.turn_stream import TurnStream
from ..errors import DeepSeekError
from ..types import ChatCompletion
from .commands import COMMANDS, Dialogue, obey
from .connecting import client_for
from .conversation import Pace
from .endings import complain, line_of, remark
from .screen import is_live, stdout_console, visible

_THOUGHT = "dim italic"

Read = Callable[[], Awaitable[str | None]]
"""Reads the next line; ``None``: there is none, the user has left."""


def talk(settings: dict[str, Any], *, base_url: str | None, sandbox: bool) -> None:
    """Hold a conversation in the terminal.

    Args:
        settings: Of `Conversation`: ``model``, ``system``, and parameters of each request.

    Raises:
        DeepSeekError: No client could be made.
    """

    async def run() -> None:
        async with client_for(base_url, sandbox=sandbox, rate=60.0 if sandbox else None) as client:
            dialogue = Dialogue(Conversation(client, partial="keep", **settings))
            remark(f"{dialogue.chat.model}; /help lists what can be said besides questions")
            await converse(dialogue, prompt(), stdout_console())

    asyncio.run(run())


async def converse(dialogue: Dialogue, read: Read, console: Console) -> None:
    """Ask what is read, until there is nothing more to read.

    Args:
        dialogue: Its conversation grows.
        read: Where questions and commands come from.
        console: Where answers are shown.
    """
    while not dialogue.is_over:
        if (question := dialogue.asks_again) is not None:
            dialogue.asks_again = None
        elif (line := await read()) is None:
            return
        elif line.startswith("/"):
            if told := obey(line, dialogue):
                console.print(Text(visible(told), style="dim"))
            continue
        elif not line.strip():
            continue
        else:
            question = line
        await _answer(dialogue, question, console)


async def _answer(dialogue: Dialogue, question: Any, console: Console) -> None:
    """Show one answer; Ctrl-C ends it, and not the conversation."""
    task = asyncio.ensure_future(_show(dialogue, dialogue.chat.stream(question), console))
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError, RuntimeError, ValueError):  # not on Windows, nor in a thread of a test
        loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        await asyncio.wait([task])
    finally:
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.remove_signal_handler(signal.SIGINT)
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
    if task.cancelled():
        remark("stopped; what came is kept as half an answer")
    elif isinstance(error := task.exception(), DeepSeekError):
        complain(line_of(error))
    elif error is not None:
        raise error


async def _show(dialogue: Dialogue, stream: TurnStream, console: Console) -> None:
    pace = Pace()
    text = thought = ""
    async with stream:
        with Live(console=console, refresh_per_second=12, transient=False, vertical_overflow="visible") as live:
            async for delta in stream:
                pace.tick()
                thought += delta.reasoning_content or ""
                text += delta.content or ""
                if is_live(console):
                    live.update(_shown(text, thought, dialogue.shows_reasoning, is_over=False))
            live.update(_shown(text, thought, dialogue.shows_reasoning, is_over=True))
        completion = await stream.completion()
    remark(status_of(completion, pace))


def _shown(text: str, thought: str, shows_reasoning: bool, *, is_over: bool) -> Group:
    parts: list[Any] = []
    if thought and shows_reasoning:
        parts.append(Text(visible(thought.strip()) + "\n", style=_THOUGHT))
    elif thought:
        parts.append(
            Text(f"… {len(thought):,} characters of reasoning" + ("" if text or is_over else " so far"), style=_THOUGHT)
        )
    if text:
        parts.append(Markdown(visible(text)))
    return Group(*parts)


def status_of(completion: ChatCompletion, pace: Pace) -> str:
    """Model, tokens a second, time to the first, cache hits, cost: what is known of it, in one line."""
    facts = [completion.model]
    usage = completion.usage
    if pace.first is not None:
        facts.append(f"{pace.first - pace.started:.2f} s to the first")
        if usage is not None and pace.last > pace.first:
            facts.append(f"{usage.completion_tokens / (pace.last - pace.first):.0f} tokens/s")
    if usage is not None:
        cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
        facts.append(f"{usage.prompt_tokens:,}{cached} + {usage.completion_tokens:,} tokens")
    if (cost := completion.cost()) is not None:
        facts.append(f"{cost:f} USD")
    if completion.finish_reason == "length":
        facts.append("cut at max_tokens")
    return " · ".join(fact for fact in facts if fact)


def prompt() -> Read:
    """Reads questions from the terminal, with a history over conversations, several lines, and completed commands."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    history: Any = InMemoryHistory()
    with suppress(OSError):
        folder = Path.home() / ".local" / "state" / "deepseek-async"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        history = FileHistory(str(folder / "history"))
    words = WordCompleter([f"/{name}" for name in COMMANDS], sentence=True)
    session: PromptSession[str] = PromptSession(history=history, completer=words, complete_while_typing=False)

    async def read() -> str | None:
        lines: list[str] = []
        while True:
            try:
                line = await session.prompt_async("» " if not lines else "… ")
            except EOFError:
                return None
            except KeyboardInterrupt:  # what was typed is thrown away, as in a shell
                lines.clear()
                continue
            if not line.endswith("\\"):
                return "\n".join([*lines, line])
            lines.append(line[:-1])

    return read
