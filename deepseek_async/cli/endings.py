"""How a command may end: its exit code, and the one line that says what happened and what to do."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from ..errors import (
    LIST_OF_MODELS,
    APIConnectionError,
    APIResponseError,
    APITimeoutError,
    DeepSeekError,
    InvalidRequestError,
    NotFoundError,
)

FAILED, USAGE, INTERRUPTED = 1, 2, 130

# Parameters that a command takes as an option of the same name.
_OPTIONS = frozenset(("base_url", "max_tokens", "model", "stop", "temperature", "top_logprobs", "top_p"))


@contextmanager
def told(*, advising: bool = True) -> Iterator[None]:
    """Turn the end of a command's work into an exit code, and tell what went wrong in one line on stderr.

    Args:
        advising: Whether to say what to do about it; of what was recorded, nothing can be done.

    Raises:
        typer.Exit: For every `DeepSeekError`, `OSError`, Ctrl-C, and for a reader of stdout that left.
    """
    try:
        yield
        sys.stdout.flush()  # while it can still be told that the reader has left
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader has what it wanted (`| head`). What is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(FAILED) from None
    except DeepSeekError as error:
        complain(line_of(error, advising=advising))
        raise typer.Exit(code_of(error)) from None
    except OSError as error:  # a file that cannot be read or written
        complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        raise typer.Exit(FAILED) from None


def code_of(error: DeepSeekError) -> int:
    """The exit code of a command that failed so."""
    return USAGE if isinstance(error, InvalidRequestError) else FAILED


def complain(text: str) -> None:
    """Say in red, on one line of stderr, what went wrong."""
    _say(("error:", "bold red"), (text, "red"))


def lacking(what: str, library: str | None, extra: str) -> typer.Exit:
    """Say that a library is missing which comes with an extra; what it returns is to be raised."""
    complain(f"{what} needs {library}: pip install 'deepseek_async[{extra}]'")
    return typer.Exit(USAGE)


def remark(text: str) -> None:
    """Say something about the answer, dimmed, on one line of stderr."""
    _say((text, "dim"))


def _say(*parts: tuple[str, str]) -> None:
    from rich.text import Text

    from .screen import stderr_console, visible

    line = Text(" ").join(Text(visible(_one_line(text)), style) for text, style in parts)
    console = stderr_console()
    console.print(line, soft_wrap=not console.is_terminal)  # a log keeps the line in one, a reader sees words whole


def line_of(error: DeepSeekError, *, advising: bool = True) -> str:
    """What went wrong, what of the answer there is, and what to do."""
    parts = [error.message.replace(LIST_OF_MODELS, "deepseek-async models")]
    facts = [f"{error.attempts} attempts"] if error.attempts > 1 else []
    facts += [f"request id {error.request_id}"] if error.request_id else []
    if facts:
        parts[0] += f" ({', '.join(facts)})"
    if isinstance(error, InvalidRequestError):
        if error.parameter == "api_key":
            return "no API key; set DEEPSEEK_API_KEY, or add --sandbox to try it without one"
        if error.parameter in _OPTIONS:
            parts[0] = "--" + error.parameter.replace("_", "-") + parts[0].removeprefix(error.parameter)
    if error.partial is not None and error.partial.choices:
        parts.append(f"what arrived is incomplete ({len(error.partial.text):,} characters)")
    if advising and (todo := advice(error)):
        parts.append(todo)
    return "; ".join(parts)


def advice(error: DeepSeekError) -> str:
    """What to do about it, as far as the error's own text does not say; ``""``: nothing to add."""
    match error:
        case InvalidRequestError():
            return ""
        case NotFoundError():
            return "check --base-url and --model"
        case APIConnectionError(during="connect"):
            return "check --base-url and the network, or add --sandbox, which needs none"
        case APITimeoutError(phase="connect"):
            return "check --base-url and the network"
        case APIResponseError() if not error.retryable:
            return "check that --base-url is a chat completions API"
        case APITimeoutError():
            return "try again"
        case _ if error.retryable:
            return "try again"
        case _:
            return ""


def _one_line(text: str) -> str:
    """A text of any shape, a server's for instance, as one line."""
    return " ".join(text.split())
