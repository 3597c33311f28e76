"""Values written as JSON and read back: the same value, in the wire's shape."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async import (
    AssistantMessage,
    AsyncClient,
    ChatCompletion,
    ChatCompletionChunk,
    ChatRequest,
    Choice,
    ChoiceLogprobs,
    Delta,
    FunctionDefinition,
    InvalidRequestError,
    MalformedResponseError,
    SystemMessage,
    TextCompletion,
    TokenLogprob,
    Tool,
    ToolCall,
    ToolMessage,
    TopLogprob,
    Usage,
    UserMessage,
)
from deepseek_async.codec.reading.responses import completion_from_json
from deepseek_async.sandbox import SandboxServer
from deepseek_async.types import (
    ChunkChoice,
    FilePart,
    FunctionCall,
    ImagePart,
    ImageURL,
    TextChoice,
    TextLogprobs,
    TextPart,
    TextRequest,
)
from deepseek_async.types.usage import CompletionTokensDetails, PromptTokensDetails

TOKEN = TokenLogprob("雨", -0.25, (233, 155, 168), top_logprobs=(TopLogprob("a", -9999.0, extra={"id": 7}),))
USAGE = Usage(9, 4, 13, 8, 1, PromptTokensDetails(8), CompletionTokensDetails(2, extra={"x": 1}), extra={"cost": 0.5})
CALL = ToolCall("c1", "function", FunctionCall("ferry", '{"pier": 4'), extra={"label": "one"})
MESSAGE = AssistantMessage("Rain.", "", (CALL,), extra={"annotations": [], "refusal": None})
COMPLETION = ChatCompletion(
    id="t1",
    created=1790000000,
    model="any",
    choices=(
        Choice(0, MESSAGE, ChoiceLogprobs((TOKEN,), None, extra={"y": 2}), "stop", extra={"matched_stop": None}),
        Choice(1, AssistantMessage(None), None, None),
    ),
    usage=USAGE,
    system_fingerprint="fp",
    extra={"provider": {"name": "x"}},
)

VALUES: list[Any] = [
    COMPLETION,
    attrs.evolve(COMPLETION, complete=False, request_id="r1"),
    attrs.evolve(COMPLETION, extra={"created": "1790000000", "provider": 5}, complete=False),
    attrs.evolve(USAGE, extra={"prompt_tokens": "9", "cost": 0.5}),
    ChatCompletion(),
    ChatCompletionChunk("t1", created=3, choices=(ChunkChoice(0, Delta("assistant", "\ud83d"), None, None),)),
    Delta(content="x", logprobs=ChoiceLogprobs((TOKEN,))),
    USAGE,
    MESSAGE,
    AssistantMessage("x = ", name="bot", prefix=True),
    SystemMessage("Be brief."),
    UserMessage("Why?", name="ada"),
    UserMessage([TextPart("This:"), ImagePart(ImageURL("data:…", "low")), FilePart(file_id="f1"), {"type": "audio"}]),
    ToolMessage("18:40", "c1"),
    ChatRequest(
        model="any",
        messages=[SystemMessage("Be brief."), UserMessage("Why?"), MESSAGE, ToolMessage("18:40", "c1")],
        tools=[Tool(FunctionDefinition("ferry", "Next.", {"type": "object"}))],
        stop=["a", "b"],
        temperature=0.5,
        thinking={"type": "disabled"},
        extra_body={"seed": 3},
        custom_id="row-1",
    ),
    TextRequest(model="any", prompt="def f(", suffix=")", logprobs=2),
    TextCompletion(
        "t1",
        choices=(TextChoice("a", 0, TextLogprobs((0,), (-0.5,), ("a",), ({"a": -0.5},)), "stop", extra={"z": 1}),),
        usage=USAGE,
        complete=False,
    ),
    CALL,
    TOKEN,
    Tool(FunctionDefinition("ferry")),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_there_and_back(value: Any) -> None:
    """Equal in every field, those that are not compared too; as text that any program can hold."""
    cls = type(value)
    text = value.to_json()
    text.encode()
    again = cls.from_json(text)
    assert again == value
    assert type(again) is cls
    assert cls.from_dict(value.to_dict()) == value
    assert cls.from_json(text.encode()) == value
    assert again.to_json() == text
    assert getattr(again, "request_id", None) == getattr(value, "request_id", None)
    json.dumps(value.to_dict())


def test_it_is_the_wires_shape() -> None:
    """What a server would have sent: no nulls, unknown fields in their place, nothing of ours in a whole answer."""
    document = COMPLETION.to_dict()
    assert document["choices"][0]["message"]["tool_calls"][0]["function"] == {
        "name": "ferry",
        "arguments": '{"pier": 4',
    }
    assert document["provider"] == {"name": "x"}
    assert document["choices"][1]["message"] == {"content": None, "role": "assistant"}
    assert "deepseek_async" not in document
    finished = attrs.evolve(COMPLETION, choices=COMPLETION.choices[:1])
    assert completion_from_json(finished.to_json().encode()) == finished
    partial = attrs.evolve(COMPLETION, complete=False, request_id="r1")
    assert partial.to_dict()["deepseek_async"] == {"complete": False, "request_id": "r1"}


@pytest.mark.anyio
@pytest.mark.parametrize("logprobs", [None, 3])
async def test_an_answer_of_a_server(logprobs: int | None) -> None:
    """Whole, streamed, and chunk by chunk."""
    ask: dict[str, Any] = {"model": "deepseek-flash", "messages": [UserMessage("Why? 雨")], "max_tokens": 30}
    if logprobs is not None:
        ask |= {"logprobs": True, "top_logprobs": logprobs}
    async with SandboxServer(seed=1) as server, AsyncClient(base_url=server.base_url) as client:
        completion = await client.chat.completions.create(**ask)
        assert ChatCompletion.from_json(completion.to_json()) == completion
        async for chunk in client.chat.completions.stream(**ask):
            assert ChatCompletionChunk.from_json(chunk.to_json()) == chunk


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
_UNKNOWN = st.dictionaries(st.text(min_size=1, max_size=4).map("x_".__add__), _JSON, max_size=2)


@given(content=st.none() | st.text(max_size=9), extras=st.tuples(_UNKNOWN, _UNKNOWN, _UNKNOWN), complete=st.booleans())
def test_any_text_and_any_unknown_fields(content: str | None, extras: Any, complete: bool) -> None:
    """Whatever a server put beside what is known."""
    of_message, of_choice, of_all = extras
    message = AssistantMessage(content, extra=of_message)
    value = ChatCompletion(choices=(Choice(0, message, extra=of_choice),), complete=complete, extra=of_all)
    assert ChatCompletion.from_json(value.to_json()) == value


@pytest.mark.parametrize(
    ("cls", "text", "error", "told"),
    [
        (ChatCompletion, "{", MalformedResponseError, "not JSON"),
        (ChatCompletion, "[]", MalformedResponseError, "expected an object"),
        (UserMessage, '{"content": "x", "colour": 1}', InvalidRequestError, "colour"),
        (UserMessage, "{}", InvalidRequestError, "content"),
        (ChatRequest, '{"model": "any", "messages": []}', InvalidRequestError, "at least 1 message"),
        (ChatRequest, '{"model": "any"}', InvalidRequestError, "messages"),
        (ChatRequest, '{"model": "any", "messages": [{"role": "user"}]}', InvalidRequestError, "content"),
    ],
)
def test_what_is_no_such_value_is_refused(cls: Any, text: str, error: type[Exception], told: str) -> None:
    """With what was wrong."""
    with pytest.raises(error) as caught:
        cls.from_json(text)
    assert told in str(caught.value)


def test_what_json_cannot_say_is_refused() -> None:
    """An object among the unknown fields."""
    with pytest.raises(InvalidRequestError, match="to_json"):
        Usage(extra={"x": object()}).to_json()
