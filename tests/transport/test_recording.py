"""Recordings: written down as it was but for the secrets, and played as it was written."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from deepseek_async import (
    APIConnectionError,
    AsyncClient,
    DeepSeekError,
    InvalidRequestError,
    StreamInterruptedError,
    UserMessage,
)
from deepseek_async.transport import Answer, Recorder, Replayer, ScriptedTransport
from deepseek_async.transport.recording.exchange import read_recording

from ..leaping import in_leaping_time
from ..wire import chunk, stream_of

pytestmark = pytest.mark.anyio

CHUNKS = [
    b'data: {"id":"1","choices":[{"index":0,"delta":{"role":"assistant","content":"caf\xc3',
    b'\xa9"},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]
KEY = "sk-0123456789abcdef"


def client_on(transport: object) -> AsyncClient:
    return AsyncClient(KEY, base_url="http://localhost:1", transport=transport)  # type: ignore[arg-type]


async def ask(client: AsyncClient, text: str = "hello") -> str:
    stream = client.chat.completions.stream(model="m", messages=[UserMessage(text)])
    return (await stream.completion()).text


async def record(path: Path, *answers: Answer) -> None:
    client = client_on(Recorder(ScriptedTransport(answers), path))
    for _ in answers:
        await ask(client)


async def test_a_recording_plays_what_was_recorded(tmp_path: Path) -> None:
    """Every read comes back, cut where it was cut, also inside a character."""
    path = tmp_path / "exchanges.jsonl"
    await record(path, Answer(CHUNKS, headers={"x-ds-trace-id": "t-1"}))
    assert await ask(client_on(Replayer(path))) == "café"
    (exchange,) = read_recording(path)
    assert [data for _, data in exchange.body] == CHUNKS
    assert exchange.headers["x-ds-trace-id"] == "t-1"


@pytest.mark.parametrize("told", [KEY.upper(), KEY[:13] + "...", KEY.replace("6", "\\\\u0036"), "%73" + KEY[1:]])
async def test_no_key_is_written_in_other_letters(tmp_path: Path, told: str) -> None:
    """Nor in part, also where a read ends inside it; the reads stay as long as they were."""
    path = tmp_path / "exchanges.jsonl"
    said = f'data: {{"id":"1","choices":[{{"index":0,"delta":{{"content":"a {told} b"}},"finish_reason":"stop"}}]}}\n\n'
    chunks = [said[:70].encode(), said[70:].encode(), b"data: [DONE]\n\n"]
    await record(path, Answer(chunks, headers={"x-echo": told}))
    (exchange,) = read_recording(path)
    assert [len(data) for _, data in exchange.body] == [len(data) for data in chunks]
    assert "0123456789" not in path.read_text().replace("\\u0036", "6")
    assert "[redacted]" in exchange.headers["x-echo"]
    text = await ask(client_on(Replayer(path)))
    assert text.startswith("a ***")
    assert text.endswith(" b")


async def test_no_key_is_written(tmp_path: Path) -> None:
    """Neither the header nor a key that strayed into the body reaches the file."""
    path = tmp_path / "exchanges.jsonl"
    answer = Answer(CHUNKS, headers={"set-cookie": "session=geheim"})
    client = client_on(Recorder(ScriptedTransport([answer]), path))
    await ask(client, f"my key is {KEY}")
    written = path.read_text()
    assert KEY not in written
    assert "geheim" not in written
    assert "[redacted]" in written


async def test_an_unseen_request_fails_clearly(tmp_path: Path) -> None:
    """The error names where the nearest recorded request differs, and shows no prompt."""
    path = tmp_path / "exchanges.jsonl"
    await record(path, Answer(CHUNKS))
    client = client_on(Replayer(path))
    with pytest.raises(APIConnectionError, match=r"differs in \$\.messages\[0\]\.content") as caught:
        await ask(client, "something secret")
    assert caught.value.attempts == 1
    assert "secret" not in str(caught.value)
    with pytest.raises(APIConnectionError, match="no GET /models; it has POST /chat/completions"):
        await client.models.list()


async def test_answers_to_one_request_come_in_order_and_the_last_stays(tmp_path: Path) -> None:
    """A request recorded twice gets its two answers, then the second again."""
    path = tmp_path / "exchanges.jsonl"
    second = [piece.replace(b"caf\xc3", b"th\xc3") for piece in CHUNKS]
    await record(path, Answer(CHUNKS), Answer(second))
    client = client_on(Replayer(read_recording(path)))
    assert [await ask(client) for _ in range(3)] == ["café", "thé", "thé"]


async def test_a_break_is_recorded_and_played(tmp_path: Path) -> None:
    """What arrived before the break is in the partial again."""
    path = tmp_path / "exchanges.jsonl"
    whole = CHUNKS[0] + CHUNKS[1]
    recorder = Recorder(ScriptedTransport([Answer([whole, APIConnectionError("reset by peer")])]), path)
    with pytest.raises(StreamInterruptedError):
        async for _ in client_on(recorder).chat.completions.stream(model="m", messages=[UserMessage("hello")]):
            pass
    with pytest.raises(StreamInterruptedError, match="reset by peer") as caught:
        async for _ in client_on(Replayer(path)).chat.completions.stream(model="m", messages=[UserMessage("hello")]):
            pass
    assert caught.value.partial is not None
    assert caught.value.partial.text == "café"


@in_leaping_time
async def test_speed(tmp_path: Path) -> None:
    """At speed the recorded times are kept; otherwise nothing waits."""
    path = tmp_path / "exchanges.jsonl"
    await record(path, Answer(CHUNKS))
    header, line = path.read_text().splitlines()
    entry = json.loads(line)
    for number, read in enumerate(entry["response"]["body"]):
        read[0] = 0.05 * number
    path.write_text("\n".join([header, json.dumps(entry)]))
    loop = asyncio.get_running_loop()
    started = loop.time()
    await ask(client_on(Replayer(path, at_speed=True)))
    assert loop.time() - started >= 0.1
    started = loop.time()
    await ask(client_on(Replayer(path)))
    assert loop.time() - started < 0.1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"deepseek_async_recording": 2}', "line 1"),
        ('{"deepseek_async_recording": 1}\n{"request": {}}', "line 2"),
        ("nothing", "line 1"),
    ],
)
async def test_what_is_no_recording_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    """Neither played nor overwritten."""
    path = tmp_path / "notes.txt"
    path.write_text(text)
    with pytest.raises(InvalidRequestError, match=message):
        Replayer(path)
    with pytest.raises(InvalidRequestError, match=message):
        Recorder(ScriptedTransport([]), path)
    with pytest.raises(InvalidRequestError, match="readable file"):
        Replayer(tmp_path / "absent")
    assert path.read_text() == text


@pytest.mark.parametrize("cut", [1, 3, 7, 1000])
async def test_a_key_that_a_server_quotes_is_in_no_recording(tmp_path: Path, cut: int) -> None:
    """In a header, in the body, and where two reads meet in it; the reads stay cut as they were."""
    body = json.dumps({"error": {"message": f"Your key {KEY} is wrong; Bearer {KEY} was sent."}}).encode()
    reads = [body[start : start + cut] for start in range(0, len(body), cut)]
    path = tmp_path / "exchanges.jsonl"
    recorder = Recorder(
        ScriptedTransport([Answer(reads, status=401, headers={"x-echo": f"Bearer {KEY}", "set-cookie": "a=b"})]), path
    )
    with pytest.raises(DeepSeekError):
        await client_on(recorder).models.list()
    assert KEY not in path.read_text()
    (exchange,) = read_recording(path)
    assert [len(data) for _, data in exchange.body] == [len(read) for read in reads]
    assert exchange.headers == {"x-echo": "[redacted]", "set-cookie": "[redacted]"}
    assert b"Your key *" in b"".join(data for _, data in exchange.body)


@pytest.mark.parametrize("key", ["x", "EMPTY", "token", "none"])
async def test_a_stand_in_for_a_key_cuts_nothing_to_pieces(tmp_path: Path, key: str) -> None:
    """Servers without keys are often given one letter."""
    path = tmp_path / "exchanges.jsonl"
    recorder = Recorder(ScriptedTransport([Answer(CHUNKS)]), path)
    client = AsyncClient(key, base_url="http://localhost:1", transport=recorder)
    await ask(client, f"{key} next to {key}ylophones")
    (exchange,) = read_recording(path)
    assert f"{key} next to {key}ylophones" in exchange.request_body


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r", "\r\n", "\0", "\ufeff"])
async def test_text_with_line_ends_of_other_kinds(tmp_path: Path, odd: str) -> None:
    """What ends a line for Python and for Unicode may stand in a prompt and in an answer."""
    path = tmp_path / "odd.jsonl"
    asked = [UserMessage(f"a{odd}b")]
    body = stream_of(chunk(f"say{odd}it"), chunk("", "stop"))
    client = client_on(Recorder(ScriptedTransport([Answer([body])]), path))
    await client.chat.completions.stream(model="m", messages=asked).completion()
    replayed = await client_on(Replayer(path)).chat.completions.stream(model="m", messages=asked).completion()
    assert replayed.text == f"say{odd}it"
    Recorder(ScriptedTransport([]), path)  # can be continued


@pytest.mark.parametrize("end", [b"", b"\0" * 300, b'{"request": {"method"', b'{"request": "\xc3', b"\n", b"\n\0\0"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "bom"])
async def test_a_recording_after_a_crash_and_an_editor(tmp_path: Path, start: bytes, end: bytes) -> None:
    """Half a line, zeros, no line end, a byte order mark: what was whole is played, and what follows is added to it."""
    path = tmp_path / "torn.jsonl"
    await record(path, Answer(CHUNKS))
    whole = path.read_bytes()
    path.write_bytes(start + (whole + end if end else whole.removesuffix(b"\n")))
    assert len(read_recording(path)) == 1
    await record(path, Answer(CHUNKS))
    assert len(read_recording(path)) == 2
    path.write_bytes(start + path.read_bytes().removeprefix(start) + whole)  # two in one file
    assert len(read_recording(path)) == 3


@pytest.mark.parametrize(
    "text", [b"notes", b"{}", b"\0" * 9 + b"x", b"notes\nmore", b"[1", b'{"deepseek_async_recording": 2']
)
async def test_another_file_is_not_touched(tmp_path: Path, text: bytes) -> None:
    """Though its end looks like half a line: it is no recording."""
    path = tmp_path / "notes.txt"
    path.write_bytes(text)
    with pytest.raises(InvalidRequestError, match="line 1"):
        Recorder(ScriptedTransport([]), path)
    assert path.read_bytes() == text
