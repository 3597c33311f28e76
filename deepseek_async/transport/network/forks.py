"""How a process that a fork made is told apart from its parent, whose connections it inherits and must not use.

To compare process ids would be a call of the system, several a request.
"""

from __future__ import annotations

import os
from typing import Final


class Forks:
    """Counts the forks that lie behind this process.

    Attributes:
        count: Grows by 1 in each child, and in no parent.
    """

    def __init__(self) -> None:
        self.count: int = 0
        if hasattr(os, "register_at_fork"):  # Windows has no forks
            os.register_at_fork(after_in_child=self._note)

    def _note(self) -> None:
        self.count += 1


FORKS: Final = Forks()

INHERITED: Final[list[object]] = []
"""What a fork inherited of its parent's connections. Collecting it would close them under the parent, since both watch
their sockets by one and the same epoll."""
