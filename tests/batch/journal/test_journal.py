"""The journal: what survives, what is passed over, what is refused."""

# ruff: noqa: ASYNC220, ASYNC240 - small files of a test, nothing else in the loop

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deepseek_async import errors
from deepseek_async.batch.journal.journal import Journal, side_file_of
from deepseek_async.batch.outcomes import Failed, Succeeded
from deepseek_async.batch.source.row import Row, row_of
from deepseek_async.codec import completion_from_json

pytestmark = pytest.mark.anyio

_ANSWER = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "deepseek-flash",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Ja.\nÜ"}, "logprobs": None, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}
_BODY = msgspec.json.encode(_ANSWER)
_BUSY = errors.ServiceUnavailableError("busy", status=503)
_BAD = errors.BadRequestError("no", status=400, code="invalid")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "out.jsonl"


def source_line(name: str | None = "a", prompt: str = "Why?") -> bytes:
    """A line of a source."""
    return msgspec.json.encode({"prompt": prompt} if name is None else {"custom_id": name, "prompt": prompt})


def row(name: str | None = "a", prompt: str = "Why?", number: int = 1) -> Row:
    """A row as a file's line brings it."""
    return row_of(source_line(name, prompt), number, f"in.jsonl:{number}")


def finish(journal: Journal, of: Row, body: bytes = _BODY, error: errors.DeepSeekError | None = None) -> None:
    """Send a row and end it."""
    journal.mark(of)
    if error is not None:
        journal.record(Failed(of.custom_id, of.request, error, 1), of, b"")
    else:
        assert of.request is not None
        journal.record(Succeeded(of.custom_id, of.request, completion_from_json(body), 1, 0.5), of, body)


def opened(output: Path, **options: Any) -> Journal:
    """A journal without waits for the disk."""
    return Journal.open(output, durability="process", **options)


def lines_of(path: Path) -> list[Any]:
    """A file's lines as values."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


async def test_a_line_is_that_of_openais_batch_output(output: Path) -> None:
    """id, custom_id, response, error as documented there, the answer as it came, and our own under x."""
    journal = opened(output)
    a, b, c = row("a"), row("b", number=2), row_of({"custom_id": "c"}, 3, "row 3")
    finish(journal, a)
    finish(journal, b, error=_BAD)
    assert c.error is not None
    finish(journal, c, error=c.error)
    await journal.aclose({"ok": 1})
    first, second, third = lines_of(output)
    assert first["custom_id"] == "a"
    assert first["response"] == {"status_code": 200, "request_id": None, "body": _ANSWER}
    assert first["error"] is None
    hashes = {"body_hash": a.body_hash, "line_hash": a.line_hash}
    assert first["x"] == {**hashes, "attempts": 1, "sent_at": 0.0, "latency": 0.5}
    assert second["response"] == {"status_code": 400, "request_id": None, "body": None}
    assert second["error"] == {"code": "invalid", "type": "BadRequestError", "message": "no"}
    assert second["x"]["is_permanent"] is True
    assert third["response"] is None
    assert third["error"]["type"] == "InvalidRequestError"
    assert len({line["id"] for line in (first, second, third)}) == 3
    header, *marks, report = lines_of(side_file_of(output))
    assert (header["run"], header["pid"]) == (1, os.getpid())
    assert [mark["sent"] for mark in marks] == ["a", "b", "c"]
    assert (report["closed"], report["report"]) == (1, {"ok": 1})


@pytest.mark.parametrize(
    "body",
    [
        b"\n\n" + _BODY + b"\n",
        json.dumps(_ANSWER, indent=2).encode(),
        b"\xef\xbb\xbf" + _BODY,
        _BODY.replace(b'"created":1', b'"created":1,"odd":NaN'),
        _BODY.replace(b'"created":1', b'"created":1,\n"odd":NaN'),
        _BODY.replace(b'"id":"1"', b'"id":"\\ud800"'),
    ],
    ids=["blank lines", "indented", "byte order mark", "NaN", "NaN and line ends", "half a surrogate"],
)
async def test_any_answer_makes_one_readable_line(output: Path, body: bytes) -> None:
    """Whatever a lenient reader takes for an answer, the journal it stands in can be resumed."""
    journal = opened(output)
    finish(journal, row(), body)
    await journal.aclose()
    (line,) = lines_of(output)
    assert line["response"]["body"]["choices"] == _ANSWER["choices"]
    again = opened(output)
    assert again.has(row())
    await again.aclose()


async def test_what_is_done_is_passed_over(output: Path) -> None:
    """Succeeded and failed for good: done. Failed in a way that may pass, or for the account's sake: sent again."""
    first = opened(output)
    names = ("ok", "busy", "bad", "broke", None)
    rows = [row(name, number=number) for number, name in enumerate(names, 1)]
    broke = errors.InsufficientBalanceError("no money", status=402)
    for of, error in zip(rows, (None, _BUSY, _BAD, broke, None), strict=True):
        assert not first.has(of)
        finish(first, of, error=error)
    await first.aclose()
    second = opened(output)
    are_known = [second.has_line(source_line(name), number) for number, name in enumerate(names, 1)]
    assert are_known == [True, False, True, False, True]
    assert not second.has_line(source_line(None), 6), "another row of the same text"
    assert [second.has(of) for of in rows] == [True, False, True, False, True]
    assert (second.succeeded_before, second.failed_before) == (2, 3)
    finish(second, rows[1])
    await second.aclose()
    third = opened(output, retry_permanent=True)
    assert [third.has(of) for of in rows] == [True, True, False, False, True]
    assert not third.has_line(source_line("bad"), 3)
    await third.aclose()


