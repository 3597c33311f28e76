"""What goes wrong around a batch: odd sources, things cancelled by others, listeners that fail, files overwritten."""

# ruff: noqa: ASYNC240 - small files of a test, nothing else in the loop

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from deepseek_async import Failed, Succeeded, run_batch
from deepseek_async.batch.journal.standing import last_lines
from deepseek_async.errors import APIConnectionError, InvalidRequestError

from ..leaping import in_leaping_time
from .account import Account, Reply, client_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def rows(count: int) -> list[dict[str, Any]]:
    return [{"custom_id": f"row-{n}", "prompt": f"row-{n}"} for n in range(count)]


async def run(account: Account, source: Any, output: Path, **options: Any) -> Any:
    async with asyncio.timeout(20):
        return await run_batch(client_of(account), source, output, durability="process", **options)


@pytest.mark.parametrize("bad", [b'{"custom_id": "x", "prompt": "caf\xe9"}', b"[" * 100_000, b'{"prompt": "\xff'])
async def test_a_line_that_cannot_be_read_fails_alone(tmp_path: Path, output: Path, bad: bytes) -> None:
    """Bytes that are no UTF-8, nesting without end: one row has failed, the others are answered; also when resumed."""
    source = tmp_path / "in.jsonl"
    source.write_bytes(b'{"custom_id": "a", "prompt": "a"}\n' + bad + b'\n{"custom_id": "b", "prompt": "b"}\n')
    report = await run(Account(), source, output)
    assert (report.succeeded, report.failed, report.stopped) == (2, 1, None)
    again = await run(Account(), source, output)
    assert (again.skipped, again.skipped_failed, again.failed) == (3, 1, 0)


async def test_something_that_others_cancelled_ends_the_run(output: Path) -> None:
    """A source that waits for a task that was cancelled, or raises CancelledError itself: told, never waited for."""

    async def waiting() -> AsyncIterator[dict[str, Any]]:
        yield rows(1)[0]
        other = asyncio.ensure_future(asyncio.sleep(9))
        asyncio.get_running_loop().call_soon(other.cancel)
        await other

    def raising() -> Iterator[dict[str, Any]]:
        yield {"custom_id": "z", "prompt": "z"}
        raise asyncio.CancelledError

    for source in (waiting(), raising()):
        with pytest.raises(RuntimeError, match="cancelled by somebody else"):
            await run(Account(), source, output)
        async with asyncio.timeout(5), client_of(Account()).batch(source) as outcomes:
            with pytest.raises((RuntimeError, StopAsyncIteration)):
                await anext(outcomes)  # they are used up
    assert len(output.read_text().splitlines()) == 2


async def test_a_request_that_others_cancelled_is_not_lost_in_silence(output: Path) -> None:
    """The run did not come to its source's end, and the row may have been billed."""

    class Cancelling(Account):
        async def send(self, request: Any, progress: Any) -> Any:
            response = await super().send(request, progress)
            if self.seen[-1] == "row-2":
                raise asyncio.CancelledError
            return response

    with pytest.raises(RuntimeError, match="cancelled by somebody else"):
        await run(Cancelling(), rows(5), output, max_concurrency=1)
    last = json.loads(output.with_name(output.name + ".run.jsonl").read_text().splitlines()[-1])
    assert (last["report"]["stopped"], last["report"]["unfinished"]) == ("fault", ["row-2"])


@in_leaping_time
async def test_the_end_does_not_wait_for_the_balance(output: Path) -> None:
    """A server that says nothing of the balance keeps no run from its end."""

    class Silent(Account):
        async def send(self, request: Any, progress: Any) -> Any:
            if request.method == "GET":
                await asyncio.Event().wait()
            return await super().send(request, progress)

    account = Silent(limit=40)

    def reply(row: str, attempt: int) -> None:
        if row == "row-300":
            account.limit = 3

    account.reply = reply
    report = await run(account, rows(600), output)
    assert (report.succeeded, report.stopped) == (600, None)


