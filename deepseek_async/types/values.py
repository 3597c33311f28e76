"""What every value class here shares: how it is made, and where unknown fields go.

Fields stand in the wire's order and all but the indispensable have defaults. Both matter: msgspec looks a key up
from where the last one was found (in order, one chunk decodes in half the time), and servers leave fields out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import attrs


class _EmptyMapping(dict[str, Any]):
    """An empty mapping that stays empty, because every value without unknown fields shares it."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this mapping is shared and frozen; use attrs.evolve(value, extra={...})")

    __setitem__ = __delitem__ = setdefault = update = pop = popitem = clear = __ior__ = _refuse

    def __reduce__(self) -> str:
        return "NO_EXTRA"  # pickled and copied by name: it stays one object


NO_EXTRA: Mapping[str, Any] = _EmptyMapping()


def extra_field() -> Any:
    """``extra``: fields the server sent and this version does not know, by name. Compared, but not hashed."""
    return attrs.field(default=NO_EXTRA, hash=False, kw_only=True, repr=_show_extra)


def _show_extra(extra: Mapping[str, Any]) -> str:
    return "{}" if not extra else "{" + ", ".join(f"{name!r}: …" for name in extra) + "}"


def hidden(value: object) -> str:
    """How a prompt stands in a repr: by its size, never by its text."""
    match value:
        case None:
            return "None"
        case str():
            return f"<{len(value)} characters>"
        case tuple() | list():
            return f"<{len(value)} parts>"
        case _:
            return f"<{type(value).__name__}>"
