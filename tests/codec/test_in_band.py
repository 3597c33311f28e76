"""A 200 that holds an error, or no answer at all: told with the server's words, in the class that they mean."""

from __future__ import annotations

from typing import Any

import pytest

from deepseek_async import AsyncClient, RetryPolicy
from deepseek_async.codec.failures.in_band import in_band_failure
from deepseek_async.codec.reading.responses import chunk_from_json, completion_from_json, text_completion_from_json
from deepseek_async.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    DeepSeekError,
    EmptyResponseError,
    InsufficientBalanceError,
    InternalServerError,
    MalformedResponseError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
    StreamInterruptedError,
    UnprocessableEntityError,
)
from deepseek_async.transport import Answer

from ..wire import HELLO, chunk, client_on, completion, event, of_choices, stream_of, to_json, whole

WORDS = "the lock is closed"

TOLD: list[tuple[Any, type[APIStatusError]]] = [
    # under other keys
    ({"choices": None, "base_resp": {"status_code": 1028, "status_msg": WORDS}}, InternalServerError),
    ({"base_resp": {"status_code": 1004, "status_msg": WORDS}}, AuthenticationError),
    ({"base_resp": {"status_code": 1008, "status_msg": WORDS}, "choices": []}, InsufficientBalanceError),
    ({"code": 50508, "msg": WORDS}, InternalServerError),
    ({"code": "429", "msg": WORDS}, RateLimitError),
    ({"success": False, "message": WORDS}, InternalServerError),
    ({"success": False, "code": 401, "msg": WORDS, "data": None}, AuthenticationError),
    ({"success": False, "errors": [{"code": 5007, "message": WORDS}], "result": None}, InternalServerError),
    ({"errors": [{"code": 404, "message": WORDS}]}, NotFoundError),
    ({"status": 403, "message": WORDS}, PermissionDeniedError),
    ({"status": "error", "message": WORDS}, InternalServerError),
    ({"status_code": 422, "message": WORDS}, UnprocessableEntityError),
    ({"error_code": 503, "error_msg": WORDS}, ServiceUnavailableError),
    ({"errcode": "invalid_api_key", "errmsg": WORDS}, AuthenticationError),
    ([{"error": {"code": 400, "message": WORDS, "status": "FAILED_PRECONDITION"}}], BadRequestError),
    ({"type": "error", "error": {"type": "overloaded_error", "message": WORDS}}, ServiceUnavailableError),
    ({"error": True, "message": WORDS}, InternalServerError),
    ({"detail": WORDS}, InternalServerError),
    # by number or by word
    ({"error": {"message": WORDS, "code": "400"}}, BadRequestError),
    ({"error": {"message": WORDS, "type": "BadRequestError", "code": None}}, BadRequestError),
    ({"error": {"message": WORDS, "type": "exceed_context_size_error"}}, BadRequestError),
    ({"error": {"message": WORDS, "code": "context_length_exceeded"}}, BadRequestError),
    ({"error": {"message": WORDS, "status": "INVALID_ARGUMENT"}}, BadRequestError),
    ({"error": {"message": WORDS, "status": "UNAUTHENTICATED"}}, AuthenticationError),
    ({"error": {"message": WORDS, "type": "PermissionDeniedError"}}, PermissionDeniedError),
    ({"error": {"message": WORDS, "code": "model_not_found"}}, NotFoundError),
    ({"error": {"message": WORDS, "status": "RESOURCE_EXHAUSTED"}}, RateLimitError),
    ({"error": {"message": WORDS, "http_code": "529"}}, InternalServerError),
    # a code with its parts, a long number that begins with a status, a class's name at the begin of the words
    ({"code": "Throttling.RateQuota", "message": WORDS, "request_id": "x"}, RateLimitError),
    ({"code": "DataInspectionFailed", "message": WORDS}, BadRequestError),
    ({"code": "Arrearage", "message": WORDS}, InsufficientBalanceError),
    ({"code": 40301, "message": WORDS, "data": None}, PermissionDeniedError),
    ({"code": 30001, "message": WORDS, "data": None}, InsufficientBalanceError),
    ({"code": "20012", "message": WORDS}, BadRequestError),
    (
        {"error": {"message": WORDS, "type": "new_api_error", "code": "insufficient_user_quota"}},
        InsufficientBalanceError,
    ),
    ({"error": {"message": WORDS, "type": "insufficient_quota"}}, InsufficientBalanceError),
    ({"error": {"message": WORDS, "code": "RateLimitExceeded.EndpointRPMExceeded"}}, RateLimitError),
    # names written otherwise
    ({"statusCode": 401, "message": WORDS}, AuthenticationError),
    ({"Error": {"Message": WORDS, "Code": "AccessDenied"}}, PermissionDeniedError),
    ({"__type": "com.aws#ThrottlingException", "message": WORDS}, RateLimitError),
    ({"ErrorCode": "not_found", "ErrorMessage": WORDS}, NotFoundError),
    # in an object of its own
    ({"Response": {"Error": {"Code": "AuthFailure.SignatureFailure", "Message": WORDS}}}, AuthenticationError),
    ({"ResponseMetadata": {"Error": {"Code": "x", "Message": WORDS, "HTTPCode": 403}}}, PermissionDeniedError),
    ({"header": {"code": 11200, "message": WORDS, "sid": "x"}}, InternalServerError),
    ({"type": "response.failed", "response": {"error": {"code": "invalid_prompt", "message": WORDS}}}, BadRequestError),
    ({"fault": {"faultstring": WORDS, "detail": {"errorcode": "x"}}}, InternalServerError),
    # in a choice
    ({"choices": [{"index": 0, "error": {"code": 400, "message": WORDS}, "finish_reason": "error"}]}, BadRequestError),
    ({"choices": [{"error": {"code": 429, "message": WORDS}, "message": {"content": ""}}]}, RateLimitError),
    ({"choices": [{"delta": {"error": {"message": WORDS, "code": "overloaded"}}}]}, ServiceUnavailableError),
]


