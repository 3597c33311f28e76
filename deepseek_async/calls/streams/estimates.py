"""What an answer used of which the server told nothing: estimated from its request and from what arrived."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from ...codec.answer import StreamedAnswer
from ...codec.requests import body_in
from ...types import ChatCompletion, Usage
from ...types.tokens.estimate import completion_tokens_of, estimated_tokens, prompt_tokens_of

if TYPE_CHECKING:
    from ...policy.metering import Meter

T = TypeVar("T")


def with_estimate(completion: T, answer: StreamedAnswer[Any, Any] | None, prompt_tokens: Callable[[], int]) -> T:
    """An answer with its ``estimated_usage``, where it broke off, or a part of it did, and no usage of that was told.

    Args:
        completion: What arrived; anything but a `ChatCompletion` stays as it is.
        answer: The stream that it came by.
        prompt_tokens: Those of the last request, estimated; see `prompt_tokens_in`.
    """
    if not isinstance(completion, ChatCompletion):
        return completion
    seams = answer.seams if answer is not None else []
    told = [*(seam.usage for seam in seams), completion.usage if answer is None else answer.usage]
    if None not in told or (completion.complete and completion.usage is None):
        return completion  # it is told, or the server tells none of any answer: then nothing is known to be missing
    content, reasoning = completion.text, completion.reasoning
    begins = [(0, 0), *((seam.position, seam.reasoning_position) for seam in seams)]
    ends = [*begins[1:], (len(content), len(reasoning))]
    sizes = [
        round(estimated_tokens(content[a:b]) + estimated_tokens(reasoning[c:d]))
        for (a, c), (b, d) in zip(begins, ends, strict=True)
    ]
    if not seams:
        sizes = [completion_tokens_of(completion)]
    first_prompt = prompt_tokens() - sum(sizes[:-1])
    total: Usage | None = None
    for number, (usage, size) in enumerate(zip(told, sizes, strict=True)):
        if usage is None:
            prompt = max(first_prompt + sum(sizes[:number]), 0)
            usage = Usage(prompt, size, prompt + size)
        total = usage if total is None else total + usage
    return attrs.evolve(completion, estimated_usage=total)


def prompt_tokens_in(body: bytes | None) -> int:
    """Tokens of the prompt of a request's JSON, estimated."""
    return prompt_tokens_of(body_in(body))


def settle_stream(
    meter: Meter | None, answer: StreamedAnswer[Any, Any], *, is_billed: bool = True, goes_on: bool = False
) -> None:
    """Tell a call's meter, if it has one, how far its streamed answer has come."""
    if meter is not None:
        usage = answer.usage
        tokens = completion_tokens_of(answer.snapshot()) if usage is None or goes_on else 0
        meter.settle(
            usage, tokens, model=answer.facts().model, is_billed=is_billed or answer.chunks > 0, goes_on=goes_on
        )


def settle_whole(meter: Meter, completion: Any, *, is_billed: bool = True) -> None:
    """Tell a call's meter what came of an answer in one piece; ``None``: nothing."""
    usage = getattr(completion, "usage", None)
    tokens = completion_tokens_of(completion) if usage is None and completion is not None else 0
    meter.settle(usage, tokens, model=getattr(completion, "model", ""), is_billed=is_billed)
