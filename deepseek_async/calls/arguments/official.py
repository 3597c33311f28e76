"""What the official API's own pages say of a request before it is sent: what it would refuse, and what has no effect.

Refused, since the API refuses it with certainty, each time:

| what | source |
| --- | --- |
| ``tool_choice`` that forces a call while the model thinks | page "Thinking Mode"; 400, seen in September 2026 |
| strict functions beside others | page "Tool Calls", section "strict mode": on every function |
| ``prefix`` on another than the last message, or not on the beta base URL | page "Chat Prefix Completion" |
| ``user_id`` of other than letters, digits, ``-`` and ``_`` | page "Create Chat Completion" |
| ``response_format`` ``json_schema`` | page "JSON Output" knows ``json_object``; 400, seen in 2026 |
| JSON mode without the word "json" in any message | page "JSON Output"; 400, seen in 2026 |
| images, files in messages of system and assistant; over 600 images; addresses over 8,192 characters | page "Vision" |
| ``top_p`` of 0, also of fill in the middle | page "Create Chat Completion": above 0 |
| fill in the middle with ``max_tokens`` over 4,096 | page "FIM Completion": at most 4K |
| fill in the middle where there is no beta base URL | pages "FIM Completion", "Create FIM Completion" |

(Refused of every server, see `types.requests`: penalties outside -2 to 2, ``stream_options`` without ``stream``,
``echo`` with ``suffix`` or ``logprobs``.)

Warned of once for a client, by name, since it is accepted and changes nothing:

| what | source |
| --- | --- |
| ``temperature`` while the model thinks | page "Thinking Mode" |
| ``top_p`` under 0.95 while it thinks, which counts as 0.95; any without thinking | page "Create Chat Completion" |
| ``frequency_penalty``, ``presence_penalty`` other than 0 | pages "Create Chat Completion", "Create FIM Completion": \
deprecated |
| ``seed``, ``n`` over 1, ``logit_bias``, ``top_k`` and the like | no fields of the pages' |
| ``strict`` where there is no beta base URL | seen of recorded answers, June 2026 |

Not warned of is ``top_p`` of fill in the middle: no page says what it does there.

What stands in ``extra_body`` is looked at by nobody: that is the way round.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from ...errors import InvalidRequestError, NoEffectWarning
from ...types import AssistantMessage, ChatRequest

if TYPE_CHECKING:
    from ...types import TextRequest

_USER_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
_LEAST_TOP_P: Final = 0.95
_MAX_URL: Final = 8192
_MAX_IMAGES: Final = 600
_MAX_GAP: Final = 4096
# Fields of OpenAI's API and of other servers, by which people mean something that does not happen here.
_UNKNOWN: Final = frozenset(
    ("seed", "n", "logit_bias", "parallel_tool_calls", "top_k", "min_p", "repetition_penalty", "best_of", "min_tokens")
)
_UNKNOWN_DEFAULTS: Final = {"n": 1, "best_of": 1, "parallel_tool_calls": True}
_PACKAGE: Final = str(Path(__file__).parents[2])


class OfficialRules:
    """The rules, and what was warned of already.

    Args:
        has_beta: Whether prefixes and strict functions go to the beta base URL.
    """

    def __init__(self, *, has_beta: bool) -> None:
        self._has_beta = has_beta
        self._warned: set[str] = set()

    def check(self, request: ChatRequest) -> None:
        """Look at a request.

        Raises:
            InvalidRequestError: The API would refuse it. It says what to do, and how to send it all the same.
        """
        refuse(request, has_beta=self._has_beta)
        self._warn(without_effect(request, has_beta=self._has_beta))

    def check_gap(self, request: TextRequest) -> None:
        """Look at a fill-in-the-middle request. Raises as `check`."""
        refuse_gap(request, has_beta=self._has_beta)
        self._warn(_always_without_effect(request))

    def _warn(self, without: Iterator[tuple[str, str]]) -> None:
        for name, why in without:
            if name not in self._warned:
                self._warned.add(name)
                warnings.warn(f"{name} has no effect: {why}", NoEffectWarning, stacklevel=_callers_level())


def is_thinking(request: ChatRequest) -> bool:
    """Whether the model thinks before it answers: unless it is told not to."""
    sent = {"thinking": request.thinking, "reasoning_effort": request.reasoning_effort, **request.extra_body}
    thinking = sent["thinking"]
    is_off = isinstance(thinking, Mapping) and thinking.get("type") == "disabled"
    return not is_off and sent["reasoning_effort"] != "none"


def is_strict(tool: Any) -> bool:
    """Whether a tool is a strict function."""
    function: Any = tool.get("function") if isinstance(tool, Mapping) else tool.function
    return bool(function.get("strict") if isinstance(function, Mapping) else getattr(function, "strict", False))


def has_prefix(message: Any) -> bool:
    """Whether a message is the beginning of the answer."""
    if isinstance(message, (dict, Mapping)):
        return bool(message.get("prefix"))
    return isinstance(message, AssistantMessage) and bool(message.prefix)


def refuse(request: ChatRequest, *, has_beta: bool) -> None:
    """Refuse what the API refuses with certainty. Raises `InvalidRequestError`."""
    unchecked = request.extra_body
    choice = request.tool_choice
    is_forced = choice is not None and choice not in ("none", "auto") and request.tools
    if is_forced and "tool_choice" not in unchecked and is_thinking(request):
        advice = "thinking={'type': 'disabled'} with it, or 'auto': while the model thinks, no call can be forced"
        raise _refused("tool_choice", choice, advice, "tool_choice")
    tools = request.tools or ()
    if "tools" not in unchecked and has_beta and len(set(map(is_strict, tools))) > 1:
        number = next(number for number, tool in enumerate(tools) if not is_strict(tool))
        advice = "strict=True on every function, or on none: the beta base URL takes no mixture"
        raise _refused(f"tools[{number}].function.strict", None, advice, "tools")
    if "messages" not in unchecked:
        _refuse_prefix(request, has_beta=has_beta)
        _refuse_parts(request)
    user_id = request.user_id
    if user_id is not None and "user_id" not in unchecked and not _USER_ID.fullmatch(user_id):
        raise _refused("user_id", None, "1 to 512 letters (a to z, A to Z), digits, '-' and '_'", "user_id")

    if request.top_p == 0 and "top_p" not in unchecked:
        raise _refused("top_p", request.top_p, "more than 0, up to 1", "top_p")
    if request.response_format is not None and "response_format" not in unchecked:
        _refuse_format(request, request.response_format)


def refuse_gap(request: TextRequest, *, has_beta: bool) -> None:
    """Refuse what the API refuses of fill in the middle with certainty. Raises `InvalidRequestError`."""
    unchecked = request.extra_body
    if not has_beta:
        advice = (
            "a client that may use the beta base URL, where alone it is served: leave has_beta out, or "
            "base_url='https://api.deepseek.com/beta'"
        )
        raise InvalidRequestError("completions.create", None, advice)
    if (most := request.max_tokens) is not None and most > _MAX_GAP and "max_tokens" not in unchecked:
        raise _refused("max_tokens", most, f"1 to {_MAX_GAP:,} for fill in the middle", "max_tokens")
    if request.top_p == 0 and "top_p" not in unchecked:
        raise _refused("top_p", request.top_p, "more than 0, up to 1", "top_p")


def _refuse_format(request: ChatRequest, response_format: Mapping[str, Any]) -> None:
    kind = response_format.get("type")
    if kind == "json_schema":
        advice = "'json_object' with the schema in a message, or parse(response_type=…), which does that"
        raise _refused("response_format.type", kind, advice, "response_format")
    if kind == "json_object" and "messages" not in request.extra_body and not _say_json(request.messages):
        advice = "'json_object' with the word JSON in a message: without it the API refuses JSON mode"
        raise _refused("response_format.type", kind, advice, "response_format")


def _say_json(value: Any) -> bool:
    if isinstance(value, str):
        return "json" in value.lower()
    if isinstance(value, Mapping):
        return any(map(_say_json, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_say_json, value))
    return attrs.has(type(value)) and any(_say_json(getattr(value, field.name)) for field in attrs.fields(type(value)))


def _refuse_prefix(request: ChatRequest, *, has_beta: bool) -> None:
    *earlier, last = request.messages
    for number, message in enumerate(earlier):
        if has_prefix(message):
            advice = f"on the last message alone, which is messages[{len(earlier)}]: the answer continues it"
            raise _refused(f"messages[{number}].prefix", True, advice, "messages")
    if has_prefix(last) and not has_beta:
        advice = (
            "a client that may use the beta base URL: leave has_beta out, or base_url='https://api.deepseek.com/beta'"
        )
        raise _refused(f"messages[{len(earlier)}].prefix", True, advice, "messages")


def _refuse_parts(request: ChatRequest) -> None:
    images = 0
    for number, message in enumerate(request.messages):
        content = _field(message, "content")
        if isinstance(content, str) or content is None:
            continue
        for place, part in enumerate(content):
            kind, where = _field(part, "type"), f"messages[{number}].content[{place}]"
            if kind in ("image_url", "file") and (role := _field(message, "role")) not in ("user", "tool"):
                advice = f"text in a message of role {role!r}; images and files stand in those of users and tools"
                raise _refused(where, kind, advice, "messages")
            if kind == "image_url":
                images += 1
                url = _field(_field(part, "image_url"), "url")
                if isinstance(url, str) and len(url) > _MAX_URL and not url.startswith("data:"):
                    raise _refused(f"{where}.image_url.url", None, f"at most {_MAX_URL:,} characters", "messages")
    if images > _MAX_IMAGES:
        raise _refused("messages", f"{images} images", f"at most {_MAX_IMAGES}", "messages")


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, (dict, Mapping)) else getattr(value, name, None)


def _refused(parameter: str, value: object, allowed: str, field: str) -> InvalidRequestError:
    return InvalidRequestError(parameter, value, f"{allowed} (extra_body={{{field!r}: …}} sends it all the same)")


def without_effect(request: ChatRequest, *, has_beta: bool) -> Iterator[tuple[str, str]]:
    """The parameters of a request that change nothing, each with why."""
    thinks = is_thinking(request)
    if request.temperature is not None and thinks:
        yield "temperature", "the model thinks; thinking={'type': 'disabled'} makes it count"
    if (top_p := request.top_p) is not None:
        if not thinks:
            yield "top_p", "without thinking it is 1; temperature counts"
        elif top_p < _LEAST_TOP_P:
            yield "top_p", f"while the model thinks, what is below {_LEAST_TOP_P} counts as {_LEAST_TOP_P}"
    yield from _always_without_effect(request)
    if not has_beta and request.tools is not None and any(map(is_strict, request.tools)):
        yield "strict", "only the beta base URL heeds it; leave has_beta out"


def _always_without_effect(request: ChatRequest | TextRequest) -> Iterator[tuple[str, str]]:
    for name in ("frequency_penalty", "presence_penalty"):
        if getattr(request, name):
            yield name, "the API takes it and ignores it"
    if request.extra_body:
        for name in sorted(_UNKNOWN.intersection(request.extra_body)):
            if request.extra_body[name] not in (None, _UNKNOWN_DEFAULTS.get(name)):
                yield name, "the API knows no such field and ignores it"


def _callers_level() -> int:
    """How far up the caller's own line is, from the function that calls this."""
    level, frame = 1, sys._getframe(1)  # noqa: SLF001 - as `warnings` itself does
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    return level
