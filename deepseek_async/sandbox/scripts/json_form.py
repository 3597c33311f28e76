"""Scripts as JSON, for the header ``x-sandbox-script`` and for other processes.

The fields are those of `Script`. A fault is an object with one key, its name in snake case, or that name alone:

    {"say": "Hello.", "faults": [{"stall": {"seconds": 2, "after_chunk": 1}}, {"cut": {"at_byte": 400}}, "late_head"]}
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import structs

from ...errors import meant_by
from . import script as scripts
from .faults import Fault
from .script import Script

__all__ = ["HEADER", "read_script", "script_schema", "to_script", "write_script"]

HEADER = "x-sandbox-script"

_MAX_DEPTH = 100  # levels: what is read at one depth of the call stack must be written at another
_TOO_DEEP = f"a script must not be nested deeper than {_MAX_DEPTH} levels"

_HINTS = get_type_hints(Script, vars(scripts))


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


_FAULTS: dict[str, type[Any]] = {_snake(fault.__name__): fault for fault in get_args(Fault)}


def read_script(text: str | bytes) -> Script:
    """Read a script.

    Raises:
        ValueError: It is no JSON, or a field or fault does not exist or has the wrong type; the text says which.
    """
    try:
        fields = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ValueError(f"a script must be JSON: {error}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"a script must be JSON in UTF-8: {error}") from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    return to_script(fields)


def to_script(fields: object) -> Script:
    """A script from what JSON gave.

    Raises:
        ValueError: As `read_script`.
    """
    if _is_deeper(fields, _MAX_DEPTH):
        raise ValueError(_TOO_DEEP)
    named = _fields(fields, Script, "script")
    faults = named.pop("faults", [])
    if not isinstance(faults, list):
        raise ValueError("faults must be a list")  # noqa: TRY004 - what a header holds is a value
    values = {name: _converted(value, _HINTS[name], name) for name, value in named.items()}
    values["faults"] = [_to_fault(fault, number) for number, fault in enumerate(faults)]
    try:
        return Script(**values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"script: {error}") from None


def write_script(script: Script) -> str:
    """A script as one line of ASCII that fits a header. What has its default is left out."""
    fields: dict[str, Any] = {}
    for name, value in structs.asdict(script).items():
        if name == "faults":
            if value:
                fields["faults"] = [_fault_to_json(fault) for fault in value]
        elif name == "calls":
            if value:
                fields["calls"] = [structs.asdict(call) for call in value]
        elif value is not None and value != {} and value is not False:
            fields[name] = value
    return json.dumps(fields, separators=(",", ":"))


def script_schema() -> dict[str, Any]:
    """A script's JSON Schema."""
    schema: dict[str, Any] = {"type": "object", "description": _summary(Script), "properties": {}}
    schema["additionalProperties"] = False
    for name, hint in _HINTS.items():
        if name == "faults":
            options = [_fault_schema(name, kind) for name, kind in _FAULTS.items()]
            schema["properties"][name] = {"type": "array", "items": {"oneOf": options}}
        else:
            schema["properties"][name] = _inlined(hint)
    return schema


def _fault_schema(name: str, kind: type[Any]) -> dict[str, Any]:
    with_values = {
        "type": "object",
        "properties": {name: {**_inlined(kind), "additionalProperties": False}},
        "required": [name],
        "additionalProperties": False,
    }
    needs_values = any(field.required for field in structs.fields(kind))
    return {"description": _summary(kind), "oneOf": [with_values, *([] if needs_values else [{"const": name}])]}


def _inlined(kind: Any) -> dict[str, Any]:
    """A type's schema without references."""
    (schema,), components = msgspec.json.schema_components([kind], ref_template="{name}")

    def resolved(value: Any) -> Any:
        if isinstance(value, dict):
            if "$ref" in value:
                return resolved(components[value["$ref"]])
            return {key: resolved(part) for key, part in value.items()}
        return [resolved(part) for part in value] if isinstance(value, list) else value

    inlined: dict[str, Any] = resolved(schema)
    return inlined


def _summary(kind: type[Any]) -> str:
    return (kind.__doc__ or "").partition("\n")[0]


def _fault_to_json(fault: Fault) -> dict[str, Any]:
    # A default place is written out as well: it reads the same.
    values = {name: value for name, value in structs.asdict(fault).items() if value is not None}
    return {_snake(type(fault).__name__): values}


def _to_fault(given: object, number: int) -> Fault:
    where = f"faults[{number}]"
    if isinstance(given, str):
        name, values = given, dict[str, Any]()
    elif isinstance(given, Mapping) and len(given) == 1:
        name, values = next(iter(given.items()))
    else:
        raise ValueError(f"{where} must be a name or an object with one key, the fault's name")
    kind = _FAULTS.get(name)
    if kind is None:
        raise ValueError(
            f"{where}: there is no fault {name!r}; there are {', '.join(_FAULTS)}{meant_by(str(name), _FAULTS)}"
        )
    fault: Fault = _build(kind, values, f"{where}.{name}")
    return fault


def _build(kind: type[Any], given: object, where: str) -> Any:
    named = _fields(given, kind, where)
    try:
        return msgspec.convert(named, kind)
    except (msgspec.ValidationError, TypeError) as error:
        raise ValueError(f"{where}: {error}") from None


def _fields(given: object, kind: type[Any], where: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise ValueError(f"{where} must be an object")  # noqa: TRY004
    known = kind.__struct_fields__
    unknown = [name for name in given if name not in known]
    if unknown:
        raise ValueError(
            f"{where}: there is no field {unknown[0]!r}; there are {', '.join(known)}{meant_by(str(unknown[0]), known)}"
        )
    return dict(given)


def _is_deeper(value: object, depth: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return not depth or any(_is_deeper(part, depth - 1) for part in parts)


def _converted(value: object, hint: Any, where: str) -> Any:
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        raise ValueError(f"{where}: {error}") from None
