"""An `Exchange` is one request with its response, from the arrival of the one to the last byte of the other."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

import attrs
from aiohttp import web

from ..requests import refusals
from ..requests.refusals import Refusal
from ..requests.seen import SeenRequest
from ..scripts.actions import Event, Reply, Wait
from ..scripts.faults import BareError, BlankBody, Body, Refuse
from ..scripts.json_form import HEADER, read_script
from ..scripts.playback import EVENT_STREAM, JSON, play
from ..scripts.script import Script
from .wire import Played, perform

if TYPE_CHECKING:
    from .state import Sandbox

__all__ = ["Exchange", "chosen_script"]

ROW_HEADER = "x-sandbox-row"

_log = logging.getLogger("deepseek_async.sandbox")
_BY_STATUS: dict[int, Callable[[], Refusal]] = {
    401: lambda: refusals.authentication_fails("Bearer sk-wrong"),
    402: refusals.insufficient_balance,
    429: lambda: refusals.too_many_requests(26, 25),
    500: refusals.server_error,
    503: refusals.too_busy,
}


@attrs.define(eq=False)
class Exchange:
    """A request with everything that answering it needs.

    Attributes:
        beta: Whether beta features are served at this address.
        seen: The record.
        script: What is played; a script without content and faults if nothing is.
        headers: Headers of the answer, whatever it is.
    """

    sandbox: Sandbox
    request: web.BaseRequest
    beta: bool
    seen: SeenRequest
    script: Script
    headers: tuple[tuple[str, str], ...] = ()
    _played: bool = False

    def row(self, user_id: str | None) -> str:
        """What this request is billed under; see `Ledger`."""
        return self.request.headers.get(ROW_HEADER) or user_id or hashlib.sha256(self.seen.body).hexdigest()[:16]

    async def run(self, endpoint: Callable[[Exchange], Awaitable[Played]]) -> Played:
        """Answer: by the script if it replaces the answer, else by the endpoint, else with what it refuses."""
        try:
            try:
                substitute = self._substitute()
                if substitute is not None:
                    return await substitute
                self._authenticate()
                return await endpoint(self)
            except Refusal as refusal:
                return await self.refuse(refusal)
            except RecursionError:
                if self._played:
                    raise
                return await self.refuse(refusals.nested_too_deeply("The request body"))
        except Exception:
            # Ours, and not the client's fault. In an answer that began nothing honest is left but to break off.
            _log.exception("%s %s failed", self.request.method, self.request.path)
            if not self._played:
                return await self.refuse(refusals.server_error())
            if self.request.transport is not None:
                self.request.transport.abort()
            return Played(500, reusable=False)

    async def refuse(self, refusal: Refusal) -> Played:
        """Send an error."""
        data, content_type = refusal.body()
        self.seen.answer = refusal.message
        body = [Event(data, "last")]
        return await self.send(body, status=refusal.status, content_type=content_type, headers=refusal.headers)

    async def send(
        self,
        events: Iterable[Event | Wait],
        *,
        status: int = 200,
        content_type: str = JSON,
        headers: Iterable[tuple[str, str]] = (),
        generated: bool = False,
    ) -> Played:
        """Send a body.

        Args:
            generated: Whether a model writes it, so that latency, rate and late heads apply.
        """
        sandbox, script = self.sandbox, self.script
        latency = rate = None
        if generated:
            latency = sandbox.latency if script.latency is None else script.latency
            rate = sandbox.rate if script.rate is None else script.rate
        reply: Reply = play(
            events,
            script,
            status=status,
            content_type=content_type,
            headers=(("x-ds-trace-id", uuid.uuid4().hex), *self.headers, *headers),
            latency=latency or 0.0,
            late_head=generated and sandbox.heads == "late",
        )
        self._played = True
        self.seen.status = reply.status
        sandbox.changed(self.seen)
        return await perform(reply, self.request, sandbox.wheel, rate=rate, first_byte=self._note_first_byte)

    def _note_first_byte(self) -> None:
        self.seen.first_byte_at = self.sandbox.elapsed()
        self.sandbox.changed(self.seen)

    def _authenticate(self) -> None:
        key = self.sandbox.api_key
        header = self.request.headers.get("Authorization")
        if key is not None and header != f"Bearer {key}":
            raise refusals.authentication_fails(header)

    def _substitute(self) -> Awaitable[Played] | None:
        """What the script puts in the place of an answer, if anything."""
        for fault in self.script.faults:
            if isinstance(fault, Refuse):
                raise _scripted(fault)
            if isinstance(fault, BareError):
                error = Refusal(status=200, message=fault.message, type=fault.type, code=fault.code)
                return self.send([Event(error.body()[0], "last")], content_type=EVENT_STREAM)
            if isinstance(fault, BlankBody):
                lines: list[Event | Wait] = []
                for _ in range(fault.lines):
                    lines += [Wait(fault.every), Event(b"\n")]
                return self.send(lines, content_type=self._asked_type())
            if isinstance(fault, Body):
                return self.send([Event(fault.text.encode(), "last")], content_type=self._asked_type())
        return None

    def _asked_type(self) -> str:
        try:
            streamed = bool(self.seen.json.get("stream"))
        except (ValueError, AttributeError):
            streamed = False
        return EVENT_STREAM if streamed else JSON


def _scripted(fault: Refuse) -> Refusal:
    usual = _BY_STATUS.get(fault.status)
    refusal = usual() if usual else Refusal(status=fault.status, message=f"Error {fault.status}")
    refusal = attrs.evolve(
        refusal,
        message=refusal.message if fault.message is None else fault.message,
        type=refusal.type if fault.type is None else fault.type,
        code=refusal.code if fault.code is None else fault.code,
        raw=fault.body,
    )
    if fault.retry_after is None:
        return refusal
    text = fault.retry_after if isinstance(fault.retry_after, str) else f"{fault.retry_after:g}"
    return attrs.evolve(refusal, headers=(("Retry-After", text),))


def chosen_script(sandbox: Sandbox, seen: SeenRequest, *, speaking: bool) -> Script | None:
    """The script for a request: the one in its header, else the first one waiting.

    Raises:
        Refusal: 400: the header holds no script.
    """
    given = seen.headers.get(HEADER)
    if given is not None:
        try:
            return read_script(_decoded(given))
        except ValueError as error:
            raise refusals.bad_request(f"Invalid {HEADER} header: {error}") from None
    return sandbox.scripts.take(seen, speaking=speaking)


def _decoded(header: str) -> str:
    """A header's text. JSON may have been sent as UTF-8, or in Latin-1, as fetch() does."""
    data = header.encode("utf-8", "surrogateescape")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
