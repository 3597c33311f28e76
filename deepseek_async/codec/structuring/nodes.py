"""What a type says about JSON, as a small frozen tree.

Everything else is made from it: the schema that a model is shown, what reads its answers, and the value that a type is
tried with before anything is sent. So a schema accepts what is read, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

Node = Any  # one of the classes below


@attrs.frozen
class Bounds:
    """Limits in JSON Schema's words; ``None``: none.

    Attributes:
        patterns: Regular expressions, each of which is found in the text.
        aware: Whether a point in time must (True) or must not (False) say its offset from UTC.
    """

    ge: Any = None
    gt: Any = None
    le: Any = None
    lt: Any = None
    multiple_of: Any = None
    min_length: int | None = None
    max_length: int | None = None
    patterns: tuple[str, ...] = ()
    aware: bool | None = None


FREE = Bounds()


@attrs.frozen
class Format:
    """A class whose values JSON says as text.

    Attributes:
        name: With its article, for messages.
        read: From text; raises where the text is none.
        write: Back to text.
        schema: What JSON Schema says of the text.
        example: A text that is one.
        takes_numbers: Whether a JSON number says one, too, by its digits.
        shape: A regular expression that its texts match, where JSON Schema has only a name for them.
        is_any_text: Whether nearly every text is one, so that it cannot be told apart from a string.
    """

    name: str
    cls: type
    read: Callable[[str], Any]
    write: Callable[[Any], str]
    schema: Mapping[str, Any] = attrs.field(hash=False)
    example: str
    shape: str = ""
    takes_numbers: bool = False
    is_any_text: bool = False


@attrs.frozen
class Anything:
    """Any JSON."""


@attrs.frozen
class Null:
    """JSON's null."""


@attrs.frozen
class Boolean:
    """True or false."""


@attrs.frozen
class Integer:
    """A whole number, 3.0 among them; ``make`` is `int` or a subclass."""

    make: Callable[[int], Any] = int
    bounds: Bounds = FREE


@attrs.frozen
class Number:
    """A finite number; ``make`` is `float` or a subclass."""

    make: Callable[[float], Any] = float
    bounds: Bounds = FREE


@attrs.frozen
class String:
    """A text; ``make`` is `str` or a subclass."""

    make: Callable[[str], Any] = str
    bounds: Bounds = FREE


@attrs.frozen
class Formatted:
    """A text of a format."""

    format: Format
    bounds: Bounds = FREE


@attrs.frozen
class Constants:
    """One of some values: a Literal's, or an Enum's members.

    Attributes:
        entries: What JSON says, and the value that it stands for.
    """

    entries: tuple[tuple[Any, Any], ...]


@attrs.frozen
class Bits:
    """A Flag's members, added up."""

    cls: type
    mask: int


@attrs.frozen
class Array:
    """Items of one type.

    Attributes:
        make: From a list of items.
        is_unique: Whether an item must not come twice: in a set that has to have a certain size.
    """

    item: Node
    make: Callable[[list[Any]], Any] = list
    bounds: Bounds = FREE
    is_unique: bool = False


@attrs.frozen
class Place:
    """One place of a tuple; ``name`` is ``""`` in those that have no names."""

    node: Node
    name: str = ""


@attrs.frozen
class Places:
    """Items each of a type of its own: how many there must be, and the type of those after the last, if any may be."""

    places: tuple[Place, ...]
    required: int
    rest: Node | None
    make: Callable[[list[Any]], Any]


@attrs.frozen
class Table:
    """An object with any keys of one type."""

    key: Node
    value: Node
    make: Callable[[dict[Any, Any]], Any] = dict
    bounds: Bounds = FREE


UNSAID: Any = object()


@attrs.frozen
class Property:
    """A field of a class.

    Attributes:
        key: Its name in JSON.
        argument: Its name for ``make``; ``""``: it is not told, as the tag of a Struct.
        is_required: Whether JSON must say it.
        default: What it is otherwise, for the schema; `UNSAID` where the schema says nothing of it.
    """

    key: str
    argument: str
    node: Node
    is_required: bool = True
    default: Any = attrs.field(default=UNSAID, hash=False)


@attrs.frozen
class Object:
    """A class with fields.

    Attributes:
        make: From the fields by argument.
        rest: The type of further keys, which are kept; ``None``: they are let pass, and left out.
        is_closed: Whether further keys are wrong.
        explain: What is wrong with fields that ``make`` refused, each with its key; empty where it cannot tell.
    """

    name: str
    properties: tuple[Property, ...]
    make: Callable[[dict[str, Any]], Any]
    rest: Node | None = None
    is_closed: bool = False
    explain: Callable[[dict[str, Any]], list[tuple[str, Exception]]] | None = None


@attrs.frozen
class Either:
    """One of several types, told apart by a tag or by what fits; see `unions`."""

    options: tuple[Node, ...]


@attrs.frozen
class Reference:
    """A definition of the plan, by its name."""

    name: str


@attrs.frozen
class Foreign:
    """What pydantic checks by itself.

    Attributes:
        adapter: Its ``TypeAdapter``.
        schema: Its own JSON Schema.
        kinds: The JSON types it may take; empty: any.
        object: The keys it asks for, if it is an object.
    """

    name: str
    adapter: Any = attrs.field(eq=id)
    schema: Mapping[str, Any] = attrs.field(eq=False)
    kinds: frozenset[str] = frozenset()
    object: Object | None = attrs.field(default=None, eq=False)


@attrs.frozen
class Checked:
    """A type with checks that no schema says; ``words`` tell the model of them.

    Attributes:
        checks: Each gives what is wrong with a value, or "".
    """

    node: Node
    checks: tuple[Callable[[Any], str], ...]
    words: str = ""


@attrs.frozen
class AsSaid:
    """A type whose JSON is checked and then handed on as it is, to a converter that reads it itself."""

    node: Node


@attrs.frozen
class Noted:
    """A type with words about it, in JSON Schema's keywords."""

    node: Node
    notes: Mapping[str, Any] = attrs.field(hash=False)


@attrs.frozen
class Plan:
    """A whole type.

    Attributes:
        definitions: What `Reference` refers to: each class once.
    """

    root: Node
    definitions: Mapping[str, Node] = attrs.field(hash=False)
    name: str = ""

    def resolved(self, node: Node) -> Node:
        """A node without references, checks and notes around it."""
        while True:
            if isinstance(node, Reference):
                node = self.definitions[node.name]
            elif isinstance(node, (AsSaid, Checked, Noted)):
                node = node.node
            else:
                return node
