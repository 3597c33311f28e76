"""`create`, `send` and the smaller resources: what is sent, what comes back, and what a call of its own may change."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import attrs
import pytest

from deepseek_async import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AssistantMessage,
    AsyncClient,
    ChatCompletion,
    ChatCompletionStream,
    ChatRequest,
    EmptyResponseError,
    InvalidRequestError,
    MalformedResponseError,
    RetryPolicy,
    ServiceUnavailableError,
    SystemMessage,
    TextCompletion,
    Timeouts,
    ToolMessage,
    Usage,
    UserMessage,
)
from deepseek_async.calls.stream import TextCompletionStream
from deepseek_async.transport import Answer, Pause, ScriptedTransport

from ..wire import AT_ONCE, DONE, HELLO, client_on, completion, event, hello, stream_of, whole

pytestmark = pytest.mark.anyio

ASK: dict[str, Any] = {"model": "m", "messages": HELLO}
FIM: dict[str, Any] = {"model": "m", "prompt": "def f():"}


def body_of(transport: ScriptedTransport, number: int = -1) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(transport.requests[number].body or b"")
    return body


# -- chat ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [None, False, ...])
async def test_create_returns_the_completion(stream: Any) -> None:
    """In one piece unless a stream is asked for; `stream` is not sent then."""
    client, transport = client_on(whole({**completion(), "usage": {"prompt_tokens": 1}}, **{"x-ds-trace-id": "t"}))
    answer = await client.chat.completions.create(**ASK, **({} if stream is ... else {"stream": stream}))
    assert isinstance(answer, ChatCompletion)
    assert (answer.text, answer.finish_reason, answer.complete) == ("Hello.", "stop", True)
    assert answer.usage == Usage(1)
    assert answer.request_id == "t"
    assert body_of(transport) == {"model": "m", "messages": [{"role": "user", "content": "Hello?"}]}
    assert transport.requests[0].method == "POST"
    assert transport.requests[0].url == "http://localhost:1/chat/completions"


async def test_create_returns_the_stream() -> None:
    """Opened, so that a refusal is raised here and not at the first chunk."""
    client, transport = client_on(Answer([hello()], headers={"x-ds-trace-id": "t"}))
    stream = await client.chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True})
    assert isinstance(stream, ChatCompletionStream)
    assert stream.request_id == "t"
    assert body_of(transport) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hello?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert (await stream.completion()).text == "Hello."


@pytest.mark.parametrize("stream", [1, 0, "yes", "", "false", [], object()])
async def test_stream_is_true_false_or_none(stream: Any) -> None:
    """A word that happens to be true might mean the opposite: refused."""
    client, transport = client_on()
    for create, asked in ((client.chat.completions.create, ASK), (client.completions.create, FIM)):
        with pytest.raises(InvalidRequestError, match="stream"):
            await create(**asked, stream=stream)  # type: ignore[operator]
    assert transport.requests == []


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"messages": None}, "messages"),
    ({"messages": "hello"}, "messages"),
    ({"messages": []}, "messages"),
    ({"model": None}, "model"),
    ({"model": 5}, "model"),
    ({"temperature": 2.5}, "temperature"),
    ({"top_logprobs": 3}, "top_logprobs"),
    ({"extra_body": [1]}, "extra_body"),
    ({"extra_body": {"x": object()}}, "x"),
    ({"extra_headers": [("a", "b")]}, "extra_headers"),
    ({"extra_headers": {"x": "garbage\r\n"}}, "extra_headers['x']"),
    ({"extra_headers": {"content-length": "5"}}, "extra_headers['content-length']"),
    ({"timeouts": 5.0}, "timeouts"),
    ({"retry": 3}, "retry"),
    ({"max_retries": "3"}, "max_retries"),
    ({"best_of": 2}, "best_of"),
    ({"custom_id": 5}, "custom_id"),
]


@pytest.mark.parametrize(("arguments", "parameter"), WRONG, ids=lambda value: str(value)[:30])
async def test_a_wrong_argument_is_named_before_anything_is_sent(arguments: dict[str, Any], parameter: str) -> None:
    """Wrong type, out of range, unknown: by name, and with where the unknown belongs, streamed or not."""
    client, transport = client_on()
    ways = (client.chat.completions.create, lambda **p: client.chat.completions.create(stream=True, **p))
    for ask in ways:
        with pytest.raises(InvalidRequestError) as raised:
            await ask(**{**ASK, **arguments})
        assert raised.value.parameter == parameter
    with pytest.raises(InvalidRequestError):
        client.chat.completions.stream(**{**ASK, **arguments})
    assert transport.requests == []
    if parameter == "best_of":
        assert "extra_body" in raised.value.allowed


@pytest.mark.parametrize("missing", ["model", "messages"])
async def test_what_is_required_is_said_to_be(missing: str) -> None:
    """A parameter left out is named like a wrong one."""
    client, _ = client_on()
    with pytest.raises(InvalidRequestError, match=f"{missing}.*required"):
        await client.chat.completions.create(**{name: value for name, value in ASK.items() if name != missing})
    with pytest.raises(InvalidRequestError, match=r"prompt.*required"):
        await client.completions.create(model="m")  # type: ignore[call-arg]


async def test_none_is_not_sent() -> None:
    """For every parameter that may be null, `None` is the same as leaving it out."""
    client, transport = client_on(whole(completion()))
    parameters = {
        name: None
        for name in attrs.fields_dict(ChatRequest)
        if name not in ("model", "messages", "stream", "custom_id")
    }
    await client.chat.completions.create(**ASK, **parameters, extra_headers=None, timeouts=None, retry=None)  # type: ignore[arg-type]
    assert set(body_of(transport)) == {"model", "messages"}


async def test_a_conversation_goes_back_as_it_came() -> None:
    """The answer's message, reasoning and calls included, is the next request's; the tool's result follows it."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    client, transport = client_on(
        whole(completion("", "tool_calls", reasoning_content="", tool_calls=[call])), whole(completion("Done."))
    )
    first = await client.chat.completions.create(**ASK)
    await client.chat.completions.create(model="m", messages=[*HELLO, first.message, ToolMessage("42", "c1")])
    assert body_of(transport)["messages"][1:] == [
        {"role": "assistant", "content": "", "reasoning_content": "", "tool_calls": [call]},
        {"role": "tool", "content": "42", "tool_call_id": "c1"},
    ]


