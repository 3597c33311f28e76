"""Asking through whatever is in the way, and judging what came: the whole truth, or a true part of it and an error."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any, Literal

import attrs

from deepseek_async import (
    APITimeoutError,
    AsyncClient,
    ChatCompletion,
    ChatCompletionChunk,
    DeepSeekError,
    RetryPolicy,
    Timeouts,
    fold,
)

from ..driving import Driven

Way = Literal["whole", "chunks", "drained", "text", "left", "closed", "cancelled", "dropped"]
WAYS: tuple[Way, ...] = ("whole", "chunks", "drained", "text", "left", "closed", "cancelled", "dropped")

# Long enough for any answer of the sandbox's on a busy machine, and what a stall costs.
PATIENCE = Timeouts(connect=10.0, first_chunk=0.25, idle=0.25)


@attrs.frozen
class Question:
    """One request, and how its answer is read.

    Attributes:
        number: Makes the prompt, and with it the answer.
        way: How it is read. Not streamed: ``whole``. To its end: ``chunks``, ``drained``, ``text``. Given up: ``left``
            (break), ``closed`` (by another task), ``cancelled``, ``dropped`` (collected).
        at: At which chunk or suspension it is given up.
        late: Cancelled or closed when what was waited for has just come.
        attempts: Of its retry policy.
    """

    number: int
    way: Way
    at: int = 0
    late: bool = False
    attempts: int = 1

    @property
    def parameters(self) -> dict[str, Any]:
        """What is asked."""
        random = Random(self.number)
        parameters: dict[str, Any] = {
            "model": "deepseek-flash",
            "messages": [
                {"role": "user", "content": f"Tell me story number {self.number}, with a café, 北京 and a 🦋."}
            ],
            "max_tokens": random.choice((1, 5, 20, 60)),
            "thinking": {"type": random.choice(("enabled", "disabled"))},
            "extra_body": {"seed": self.number},
        }
        if random.random() < 0.5:
            parameters.update(logprobs=True, top_logprobs=random.choice((0, 2, 5)))
        return parameters


def draw_question(random: Random, *, variety: int) -> Question:
    """A question at random, among so many different ones."""
    return Question(
        number=random.randrange(variety),
        way=random.choice(WAYS),
        at=random.randrange(25),
        late=random.random() < 0.5,
        attempts=random.choice((1, 1, 2, 3)),
    )


class Truth:
    """What the server says when nobody is in between, each answer asked for once and in one piece."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._known: dict[int, ChatCompletion] = {}

    async def of(self, question: Question) -> ChatCompletion:
        """The answer."""
        if question.number not in self._known:
            answer = await self._client.chat.completions.create(**question.parameters)
            self._known[question.number] = attrs.evolve(answer, request_id=None)
        return self._known[question.number]


Verdict = Literal["exact", "error", "late", "given up"]


async def ask(client: AsyncClient, question: Question, truth: ChatCompletion) -> Verdict:
    """Ask, and see that nothing is said that the server did not say.

    Returns:
        ``exact``: the whole answer came. ``error``: a typed error, ``late`` if a deadline's. ``given up``: by us.

    Raises:
        AssertionError: The client told an untruth: a wrong text, a part that is none, an error without a type.
    """
    if question.way in ("cancelled", "closed"):
        return await _given_up_within(client, question, truth)
    try:
        if question.way == "whole":
            options = {"timeouts": PATIENCE, "retry": RetryPolicy(attempts=question.attempts, wait_initial=0.0)}
            completion = await client.chat.completions.create(**question.parameters, **options)
        else:
            return await _read(client, question, truth)
    except DeepSeekError as error:
        return judge_error(error, truth)
    judge(completion, truth)
    return "exact"


async def _read(client: AsyncClient, question: Question, truth: ChatCompletion) -> Verdict:
    stream = _stream(client, question)
    if question.way == "drained":
        judge(await stream.completion(), truth)
        return "exact"
    if question.way == "text":
        async with stream:
            text = "".join([delta async for delta in stream.text_deltas()])
        assert text == truth.text
        judge(await stream.completion(), truth)
        return "exact"
    chunks: list[ChatCompletionChunk] = []
    try:
        if question.way == "dropped":
            while len(chunks) < question.at:
                chunks.append(await anext(stream))
            return "given up"
        async with stream:
            async for chunk in stream:
                chunks.append(chunk)
                if question.way == "left" and len(chunks) > question.at:
                    break
            else:
                judge(fold(chunks), truth)
                judge(await stream.completion(), truth)
                return "exact"
        return "given up"
    except StopAsyncIteration:
        return "exact"
    finally:
        assert stream.delivered == len(chunks)
        judge_part(fold(chunks), truth)


async def _given_up_within(client: AsyncClient, question: Question, truth: ChatCompletion) -> Verdict:
    stream = _stream(client, question)
    chunks: list[ChatCompletionChunk] = []

    async def read() -> None:
        async with stream:
            async for chunk in stream:
                chunks.append(chunk)  # noqa: PERF401 - what came before an end is of interest
            judge(await stream.completion(), truth)

    async def run() -> None:
        await driven

    closing: list[asyncio.Task[None]] = []

    def give_up() -> None:
        if question.way == "cancelled":
            task.cancel()
        else:
            closing.append(asyncio.ensure_future(stream.aclose()))

    driven = Driven(read(), question.at, give_up, late=question.late)
    task = asyncio.ensure_future(run())
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    await asyncio.gather(*closing)
    judge_part(fold(chunks), truth)
    judge_part(stream.snapshot(), truth)
    if isinstance(outcome, DeepSeekError):
        return judge_error(outcome, truth)
    assert outcome is None or isinstance(outcome, asyncio.CancelledError), repr(outcome)
    if outcome is None and not driven.has_acted:
        return "exact"
    return "given up"


def _stream(client: AsyncClient, question: Question) -> Any:
    retry = RetryPolicy(attempts=question.attempts, wait_initial=0.0)
    return client.chat.completions.stream(**question.parameters, timeouts=PATIENCE, retry=retry)


# -- judging -----------------------------------------------------------------------------------------------------------


def judge(completion: ChatCompletion, truth: ChatCompletion) -> None:
    """A whole answer is the server's, field for field."""
    assert attrs.evolve(completion, request_id=None) == truth


def judge_error(error: DeepSeekError, truth: ChatCompletion) -> Verdict:
    """An error is one of ours, says something, and carries a true part or none."""
    assert type(error) is not DeepSeekError
    assert error.message
    assert error.attempts >= 1
    if error.delivered:
        assert error.partial is not None
    if error.partial is not None:
        assert isinstance(error.partial, ChatCompletion)
        assert not error.partial.complete
        judge_part(error.partial, truth)
    return "late" if isinstance(error, APITimeoutError) else "error"


def judge_part(part: ChatCompletion, truth: ChatCompletion) -> None:
    """Each channel is a beginning of the true one, and nothing is in it that the server did not say."""
    assert truth.text.startswith(part.text)
    assert truth.reasoning.startswith(part.reasoning)
    assert not (part.text and part.reasoning != truth.reasoning)
    for choice in part.choices:
        assert choice.finish_reason in (None, truth.finish_reason)
        assert choice.message.tool_calls is None
        if choice.logprobs is not None:
            assert truth.logprobs is not None
            for channel in ("content", "reasoning_content"):
                said = getattr(choice.logprobs, channel) or ()
                true = getattr(truth.logprobs, channel) or ()
                assert true[: len(said)] == said
    assert part.usage in (None, truth.usage)
    assert part.id in ("", truth.id)
