"""Continuing a streamed answer: one logical stream, its seams visible, no character twice and none lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deepseek_async import (
    APITimeoutError,
    AsyncClient,
    BadRequestError,
    InvalidRequestError,
    MalformedResponseError,
    Resume,
    RetryPolicy,
    StreamInterruptedError,
    Timeouts,
    Tool,
    UserMessage,
)
from deepseek_async.codec import fold
from deepseek_async.transport import Answer, Pause, ScriptedTransport
from deepseek_async.types import AssistantMessage, FunctionDefinition

from ..wire import client_on, completion, to_json, whole

pytestmark = pytest.mark.anyio

DONE = b"data: [DONE]\n\n"


def event(**fields: Any) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def chunk(content: str | None = None, finish_reason: str | None = None, **fields: Any) -> bytes:
    said = {"role": "assistant", "content": content, "reasoning_content": fields.pop("reasoning", None)}
    choice = {"index": 0, "delta": said, "logprobs": fields.pop("logprobs", None), "finish_reason": finish_reason}
    return event(id="1", object="chat.completion.chunk", created=1, model="m", choices=[choice], **fields)


def usage(tokens: int) -> dict[str, int]:
    return {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": 10 + tokens}


def token(text: str) -> dict[str, Any]:
    return {"content": [{"token": text, "logprob": -0.5, "bytes": list(text.encode()), "top_logprobs": []}]}


def client_of(*answers: Answer) -> tuple[AsyncClient, ScriptedTransport]:
    transport = ScriptedTransport(answers)
    client = AsyncClient(
        base_url="http://localhost:1",
        has_beta=True,
        transport=transport,
        retry=RetryPolicy(wait_initial=0.0),
        timeouts=Timeouts(idle=0.05),
    )
    return client, transport


def ask(client: AsyncClient, resume: Resume, **parameters: Any) -> Any:
    messages = parameters.pop("messages", [UserMessage("Tell me.")])
    return client.chat.completions.stream(model="m", messages=messages, resume=resume, **parameters)


def sent(transport: ScriptedTransport, number: int) -> Any:
    return json.loads(transport.requests[number].body or b"")


BOTH = Resume(on=frozenset({"interrupted", "length"}), attempts=2)


@pytest.mark.parametrize("is_drained", [False, True])
async def test_a_cut_stream_goes_on_where_it_was(is_drained: bool) -> None:
    """The rest is asked for with the text so far as a prefix, on the beta URL; role and end come once."""
    client, transport = client_of(
        Answer([chunk(""), chunk("ab"), chunk("cd")]),
        Answer([chunk(""), chunk("ef"), chunk("", "stop", usage=usage(3)), DONE]),
    )
    stream = ask(client, BOTH)
    texts, reasons = [], []
    if not is_drained:
        async for delivered in stream:
            texts.append(delivered.choices[0].delta.content)
            reasons.append(delivered.choices[0].finish_reason)
        assert texts == ["", "ab", "cd", "ef", ""]
        assert reasons == [None, None, None, None, "stop"]
    completion = await stream.completion()
    assert completion.text == "abcdef"
    assert completion.complete
    assert transport.requests[1].url == "http://localhost:1/beta/chat/completions"
    assert sent(transport, 1)["messages"][1:] == [{"role": "assistant", "content": "abcd", "prefix": True}]
    (seam,) = stream.seams
    assert (seam.position, seam.reasoning_position, seam.usage) == (4, 0, None)
    assert isinstance(seam.cause, StreamInterruptedError)


@pytest.mark.parametrize("is_drained", [False, True])
async def test_an_answer_that_was_too_long_goes_on(is_drained: bool) -> None:
    """After `length` the next part may be as long again; usage is summed, and told apart by the seam."""
    client, transport = client_of(
        Answer([chunk("ab"), chunk("cd", "length", usage=usage(2)), DONE]),
        Answer([chunk("ef", "stop", usage=usage(3)), DONE]),
    )
    stream = ask(client, BOTH, max_tokens=2)
    if not is_drained:
        reasons = [delivered.choices[0].finish_reason async for delivered in stream]
        assert reasons == [None, None, None, "stop"]
    completion = await stream.completion()
    assert (completion.text, completion.finish_reason) == ("abcdef", "stop")
    assert completion.usage is not None
    assert (completion.usage.completion_tokens, completion.usage.total_tokens) == (5, 25)
    assert stream.seams[0].cause == "length"
    assert stream.seams[0].usage.completion_tokens == 2
    assert sent(transport, 1)["max_tokens"] == 2


async def test_length_is_the_end_once_the_attempts_are_spent() -> None:
    """The last part's own end is delivered, with its usage."""
    part = Answer([chunk("ab"), chunk("", "length", usage=usage(2)), DONE])
    client, _ = client_of(part, part, part)
    stream = ask(client, BOTH)
    delivered = [item async for item in stream]
    assert delivered[-1].choices[0].finish_reason == "length"
    assert (await stream.completion()).text == "ababab"


