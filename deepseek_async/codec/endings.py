"""How an answer ended by the server's own word: that it finished it, or that it broke it off."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from ..errors import ServiceUnavailableError
from ..types import ChatCompletion, FinishReason, TextCompletion

W = TypeVar("W", ChatCompletion, TextCompletion)

_WORD_START = re.compile(r"(?<=[a-z])(?=[A-Z])")

BROKEN_OFF = frozenset(
    (
        # DeepSeek (page "Create Chat Completion")
        FinishReason.INSUFFICIENT_SYSTEM_RESOURCE,
        FinishReason.ABORTED,
        # vLLM and SGLang: the request was aborted; gateways close a choice that failed with "error"
        "abort",
        "error",
        # Z.ai's GLM, OpenCode Zen
        "network_error",
        # gateways, by the kind of thing that failed
        "connection_closed",
        "connection_lost",
        "connection_reset",
        "crash",
        "crashed",
        "exception",
        "failed",
        "failed_generation",
        "failure",
        "generation_failed",
        "fatal",
        "interrupted",
        "oom",
        "out_of_memory",
        "rate_limit",
        "rate_limited",
        "unavailable",
        # a deadline of the server's, or somebody there who ended it
        "cancel",
        "deadline_exceeded",
        "killed",
        "preempted",
        "server_shutdown",
        "server_stopped",
        "shutdown",
        "terminated",
        "time_out",
        "timed_out",
        "worker_died",
    )
)
"""Finish reasons by which servers say that they broke the generation off, in small letters and with underscores."""

BROKEN_OFF_ENDINGS = (
    "error", "abort", "aborted", "cancelled", "canceled", "disconnect", "disconnected", "exception", "overloaded",
    "timeout", "interrupted", "unavailable",
)  # fmt: skip
"""Last words of such reasons: ``upstream_error``, ``client_disconnected``, ``gateway_timeout``. Any other reason that
is not documented stays a word: the server has ended the answer in its own way."""

# Looked at first: nearly every answer ends so.
_ENDS = frozenset((FinishReason.STOP, FinishReason.LENGTH, FinishReason.TOOL_CALLS, FinishReason.CONTENT_FILTER))


def interruption_in(finish_reasons: Iterable[str | None]) -> str | None:
    """The reason by which the server says that it broke the generation of a choice off; ``None`` if there is none."""
    for reason in finish_reasons:
        if reason is not None and reason not in _ENDS and _is_broken_off(_written_alike(reason)):
            return reason
    return None


def reason_of(choice: Any) -> str | None:
    """A choice's finish reason; of a gateway that has words of its own, its server's, if that says that it broke off.

    OpenRouter has that word beside its own, as ``native_finish_reason``. LiteLLM, which calls all that it does not know
    "stop", has it so among a whole answer's ``provider_specific_fields``.
    """
    reason: str | None = choice.finish_reason
    if reason is not None and (extra := choice.extra):
        native = extra.get("native_finish_reason")
        if native is None and isinstance(own := extra.get("provider_specific_fields"), Mapping):
            native = own.get("native_finish_reason")
        if isinstance(native, str) and interruption_in((native,)) is not None:
            return native
    return reason


def last_reason(before: str | None, now: str) -> str:
    """Which of two finish reasons of a choice counts: the last, but that it was broken off is not taken back."""
    return now if before is None or interruption_in((before,)) is None else before


def _is_broken_off(reason: str) -> bool:
    return reason in BROKEN_OFF or reason.rpartition("_")[2] in BROKEN_OFF_ENDINGS


def _written_alike(reason: str) -> str:
    if reason.islower() and reason.isalpha():
        return reason
    return _WORD_START.sub("_", reason.strip()).lower().replace("-", "_").replace(" ", "_")


def finished(completion: W) -> W:
    """The completion, if the server finished it.

    Raises:
        ServiceUnavailableError: It says that it broke the generation off; ``partial`` is the completion.
    """
    if completion.complete:
        return completion
    reason = interruption_in([choice.finish_reason for choice in completion.choices])
    raise broken_off(reason, partial=completion, request_id=completion.request_id)


def broken_off(reason: str | None, **context: Any) -> ServiceUnavailableError:
    """The error that a finish reason stands for by which the server says that it broke the generation off."""
    message = f"the server broke the answer off: finish_reason {reason!r}"
    return ServiceUnavailableError(message, status=200, code=reason, **context)
