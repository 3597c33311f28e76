"""How a run of tools goes: what its caller may choose."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

import attrs

from ...errors import InvalidRequestError
from ...types import ToolCall
from ...types.requests.numbers import integer_in

Consent = Callable[[ToolCall, Mapping[str, Any]], bool | str | Awaitable[bool | str]]
"""Asked before a tool runs, with the call and its arguments: True lets it run; False, or the reason as text, does not,
and the model is told so."""


@attrs.frozen(kw_only=True)
class RunRules:
    """How a run goes; see `ChatCompletions.run_tools`."""

    max_turns: int = 10
    max_parallel: int = 8
    on_error: Literal["tell", "raise"] = "tell"
    stream: bool = False
    consent: Consent | None = None

    def __attrs_post_init__(self) -> None:
        for name in ("max_turns", "max_parallel"):
            value = integer_in(getattr(self, name))
            if value is None or value < 1:
                raise InvalidRequestError(name, getattr(self, name), "an integer of at least 1")
            object.__setattr__(self, name, value)
        if self.on_error not in ("tell", "raise"):
            raise InvalidRequestError("on_error", self.on_error, "'tell' (the model) or 'raise'")
        if not isinstance(self.stream, bool):
            raise InvalidRequestError("stream", self.stream, "True or False")
        if self.consent is not None and not callable(self.consent):
            raise InvalidRequestError("consent", None, f"a function or None, not {type(self.consent).__name__}")
