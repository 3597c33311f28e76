"""Answers of a given type: ask in JSON mode, check, and ask again with what was wrong, within a bound.

Not by ``response_format: json_schema``, which DeepSeek refuses; and JSON mode alone promises JSON, not its shape, and
may answer empty (page "JSON Output").
"""

from __future__ import annotations

import types
import typing
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import attrs
import msgspec

from ..codec.converter import structured
from ..codec.lenient import parse_json
from ..errors import InvalidRequestError, MalformedResponseError
from ..types import ChatCompletion, ChatRequest, ParsedChatCompletion, SystemMessage, Usage, UserMessage

T = TypeVar("T")

_MAX_SHOWN_PROBLEM = 1000
_WRAPPED = "value"  # JSON mode makes objects: what is none is asked for inside one


async def ask_until_it_fits(
    ask: Callable[[ChatRequest], Awaitable[ChatCompletion]],
    request: ChatRequest,
    *,
    response_type: type[T],
    attempts: int,
) -> ParsedChatCompletion[T]:
    """Ask until an answer is of the type; see `ChatCompletions.parse`."""
    if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
        raise InvalidRequestError("attempts", attempts, "an integer of at least 1")
    if request.response_format is not None or request.tools is not None:
        raise InvalidRequestError("parse", None, "no response_format and no tools: JSON mode is used")
    schema, is_wrapped = schema_of(response_type)
    instruction = SystemMessage(
        "Answer with one JSON object and nothing else. It must be valid against this JSON Schema:\n"
        + msgspec.json.encode(schema).decode()
    )
    messages = (instruction, *request.messages)
    usage: Usage | None = None
    attempt = 1
    while True:
        asked = attrs.evolve(request, messages=messages, response_format={"type": "json_object"})
        completion = await ask(asked)
        if completion.usage is not None:
            usage = completion.usage if usage is None else usage + completion.usage
        try:
            data = _json_in(completion.text)
            if is_wrapped and isinstance(data, dict) and data.keys() == {_WRAPPED}:
                data = data[_WRAPPED]
            parsed = structured(data, response_type, "the answer")
            return ParsedChatCompletion(parsed, completion, attempt, usage)
        except MalformedResponseError as error:
            if attempt == attempts:
                error.attempts, error.partial, error.request_id = attempt, completion, completion.request_id
                raise
            problem = error.message[:_MAX_SHOWN_PROBLEM]
            correction = UserMessage(f"That was not it: {problem}. Answer again with the whole JSON object, corrected.")
            # An empty answer is not repeated to the model: some servers refuse an empty assistant message.
            said = (completion.message,) if completion.text.strip() else ()
            messages = (*messages, *said, correction)
            attempt += 1


def schema_of(response_type: Any) -> tuple[dict[str, Any], bool]:
    """The JSON Schema of an object that is a value of the type; and whether it only holds one, as its ``value``."""
    is_union = typing.get_origin(response_type) in (typing.Union, types.UnionType)
    options = typing.get_args(response_type) if is_union else (response_type,)  # msgspec keeps a union's classes apart
    try:
        described, definitions = msgspec.json.schema_components(options, ref_template="#/$defs/{name}")
    except (TypeError, RuntimeError, NotImplementedError, NameError) as error:
        name = getattr(response_type, "__name__", str(response_type))
        raise InvalidRequestError("response_type", name, f"a type that JSON Schema can describe ({error})") from None
    schemas = [definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema for schema in described]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    is_wrapped = any(option.get("type") != "object" for option in schemas)
    if is_wrapped:
        schema = {"type": "object", "properties": {_WRAPPED: schema}, "required": [_WRAPPED]}
    return ({**schema, "$defs": definitions} if definitions else schema), is_wrapped


def _json_in(text: str) -> Any:
    """The JSON value in an answer; models like to fence it."""
    body = text.strip()
    if not body:
        raise MalformedResponseError("the answer is empty")
    if body.startswith("```") and body.endswith("```"):
        body = body.removeprefix("```json").removeprefix("```").removesuffix("```")
    return parse_json(body.encode(), "the answer")
