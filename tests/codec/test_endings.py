"""Words by which servers say that they broke an answer off, and words that only say how it ended."""

from __future__ import annotations

import pytest

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
