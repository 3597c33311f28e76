"""Data → what pydantic makes of it, and its errors in our words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..nodes import Foreign
from ..problems import Path, Problem, said, words_of
from .digits import dumps

_MAX_DEPTH: Final = 64


def read_foreign(node: Foreign, data: Any, path: Path) -> tuple[Any, list[Problem]]:
    """The value; or what is wrong, each at its place in the data."""
    try:
        return node.adapter.validate_json(dumps(data)), []
    except Exception as error:  # pydantic's own, which is not imported here, or whatever the caller's validator raises
        errors = getattr(error, "errors", None)
        if not callable(errors):
            return None, [Problem(path, words_of(error), error)]
        return None, [_problem(one, data, path) for one in errors(include_url=False, include_context=False)]


def _problem(one: dict[str, Any], data: Any, path: Path) -> Problem:
    """One of pydantic's errors. Its location also names branches of unions, which stand nowhere in the data."""
    steps = one.get("loc", ())
    is_missing = one.get("type") == "missing"
    for number, step in enumerate(steps):
        is_last = number == len(steps) - 1
        if (isinstance(data, dict) and step in data) or (
            isinstance(data, list) and isinstance(step, int) and step < len(data)
        ):
            data = data[step]
        elif not (is_last and is_missing):
            continue
        path = (path, step)
    words = str(one.get("msg", ""))
    if is_missing:
        return Problem(path, "required field missing")
    for head, better in (("Input should be ", "expected "), ("Value error, ", ""), ("Assertion failed, ", "")):
        if words.startswith(head):
            words = better + words.removeprefix(head)
    return Problem(path, f"{words}, got {said(data)}" if words.startswith("expected ") else words)


def restored(data: Any, schema: Mapping[str, Any], root: Mapping[str, Any], depth: int = 0) -> Any:
    """Data of the strict form without the nulls that stand for what was left out."""
    for _ in range(8):
        if (reference := schema.get("$ref")) is None:
            break
        schema = root.get("$defs", {}).get(reference.rpartition("/")[2], {})
    if depth > _MAX_DEPTH or not isinstance(data, (dict, list)):
        return data
    options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf") or [schema]
    for option in options:
        if option is not schema:
            tried = restored(data, option, root, depth + 1)
            if tried != data:
                return tried
    if isinstance(data, list):
        return [restored(item, schema.get("items", {}), root, depth + 1) for item in data]
    properties, required = schema.get("properties", {}), schema.get("required", ())
    if not data.keys() <= properties.keys() or not all(_may_be(data[key], properties[key]) for key in data):
        return data
    return {
        key: restored(item, properties[key], root, depth + 1)
        for key, item in data.items()
        if item is not None or key in required or _takes_null(properties[key])
    }


def _may_be(value: Any, schema: Mapping[str, Any]) -> bool:
    return "const" not in schema or value is None or value == schema["const"]


def _takes_null(schema: Mapping[str, Any]) -> bool:
    options = schema.get("anyOf", [schema])
    return any(option.get("type") == "null" for option in options)
