"""Status, headers and body → the right error: every shape of body that was seen, and what no server should send."""

from __future__ import annotations

import json
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_async.codec.failures.in_band import in_band_failure
from deepseek_async.codec.failures.statuses import failure_from
from deepseek_async.codec.heads import request_id_of, retry_after_of
from deepseek_async.codec.reading.bodies import summary_of
from deepseek_async.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    InsufficientBalanceError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
    UnprocessableEntityError,
)

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def failure(status: int, body: Any = b"", **headers: str) -> APIStatusError:
    """The error for a status, a body (bytes, or a value to be JSON) and headers."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return failure_from(status, {name.replace("_", "-"): value for name, value in headers.items()}, data, NOW)


def error_object(message: str, type: str, code: str | None, param: str | None = None) -> dict[str, Any]:  # noqa: A002
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


INVALID = "invalid_request_error"

# What DeepSeek was seen to answer: status, message, type, code, the error's class, whether again.
SEEN = [
    (400, "Model Not Exist", INVALID, INVALID, BadRequestError, False),
    (400, "Content Exists Risk", INVALID, INVALID, BadRequestError, False),
    (400, "Invalid max_tokens value, the valid range is [1, 393216]", INVALID, INVALID, BadRequestError, False),
    (400, "Invalid top_p value, the valid range of top_p is (0, 1.0]", INVALID, INVALID, BadRequestError, False),
    (400, "The reasoning_content must be passed back to the API.", INVALID, INVALID, BadRequestError, False),
    (400, "This model's maximum context length is 1048576 tokens.", INVALID, INVALID, BadRequestError, False),
    (400, "Failed to deserialize the JSON body into the target type: x", INVALID, INVALID, BadRequestError, False),
    (
        401,
        "Authentication Fails, Your api key: ****abcd is invalid",
        "authentication_error",
        INVALID,
        AuthenticationError,
        False,
    ),
    (401, "Authentication Fails (no such user)", "authentication_error", INVALID, AuthenticationError, False),
    (402, "Insufficient Balance", "unknown_error", INVALID, InsufficientBalanceError, False),
    (403, "Not allowed", "permission_error", None, PermissionDeniedError, False),
    (404, "Not Found", INVALID, None, NotFoundError, False),
    (422, "reasoning_effort: unknown variant `ultra`", INVALID, INVALID, UnprocessableEntityError, False),
    (429, "Rate limit reached for TPM", "rate_limit_error", INVALID, RateLimitError, True),
    (500, "Internal error", "server_error", None, InternalServerError, True),
    (
        503,
        "Service is too busy. We advise users to temporarily switch.",
        "service_unavailable_error",
        "service_unavailable_error",
        ServiceUnavailableError,
        True,
    ),
]


@pytest.mark.parametrize(("status", "message", "kind", "code", "error_class", "retryable"), SEEN)
def test_what_deepseek_says_is_its_error(
    status: int, message: str, kind: str, code: str | None, error_class: type[APIStatusError], retryable: bool
) -> None:
    """Each documented status is its class, and keeps the server's words, type, code and request id."""
    error = failure(status, error_object(message, kind, code), x_ds_trace_id="trace-1")
    assert type(error) is error_class
    assert (error.status, error.type, error.code, error.param) == (status, kind, code, None)
    assert message in error.message
    assert f"HTTP {status}" in error.message
    assert error.request_id == "trace-1"
    assert "request_id=trace-1" in str(error)
    assert error.retryable is retryable
    assert json.loads(error.body) == error_object(message, kind, code)


@pytest.mark.parametrize("challenge", ['Basic realm="Tinyproxy"', "basic", 'BASIC realm="x", charset="UTF-8"'])
def test_who_asks_for_a_password_is_no_api(challenge: str) -> None:
    """A proxy's 401, as tinyproxy answers a wrong password, does not send its reader to the API key."""
    error = failure(401, "<title>401 Unauthorized</title>", content_type="text/html", www_authenticate=challenge)
    assert type(error) is AuthenticationError
    assert "the proxy's URL" in error.message
    assert "api_key" not in error.message
    bearer = failure(401, "no", www_authenticate="Bearer")
    assert "check the api_key" in bearer.message


