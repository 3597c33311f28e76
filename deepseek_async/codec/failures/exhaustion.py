"""What a 429 says besides "too many": how long to wait, and whether waiting helps at all.

Servers answer 429 to what passes in a second and to what passes when somebody has paid. Looked at is, in this order:

| what it says | e.g. | so waiting |
| --- | --- | --- |
| the limit of a day or a month, by Google's ``quotaId`` | ``…RequestsPerDayPerProject…``, a limit of 0 | does not help |
| a limit of a second or a minute, or of what is in flight | DeepSeek's "current concurrency", "tokens per minute", "RPM"; \
Alibaba's ``insufficient_quota``, which is its limit of tokens a minute | helps |
| a balance, a bill, a budget, an account that is closed | OpenAI's ``insufficient_quota`` and \
``billing_hard_limit_reached``, Moonshot's ``exceeded_current_quota_error``, xAI's "used all available credits", LiteLLM's \
``budget_exceeded``, Zhipu's 1113 | does not help |
| when to come back | "try again in 7m12s", a ``Retry-After`` | helps, after that time |
| a used-up quota, a limit of a day, a week or a month | OpenRouter's "free-models-per-day", "tokens per day (TPD)" | does not help |
| anything else | "Rate limit reached" | helps |
"""  # noqa: E501 - rows of a table

from __future__ import annotations

import re
from typing import Final

# Google's quotas by their ids, and what it says of models that a plan does not have.
_OF_A_DAY: Final = re.compile(r"quotaid\W{1,8}[\w-]{0,200}per(?:day|week|month)|\blimit: 0\b")
_PASSING: Final = re.compile(
    r"per[ _-]?(?:min(?:ute)?s?|sec(?:ond)?s?)\b|(?:by|per)_?(?:minute|second)|/ ?(?:min(?:ute)?|sec(?:ond)?|s)\b"
    r"|\b[rtq]p[ms]\b"
    r"|concurren|in flight|allocated quota|allocationquota|aliyun|alibabacloud|model-studio"
)
_CODES: Final = frozenset(
    [
        *("insufficient_quota", "insufficient_user_quota", "insufficient_balance", "insufficient_credits"),
        *("insufficient_funds", "exceeded_current_quota", "exceeded_current_quota_error", "billing_not_active"),
        *("billing_hard_limit_reached", "billing_limit_reached", "account_deactivated", "account_suspended"),
        *(
            "access_terminated",
            "budget_exceeded",
            "exceededbudget",
            "payment_required",
            "arrearage",
            "setlimitexceeded",
        ),
        *("accountoverdueerror", "account_overdue", "free_usage_limit_reached"),
        *("1112", "1113", "1308", "1309", "1310"),  # Zhipu's page of error codes: locked, in arrears, used up, expired
    ]
)
_PAID: Final = re.compile(
    r"hard limit|spending limit|spend limit|credit limit|billing (?:limit|is not|not)"
    r"|insufficient[ _](?:quota|balance|credit|fund)"
    r"|(?:out of|no (?:more|remaining)|used (?:up )?all(?: of)?(?: your| available)?|run out of) credits?"
    r"|credits? (?:\w+ ){0,3}(?:exhausted|depleted|used up|expired)"
    r"|(?:balance|credits?|funds) (?:\w+ ){0,2}(?:too low|insufficient|exhausted|depleted|used up)"
    r"|(?:account|organization|organisation|team|project|api key|key|subscription|plan|access)\b[^.;]{0,60}"
    r"(?:suspended|deactivated|terminated|disabled|not active|overdue|in arrears|expired)"
    r"|over (?:its |your |the )?budget|budget (?:\w+ ){0,3}exceeded|exceeded (?:\w+ ){0,3}budget"
    r"|free (?:trial|tier)[^.;]{0,60}(?:exhausted|used up|ended|expired|exceeded)"
    r"|欠费|余额不足|额度不足|额度已|已用尽|已用完|请充值|已到期|已过期|封禁|停用"
)
_USED_UP: Final = re.compile(
    r"exceeded (?:your|the|its) (?:\w+ ){0,2}quota|quota (?:\w+ ){0,3}(?:exceeded|exhausted|used up|depleted)"
    r"|out of (?:\w+ )?quota|usage limit|quota_exceeded|quotaexceeded|check your plan"
    r"|(?:per[ _-]?|/ ?)(?:day|week|month)\b|by_?day|\btoday\b|\bdaily\b|\bweekly\b|\bmonthly\b|\b[rt]pd\b"
    r"|今日|每日|每天|本月|每月|每周"
)

_WAIT: Final = re.compile(
    r"(?:try(?:ing)?(?: it)? again|retry(?:ing)?(?: (?:your|the) request)?|wait(?:ing)?|resets?)"
    r"(?: again)?(?: in| after| for| at least| another){0,2}(?: about| approximately)?:?\s{1,4}"
    r"((?:[0-9]{1,9}(?:\.[0-9]{1,12})?\s?(?:milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)"
    r"(?![a-z])(?:,? and |, | )?){1,4})"
)
_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,12})?)\s?(ms|milli|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "milli": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DELAY: Final = re.compile(r"retrydelay\W{1,8}([0-9]{1,9}(?:\.[0-9]{1,12})?)s")
# Nobody says in more what went wrong; what follows is details, or a page.
_LOOKED_AT: Final = 4096


def wait_told(said: str, body: str = "") -> float | None:
    """How long to wait by a refusal's words, or by Google's ``retryDelay``, in seconds; ``None``: they do not say."""
    if (delay := _DELAY.search(body[: 4 * _LOOKED_AT].lower())) is not None:
        return float(delay[1])
    if (told := _WAIT.search(said[:_LOOKED_AT].lower())) is None:
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(told[1]))


def is_exhausted(said: str, *, code: str | None, type: str | None, body: str, wait: float | None) -> bool:  # noqa: A002
    """Whether what is refused will still be refused in a few minutes, by the table above.

    Args:
        said: Its words.
        code, type: Its fields.
        body: All of it, for what only Google says.
        wait: After how many seconds to come back, if it says so, be it in a header.
    """
    if _OF_A_DAY.search(body[: 4 * _LOOKED_AT].lower()):
        return True
    fields = [field.lower() for field in (code, type) if field]
    words = " ".join((*fields, said[:_LOOKED_AT].lower()))
    if _PASSING.search(words):
        return False
    if not _CODES.isdisjoint(fields) or _PAID.search(words):
        return True
    return wait is None and _USED_UP.search(words) is not None
