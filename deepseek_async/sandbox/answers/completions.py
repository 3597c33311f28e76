"""`whole_events` writes an answer as one JSON body."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import msgspec
from msgspec import UNSET

from ..scripts.actions import Event
from .answer import Answer, Called, Emission, Token
from .replies import CalledWith, ChatCompletion, Choice, Logprobs, ReplyMessage, ReplyToolCall

__all__ = ["whole_events"]


def whole_events(answer: Answer) -> Iterator[Event]:
    """Draw everything, then the body: ``work`` events while there is nothing to send."""
    choices = [_Choice() for _ in range(answer.choices)]
    completion_tokens = reasoning_tokens = 0
    for index, said in answer.emissions:
        completion_tokens += said.count
        choice = choices[index]
        if isinstance(said, Emission):
            if said.channel == "content":
                choice.content.append(said.text)
                choice.content_tokens += said.tokens or ()
            else:
                reasoning_tokens += said.count
                choice.reasoning.append(said.text)
                choice.reasoning_tokens += said.tokens or ()
        elif isinstance(said, Called):
            choice.add_call(said)
        else:
            choice.finish_reason = said.reason
        yield Event(b"", "work", said.count)
    completion = ChatCompletion(
        id=answer.id,
        created=answer.created,
        model=answer.model,
        choices=[choice.to_wire(index, thinking=answer.thinking) for index, choice in enumerate(choices)],
        usage=answer.usage(completion_tokens, reasoning_tokens).to_wire(),
        system_fingerprint=answer.fingerprint,
    )
    yield Event(msgspec.json.encode(completion), "last")


@attrs.define
class _Choice:
    """One choice while it grows."""

    content: list[str] = attrs.field(factory=list)
    reasoning: list[str] = attrs.field(factory=list)
    content_tokens: list[Token] = attrs.field(factory=list)
    reasoning_tokens: list[Token] = attrs.field(factory=list)
    calls: dict[int, tuple[Called, list[str]]] = attrs.field(factory=dict)
    finish_reason: str = "stop"

    def add_call(self, fragment: Called) -> None:
        if fragment.id is not None:
            self.calls[fragment.index] = fragment, []
        self.calls[fragment.index][1].append(fragment.arguments)

    def to_wire(self, index: int, *, thinking: bool) -> Choice:
        # A channel without tokens is null, and so is the whole object: that is what the chunks of a stream add up to.
        logprobs = None
        if self.content_tokens or self.reasoning_tokens:
            logprobs = Logprobs(self.content_tokens or None, self.reasoning_tokens or None)
        calls = [
            ReplyToolCall(index=place, id=first.id or "", function=CalledWith(first.name or "", "".join(arguments)))
            for place, (first, arguments) in sorted(self.calls.items())
        ]
        message = ReplyMessage(
            content="".join(self.content),
            reasoning_content="".join(self.reasoning) if thinking else UNSET,
            tool_calls=calls or UNSET,
        )
        return Choice(index, message, logprobs, self.finish_reason)
