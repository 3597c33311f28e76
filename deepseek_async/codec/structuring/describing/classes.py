"""Classes with fields → nodes: attrs, dataclasses, TypedDicts, msgspec Structs, named tuples."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import attrs
import msgspec

from ..nodes import UNSAID, AsSaid, Constants, Either, Formatted, Node, Object, Place, Places, Property
from .hints import UnresolvedError, documents_of, hints_of, substituted
from .limits import noted, of_validator

Build = Callable[[Any], Node]

_QUALIFIERS = frozenset(("Required", "NotRequired", "ReadOnly", "Final", "ClassVar"))


def is_class_of_fields(cls: Any) -> bool:
    """Whether it is a class that `node_of_class` describes."""
    return isinstance(cls, type) and (
        attrs.has(cls)
        or dataclasses.is_dataclass(cls)
        or typing.is_typeddict(cls)
        or _is_typeddict_of_extensions(cls)
        or issubclass(cls, msgspec.Struct)
        or is_namedtuple(cls)
    )


def is_namedtuple(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields") and hasattr(cls, "_make")


def _is_typeddict_of_extensions(cls: Any) -> bool:
    return issubclass(cls, dict) and hasattr(cls, "__total__") and hasattr(cls, "__required_keys__")


def unqualified(hint: Any) -> tuple[Any, str]:
    """A type without ``Required``, ``NotRequired``, ``ReadOnly``, ``Final``; and which of the first two stood there."""
    found = ""
    while True:
        origin = typing.get_origin(hint)
        name = getattr(origin, "_name", None) or getattr(hint, "_name", None)
        if origin is Annotated:
            inner, found_inside = unqualified(hint.__origin__)
            if inner is hint.__origin__:
                return hint, found
            return Annotated[(inner, *hint.__metadata__)], found or found_inside
        if name in _QUALIFIERS and typing.get_args(hint):
            found = found or (name if name in ("Required", "NotRequired") else "")
            (hint,) = typing.get_args(hint)
        elif isinstance(hint, dataclasses.InitVar):
            hint = hint.type
        else:
            return hint, found


def node_of_class(cls: Any, arguments: Mapping[Any, Any], build: Build) -> Node:
    """The node of a class with fields.

    Args:
        arguments: What its type parameters stand for.
        build: Makes the node of a field's type.

    Raises:
        UnresolvedError, TypeError: A field's type cannot be found, or is none.
    """
    fields = _Fields(cls, arguments, build)
    if issubclass(cls, msgspec.Struct):
        return _of_struct(cls, fields)
    if is_namedtuple(cls):
        return _of_namedtuple(cls, fields)
    if attrs.has(cls):
        return _of_attrs(cls, fields)
    if dataclasses.is_dataclass(cls):
        return _of_dataclass(cls, fields)
    return _of_typeddict(cls, fields)


class _Fields:
    """The fields' types and words, by name."""

    def __init__(self, cls: Any, arguments: Mapping[Any, Any], build: Build) -> None:
        self._hints = hints_of(cls)
        self._documents = documents_of(cls)
        self._arguments = arguments
        self._build = build

    def hint(self, name: str, otherwise: Any = Any) -> Any:
        return substituted(self._hints.get(name, otherwise), self._arguments)

    def node(self, name: str, hint: Any, metadata: Mapping[Any, Any] | None = None) -> Node:
        node = self._build(unqualified(substituted(hint, self._arguments))[0])
        described = (metadata or {}).get("description") or self._documents.get(name)
        if isinstance(described, str) and not _has_description(node):
            node = noted(node, {"description": described})
        return node

    def names(self) -> list[str]:
        return list(self._hints)


def _has_description(node: Node) -> bool:
    return "description" in getattr(node, "notes", {})


# -- attrs -----------------------------------------------------------------------------------------------------------


def _of_attrs(cls: Any, fields: _Fields) -> Object:
    properties = []
    for field in attrs.fields(cls):
        if not field.init:
            continue
        hint = fields.hint(field.name, field.type or Any)
        taken = _taken_by(field.converter) if field.converter is not None else None
        if taken is not None:
            hint = taken
        elif _is_default_if_none(field.converter):
            hint = hint | None
        node = fields.node(field.name, hint, field.metadata)
        if field.converter is not None and taken is None and _reads_text_itself(field.converter, node):
            node = AsSaid(node)
        if field.converter is None and field.validator is not None:
            node = of_validator(node, field.validator)
        default = field.default
        is_required = default is attrs.NOTHING
        if is_required or isinstance(default, attrs.Factory):  # type: ignore[arg-type]
            default = UNSAID
        properties.append(Property(field.alias, field.alias, node, is_required, default))
    return Object(
        cls.__name__, tuple(properties), lambda given: cls(**given), explain=lambda given: _explain(cls, given)
    )


def _is_default_if_none(converter: Any) -> bool:
    """Whether a converter is attrs' own that puts a value in the place of null."""
    code = getattr(converter, "__code__", None)
    return code is not None and code.co_name == "default_if_none_converter"


def _reads_text_itself(converter: Any, node: Node) -> bool:
    """Whether a converter that says nothing of its argument takes the text of a value, and not the value."""
    options = node.options if isinstance(node, Either) else (node,)
    formats = [one.format for one in options if isinstance(one, Formatted)]
    if not formats:
        return False
    function = getattr(converter, "converter", converter)
    try:
        function(formats[0].read(formats[0].example))
    except Exception as refusal:  # whatever the caller's converter raises
        del refusal
    else:
        return False
    try:
        function(formats[0].example)
    except Exception as refusal:  # likewise
        del refusal
        return False
    return True