@in_leaping_time
async def test_a_listener_that_fails_breaks_nothing(output: Path) -> None:
    """A handler of the log's that raises, at a notice."""

    class Raising(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("nobody reads this")

    account = Account(limit=40)

    def reply(row: str, attempt: int) -> None:
        if row == "row-300":
            account.limit = 3

    account.reply = reply
    log, handler = logging.getLogger("deepseek_async"), Raising()
    log.addHandler(handler)
    try:
        report = await run(account, rows(600), output)
    finally:
        log.removeHandler(handler)
    assert (report.succeeded, report.stopped) == (600, None)


async def test_little_is_spent_before_a_price_is_known(output: Path) -> None:
    """With a ``max_cost`` the first rows wait for an answer to tell what one costs, instead of 2,500 going at once."""
    account = Account()
    account.is_holding_all = True
    running = asyncio.ensure_future(run(account, rows(500), output, max_cost="0.001"))
    await account.until(lambda: account.in_flight == 8)
    for _ in range(50):
        await asyncio.sleep(0)
    assert account.in_flight == 8
    account.let_go()
    report = await running
    assert report.stopped == "max_cost"
    assert float(report.cost) <= 0.001 + 8 * 0.00008


@pytest.mark.parametrize("is_first", [True, False])
async def test_names_that_are_numbers_of_other_rows(output: Path, is_first: bool) -> None:
    """A custom_id "row-2" beside a second row without one: refused with the place, for both would have one name."""
    unnamed, named = {"prompt": "two"}, {"custom_id": "row-2", "prompt": "three"}
    source = [rows(1)[0], unnamed, named] if is_first else [{"custom_id": "row-2", "prompt": "three"}, unnamed]
    with pytest.raises(InvalidRequestError, match=r"row [23]: custom_id 'row-2'") as caught:
        await run(Account(), source, output)
    assert "the source has changed" not in str(caught.value)


async def test_names_like_numbers_are_fine_where_no_row_has_that_number(output: Path) -> None:
    """Rows without any before and among rows of such names."""
    source = [{"prompt": "one"}, *rows(100)[60:], {"prompt": "last"}, *rows(60)[50:]]
    report = await run(Account(), source, output)
    assert (report.succeeded, report.stopped) == (52, None)


@pytest.mark.parametrize("doom", [402, "max_cost"])
async def test_what_was_broken_off_before_the_end_is_on_the_list(output: Path, doom: int | str) -> None:
    """A row whose first attempt may have been billed, and whose second met the end of the run."""

    def reply(row: str, attempt: int) -> Reply | Exception | None:
        if row == "row-1" and (attempt == 1 or doom == "max_cost"):
            return APIConnectionError("broke", during="request")
        return Reply(402) if doom == 402 and row == "row-1" else None

    options = {} if doom == 402 else {"max_cost": "0.0002"}
    report = await run(Account(reply=reply), rows(50), output, max_concurrency=2, max_attempts=10_000, **options)
    assert report.stopped == ("balance" if doom == 402 else "max_cost")
    assert "row-1" in report.unfinished


async def test_a_failure_that_may_have_been_billed_is_told_when_it_is_sent_again(output: Path) -> None:
    """The row failed by a broken connection; the next run sends it once more, and says so; only once."""
    broken = Account(reply=lambda row, _: APIConnectionError("broke", during="request") if row == "row-1" else None)
    first = await run(broken, rows(3), output, max_attempts=1)
    assert (first.failed, first.possibly_billed_twice) == (1, ())
    second = await run(Account(), rows(3), output)
    assert (second.succeeded, second.possibly_billed_twice) == (1, ("row-1",))
    third = await run(Account(), rows(3), output)
    assert third.skipped == 3


async def test_a_batch_that_is_left_at_once_leaves_nothing_open(tmp_path: Path) -> None:
    """The file is closed, the generator too, though its task never began."""
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps(rows(1)[0]) + "\n")
    client, closed = client_of(Account()), []

    def generator() -> Iterator[dict[str, Any]]:
        try:
            yield from rows(3)
        finally:
            closed.append(True)

    before = psutil.Process().num_fds()
    for _ in range(20):
        async with client.batch(source):
            pass
    assert psutil.Process().num_fds() == before
    begun = generator()
    next(begun)
    async with client.batch(begun):
        pass
    assert closed == [True]


async def test_a_named_pipe_holds_nobody_up(tmp_path: Path, output: Path) -> None:
    """Until somebody writes to it the loop goes on; then its rows are sent."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    account = Account()
    running = asyncio.ensure_future(run(account, pipe, output))
    await asyncio.sleep(0.05)
    assert not running.done()

    def write() -> None:
        pipe.write_text("".join(json.dumps(row) + "\n" for row in rows(3)))

    await asyncio.to_thread(write)
    assert (await running).succeeded == 3


@pytest.mark.parametrize("text", ["something else\n", "{\n", "a\nb"])
async def test_an_output_that_was_written_over_is_not_emptied(output: Path, text: str) -> None:
    """It holds whole lines that are none of ours: refused, and left as it is."""
    await run(Account(), rows(3), output)
    output.write_text(text)
    with pytest.raises(InvalidRequestError, match="no output of a batch"):
        await run(Account(), rows(3), output)
    assert output.read_text() == text


async def test_damage_in_the_middle_is_told_to_readers_too(output: Path) -> None:
    """Whoever exports an output must not lose a row without a word."""
    await run(Account(), rows(3), output)
    lines = output.read_text().splitlines(keepends=True)
    output.write_text("".join((lines[0], lines[1][:50] + "\n", lines[2])))
    with pytest.raises(InvalidRequestError, match=":2 cannot be read"):
        list(last_lines(output))


async def test_outcomes_are_what_they_were() -> None:
    """The rows of a batch that met none of this."""
    async with client_of(Account(reply=lambda row, _: Reply(400) if row == "row-1" else None)).batch(rows(3)) as batch:
        kinds = {outcome.custom_id: type(outcome) async for outcome in batch}
    assert kinds == {"row-0": Succeeded, "row-1": Failed, "row-2": Succeeded}