@pytest.mark.parametrize(
    ("status", "error_class", "retryable"),
    [
        (402, InsufficientBalanceError, False),
        (405, APIStatusError, False),
        (408, APIStatusError, True),
        (409, APIStatusError, False),
        (413, APIStatusError, False),
        (415, APIStatusError, False),
        (418, APIStatusError, False),
        (502, InternalServerError, True),
        (504, InternalServerError, True),
        (520, InternalServerError, True),
        (201, APIStatusError, False),
        (204, APIStatusError, False),
    ],
)
def test_a_status_alone_tells_the_class(status: int, error_class: type[APIStatusError], retryable: bool) -> None:
    """Without any body the status decides, and the message says that there was no text."""
    error = failure(status)
    assert type(error) is error_class
    assert error.retryable is retryable
    assert "no text" in error.message


def test_the_concurrency_limit_is_read_from_the_text() -> None:
    """A 429 tells the limit nowhere else than in its text."""
    text = (
        "Too many requests. Your current concurrency is 26, which exceeds your concurrency limit of 25 based on your "
        "remaining balance. Please top up"
    )
    error = failure(429, error_object(text, "rate_limit_error", INVALID))
    assert isinstance(error, RateLimitError)
    assert (error.current, error.limit) == (26, 25)
    other = failure(429, error_object("Rate limit reached for TPM", "rate_limit_error", INVALID))
    assert isinstance(other, RateLimitError)
    assert (other.current, other.limit) == (None, None)


# Body shapes, by who was seen to send them: body, message, type, code, param.
SHAPES: dict[str, tuple[Any, str, str | None, str | None, str | None]] = {
    "DeepSeek": (error_object("Bad thing", "t", "c", ""), "Bad thing", "t", "c", None),
    "param named": (error_object("Bad thing", "t", None, "top_p"), "Bad thing", "t", None, "top_p"),
    "DeepSeek in May 2024": ({"detail": "Bad thing"}, "Bad thing", None, None, None),
    "plain text": (b"Bad thing", "Bad thing", None, None, None),
    "text with line ends": (b"  Bad\r\nthing \n", "Bad thing", None, None, None),
    "SiliconFlow, flat": ({"code": 50508, "message": "Bad thing", "data": None}, "Bad thing", None, "50508", None),
    "SiliconFlow, a bare string": ("Bad thing", "Bad thing", None, None, None),
    "an error that is text": ({"error": "Bad thing"}, "Bad thing", None, None, None),
    "vLLM": ({"object": "error", "message": "Bad thing", "type": "t", "code": 400}, "Bad thing", "t", "400", None),
    "OpenRouter": ({"error": {"code": 402, "message": "Bad thing", "metadata": {}}}, "Bad thing", None, "402", None),
    "GMI": ({"error": {"message": "Bad", "details": {"message": "thing"}}}, "Bad: thing", None, None, None),
    "GMI, as text": ({"error": {"message": "Bad", "details": "thing"}}, "Bad: thing", None, None, None),
    "msg": ({"code": 1, "msg": "Bad thing"}, "Bad thing", None, "1", None),
    "FastAPI": (
        {"detail": [{"loc": ["body", "messages", 0], "msg": "Bad thing", "input": "the prompt"}]},
        "body.messages.0: Bad thing",
        None,
        None,
        None,
    ),
    "a nested message": ({"error": {"message": {"message": "Bad thing"}}}, "Bad thing", None, None, None),
    "a byte order mark": (b'\xef\xbb\xbf{"error":{"message":"Bad thing"}}', "Bad thing", None, None, None),
    "HTML": (
        b"<html><head><title>502 Bad\n thing</title></head>",
        "an HTML page titled '502 Bad thing'",
        None,
        None,
        None,
    ),
    "HTML without a title": (b"<!doctype html><p>x", "an HTML page", None, None, None),
    "nothing": (b"", "no text", None, None, None),
    "blank lines": (b"\n\n \n", "no text", None, None, None),
    "an empty object": ({}, "no text", None, None, None),
    "null": (None, "null", None, None, None),
    "a number": (42, "no text", None, None, None),
    "not UTF-8": (b"Bad \xff thing", "Bad \ufffd thing", None, None, None),
}


@pytest.mark.parametrize("content_type", ["application/json", "application/octet-stream", "text/html", ""])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_body_is_read_by_what_it_is(shape: str, content_type: str) -> None:
    """Every shape of error body tells its words, whatever its label: DeepSeek calls JSON an octet stream."""
    body, message, kind, code, param = SHAPES[shape]
    error = failure(400, body, content_type=content_type)
    assert error.message == f"HTTP 400: {message}"
    assert (error.type, error.code, error.param) == (kind, code, param)
    assert error.headers["content-type"] == content_type


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, "DEEPSEEK_API_KEY"), (402, "top up"), (404, "base_url"), (413, "too large"), (415, "content type")],
)
def test_the_message_says_what_to_do(status: int, advice: str) -> None:
    """Where the caller can do something about it, the message says what."""
    assert advice in failure(status, b"No.").message