@pytest.mark.parametrize(
    ("words", "error_class"),
    [
        ("Forbidden", PermissionDeniedError),
        ("Unauthorized.", AuthenticationError),
        ("Too Many Requests", RateLimitError),
        ("service unavailable", ServiceUnavailableError),
        ("litellm.BadRequestError: no", BadRequestError),
        ("openai.RateLimitError: slowly", RateLimitError),
    ],
)
def test_words_that_name_a_status_tell_the_class(words: str, error_class: type[APIStatusError]) -> None:
    """Of an API gateway's own body, and of a proxy that quotes an exception."""
    for said in ({"message": words}, {"error": words}, {"error": {"message": words, "type": None, "code": None}}):
        assert type(in_band_failure(said, is_whole=True)) is error_class


@pytest.mark.anyio
@pytest.mark.parametrize("done", [True, False])
async def test_words_alone_in_a_stream(*, done: bool) -> None:
    """An error if they sound like one and no end follows, or if nothing else came; else they are news."""
    for said in ({"message": f"{WORDS}: access denied"}, {"Message": f"{WORDS}: not authorized", "requestId": "x"}):
        client, _ = client_on(Answer([stream_of(chunk("Hi"), said, done=done)]), retry=RetryPolicy(attempts=1))
        with pytest.raises(StreamInterruptedError, match=WORDS) as raised:
            await client.chat.completions.stream(model="m", messages=HELLO).completion()
        assert getattr(raised.value.partial, "text", None) == "Hi"
    for said in ({"message": WORDS}, {"msg": "Forbidden"}):
        client, _ = client_on(Answer([stream_of(said, done=done)]), retry=RetryPolicy(attempts=1))
        with pytest.raises(StreamInterruptedError, match="|".join(said.values())):
            await client.chat.completions.stream(model="m", messages=HELLO).completion()
    for said in ({"message": "busy: you are the third"}, {"type": "info", "message": "an error was mended"}):
        client, _ = client_on(Answer([stream_of(said, chunk("Hi"), said, chunk("", "stop"), done=done)]))
        answer = await client.chat.completions.stream(model="m", messages=HELLO).completion()
        assert (answer.text, answer.extra) == ("Hi", said)
    client, _ = client_on(Answer([stream_of({"message": "third in the queue"}, chunk("Hi"))]))
    assert (await client.chat.completions.stream(model="m", messages=HELLO).completion()).text == "Hi"


