"""One fact, one place, and a reminder: whoever adds a field to a class and forgets one of its places fails here.

The values of `types`, the shapes that JSON is decoded into, what builds the ones from the others, the keyword arguments
of the calls, the body of a request, the sum of two usages: each of them has to know each field.
"""

from __future__ import annotations

import inspect
import json
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import msgspec
import pytest

from deepseek_async.calls.arguments.parameters import CallOptions, ChatParameters, TextParameters
from deepseek_async.calls.arguments.spellings import SPELLINGS
from deepseek_async.codec.folding.usages import later
from deepseek_async.codec.reading.shapes import AnswerReader, documented
from deepseek_async.codec.requests import body_of, request_to_json
from deepseek_async.types import (
    AssistantMessage,
    ChatCompletion,
    ChatCompletionChunk,
    ChatRequest,
    Choice,
    ChoiceLogprobs,
    ChunkChoice,
    CompletionTokensDetails,
    Delta,
    FilePart,
    FunctionCall,
    FunctionCallFragment,
    FunctionDefinition,
    ImagePart,
    ImageURL,
    PromptTokensDetails,
    SystemMessage,
    TextChoice,
    TextCompletion,
    TextLogprobs,
    TextPart,
    TextRequest,
    TokenLogprob,
    Tool,
    ToolCall,
    ToolCallFragment,
    ToolMessage,
    TopLogprob,
    Usage,
    UserMessage,
)

Json = dict[str, Any]

# -- answers: a class, the shape that is decoded, and what builds the one from the other -------------------------------

SHAPE_OF: Mapping[type, type[documented.Shape]] = {
    PromptTokensDetails: documented.PromptDetailsShape,
    CompletionTokensDetails: documented.CompletionDetailsShape,
    Usage: documented.UsageShape,
    TopLogprob: documented.TopShape,
    TokenLogprob: documented.TokenShape,
    ChoiceLogprobs: documented.LogprobsShape,
    FunctionCallFragment: documented.FunctionFragmentShape,
    ToolCallFragment: documented.CallFragmentShape,
    Delta: documented.DeltaShape,
    ChunkChoice: documented.ChunkChoiceShape,
    ChatCompletionChunk: documented.ChunkShape,
    FunctionCall: documented.FunctionShape,
    ToolCall: documented.CallShape,
    AssistantMessage: documented.MessageShape,
    Choice: documented.ChoiceShape,
    ChatCompletion: documented.CompletionShape,
    TextLogprobs: documented.TextLogprobsShape,
    TextChoice: documented.TextChoiceShape,
    TextCompletion: documented.TextShape,
}
# Fields that are not on the wire, or not in an answer.
OURS = {"extra", "complete", "request_id", "ended_without_done", "estimated_usage"}
NOT_DECODED: Mapping[type, set[str]] = {Delta: {"logprobs"}, AssistantMessage: {"name", "prefix"}}
# Fields of a shape that say what the value says in another way: the call's place in its list.
NOT_A_FIELD: Mapping[type, set[str]] = {ToolCall: {"index"}}
ROOTS = (ChatCompletionChunk, ChatCompletion, TextCompletion)


def fields_of(cls: type) -> set[str]:
    return {field.name for field in attrs.fields(cls)}


def shape_fields_of(shape: type[documented.Shape]) -> set[str]:
    return set(shape.__struct_fields__)


def classes_in(hint: Any) -> Iterator[type]:
    """The value classes that a type names."""
    if isinstance(hint, type) and attrs.has(hint):
        yield hint
    for argument in typing.get_args(hint):
        yield from classes_in(argument)


def reached_from(*roots: type) -> set[type]:
    found: set[type] = set()
    left = list(roots)
    while left:
        cls = left.pop()
        if cls not in found:
            found.add(cls)
            left += [inner for hint in typing.get_type_hints(cls).values() for inner in classes_in(hint)]
    return found


def test_each_class_of_an_answer_has_its_shape() -> None:
    """In the table above, both ways."""
    assert reached_from(*ROOTS) == set(SHAPE_OF), "a class without a shape in SHAPE_OF, or one that no answer has"
    shapes = {
        shape
        for shape in vars(documented).values()
        if isinstance(shape, type) and issubclass(shape, documented.Shape) and shape is not documented.Shape
    }
    assert shapes == set(SHAPE_OF.values()), "a shape that stands for no class"


