"""Numbers that a schema allows, and how much each is to be preferred."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_MENTIONED: Final = 16.0  # a number of the prompt against one that is made up
_INVENTED: Final = 8
_USUAL: Final = (1, 2, 3, 5, 7, 10, 12, 20, 42, 100)


def allowed_numbers(
    schema: Mapping[str, Any], mentioned: Iterable[str], chance: Callable[[], float], *, whole: bool
) -> list[tuple[str, float]]:
    """Numbers within ``minimum``, ``maximum``, their exclusive forms and ``multipleOf``, as JSON text.

    Args:
        schema: The numeric keywords; others are ignored.
        mentioned: Numbers that the prompt names, as text.
        chance: Gives numbers in [0, 1).
        whole: Integers only.

    Returns:
        Texts and weights; empty if no number is allowed.
    """
    weights: dict[str, float] = {}
    for text in mentioned:
        value = int(text) if whole and text.lstrip("-").isdigit() else float(text)
        if math.isfinite(value) and (not whole or isinstance(value, int)) and is_allowed(schema, value):
            weights.setdefault(_written(Fraction(text), whole=whole), _MENTIONED)
    for number in _invented(schema, chance, whole=whole):
        text = _written(number, whole=whole)
        if is_allowed(schema, int(number) if whole else float(text)):
            weights.setdefault(text, 1.0)
    return list(weights.items())


def is_allowed(schema: Mapping[str, Any], value: float) -> bool:
    """Whether a number is within the schema's numeric keywords, compared as a validator does, in binary floats."""
    step = schema.get("multipleOf")
    if step:
        quotient = value / step if isinstance(step, float) or isinstance(value, float) else Fraction(value, step)
        if quotient != int(quotient):
            return False
    low, high = schema.get("minimum"), schema.get("maximum")
    return (
        (low is None or value >= low)
        and (high is None or value <= high)
        and not _is_excluded(schema, "exclusiveMinimum", "minimum", value)
        and not _is_excluded(schema, "exclusiveMaximum", "maximum", value)
    )


def _is_excluded(schema: Mapping[str, Any], keyword: str, bound: str, value: float) -> bool:
    limit = schema.get(keyword)
    if limit is True:  # draft 4: a flag on the other bound
        return bool(value == schema.get(bound))
    if limit is None or limit is False:
        return False
    return bool(value <= limit if bound == "minimum" else value >= limit)


def _bounds(schema: Mapping[str, Any]) -> tuple[Fraction | None, Fraction | None]:
    low = [_exact(schema[key]) for key in ("minimum", "exclusiveMinimum") if _is_number(schema.get(key))]
    high = [_exact(schema[key]) for key in ("maximum", "exclusiveMaximum") if _is_number(schema.get(key))]
    return max(low, default=None), min(high, default=None)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _exact(value: float) -> Fraction:
    return Fraction(str(value))  # 0.1 as it is written, not as the float next to it


def _invented(schema: Mapping[str, Any], chance: Callable[[], float], *, whole: bool) -> Iterator[Fraction]:
    low, high = _bounds(schema)
    step = _exact(schema["multipleOf"]) if schema.get("multipleOf") else None
    if whole:
        step = Fraction(step.numerator) if step is not None else Fraction(1)
    if step is None:
        yield from _between(low, high, chance)
        return
    first = math.ceil(low / step) if low is not None else None
    last = math.floor(high / step) if high is not None else None
    if first is not None and last is not None:
        count = last - first + 1
        # Small ranges whole, so that a single admissible number is found for certain; of large ones the edges and some.
        if count <= 2 * _INVENTED:
            yield from (step * (first + n) for n in range(count))
            return
        yield from (step * (first + n) for n in (0, 1, count - 1, count - 2))
        yield from (step * (first + int(chance() * count)) for _ in range(_INVENTED))
    elif first is not None:
        yield from (step * (first + n) for n in (0, *_USUAL))
    elif last is not None:
        yield from (step * (last - n) for n in (0, *_USUAL))
    else:
        yield from (step * n for n in (0, *_USUAL))


def _between(low: Fraction | None, high: Fraction | None, chance: Callable[[], float]) -> Iterator[Fraction]:
    if low is not None and high is not None:
        width = high - low
        digits = max(0, 2 - math.floor(math.log10(width))) if width > 0 else 0
        for _ in range(_INVENTED):
            yield round(low + width * Fraction(chance()), digits)
        yield from (low + width / 2, low, high)
    elif low is not None:
        yield from (low + n for n in (0, Fraction(1, 2), *_USUAL))
    elif high is not None:
        yield from (high - n for n in (0, Fraction(1, 2), *_USUAL))
    else:
        yield from (Fraction(0), Fraction(1, 2), *(Fraction(n) for n in _USUAL))
        yield from (round(Fraction(chance() * 100), 2) for _ in range(_INVENTED))


def _written(number: Fraction, *, whole: bool) -> str:
    return str(int(number)) if whole else repr(float(number))
