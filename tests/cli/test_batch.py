"""``deepseek-async batch``: from files to files, with exit codes that scripts can rely on."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deepseek_async.sandbox import Refuse, SandboxServer, Script, Stall

from .conftest import Run, Spawn
from .terminal import run_in_terminal

Send = Callable[..., Any]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Twenty rows."""
    path = tmp_path / "in.jsonl"
    write(path, 20)
    return path


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Where answers go."""
    return tmp_path / "out.jsonl"


@pytest.fixture
def send(run: Run, server: SandboxServer, source: Path, output: Path) -> Send:
    """``batch run`` on the running server."""

    def invoke(*arguments: str, command: str = "run", **options: Any) -> Any:
        given = ("batch", command, str(source), "-o", str(output), "--durability", "process", *arguments)
        return run(*given, "--base-url", server.base_url, env={"DEEPSEEK_API_KEY": "k"}, **options)

    return invoke


def write(path: Path, count: int, *more: str) -> None:
    """Rows r1 … rN, and further lines."""
    rows = [json.dumps({"custom_id": f"r{n}", "prompt": f"Say {n}.", "max_tokens": 8}) for n in range(1, count + 1)]
    path.write_text("\n".join([*rows, *more]) + "\n")


def lines(path: Path) -> list[Any]:
    """A file's lines as values."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_row_has_its_line(send: Send, output: Path) -> None:
    """Exit code 0, a report on stdout, progress on stderr, and in the output one line a row."""
    result = send()
    assert result.exit_code == 0
    assert "20 succeeded, 0 failed" in result.stdout
    assert "20/20 rows" in result.stderr
    assert sorted(line["custom_id"] for line in lines(output)) == sorted(f"r{n}" for n in range(1, 21))
    assert all(line["response"]["status_code"] == 200 for line in lines(output))


@pytest.mark.parametrize("is_source_first", [True, False])
def test_the_short_form(run: Run, server: SandboxServer, source: Path, output: Path, is_source_first: bool) -> None:
    """``batch IN -o OUT [--resume]`` is ``batch run``, in any order."""
    options = ("-o", str(output), "--resume", "--base-url", server.base_url)
    words = (str(source), *options) if is_source_first else (*options, str(source))
    result = run("batch", *words, env={"DEEPSEEK_API_KEY": "k"})
    assert result.exit_code == 0
    assert len(lines(output)) == 20


def test_a_command_that_does_not_exist(run: Run, source: Path) -> None:
    """What is no file is a command mistyped; a file without an output lacks that."""
    assert "Did you mean 'status'" in run("batch", "statsu", "out.jsonl").stderr
    assert "--output" in run("batch", str(source)).stderr


def test_a_second_run_sends_nothing(send: Send, server: SandboxServer) -> None:
    """What is done is passed over."""
    send()
    seen = len(server.requests)
    result = send()
    assert (result.exit_code, len(server.requests)) == (0, seen)
    assert "20 done before" in result.stdout


def test_failed_rows(send: Send, source: Path, output: Path, server: SandboxServer, run: Run) -> None:
    """Exit code 1 while a row has failed, also in an earlier run; retry-failed sends it again."""
    write(source, 2, '{"custom_id": "bad", "prompt": "x", "temperature": 9}', '{"custom_id": "no", "prompt": "y"}')
    server.script(Script(faults=(Refuse(status=400),)), when=lambda seen: "y" in seen.json["messages"][0]["content"])
    first = send()
    assert first.exit_code == 1
    assert "failed: 1 × BadRequestError 400" in first.stdout
    again = send()
    assert again.exit_code == 1
    assert "2 failed for good" in again.stderr
    status = run("batch", "status", str(output))
    assert "2 succeeded, 2 failed, 2 runs" in status.stdout
    assert "0 of them are sent again by batch run, 2 only by batch retry-failed" in status.stdout
    retried = send(command="retry-failed")
    assert retried.exit_code == 1, "one row cannot be sent at all"
    assert "1 succeeded, 1 failed, 2 done before" in retried.stdout


