"""Words by which servers say that they broke an answer off, and words that only say how it ended."""

from __future__ import annotations

import pytest

from deepseek_async import RetryPolicy
from deepseek_async.codec import fold
from deepseek_async.codec.endings import BROKEN_OFF, finished, interruption_in
from deepseek_async.codec.reading.responses import chunk_from_json, completion_from_json, text_completion_from_json
from deepseek_async.errors import ServiceUnavailableError, StreamInterruptedError
from deepseek_async.transport import Answer

from ..wire import DONE, HELLO, chunk, client_on, completion, event, stream_of, to_json, whole

ENDS = [
    "stop",
    "length",
    "tool_calls",
    "content_filter",
    "eos",
    "load",
    "function_call",
    "recitation",
    "other",
    "End",
    "error_toxic",
]
KINDS = [
    *("engine_overloaded", "gateway_timeout", "client_disconnected", "request-cancelled", "upstreamTimeout"),
    *("io_error", "InternalServerError", "worker_exception", "user_abort"),
]
SPELLED = ["Network-Error", "NETWORK_ERROR", "networkError", "network error", " error ", "Timed-Out", "serverError"]


@pytest.mark.parametrize("reason", [*sorted(BROKEN_OFF), *KINDS, *SPELLED])
def test_a_word_that_says_so_breaks_the_answer_off(reason: str) -> None:
    """Streamed, whole and as a gap that was not filled; however it is spelled."""
    assert interruption_in([None, reason]) == reason
    streamed = fold(chunk_from_json(to_json(chunk(*said))) for said in (("Hel", None), ("", reason)))
    in_one_piece = completion_from_json(to_json(completion("Hel", reason)))
    gap = text_completion_from_json(to_json({"choices": [{"text": "Hel", "finish_reason": reason}]}))
    for answer in (streamed, in_one_piece, gap):
        assert not answer.complete
        assert answer.text == "Hel"
        assert answer.finish_reason == reason
    with pytest.raises(ServiceUnavailableError) as raised:
        finished(in_one_piece)
    assert raised.value.partial is in_one_piece
    assert raised.value.retryable


@pytest.mark.parametrize("after", ["stop", "length", None])
def test_it_is_not_taken_back(after: str | None) -> None:
    """By a gateway that closes every choice with a word of its own."""
    answer = fold(chunk_from_json(to_json(chunk(*said))) for said in (("Hel", None), ("", "abort"), ("", after)))
    assert (answer.finish_reason, answer.complete) == ("abort", False)


@pytest.mark.parametrize("word", ["abort", "stop", "length"])
def test_a_reason_in_an_object_is_its_word(word: str) -> None:
    """SGLang's own; the object is kept."""
    details = {"type": word, "matched": 151645}
    answer = completion_from_json(to_json({"choices": [{"message": {"content": "Hel"}, "finish_reason": details}]}))
    assert (answer.finish_reason, answer.complete) == (word, word != "abort")
    assert answer.choices[0].extra == {"finish_reason": details}
    assert fold([chunk_from_json(to_json(chunk("Hel"))), chunk_from_json(to_json(chunk("", details)))]).choices == (  # type: ignore[arg-type]
        answer.choices
    )


@pytest.mark.parametrize("reason", ENDS)
def test_any_other_word_stays_a_word(reason: str) -> None:
    """The server has ended the answer in its own way."""
    assert interruption_in([reason]) is None
    assert completion_from_json(to_json(completion("Hel", reason))).finish_reason == reason
    assert fold([chunk_from_json(to_json(chunk("Hel", reason)))]).complete


@pytest.mark.parametrize("word", ["null", "None", "NULL", "none", "undefined", ""])
def test_a_word_for_null_is_none(word: str) -> None:
    """In a chunk before the end it ends nothing."""
    answer = fold(chunk_from_json(to_json(chunk(*said))) for said in (("Hel", word), ("lo", word)))
    assert (answer.finish_reason, answer.complete) == (None, False)
    assert fold([chunk_from_json(to_json(chunk("Hel", said))) for said in (word, "stop")]).finish_reason == "stop"
    assert completion_from_json(to_json(completion("Hel", word))).finish_reason is None


