"""What is passed over and what is refused, when ids are known by fingerprints: none is lost, however many collide."""

# ruff: noqa: ASYNC240 - small files of a test, nothing else in the loop

from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from deepseek_async import run_batch
from deepseek_async.batch.estimate import estimate_of
from deepseek_async.batch.journal import fingerprints
from deepseek_async.batch.journal import known_rows as done
from deepseek_async.batch.journal.index import Index, index_of
from deepseek_async.batch.journal.journal import Journal, side_file_of
from deepseek_async.batch.journal.known_rows import Done
from deepseek_async.batch.journal.scan import Scan
from deepseek_async.batch.journal.standing import last_lines, standing_of
from deepseek_async.batch.source.row import row_of
from deepseek_async.errors import InvalidRequestError

from ..account import Account, Reply, client_of

pytestmark = pytest.mark.anyio

_BAD = Reply(400)
_BUSY = Reply(503)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.fixture
def colliding(monkeypatch: pytest.MonkeyPatch) -> None:
    """All ids have one hash; what belongs to them has not."""
    monkeypatch.setattr(fingerprints, "_hash", lambda text: 0 if text.startswith("id-") else hash(text))


def rows(count: int, prompt: str = "say {}", first: int = 0) -> list[dict[str, str]]:
    return [{"custom_id": f"id-{n}", "prompt": prompt.format(n)} for n in range(first, first + count)]


def given(rows: list[dict[str, str]], folder: Path, kind: str) -> Any:
    """The rows as a list, or as a file."""
    if kind == "mappings":
        return rows
    path = folder / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def ids_of(output: Path) -> list[str]:
    return [json.loads(line)["custom_id"] for line in output.read_text().splitlines()]


@pytest.mark.usefixtures("colliding")
@pytest.mark.parametrize("kind", ["mappings", "a file"])
@pytest.mark.parametrize("prompt", ["say {}", "the same"])
async def test_no_row_is_lost_or_doubled_where_all_ids_collide(output: Path, kind: str, prompt: str) -> None:
    """Sent once each, passed over by the next run, and what that has more is sent; even if all ask the very same."""
    account = Account()
    client = client_of(account)
    first = await run_batch(
        client, given(rows(30, prompt), output.parent, kind), output, durability="process", max_concurrency=4
    )
    assert (first.succeeded, first.skipped, first.stopped) == (30, 0, None)
    again = await run_batch(client, given(rows(40, prompt), output.parent, kind), output, durability="process")
    assert (again.succeeded, again.skipped, again.stopped) == (10, 30, None)
    assert Counter(ids_of(output)) == {f"id-{n}": 1 for n in range(40)}
    assert len(account.seen) == 40
    assert [line.custom_id for line in last_lines(output)] == ids_of(output)
    assert (standing_of(output).succeeded, standing_of(output).failed) == (40, 0)


@pytest.mark.usefixtures("colliding")
@pytest.mark.parametrize("kind", ["mappings", "a file"])
async def test_a_row_with_another_body_is_refused_where_all_ids_collide(output: Path, kind: str) -> None:
    """It really is there, with another body: in the output, or under way. An id that only collides with it is not."""
    client = client_of(Account())
    await run_batch(client, given(rows(10), output.parent, kind), output, durability="process")
    changed = [*rows(9), {"custom_id": "id-9", "prompt": "changed"}, *rows(1, first=10)]
    with pytest.raises(InvalidRequestError, match="custom_id 'id-9' is taken by a row with another body"):
        await run_batch(client, given(changed, output.parent, kind), output, durability="process")
    twice = [*rows(12), {"custom_id": "id-11", "prompt": "changed"}]
    with pytest.raises(InvalidRequestError, match="custom_id 'id-11' is taken"):
        await run_batch(client, given(twice, output.parent, kind), output, durability="process")
    assert Counter(ids_of(output)) == {f"id-{n}": 1 for n in range(12)}


@pytest.mark.usefixtures("colliding")
async def test_failures_where_all_ids_collide(output: Path) -> None:
    """What failed for good is passed over or, where a success with its fingerprint stands, tried anew: never lost."""
    replies = {"say 1": _BAD, "say 2": _BUSY}
    client = client_of(Account(reply=lambda row, _: replies.get(row)))
    await run_batch(client, rows(3), output, durability="process", max_attempts=1, max_concurrency=1)
    assert standing_of(output).permanent == 1
    replies.clear()
    await run_batch(client, rows(3), output, durability="process", retry_permanent=True)
    standing = standing_of(output)
    assert (standing.succeeded, standing.failed, standing.permanent) == (3, 0, 0)