def test_export_is_one_row_for_each_id(send: Send, source: Path, output: Path, run: Run, server: SandboxServer) -> None:
    """The last line of each, typed; with --body the answer as it came."""
    pq = pytest.importorskip("pyarrow.parquet")
    write(source, 2, '{"custom_id": "no", "prompt": "zz", "max_tokens": 8}')
    server.script(Script(faults=(Refuse(status=400),)), when=lambda seen: "zz" in seen.json["messages"][0]["content"])
    send()
    send(command="retry-failed")
    assert len(lines(output)) == 4
    parquet = output.with_suffix(".parquet")
    result = run("batch", "export", str(output), str(parquet), "--body")
    assert (result.exit_code, result.stdout) == (0, f"3 rows in {parquet}\n")
    rows = {row["custom_id"]: row for row in pq.read_table(parquet).to_pylist()}
    assert rows.keys() == {"r1", "r2", "no"}
    by_id = {line["custom_id"]: line for line in lines(output)}
    for name, row in rows.items():
        body = by_id[name]["response"]["body"]
        assert json.loads(row["body"]) == body
        assert row["text"] == body["choices"][0]["message"]["content"]
        assert row["completion_tokens"] == body["usage"]["completion_tokens"]
        assert row["cost"] == Decimal(by_id[name]["x"]["cost"])
        assert row["error"] is None
    assert not list(output.parent.glob("*.part"))


def test_export_harms_nothing(send: Send, source: Path, output: Path, run: Run, tmp_path: Path) -> None:
    """What is no output makes no file; a link is followed, a folder refused, and a path that leads nowhere told."""
    pytest.importorskip("pyarrow.parquet")
    send()
    target, link = tmp_path / "target.parquet", tmp_path / "link.parquet"
    link.symlink_to(target)
    assert run("batch", "export", str(output), str(link)).exit_code == 0
    assert link.is_symlink()
    assert target.stat().st_size
    before = sorted(tmp_path.iterdir())
    for arguments, code, said in (
        ((source, tmp_path / "x.parquet"), 2, "is no output of a batch"),
        ((output, tmp_path), 2, "is no file"),
        ((output, output), 2, "is the journal"),
        ((output, f"{output}.run.jsonl"), 2, "is the journal"),
        ((output, tmp_path / "no" / "x.parquet"), 1, "No such file or directory"),
    ):
        result = run("batch", "export", *map(str, arguments))
        assert result.exit_code == code
        assert said in result.stderr.replace("\n", "")
    assert sorted(tmp_path.iterdir()) == before
    assert len(lines(output)) == 20


def test_exit_codes_are_about_the_source_of_today(send: Send, source: Path, output: Path) -> None:
    """A row that failed for good counts as long as it is asked for; mended or taken out, it does not."""
    write(source, 2, '{"custom_id": "bad", "prompt": 5}')
    assert send().exit_code == 1
    again = send()
    assert again.exit_code == 1
    assert "1 failed for good" in again.stderr.replace("\n", " ")
    assert "1 rows cannot be sent" in send("--dry-run", command="retry-failed").stdout.replace("\n", " ")
    write(source, 2, '{"custom_id": "good", "prompt": "Say 5."}')
    assert send().exit_code == 0
    assert send().exit_code == 0


def test_status_as_json(send: Send, output: Path, run: Run) -> None:
    """The sums of all lines, as a script reads them."""
    send()
    standing = json.loads(run("batch", "status", str(output), "--json").stdout)
    usages = [line["response"]["body"]["usage"] for line in lines(output)]
    assert (standing["succeeded"], standing["failed"], standing["runs"]) == (20, 0, 1)
    assert standing["prompt_tokens"] == sum(usage["prompt_tokens"] for usage in usages)
    assert Decimal(standing["cost"]) == sum(Decimal(line["x"]["cost"]) for line in lines(output))
    assert standing["last_report"]["succeeded"] == 20


def test_status_tells_a_running_run_from_one_that_was_killed(
    spawn: Spawn, server: SandboxServer, output: Path, run: Run
) -> None:
    """By the lock, which asking leaves alone: the run goes on to its end."""

    def latest() -> tuple[str, int | None, str]:
        shown = run("batch", "status", str(output)).stdout.splitlines()[-1].strip()
        standing = json.loads(run("batch", "status", str(output), "--json").stdout)
        return standing["state"], standing["pid"], shown

    killed = _started(spawn, server, output)
    assert latest() == ("running", killed.pid, f"running (process {killed.pid})")
    killed.kill()
    killed.wait(20)
    words = f"the latest run (process {killed.pid}) was killed: batch run goes on where it was"
    assert latest() == ("killed", killed.pid, words)
    stopped = _resumed(spawn, server, output)
    assert latest()[:2] == ("running", stopped.pid)
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait(20) == 3
    assert latest() == ("stopped", stopped.pid, "the latest run was stopped: it was asked to stop; batch run goes on")
    ended = _resumed(spawn, server, output)
    assert ended.stdin is not None
    ended.stdin.close()
    assert ended.wait(20) == 0
    assert latest() == ("ended", ended.pid, "the latest run came to the source's end")
    output.with_name(output.name + ".run.jsonl").unlink()
    assert latest()[0] == "unknown"


