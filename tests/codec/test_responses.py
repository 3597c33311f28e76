"""The server's JSON → values: two ways, the documented shapes and the lenient one, that must not differ."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepseek_async.codec import chunk_from_json, completion_from_json
from deepseek_async.codec.endings import finished, interruption_in
from deepseek_async.codec.reading.account import balance_from_json, models_from_json
from deepseek_async.codec.reading.bodies import parse_json
from deepseek_async.codec.reading.lenient import value_from
from deepseek_async.codec.reading.responses import text_completion_from_json, text_from_json
from deepseek_async.errors import MalformedResponseError, ServiceUnavailableError
from deepseek_async.types import ChatCompletionChunk, TextChoice, TextCompletion, TextLogprobs, Usage

from ..cutting import chunkings, completions
from ..examples import examples
from ..wire import completion, to_json

FEW = settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@given(completions())
@FEW
def test_both_ways_read_the_same_completion(answer: dict[str, Any]) -> None:
    """Fast for what is documented, lenient for all else: where both can read a text, they read the same."""
    fast, slow = completion_from_json(to_json(answer)), completion_from_json(to_json({**answer, "unknown": 1}))
    assert slow.extra["unknown"] == 1
    assert fast == attrs.evolve(slow, extra=fast.extra)
    assert {**fast.extra, "unknown": 1} == slow.extra


@given(st.data())
@FEW
def test_both_ways_read_the_same_chunks(data: st.DataObject) -> None:
    """Chunk by chunk, of any server's stream."""
    for one in data.draw(chunkings(data.draw(completions()))):
        text = json.dumps(one).encode()
        assert chunk_from_json(text) == value_from(parse_json(text, "it"), ChatCompletionChunk, "it")


TEXT = {
    "id": "1", "object": "text_completion", "created": 5, "model": "m", "system_fingerprint": "fp",
    "choices": [
        {
            "text": "a", "index": 0, "finish_reason": "stop",
            "logprobs": {"text_offset": [0], "token_logprobs": [None], "tokens": ["a"], "top_logprobs": [{"a": -0.5}]},
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}  # fmt: skip


@pytest.mark.parametrize("extra", [{}, {"unknown": 1}])
def test_a_gap_is_read_alike(extra: dict[str, Any]) -> None:
    """Fill in the middle: text, lists of logprobs, usage; unknown fields beside them or not."""
    read = text_completion_from_json(to_json({**TEXT, **extra}))
    assert read == TextCompletion(
        "1",
        created=5,
        model="m",
        system_fingerprint="fp",
        choices=(TextChoice("a", 0, TextLogprobs((0,), (None,), ("a",), ({"a": -0.5},)), "stop"),),
        usage=Usage(1, 2, 3),
        extra=extra,
    )


def test_unknown_fields_of_a_gaps_logprobs_are_kept() -> None:
    """As everywhere else."""
    choice = {"text": "a", "logprobs": {"tokens": ["a"], "new": 1}, "finish_reason": ""}
    read = text_from_json(to_json({"choices": [choice]})).choices[0]
    assert read.logprobs == TextLogprobs(tokens=("a",), extra={"new": 1})
    assert read.finish_reason is None


def test_half_a_character_is_whole_in_a_whole_text_only() -> None:
    """A piece keeps its half for the next piece; a whole answer has no next."""
    body = b'{"choices":[{"text":"a\\ud83e"}]}'
    assert text_from_json(body).text == "a\ud83e"
    assert text_completion_from_json(body).text == "a\ufffd"


@pytest.mark.parametrize("reason", ["insufficient_system_resource", "aborted"])
def test_an_answer_that_was_broken_off_is_not_complete(reason: str) -> None:
    """By the server's own word, in a 200: as a value it says so, and `finished` refuses it."""
    answer = completion_from_json(to_json(completion("Hel", reason)), "t")
    assert not answer.complete
    assert interruption_in([None, reason]) == reason
    with pytest.raises(ServiceUnavailableError, match=reason) as raised:
        finished(answer)
    assert raised.value.partial is answer
    assert raised.value.request_id == "t"
    assert not text_completion_from_json(to_json({"choices": [{"text": "a", "finish_reason": reason}]})).complete


def test_an_answer_that_was_finished_is_itself() -> None:
    """Whatever else ended it."""
    answer = completion_from_json(to_json(completion("Hel", "length")))
    assert finished(answer) is answer
    assert answer.complete
    assert interruption_in(["stop", None]) is None


def test_amounts_are_decimals_and_no_floats() -> None:
    """Written as strings, as the page says, or as numbers."""
    body = b'{"is_available":true,"balance_infos":[{"currency":"USD","total_balance":"0.10","granted_balance":1}]}'
    (info,) = balance_from_json(body).balance_infos
    assert (str(info.total_balance), str(info.granted_balance), info.topped_up_balance) == ("0.10", "1", None)
    with pytest.raises(MalformedResponseError, match=r"the balance: .* at \$.balance_infos\[0\].total_balance"):
        balance_from_json(b'{"balance_infos":[{"currency":"USD","total_balance":"much"}]}')


def test_a_model_needs_an_id() -> None:
    """Everything else may be missing."""
    assert [model.id for model in models_from_json(b'{"data":[{"id":"m"}]}')] == ["m"]
    with pytest.raises(MalformedResponseError, match=r"at \$.data\[0\]"):
        models_from_json(b'{"data":[{}]}')
