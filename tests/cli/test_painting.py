"""An answer in Markdown as it comes: each block is printed once, however it was cut, on every kind of screen."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from deepseek_async.cli.painting import Painter, end_of_blocks
from deepseek_async.types import Delta

from .terminal import painted

ANSWER = """# Ferries

They leave at **18:40**.

```python
a = 1

# not a block's end
b = 2
```

1. one

   still one

2. two

| a | b |
|---|---|
| 1 | 2 |

The *end*."""


def shown(
    deltas: list[Delta], *, width: int = 40, terminal: bool = True, height: int = 10, reasoning: bool = True
) -> str:
    screen = io.StringIO()
    console = Console(
        file=screen, width=width, height=height, force_terminal=terminal, color_system=None, _environ={"TERM": "xterm"}
    )
    with Painter(console, shows_reasoning=reasoning) as painter:
        for delta in deltas:
            painter.add(delta)
    return screen.getvalue()


def content(text: str, size: int) -> list[Delta]:
    return [Delta(content=text[at : at + size]) for at in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 3, 10, 1000])
@pytest.mark.parametrize("terminal", [True, False])
def test_each_block_stands_once(size: int, terminal: bool) -> None:
    """In order, rendered, and the same as of one piece, but where the terminal itself was painted over."""
    screen = shown(content(ANSWER, size), terminal=terminal)
    lines = (
        [line.strip() for line in painted(screen, 40)] if terminal else [line.strip() for line in screen.splitlines()]
    )
    wanted = [
        "Ferries",
        "They leave at 18:40.",
        "a = 1",
        "# not a block's end",
        "b = 2",
        "1 one",
        "still one",
        "2 two",
        "The end.",
    ]
    assert [line for line in lines if line in wanted] == wanted
    assert not any("**" in line or "```" in line for line in lines)


def test_no_line_is_painted_twice_where_it_scrolled_away() -> None:
    """A screen of five lines, an answer of a hundred: each of them stands there once."""
    text = "\n\n".join(f"Paragraph {number}." for number in range(50))
    lines = painted(shown(content(text, 7), height=5), 40)
    assert [line for line in lines if line.startswith("Paragraph")] == [f"Paragraph {number}." for number in range(50)]


def test_reasoning_and_answer() -> None:
    """Dimmed above the answer; folded, its length stands in its place."""
    deltas = [Delta(reasoning_content="Let me\nsee."), Delta(reasoning_content=" Yes."), *content("It is.", 2)]
    plain = [line.rstrip() for line in shown(deltas, terminal=False).splitlines()]
    assert plain == ["Let me", "see. Yes.", "", "It is."]
    folded = [line.rstrip() for line in shown(deltas, terminal=False, reasoning=False).splitlines()]
    assert folded == ["… 16 characters of reasoning", "", "It is."]
    alone = [line.rstrip() for line in shown(deltas[:2], terminal=False, reasoning=False).splitlines()]
    assert alone == ["… 16 characters of reasoning"]


def test_what_came_before_an_error_stands() -> None:
    """Also a block that is not whole."""
    screen = io.StringIO()
    console = Console(file=screen, width=40, color_system=None)
    with pytest.raises(KeyboardInterrupt), Painter(console, shows_reasoning=True) as painter:
        painter.add(Delta(content="It is `half"))
        raise KeyboardInterrupt
    assert "It is `half" in screen.getvalue()


@given(st.text(alphabet="ab \n`~-1.", max_size=60))
@settings(max_examples=60)
def test_blocks_only_grow(text: str) -> None:
    """What was a whole block stays one when more comes: nothing printed is taken back."""
    ends = [end_of_blocks(text[:at]) for at in range(len(text) + 1)]
    assert ends == sorted(ends)
    assert all(text[:end].endswith("\n") for end in ends if end)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("a", ""),
        ("a\n\n", ""),
        ("a\n\nb", "a\n\n"),
        ("- a\n\n  b", ""),
        ("- a\n\n- b", "- a\n\n"),
        ("```\na\n\nb", ""),
        ("```\na\n\n~~~\n\nb", ""),
        ("````\n```\n\na\n````\n\nb", "````\n```\n\na\n````\n\n"),
        ("  ```x\n\na", ""),
        ("```\n\n```\n\nb", "```\n\n```\n\n"),
    ],
)
def test_where_blocks_end(text: str, whole: str) -> None:
    assert text[: end_of_blocks(text)] == whole
