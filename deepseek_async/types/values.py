"""What every value class here shares: how it is made, and where unknown fields go.

Fields stand in the wire's order and all but the indispensable have defaults. Both matter: msgspec looks a key up
from where the last one was found (in order, one chunk decodes in half the time), and servers leave fields out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, Self

import attrs

from ..errors import name_ours


class _EmptyMapping(dict[str, Any]):
    """A mapping that stays as it is, empty most times, because many values share it."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this mapping is shared and frozen; use attrs.evolve(value, extra={...})")

    if not TYPE_CHECKING:
        __setitem__ = __delitem__ = setdefault = update = pop = popitem = clear = __ior__ = _refuse

    def __reduce__(self) -> str:
        return "NO_EXTRA"  # pickled and copied by name: it stays one object


NO_EXTRA: Mapping[str, Any] = _EmptyMapping()


class SharedFields(_EmptyMapping):
    """Unknown fields that are the same in every chunk: shared by all of these."""

    __slots__ = ()

    def __reduce__(self) -> Any:
        return dict, (dict(self),)  # elsewhere there is nobody to share it with


class NullFields(SharedFields):
    """Unknown fields that are all null, as some servers write them into every chunk."""

    __slots__ = ()


def extra_field() -> Any:
    """``extra``: fields the server sent and this version does not know, by name. Compared, but not hashed."""
    return attrs.field(default=NO_EXTRA, hash=False, kw_only=True, repr=_show_extra)


_SHOWN_NAMES = 4


def _show_extra(extra: Mapping[str, Any]) -> str:
    shown = [f"{name[:40]!r}: …" if isinstance(name, str) else "…" for name in islice(extra, _SHOWN_NAMES)]
    rest = [f"… {len(extra) - _SHOWN_NAMES:,} more"] if len(extra) > _SHOWN_NAMES else []
    return "{" + ", ".join(shown + rest) + "}"


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


_LONGEST = 999  # characters of a repr
# How much of a value its repr shows, from much to little: characters of each text, items of each list.
_MEASURES = ((120, 4), (60, 2), (40, 1), (16, 0), (6, 0))
_DEEPEST = 16


class Brief:
    """A base of attrs classes whose repr is a line that can be read: under 1,000 characters, whatever the value holds.

    Long texts show how they begin, long lists their first items, and fields that hold their default are left out.
    Tracebacks, debuggers and test reports show values in any state, so a repr never fails: a field that is not there
    yet shows as "…".
    """

    __slots__ = ()

    _has_all: ClassVar[bool] = False
    """Whether fields that hold their default are shown as well: of settings and figures each one tells something."""

    def __repr__(self) -> str:
        text = ""
        for characters, items in _MEASURES:
            text = ""
            for piece in _pieces(self, characters, items, 0):
                text += piece
                if len(text) > _LONGEST:
                    break
            else:
                return text
        return text[: _LONGEST - 1] + "…"


def _pieces(value: object, characters: int, items: int, depth: int) -> Iterator[str]:
    """A value's repr, piece by piece, so that whoever has enough of it can stop."""
    inside = functools.partial(_pieces, characters=characters, items=items, depth=depth + 1)
    if depth > _DEEPEST:
        yield "…"
    elif isinstance(value, Brief):
        yield from _fields(value, characters, inside)
    elif isinstance(value, str) and type(value).__repr__ is str.__repr__:  # and no `Secret`
        whole = len(value) <= characters
        yield repr(value) if whole else f"<{len(value):,} characters: {value[:characters] + '…'!r}>"
    elif type(value) in (tuple, list, dict):
        yield from _list(value, items, inside)  # type: ignore[arg-type]
    else:
        yield _clipped(repr, value, characters)


def _fields(value: Brief, characters: int, inside: Callable[[object], Iterator[str]]) -> Iterator[str]:
    cls: Any = type(value)
    yield f"{cls.__name__}("
    separator = ""
    for field in attrs.fields(cls):
        if field.repr is False:
            continue
        try:
            item = getattr(value, field.name)
        except Exception:  # not made yet, or a server's values turn out to be none now that they are looked at
            yield f"{separator}{field.name}=…"
        else:
            if not cls._has_all and _is_default(item, field.default):
                continue
            yield f"{separator}{field.name}="
            if callable(field.repr):
                yield _clipped(field.repr, item, 2 * characters)
            else:
                yield from inside(item)
        separator = ", "
    yield ")"


