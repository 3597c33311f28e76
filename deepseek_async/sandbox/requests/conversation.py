"""`check_conversation` refuses messages that are no conversation.

Every call must be answered once, reasoning must come back, and images must stand where they may.

The rules and most texts were observed in September 2026; where only the rule was, the text names the message. All are
400, but for those that the API's parser finds (422 here, see `refusals.not_deserialized`).

Source: https://api-docs.deepseek.com/guides/thinking_mode, /guides/tool_calls, /guides/vision,
/guides/chat_prefix_completion
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from msgspec import UNSET

from . import refusals
from .bodies import (
    AssistantMessage,
    FilePart,
    ImagePart,
    Message,
    ReminderMessage,
    SystemMessage,
    TextPart,
    ToolMessage,
    UserMessage,
)
from .models import ServedModel

__all__ = ["check_conversation", "message_text"]

_MAX_IMAGES = 600
_MAX_URL = 8192


def check_conversation(
    messages: Sequence[Message],
    model: ServedModel,
    *,
    thinking: bool,
    has_tools: bool,
    beta: bool,
    files: Container[str] = (),
) -> None:
    """Check the messages of a request.

    Args:
        model: The one asked for.
        thinking: Whether it will think.
        has_tools: Whether the request has tools.
        beta: Whether beta features are served here.
        files: The ids of those that were uploaded.

    Raises:
        Refusal: 400 or 422.
    """
    _check_parts(messages, model, files)
    _check_calls(messages)
    _check_end(messages, model, beta=beta)
    if thinking and has_tools:
        _check_reasoning_back(messages)


def message_text(message: Message) -> str:
    """The text of a message, its parts joined; what is no text stands as its kind."""
    content = message.content
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(part.text if isinstance(part, TextPart) else f"[{_kind(part)}]" for part in content)
    return ""


def _kind(part: ImagePart | FilePart) -> str:
    return "image" if isinstance(part, ImagePart) else "file"


def _check_calls(messages: Sequence[Message]) -> None:
    """Follow the calls: pending after an assistant message, answered one by one, none left over."""
    pending: list[str] = []
    answered: set[str] = set()
    for number, message in enumerate(messages):
        if isinstance(message, ToolMessage):
            _check_answer(number, message, pending, answered)
            continue
        _check_none_pending(pending)
        answered.clear()
        if isinstance(message, AssistantMessage):
            calls = message.tool_calls or []
            if not calls and (message.content is None or message.content is UNSET) and not message.prefix:
                raise refusals.bad_request(
                    f"Invalid assistant message: content or tool_calls must be set (messages[{number}])"
                )
            pending = [call.id for call in calls]
            if len(set(pending)) < len(pending):
                raise refusals.bad_request(f"Duplicate id in messages[{number}].tool_calls")
    _check_none_pending(pending)


def _check_answer(number: int, message: ToolMessage, pending: list[str], answered: set[str]) -> None:
    if message.tool_call_id in pending:
        pending.remove(message.tool_call_id)
        answered.add(message.tool_call_id)
    elif message.tool_call_id in answered:
        raise refusals.bad_request(
            f"Duplicate tool message for tool_call_id '{message.tool_call_id}' (messages[{number}])"
        )
    elif not pending and not answered:
        raise refusals.bad_request(
            "Messages with role 'tool' must be a response to a preceding message with 'tool_calls' "
            f"(messages[{number}])"
        )
    else:
        raise refusals.bad_request(
            f"Tool message with tool_call_id '{message.tool_call_id}' does not match any pending tool call "
            f"(messages[{number}])"
        )


def _check_none_pending(pending: list[str]) -> None:
    if pending:
        raise refusals.bad_request(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. (insufficient tool messages following tool_calls message: {', '.join(pending)})"
        )


def _check_end(messages: Sequence[Message], model: ServedModel, *, beta: bool) -> None:
    """Where ``prefix`` may stand, and that the last message leaves something to say."""
    for number, message in enumerate(messages[:-1]):
        if isinstance(message, AssistantMessage) and message.prefix:
            raise refusals.bad_request(f"Only the last message may have prefix (messages[{number}])")
    last = messages[-1]
    if not isinstance(last, AssistantMessage):
        return
    if not last.prefix:
        raise refusals.bad_request(
            f"The last message of {model.name} must be a user message, or an assistant message with prefix mode on "
            "(refer to https://api-docs.deepseek.com/guides/chat_prefix_completion)."
        )
    if not beta:
        raise refusals.beta_only("chat prefix completion (messages[].prefix)")
    if last.content is None or last.content is UNSET:
        raise refusals.bad_request(
            f"Invalid assistant message: content must be set with prefix (messages[{len(messages) - 1}])"
        )


def _check_reasoning_back(messages: Sequence[Message]) -> None:
    """Every assistant message since the last user message must carry its reasoning; ``""`` will do.

    Earlier turns need none, and neither does the beginning of the answer that is asked for.
    """
    for message in reversed(messages):
        if isinstance(message, UserMessage):
            return
        if not isinstance(message, AssistantMessage) or message.prefix:
            continue
        if message.reasoning_content is None or message.reasoning_content is UNSET:
            raise refusals.bad_request("The `reasoning_content` in the thinking mode must be passed back to the API.")


def _check_parts(messages: Sequence[Message], model: ServedModel, files: Container[str]) -> None:
    images = 0
    for number, place, part in _parts(messages):
        message = messages[number]
        where = f"messages[{number}].content[{place}]"
        if isinstance(part, TextPart):
            continue
        if not model.vision:
            kind = "image_url" if isinstance(part, ImagePart) else "file"
            raise refusals.not_deserialized(f"messages[{number}]: unknown variant `{kind}`, expected `text`")
        if not isinstance(message, (UserMessage, ToolMessage)):
            role = "assistant" if isinstance(message, AssistantMessage) else "system"
            raise refusals.bad_request(f"An image is not allowed in a message of role {role} ({where})")
        if isinstance(part, ImagePart):
            images += 1
            _check_url(part.image_url.url, f"{where}.image_url.url")
        else:
            _check_file(part, where, files)
    if images > _MAX_IMAGES:
        raise refusals.bad_request(f"Too many images: {images}, at most {_MAX_IMAGES} are allowed in a request")


def _parts(messages: Sequence[Message]) -> Iterator[tuple[int, int, TextPart | ImagePart | FilePart]]:
    for number, message in enumerate(messages):
        if isinstance(message.content, list):
            if not message.content and not isinstance(message, (AssistantMessage, SystemMessage, ReminderMessage)):
                raise refusals.bad_request(f"messages[{number}].content must hold at least 1 part")
            for place, part in enumerate(message.content):
                yield number, place, part


def _check_url(url: str, where: str) -> None:
    if url.startswith("data:"):
        return
    if not url.startswith(("http://", "https://")):
        raise refusals.bad_request(f"Invalid image url: an http(s) or data URL is expected ({where})")
    if len(url) > _MAX_URL:
        raise refusals.bad_request(f"Invalid image url: longer than {_MAX_URL} characters ({where})")


def _check_file(part: FilePart, where: str, files: Container[str]) -> None:
    if (part.file_id is None) == (part.file_data is None):
        raise refusals.bad_request(f"A file part takes either file_id or file_data ({where})")
    if part.file_id is not None:
        if part.file_id in files:
            return
        raise refusals.bad_request(f"File '{part.file_id}' does not exist ({where})")
    if not (part.file_data or "").startswith("data:"):
        raise refusals.bad_request(f"Invalid file_data: a data URL is expected ({where})")
