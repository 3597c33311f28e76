"""One request of a batch on its way: read from whatever the source holds, never refused by an exception.

What a source may hold, and what becomes of it:

| item | id | request |
| --- | --- | --- |
| `ChatRequest` | its ``custom_id`` | itself |
| OpenAI batch line ``{"custom_id", "method", "url", "body"}`` | ``custom_id`` | ``body``, unknown fields too |
| mapping with ``messages`` or ``prompt`` | ``custom_id`` | its other keys are parameters; model: ``deepseek-flash`` |
| a line of a file, a record of a table | as one of the two above | |

A `Template` says what else each row is asked. A number as an id is taken as text: 17 is ``"17"``. A row without an id
is called ``row-N``, N its number in the source from 1. An item that is none of these, or holds a value out of range, is
a row with an error: it ends as a `Failed`, and the others go on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Mapping
from typing import Any, Final

import attrs
import msgspec

from ...calls.arguments.parameters import chat_request_of
from ...calls.parsing.asking import Asking
from ...codec.requests import request_to_json
from ...errors import DeepSeekError, InvalidRequestError
from ...types import ChatRequest
from ...types.requests.request import ModelName
from .records import Record, typed
from .template import Template, number_text

_PARAMETERS: Final = frozenset(field.name for field in attrs.fields(ChatRequest)) - {"custom_id", "extra_body"}
# An answer comes in one piece: a batch reads no stream.
_NOT_SENT: Final = frozenset(("stream", "stream_options"))
_LEFT_OUT: Final = _NOT_SENT | {"custom_id"}
_KNOWN: Final = _PARAMETERS | {"extra_body"}


class _Name(msgspec.Struct, gc=False):
    """All of a line that a cheap look wants to know."""

    custom_id: str | int | float | None = None


_decode = msgspec.json.Decoder().decode
_decode_name = msgspec.json.Decoder(_Name).decode


@attrs.define(eq=False)
class Row:
    """One request of a batch: what the source says of it, and what has become of it so far. Hence so many attributes.

    Attributes:
        number: Its number in the source, from 1.
        custom_id: The caller's id, or ``row-N``.
        place: Where it comes from, for messages: ``in.jsonl:17``, ``row 17``.
        request: ``None`` if it could not be made out; then ``error`` says why.
        body: The JSON that is sent; of a row with an error, what was found in its place.
        body_hash: Hash of what is asked, whatever the order of keys: 16 hexadecimal digits.
        name: The id as the journal writes it.
        is_named: Whether the id is the caller's.
        line_hash: Hash of the source's line, if the row is one.
        attempts: How many times it was sent.
        errors: How the attempts so far ended.
        sent_at: Unix time of the last sending; 0 if never.
        asking: How it is asked for a value of a type, and what came of that; ``None``: no type is wanted, or not yet.
        marked: Done once the row's mark is where it has to be before the row is sent; ``None``: it is.
    """

    number: int
    custom_id: str
    place: str
    request: ChatRequest | None
    body: bytes
    body_hash: str
    name: str
    is_named: bool = True
    error: InvalidRequestError | None = None
    line_hash: str | None = None
    attempts: int = 0
    errors: tuple[DeepSeekError, ...] = ()
    sent_at: float = 0.0
    asking: Asking[Any] | None = None
    marked: Awaitable[None] | None = None

    @property
    def may_be_billed(self) -> bool:
        """Whether a server may have read the row in one of the attempts that are over."""
        return any(error.may_be_billed for error in self.errors)


def hash_of(data: bytes) -> str:
    """64 bits as hexadecimal digits: enough to see that something changed, short enough for every line."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def numbered(line: bytes, number: int) -> bytes:
    """What tells a line without an id: the same line elsewhere in the source is another row."""
    return b"%d:%b" % (number, line)


def name_and_hash(line: bytes, number: int) -> tuple[str, str]:
    """The id of the row that a line stands for, and its `line_hash`: by a cheap look that does not read the rest."""
    try:
        name = id_text(_decode_name(line).custom_id)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidRequestError):
        name = None
    return (name, hash_of(line)) if name else (f"row-{number}", hash_of(numbered(line, number)))


def written(custom_id: str) -> str:
    """An id as the journal writes it. JSON in UTF-8 has no half surrogates; they are escaped."""
    return custom_id if custom_id.isascii() else custom_id.encode("utf-8", "backslashreplace").decode()


def id_text(custom_id: object) -> str | None:
    """An id as text: numbers as people write them; ``None``: it is none, or none at all.

    Raises:
        InvalidRequestError: It is neither text nor a number, or empty.
    """
    if custom_id is None or (isinstance(custom_id, str) and custom_id):
        return custom_id
    if isinstance(custom_id, (int, float)) and not isinstance(custom_id, bool):
        return number_text(custom_id)
    raise InvalidRequestError("custom_id", custom_id, "a string that is not empty, or a number")