STRICT = {"type": "function", "function": {"name": "f", "strict": True}}


@pytest.mark.parametrize(
    ("parameters", "path"),
    [
        ({}, "/chat/completions"),
        ({"messages": [*HELLO, AssistantMessage("One", prefix=True)]}, "/beta/chat/completions"),
        ({"messages": [*HELLO, {"role": "assistant", "content": "One", "prefix": True}]}, "/beta/chat/completions"),
        ({"messages": [*HELLO, AssistantMessage("One", prefix=False)]}, "/chat/completions"),
        ({"messages": [AssistantMessage("One", prefix=True), *HELLO]}, "/chat/completions"),
        ({"tools": [STRICT]}, "/beta/chat/completions"),
        ({"tools": [{"type": "function", "function": {"name": "f", "strict": False}}]}, "/chat/completions"),
    ],
)
async def test_beta_features_go_to_the_beta_address(parameters: dict[str, Any], path: str) -> None:
    """Prefix completion and strict tools are served there alone; everything else stays where it is."""
    client, transport = client_on(whole(completion()), Answer([hello()]))
    await client.chat.completions.create(**{**ASK, **parameters})
    async with client.chat.completions.stream(**{**ASK, **parameters}) as stream:
        await stream.completion()
    assert [request.url for request in transport.requests] == [f"http://localhost:1{path}"] * 2


async def test_send_takes_a_request_that_is_a_value() -> None:
    """As a batch has it: asked for in one piece, whatever it says of a stream; our own id stays here."""
    client, transport = client_on(whole(completion()))
    request = ChatRequest(
        model="m",
        messages=[SystemMessage("s"), UserMessage("u")],
        stream=True,
        stream_options={"include_usage": True},
        custom_id="row",
    )
    assert (await client.chat.completions.send(request)).text == "Hello."
    assert set(body_of(transport)) == {"model", "messages"}


