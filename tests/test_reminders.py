"""Whoever adds half of something is told the other half: a quirk's example, a rule's case, a column's documentation.

Fields of values, shapes and parameters have `test_field_sets`; the layout has `test_architecture`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deepseek_async import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ChatCompletion,
    DeepSeekError,
    EmptyResponseError,
    RateLimitError,
    StreamInterruptedError,
    TextCompletion,
)
from deepseek_async.batch.journal.lines import X
from deepseek_async.codec.reading import quirks
from deepseek_async.codec.reading.responses import completion_from_json, text_completion_from_json
from deepseek_async.errors import BILLABLE, RETRYABLE

Json = dict[str, Any]
DOCS = Path(__file__).parent.parent / "docs"

# -- a quirk: a row in the table of `codec.reading.quirks`, a translation, and an example here

ROWS = re.findall(r"^\| (.+?) \| .+ \| .+ \|$", quirks.__doc__ or "", re.M)[2:]


def _message(message: Json, **choice: Any) -> Json:
    return {"choices": [{"message": {"content": "Yes.", **message}, "finish_reason": "stop", **choice}]}


def _call(**call: Any) -> Json:
    return _message({"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}, **call}]})


def _token(**token: Any) -> Json:
    return _message({}, logprobs={"content": [{"token": "Yes.", **token}]})


# Of each row: what a server says, and what must be read: a path into the value, and what stands there.
EXAMPLES: Mapping[str, tuple[Json, str, Any]] = {
    "``reasoning``, ``thinking``, ``reasoning_text``": (_message({"thinking": "Hm."}), "reasoning", "Hm."),
    "``content`` as a list of parts": (_message({"content": [{"type": "text", "text": "Yes."}]}), "text", "Yes."),
    "``finish_reason`` as an object with a ``type``": (
        _message({}, finish_reason={"type": "length", "length": 40}),
        "finish_reason",
        "length",
    ),
    '``finish_reason: ""`` or a word for null, ``role: ""``': (
        _message({"role": ""}, finish_reason="none"),
        "finish_reason",
        None,
    ),
    "``tool_calls: []``": (_message({"tool_calls": []}), "message.tool_calls", None),
    "``index`` in a whole message's tool call": (_call(index=0), "message.tool_calls.0.extra", {}),
    "a call's ``arguments`` as an object": (
        _call(function={"name": "f", "arguments": {"a": 1}}),
        "message.tool_calls.0.function.arguments",
        '{"a": 1}',
    ),
    "``message`` for ``delta`` or the reverse; ``text`` for both, and both for ``text``": (
        {"choices": [{"delta": {"content": "Yes."}, "finish_reason": "stop"}]},
        "text",
        "Yes.",
    ),
    "hits and misses inside ``prompt_tokens_details``": (
        {
            **_message({}),
            "usage": {
                "prompt_tokens": 2,
                "completion_tokens": 1,
                "prompt_tokens_details": {"prompt_cache_hit_tokens": 2},
            },
        },
        "usage.prompt_cache_hit_tokens",
        2,
    ),
    "a usage in which nothing is said": ({**_message({}), "usage": {}}, "usage", None),
    "``usage`` in a choice, its delta or its message, or in ``x_groq``": (
        {**_message({}), "x_groq": {"usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3}}},
        "usage.prompt_tokens",
        2,
    ),
    "``logprob: null``": (_token(logprob=None), "logprobs.content.0.logprob", -9999.0),
    "``prob`` and ``top_probs``": (_token(prob=1.0, top_probs=[]), "logprobs.content.0.logprob", 0.0),
    "logprobs of one endpoint in the shape of the other": (
        _message({}, logprobs={"tokens": ["Yes."], "token_logprobs": [-0.5]}),
        "logprobs.content.0.token",
        "Yes.",
    ),
    "a choice or a call that stands alone": ({"choices": _message({})["choices"][0]}, "text", "Yes."),
}


def test_each_quirk_has_its_example() -> None:
    """A row of the table without an example here, or an example whose row is gone."""
    assert set(ROWS) == set(EXAMPLES), "the table of codec.quirks and EXAMPLES here have the same rows"


@pytest.mark.parametrize("row", EXAMPLES)
def test_each_quirk_is_translated(row: str) -> None:
    """What is said is read as the table says; the JSON that was given stays as it was."""
    said, path, meant = EXAMPLES[row]
    value: Any = completion_from_json(json.dumps({"id": "t", **said}).encode())
    assert isinstance(value, ChatCompletion)
    for step in path.split("."):
        value = value[int(step)] if step.isdigit() else getattr(value, step)
    assert value == meant


def test_quirks_hold_for_a_gap_too() -> None:
    """Both endpoints go through the same translations."""
    completion = text_completion_from_json(b'{"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]}')
    assert isinstance(completion, TextCompletion)
    assert completion.text == "Yes."


# -- a rule of retrying or of billing: a row in a table of `errors`, and a case here -----------------------------------

_UNANSWERED: Any = {"phase": "total", "seconds": 1}
CASES: Mapping[str, tuple[DeepSeekError, ...]] = {
    "retry": (
        APIConnectionError("x"),
        APITimeoutError("x", phase="connect", seconds=1),
        RateLimitError("x", status=429, is_exhausted=True),
        APIStatusError("x", status=503),
        EmptyResponseError("x"),
        StreamInterruptedError("x"),
    ),
    "bill": (
        APIConnectionError("x", during="request"),
        APITimeoutError("x", phase="connect", seconds=1),
        APITimeoutError("x", phase="idle", seconds=1),
        APITimeoutError("x", **_UNANSWERED),
        APIStatusError("x", status=504),
        APIStatusError("x", status=500, by_gateway=True),
        EmptyResponseError("x"),
        StreamInterruptedError("x"),
    ),
}


@pytest.mark.parametrize(
    ("table", "cases"), [(RETRYABLE, CASES["retry"]), (BILLABLE, CASES["bill"])], ids=["retry", "bill"]
)
def test_each_rule_has_its_case(table: Any, cases: tuple[DeepSeekError, ...]) -> None:
    """In the order of the table, each decided by its own row."""
    assert len(table) == len(cases), "a rule without a case here, or a case whose rule is gone"
    for number, (row, error) in enumerate(zip(table, cases, strict=True)):
        deciding = [
            place
            for place, (cls, fact, values, _) in enumerate(table)
            if isinstance(error, cls) and (not fact or getattr(error, fact) in values)
        ]
        assert deciding[0] == number, f"{error!r} is decided by row {deciding}, not by {row}"


# -- a column of ``x``: a field of `X`, and a line of docs/batch.md ----------------------------------------------------


@pytest.mark.parametrize("column", X.__struct_fields__)
def test_each_column_of_a_finished_row_is_documented(column: str) -> None:
    """Whoever reads an output must not have to read our source."""
    page = (DOCS / "batch.md").read_text(encoding="utf-8")
    assert re.search(rf"[`\"]{column}[`\"]", page), f"docs/batch.md does not say what x.{column} is"
