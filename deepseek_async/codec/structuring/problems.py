"""What is wrong with an answer, and where, in words for a user and for a model."""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from .kinds import kind_of
from .nodes import (
    FREE,
    Bounds,
)

Path = tuple[Any, ...] | None  # (the path above, the key or index); None: the whole

_PLAIN_KEY = re.compile(r"[^\W\d]\w*")
_MAX_SHOWN = 60
_NAMES = {"null": "null", "boolean": "a boolean", "string": "a string", "array": "an array", "object": "an object"}


@attrs.frozen
class Problem:
    """One thing that is wrong.

    Attributes:
        words: ``expected …, got …``.
        error: What the caller's own class raised, if it was that.
    """

    path: Path
    words: str
    error: Exception | None = attrs.field(default=None, eq=False)

    @property
    def place(self) -> str:
        """As ``$.items[2].price``."""
        steps: list[str] = []
        path = self.path
        while path is not None:
            path, step = path
            if isinstance(step, int):
                steps.append(f"[{step}]")
            elif _PLAIN_KEY.fullmatch(step):
                steps.append(f".{step}")
            else:
                steps.append(f"[{step!r}]")
        return "$" + "".join(reversed(steps))

    def __str__(self) -> str:
        return f"{self.place}: {self.words}"


def listed(problems: Sequence[Problem], limit: int) -> str:
    """All problems, or as many as there is room for, and how many more there are."""
    shown: list[str] = []
    size = 0
    for problem in dict.fromkeys(map(str, problems)):
        if shown and size + len(problem) > limit:
            break
        shown.append(problem[:limit])
        size += len(problem) + 2
    more = len(dict.fromkeys(map(str, problems))) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")


def said(data: Any) -> str:
    """What data are, in a word or two: a short scalar as JSON, anything else by its type."""
    kind = kind_of(data)
    if kind in ("string", "number", "boolean"):
        text = json.dumps(data, ensure_ascii=False)
        if len(text) <= _MAX_SHOWN:
            return text
    return "a number" if kind == "number" else _NAMES[kind]


def type_said(data: Any) -> str:
    """What JSON type data are of."""
    kind = kind_of(data)
    return ("an integer" if isinstance(data, int) else "a number") if kind == "number" else _NAMES[kind]


def words_of(error: Exception) -> str:
    """What the caller's own code raised, in its words."""
    if isinstance(error, KeyError) or not error.args or not isinstance(error.args[0], str) or not error.args[0]:
        return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return error.args[0]


def choice_of(values: Iterable[Any]) -> str:
    """Constants as JSON, in a row."""
    texts = [json.dumps(value, ensure_ascii=False) for value in values]
    return texts[0] if len(texts) == 1 else f"one of {', '.join(texts)}"


# -- bounds ----------------------------------------------------------------------------------------------------------


def outside(value: Any, bounds: Bounds) -> str:
    """What a number or point in time would have to be, if it is out of bounds."""
    if bounds is FREE:
        return ""
    for limit, is_within, words in (
        (bounds.ge, operator.ge, "at least"),
        (bounds.gt, operator.gt, "more than"),
        (bounds.le, operator.le, "at most"),
        (bounds.lt, operator.lt, "less than"),
    ):
        if limit is not None and not is_within(value, limit):
            return f"{words} {limit}"
    step = bounds.multiple_of
    if step is not None and not _is_multiple(value, step):
        return f"a multiple of {step}"
    if bounds.aware is not None and (getattr(value, "tzinfo", None) is not None) is not bounds.aware:
        return "a time with its offset from UTC" if bounds.aware else "a time without an offset from UTC"
    return ""


def _is_multiple(value: Any, step: Any) -> bool:
    if isinstance(value, float) or isinstance(step, float):
        quotient = float(value) / float(step)
        return math.isfinite(quotient) and quotient == int(quotient)
    return bool(value % step == 0)


def outside_of_size(size: int, bounds: Bounds, what: str) -> str:
    """How many there would have to be."""
    if bounds.min_length is not None and size < bounds.min_length:
        return f"at least {bounds.min_length} {what}, got {size}"
    if bounds.max_length is not None and size > bounds.max_length:
        return f"at most {bounds.max_length} {what}, got {size}"
    return ""
