"""Answers in one piece whose connection breaks, or is silent, before the body's end: what had come is not lost."""

from __future__ import annotations

import gzip
import traceback
from typing import Any

import pytest

from deepseek_async import (
    APIConnectionError,
    APITimeoutError,
    AsyncClient,
    Budget,
    DeepSeekError,
    RetryPolicy,
    Timeouts,
)
from deepseek_async.errors import StreamInterruptedError
from deepseek_async.transport import Answer, Pause

from ..byte_server import JSON_HEAD, ByteServer, Connection, chunked
from ..wire import HELLO, JSON, chunk, client_on, completion, hello, stream_of, to_json

pytestmark = pytest.mark.anyio

ASKED: dict[str, Any] = {"model": "deepseek-flash", "messages": HELLO}
TEXT = 'He said "hé\\o" 雨🦄\n and left'
FIM = {"id": "7f", "object": "text_completion", "created": 1, "model": "m", "choices": [
    {"index": 0, "text": TEXT, "logprobs": None, "finish_reason": "stop"}]}  # fmt: skip
ONCE = RetryPolicy(attempts=1)
BROKE = APIConnectionError("broke")


def in_pieces(body: bytes, *then: Any) -> Answer:
    """A body in reads of seven bytes, and what comes after them."""
    return Answer([*(body[at : at + 7] for at in range(0, len(body), 7)), *then], headers=JSON)


async def ask(client: AsyncClient, *, fim: bool = False) -> Any:
    if fim:
        return await client.completions.create(model="m", prompt="p")
    return await client.chat.completions.create(**ASKED)


@pytest.mark.parametrize("fim", [False, True], ids=["chat", "fim"])
async def test_every_beginning_is_in_the_error(fim: bool) -> None:
    """Wherever the body is cut, inside a character too: the error is the network's, and has the text so far."""
    body = to_json(FIM if fim else completion(TEXT, usage={"total_tokens": 3}))
    seen = set()
    for end in range(1, len(body)):
        client, _ = client_on(in_pieces(body[:end], BROKE), retry=ONCE)
        with pytest.raises(APIConnectionError, match="broke") as caught:
            await ask(client, fim=fim)
        partial = caught.value.partial
        assert caught.value.may_be_billed
        if partial is not None:
            assert not partial.complete
            assert TEXT.startswith(partial.text.removesuffix("\ufffd"))
            seen.add(partial.text)
    assert TEXT in seen
    assert len(seen) > 20


@pytest.mark.parametrize("fim", [False, True], ids=["chat", "fim"])
@pytest.mark.parametrize("end", [b"", b"\n", b"  \r\n "])
async def test_a_whole_answer_is_one_however_its_connection_ends(fim: bool, end: bytes) -> None:
    """JSON says by itself where it ends. It is paid for, and is not asked for again."""
    body = to_json(FIM if fim else completion(TEXT))
    client, transport = client_on(in_pieces(body + end, BROKE))
    answer = await ask(client, fim=fim)
    assert (answer.text, answer.complete, len(transport.requests)) == (TEXT, True, 1)
    assert transport.responses[0].is_closed


async def test_a_whole_answer_and_silence() -> None:
    """The same, if its end is waited for in vain, be it by the deadline of the whole call."""
    for timeouts in (Timeouts(idle=0.05), Timeouts(total=0.05)):
        client, transport = client_on(in_pieces(to_json(completion(TEXT)), Pause()), timeouts=timeouts)
        assert (await ask(client)).text == TEXT
        assert len(transport.requests) == 1


async def test_half_an_answer_and_silence() -> None:
    """The deadline's error has it, with an estimate of what it took; a budget counts that."""
    budget = Budget(max_tokens=1000)
    body = to_json(completion("one two three four five"))
    cut = body.index(b" five")
    client, _ = client_on(in_pieces(body[:cut], Pause()), timeouts=Timeouts(idle=0.05), budget=budget)
    with pytest.raises(APITimeoutError) as caught:
        await ask(client)
    partial: Any = caught.value.partial
    assert (partial.text, partial.complete) == ("one two three four", False)
    assert partial.estimated_usage.completion_tokens >= 4
    assert budget.tokens == partial.estimated_usage.total_tokens


async def test_another_attempt_comes_first() -> None:
    """What broke off is asked for again, as before; only the last error is seen, with what it has."""
    half = to_json(completion(TEXT))[:-40]
    client, transport = client_on(in_pieces(half, BROKE), in_pieces(to_json(completion("Hello.")), BROKE))
    assert (await ask(client)).text == "Hello."
    assert len(transport.requests) == 2
    client, _ = client_on(
        in_pieces(half, BROKE), APIConnectionError("refused", during="connect"), retry=RetryPolicy(2, 0)
    )
    with pytest.raises(APIConnectionError, match="refused") as caught:
        await ask(client)
    assert caught.value.partial is None