def row_of(item: object, number: int, place: str, template: Template | None = None) -> Row:
    """The row that an item of a source stands for.

    Args:
        number: Its number in the source, from 1.
        place: Where it comes from, for messages.
        template: What it is asked besides its own words.
    """
    if isinstance(item, bytes):
        return _row_of_line(item, number, place, template)
    if isinstance(item, ChatRequest) and template is None:
        return _row(item, item.custom_id, b"", number, place)
    value: object = item
    try:
        if isinstance(item, Record):
            if item.problem is not None:
                raise InvalidRequestError("the record", None, message=item.problem)
            value = (
                typed(item.values) if item.is_text and (template is None or template.prompt is None) else item.values
            )
        if not isinstance(value, (dict, Mapping)):  # a dict by name: the abstract class asks 5 × longer
            what = (
                f"a mapping, not {type(item).__name__}"
                if template
                else f'a ChatRequest or a mapping such as {{"prompt": "…"}}, not {type(item).__name__}'
            )
            raise InvalidRequestError("the row", None, what)
        return _row_of_mapping(value if template is None else template.filled(value), number, place)
    except InvalidRequestError as error:
        values = item.values if isinstance(item, Record) else item
        custom_id = _id_in(values, template) if isinstance(values, Mapping) else None
        return _bad_row(error, custom_id, _anyhow(values), number, place)


def check_template(template: Template) -> None:
    """Look whether what all rows have in common can be sent, which with a prompt is all but their columns.

    Raises:
        InvalidRequestError: It cannot, so that every row would fail.
    """
    if template.prompt is not None:
        filled = template.filled(dict.fromkeys(template.columns, "a word"))
        chat_request_of(_parameters_of_mapping(filled), stream=False)


def _row_of_line(line: bytes, number: int, place: str, template: Template | None) -> Row:
    custom_id: object = None
    try:
        try:
            value = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidRequestError("the line", None, "one JSON object", message=f"no JSON: {error}") from None
        if not isinstance(value, dict):
            raise InvalidRequestError("the line", None, f"a JSON object, not {type(value).__name__}")
        custom_id = _id_in(value, template)
        row = _row_of_mapping(value if template is None else template.filled(value), number, place)
    except InvalidRequestError as error:
        row = _bad_row(error, custom_id, line, number, place)
    if template is None:  # else the same line may ask something else another time
        row.line_hash = hash_of(line if row.is_named else numbered(line, number))
    return row


def _id_in(values: Mapping[str, Any], template: Template | None) -> object:
    return values.get("custom_id") if template is None else template.id_in(values)


def _row_of_mapping(value: Mapping[str, Any], number: int, place: str) -> Row:
    custom_id = id_text(value.get("custom_id"))
    parameters = _parameters_of_batch_line(value) if "body" in value else _parameters_of_mapping(value)
    if custom_id is not None:
        parameters["custom_id"] = custom_id
    return _row(chat_request_of(parameters, stream=False), custom_id, b"", number, place)


def _parameters_of_batch_line(value: Mapping[str, Any]) -> dict[str, Any]:
    """https://platform.openai.com/docs/guides/batch: one endpoint of it, whatever its prefix."""
    body, method, url = value["body"], value.get("method"), value.get("url")
    if not isinstance(body, Mapping):
        raise InvalidRequestError("body", None, f"an object, not {type(body).__name__}")
    if method not in (None, "POST"):
        raise InvalidRequestError("method", method, "'POST'")
    if url is not None and not (isinstance(url, str) and url.endswith("/chat/completions")):
        raise InvalidRequestError("url", url, "'/v1/chat/completions'")
    parameters = {name: value for name, value in body.items() if name in _PARAMETERS and name not in _NOT_SENT}
    parameters["extra_body"] = {name: value for name, value in body.items() if name not in _PARAMETERS}
    return parameters


def _parameters_of_mapping(value: Mapping[str, Any]) -> dict[str, Any]:
    # None: where rows of several kinds stand in one table, the columns that a row does not have.
    parameters = {name: item for name, item in value.items() if item is not None and name not in _LEFT_OUT}
    if (prompt := parameters.pop("prompt", None)) is not None:
        if "messages" in parameters:
            raise InvalidRequestError("prompt", None, "either messages or prompt, not both")
        if not isinstance(prompt, str):
            raise InvalidRequestError("prompt", None, f"a string, not {type(prompt).__name__}")
        parameters["messages"] = ({"role": "user", "content": prompt},)
    if not _KNOWN.issuperset(parameters):
        unknown = sorted(str(name) for name in parameters.keys() - _KNOWN)
        known = {"custom_id", "prompt", *(_PARAMETERS - _NOT_SENT)}
        raise InvalidRequestError.unknown(unknown[0], known, "; anything else goes into extra_body")
    parameters.setdefault("model", ModelName.FLASH)
    return parameters


def _row(request: ChatRequest, custom_id: str | None, body: bytes, number: int, place: str) -> Row:
    try:
        if request.stream:
            request = attrs.evolve(request, stream=None, stream_options=None)
        body = request_to_json(request, sort_keys=True)
    except InvalidRequestError as error:
        return _bad_row(error, custom_id, body, number, place)
    name = custom_id or f"row-{number}"
    written_name = name if name.isascii() else written(name)
    return Row(number, name, place, request, body, hash_of(body), written_name, is_named=bool(custom_id))


def _bad_row(error: InvalidRequestError, custom_id: object, body: bytes, number: int, place: str) -> Row:
    try:
        named = id_text(custom_id)
    except InvalidRequestError:
        named = None
    is_named, name = named is not None, named or f"row-{number}"
    placed = InvalidRequestError(error.parameter, error.value, error.allowed, message=f"{place}: {error.message}")
    return Row(number, name, place, None, body, hash_of(body), written(name), is_named=is_named, error=placed)


def _anyhow(item: object) -> bytes:
    """Some bytes of a row that cannot be sent, so that the same one is recognised."""
    try:
        return msgspec.json.encode(item)
    except (TypeError, ValueError, UnicodeEncodeError, RecursionError):
        return type(item).__name__.encode()
