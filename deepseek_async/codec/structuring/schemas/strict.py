"""A plan → a schema within the subset that DeepSeek holds strict tools to, and why it cannot be said there.

Source: https://api-docs.deepseek.com/guides/tool_calls, strict mode; what the page leaves out is known from refusals.
Every property is required and no other allowed; what has a default may be null instead. Texts and arrays have no
sizes, and five formats have names: the rest is told in words, and checked here. A tuple becomes an object with its
places as keys, a dict an array of keys with their values, or, where its keys are constants, an object in which each may
be null; `Reader` takes all of them back.
"""

from __future__ import annotations

from typing import Any, Final

from ..kinds import kinds_of
from ..nodes import (
    Anything,
    Array,
    Bounds,
    Constants,
    Either,
    Foreign,
    Formatted,
    Node,
    Noted,
    Object,
    Places,
    Plan,
    Property,
    String,
    Table,
)
from ..overlap import children_of
from ..reading.keys import key_text
from ..unions import name_in_words
from .keywords import Schema
from .plain import WRAPPED, Schemas
from .strict_foreign import STRICT_FORMATS, InexpressibleError, closed, constants, nullable, strict_schema

_WORDS: Final = frozenset(("title", "description"))


_LONGEST_LINE: Final = 200  # characters: a longer text may have more lines than one, which a pattern's dot is not
_MAX_KEYS: Final = 64  # that are worth a property each


def strict_schema_of(plan: Plan) -> Schema:
    """The schema of a function's arguments, of which a value of the type is one, under `WRAPPED`, or is all.

    Raises:
        InexpressibleError: A part of the type cannot be said there; the message names it.
    """
    schemas = _StrictSchemas(plan, root="")
    if is_wrapped_in_strict(plan):
        inside = schemas.of(plan.root)
        schema: Schema = {
            "type": "object",
            "properties": {WRAPPED: inside},
            "required": [WRAPPED],
            "additionalProperties": False,
        }
    else:
        schema = schemas.of_root(plan.root)
    return {**schema, "$defs": schemas.definitions} if schemas.definitions else schema


def is_wrapped_in_strict(plan: Plan) -> bool:
    """Whether the arguments hold the value under one key: they are an object, and none that refers to itself."""
    if not isinstance(plan.resolved(plan.root), Object):
        return True
    return _refers_to(plan, plan.root)


def _refers_to(plan: Plan, root: Node) -> bool:
    name: Any = getattr(root, "name", None)
    seen: set[str] = set()
    waiting: list[Node] = [plan.definitions[name]] if name in plan.definitions else []
    while waiting:
        for child in children_of(waiting.pop()):
            inner = getattr(child, "name", None) if type(child).__name__ == "Reference" else None
            if inner == name and inner is not None:
                return True
            if inner is None:
                waiting.append(child)
            elif inner not in seen:
                seen.add(inner)
                waiting.append(plan.definitions[inner])
    return False