async def test_an_id_with_another_body_is_refused(output: Path) -> None:
    """The error names file, line and what to do. A row that failed may be mended under its id."""
    first = opened(output)
    finish(first, row("a"))
    finish(first, row(None, number=2))
    finish(first, row("bad", number=3), error=_BAD)
    await first.aclose()
    second = opened(output)
    with pytest.raises(errors.InvalidRequestError, match=r"in\.jsonl:7: custom_id 'a' .* another output than .*out"):
        second.has(row("a", "How?", 7))
    with pytest.raises(errors.InvalidRequestError, match=r"in\.jsonl:2: custom_id 'row-2' .* the source has changed"):
        second.has(row(None, "How?", 2))
    assert not second.has(row("bad", "How?", 3))
    await second.aclose()


async def test_the_last_line_of_a_row_holds(output: Path) -> None:
    """Failed for good, then in a way that may pass: sent again. The other way round: passed over. Mended: done."""
    one, other = row("one"), row("other", number=2)
    first = opened(output)
    finish(first, one, error=_BAD)
    finish(first, other, error=_BUSY)
    await first.aclose()
    second = opened(output, retry_permanent=True)
    assert second.failed_before == 2
    assert not second.has(one)
    assert not second.has(other)
    finish(second, one, error=_BUSY)
    finish(second, other, error=_BAD)
    await second.aclose()
    third = opened(output)
    assert third.failed_before == 2
    assert not third.has(one)
    assert third.has(other)
    mended = row("other", "Mended?", 3)
    assert not third.has(mended)
    finish(third, one)
    finish(third, mended)
    await third.aclose()
    fourth = opened(output)
    assert (fourth.succeeded_before, fourth.failed_before) == (2, 0)
    assert not fourth.has_line(source_line("other"), 2)
    with pytest.raises(errors.InvalidRequestError, match="custom_id 'other' is taken"):
        fourth.has(other)
    await fourth.aclose()


async def test_an_id_twice_in_one_source(output: Path) -> None:
    """The same row again is passed over, another row of the same id refused: neither is sent."""
    journal = opened(output)
    assert not journal.has(row("a"))
    assert journal.has(row("a", number=2))
    with pytest.raises(errors.InvalidRequestError, match="another body"):
        journal.has(row("a", "How?", 3))
    await journal.aclose()


