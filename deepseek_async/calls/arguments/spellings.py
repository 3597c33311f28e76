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

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypedDict

from ...errors import InvalidRequestError
from ...types.requests.numbers import integer_in


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
    "modalities": "text: this API has no other output",
    "audio": "text: this API has no other output",
    "prediction": "no prediction: this API has none",
    "response_type": "parse(response_type=…), stream_parse or a batch",
    "resume": "stream(resume=…): what comes in one piece is not continued",
    **{name: f"run_tools({name}=…)" for name in ("max_turns", "max_parallel", "on_error", "consent")},
    "attempts": "retry=RetryPolicy(attempts=…)",
    "web_search_options": "a tool of yours: this API searches nothing",
}

MEANT_BY: Final[Mapping[str, str]] = {
    "prompt": "messages=[UserMessage(prompt)]; or client.completions.create(prompt=…) to fill in the middle",
    "message": "messages=[UserMessage(…)]",
    "input": "messages=[UserMessage(…)]",
    "system": "messages=[SystemMessage(…), UserMessage(…)]",
    "instructions": "messages=[SystemMessage(…), UserMessage(…)]",
    "max_output_tokens": "max_tokens=…",
    "stream": "nothing: this always streams, and create(…, stream=True) where it is asked for",
    "stop_sequences": "stop=[…]",
    "reasoning": "reasoning_effort='low', 'high' or 'max', or thinking={'type': 'disabled'}",
    "api_key": "AsyncClient(api_key=…): a client has one key",
    "base_url": "AsyncClient(base_url=…): a client has one address",
    "messages": "prompt=…; or client.chat.completions.create(messages=…)",
}
"""What names of other APIs' parameters mean here, where they are none."""

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
    retries = integer_in(max_retries)
    if retries is None or retries < 0:
        raise InvalidRequestError(
            "max_retries", max_retries, "an integer of at least 0; or retry=RetryPolicy(attempts=…)"
        )
    return retries + 1


class SpelledSettings(TypedDict, total=False):
    """Settings of a client by the names that the openai package has for them."""

    timeout: float | None
    max_retries: int | None
    default_headers: Mapping[str, str] | None


_SETTINGS_ADVICE: Mapping[str, str] = {
    "organization": "none: a key belongs to one account here",
    "project": "none: a key belongs to one account here",
    "http_client": "session=aiohttp.ClientSession(…), proxy=…, ssl=…",
    "default_query": "a base_url that ends with the query",
    "websocket_base_url": "none: this API has no websockets",
}


def settings_of(spelled: Mapping[str, Any], of: Callable[..., object]) -> dict[str, Any]:
    """Settings in our words: ``timeouts``, ``retry`` (of what they name), ``headers``; those not said are left out.

    Args:
        of: What was called with them; its keyword arguments are the other words that there are.

    Raises:
        InvalidRequestError: A word that has no counterpart, or is none.
    """
    settings: dict[str, Any] = {}
    for name, value in spelled.items():
        if (advice := _SETTINGS_ADVICE.get(name)) is not None:
            raise InvalidRequestError(name, None, advice)
        if name not in ("timeout", "max_retries", "default_headers"):
            known = {*(getattr(of, "__kwdefaults__", None) or ()), "timeout", "max_retries", "default_headers"}
            raise InvalidRequestError.unknown(name, known, "; help(AsyncClient) explains them")
        if value is None or value is NOT_GIVEN:
            continue
        if name == "timeout":
            settings["timeouts"] = {"total": value}
        elif name == "max_retries":
            settings["retry"] = {"attempts": attempts_of(value)}
        else:
            settings["headers"] = value
    return settings


_RAW: Final = "hooks, which tell statuses and times; a stream has .status and .headers, an answer .request_id"

WORDS_OF_RESOURCES: Final[Mapping[str, str]] = {
    "with_raw_response": _RAW,
    "with_streaming_response": "stream(…), which has .status, .headers and .open()",
}
"""What resources are asked for by users of the openai package, and what they have instead."""

_CREATE: Final = "client.chat.completions.create(…)"
_NOTHING: Final = "nothing: this API has no such thing"

WORDS_OF_CHAT: Final[Mapping[str, str]] = {
    **WORDS_OF_RESOURCES,
    **dict.fromkeys(("list", "retrieve", "update", "delete", "messages"), "nothing: this API stores no answers"),
}
"""The same of ``client.chat.completions``."""

WORDS_OF_CHAT_ALONE: Final[Mapping[str, str]] = {
    **WORDS_OF_RESOURCES,
    **dict.fromkeys(("create", "completion", "complete"), _CREATE),
    **{name: f"client.chat.completions.{name}(…)" for name in ("stream", "parse", "stream_parse", "run_tools")},
}
"""The same of ``client.chat``."""

WORDS_OF_FILES: Final[Mapping[str, str]] = {
    **WORDS_OF_RESOURCES,
    "content": "nothing: the API gives nothing back of what was uploaded",
    "retrieve_content": "nothing: the API gives nothing back of what was uploaded",
    "wait_for_processing": "nothing: a file is ready when create returns",
}
"""The same of ``client.files``."""

WORDS_OF_CLIENTS: Final[Mapping[str, str]] = {
    **WORDS_OF_RESOURCES,
    **dict.fromkeys(("create", "completion", "acompletion", "generate", "ask", "complete"), _CREATE),
    "stream": "client.chat.completions.stream(…)",
    "balance": "await client.user.balance()",
    "upload": "await client.files.create(…)",
    "beta": "the same name without it: client.chat.completions.parse(response_type=…)",
    "responses": "client.chat.completions",
    "conversations": "Conversation(client, …)",
    "batches": "client.batch(…) or run_batch(…)",
    "api_key": "nothing: a client does not show its key",
    "is_closed": "nothing: a closed client opens new connections when it is used again",
    "timeout": "with_options(timeouts=…), or timeouts= of a call",
    "max_retries": "with_options(retry=…), or retry= of a call",
    "default_headers": "with_options(headers=…), or extra_headers= of a call",
    "default_query": "a base_url that ends with the query",
    "organization": "nothing: a key belongs to one account here",
    "project": "nothing: a key belongs to one account here",
    **dict.fromkeys(("get", "post", "request"), "extra_body= for fields, aiohttp for other paths"),
    **dict.fromkeys(("embeddings", "images", "audio", "moderations", "fine_tuning", "vector_stores"), _NOTHING),
    **dict.fromkeys(("uploads", "realtime", "evals", "containers", "webhooks", "videos", "skills"), _NOTHING),
}
"""The same of a client."""

WORDS_OF_CONVERSATIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("send", "ask", "create", "chat", "run", "invoke", "complete"), "await conversation.say(…)"),
    "history": ".messages",
}
"""The same of a conversation."""

WORDS_OF_STREAMS: Final[Mapping[str, str]] = {
    "response": ".status, .headers and .request_id",
    "get_final_message": "(await stream.completion()).message",
    "get_final_text": "(await stream.completion()).text",
    "current_completion_snapshot": ".snapshot()",
    "text_stream": "text_deltas()",
    **dict.fromkeys(("choices", "message", "text", "content"), "async for … in stream, or (await stream.completion())"),
}
"""The same of a stream."""


def _put(parameters: dict[str, Any], name: str, value: Any, spelled: str) -> None:
    if parameters.get(name) is not None:
        raise InvalidRequestError(spelled, None, f"{spelled} or {name}, not both: they mean the same")
    parameters[name] = value
