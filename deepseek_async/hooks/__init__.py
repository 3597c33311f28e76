"""Instrumentation as data: hooks are called with frozen records.

A hook answers nothing, but for one thing: to an `AttemptStarted` it may return a mapping of headers, which go out with
that attempt's request, instead of those of the same name (``traceparent``, a request id of one's own).
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .intervals import ChunkIntervals as ChunkIntervals
    from .records import AttemptStarted as AttemptStarted
    from .records import Connected as Connected
    from .records import Content as Content
    from .records import Ended as Ended
    from .records import FirstChunk as FirstChunk
    from .records import Held as Held
    from .records import Record as Record
    from .records import RequestParameters as RequestParameters
    from .records import RetryScheduled as RetryScheduled

__all__ = [
    "AttemptStarted",
    "ChunkIntervals",
    "Connected",
    "Content",
    "Ended",
    "FirstChunk",
    "Held",
    "Hook",
    "Record",
    "RequestParameters",
    "RetryScheduled",
    "ask_hooks",
    "call_hooks",
]

_log = logging.getLogger("deepseek_async")

PLAIN = "a plain function: nobody awaits what an async one returns. Let it make a task, or put the record into a queue"


class Hook(Protocol):
    """Anything that can be called with a record; called inside the event loop, so it must be quick.

    It is no async function: one is refused when the client is made. A hook whose attribute ``wants_content`` is True is
    called with `Content` too, which holds prompts and answers.
    """

    def __call__(self, record: Record, /) -> Mapping[str, str] | None: ...


def is_async(hook: object) -> bool:
    """Whether calling it would only make a coroutine: an async function, method or ``__call__``, a partial of one."""
    called = getattr(type(hook), "__call__", None)  # noqa: B004 - what it is matters, not whether
    return any(inspect.iscoroutinefunction(it) or inspect.isasyncgenfunction(it) for it in (hook, called))


def ask_hooks(hooks: Sequence[Hook], record: Record) -> Iterator[tuple[Hook, Any]]:
    """Hand a record to every hook; what those returned that returned anything. One that raises is logged."""
    for hook in hooks:
        try:
            answer = hook(record)
        except Exception:
            with suppress(Exception):  # a handler of the log's, or the hook's repr, may fail as well
                _log.exception("the hook %r failed on %s", hook, type(record).__name__)
        else:
            if answer is not None:
                yield hook, answer


def call_hooks(hooks: Sequence[Hook], record: Record) -> None:
    """Hand a record to every hook. A hook that raises is logged: watching a call must not break it."""
    for hook, answer in ask_hooks(hooks, record):
        if is_coroutine(answer):
            answer.close()
            with suppress(Exception):
                _log.error("the hook %r returned a coroutine for %s; it must be %s", hook, type(record).__name__, PLAIN)


def is_coroutine(answer: object) -> bool:
    """Whether it does nothing unless somebody awaits it. A task is none: it runs by itself."""
    return inspect.iscoroutine(answer)


def __getattr__(name: str) -> Any:
    # Records are loaded with the first hook: a client without hooks does not pay for their classes.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import records

    value = globals()[name] = getattr(records, name)
    return value