@pytest.mark.parametrize("cls", SHAPE_OF)
def test_a_class_and_its_shape_have_the_same_fields(cls: type) -> None:
    """A field that only the class has would always be its default; one that only the shape has would be lost."""
    shape = SHAPE_OF[cls]
    wanted = fields_of(cls) - OURS - NOT_DECODED.get(cls, set())
    known = shape_fields_of(shape) - NOT_A_FIELD.get(cls, set())
    assert wanted - known == set(), f"add to {documented.__name__}.{shape.__name__}"
    assert known - wanted == set(), f"add to {cls.__module__}.{cls.__name__}"


class Samples:
    """JSON in which no two values are equal, by the hints of shapes."""

    def __init__(self) -> None:
        self._count = 0

    def of(self, hint: Any) -> Any:
        is_union = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
        options = typing.get_args(hint) if is_union else (hint,)
        option = next(one for one in options if one is not type(None))
        origin, arguments = typing.get_origin(option), typing.get_args(option)
        if origin is typing.Annotated:
            return self.of(arguments[0])
        if isinstance(option, type) and issubclass(option, documented.Shape):
            return self.of_shape(option)
        if origin in (tuple, list):
            return [self.of(arguments[0])]
        self._count += 1
        if origin is Mapping or option is Mapping:
            return {f"v{self._count}": -self._count / 8}
        made: dict[Any, Any] = {str: f"v{self._count}", int: self._count, float: -self._count / 8}
        return made[option]

    def of_shape(self, shape: type[documented.Shape]) -> Json:
        hints = typing.get_type_hints(shape, include_extras=True)
        said: Json = {}
        for name in shape.__struct_fields__:
            later_shape = documented.LEFT_AS_JSON.get((shape, name))
            if name not in next((names for cls, names in NOT_A_FIELD.items() if SHAPE_OF[cls] is shape), set()):
                said[name] = self.of(later_shape or hints[name])
        return said


def missing_in(value: Any, said: Any, path: str) -> Iterator[str]:
    """The places of JSON whose values did not arrive in a value."""
    if isinstance(said, dict) and attrs.has(type(value)):
        for name, item in said.items():
            yield from missing_in(getattr(value, name, None), item, f"{path}.{name}")
    elif isinstance(said, list) and isinstance(value, tuple):
        if len(said) != len(value):
            yield path
        for number, (item, inner) in enumerate(zip(said, value, strict=False)):
            yield from missing_in(inner, item, f"{path}[{number}]")
    elif said != value:
        yield path


@pytest.mark.parametrize("root", ROOTS)
def test_every_value_passes_through(root: type) -> None:
    """From JSON through the shape and its building to the field of that name, on the fast way."""
    said = Samples().of_shape(SHAPE_OF[root])
    body = json.dumps(said).encode()
    reader = AnswerReader()
    value: Any
    if root is ChatCompletionChunk:
        value = reader.chunk(body)
    elif root is ChatCompletion:
        value = reader.completion(body)
    else:
        value = reader.text(body)
    assert reader.slow_chunks == 0, f"not on the fast way: {reader.reason}"
    missing = list(missing_in(value, said, root.__name__))
    assert missing == [], "lost between shapes/documented.py and types/: see codec/reading/shapes/building.py"


# -- usage -----------------------------------------------------------------------------------------------------------


def full_usage() -> Usage:
    """A usage in which every count is another."""
    return msgspec.convert(Samples().of_shape(documented.UsageShape), Usage)


def doubled(value: Any, sum_: Any, path: str) -> Iterator[str]:
    """The counts of a value that its sum with itself has not twice."""
    for name in sorted(fields_of(type(value)) - {"extra"}):
        one, two = getattr(value, name), getattr(sum_, name, None)
        if attrs.has(type(one)):
            yield from doubled(one, two, f"{path}.{name}")
        elif one is None or two != 2 * one:
            yield f"{path}.{name}"


def test_adding_usages_touches_every_field() -> None:
    """Also the fields of their details, and also where only one has them."""
    usage = full_usage()
    assert list(doubled(usage, usage + usage, "Usage")) == [], "add to __add__ in types/usage.py"
    assert usage + Usage() == Usage() + usage == usage


def test_a_usage_that_says_nothing_touches_no_field() -> None:
    """In the fold, a later usage takes nothing back."""
    usage = full_usage()
    assert later(usage, Usage()) == usage
    assert later(Usage(), usage) == usage


