"""A question is a request that was checked, with a value for everything that the client left out.

`ask_chat` and `ask_completion` make it from a decoded body; what answers it never looks at the body again.
"""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import asdict

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
    """The part of a question that chat and FIM have in common.

    Attributes:
        model: The model that is asked.
        prompt: The prompt's tokens.
        spoken: The prompt's tokens without the last one where that opens the reasoning. With the answer after them they
            are the beginning of the next prompt of this conversation, which the prefix cache must know.
        sampling: How to draw; its seed is always set.
        budget: How many tokens may be generated.
        stops: Stop sequences.
        top: How many alternatives ``logprobs`` lists for each token; None: there are no log probabilities.
        choices: How many answers are wanted.
        owner: The ``user_id``; each has a prefix cache of its own.
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
        may_call: A call may be made. Right after a tool's result none may, or the model would never come to an answer.
        prefix: The beginning of the content, which the client has given; the answer goes on after it.
        reasoning_prefix: The beginning of the reasoning, likewise; all of the reasoning, if there is a prefix.
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


def ask_chat(
    body: ChatBody, model: LanguageModel, *, rules: Rules, beta: bool, seed: int, files: Container[str] = ()
) -> ChatQuestion:
    """Check a chat request and settle its defaults.

    Args:
        rules: Whose rules; see `rules`.
        beta: Whether beta features are served at this address.
        seed: The seed if the request has none.
        files: The ids of those that were uploaded.

    Raises:
        Refusal: It is not allowed.
    """
    served = find_model(body.model, rules)
    thinking = _thinks(body, served)
    check_chat(body, thinking=thinking, beta=beta)
    check_conversation(body.messages, served, thinking=thinking, has_tools=bool(body.tools), beta=beta, files=files)
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
    """The role that a message has in the prompt."""
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
        told = [
            {name: value for name, value in asdict(tool.function).items() if value is not None} for tool in body.tools
        ]
        turns.append(("system", json.dumps(told, ensure_ascii=False)))
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
