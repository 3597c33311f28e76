"""Values of ours in a request → plain data. The one cattrs converter."""

from __future__ import annotations

from typing import Any

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn, override

from ..types import AssistantMessage, FunctionCall, ToolCall


def _make_converter() -> Converter:
    converter = Converter()
    # What must be sent though it is the default: a role says what the message is, and an assistant's content has to
    # be present even as null. What must not: fields of an answer that a server may refuse in a request.
    always = {AssistantMessage: ("content",), FunctionCall: ("name", "arguments"), ToolCall: ("id", "function")}

    def unstructure_hook(cls: Any) -> Any:
        fields = {attribute.name for attribute in attrs.fields(cls)}
        kept = {"role", "type", *always.get(cls, ())} & fields
        overrides = {name: override(omit_if_default=False) for name in kept}
        # What the caller's mappings hold is for `requests` to say, which refuses some; cattrs would make a path a text.
        for name in {"content", "parameters"} & fields:
            overrides[name] = override(omit_if_default=False if name in kept else None, unstruct_hook=_as_it_is)
        if "extra" in fields:
            overrides["extra"] = override(omit=True)
        return make_dict_unstructure_fn(cls, converter, _cattrs_omit_if_default=True, **overrides)  # type: ignore[arg-type]

    converter.register_unstructure_hook_factory(_is_ours, unstructure_hook)
    return converter


def _as_it_is(value: Any) -> Any:
    return value


def _is_ours(cls: Any) -> bool:
    return attrs.has(cls) and getattr(cls, "__module__", "").startswith("deepseek_async.types")


converter: Converter = _make_converter()
