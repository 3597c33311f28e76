"""`AsyncClient(record=…)`: the first run asks and writes down, the next ones need neither network nor key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deepseek_async import APIConnectionError, APIStatusError, AsyncClient, InvalidRequestError, RetryPolicy
from deepseek_async.testing import Cut, Refuse, SandboxServer, Script

pytestmark = pytest.mark.anyio

ONCE = RetryPolicy(attempts=1)


async def ask(client: AsyncClient, text: str, **fields: Any) -> str:
    messages = [{"role": "user", "content": text}]
    return (await client.chat.completions.create(model="deepseek-chat", messages=messages, **fields)).text


async def test_recorded_once_and_then_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole and streamed, errors and cuts; without the server and without a key the same comes again."""
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    file = tmp_path / "calls.jsonl"

    async def run(**options: Any) -> list[object]:
        seen: list[object] = []
        async with AsyncClient(record=file, retry=ONCE, **options) as client:
            seen += [await ask(client, "one"), await ask(client, "one"), await ask(client, "two")]
            stream = client.chat.completions.stream(model="deepseek-chat", messages=[{"role": "user", "content": "s"}])
            seen.append([chunk async for chunk in stream])
            for text in ("refused", "cut"):
                try:
                    await ask(client, text)
                except (APIStatusError, APIConnectionError) as error:
                    seen.append(type(error))
        return seen

    async with SandboxServer() as server:
        server.script(Script(say="1"), Script(say="2"), Script(say="3"), Script(say="streamed words"))
        server.script(Script(faults=(Refuse(status=402),)), Script(say="x", faults=(Cut(at_byte=9),)))
        first = await run(api_key="sk-0123456789abcdef", base_url=server.base_url)
        assert len(server.requests) == 6
        assert await run(api_key="sk-0123456789abcdef", base_url=server.base_url) == first
        assert len(server.requests) == 6
    assert first[:3] == ["1", "2", "3"]
    assert await run() == first  # no key, and the API's own address
    assert "sk-0123456789abcdef" not in file.read_text()


async def test_what_the_recording_lacks_is_added(tmp_path: Path) -> None:
    """Only that is asked."""
    file = tmp_path / "calls.jsonl"
    async with SandboxServer(seed=1) as server:
        for texts in (["a"], ["a", "b"], ["b", "c", "a"]):
            async with AsyncClient(base_url=server.base_url, record=str(file)) as client:
                for text in texts:
                    await ask(client, text)
        assert [request.json["messages"][0]["content"] for request in server.requests] == ["a", "b", "c"]


async def test_without_a_key_nothing_is_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what the recording has, and what would be needed; without a recording the key is asked for."""
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    file = tmp_path / "calls.jsonl"
    with pytest.raises(InvalidRequestError, match="api_key"):
        AsyncClient(record=file)
    async with SandboxServer(seed=1) as server, AsyncClient(base_url=server.base_url, record=file) as client:
        await ask(client, "a")
    async with AsyncClient(record=file) as client:
        await ask(client, "a")
        with pytest.raises(APIConnectionError, match=r"with this body; the nearest differs in \$.messages.*API key"):
            await ask(client, "b")


def test_a_file_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    """Before anything is sent; it is left as it was."""
    file = tmp_path / "notes.txt"
    file.write_text("dear diary\n")
    with pytest.raises(InvalidRequestError, match="recording"):
        AsyncClient("sk-1", record=file)
    assert file.read_text() == "dear diary\n"
