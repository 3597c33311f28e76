"""What refusals say, in whatever odd shape: never an exception, no square time, words kept and inputs hidden."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from deepseek_async.codec.failures.in_band import in_band_failure
from deepseek_async.codec.failures.redaction import prompts_in, redact
from deepseek_async.codec.failures.statuses import failure_from, without_inputs
from deepseek_async.codec.heads import retry_after_of
from deepseek_async.codec.reading.bodies import summary_of
from deepseek_async.errors import APIConnectionError, APIStatusError, APITimeoutError, BadRequestError, RateLimitError

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def refusal(body: Any, status: int = 400, **headers: str) -> APIStatusError:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return failure_from(status, headers, data, NOW)


# -- numbers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("9" * 400, None),
        ("1e400", None),
        ("nan", None),
        ("inf", None),
        ("-inf", None),
        ("1_000", None),
        ("１２", None),
        ("²", None),
        ("Thu, 01 Jan 99999999999 00:00:00 GMT", None),
        ("Thu, 99 Jan 2026 99:00:00 GMT", None),
        ("Fri, 27 Nov 2026 12:00:07 +99999999999999", None),
        ("Fri, 27 Nov 9999 23:59:59 -2359", 7973 * 365.2425 * 86400),
        ("soon", None),
        (",", None),
        ("  7 ", 7.0),
    ],
)
def test_absurd_numbers_to_wait(said: str, meant: float | None) -> None:
    """Whatever a server writes there: seconds, or nothing; never an exception."""
    seconds = retry_after_of({"retry-after": said}, NOW)
    assert seconds == (None if meant is None else pytest.approx(meant, rel=0.01))


@pytest.mark.parametrize(
    ("headers", "meant"),
    [
        ({"retry-after-ms": "1500"}, 1.5),
        ({"x-ms-retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after-ms": "-5"}, 0.0),
        ({"x-ms-retry-after-ms": "0.5"}, 0.0005),
    ],
)
def test_milliseconds(headers: dict[str, str], meant: float) -> None:
    """As Azure says it, and as OpenAI's clients understand it; more precise than seconds, so they go first."""
    assert retry_after_of(headers, NOW) == pytest.approx(meant)


@pytest.mark.parametrize("code", ["²²²", "٤٠٠", "4００", "৪০০", "1" * 5000, "40 0", "0x190", "４０４"])
def test_codes_of_odd_digits(code: str) -> None:
    """They are words, and the error's class is that of its status."""
    assert type(refusal({"error": {"message": "m", "code": code}})) is BadRequestError
    failure = in_band_failure({"error": {"message": "m", "code": code}})
    assert failure is not None
    assert failure.status == 200


@pytest.mark.parametrize(
    ("said", "current", "limit"),
    [
        ("current concurrency is 1,001, above the concurrency limit of 1,000.", 1001, 1000),
        ("current concurrency is 12'500 and the concurrency limit of 10'000", 12500, 10000),
        ("current concurrency is 1.001\nabove the concurrency limit of 1.000!", 1001, 1000),
        ("current concurrency is 10\u202f001, the concurrency limit of 10\u00a0000", 10001, 10000),
        ("current concurrency is 26, concurrency limit of 25.", 26, 25),
        ("current concurrency is 7, concurrency limit of 6, 5 of them yours", 7, 6),
    ],
)
def test_limits_with_separators(said: str, current: int, limit: int) -> None:
    """ "1,000" is not 1."""
    error = refusal({"error": {"message": said}}, 429)
    assert isinstance(error, RateLimitError)
    assert (error.current, error.limit) == (current, limit)


@pytest.mark.parametrize("half", ["\ud800", "a\udfff", "\udcff\udcfe", "\ud83d x"])
def test_half_surrogates(half: str) -> None:
    """In any place of a refusal: its words can be printed."""
    error = refusal(
        {"error": {"message": half + "m", "code": half, "type": half, "param": half}}, **{"x-request-id": half}
    )
    (str(error) + repr((error.code, error.type, error.param, error.request_id))).encode()
    failure = in_band_failure({"error": {"message": half, "code": half}})
    assert failure is not None
    (str(failure) + failure.body).encode()


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"error_msg": "The words."},
        {"errorMessage": "The words."},
        {"error": {"reason": "The words."}},
        {"error": {"Message": "The words."}},
        {"title": "The words.", "status": 400},
        {"errors": [{"message": "The words."}]},
        {"errors": [{"detail": "The words."}], "data": None},
        {"fault": {"faultstring": "The words.", "detail": {}}},
        {"error": "invalid_request", "error_description": "The words."},
        {"error": {"error": {"message": "The words."}}},
        {"exception": "The words."},
        {"err": "The words."},
        ["The words."],
    ],
    ids=range(13),
)
def test_words_under_other_keys(body: Any) -> None:
    """Of gateways, frameworks and other clouds: they are found."""
    said = str(refusal(body))
    assert "The words." in said or "invalid_request" in said


@pytest.mark.parametrize("body", [{"data": {"x": "The words."}}, {"ok": "The words."}, {"0": ["The words."]}])
def test_unknown_keys(body: Any) -> None:
    """A body whose keys nobody knows is shown as it is."""
    assert "The words." in str(refusal(body))


def test_lists_by_field() -> None:
    """As web frameworks tell what is wrong with which field."""
    assert "model: is unknown; temperature: is 9" in str(
        refusal({"errors": {"model": ["is unknown"], "temperature": ["is 9"]}})
    )


