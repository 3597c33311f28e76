"""What is to be learned of an answer: the fields that it has and nobody documents.

A field is learned only if `lenient` keeps whatever it holds in ``extra``: so it is asked, once for each field, with one
value of every kind. A field that it translates, or takes for an error, is never learned but as null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import attrs

from ....errors import APIStatusError, MalformedResponseError
from ...failures.in_band import in_band_failure
from ..bodies import MAX_SHOWN_BODY, parse_json
from ..lenient import value_from
from ..quirks.messages import REASONING_NAMES
from . import documented
from .documented import Kind, Shape
from .unknown import MAX_NAME, Nested, Unknown, fields_in, fields_of, nested_in

ENVELOPES: Final = ("data", "result", "response", "output", "body")
"""Where a gateway puts the answer in an object of its own, ``{"code": 0, "data": …}`` for instance."""


def read_slowly(parsed: Any, text: bytes, kind: Kind) -> Any:
    """What a parsed answer stands for, read leniently. Raises as `AnswerReader.chunk`."""
    if (failure := in_band_failure(parsed, is_whole=kind.is_whole)) is not None:
        raise failure
    if kind.is_whole and isinstance(parsed, dict) and "choices" not in parsed:
        body = text.decode("utf-8", "replace")[:MAX_SHOWN_BODY]
        raise MalformedResponseError(f"{kind.what}: no field `choices` at $", body=body)
    return value_from(parsed, kind.value_class, kind.what)


def parsed_answer(text: bytes, what: str, *, is_whole: bool) -> Any:
    """The JSON of an answer, without what some gateways put around it.

    Raises:
        MalformedResponseError: It is no JSON.
    """
    if is_whole and (body := text.rstrip()).endswith(b"[DONE]"):  # of a gateway that ends everything so
        text = body.removesuffix(b"[DONE]").rstrip().removesuffix(b"data:")
    parsed = parse_json(text, what)
    if is_whole and isinstance(parsed, list) and len(parsed) == 1 and isinstance(parsed[0], dict):
        parsed = parsed[0]
    return without_envelope(parsed)


def without_envelope(parsed: Any) -> Any:
    """What some gateways put an object of their own around; anything else as it is."""
    if isinstance(parsed, dict) and not parsed.get("choices"):
        for name in ENVELOPES:
            inner = parsed.get(name)
            if isinstance(inner, dict) and inner.get("choices"):
                return inner
    return parsed


def learnable(parsed: Any, kind: Kind, known: tuple[Unknown, ...]) -> Iterator[Unknown]:
    seen = {(field.place, field.name) for field in known}
    for place, name in fields_in(parsed, kind.shape):
        if (place, name) not in seen:
            seen.add((place, name))
            if (unknown := _as_unknown(place, name)) is not None:
                yield unknown


# One value of every kind; those that might mean something in the place of a text, of a list of calls, of an error.
_SAMPLES: Final[tuple[Any, ...]] = (
    "x", "", "error", "stop", 1, 0, 500, -0.5, True, False, [], ["x"], [1], [{}], [{"type": "text", "text": "x"}], {},
    {"x": 1}, {"usage": {"total_tokens": 1}}, {"message": "x", "code": 500, "type": "x"},
    {"content": "x", "text": "x", "summary": "x"},
    [{"index": 0, "id": "x", "function": {"name": "x", "arguments": "{}"}, "token": "x", "logprob": -1.0}],
)  # fmt: skip


_NEEDED: Final[Mapping[Any, Any]] = {str: "x", float: -1.0, int: 1}


@lru_cache(1024)
def _as_unknown(place: type[Shape], name: str) -> Unknown | None:
    """The field, if `lenient` keeps it as it is wherever that shape may stand; ``None`` if it cannot be learned."""
    if len(name) > MAX_NAME or not name.isprintable() or any(character in name for character in '\\"'):
        return None
    if name in REASONING_NAMES and place in (documented.DeltaShape, documented.MessageShape):
        return Unknown(place, name, is_reasoning=True)
    paths = [(kind, path) for kind in documented.KINDS for path in _paths(kind.shape, place)]
    if not all(_is_kept(kind, path, name, None) for kind, path in paths):
        return None
    is_inert = all(_is_kept(kind, path, name, sample) for kind, path in paths for sample in _SAMPLES)
    return Unknown(place, name, only_null=not is_inert)


def _paths(root: type[Shape], place: type[Shape]) -> Iterator[tuple[tuple[str, Nested], ...]]:
    """The ways from a shape to another that it holds."""
    if root is place:
        yield ()
    for name, nested in nested_in(root).items():
        for path in _paths(nested.shape, place):
            yield ((name, nested), *path)


def _is_kept(kind: Kind, path: tuple[tuple[str, Nested], ...], name: str, value: Any) -> bool:
    """Whether `lenient` puts the field into ``extra`` and changes nothing else for it."""
    try:
        without = attrs.asdict(read_slowly(_sample(kind.shape, path, {}), b"", kind))
        found = attrs.asdict(read_slowly(_sample(kind.shape, path, {name: value}), b"", kind))
    except (MalformedResponseError, APIStatusError):
        return False
    place = found
    for step, nested in path:
        inner = place[step]
        place = inner[0] if nested.is_list and inner else inner
    if not place or place["extra"] != {name: value}:
        return False
    place["extra"] = {}
    return found == without


def _sample(shape: type[Shape], path: tuple[tuple[str, Nested], ...], fields: dict[str, Any]) -> dict[str, Any]:
    """A small answer with these fields at the end of a path."""
    needed = {field.name: _NEEDED[field.type] for field in fields_of(shape) if field.required and field.type in _NEEDED}
    if "choices" in shape.__struct_fields__:
        needed["choices"] = []
    if not path:
        return {**needed, **fields}
    (step, nested), *rest = path
    inner = _sample(nested.shape, tuple(rest), fields)
    return {**needed, step: [inner] if nested.is_list else inner}
