"""A plan → the JSON Schema that accepts what is read, and nothing else: draft 2020-12, each class once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from ..describing.texts import NOT_NEGATIVE, POSITIVE
from ..kinds import kinds_of
from ..nodes import (
    UNSAID,
    Anything,
    Array,
    AsSaid,
    Bits,
    Boolean,
    Checked,
    Constants,
    Either,
    Foreign,
    Formatted,
    Integer,
    Node,
    Noted,
    Null,
    Number,
    Object,
    Places,
    Plan,
    Reference,
    String,
    Table,
)
from ..reading.keys import INTEGER_KEYS, NUMBER_KEYS, key_text
from ..unions import object_of, tag_of
from ..writing import plain
from .keywords import Schema, bounds_in_words, moved, numeric, patterns_of, sized

WRAPPED: Final = "value"  # a model is asked for an object: what is none stands in one, under this key


def is_wrapped(plan: Plan) -> bool:
    """Whether a model is asked for the value inside an object, since the value itself need not be one."""
    return isinstance(plan.resolved(plan.root), Either) or kinds_of(plan, plan.root) != {"object"}


def schema_of(plan: Plan) -> Schema:
    """The schema of what a model is asked for: an object."""
    schemas = Schemas(plan, root="" if is_wrapped(plan) else _name_in(plan.root))
    if is_wrapped(plan):
        inside = schemas.of(plan.root)
        schema: Schema = {"type": "object", "properties": {WRAPPED: inside}, "required": [WRAPPED]}
    else:
        schema = schemas.of_root(plan.root)
    return {**schema, "$defs": schemas.definitions} if schemas.definitions else schema


def value_schema_of(plan: Plan) -> Schema:
    """The schema of a value itself, which need not be an object."""
    schemas = Schemas(plan, root="")
    schema = schemas.of(plan.root)
    return {**schema, "$defs": schemas.definitions} if schemas.definitions else schema


def _name_in(node: Node) -> str:
    node = node.node if isinstance(node, Noted) else node
    return node.name if isinstance(node, Reference) else ""


class Schemas:
    """Makes the schemas of one plan's nodes."""

    def __init__(self, plan: Plan, *, root: str) -> None:
        self.plan = plan
        self.definitions: dict[str, Schema] = {}
        self.foreign_names: list[str] = []  # of the definitions that pydantic's last schema brought
        self._root = root

    def of_root(self, node: Node) -> Schema:
        """The schema of the whole, with its name for a title."""
        name = _name_in(node)
        if not name:
            return self.of(node)
        notes = node.notes if isinstance(node, Noted) else {}
        return {"title": name, **self.of(Noted(self.plan.definitions[name], notes))}

    def of(self, node: Node) -> Schema:
        """The schema of one node."""
        if isinstance(node, Reference):
            return self.of_reference(node.name)
        if isinstance(node, Noted):
            return {**self.of(node.node), **node.notes}
        if isinstance(node, AsSaid):
            return self.of(node.node)
        if isinstance(node, Checked):
            words = {"description": node.words} if node.words else {}
            return {**words, **self.of(node.node)}
        schema: Schema = getattr(self, _MAKERS[type(node)])(node)
        return schema

    def of_reference(self, name: str) -> Schema:
        """A reference to a definition, which is made when it is first referred to."""
        if name == self._root:
            return {"$ref": "#"}
        if name not in self.definitions:
            self.definitions[name] = {}
            self.definitions[name] = self.of(self.plan.definitions[name])
        return {"$ref": f"#/$defs/{name}"}

    # -- scalars -----------------------------------------------------------------------------------------------------

    def anything(self, _: Anything) -> Schema:
        return {}

    def null(self, _: Null) -> Schema:
        return {"type": "null"}

    def boolean(self, _: Boolean) -> Schema:
        return {"type": "boolean"}

    def integer(self, node: Integer) -> Schema:
        return {"type": "integer", **numeric(node.bounds)}

    def number(self, node: Number) -> Schema:
        return {"type": "number", **numeric(node.bounds)}

    def string(self, node: String) -> Schema:
        return {"type": "string", **sized(node.bounds, "Length"), **patterns_of(node.bounds.patterns)}

    def formatted(self, node: Formatted) -> Schema:
        schema: Schema = {"type": ["string", "number"] if node.format.takes_numbers else "string", **node.format.schema}
        bounds = node.bounds
        if node.format.takes_numbers and (limits := numeric(bounds)):
            schema.update(limits)
            if limits in ({"minimum": 0}, {"exclusiveMinimum": 0}) and node.format.cls is Decimal:
                schema["pattern"] = NOT_NEGATIVE if "minimum" in limits else POSITIVE
            else:  # a number can be held to bounds, a text cannot
                schema = {"type": "number", **limits}
        if node.format.cls in (bytes, bytearray):  # of four characters each, three bytes
            if bounds.min_length is not None:
                schema["minLength"] = 4 * -(-bounds.min_length // 3)
            if bounds.max_length is not None:
                schema["maxLength"] = 4 * -(-bounds.max_length // 3)
        words = bounds_in_words(node) or ("" if node.format.schema else node.format.name)
        if words:
            schema["description"] = words
        return schema

    def constants(self, node: Constants) -> Schema:
        values = [said for said, _ in node.entries]
        return {"const": values[0]} if len(values) == 1 else {"enum": values}

    def bits(self, node: Bits) -> Schema:
        low = node.mask & -node.mask
        schema: Schema = {"type": "integer", "minimum": 0, "maximum": node.mask}
        if low > 1:
            schema["multipleOf"] = low
        names = ", ".join(f"{member.value}: {member.name}" for member in node.cls)  # type: ignore[attr-defined]
        return {**schema, "description": f"A sum of {names}"}

    def foreign(self, node: Foreign) -> Schema:
        schema = dict(node.schema)
        inside = schema.pop("$defs", {})
        renamed = {name: self._free_name(name, moved(definition, {})) for name, definition in inside.items()}
        for name, definition in inside.items():
            self.definitions[renamed[name]] = moved(definition, renamed)
        self.foreign_names = list(renamed.values())
        moved_here: Schema = moved(schema, renamed)
        return moved_here

    def _free_name(self, name: str, definition: Schema) -> str:
        free, number = name, 2
        while free in self.plan.definitions or self.definitions.get(free, definition) != definition:
            free, number = f"{name}_{number}", number + 1
        return free

    # -- arrays and objects ------------------------------------------------------------------------------------------

    def array(self, node: Array) -> Schema:
        items = self.of(node.item)
        schema: Schema = {"type": "array", "items": items} if items else {"type": "array"}
        schema.update(sized(node.bounds, "Items"))
        return {**schema, "uniqueItems": True} if node.is_unique else schema

    def places(self, node: Places) -> Schema:
        schema: Schema = {"type": "array"}
        if node.places:
            schema["prefixItems"] = [
                {**self.of(place.node), "title": place.name} if place.name else self.of(place.node)
                for place in node.places
            ]
        schema["minItems"] = node.required
        if node.rest is None:
            schema["maxItems"] = len(node.places)
        else:
            schema["items"] = self.of(node.rest)
        return schema

    def table(self, node: Table) -> Schema:
        schema: Schema = {"type": "object"}
        if keys := self.keys(node.key):
            schema["propertyNames"] = keys
        if values := self.of(node.value):
            schema["additionalProperties"] = values
        return {**schema, **sized(node.bounds, "Properties")}

    def keys(self, node: Node) -> Schema:
        """The schema of a table's keys, which are text."""
        resolved = self.plan.resolved(node)
        if isinstance(resolved, Constants):
            return {"enum": [key_text(said) for said, _ in resolved.entries]}
        if isinstance(resolved, (Integer, Bits)):
            return {"pattern": INTEGER_KEYS}
        if isinstance(resolved, Number):
            return {"pattern": NUMBER_KEYS}
        if isinstance(resolved, Boolean):
            return {"enum": ["true", "false"]}
        if isinstance(resolved, Either):
            options = [self.keys(option) for option in resolved.options]
            return {"anyOf": options} if all(options) else {}
        schema = self.of(resolved)
        schema.pop("type", None)
        return schema

    def object(self, node: Object) -> Schema:
        properties = {one.key: self.property(one) for one in node.properties}
        schema: Schema = {"type": "object", "properties": properties}
        if required := [one.key for one in node.properties if one.is_required]:
            schema["required"] = required
        if node.is_closed:
            schema["additionalProperties"] = False
        elif node.rest is not None:
            schema["additionalProperties"] = self.of(node.rest)
        return schema

    def property(self, one: Any) -> Schema:
        """The schema of a field, with its default where JSON can say it."""
        schema = self.of(one.node)
        is_misfit = one.default is None and "null" not in kinds_of(self.plan, one.node)  # a converter replaces it
        if one.default is UNSAID or is_misfit or "default" in schema:
            return schema
        try:
            default = plain(one.default)
        except TypeError:
            return schema
        return {**schema, "default": default} if isinstance(default, (str, int, float, bool, type(None))) else schema

    def either(self, node: Either) -> Schema:
        tag = tag_of(self.plan, node)
        options = []
        for option in node.options:
            schema = self.of(option)
            is_object = kinds_of(self.plan, option) == {"object"}
            if tag is not None and is_object and not self._requires(option, tag):
                schema = {**schema, "required": [*schema.get("required", []), tag]}
            options.append(schema)
        return {"anyOf": options}

    def _requires(self, option: Node, tag: str) -> bool:
        found = object_of(self.plan, option)
        return found is not None and any(one.key == tag and one.is_required for one in found.properties)


_MAKERS: dict[type, str] = {
    Anything: "anything",
    Null: "null",
    Boolean: "boolean",
    Integer: "integer",
    Number: "number",
    String: "string",
    Formatted: "formatted",
    Constants: "constants",
    Bits: "bits",
    Foreign: "foreign",
    Array: "array",
    Places: "places",
    Table: "table",
    Object: "object",
    Either: "either",
}
