"""The shell's conversation: questions, commands, Ctrl-C, and what stands under an answer."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import io
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rich.console import Console

from deepseek_async import AsyncClient, Conversation, RetryPolicy
from deepseek_async.cli.commands import COMMANDS, Dialogue, obey
from deepseek_async.cli.dialogue import converse
from deepseek_async.sandbox import Refuse, SandboxServer, Script, Stall

pytestmark = pytest.mark.anyio


@pytest.fixture
async def server() -> AsyncIterator[SandboxServer]:
    async with SandboxServer(seed=1) as server:
        yield server


@pytest.fixture
async def dialogue(server: SandboxServer) -> AsyncIterator[Dialogue]:
    async with AsyncClient(base_url=server.base_url, retry=RetryPolicy(attempts=1)) as client:
        yield Dialogue(Conversation(client, model="deepseek-flash", thinking={"type": "disabled"}, partial="keep"))


async def said(dialogue: Dialogue, *lines: str | None, width: int = 80, terminal: bool = False) -> str:
    """What stands on the screen after these lines."""
    left = list(lines)

    async def read() -> str | None:
        return left.pop(0) if left else None

    screen = io.StringIO()
    await converse(dialogue, read, Console(file=screen, width=width, force_terminal=terminal, color_system=None))
    return screen.getvalue()


async def test_a_conversation(server: SandboxServer, dialogue: Dialogue, capsys: pytest.CaptureFixture[str]) -> None:
    """Each question knows those before; Markdown is rendered; a line of figures stands under each answer."""
    for say in ("At **18:40**, from\n\n- pier 4", "At noon."):
        server.script(Script(say=say))
    screen = await said(dialogue, "When does the ferry leave?", "", "And on Sunday?", "/quit", "never asked")
    assert "18:40" in screen
    assert "**" not in screen
    assert "• pier 4" in screen
    assert "At noon." in screen
    assert len(server.requests[-1].json["messages"]) == 3
    told = capsys.readouterr().err
    assert told.count("to the first") == 2
    assert "USD" in told
    assert "deepseek-flash" in told


@pytest.mark.parametrize("shown", ["show", "fold"])
async def test_reasoning_is_shown_or_folded(server: SandboxServer, dialogue: Dialogue, shown: str) -> None:
    """Folded, its length stands in its place."""
    server.script(Script(think="Ferries leave in the evening.", say="At 18:40."))
    screen = await said(dialogue, f"/reasoning {shown}", "/thinking on", "When?")
    assert ("Ferries leave in the evening." in screen) == (shown == "show")
    assert ("29 characters of reasoning" in screen) == (shown == "fold")
    assert "At 18:40." in screen


async def test_ctrl_c_stops_the_answer_and_keeps_the_conversation(
    server: SandboxServer, dialogue: Dialogue, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half an answer is kept as such; the next question is asked as usual."""
    server.script(Script(say=["At ", "18:40."], faults=(Stall(seconds=30, after_chunk=2),)))
    server.script(Script(say="At noon."))
    asyncio.get_running_loop().call_later(0.3, os.kill, os.getpid(), signal.SIGINT)
    screen = await said(dialogue, "When?", "And on Sunday?")
    assert "stopped" in capsys.readouterr().err
    assert "At noon." in screen
    assert [turn.complete for turn in dialogue.chat.turns] == [False, True]