@pytest.mark.parametrize(("said", "error_class"), TOLD)
def test_an_error_in_a_200(said: Any, error_class: type[APIStatusError]) -> None:
    """As a whole body, and as an event; of its class, and asked again only where that can help."""
    failure = in_band_failure(said)
    assert type(failure) is error_class
    assert failure is not None
    assert failure.message.startswith(f"error in the answer: {WORDS}")
    assert failure.retryable is (failure.status in (200, 429) or failure.status >= 500)
    for read in (completion_from_json, text_completion_from_json, chunk_from_json):
        with pytest.raises(error_class, match=WORDS):
            read(to_json(said))


@pytest.mark.anyio
@pytest.mark.parametrize(("said", "error_class"), TOLD)
async def test_a_refusal_is_asked_once(said: Any, error_class: type[APIStatusError]) -> None:
    """Whole and as a stream's only event: as often as its class is asked."""
    times = 3 if error_class in (InternalServerError, RateLimitError, ServiceUnavailableError) else 1
    for is_streamed in (False, True):
        client, transport = client_on(*[Answer([event(said)]) if is_streamed else whole(said)] * 3)
        with pytest.raises(DeepSeekError, match=WORDS) as raised:
            if not is_streamed:
                await client.chat.completions.create(model="m", messages=HELLO)
            else:
                await client.chat.completions.stream(model="m", messages=HELLO).completion()
        assert len(transport.requests) == times, raised.value


NO_ERRORS: list[Any] = [
    {"code": 0, "message": "success"},
    {"code": "0", "msg": "ok"},
    {"code": 200, "message": "OK", "data": None},
    {"status": "success", "message": "done"},
    {"status": "in_progress", "message": "loading"},
    {"status": "queued", "message": "position 3"},
    {"message": "loading the model"},
    {"header": {"code": 0, "message": "Success", "sid": "x"}},
    {"response": {"status": "in_progress", "error": None}},
    {"data": {"code": 200, "msg": "ok"}},
    {"Error": None, "statusCode": 200},
    {"success": True, "message": "fine"},
    {"base_resp": {"status_code": 0, "status_msg": "success"}},
    {"error": None},
    {"error": {}},
    {"error": ""},
]


@pytest.mark.parametrize("said", NO_ERRORS)
def test_words_of_success_are_none(said: Any) -> None:
    """Neither alone nor beside an answer; beside one, it is the answer that counts."""
    assert in_band_failure(said) is None
    assert chunk_from_json(to_json({**chunk("Hi"), **said})).choices[0].delta.content == "Hi"
    assert completion_from_json(to_json({**completion("Hi"), **said})).text == "Hi"
    assert completion_from_json(to_json({**completion("Hi"), "error": {"code": 0, "message": "success"}})).text == "Hi"


@pytest.mark.parametrize("envelope", ["data", "result", "response", "output"])
def test_an_answer_in_an_envelope_is_the_answer(envelope: str) -> None:
    """Whole or in every event."""
    assert completion_from_json(to_json({"code": 0, "message": "ok", envelope: completion("Hi")})).text == "Hi"
    inner = chunk_from_json(to_json({"code": 0, "message": "ok", envelope: chunk("Hi")}))
    assert inner.choices[0].delta.content == "Hi"


