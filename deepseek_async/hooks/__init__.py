"""Instrumentation as data: hooks are called with frozen records and answer nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .records import AttemptStarted as AttemptStarted
    from .records import Ended as Ended
    from .records import FirstChunk as FirstChunk
    from .records import Held as Held
    from .records import Record as Record
    from .records import RetryScheduled as RetryScheduled

__all__ = ["AttemptStarted", "Ended", "FirstChunk", "Held", "Hook", "Record", "RetryScheduled", "call_hooks"]

_log = logging.getLogger("deepseek_async")


class Hook(Protocol):
    """Anything that can be called with a record; called inside the event loop, so it must be quick."""

    def __call__(self, record: Record, /) -> None: ...


def call_hooks(hooks: Sequence[Hook], record: Record) -> None:
    """Hand a record to every hook. A hook that raises is logged: watching a call must not break it."""
    for hook in hooks:
        try:
            hook(record)
        except Exception:
            with suppress(Exception):  # a handler of the log's, or the hook's repr, may fail as well
                _log.exception("the hook %r failed on %s", hook, type(record).__name__)


def __getattr__(name: str) -> Any:
    # Records are loaded with the first hook: a client without hooks does not pay for their classes.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import records

    value = globals()[name] = getattr(records, name)
    return value
