"""Annotations as they are meant: strings resolved, qualifiers taken off, type parameters put in."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
import textwrap
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

_MAX_NAMES = 64  # that are looked up one after the other
_OWN = __name__.split(".", 1)[0]


class UnresolvedError(Exception):
    """An annotation names what cannot be found."""


def hints_of(owner: Any) -> dict[str, Any]:
    """The annotations of a class or function, with ``Annotated`` and the like kept.

    A name that the module does not know is looked for in the class itself and around the call: classes may be defined
    inside a function.

    Raises:
        UnresolvedError: A name is found nowhere.
    """
    return _with_names(lambda names: typing.get_type_hints(owner, localns=names or None, include_extras=True), owner)


def resolved(text: str, module: str = "") -> Any:
    """What an annotation that is a string stands for, in its module or where the call was made.

    Raises:
        UnresolvedError: A name is found nowhere.
    """
    scope = vars(sys.modules[module]) if module in sys.modules else {}

    def evaluate(names: dict[str, Any]) -> dict[str, Any]:
        holder = type("holder", (), {"__annotations__": {"it": text}, "__module__": "builtins"})
        return typing.get_type_hints(holder, globalns=scope, localns=names, include_extras=True)

    return _with_names(evaluate, None)["it"]


def _with_names(evaluate: Callable[[dict[str, Any]], dict[str, Any]], owner: Any) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for _ in range(_MAX_NAMES):
        try:
            return evaluate(names)
        except NameError as error:
            name = error.name or ""
            if name in names:
                break
            try:
                names[name] = _looked_up(name, owner)
            except LookupError:
                break
        except (SyntaxError, TypeError, AttributeError) as error:
            raise UnresolvedError(str(error)) from None
    raise UnresolvedError(f"the name {name!r} is not defined where the type is; define it in the module, at its top")


def _looked_up(name: str, owner: Any) -> Any:
    if isinstance(owner, type):
        if owner.__name__ == name:
            return owner
        if name in vars(owner):
            return vars(owner)[name]
    frame = inspect.currentframe()
    while frame is not None:
        if not frame.f_globals.get("__name__", "").startswith(_OWN + "."):
            for scope in (frame.f_locals, frame.f_globals):
                if name in scope:
                    return scope[name]
        frame = frame.f_back
    raise LookupError(name)


# -- type parameters -------------------------------------------------------------------------------------------------


def arguments_of(origin: Any, given: tuple[Any, ...]) -> dict[Any, Any]:
    """What each type parameter stands for in a class, its bases' among them."""
    parameters: Any = getattr(origin, "__parameters__", None) or getattr(origin, "__type_params__", ())
    known: dict[Any, Any] = dict(zip(parameters, given, strict=False))
    _add_of_bases(origin, known)
    return known


def _add_of_bases(cls: Any, known: dict[Any, Any]) -> None:
    for base in getattr(cls, "__orig_bases__", ()) if "__orig_bases__" in getattr(cls, "__dict__", {}) else ():
        origin = typing.get_origin(base)
        if origin is None or origin is typing.Generic or origin is getattr(typing, "Protocol", None):
            continue
        for parameter, argument in zip(getattr(origin, "__parameters__", ()), typing.get_args(base), strict=False):
            known.setdefault(parameter, substituted(argument, known))
        _add_of_bases(origin, known)
    for base in getattr(cls, "__bases__", ()):
        if base is not object:
            _add_of_bases(base, known)


def substituted(hint: Any, arguments: Mapping[Any, Any]) -> Any:
    """A type with its parameters put in; one that stands for nothing stays."""
    if isinstance(hint, TypeVar):
        return arguments.get(hint, hint)
    if isinstance(hint, dataclasses.InitVar):
        return dataclasses.InitVar(substituted(hint.type, arguments))
    free = getattr(hint, "__parameters__", ())
    if isinstance(free, tuple) and free and not isinstance(hint, type) and any(one in arguments for one in free):
        return hint[tuple(arguments.get(one, one) for one in free)]
    return hint


def free_parameter(parameter: TypeVar) -> Any:
    """What a type parameter stands for where nothing was put in: its default, bound, constraints, or anything."""
    default = getattr(parameter, "__default__", None)
    if default is not None and not repr(default).endswith("NoDefault"):
        return default
    if parameter.__bound__ is not None:
        return parameter.__bound__
    if parameter.__constraints__:
        return typing.Union[parameter.__constraints__]  # noqa: UP007 - of a tuple
    return Any


# -- words about fields ----------------------------------------------------------------------------------------------


def documents_of(cls: Any) -> dict[str, str]:
    """What the program says of each field: the string below it, or its line in the class's docstring."""
    found: dict[str, str] = {}
    for base in reversed(getattr(cls, "__mro__", (cls,))):
        if base.__module__ != "builtins" and base is not typing.Generic:
            found.update(_in_docstring(base))
            found.update(_below_fields(base))
    return found


def docstring_of(cls: Any) -> str:
    """A class's own docstring, up to its sections; not the one that a library made for it."""
    text = vars(cls).get("__doc__") if hasattr(cls, "__dict__") else None
    if not isinstance(text, str) or text == "An enumeration." or text.startswith(f"{cls.__name__}("):
        return ""
    lines = []
    for line in inspect.cleandoc(text).splitlines():
        if _is_heading(line):
            break
        lines.append(line)
    return "\n".join(lines).strip()


_HEADINGS = frozenset(
    ("args:", "arguments:", "attributes:", "parameters:", "fields:", "raises:", "examples:", "example:")
)
_OF_FIELDS = frozenset(("args:", "arguments:", "attributes:", "parameters:", "fields:"))


def _is_heading(line: str) -> bool:
    return line.strip().lower() in _HEADINGS


def _in_docstring(cls: Any) -> dict[str, str]:
    """The fields in the sections of a docstring, as Google writes them: ``name: What it is.``"""
    text = vars(cls).get("__doc__")
    if not isinstance(text, str):
        return {}
    found: dict[str, str] = {}
    inside, name = False, ""
    for line in inspect.cleandoc(text).splitlines():
        if line.strip() and not line.startswith(" "):
            inside = line.strip().lower() in _OF_FIELDS
        elif inside and line.strip():
            head, colon, words = line.strip().partition(":")
            head = head.partition("(")[0].strip()
            is_new = bool(colon) and head.isidentifier() and len(line) - len(line.lstrip()) <= 4
            if is_new:
                name = head
                found[name] = words.strip()
            elif name:
                found[name] = f"{found[name]} {line.strip()}".strip()
    return {name: words for name, words in found.items() if words}


def _below_fields(cls: Any) -> dict[str, str]:
    """Strings that stand below an annotated name in the class's body (PEP 257's attribute docstrings)."""
    try:
        source = textwrap.dedent(inspect.getsource(cls))
        (node,) = ast.parse(source).body
    except (OSError, TypeError, SyntaxError, ValueError, IndentationError):
        return {}  # there is no source: a class made at a prompt, say
    if not isinstance(node, ast.ClassDef):
        return {}
    found = {}
    for above, below in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(above, ast.AnnAssign)
            and isinstance(above.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            found[above.target.id] = inspect.cleandoc(below.value.value)
    return found


def module_of(name: str) -> Any:
    """A module that the program has loaded; ``None``: it uses nothing of it."""
    return sys.modules.get(name)