@pytest.mark.parametrize("reason", ["insufficient_system_resource", "aborted", "error", "network_error", "Timed-Out"])
async def test_an_answer_that_was_broken_off_is_an_error_with_its_part(reason: str) -> None:
    """The server says in a 200 that it did not finish: retried, then raised with what there is."""
    client, transport = client_on(*[whole(completion("Hel", reason), **{"x-ds-trace-id": "t"}) for _ in range(3)])
    with pytest.raises(ServiceUnavailableError, match=reason) as raised:
        await client.chat.completions.create(**ASK)
    error = raised.value
    assert len(transport.requests) == error.attempts == 3
    assert (error.status, error.code, error.request_id) == (200, reason, "t")
    assert isinstance(error.partial, ChatCompletion)
    assert (error.partial.text, error.partial.complete) == ("Hel", False)


async def test_a_call_has_its_own_retry_policy() -> None:
    """For one call, in place of the client's."""
    broken = APIConnectionError("refused")
    client, transport = client_on(broken, broken, broken, whole(completion()), retry=RetryPolicy(attempts=1))
    with pytest.raises(APIConnectionError) as raised:
        await client.chat.completions.create(**ASK)
    assert raised.value.attempts == 1
    answer = await client.chat.completions.create(**ASK, retry=AT_ONCE)
    assert answer.text == "Hello."
    assert len(transport.requests) == 4


async def test_a_call_has_its_own_timeouts() -> None:
    """For one call, in place of the client's; the error names the phase and the seconds that were set."""
    client, _ = client_on(Answer([Pause()]), Answer([Pause()]))
    for ask in (
        client.chat.completions.create(**ASK, timeouts=Timeouts(first_chunk=0.01)),
        client.chat.completions.stream(**ASK, timeouts=Timeouts(first_chunk=0.01)).completion(),
    ):
        with pytest.raises(APITimeoutError) as raised:
            await ask
        assert (raised.value.phase, raised.value.seconds) == ("first_chunk", 0.01)


# -- fill in the middle ----------------------------------------------------------------------------------------------


async def test_fill_in_the_middle_goes_to_the_beta_address() -> None:
    """In one piece and streamed, with its own parameters."""
    answer = {
        "id": "1",
        "object": "text_completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "text": " pass", "finish_reason": "stop"}],
    }
    client, transport = client_on(whole(answer, **{"x-ds-trace-id": "t"}), Answer([event(answer) + DONE]))
    completed = await client.completions.create(**FIM, suffix="\n", max_tokens=5, logprobs=2)
    assert isinstance(completed, TextCompletion)
    assert (completed.text, completed.finish_reason, completed.request_id) == (" pass", "stop", "t")
    assert transport.requests[0].url == "http://localhost:1/beta/completions"
    assert body_of(transport) == {"model": "m", "prompt": "def f():", "suffix": "\n", "max_tokens": 5, "logprobs": 2}
    stream = await client.completions.create(**FIM, stream=True)
    assert isinstance(stream, TextCompletionStream)
    assert (await stream.completion()) == completed
    assert body_of(transport)["stream"] is True


async def test_a_gap_that_was_not_filled_is_an_error_with_its_part() -> None:
    """As for chat."""
    answer = {"id": "1", "choices": [{"index": 0, "text": "pa", "finish_reason": "aborted"}]}
    client, _ = client_on(*[whole(answer)] * 3)
    with pytest.raises(ServiceUnavailableError) as raised:
        await client.completions.create(**FIM)
    assert raised.value.partial is not None
    assert raised.value.partial.text == "pa"


@pytest.mark.parametrize(
    "arguments",
    [
        {"prompt": None},
        {"prompt": 5},
        {"echo": True, "suffix": "s"},
        {"logprobs": 21},
        {"messages": HELLO},
        {"timeouts": 5},
    ],
)
async def test_a_wrong_gap_is_refused(arguments: dict[str, Any]) -> None:
    """Before anything is sent."""
    client, transport = client_on()
    with pytest.raises(InvalidRequestError, match=next(iter(arguments))):
        await client.completions.create(**{**FIM, **arguments})
    assert transport.requests == []


# -- models and balance ----------------------------------------------------------------------------------------------


