"""The error tree: what derives from what, what each carries, how it reads, and that it survives a process border."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest

from deepseek_async import errors
from deepseek_async.errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    DeepSeekError,
    EmptyResponseError,
    InternalServerError,
    InvalidRequestError,
    MalformedResponseError,
    RateLimitError,
    ResponseTooLargeError,
    ServiceUnavailableError,
    StreamInterruptedError,
    describe,
)
from deepseek_async.policy.retry import RetryPolicy
from deepseek_async.types import ChatCompletion, Choice

TREE = {
    "BudgetExceededError": (DeepSeekError,),
    "TurnLimitError": (DeepSeekError,),
    "InvalidRequestError": (DeepSeekError, ValueError),
    "APIConnectionError": (DeepSeekError,),
    "APITimeoutError": (DeepSeekError, TimeoutError),
    "APIStatusError": (DeepSeekError,),
    "BadRequestError": (APIStatusError,),
    "AuthenticationError": (APIStatusError,),
    "InsufficientBalanceError": (APIStatusError,),
    "PermissionDeniedError": (APIStatusError,),
    "NotFoundError": (APIStatusError,),
    "UnprocessableEntityError": (APIStatusError,),
    "RateLimitError": (APIStatusError,),
    "InternalServerError": (APIStatusError,),
    "ServiceUnavailableError": (InternalServerError,),
    "APIResponseError": (DeepSeekError,),
    "MalformedResponseError": (APIResponseError,),
    "EmptyResponseError": (APIResponseError,),
    "ResponseTooLargeError": (APIResponseError,),
    "StreamInterruptedError": (DeepSeekError,),
    "DeepSeekError": (Exception,),
}

PARTIAL = ChatCompletion("1", choices=(Choice(),), complete=False)

ERRORS: list[DeepSeekError] = [
    InvalidRequestError("temperature", 3, "0 to 2"),
    InvalidRequestError("x", message="said otherwise"),
    APIConnectionError("refused", during="connect", request_id="r", attempts=2),
    APITimeoutError("late", phase="idle", seconds=1.5, keepalives=3, partial=PARTIAL, delivered=7),
    RateLimitError(
        "HTTP 429", status=429, limit=25, current=26, retry_after=1.0, headers={"a": "b"}, code="c", param="p"
    ),
    ServiceUnavailableError("busy", status=503, type="t", code="c"),
    MalformedResponseError("no", body="{", path="$.a"),
    EmptyResponseError("nothing"),
    ResponseTooLargeError("large", limit=10),
    StreamInterruptedError("cut", partial=PARTIAL, delivered=3, cause=APIConnectionError("reset")),
]


def test_the_tree_is_the_documented_one() -> None:
    """Every class, its parents, and no other."""
    classes = {
        name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, BaseException)
    }
    warnings = {"NoEffectWarning"}  # never raised, unless somebody makes errors of warnings
    assert classes - warnings == set(errors.__all__) - warnings == set(TREE)
    assert errors.NoEffectWarning.__bases__ == (UserWarning,)
    for name, parents in TREE.items():
        assert getattr(errors, name).__bases__ == parents


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_every_error_carries_the_three(error: DeepSeekError) -> None:
    """Request id, attempts, and whether it helps to try again; and what had arrived."""
    assert isinstance(error.attempts, int)
    assert isinstance(error.retryable, bool)
    assert error.request_id is None or isinstance(error.request_id, str)
    assert isinstance(error.delivered, int)
    assert error.partial in (None, PARTIAL)
    assert error.message
    assert str(error).startswith(error.message)
    assert type(error).__doc__


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_every_error_pickles(error: DeepSeekError) -> None:
    """All that it carries comes out, keyword-only arguments and causes too."""
    error.history = ("APIConnectionError: refused",)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.args == error.args
    before, after = dict(vars(error)), dict(vars(again))
    cause, cause_again = before.pop("cause", None), after.pop("cause", None)
    assert after == before
    assert str(cause_again) == str(cause)
    assert again.__cause__ is cause_again


def test_a_pickled_refusal_leaves_its_body_behind() -> None:
    """A refusal's body may quote the request, and a pickle goes to places that prompts must not go to."""
    refusal = RateLimitError("HTTP 429: no", status=429, body='{"input": "the secret prompt"}')
    again = pickle.loads(pickle.dumps(StreamInterruptedError("cut", cause=refusal)))  # noqa: S301
    assert again.cause.status == 429
    assert again.cause.body == ""
    assert refusal.body
    assert b"secret" not in pickle.dumps(refusal)


@pytest.mark.parametrize(
    ("error_class", "arguments", "retryable"),
    [
        (APIConnectionError, {}, True),
        (APITimeoutError, {"phase": "total", "seconds": 1.0}, False),
        (APIStatusError, {"status": 418}, False),
        (errors.BadRequestError, {"status": 400}, False),
        (errors.AuthenticationError, {"status": 401}, False),
        (errors.InsufficientBalanceError, {"status": 402}, False),
        (RateLimitError, {"status": 429}, True),
        (InternalServerError, {"status": 500}, True),
        (ServiceUnavailableError, {"status": 503}, True),
        (MalformedResponseError, {}, False),
        (EmptyResponseError, {}, True),
        (ResponseTooLargeError, {"limit": 1}, False),
        (StreamInterruptedError, {}, True),
    ],
)
def test_each_class_knows_whether_to_try_again(
    error_class: type[DeepSeekError], arguments: dict[str, Any], retryable: bool
) -> None:
    """By the facts that it carries."""
    assert error_class("m", **arguments).retryable is retryable


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a\x1b[31mb", "a␛[31mb"),
        ("\x00\r\x7f", "␀␍␡"),
        ("a\x9b1m\u202eb\u2066", "a\ufffd1m\ufffdb\ufffd"),
        ("two\nlines\tand 日本 \u200dé", "two\nlines\tand 日本 \u200dé"),
    ],
)
def test_a_message_steers_no_terminal(said: str, shown: str) -> None:
    """What a server says of itself goes through a terminal wherever a traceback is printed; the fact stays as it is."""
    error = DeepSeekError(said, request_id=said, attempts=2)
    assert (error.message, str(error)) == (shown, f"{shown} (request_id={shown}, attempts=2)")
    assert error.request_id == said