def test_status_of_what_is_no_output(run: Run, source: Path) -> None:
    """Wrong usage: no zeros that look like a run."""
    result = run("batch", "status", str(source))
    assert result.exit_code == 2
    assert "is no output of a batch" in result.stderr.replace("\n", " ")


def test_status_of_nothing(run: Run, tmp_path: Path) -> None:
    """Wrong usage, with the path."""
    result = run("batch", "status", str(tmp_path / "no.jsonl"))
    assert result.exit_code == 2
    assert "no.jsonl" in result.stderr


def test_dry_run_prices_and_sends_nothing(send: Send, source: Path, output: Path, server: SandboxServer) -> None:
    """Rows, tokens and money, of what is not done yet; nothing is written."""
    seen = len(server.requests)
    write(source, 20, '{"custom_id": "bad"}', '{"custom_id": "open", "prompt": "Hi"}')
    text = send("--dry-run").stdout
    assert "21 rows to send: 21 × deepseek-flash" in text
    assert "1 rows cannot be sent" in text
    assert "in.jsonl:21: messages" in text
    assert "answers: at most 160 tokens, 0.0001 USD" in text
    assert "1 rows without max_tokens" in text
    assert len(server.requests) == seen
    assert not output.exists()
    send()
    estimate = json.loads(send("--dry-run", "--log-json").stdout)
    assert (estimate["rows"], estimate["skipped"], estimate["bad"]) == (0, 22, 0)


def test_log_json(send: Send) -> None:
    """Every line of both streams is a JSON object; the last of stdout is the report."""
    result = send("--log-json")
    progress = [json.loads(line) for line in result.stderr.splitlines()]
    assert progress[-1]["event"] == "progress"
    assert (progress[-1]["succeeded"], progress[-1]["total"], progress[-1]["state"]) == (20, 20, "ended")
    report = json.loads(result.stdout)
    assert (report["event"], report["succeeded"], report["stopped"]) == ("report", 20, None)


def test_errors_as_json(send: Send, source: Path, server: SandboxServer) -> None:
    """Of a run that fails, and of one that has nothing left but failures, stderr is JSON, too."""
    write(source, 1, '{"custom_id": "r1", "prompt": "Something else."}')
    refused = send("--log-json")
    assert refused.exit_code == 2
    error = json.loads(refused.stderr.splitlines()[-1])
    assert error["event"] == "error"
    assert "custom_id 'r1'" in error["text"]
    write(source, 1, '{"custom_id": "no", "prompt": "Hi.", "temperature": 9}')
    assert send("--log-json").exit_code == 1
    again = send("--log-json")
    assert again.exit_code == 1
    assert "failed for good" in json.loads(again.stderr.splitlines()[-1])["text"]