async def test_an_error_keeps_no_body() -> None:
    """What was read of it is in ``partial``; its bytes are gone, whoever keeps the error with its frames."""
    client, _ = client_on(in_pieces(to_json(completion("x" * 100_000))[:-40], BROKE), retry=ONCE)
    with pytest.raises(APIConnectionError) as caught:
        await ask(client)
    assert caught.value.partial is not None
    held = [frame.f_locals for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    values = [value for names in held for value in names.values()]
    attempts = [names["attempt"] for names in held if "attempt" in names]
    assert attempts
    assert not any(attempt.arrived for attempt in attempts)
    assert not any(len(value) > 10_000 for value in values if isinstance(value, (bytes, str, list)))


@pytest.mark.parametrize("cut", [4, 150, 260])
async def test_a_stream_that_nobody_asked_for(cut: int) -> None:
    """Servers that stream all the same: whole by ``[DONE]``, else the text so far."""
    whole = hello()
    client, transport = client_on(in_pieces(whole, BROKE))
    assert (await ask(client)).text == "Hello."
    assert len(transport.requests) == 1
    client, _ = client_on(in_pieces(whole[:-cut], BROKE), retry=ONCE)
    with pytest.raises(APIConnectionError, match="broke") as caught:
        await ask(client)
    assert caught.value.partial is not None
    assert "Hello.".startswith(caught.value.partial.text)
    client, _ = client_on(in_pieces(stream_of(chunk("", role="assistant"), done=False), BROKE), retry=ONCE)
    with pytest.raises(APIConnectionError, match="broke") as caught:
        await ask(client)
    assert caught.value.partial is None


@pytest.mark.parametrize("body", [b"{", b'{"id"', b"<html>", b"[1,", b"\xef\xbb\xbf{", b'{"error": {"message": "no"'])
async def test_what_holds_no_answer(body: bytes) -> None:
    """Nothing is made of it."""
    client, _ = client_on(in_pieces(body, BROKE), retry=ONCE)
    with pytest.raises(DeepSeekError, match="broke") as caught:
        await ask(client)
    assert caught.value.partial is None


async def test_an_error_that_is_whole() -> None:
    """An error object in a 200 is that error, however its connection ends."""
    client, _ = client_on(in_pieces(to_json({"error": {"message": "no such key", "code": 401}}), BROKE), retry=ONCE)
    with pytest.raises(DeepSeekError, match="no such key"):
        await ask(client)


@pytest.mark.parametrize("way", ["chunked", "length", "gzip"])
async def test_on_sockets(way: str) -> None:
    """Bodies without their last chunk, shorter than they say, compressed; half of them, then the whole."""
    whole = to_json(completion(TEXT))
    bodies = [whole[:-60], whole]

    async def play(connection: Connection) -> None:
        await connection.request()
        body = bodies[connection.number]
        if way == "chunked":
            connection.send(JSON_HEAD + chunked(body))
        else:
            coding = "content-encoding: gzip\r\n" if way == "gzip" else ""
            sent = gzip.compress(body)[: None if body is whole else -12] if way == "gzip" else body
            head = f"HTTP/1.1 200 OK\r\n{coding}content-length: {len(sent) + 9}\r\n\r\n"
            connection.send(head.encode() + sent)

    async with ByteServer(play) as server, AsyncClient(base_url=server.base_url, retry=ONCE) as client:
        with pytest.raises(APIConnectionError) as caught:
            await ask(client)
        if way != "gzip":
            assert caught.value.partial is not None
            assert TEXT.startswith(caught.value.partial.text or "no")
        assert (await ask(client)).text == TEXT


# -- in place of a stream ----------------------------------------------------------------------------------------------


async def read(client: AsyncClient, *, fim: bool) -> Any:
    """A streamed answer, which the server sends in one piece."""
    if fim:
        return await (await client.completions.create(model="m", prompt="p", stream=True)).completion()
    return await client.chat.completions.stream(**ASKED).completion()


@pytest.mark.parametrize("fim", [False, True], ids=["chat", "fim"])
@pytest.mark.parametrize("is_silent", [False, True], ids=["broke", "silent"])
async def test_a_document_in_place_of_a_stream(fim: bool, is_silent: bool) -> None:
    """Whole, it is the answer; half, it is in the error, which does not say that nothing came."""
    body = to_json(FIM if fim else completion(TEXT))
    timeouts = Timeouts(first_chunk=0.05)
    client, transport = client_on(in_pieces(body, Pause() if is_silent else BROKE), timeouts=timeouts)
    answer = await read(client, fim=fim)
    assert (answer.text, answer.complete, len(transport.requests)) == (TEXT, True, 1)
    for cut in (30, 60, 80):
        then = Pause() if is_silent else BROKE
        client, _ = client_on(in_pieces(body[:-cut], then), timeouts=timeouts, retry=ONCE)
        with pytest.raises(APITimeoutError if is_silent else StreamInterruptedError) as caught:
            await read(client, fim=fim)
        partial = caught.value.partial
        assert partial is not None
        assert not partial.complete
        assert TEXT.startswith(partial.text)
        assert "nothing at all came" not in str(caught.value)


async def test_an_error_in_place_of_a_stream() -> None:
    """An error object that is whole is that error."""
    body = to_json({"error": {"message": "no such key", "code": 401}})
    client, _ = client_on(in_pieces(body, BROKE), retry=ONCE)
    with pytest.raises(DeepSeekError, match="no such key"):
        await read(client, fim=False)
