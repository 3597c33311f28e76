"""What whoever sends a request for others is told of it."""

from __future__ import annotations

from typing import Protocol


class Witness(Protocol):
    """Is told of a request what its answer does not show."""

    def admitted(self) -> None:
        """The head of a success has come, which may be long before the answer: the server has let the request in."""

    def resent(self) -> None:
        """An attempt is over whose request went out twice, so that it may have been billed twice."""
