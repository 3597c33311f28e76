"""Values → JSON as the API would write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import msgspec

from ..types import AssistantMessage, Choice, ChunkChoice, TokenLogprob, TopLogprob

# Ours, not the API's; an answer that is not whole is marked all the same.
_OURS = ("extra", "request_id", "complete")
# Fields that the API sends as null; any other that is None was not sent.
_NULLABLE: Mapping[type, tuple[str, ...]] = {
    AssistantMessage: ("content",),
    Choice: ("logprobs", "finish_reason"),
    ChunkChoice: ("logprobs", "finish_reason"),
    TokenLogprob: ("bytes",),
    TopLogprob: ("bytes",),
}


def to_json(value: object, *, indent: int = 0) -> str:
    """The value as one JSON text; of one line unless ``indent`` asks for more."""
    data = msgspec.json.encode(to_plain(value))
    return (msgspec.json.format(data, indent=indent) if indent else data).decode()


def to_plain(value: object) -> Any:
    """The value as dicts and lists: the wire's names, unknown fields back in their places.

    What the API sent comes out again. A completion that is not whole has one field more: ``"complete": false``.
    """
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: to_plain(item) for name, item in value.items()}
    cls: type[Any] = type(value)
    if not attrs.has(cls):
        return value
    nullable = _NULLABLE.get(cls, ())
    plain: dict[str, Any] = {}
    for field in attrs.fields(cls):
        item = getattr(value, field.name)
        if field.name not in _OURS and (item is not None or field.name in nullable):
            plain[field.name] = to_plain(item)
    plain.update(to_plain(getattr(value, "extra", {})))
    if getattr(value, "complete", True) is False:
        plain["complete"] = False
    return plain
