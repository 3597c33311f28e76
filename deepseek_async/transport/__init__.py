"""Moves bytes: one request out, an answer's head and bytes in. Nothing here knows what they mean."""

from .base import HTTPRequest, Progress, Response, Transport
from .recording import Recorder, Replayer
from .scripted import Answer, Pause, ScriptedTransport

__all__ = [
    "Answer",
    "HTTPRequest",
    "Pause",
    "Progress",
    "Recorder",
    "Replayer",
    "Response",
    "ScriptedTransport",
    "Transport",
]
