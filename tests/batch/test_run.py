"""``run_batch``: every outcome in the file once, whatever stops the run, and the report tells the truth about it."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from deepseek_async import AsyncClient, BatchProgress, BatchReport, Usage, run_batch, run_partition
from deepseek_async.batch import stop_rules as limits_module
from deepseek_async.batch.journal.append import Appending
from deepseek_async.batch.journal.standing import standing_of
from deepseek_async.batch.stop_rules import Limits, OffPeak
from deepseek_async.batch.tally import Tally
from deepseek_async.errors import InvalidRequestError

from ..leaping import in_leaping_time
from .account import Account, Reply, broken, client_of, request

pytestmark = pytest.mark.anyio


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def lines_of(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.read_text().splitlines()]


def ids_of(output: Path) -> list[str]:
    return [line["custom_id"] for line in lines_of(output)]


def rows(count: int) -> list[Any]:
    return [request(f"row-{number}") for number in range(1, count + 1)]


def names(count: int) -> list[str]:
    return [f"row-{number}" for number in range(1, count + 1)]


async def run(account: Account, source: Any, output: Path, **options: Any) -> BatchReport:
    options.setdefault("durability", "process")
    return await run_batch(client_of(account), source, output, **options)


# -- to the end --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("durability", ["process", "power"])
async def test_each_row_is_a_line_of_the_output(output: Path, durability: str) -> None:
    """OpenAI's batch output lines, with the server's answer as it came, and the sums in the report."""
    account = Account()
    report = await run(account, rows(50), output, durability=durability, max_concurrency=8)
    assert sorted(ids_of(output)) == sorted(names(50))
    for line in lines_of(output):
        assert line["error"] is None
        assert line["response"]["status_code"] == 200
        assert line["response"]["request_id"] == f"trace-{line['custom_id']}"
        assert line["response"]["body"]["choices"][0]["message"]["content"] == f"answer to {line['custom_id']}"
        assert line["x"]["attempts"] == 1
    assert (report.succeeded, report.failed, report.skipped, report.attempts) == (50, 0, 0, 50)
    assert report.is_complete
    assert report.usage == Usage(
        prompt_tokens=5000,
        completion_tokens=2500,
        total_tokens=7500,
        prompt_cache_hit_tokens=3200,
        prompt_cache_miss_tokens=1800,
    )
    assert report.cost == sum(Decimal(line["x"]["cost"]) for line in lines_of(output))
    assert report.unfinished == report.possibly_billed_twice == ()


async def test_each_answer_costs_what_its_own_time_says(monkeypatch: pytest.MonkeyPatch, output: Path) -> None:
    """A row sent in peak hours costs twice as much as one sent off-peak, in the same run."""
    times = iter([datetime(2026, 11, 23, 0, 30, tzinfo=UTC), datetime(2026, 11, 23, 1, 30, tzinfo=UTC)])
    clock = SimpleNamespace(time=lambda: next(times).timestamp())
    monkeypatch.setattr("deepseek_async.batch.dispatch.sender.time", clock)
    report = await run(Account(), rows(2), output, max_concurrency=1)
    off_peak = Decimal("0.003") * 64 + Decimal("0.15") * 36 + Decimal("0.60") * 50
    costs = [Decimal(line["x"]["cost"]) for line in lines_of(output)]
    assert costs == [off_peak / 1_000_000, 2 * off_peak / 1_000_000]
    assert report.cost == sum(costs)


async def test_answers_of_unknown_models_are_counted_apart(output: Path) -> None:
    """A model without a price adds nothing to the cost, and the report says how many answers that were."""
    report = await run(Account(), [request("row-1"), request("row-2", model="llama")], output)
    assert report.unpriced == 1
    assert report.cost == Decimal("0.000035592") or report.cost == Decimal("0.000071184")


async def test_failures_are_lines_and_counted_by_reason(output: Path) -> None:
    """1 % of bad rows and 5 % of 503s: every good row is answered, every bad one is told with its reason."""

    def reply(row: str, attempt: int) -> Reply | None:
        number = int(row.removeprefix("row-"))
        if number % 100 == 0:
            return Reply(400)
        return Reply(503) if number % 20 == 1 and attempt == 1 else None

    report = await run(
        Account(reply=reply), [*rows(399), {"custom_id": "hot", "prompt": "x", "temperature": 9}], output
    )
    assert report.succeeded == 396
    assert report.reasons == {"BadRequestError 400": 3, "InvalidRequestError": 1}
    assert report.attempts == 399 + 20
    failed = {line["custom_id"]: line for line in lines_of(output) if line["error"] is not None}
    assert set(failed) == {"row-100", "row-200", "row-300", "hot"}
    assert failed["row-100"]["response"]["status_code"] == 400
    assert "row 400: temperature is 9" in failed["hot"]["error"]["message"]


async def test_rows_sent_again_after_a_broken_connection_may_be_billed_twice(output: Path) -> None:
    """A refusal (503) is not billed; a connection that broke after the request went out may be."""

    def reply(row: str, attempt: int) -> Reply | Exception | None:
        if attempt > 1:
            return None
        return {"row-1": broken(), "row-2": Reply(503)}.get(row)

    report = await run(Account(reply=reply), rows(3), output)
    assert report.succeeded == 3
    assert report.possibly_billed_twice == ("row-1",)


async def test_shards_share_a_source(tmp_path: Path) -> None:
    """Each row belongs to exactly one of n parts, the same ones each time."""
    parts = []
    for index in (1, 2, 3):
        part = tmp_path / f"{index}.jsonl"
        await run(Account(), rows(200), part, shard=f"{index}/3")
        parts.append(set(ids_of(part)))
    assert set.union(*parts) == set(names(200))
    assert sum(map(len, parts)) == 200
    assert min(map(len, parts)) > 30
    assert "row-1" in parts[2]  # by the hash: no part moves from one version to the next


# -- again -------------------------------------------------------------------------------------------------------------


async def test_a_second_run_does_what_is_left(output: Path) -> None:
    """Rows that succeeded are passed over, rows that failed for now are sent again, those for good are not."""
    replies = {"row-1": Reply(503), "row-2": Reply(400)}
    first = Account(reply=lambda row, _: replies.get(row))
    report = await run(first, rows(5), output, max_attempts=2)
    assert (report.succeeded, report.failed) == (3, 2)
    second = Account()
    report = await run(second, rows(7), output)
    assert sorted(second.seen) == ["row-1", "row-6", "row-7"]
    assert (report.run, report.succeeded, report.skipped) == (2, 3, 4)
    third = Account()
    report = await run(third, rows(7), output, retry_permanent=True)
    assert third.seen == ["row-2"]
    assert {line["custom_id"] for line in lines_of(output) if line["error"] is None} == set(names(7))


async def test_a_file_is_recognised_line_by_line(tmp_path: Path, output: Path) -> None:
    """The same input again sends nothing; a row that asks something else under the same id is refused by its place."""
    source = tmp_path / "in.jsonl"
    source.write_text("".join(f'{{"custom_id": "{name}", "prompt": "{name}"}}\n' for name in names(20)))
    await run(Account(), source, output)
    again = Account()
    report = await run(again, source, output)
    assert report.skipped == 20
    assert again.seen == []
    source.write_text(source.read_text().replace('"prompt": "row-7"', '"prompt": "other"'))
    with pytest.raises(InvalidRequestError, match=r"in\.jsonl:7: custom_id 'row-7'"):
        await run(again, source, output)
    assert len(ids_of(output)) == 20


async def test_lines_without_ids_are_known_by_their_number(tmp_path: Path, output: Path) -> None:
    """Equal lines are rows of their own; again, all are recognised, and one more is the only one sent."""
    source = tmp_path / "in.jsonl"
    source.write_text('{"prompt": "same"}\n' * 5)
    account = Account()
    await run(account, source, output)
    assert sorted(ids_of(output)) == names(5)
    source.write_text('{"prompt": "same"}\n' * 6)
    report = await run(account, source, output)
    assert (report.succeeded, report.skipped) == (1, 5)
    assert ids_of(output)[-1] == "row-6"


async def test_a_run_that_was_stopped_goes_on(output: Path) -> None:
    """Stopped in the middle and run again: every row once, in the file and on the bill."""
    account = Account()
    stop = asyncio.Event()
    source = rows(100)

    def counted() -> Any:
        for number, row in enumerate(source):
            if number == 30:
                stop.set()
            yield row

    report = await run(account, counted(), output, stop=stop, max_concurrency=4)
    assert report.stopped == "requested"
    assert not report.is_complete
    assert 30 <= report.succeeded < 40
    assert report.unfinished == ()
    report = await run(account, source, output)
    assert report.is_complete
    assert sorted(ids_of(output)) == sorted(names(100))
    assert set(account.answered.values()) == {1}


# -- what stops a run --------------------------------------------------------------------------------------------------


async def test_a_stop_lets_what_is_in_flight_end(output: Path) -> None:
    """After the first request to stop nothing more is sent; what was sent is waited for and written."""
    account = Account()
    account.is_holding_all = True
    stop = asyncio.Event()
    running = asyncio.create_task(run(account, rows(50), output, stop=stop, max_concurrency=5))
    await account.until(lambda: account.in_flight == 5)
    stop.set()
    account.let_go("row-1")
    await account.until(lambda: account.in_flight == 4)
    account.let_go()
    report = await running
    assert report.stopped == "requested"
    assert sorted(ids_of(output)) == sorted(names(5))
    assert len(account.seen) == 5


async def test_draining_takes_no_longer_than_allowed(output: Path) -> None:
    """What has not ended after ``drain_timeout`` is broken off, and named."""
    account = Account()
    account.hold("row-2")
    stop = asyncio.Event()
    running = asyncio.create_task(run(account, rows(3), output, max_concurrency=3, stop=stop, drain_timeout=0.05))
    await account.until(lambda: sum(account.answered.values()) == 2)
    stop.set()
    report = await running
    assert report.unfinished == ("row-2",)
    assert report.succeeded == 2
    assert account.in_flight == 0
    account.let_go()
    report = await run(account, rows(3), output)
    assert report.possibly_billed_twice == ("row-2",)


async def test_a_run_that_is_stopped_before_it_begins_sends_nothing(output: Path) -> None:
    """A stop that was asked for while the journal was read holds."""
    account = Account()
    stop = asyncio.Event()
    stop.set()
    report = await run(account, rows(3), output, stop=stop)
    assert report.stopped == "requested"
    assert account.seen == []


async def test_cancelling_breaks_off(output: Path) -> None:
    """A cancelled run leaves no request in flight, lets the file go, and notes what was in flight."""
    account = Account()
    account.is_holding_all = True
    tasks = asyncio.all_tasks()
    running = asyncio.create_task(run(account, rows(50), output, max_concurrency=5))
    await account.until(lambda: account.in_flight == 5)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert account.in_flight == 0
    assert asyncio.all_tasks() == tasks
    closing = json.loads(output.with_name("out.jsonl.run.jsonl").read_text().splitlines()[-1])
    assert closing["report"]["stopped"] == "requested"
    assert closing["report"]["unfinished"] == names(5)
    account.let_go()
    report = await run(account, rows(50), output)
    assert sorted(ids_of(output)) == sorted(names(50))
    assert sorted(report.possibly_billed_twice) == names(5)


@pytest.mark.parametrize(("status", "stopped"), [(401, "authentication"), (402, "balance")])
async def test_the_key_and_the_balance(output: Path, status: int, stopped: str) -> None:
    """401 and 402 end the run; the row that met them is not written off, and is sent again by the next run."""
    account = Account(reply=lambda row, attempt: Reply(status) if row == "row-3" and attempt == 1 else None)
    report = await run(account, rows(20), output, max_concurrency=2)
    assert report.stopped == stopped
    assert "row-3" not in ids_of(output)
    assert report.unfinished == ()
    report = await run(account, rows(20), output)
    assert report.is_complete
    assert sorted(ids_of(output)) == sorted(names(20))


async def test_no_more_is_spent_than_allowed(output: Path) -> None:
    """``max_cost`` counts what is in flight, so that the end is below it and near it."""
    report = await run(Account(), rows(1000), output, max_concurrency=4, max_cost="0.003")
    assert report.stopped == "max_cost"
    each = Decimal("0.000035592") if report.cost < report.succeeded * Decimal("0.00005") else Decimal("0.000071184")
    assert Decimal("0.003") - each < report.cost <= Decimal("0.003")
    assert report.error is not None
    assert "0.003" in report.error


async def test_a_cost_that_cannot_be_known_stops_too(output: Path) -> None:
    """A limit that cannot be kept is not passed over in silence."""
    source = [request(f"row-{number}", model="llama") for number in range(100)]
    report = await run(Account(), source, output, max_concurrency=1, max_cost=1)
    assert report.stopped == "max_cost"
    assert "price" in str(report.error)
    assert report.succeeded == 1


async def test_too_many_failures_stop_the_run(output: Path, tmp_path: Path) -> None:
    """More than ``max_errors``, or a larger share than ``max_error_rate`` once there are a hundred."""
    bad = Account(reply=lambda row, _: Reply(400) if int(row.removeprefix("row-")) % 3 == 0 else None)
    report = await run(bad, rows(1000), output, max_errors=4, max_concurrency=1)
    assert (report.stopped, report.failed) == ("max_errors", 5)
    report = await run(bad, rows(1000), tmp_path / "other.jsonl", max_error_rate=0.2, max_concurrency=1)
    assert (report.stopped, report.failed, report.succeeded) == ("max_error_rate", 33, 67)


async def test_a_full_disk_stops_the_run(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a row cannot be written nothing more is sent; later the run goes on, and that row may be billed twice."""
    append = Appending.append
    left = 60

    def full(self: Appending, line: bytes) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        append(self, line)

    with monkeypatch.context() as patch:
        patch.setattr(Appending, "append", full)
        report = await run(Account(), rows(200), output, max_concurrency=4)
    assert report.stopped == "disk"
    assert "No space left" in str(report.error)
    done = len(ids_of(output))
    assert report.succeeded == done < 40
    assert not set(report.unfinished) & set(ids_of(output))
    account = Account()
    report = await run(account, rows(200), output)
    assert report.skipped == done
    assert sorted(ids_of(output)) == sorted(names(200))


