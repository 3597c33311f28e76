"""Numbers of other libraries' classes (numpy's scalars, fractions, decimals) as the built-in ones, which JSON knows."""

from __future__ import annotations

import operator
import re
from decimal import Decimal
from numbers import Integral, Real
from typing import Any


def integer_in(value: object) -> int | None:
    """An integer as an int, whatever library's it is (numpy's, say); ``None``: it is none. A truth value is none."""
    if type(value) is int:
        return value
    if isinstance(value, bool) or not (isinstance(value, Integral) or _is_scalar(value)):
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None


def number_in(value: object) -> float | None:
    """A number as an int or a float, whatever library's it is; ``None``: it is none. A truth value is none."""
    if type(value) is float or type(value) is int:
        return value
    if (integer := integer_in(value)) is not None:
        return integer
    if isinstance(value, bool) or not (isinstance(value, (Real, Decimal)) or _is_scalar(value)):
        return None
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def _is_scalar(value: object) -> bool:
    """Whether it is an array or a tensor without an axis, of an integer or a real number."""
    if getattr(value, "shape", None) != ():
        return False
    dtype = getattr(value, "dtype", None)
    kind = getattr(dtype, "kind", None)  # numpy's; torch has none
    return kind in ("i", "u", "f") if kind is not None else not re.search("bool|complex", str(dtype))


def integer_or_same(value: Any) -> Any:
    """An integer as an int; what is none as it is, for a validator to refuse."""
    return value if (integer := integer_in(value)) is None else integer


def number_or_same(value: Any) -> Any:
    """A number as an int or a float; what is none as it is, for a validator to refuse."""
    return value if (number := number_in(value)) is None else number