@pytest.mark.parametrize("is_drained", [False, True])
async def test_failing_for_good_carries_all_parts(is_drained: bool) -> None:
    """With no attempt left the error's partial holds every part, once."""
    client, transport = client_of(Answer([chunk("ab")]), Answer([chunk("c")]), Answer([chunk("d")]))
    stream = ask(client, BOTH)
    with pytest.raises(StreamInterruptedError) as caught:
        if is_drained:
            await stream.completion()
        else:
            async for _ in stream:
                pass
    assert caught.value.partial is not None
    assert caught.value.partial.text == "abcd"
    assert len(transport.requests) == 3


async def test_a_continuation_is_retried_until_its_first_text() -> None:
    """A part that brings nothing is asked for again and is no continuation of its own."""
    client, transport = client_of(
        Answer([chunk("ab")]), Answer([chunk("")]), Answer([], status=503), Answer([chunk("cd", "stop"), DONE])
    )
    stream = ask(client, Resume(attempts=1))
    assert (await stream.completion()).text == "abcd"
    assert [sent(transport, n)["messages"][-1]["content"] for n in (1, 2, 3)] == ["ab"] * 3
    assert len(stream.seams) == 1


async def test_a_refused_continuation_carries_what_there_was() -> None:
    """The refusal is its own typed error, with the partial of the parts before."""
    client, _ = client_of(Answer([chunk("ab")]), Answer([b'{"error": {"message": "no"}}'], status=400))
    with pytest.raises(BadRequestError) as caught:
        await ask(client, BOTH).completion()
    assert caught.value.partial is not None
    assert caught.value.partial.text == "ab"


async def test_silence_is_an_interruption() -> None:
    """The idle deadline is continued after, and stays visible as the seam's cause."""
    client, _ = client_of(Answer([chunk("ab"), Pause()]), Answer([chunk("cd", "stop"), DONE]))
    stream = ask(client, BOTH)
    assert (await stream.completion()).text == "abcd"
    assert isinstance(stream.seams[0].cause, APITimeoutError)


async def test_an_end_without_done_is_an_end() -> None:
    """Once the finish reason came nothing is missing: asking on would invent text."""
    client, transport = client_of(Answer([chunk("ab"), chunk("", "stop", usage=usage(1))]))
    stream = ask(client, BOTH)
    assert [item.choices[0].finish_reason async for item in stream] == [None, "stop"]
    completion = await stream.completion()
    assert (completion.text, completion.complete) == ("ab", True)
    assert len(transport.requests) == 1


async def test_once_all_tokens_came_no_more_are_asked_for() -> None:
    """Cut between the last token and the chunk that says `length`: one token more would be one too many."""
    parts = [chunk("a", logprobs=token("a")), chunk("b", logprobs=token("b"))]
    client, transport = client_of(Answer(parts))
    completion = await ask(client, BOTH, max_tokens=2, logprobs=True).completion()
    assert (completion.text, completion.finish_reason) == ("ab", None)
    assert len(transport.requests) == 1


async def test_max_tokens_counts_anew_after_length() -> None:
    """A part after `length` may have all of them; what is left of that part is counted within it."""
    client, transport = client_of(
        Answer([chunk("a", logprobs=token("a")), chunk("b", "length", logprobs=token("b")), DONE]),
        Answer([chunk("c", logprobs=token("c"))]),
        Answer([chunk("d", "stop", logprobs=token("d")), DONE]),
    )
    completion = await ask(client, BOTH, max_tokens=2, logprobs=True).completion()
    assert completion.text == "abcd"
    assert [sent(transport, n)["max_tokens"] for n in range(3)] == [2, 2, 1]


async def test_reasoning_goes_back_too() -> None:
    """In thinking mode the prefix carries the reasoning so far, and the cut may lie inside it."""
    client, transport = client_of(
        Answer([chunk(reasoning="Let me "), chunk(reasoning="th")]),
        Answer([chunk(reasoning="ink."), chunk("42", "stop"), DONE]),
    )
    completion = await ask(client, BOTH).completion()
    assert (completion.reasoning, completion.text) == ("Let me think.", "42")
    prefix = sent(transport, 1)["messages"][-1]
    assert (prefix["reasoning_content"], prefix["content"]) == ("Let me th", "")


async def test_a_prefix_of_the_callers_own_stays_in_front() -> None:
    """The caller's prefix and the text so far make one message."""
    client, transport = client_of(Answer([chunk("ab")]), Answer([chunk("c", "stop"), DONE]))
    messages = [UserMessage("Q"), AssistantMessage("Sure: ", prefix=True)]
    assert (await ask(client, BOTH, messages=messages).completion()).text == "abc"
    assert [message["content"] for message in sent(transport, 1)["messages"]] == ["Q", "Sure: ab"]