async def test_a_source_that_fails_raises_when_the_rest_is_written(output: Path) -> None:
    """The source's own error comes out, after the rows before it are in the output."""

    def source() -> Any:
        yield from rows(3)
        raise LookupError("the database is gone")

    with pytest.raises(LookupError, match="database"):
        await run(Account(), source(), output)
    assert sorted(ids_of(output)) == names(3)


# -- when to send ------------------------------------------------------------------------------------------------------


async def test_off_peak_waits_while_prices_are_high(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a peak window nothing is sent, and progress says so; once it is over, with its margin, rows go out."""
    now = datetime(2026, 11, 23, 2, 0, tzinfo=UTC).timestamp()
    clock = SimpleNamespace(time=lambda: now, monotonic=time.monotonic)
    monkeypatch.setattr("deepseek_async.batch.run.time", clock)
    monkeypatch.setattr(limits_module, "_LONGEST_WAIT", 0.01)
    account = Account()
    states = []

    def progress(record: BatchProgress) -> None:
        nonlocal now
        states.append(record.state)
        if len(states) == 1:
            assert account.seen == []
            now = datetime(2026, 11, 23, 4, 5, 1, tzinfo=UTC).timestamp()

    report = await run(account, rows(5), output, window="off-peak", progress=progress)
    assert report.succeeded == 5
    assert states[0] == "holding"
    assert states[-1] == "ended"


def test_off_peak_windows_have_a_margin() -> None:
    """Five minutes on both sides of a peak window; holidays have none."""
    now = 0.0
    hold = OffPeak((), lambda: now)
    for hour, minute, waits in [
        (0, 54, False),
        (0, 56, True),
        (4, 4, True),
        (4, 6, False),
        (5, 56, True),
        (10, 6, False),
    ]:
        now = datetime(2026, 11, 23, hour, minute, tzinfo=UTC).timestamp()
        assert (hold() > 0) is waits, (hour, minute)
    now = datetime(2026, 11, 23, 2, 0, tzinfo=UTC).timestamp()
    assert OffPeak((date(2026, 11, 23),), lambda: now)() == 0


@pytest.mark.parametrize(
    ("first", "then", "waits"),
    [
        ((5, 0), (2, 0), True),  # off-peak, and set back into a peak
        ((2, 0), (0, 30), False),  # a peak, and set back before it
        ((7, 0), (5, 0), False),
        ((5, 0), (4, 30), False),
        ((2, 0), (1, 30), True),
        ((23, 0), (3, 59), True),
    ],
)
def test_a_clock_that_is_set_back(first: tuple[int, int], then: tuple[int, int], waits: bool) -> None:
    """What was found out for a later time says nothing of an earlier one."""
    now = datetime(2026, 11, 23, *first, tzinfo=UTC).timestamp()
    hold = OffPeak((), lambda: now)
    hold()
    now = datetime(2026, 11, 23, *then, tzinfo=UTC).timestamp()
    assert (hold() > 0) is waits


# -- what is told ------------------------------------------------------------------------------------------------------


async def test_progress_tells_and_cannot_break_a_run(
    tmp_path: Path, output: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A record at the beginning and one at the end; what it raises is logged."""
    source = tmp_path / "in.jsonl"
    source.write_text("".join(f'{{"prompt": "{name}"}}\n' for name in names(20)))
    records: list[BatchProgress] = []

    def progress(record: BatchProgress) -> None:
        records.append(record)
        raise ValueError("a display that is broken")

    report = await run(Account(), source, output, progress=progress)
    assert report.succeeded == records[-1].succeeded == 20
    assert records[-1].state == "ended"
    assert records[-1].fraction == 1.0
    assert records[-1].usage == report.usage
    assert "progress failed" in caplog.text


class Unsized(list[Any]):
    """As a progress bar around a generator: it has a length by name only."""

    def __len__(self) -> int:
        raise TypeError("no len()")


@pytest.mark.parametrize(
    ("source", "shard", "total"),
    [(rows(9), None, 9), (rows(9), "1/2", None), (iter(rows(9)), None, None), (Unsized(rows(9)), None, None)],
)
async def test_the_end_is_told_where_it_is_known(
    output: Path, source: Any, shard: str | None, total: int | None
) -> None:
    """A list has a length; of an iterator, and of a part, none is made up."""
    records: list[BatchProgress] = []
    options = {"max_concurrency": 1, "durability": "process"}
    await run(Account(), source, output, shard=shard, progress=records.append, **options)
    assert {record.total for record in records} == {total}
    first, *_, last = (record.fraction for record in records)
    if total is None:
        assert (first, last) == (None, None)
    else:
        assert first is not None
        assert first < 0.5
        assert last == 1.0


@in_leaping_time
async def test_a_falling_limit_is_told_with_the_balance(
    output: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """When the account's limit falls below a quarter of its best, the balance is looked at and named."""
    account = Account(limit=40)
    notices: list[str | None] = []

    def reply(row: str, attempt: int) -> None:
        if row == "row-300":
            account.limit = 3

    account.reply = reply
    await run(account, rows(600), output, progress=lambda record: notices.append(record.notice))
    assert "concurrency limit fell to 3" in str(notices[-1])
    assert "0.42 USD left" in caplog.text


async def test_the_report_as_text_and_json(output: Path) -> None:
    """A line for people, plain values for programs, and the same values as the last line of the side file."""
    report = await run(Account(), rows(3), output)
    assert str(report) == "3 succeeded, 0 failed, 0 done before"
    ids = tuple(f"row-{number}" for number in range(1000))
    told = attrs.evolve(report, stopped="requested", unfinished=ids[:2], possibly_billed_twice=ids)
    assert str(told) == (
        "3 succeeded, 0 failed, 0 done before, stopped: it was asked to stop, sent and not finished: 2 (row-0, row-1), "
        "possibly billed twice: 1,000 (row-0, row-1, row-2, row-3, row-4, …)"
    )
    closing = json.loads(output.with_name("out.jsonl.run.jsonl").read_text().splitlines()[-1])
    assert closing["report"] == json.loads(json.dumps(report.to_json()))


# -- partitions --------------------------------------------------------------------------------------------------------


async def test_a_partition_can_be_run_again(output: Path) -> None:
    """What an engine does after it lost a worker: the second time only what was not finished is sent."""
    account = Account()
    first = await run_partition(client_of(account), rows(10)[:6], output)
    second = await run_partition(client_of(account), rows(10), output)
    assert (first.succeeded, second.succeeded, second.skipped) == (6, 4, 6)
    assert len(account.seen) == 10


async def test_a_partition_that_is_not_complete_raises(output: Path) -> None:
    """An engine must not take a partition for done whose balance ran out."""
    account = Account(reply=lambda row, _: Reply(402))
    with pytest.raises(RuntimeError, match="balance"):
        await run_partition(client_of(account), rows(3), output)


# -- options -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("window", "night"),
        ("drain_timeout", -1),
        ("drain_timeout", "5"),
        ("resume", 64),  # as somebody gives it by its place who means max_concurrency
        ("resume", "no"),
        ("retry_permanent", "no"),
        ("shard", "0/3"),
        ("shard", "4/3"),
        ("shard", "half"),
        ("max_cost", 0),
        ("max_cost", "much"),
        ("max_errors", -1),
        ("max_error_rate", 1.5),
        ("currency", "EUR"),
        ("durability", "none"),
        ("max_concurrency", 0),
    ],
)
async def test_options_out_of_range_are_refused(output: Path, name: str, value: object) -> None:
    """Before a file is made or a request sent, by name."""
    account = Account()
    with pytest.raises(InvalidRequestError, match=name):
        await run(account, rows(1), output, **{name: value})
    assert account.seen == []
    assert list(output.parent.iterdir()) == []