async def test_the_models_are_listed() -> None:
    """With all that newer answers tell, and unknown fields kept."""
    newest = {
        "id": "deepseek-flash",
        "object": "model",
        "owned_by": "deepseek",
        "name": "DeepSeek Flash",
        "context_window": 1048576,
        "max_output_tokens": 393216,
        "input_modalities": ["text", "image"],
        "output_modalities": ["text"],
        "effort": {"supported_levels": ["low"], "default_level": "high"},
        "api_capabilities": {"x": {}},
        "new": 1,
    }
    client, transport = client_on(whole({"object": "list", "data": [newest, {"id": "old"}]}))
    models = await client.models.list()
    assert [model.id for model in models] == ["deepseek-flash", "old"]
    first = models.data[0]
    assert (first.context_window, first.input_modalities, first.extra) == (1048576, ("text", "image"), {"new": 1})
    assert (transport.requests[0].method, transport.requests[0].url, transport.requests[0].body) == (
        "GET",
        "http://localhost:1/models",
        None,
    )


async def test_the_balance_is_exact() -> None:
    """Amounts are decimals, in each currency."""
    infos = [
        {"currency": "CNY", "total_balance": "110.10", "granted_balance": "10.00", "topped_up_balance": "100.10"},
        {"currency": "USD", "total_balance": "0.1"},
    ]
    client, transport = client_on(whole({"is_available": True, "balance_infos": infos}))
    balance = await client.user.balance()
    assert balance.is_available
    assert [info.total_balance for info in balance.balance_infos] == [Decimal("110.10"), Decimal("0.1")]
    assert str(balance.balance_infos[0].topped_up_balance) == "100.10"
    assert transport.requests[0].url == "http://localhost:1/user/balance"


@pytest.mark.parametrize("body", [b"[5]", b'{"data": 5}', b"<html>", b'{"data": [{"object": "model"}]}'])
async def test_a_list_that_is_none_is_malformed(body: bytes) -> None:
    """By a typed error that says what and where."""
    client, _ = client_on(whole(body))
    with pytest.raises(MalformedResponseError, match="the list of models"):
        await client.models.list()


async def test_an_error_in_the_body_of_a_200_is_an_error() -> None:
    """For every resource."""
    client, _ = client_on(*[whole({"error": {"message": "no", "code": 400}}) for _ in range(4)])
    for ask in (
        client.models.list(),
        client.user.balance(),
        client.chat.completions.create(**ASK),
        client.completions.create(**FIM),
    ):
        with pytest.raises(Exception, match="error in the answer: no") as raised:
            await ask
        assert type(raised.value).__name__ == "BadRequestError"


@pytest.mark.parametrize("chunk", [{"choices": [], "usage": {"prompt_tokens": 3}}, {"choices": []}, {"id": "7"}])
async def test_a_stream_without_a_choice_is_no_answer(chunk: dict[str, Any]) -> None:
    """However well it ends: it is asked for again, and then said to be empty."""
    client, transport = client_on(*[Answer([stream_of(chunk)]) for _ in range(3)])
    with pytest.raises(EmptyResponseError, match="no choice"):
        await client.chat.completions.stream(**ASK).completion()
    assert len(transport.requests) == 3


def test_a_client_of_a_local_server_needs_nothing() -> None:
    """No key, no loop: it can be made anywhere."""
    assert repr(AsyncClient(base_url="http://localhost:8000/v1")) == "<AsyncClient http://localhost:8000/v1>"


@pytest.mark.parametrize(
    ("status", "message", "told"),
    [
        (400, "Model Not Exist", True),
        (404, "model not found, try pulling it first", True),
        (400, "No such model.", True),
        (400, "Unknown model", True),
        (404, "The model `m-1` does not exist.", False),  # it says which itself
        (400, "Content Exists Risk", False),
        (400, "This model's maximum context length is 1048576 tokens.", False),
        (404, "Not Found", False),
    ],
)
async def test_a_model_that_does_not_exist_is_named(status: int, message: str, told: bool) -> None:
    """DeepSeek says that it does not, and not which."""
    body = json.dumps({"error": {"message": message}}).encode()
    client, _ = client_on(Answer([body], status=status, headers={"content-type": "application/json"}))
    with pytest.raises(APIStatusError) as caught:
        await client.chat.completions.create(model="m-1", messages=HELLO)
    naming = "; asked for 'm-1', client.models.list() tells which there are"
    assert (naming in caught.value.message) is told
    assert (naming in str(caught.value)) is told
