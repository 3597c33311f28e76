"""What every row of a source is asked besides its own words: a prompt with columns in it, a system message, a model.

    Template(prompt="Translate into German: {text}", system="Be brief.", model="deepseek-flash")

In the prompt ``{text}`` stands for the row's value of that column, ``{{`` and ``}}`` for braces. A name is taken as it
stands between its braces: ``{first name}``, ``{user.name}``, ``{a:b}`` are names of columns.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any, Final

import attrs
import msgspec

from ...errors import InvalidRequestError

_PIECES: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_SHOWN: Final = 20
# Columns that name a row, in this order, if nothing else is said.
_ID_COLUMNS: Final = ("custom_id", "id")


@attrs.frozen
class Template:
    """How the rows of a source become requests. Without a prompt, it fills in what a row does not say itself.

    Args:
        prompt: What to ask, with columns in braces; then a row is data and nothing but data.
        system: A system message for each row that has none. Its braces are braces.
        model: For each row that names none.
        parameters: Others of the request, for each row that does not have them.
        id_column: The column that names a row; ``None``: ``custom_id``, or ``id`` where a prompt is given.

    Raises:
        InvalidRequestError: A brace that is neither doubled nor around a column's name.
    """

    prompt: str | None = None
    system: str | None = None
    model: str | None = None
    parameters: Mapping[str, Any] = attrs.field(factory=dict)
    id_column: str | None = None
    _pieces: tuple[str | tuple[str], ...] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        for name in ("prompt", "system", "model", "id_column"):
            if (value := getattr(self, name)) is not None and not isinstance(value, str):
                raise InvalidRequestError(name, None, f"a text, not {type(value).__name__}")
        object.__setattr__(self, "_pieces", () if self.prompt is None else tuple(_pieces_of(self.prompt)))

    @property
    def says_nothing(self) -> bool:
        """Whether rows are taken as they are."""
        return self == Template()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the prompt names, each once."""
        return tuple(dict.fromkeys(piece[0] for piece in self._pieces if not isinstance(piece, str)))

    def check(self, names: Collection[str], where: str) -> None:
        """Look whether a source has the columns that are asked for.

        Args:
            names: Its columns.
            where: The source's name, for the message.

        Raises:
            InvalidRequestError: It lacks one.
        """
        wanted = [("prompt", name) for name in self.columns]
        wanted += [] if self.id_column is None else [("id", self.id_column)]
        for parameter, name in wanted:
            if name not in names:
                raise InvalidRequestError(
                    parameter, name, message=f"{where} has no column {name!r}; it has {_listed(names)}"
                )

    def filled(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as the mapping of a request.

        Raises:
            InvalidRequestError: A column that the prompt names is missing or empty.
        """
        if self.prompt is None:
            return self._completed(row)
        text = "".join(piece if isinstance(piece, str) else _text_of(row, piece[0]) for piece in self._pieces)
        value: dict[str, Any] = {"messages": _with_system([{"role": "user", "content": text}], self.system)}
        if (name := self.id_in(row)) is not None:
            value["custom_id"] = name
        if self.model is not None:
            value["model"] = self.model
        return {**value, **self.parameters}

    def id_in(self, row: Mapping[str, Any]) -> Any:
        """What a row is called; ``None``: nothing says."""
        columns = (self.id_column,) if self.id_column is not None else _ID_COLUMNS[: 1 if self.prompt is None else 2]
        return next((row[name] for name in columns if row.get(name) is not None), None)

    def _completed(self, row: Mapping[str, Any]) -> dict[str, Any]:
        value = dict(row)
        if self.id_column is not None:
            value["custom_id"] = value.pop(self.id_column, None)
        body = value
        if isinstance(body.get("body"), Mapping):  # OpenAI's batch line
            body = value["body"] = dict(value["body"])
        if body.get("model") is None and self.model is not None:
            body["model"] = self.model
        for name, default in self.parameters.items():
            if body.get(name) is None:
                body[name] = default
        if self.system is not None:
            messages = body.get("messages")
            if messages is None and isinstance(body.get("prompt"), str):
                messages = [{"role": "user", "content": body.pop("prompt")}]
            if isinstance(messages, (list, tuple)):
                body["messages"] = _with_system(messages, self.system)
        return value


def _with_system(messages: Iterable[Any], system: str | None) -> list[Any]:
    messages = list(messages)
    has_one = any(isinstance(message, Mapping) and message.get("role") == "system" for message in messages)
    return messages if system is None or has_one else [{"role": "system", "content": system}, *messages]


def _pieces_of(prompt: str) -> Iterator[str | tuple[str]]:
    end = 0
    for match in _PIECES.finditer(prompt):
        yield prompt[end : match.start()]
        end = match.end()
        found = match[0]
        if found in ("{{", "}}"):
            yield found[0]
        elif match[1] is not None and match[1].strip() and "\n" not in match[1] and '"' not in match[1]:
            yield (match[1],)
        else:
            about = f"{found!r} at character {match.start() + 1:,} is no column"
            todo = "a column in braces, {text}, and {{ and }} for braces themselves"
            raise InvalidRequestError("prompt", None, todo, message=f"prompt: {about}; write {todo}")
    yield prompt[end:]


def _text_of(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    text = value if isinstance(value, str) else _plain_text(value, name)
    if not text.strip():
        raise InvalidRequestError(name, None, message=f"the row has no value for {name!r}, which the prompt asks for")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidRequestError(name, None, message=f"its {name!r} is no UTF-8") from None
    return text


def _plain_text(value: Any, name: str) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number_text(value)
    if isinstance(value, (date, time, Decimal)):
        return str(value)
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        allowed = f"text, a number or JSON, not {type(value).__name__}"
        raise InvalidRequestError(name, None, allowed) from None


def number_text(value: float) -> str:
    """A number as people write it: a whole one without ``.0``, which a column with a gap in it gets."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else str(value)


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(map(str, list(names)[:_SHOWN])) + (", …" if len(names) > _SHOWN else "")
    return shown or "none"
