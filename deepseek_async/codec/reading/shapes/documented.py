"""The documented shapes of an answer: what JSON is decoded into first, and refused by if it is anything else.

A decoder of attrs classes drops keys that it does not know and cannot tell that it did. These shapes refuse whatever
the documentation does not describe: an unknown key, a wrong type. What they refuse is not wrong, only other: `learned`
makes shapes that know a server's own keys besides, and what is odder still `lenient` reads. What the shapes let
through `building` makes values of, field by field.

They take a little more than is documented where servers write it regularly and it can be told apart for nothing:
``null`` in the place of a default, ``""`` for "no reason yet", an empty list of calls. `quirks` has the table of who
writes so.

They are msgspec's own classes because those cost a fifth of attrs' to decode into: 0.30 µs a chunk, not 1.65. Fields
stand in the wire's order where defaults allow: msgspec looks a key up from where it found the last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, Raw, Struct

from ....types import ChatCompletion, ChatCompletionChunk, TextCompletion

NULL: Raw = Raw(b"null")
Reason = Annotated[str, Meta(pattern=r"(?i)^(?!\s*(null|none|nil|undefined)\s*$|\s+$)")]  # no word for null


class Shape(Struct, forbid_unknown_fields=True, gc=False):
    """A shape of the documentation. Shapes hold no cycles, so the collector need not look at them."""

    extra_in: ClassVar[Callable[[Any], Mapping[str, Any]] | None] = None
    """In a learned shape with unknown fields: from its values to those that came."""

    aliases: ClassVar[tuple[str, ...]] = ()
    """In a learned shape: the names here of fields that say ``reasoning_content``."""


class PromptDetailsShape(Shape):
    cached_tokens: int | None = None


class CompletionDetailsShape(Shape):
    reasoning_tokens: int | None = None


class UsageShape(Shape):
    """The token counts; without one of the three, it may say nothing at all."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_cache_hit_tokens: int | None = None
    prompt_cache_miss_tokens: int | None = None
    prompt_tokens_details: PromptDetailsShape | None = None
    completion_tokens_details: CompletionDetailsShape | None = None


class TopShape(Shape):
    """An alternative at a token's position."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None


class TokenShape(TopShape):
    """A token of the answer."""

    top_logprobs: tuple[TopShape, ...] | None = ()


class LogprobsShape(Shape):
    """The tokens of one choice."""

    content: tuple[TokenShape, ...] | None = None
    reasoning_content: tuple[TokenShape, ...] | None = None


class FunctionFragmentShape(Shape):
    name: str | None = None
    arguments: str | None = None


class CallFragmentShape(Shape):
    """A piece of a tool call."""

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionFragmentShape | None = None


class DeltaShape(Shape):
    role: str | None = None
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[CallFragmentShape] | None = None


class ChunkChoiceShape(Shape):
    index: int | None = 0
    delta: DeltaShape | None = None
    logprobs: LogprobsShape | None = None
    finish_reason: Reason | None = None


class ChunkShape(Shape):
    """A ``chat.completion.chunk``."""

    id: str | None = ""
    object: str | None = "chat.completion.chunk"
    created: int | float | None = 0
    model: str | None = ""
    system_fingerprint: str | None = None
    choices: list[ChunkChoiceShape] = []
    usage: UsageShape | None = None


class FunctionShape(Shape):
    name: str | None = ""
    arguments: str | None = ""


class CallShape(Shape):
    """A whole tool call; its ``index`` is its place in the list."""

    id: str | None = ""
    type: str | None = "function"
    function: FunctionShape | None = None
    index: Any = None


class MessageShape(Shape):
    role: str | None = "assistant"
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[CallShape] | None = None


class ChoiceShape(Shape):
    index: int | None = 0
    message: MessageShape | None = None
    logprobs: Raw = NULL  # `LogprobsShape`, left as JSON
    finish_reason: Reason | None = None


class CompletionShape(Shape):
    """A ``chat.completion``."""

    choices: list[ChoiceShape]
    id: str | None = ""
    object: str | None = "chat.completion"
    created: int | float | None = 0
    model: str | None = ""
    system_fingerprint: str | None = None
    usage: UsageShape | None = None


class TextLogprobsShape(Shape):
    """Parallel lists, one entry a token."""

    text_offset: tuple[int, ...] | None = None
    token_logprobs: tuple[float | None, ...] | None = None
    tokens: tuple[str, ...] | None = None
    top_logprobs: tuple[Mapping[str, float] | None, ...] | None = None


class TextChoiceShape(Shape):
    text: str | None = ""
    index: int | None = 0
    logprobs: TextLogprobsShape | None = None
    finish_reason: Reason | None = None


class TextShape(Shape):
    """A ``text_completion``, whole or one event of it."""

    choices: list[TextChoiceShape]
    id: str | None = ""
    object: str | None = "text_completion"
    created: int | float | None = 0
    model: str | None = ""
    system_fingerprint: str | None = None
    usage: UsageShape | None = None


LEFT_AS_JSON: Mapping[tuple[type, str], type[Shape]] = {(ChoiceShape, "logprobs"): LogprobsShape}
"""Fields of a shape that are decoded later, each with the shape it has then."""


class Kind(Struct, frozen=True):
    """A kind of answer."""

    shape: type[Shape]
    value_class: type
    what: str
    is_whole: bool = False


CHUNK: Final = Kind(ChunkShape, ChatCompletionChunk, "the chunk")
COMPLETION: Final = Kind(CompletionShape, ChatCompletion, "the completion", is_whole=True)
TEXT_CHUNK: Final = Kind(TextShape, TextCompletion, "the chunk")
TEXT: Final = Kind(TextShape, TextCompletion, "the completion", is_whole=True)
KINDS: Final = (CHUNK, COMPLETION, TEXT_CHUNK, TEXT)
