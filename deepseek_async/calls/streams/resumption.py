"""The continuation of one streamed answer: whether there is one, and the request that asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from ...codec.answer import Interrupted, StreamedAnswer
from ...errors import DeepSeekError, InvalidRequestError
from ...policy.resume import LENGTH, Resume
from ...transport import HTTPRequest
from ...types import AssistantMessage, ChatCompletion, ChatRequest
from .concealment import conceal


def _check(_: object, __: object, request: ChatRequest) -> None:
    # A prefix is text: the server takes no half of a call back, and checks JSON from its first brace.
    if request.tools:
        raise InvalidRequestError("resume", None, "requests without tools: a tool call cannot be continued")
    if request.response_format is not None and request.response_format.get("type") != "text":
        raise InvalidRequestError("resume", None, "response_format text: JSON mode cannot be continued")
    if request.extra_body.get("n", 1) != 1:
        raise InvalidRequestError("resume", None, "one choice: n above 1 cannot be continued")


@attrs.frozen
class Resumption:
    """How a streamed answer is continued.

    Args:
        resume: When, and how often.
        request: The first request.
        send_as: How a request goes out.
        tokens_before: Tokens of the parts that reached ``max_tokens``, after which it counts anew.

    Raises:
        InvalidRequestError: The request asks for what cannot be continued.
    """

    resume: Resume
    request: ChatRequest = attrs.field(validator=_check)
    send_as: Callable[[ChatRequest], HTTPRequest]
    tokens_before: int = 0

    def is_whole(self, answer: StreamedAnswer[Any, Any]) -> bool:
        """Whether an answer that was cut has as many tokens as were asked for, which only logprobs tell."""
        end, max_tokens = answer.end, self.request.max_tokens
        if max_tokens is None or not isinstance(end, Interrupted) or not answer.has_text:
            return False
        if not self.resume.covers(end.error):
            return False
        tokens = _tokens_counted(answer.snapshot())
        return tokens is not None and tokens - self.tokens_before >= max_tokens

    def follows(self, answer: StreamedAnswer[Any, Any]) -> bool:
        """Whether another part is to follow the end of this one."""
        if not answer.has_text or len(answer.seams) >= self.resume.attempts:
            return False
        return self.resume.covers(_cause_of(answer))

    def continued(self, answer: StreamedAnswer[Any, Any]) -> tuple[Resumption, HTTPRequest]:
        """Make the seam. Returns how to go on after the next part, and the request for that part."""
        cause = _cause_of(answer)
        assert cause is not None  # noqa: S101 - it is covered
        answer.reopen(cause)
        so_far: ChatCompletion = answer.snapshot()
        message = so_far.message
        content, reasoning = message.content or "", message.reasoning_content
        *before, last = self.request.messages
        prefix = _prefix_in(last)
        if prefix is None:
            before, prefix = [*before, last], AssistantMessage("")
        continued = AssistantMessage(
            content=(prefix.content or "") + content,
            reasoning_content=_joined(prefix.reasoning_content, reasoning),
            name=prefix.name,
            prefix=None if _is_of_vllm(so_far) else True,
        )
        max_tokens, tokens_before = self.request.max_tokens, self.tokens_before
        if cause == LENGTH:
            tokens_before = _tokens_in(so_far)
        elif max_tokens is not None:
            max_tokens = max(1, max_tokens - (_tokens_in(so_far) - tokens_before))
        extra_body = {**self.request.extra_body, **(_AS_VLLM if _is_of_vllm(so_far) else {})}
        request = self.send_as(
            attrs.evolve(self.request, messages=(*before, continued), max_tokens=max_tokens, extra_body=extra_body)
        )
        if isinstance(cause, DeepSeekError):
            conceal(cause, request)
        return attrs.evolve(self, tokens_before=tokens_before), request


# Source: vLLM's "OpenAI-Compatible Server", extra parameters of the chat API. It ignores ``prefix``.
_AS_VLLM = {"continue_final_message": True, "add_generation_prompt": False}


def _is_of_vllm(so_far: ChatCompletion) -> bool:
    """Whether vLLM wrote it, by its fingerprint or the fields that it alone has in every answer."""
    if (so_far.system_fingerprint or "").startswith("vllm"):
        return True
    own = {*so_far.extra, *(so_far.choices[0].extra if so_far.choices else ())}
    return not own.isdisjoint(("prompt_token_ids", "token_ids"))


def _cause_of(answer: StreamedAnswer[Any, Any]) -> DeepSeekError | str | None:
    """How the answer's present part ended."""
    return answer.end.error if isinstance(answer.end, Interrupted) else answer.finish_reason


def resumption_of(resume: object, request: ChatRequest, send_as: Callable[[ChatRequest], HTTPRequest]) -> Resumption:
    """How the answer to a request is continued. Raises `InvalidRequestError`."""
    if not isinstance(resume, Resume):
        raise InvalidRequestError("resume", None, f"Resume(…) or None, not {type(resume).__name__}")
    return Resumption(resume, request, send_as)


def without_prefix(completion: ChatCompletion, request: ChatRequest) -> ChatCompletion:
    """The completion as a stream would tell it: llama.cpp puts the request's prefix before what continues it."""
    prefix = _prefix_in(request.messages[-1])
    said = prefix.content or "" if prefix is not None else ""
    if not said or not completion.text.startswith(said):
        return completion
    choices = tuple(
        attrs.evolve(c, message=attrs.evolve(c.message, content=(c.message.content or "").removeprefix(said)))
        for c in completion.choices
    )
    return attrs.evolve(completion, choices=choices)


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
