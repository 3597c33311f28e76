"""Moves bytes: one request out, an answer's head and bytes in. Nothing here knows what they mean.

Forms, and what stands in for the network, scripts and recordings, are loaded at their first use: most programs never
use them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .base import HTTPRequest, Progress, Response, Transport

if TYPE_CHECKING:
    import os

    from .form import Form, FormFile
    from .recording.once import RecordOnce
    from .recording.recorder import Recorder
    from .recording.replayer import Replayer
    from .scripted import Answer, Pause, ScriptedTransport

__all__ = [
    "Answer",
    "Form",
    "FormFile",
    "HTTPRequest",
    "Pause",
    "Progress",
    "RecordOnce",
    "Recorder",
    "Replayer",
    "Response",
    "ScriptedTransport",
    "Transport",
    "recorded",
]

_HOMES = {
    "Answer": "scripted",
    "Form": "form",
    "FormFile": "form",
    "Pause": "scripted",
    "RecordOnce": "recording.once",
    "Recorder": "recording.recorder",
    "Replayer": "recording.replayer",
    "ScriptedTransport": "scripted",
}


def recorded(transport: Transport, path: str | os.PathLike[str] | None, *, may_record: bool) -> Transport:
    """A transport with a recording in front of it, see `RecordOnce`; without a path the transport itself.

    Raises:
        InvalidRequestError: The file exists and is no recording.
    """
    if path is None:
        return transport
    from .recording.once import RecordOnce

    return RecordOnce(transport, path, may_record=may_record)


def __getattr__(name: str) -> Any:
    if (home := _HOMES.get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value  # from now on without this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
