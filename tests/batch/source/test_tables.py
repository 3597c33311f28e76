"""Parquet as rows: by pyarrow, or by polars where that is missing; neither is told with what to install."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deepseek_async.batch.source.kinds import kind_of, made_of
from deepseek_async.batch.source.tables import count_of_parquet, rows_of_parquet
from deepseek_async.batch.source.template import Template
from deepseek_async.errors import InvalidRequestError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "in.parquet"
    columns = {"id": list(range(2500)), "text": [None, *["x"] * 2499], "share": [0.5, float("nan"), *[None] * 2498]}
    pq.write_table(pa.table(columns), path)
    return str(path)


@pytest.mark.parametrize("library", ["pyarrow", "polars"])
def test_rows(table: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand at a time; what is null, or no number, has no value."""
    if library == "polars":
        pytest.importorskip("polars")
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    blocks = list(rows_of_parquet(table, Template(prompt="{text}")))
    assert [len(block) for block in blocks] == [1000, 1000, 500]
    rows = [record for block in blocks for record in block]
    assert [dict(row.values) for row in rows[:2]] == [{"id": 0, "share": 0.5}, {"id": 1, "text": "x"}]
    assert (rows[-1].line, rows[-1].values["id"]) == (2500, 2499)
    assert count_of_parquet(table) == 2500


def test_neither_library(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(InvalidRequestError, match=r"pip install 'deepseek_async\[parquet\]'"):
        next(rows_of_parquet(table, Template(prompt="x")))


@pytest.mark.parametrize("library", ["pyarrow", "polars"])
def test_what_is_no_parquet(tmp_path: Path, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if library == "polars":
        pytest.importorskip("polars")
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    path = tmp_path / "in.parquet"
    path.write_bytes(b"a,b\n1,2\n" * 10)
    with pytest.raises(InvalidRequestError, match=r"in\.parquet cannot be read as Parquet"):
        next(rows_of_parquet(str(path), Template(prompt="x")))


def test_a_column_that_is_not_there(table: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"has no column 'titel'; it has id, text, share"):
        next(rows_of_parquet(table, Template(prompt="{titel}")))
    with pytest.raises(InvalidRequestError, match=r"none of them prompt or messages: say what to ask"):
        next(rows_of_parquet(table, Template()))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *[("a.csv", "csv"), ("A.CSV.gz", "csv"), ("a.tsv", "tsv"), ("a.tab", "tsv"), ("a.parquet", "parquet")],
        *[("a.jsonl", "jsonl"), ("a.json", "jsonl"), ("a", "jsonl"), ("-", "jsonl"), ("a.csv.bak", "jsonl")],
    ],
)
def test_names_tell(name: str, kind: str) -> None:
    assert kind_of(name) == kind
    assert kind_of(name, "csv") == "csv"


def test_what_is_no_kind() -> None:
    with pytest.raises(InvalidRequestError, match=r"jsonl or csv or tsv or parquet"):
        kind_of("a.csv", "xlsx")
    with pytest.raises(InvalidRequestError, match=r"Parquet is read from a file"):
        made_of("-", Template(), "parquet")