async def test_keys_in_another_order_are_the_same_body(output: Path) -> None:
    """A source that was written anew by another tool does not send everything again."""
    journal = opened(output)
    finish(journal, row_of(b'{"custom_id": "a", "prompt": "Why?", "temperature": 1}', 1, "in:1"))
    await journal.aclose()
    again = opened(output)
    other = b'{"temperature": 1, "prompt": "Why?", "custom_id": "a"}'
    assert not again.has_line(other, 1)
    assert again.has(row_of(other, 1, "in:1"))
    await again.aclose()


async def test_sent_and_not_finished(output: Path) -> None:
    """What a killed run had in flight is told, and what of that is sent again: possibly billed twice."""
    first = opened(output)
    finish(first, row("done"))
    finish(first, row("busy"), error=_BUSY)
    for name in ("x", "y"):
        first.mark(row(name))
    await first.aclose()
    second = opened(output)
    assert second.unfinished == {"x", "y"}
    second.mark(row("y"))
    second.mark(row("y"))
    second.mark(row("busy"))  # finished by the first run; now in flight in the second
    assert second.sent_again == ("y",)
    await second.aclose()
    third = opened(output)
    assert third.run == 3
    assert third.unfinished == {"x", "y", "busy"}
    finish(third, row("y"))
    await third.aclose()
    fourth = opened(output)
    assert fourth.unfinished == {"x", "busy"}
    fourth.mark(row("busy"))
    assert fourth.sent_again == ("y", "busy")  # what killed runs sent anew is not forgotten when it is finished
    await fourth.aclose()


@pytest.mark.parametrize("of", ["output", "side"])
async def test_a_torn_end_is_cut(output: Path, of: str) -> None:
    """Cut at any byte of its last line, a file is read as if that line had not been written, and goes on cleanly."""
    first = opened(output)
    finish(first, row("a"))
    finish(first, row("b"))
    await first.aclose()
    path = output if of == "output" else side_file_of(output)
    whole = path.read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    others = {output: output.read_bytes(), side_file_of(output): side_file_of(output).read_bytes()}
    for end in (start + 1, start + 2, *range(start + 9, len(whole) - 2, 23), len(whole) - 2):
        for one, content in others.items():
            one.write_bytes(content)
        path.write_bytes(whole[:end])
        again = opened(output)
        assert again.has(row("a"))
        if of == "output":
            assert not again.has(row("b"))
            assert again.unfinished == {"b"}
            finish(again, row("b"))
        await again.aclose()
        assert [line["custom_id"] for line in lines_of(output)] == ["a", "b"]
        assert lines_of(side_file_of(output))[-1]


@pytest.mark.parametrize("tail", [b"\0" * 4096, b"\0" * 50 + b"\n" + b"\0" * 50, b'{"custom_id": 1}\n{"x"'])
async def test_a_loss_of_power_leaves_more_than_half_a_line(output: Path, tail: bytes) -> None:
    """Blocks of zeros, several broken lines: all of the end that cannot be read is cut."""
    first = opened(output)
    finish(first, row("a"))
    await first.aclose()
    whole = output.read_bytes()
    output.write_bytes(whole + tail)
    again = opened(output)
    assert again.has(row("a"))
    await again.aclose()
    assert output.read_bytes() == whole


async def test_a_last_line_that_lacks_only_its_end_counts(output: Path) -> None:
    """Paid for is paid for; and the next line does not join it."""
    first = opened(output)
    finish(first, row("a"))
    await first.aclose()
    output.write_bytes(output.read_bytes()[:-1])
    again = opened(output)
    assert again.has(row("a"))
    finish(again, row("b"))
    await again.aclose()
    assert [line["custom_id"] for line in lines_of(output)] == ["a", "b"]


async def test_damage_in_the_middle_is_not_cut(output: Path) -> None:
    """An unreadable line before a readable one: refused by its number; nothing is lost."""
    first = opened(output)
    for name in "abc":
        finish(first, row(name))
    await first.aclose()
    lines = output.read_bytes().splitlines(keepends=True)
    damaged = lines[0] + b"\n" + lines[1][:40] + b"\n" + lines[2]
    output.write_bytes(damaged)
    with pytest.raises(errors.InvalidRequestError, match=r"out\.jsonl:3 cannot be read"):
        opened(output)
    assert output.read_bytes() == damaged