def test_shards_are_parts(send: Send, source: Path, tmp_path: Path, run: Run, server: SandboxServer) -> None:
    """Two shards together are the whole, and no row is in both."""
    ids = []
    for part in ("1/2", "2/2"):
        output = tmp_path / f"{part[0]}.jsonl"
        arguments = ("batch", "run", str(source), "-o", str(output), "--shard", part, "--base-url", server.base_url)
        assert run(*arguments, env={"DEEPSEEK_API_KEY": "k"}).exit_code == 0
        ids += [line["custom_id"] for line in lines(output)]
    assert sorted(ids) == sorted(f"r{n}" for n in range(1, 21))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--shard", "3/2"), "shard"),
        (("--max-cost", "much"), "max_cost"),
        (("--max-concurrency", "0"), "--max-concurrency"),
        (("--sandbox",), "leave --base-url out"),
        (("-o", "-"), "resumes from its output"),
        (("-o", "/dev/null"), "/dev/null: Not a regular file"),
    ],
)
def test_wrong_usage(send: Send, output: Path, arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2 and what is wrong; no output is made."""
    result = send(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not output.exists()


def test_a_missing_source_leaves_no_output(run: Run, tmp_path: Path) -> None:
    """A mistyped name makes no file."""
    result = run("batch", str(tmp_path / "none.jsonl"), "-o", str(tmp_path / "out.jsonl"), "--sandbox")
    assert result.exit_code == 2
    assert "none.jsonl: no such file" in result.stderr.replace("\n", "")
    assert not list(tmp_path.iterdir())


def test_an_id_twice_with_another_body(send: Send, source: Path) -> None:
    """Exit code 2, with file, line and what to do."""
    write(source, 2, '{"custom_id": "r1", "prompt": "Something else."}')
    result = send()
    assert result.exit_code == 2
    assert "in.jsonl:3: custom_id 'r1'" in result.stderr.replace("\n", "")


def test_a_key_that_is_refused_stops_resumably(send: Send, server: SandboxServer) -> None:
    """Exit code 3, and why; with a good key the same command ends what is left."""
    server.script(Script(faults=(Refuse(status=401),)))
    stopped = send("--max-concurrency", "1")
    assert stopped.exit_code == 3
    assert "stopped: the key was refused" in stopped.stdout
    assert send().exit_code == 0


def test_in_a_terminal_the_line_is_live(server: SandboxServer, source: Path, output: Path) -> None:
    """Rows, rate and money on one line that is renewed in place."""
    code, written = run_in_terminal(
        *("batch", "run", str(source), "-o", str(output), "--base-url", server.base_url),
        columns=160,
        env={"DEEPSEEK_API_KEY": "k"},
    )
    assert code == 0
    assert "20/20 rows" in written
    assert "in flight" in written
    assert "USD" in written


def _started(spawn: Spawn, server: SandboxServer, output: Path) -> subprocess.Popen[bytes]:
    """A run fed from stdin, with rows in flight whose answers the server keeps back."""
    process = _fed(spawn, server, output, "quick")
    _wait_until(lambda: output.exists() and output.read_bytes().endswith(b"\n"))
    return process


def _resumed(spawn: Spawn, server: SandboxServer, output: Path) -> subprocess.Popen[bytes]:
    """A run on an output that has rows, after it has finished one more."""
    size = output.stat().st_size
    process = _fed(spawn, server, output, f"after-{size}")
    _wait_until(lambda: output.stat().st_size > size and output.read_bytes().endswith(b"\n"))
    return process


def _fed(spawn: Spawn, server: SandboxServer, output: Path, name: str) -> subprocess.Popen[bytes]:
    process = spawn(
        *("batch", "run", "-", "-o", str(output), "--base-url", server.base_url, "--durability", "process"),
        env={"DEEPSEEK_API_KEY": "k"},
    )
    assert process.stdin is not None
    process.stdin.write(b'{"custom_id": "%b", "prompt": "Say 1.", "max_tokens": 4}\n' % name.encode())
    process.stdin.flush()
    return process


def _wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def _send_held_row(process: subprocess.Popen[bytes], server: SandboxServer, seconds: float) -> None:
    seen = len(server.requests)
    server.script(Script(say="Late.", faults=(Stall(seconds=seconds),)))
    assert process.stdin is not None
    process.stdin.write(b'{"custom_id": "slow", "prompt": "Say 2."}\n')
    process.stdin.flush()
    _wait_until(lambda: len(server.requests) > seen)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_drains(spawn: Spawn, server: SandboxServer, output: Path, number: signal.Signals) -> None:
    """An endless stdin: rows are answered as they come; stopped, what is in flight is waited for: exit code 3."""
    process = _started(spawn, server, output)
    _send_held_row(process, server, 0.5)
    process.send_signal(number)
    assert process.wait(20) == 3
    assert [line["custom_id"] for line in lines(output)] == ["quick", "slow"]


def test_a_second_ctrl_c_breaks_off(spawn: Spawn, server: SandboxServer, output: Path, run: Run) -> None:
    """Exit code 130 at once; what was in flight is listed as unfinished."""
    process = _started(spawn, server, output)
    _send_held_row(process, server, 60)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert b"stopping" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert b"broken off" in process.stderr.read()
    standing = json.loads(run("batch", "status", str(output), "--json").stdout)
    assert standing["unfinished"] == ["slow"]
