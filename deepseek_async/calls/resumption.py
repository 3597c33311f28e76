"""The continuation of one streamed answer: the request that asks for the rest, and the seams that it leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from ..errors import DeepSeekError, InvalidRequestError
from ..policy.resume import LENGTH, Resume
from ..transport import HTTPRequest
from ..types import AssistantMessage, ChatCompletion, ChatRequest, Usage
from .concealing import conceal


@attrs.frozen
class Seam:
    """Where a continued answer was joined.

    Attributes:
        position: Characters of ``content`` before the seam.
        reasoning_position: Characters of ``reasoning_content`` before it.
        cause: The error that ended the part before it, or ``"length"``.
        usage: Token counts of the part before it; ``None`` where they were lost with its end.
        request_id: The server's id of that part's request.
    """

    position: int
    reasoning_position: int
    cause: DeepSeekError | str
    usage: Usage | None = None
    request_id: str | None = None


class Resumption:
    """What continuing needs to know.

    Args:
        resume: When, and how often.
        request: The first request.
        send_as: How a request goes out.

    Raises:
        InvalidRequestError: The request asks for what cannot be continued.
    """

    def __init__(self, resume: Resume, request: ChatRequest, send_as: Callable[[ChatRequest], HTTPRequest]) -> None:
        # A prefix is text: the server takes no half of a call back, and checks JSON from its first brace.
        if request.tools:
            raise InvalidRequestError("resume", None, "requests without tools: a tool call cannot be continued")
        if request.response_format is not None and request.response_format.get("type") != "text":
            raise InvalidRequestError("resume", None, "response_format text: JSON mode cannot be continued")
        if request.extra_body.get("n", 1) != 1:
            raise InvalidRequestError("resume", None, "one choice: n above 1 cannot be continued")
        self._resume = resume
        self._request = request
        self._send_as = send_as
        self._tokens_before = 0  # of parts that reached max_tokens, after which it counts anew
        self.seams: list[Seam] = []

    def has_all_tokens(self, so_far: ChatCompletion) -> bool:
        """Whether as many tokens have come as were asked for, which only logprobs tell."""
        max_tokens = self._request.max_tokens
        tokens = _tokens_counted(so_far)
        return None not in (max_tokens, tokens) and (tokens or 0) - self._tokens_before >= (max_tokens or 0)

    def may_follow(self, end: DeepSeekError | str | None) -> bool:
        """Whether another part may follow that end."""
        return len(self.seams) < self._resume.attempts and self.covers(end)

    def covers(self, end: DeepSeekError | str | None) -> bool:
        """Whether that end is one to continue after."""
        return self._resume.covers(end)

    def next_request(
        self, so_far: ChatCompletion, end: DeepSeekError | str, usage: Usage | None, request_id: str | None
    ) -> HTTPRequest:
        """Make the seam, and the request for what comes after it.

        Args:
            so_far: The answer with all its parts.
            end: How the last part ended.
            usage: That part's own token counts.
            request_id: Of that part's request.
        """
        message = so_far.message
        content, reasoning = message.content or "", message.reasoning_content
        self.seams.append(Seam(len(content), len(reasoning or ""), end, usage, request_id))
        *before, last = self._request.messages
        prefix = _prefix_in(last)
        if prefix is None:
            before, prefix = [*before, last], AssistantMessage("")
        continued = AssistantMessage(
            content=(prefix.content or "") + content,
            reasoning_content=_joined(prefix.reasoning_content, reasoning),
            name=prefix.name,
            prefix=True,
        )
        max_tokens = self._request.max_tokens
        if end == LENGTH:
            self._tokens_before = _tokens_in(so_far)
        elif max_tokens is not None:
            max_tokens = max(1, max_tokens - (_tokens_in(so_far) - self._tokens_before))
        request = self._send_as(attrs.evolve(self._request, messages=(*before, continued), max_tokens=max_tokens))
        if isinstance(end, DeepSeekError):
            conceal(end, request)
        return request


def _prefix_in(message: Any) -> AssistantMessage | None:
    """The prefix that the caller's own request ends with, if it does."""
    if isinstance(message, AssistantMessage):
        return message if message.prefix else None
    if isinstance(message, Mapping) and message.get("prefix"):
        return AssistantMessage(message.get("content"), message.get("reasoning_content"), name=message.get("name"))
    return None


def _joined(one: str | None, other: str | None) -> str | None:
    return other if one is None else one if other is None else one + other


def _tokens_counted(so_far: ChatCompletion) -> int | None:
    """Tokens of the answer so far, where logprobs tell them."""
    logprobs = so_far.logprobs
    if logprobs is None or (logprobs.content is None and logprobs.reasoning_content is None):
        return None
    return len(logprobs.content or ()) + len(logprobs.reasoning_content or ())


def _tokens_in(so_far: ChatCompletion) -> int:
    """Tokens of the answer so far: counted, else estimated by DeepSeek's rule of thumb.

    Source: page "Token & Token Usage": 0.3 of a token for an English character, 0.6 for a Chinese one.
    """
    if (counted := _tokens_counted(so_far)) is not None:
        return counted
    text = so_far.text + so_far.reasoning
    wide = sum(character >= "\u2e80" for character in text)
    return round(0.3 * (len(text) - wide) + 0.6 * wide)
