"""A recording that makes itself: what it has is answered from it, what it lacks is asked once and written down."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import APIConnectionError
from ...types.structs import knows_its_names
from ..base import HTTPRequest, Progress, Response, Transport
from .exchange import path_of, read_recording
from .recorder import Recorder
from .replayer import RecordedAnswers, ReplayedResponse

__all__ = ["RecordOnce"]


@knows_its_names
class RecordOnce:
    """A transport that asks the network only what its recording lacks, and writes that down.

    The answers of this run are not played in it: a request that is sent twice is recorded twice, and the next run gets
    both answers in their order. To record anew, delete the file.

    Args:
        transport: What moves the bytes.
        path: The recording.
        may_record: Whether the network may be asked at all; else what the recording lacks is an error.

    Raises:
        InvalidRequestError: The file exists and is no recording.
    """

    def __init__(self, transport: Transport, path: str | os.PathLike[str], *, may_record: bool = True) -> None:
        is_begun = Path(path).exists() and Path(path).stat().st_size > 0
        self._answers = RecordedAnswers(read_recording(path) if is_begun else ())
        self._transport = transport
        self._recorder = Recorder(transport, path) if may_record else None

    async def send(self, request: HTTPRequest, progress: Progress) -> Response:
        """See `Transport.send`.

        Raises:
            APIConnectionError: The recording has no such request, and nothing may be recorded.
        """
        exchange = self._answers.answer(request.method, path_of(request.url), request.kept)
        if not isinstance(exchange, str):
            progress.connected(reused=False)
            return ReplayedResponse(exchange, at_speed=False)
        if self._recorder is None:
            raise APIConnectionError(f"{exchange}; without an API key nothing is added to it", reason="unscripted")
        return await self._recorder.send(request, progress)

    async def aclose(self) -> None:
        """Close the transport beneath."""
        await self._transport.aclose()
