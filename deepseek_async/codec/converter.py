"""The one cattrs converter: requests → plain data, and plain data → the caller's own classes.

cattrs' defaults coerce: ``None`` becomes ``'None'``, ``"false"`` becomes True, and a string a list of its characters.
Here a value must already be of the JSON type that is asked for; only an int may stand for a float.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import inspect
import types
import typing
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import attrs
import msgspec
from cattrs import ClassValidationError, Converter, IterableValidationError, StructureHandlerNotFoundError
from cattrs.cols import is_any_set, is_frozenset, is_mapping, is_namedtuple, is_sequence, list_structure_factory
from cattrs.errors import IterableValidationNote
from cattrs.gen import make_dict_unstructure_fn, mapping_structure_factory, override
from cattrs.strategies import configure_union_passthrough

from ..errors import InvalidRequestError, MalformedResponseError
from ..types import AssistantMessage, FunctionCall, ToolCall

T = TypeVar("T")

Hook = Callable[[Any, Any], Any]

# What JSON has no type of its own for: msgspec reads them from text, strictly.
_SAID_AS_TEXT = (
    datetime.datetime,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    uuid.UUID,
    bytes,
)


class _MisfitError(ValueError):
    """What is wrong, and where below the value that the hook was asked for."""

    def __init__(self, what: str, path: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.path = path


def _make_converter() -> Converter:
    converter = Converter()
    _take_only_json_types(converter)
    _leave_out_what_is_not_sent(converter)
    return converter


# -- plain data → the caller's classes -------------------------------------------------------------------------------


def _take_only_json_types(converter: Converter) -> None:
    for wanted, accepted in ((str, (str,)), (bool, (bool,)), (int, (int,)), (float, (float, int))):
        converter.register_structure_hook(wanted, _exactly(wanted, accepted))
    converter.register_structure_hook(type(None), _nothing)
    for written in _SAID_AS_TEXT:
        converter.register_structure_hook(written, _by_msgspec)
    converter.register_structure_hook_func(_is_of_msgspec, _by_msgspec)

    # Of two that fit, cattrs asks the later one.
    factories: tuple[tuple[Callable[[Any], bool], Callable[[Any], Hook], type], ...] = (
        (is_mapping, lambda cls: mapping_structure_factory(cls, converter, structure_to=_mapping_made(cls)), dict),
        (is_sequence, lambda cls: list_structure_factory(cls, converter), list),
        (_is_tuple_of_one_type, lambda cls: _array_factory(cls, tuple, converter), list),
        (_is_tuple_of_places, lambda cls: _places_factory(cls, converter), list),
        (is_any_set, lambda cls: _array_factory(cls, frozenset if is_frozenset(cls) else set, converter), list),
        (_is_class_of_fields, converter.gen_structure_attrs_fromdict, dict),
        (typing.is_typeddict, converter.gen_structure_typeddict, dict),
    )
    for fits, make, kind in factories:
        converter.register_structure_hook_factory(fits, _only(kind, make))
    configure_union_passthrough(str | bool | int | float | None, converter)
    converter.register_structure_hook_factory(_is_union_of_classes, lambda union: _best_of(union, converter))


def _exactly(wanted: type, accepted: tuple[type, ...]) -> Hook:
    def structure(value: Any, _: Any) -> Any:
        # A bool is an int to Python, and never one to JSON.
        if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
            raise _MisfitError(f"expected {wanted.__name__}, got {_json_name(value)}")
        return wanted(value)

    return structure


def _nothing(value: Any, _: Any) -> None:
    if value is not None:
        raise _MisfitError(f"expected null, got {_json_name(value)}")


def _by_msgspec(value: Any, wanted: Any) -> Any:
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        wrong, _, path = str(error).partition(" - at ")
        raise _MisfitError(wrong, path.strip("`").removeprefix("$")) from None


def _only(accepted: type, make: Callable[[Any], Hook]) -> Callable[[Any], Hook]:
    """The hooks that a factory makes, asked only with a JSON object (or array)."""

    def factory(cls: Any) -> Hook:
        hook = make(cls)

        def structure(value: Any, wanted: Any) -> Any:
            if not isinstance(value, accepted):
                raise _MisfitError(f"expected {_json_name(accepted())}, got {_json_name(value)}")
            return hook(value, wanted)

        return structure

    return factory


def _is_union_of_classes(wanted: Any) -> bool:
    if typing.get_origin(wanted) not in (typing.Union, types.UnionType):
        return False
    return all(_is_class_of_fields(cls) for cls in typing.get_args(wanted) if cls is not type(None))


def _best_of(union: Any, converter: Converter) -> Hook:
    """Of the classes that fit, the one that leaves the fewest keys unused; the first of equals.

    cattrs picks by one key without a default, and takes a dataclass's ``default_factory`` for none, so that the hash
    of a name would decide.
    """
    classes = [cls for cls in typing.get_args(union) if cls is not type(None)]
    hooks = [(cls, converter.get_structure_hook(cls), _names_in(cls)) for cls in classes]
    is_nullable = len(classes) < len(typing.get_args(union))

    def structure(value: Any, _: Any) -> Any:
        if value is None and is_nullable:
            return None
        fitting, problems = [], []
        for cls, hook, names in hooks:
            try:
                fitting.append((len(value.keys() - names) if isinstance(value, dict) else 0, hook(value, cls)))
            except Exception as error:  # the caller's own validators may raise anything
                problems.append(error)
        if fitting:
            return min(fitting, key=lambda entry: entry[0])[1]
        if len(problems) == 1 or not isinstance(value, dict):
            raise problems[0]
        raise _MisfitError(f"expected one of {', '.join(cls.__name__ for cls in classes)}, and fits none")

    return structure


def _names_in(cls: Any) -> set[str]:
    origin = typing.get_origin(cls) or cls
    fields = attrs.fields(origin) if attrs.has(origin) else dataclasses.fields(origin)
    return {field.name for field in fields}


def _array_factory(cls: Any, into: type, converter: Converter) -> Hook:
    items = typing.get_args(cls)[:1] or (Any,)
    hook = list_structure_factory(list[items[0]], converter)  # type: ignore[valid-type]
    return lambda value, _: into(hook(value, list))


def _places_factory(cls: Any, converter: Converter) -> Hook:
    """``tuple[int, str]``: each place by a type of its own."""
    places = [(place, converter.get_structure_hook(place)) for place in typing.get_args(cls)]

    def structure(value: Any, _: Any) -> Any:
        if len(value) != len(places):
            raise _MisfitError(f"expected {len(places)} items, got {len(value)}")
        items, problems = [], []
        for index, (item, (place, hook)) in enumerate(zip(value, places, strict=True)):
            try:
                items.append(hook(item, place))
            except Exception as error:  # the caller's own validators may raise anything
                error.add_note(IterableValidationNote(f"place {index}", index, place))
                problems.append(error)
        if problems:
            raise IterableValidationError("while structuring a tuple", problems, cls)
        return tuple(items)

    return structure


def _mapping_made(cls: Any) -> type:
    origin = typing.get_origin(cls) or cls
    return dict if inspect.isabstract(origin) else origin


def _is_tuple_of_one_type(cls: Any) -> bool:
    return cls is tuple or (typing.get_origin(cls) is tuple and typing.get_args(cls)[1:] == (...,))


def _is_tuple_of_places(cls: Any) -> bool:
    return typing.get_origin(cls) is tuple and not _is_tuple_of_one_type(cls)


def _is_class_of_fields(cls: Any) -> bool:
    origin = typing.get_origin(cls) or cls
    return isinstance(origin, type) and (attrs.has(origin) or dataclasses.is_dataclass(origin))


def _is_of_msgspec(cls: Any) -> bool:
    """Whether it is a Struct, a type with bounds in msgspec's words, or a named tuple, whose types cattrs may miss."""
    origin = typing.get_origin(cls) or cls
    if is_namedtuple(origin) or any(isinstance(note, msgspec.Meta) for note in getattr(cls, "__metadata__", ())):
        return True
    return isinstance(origin, type) and issubclass(origin, msgspec.Struct)


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


