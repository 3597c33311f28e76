"""Whose fault a failure is, and what it may have cost: the table of `faults`, and what a run makes of it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deepseek_async import AsyncClient, Failed, RetryPolicy, Succeeded, errors, read_outcomes, run_batch
from deepseek_async.batch.faults import is_of_run
from deepseek_async.batch.report import BatchReport
from deepseek_async.codec.failures.statuses import failure_from
from deepseek_async.errors import APIConnectionError, APITimeoutError, DeepSeekError

from ..leaping import in_leaping_time, leap
from .account import Account, Reply, client_of, error_of, request

pytestmark = pytest.mark.anyio

PORTAL = b"\xef\xbb\xbf\n<!DOCTYPE html><title>Welcome to Hotel Wi-Fi</title>"
PAGE = errors.MalformedResponseError("no JSON", body=PORTAL.decode())


def status(number: int) -> DeepSeekError:
    return failure_from(number, {}, b"{}", None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "of_run", "billed"),
    [
        *((status(number), True, False) for number in (301, 302, 307, 308, 401, 402, 407, 511)),
        *((status(number), False, False) for number in (400, 403, 404, 413, 422, 429, 500, 503)),
        *((status(number), False, True) for number in (502, 504, 520, 522, 524, 598, 599)),
        (APIConnectionError("not trusted", during="connect", reason="untrusted"), True, False),
        (APIConnectionError("no HTTP", reason="protocol"), True, True),
        (APIConnectionError("the proxy says no", during="connect", reason="proxy"), True, False),
        (APIConnectionError("no address", during="connect", reason="address"), True, False),
        (APIConnectionError("closed", reason="closed"), True, True),
        (APIConnectionError("refused", during="connect"), False, False),
        (APIConnectionError("broke"), False, True),
        (APITimeoutError("late", phase="connect", seconds=1), False, False),
        (APITimeoutError("late", phase="first_chunk", seconds=1), False, True),
        (APITimeoutError("late", phase="total", seconds=1), False, True),
        (PAGE, True, True),
        (errors.MalformedResponseError("no JSON", body='{"id": 1'), False, True),
        (errors.EmptyResponseError("empty"), False, True),
        (errors.InvalidRequestError("temperature", 3), False, False),
    ],
    ids=lambda value: f"{type(value).__name__} {getattr(value, 'status', '')}" if isinstance(value, Exception) else "",
)
def test_the_table(error: DeepSeekError, of_run: bool, billed: bool) -> None:
    """Each line of it."""
    assert (is_of_run(error), error.may_be_billed) == (of_run, billed)


# -- a run -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def rows(count: int) -> list[dict[str, Any]]:
    return [{"custom_id": f"row-{number}", "prompt": f"row-{number}"} for number in range(count)]


async def run(account: Account, output: Path, count: int = 6, **options: Any) -> BatchReport:
    options.setdefault("durability", "process")
    return await run_batch(client_of(account), rows(count), output, **options)


def at(name: str, reply: Reply | Exception) -> Account:
    """An account that answers one row like that, and the others well."""
    return Account(reply=lambda row, _: reply if row == name else None)


@pytest.mark.parametrize(
    ("reply", "billed"),
    [
        (APIConnectionError("the client was closed while the request was in flight", reason="closed"), True),
        (APIConnectionError("the certificate is not trusted", during="connect", reason="untrusted"), False),
        (APIConnectionError("the server does not answer in HTTP", reason="protocol"), True),
        (Reply(200, PORTAL), True),
        (Reply(200, b"<html>"), True),
        (Reply(302, b"", {"location": "https://login.example"}), False),
        (Reply(308), False),
        (Reply(511, PORTAL), True),
        (Reply(407), False),
    ],
    ids=["closed", "certificate", "no HTTP", "portal", "page", "redirect", "moved", "511", "407"],
)
async def test_the_runs_fault_is_not_the_rows(output: Path, reply: Reply | Exception, billed: bool) -> None:
    """The run stops and says why; no row has failed; the next run sends what is missing."""
    report = await run(at("row-3", reply), output, max_concurrency=1)
    assert (report.stopped, report.succeeded, report.failed) == ("connection", 3, 0)
    assert report.error
    assert report.unfinished == (("row-3",) if billed else ())
    again = await run(Account(), output)
    assert (again.succeeded, again.skipped, again.stopped) == (3, 3, None)
    assert again.possibly_billed_twice == (("row-3",) if billed else ())


async def test_without_a_journal_it_is_raised(output: Path) -> None:
    """`client.batch` delivers what there is, and raises what ended it."""
    async with client_of(at("row-2", Reply(302))).batch(rows(5), max_concurrency=1) as outcomes:
        assert [type(await anext(outcomes)) for _ in range(3)] == [Succeeded, Succeeded, Failed]
        with pytest.raises(errors.APIStatusError) as caught:
            await anext(outcomes)
    assert caught.value.status == 302


@pytest.mark.parametrize("number", [502, 504, 520, 524])
async def test_a_gateways_failure_may_be_billed(output: Path, number: int) -> None:
    """Sent again by the same run, or by the next: told."""
    once = Account(reply=lambda row, attempt: Reply(number) if (row, attempt) == ("row-1", 1) else None)
    report = await run(once, output)
    assert (report.succeeded, report.possibly_billed_twice) == (6, ("row-1",))
    other = output.with_name("other.jsonl")
    first = await run(at("row-1", Reply(number)), other, max_attempts=1)
    assert (first.failed, first.possibly_billed_twice) == (1, ())
    assert (await run(Account(), other)).possibly_billed_twice == ("row-1",)


@in_leaping_time
@pytest.mark.parametrize("then", [Reply(429), Reply(400), Reply(503), APIConnectionError("refused", during="connect")])
async def test_the_sending_after_a_broken_one_was_refused(output: Path, then: Reply | Exception) -> None:
    """That the second sending cost nothing takes nothing from the first: the row is named, however it ended."""

    def reply(row: str, attempt: int) -> Reply | Exception | None:
        if row != "row-1":
            return None
        return APIConnectionError("broke") if attempt == 1 else then if attempt == 2 else None

    report = await run(Account(reply=reply), output)
    assert report.possibly_billed_twice == ("row-1",)
    assert report.succeeded + report.failed == 6


async def test_what_stops_while_a_row_rests_is_told(output: Path) -> None:
    """Broken once, refused since, and then the run was stopped: unfinished, and named when it is sent again."""
    account = Account(reply=lambda row, attempt: APIConnectionError("broke") if attempt == 1 else Reply(429))
    stop = asyncio.Event()
    running = asyncio.ensure_future(run(account, output, 1, stop=stop))
    await account.until(lambda: len(account.seen) == 2)
    stop.set()
    report = await running
    assert (report.stopped, report.unfinished) == ("requested", ("row-0",))
    assert (await run(Account(), output, 1)).possibly_billed_twice == ("row-0",)


# -- what nobody thought of --------------------------------------------------------------------------------------------


async def test_an_unexpected_exception_is_the_rows(output: Path) -> None:
    """It ends that row, with its cause; the row may have been billed."""
    report = await run(at("row-2", ValueError("odd")), output)
    assert (report.succeeded, report.failed, report.stopped) == (5, 1, None)
    assert "unexpected ValueError" in text_of(output)
    async with client_of(at("row-2", ZeroDivisionError())).batch(rows(4)) as outcomes:
        failed = [outcome async for outcome in outcomes if isinstance(outcome, Failed)]
    assert isinstance(failed[0].error.__cause__, ZeroDivisionError)
    assert failed[0].error.may_be_billed


async def test_half_a_surrogate_in_an_id(output: Path) -> None:
    """The row is answered; the report is there, also where it names the row."""
    source = [request("row-0"), {"custom_id": "\ud800x", "prompt": "p"}]
    broken = Account(reply=lambda row, attempt: APIConnectionError("broke") if row == "p" and attempt == 1 else None)
    report = await run_batch(client_of(broken), source, output, durability="process")
    assert (report.succeeded, report.stopped) == (2, None)
    assert report.possibly_billed_twice == ("\\ud800x",)
    side = text_of(output.with_name("out.jsonl.run.jsonl")).splitlines()
    assert json.loads(side[-1])["report"]["possibly_billed_twice"] == ["\\ud800x"]
    again = await run_batch(client_of(Account()), source, output, durability="process")
    assert (again.skipped, again.succeeded) == (2, 0)


@pytest.mark.parametrize(
    ("source_name", "output_name"),
    [("in.jsonl", "caf\udce9.jsonl"), ("caf\udce9.jsonl", "out.jsonl"), ("\udcff", "\udc80 \udcfe"), ("a\udcffb", "é")],
)
async def test_files_whose_names_are_no_utf8(tmp_path: Path, source_name: str, output_name: str) -> None:
    """Names of another encoding, as old disks and archives have them: sent once, resumed, reported, told of."""
    source, output = tmp_path / source_name, tmp_path / output_name
    lines = b"".join(b'{"custom_id": "r%d", "prompt": "p"}\n' % number for number in range(3)) + b"none\n"
    try:
        source.write_bytes(lines)
    except OSError:
        pytest.skip("this file system takes no such name")
    report = await run_batch(client_of(Account()), source, output, durability="process")
    assert (report.succeeded, report.failed, report.output) == (3, 1, output)
    assert source.name in str(report)
    again = await run_batch(client_of(Account()), str(source), str(output), durability="process")
    assert (again.skipped, again.succeeded, again.failed) == (4, 0, 0)
    side = text_of(output.with_name(f"{output_name}.run.jsonl")).splitlines()
    written = [json.loads(line) for line in side]
    assert [line["report"]["output"] for line in written if "closed" in line] == [
        str(output).encode("utf-8", "backslashreplace").decode()
    ] * 2


async def test_a_journal_that_an_editor_has_saved(output: Path) -> None:
    """With a byte order mark before it, and its lines ended as Windows does; both files."""
    first = await run(Account(), output)
    for path in (output, output.with_name("out.jsonl.run.jsonl")):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    outcomes = [outcome.custom_id for outcome in read_outcomes(output)]
    assert len(outcomes) == first.succeeded == 6
    again = await run(Account(), output)
    assert (again.skipped, again.succeeded, again.possibly_billed_twice) == (6, 0, ())
    assert [outcome.custom_id for outcome in read_outcomes(output)] == outcomes


@pytest.mark.parametrize("value", ["caf\udce9", "\ud83d", "a\udc80b"])
async def test_a_header_that_is_no_utf8(output: Path, value: str) -> None:
    """The request id of an answer, or of a refusal, in bytes of another encoding: written down, escaped."""

    class Odd(Account):
        async def send(self, request: Any, progress: Any) -> Any:
            response = await super().send(request, progress)
            response.headers = {"x-ds-trace-id": value}
            return response

    report = await run(Odd(reply=lambda row, _: Reply(400) if row == "row-1" else None), output)
    assert (report.succeeded, report.failed, report.stopped) == (5, 1, None)
    assert len(text_of(output).splitlines()) == 6
    assert (await run(Account(), output)).skipped == 6


# -- a server that refuses for good ------------------------------------------------------------------------------------


class Refusing(Account):
    """Refuses everything, and notes when it was asked."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply=lambda *_: reply)
        self.asked: list[float] = []

    async def send(self, request: Any, progress: Any) -> Any:
        self.asked.append(asyncio.get_running_loop().time())
        return await super().send(request, progress)


