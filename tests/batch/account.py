"""An account in memory: what a batch sends is answered when the test says so, with no socket and no clock."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from deepseek_async import AsyncClient, ChatRequest, RetryPolicy
from deepseek_async.errors import APIConnectionError
from deepseek_async.transport import HTTPRequest, Progress, Response

# Turns of the event loop that an answer takes.
TURNS = 5
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "total_tokens": 150,
    "prompt_cache_hit_tokens": 64,
    "prompt_cache_miss_tokens": 36,
}


def completion_of(row: str, model: str = "deepseek-flash") -> bytes:
    """What the server answers."""
    message = {"role": "assistant", "content": f"answer to {row}"}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    head = {"id": f"id-{row}", "object": "chat.completion", "created": 1760000000, "model": model}
    return json.dumps({**head, "choices": [choice], "usage": USAGE}).encode()


def error_of(message: str, kind: str = "invalid_request_error") -> bytes:
    """An error object."""
    return json.dumps(
        {"error": {"message": message, "type": kind, "param": None, "code": "invalid_request_error"}}
    ).encode()


def refusal(limit: int) -> bytes:
    """The body of a 429, with the real text."""
    return error_of(
        f"Too many requests. Your current concurrency is {limit + 1}, which exceeds your concurrency limit of {limit} "
        "based on your remaining balance. Please top up.",
        "rate_limit_error",
    )


@attrs.frozen
class Reply:
    """An answer that is no completion."""

    status: int
    body: bytes = error_of("no")
    headers: Mapping[str, str] = attrs.field(factory=dict, hash=False)


class Account:
    """A transport. Rows are known by the text of their last message.

    Args:
        limit: Requests in flight beyond which one is refused; ``None``: none.
        reply: What a row is answered, by row and attempt from 1; ``None``: a completion.

    Attributes:
        holds: Rows whose answer waits for the event of their name. A held row's head has come.
        seen: Every row sent, in order.
        answered: Rows answered with a completion.
    """

    def __init__(
        self,
        *,
        limit: int | None = None,
        reply: Callable[[str, int], Reply | Exception | None] = lambda _row, _attempt: None,
    ) -> None:
        self.limit = limit
        self.reply = reply
        self.holds: dict[str, asyncio.Event] = {}
        self.is_holding_all = False
        self.seen: list[str] = []
        self.attempts: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.in_flight = self.peak = self.refused = self.broken_off = 0
        self._news = asyncio.Condition()

    def hold(self, *rows: str) -> None:
        """Let the answers of these rows wait for `let_go`."""
        for row in rows:
            self.holds.setdefault(row, asyncio.Event())

    def let_go(self, *rows: str) -> None:
        """Let the answers of these rows come; of all, if none is named."""
        if not rows:
            self.is_holding_all = False
        for row in rows or tuple(self.holds):
            self.holds.setdefault(row, asyncio.Event()).set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something about the account is so."""
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(is_so)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def send(self, request: HTTPRequest, progress: Progress) -> Response:
        body = json.loads(request.body or b"{}")
        if request.method == "GET":
            balance = {"currency": "USD", "total_balance": "0.42", "granted_balance": "0", "topped_up_balance": "0.42"}
            return _Response(self, "", 200, {}, json.dumps({"is_available": True, "balance_infos": [balance]}).encode())
        row = body["messages"][-1]["content"]
        self.seen.append(row)
        self.bodies.append(body)
        progress.connected(reused=True)
        await self._tell()
        if self.limit is not None and self.in_flight >= self.limit:
            self.refused += 1
            return _Response(self, "", 429, {}, refusal(self.limit))
        self.attempts[row] += 1
        reply = self.reply(row, self.attempts[row])
        if isinstance(reply, Exception):
            raise reply
        if reply is not None:
            return _Response(self, "", reply.status, reply.headers, reply.body)
        if self.is_holding_all:
            self.hold(row)
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        return _Response(self, row, 200, {"x-ds-trace-id": f"trace-{row}"}, completion_of(row, body["model"]))

    async def aclose(self) -> None:
        pass


class _Response:
    def __init__(self, account: Account, row: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.account, self.row, self.status, self.headers = account, row, status, headers
        self._body = body
        self._is_open = bool(row)
        self.is_at_end = False

    async def receive(self) -> bytes:
        if (hold := self.account.holds.get(self.row)) is not None:
            await hold.wait()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        body, self._body = self._body, b""
        if not body:
            self.is_at_end = True
            if self._is_open:
                self._is_open = False
                self.account.in_flight -= 1
                self.account.answered[self.row] += 1
                await self.account._tell()
        return body

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self.account.in_flight -= 1
            self.account.broken_off += 1


def client_of(account: Account, **options: Any) -> AsyncClient:
    """A client of the account that does not wait between attempts."""
    options.setdefault("retry", RetryPolicy(wait_initial=0.0))
    return AsyncClient("sk-0", base_url="http://127.0.0.1:1", transport=account, **options)


def request(row: str, **parameters: Any) -> ChatRequest:
    """A request whose answer names the row."""
    parameters.setdefault("model", "deepseek-flash")
    return ChatRequest(messages=[{"role": "user", "content": row}], custom_id=row, **parameters)


def broken() -> APIConnectionError:
    """A connection that broke after the request was sent."""
    return APIConnectionError("the connection broke")
