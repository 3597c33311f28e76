"""The form of strict tools, taken back."""

from __future__ import annotations

from typing import Any

from ..nodes import Foreign
from ..problems import Path
from .foreign import restored
from .scalars import READERS
from .values import Read, Wrong, refused


def restoring(node: Foreign) -> Read:
    """What pydantic reads, without the nulls that stand for what was left out."""
    read = READERS[Foreign](node)
    schema: Any = node.schema
    return lambda data, path, wrong: read(restored(data, schema, schema), path, wrong)


def from_pairs(data: list[Any], path: Path, wrong: Wrong) -> dict[str, Any]:
    """An object that came as an array of its keys with their values."""
    found: dict[str, Any] = {}
    for index, entry in enumerate(data):
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str) or "value" not in entry:
            refused(wrong, (path, index), "expected an object with key and value")
        else:  # of a key that comes twice the last holds, as in any JSON object
            found[entry["key"]] = entry["value"]
    return found
