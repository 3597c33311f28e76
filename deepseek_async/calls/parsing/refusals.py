"""What a client has learned of strict functions: whether its server takes any, and those of a type."""

from __future__ import annotations

from typing import Any

from ...errors import APIStatusError, NotFoundError


class StrictRefusals:
    """Why strict functions are not asked for.

    Args:
        general: Why the server takes none, if that is known from the start; else ``""``.
    """

    def __init__(self, general: str) -> None:
        self._general = general
        self._of: dict[Any, str] = {}

    def of(self, structuring: Any) -> str:
        """Why no function of this type's schema is asked for; ``""``: one may be."""
        return self._general or self._of.get(structuring, "")

    def rule_in(self) -> None:
        """Note that the server takes some after all."""
        self._general = ""

    def rule_out(self, reason: str) -> None:
        """Note that the server takes none at all."""
        self._general = reason

    def learn(self, structuring: Any, error: APIStatusError) -> str:
        """Note a refusal, and say what it means. A path that is missing is missing for every type."""
        reason = f"the server refused a strict function with {error.status}"
        if isinstance(error, NotFoundError):
            self.rule_out(reason)
        else:
            self._of[structuring] = reason
        return reason
