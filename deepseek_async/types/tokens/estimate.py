"""About how many tokens a text has, or a request's prompt, without a tokenizer. Pure, and linear.

By classes of characters, fitted to the usage that the API told of English, Chinese, code, JSON and mixed prompts
(mean error 8 %; DeepSeek's own rule of 0.3 and 0.6 a character, page "Token & Token Usage", has 18 %). The ``usage`` of
an answer is authoritative.

What a prompt has besides its texts is what recorded answers of deepseek-v4-flash tell (June to August 2026): whoever
offers tools pays for how they are explained to the model, too, each call is told in more words than it was sent in, and
``tool_choice="none"`` leaves them all out. Reasoning of earlier answers is read where there are tools, and else not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

ASCII_LETTER: Final = 0.24
DIGIT: Final = 1.2
BLANK: Final = 0.05
NEWLINE: Final = 0.94
PUNCTUATION: Final = 0.41
CJK: Final = 0.63
OTHER: Final = 0.31

# Marks of the chat template, a token each: where it begins, whose turn it is, where thinking ends; and each message.
PER_PROMPT: Final = 3
PER_MESSAGE: Final = 1
# How tools are to be called, told once; and the words around what was called, and what came of it.
TOOLS_EXPLAINED: Final = 219
PER_MESSAGE_WITH_CALLS: Final = 17
PER_CALL: Final = 11
PER_RESULT: Final = 11
# The most that an image costs. Source: release note of deepseek-v4-flash-vision-exp, 21 August 2026.
PER_IMAGE: Final = 384

_CLASSES: Final = (
    (bytes((*range(65, 91), *range(97, 123))), ASCII_LETTER),
    (b"0123456789", DIGIT),
    (b" \t\r\f\v", BLANK),
    (b"\n", NEWLINE),
    (bytes((*range(33, 48), *range(58, 65), *range(91, 97), *range(123, 127))), PUNCTUATION),
)
_CJK: Final = (
    ("\u2e80", "\ua4cf"),
    ("\uac00", "\ud7af"),
    ("\uf900", "\ufaff"),
    ("\ufe30", "\ufe4f"),
    ("\uff00", "\uffef"),
    ("\U00020000", "\U0003ffff"),
)
_QUOTES: Final = 2 * PUNCTUATION
_COMMA: Final = PUNCTUATION + BLANK


def estimated_tokens(text: str) -> float:
    """Tokens of a text, estimated; 0 for an empty one."""
    tokens = 0.0
    if text.isascii():
        left = text.encode()
    else:
        wide = [character for character in text if character > "\x7f"]
        cjk = sum(any(first <= character <= last for first, last in _CJK) for character in wide)
        tokens = CJK * cjk + OTHER * (len(wide) - cjk)
        left = text.encode("ascii", "ignore")
    for characters, each in _CLASSES:
        size = len(left)
        left = left.translate(None, characters)
        tokens += each * (size - len(left))
    return tokens + OTHER * len(left)


def prompt_tokens_of(body: Mapping[str, Any]) -> int:
    """Tokens of a request's prompt, estimated: of its messages, and of the tools and the schema that it brings.

    Args:
        body: A chat request, or one of fill in the middle, as it goes over the wire. Of parts that are no text only
            images count, each as the dearest.
    """
    tools = body.get("tools") if body.get("tool_choice") != "none" else None
    tools = tools if isinstance(tools, (list, tuple)) and tools else ()
    tokens = float(PER_PROMPT)
    messages = body.get("messages")
    for message in messages if isinstance(messages, (list, tuple)) else ():
        if isinstance(message, Mapping):
            tokens += PER_MESSAGE + _tokens_of_message(message, has_tools=bool(tools))
    if tools:
        tokens += TOOLS_EXPLAINED + sum(map(_tokens_of_tool, tools))
    if isinstance(schema := body.get("response_format"), Mapping):
        tokens += json_tokens(schema)
    tokens += sum(estimated_tokens(text) for text in (body.get("prompt"), body.get("suffix")) if isinstance(text, str))
    return round(tokens)


def answer_tokens_of(message: Any) -> int:
    """Tokens of an answer, estimated: of its text, its reasoning, and the calls in it.

    Args:
        message: An `AssistantMessage`.
    """
    tokens = estimated_tokens(message.content or "") + estimated_tokens(message.reasoning_content or "")
    if message.tool_calls:
        tokens += PER_MESSAGE_WITH_CALLS
        for call in message.tool_calls:
            tokens += PER_CALL + estimated_tokens(call.function.name) + estimated_tokens(call.function.arguments)
    return round(tokens)


def completion_tokens_of(completion: Any) -> int:
    """Tokens of a `ChatCompletion` or a `TextCompletion`, estimated: of all of its choices."""
    return sum(
        answer_tokens_of(choice.message) if hasattr(choice, "message") else round(estimated_tokens(choice.text))
        for choice in completion.choices
    )


def json_tokens(value: object) -> float:
    """Tokens of a value written as JSON, with a blank after each comma and colon, estimated."""
    match value:
        case str():
            return _QUOTES + estimated_tokens(value)
        case Mapping():
            items = sum(json_tokens(str(name)) + _COMMA + json_tokens(item) for name, item in value.items())
            return _QUOTES + items + _COMMA * max(len(value) - 1, 0)
        case list() | tuple():
            return _QUOTES + sum(map(json_tokens, value)) + _COMMA * max(len(value) - 1, 0)
        case None | bool():
            return 4 * ASCII_LETTER
        case _:
            return estimated_tokens(str(value))


def _tokens_of_message(message: Mapping[str, Any], *, has_tools: bool) -> float:
    tokens = sum(map(_tokens_of_part, _parts_in(message.get("content"))))
    if isinstance(name := message.get("name"), str):
        tokens += estimated_tokens(name)
    if has_tools and isinstance(reasoning := message.get("reasoning_content"), str):
        tokens += estimated_tokens(reasoning)
    if message.get("role") == "tool":
        tokens += PER_RESULT
    calls = message.get("tool_calls")
    if isinstance(calls, (list, tuple)) and calls:
        tokens += PER_MESSAGE_WITH_CALLS + sum(map(_tokens_of_call, calls))
    return tokens


def _parts_in(content: object) -> Iterator[Any]:
    if isinstance(content, (list, tuple)):
        yield from content
    elif content is not None:
        yield content


def _tokens_of_part(part: Any) -> float:
    if isinstance(part, Mapping):
        if part.get("type") == "image_url":
            return PER_IMAGE
        part = part.get("text")
    return estimated_tokens(part) if isinstance(part, str) else 0.0


def _tokens_of_call(call: Any) -> float:
    function = call.get("function") if isinstance(call, Mapping) else None
    said = function.values() if isinstance(function, Mapping) else ()
    return PER_CALL + sum(estimated_tokens(text) for text in said if isinstance(text, str))


def _tokens_of_tool(tool: Any) -> float:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    return json_tokens(tool if function is None else function)
