"""How many examples a property is tried with: a few in each run of the tests, so many times more in ``make soak``."""

from __future__ import annotations

import os
import sys

_TIMES = int(os.environ.get("EXAMPLES", "1"))
# A tracer makes the making of examples ten times slower, and has seen all lines after a few.
_IS_TRACED = sys.gettrace() is not None


def examples(count: int) -> int:
    """So many, times ``EXAMPLES`` from the environment."""
    return max(10, count // 2) if _IS_TRACED else count * _TIMES
