"""A 429 that waiting helps, and one that it does not."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from deepseek_async.codec.failures.exhaustion import is_exhausted, wait_told
from deepseek_async.codec.failures.statuses import failure_from
from deepseek_async.errors import RateLimitError
from deepseek_async.policy.retry import RetryPolicy

NOW = datetime(2026, 11, 28, tzinfo=UTC)
PLAN = "You exceeded your current quota, please check your plan and billing details."


def refusal(said: Any, **headers: str) -> RateLimitError:
    body = {"error": {"message": said} if isinstance(said, str) else said}
    error = failure_from(
        429, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body).encode(), NOW
    )
    assert isinstance(error, RateLimitError)
    return error


def google(*quotas: str, delay: str = "21s") -> dict[str, Any]:
    violations = [{"quotaMetric": "requests", "quotaId": quota} for quota in quotas]
    details = [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
    ]
    return {"code": 429, "message": PLAN, "status": "RESOURCE_EXHAUSTED", "details": details}


USED_UP: list[Any] = [
    {"message": PLAN, "type": "insufficient_quota", "code": "insufficient_quota", "param": None},  # OpenAI
    {"message": "Billing hard limit has been reached", "code": "billing_hard_limit_reached"},
    {
        "message": "Your account is not active, please check your billing details on our website.",
        "code": "billing_not_active",
    },
    {
        "message": "Your account <org-1> is suspended, please check your plan",
        "type": "exceeded_current_quota_error",
    },  # Moonshot
    {"code": "1113", "message": "您的账户已欠费,请充值后重试。"},  # Zhipu
    {"code": "1304", "message": "该API已达到今日调用次数限额"},
    "Your team has either used all available credits or reached its monthly spending limit. Buy more.",  # xAI
    {"message": "Budget has been exceeded! Current cost: 10.2, Max budget: 10.0", "type": "budget_exceeded"},  # LiteLLM
    "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day",  # OpenRouter
    "Account acme is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices.",
    {"code": "SetLimitExceeded", "message": "The account has reached the set inference limit."},  # Ark
    "you have used up your daily free allocation of 10,000 neurons",  # Cloudflare
    "Tokens per day limit exceeded - too many tokens processed.",  # Cerebras
    google("GenerateRequestsPerDayPerProjectPerModel-FreeTier"),
    google("GenerateContentInputTokensPerModelPerMinute-FreeTier", "GenerateRequestsPerDayPerProjectPerModel-FreeTier"),
    {
        "code": 429,
        "message": PLAN + "\n* Quota exceeded for metric: requests, limit: 0, model: g\nPlease retry in 20.04s.",
    },
    "You are using a Trial key, which is limited to 1000 API calls / month.",  # Cohere
    "Number of request tokens has exceeded your daily rate limit",  # Anthropic
    "Your account reached organization TPD rate limit, current: 1500001, limit: 1500000",  # Moonshot
    {"code": "1308", "message": "已达到 5 小时的使用上限。您的限额将在 2026-11-28 18:00:00 重置。"},
    {"code": "QuotaExceeded", "message": "Your account has exhausted its free trial quota for the model."},
    "Open api daily request limit reached",  # Baidu
    "You have no requests left for today.",
    {"code": "insufficient_user_quota", "message": "用户额度不足"},  # one-api
    PLAN,
]
PASSING: list[Any] = [
    "Your current concurrency is 26, which exceeds your concurrency limit of 25 based on your balance. Please top up",
    "Rate limit reached for requests per minute (RPM): Limit 3. Visit billing to add a payment method.",
    "Rate limit reached for TPM",
    "Rate limit exceeded: free-models-per-min.",
    {
        "message": PLAN + " See https://help.aliyun.com/zh/model-studio/error-code#token-limit.",
        "code": "insufficient_quota",
    },
    {"message": "Allocated quota exceeded, please increase your quota limit.", "code": "Throttling.AllocationQuota"},
    {"message": "Requests per minute limit exceeded", "code": "request_quota_exceeded"},  # Cerebras
    google("GenerateRequestsPerMinutePerProjectPerModel-FreeTier"),
    "The engine is currently overloaded, please try again later",
    "Rate limit of 10 per 60s exceeded for UserByModelByMinute.",
    "You are using a Trial key, which is limited to 20 API calls / minute.",
    "Your account org-1 request reached organization max RPM: 3, please try again after 1 seconds",
    "Request was rejected due to rate limiting. Details: TPM limit reached.",  # SiliconFlow
    {"code": "1302", "message": "您的账户已达到速率限制，请您控制请求频率"},
    "m is temporarily rate-limited upstream. Please retry shortly, or add your own key to accumulate your rate limits",
    "have exceeded token rate limit of your current pricing tier. Please retry after 24 seconds.",  # Azure
    "No deployments available for selected model, Try again in 60 seconds. cooldown_list=['x']",  # LiteLLM
    "Max parallel request limit reached. Hit limit for api_key: x, tpm_limit: 100",
    "Open api qps request limit reached",
    "This request would exceed your account's rate limit. Please try again later.",
    "Rate limited",
    {"message": "Service tier capacity exceeded for this model.", "code": "3505"},
    "",
    "Rate limit reached on requests per day (RPD): Limit 10000, Used 10000. Please try again in 8.64s.",  # it refills
]


@pytest.mark.parametrize("said", USED_UP, ids=str)
def test_used_up(said: Any) -> None:
    """Asked once: no attempt follows, and the message says what to look at."""
    error = refusal(said)
    assert error.is_exhausted
    assert not error.retryable
    assert not error.may_be_billed
    assert "waiting a moment does not help" in str(error)
    assert RetryPolicy().wait_before_next(error, attempt=1, delivered=0, remaining=None, randomness=0.5) is None


@pytest.mark.parametrize("said", PASSING, ids=str)
def test_passing(said: Any) -> None:
    """Tried again, as before."""
    error = refusal(said)
    assert not error.is_exhausted
    assert error.retryable
    assert "waiting a moment" not in str(error)


def test_a_day_that_says_when_it_ends_is_waited_for_by_its_length() -> None:
    """What decides is then `RetryPolicy.retry_after_max`."""
    day = "Rate limit reached for tokens per day (TPD): Limit 100000, Used 99386."
    assert refusal(day).is_exhausted
    for error, seconds in (
        (refusal(f"{day} Please try again in 1h3m9.5s."), 3789.5),
        (refusal(day, retry_after="40"), 40.0),
        (refusal(f"{day} Please try again in 9s.", retry_after="40"), 40.0),
    ):
        assert (error.is_exhausted, error.retryable, error.retry_after) == (False, True, seconds)
        wait = RetryPolicy().wait_before_next(error, attempt=1, delivered=0, remaining=None, randomness=0.0)
        assert wait == (seconds if seconds < 120 else None)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Please try again in 7m12s. Visit …", 432.0),
        ("Please try again in 20ms.", 0.02),
        ("Please retry in 35.7s.", 35.7),
        ("Please wait 38520 seconds before retrying.", 38520.0),
        ("Please retry after 5 seconds", 5.0),
        ("Retry your request after 2 minutes", 120.0),
        ("try again in 1 day, 2 hours and 3 minutes", 93780.0),
        ("Your limit resets in 3h", 10800.0),
        ("wait for at least 30 s", 30.0),
        ("please try again later", None),
        ("please try again in a moment", None),
        ("after 3 tries in 5 seconds", None),
        ("try again in 5 apples", None),
        ("try again in 5", None),
        ("", None),
    ],
)
def test_waits_in_words(said: str, seconds: float | None) -> None:
    """As servers write them."""
    assert wait_told(said) == (None if seconds is None else pytest.approx(seconds))


def test_google_says_it_in_its_details() -> None:
    """And it is heeded like a header."""
    assert refusal(google("GenerateRequestsPerMinutePerProject", delay="36.5s")).retry_after == 36.5
    assert refusal(google("GenerateRequestsPerMinutePerProject", delay="36.5s"), retry_after="3").retry_after == 3.0


@pytest.mark.parametrize(
    "text",
    ["account " * 20_000, "try again in " * 9_000, "retry after 1s " * 9_000, "credits a " * 9_000, "9" * 90_000],
)
def test_no_words_take_long(text: str) -> None:
    """However they are made to hurt."""
    started = time.process_time()
    wait_told(text, text)
    is_exhausted(text, code=text, type=text, body=text, wait=None)
    assert time.process_time() - started < 0.2
