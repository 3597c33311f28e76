"""Tests of one outside system run in one process, which installs or starts it once.

pytest-xdist's own ``--dist loadgroup`` writes the group to where pytest 9.2 does not look for it, and then spreads the
tests without a word; so the groups are told to its scheduler here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def scheduler_by_name(config: Any, log: Any, names: Iterable[str]) -> Any:
    """A scheduler that keeps tests together whose first parameter is one of the names; for ``--dist loadgroup``."""
    if config.getoption("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    longest_first = sorted(names, key=len, reverse=True)

    class ByName(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            parameters = nodeid.partition("[")[2]
            return next((name for name in longest_first if parameters.startswith(f"{name}-")), nodeid)

    return ByName(config, log)