class _StrictSchemas(Schemas):
    def of(self, node: Node) -> Schema:
        if isinstance(node, Noted):
            notes = {key: value for key, value in node.notes.items() if key in _WORDS}
            schema = self.of(node.node)
            if "description" in schema and "description" in notes:
                notes["description"] = f"{notes['description']} ({schema['description']})"
            return {**schema, **notes}
        return super().of(node)

    def anything(self, _: Anything) -> Schema:
        raise InexpressibleError("Any: a strict schema says the type of everything")

    def string(self, node: String) -> Schema:
        schema = super().string(node)
        sizes = _in_words(node.bounds, "characters")
        schema.pop("allOf", None)
        if sizes and "pattern" not in schema and (node.bounds.max_length or 0) <= _LONGEST_LINE:
            schema["pattern"] = _of_size(node.bounds)
        return _described(_without(schema, "minLength", "maxLength"), sizes)

    def formatted(self, node: Formatted) -> Schema:
        schema = _without(super().formatted(node), "minLength", "maxLength", "contentEncoding")
        words = [node.format.name] if schema.get("format") not in STRICT_FORMATS else []
        if schema.get("format") not in STRICT_FORMATS:
            schema.pop("format", None)
            if node.format.shape:
                schema["pattern"] = _with_offset(node.format.shape, node.bounds.aware)
        if words_of_bounds := schema.pop("description", ""):
            words.append(words_of_bounds)
        if not node.format.takes_numbers:
            return _described(schema, ", ".join(words))
        text = {"type": "string", **({"pattern": schema["pattern"]} if "pattern" in schema else {})}
        number = {"type": "number", **_without(schema, "type", "pattern")}
        if len(number) > 1:  # a number can be held to its bounds, a text cannot
            return _described(number, ", ".join(words))
        return _described({"anyOf": [text, number]}, ", ".join(words))

    def constants(self, node: Constants) -> Schema:
        return constants([said for said, _ in node.entries])

    def foreign(self, node: Foreign) -> Schema:
        schema = super().foreign(node)
        for name in self.foreign_names:
            self.definitions[name] = strict_schema(self.definitions[name])
        return strict_schema(schema)

    def array(self, node: Array) -> Schema:
        schema = _without(super().array(node), "minItems", "maxItems", "uniqueItems")
        return _described(schema, _in_words(node.bounds, "items"))

    def places(self, node: Places) -> Schema:
        if node.rest is not None:
            raise InexpressibleError("a tuple of any length with places of their own types")
        if not node.places:
            raise InexpressibleError("an empty tuple")
        properties = {}
        for index, place in enumerate(node.places):
            schema = self.of(place.node)
            is_nullable = index >= node.required and "null" not in kinds_of(self.plan, place.node)
            properties[place.name or str(index)] = nullable(schema) if is_nullable else schema
        return closed(properties)

    def table(self, node: Table) -> Schema:
        key, value = self.plan.resolved(node.key), self.of(node.value)
        if _is_by_constants(self.plan, node):
            words = _in_words(node.bounds, "keys")
            return _described(closed({key_text(said): nullable(value) for said, _ in key.entries}), words)
        keys = self.of(key) if isinstance(key, Formatted) else self.keys(node.key)
        words = _in_words(node.bounds, "entries")
        name = "" if isinstance(key, String) and not keys else f"each key {name_in_words(self.plan, node.key)}"
        entry = closed({"key": {"type": "string", **_strict_keys(keys)}, "value": value})
        return _described({"type": "array", "items": entry}, ", ".join(filter(None, (name, words))))

    def object(self, node: Object) -> Schema:
        if node.rest is not None:
            raise InexpressibleError(f"{node.name}: it has keys of any name")
        if not node.properties:
            raise InexpressibleError(f"{node.name}: an object without properties")
        return closed({one.key: self.property(one) for one in node.properties})

    def property(self, one: Property) -> Schema:
        schema = self.of(one.node)
        resolved = self.plan.resolved(one.node)
        is_tag = isinstance(resolved, Constants) and len(resolved.entries) == 1
        if one.is_required or is_tag or "null" in kinds_of(self.plan, one.node):
            return schema
        return nullable(schema)

    def either(self, node: Either) -> Schema:
        options: list[Schema] = []
        for option in node.options:
            schema = self.of(option)
            inside = schema["anyOf"] if schema.keys() == {"anyOf"} else [schema]
            options.extend(one for one in inside if one not in options)
        return {"anyOf": options}


def _with_offset(shape: str, aware: bool | None) -> str:
    """The shape of points in time that must, or must not, say their offset from UTC, which ends them."""
    before, begin, _ = shape.rpartition("(Z|")
    if aware is None or not begin:
        return shape
    return shape.replace(")?$", ")$") if aware else f"{before}$"


def _is_by_constants(plan: Plan, node: Table) -> bool:
    """Whether a dict's keys are few and known, so that each can be a property, and null can say that it is missing."""
    key = plan.resolved(node.key)
    few = isinstance(key, Constants) and len(key.entries) <= _MAX_KEYS
    return few and "null" not in kinds_of(plan, node.value)


def _of_size(bounds: Bounds) -> str:
    """A pattern of texts on one line: sizes have no keywords here, and patterns have."""
    if bounds.max_length is None:
        return f".{{{bounds.min_length}}}"
    return f"^.{{{bounds.min_length or 0},{bounds.max_length}}}$"


def _strict_keys(keys: Schema) -> Schema:
    if "enum" in keys:
        return {"enum": keys["enum"]}
    known: Schema = {word: keys[word] for word in ("pattern", "format") if word in keys}
    if known.get("format") not in STRICT_FORMATS:
        known.pop("format", None)
    return known


def _without(schema: Schema, *keys: str) -> Schema:
    return {key: value for key, value in schema.items() if key not in keys}


def _described(schema: Schema, words: str) -> Schema:
    return {**schema, "description": words} if words else schema


def _in_words(bounds: Bounds, what: str) -> str:
    sizes = ((bounds.min_length, "at least"), (bounds.max_length, "at most"))
    said = " and ".join(f"{words} {size}" for size, words in sizes if size is not None)
    return f"{said} {what}" if said else ""
