"""Data → what pydantic makes of it, and its errors in our words."""

from __future__ import annotations

from typing import Any

from ..nodes import Foreign
from ..problems import Path, Problem, said, words_of
from .digits import dumps


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
