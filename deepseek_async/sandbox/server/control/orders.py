"""What the sandbox's own paths are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NewCeiling", "NewScripts", "Order"]


@attrs.frozen
class Order:
    """A request to one of these paths.

    Attributes:
        body: Its bytes.
        caller: Whom it speaks of; None: of everybody.
        query: The parameters in its URL.
    """

    body: bytes = b""
    caller: str | None = None
    query: Mapping[str, str] = attrs.field(factory=dict)


class NewScripts(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /sandbox/scripts: `scripts.script.Script` has the fields of each."""

    scripts: list[dict[str, Any]]
    times: int | None = 1
    caller: str | None = None
    optional: bool = False


class NewCeiling(msgspec.Struct, forbid_unknown_fields=True):
    """The body of PUT /sandbox/ceiling: for all models, for each, or (seconds, ceiling) in ascending order."""

    ceiling: int | dict[str, int] | list[tuple[float, int]] | None