def _taken_by(converter: Any) -> Any:
    """The type that a converter says it takes; ``None`` if it does not say."""
    function = getattr(converter, "converter", converter)  # attrs.Converter
    if isinstance(function, type):
        return None  # `int`, `tuple`, a class: they take the field's own type as well
    try:
        parameters = list(inspect.signature(function).parameters.values())
        hints = hints_of(function)
    except (TypeError, ValueError, UnresolvedError):
        return None
    taken = hints.get(parameters[0].name) if parameters else None
    return None if taken in (Any, object) or isinstance(taken, typing.TypeVar) else taken


def _explain(cls: Any, given: dict[str, Any]) -> list[tuple[str, Exception]]:
    """What each converter and validator says for itself, where the class stops at the first."""
    problems: list[tuple[str, Exception]] = []
    instance = cls.__new__(cls)
    checked = []
    for field in attrs.fields(cls):
        if field.alias in given:
            value = given[field.alias]
            try:
                if field.converter is not None:
                    value = _converted(field, value, instance)
                object.__setattr__(instance, field.name, value)
                checked.append((field, value))
            except Exception as error:  # whatever the caller's converter raises
                problems.append((field.alias, error))
        elif field.default is not attrs.NOTHING and not isinstance(field.default, attrs.Factory):  # type: ignore[arg-type]
            object.__setattr__(instance, field.name, field.default)
    for field, value in checked:
        if field.validator is not None:
            try:
                field.validator(instance, field, value)
            except Exception as error:  # whatever the caller's validator raises
                problems.append((field.alias, error))
    return problems


def _converted(field: Any, value: Any, instance: Any) -> Any:
    converter: Any = field.converter
    if not hasattr(converter, "takes_self"):  # attrs.Converter, since attrs 24.1
        return converter(value)
    more = [instance] * bool(converter.takes_self) + [field] * bool(converter.takes_field)
    return converter.converter(value, *more)


# -- dataclasses -----------------------------------------------------------------------------------------------------


def _of_dataclass(cls: Any, fields: _Fields) -> Object:
    properties = []
    for field in cls.__dataclass_fields__.values():
        kind = field._field_type.name  # noqa: SLF001 - `dataclasses.fields` leaves out InitVar, which `__init__` asks for
        if kind == "_FIELD_CLASSVAR" or not field.init:
            continue
        hint = fields.hint(field.name, field.type)
        metadata = {"description": getattr(field, "doc", None), **field.metadata}
        has_factory = field.default_factory is not dataclasses.MISSING
        has_default = field.default is not dataclasses.MISSING
        default = field.default if has_default else UNSAID
        node = fields.node(field.name, hint, metadata)
        properties.append(Property(field.name, field.name, node, not has_default and not has_factory, default))
    return Object(cls.__name__, tuple(properties), lambda given: cls(**given))


# -- TypedDicts ------------------------------------------------------------------------------------------------------


def _of_typeddict(cls: Any, fields: _Fields) -> Object:
    properties = []
    for name in fields.names():
        hint = fields.hint(name)
        _, qualifier = unqualified(hint)
        # Of an annotation that is a string, Python knows only what its class says of all: the qualifier has more right.
        is_required = qualifier == "Required" or (qualifier != "NotRequired" and name in cls.__required_keys__)
        properties.append(Property(name, name, fields.node(name, hint), is_required))
    rest = getattr(cls, "__extra_items__", None)
    has_rest = rest is not None and not repr(rest).endswith("NoExtraItems") and rest is not typing.Never
    return Object(
        cls.__name__,
        tuple(properties),
        dict,
        rest=fields.node("", rest) if has_rest else None,
        is_closed=(bool(getattr(cls, "__closed__", False)) and not has_rest) or rest is typing.Never,
    )


# -- Structs ---------------------------------------------------------------------------------------------------------


def _of_struct(cls: Any, fields: _Fields) -> Node:
    names = cls.__struct_fields__
    missing = (msgspec.NODEFAULT,) * (len(names) - len(cls.__struct_defaults__))
    properties = []
    config = cls.__struct_config__
    if config.tag is not None:
        properties.append(Property(config.tag_field, "", Constants(((config.tag, config.tag),)), False, config.tag))
    for name, key, default in zip(
        names, cls.__struct_encode_fields__, (*missing, *cls.__struct_defaults__), strict=True
    ):
        is_required = default is msgspec.NODEFAULT
        shown = default if isinstance(default, (str, int, float, bool, type(None))) else UNSAID
        properties.append(Property(key, name, fields.node(name, fields.hint(name)), is_required, shown))
    if not config.array_like:
        return Object(
            cls.__name__, tuple(properties), lambda given: cls(**given), is_closed=bool(config.forbid_unknown_fields)
        )
    required = sum(one.is_required for one in properties) + (config.tag is not None)
    arguments = [one.argument for one in properties]

    def make(items: list[Any]) -> Any:
        return cls(**{name: item for name, item in zip(arguments, items, strict=False) if name})

    places = tuple(Place(one.node, one.key) for one in properties)
    return Places(places, required, None, make)


# -- named tuples ----------------------------------------------------------------------------------------------------


def _of_namedtuple(cls: Any, fields: _Fields) -> Places:
    places = tuple(Place(fields.node(name, fields.hint(name)), name) for name in cls._fields)
    return Places(places, len(cls._fields) - len(cls._field_defaults), None, lambda items: cls(*items))