# -- requests --------------------------------------------------------------------------------------------------------

NOT_ARGUMENTS = {"stream", "custom_id"}  # `create` and `stream` say the first; batches have the second


@pytest.mark.parametrize(
    ("request_class", "parameters"), [(ChatRequest, ChatParameters), (TextRequest, TextParameters)]
)
def test_keyword_arguments_are_the_fields_of_the_request(request_class: type, parameters: Any) -> None:
    """So that a type checker knows each, and refuses all others."""
    arguments = set(parameters.__annotations__) - set(CallOptions.__annotations__) - SPELLINGS
    fields = fields_of(request_class) - NOT_ARGUMENTS
    assert fields - arguments == set(), f"add to calls.parameters.{parameters.__name__}"
    assert arguments - fields == set(), f"add to types.request.{request_class.__name__}"


@pytest.mark.parametrize("request_class", [ChatRequest, TextRequest])
def test_each_parameter_is_explained(request_class: type) -> None:
    """By its name, in the docstring of the request."""
    said = inspect.getdoc(request_class) or ""
    explained = {name.strip() for line in said.splitlines() if ": " in line for name in line.split(":")[0].split(",")}
    assert fields_of(request_class) - explained == set(), f"explain in the docstring of {request_class.__name__}"


MESSAGES = [
    SystemMessage("s"),
    UserMessage([TextPart("t"), ImagePart(ImageURL("https://x")), FilePart(file_id="f")]),
    AssistantMessage("a", tool_calls=(ToolCall("c", "function", FunctionCall("f", "{}")),)),
    ToolMessage("r", "c"),
]
TOOL = Tool(FunctionDefinition("f"))
# A value for each parameter; where a value of ours can stand, one that has a field which is None.
GIVEN: Mapping[type, Json] = {
    ChatRequest: {
        "messages": MESSAGES,
        "model": "m",
        "thinking": {"type": "enabled", "budget": TOOL},
        "reasoning_effort": "low",
        "max_tokens": 5,
        "temperature": 0.5,
        "top_p": 0.25,
        "frequency_penalty": 0.75,
        "presence_penalty": 1.5,
        "stop": ["x"],
        "stream": True,
        "stream_options": {"include_usage": True, "x": TOOL},
        "response_format": {"type": "json_object", "x": [TOOL]},
        "tools": [TOOL],
        "tool_choice": {"type": "function", "x": TOOL},
        "logprobs": True,
        "top_logprobs": 2,
        "user_id": "u",
        "extra_body": {"x": {"y": [TOOL]}},
        "custom_id": "row",
    },
    TextRequest: {
        "model": "m",
        "prompt": "p",
        "suffix": "s",
        "max_tokens": 5,
        "temperature": 0.5,
        "top_p": 0.25,
        "frequency_penalty": 0.75,
        "presence_penalty": 1.5,
        "stop": ["x"],
        "stream": True,
        "stream_options": {"include_usage": True, "x": TOOL},
        "logprobs": 2,
        "echo": False,
        "extra_body": {"x": {"y": [TOOL]}},
    },
}
NOT_SENT = {"custom_id", "extra_body"}


def nulls_in(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from nulls_in(item, f"{path}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from nulls_in(item, f"{path}[{number}]")
    elif value is None:
        yield path


@pytest.mark.parametrize("request_class", GIVEN)
def test_every_parameter_is_sent_and_nothing_in_it_is_null(request_class: Any) -> None:
    """Alone, so that no other parameter helps it; with values of ours wherever they can stand."""
    given = GIVEN[request_class]
    assert set(given) == fields_of(request_class), f"give a value in GIVEN[{request_class.__name__}]"
    with_extra = request_class(**given)
    without = request_class(**{**given, "extra_body": {}})
    for request in (with_extra, without):
        sent = json.loads(request_to_json(request))
        assert fields_of(request_class) - NOT_SENT - set(sent) == set(), "not sent: see codec/requests.py"
        assert list(nulls_in(sent, "$")) == [], "a value of ours went out with its nulls: see codec/requests.py"
        assert sent == json.loads(json.dumps(body_of(request), default=list))
    assert json.loads(request_to_json(with_extra))["x"] == {"y": [{"type": "function", "function": {"name": "f"}}]}
