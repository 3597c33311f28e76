"""A whole answer in place of a stream: the one chunk that folds to it."""

from __future__ import annotations

from ...types import (
    ChatCompletionChunk,
    ChunkChoice,
    Delta,
    FunctionCallFragment,
    ToolCallFragment,
)
from .responses import SHARED, completion_from_json
from .shapes import AnswerReader


def chunk_from_whole(body: bytes, reader: AnswerReader = SHARED) -> ChatCompletionChunk:
    """A whole completion as the one chunk that folds to it.

    Args:
        body: Its JSON.
        reader: Of that server's answers.

    Raises:
        MalformedResponseError: The body is no completion.
        APIStatusError: It is an error object.
    """
    completion = completion_from_json(body, reader=reader)
    choices = []
    for choice in completion.choices:
        message = choice.message
        calls = message.tool_calls
        fragments = None
        if calls is not None:
            fragments = tuple(
                ToolCallFragment(
                    index,
                    call.id,
                    call.type,
                    FunctionCallFragment(call.function.name, call.function.arguments, extra=call.function.extra),
                    extra=call.extra,
                )
                for index, call in enumerate(calls)
            )
        delta = Delta(message.role, message.content, message.reasoning_content, fragments, extra=message.extra)
        choices.append(ChunkChoice(choice.index, delta, choice.logprobs, choice.finish_reason, extra=choice.extra))
    return ChatCompletionChunk(
        id=completion.id,
        created=completion.created,
        model=completion.model,
        system_fingerprint=completion.system_fingerprint,
        choices=tuple(choices),
        usage=completion.usage,
        extra=completion.extra,
    )
