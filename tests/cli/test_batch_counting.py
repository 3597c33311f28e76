"""How many rows a file has."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from deepseek_async.batch.source.rows import RowSource
from deepseek_async.batch.source.shards import Shard
from deepseek_async.cli.batch_counting import count_into, rows_in
from deepseek_async.cli.batch_figures import Throughput

LINES = (
    '{"custom_id": "a", "prompt": "Hi."}',
    "",
    "  ",
    '{"prompt": "Hi."}',
    '{"custom_id": 5, "prompt": "Hi."}',
    '{"custom_id": "", "prompt": "Hi."}',
    '{"custom_id": null, "prompt": "Hi."}',
    "no JSON",
    '["no object"]',
    '{"prompt": "Hi.", "custom_id": "雨"}',
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Eight rows of all kinds, the last without a line end, and two blank lines."""
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(LINES), encoding="utf-8")
    return path


def test_rows_of_a_file(source: Path) -> None:
    """Lines that are not blank, whatever they hold."""
    assert rows_in(str(source)) == 8


def test_rows_of_what_is_written_otherwise(source: Path) -> None:
    """Packed, and in UTF-16."""
    data = source.read_bytes()
    for written in (gzip.compress(data), data.decode().encode("utf-16")):
        source.write_bytes(written)
        assert rows_in(str(source)) == 8


@pytest.mark.anyio
@pytest.mark.parametrize("count", [2, 3, 7])
async def test_rows_of_a_part_are_those_that_a_run_reads(source: Path, count: int) -> None:
    """Shard by shard as many as a batch makes of the file; together all of them."""
    counted = []
    for index in range(1, count + 1):
        rows = RowSource(source, shard=Shard(index, count))
        read = 0
        while not rows.is_at_end:
            await rows.more()
            while rows.next_ready() is not None:
                read += 1
        await rows.aclose()
        counted.append(rows_in(str(source), Shard(index, count)))
        assert counted[-1] == read
    assert sum(counted) == 8


def test_what_cannot_be_known_stays_unknown(source: Path, tmp_path: Path) -> None:
    """Stdin, a pipe, a folder, no file: a run tells of no end that it does not know, and nothing is read."""
    os.mkfifo(tmp_path / "pipe")
    for given in ("-", str(tmp_path / "pipe"), str(tmp_path), str(tmp_path / "none.jsonl")):
        throughput = Throughput()
        count_into(throughput, given, None)
        assert throughput.total is None
    throughput = Throughput()
    count_into(throughput, str(source), None)
    assert throughput.total == 8