@pytest.mark.parametrize(
    "said",
    [
        {"id": "1", "choices": []},
        {"id": "1", "choices": None, "usage": {"prompt_tokens": 9, "completion_tokens": 0, "total_tokens": 9}},
        {"choices": {}},
        {"choices": ""},
        {"choices": [{"index": 0, "finish_reason": "stop"}]},
        {"choices": [{"index": 0, "message": None, "finish_reason": "stop"}]},
        {"choices": [{"index": 0, "message": {}, "finish_reason": "stop"}]},
        {"choices": [None]},
    ],
)
def test_no_answer_is_an_error(said: Any) -> None:
    """Never an empty success."""
    with pytest.raises(EmptyResponseError, match="no choice"):
        completion_from_json(to_json(said))
    with pytest.raises((EmptyResponseError, MalformedResponseError)):
        text_completion_from_json(to_json({**said, "choices": said["choices"] if not said["choices"] else []}))


@pytest.mark.parametrize(
    "message", [{"role": "assistant", "content": None}, {"content": ""}, {"content": None, "refusal": "No."}]
)
def test_a_message_that_says_nothing_is_an_answer(message: Any) -> None:
    """The model may say nothing."""
    answer = completion_from_json(to_json({"choices": [{"message": message, "finish_reason": "stop"}]}))
    assert answer.message.content == ""
    assert answer.complete


@pytest.mark.anyio
@pytest.mark.parametrize(
    "chunks",
    [
        [of_choices()],
        [of_choices(), of_choices(usage=None)],
        [{"id": "1"}],
        [of_choices({})],
        [of_choices({"index": 0, "finish_reason": "stop"})],
        [of_choices({"index": 0, "delta": None}), of_choices({"index": 0, "message": None, "finish_reason": "stop"})],
    ],
)
async def test_a_stream_without_a_message_is_no_answer(chunks: list[Any]) -> None:
    """However it is ended; as the same answer in one piece is none."""
    client, transport = client_on(*[Answer([stream_of(*chunks)])] * 3)
    with pytest.raises(EmptyResponseError):
        await client.chat.completions.stream(model="m", messages=HELLO).completion()
    assert len(transport.requests) == 3


@pytest.mark.anyio
async def test_an_error_beside_an_answer_has_its_text() -> None:
    """OpenRouter: the error in the same body or chunk as the last words. They are delivered, and in the partial."""
    error = {"error": {"message": WORDS, "code": 400}}
    in_choice = of_choices({"index": 0, "delta": {"content": "tide"}, "finish_reason": "error", **error})
    client, _ = client_on(Answer([event(chunk("Half ")), event(in_choice)]))
    with pytest.raises(DeepSeekError, match=WORDS) as raised:
        await client.chat.completions.stream(model="m", messages=HELLO).completion()
    assert getattr(raised.value.partial, "text", None) == "Half tide"
    client, _ = client_on(
        whole({**completion("Half tide", "error"), **error}),
        Answer([event(chunk("Half ")), event({**chunk("tide", "error"), **error})]),
        whole({"choices": [{"index": 0, "text": "Half tide"}], **error}),
        Answer([event({"choices": [{"index": 0, "text": "Half "}]}), event({"choices": [{"text": "tide"}], **error})]),
    )
    gap: dict[str, Any] = {"model": "m", "prompt": "p"}
    for ask in (
        lambda: client.chat.completions.create(model="m", messages=HELLO),
        lambda: client.chat.completions.stream(model="m", messages=HELLO).completion(),
        lambda: client.completions.create(**gap),
        lambda: _streamed_gap(client, gap),
    ):
        with pytest.raises(DeepSeekError, match=WORDS) as raised:
            await ask()
        assert raised.value.partial is not None
        assert getattr(raised.value.partial, "text", None) == "Half tide"
        assert not raised.value.partial.complete
        assert not raised.value.retryable


async def _streamed_gap(client: AsyncClient, ask: dict[str, Any]) -> Any:
    return await (await client.completions.create(**ask, stream=True)).completion()
