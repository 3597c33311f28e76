"""What people type who come from the `openai` package: taken where it means the same, else answered with our word.

| they write | it means |
| --- | --- |
| ``timeout=20`` | ``timeouts={"total": 20}`` |
| ``max_retries=2`` | ``retry={"attempts": 3}``: attempts count the first |
| ``max_completion_tokens=…`` | ``max_tokens=…`` |
| ``user=…`` | ``user_id=…`` |
| ``n``, ``seed``, ``logit_bias``, ``parallel_tool_calls``, … | fields of ``extra_body``: other servers know them |
| ``NOT_GIVEN`` | the parameter is left out |
| ``functions``, ``function_call``, ``extra_query``, … | an error that names what to write instead |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from ..errors import InvalidRequestError


class NotGiven:
    """The type of `NOT_GIVEN`."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "NOT_GIVEN"

    def __reduce__(self) -> str:
        return "NOT_GIVEN"


NOT_GIVEN: Final = NotGiven()
"""As a parameter's value: the parameter is left out. The same as not writing it."""

_RENAMED: Mapping[str, str] = {"max_completion_tokens": "max_tokens", "user": "user_id"}

# Of OpenAI's API and of other servers; DeepSeek's own ignores them.
_PASSED_ON = frozenset(
    (
        "n",
        "seed",
        "logit_bias",
        "parallel_tool_calls",
        "service_tier",
        "store",
        "metadata",
        "prompt_cache_key",
        "safety_identifier",
        "verbosity",
    )
)

_ADVICE: Mapping[str, str] = {
    "functions": "tools=[{'type': 'function', 'function': …}], or run_tools(tools=[function])",
    "function_call": "tool_choice='auto', 'none', 'required' or {'type': 'function', 'function': {'name': …}}",
    "extra_query": "a base_url that ends with the query",
    "with_raw_response": "completion.request_id and hooks; for a stream, stream.headers and stream.status",
    "modalities": "text: this API has no other output",
    "audio": "text: this API has no other output",
    "prediction": "no prediction: this API has none",
    "web_search_options": "a tool of yours: this API searches nothing",
}

SPELLINGS: Final = frozenset((*_RENAMED, *_PASSED_ON, *_ADVICE, "timeout", "max_retries"))


def translate(parameters: dict[str, Any]) -> None:
    """Put our words in place of theirs.

    Raises:
        InvalidRequestError: A word that has no counterpart, or one said twice; the message names what to write.
    """
    for name in [name for name, value in parameters.items() if value is NOT_GIVEN]:
        del parameters[name]
    for name in SPELLINGS.intersection(parameters):
        value = parameters.pop(name)
        if (advice := _ADVICE.get(name)) is not None:
            raise InvalidRequestError(name, None, advice)
        if value is None:
            continue
        if name == "timeout":
            _put(parameters, "timeouts", {"total": value}, name)
        elif name == "max_retries":
            _put(parameters, "retry", {"attempts": attempts_of(value)}, name)
        elif name in _PASSED_ON:
            body = parameters.get("extra_body") or {}
            parameters["extra_body"] = {name: value, **body}
        else:
            _put(parameters, _RENAMED[name], value, name)


def attempts_of(max_retries: object) -> int:
    """The attempts that a number of retries allows. Raises `InvalidRequestError`."""
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
        raise InvalidRequestError(
            "max_retries", max_retries, "an integer of at least 0; or retry=RetryPolicy(attempts=…)"
        )
    return max_retries + 1


def _put(parameters: dict[str, Any], name: str, value: Any, spelled: str) -> None:
    if parameters.get(name) is not None:
        raise InvalidRequestError(spelled, None, f"{spelled} or {name}, not both: they mean the same")
    parameters[name] = value
