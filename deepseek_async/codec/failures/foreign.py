"""Answers of other protocols: whose they are, and what to do, instead of "no field choices".

| protocol | known by | asked for by chat completions |
| --- | --- | --- |
| Ollama's own (``/api/chat``, ``/api/generate``) | ``done`` | under ``/v1`` |
| Gemini's own | ``candidates`` | under ``/v1beta/openai`` |
| Anthropic's messages | ``type: "message"``, ``message_start`` | DeepSeek's are at its base URL, without a path |
| OpenAI's responses | ``object: "response"``, ``response.created`` | at ``/chat/completions`` beside it |
| llama.cpp's own ``/completion`` | ``content`` and ``stop`` | under ``/v1`` |
| text-generation-inference's own | ``generated_text`` | under ``/v1`` |
| a list of models | ``object: "list"`` | another path |
"""

from __future__ import annotations

import json
from typing import Any, Final

_OLLAMA: Final = (
    "it is of Ollama's own API, whose chat completions are under /v1: set base_url to that (http://HOST:11434/v1)"
)
_GEMINI: Final = "it is of Gemini's own API, whose chat completions are under /v1beta/openai: set base_url to that"
_ANTHROPIC: Final = (
    "it is of Anthropic's Messages API; set base_url to where the chat completions are (DeepSeek's: "
    "https://api.deepseek.com, without /anthropic)"
)
_RESPONSES: Final = "it is of OpenAI's Responses API; set base_url to what /chat/completions stands below"
_LLAMA: Final = "it is of llama.cpp's own /completion; its chat completions are under /v1: set base_url to that"
_TGI: Final = "it is of text-generation-inference's own API, whose chat completions are under /v1: set base_url to that"
_LIST: Final = "it is a list, as of models; something on the way answers another path than was asked for"


def foreign_form(parsed: Any) -> str | None:
    """Whose answer it is that has no choices, and what to do; ``None``: it is not known.

    Args:
        parsed: Its JSON; or the fields that the chunks of a stream had besides the documented.
    """
    if isinstance(parsed, list) and parsed:
        parsed = parsed[0]
    if not isinstance(parsed, dict) or parsed.get("choices"):
        return None
    kind = parsed.get("type")
    if "candidates" in parsed or "promptFeedback" in parsed:
        return _GEMINI
    if "done" in parsed and ("message" in parsed or "response" in parsed):
        return _OLLAMA
    if isinstance(kind, str) and (kind == "message" or kind.startswith(("message_", "content_block"))):
        return _ANTHROPIC
    if parsed.get("object") == "response" or (isinstance(kind, str) and kind.startswith("response.")):
        return _RESPONSES
    if isinstance(parsed.get("content"), str) and "stop" in parsed:
        return _LLAMA
    if "generated_text" in parsed or ("token" in parsed and "details" in parsed):
        return _TGI
    return _LIST if parsed.get("object") == "list" or isinstance(parsed.get("data"), list) else None


def foreign_form_in(text: str) -> str | None:
    """The same of a body, of which the first JSON text counts."""
    try:
        parsed, _ = json.JSONDecoder().raw_decode(text.lstrip("\ufeff \t\r\n\x1e"))
    except (ValueError, RecursionError):
        return None
    return foreign_form(parsed)