def refused_until(account: Refusing) -> tuple[DeepSeekError, float]:
    """What a batch ends with, and after how many seconds."""

    async def main() -> tuple[DeepSeekError, float]:
        try:
            async with client_of(account, retry=RetryPolicy()).batch(rows(50)) as outcomes:
                async for _ in outcomes:
                    pass
        except DeepSeekError as error:
            return error, asyncio.get_running_loop().time()
        raise AssertionError("it came to its end")

    return leap(main())


def test_a_429_for_good_ends_after_fifteen_minutes() -> None:
    """Asked ever more seldom, and said why it ended."""
    account = Refusing(Reply(429, error_of("Too many requests.", "rate_limit_error")))
    error, seconds = refused_until(account)
    assert isinstance(error, errors.RateLimitError)
    assert "no answer for 15 min" in str(error)
    assert 900 <= seconds <= 911
    late = [now for now in account.asked if now > 130]
    assert len(late) <= 80


@pytest.mark.parametrize(
    "body",
    [
        error_of("You exceeded your current quota, please check your plan and billing details.", "insufficient_quota"),
        error_of("quota_exceeded for this month"),
    ],
)
def test_a_quota_that_is_gone_ends_after_a_minute(body: bytes) -> None:
    """After the first burst, a request every ten seconds."""
    account = Refusing(Reply(429, body))
    error, seconds = refused_until(account)
    assert isinstance(error, errors.RateLimitError)
    assert "quota" in str(error)
    assert 60 <= seconds <= 75
    assert len([now for now in account.asked if now > 1]) <= 7


