"""How a command may end."""

from __future__ import annotations

import pytest

from deepseek_async import errors
from deepseek_async.cli.endings import line_of
from deepseek_async.types import AssistantMessage, ChatCompletion, Choice

_PARTIAL = ChatCompletion(choices=(Choice(0, AssistantMessage("half")),), complete=False)


@pytest.mark.parametrize(
    ("error", "todo"),
    [
        (errors.APIConnectionError("cannot connect", during="connect"), "--sandbox"),
        (errors.APIConnectionError("the connection broke"), "try again"),
        (errors.APITimeoutError("too late", phase="connect", seconds=1.0), "network"),
        (errors.APITimeoutError("too late", phase="idle", seconds=1.0), "try again"),
        (errors.RateLimitError("too many", status=429), "try again"),
        (errors.InternalServerError("oops", status=500), "try again"),
        (errors.MalformedResponseError("no JSON"), "--base-url"),
        (errors.EmptyResponseError("nothing"), "try again"),
        (errors.StreamInterruptedError("cut", partial=_PARTIAL), "what arrived is incomplete (4 characters)"),
        (errors.InvalidRequestError("top_p", 3, "0 to 1"), "--top-p is 3; allowed: 0 to 1"),
    ],
)
def test_every_error_says_what_to_do(error: errors.DeepSeekError, todo: str) -> None:
    """What happened comes first; then, where the text itself does not tell, what to do."""
    line = line_of(error)
    assert todo in line
    assert isinstance(error, errors.InvalidRequestError) or line.startswith(error.message)


def test_a_refusal_that_cannot_be_mended_by_repeating_is_not_said_to() -> None:
    """Advice that does not help is worse than none."""
    assert line_of(errors.BadRequestError("no such parameter", status=400)) == "no such parameter"
