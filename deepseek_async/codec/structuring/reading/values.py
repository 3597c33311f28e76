"""What all readers share: how they are called, and what they give for data that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..nodes import Object
from ..problems import Path, Problem, words_of

Wrong = list[Problem]
Read = Callable[[Any, Path, Wrong], Any]

WRONG: Any = object()  # in place of a value that could not be made


def refused(wrong: Wrong, path: Path, words: str, error: Exception | None = None) -> Any:
    """Note a problem; gives `WRONG`."""
    wrong.append(Problem(path, words, error))
    return WRONG


def made(make: Callable[[Any], Any], parts: Any, path: Path, wrong: Wrong) -> Any:
    """What the caller's class makes of its parts, or what it says against them."""
    try:
        return make(parts)
    except Exception as error:  # whatever the caller's class raises
        return refused(wrong, path, words_of(error), error)


def made_object(node: Object, given: dict[str, Any], path: Path, wrong: Wrong) -> Any:
    """What the caller's class makes of its fields, or what it says against each of them."""
    try:
        return node.make(given)
    except Exception as error:  # whatever the caller's class raises
        explained = node.explain(given) if node.explain is not None else []
        for key, reason in explained:
            refused(wrong, (path, key), words_of(reason), reason)
        return WRONG if explained else refused(wrong, path, words_of(error), error)
