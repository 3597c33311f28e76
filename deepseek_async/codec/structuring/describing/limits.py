"""What stands beside a type: bounds, words, checks, as msgspec, annotated_types, pydantic and attrs spell them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs

from ..nodes import (
    FREE,
    Array,
    Bounds,
    Checked,
    Constants,
    Either,
    Formatted,
    Integer,
    Node,
    Noted,
    Null,
    Number,
    String,
    Table,
)


class MisplacedError(TypeError):
    """A bound that means nothing for its type."""


@attrs.frozen
class Beside:
    """What metadata say of a type."""

    bounds: Bounds = FREE
    notes: dict[str, Any] = attrs.field(factory=dict)
    checks: tuple[Callable[[Any], str], ...] = ()
    is_for_pydantic: bool = False
    words: str = ""


_BOUNDS = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length")
_PLAIN_OF_PYDANTIC = frozenset(("FieldInfo", "StringConstraints", "_PydanticGeneralMetadata"))


def beside(metadata: Iterable[Any]) -> Beside:
    """What the metadata of an ``Annotated`` say. What nobody here knows is passed over, as PEP 593 asks."""
    found: dict[str, Any] = {}
    notes: dict[str, Any] = {}
    patterns: list[str] = []
    checks: list[Callable[[Any], str]] = []
    words: list[str] = []
    is_for_pydantic = False
    for one in _flattened(metadata):
        if isinstance(one, str):
            notes["description"] = one
            continue
        for name in _BOUNDS:
            value = getattr(one, name, None)
            if value is not None and not callable(value):
                found[name] = _narrower(name, found.get(name), value)
        pattern = getattr(one, "pattern", None)
        if isinstance(pattern, (str, re.Pattern)) and not isinstance(one, re.Pattern):
            patterns.append(pattern if isinstance(pattern, str) else pattern.pattern)
        if isinstance(getattr(one, "tz", None), bool):
            found["aware"] = one.tz
        elif hasattr(one, "tz") and type(one).__name__ == "Timezone":
            found["aware"] = one.tz is not None
        if type(one).__name__ in ("Predicate", "Not") and callable(getattr(one, "func", None)):
            name = _name_of(one.func)
            is_negated = type(one).__name__ == "Not"
            checks.append(_predicate(one.func, name, is_negated=is_negated))
            words.append(f"{name} must{' not' if is_negated else ''} hold")
        notes.update(_notes_of(one))
        is_for_pydantic = is_for_pydantic or _needs_pydantic(one)
    return Beside(Bounds(**found, patterns=tuple(patterns)), notes, tuple(checks), is_for_pydantic, ", ".join(words))


def _flattened(metadata: Iterable[Any]) -> Iterator[Any]:
    for one in metadata:
        yield one
        inside = getattr(one, "metadata", None)
        if isinstance(inside, (list, tuple)):  # pydantic's FieldInfo
            yield from _flattened(inside)
        elif type(one).__name__ == "Len" and hasattr(one, "min_length"):
            continue  # its bounds are attributes as well
        elif hasattr(type(one), "__is_annotated_types_grouped_metadata__") or (
            type(one).__module__ == "annotated_types" and hasattr(type(one), "__iter__")
        ):
            yield from _flattened(one)


def _notes_of(one: Any) -> dict[str, Any]:
    notes: dict[str, Any] = {}
    for name in ("title", "description"):
        if isinstance(text := getattr(one, name, None), str):
            notes[name] = text
    documentation = getattr(one, "documentation", None)  # PEP 727's Doc, annotated_types' doc
    if isinstance(documentation, str):
        notes["description"] = documentation
    examples = getattr(one, "examples", None)
    if isinstance(examples, (list, tuple)) and examples:
        notes["examples"] = list(examples)
    extra = getattr(one, "extra_json_schema", None)
    if isinstance(extra, dict):
        notes.update(extra)
    return notes


def _needs_pydantic(one: Any) -> bool:
    """Whether only pydantic knows what it means: a validator, a discriminator, a type of its own."""
    cls = type(one)
    if hasattr(cls, "__get_pydantic_core_schema__") and cls.__module__.partition(".")[0] != "annotated_types":
        return cls.__name__ not in _PLAIN_OF_PYDANTIC
    if not cls.__module__.startswith("pydantic"):
        return False
    if cls.__name__ == "FieldInfo":
        return any(getattr(one, name, None) is not None for name in ("discriminator", "alias", "validation_alias"))
    return cls.__name__ not in _PLAIN_OF_PYDANTIC or any(
        getattr(one, name, None) is not None
        for name in ("strip_whitespace", "to_upper", "to_lower", "strict", "max_digits", "decimal_places")
    )


def _name_of(function: Callable[[Any], Any]) -> str:
    name = getattr(function, "__qualname__", "") or getattr(function, "__name__", "") or repr(function)
    return "its predicate" if "<lambda>" in name else name


def _predicate(function: Callable[[Any], Any], name: str, *, is_negated: bool) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        return "" if bool(function(value)) is not is_negated else f"{name} must{' not' if is_negated else ''} hold"

    return check


def _narrower(name: str, one: Any, other: Any) -> Any:
    if one is None or name == "multiple_of":
        return other
    return max(one, other) if name in ("ge", "gt", "min_length") else min(one, other)


def merged(one: Bounds, other: Bounds) -> Bounds:
    """Both bounds at once."""
    names = ("ge", "gt", "le", "lt", "min_length", "max_length")
    both = {
        name: getattr(one, name)
        if getattr(other, name) is None
        else _narrower(name, getattr(one, name), getattr(other, name))
        for name in names
    }
    step = other.multiple_of if other.multiple_of is not None else one.multiple_of
    patterns = (*one.patterns, *(pattern for pattern in other.patterns if pattern not in one.patterns))
    aware = one.aware if other.aware is None else other.aware
    return Bounds(**both, multiple_of=step, patterns=patterns, aware=aware)


# -- bounds put on a node --------------------------------------------------------------------------------------------

_OF_NUMBERS = frozenset(("ge", "gt", "le", "lt", "multiple_of"))
_OF_SIZES = frozenset(("min_length", "max_length"))


def with_beside(node: Node, said: Beside) -> Node:
    """A node with what stands beside its type.

    Raises:
        MisplacedError: A bound means nothing there.
    """
    if said.bounds != FREE:
        node = limited(node, said.bounds)
    if said.checks:
        node = Checked(node, said.checks, said.words)
    return noted(node, said.notes)


def noted(node: Node, notes: dict[str, Any]) -> Node:
    """A node with words about it; those further out win."""
    if not notes:
        return node
    if isinstance(node, Noted):
        return Noted(node.node, {**node.notes, **notes})
    return Noted(node, notes)


def limited(node: Node, bounds: Bounds) -> Node:
    """A node with bounds. Raises `MisplacedError`."""
    if isinstance(node, Noted):
        return Noted(limited(node.node, bounds), node.notes)
    if isinstance(node, Checked):
        return Checked(limited(node.node, bounds), node.checks, node.words)
    if isinstance(node, Either):
        options = tuple(option if isinstance(option, Null) else limited(option, bounds) for option in node.options)
        return Either(options)
    given = frozenset(
        name for name, value in attrs.asdict(bounds, recurse=False).items() if value is not None and value != ()
    )
    if isinstance(node, (Integer, Number)) and given <= _OF_NUMBERS:
        return attrs.evolve(node, bounds=merged(node.bounds, bounds))
    if isinstance(node, String) and given <= _OF_SIZES | {"patterns"}:
        return attrs.evolve(node, bounds=merged(node.bounds, bounds))
    if isinstance(node, Formatted):
        return _limited_format(node, bounds, given)
    if isinstance(node, Array) and given <= _OF_SIZES:
        unique = node.is_unique or (bounds.min_length is not None and bounds.min_length > 1 and _is_set(node.make))
        return attrs.evolve(node, bounds=merged(node.bounds, bounds), is_unique=unique)
    if isinstance(node, Table) and given <= _OF_SIZES:
        return attrs.evolve(node, bounds=merged(node.bounds, bounds))
    raise MisplacedError(f"{', '.join(sorted(given))}: no bound for {type(node).__name__.lower()}")


def _limited_format(node: Formatted, bounds: Bounds, given: frozenset[str]) -> Node:
    if given <= _OF_SIZES and node.format.cls in (bytes, bytearray):
        return attrs.evolve(node, bounds=merged(node.bounds, bounds))
    if given == {"aware"}:
        return attrs.evolve(node, bounds=merged(node.bounds, bounds))
    if given & {"aware"}:
        return _limited_format(
            attrs.evolve(node, bounds=merged(node.bounds, Bounds(aware=bounds.aware))),
            attrs.evolve(bounds, aware=None),
            given - {"aware"},
        )
    if given <= _OF_NUMBERS and not node.format.is_any_text:
        return attrs.evolve(node, bounds=merged(node.bounds, bounds))
    raise MisplacedError(f"{', '.join(sorted(given))}: no bound for {node.format.name}")


def _is_set(make: Any) -> bool:
    return isinstance(make, type) and issubclass(make, (set, frozenset))


# -- attrs' validators -----------------------------------------------------------------------------------------------


def of_validator(node: Node, validator: Any) -> Node:
    """A node with what a validator of attrs demands, where a schema can say it. attrs checks it in any case.

    Validators of attrs are private classes, told apart by name: one that is not known is left to attrs.
    """
    try:
        return _of_validator(node, validator)
    except (MisplacedError, AttributeError, TypeError):
        return node


def _of_validator(node: Node, validator: Any) -> Node:
    options: Any
    name = type(validator).__name__.strip("_")
    if name == "AndValidator":
        for one in validator._validators:  # noqa: SLF001 - there is no other way to see them
            node = of_validator(node, one)
        return node
    if name == "OptionalValidator" and isinstance(node, Either):
        options = tuple(
            one if isinstance(one, Null) else of_validator(one, validator.validator) for one in node.options
        )
        return Either(options)
    if name == "NumberValidator":
        words = {">=": "ge", ">": "gt", "<=": "le", "<": "lt"}
        return limited(node, Bounds(**{words[validator.compare_op]: validator.bound}))
    if name == "MaxLengthValidator":
        return limited(node, Bounds(max_length=validator.max_length))
    if name == "MinLengthValidator":
        return limited(node, Bounds(min_length=validator.min_length))
    if name == "MatchesReValidator" and isinstance(node, String):
        return limited(node, Bounds(patterns=_pattern_of(validator)))
    if name == "InValidator" and type(node) in _SCALARS:
        options = [option for option in validator.options if type(option) in _SCALARS[type(node)]]
        return Constants(tuple((option, option) for option in options)) if options else node
    if name == "DeepIterable" and isinstance(node, Array):
        item = of_validator(node.item, validator.member_validator)
        return of_validator(attrs.evolve(node, item=item), validator.iterable_validator)
    if name == "DeepMapping" and isinstance(node, Table):
        value = of_validator(node.value, validator.value_validator)
        return of_validator(attrs.evolve(node, value=value), validator.mapping_validator)
    return node


_SCALARS: dict[type, tuple[type, ...]] = {String: (str,), Integer: (int,), Number: (int, float)}


def _pattern_of(validator: Any) -> tuple[str, ...]:
    if validator.pattern.flags & ~re.UNICODE:
        return ()  # a schema has no flags
    text = validator.pattern.pattern
    how = getattr(validator.match_func, "__name__", "")
    return ({"fullmatch": f"^(?:{text})$", "match": f"^(?:{text})", "search": text}.get(how) or f"^(?:{text})",)
