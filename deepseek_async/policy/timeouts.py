"""The four timeouts of a call."""

from __future__ import annotations

import math
from typing import Any, Final, SupportsFloat

import attrs

from ..errors import InvalidRequestError
from ..types.requests.numbers import number_in, number_or_same
from ..types.structs import knows_its_names
from ..types.values import Brief

# A queued request is closed by the server after 600 s (page "Rate Limit"); half a minute for its notice to arrive.
FIRST_CHUNK_STREAMED: Final = 630.0
# Not streamed, the answer comes in one piece after the whole generation, which may take many minutes.
FIRST_CHUNK_WHOLE: Final = 1800.0


class _Default:
    """Stands for "not named": the field's own default, or for one call the client's value."""

    def __repr__(self) -> str:
        return "…"


_DEFAULT: Any = _Default()
_FIELDS: Final = ("connect", "first_chunk", "idle", "total")


def _check(_: object, attribute: Any, value: object) -> None:
    if value is None:
        return
    if (seconds := number_in(value)) is None or math.isnan(seconds) or seconds <= 0:
        raise InvalidRequestError(f"timeouts.{attribute.name}", value, "seconds above 0, or None")


@knows_its_names
@attrs.frozen(repr=False)
class Timeouts(Brief):
    """How long to wait for what, in seconds. Each expiry is an `APITimeoutError` that names its phase.

    Keep-alives re-arm nothing, waiting for a free connection of the pool counts for ``total`` only, and time that the
    caller takes between chunks is not charged.

    Args:
        connect: For DNS, TCP and TLS of a new connection. ``None``: no limit.
        first_chunk: From the request sent to the first chunk; not streamed, to the first byte that is no white space.
            ``None``: 630 for a stream, 1,800 otherwise. ``math.inf``: no limit.
        idle: Between one chunk and the next; not streamed, between reads of the body. ``None``: no limit.
        total: For the whole call with all its attempts and waits. ``None``: no limit.

    For one call it changes what it names and leaves the client's for the rest: ``timeouts=Timeouts(total=9)``, or as a
    mapping, ``timeouts={"total": 9}``.

    Raises:
        InvalidRequestError: A value is not above 0.
    """

    _has_all = True

    connect: float | None = attrs.field(default=10.0, validator=_check)
    first_chunk: float | None = attrs.field(default=None, validator=_check)
    idle: float | None = attrs.field(default=120.0, validator=_check)
    total: float | None = attrs.field(default=None, validator=_check)
    _named: frozenset[str] = attrs.field(default=frozenset(), eq=False, repr=False, alias="_named")

    def __init__(
        self,
        *,
        connect: SupportsFloat | None = _DEFAULT,
        first_chunk: SupportsFloat | None = _DEFAULT,
        idle: SupportsFloat | None = _DEFAULT,
        total: SupportsFloat | None = _DEFAULT,
        _named: object = None,  # `attrs.evolve` gives it back; a copy names every field
    ) -> None:
        given = {"connect": connect, "first_chunk": first_chunk, "idle": idle, "total": total}
        named = {name: number_or_same(value) for name, value in given.items() if value is not _DEFAULT}
        self.__attrs_init__(**named, _named=frozenset(named))  # type: ignore[attr-defined]

    def over(self, others: Timeouts) -> Timeouts:
        """What this one names, and the others' for the rest."""
        if len(self._named) == len(_FIELDS):
            return self
        return attrs.evolve(others, **{name: getattr(self, name) for name in self._named})

    def first_chunk_of(self, *, streamed: bool) -> float:
        """The effective ``first_chunk``."""
        if self.first_chunk is not None:
            return self.first_chunk
        return FIRST_CHUNK_STREAMED if streamed else FIRST_CHUNK_WHOLE
