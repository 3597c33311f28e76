"""A type → the plan of it: one node for each type that Python has a form of, and each class once."""

from __future__ import annotations

import collections
import collections.abc
import enum
import functools
import inspect
import operator
import re
import types
import typing
from typing import Annotated, Any, ForwardRef, Literal, TypeVar, Union

import msgspec

from ....errors import InvalidRequestError
from ..nodes import (
    Anything,
    Array,
    Boolean,
    Either,
    Formatted,
    Integer,
    Node,
    Noted,
    Null,
    Number,
    Place,
    Places,
    Plan,
    Reference,
    String,
    Table,
)
from .classes import is_class_of_fields, node_of_class, unqualified
from .constants import UnfitTypeError, constants_of_literal, node_of_enum
from .containers import ARRAYS, TABLES, is_key, parameters_of, unpacked
from .foreign import foreign, is_adapter, is_foreign
from .hints import UnresolvedError, arguments_of, docstring_of, free_parameter, resolved, substituted
from .limits import MisplacedError, beside, noted, with_beside
from .texts import format_of

_SCALARS: tuple[tuple[type, Any], ...] = ((bool, Boolean), (int, Integer), (float, Number), (str, String))


def name_of(hint: Any) -> str:
    """A type in a few words."""
    if typing.get_origin(hint) is Annotated:
        return name_of(hint.__origin__)
    return getattr(hint, "__name__", None) or re.sub(r"\b[\w.]+\.(?=\w)", "", str(hint))


def build_plan(hint: Any) -> Plan:
    """The plan of a type, unions unchecked and untried.

    Raises:
        InvalidRequestError: It has a part that no JSON says; the message names it.
    """
    builder = _Builder()
    try:
        if isinstance(hint, str):
            raise UnfitTypeError(f"{hint!r} is a string: give the type itself")
        root = builder.node(hint)
    except (UnfitTypeError, UnresolvedError, MisplacedError) as error:
        raise InvalidRequestError("response_type", name_of(hint), f"a type that JSON can say ({error})") from None
    except RecursionError:
        raise InvalidRequestError("response_type", name_of(hint), "a type that comes to an end") from None
    definitions = typing.cast(dict[str, Node], builder.definitions)
    name = root.name if isinstance(root, Reference) else name_of(hint) if isinstance(root, Noted) else ""
    name = name or getattr(hint, "__name__", "")
    plan = Plan(root, definitions, name)
    for table in builder.tables:
        if not is_key(plan, table.key):
            words = "dicts with keys that text can say: str, int, float, bool, enums, dates and the like"
            raise InvalidRequestError("response_type", name_of(hint), words)
    return plan