async def test_a_row_twice_in_one_source(output: Path) -> None:
    """The very same is passed over, be the first under way, recorded, or failed. For that the output is read once."""
    reads: list[tuple[int, int]] = []

    class Watched(Scan[Any]):
        def __iter__(self) -> Any:
            start = self.end
            yield from super().__iter__()
            reads.append((start, self.end))

    account = Account(reply=lambda row, _: _BAD if row == "say 3" else None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(done, "Scan", Watched)
        twice = [row for n in range(50) for row in rows(1, first=n) * 2] + rows(50)
        report = await run_batch(client_of(account), twice, output, durability="process", max_concurrency=1)
    assert (report.succeeded, report.failed, report.skipped) == (49, 1, 100)
    assert len(ids_of(output)) == 50
    assert reads
    assert all(one[1] == other[0] for one, other in pairwise(reads))
    assert (reads[0][0], reads[-1][1]) == (0, output.stat().st_size)


async def test_a_source_written_anew(output: Path) -> None:
    """All lines changed, no body did: one look into the output, and all are passed over."""
    client = client_of(Account())
    await run_batch(client, given(rows(20), output.parent, "a file"), output, durability="process")
    spaced = output.parent / "spaced.jsonl"
    spaced.write_text("".join(json.dumps(row, indent=None, separators=(" ,  ", " :  ")) + "\n" for row in rows(20)))
    report = await run_batch(client, spaced, output, durability="process")
    assert (report.succeeded, report.skipped) == (0, 20)
    report = await run_batch(client, rows(20), output, durability="process")
    assert (report.succeeded, report.skipped) == (0, 20)


async def test_a_price_counts_what_a_run_would_send(output: Path) -> None:
    """By line or by body; what failed for good is not sent either; rows of one id are all priced: none is taken."""
    account = Account(reply=lambda row, _: _BAD if row == "say 3" else None)
    await run_batch(client_of(account), rows(10), output, durability="process")
    before = Done(output, index_of(output, side_file_of(output)))
    for kind in ("mappings", "a file"):
        estimate = await estimate_of(given([*rows(12), *rows(2, "another {}")], output.parent, kind), done=before)
        assert (estimate.rows, estimate.skipped) == (4, 10)


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize("count", [10_000, pytest.param(160_000, marks=pytest.mark.soak)])
def test_what_a_row_costs(output: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 160,000 rows with ids of their own less than 12 bytes each are left; of rows without ids none.

    The buckets have a cost of their own: usually there is a sixteenth of the rows in a sixteenth of the buckets.
    """
    if count < 100_000:
        monkeypatch.setattr(fingerprints, "_BUCKET_BITS", fingerprints._BUCKET_BITS - 4)
        monkeypatch.setattr(fingerprints, "_BUCKET_MASK", fingerprints._BUCKET_MASK >> 4)
    named, numbered = Done(output, Index()), Done(output, Index())
    row = row_of({"custom_id": "a", "prompt": "Why?"}, 1, "row 1")
    other = row_of({"prompt": "Why?"}, 1, "row 1")
    assert row.body_hash == other.body_hash
    tracemalloc.start()
    try:
        for number in range(count):
            row.name = row.custom_id = f"id-{number}"
            assert not named.has(row)
            named.ended(row)
        cost = tracemalloc.get_traced_memory()[0] / count
        before = tracemalloc.get_traced_memory()[0]
        for number in range(1, count // 5):
            other.number, other.name = number, f"row-{number}"
            assert not numbered.has(other)
            numbered.ended(other)
        assert tracemalloc.get_traced_memory()[0] - before < 1000
    finally:
        tracemalloc.stop()
    assert cost < 12


async def test_rows_under_way_are_let_go(output: Path) -> None:
    """Recorded, a row is known by its fingerprint alone, whatever became of it."""
    account = Account(reply=lambda row, _: _BAD if row == "say 3" else None)
    journals: list[Journal] = []
    real = Journal.open

    def opened(*arguments: Any, **options: Any) -> Journal:
        journals.append(real(*arguments, **options))
        return journals[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "open", opened)
        bad = {"custom_id": "id-bad", "prompt": 1}
        await run_batch(client_of(account), [*rows(10), bad, {"prompt": "say 11"}], output, durability="process")
    assert journals[0]._done._under_way == {}