def structured(data: Any, wanted: type[T], what: str) -> T:
    """Plain data as a value of a class of the caller's: attrs, dataclass, TypedDict, msgspec Struct, or a container.

    Raises:
        MalformedResponseError: It does not fit; the message lists every place, ``path`` is the first.
        InvalidRequestError: Nothing could: a type inside is none that JSON can be structured into.
    """
    try:
        return converter.structure(data, wanted)
    except Exception as error:  # the caller's own validators may raise anything
        problems = list(_problems(error, "$"))
    listed = "; ".join(f"{wrong} at {place}" for place, wrong in problems)
    raise MalformedResponseError(f"{what}: {listed}", path=problems[0][0] if problems else "$")


def _problems(error: Exception, place: str) -> Iterator[tuple[str, str]]:
    """Each place and what is wrong there."""
    if isinstance(error, (ClassValidationError, IterableValidationError)):
        noted, others = error.group_exceptions()
        for inner, note in noted:
            step = f"[{note.index!r}]" if isinstance(note, IterableValidationNote) else f".{note.name}"
            yield from _problems(inner, place + step)
        for inner in others:
            yield from _problems(inner, place)
    elif isinstance(error, _MisfitError):
        yield place + error.path, error.what
    elif isinstance(error, KeyError):
        yield place, "required field missing"
    elif isinstance(error, (StructureHandlerNotFoundError, NameError)):
        raise InvalidRequestError("response_type", None, f"types of JSON ({error})") from None
    else:
        yield place, str(error.args[0]) if error.args else type(error).__name__


# -- requests → plain data -------------------------------------------------------------------------------------------


def _leave_out_what_is_not_sent(converter: Converter) -> None:
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


def _is_ours(cls: Any) -> bool:
    return attrs.has(cls) and getattr(cls, "__module__", "").startswith("deepseek_async.types")


converter = _make_converter()
