"""A typed function as a tool: what the model is told of it, and how it is called with what the model says."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

import attrs

from ...codec.reading.bodies import parse_json
from ...codec.structuring import structured, structuring_of
from ...errors import InvalidRequestError
from ...types import FunctionDefinition, Tool
from ...types.requests.numbers import number_in
from ...types.values import Brief
from .docstrings import described

_TIMEOUT = "seconds, more than 0, or None"


@attrs.frozen(repr=False)
class FunctionTool(Brief):
    """A function that the model may call; `tool` makes it.

    Attributes:
        function: What is called. A coroutine function runs in the event loop, any other in a thread.
        definition: What the model is told: name, description, JSON Schema of the arguments.
        timeout: Seconds that a call may take; ``None``: as long as it likes.
    """

    function: Callable[..., Any]
    definition: FunctionDefinition
    timeout: float | None = None
    _arguments: type = attrs.field(kw_only=True, repr=False)

    @property
    def name(self) -> str:
        """As the model calls it."""
        return self.definition.name

    @property
    def tool(self) -> Tool:
        """As a request carries it, for those who run their own loop: ``create(tools=[weather.tool])``."""
        return Tool(self.definition)

    def arguments_in(self, text: str) -> dict[str, Any]:
        """The arguments that the model wrote, as values of the annotated types; those it left out are left out.

        Raises:
            MalformedResponseError: They are no JSON, or do not fit; the message names every place.
        """
        data = parse_json((text.strip() or "{}").encode(), "the arguments")
        value: Any = structured(data, self._arguments, "the arguments")
        return {name: getattr(value, name) for name in data}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function itself: a decorated one is called like any other."""
        return self.function(*args, **kwargs)


@overload
def tool(function: Callable[..., Any], /) -> FunctionTool: ...
@overload
def tool(
    function: Callable[..., Any],
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    timeout: float | None = None,
) -> FunctionTool: ...
@overload
def tool(
    *, name: str | None = None, description: str | None = None, timeout: float | None = None
) -> Callable[[Callable[..., Any]], FunctionTool]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    timeout: float | None = None,
) -> FunctionTool | Callable[[Callable[..., Any]], FunctionTool]:
    """Describe a function to the model: ``tool(function)``, or ``@tool``, or ``@tool(name="…")``.

    The annotations become the JSON Schema of the arguments, by the rules of `parse`; the docstring's first part becomes
    the description, and what it says of each argument (Google, NumPy or Sphinx style) the description of that one.

    Args:
        function: Sync or async. Each parameter has an annotation; ``*args`` and ``**kwargs`` cannot be described.
        name: Instead of the function's own: 1 to 128 letters, digits, ``_`` or ``-``.
        description: Instead of the docstring's.
        timeout: Seconds that one call may take; the model is then told that it took too long.

    Raises:
        InvalidRequestError: The function cannot be a tool; the message says why.
    """
    if function is None:
        return lambda decorated: _tool_of(decorated, name, description, timeout)
    return _tool_of(function, name, description, timeout)


def _shown(value: object) -> str:
    """A wrong tool in a few words: who gives a name, or a schema, is told of it."""
    return repr(value[:60]) if isinstance(value, str) else type(value).__name__


def _tool_of(
    function: Callable[..., Any], name: str | None, description: str | None, timeout: float | None
) -> FunctionTool:
    if not callable(function):
        raise InvalidRequestError("tool", None, f"a function, not {_shown(function)}")
    seconds = number_in(timeout)
    if timeout is not None and (seconds is None or not seconds > 0):
        raise InvalidRequestError("timeout", timeout, _TIMEOUT)
    name = name or getattr(function, "__name__", None)
    if name is None:
        raise InvalidRequestError("tool", None, f"a name=…, which {type(function).__name__} has none of its own")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidRequestError(f"tool {name!r}", None, "a function that returns its result, not a generator")
    said = described(inspect.getdoc(function) or "")
    arguments = _arguments_of(function, name)
    try:
        schema = structuring_of(arguments).schema
    except InvalidRequestError as error:
        raise InvalidRequestError(f"tool {name!r}", None, error.allowed) from None
    # The class of the arguments has a name of ours and says nothing: only its properties are of use to the model.
    schema = {key: value for key, value in schema.items() if key not in ("title", "description")}
    schema["properties"] = {
        argument: {**inner, "description": said.arguments[argument]}
        if argument in said.arguments and "description" not in inner
        else inner
        for argument, inner in schema.get("properties", {}).items()
    }
    definition = FunctionDefinition(name=name, description=description or said.summary or None, parameters=schema)
    return FunctionTool(function, definition, seconds, arguments=arguments)


def _arguments_of(function: Callable[..., Any], name: str) -> type:
    """A dataclass whose fields are the function's parameters."""
    try:
        signature = inspect.signature(function)
        hints = typing.get_type_hints(_annotated(function), include_extras=True)
    except (ValueError, TypeError, NameError) as error:
        raise InvalidRequestError(
            f"tool {name!r}", None, f"a function whose annotations can be read ({error})"
        ) from None
    fields: list[Any] = []
    for parameter in signature.parameters.values():
        where = f"tool {name!r}, parameter {parameter.name!r}"
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise InvalidRequestError(where, None, "parameters that are passed by name")
        if parameter.name not in hints:
            raise InvalidRequestError(where, None, "an annotation, from which the model learns what it takes")
        default = parameter.default
        # By a factory, since a dataclass refuses a default that can be changed.
        field = (
            dataclasses.field() if default is parameter.empty else dataclasses.field(default_factory=_always(default))
        )
        fields.append((parameter.name, hints[parameter.name], field))
    return dataclasses.make_dataclass(f"{name}_arguments", fields, kw_only=True)


def _always(value: Any) -> Callable[[], Any]:
    return lambda: value


def _annotated(function: Callable[..., Any]) -> Any:
    """What holds the annotations of a callable: a method's function, a partial's, or an object's ``__call__``."""
    function = inspect.unwrap(function)
    while isinstance(function, functools.partial):  # from Python 3.14 on one is a routine, too
        function = inspect.unwrap(function.func)
    return function if inspect.isroutine(function) else type(function).__call__


def toolbox_of(tools: Sequence[FunctionTool | Callable[..., Any]]) -> Mapping[str, FunctionTool]:
    """The tools by name, in order.

    Raises:
        InvalidRequestError: One is no tool, or two have one name.
    """
    if isinstance(tools, (str, bytes, Mapping)) or not isinstance(tools, Sequence):
        raise InvalidRequestError("tools", None, f"a sequence of functions, not {type(tools).__name__}")
    if not tools:
        raise InvalidRequestError("tools", None, "at least one function; without any, create asks the model")
    toolbox: dict[str, FunctionTool] = {}
    for number, given in enumerate(tools):
        if isinstance(given, (Tool, Mapping)):
            raise InvalidRequestError(f"tools[{number}]", None, "a function, or tool(function): run_tools calls it")
        made = given if isinstance(given, FunctionTool) else tool(given)
        if made.name in toolbox:
            raise InvalidRequestError(f"tools[{number}]", made.name, "a name that no other tool has")
        toolbox[made.name] = made
    return toolbox
