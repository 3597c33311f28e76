"""The one cattrs converter: requests → plain data, and plain data → the caller's own classes.

cattrs' defaults coerce: ``None`` becomes ``'None'`` and ``"false"`` becomes True. Here a value must already be of the
type that is asked for; only an int may stand for a float, as in JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import attrs
from cattrs import Converter, transform_error
from cattrs.gen import make_dict_unstructure_fn, override

from ..errors import MalformedResponseError
from ..types import AssistantMessage, FunctionCall, ToolCall

T = TypeVar("T")


def _exactly(*accepted: type) -> Any:
    def structure(value: Any, wanted: type) -> Any:
        # A bool is an int to Python, and never one to JSON.
        if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
            raise TypeError(f"expected {wanted.__name__}, got {_json_name(value)}")
        return wanted(value)

    return structure


def _json_name(value: Any) -> str:
    names: Mapping[type, str] = {
        dict: "an object",
        list: "an array",
        str: "a string",
        bool: "a boolean",
        int: "an integer",
        float: "a number",
        type(None): "null",
    }
    return names.get(type(value), type(value).__name__)


def _make_converter() -> Converter:
    converter = Converter()
    for wanted, accepted in ((str, (str,)), (bool, (bool,)), (int, (int,)), (float, (float, int))):
        converter.register_structure_hook(wanted, _exactly(*accepted))

    # What must be sent though it is the default: a role says what the message is, and an assistant's content has to
    # be present even as null. What must not: fields of an answer that a server may refuse in a request.
    always = {AssistantMessage: ("content",), FunctionCall: ("name", "arguments"), ToolCall: ("id", "function")}

    def unstructure_hook(cls: Any) -> Any:
        fields = {attribute.name for attribute in attrs.fields(cls)}
        kept = {"role", "type", *always.get(cls, ())} & fields
        overrides = {name: override(omit_if_default=False) for name in kept}
        if "extra" in fields:
            overrides["extra"] = override(omit=True)
        return make_dict_unstructure_fn(cls, converter, _cattrs_omit_if_default=True, **overrides)  # type: ignore[arg-type]

    converter.register_unstructure_hook_factory(_is_ours, unstructure_hook)
    return converter


def _is_ours(cls: Any) -> bool:
    return attrs.has(cls) and getattr(cls, "__module__", "").startswith("deepseek_async.types")


converter = _make_converter()


def structured(data: Any, wanted: type[T], what: str) -> T:
    """Plain data as a value of a class of the caller's: attrs, dataclass, TypedDict, msgspec Struct, or a container.

    Raises:
        MalformedResponseError: It does not fit; the message lists every place, ``path`` is the first.
    """
    try:
        return converter.structure(data, wanted)
    except Exception as error:  # hooks of the caller's may raise anything
        problems = transform_error(error)
        first = problems[0].rpartition(" @ ")[2] if problems else "$"
        raise MalformedResponseError(f"{what}: {'; '.join(problems)}", path=first) from None
