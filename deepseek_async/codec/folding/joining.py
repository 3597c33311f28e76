"""Unknown fields that come in pieces → the fields of the whole answer.

| pieces | joined |
| --- | --- |
| texts of a delta | appended; but one that every piece repeats is said once |
| lists of a delta, a choice or its logprobs | extended (``token_ids``); objects in them that have an ``index``, by it |
| objects of a delta or a choice | field by field, by these rules |
| ``id``, ``type``, ``index``, ``role``, ``format`` in them | the last that is not null or empty |
| texts of a choice or a chunk, and all else | the last that is not null |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...types.values import NO_EXTRA, NullFields
from ..reading.quirks.messages import mended

# Texts that are said once or again, and texts of which two equal pieces are two pieces.
_LABELS = frozenset(("id", "type", "index", "role", "format", "object", "status"))
_PROSE = frozenset(
    ("refusal", "text", "summary", "data", "content", "arguments", "transcript", "thinking", "reasoning", "input")
)

PROGRESS = frozenset(("prompt_progress",))
"""Fields of a chunk that tell how far the server is (llama.cpp), and nothing of the answer."""


def keep(so_far: dict[str, Any], new: Mapping[str, Any]) -> None:
    """Take the next piece's fields where the last that is not null counts: those of a chunk."""
    for name, value in new.items():
        if value is not None or name not in so_far:
            so_far[name] = value


class Pieces:
    """The unknown fields of a delta, a choice or a call, as its chunks bring them.

    Args:
        joins_texts: Whether texts are appended: those of a delta are, what a choice says beside it is about the whole.
    """

    __slots__ = ("_joins_texts", "_last", "_pieces")

    def __init__(self, *, joins_texts: bool = True) -> None:
        self._joins_texts = joins_texts
        self._pieces: dict[str, list[Any]] = {}
        self._last: Mapping[str, Any] | None = None

    def add(self, extra: Mapping[str, Any]) -> None:
        """Take the next piece's fields."""
        if extra is self._last and type(extra) is NullFields:
            return  # says again that there is nothing
        self._last = extra
        pieces = self._pieces
        for name, value in extra.items():
            so_far = pieces.get(name)
            if so_far is None:
                pieces[name] = [value]
            elif value is None:
                pass
            elif isinstance(value, (list, dict, str)):
                so_far.append(value)
            else:
                so_far[:] = [value]

    def clone(self) -> Pieces:
        """The same, to be added to by itself."""
        new = Pieces(joins_texts=self._joins_texts)
        new._pieces = {name: list(values) for name, values in self._pieces.items()}
        return new

    def joined(self) -> dict[str, Any]:
        """The whole answer's fields."""
        return {
            name: values[0] if len(values) == 1 else _joined(name, values, joins_texts=self._joins_texts)
            for name, values in self._pieces.items()
        }


def _joined(name: str, values: list[Any], *, joins_texts: bool) -> Any:
    values = [value for value in values if value is not None]
    last = values[-1] if values else None
    if len(values) < 2 or not all(isinstance(value, type(last)) for value in values):
        return last
    if isinstance(last, str):
        return _text(name, values, joins_texts=joins_texts)
    if isinstance(last, list):
        return _list(values, joins_texts=joins_texts)
    if isinstance(last, dict):
        return _object(values, joins_texts=joins_texts)
    return last


def _text(name: str, texts: list[str], *, joins_texts: bool) -> str:
    said = [text for text in texts if text]
    if not said or not joins_texts or name in _LABELS:
        return said[-1] if said else ""
    if name not in _PROSE and all(text == said[0] for text in said):
        return said[0]
    return mended("".join(said))


def _object(values: list[dict[str, Any]], *, joins_texts: bool) -> dict[str, Any]:
    pieces = Pieces(joins_texts=joins_texts)
    for value in values:
        pieces.add(value)
    return pieces.joined()


def _list(values: list[list[Any]], *, joins_texts: bool) -> list[Any]:
    entries = [entry for value in values for entry in value]
    if not all(isinstance(entry, dict) and isinstance(entry.get("index"), int) for entry in entries):
        return entries
    return [_object(same, joins_texts=joins_texts) for same in _by_index(entries)]


def _by_index(entries: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for entry in entries:
        found.setdefault(entry["index"], []).append(entry)
    return [found[index] for index in sorted(found)]


def frozen(extra: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields as a mapping of their own."""
    return dict(extra) if extra else NO_EXTRA


def joined(parts: list[str] | None) -> str | None:
    """The texts as one; ``None`` stays so."""
    if parts is None:
        return None
    return mended("".join(parts))