@pytest.mark.parametrize("number", [429, 503])
@pytest.mark.parametrize("hours", ["7200", "86400", "1000000000"])
def test_hours_are_heeded_by_ending(number: int, hours: str) -> None:
    """What was in flight is all that was sent; the words say how long."""
    account = Refusing(Reply(number, error_of("later"), {"retry-after": hours}))
    error, seconds = refused_until(account)
    assert isinstance(error, errors.APIStatusError)
    assert "left alone for" in str(error)
    assert seconds < 2
    assert len(account.asked) <= 50


def test_minutes_are_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """A ``Retry-After`` of five minutes: said, and one request after it; then the answers come."""
    account = Account()
    asked: list[float] = []

    def reply(row: str, _: int) -> Reply | None:
        asked.append(asyncio.get_running_loop().time())
        return Reply(429, error_of("later"), {"retry-after": "300"}) if asked[-1] < 299 else None

    account.reply = reply

    async def main() -> int:
        async with client_of(account, retry=RetryPolicy()).batch(rows(40)) as outcomes:
            return sum([isinstance(outcome, Succeeded) async for outcome in outcomes])

    with caplog.at_level(logging.WARNING, "deepseek_async"):
        assert leap(main()) == 40
    assert not [now for now in asked if 1 < now < 300]
    assert "left alone for 5 min" in caplog.text