def _is_default(item: object, default: object) -> bool:
    if item is default or item is NO_EXTRA:
        return True
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return type(item) in (tuple, list, dict) and not item
    return type(item) is type(default) and isinstance(item, (str, int, float, tuple)) and item == default


def _list(
    values: tuple[Any, ...] | list[Any] | dict[Any, Any], items: int, inside: Callable[[object], Iterator[str]]
) -> Iterator[str]:
    if values and not items:
        yield f"<{len(values):,} items>"
        return
    brackets = {tuple: "()", list: "[]", dict: "{}"}[type(values)]
    yield brackets[0]
    for place, item in enumerate(islice(values, items)):
        yield ", " if place else ""
        yield from inside(item)
        if isinstance(values, dict):
            yield ": "
            yield from inside(values[item])
    if len(values) > items:
        yield f", … {len(values) - items:,} more"
    elif len(values) == 1 and type(values) is tuple:
        yield ","
    yield brackets[1]


def _clipped(show: Callable[[Any], str], value: object, characters: int) -> str:
    """What a function of others makes of a value, cut; where it fails, the name of the value's class."""
    try:
        text = show(value)
    except Exception:
        return f"<{type(value).__name__}>"
    return text if len(text) <= characters else text[:characters] + "…"


class _FieldOfOthers:
    """A field that other servers' answers have: what is in `extra` of it, or ``None``."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, owned: Any, owner: type) -> Any:
        if not any("extra" in getattr(cls, "__slots__", ()) for cls in owner.__mro__):
            raise AttributeError(
                f"{owner.__name__!r} object has no attribute {self._name!r}", name=self._name, obj=owned
            )
        return self if owned is None else owned.extra.get(self._name)


class Document(Brief):
    """A base of values that can be written as JSON in the wire's own shape, and read back.

    The work is done by `deepseek_async.codec.documents`, a floor above: it is asked for by name when a method is
    called, so that a value costs no more to import than it did.
    """

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain data: ``None`` is left out, and fields that this version does not know are where they were."""
        return _documents().dict_of(self)  # type: ignore[no-any-return]

    def to_json(self) -> str:
        """As JSON text on one line. ``from_json`` of it is an equal value.

        Raises:
            InvalidRequestError: It holds what JSON cannot say.
        """
        return _documents().json_of(self)  # type: ignore[no-any-return]

    def model_dump(self) -> dict[str, Any]:
        """The same as `to_dict`, by the name that users of pydantic know."""
        return self.to_dict()

    def model_dump_json(self) -> str:
        """The same as `to_json`, by the name that users of pydantic know."""
        return self.to_json()

    if not TYPE_CHECKING:  # names that users of the openai package type; type checkers are to find them wrong
        __iter__ = None  # else it would be iterated by its indices

        def __getitem__(self, key: object) -> NoReturn:
            shown = f".{key}" if isinstance(key, str) and key.isidentifier() else "its attributes"
            raise TypeError(f"{type(self).__name__!r} object is no mapping; use {shown}, or .to_dict()")

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """The value that plain data stands for, from `to_dict` or from a server.

        Raises:
            MalformedResponseError: A type does not fit; ``path`` names the place.
            InvalidRequestError: A request or a message that is not allowed; no mapping at all.
        """
        return _documents().value_of_dict(document, cls)  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The value that JSON text stands for. Raises as `from_dict`; `MalformedResponseError` for what is no JSON."""
        return _documents().value_of_json(text, cls)  # type: ignore[no-any-return]


def _documents() -> Any:
    return import_module("deepseek_async.codec.documents")


_WORDS_OF_VALUES: Final[Mapping[str, str]] = {
    "output_text": ".text",
    "parsed": "parse(response_type=…), whose answer has .parsed",
    "json": ".to_json()",
    "dict": ".to_dict()",
    "copy": "attrs.evolve(value, …)",
    "model_copy": "attrs.evolve(value, …)",
    "model_extra": ".extra",
    "model_fields_set": ".to_dict(), which leaves out what is None",
    "_request_id": ".request_id",
}
name_ours(Document, _WORDS_OF_VALUES)
for _name in ("refusal", "annotations", "audio", "function_call", "service_tier"):
    setattr(Document, _name, _FieldOfOthers(_name))
