"""Whether a streamed answer that did not reach its end is continued. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

import attrs

from ..errors import APITimeoutError, DeepSeekError, InvalidRequestError, StreamInterruptedError
from ..types.requests.numbers import integer_in, integer_or_same
from ..types.structs import knows_its_names
from ..types.values import Brief

INTERRUPTED: Final = "interrupted"
LENGTH: Final = "length"


def _check_on(_: object, __: object, value: object) -> None:
    if not isinstance(value, frozenset):
        raise InvalidRequestError("resume.on", None, f"a set of words, not {type(value).__name__}")
    if not value or value - {INTERRUPTED, LENGTH}:
        raise InvalidRequestError("resume.on", sorted(value), f"one or both of {INTERRUPTED!r} and {LENGTH!r}")


def _check_attempts(_: object, __: object, value: object) -> None:
    if (attempts := integer_in(value)) is None or attempts < 1:
        raise InvalidRequestError("resume.attempts", value, "an integer of at least 1")


def _to_set(value: object) -> object:
    # What is no set is refused by the validator, when the object has a repr.
    return frozenset(map(str, value)) if isinstance(value, (set, frozenset, list, tuple)) else value


@knows_its_names
@attrs.frozen(kw_only=True, repr=False)
class Resume(Brief):
    """Continue a streamed answer instead of failing or ending early.

    The server is asked again, with the text so far as the prefix of its answer (page "Chat Prefix Completion"; beta
    base URL), and the stream goes on where it was. What came before is billed again as prompt.

    Args:
        on: ``"interrupted"``: the stream was cut, fell silent (``idle``), or the server broke it off.
            ``"length"``: the answer reached ``max_tokens``; each continuation may bring as many again.
        attempts: How many times an answer is continued at most. Each continuation has the attempts of the call's
            `RetryPolicy` until its first text.

    Raises:
        InvalidRequestError: A value is not allowed.
    """

    _has_all = True

    on: AbstractSet[str] = attrs.field(default=frozenset({INTERRUPTED}), converter=_to_set, validator=_check_on)
    attempts: int = attrs.field(default=2, converter=integer_or_same, validator=_check_attempts)

    def covers(self, end: DeepSeekError | str | None) -> bool:
        """Whether an end is one to continue after.

        Args:
            end: How the stream failed, or with which finish reason it ended well.
        """
        if isinstance(end, DeepSeekError):
            return INTERRUPTED in self.on and _is_interruption(end)
        return end == LENGTH and LENGTH in self.on


def _is_interruption(error: DeepSeekError) -> bool:
    if isinstance(error, APITimeoutError):
        return error.phase == "idle"
    if isinstance(error, StreamInterruptedError):
        # A refusal in the band (a content filter, say) would only be repeated.
        return error.cause is None or error.cause.retryable
    return False