@pytest.mark.parametrize("content", [b"some notes\nof mine\n", b"one line", b'{"custom_id": "a"}\n'])
def test_a_file_that_is_no_journal_is_left_alone(output: Path, content: bytes) -> None:
    """Refused, byte for byte as it was, and nothing put beside it."""
    output.write_bytes(content)
    with pytest.raises(errors.InvalidRequestError, match="no output of a batch"):
        opened(output)
    assert output.read_bytes() == content
    assert not side_file_of(output).exists()


async def test_without_resume_an_output_with_rows_is_refused(output: Path) -> None:
    """Answers that were paid for are never overwritten."""
    first = opened(output, resume=False)
    finish(first, row())
    await first.aclose()
    with pytest.raises(errors.InvalidRequestError, match="has rows already"):
        opened(output, resume=False)


@pytest.mark.parametrize(
    ("name", "said"), [("missing/out.jsonl", "No such file"), (".", "directory")], ids=["no folder", "a folder"]
)
def test_an_output_that_cannot_be_made_says_so(tmp_path: Path, name: str, said: str) -> None:
    """The path, and what is the matter."""
    with pytest.raises(errors.InvalidRequestError, match=said):
        opened(tmp_path / name)


def test_a_durability_that_does_not_exist(output: Path) -> None:
    """Named with what is allowed."""
    with pytest.raises(errors.InvalidRequestError, match="durability is 'disk'; allowed: 'process' or 'power'"):
        Journal.open(output, durability="disk")  # type: ignore[arg-type]


async def test_two_runs_on_one_output(output: Path) -> None:
    """The second is refused and told which process has it; when the first is closed, it may."""
    first = opened(output)
    with pytest.raises(errors.InvalidRequestError, match=rf"another run \(process {os.getpid()}\) writes to"):
        opened(output)
    await first.aclose()
    await first.aclose()
    second = opened(output)
    await second.aclose()


_WRITER = """
import sys
sys.path.insert(0, {root!r})
from tests.batch.journal.test_journal import finish, opened, row
from pathlib import Path
journal = opened(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    finish(journal, row(f"row {{number}}"))
    journal.mark(row(f"next {{number}}"))
    print(number, flush=True)
"""


