"""Numbers of other libraries' classes (numpy's scalars, fractions, decimals) as the built-in ones, which JSON knows."""

from __future__ import annotations

import math
import operator
import re
import sys
from decimal import Decimal, InvalidOperation
from numbers import Integral, Real
from typing import Any

_LARGEST = int(sys.float_info.max)  # an integer beyond is no float


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
    """A number as an int or a float, whatever library's it is; ``None``: it is none. A truth value is none.

    What is beyond the largest float is infinite: comparisons with a limit hold, and none raises.
    """
    if type(value) is float:
        return value
    if (integer := integer_in(value)) is not None:
        return integer if -_LARGEST <= integer <= _LARGEST else math.copysign(math.inf, 1 if integer > 0 else -1)
    if isinstance(value, bool) or not (isinstance(value, (Real, Decimal)) or _is_scalar(value)):
        return None
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:  # a fraction
        return math.copysign(math.inf, 1 if value > 0 else -1)  # type: ignore[operator]
    except (TypeError, ValueError):
        return None


def amount_in(value: object) -> Decimal | None:
    """An amount of money, of at least 0, given as a number or as text; ``None``: it is none."""
    try:
        # A float is taken for what it is written as: 0.1 is a tenth.
        amount = None if isinstance(value, bool) else Decimal(str(value) if isinstance(value, float) else value)  # type: ignore[arg-type]
    except (InvalidOperation, TypeError, ValueError):
        return None
    return amount if amount is not None and amount.is_finite() and amount >= 0 else None


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