async def test_logprobs_are_one_list_and_count_the_tokens_left() -> None:
    """Tokens of all parts stand in one list; `max_tokens` of the rest is what is left of it."""
    client, transport = client_of(
        Answer([chunk("a", logprobs=token("a")), chunk("b", logprobs=token("b"))]),
        Answer([chunk("c", "stop", logprobs=token("c")), DONE]),
    )
    completion = await ask(client, BOTH, max_tokens=10, logprobs=True).completion()
    assert completion.logprobs is not None
    assert [entry.token for entry in completion.logprobs.content or ()] == ["a", "b", "c"]
    assert sent(transport, 1)["max_tokens"] == 8


LONG = "The tide turns at nine, and the ferry leaves at ten."


@pytest.mark.parametrize("is_drained", [False, True])
@pytest.mark.parametrize("pieces", [[LONG[:30]], list(LONG), [LONG[:8], LONG[8:40]], [LONG + " And so on."]])
@pytest.mark.parametrize("is_reasoning", [False, True])
async def test_a_server_that_begins_anew_is_refused(pieces: list[str], is_drained: bool, is_reasoning: bool) -> None:
    """Not joined to the first part and called complete: both parts are in the error, nothing is asked for again."""
    name = "reasoning" if is_reasoning else "content"
    client, transport = client_of(
        Answer([chunk(**{name: LONG[:25]}), chunk(**{name: LONG[25:50]})]),
        Answer([chunk(""), *(chunk(**{name: piece}) for piece in pieces), chunk("", "stop"), DONE]),
    )
    stream = ask(client, BOTH)
    texts = []
    with pytest.raises(MalformedResponseError, match="began the answer anew") as caught:
        if is_drained:
            await stream.completion()
        async for delta in stream.deltas():
            texts.append(delta.content or delta.reasoning_content or "")  # noqa: PERF401 - until the error
    partial = caught.value.partial
    assert partial is not None
    assert (partial.reasoning if is_reasoning else partial.text) == LONG[:50]  # type: ignore[attr-defined]
    again: Any = caught.value.continuation
    text = again.reasoning if is_reasoning else again.text
    assert LONG.startswith(text) or text.startswith(LONG)
    assert len(text) >= 8
    assert is_drained or "".join(texts) == LONG[:50]
    assert len(transport.requests) == 2


@pytest.mark.parametrize("is_whole_json", [True, False])
@pytest.mark.parametrize(("said", "text"), [(LONG, None), (" It is late.", LONG[:50] + " It is late.")])
async def test_a_continuation_that_only_its_end_brings(is_whole_json: bool, said: str, text: str | None) -> None:
    """In one piece of JSON, or in an event that no blank line ends: it is looked at like any other."""
    rest = to_json(completion(said)) if is_whole_json else chunk(said, "stop").rstrip()
    client, _ = client_of(Answer([chunk(LONG[:25]), chunk(LONG[25:50])]), Answer([rest]))
    stream = ask(client, BOTH)
    if text is not None:
        assert (await stream.completion()).text == text
        return
    with pytest.raises(MalformedResponseError, match="began the answer anew") as caught:
        await stream.completion()
    partial: Any = caught.value.partial
    again: Any = caught.value.continuation
    assert (partial.text, again.text) == (LONG[:50], LONG)


@pytest.mark.parametrize(
    ("said", "more"),
    [
        ("1, 2, 1, 2, 1, 2, ", "1, 2, 1, 2, 1, 2."),
        ("la la la la la la la ", "la la la la la"),
        (LONG, " The tide turns at noon."),
        (LONG, "The fire."),
        ("ha", "ha ha"),
        ("111", "111 and so on"),
        ("The", "Theory"),
        ("bye", "bye"),
        ("哈哈哈", "哈哈哈！"),
        ("中ab", "中ab"),
        ("bye-", "bye-bye"),
        (LONG[:20], LONG[20:]),
    ],
)
async def test_what_goes_on_may_say_the_same_again(said: str, more: str) -> None:
    """A list, a refrain, a few characters: no beginning of the answer, and none lost or held back for ever."""
    client, _ = client_of(Answer([chunk(said)]), Answer([*map(chunk, more), chunk("", "stop"), DONE]))
    stream = ask(client, BOTH)
    assert "".join([text async for text in stream.text_deltas()]) == said + more
    assert (await stream.completion()).text == said + more