async def test_what_was_recorded_survives_kill_9(output: Path) -> None:
    """Killed in the middle of writing: the lock is free, every row that was told is there, the one in flight listed."""
    root = str(Path(__file__).parents[3])
    writer = subprocess.Popen([sys.executable, "-c", _WRITER.format(root=root), str(output)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    with writer, writer.stdout as told:
        numbers = [int(told.readline()) for _ in range(50)]
        with pytest.raises(errors.InvalidRequestError, match=f"process {writer.pid}"):
            opened(output)
        writer.send_signal(signal.SIGKILL)
        numbers += [int(line) for line in told if line.endswith(b"\n")]
    journal = opened(output)
    assert journal.succeeded_before >= numbers[-1]
    assert all(journal.has(row(f"row {number}")) for number in numbers)
    assert {f"next {number}" for number in numbers} <= journal.unfinished
    await journal.aclose()


async def test_power_waits_for_the_disk_in_groups(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What mark and record return is done after a sync that began later than they; many share one."""
    synced: list[tuple[int, int]] = []

    def sync(fd: int) -> None:
        synced.append((fd, os.fstat(fd).st_size))

    monkeypatch.setattr("deepseek_async.batch.journal.append._sync", sync)
    journal = Journal.open(output, durability="power")
    synced.clear()
    waits = [journal.mark(row(f"{number}")) for number in range(100)]
    for wait in waits:
        assert wait is not None
        await wait
    side_size = side_file_of(output).stat().st_size
    assert any(size == side_size for _, size in synced)
    assert len(synced) <= 4, "a hundred marks, two files, two groups at most"
    of = row("0")
    assert of.request is not None
    done = journal.record(Succeeded("0", of.request, completion_from_json(_BODY), 1, 0.5), of, _BODY)
    assert done is not None
    await done
    assert synced[-1][1] == output.stat().st_size
    await journal.aclose()


async def test_a_disk_that_fails_is_told_to_all_who_wait(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The group's waiters, those that come later, and closing, which closes all the same."""
    journal = Journal.open(output, durability="power")

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("deepseek_async.batch.journal.append._sync", fail)
    for _ in range(2):
        wait = journal.mark(row())
        assert wait is not None
        with pytest.raises(OSError, match="Input/output"):
            await wait
    with pytest.raises(OSError, match="Input/output"):
        await journal.aclose({})
    opened(output)._side.close()


async def test_rows_that_are_sent_together_are_marked_by_one_write(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The side file has a line for each of them before any is sent."""
    journal = opened(output)
    together = [row(f"{number}") for number in range(12)]
    written: list[bytes] = []
    write = os.write

    def note(fd: int, data: bytes) -> int:
        written.append(data)
        return write(fd, data)

    monkeypatch.setattr(os, "write", note)
    journal.mark_all(together)
    assert len(written) == 1
    monkeypatch.undo()
    assert [line["sent"] for line in lines_of(side_file_of(output))[1:]] == [of.name for of in together]
    assert {of.marked for of in together} == {None}
    await journal.aclose()


@pytest.mark.parametrize("durability", ["process", "power"])
async def test_rows_whose_marks_cannot_be_written_are_told_so(
    output: Path, monkeypatch: pytest.MonkeyPatch, durability: Any
) -> None:
    """Each of them, when it is about to be sent; and none of them counts as sent again, nor stands in the file."""
    first = opened(output)
    first.mark(row("b"))
    first._side.close()
    first._rows.close()
    journal = Journal.open(output, durability=durability)
    assert journal.unfinished == {"b"}
    before = side_file_of(output).read_bytes()

    def full(_: int, __: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    together = [row("a"), row("b"), row("c")]
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        journal.mark_all(together)
    for of in together:
        assert of.marked is not None
        with pytest.raises(OSError, match="No space left"):
            await of.marked
    assert journal.sent_again == ()
    assert side_file_of(output).read_bytes() == before
    journal.mark_all(together)
    assert journal.sent_again == ("b",)
    await journal.aclose()


def _short_then_full(real: Callable[[int, bytes], int]) -> Callable[[int, bytes], int]:
    calls = 0

    def write(fd: int, data: bytes) -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            return real(fd, data[:20])
        if calls == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, data)

    return write


async def test_a_full_disk_leaves_no_half_line(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fitted of the line is taken back; rows that end after space was made are whole lines again."""
    journal = opened(output)
    finish(journal, row("a"))
    monkeypatch.setattr(os, "write", _short_then_full(os.write))
    of = row("b")
    assert of.request is not None
    outcome = Succeeded("b", of.request, completion_from_json(_BODY))
    with pytest.raises(OSError, match="No space left"):
        journal.record(outcome, of, _BODY)
    journal.record(outcome, of, _BODY)
    await journal.aclose()
    assert [line["custom_id"] for line in lines_of(output)] == ["a", "b"]


async def test_ids_that_json_cannot_hold(output: Path) -> None:
    """Half a surrogate in an id: written escaped, and found again."""
    of = row_of({"custom_id": "a\ud800", "prompt": "Why?"}, 1, "row 1")
    first = opened(output)
    finish(first, of)
    await first.aclose()
    second = opened(output)
    assert second.has(of)
    await second.aclose()


async def test_files_larger_than_a_read(output: Path) -> None:
    """Lines that lie across the borders of reads are read whole."""
    first = opened(output)
    long = msgspec.json.encode({**_ANSWER, "padding": "x" * 100_000})
    for number in range(12):
        finish(first, row(f"{number}"), long)
    await first.aclose()
    second = opened(output)
    assert second.succeeded_before == 12
    assert not second.unfinished
    await second.aclose()