def test_a_redirect_is_named_and_not_followed() -> None:
    """The key must not travel on; the message says where the server pointed, without the query."""
    error = failure(307, b"", location="https://elsewhere.example/v1/chat?token=secret")
    assert "https://elsewhere.example" in error.message
    assert "secret" not in error.message
    assert "base_url" in error.message
    assert "nowhere" in failure(302).message


def test_no_error_shows_a_key_or_the_request() -> None:
    """Servers quote keys and, in validation errors, the whole input; messages must not pass them on."""
    leaks = [
        failure(401, {"error": {"message": "Your api key: sk-abcdef123456 is invalid"}}),
        failure(401, b"Incorrect: Bearer my-local-token-1"),
        failure(401, b"wrong key sk-abcdef123456"),
        failure(422, {"detail": [{"loc": ["body"], "msg": "wrong", "input": "the secret prompt"}]}),
        failure(400, {"error": {"message": "1 validation error: {'type': 'x', 'input': 'the secret prompt'}"}}),
        failure(400, {"error": {"message": 'bad value, "input": "the secret prompt"'}}),
    ]
    for error in leaks:
        shown = str(error) + repr(error) + "".join(traceback.format_exception(error))
        assert "sk-abcdef123456" not in shown + error.body
        assert "my-local-token-1" not in shown + error.body
        assert "secret prompt" not in shown


def test_a_long_body_is_cut() -> None:
    """A message stays a line; the body is there, up to 64 KiB."""
    error = failure(500, b"x" * 200_000)
    assert len(error.message) < 500
    assert error.message.endswith("…")
    assert len(error.body) == 65_536


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5.0),
        (" 0.5 ", 0.5),
        ("-3", 0.0),
        ("Mon, 23 Nov 2026 12:01:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 12:01:30 -0000", 90.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Mon, 99 Nov", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    """RFC 9110 section 10.2.3: delay-seconds or an HTTP date; what is neither is not believed."""
    assert retry_after_of({"retry-after": value}, NOW) == seconds
    assert failure(429, retry_after=value).retry_after == seconds


@given(st.text(max_size=30))
def test_no_retry_after_breaks_the_reading(value: str) -> None:
    """Whatever stands in the header, the answer is a number of seconds from 0 up, or none."""
    seconds = retry_after_of({"retry-after": value}, NOW)
    assert seconds is None or 0 <= seconds < float("inf")


@pytest.mark.parametrize(
    ("clock", "seconds"),
    [
        ("Mon, 23 Nov 2026 12:00:10 GMT", 20.0),  # ten seconds before ours
        ("Mon, 23 Nov 2026 11:00:00 GMT", 3630.0),  # an hour behind it
        ("Mon, 23 Nov 2026 12:00:30 GMT", 0.0),
        ("Monday, 23-Nov-26 12:00:20 GMT", 10.0),
        ("Mon, 23 Nov 2026 13:00:20 +0100", 10.0),
        ("Mon, 23 Nov 2026 12:00:20", 10.0),
        ("yesterday", 30.0),
        ("", 30.0),
        ("0", 30.0),
    ],
)
def test_a_date_is_one_of_the_servers_clock(clock: str, seconds: float) -> None:
    """Whatever time it is here: a machine that slept or was set back neither waits an hour nor hammers."""
    assert retry_after_of({"retry-after": "Mon, 23 Nov 2026 12:00:30 GMT", "date": clock}, NOW) == seconds
    assert retry_after_of({"retry-after": "7", "date": clock}, NOW) == 7.0


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1)))  # noqa: DTZ001
def test_a_date_is_as_far_away_as_it_is(when: datetime) -> None:
    """Any HTTP date gives the time from now to it, to the second."""
    moment = when.replace(tzinfo=UTC, microsecond=0)
    value = moment.strftime("%a, %d %b ") + f"{moment.year:04d}" + moment.strftime(" %H:%M:%S GMT")
    assert retry_after_of({"retry-after": value}, NOW) == max(0.0, (moment - NOW) / timedelta(seconds=1))


@pytest.mark.parametrize("name", ["x-ds-trace-id", "x-request-id", "x-deepseek-request-id"])
def test_the_request_id_is_found_by_each_of_its_names(name: str) -> None:
    """DeepSeek's name comes first; an empty one does not count."""
    assert request_id_of({name: "abc"}) == "abc"
    assert request_id_of({"x-ds-trace-id": "", name: "abc"}) == "abc" or name == "x-ds-trace-id"
    assert request_id_of({"x-ds-trace-id": "first", "x-request-id": "second"}) == "first"
    assert request_id_of({"content-type": "text/html"}) is None


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "message",
                    "msg",
                    "detail",
                    "details",
                    "code",
                    "type",
                    "param",
                    "loc",
                    "object",
                    "choices",
                    "x",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON_VALUES, st.integers(300, 599))