@pytest.mark.parametrize("pieces", [1, 2, 30])
@pytest.mark.parametrize("said", ["The", "Tomorrow", "Rivers"])
async def test_one_word_alone_is_not_doubled(said: str, pieces: int) -> None:
    """A cut behind the first word, and that word again to go on with: the server has begun anew."""
    more = f"{said} tide turns"
    parts = [more[start : start + pieces] for start in range(0, len(more), pieces)]
    client, transport = client_of(Answer([chunk(said)]), Answer([*map(chunk, parts), chunk("", "stop"), DONE]))
    with pytest.raises(MalformedResponseError, match="began the answer anew") as caught:
        await ask(client, BOTH).completion()
    assert caught.value.partial is not None
    assert caught.value.partial.text == said
    assert len(transport.requests) == 2


@pytest.mark.parametrize(
    "fields", [{"system_fingerprint": "vllm-0.32.0-2978522e"}, {"prompt_token_ids": None, "prompt_text": None}]
)
async def test_vllm_is_asked_in_its_own_way(fields: dict[str, Any]) -> None:
    """It ignores `prefix` and would begin anew."""
    client, transport = client_of(Answer([chunk("ab", **fields)]), Answer([chunk("cd", "stop", **fields), DONE]))
    assert (await ask(client, BOTH, extra_body={"top_k": 5}).completion()).text == "abcd"
    body = sent(transport, 1)
    assert body["messages"][-1] == {"role": "assistant", "content": "ab"}
    assert (body["continue_final_message"], body["add_generation_prompt"], body["top_k"]) == (True, False, 5)


@pytest.mark.parametrize(("server", "text"), [("llama.cpp", " world"), ("uvicorn", "Hello world")])
async def test_a_prefix_in_one_piece_reads_as_in_a_stream(server: str, text: str) -> None:
    """llama.cpp tells the prefix once more before what continues it, but not in a stream."""
    client, _ = client_on(whole(completion("Hello world"), server=server))
    asked = [UserMessage("Greet."), AssistantMessage("Hello", prefix=True)]
    assert (await client.chat.completions.create(model="m", messages=asked)).text == text


async def test_tokens_of_a_character_at_a_seam_count_once() -> None:
    """Half a character has no text: the continuation brings its tokens again, after a failed attempt, too."""
    half = {"content": [{"token": "\ufffd", "logprob": -0.5, "bytes": [240, 159], "top_logprobs": []}]}
    rest = {"content": [{"token": "\ufffd", "logprob": -0.5, "bytes": [166, 148], "top_logprobs": []}]}
    client, transport = client_of(
        Answer([chunk("a", logprobs=token("a")), chunk("", logprobs=half)]),
        Answer([chunk(""), chunk("", logprobs=half)]),
        Answer([chunk(""), chunk("", logprobs=half), chunk("🦔", "stop", logprobs=rest), DONE]),
    )
    stream = ask(client, BOTH, logprobs=True)
    delivered = [item async for item in stream]
    completion = await stream.completion()
    assert (completion.text, len(transport.requests)) == ("a🦔", 3)
    for seen in (completion, fold(delivered)):
        assert seen.logprobs is not None
        assert [entry.bytes for entry in seen.logprobs.content or ()] == [(97,), (240, 159), (166, 148)]


@pytest.mark.parametrize(
    "parameters",
    [
        {"tools": [Tool(FunctionDefinition("f"))]},
        {"response_format": {"type": "json_object"}},
        {"extra_body": {"n": 2}},
    ],
)
async def test_what_cannot_be_continued_is_refused_before_anything_is_sent(parameters: dict[str, Any]) -> None:
    """Calls, JSON mode and several choices have no prefix to go on from."""
    client, transport = client_of()
    with pytest.raises(InvalidRequestError, match="cannot be continued"):
        ask(client, Resume(), **parameters)
    assert not transport.requests


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [({"on": {"stop"}}, "resume.on"), ({"on": "length"}, "resume.on"), ({"attempts": 0}, "resume.attempts")],
)
async def test_a_wrong_resume_says_what_is_allowed(arguments: dict[str, Any], parameter: str) -> None:
    """Each value has its range."""
    with pytest.raises(InvalidRequestError) as caught:
        Resume(**arguments)
    assert caught.value.parameter == parameter


async def test_a_continuation_that_failed_is_not_counted_besides() -> None:
    """Its usage came, and then no text: of the part only the attempt counts that brought it, as of a first part."""
    failed = [
        chunk(""),
        event(id="1", object="chat.completion.chunk", created=1, model="m", choices=[], usage=usage(7)),
    ]
    client, transport = client_of(
        Answer([chunk("ab"), chunk("cd", "length", usage=usage(2)), DONE]),
        Answer(failed),
        Answer([chunk("ef", "stop", usage=usage(3)), DONE]),
    )
    completion = await ask(client, BOTH).completion()
    assert completion.text == "abcdef"
    assert len(transport.requests) == 3
    assert completion.usage is not None
    assert (completion.usage.completion_tokens, completion.usage.total_tokens) == (5, 25)