class _Builder:
    def __init__(self) -> None:
        self.definitions: dict[str, Node | None] = {}
        self._names: dict[Any, str] = {}
        self._used: set[str] = set()
        self.tables: list[Table] = []
        self._owners: list[Any] = []  # the classes whose fields are being described, the innermost last

    # -- definitions -------------------------------------------------------------------------------------------------

    def _defined(self, key: Any, name: str, make: Any, *, is_kept: bool = True) -> Node:
        """A reference to what ``make`` makes, once; an alias that does not refer to itself stands in its own place."""
        if key in self._names:
            self._used.add(self._names[key])
            return Reference(self._names[key])
        name = self._free_name(key, name)
        self._names[key] = name
        self.definitions[name] = None
        node = make()
        if not is_kept and name not in self._used:
            del self._names[key], self.definitions[name]
            return node
        self.definitions[name] = node
        return Reference(name)

    def _free_name(self, key: Any, name: str) -> str:
        name = re.sub(r"\W+", "_", name).strip("_") or "Type"
        if name not in self.definitions:
            return name
        cls = key[0] if isinstance(key, tuple) else key
        qualified = re.sub(r"\W+", "_", f"{getattr(cls, '__module__', '').rpartition('.')[2]}_{name}").strip("_")
        number, free = 2, qualified
        while free in self.definitions:
            free, number = f"{name}_{number}", number + 1
        return free

    # -- one type ----------------------------------------------------------------------------------------------------

    def node(self, hint: Any) -> Node:
        hint, _ = unqualified(hint)
        if hint is None or hint is type(None):
            return Null()
        if is_adapter(hint) or is_foreign(hint):
            return self._foreign(hint)
        if hint is Any or hint is object:
            return Anything()
        if isinstance(hint, (ForwardRef, str)):  # a string stands in `list["City"]` as it is
            text = hint if isinstance(hint, str) else hint.__forward_arg__
            return self._defined(("forward", text), text, lambda: self.node(resolved(text)), is_kept=False)
        if isinstance(hint, TypeVar):
            return self.node(free_parameter(hint))
        if hasattr(hint, "__supertype__"):  # NewType
            return self.node(hint.__supertype__)
        origin = typing.get_origin(hint)
        if "TypeAliasType" in (type(hint).__name__, type(origin).__name__):  # asked for its value, it may not have one
            return self._alias(hint, origin)
        if origin is Annotated:
            return self._annotated(hint)
        if origin is Literal:
            return constants_of_literal(typing.get_args(hint))
        if origin is Union or origin is types.UnionType:
            return self._union(typing.get_args(hint))
        if getattr(hint, "_name", None) == "Self" and self._owners:
            return self.node(self._owners[-1])
        if hint is getattr(typing, "LiteralString", None):
            return String()
        return self._class(origin or hint, typing.get_args(hint), hint)

    def _foreign(self, hint: Any) -> Node:
        try:
            return foreign(hint, "" if is_adapter(hint) else name_of(hint))
        except TypeError as error:
            raise UnfitTypeError(f"{name_of(hint)}: {error}") from None

    def _alias(self, hint: Any, origin: Any) -> Node:
        """An alias of PEP 695, its own or typing_extensions'."""
        alias = hint if origin is None else origin
        arguments = dict(zip(alias.__type_params__, typing.get_args(hint), strict=False))
        name = "_".join([alias.__name__, *map(name_of, arguments.values())])

        def make() -> Node:
            try:
                value = alias.__value__
            except NameError as error:
                raise UnresolvedError(str(error)) from None
            if isinstance(value, str):
                value = resolved(value, getattr(alias, "__module__", ""))
            return self.node(substituted(value, arguments))

        return self._defined(("alias", alias, typing.get_args(hint)), name, make, is_kept=False)

    def _annotated(self, hint: Any) -> Node:
        said = beside(hint.__metadata__)
        if said.is_for_pydantic:
            return self._foreign(hint)
        return with_beside(self.node(hint.__origin__), said)

    def _union(self, options: tuple[Any, ...]) -> Node:
        options = tuple(option for option in options if option is not msgspec.UnsetType)
        foreign_ones = [option for option in options if is_foreign(option)]
        others = [option for option in options if not is_foreign(option)]
        if len(foreign_ones) > 1 and not set(others) - {type(None)}:  # pydantic tells its own apart
            node = self._foreign(functools.reduce(operator.or_, foreign_ones))
            return Either((Null(), node)) if others else node
        nodes: list[Node] = []
        for option in options:
            node = self.node(option)
            for one in node.options if isinstance(node, Either) else (node,):
                if one not in nodes:
                    nodes.append(one)
        return nodes[0] if len(nodes) == 1 else Either(tuple(nodes))

    # -- classes -----------------------------------------------------------------------------------------------------

    def _class(self, cls: Any, arguments: tuple[Any, ...], hint: Any) -> Node:
        if not isinstance(cls, type):
            raise UnfitTypeError(f"{name_of(hint)} is no type that JSON can say")
        if issubclass(cls, enum.Enum):
            return self._defined(cls, cls.__name__, lambda: self._described(cls, node_of_enum(cls)))
        if is_class_of_fields(cls):
            name = "_".join([cls.__name__, *map(name_of, arguments)])
            return self._defined((cls, arguments), name, lambda: self._fields(cls, arguments, hint))
        for scalar, node in _SCALARS:
            if issubclass(cls, scalar):
                return node() if node is Boolean else node(cls)
        if (found := format_of(cls)) is not None:
            return Formatted(found)
        if issubclass(cls, tuple):
            return self._tuple(cls, arguments, is_bare=hint is cls or hint is typing.Tuple)  # noqa: UP006
        if cls is collections.defaultdict:
            return self._defaultdict(arguments)
        return self._container(cls, arguments)

    def _fields(self, cls: Any, arguments: tuple[Any, ...], hint: Any) -> Node:
        self._owners.append(hint)
        try:
            return self._described(cls, node_of_class(cls, arguments_of(cls, arguments), self.node))
        finally:
            self._owners.pop()

    def _described(self, cls: Any, node: Node) -> Node:
        text = docstring_of(cls)
        return noted(node, {"description": text}) if text else node

    def _container(self, cls: Any, arguments: tuple[Any, ...]) -> Node:
        for base in cls.__mro__:
            for known, make in ((ARRAYS, self._array), (TABLES, self._table)):
                if base in known:
                    if base is cls:
                        return make(arguments, known[base])
                    if inspect.isabstract(cls):
                        break
                    parameters = arguments_of(cls, arguments)
                    inherited = tuple(parameters.get(one, one) for one in parameters_of(cls, base))
                    return make(inherited, cls)
        advice = "make it an attrs class, a dataclass, a TypedDict, a Struct or a pydantic model"
        raise UnfitTypeError(f"{cls.__name__} is no type that JSON can say; {advice}")

    def _array(self, arguments: tuple[Any, ...], make: Any) -> Node:
        return Array(self.node(arguments[0]) if arguments else Anything(), make)

    def _table(self, arguments: tuple[Any, ...], make: Any) -> Node:
        if make is collections.Counter and len(arguments) == 1:
            arguments = (*arguments, int)
        key, value = (*arguments, Any, Any)[:2] if arguments else (str, Any)
        table = Table(self.node(key) if key is not Any else String(), self.node(value), make)
        self.tables.append(table)
        return table

    def _defaultdict(self, arguments: tuple[Any, ...]) -> Node:
        made = typing.get_origin(arguments[1]) or arguments[1] if len(arguments) > 1 else None
        factory = made if isinstance(made, type) else None
        return self._table(arguments, functools.partial(collections.defaultdict, factory))

    def _tuple(self, cls: Any, arguments: tuple[Any, ...], *, is_bare: bool) -> Node:
        make = cls
        if is_bare:
            return Array(Anything(), make)
        if len(arguments) == 2 and arguments[1] is ...:
            return Array(self.node(arguments[0]), make)
        if arguments == ((),):
            arguments = ()
        places: list[Place] = []
        for number, argument in enumerate(arguments):
            inside = unpacked(argument)
            if inside is None:
                places.append(Place(self.node(argument)))
            elif len(inside) == 2 and inside[1] is ... and number == len(arguments) - 1:
                return Places(tuple(places), len(places), self.node(inside[0]), make)
            elif ... not in inside:
                places.extend(Place(self.node(one)) for one in inside)
            else:
                raise UnfitTypeError("a tuple whose part of any length is not its last")
        return Places(tuple(places), len(places), None, make)
