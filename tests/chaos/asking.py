"""What the chaos tests ask, and the one law they hold: the exact answer, or a typed error with a true prefix of it."""

from __future__ import annotations

from typing import Any

from deepseek_async import (
    AsyncClient,
    ChatCompletion,
    ChoiceLogprobs,
    DeepSeekError,
    RetryPolicy,
    Timeouts,
    UserMessage,
)
from deepseek_async.sandbox import SandboxServer

QUESTIONS: tuple[dict[str, Any], ...] = tuple(
    {
        "model": "deepseek-flash",
        "messages": [UserMessage(text)],
        "max_tokens": 16,
        "logprobs": number % 2 == 0,
        "thinking": {"type": "enabled" if number % 4 == 3 else "disabled"},
        "extra_body": {"seed": number},
    }
    for number, text in enumerate(
        (
            "What is a file?",
            "Say 数据 and café.",
            "How do I sort a list?",
            "Why is the sky blue?",
            "Repeat: é é é.",
            "Name a colour.",
        )
    )
)


def make_server() -> SandboxServer:
    """A sandbox whose answers to one question are the same each time, usage included."""
    return SandboxServer(prefix_cache=False, keep_requests=10)


def make_client(base_url: str, attempts: int = 2) -> AsyncClient:
    """A client with little patience, since stalls are among the faults."""
    return AsyncClient(
        base_url=base_url,
        timeouts=Timeouts(connect=5.0, first_chunk=0.5, idle=0.25),
        retry=RetryPolicy(attempts=attempts, wait_initial=0.0),
    )


async def ask(client: AsyncClient, question: dict[str, Any], way: str) -> ChatCompletion:
    """One answer: ``whole``, ``iterated`` (then folded), or ``drained`` (folded only)."""
    if way == "whole":
        return await client.chat.completions.create(**question)  # type: ignore[no-any-return]
    async with client.chat.completions.stream(**question) as stream:
        if way == "iterated":
            async for _ in stream:
                pass
        return await stream.completion()  # type: ignore[no-any-return]


def check_partial(error: DeepSeekError, expected: ChatCompletion) -> None:
    """What the error carries is a true prefix of the answer, in every channel."""
    partial = error.partial
    if partial is None:
        return
    assert not partial.complete
    if not partial.choices:
        return
    message = partial.choices[0].message
    assert expected.text.startswith(message.content or ""), "an invented or lost character"
    assert expected.reasoning.startswith(message.reasoning_content or "")
    got: ChoiceLogprobs | None = partial.choices[0].logprobs
    wanted = expected.logprobs
    for channel in ("content", "reasoning_content"):
        tokens = getattr(got, channel, None) or ()
        assert (getattr(wanted, channel, None) or ())[: len(tokens)] == tokens, "tokens differ"
