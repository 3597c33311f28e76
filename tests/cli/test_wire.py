"""Values → JSON as the API would write them."""

from __future__ import annotations

import json
from decimal import Decimal

import attrs

from deepseek_async.cli.wire import to_json, to_plain
from deepseek_async.codec import chunk_from_json, completion_from_json
from deepseek_async.types import AssistantMessage, BalanceInfo, ChatCompletion, FunctionCall, ToolCall

_TOKEN = {
    "token": "H",
    "logprob": -0.5,
    "bytes": None,
    "top_logprobs": [{"token": "H", "logprob": -0.5, "bytes": [72]}],
}
_COMPLETION = {
    "id": "1",
    "object": "chat.completion",
    "created": 2,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "H", "reasoning_content": "Ü", "mood": {"x": [1, None]}},
            "logprobs": {"content": [_TOKEN]},
            "finish_reason": None,
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "prompt_cache_hit_tokens": 0},
    "system_fingerprint": "fp",
    "region": "eu",
}


def test_what_was_read_is_written_again() -> None:
    """Every field, the unknown ones in their places, and nothing else."""
    completion = completion_from_json(json.dumps(_COMPLETION).encode())
    assert to_plain(attrs.evolve(completion, request_id="7")) == _COMPLETION


def test_what_is_not_whole_is_marked() -> None:
    """A partial completion says so, and only it."""
    assert to_plain(ChatCompletion(complete=False))["complete"] is False
    assert "complete" not in to_plain(ChatCompletion())


def test_a_chunk_likewise() -> None:
    """What a delta does not bring is left out, not null."""
    chunk = {"id": "1", "choices": [{"index": 0, "delta": {"content": "x"}, "logprobs": None, "finish_reason": None}]}
    read = to_plain(chunk_from_json(json.dumps(chunk).encode()))
    assert read["choices"] == chunk["choices"]


def test_the_json_is_one_line_of_readable_text() -> None:
    """Characters stand as they are; ``indent`` makes it more lines."""
    message = AssistantMessage("雨\n", tool_calls=(ToolCall("1", function=FunctionCall("f", '{"a":1}')),))
    assert "雨\\n" in to_json(message)
    assert "\n" not in to_json(message)
    assert json.loads(to_json(message, indent=2)) == json.loads(to_json(message))


def test_amounts_stay_exact() -> None:
    """A decimal is a string, as on the wire."""
    assert json.loads(to_json(BalanceInfo("USD", Decimal("0.10"))))["total_balance"] == "0.10"
