"""An answer in Markdown, painted as it comes: blocks that are whole are printed once and stay; the rest is renewed.

What scrolls away is never painted again, so that a long answer stands in the terminal's memory once. Where the cursor
cannot be moved, blocks are printed as they become whole.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.markdown import Markdown
from rich.segment import Segment
from rich.text import Text

from ..types import Delta
from .screen import is_live, visible

_THOUGHT = "dim italic"
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_REFRESHES = 12


def end_of_blocks(text: str) -> int:
    """How much of a text that grows is whole blocks of Markdown.

    They end with a blank line outside a fence, behind which comes a line that is not indented.
    """
    end = at = 0
    fence: str | None = None
    is_after_blank = False
    for line in text.splitlines(keepends=True):
        if is_after_blank and fence is None and not line[0].isspace():
            end = at
        if (match := _FENCE.match(line)) is not None:
            if fence is None:
                fence = match[1]
            elif match[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = None
        is_after_blank = not line.strip()
        at += len(line)
    return end


class Painter:
    """Paints one answer on a console; a context manager, at whose end all stands there that has come.

    Args:
        console: Where.
        shows_reasoning: Whether the reasoning is shown, or folded into one line.
    """

    def __init__(self, console: Console, *, shows_reasoning: bool) -> None:
        self._console = console
        self._shows_reasoning = shows_reasoning
        self._thought = self._text = ""  # of these, what is not printed yet
        self._thought_length = 0
        self._has_printed = False
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if is_live(self._console):
            # What it shows last is erased: the same is printed for good.
            self._live = Live(console=self._console, refresh_per_second=_REFRESHES, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.update(Text(""))
            self._live.stop()
            self._live = None
        thought, text = self._thought, self._text
        self._print_thought(thought, is_over=True)
        self._print_text(text)

    def add(self, delta: Delta) -> None:
        """Paint what a delta adds."""
        if delta.reasoning_content:
            self._thought += delta.reasoning_content
            self._thought_length += len(delta.reasoning_content)
            whole = self._thought[: self._thought.rfind("\n") + 1]
            if self._shows_reasoning and whole.strip():
                self._thought = self._thought[len(whole) :]
                self._print_thought(whole)
        if delta.content:
            if self._thought:
                thought, self._thought = self._thought, ""
                self._print_thought(thought, is_over=True)
            self._text += delta.content
            if "\n" in self._text[-len(delta.content) - 1 :]:
                whole = self._text[: end_of_blocks(self._text)]
                self._text = self._text[len(whole) :]
                self._print_text(whole)
        self._renew()

    def _renew(self) -> None:
        if self._live is not None:
            self._live.update(_Tail(self._rest()))

    def _print(self, block: RenderableType) -> None:
        self._renew()  # what is printed now must not stand below itself as well
        self._console.print(block)
        self._has_printed = True

    def _rest(self) -> RenderableType:
        if self._text:
            return Group(*([Text("")] if self._has_printed else []), Markdown(visible(self._text.lstrip("\n"))))
        if self._thought and not self._shows_reasoning:
            return Text(f"… {self._thought_length:,} characters of reasoning so far", style=_THOUGHT)
        return Text(visible(self._thought.strip("\n")), style=_THOUGHT)

    def _print_thought(self, thought: str, *, is_over: bool = False) -> None:
        if not thought.strip():
            return
        if not self._shows_reasoning:
            thought = f"… {self._thought_length:,} characters of reasoning" if is_over else ""
        if thought:
            self._print(Text(visible(thought.strip("\n")), style=_THOUGHT))

    def _print_text(self, text: str) -> None:
        if not text.strip():
            return
        block = Markdown(visible(text.strip("\n")))
        self._print(Group(Text(""), block) if self._has_printed else block)


class _Tail:
    """The last lines of something, as many as the screen has room for."""

    def __init__(self, whole: RenderableType) -> None:
        self._whole = whole

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = console.render_lines(self._whole, options.update(height=None), pad=False)
        for line in lines[-max(console.height - 2, 1) :]:
            yield from line
            yield Segment.line()
