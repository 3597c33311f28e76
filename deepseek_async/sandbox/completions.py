"""An answer as one JSON object."""

from __future__ import annotations

from typing import Any

from .answers import Answer, Called, Emission, Usage

__all__ = ["whole_completion"]


def whole_completion(answer: Answer) -> dict[str, Any]:
    """Draw every emission and write the completion as the API does when it does not stream."""
    texts: list[dict[str, list[str]]] = [{"content": [], "reasoning_content": []} for _ in range(answer.choices)]
    tokens: list[dict[str, list[Any]]] = [{"content": [], "reasoning_content": []} for _ in range(answer.choices)]
    calls: list[dict[int, dict[str, Any]]] = [{} for _ in range(answer.choices)]
    reasons = ["stop"] * answer.choices
    completion_tokens = reasoning_tokens = 0
    for index, emission in answer.emissions:
        completion_tokens += emission.count
        if isinstance(emission, Emission):
            texts[index][emission.channel].append(emission.text)
            tokens[index][emission.channel].extend(emission.tokens or ())
            if emission.channel == "reasoning_content":
                reasoning_tokens += emission.count
        elif isinstance(emission, Called):
            if emission.id is not None:
                calls[index][emission.index] = {
                    "id": emission.id,
                    "type": "function",
                    "function": {"name": emission.name, "arguments": ""},
                }
            calls[index][emission.index]["function"]["arguments"] += emission.arguments
        else:
            reasons[index] = emission.reason
    choices = []
    for index in range(answer.choices):
        message: dict[str, Any] = {"role": "assistant", "content": "".join(texts[index]["content"])}
        if answer.thinking:
            message["reasoning_content"] = "".join(texts[index]["reasoning_content"])
        if calls[index]:
            message["tool_calls"] = [calls[index][number] for number in sorted(calls[index])]
        # A channel without tokens is null, and so is the whole object: that is what the chunks of a stream add up to.
        channels = {channel: listed or None for channel, listed in tokens[index].items()}
        logprobs = channels if any(channels.values()) else None
        choices.append({"index": index, "message": message, "logprobs": logprobs, "finish_reason": reasons[index]})
    usage = Usage(
        answer.prompt_tokens, answer.cached_tokens, completion_tokens, reasoning_tokens if answer.thinking else None
    )
    return {
        "id": answer.id,
        "object": "chat.completion",
        "created": answer.created,
        "model": answer.model,
        "choices": choices,
        "usage": usage.to_wire(),
        "system_fingerprint": answer.fingerprint,
    }