@pytest.mark.anyio
@pytest.mark.parametrize("reason", ["abort", "aborted", "error", "network_error", "insufficient_system_resource"])
async def test_it_is_tried_again_before_any_text_and_told_after_it(reason: str) -> None:
    """Nothing that was shown comes twice, and nothing that came is lost."""
    broken = stream_of(chunk("", role="assistant"), chunk(None, reason))
    client, transport = client_on(Answer([broken]), Answer([stream_of(chunk("Hi"), chunk("", "stop"))]))
    assert (await client.chat.completions.stream(model="m", messages=HELLO).completion()).text == "Hi"
    assert len(transport.requests) == 2
    client, transport = client_on(Answer([event(chunk("Hel")), event(chunk(None, reason)), DONE]))
    stream = client.chat.completions.stream(model="m", messages=HELLO).text_deltas()
    assert await anext(stream) == "Hel"
    with pytest.raises(StreamInterruptedError, match=reason) as raised:
        await anext(stream)
    assert raised.value.partial is not None
    assert (raised.value.partial.text, raised.value.partial.complete) == ("Hel", False)
    client, transport = client_on(*[whole(completion("Hel", reason))] * 3)
    with pytest.raises(ServiceUnavailableError, match=reason):
        await client.chat.completions.create(model="m", messages=HELLO)
    assert len(transport.requests) == 3


def through(reason: str, native: object, where: str) -> dict[str, object]:
    """What a gateway adds to a choice."""
    name = "native_finish_reason"
    return {name: native} if where == "beside" else {"provider_specific_fields": {name: native, "other": None}}


@pytest.mark.anyio
@pytest.mark.parametrize("where", ["beside", "among"])
@pytest.mark.parametrize("native", ["insufficient_system_resource", "abort", "engine_overloaded", "Network-Error"])
async def test_a_gateways_stop_does_not_hide_that_the_server_broke_off(native: str, where: str) -> None:
    """OpenRouter and LiteLLM have the server's own word beside theirs: streamed, whole, as a gap; all three alike."""
    more = through("stop", native, where)
    last = chunk("", "stop")
    last["choices"][0].update(more)
    in_one_piece = completion("Hel", "stop")
    in_one_piece["choices"][0].update(more)
    streamed = fold(chunk_from_json(to_json(said)) for said in (chunk("Hel", role="assistant"), last))
    read = completion_from_json(to_json(in_one_piece))
    assert (streamed.finish_reason, streamed.complete) == (read.finish_reason, read.complete) == (native, False)
    assert streamed.choices == read.choices
    assert dict(read.choices[0].extra) == more
    gap = {"index": 0, "text": "Hel", "finish_reason": "stop", **more}
    assert text_completion_from_json(to_json({"choices": [gap]})).complete is False
    client, _ = client_on(Answer([stream_of(chunk("Hel"), last)]), retry=RetryPolicy(attempts=1))
    with pytest.raises(StreamInterruptedError, match="broke the answer off") as caught:
        await client.chat.completions.stream(model="m", messages=HELLO).completion()
    assert caught.value.partial is not None
    assert caught.value.partial.text == "Hel"
    client, _ = client_on(whole(in_one_piece), retry=RetryPolicy(attempts=1))
    with pytest.raises(ServiceUnavailableError, match="broke the answer off"):
        await client.chat.completions.create(model="m", messages=HELLO)


@pytest.mark.parametrize("where", ["beside", "among"])
@pytest.mark.parametrize("native", ["STOP", "end_turn", "eos", "completed", "max_tokens", "", None, 5, {"a": 1}])
def test_words_of_the_servers_own_change_nothing_else(native: object, where: str) -> None:
    """The gateway's is the reason."""
    answered = completion("Hel", "stop")
    answered["choices"][0].update(through("stop", native, where))
    read = completion_from_json(to_json(answered))
    assert (read.finish_reason, read.complete) == ("stop", True)
    answered["choices"][0]["provider_specific_fields"] = "none"
    assert completion_from_json(to_json(answered)).complete