def test_the_share_of_failures_needs_rows() -> None:
    """Below a hundred rows no share is looked at: the first failure is not 100 %."""
    tally = Tally("USD", ())
    tally.failed = 99
    assert Limits(max_error_rate=0.1).after_ending(tally) is None
    tally.failed = 100
    assert Limits(max_error_rate=0.1).after_ending(tally) is not None


async def test_the_report_says_which_row_failed_and_why(output: Path, tmp_path: Path) -> None:
    """The first of each reason, clipped, in one line."""
    source = tmp_path / "in.jsonl"
    wrong = [{"temperature": 3}, {"temperature": 4}, {"colour": "red" * 200}]
    source.write_text(
        "".join(json.dumps({"custom_id": f"w-{n}", "prompt": "q", **more}) + "\n" for n, more in enumerate(wrong))
    )
    report = await run(Account(), source, output)
    assert report.reasons == {"InvalidRequestError": 3}
    assert report.examples == {"InvalidRequestError": f"w-0: {source}:1: temperature is 3; allowed: 0 to 2"}
    assert f"3 failed (InvalidRequestError, such as w-0: {source}:1: temperature is 3; allowed" in str(report)
    assert report.to_json()["examples"] == report.examples
    assert standing_of(output).examples == report.examples


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_token": 5}, r"max_token is unknown \(did you mean max_tokens\?\)"),
        ({"max_tokens": "5"}, "max_tokens is '5'; allowed"),
        ({"top_logprobs": 3}, "top_logprobs is 3; allowed: only together with logprobs=True"),
        ({"tools": "all"}, "tools"),
    ],
)
async def test_what_would_fail_every_row_is_refused_first(output: Path, parameters: Any, message: str) -> None:
    """With a prompt rows say nothing of their parameters; there is no output yet."""
    with pytest.raises(InvalidRequestError, match=message):
        await run(Account(), [{"a": "x"}], output, prompt="Translate: {a}", parameters=parameters)
    assert not list(output.parent.iterdir())


async def test_what_rows_may_complete_is_not_refused(output: Path) -> None:
    """Without a prompt a row may have what the others' parameters need."""
    rows = [{"prompt": "q", "logprobs": True}, {"prompt": "q"}]
    report = await run(Account(), rows, output, parameters={"top_logprobs": 3})
    assert (report.succeeded, report.failed) == (1, 1)


@pytest.mark.parametrize("client", ["in.jsonl", None, AsyncClient])
async def test_what_is_no_client_is_named(client: Any, output: Path) -> None:
    """As where the arguments stand in another order."""
    with pytest.raises(InvalidRequestError, match="client; allowed: an AsyncClient, not"):
        await run_batch(client, "in.jsonl", output)