def test_any_json_makes_an_error(value: Any, status: int) -> None:
    """However strange the body, there is an error of the right status, with a message and no exception of its own."""
    error = failure(status, value)
    assert error.status == status
    assert error.message.startswith(f"HTTP {status}: ")


@given(st.binary(max_size=60), st.integers(300, 599))
def test_any_bytes_make_an_error(body: bytes, status: int) -> None:
    """Bytes of any kind are a body of an error too."""
    assert failure(status, body).status == status


@pytest.mark.parametrize(
    "body", [b"[" * 50_000, b'{"error":' * 50_000, b'{"message":' * 900 + b'"x"' + b"}" * 900, b"9" * 5_000]
)
def test_json_that_is_made_to_hurt_is_only_a_body(body: bytes) -> None:
    """Nesting without end and numbers without end are no way to break the reader of an error."""
    assert failure(500, body).status == 500


@given(JSON_VALUES)
def test_any_json_in_a_200_is_an_error_or_not(value: Any) -> None:
    """The reader of errors in the band never fails itself, and finds one wherever `error` says anything."""
    error = in_band_failure(value)
    if isinstance(value, dict) and value.get("error") and not value.get("choices"):
        assert error is not None
    if not isinstance(value, (dict, list)):
        assert error is None


@pytest.mark.parametrize(
    ("value", "error_class", "status", "retryable"),
    [
        (error_object("m", "rate_limit_error", INVALID), RateLimitError, 429, True),
        (error_object("m", "service_unavailable_error", None), ServiceUnavailableError, 503, True),
        (error_object("m", "authentication_error", INVALID), AuthenticationError, 401, False),
        (error_object("m", "overloaded_error", None), ServiceUnavailableError, 503, True),
        (error_object("m", "server_error", None), InternalServerError, 200, True),
        ({"error": {"message": "m", "code": 429}}, RateLimitError, 429, True),
        ({"error": {"message": "m", "code": 502}}, InternalServerError, 502, True),
        ({"error": {"message": "m", "code": 400}}, BadRequestError, 400, False),
        ({"error": {"message": "m", "code": 1234}}, InternalServerError, 200, True),
        ({"error": "m"}, InternalServerError, 200, True),
        ({"object": "error", "message": "m", "code": 404}, NotFoundError, 404, False),
        ({"code": 50508, "message": "m", "data": None}, InternalServerError, 505, True),
        ({"detail": "m"}, InternalServerError, 200, True),
        ({"error": {"message": "m", "code": "rate_limit_exceeded"}}, RateLimitError, 429, True),
        ({"error": {"message": "m"}, "choices": []}, InternalServerError, 200, True),
        (
            {"error": {"message": "m"}, "choices": [{"index": 0, "finish_reason": "error"}]},
            InternalServerError,
            200,
            True,
        ),
    ],
)
def test_an_error_in_a_200_is_an_error(
    value: Any, error_class: type[APIStatusError], status: int, retryable: bool
) -> None:
    """The words tell the class, since the status is lost; without a word it is the server's own failure."""
    error = in_band_failure(value)
    assert type(error) is error_class
    assert error is not None
    assert (error.status, error.retryable) == (status, retryable)
    assert error.message.startswith("error in the answer: m")


@pytest.mark.parametrize(
    "value",
    [
        {"choices": [{"index": 0}]},
        {"choices": [], "usage": None},
        {"error": None, "choices": [{}]},
        {"error": {}, "choices": []},
        {"choices": [{}], "detail": "extra", "message": "m", "code": 1},
        {"object": "error", "choices": [{}]},
        {"id": "1"},
        [],
        "text",
        None,
    ],
)
def test_an_answer_is_no_error(value: Any) -> None:
    """A chunk or completion that happens to have such fields stays one."""
    assert in_band_failure(value) is None


def test_a_summary_is_one_line() -> None:
    """Any text comes out in one line of at most 400 characters, a page of HTML as its title."""
    assert summary_of("  a\n b\t c ") == "a b c"
    assert summary_of("<title>T</title>") == "an HTML page titled 'T'"
    assert len(summary_of("y" * 1000)) == 400
