"""Whatever a user may import is documented and typed: names, methods, properties; and the reference leaves none out."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

import deepseek_async
import deepseek_async.codec
import deepseek_async.sandbox
import deepseek_async.sse
import deepseek_async.testing
import deepseek_async.transport
import deepseek_async.types

REFERENCE = Path(__file__).parent.parent / "docs/reference"
ROOMS = (
    deepseek_async,
    deepseek_async.codec,
    deepseek_async.sandbox,
    deepseek_async.sse,
    deepseek_async.testing,
    deepseek_async.transport,
    deepseek_async.types,
)
# Whose meaning the language gives; `__init__` is told of in its class.
_UNTOLD = {
    "__init__",
    "__repr__",
    "__str__",
    "__eq__",
    "__ne__",
    "__hash__",
    "__reduce__",
    "__getattr__",
    "__post_init__",
}


def _referred() -> Iterator[tuple[str, Any]]:
    """What the pages of the reference name: modules by their public names, classes themselves."""
    for page in sorted(REFERENCE.glob("*.md")):
        for path in re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), re.M):
            try:
                found: Any = importlib.import_module(path)
            except ModuleNotFoundError as error:
                if error.name is not None and not error.name.startswith("deepseek_async"):
                    continue  # an adapter to a library that is not here
                home, _, name = path.rpartition(".")
                found = getattr(importlib.import_module(home), name)
            yield path, found


def _names_of(module: ModuleType) -> list[str]:
    own = [name for name, item in vars(module).items() if getattr(item, "__module__", None) == module.__name__]
    return list(getattr(module, "__all__", [name for name in own if not name.startswith("_")]))


def _public() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, item in [*((room.__name__, room) for room in ROOMS), *_referred()]:
        if not isinstance(item, ModuleType):
            found[path] = item
            continue
        found[path] = item
        for name in _names_of(item):
            found[f"{path}.{name}"] = getattr(item, name)
    return {path: item for path, item in found.items() if isinstance(item, (ModuleType, type, FunctionType))}


def _members() -> dict[str, Any]:
    """Methods and properties that users call, of our own classes."""
    found: dict[str, Any] = {}
    for path, cls in PUBLIC.items():
        if isinstance(cls, type):
            for base in cls.__mro__:
                if base.__module__.startswith("deepseek_async"):
                    for name, member in vars(base).items():
                        if isinstance(member, (FunctionType, property, cached_property, classmethod, staticmethod)):
                            found.setdefault(f"{path}.{name}", member)
    return {path: member for path, member in found.items() if not path.rpartition(".")[2].startswith("_")}


PUBLIC = _public()
MEMBERS = _members()


def _function(member: Any) -> Any:
    inner = member
    for name in ("fget", "func", "__func__"):
        inner = getattr(inner, name, None) or inner
    return inspect.unwrap(inner)


def _is_ours(item: Any) -> bool:
    return getattr(item, "__module__", "deepseek_async").startswith("deepseek_async")


@pytest.mark.parametrize("path", PUBLIC)
def test_each_name_is_told_of(path: str) -> None:
    """By a docstring of its own, which is more than attrs' or Python's."""
    item = PUBLIC[path]
    if _is_ours(item):
        text = inspect.getdoc(item) if not isinstance(item, type) else item.__dict__.get("__doc__")
        assert text, path
        assert not text.startswith(("Method generated", "int([x])")), path


def test_each_member_is_told_of() -> None:
    """Methods and properties, own and inherited; one that overrides may leave it to what it overrides."""
    untold = []
    for path in MEMBERS:
        cls = PUBLIC[path.rpartition(".")[0]]
        told = [
            getattr(_function(vars(base)[name]), "__doc__", None)
            for base in cls.__mro__
            for name in (path.rpartition(".")[2],)
            if name in vars(base)
        ]
        if not any(told):
            untold.append(path)
    assert untold == []


def test_each_is_typed() -> None:
    """Every argument and result has an annotation."""
    untyped = []
    for path, item in {**PUBLIC, **MEMBERS}.items():
        function = (
            item
            if isinstance(item, FunctionType)
            else None
            if isinstance(item, (type, ModuleType))
            else _function(item)
        )
        if function is None or not isinstance(function, FunctionType) or not _is_ours(function):
            continue
        if "attrs generated" in function.__code__.co_filename:
            continue
        signature = inspect.signature(function)
        missing = [
            name
            for place, (name, parameter) in enumerate(signature.parameters.items())
            if parameter.annotation is parameter.empty and not (place == 0 and name in ("self", "cls"))
        ]
        if missing or signature.return_annotation is signature.empty:
            untyped.append((path, missing))
    assert untyped == []


def test_the_reference_has_every_name() -> None:
    """Whatever the root offers stands on a page of the reference."""
    pages = {
        id(getattr(item, name)) for _, item in _referred() if isinstance(item, ModuleType) for name in _names_of(item)
    }
    pages |= {id(item) for _, item in _referred()}
    missing = [name for name in deepseek_async.__all__ if id(getattr(deepseek_async, name)) not in pages]
    assert missing == []
