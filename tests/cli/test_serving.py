"""``deepseek-async sandbox`` and ``replay``."""

from __future__ import annotations

import inspect
import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from deepseek_async import AsyncClient, NotFoundError
from deepseek_async.cli.sandbox import sandbox as sandbox_command
from deepseek_async.sandbox import SandboxServer
from deepseek_async.sandbox import __main__ as sandbox_module
from deepseek_async.transport import Recorder
from deepseek_async.transport.network import AiohttpTransport

from .conftest import Run, Spawn


def _base_url(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def _post(url: str, body: object, headers: dict[str, str] | None = None) -> bytes:
    head = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), head)  # noqa: S310
    with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
        return bytes(response.read())


_MESSAGE = {"role": "user", "content": "Hi"}
_BODY = {"model": "deepseek-flash", "stream": True, "max_tokens": 3, "messages": [_MESSAGE]}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_serves_until_it_is_told_to_stop(spawn: Spawn, number: signal.Signals) -> None:
    """The base URL is the first line, and what it says can be used at once; stopping it is no failure."""
    process = spawn("sandbox", "--port", "0")
    assert _post(_base_url(process), _BODY).endswith(b"data: [DONE]\n\n")
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout) == (0, b"")
    assert b"curl -N http://127.0.0.1:" in stderr
    assert b"Traceback" not in stderr


def test_the_sandboxs_options_reach_it(spawn: Spawn) -> None:
    """A key that it wants is the only one it takes, and the example on stderr has it."""
    process = spawn("sandbox", "--port", "0", "--api-key", "sk-mine", "--seed", "4", "--ceiling", "9")
    url = _base_url(process)
    with pytest.raises(urllib.error.HTTPError, match="401") as refusal:
        _post(url, _BODY)
    refusal.value.close()
    answers = [_post(url, _BODY, {"Authorization": "Bearer sk-mine"}) for _ in range(2)]
    assert answers[0] == answers[1]
    process.terminate()
    assert b"Authorization: Bearer sk-mine" in process.communicate(timeout=20)[1]


def test_every_option_of_the_server_is_one_of_the_shell(capsys: pytest.CaptureFixture[str]) -> None:
    """Of both commands; the clock alone is Python's."""
    options = set(inspect.signature(SandboxServer).parameters) - {"clock"}
    assert options == set(inspect.signature(sandbox_command).parameters)
    with pytest.raises(SystemExit):
        sandbox_module.main(["--help"])
    told = capsys.readouterr().out.replace("--no-prefix-cache", "--prefix-cache")
    assert {f"--{option.replace('_', '-')}" for option in options} <= set(re.findall(r"--[a-z-]+", told))


@pytest.mark.parametrize("as_module", [False, True])
def test_beta_features_everywhere_and_no_cache_hits(spawn: Spawn, as_module: bool) -> None:
    """What only Python had."""
    options = ["--port", "0", "--beta-everywhere", "--no-prefix-cache", "--heads", "late", "--keep-requests", "1"]
    if as_module:
        command = [sys.executable, "-m", "deepseek_async.sandbox", *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    else:
        process = spawn("sandbox", *options)
    with process:
        url = _base_url(process)
        messages = [_MESSAGE, {"role": "assistant", "content": "many words " * 200, "prefix": True}]
        for _ in range(2):
            usage = json.loads(_post(url, {**_BODY, "stream": False, "messages": messages}))["usage"]
            assert usage["prompt_cache_hit_tokens"] == 0
        with urllib.request.urlopen(f"{url}/sandbox/requests", timeout=20) as answer:  # noqa: S310
            assert len(json.load(answer)["requests"]) == 1
        process.terminate()
        process.communicate(timeout=20)


def test_a_taken_port_is_one_line(run: Run) -> None:
    """Exit code 1, the port, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("sandbox", "--port", str(port))
    (line,) = result.stderr.splitlines()
    assert result.exit_code == 1
    assert f"port {port} of 127.0.0.1 is taken" in line
    assert "--port 0" in line


def test_another_host_wants_a_yes(run: Run) -> None:
    """Nobody opens the sandbox to the network by accident."""
    result = run("sandbox", "--host", "0.0.0.0")
    assert result.exit_code == 2
    assert "--expose" in result.stderr


def test_a_host_that_is_not_here(run: Run) -> None:
    """An address of another machine cannot be listened on: one line, exit code 1."""
    result = run("sandbox", "--host", "192.0.2.1", "--expose", "--port", "0")
    (line,) = result.stderr.splitlines()
    assert result.exit_code == 1
    assert line.startswith("error: cannot listen on 192.0.2.1")


@pytest.mark.anyio
async def test_a_recording_is_served(spawn: Spawn, tmp_path: Path) -> None:
    """What was recorded is what comes back; what was not is refused."""
    file = tmp_path / "exchanges.jsonl"
    async with (
        SandboxServer(seed=1) as server,
        AsyncClient(base_url=server.base_url, transport=Recorder(AiohttpTransport(), file)) as client,
    ):
        recorded = await client.chat.completions.create(model="deepseek-flash", messages=[_MESSAGE], max_tokens=5)
    process = spawn("replay", str(file), "--port", "0")
    async with AsyncClient(base_url=_base_url(process)) as client:
        played = await client.chat.completions.create(model="deepseek-flash", messages=[_MESSAGE], max_tokens=5)
        assert played == recorded
        with pytest.raises(NotFoundError, match="record"):
            await client.chat.completions.create(model="deepseek-flash", messages=[_MESSAGE], max_tokens=6)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.mark.parametrize("content", [None, "no recording\n"])
def test_a_file_that_is_no_recording(run: Run, tmp_path: Path, content: str | None) -> None:
    """Wrong usage, with the file's name."""
    file = tmp_path / "file.jsonl"
    if content is not None:
        file.write_text(content)
    result = run("replay", str(file), "--port", "0")
    assert result.exit_code == 2
    assert "file.jsonl" in re.sub(r"[\s│]", "", result.stderr)
