"""From a body to a question with every default settled: what the model is asked, and how it is to answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, Struct

from ..model import Sampling
from . import refusals
from .bodies import AssistantMessage, ChatBody, CompletionBody, NamedToolChoice, Tool, ToolMessage
from .checks import check_chat, check_completion, find_model
from .conversation import check_conversation, message_text
from .models import ServedModel
from .rules import Rules

if TYPE_CHECKING:
    from ..model import LanguageModel

__all__ = ["ChatQuestion", "CompletionQuestion", "Question", "ask_chat", "ask_completion"]

CONTEXT_TOKENS = 1_048_576
_BUDGET, _THINKING_BUDGET, _MAX_EFFORT_BUDGET = 8 * 1024, 64 * 1024, 128 * 1024
_FIM_BUDGET = 4 * 1024
_LEAST_TEMPERATURE = 1e-4  # below, only tokens that are equally likely would be left to draw from
_LEAST_TOP_P = 1e-6
_ALIASES = {"minimal": "low", "medium": "high", "xhigh": "high"}


class Question(Struct, frozen=True, kw_only=True):
    """What both endpoints ask.

    Attributes:
        model: Which model.
        prompt: Its tokens.
        spoken: Its tokens as they will stand before the answer in the next request: without the one that opens the
            reasoning.
        sampling: How to draw; its seed is always set.
        budget: How many tokens may be generated.
        stops: Stop sequences.
        top: How many alternatives ``logprobs`` lists; None: no log probabilities.
        choices: How many answers.
        owner: Whose prefix cache: the ``user_id``.
    """

    model: ServedModel
    prompt: Sequence[int]
    spoken: Sequence[int]
    sampling: Sampling
    budget: int
    stops: tuple[str, ...]
    top: int | None
    choices: int
    owner: str


class ChatQuestion(Question, frozen=True, kw_only=True):
    """A chat request.

    Attributes:
        thinking: Whether to think first.
        effort: ``low``, ``high`` or ``max``.
        json: The content must be a JSON object.
        tools: The functions that may be called; none if ``tool_choice`` says so.
        must_call: A call must be made.
        may_call: A call may be made: not right after a tool's result, or a model would never come to an answer.
        prefix: What the content begins with already.
        reasoning_prefix: What the reasoning begins with already; whole, if there is a prefix.
        last_words: The text of the last user message.
        instructions: The text of the system messages.
    """

    thinking: bool
    effort: str
    json: bool
    tools: tuple[Tool, ...]
    must_call: bool
    may_call: bool
    prefix: str
    reasoning_prefix: str
    last_words: str
    instructions: str


class CompletionQuestion(Question, frozen=True, kw_only=True):
    """A FIM request.

    Attributes:
        text: The prompt's text.
        suffix: What follows the gap.
        echo: The answer begins with the prompt.
    """

    text: str
    suffix: str
    echo: bool


def ask_chat(body: ChatBody, model: LanguageModel, *, rules: Rules, beta: bool, seed: int) -> ChatQuestion:
    """Check a chat request and settle its defaults.

    Args:
        rules: Whose rules; see `rules`.
        beta: Whether beta features are served at this address.
        seed: The seed if the request has none.

    Raises:
        Refusal: It is not allowed.
    """
    served = find_model(body.model, rules)
    thinking = _thinks(body, served)
    check_chat(body, thinking=thinking, beta=beta)
    check_conversation(body.messages, served, thinking=thinking, has_tools=bool(body.tools), beta=beta)
    effort = _ALIASES.get(body.reasoning_effort or "high", body.reasoning_effort or "high")
    last = body.messages[-1]
    continued = last if isinstance(last, AssistantMessage) else None
    turns = _turns(body, body.messages[:-1] if continued else body.messages)
    prompt = model.render(turns, thinking=thinking)
    default = _BUDGET if not thinking else _MAX_EFFORT_BUDGET if effort == "max" else _THINKING_BUDGET
    _check_context(len(prompt), body.max_tokens)
    tools = tuple(body.tools or ()) if body.tool_choice != "none" else ()
    if isinstance(body.tool_choice, NamedToolChoice):
        named = body.tool_choice.function.name
        tools = tuple(tool for tool in tools if tool.function.name == named)
    said = [message_text(message) for message in body.messages if message_role(message) == "user"]
    return ChatQuestion(
        model=served,
        prompt=prompt,
        spoken=prompt[:-1] if thinking else prompt,
        sampling=_sampling(body, rules, thinking=thinking, seed=seed),
        budget=body.max_tokens or default,
        stops=_stops(body),
        top=(body.top_logprobs or 0) if body.logprobs else None,
        choices=body.n or 1,
        owner=body.user_id or "",
        thinking=thinking,
        effort=effort,
        json=body.response_format is not None and body.response_format.type == "json_object",
        tools=tools,
        must_call=body.tool_choice not in (None, "none", "auto"),
        may_call=not isinstance(last, ToolMessage),
        prefix=message_text(continued) if continued else "",
        reasoning_prefix=(continued.reasoning_content or "") if continued else "",
        last_words=said[-1] if said else "",
        instructions="\n".join(message_text(message) for message in body.messages if message_role(message) == "system"),
    )


def ask_completion(body: CompletionBody, model: LanguageModel, *, rules: Rules, seed: int) -> CompletionQuestion:
    """Check a FIM request and settle its defaults.

    Raises:
        Refusal: It is not allowed.
    """
    served = find_model(body.model, rules)
    check_completion(body)
    prompt = model.tokenizer.encode(body.prompt)
    suffix = body.suffix or ""
    _check_context(len(prompt) + model.tokenizer.count(suffix), body.max_tokens)
    return CompletionQuestion(
        model=served,
        prompt=prompt,
        spoken=prompt,
        sampling=_sampling(body, rules, thinking=False, seed=seed),
        budget=body.max_tokens or _FIM_BUDGET,
        stops=_stops(body),
        top=body.logprobs,
        choices=body.n or 1,
        owner=body.user_id or "",
        text=body.prompt,
        suffix=suffix,
        echo=bool(body.echo),
    )


def message_role(message: object) -> str:
    """The role a message is laid out with."""
    role = str(type(message).__struct_config__.tag)  # type: ignore[attr-defined]
    return "system" if role == "latest_reminder" else role


def _thinks(body: ChatBody, model: ServedModel) -> bool:
    if body.thinking is not None:
        return body.thinking.type == "enabled" and body.reasoning_effort != "none"
    if body.reasoning_effort is not None:
        return body.reasoning_effort != "none"
    return model.thinking


def _turns(body: ChatBody, messages: Sequence[object]) -> list[tuple[str, str]]:
    """Role and text of each message, tools first: what the model reads, and what usage counts."""
    turns: list[tuple[str, str]] = []
    if body.tools:
        turns.append(("system", json.dumps(msgspec.to_builtins(body.tools), ensure_ascii=False)))
    for message in messages:
        text = message_text(message)  # type: ignore[arg-type]
        name = getattr(message, "name", None)
        if isinstance(message, AssistantMessage):
            # Reasoning goes back to the model only in a conversation with tools; elsewhere the API drops it.
            if body.tools and message.reasoning_content not in (None, UNSET):
                text = f"{message.reasoning_content}{text}"
            if message.tool_calls:
                text += json.dumps(msgspec.to_builtins(message.tool_calls), ensure_ascii=False)
        turns.append((message_role(message), f"{name}: {text}" if name else text))
    return turns


def _sampling(body: ChatBody | CompletionBody, rules: Rules, *, thinking: bool, seed: int) -> Sampling:
    temperature = 1.0 if body.temperature is None else float(body.temperature)
    top_p = 1.0 if body.top_p is None else float(body.top_p)
    frequency, presence = body.frequency_penalty or 0.0, body.presence_penalty or 0.0
    if rules == "today":
        frequency = presence = 0.0
        if thinking:
            temperature, top_p = 1.0, max(top_p, 0.95)
        else:
            top_p = 1.0
    return Sampling(
        # Below these nothing is left but the likeliest token, and 1/x would overflow.
        temperature=temperature if temperature > _LEAST_TEMPERATURE else 0.0,
        top_p=max(top_p, _LEAST_TOP_P),
        frequency_penalty=float(frequency),
        presence_penalty=float(presence),
        seed=body.seed if body.seed is not None else seed,
        min_tokens=body.min_tokens or 0,
    )


def _stops(body: ChatBody | CompletionBody) -> tuple[str, ...]:
    return (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())


def _check_context(prompt_tokens: int, max_tokens: int | None) -> None:
    wanted = prompt_tokens + (max_tokens or 0)
    if wanted > CONTEXT_TOKENS:
        raise refusals.bad_request(
            f"This model's maximum context length is {CONTEXT_TOKENS} tokens. However, you requested {wanted} tokens "
            f"({prompt_tokens} in the messages, {max_tokens or 0} in the completion). Please reduce the length of the "
            "messages or completion."
        )
