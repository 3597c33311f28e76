"""Asking, and showing the answer however it ends."""

from __future__ import annotations

import asyncio
import json

import pytest

from deepseek_async import AsyncClient
from deepseek_async.cli.conversation import show_as_it_comes, show_as_json
from deepseek_async.cli.screen import stdout_console
from deepseek_async.transport import Answer, Pause, ScriptedTransport

pytestmark = pytest.mark.anyio

_PARAMETERS = {"model": "m", "messages": [{"role": "user", "content": "Why?"}]}
_CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"Half"}}]}\n\n'


async def _interrupted(show: object, *steps: bytes) -> ScriptedTransport:
    """Show an answer, and be stopped by Ctrl-C when those bytes have been read and none has followed."""
    pause = Pause()
    transport = ScriptedTransport([Answer([*steps, pause])])
    async with AsyncClient(base_url="http://localhost", transport=transport) as client:
        showing = show(client, _PARAMETERS, streamed=True, console=stdout_console())  # type: ignore[operator]
        task = asyncio.ensure_future(showing)
        await pause.reached.wait()
        task.cancel()  # what asyncio.run makes of the signal
        with pytest.raises(asyncio.CancelledError):
            await task
    return transport


async def test_json_that_is_interrupted_is_whole_json(capsys: pytest.CaptureFixture[str]) -> None:
    """What had arrived is printed as one object that says that it is not complete; the connection is free."""
    transport = await _interrupted(show_as_json, _CHUNK)
    printed = json.loads(capsys.readouterr().out)
    assert printed["choices"][0]["message"]["content"] == "Half"
    assert printed["complete"] is False
    assert transport.responses[0].is_closed


async def test_text_that_is_interrupted_ends_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The text so far with a line end, and one line on stderr."""
    transport = await _interrupted(show_as_it_comes, _CHUNK)
    captured = capsys.readouterr()
    assert captured.out == "Half\n"
    assert captured.err == "stopped; the answer is incomplete\n"
    assert transport.responses[0].is_closed


async def test_what_is_interrupted_before_it_began_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """No empty line, no empty object."""
    await _interrupted(show_as_json)
    assert capsys.readouterr() == ("", "")
    await _interrupted(show_as_it_comes)
    assert capsys.readouterr() == ("", "stopped before the answer began\n")