async def test_an_error_is_told_and_the_conversation_goes_on(
    server: SandboxServer, dialogue: Dialogue, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, and the question is forgotten."""
    server.script(Script(faults=(Refuse(status=500),)))
    server.script(Script(say="At noon."))
    screen = await said(dialogue, "When?", "When?")
    assert "error:" in capsys.readouterr().err
    assert "At noon." in screen
    assert len(dialogue.chat.turns) == 1


async def test_commands(server: SandboxServer, dialogue: Dialogue, tmp_path: Path) -> None:
    """Each does what it says, and says what it did."""
    screen = await said(
        dialogue, "/model deepseek-v4-pro", "/system Be brief.", "/cost", "Say: one", "/cost", "/undo", "/retry"
    )
    assert "model: deepseek-v4-pro" in screen
    assert "system: Be brief." in screen
    assert "nothing so far" in screen
    assert " answered; " in screen
    assert "1 taken back, 0 left" in screen
    assert "nothing has been asked yet" in screen
    sent = server.requests[-1].json
    assert (sent["model"], sent["messages"][0]["content"]) == ("deepseek-v4-pro", "Be brief.")

    file = tmp_path / "chat.json"
    screen = await said(dialogue, "/system -", "Say: two", f"/save {file}", "/undo", f"/load {file}", "/retry")
    assert "no system message" in screen
    assert f"1 turn written to {file}" in screen.replace("\n", "")
    assert "1 turns read" in screen
    assert dialogue.chat.messages[-1].content == "two"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/hepl", "/help lists"),
        ("/thinking maybe", "on or off"),
        ("/reasoning", "show or fold"),
        ("/undo x", "a number"),
        ("/save", "a file"),
        ("/load /no/such/file", "No such file"),
        ("/load", "a file"),
        ("/file", "one file or several"),
        ("/file /no/such/file", "no such file"),
        ('/file "a', "No closing quotation"),
        ("/\u202ex", "there is no"),
    ],
)
async def test_a_command_that_cannot_be_obeyed_says_why(dialogue: Dialogue, line: str, told: str) -> None:
    """And changes nothing."""
    assert told in obey(line, dialogue)
    assert dialogue.chat.turns == []


async def test_help_names_every_command(dialogue: Dialogue) -> None:
    """With its arguments."""
    told = obey("/help", dialogue)
    assert all(f"/{name} " in told for name in COMMANDS)


@pytest.mark.parametrize(("width", "terminal"), [(20, True), (20, False), (200, True)])
async def test_any_screen(server: SandboxServer, dialogue: Dialogue, width: int, terminal: bool) -> None:
    """Narrow, no terminal at all, without colours."""
    server.script(Script(say="The ferry leaves at 18:40 from pier 4."))
    screen = await said(dialogue, "When?", width=width, terminal=terminal)
    assert "18:40" in screen
    assert all(len(line) <= width for line in screen.splitlines() if "\x1b" not in line)


async def test_files_go_with_the_next_question(server: SandboxServer, dialogue: Dialogue, tmp_path: Path) -> None:
    """And with no other; a name may hold blanks."""
    one, two = tmp_path / "a b.txt", tmp_path / "c.txt"
    for file in (one, two):
        file.write_text(file.name)
    screen = await said(dialogue, f"/file {one}", f"/file {two} {two}", "What are they?", "And now?")
    assert "1 go with the next question" in screen
    assert "3 go with the next question" in screen
    first, second = (request.json["messages"][-1]["content"] for request in server.requests[-2:])
    assert [part["text"].splitlines()[0] for part in first] == [f"{one}:", f"{two}:", f"{two}:", "What are they?"]
    assert second == "And now?"


async def test_a_question_that_failed_is_asked_again(server: SandboxServer, dialogue: Dialogue) -> None:
    """`/retry` is about the last question, whether it has no answer, half of one, or a whole one."""
    server.script(Script(say="At 18:40."))
    server.script(Script(faults=(Refuse(status=500),)))
    server.script(Script(say="At noon."))
    server.script(Script(say="At one."))
    await said(dialogue, "When?", "On Sunday?", "/retry", "/retry")
    questions = [request.json["messages"][-1]["content"] for request in server.requests]
    assert questions == ["When?", "On Sunday?", "On Sunday?", "On Sunday?"]
    assert [turn.messages[-1].content for turn in dialogue.chat.turns] == ["At 18:40.", "At one."]


async def test_no_file_of_another_kind_is_written_over(dialogue: Dialogue, tmp_path: Path) -> None:
    """A conversation is; anything else is somebody's work."""
    file = tmp_path / "a.py"
    file.write_text("print()")
    assert "holds something else" in obey(f"/save {file}", dialogue)
    assert file.read_text() == "print()"
    saved = tmp_path / "chat.json"
    for _ in range(2):
        assert "0 turns written" in obey(f"/save {saved}", dialogue)
    (tmp_path / "link").symlink_to(saved)
    obey(f"/save {tmp_path / 'link'}", dialogue)
    assert (tmp_path / "link").is_symlink()


async def test_a_disk_that_is_full_takes_no_conversation_away(
    dialogue: Dialogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that was there stays."""
    saved = tmp_path / "chat.json"
    obey(f"/save {saved}", dialogue)
    before = saved.read_bytes()

    def full(path: Path, text: str, **_: object) -> int:
        path.write_bytes(text.encode()[:9])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with contextlib.suppress(OSError):
        assert "No space left" in obey(f"/save {saved}", dialogue)
    assert saved.read_bytes() == before