async def test_a_run_that_is_refused_is_resumable(output: Path) -> None:
    """No row has failed; the report says why it stopped."""
    account = Account(
        reply=lambda row, _: Reply(429, error_of("l"), {"retry-after": "7200"}) if row == "row-4" else None
    )
    report = await run(account, output, max_concurrency=1)
    assert (report.stopped, report.succeeded, report.failed) == ("refused", 4, 0)
    assert "2 h" in str(report.error)
    assert (await run(Account(), output)).succeeded == 2


# -- what stands beside a run ------------------------------------------------------------------------------------------


class Falling(Account):
    """Its limit falls while a batch runs, so that there is a notice and a look at the balance."""

    def __init__(self, failure: BaseException | None) -> None:
        super().__init__(limit=40)
        self.failure = failure
        self.looks = 0
        self.reply = self._reply

    def _reply(self, row: str, _: int) -> None:
        if row == "row-300":
            self.limit = 3

    async def send(self, request: Any, progress: Any) -> Any:
        if request.method == "GET":
            self.looks += 1
            if self.failure is not None:
                raise self.failure
        return await super().send(request, progress)


@in_leaping_time
@pytest.mark.parametrize(
    "failure", [ValueError("odd"), RuntimeError("closed"), asyncio.CancelledError(), MemoryError()]
)
async def test_a_look_at_the_balance_ends_nothing(output: Path, failure: BaseException) -> None:
    """However it fails."""
    account = Falling(failure)
    report = await run(account, output, 600)
    assert (report.succeeded, report.stopped) == (600, None)
    assert account.looks


@pytest.fixture
def bad_handler() -> Iterator[None]:
    """A handler of the log's that raises."""

    class Raising(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise ValueError("nobody reads this")

    log, handler = logging.getLogger("deepseek_async"), Raising()
    log.addHandler(handler)
    yield
    log.removeHandler(handler)


@in_leaping_time
@pytest.mark.usefixtures("bad_handler")
@pytest.mark.parametrize("failure", [ValueError("odd"), asyncio.CancelledError(), OSError("broken pipe")])
async def test_listeners_end_nothing(output: Path, failure: BaseException) -> None:
    """What shows the progress fails, and what logs that fails, too; a hook as well."""

    def fail(_: object) -> None:
        raise failure

    client = AsyncClient(
        "sk-0",
        base_url="http://127.0.0.1:1",
        transport=Falling(None),
        retry=RetryPolicy(wait_initial=0.0),
        hooks=() if isinstance(failure, asyncio.CancelledError) else (fail,),
    )
    report = await run_batch(client, rows(600), output, durability="process", progress=fail)
    assert (report.succeeded, report.stopped) == (600, None)