VLLM = (
    "[{'type': 'missing', 'loc': ('body', 'messages'), 'msg': 'Field required', 'input': {'model': 'm', 'x': "
    "'it\\'s [a] \"secret\" }, text', 'y': [1, (2, 3)]}}, {'type': 'extra', 'loc': ('body', 'foo'), 'msg': 'Odd', "
    "'input': 'secret, too', 'ctx': {'a': 1}}]"
)
VLLM_LEFT = (
    "[{'type': 'missing', 'loc': ('body', 'messages'), 'msg': 'Field required', 'input': [redacted]}, "
    "{'type': 'extra', 'loc': ('body', 'foo'), 'msg': 'Odd', 'input': [redacted], 'ctx': {'a': 1}}]"
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            VLLM,
            VLLM_LEFT,
        ),
        ('{"msg": "bad", "input": {"a": ["secret"]}, "url": "u"}', '{"msg": "bad", "input": [redacted], "url": "u"}'),
        (
            "Bad [type=missing, input_value={'a': 'secret'}, input_type=dict]",
            "Bad [type=missing, input_value=[redacted], input_type=dict]",
        ),
        ("{'input': 'secret that is cut", "{'input': [redacted]"),
        ("{'input': None, 'msg': 'a'}", "{'input': [redacted], 'msg': 'a'}"),
        ("the input is 'short'", "the input is 'short'"),
    ],
    ids=range(6),
)
def test_validators_lose_only_their_inputs(text: str, left: str) -> None:
    """What is wrong, where, and what comes after it stay."""
    assert without_inputs(text) == left


@pytest.mark.parametrize(
    ("status", "location", "said"),
    [
        (304, "", "cached answer"),
        (302, "/v1/login?token=secret", "a redirect to /v1/login of the same server"),
        (307, "chat", "a redirect to chat of the same server"),
        (308, "", "a redirect to nowhere of the same server"),
        (301, "https://user:secret@other.test/v1?x=secret", "a redirect to https://other.test, which"),
        (302, "//other.test/x#secret", "//other.test/x"),
    ],
)
def test_redirects(status: int, location: str, said: str) -> None:
    """Where to, in as far as it tells no secret; 304 is none."""
    error = refusal(b"", status, location=location)
    assert said in str(error)
    assert "secret" not in str(error)


# -- time --------------------------------------------------------------------------------------------------------------

SQUARE: list[Callable[[int], object]] = [
    lambda n: refusal(b"<html>" + b"<title" * n),
    lambda n: refusal(b"<html>" + b"<title>" * n),
    lambda n: refusal(b"<" + b" " * n + b">"),
    lambda n: refusal({"error": {"message": "current concurrency is 1 " * n}}, 429),
    lambda n: refusal({"error": {"message": " " * n + "x"}}),
    lambda n: refusal({"error": {"message": ",{" * n + " " * n}}),
    lambda n: without_inputs("'input': " * n),
    lambda n: without_inputs("'input':" + "'" * n),
    lambda n: without_inputs("'input': " + "(" * n),
    lambda n: without_inputs("'input': '" + "\\" * n),
    lambda n: summary_of("<p>" + "< title" * n),
    lambda n: refusal({"error": {"message": "sk-" * n + "Bearer " * n}}),
]


@pytest.mark.parametrize("work", SQUARE, ids=range(len(SQUARE)))
def test_no_text_takes_square_time(work: Callable[[int], object]) -> None:
    """A body at its cap, 256 KiB of the worst, is a matter of moments."""
    started = time.process_time()
    work(2**18 // 6)
    assert time.process_time() - started < 1.0


def seconds_of(error: APIStatusError | APIConnectionError | APITimeoutError, size: int) -> float:
    body = json.dumps(
        {"messages": [{"role": "user", "content": "lorem ipsum dolor sit amet " * (size // 27)}]}
    ).encode()
    started = time.process_time()
    redact(error, secrets=["sk-0123456789"], prompts=lambda: prompts_in(body))
    return time.process_time() - started


def test_prompts_cost_little() -> None:
    """Nothing where no words of a server's are; else a tenth of what it was (0.17 ms a kB), and growing in line."""
    assert seconds_of(APIConnectionError("connection refused", during="connect"), 10**7) < 0.05
    assert seconds_of(APITimeoutError("late", phase="idle", seconds=1.0), 10**7) < 0.05
    said = "Rate limit reached for requests, please try again in a moment"
    least = min(seconds_of(RateLimitError(said, status=429, body=said), 10**6) for _ in range(3))
    print(f"taking prompts of 1 MB out of a refusal: {1e3 * least:.1f} ms")
    assert least < 0.06


@pytest.mark.parametrize("word", ["function", "image_url", "tool_calls", "json_object", "content-type"])
def test_protocol_words_stay(word: str) -> None:
    """They are no prompt where a body has them in their places, nor as one."""
    body = {
        "messages": [
            {"role": "user", "content": [{"type": word, word: {"url": "u"}}, {"type": "text", "text": word}]},
            {
                "role": "assistant",
                "tool_calls": [{"id": word, "type": word, "function": {"name": word, "arguments": ""}}],
            },
        ]
    }
    error = refusal({"error": {"message": f"Unknown field {word} in $.messages[0]: {word}"}})
    redact(error, secrets=[], prompts=lambda: prompts_in(json.dumps(body).encode()))
    assert str(error) == f"HTTP 400: Unknown field {word} in $.messages[0]: {word}"


@pytest.mark.parametrize(
    "prompt", ["My neighbour is called Ada Lovelace.", "Wie heißt der Bürgermeister von Wesel?", "a" * 40]
)
def test_prompts_in_headers(prompt: str) -> None:
    """A server that echoes in a header is not kept with it."""
    error = refusal({"error": {"message": "m"}}, **{"x-echo": f"got {prompt}", "x-a": "b"})
    redact(error, secrets=[], prompts=lambda: [prompt])
    assert error.headers == {"x-echo": "got [redacted]", "x-a": "b"}
