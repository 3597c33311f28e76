"""``deepseek-async chat`` without a question: a conversation, until its user leaves."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from ..calls.conversation.conversation import Conversation
from ..calls.conversation.turn_stream import TurnStream
from ..errors import DeepSeekError
from .attachments import with_parts
from .commands import COMMANDS, Dialogue, obey
from .connecting import client_for
from .conversation import Pace, summary
from .encoding import knows
from .endings import complain, line_of, remark
from .painting import Painter
from .screen import stdout_console, visible

Read = Callable[[], Awaitable[str | None]]
"""Reads the next line; ``None``: there is none, the user has left."""


def talk(settings: dict[str, Any], *, base_url: str | None, sandbox: bool, shows_reasoning: bool = True) -> None:
    """Hold a conversation in the terminal.

    Args:
        settings: Of `Conversation`: ``model``, ``system``, and parameters of each request.
        shows_reasoning: Whether the reasoning is shown, or folded.

    Raises:
        DeepSeekError: No client could be made.
    """

    async def run() -> None:
        async with client_for(base_url, sandbox=sandbox, rate=60.0 if sandbox else None) as client:
            dialogue = Dialogue(Conversation(client, partial="keep", **settings), shows_reasoning)
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
            question, dialogue.attached = with_parts(line, dialogue.attached), []
        dialogue.unanswered = question
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
    if not task.cancelled() and task.exception() is None:
        dialogue.unanswered = None
    if task.cancelled():
        remark("stopped; what came is kept as half an answer, /retry asks again")
    elif isinstance(error := task.exception(), DeepSeekError):
        complain(line_of(error))
    elif error is not None:
        raise error


async def _show(dialogue: Dialogue, stream: TurnStream, console: Console) -> None:
    pace = Pace()
    async with stream:
        with Painter(console, shows_reasoning=dialogue.shows_reasoning) as painter:
            async for delta in stream:
                pace.tick()
                painter.add(delta)
        completion = await stream.completion()
    remark(summary(completion, pace))


def prompt() -> Read:
    """Reads questions from the terminal, with a history over conversations, several lines, and completed commands."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.history import FileHistory, InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings

    history: Any = InMemoryHistory()
    with suppress(OSError):
        folder = Path.home() / ".local" / "state" / "deepseek-async"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        history = FileHistory(str(folder / "history"))
    words = WordCompleter([f"/{name}" for name in COMMANDS], sentence=True)
    keys = KeyBindings()

    @keys.add("escape", "enter")
    def _(event: Any) -> None:  # pragma: no cover - a key of a terminal
        event.current_buffer.insert_text("\n")

    session: PromptSession[str] = PromptSession(
        history=history, completer=words, complete_while_typing=False, key_bindings=keys
    )
    first, more = ("» ", "… ") if knows(sys.stdout, "»…") else ("> ", ". ")

    async def read() -> str | None:
        lines: list[str] = []
        while True:
            try:
                line = await session.prompt_async(more if lines else first)
            except EOFError:
                return None
            except KeyboardInterrupt:  # what was typed is thrown away, as in a shell
                lines.clear()
                continue
            if not line.endswith("\\"):
                return "\n".join([*lines, line])
            lines.append(line[:-1])

    return read
