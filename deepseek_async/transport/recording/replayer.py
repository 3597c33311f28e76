"""Plays a recording: each answer cut where the network cut it, and as slow if it shall be."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import APIConnectionError
from ...types.structs import knows_its_names
from ..base import HTTPRequest, Progress, Response
from .exchange import RecordedExchange, path_of, read_recording


@knows_its_names
class Replayer:
    """A transport that answers from a recording.

    A request is known by its method, path and JSON body, whatever its headers and the order of its keys. One that was
    recorded several times gets its answers in order; the last stays.

    Args:
        recording: A file, or what `read_recording` returned.
        at_speed: Whether to keep the recorded times; else everything comes at once.
    """

    def __init__(
        self, recording: str | os.PathLike[str] | Sequence[RecordedExchange], *, at_speed: bool = False
    ) -> None:
        is_path = isinstance(recording, (str, os.PathLike))
        self._script = RecordedAnswers(read_recording(recording) if is_path else recording)  # type: ignore[arg-type]
        self._at_speed = at_speed

    async def send(self, request: HTTPRequest, progress: Progress) -> Response:
        """See `Transport.send`.

        Raises:
            APIConnectionError: The recording has no such request; the message says how the nearest differs.
        """
        progress.connected(reused=False)
        exchange = self._script.answer(request.method, path_of(request.url), request.kept)
        if isinstance(exchange, str):
            raise APIConnectionError(exchange, reason="unscripted")
        return ReplayedResponse(exchange, at_speed=self._at_speed)

    async def aclose(self) -> None:
        """Nothing is open."""


class RecordedAnswers:
    """The answers of a recording, by request."""

    def __init__(self, exchanges: Sequence[RecordedExchange]) -> None:
        self._exchanges = exchanges
        self._left: dict[tuple[str, str, str], list[RecordedExchange]] = {}
        for exchange in exchanges:
            key = (exchange.method, exchange.path, _canonical(exchange.request_body))
            self._left.setdefault(key, []).append(exchange)

    def answer(self, method: str, path: str, body: bytes) -> RecordedExchange | str:
        """The next answer to a request; where there is none, in words why not, without any of the request's text."""
        text = body.decode("utf-8", "replace")
        answers = self._left.get((method, path, _canonical(text)))
        if answers is None:
            return self._why_not(method, path, text)
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def _why_not(self, method: str, path: str, body: str) -> str:
        same = [exchange for exchange in self._exchanges if (exchange.method, exchange.path) == (method, path)]
        if not same:
            known = sorted({f"{exchange.method} {exchange.path}" for exchange in self._exchanges})
            return f"the recording has no {method} {path}; it has {', '.join(known) or 'nothing'}"
        nearest = min((_differences(exchange.request_body, body) for exchange in same), key=len)
        return f"the recording has no {method} {path} with this body; the nearest differs in {', '.join(nearest[:5])}"


class ReplayedResponse:
    """A recorded answer, as `Response`.

    Args:
        at_speed: Whether to keep the recorded times.
    """

    def __init__(self, exchange: RecordedExchange, *, at_speed: bool) -> None:
        self.status: int = exchange.status
        self.headers: Mapping[str, str] = exchange.headers
        self._exchange = exchange
        self._reads = list(exchange.body)
        self._at_speed = at_speed
        self._started = time.monotonic()
        self.is_at_end: bool = False

    async def receive(self) -> bytes:
        if self._reads:
            at, data = self._reads[0]
            if self._at_speed:
                await asyncio.sleep(max(0.0, self._started + at - time.monotonic()))
            self._reads.pop(0)
            return data
        if self._exchange.error is not None:
            raise APIConnectionError(f"{self._exchange.error} (recorded)")
        self.is_at_end = True
        return b""

    def close(self) -> None:
        """Nothing is open."""


def _canonical(body: str) -> str:
    try:
        return json.dumps(json.loads(body), sort_keys=True)
    except ValueError:
        return body


def _differences(recorded: str, asked: str) -> list[str]:
    try:
        return _paths_that_differ(json.loads(recorded), json.loads(asked), "$")
    except ValueError:
        return ["the whole body"]


def _paths_that_differ(one: Any, other: Any, path: str) -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        return [p for key in keys for p in _paths_that_differ(one.get(key), other.get(key), f"{path}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [p for number, (a, b) in pairs for p in _paths_that_differ(a, b, f"{path}[{number}]")]
    return [] if one == other else [path]
