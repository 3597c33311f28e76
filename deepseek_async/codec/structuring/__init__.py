"""Classes out: a caller's type → the schema that asks for it, and answers → values of it.

A type is described once, as a small tree (`nodes`). The schema that a model is shown, the reader of its answers, the
value that the type is tried with before anything is sent: each is made from that tree, so that what the schema accepts
is what is read.
"""

from __future__ import annotations

import functools
from typing import Any, TypeVar

from ...errors import MalformedResponseError
from .answers import ValueFinder
from .describing.plan import build_plan
from .nodes import Plan
from .overlap import check_unions
from .problems import listed
from .reading import WRONG, Reader
from .schemas import (
    InexpressibleError,
    is_wrapped,
    is_wrapped_in_strict,
    schema_of,
    strict_schema_of,
    value_schema_of,
)
from .trial import try_out
from .writing import plain

__all__ = ["WRONG", "Structuring", "plain", "schema", "structured", "structuring_of"]

T = TypeVar("T")

_MAX_SHOWN = 4000


class Structuring:
    """All that is made from one type.

    Args:
        response_type: The caller's type.

    Raises:
        InvalidRequestError: JSON cannot say it, nothing tells the types of a union in it apart, or a class in it cannot
            be made of its own fields.
    """

    def __init__(self, response_type: Any) -> None:
        self.plan: Plan = build_plan(response_type)
        check_unions(self.plan)
        self.reader: Reader = Reader(self.plan)
        try_out(self.plan, self.reader)

    @functools.cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of what a model is asked for: an object."""
        return schema_of(self.plan)

    @functools.cached_property
    def _strict(self) -> tuple[dict[str, Any], str]:
        try:
            return strict_schema_of(self.plan), ""
        except InexpressibleError as error:
            return {}, f"a strict function cannot say {error}"

    @property
    def strict_schema(self) -> dict[str, Any]:
        """The same within the subset for strict functions; empty if it cannot be said there."""
        return self._strict[0]

    @property
    def inexpressible(self) -> str:
        """Why the type cannot be said within that subset; ``""``: it can."""
        return self._strict[1]

    def answers(self, *, is_strict: bool) -> ValueFinder:
        """What finds a value in a model's words, asked for by one of the two schemas."""
        return self._strict_answers if is_strict else self._plain_answers

    def is_wrapped(self, *, is_strict: bool) -> bool:
        """Whether a model is asked for an object with the value under ``value``, since the value need not be one."""
        return is_wrapped_in_strict(self.plan) if is_strict else is_wrapped(self.plan)

    @functools.cached_property
    def _plain_answers(self) -> ValueFinder:
        return ValueFinder(self.plan, self.reader, is_wrapped=is_wrapped(self.plan))

    @functools.cached_property
    def _strict_answers(self) -> ValueFinder:
        reader = Reader(self.plan, is_strict=True)
        return ValueFinder(self.plan, reader, is_wrapped=is_wrapped_in_strict(self.plan))


@functools.lru_cache(maxsize=256)
def _known(response_type: Any) -> Structuring:
    return Structuring(response_type)


def structuring_of(response_type: Any) -> Structuring:
    """What is made from a type, once for each. Raises `InvalidRequestError`."""
    try:
        hash(response_type)
    except TypeError:
        return Structuring(response_type)
    return _known(response_type)


def schema(response_type: Any) -> dict[str, Any]:
    """The JSON Schema of a type's values. Raises `InvalidRequestError`."""
    return value_schema_of(structuring_of(response_type).plan)


def structured(data: Any, wanted: type[T], what: str) -> T:
    """Plain data as a value of a caller's type.

    Args:
        what: What the data are, for the message.

    Raises:
        MalformedResponseError: They do not fit; the message names every place, ``path`` is the first.
        InvalidRequestError: No data could: JSON cannot say the type.
    """
    value, wrong = structuring_of(wanted).reader.read(data)
    if wrong:
        raise MalformedResponseError(f"{what}: {listed(wrong, _MAX_SHOWN)}", path=wrong[0].place)
    return value  # type: ignore[no-any-return]
