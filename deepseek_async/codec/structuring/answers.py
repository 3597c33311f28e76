"""What models write → the JSON in it. One rule, for every answer:

1. The text as a whole, if it is JSON.
2. What follows the last ``</think>``, as a whole.
3. The JSON that begins a fence (three backticks, any word behind them).
4. Every object and array in the text, the outermost.
5. Steps 1, 3 and 4 for the reasoning, if the text has said nothing.

The first step at which something fits the type decides. Of each JSON, that which stands inside is tried as well: the
value under ``value``, where one was asked for; the value of a single key that the type does not know, as the class's
name; the object or array that a string holds. Where two things fit at one step and differ, none is taken:
the model is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from .nodes import Foreign, Object, Plan
from .problems import Problem
from .reading import WRONG, Reader
from .reading.digits import DECODER, loads
from .schemas import WRAPPED

_FENCE: Final = re.compile(r"```[^\n`]*\n\s*|```\s*(?=[\[{])")
_OPENING: Final = re.compile(r"[\[{]")
_END_OF_THOUGHT: Final = "</think>"
_MAX_DEPTH: Final = 3  # strings within strings, and wrappers within wrappers
_MAX_CANDIDATES: Final = 256  # beginnings that are tried in one text


class ValueFinder:
    """Finds the value of a type in a model's words.

    Args:
        is_wrapped: Whether an object with the value under ``value`` was asked for.
    """

    def __init__(self, plan: Plan, reader: Reader, *, is_wrapped: bool) -> None:
        self._reader = reader
        self._is_wrapped = is_wrapped
        root = plan.resolved(plan.root)
        found = root.object if isinstance(root, Foreign) else root if isinstance(root, Object) else None
        self._keys = frozenset(one.key for one in found.properties) if found is not None else None

    def read(self, text: str, reasoning: str = "") -> tuple[Any, list[Problem]]:
        """The value, and nothing wrong; or `WRONG`, and what is wrong with the JSON that came nearest.

        No problems at all beside `WRONG`: there is no JSON in the text.
        """
        nearest: list[Problem] = []
        for step in _steps(text, reasoning):
            fitting: list[tuple[Any, Any]] = []
            for data in step():
                value, wrong = self._value_in(data, _MAX_DEPTH, self._is_wrapped)
                if not wrong:
                    if not any(data == of_other or _equal(value, other) for of_other, other in fitting):
                        fitting.append((data, value))
                elif not nearest or _distance(wrong) < _distance(nearest):
                    nearest = wrong
            if len(fitting) > 1:
                return WRONG, [Problem(None, f"expected one value, and {len(fitting)} that differ stand there")]
            if fitting:
                return fitting[0][1], []
        return WRONG, nearest

    def _value_in(self, data: Any, depth: int, is_wrapped: bool) -> tuple[Any, list[Problem]]:
        problems: list[list[Problem]] = []
        for inside in self._inner_first(data, is_wrapped):
            value, wrong = self._value_in(inside, depth - 1, False) if depth else (WRONG, [])
            if value is not WRONG:
                return value, []
            if wrong:
                problems.append(wrong)
        value, wrong = self._reader.read(data)
        if not wrong:
            return value, []
        problems.append(wrong)
        if isinstance(data, str) and depth:
            try:
                held = loads(data)
            except (ValueError, RecursionError):
                held = data
            if isinstance(held, (dict, list)):
                value, wrong = self._value_in(held, depth - 1, is_wrapped)
                if not wrong:
                    return value, []
                problems.append(wrong)
        return WRONG, min(problems, key=_distance)

    def _inner_first(self, data: Any, is_wrapped: bool) -> Iterator[Any]:
        if not isinstance(data, dict) or len(data) != 1:
            return
        ((key, inside),) = data.items()
        if (is_wrapped and key == WRAPPED) or (
            self._keys is not None and key not in self._keys and isinstance(inside, (dict, str))
        ):
            yield inside


def _distance(wrong: list[Problem]) -> tuple[bool, int]:
    """How far data are from the type: another JSON type is further than any number of wrong fields."""
    return any(one.path is None for one in wrong), len(wrong)


def _equal(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except Exception as error:  # whatever the caller's class raises
        del error
        return False


def _steps(text: str, reasoning: str) -> Iterator[Callable[[], Iterator[Any]]]:
    text = text.lstrip("\ufeff")
    thought, end, said = text.rpartition(_END_OF_THOUGHT)
    yield lambda: _whole(text)
    if end:
        yield lambda: _whole(said)
    yield lambda: _fenced(said)
    yield lambda: _scattered(said)
    if not said.strip():
        for inner in (text for text in (thought, reasoning) if text.strip()):
            yield lambda inner=inner: _whole(inner)  # type: ignore[misc]
            yield lambda inner=inner: _fenced(inner)  # type: ignore[misc]
            yield lambda inner=inner: _scattered(inner)  # type: ignore[misc]


def _whole(text: str) -> Iterator[Any]:
    try:
        yield loads(text.strip())
    except (ValueError, RecursionError):
        return


def _fenced(text: str) -> Iterator[Any]:
    for fence in _FENCE.finditer(text):
        found, _ = _at(text, fence.end())
        if found is not WRONG:
            yield found


def _scattered(text: str) -> Iterator[Any]:
    place = 0
    for _ in range(_MAX_CANDIDATES):
        opening = _OPENING.search(text, place)
        if opening is None:
            return
        found, end = _at(text, opening.start())
        place = opening.end() if found is WRONG else end
        if found is not WRONG:
            yield found


def _at(text: str, place: int) -> tuple[Any, int]:
    try:
        return DECODER.raw_decode(text, place)
    except (ValueError, RecursionError):
        return WRONG, place
