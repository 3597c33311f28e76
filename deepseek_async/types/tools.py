"""Tools the model may call, the calls it makes, and the fragments in which a stream brings them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from ..errors import InvalidRequestError
from .requests import ranges
from .structs import knows_its_names
from .values import Brief, Document, extra_field

# Letters, digits, "_" and "-"; 64 characters in pages up to 2026-09-10, 128 since: the wider one holds.
_FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")


def _check_name(_: object, __: object, value: Any) -> None:
    if not isinstance(value, str) or not _FUNCTION_NAME.fullmatch(value):
        raise InvalidRequestError("function.name", value, "1 to 128 letters, digits, '_' or '-'")


@knows_its_names
@attrs.frozen(repr=False)
class FunctionDefinition(Brief):
    """A function the model may call.

    Args:
        name: 1 to 128 letters, digits, ``_`` or ``-``; unique among the tools of a request.
        description: What it does, for the model.
        parameters: JSON Schema of its arguments, an object; left out: no parameters.
        strict: The server checks the schema and holds the model to it. Needs the beta base URL and every function.

    Raises:
        InvalidRequestError: The name is not allowed, or a value is of a wrong type.
    """

    name: str = attrs.field(validator=_check_name)
    description: str | None = attrs.field(default=None, validator=ranges.text())
    parameters: Mapping[str, Any] | None = attrs.field(default=None, hash=False, validator=ranges.mapping)
    strict: bool | None = attrs.field(default=None, validator=ranges.boolean)


@knows_its_names
@attrs.frozen(repr=False)
class Tool(Document):
    """A tool of a request. ``type`` is always ``"function"`` today."""

    function: FunctionDefinition
    type: str = "function"


@knows_its_names
@attrs.frozen(repr=False)
class FunctionCall(Brief):
    """The function the model wants called.

    Attributes:
        name: One of the request's functions, or one the model made up.
        arguments: JSON text as the model wrote it; it may be invalid JSON, or not fit the schema. Check it.
    """

    name: str = ""
    arguments: str = ""
    extra: Mapping[str, Any] = extra_field()


@knows_its_names
@attrs.frozen(repr=False)
class ToolCall(Document):
    """One call the model makes. Answer it with a `ToolMessage` of the same id."""

    id: str = ""
    type: str = "function"
    function: FunctionCall = FunctionCall()
    extra: Mapping[str, Any] = extra_field()


@attrs.frozen(repr=False)
class FunctionCallFragment(Brief):
    """``name`` comes whole in the call's first fragment; ``arguments`` in pieces to be joined."""

    name: str | None = None
    arguments: str | None = None
    extra: Mapping[str, Any] = extra_field()


@attrs.frozen(repr=False)
class ToolCallFragment(Brief):
    """A piece of a tool call. Fragments belong together by ``index``; ``id`` and ``type`` come in the first."""

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionCallFragment | None = None
    extra: Mapping[str, Any] = extra_field()