def test_a_message_tells_the_attempts_and_their_history() -> None:
    """Of the last attempt in the first place; of those before in a line each."""
    error = APIConnectionError("refused", request_id="r", attempts=3)
    error.history = describe([APIConnectionError("one"), RateLimitError("two", status=429)])
    assert str(error) == ("refused (request_id=r, attempts=3); before: APIConnectionError: one; RateLimitError: two")
    assert str(APIConnectionError("refused", attempts=1)) == "refused"


def test_a_wrong_request_names_parameter_value_and_range() -> None:
    """All three in the message, a long value cut; without a value or a range what there is."""
    assert str(InvalidRequestError("top_p", 1.5, "0 to 1")) == "top_p is 1.5; allowed: 0 to 1"
    assert str(InvalidRequestError("top_p", None, "0 to 1")) == "top_p; allowed: 0 to 1"
    assert str(InvalidRequestError("top_p", 1.5)) == "top_p is 1.5"
    assert str(InvalidRequestError("top_p")) == "top_p"
    assert str(InvalidRequestError("x", "a" * 100)) == f"x is '{'a' * 58}…"


def test_the_cause_is_the_cause() -> None:
    """As an attribute and as Python's own `__cause__`, so that a traceback shows both."""
    cause = APIConnectionError("reset")
    error = StreamInterruptedError("cut", cause=cause)
    assert error.cause is cause
    assert error.__cause__ is cause
    assert StreamInterruptedError("cut").cause is None


@pytest.mark.parametrize(
    ("error", "may_be_billed"),
    [
        (InvalidRequestError("model"), False),
        (APIConnectionError("refused", during="connect"), False),
        (APIConnectionError("reset"), True),
        (APIConnectionError("closed", reason="closed"), True),
        (APITimeoutError("late", phase="connect", seconds=1.0), False),
        (APITimeoutError("late", phase="first_chunk", seconds=1.0), True),
        (APITimeoutError("late", phase="idle", seconds=1.0), True),
        (APITimeoutError("late", phase="total", seconds=1.0), True),
        (APITimeoutError("late", phase="total", seconds=1.0, waiting="the server asked for 60 s"), False),
        (RateLimitError("no", status=429), False),
        (ServiceUnavailableError("busy", status=503), False),
        (ServiceUnavailableError("a page", status=503, by_gateway=True), True),
        (InternalServerError("bad gateway", status=502), True),
        (InternalServerError("late", status=504), True),
        (InternalServerError("late", status=524), True),
        (InternalServerError("no connection", status=521), False),
        (InternalServerError("in the answer", status=200), True),
        (MalformedResponseError("no JSON"), True),
        (EmptyResponseError("nothing"), True),
        (StreamInterruptedError("cut"), True),
    ],
    ids=range(20),
)
def test_each_error_knows_whether_it_may_be_billed(error: DeepSeekError, may_be_billed: bool) -> None:
    """A server may have read the request: by what the error tells, or an attempt before it told."""
    assert error.may_be_billed is may_be_billed
    error.billed_before = True
    assert error.may_be_billed
    assert pickle.loads(pickle.dumps(error)).may_be_billed  # noqa: S301


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (APIConnectionError("m", reason=reason), retryable)  # type: ignore[arg-type]
        for reason, retryable in {
            "network": True,
            "untrusted": False,
            "address": False,
            "protocol": False,
            "proxy": False,
            "closed": False,
            "unscripted": False,
        }.items()
    ]
    + [
        (APITimeoutError("m", phase=phase, seconds=1.0), phase == "connect")  # type: ignore[arg-type]
        for phase in ("connect", "first_chunk", "idle", "total")
    ]
    + [
        (StreamInterruptedError("m", by_caller=True), False),
        (StreamInterruptedError("m", cause=APIConnectionError("m")), True),
        (StreamInterruptedError("m", cause=APIConnectionError("m", reason="closed")), False),
        (StreamInterruptedError("m", cause=RateLimitError("m", status=429)), True),
        (StreamInterruptedError("m", cause=APIStatusError("m", status=400)), False),
        (StreamInterruptedError("m", cause=APITimeoutError("m", phase="idle", seconds=1.0)), False),
    ],
)
def test_one_table_says_what_is_tried_again(error: DeepSeekError, retryable: bool) -> None:
    """For the policy, for batches and for whoever asks the error: the same."""
    assert error.retryable is retryable
    wait = RetryPolicy().wait_before_next(error, attempt=1, delivered=0, remaining=None, randomness=0.0)
    assert (wait is not None) is retryable


@pytest.mark.parametrize("status", [200, 301, 400, 404, 407, 408, 418, 429, 499, 500, 501, 503, 529, 599])
def test_statuses_by_the_table(status: int) -> None:
    """What is busy or broken, and an error in an answer."""
    assert APIStatusError("m", status=status).retryable is (status in (200, 408, 429) or status >= 500)
